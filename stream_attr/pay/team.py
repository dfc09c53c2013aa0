"""What pay is calculated from: a month's figures of persons, and the orders they rest on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Final, Literal, NamedTuple

from stream_attr.contract.records.pay_scheme import PayScheme, Split
from stream_attr.errors import StreamAttrError
from stream_attr.pay.employment import days_of_month, month_of
from stream_attr.pay.sharing import shared

__all__ = ["Order", "OrderId", "Person", "Portions", "Team", "Value", "portions_of", "split_portions_of"]

Value = int | Fraction | None
"""Of a figure: money in minor units, times in milliseconds, rates as fractions; None: none, as of 0/0."""
OrderId = tuple[str, str]
"""Shop and order."""
RefundBasis = Literal["sale_month", "refund_month"]


class Order(NamedTuple):
    """A paid order whose decision is final."""

    shop_id: str
    order_id: str
    paid_day: str
    """The shop's, ``YYYY-MM-DD``."""
    amount: int
    """Minor units."""
    credited: str | None
    """Person whose sale it is; None: nobody's."""
    placing: str | None = None
    payment: str | None = None
    """Persons behind the placing and the payment agent."""
    is_ruled: bool = False
    """Whether a person decided the credit: then no split is made."""
    refunds: tuple[tuple[str, int], ...] = ()
    """Completed refunds that are known: day and amount of each."""

    @property
    def key(self) -> OrderId:
        """Shop and order."""
        return self.shop_id, self.order_id

    def sold_in(self, month: str) -> int:
        """Return its amount if it was paid in a month, else 0."""
        return self.amount if month_of(self.paid_day) == month else 0

    def net_in(self, month: str, basis: RefundBasis) -> int:
        """Return what a month has of it, less refunds: of the month's sale, or of the month itself."""
        if basis == "sale_month":
            refunded = sum(amount for _, amount in self.refunds) if month_of(self.paid_day) == month else 0
        else:
            refunded = sum(amount for day, amount in self.refunds if month_of(day) == month)
        return self.sold_in(month) - refunded

    def split(self, money: int, split: Split) -> Iterator[tuple[str, int]]:
        """Yield the persons of its placing and its payment agent, each with a part of its money.

        A part without agent goes to the credited person, if anybody is. What a person ruled is not split.
        """
        if self.is_ruled:
            if self.credited is not None:
                yield self.credited, money
            return
        weights: dict[str, Fraction] = {}
        for agent, share in ((self.placing, split.placing), (self.payment, split.payment)):
            person = agent or self.credited or _NOBODY
            weights[person] = weights.get(person, Fraction()) + share
        yield from ((person, part) for person, part in shared(money, weights).items() if person != _NOBODY)


class Person(NamedTuple):
    """A person in the month."""

    person_id: str
    figures: Mapping[str, Value]
    """By key, such as ``sales.net_amount``."""
    employed_days: int
    probation_days: int = 0
    """Of the days of employment."""
    past_scores: Mapping[str, tuple[Value, ...]] = {}
    """By component of kind score: the points of earlier months, the last month first."""


class Team(NamedTuple):
    """All who are paid by one scheme in a month."""

    month: str
    """``YYYY-MM``."""
    persons: tuple[Person, ...]
    orders: tuple[Order, ...] | None = None
    """All that are paid in the month or, for the basis ``refund_month``, refunded, and bear on these persons.

    None: figures are taken as given, as where somebody asks what would be.
    """
    figures: Mapping[str, Value] = {}
    """Of the shop, what no person has: such as silent sales."""

    @property
    def days(self) -> int:
        """How many days the month has."""
        return days_of_month(self.month)


Portions = Mapping[str, Mapping[str, Mapping[OrderId, int]]]
"""By key of a figure and person: what each order adds to it."""

SOLD: Final = "sales.amount"
NET: Final = "sales.net_amount"
ORDERS: Final = "sales.orders"
_NOBODY: Final = ""
"""No person has this id."""


def portions_of(team: Team, scheme: PayScheme) -> Portions:
    """Return what each order adds to the figures of persons that are sums over credited orders.

    Raises:
        StreamAttrError: a person's figure is not what the person's orders add up to, or an order comes twice.
    """
    orders = team.orders or ()
    _check_keys(team, orders)
    found: dict[str, dict[str, dict[OrderId, int]]] = {SOLD: {}, NET: {}, ORDERS: {}}
    for order in orders:
        if order.credited is not None:
            counted = int(month_of(order.paid_day) == team.month)
            for key, number in (*_money_of(order, team, scheme), (ORDERS, counted)):
                _add(found[key], order.credited, order.key, number)
    if team.orders is not None:
        _check_sums(team, scheme, found)
    return found


def split_portions_of(team: Team, scheme: PayScheme, split: Split) -> Portions:
    """Return what each order adds to the money of persons where it is split."""
    found: dict[str, dict[str, dict[OrderId, int]]] = {SOLD: {}, NET: {}}
    for order in team.orders or ():
        for key, money in _money_of(order, team, scheme):
            for person, part in order.split(money, split):
                _add(found[key], person, order.key, part)
    return found


def _money_of(order: Order, team: Team, scheme: PayScheme) -> tuple[tuple[str, int], ...]:
    return (
        (SOLD, order.sold_in(team.month)),
        (NET, order.net_in(team.month, scheme.refund_basis)),
    )


def _add(found: dict[str, dict[OrderId, int]], person: str, order: OrderId, number: int) -> None:
    if number:
        found.setdefault(person, {})[order] = number


def _check_keys(team: Team, orders: tuple[Order, ...]) -> None:
    seen = set()
    for order in orders:
        if order.key in seen:
            raise StreamAttrError(
                f"{team.month}: order {order.order_id} of {order.shop_id} is there twice; give each once, "
                "with all of its refunds"
            )
        seen.add(order.key)


def _check_sums(team: Team, scheme: PayScheme, portions: Portions) -> None:
    keys = [SOLD, ORDERS, *([NET] if scheme.refund_basis == "refund_month" else [])]
    for person in team.persons:
        for key in keys:
            total = sum(portions[key].get(person.person_id, {}).values())
            figure = person.figures.get(key, total)
            if figure != total:
                raise StreamAttrError(
                    f"{team.month}, {person.person_id}: {key} is {figure}, and the orders add up to {total}; "
                    "take both from one state of the ledger"
                )
