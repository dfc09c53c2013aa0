"""``stream-attr alerts``: each beginning and each end is sent once, over HTTP, whatever happens between."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from stream_attr.cli import main
from stream_attr.ledger.alerts.run import LOCK
from stream_attr.ledger.database.connect import Database
from tests.ledger.alerts.conftest import MINUTE, NOON, Add
from tests.ledger.sink.contents import contents, rows

SECRET = "abc-secret-token"
TABLES = ("alert_state", "alert_message")
At = Callable[[int], None]


class Hook:
    """A webhook on loopback: what it got, and whether it takes it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.got: list[dict] = []
        self.status = 200
        self.on_request: Callable[[], None] = lambda: None

    @property
    def titles(self) -> list[str]:
        return [one["title"] for one in self.got]


@contextmanager
def listening() -> Iterator[Hook]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert self.path == f"/{SECRET}"
            webhook.on_request()
            if webhook.status == 200:
                webhook.got.append(body)
            self.send_response(webhook.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    webhook = Hook(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield webhook
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def hook() -> Iterator[Hook]:
    with listening() as one:
        yield one


@pytest.fixture
def rules(tmp_path: Path, hook: Hook) -> Path:
    (tmp_path / "ops.url").write_text(f"json://127.0.0.1:{hook.port}/{SECRET}\n", "utf-8")
    slow = {"name": "slow replies", "figure": "first_response", "window_minutes": 60, "above": 30, "least": 1}
    file = tmp_path / "rules.json"
    file.write_text(
        json.dumps({"channels": {"ops": "ops.url"}, "rules": [{**slow, "channels": ["ops"]}]}), "utf-8"
    )
    return file


@pytest.fixture
def slow(add: Add, at: At) -> None:
    """A reception that waited for 75.2 s, and an hour later one for 10 s."""
    add("reception", buyer_id="b-secret", first_ts=NOON - 1, first_response_ms=75_200)
    add("reception", buyer_id="b-secret", agent_id="z", first_ts=NOON + 60 * MINUTE, first_response_ms=10_000)
    at(NOON + 10 * MINUTE)


def alerts(ledger: Database, rules: Path, *more: str) -> Result:
    words = ["alerts", "--rules", str(rules), "--once", "--database", ledger.address, *more]
    done = CliRunner().invoke(main, words)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
    return done


@pytest.mark.usefixtures("slow")
def test_it_is_told_once_when_it_begins_and_once_when_it_ends(
    ledger: Database, rules: Path, hook: Hook, at: At
) -> None:
    first = alerts(ledger, rules)
    assert (first.exit_code, first.stdout) == (0, ""), first.output
    assert first.stderr == "sent to ops: jd:1: slow replies\n"
    assert (hook.titles, hook.got[0]["type"]) == (["jd:1: slow replies"], "warning")
    assert hook.got[0]["message"].splitlines() == [
        "first response: 75.2 s, the limit is at most 30.0 s.",
        "From 2026-11-10 11:00:00 to 2026-11-10 12:00:00 (Asia/Shanghai), 1 cases.",
        "The rows: stream-attr report losses --shop jd:1 --from 2026-11-10 --to 2026-11-10 --kind slow",
    ]
    for _ in range(2):
        assert (alerts(ledger, rules).stderr, len(hook.got)) == ("", 1)
    at(NOON + 80 * MINUTE)
    assert alerts(ledger, rules).exit_code == 0
    assert hook.titles[1:] == ["jd:1: slow replies has ended"]
    assert hook.got[1]["type"] == "success"
    assert hook.got[1]["message"].startswith("first response: 10.0 s, ")
    assert alerts(ledger, rules).stderr == ""
    assert len(hook.got) == 2


@pytest.mark.usefixtures("slow")
def test_what_is_not_taken_is_told_and_tried_again_in_order(
    ledger: Database, rules: Path, hook: Hook, at: At
) -> None:
    hook.status = 500
    failed = alerts(ledger, rules)
    assert failed.exit_code == 1
    shown = alerts(ledger, rules, "--dry-run").stdout.splitlines()
    assert shown[:3] == [
        "jd:1 slow replies: first response 75.2 s: holds",
        "    > ops, not delivered before",
        "    jd:1: slow replies",
    ]
    assert failed.stderr == (
        "Warning: not delivered, and tried again the next time, to ops: jd:1: slow replies\n"
        "Error: 1 messages were not delivered: check the addresses of their channels\n"
    )
    at(NOON + 80 * MINUTE)
    assert "Error: 2 messages were not delivered" in alerts(ledger, rules).stderr
    assert rows(ledger, "SELECT attempts FROM alert_message ORDER BY change") == [(2,), (0,)]
    hook.status = 200
    done = alerts(ledger, rules)
    assert done.exit_code == 0
    assert hook.titles == ["jd:1: slow replies", "jd:1: slow replies has ended"]
    assert alerts(ledger, rules).stderr == ""
    assert len(hook.got) == 2


@pytest.mark.usefixtures("slow")
def test_what_was_to_go_to_a_channel_that_is_gone_is_told_once(
    ledger: Database, rules: Path, hook: Hook
) -> None:
    hook.status = 500
    assert alerts(ledger, rules).exit_code == 1
    rules.write_text(rules.read_text("utf-8").replace('"ops"', '"floor"'), "utf-8")
    gone = alerts(ledger, rules)
    assert gone.exit_code == 0
    assert gone.stderr == (
        "Warning: not sent, since the rules no longer have the channel, to ops: jd:1: slow replies\n"
    )
    assert alerts(ledger, rules).stderr == ""


@pytest.mark.usefixtures("slow")
def test_killed_while_it_sends_it_does_not_send_again_and_says_so(
    ledger: Database, rules: Path, hook: Hook
) -> None:
    command = [sys.executable, "-m", "stream_attr", "alerts", "--rules", str(rules), "--once"]
    with subprocess.Popen(
        [*command, "--database", ledger.address], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as killed:
        hook.on_request = lambda: os.kill(killed.pid, signal.SIGKILL)
        assert killed.wait(600) == -signal.SIGKILL
    hook.on_request = lambda: None
    assert hook.titles == ["jd:1: slow replies"]
    again = alerts(ledger, rules)
    assert again.stderr == "Warning: it is not known whether this arrived, to ops: jd:1: slow replies\n"
    assert alerts(ledger, rules).stderr == ""
    assert len(hook.got) == 1


@pytest.mark.usefixtures("slow")
def test_without_once_it_goes_on_until_it_is_told_to_stop(
    ledger: Database, rules: Path, hook: Hook, at: At
) -> None:
    told, ended = threading.Event(), threading.Event()

    def note() -> None:
        (ended if told.is_set() else told).set()

    hook.on_request = note
    command = [sys.executable, "-m", "stream_attr", "alerts", "--rules", str(rules), "--every", "1s"]
    with subprocess.Popen([*command, "--database", ledger.address], stderr=subprocess.PIPE) as running:
        try:
            assert told.wait(300)
            at(NOON + 80 * MINUTE)
            assert ended.wait(300)
        finally:
            running.send_signal(signal.SIGTERM)
        assert running.wait(300) == 0
    assert hook.titles == ["jd:1: slow replies", "jd:1: slow replies has ended"]


@pytest.mark.usefixtures("slow")
def test_two_at_once_do_not_both_send(ledger: Database, rules: Path, hook: Hook) -> None:
    with ledger.connection() as other:
        other.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        refused = alerts(ledger, rules)
    assert refused.exit_code == 2
    assert refused.stderr == (
        "Error: another stream-attr alerts works on this ledger: one of them is enough, for all rules\n"
    )
    assert hook.got == []
    assert alerts(ledger, rules).exit_code == 0


@pytest.mark.usefixtures("slow")
def test_a_dry_run_shows_and_keeps_nothing(ledger: Database, rules: Path, hook: Hook) -> None:
    (rules.parent / "ops.url").unlink()
    shown = alerts(ledger, rules, "--dry-run", "--lang", "zh")
    assert (shown.exit_code, shown.stderr) == (0, ""), shown.output
    assert shown.stdout.splitlines() == [
        "jd:1 slow replies：首次响应 75.2 s：成立",
        "    > ops",
        "    jd:1：slow replies",
        "    首次响应：75.2 s，界限 不高于 30.0 s。",
        "    2026-11-10 11:00:00 至 2026-11-10 12:00:00（Asia/Shanghai），共 1 例。",
        "    明细：stream-attr report losses --shop jd:1 --from 2026-11-10 --to 2026-11-10 --kind slow",
    ]
    assert contents(ledger, *TABLES) == {name: [] for name in TABLES}
    assert hook.got == []


@pytest.mark.usefixtures("slow")
@pytest.mark.parametrize("status", [200, 404])
def test_neither_addresses_nor_buyers_are_shown_or_kept(
    ledger: Database, rules: Path, hook: Hook, status: int
) -> None:
    hook.status = status
    command = [sys.executable, "-m", "stream_attr", "alerts", "--rules", str(rules), "--once"]
    done = subprocess.run([*command, "--database", ledger.address], capture_output=True, check=False)
    assert done.returncode == (status != 200)
    everything = (
        done.stdout.decode() + done.stderr.decode() + json.dumps([contents(ledger, *TABLES), hook.got])
    )
    assert SECRET not in everything
    assert "b-secret" not in everything


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (None, "cannot be read: No such file or directory"),
        ("", "it has to hold one address and no more"),
        ("json://a json://b", "it has to hold one address and no more"),
        (f"nothing://{SECRET}", "it is no address that Apprise knows: see docs/guides/alerts.md"),
    ],
)
def test_a_channel_that_cannot_be_used_is_named_without_its_address(
    ledger: Database, rules: Path, address: str | None, said: str
) -> None:
    file = rules.parent / "ops.url"
    if address is None:
        file.unlink()
    else:
        file.write_text(address, "utf-8")
    refused = alerts(ledger, rules)
    assert refused.exit_code == 2
    assert refused.stderr == f"Error: {file}, of channel 'ops': {said}\n"


def test_where_there_is_no_ledger_none_is_made(rules: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    done = CliRunner().invoke(main, ["alerts", "--rules", str(rules), "--once", "--data-dir", str(folder)])
    assert done.exit_code == 2
    assert done.stderr == (
        f"Error: {folder / 'ledger'} holds no ledger yet: stream-attr ledger makes and fills it\n"
    )
    assert not folder.exists()


def test_without_the_extra_one_sentence_says_so(rules: Path) -> None:
    script = "import sys; sys.modules['apprise'] = None; from stream_attr.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script, "alerts", "--rules", str(rules), "--once"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "Error: the ledger needs the library apprise: pip install 'stream-attr[alerts]'\n"
