"""What another role of an agent would have done to a period: judged with the roster as it is, and with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import orjson

from stream_attr.codec.records.roster import decode_roster
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.explain.roster_names import names_from_files
from stream_attr.files.jsonl import LinesFile
from stream_attr.lab.event_folder import EventFolder
from stream_attr.lab.judge import Progress
from stream_attr.lab.judging import Judged, Task, count_events, judged
from stream_attr.lab.result import JudgedOrder, LabResult, contested_of, money_of
from stream_attr.lab.rule_sets import AS_IT_STOOD, FIRST_DAY, composed
from stream_attr.ledger.periods import Period
from stream_attr.rules.shop.days import day_name

__all__ = ["judge_roster"]


def judge_roster(
    folder: Path,
    record: Mapping[str, Any],
    period: Period,
    names: tuple[str, str],
    *,
    processes: int,
    progress: Progress,
) -> LabResult:
    """Judge the orders that a shop was paid in a period by its rules, with two rosters.

    ``folder``: stored events, see `EventFolder`. ``record``: a valid roster record, tried as if it had held
    on every day in place of all that the roster has of the agent. ``names``: of the result's two sides.
    Otherwise as `judge`.

    Raises:
        UnusableError: nothing is stored of the shop, or a file cannot be used.
        ProcessLostError: a process dies.
    """
    shop_id = str(record["shop_id"])
    stored = EventFolder(folder).shop(shop_id)
    rules = composed(shop_id, (AS_IT_STOOD,), stored.settings_and_roster.settings)
    start, end = period.instants(rules.zone)
    found = stored.bearing_on(start, end, rules.settings)
    events = count_events(found.inputs)
    answers: list[Judged] = []
    with TemporaryDirectory(prefix="stream-attr-lab-") as scratch:
        settings, roster = Path(scratch) / "settings.jsonl", Path(scratch) / "roster.jsonl"
        settings.write_bytes(b"\n".join(rules.lines))
        roster.write_bytes(b"\n".join(_changed(found.inputs.roster, record)))
        for number, rosters in enumerate((found.inputs.roster, (str(roster),))):
            inputs = replace(found.inputs, settings=(str(settings),), roster=rosters)

            def report_progress(read: int, done: int = number * events) -> None:
                progress(done + read, 2 * events)

            task = Task(shop_id, inputs, rules.profiles, start, end)
            answers.append(judged(task, processes, report_progress))
    before, after = ({one.order_id: one for one in answer.orders} for answer in answers)
    orders = [_both(one, after[name]) for name, one in before.items() if name in after]
    progress(2 * events, 2 * events)
    return LabResult(
        shop_id,
        rules.zone.name,
        day_name(period.first),
        day_name(period.last),
        names,
        money_of(orders, 2),
        contested_of(orders),
        tuple(one for one in orders if one.is_contested),
        names_from_files(found.inputs.roster, shop_id),
        sum(one.is_ruled for one in orders),
        events,
        found.first_chat,
        found.needed_from,
        refused=answers[0].refused,
    )


def _changed(files: Iterable[str], record: Mapping[str, Any]) -> Iterator[bytes]:
    """Yield the roster with a record in place of all that it has of the agent."""
    for name in files:
        with LinesFile(name) as lines:
            for _, value in lines:
                try:
                    given = decode_roster(value)
                except RefusedRecord:  # as in a replay, it changes nothing
                    continue
                if (given.shop_id, given.agent_id) != (record["shop_id"], record["agent_id"]):
                    yield value
    yield orjson.dumps({**record, "effective_from": FIRST_DAY})


def _both(before: JudgedOrder, after: JudgedOrder) -> JudgedOrder:
    """Return an order with both verdicts."""
    return msgspec.structs.replace(before, verdicts=(*before.verdicts, *after.verdicts))
