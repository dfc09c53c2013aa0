"""Quotients of the agent-day figures (RULEBOOK 8): of nothing there is none."""

from __future__ import annotations


def rate(numerator: int, denominator: int) -> float | None:
    """Return a rate or a ratio to four places."""
    return round(numerator / denominator, 4) if denominator else None


def mean(total: int, count: int) -> int | None:
    """Return a mean in whole units, a half rounded up."""
    return (2 * total + count) // (2 * count) if count else None
