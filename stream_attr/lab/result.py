"""What rule sets give to whom: orders that move, money per agent, and how much depends on the rule.

Money is in minor units, instants are epoch milliseconds, days ``YYYY-MM-DD``. Everything can be kept as
msgspec writes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Final, TypeVar

from msgspec import Struct

__all__ = [
    "AgentMoney",
    "Contested",
    "Flow",
    "JudgedOrder",
    "LabPay",
    "LabResult",
    "Move",
    "Pair",
    "PersonPay",
    "Sum",
    "Verdict",
]

_K = TypeVar("_K")


class Verdict(Struct, frozen=True, array_like=True, gc=False):
    """Whose sale an order is under a rule set; None: nobody's."""

    agent_id: str | None
    basis: str | None
    placing: str | None
    payment: str | None
    """The placing and the payment agent."""


class JudgedOrder(Struct, frozen=True, array_like=True, gc=False):
    """A paid order, and its verdict under each rule set."""

    order_id: str
    buyer_id: str
    paid_ts: int
    amount: int
    currency: str
    refunded: int
    """Of its amount: refunds that are completed."""
    refunds: tuple[tuple[int, int], ...]
    """When each of the completed refunds was, and its amount; of more than 100 the first."""
    is_ruled: bool
    """A person ruled on it: the same agent under every rule set."""
    verdicts: tuple[Verdict, ...]

    @property
    def is_contested(self) -> bool:
        """Whether its winner depends on the rule."""
        return len({one.agent_id for one in self.verdicts}) > 1


class Sum(Struct, frozen=True, array_like=True, gc=False):
    """Orders, and what they come to."""

    orders: int = 0
    amount: int = 0
    net: int = 0
    """Less completed refunds."""


_NOTHING: Final = Sum()


class AgentMoney(Struct, frozen=True, gc=False):
    """What an agent has under each rule set, in one currency; ``agent_id`` None: nobody's, silent orders."""

    agent_id: str | None
    currency: str
    sums: tuple[Sum, ...]


class Contested(Struct, frozen=True, gc=False):
    """How much depends on the rule, of all rule sets that were judged, in one currency."""

    currency: str
    contested: Sum
    total: Sum

    @property
    def share(self) -> float | None:
        """Of the amount; None: there is none."""
        return self.contested.amount / self.total.amount if self.total.amount else None


class Move(Struct, frozen=True, gc=False):
    """An order that is another's under another rule set."""

    order: JudgedOrder
    before: Verdict
    after: Verdict


class Flow(Struct, frozen=True, gc=False):
    """What moves from one agent to another, in one currency; None: nobody."""

    before: str | None
    after: str | None
    currency: str
    moved: Sum


class Pair(Struct, frozen=True, gc=False):
    """One rule set against another."""

    before: str
    after: str
    """Their names."""
    moves: tuple[Move, ...]
    """By time of payment."""
    flows: tuple[Flow, ...]
    """The greatest amount first."""
    agents: tuple[tuple[AgentMoney, Sum, Sum], ...]
    """Of each agent the money under both, what is gained and what is lost; by how much changes."""


class PersonPay(Struct, frozen=True, gc=False):
    """What a person is paid under each rule set."""

    person_id: str
    name: str | None
    totals: tuple[int, ...]


class LabPay(Struct, frozen=True, gc=False):
    """A month's pay under each rule set, of one shop's orders and days alone."""

    scheme_id: str
    version: int
    month: str
    currency: str
    persons: tuple[PersonPay, ...]


class LabResult(Struct, frozen=True, gc=False):
    """A period of a shop, judged under several rule sets."""

    shop_id: str
    zone: str
    """Whose clocks show its times."""
    first_day: str
    last_day: str
    """Orders paid from the first day to the last, both included."""
    rule_sets: tuple[str, ...]
    """Their names."""
    money: tuple[AgentMoney, ...]
    """By currency and agent, nobody last."""
    contested: tuple[Contested, ...]
    """By currency."""
    orders: tuple[JudgedOrder, ...]
    """Those whose winner depends on the rule, by time of payment."""
    names: dict[str, str]
    """Of agents, where the roster has some."""
    ruled: int
    """Orders on which a person ruled."""
    events: int
    """That were read."""
    chats_from: str | None = None
    """The first day of chat that is stored; None: it is not known."""
    needed_from: str | None = None
    """The first day of chat on which a verdict may rest; None: it is not known."""
    pay: LabPay | None = None
    """None: it was not asked for."""
    refused: int = 0
    """Records that no verdict rests on, of all that were read."""

    def pair(self, before: str, after: str) -> Pair:
        """Return one rule set against another, by their names; raise ValueError for one that there is not."""
        one, other = self.rule_sets.index(before), self.rule_sets.index(after)
        moves = tuple(
            Move(order, order.verdicts[one], order.verdicts[other])
            for order in self.orders
            if order.verdicts[one].agent_id != order.verdicts[other].agent_id
        )
        between: dict[tuple[str | None, str | None, str], Sum] = {}
        gained: dict[tuple[str | None, str], Sum] = {}
        lost: dict[tuple[str | None, str], Sum] = {}
        for move in moves:
            order, giver, taker = move.order, move.before.agent_id, move.after.agent_id
            _add(between, (giver, taker, order.currency), order)
            _add(lost, (giver, order.currency), order)
            _add(gained, (taker, order.currency), order)
        flows = [Flow(*key, moved) for key, moved in between.items()]
        flows.sort(key=lambda flow: (-flow.moved.amount, flow.currency, flow.before or "", flow.after or ""))
        agents = [
            (
                AgentMoney(each.agent_id, each.currency, (each.sums[one], each.sums[other])),
                gained.get((each.agent_id, each.currency), _NOTHING),
                lost.get((each.agent_id, each.currency), _NOTHING),
            )
            for each in self.money
        ]
        agents.sort(key=lambda row: -abs(row[0].sums[1].amount - row[0].sums[0].amount))
        return Pair(before, after, moves, tuple(flows), tuple(agents))

    @property
    def pairs(self) -> Iterator[Pair]:
        """Yield each rule set against each that comes after it."""
        for before, after in combinations(self.rule_sets, 2):
            yield self.pair(before, after)


def money_of(orders: list[JudgedOrder], rule_sets: int) -> tuple[AgentMoney, ...]:
    """Return what each agent has under each rule set."""
    found: dict[tuple[str, str | None], list[dict[None, Sum]]] = {}
    for order in orders:
        for number, verdict in enumerate(order.verdicts):
            key = (order.currency, verdict.agent_id)
            if key not in found:
                found[key] = [{} for _ in range(rule_sets)]
            _add(found[key][number], None, order)
    ordered = sorted(found.items(), key=lambda item: (item[0][0], item[0][1] is None, item[0][1] or ""))
    return tuple(
        AgentMoney(agent_id, currency, tuple(one.get(None, _NOTHING) for one in sums))
        for (currency, agent_id), sums in ordered
    )


def contested_of(orders: list[JudgedOrder]) -> tuple[Contested, ...]:
    """Return how much depends on the rule, by currency."""
    total: dict[str, Sum] = {}
    contested: dict[str, Sum] = {}
    for order in orders:
        _add(total, order.currency, order)
        if order.is_contested:
            _add(contested, order.currency, order)
    return tuple(
        Contested(currency, contested.get(currency, _NOTHING), total[currency]) for currency in sorted(total)
    )


def _add(found: dict[_K, Sum], key: _K, order: JudgedOrder) -> None:
    known = found.get(key, _NOTHING)
    found[key] = Sum(known.orders + 1, known.amount + order.amount, known.net + order.amount - order.refunded)
