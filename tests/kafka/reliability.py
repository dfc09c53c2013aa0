"""The table of ``docs/reliability.md``: one row for each fault test, made by the test itself.

``STREAM_ATTR_RELIABILITY=docs/reliability.md``  write the file after the run; else it is only compared.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kafka.aftermath import Losses, until_emitted_as_replayed
from tests.kafka.verdicts import EVENTS
from tests.kafka.worker_process import WorkerProcess

TABLE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- made by `make reliability` -->", "<!-- end of what is made -->"
HEAD = "| fault | what the worker does | tried | records | lost | contradicting | test |"


@dataclass
class Trial:
    """What one test has tried, and what came of it."""

    fault: str
    then: str
    """What the worker does about it."""
    test: str
    tried: int = 0
    """How often the fault was brought about."""
    records: int = 0
    """Chat and order records that were sent."""
    losses: Losses | None = None

    def compare(
        self, worker: WorkerProcess, folder: Path, *, receipts: bool = True, brought_back: str = ""
    ) -> None:
        """Ask whether the topics say what ``replay`` made of this folder; nothing may be lost.

        ``brought_back``: the code of dead letters that were replayed; the replay of files has none.
        """
        self.records = sum(len((folder / f"{kind}.jsonl").read_bytes().splitlines()) for kind in EVENTS)
        self.losses = until_emitted_as_replayed(
            worker, folder / "out", receipts=receipts, brought_back=brought_back
        )
        assert self.losses == Losses()

    def row(self) -> str:
        """This trial's row of the table."""
        said = (0, 0) if self.losses is None else (self.losses.lost, len(self.losses.contradicting))
        lost, contradicting = ("?", "?") if self.losses is None else map(str, said)
        cells = (
            self.fault,
            self.then,
            f"{self.tried} ×",
            f"{self.records:,}",
            lost,
            contradicting,
            f"`{self.test}`",
        )
        return f"| {' | '.join(cells)} |"


TRIALS = pytest.StashKey[list[Trial]]()


def table(trials: list[Trial]) -> str:
    """The rows of a run, one for each test; what was tried with several parameters is counted together."""
    rows: dict[str, Trial] = {}
    for trial in trials:
        known = rows.setdefault(trial.test, trial)
        if known is not trial:
            known.tried += trial.tried
            if trial.losses != Losses():
                known.losses = trial.losses
    return "\n".join([HEAD, re.sub(r"[^|]+", " --- ", HEAD), *[row.row() for row in rows.values()]])


def write(trials: list[Trial], file: Path) -> None:
    """Put the rows of a run in the place of those in a file."""
    before, _, rest = file.read_text(encoding="utf-8").partition(f"{BEGIN}\n")
    file.write_text(f"{before}{BEGIN}\n{table(trials)}\n{END}{rest.partition(END)[2]}", encoding="utf-8")
