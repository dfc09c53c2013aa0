"""The lab: a month of a large shop, judged by two rule sets side by side."""

from __future__ import annotations

import resource
import tempfile
from pathlib import Path

from stream_attr.lab.judge import judge
from stream_attr.lab.rule_sets import AS_IT_STOOD, preset
from stream_attr.ledger.periods import period
from table import Row
from traffic import generated

__all__ = ["run"]

EVENTS = 2_000_000
DAYS = 30
PROCESSES = 2
SHOP = "jd:10086"
MONTH = ("2026-10-13", "2026-11-11")
"""All days of the traffic."""
AT_MOST_S = 60.0
"""Of CPU time in each process: what it takes on as many free cores."""


def run(_plots: Path) -> list[Row]:
    """Judge the shop's own settings and another system of the trade, in two processes."""
    with tempfile.TemporaryDirectory() as name:
        inputs = generated(Path(name), EVENTS, DAYS)
        before = _children_s()
        result = judge(
            inputs, SHOP, (AS_IT_STOOD, preset("kefu_mofang")), period(*MONTH), processes=PROCESSES
        )
        each = (_children_s() - before) / PROCESSES
    [of_currency] = result.contested
    return [
        Row(
            "the lab, a month of a large shop by two rule sets",
            f"{each:.0f} s of CPU in each of {PROCESSES} processes",
            f"at most {AT_MOST_S:.0f} s",
            note=f"{result.events:,} events, {of_currency.total.orders:,} paid orders, of which "
            f"{of_currency.contested.orders:,} depend on the rule",
            met=each <= AT_MOST_S,
        )
    ]


def _children_s() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime
