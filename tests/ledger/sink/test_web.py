"""The web port of a sink."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest

from stream_attr.kafka.secret import Secret
from stream_attr.ledger.sink import status as status_module
from stream_attr.ledger.sink.metrics import SinkMetrics
from stream_attr.ledger.sink.status import Status
from stream_attr.ledger.sink.web import PortUnusableError, serving

TOKEN = "a-token-of-enough-length"


def get(port: int, path: str, **headers: str) -> tuple[int, bytes]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_it_is_ready_while_the_ledger_is_filled_and_else_says_why() -> None:
    status = Status()
    with serving("127.0.0.1", 0, None, SinkMetrics(), status) as port:
        assert get(port, "/health") == (200, b'{"status":"ok"}')
        code, body = get(port, "/ready")
        assert (code, json.loads(body)["reason"]) == (503, "it is starting")
        status.reason, status.sources = None, [("attribution-decisions", 2)]
        code, body = get(port, "/ready")
        assert code == 200
        assert json.loads(body) == {"status": "ready", "partitions": [["attribution-decisions", 2]]}
        assert get(port, "/elsewhere")[0] == 404
        code, body = get(port, "/metrics")
        assert code == 200
        assert b"\nstream_attr_ledger_database_away 0.0\n" in body


def test_one_that_does_not_get_on_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    status, metrics = Status(), SinkMetrics()
    metrics.watch(status)
    status.reason = None
    monkeypatch.setattr(status_module, "_STILL_S", 60.0)
    assert status.why_not() is None
    assert b"\nstream_attr_ledger_ready 1.0\n" in metrics.exposition()
    monkeypatch.setattr(status_module, "_STILL_S", 0.0)
    assert "it has waited for 0 s" in str(status.why_not())
    assert b"\nstream_attr_ledger_ready 0.0\n" in metrics.exposition()
    status.reason = "the database is away"
    assert status.why_not() == "the database is away"


def test_metrics_need_the_token_where_there_is_one_and_probes_do_not() -> None:
    with serving("127.0.0.1", 0, Secret(TOKEN), SinkMetrics(), Status()) as port:
        assert get(port, "/metrics")[0] == 401
        assert get(port, "/metrics", Authorization="Bearer other")[0] == 401
        assert get(port, "/metrics", Authorization=f"bearer {TOKEN}")[0] == 200
        assert get(port, "/health")[0] == 200
        assert get(port, "/ready")[0] == 503


def test_a_port_that_is_taken_is_named() -> None:
    with (
        serving("127.0.0.1", 0, None, SinkMetrics(), Status()) as port,
        pytest.raises(PortUnusableError, match=f"port {port} on 127.0.0.1 cannot be used"),
        serving("127.0.0.1", port, None, SinkMetrics(), Status()),
    ):
        pass
