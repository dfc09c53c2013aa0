"""The lab's question: what would other rules have done to a period of a shop."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from stream_attr.explain.roster_names import names_from_files
from stream_attr.files.inputs import Inputs
from stream_attr.lab.event_folder import EventFolder, Stored
from stream_attr.lab.judging import Progress, Task, judged
from stream_attr.lab.result import LabResult, contested_of, money_of
from stream_attr.lab.rule_sets import RuleSet, composed
from stream_attr.ledger.periods import Period
from stream_attr.replay.processes import sensible_number
from stream_attr.rules.shop.days import day_name

__all__ = ["judge"]


def judge(
    events: Path | Inputs,
    shop_id: str,
    rule_sets: Sequence[RuleSet],
    period: Period,
    *,
    processes: int | None = None,
    wall_clock_ts: int | None = None,
    progress: Progress = lambda _read, _of: None,
) -> LabResult:
    """Judge the orders that a shop was paid in a period under every rule set.

    ``events``: a folder of stored events (`stream_attr.lab.event_folder`), of which only the files that bear
    on the period are read, or files, which are read whole. ``processes`` None: as many as are worth it; 1: it
    is judged in this one. ``progress`` is called in this thread; what it raises ends the judging, and its
    processes. ``wall_clock_ts``: see `stream_attr.replay.steps.Plan`.

    Every order is judged to its end, as a replay does: what is pending for now counts as what it will be if
    nothing more happens. A ruling that holds, holds under every rule set.

    Raises:
        UnusableError: a rule set, a file or the folder cannot be used; there is no such shop.
        ProcessLostError: a process dies.
    """
    stored = EventFolder(events).shop(shop_id) if isinstance(events, Path) else None
    inputs = stored.settings_and_roster if stored is not None else events
    assert isinstance(inputs, Inputs)
    rules = composed(shop_id, rule_sets, inputs.settings)
    start, end = period.instants(rules.zone)
    found = Stored(inputs) if stored is None else stored.bearing_on(start, end, rules.settings)
    with TemporaryDirectory(prefix="stream-attr-lab-") as folder:
        settings = Path(folder) / "settings.jsonl"
        settings.write_bytes(b"\n".join(rules.lines))
        files = found.inputs
        files = Inputs(files.chat, files.orders, files.roster, (str(settings),), files.rulings)
        task = Task(shop_id, files, rules.profiles, start, end, wall_clock_ts)
        answer = judged(task, sensible_number(files) if processes is None else processes, progress)
    return LabResult(
        shop_id,
        rules.zone.name,
        day_name(period.first),
        day_name(period.last),
        tuple(one.name for one in rule_sets),
        money_of(answer.orders, len(rule_sets)),
        contested_of(answer.orders),
        tuple(order for order in answer.orders if order.is_contested),
        names_from_files(files.roster, shop_id),
        sum(order.is_ruled for order in answer.orders),
        answer.events,
        found.first_chat,
        found.needed_from,
    )
