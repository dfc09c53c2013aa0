"""Rounding and sharing of money: no fen is lost or made (docs/pay.md)."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TypeVar

__all__ = ["rounded", "shared"]

_Id = TypeVar("_Id", str, tuple[str, str])


def rounded(amount: Fraction) -> int:
    """Return an amount in whole minor units: half up, away from zero."""
    whole, rest = divmod(abs(amount), 1)
    whole += rest >= Fraction(1, 2)
    return whole if amount >= 0 else -whole


def shared(amount: int, weights: Mapping[_Id, Fraction | int]) -> dict[_Id, int]:
    """Return an amount shared in proportion to weights, by largest remainder, ties to the smaller id.

    The shares add up to the amount, whatever the weights' signs; those of a negative amount are those of the
    positive one, negated. Nothing is shared, and all shares are 0, where the weights add up to 0.
    """
    whole = sum(weights.values(), Fraction())
    if not amount or not whole:
        return dict.fromkeys(weights, 0)
    exact = {one: abs(amount) * weight / whole for one, weight in weights.items()}
    shares = {one: share.__floor__() for one, share in exact.items()}
    left = abs(amount) - sum(shares.values())
    for one in sorted(exact, key=lambda one: (shares[one] - exact[one], one))[:left]:
        shares[one] += 1
    return shares if amount > 0 else {one: -share for one, share in shares.items()}
