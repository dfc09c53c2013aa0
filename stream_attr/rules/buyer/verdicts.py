"""A new revision of a verdict (RULEBOOK 6)."""

from __future__ import annotations

from typing import NamedTuple

from stream_attr.rules.order.decision import Judgement, Verdict
from stream_attr.rules.order.order import Order


class Revision(NamedTuple):
    """A verdict to be emitted."""

    order: Order
    profile: str
    judgement: Judgement
    verdict: Verdict
    revision: int
    reason: str
