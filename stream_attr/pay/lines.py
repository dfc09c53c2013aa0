"""The lines of a statement: what is paid, and why, as data (docs/pay.md).

All money is in minor units. ``exact`` is before the one rounding of a line. Each line says of which figure,
tiers, days and limits it is made; words, in whichever language, are made of that.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct

__all__ = [
    "AnyWhy",
    "CapWhy",
    "CommissionWhy",
    "FactorWhy",
    "FigureValue",
    "FixedWhy",
    "FloorWhy",
    "Line",
    "OrderShare",
    "PerUnitWhy",
    "PoolWhy",
    "ProbationWhy",
    "RankingWhy",
    "Reached",
    "ScorePart",
    "ScoreWhy",
    "Statement",
    "StepsWhy",
    "TierPart",
    "decode",
    "encode",
]


class FigureValue(Struct, frozen=True):
    """A figure; None: it has no value, as of 0/0."""

    key: str
    value: Fraction | None


class Reached(Struct, frozen=True):
    """A figure that had to be reached, and whether it was."""

    figure: FigureValue
    at: Fraction
    is_reached: bool


class ProbationWhy(Struct, frozen=True):
    """What is paid for days on probation."""

    rate: Fraction
    days: int
    """On probation."""
    employed_days: int

    @property
    def factor(self) -> Fraction:
        """What the whole is multiplied by: 1 for days that are not on probation."""
        return (self.days * self.rate + self.employed_days - self.days) / self.employed_days


class Why(Struct, tag_field="kind", frozen=True, kw_only=True):
    """What a component's line is made of."""

    probation: ProbationWhy | None = None
    """None: nothing is taken off for it."""


class FixedWhy(Why, tag="fixed", frozen=True, kw_only=True):
    """amount × employed_days / month_days"""

    amount: int
    employed_days: int
    month_days: int | None
    """None: paid whole."""


class TierPart(Struct, frozen=True):
    """A part of the money and what it makes: base × rate."""

    start: Fraction
    base: Fraction
    rate: Fraction
    makes: Fraction


class CommissionWhy(Why, tag="commission", frozen=True, kw_only=True):
    """The sum of what the parts make."""

    figure: FigureValue
    mode: str
    picked_by: FigureValue
    """What is compared with the tiers."""
    parts: tuple[TierPart, ...]
    next_from: Fraction | None
    """Where the next tier begins; None: there is none above."""
    least: Reached | None = None
    split: tuple[Fraction, Fraction] | None = None
    """Shares of placing and payment agent, where orders are split."""


class PerUnitWhy(Why, tag="per_unit", frozen=True, kw_only=True):
    """figure × amount"""

    figure: FigureValue
    amount: int


class StepsWhy(Why, tag="steps", frozen=True, kw_only=True):
    """The amount of the step that is reached."""

    figure: FigureValue
    start: Fraction | None
    """None: no step is reached."""
    amount: int
    next_from: Fraction | None


class ScorePart(Struct, frozen=True):
    """Points of one item."""

    figure: FigureValue
    weight: Fraction
    points: int | None
    """None: the figure has no value, and the weights of the others count alone."""
    start: Fraction | None
    """Of the band; None: none is reached."""


class ScoreWhy(Why, tag="score", frozen=True, kw_only=True):
    """amount × score / 100; score: points × weights / weights"""

    amount: int
    items: tuple[ScorePart, ...]
    score: Fraction | None
    """None: no item has a value."""


class RankingWhy(Why, tag="ranking", frozen=True, kw_only=True):
    """A share of the prizes of the places that tied persons have together."""

    figure: FigureValue
    place: int | None
    """From 1; None: not ranked."""
    tied: int
    """Persons on this place, this one included."""
    prizes: tuple[int, ...]
    """Of the places of those tied."""
    least: Reached | None = None


class PoolWhy(Why, tag="pool", frozen=True, kw_only=True):
    """pot × figure / of_all; pot: money × rate"""

    money: FigureValue
    """Of the team."""
    rate: Fraction
    pot: int
    figure: FigureValue
    of_all: Fraction
    """Sum of the figure over the persons."""


class FactorWhy(Why, tag="factor", frozen=True, kw_only=True):
    """before × (rate − 1)"""

    on: tuple[str, ...]
    before: int
    rate: Fraction
    picked_by: FigureValue | None = None
    next_from: Fraction | None = None


class CapWhy(Why, tag="cap", frozen=True, kw_only=True):
    """What ``before`` has above the limit, taken off."""

    on: tuple[str, ...]
    before: int
    limit: int


class FloorWhy(Why, tag="floor", frozen=True, kw_only=True):
    """What ``before`` lacks of amount × employed_days / month_days."""

    on: tuple[str, ...]
    before: int
    amount: int
    employed_days: int
    month_days: int | None
    """None: the whole amount."""


AnyWhy = (
    FixedWhy
    | CommissionWhy
    | PerUnitWhy
    | StepsWhy
    | ScoreWhy
    | RankingWhy
    | PoolWhy
    | FactorWhy
    | CapWhy
    | FloorWhy
)


class OrderShare(Struct, frozen=True):
    """An order that a line rests on."""

    shop_id: str
    order_id: str
    portion: int
    """What it adds to the figure."""
    share: int
    """Its share of the line's amount."""


class Line(Struct, frozen=True):
    """What one component pays a person."""

    component: str
    amount: int
    exact: Fraction
    why: AnyWhy
    orders: tuple[OrderShare, ...] = ()
    """The shares add up to the amount; empty: the line rests on no single orders."""


class Statement(Struct, frozen=True):
    """What a person is paid for a month; the lines add up to the total."""

    person_id: str
    lines: tuple[Line, ...]
    total: int


def _written(value: Any) -> str:
    if isinstance(value, Fraction):
        return str(value)
    raise NotImplementedError  # pragma: no cover -- no field has another type of ours


def _read(kind: type, raw: Any) -> Any:
    if kind is Fraction:
        return Fraction(raw)
    raise NotImplementedError  # pragma: no cover -- likewise


_encoder: Final = msgspec.json.Encoder(enc_hook=_written)
_Kind = TypeVar("_Kind")


def encode(value: Any) -> bytes:
    """Return what pay is made of as JSON, fractions as ``"1/3"``: the same bytes for the same value."""
    return _encoder.encode(value)


def decode(value: bytes, kind: type[_Kind]) -> _Kind:
    """Return what `encode` was given; ``kind``: its type, such as ``Statement``."""
    return msgspec.json.decode(value, type=kind, dec_hook=_read)
