"""The lab's question: what would other rules have done to a period of a shop."""

from __future__ import annotations

import resource
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from stream_attr.errors import UnusableError
from stream_attr.explain.roster_names import names_from_files
from stream_attr.files.inputs import Inputs
from stream_attr.lab.event_folder import EventFolder, Stored
from stream_attr.lab.judging import Task, agent_days, count_events, judged
from stream_attr.lab.pay import Payroll, paid, whole_month
from stream_attr.lab.result import LabResult, contested_of, money_of
from stream_attr.lab.rule_sets import Composed, RuleSet, composed
from stream_attr.ledger.pay.facts import DayFigures
from stream_attr.ledger.periods import Period
from stream_attr.replay.processes import sensible_number
from stream_attr.rules.shop.days import day_name

__all__ = ["Progress", "judge"]

_OTHER_FILES: Final = 64
"""What a process has open besides."""

Progress = Callable[[int, int], None]
"""Called with the number of events that are read, and of all; what it raises ends the judging."""


def judge(
    events: Path | Inputs,
    shop_id: str,
    rule_sets: Sequence[RuleSet],
    period: Period,
    *,
    payroll: Payroll | None = None,
    processes: int | None = None,
    wall_clock_ts: int | None = None,
    progress: Progress = lambda _read, _of: None,
) -> LabResult:
    """Judge the orders that a shop was paid in a period under every rule set.

    ``events``: a folder of stored events (`stream_attr.lab.event_folder`), of which only the files that bear
    on the period are read, or files, which are read whole. ``payroll``: who is paid for the period, a month,
    to say what that would have been; a scheme that pays by figures of agents' days takes a replay more for
    each rule set. ``processes`` None: as many as are worth it; 1: it is judged in this one. ``progress`` is
    called in this thread; what it raises ends the judging, and its processes. ``wall_clock_ts``: see
    `stream_attr.replay.steps.Plan`.

    Every order is judged to its end, as a replay does: what is pending for now counts as what it will be if
    nothing more happens. A ruling that holds, holds under every rule set.

    Raises:
        UnusableError: a rule set, a file or the folder cannot be used; there is no such shop; the period is
            not the month that is paid.
        StreamAttrError: orders or figures cannot be paid by the scheme.
        ProcessLostError: a process dies.
    """
    if payroll is not None:
        whole_month(payroll, period)
    stored = EventFolder(events).shop(shop_id) if isinstance(events, Path) else None
    given = stored.settings_and_roster if stored is not None else events
    assert isinstance(given, Inputs)
    rules = composed(shop_id, rule_sets, given.settings)
    start, end = period.instants(rules.zone)
    found = Stored(given) if stored is None else stored.bearing_on(start, end, rules.settings)
    inputs = found.inputs
    _require_files(inputs)
    number = sensible_number(inputs) if processes is None else processes
    by_days = payroll is not None and bool(DayFigures(payroll.scheme).measures)
    events_read = count_events(inputs)
    total = events_read * (1 + len(rule_sets) * by_days)
    done = 0

    def report_progress(read: int) -> None:
        progress(done + read, total)

    report_progress(0)
    days: list[list[dict[str, Any]]] = []
    with TemporaryDirectory(prefix="stream-attr-lab-") as folder:

        def task(by: Composed) -> Task:
            files = _by_settings(inputs, by, Path(folder))
            return Task(shop_id, files, by.profiles, start, end, wall_clock_ts)

        answer = judged(task(rules), number, report_progress)
        orders = answer.orders
        if by_days:
            for one in rule_sets:
                done += events_read
                alone = task(composed(shop_id, (one,), given.settings))
                days.append(agent_days(alone, period, number, report_progress))
    progress(total, total)
    return LabResult(
        shop_id,
        rules.zone.name,
        day_name(period.first),
        day_name(period.last),
        tuple(one.name for one in rule_sets),
        money_of(orders, len(rule_sets)),
        contested_of(orders),
        tuple(order for order in orders if order.is_contested),
        names_from_files(inputs.roster, shop_id),
        sum(order.is_ruled for order in orders),
        events_read,
        found.first_chat,
        found.needed_from,
        None if payroll is None else paid(payroll, shop_id, rules.zone, len(rule_sets), orders, days),
        answer.refused,
    )


def _require_files(inputs: Inputs) -> None:
    """Raise UnusableError where more files are to be merged than a process may have open."""
    files = sum(map(len, inputs.names.values()))
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _OTHER_FILES
    if files > allowed:
        raise UnusableError(
            f"{files:,} files bear on this period, and a process may have {allowed:,} of them open: judge a "
            "shorter period, or allow more with ulimit -n"
        )


def _by_settings(inputs: Inputs, rules: Composed, folder: Path) -> Inputs:
    """Return files with the settings of the rule sets in place of theirs, written into a folder."""
    settings = folder / "settings.jsonl"
    settings.write_bytes(b"\n".join(rules.lines))
    return Inputs(inputs.chat, inputs.orders, inputs.roster, (str(settings),), inputs.rulings)
