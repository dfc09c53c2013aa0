"""The last resort at shutdown."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import threading
from stream_attr.worker.engine.shutdown import bound_shutdown
threading.Thread(target=threading.Event().wait, name="hung").start()
bound_shutdown(0.1)
"""


def test_a_process_ends_that_a_hanging_thread_would_keep():
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM], check=False, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 1
    assert "did not stop within 0 s" in ended.stderr
    assert "hung at threading.py" in ended.stderr
