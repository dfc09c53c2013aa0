"""SIGUSR1, in a process of its own: it shows where the threads are, whatever they do, and ends nothing."""

import signal
import subprocess
import sys
import time

import pytest

PROCESS = """
import asyncio, sys, threading, time
from stream_attr.worker.engine import signals

def short_frames():
    while True:
        [tuple(y for y in range(x)) for x in (3, 4, 5)]

def busy():
    while True:
        pass

async def listening(blocked):
    signals.listen(asyncio.get_running_loop(), print)
    print("began", flush=True)
    if blocked:
        busy()
    await asyncio.sleep(300)

phase = sys.argv[1]
for _ in range(4):
    threading.Thread(target=short_frames, daemon=True).start()
signals.end_at_once()
if phase in ("listening", "blocked"):
    asyncio.run(listening(phase == "blocked"))
if phase == "ending":
    signals.ending()
print("began", flush=True)
time.sleep(300)
"""
SIGNALS = 2_000


@pytest.mark.parametrize(
    ("phase", "shown"),
    [
        ("starting", "in <module>"),
        ("listening", "tasks of the event loop"),
        ("blocked", "in busy"),
        ("ending", "in <module>"),
    ],
)
def test_any_number_of_requests_for_stacks_is_answered_and_ends_nothing(phase, shown, tmp_path):
    said = tmp_path / "said"
    with (
        said.open("wb") as log,
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, phase], stdout=subprocess.PIPE, stderr=log
        ) as process,
    ):
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"began\n"
            for _ in range(SIGNALS):
                process.send_signal(signal.SIGUSR1)
                time.sleep(0.0005)
            while shown not in said.read_text() and process.poll() is None:
                time.sleep(0.1)
            assert process.poll() is None
            assert "in short_frames" in said.read_text()
        finally:
            process.kill()
