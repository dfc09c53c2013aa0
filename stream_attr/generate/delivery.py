"""What happens to records on their way: delay, exact repeats, and damage that makes dead letters."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import msgspec

from stream_attr.generate.chance import Chance
from stream_attr.generate.phrases import HALF_EMOJI
from stream_attr.rules.shop.days import DAY_MS, HOUR_MS, MINUTE_MS

__all__ = ["BAD_CHAT", "BAD_ORDERS", "Delivery", "Line", "encode"]

encode = msgspec.json.Encoder().encode
"""A record as its line, without the newline. (What ``orjson.dumps`` returns holds on to 4 KiB a piece for
as long as it is kept; here a whole day of them waits.)"""

_HALF_EMOJI, _ESCAPED = HALF_EMOJI.encode(), b"\\ud83d"
TOO_LARGE_BYTES = 256 * 1024 + 1
TOO_OLD_MS = 120 * DAY_MS
"""Too late even for a reader that allows events to be two months late."""


class Line(NamedTuple):
    """One line of a file, and when it arrives there."""

    arrival: int
    number: int
    """Orders what arrives at one time."""
    value: bytes


def _truncated(record: dict[str, Any]) -> bytes:
    return encode(record)[:-9]


def _in_a_list(record: dict[str, Any]) -> bytes:
    return encode([record])


def _without(name: str) -> Callable[[dict[str, Any]], bytes]:
    return lambda record: encode({key: value for key, value in record.items() if key != name})


def _with(**changes: object) -> Callable[[dict[str, Any]], bytes]:
    return lambda record: encode({**record, **changes})


def _to_nobody(record: dict[str, Any]) -> bytes:
    return encode(
        {key: value for key, value in record.items() if key != "to_agent_id"} | {"type": "transfer"}
    )


def _ts_as_text(record: dict[str, Any]) -> bytes:
    return encode({**record, "ts": str(record["ts"])})


def _ts_in_seconds(record: dict[str, Any]) -> bytes:
    return encode({**record, "ts": record["ts"] // 1_000})


def _too_large(record: dict[str, Any]) -> bytes:
    return encode({**record, "text": "x" * TOO_LARGE_BYTES})


# The last two of each list are recognised by what went before or comes after, not by the record itself. Their
# buyers have nothing else, so that they bear on no verdict wherever in the file they stand.
def _ancient_chat(record: dict[str, Any]) -> bytes:
    kept = {key: value for key, value in record.items() if key != "rated_ts"}
    return encode({**kept, "buyer_id": "b-bygone", "ts": record["ts"] - TOO_OLD_MS})


def _ancient_order(record: dict[str, Any]) -> bytes:
    buried = {"buyer_id": "b-bygone", "order_id": f"o-bygone-{record['event_id']}", "type": "cancelled"}
    return encode({**record, **buried, "ts": record["ts"] - TOO_OLD_MS})


def _never_created(record: dict[str, Any]) -> bytes:
    orphan = {
        "buyer_id": "b-orphan",
        "order_id": f"o-orphan-{record['event_id']}",
        "type": "paid",
        "amount": 100,
    }
    return encode({**{key: value for key, value in record.items() if key != "created_ts"}, **orphan})


BAD_CHAT: tuple[tuple[str, Callable[[dict[str, Any]], bytes]], ...] = (
    ("not_json", _truncated),
    ("missing_field", _without("agent_id")),
    ("bad_type", _ts_as_text),
    ("bad_value", _ts_in_seconds),
    ("too_late", _ancient_chat),
    ("not_an_object", _in_a_list),
    ("bad_value", _with(buyer_id="b|1")),
    ("missing_field", _to_nobody),
    ("bad_type", _with(text=None)),
    ("bad_value", _with(type="message", sender="robot")),
    ("too_large", _too_large),
    ("bad_type", _with(buyer_is_subaccount="true")),
)
"""Dead-letter code (RULEBOOK 11), and what makes a chat event earn it."""

BAD_ORDERS: tuple[tuple[str, Callable[[dict[str, Any]], bytes]], ...] = (
    ("incomplete_order", _never_created),
    ("missing_field", _without("order_id")),
    ("bad_type", _with(amount=129.5)),
    ("bad_value", _with(type="no_such_type")),
    ("too_late", _ancient_order),
    ("not_json", _truncated),
    ("bad_value", _with(amount=-1)),
    ("not_an_object", _in_a_list),
)
"""The same for order events."""


NEVER = 2**62
"""Of records of which none is damaged."""


class Delivery:
    """Brings the records of one kind to their file."""

    def __init__(
        self,
        chance: Chance,
        bad: tuple[tuple[str, Callable[[dict[str, Any]], bytes]], ...],
        bad_every: int,
    ) -> None:
        self._chance = chance
        self._bad = bad
        self._bad_every = bad_every
        self._number = 0
        self._until_bad = bad_every // 2
        self._damaged = 0

    def bring(self, records: Iterable[dict[str, Any]]) -> list[Line]:
        """The lines of these records: some late, some twice, and a bad one after every so many."""
        chance = self._chance
        lines: list[Line] = []
        for record in records:
            value = encode(record).replace(_HALF_EMOJI, _ESCAPED)
            arrival = record["ts"] + self._delay()
            lines.append(self._line(arrival, value))
            if chance.odds(0.004):
                pause = MINUTE_MS if chance.odds(0.8) else 30 * HOUR_MS
                lines.append(self._line(arrival + chance.early(1_000, pause), value))
            self._until_bad -= 1
            if self._until_bad <= 0:
                self._until_bad = self._bad_every
                lines.append(self._line(arrival + 1_000, self._damage(record)))
        return lines

    def _line(self, arrival: int, value: bytes) -> Line:
        self._number += 1
        return Line(arrival, self._number, value)

    def _delay(self) -> int:
        """Mostly a second or two; one in 200 comes later than the five minutes a worker allows."""
        chance = self._chance
        u = chance.draw()
        if u < 0.96:
            return chance.integer(50, 2_500)
        if u < 0.985:
            return chance.early(2_500, MINUTE_MS)
        if u < 0.995:
            return chance.early(MINUTE_MS, 5 * MINUTE_MS)
        if u < 0.9985:
            return chance.early(5 * MINUTE_MS, HOUR_MS)
        if u < 0.9996:
            return chance.early(HOUR_MS, 8 * HOUR_MS)
        return chance.early(8 * HOUR_MS, 4 * DAY_MS)

    def _damage(self, record: dict[str, Any]) -> bytes:
        """A bad record made from a good one; it has an id of its own, so that it repeats nothing."""
        damage = self._bad[self._damaged % len(self._bad)][1]
        self._damaged += 1
        return damage({**record, "event_id": f"x-{record['event_id']}"})
