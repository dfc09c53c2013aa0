"""The types of fields that several records share: bounds, and what the schemas say of them (RULEBOOK 2).

The decoders check what is in `Meta` proper; what is in ``extra_json_schema`` is the schemas' alone.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from msgspec import Meta, Struct

from stream_attr.rules.shop.days import EARLIEST_TS, LATEST_TS
from stream_attr.rules.vocabulary import Vocabulary

MAX_AMOUNT: Final = 2**53 - 1
"""Of one event, and of an order's refunds together: what every JSON reader holds exactly."""

_FORBIDDEN: Final = {"pattern": "[\\u0000-\\u001f\\u007f-\\u009f|]"}
_DAY: Final[dict[str, Any]] = {
    "format": "date",
    "minLength": 10,
    "maxLength": 10,
    "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}",
}


def field(description: str, *, title: str | None = None, chinese: str | None = None, **schema: Any) -> Meta:
    """Return what the schema says of a field, beyond its type.

    ``title``: its Chinese name; ``chinese``: the description, for the Chinese pages.
    """
    extra = None if chinese is None else {"chinese": chinese}
    return Meta(
        title=title, description=description.replace("`", ""), extra_json_schema=schema or None, extra=extra
    )


def instant(description: str, **schema: Any) -> Meta:
    """Return what the schema says of a time."""
    return field(f"{description} Milliseconds since the Unix epoch, UTC.", **schema)


def money(description: str, *, title: str | None = None, **schema: Any) -> Meta:
    """Return what the schema says of an amount of money."""
    return field(f"{description} Minor units of the currency.", title=title, **schema)


def day(description: str, *, title: str | None = None, chinese: str | None = None) -> Meta:
    """Return what the schema says of a date."""
    text = f"{description} A day of the shop, by its time zone and day_cut, YYYY-MM-DD."
    return field(text, title=title, chinese=chinese, **_DAY)


def word(vocabulary: Vocabulary, description: str, **schema: Any) -> Meta:
    """Return what the schema says of a field that is one of a vocabulary: each word with its meaning."""
    meanings = "; ".join(f"{one}: {row.meaning}" for one, row in vocabulary.items())
    return field(f"{description} {meanings}.", enum=list(vocabulary), **schema)


Id = Annotated[str, Meta(min_length=1, max_length=128, extra_json_schema={"not": _FORBIDDEN})]


AgentId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=128,
        extra_json_schema={"not": {"anyOf": [_FORBIDDEN, {"const": "*"}]}},
    ),
]


Instant = Annotated[int, Meta(ge=EARLIEST_TS, lt=LATEST_TS)]


Amount = Annotated[int, Meta(ge=0, le=MAX_AMOUNT)]


Count = Annotated[int, Meta(ge=0)]


Version = Annotated[int, Meta(ge=1)]


Quantity = Annotated[int, Meta(ge=1, le=MAX_AMOUNT)]


ShopId = Annotated[
    Id,
    Meta(
        description="The store, unique over all platforms; by convention platform:number, such as jd:10086."
    ),
]


BuyerId = Annotated[Id, Meta(description="The buyer, unique within the shop.")]


OrderId = Annotated[Id, Meta(description="The order.")]


Agent = Annotated[AgentId, Meta(description="The agent.")]


class AnyObject(Struct, gc=False):
    """Any object."""


class Versioned(Struct, gc=False):
    """Any object of which a later version may have other fields."""

    version: Version = 1


class Timed(Struct, gc=False):
    """Any object with a time."""

    ts: Instant
