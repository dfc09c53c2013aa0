"""A period of a shop judged under several rule sets: the replay's own judging, its decisions kept by order.

Several processes share the buyers; what each keeps of an order is small, and goes to this process once, at
the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from multiprocessing.connection import Connection, wait
from typing import Any, Final

import msgspec
import orjson
from msgspec import Struct

from stream_attr.collector import without_collector
from stream_attr.contract.topics import AGENT_DAILY, COMPARISONS, DEAD_LETTERS, DECISIONS
from stream_attr.files.inputs import Inputs
from stream_attr.files.jsonl import count_lines
from stream_attr.lab.result import JudgedOrder, Verdict
from stream_attr.ledger.periods import Period
from stream_attr.processor import Share
from stream_attr.processor.options import FACT_BYTES
from stream_attr.processor.ports import Output
from stream_attr.replay.child_process import ChildProcess
from stream_attr.replay.memory_limit import memory_limit_mib
from stream_attr.replay.run import replay
from stream_attr.replay.share_process import Failed, PeerLost, share_processes
from stream_attr.replay.shared_reading import SharedReading
from stream_attr.replay.sources import Decoding, decode_all
from stream_attr.rules.shop.days import day_name
from stream_attr.rules.shop.settings import OFFICIAL
from stream_attr.rules.vocabulary import CREDITED, FINAL, SILENT, Basis, Code

__all__ = ["Judged", "Task", "agent_days", "count_events", "judged"]

_RULING: Final[Basis] = "ruling"
_PAID: Final = frozenset({CREDITED, SILENT})


class Task(Struct, frozen=True):
    """What to judge."""

    shop_id: str
    inputs: Inputs
    """Of which the settings are those of the rule sets."""
    profiles: list[str]
    """The profile of each rule set."""
    start: int
    end: int
    """Orders paid from here to there, epoch milliseconds, half-open."""
    wall_clock_ts: int | None = None
    """See `stream_attr.replay.steps.Plan`."""


class _Picked(Struct, gc=False):
    agent_id: str


class _Credit(Struct, gc=False):
    agent_id: str
    basis: str


class _Ruling(Struct, gc=False):
    agent_id: str | None


class _Refund(Struct, gc=False):
    ts: int
    amount: int
    completed: bool


class _Decision(Struct, gc=False):
    """What is read of a decision."""

    shop_id: str
    order_id: str
    buyer_id: str
    profile: str
    status: str
    outcome: str
    placing: _Picked | None
    payment: _Picked | None
    credit: _Credit | None
    amount: int
    currency: str
    refund_completed: int
    paid_ts: int | None
    ruling: _Ruling | None
    refunds: list[_Refund]


class Judged(Struct, tag=True, array_like=True, gc=False):
    """What came out, of all buyers or of a share."""

    orders: list[JudgedOrder]
    """The paid orders of the period with their verdicts."""
    refused: int
    """Records that no verdict rests on. Those of orders whose creation was not read are not among them: in
    events of a period some always are."""


class _Taken(Struct, tag=True, array_like=True, gc=False):
    """So many events are read."""

    events: int


_decode: Final = msgspec.json.Decoder(_Decision).decode
_encode: Final = msgspec.msgpack.Encoder().encode
_decode_message: Final = msgspec.msgpack.Decoder(Judged | _Taken | PeerLost | Failed).decode


def judged(task: Task, processes: int, taken: Callable[[int], None]) -> Judged:
    """Judge a shop and period; return its orders by time of payment.

    ``taken`` is called with the number of events read so far; what it raises ends the judging.

    Raises:
        UnusableFileError: a file cannot be read.
        ProcessLostError: a process dies.
    """
    if processes == 1:
        with without_collector():
            found = _judge(task, taken)
    else:
        found = _of_processes(task, processes, taken)
    found.orders.sort(key=lambda order: (order.paid_ts, order.order_id))
    return found


def count_events(inputs: Inputs) -> int:
    """Return how many events there are to read, about: blank lines count."""
    return sum(count_lines(name) for name in (*inputs.chat, *inputs.orders, *inputs.rulings))


def agent_days(
    task: Task, days: Period, processes: int, taken: Callable[[int], None]
) -> list[dict[str, Any]]:
    """Return the agents' days of a period, and those of the shop, as the official settings count them.

    Raises as `judged`.
    """
    shop = f"{task.shop_id}|".encode()
    first, last = day_name(days.first), day_name(days.last)
    found: dict[bytes, bytes] = {}
    outputs = replay(
        task.inputs,
        wall_clock_ts=task.wall_clock_ts,
        processes=processes,
        cached_facts=_cached_facts(),
        progress=taken,
    )
    with without_collector(), closing(outputs):
        for output in outputs:
            if output.topic == AGENT_DAILY and output.key.startswith(shop):
                found[output.key] = output.value  # the last one counts
    records: Iterator[dict[str, Any]] = map(orjson.loads, found.values())
    return [record for record in records if first <= record["day"] <= last]


def _cached_facts() -> int:
    return (memory_limit_mib() // 2 << 20) // FACT_BYTES


def _of_processes(task: Task, processes: int, taken: Callable[[int], None]) -> Judged:
    found = Judged([], 0)
    with ExitStack() as stack:
        children = share_processes(stack, processes, _work, task)
        waiting: dict[Connection, ChildProcess] = {child.pipe: child for child in children}
        read = dict.fromkeys(waiting, 0)
        while waiting:
            for pipe in wait(list(waiting)):
                assert isinstance(pipe, Connection)
                message = _decode_message(waiting[pipe].receive())
                match message:
                    case Failed():
                        raise message.error()
                    case _Taken():
                        read[pipe] = message.events
                        taken(min(read.values()))
                    case PeerLost():
                        del waiting[pipe]  # the one that has ended is waited for still, and says why
                    case Judged():
                        found.orders += message.orders
                        found.refused += message.refused
                        del waiting[pipe]
    return found


def _work(pipe: Connection, task: Task, reading: SharedReading) -> None:
    """Judge a share, send its progress, then what came out."""

    def report_progress(events: int) -> None:
        pipe.send_bytes(_encode(_Taken(events)))

    pipe.send_bytes(_encode(_judge(task, report_progress, reading.share, reading)))


def _judge(
    task: Task,
    progress: Callable[[int], None],
    share: Share | None = None,
    decoding: Decoding = decode_all,
) -> Judged:
    outputs = replay(
        task.inputs,
        wall_clock_ts=task.wall_clock_ts,
        reports=False,
        cached_facts=_cached_facts(),
        share=share,
        decoding=decoding,
        progress=progress,
    )
    with closing(outputs):
        return _kept(outputs, task)


def _kept(outputs: Iterator[Output], task: Task) -> Judged:
    """Return the orders whose last decision is that they are paid in the period."""
    shop = f"{task.shop_id}|".encode()
    final = f'"status":"{FINAL}"'.encode()
    numbers = {profile: number for number, profile in enumerate(task.profiles)}
    orders: dict[str, _Decision] = {}
    known: list[dict[str, Verdict]] = [{} for _ in numbers]
    names: dict[str, str] = {}
    refused = 0

    def same(name: str) -> str:
        """Keep one of equal ids in memory."""
        return names.setdefault(name, name)

    for output in outputs:
        if output.topic == DEAD_LETTERS:
            refused += orjson.loads(output.value)["code"] != Code.INCOMPLETE_ORDER.value
        if output.topic not in (DECISIONS, COMPARISONS) or not output.key.startswith(shop):
            continue
        if final not in output.value:  # at the end of time every last decision is
            continue
        found = _decode(output.value)
        is_paid = found.outcome in _PAID
        if not (is_paid and found.paid_ts is not None and task.start <= found.paid_ts < task.end):
            known[numbers[found.profile]].pop(found.order_id, None)
            if found.profile == OFFICIAL:
                orders.pop(found.order_id, None)
            continue
        credit, placing, payment = found.credit, found.placing, found.payment
        known[numbers[found.profile]][found.order_id] = Verdict(
            None if credit is None else same(credit.agent_id),
            None if credit is None else same(credit.basis),
            None if placing is None else same(placing.agent_id),
            None if payment is None else same(payment.agent_id),
        )
        if found.profile == OFFICIAL:
            found.placing = found.payment = found.credit = None
            found.currency = same(found.currency)
            orders[found.order_id] = found
    kept = [_order(found, [one[order_id] for one in known]) for order_id, found in orders.items()]
    return Judged(kept, refused)


def _order(found: _Decision, verdicts: Sequence[Verdict]) -> JudgedOrder:
    """Return an order; a ruling that holds, holds under every rule set (RULEBOOK 5, "Rulings")."""
    assert found.paid_ts is not None
    if found.ruling is not None:
        agent_id = found.ruling.agent_id
        basis = None if agent_id is None else _RULING
        verdicts = [Verdict(agent_id, basis, one.placing, one.payment) for one in verdicts]
    return JudgedOrder(
        found.order_id,
        found.buyer_id,
        found.paid_ts,
        found.amount,
        found.currency,
        found.refund_completed,
        tuple((one.ts, one.amount) for one in found.refunds if one.completed),
        found.ruling is not None,
        tuple(verdicts),
    )
