"""Generated traffic in files, the same bytes every time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from stream_attr.files.inputs import Inputs

__all__ = ["END_TS", "KINDS", "file_words", "generated"]

KINDS = ("chat", "orders", "roster", "settings")

END_TS = 1_794_412_800_000
"""The traffic's end, 2026-11-12 in the shop's zone: a promotion's days are in it."""


def generated(folder: Path, events: int, days: int, end_ts: int = END_TS) -> Inputs:
    """Write a shop's traffic to a folder and return its files."""
    # in a process of its own: what it leaves in memory would be measured with the rest
    words = ["--seed", "1", "--events", events, "--days", days, "--end", end_ts, "--out", folder]
    subprocess.run(
        [sys.executable, "-P", "-m", "stream_attr", "generate", *map(str, words)],
        check=True,
        capture_output=True,
    )
    return Inputs(**{kind: [str(folder / f"{kind}.jsonl")] for kind in KINDS})


def file_words(inputs: Inputs) -> list[str]:
    """The files as options of our commands."""
    return [word for kind in KINDS for path in getattr(inputs, kind) for word in (f"--{kind}", path)]
