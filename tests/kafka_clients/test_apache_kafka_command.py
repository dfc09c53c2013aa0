"""``make kafka-up`` told wrongly: wrong usage, before anything is started."""

from __future__ import annotations

import apache_kafka
import pytest


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--port", "99999"], "argument --port: '99999' is no whole number from 1 to 65535"),
        (["--port", "0"], "argument --port: '0' is no"),
        (["--port", "abc"], "argument --port: 'abc' is no"),
        (["--brokers", "0"], "argument --brokers: '0' is no whole number from 1 to 9"),
        (["--brokers", "-1"], "argument --brokers"),
        (["--port", "65535", "--brokers", "2"], "--port 65535: 2 ports from there on go beyond 65535"),
    ],
)
def test_what_cannot_be_started_is_wrong_usage(words, problem, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(apache_kafka, "up", lambda *_, **__: pytest.fail("it was started"))
    with pytest.raises(SystemExit) as ended:
        apache_kafka.main(["up", *words, "--state", str(tmp_path)])
    assert ended.value.code == 2
    assert problem in capsys.readouterr().err
