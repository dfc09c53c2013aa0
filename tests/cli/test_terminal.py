"""What commands show of hostile files, names and answers: never anything that a terminal would obey."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from stream_attr.cli import main
from stream_attr.cli.demo_screen import DemoScreen
from stream_attr.codec.records.dead_letter import encode_dead_letter
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.contract.topics import CHAT
from stream_attr.rules.vocabulary import Code
from tests.codec.test_visible import controls
from tests.explain.decisions import decision

TITLE_AND_COLOUR = "\x1b]0;PWN\x07\x1b[31mRED\r\nFAKE line\x9b31m"
BIDI = "\u202egnp.exe\u202c"
SEPARATOR = "a\u2028FAKE: line"
ZERO_WIDTH = "an\u200bna"
ORDER = "O\u202e1"
TS = 1_793_498_400_000  # 2026-11-01T10:00:00+08:00


def run(*words: object, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], input=stdin)


def shown(result: Result) -> str:
    """All that a command has shown; it did not end by an exception that nobody foresaw."""
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert controls(result.stdout) <= {"\n"}
    assert controls(result.stderr) <= {"\n"}
    assert not any(line.startswith("FAKE") for line in result.output.splitlines())
    return result.output


def chat(event_id: str, after_ms: int = 0, **fields: Any) -> dict[str, Any]:
    sender, agent = fields.pop("sender", "buyer"), fields.pop("agent_id", "anna")
    place = {"event_id": event_id, "shop_id": "jd:1", "buyer_id": "b", "agent_id": agent}
    return {**place, "ts": TS + after_ms, "sender": sender, "text": "x", **fields}


def order(event_id: str, kind: str, after_ms: int, **fields: Any) -> dict[str, Any]:
    place = {"event_id": event_id, "shop_id": "jd:1", "buyer_id": "b", "order_id": ORDER}
    return {**place, "ts": TS + after_ms, "type": kind, "amount": 100, **fields}


def setting(**fields: Any) -> dict[str, Any]:
    return {"shop_id": "jd:1", "effective_from": "2026-10-01", **fields}


def lines(path: Path, *records: dict[str, Any] | bytes) -> Path:
    path.write_bytes(
        b"".join(
            (record if isinstance(record, bytes) else json.dumps(record, ensure_ascii=False).encode()) + b"\n"
            for record in records
        )
    )
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[object]:
    """Options that name files of each kind, hostile in every place that a message quotes."""
    folder = tmp_path_factory.mktemp("hostile")
    hostile = TITLE_AND_COLOUR
    settings = lines(
        folder / "settings.jsonl",
        setting(**{hostile: 1}),
        setting(preset=hostile),
        setting(timezone=hostile),
        setting(filters={hostile: {}}),
        setting(profiles={hostile: {}}),
        setting(effective_from=hostile),
        setting(shop_id="jd:\U000e0041"),
    )
    agent = {"shop_id": "jd:1", "agent_id": "anna", "effective_from": "2026-10-01"}
    roster = lines(
        folder / "roster.jsonl", {**agent, "role": hostile}, {**agent, "role": "presale", "name": hostile}
    )
    chats = lines(
        folder / "chat.jsonl",
        chat("1", shop_id=hostile),
        chat("2", type=hostile),
        chat("3", kind=hostile),
        chat("4", **{hostile: 1}),
        b'{"a":' + hostile.replace("\n", "").encode() + b"}",
        chat("5", 4, agent_id=BIDI),
        chat("6", 5, agent_id=BIDI, sender="agent"),
        chat("7", 10, agent_id=SEPARATOR),
        chat("8", 20, agent_id=SEPARATOR, sender="agent"),
        chat("9", 21, agent_id=ZERO_WIDTH),
        chat("10", 22, agent_id=ZERO_WIDTH, sender="agent"),
        chat("11", 23),
        chat("12", 24, sender="agent"),
    )
    orders = lines(
        folder / f"orders{hostile.replace('/', '')}.jsonl",
        order("o1", "created", 60_000),
        order("o2", "paid", 70_000),
        order("o3", "created", 80_000, order_id="O2", currency=hostile),
        order("o4", "paid", 90_000, order_id="never-created\u200b"),
    )
    return ["--settings", settings, "--roster", roster, "--chat", chats, "--orders", orders]


@pytest.fixture(scope="module")
def replayed(files: list[object], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("replayed")
    assert "attribution-decisions" in shown(run("replay", *files, "--out", out))
    return out


def test_check_shows_hostile_fields_values_and_file_names_as_escapes(files: list[object]) -> None:
    said = shown(run("check", *files))
    assert "\\x1b]0;PWN\\x07\\x1b[31mRED\\r\\nFAKE line\\x9b31m" in said
    assert "never-created\\u200b" in said


def test_ids_that_are_not_there_are_named_visibly(files: list[object], replayed: Path) -> None:
    for source in (["--from", replayed], files):
        assert "x\\nFAKE of shop jd:\\x1b[31m" in shown(run("explain", "jd:\x1b[31m", "x\nFAKE", *source))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_explain_tells_ordinary_from_look_alike_agents(replayed: Path, language: str) -> None:
    said = shown(run("explain", "jd:1", ORDER, "--from", replayed, "--lang", language))
    assert "O\\u202e1" in said
    assert "an\\u200bna" in said


def test_explain_of_a_day_and_of_event_files(files: list[object], replayed: Path) -> None:
    day = ["explain", "jd:1", "--buyer", "b", "--day", "2026-11-01"]
    for said in (
        shown(run(*day, "--from", replayed)),
        shown(run(*day, *files)),
        shown(run(*day, "--lang", "zh", *files)),
    ):
        assert "\\u202egnp.exe\\u202c" in said
        assert "a\\u2028FAKE: line" in said


@pytest.mark.parametrize("options", [[], ["--json"], ["--shop", BIDI]])
def test_dead_letters_of_files(replayed: Path, options: list[str]) -> None:
    assert shown(run("dead-letters", "list", *options, replayed / "dead-letters.jsonl"))


def test_dead_letters_in_json_are_the_same_values() -> None:
    refusal = RefusedRecord(Code.BAD_VALUE, f"no {TITLE_AND_COLOUR} {BIDI}", SEPARATOR)
    letter = encode_dead_letter(refusal, value=b"{", key=b"k", topic="chat-events", partition=3, offset=7)
    listed = run("dead-letters", "list", "--json", "-", stdin=letter)
    shown(listed)
    assert json.loads(listed.stdout) == json.loads(letter)


@pytest.mark.parametrize(
    "words",
    [
        [TITLE_AND_COLOUR],
        [f"--{TITLE_AND_COLOUR}"],
        ["check", f"--{TITLE_AND_COLOUR}"],
        ["check", "--chat", f"/tmp/{TITLE_AND_COLOUR}"],
        ["check", "--chat", "\udc9b31m"],
        ["generate", "--out", "/dev/null/\x1b[31m"],
        ["generate", "--out", "x", "--days", ZERO_WIDTH],
        ["generate", "--out", "x", "--end", BIDI],
        ["replay", "--chat", "-", "--out", "/dev/null/\x1b[31m\nFAKE"],
        ["explain", "jd:1", "x", "--from", f"/tmp/{BIDI}"],
        ["explain", "jd:1", "x", "--url", f"http://{BIDI}"],
        ["explain", "jd:1", "--buyer", "b", "--day", BIDI, "--from", "."],
        ["explain", "jd:1", "x", "--timezone", TITLE_AND_COLOUR, "--from", "."],
        ["publish", "--chat", f"/tmp/{TITLE_AND_COLOUR}"],
        ["publish", "--broker", TITLE_AND_COLOUR],
        ["publish", "--topic-prefix", BIDI],
        ["topics", TITLE_AND_COLOUR],
        ["topics", "create", "--broker", f"127.0.0.1:1{ZERO_WIDTH}"],
        ["topics", "create", "--security-protocol", TITLE_AND_COLOUR],
        ["topics", "create", "--tls-ca-file", TITLE_AND_COLOUR],
        ["dead-letters", "list", f"/tmp/{TITLE_AND_COLOUR}"],
        ["dead-letters", "list", "--topic", TITLE_AND_COLOUR],
        ["worker", "--clock", TITLE_AND_COLOUR],
        ["worker", "--web-host", f"\nFAKE{BIDI}", "--data-dir", "/dev/null"],
        ["broker", "--port", TITLE_AND_COLOUR],
        ["demo", TITLE_AND_COLOUR],
    ],
)
def test_errors_quote_what_was_typed_visibly_and_on_one_line(words: list[str]) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert "\\" in shown(result)


class _Hostile(BaseHTTPRequestHandler):
    """A web server whose answers are not a worker's."""

    answer: tuple[int, bytes]

    def do_GET(self) -> None:
        status, body = self.answer
        self.send_response(status, "no\x1b[31m\x9b")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Not on the tests' standard error."""


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    with HTTPServer(("127.0.0.1", 0), _Hostile) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b""),
        (200, b"\x1b[31m"),
        (200, json.dumps({"order_id": BIDI}).encode()),
        (200, json.dumps(decision(order_id=TITLE_AND_COLOUR, currency=BIDI)).encode()),
    ],
)
def test_answers_of_a_web_server_are_shown_visibly(
    monkeypatch: pytest.MonkeyPatch, server: HTTPServer, status: int, body: bytes
) -> None:
    monkeypatch.setattr(_Hostile, "answer", (status, body), raising=False)
    url = f"http://127.0.0.1:{server.server_address[1]}"
    assert shown(run("explain", "jd:1", "x", "--url", url, "--wait", "0s"))


def test_the_demo_shows_records_of_others_visibly(capsys: pytest.CaptureFixture[str]) -> None:
    screen = DemoScreen(Console(width=200), "Asia/Shanghai", {"b-7": "林"})
    screen.names = {"A": TITLE_AND_COLOUR}
    screen.add([(CHAT, chat("1", buyer_id="b-7", agent_id="A", text=TITLE_AND_COLOUR + BIDI + SEPARATOR))])
    said = capsys.readouterr().out
    assert "\\u202egnp.exe" in said
    assert controls(said) <= {"\n"}
    assert len(said.splitlines()) == 1


def test_values_go_to_a_file_as_they_were_sent_and_to_a_terminal_visibly(tmp_path: Path) -> None:
    value = b'{"a": "\x1b[31m\xe2\x80\xae\x9b"'
    refusal = RefusedRecord(Code.NOT_JSON, "no JSON")
    path = tmp_path / "letters.jsonl"
    path.write_bytes(
        encode_dead_letter(refusal, value=value, key=b"k", topic="chat-events", partition=3, offset=7)
    )
    words = ["dead-letters", "list", "--values", "--topic", "chat-events", str(path)]
    assert run(*words).stdout_bytes == value + b"\n"

    terminal, end = pty.openpty()
    try:
        command = [sys.executable, "-m", "stream_attr", *words]
        subprocess.run(command, stdout=end, stderr=subprocess.PIPE, check=True, timeout=60)
        assert os.read(terminal, 1000) == b'{"a": "\\x1b[31m\\u202e\\x9b"\r\n'
    finally:
        os.close(terminal)
        os.close(end)


def test_an_exception_that_nobody_foresaw_passes_the_filter_too() -> None:
    code = (
        "import sys, click, stream_attr.cli as cli\n"
        "@cli.main.command('x')\n"
        "def x():\n"
        "    print('a\\tb\\x1b')\n"
        "    raise RuntimeError('\\x1b[31m\\u202e')\n"
        "cli._LazyGroup.get_command = lambda *_: x\n"
        "cli.main(['x'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, timeout=60)
    assert done.returncode == 1
    assert done.stdout == b"a\\tb\\x1b\n"
    assert b"RuntimeError: \\x1b[31m\\u202e" in done.stderr
    assert controls(done.stderr.decode()) <= {"\n"}
