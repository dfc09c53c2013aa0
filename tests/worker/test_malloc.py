"""What has been freed in the midst of the heap is given back to the machine."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

FREED = """
import asyncio, contextlib, pathlib, sys
from stream_attr.worker.ops.malloc import keep_trimmed, share_arenas

def resident_mb():
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmRSS"))

share_arenas()
blocks = [bytes(64 << 10) for _ in range(2_000)]
del blocks[::2], blocks[: len(blocks) // 2]
blocks += [bytes(1_000)]
before = resident_mb()
with contextlib.suppress(TimeoutError):
    asyncio.run(asyncio.wait_for(keep_trimmed(0.05), 1))
print(before, resident_mb())
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="it is glibc that can be told")
def test_freed_pages_do_not_stay_resident() -> None:
    done = subprocess.run([sys.executable, "-c", FREED], check=True, capture_output=True, text=True)
    before, after = map(int, done.stdout.split())
    assert before - after > 40
