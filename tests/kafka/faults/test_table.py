"""The table of ``docs/reliability.md``: every fault that is tried is there, with nothing lost."""

from __future__ import annotations

import re
from pathlib import Path

from tests.kafka.reliability import BEGIN, END, TABLE

SOURCES = "".join(
    path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.glob("test_*.py"))
)
TRIED = re.findall(r"@pytest\.mark\.fault\((?:.|\n)*?\ndef (test_\w+)\(", SOURCES)


def test_the_table_tells_of_every_fault_and_of_nothing_lost():
    rows = TABLE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0].strip().splitlines()[2:]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert len(TRIED) > 8
    assert sorted(row[-1].strip("`") for row in cells) == sorted(TRIED)
    for _, _, tried, _, lost, contradicting, _ in cells:
        assert int(tried.removesuffix(" ×")) > 0
        assert (lost, contradicting) == ("0", "0")
