"""A complete sample from a seed: shops, days, files (RULEBOOK 13, ``generate``)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO, NamedTuple

from stream_attr.files.atomic import atomic_files
from stream_attr.generate import shops as catalogue
from stream_attr.generate.chance import Chance
from stream_attr.generate.delivery import BAD_CHAT, BAD_ORDERS, NEVER, TOO_OLD_MS, Delivery, Line, encode
from stream_attr.generate.journey import Journeys
from stream_attr.generate.rhythm import DayCurve, promotions, shares
from stream_attr.rules.shop.days import DAY_MS, EARLIEST_TS

__all__ = ["Day", "Plan", "Sample", "write"]

CONVERSATION_LINES = 14
"""Lines that one journey comes to, about: from this follow how many agents and buyers a shop has."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for. The same plan yields the same bytes, on any machine.

    Raises ValueError where a number makes no sense.
    """

    seed: int
    events: int
    """Lines of chat and orders together, exactly."""
    days: int
    end_ts: int
    """Milliseconds; the sample is what arrived in the ``days`` times 24 hours before it."""
    shops: int = 1
    buyers: int | None = None
    """Per shop; None: as many as come to some 40 events each."""
    agents: int | None = None
    """Per shop, at least 4; None: as many as the traffic needs, at least 10."""

    def __post_init__(self) -> None:
        least = {"events": 1, "days": 1, "shops": 1, "buyers": 1, "agents": 4, "seed": 0}
        for name, low in least.items():
            value = getattr(self, name)
            if value is not None and value < low:
                raise ValueError(f"{name} must be at least {low}, not {value}")
        if self.start_ts < EARLIEST_TS + TOO_OLD_MS:
            raise ValueError(
                f"the sample would reach back before the year 2000: {self.days} days from its end, and "
                f"{TOO_OLD_MS // DAY_MS} more for the events that come too late"
            )

    @property
    def start_ts(self) -> int:
        """The instant the sample begins with (milliseconds)."""
        return self.end_ts - self.days * DAY_MS


class Day(NamedTuple):
    """What arrives in 24 hours, in the order of arrival."""

    chat: list[bytes]
    orders: list[bytes]
    rulings: list[bytes]


class _Inbox:
    """Lines on their way to one file."""

    def __init__(self, delivery: Delivery) -> None:
        self.delivery = delivery
        self._waiting: list[Line] = []

    def add(self, lines: Iterable[Line]) -> None:
        self._waiting.extend(lines)

    def take(self, until_ts: int) -> list[bytes]:
        """What arrives before an instant; the rest goes on waiting."""
        self._waiting.sort()
        cut = bisect_left(self._waiting, until_ts, key=itemgetter(0))
        taken = [line.value for line in self._waiting[:cut]]
        del self._waiting[:cut]
        return taken


class Sample:
    """The traffic of a plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._chance = Chance(plan.seed)
        self._shops = [catalogue.shop(index) for index in range(plan.shops)]
        # The first shop is the largest, the second has half its traffic, the third a third.
        self._weights = [27_720 // (index + 1) for index in range(plan.shops)]
        self._agents = [catalogue.Agents(plan.agents or self._staff(index)) for index in range(plan.shops)]

    def _share(self, index: int) -> int:
        """Roughly the lines of one shop."""
        return self._plan.events * self._weights[index] // sum(self._weights)

    def _staff(self, index: int) -> int:
        per_day = self._share(index) // self._plan.days // CONVERSATION_LINES
        return min(max(10, per_day // 60), 400)

    def settings(self) -> list[bytes]:
        """One settings record per shop, in force before the first day."""
        return [encode(catalogue.settings_record(shop, self._first_day(shop))) for shop in self._shops]

    def roster(self) -> list[bytes]:
        """The agents' roles and their changes."""
        return [
            encode(record)
            for shop, agents in zip(self._shops, self._agents, strict=True)
            for record in catalogue.hire(shop, agents, self._first_day(shop), self._plan.days)
        ]

    def _first_day(self, shop: catalogue.Shop) -> int:
        return shop.zone.day_of(self._plan.start_ts)

    def days(self) -> Iterator[Day]:
        """Yield day after day; together they hold exactly ``plan.events`` lines. To be called once."""
        plan, chance = self._plan, self._chance
        starts = [plan.start_ts + number * DAY_MS for number in range(plan.days)]
        bad_every = min(max(plan.events // 25, 20), 4_000)
        chat = _Inbox(Delivery(chance, BAD_CHAT, bad_every))
        orders = _Inbox(Delivery(chance, BAD_ORDERS, max(5, bad_every // 8)))
        rulings = _Inbox(Delivery(chance, (), NEVER))
        journeys = [
            Journeys(shop, agents, plan.buyers or max(40, self._share(index) // 40), chance)
            for index, (shop, agents) in enumerate(zip(self._shops, self._agents, strict=True))
        ]
        factors = [promotions(shop.zone, starts, chance) for shop in self._shops]
        weights = [
            weight * factor[number]
            for number in range(plan.days)
            for weight, factor in zip(self._weights, factors, strict=True)
        ]
        targets = iter(shares(plan.events, weights))
        made = 0
        for number, start in enumerate(starts):
            for shop, factor, journey in zip(self._shops, factors, journeys, strict=True):
                curve = DayCurve(shop.zone, start, promotion=factor[number] > 1)
                target = next(targets)
                while made < target:
                    made += self._one(journey, curve, chat, orders, rulings, room=plan.events - made)
            until = start + DAY_MS
            yield Day(chat.take(until), orders.take(until), rulings.take(until))

    def _one(
        self,
        journeys: Journeys,
        day: DayCurve,
        chat: _Inbox,
        orders: _Inbox,
        rulings: _Inbox,
        room: int,
    ) -> int:
        """Add one journey, so far as it arrives before the end and there is room.

        Returns its lines of chat and orders.
        """
        journeys.begin(day)
        end = self._plan.end_ts
        messages = [line for line in chat.delivery.bring(journeys.chat.sent) if line.arrival < end][:room]
        room -= len(messages)
        happened = [line for line in orders.delivery.bring(journeys.orders.happened) if line.arrival < end]
        if len(happened) <= room:  # else the orders that are ruled on may be missing
            given = rulings.delivery.bring(journeys.rulings.given)
            rulings.add(line for line in given if line.arrival < end)
        del happened[room:]
        journeys.chat.sent.clear()
        journeys.orders.happened.clear()
        journeys.rulings.given.clear()
        chat.add(messages)
        orders.add(happened)
        return len(messages) + len(happened)


def write(plan: Plan, out: Path, progress: Callable[[int], None] = lambda _: None) -> None:
    """Write ``chat``, ``orders``, ``rulings``, ``roster`` and ``settings``, all ``.jsonl``, into a directory.

    They get these names together, when all are complete. ``progress`` is called after each day with the
    number of chat and order lines written so far. Raises UnusableFileError where the directory cannot be
    created or written.
    """
    sample = Sample(plan)
    written = 0
    with atomic_files(out, ("chat", "orders", "rulings", "roster", "settings")) as files:
        _write_lines(files["settings"], sample.settings())
        _write_lines(files["roster"], sample.roster())
        for day in sample.days():
            _write_lines(files["chat"], day.chat)
            _write_lines(files["orders"], day.orders)
            _write_lines(files["rulings"], day.rulings)
            written += len(day.chat) + len(day.orders)
            progress(written)


def _write_lines(file: BinaryIO, lines: list[bytes]) -> None:
    file.writelines(line + b"\n" for line in lines)
