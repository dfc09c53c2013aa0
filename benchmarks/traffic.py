"""Generated traffic in files, the same bytes every time."""

from __future__ import annotations

from pathlib import Path

from stream_attr.generate import Plan, write
from stream_attr.replay.steps import Inputs

__all__ = ["END_TS", "generated"]

END_TS = 1_794_412_800_000
"""The traffic's end, 2026-11-12 in the shop's zone: a promotion's days are in it."""


def generated(folder: Path, events: int, days: int, buyers: int | None = None) -> Inputs:
    """Write a shop's traffic to a folder and return its files."""
    write(Plan(seed=1, events=events, days=days, end_ts=END_TS, buyers=buyers), folder)
    return Inputs(
        **{kind: [str(folder / f"{kind}.jsonl")] for kind in ("chat", "orders", "roster", "settings")}
    )
