"""Where the time of a replay goes: decisions alone, and with all outputs, sampled by py-spy.

Each sample counts for the innermost part of the program that it is in, whatever that calls. The functions are
those of the compiled program; in one that is not compiled all counts for what is left over.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from plots import draw_parts
from running import timed
from stream_attr.replay.run import Inputs
from table import Row
from traffic import file_words, generated

__all__ = ["run"]

EVENTS = 300_000
DAYS = 15
SAMPLES_A_SECOND = 200
LEFT_OVER = "writing, and all else"
PARTS = {
    "decode_(chat|order|ruling|line|all)$|^chunks$|^blocks$": "reading lines, JSON",
    "Processor____chat$": "chat into state",
    "Processor____order$": "orders into state",
    "verdicts___|Processor____emit$": "judging, emitting decisions",
    "Processor____(expire|reschedule|fire|advance|flush_at_end|closing)$": "what falls due",
    "report_emission____emit_reception$|report_emission___emit_reports$": "emitting facts and inquiries",
    "report_emission____buyer_day_output$": "what buyers add to days",
    "rollup___|^process_internal$": "adding up days",
}
"""Patterns of function names, and what they are a part of."""


def run(plots: Path) -> list[Row]:
    """Sample both, and draw their parts in microseconds for each event."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        inputs = generated(folder, EVENTS, DAYS)
        found = {
            "decisions alone": _parts(inputs, folder, "--decisions-only"),
            "all outputs": _parts(inputs, folder),
        }
    unseen = [part for part in PARTS.values() if not found["all outputs"][part]]
    if unseen:
        raise RuntimeError(f"no sample was in {', '.join(unseen)}: have their functions other names by now?")
    draw_parts(found, plots / "parts.svg")
    return [
        Row(
            f"where a replay's time goes, {name}",
            f"{sum(parts.values()):.1f} µs of CPU an event",
            note=", ".join(f"{part} {each:.1f}" for part, each in parts.items()),
        )
        for name, parts in found.items()
    ]


def _parts(inputs: Inputs, folder: Path, *options: str) -> dict[str, float]:
    """Microseconds of CPU time for each event, by what they are spent on."""
    words = (
        "replay",
        *file_words(inputs),
        "--out",
        str(folder / "out"),
        "--overwrite",
        "--processes",
        "1",
        *options,
    )
    each = timed(*words).cpu_s / EVENTS * 1_000_000
    samples = folder / "samples"
    subprocess.run(
        [
            *(Path(sys.executable).with_name("py-spy"), "record", "--native", "--format", "raw"),
            *("--output", samples),
            *("--rate", str(SAMPLES_A_SECOND), "--", sys.executable, "-P", "-m", "stream_attr", *words),
        ],
        check=True,
        capture_output=True,
    )
    counts = Counter[str]()
    for line in samples.read_text(encoding="utf-8").splitlines():
        stack, _, count = line.rpartition(" ")
        counts[_part_of(stack.split(";"))] += int(count)
    return {
        part: each * counts[part] / counts.total() for part in [*dict.fromkeys(PARTS.values()), LEFT_OVER]
    }


def _part_of(stack: list[str]) -> str:
    """What a sample's innermost function that is known belongs to."""
    for frame in reversed(stack):
        name = frame.partition(" ")[0]
        for pattern, part in PARTS.items():
            if re.search(pattern, name):
                return part
    return LEFT_OVER
