"""The types of fields that several records share, with the bounds that they are checked by (RULEBOOK 2)."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

from stream_attr.rules.shop.days import EARLIEST_TS, LATEST_TS

Id = Annotated[str, Meta(min_length=1, max_length=128)]


Instant = Annotated[int, Meta(ge=EARLIEST_TS, lt=LATEST_TS)]


MAX_AMOUNT: Final = 2**53 - 1
"""Of one event, and of an order's refunds together: what every JSON reader holds exactly."""


Amount = Annotated[int, Meta(ge=0, le=MAX_AMOUNT)]


Version = Annotated[int, Meta(ge=1)]


Quantity = Annotated[int, Meta(ge=1, le=MAX_AMOUNT)]


class AnyObject(Struct, gc=False):
    """Any object."""


class Versioned(Struct, gc=False):
    """Any object of which a later version may have other fields."""

    version: Version = 1


class Timed(Struct, gc=False):
    """Any object with a time."""

    ts: Instant
