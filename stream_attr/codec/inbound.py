"""Chat, order, tick and roster records from JSON bytes, checked as RULEBOOK 2 and 11 say.

Every function raises :class:`RefusedRecord` for what cannot be used, naming the field.
"""

from __future__ import annotations

import codecs
import functools
import re
import unicodedata
from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec
import msgspec.inspect
from msgspec import UNSET

from stream_attr.codec.events import (
    TICK_VERSION,
    AnyObject,
    ChatEvent,
    OrderEvent,
    RosterRecord,
    Tick,
    Timed,
    Versioned,
)
from stream_attr.codec.refusal import Code, RefusedRecord
from stream_attr.codec.versions import require_readable
from stream_attr.core.days import DAY_MS, day_number

MAX_RECORD_BYTES: Final = 256 * 1024
"""Of a record's value."""
MAX_KEY_BYTES: Final = 64 * 1024
"""Of its key: a dead letter has it twice, and has to fit into a topic."""
LONGEST_WAIT_FOR_PAYMENT_MS: Final = 15 * DAY_MS
"""How far before a ``paid`` its ``created_ts`` may lie."""

_chat: Final = msgspec.json.Decoder(ChatEvent)
_order: Final = msgspec.json.Decoder(OrderEvent)
_tick: Final = msgspec.json.Decoder(Tick)
_version: Final = msgspec.json.Decoder(Versioned).decode
_roster: Final = msgspec.json.Decoder(RosterRecord)
_object: Final = msgspec.json.Decoder(AnyObject)
_peek: Final = msgspec.json.Decoder(Timed).decode

_T = TypeVar("_T")


def peek_ts(value: bytes | None) -> int | None:
    """Return the ``ts`` of a record, or None where it has none that could be accepted; never raises."""
    try:
        return _peek(value).ts  # type: ignore[arg-type]
    except (ValueError, TypeError, RecursionError):
        return None


def decode_chat(value: bytes | None) -> ChatEvent:
    """Return the chat event of a record's bytes."""
    event = decode(_chat.decode, value)
    if event.type == "message":
        if event.sender is UNSET:
            raise RefusedRecord(Code.MISSING_FIELD, "a message needs `sender`: buyer or agent", "sender")
    elif event.to_agent_id is UNSET:
        raise RefusedRecord(Code.MISSING_FIELD, "a transfer needs `to_agent_id`", "to_agent_id")
    ids = event.shop_id + event.buyer_id + event.agent_id + event.event_id
    if not ids.isprintable() or "|" in ids:
        for name in ("event_id", "shop_id", "buyer_id", "agent_id"):
            check_id(getattr(event, name), name)
    if event.agent_id == "*":
        raise RefusedRecord(Code.BAD_VALUE, "`agent_id` is `*`, which stands for a shop's totals", "agent_id")
    if event.to_agent_id is not UNSET:
        check_id(event.to_agent_id, "to_agent_id")
        if event.to_agent_id == "*":
            raise RefusedRecord(Code.BAD_VALUE, "`to_agent_id` is `*`, which is no agent", "to_agent_id")
    if event.product_id is not UNSET:
        check_id(event.product_id, "product_id")
    return event


_NEEDS_AMOUNT: Final = frozenset({"created", "paid", "refund_requested", "refund_completed"})
_CURRENCY: Final = re.compile(r"[A-Z]{3}", re.ASCII)


def decode_order(value: bytes | None) -> OrderEvent:
    """Return the order event of a record's bytes."""
    event = decode(_order.decode, value)
    if event.amount is UNSET and event.type in _NEEDS_AMOUNT:
        raise RefusedRecord(Code.MISSING_FIELD, f"`{event.type}` needs `amount`, in minor units", "amount")
    ids = event.shop_id + event.buyer_id + event.order_id + event.event_id
    if not ids.isprintable() or "|" in ids:
        for name in ("event_id", "shop_id", "buyer_id", "order_id"):
            check_id(getattr(event, name), name)
    for product_id in event.product_ids:
        check_id(product_id, "product_ids")
    if event.currency is not UNSET and not _CURRENCY.fullmatch(event.currency):
        raise RefusedRecord(Code.BAD_VALUE, "`currency` is no ISO 4217 code of three capitals", "currency")
    if event.created_ts is not UNSET and event.type == "paid":
        if event.created_ts > event.ts:
            raise RefusedRecord(Code.BAD_VALUE, "`created_ts` lies after `ts`", "created_ts")
        if event.created_ts < event.ts - LONGEST_WAIT_FOR_PAYMENT_MS:
            raise RefusedRecord(
                Code.BAD_VALUE, "`created_ts` lies more than 15 days before `ts`", "created_ts"
            )
    return event


def decode_tick(value: bytes | None) -> Tick:
    """Return the tick of a record's bytes.

    Raises:
        NewerVersionError: a newer program wrote it.
    """
    return decode(_readable_tick, value)


def _readable_tick(value: bytes) -> Tick:
    require_readable(_version(value).version, TICK_VERSION, "tick")
    return _tick.decode(value)


def decode_roster(value: bytes | None) -> RosterRecord:
    """Return the roster record of a record's bytes."""
    record = decode(_roster.decode, value)
    check_id(record.shop_id, "shop_id")
    check_id(record.agent_id, "agent_id")
    if record.agent_id == "*":
        raise RefusedRecord(Code.BAD_VALUE, "`agent_id` is `*`, which stands for a shop's totals", "agent_id")
    check_day(record.effective_from, "effective_from")
    return record


def check_key(key: bytes | None) -> None:
    """Raise if a record's key is so large that no dead letter could keep it."""
    if key is not None and len(key) > MAX_KEY_BYTES:
        raise RefusedRecord(
            Code.TOO_LARGE,
            f"a key of {len(key)} bytes is more than the {MAX_KEY_BYTES} that one may have",
            "key",
        )


def check_id(value: str, field: str) -> None:
    """Raise unless an identifier is free of control characters and of ``|``."""
    if "|" in value:
        raise RefusedRecord(Code.BAD_VALUE, f"`{field}` has a `|`, which separates the parts of a key", field)
    if not value.isprintable() and any(unicodedata.category(char) == "Cc" for char in value):
        raise RefusedRecord(Code.BAD_VALUE, f"`{field}` has a control character", field)


def check_day(value: str, field: str) -> None:
    """Raise unless a date is ``YYYY-MM-DD``."""
    try:
        day_number(value)
    except ValueError:
        raise RefusedRecord(
            Code.BAD_VALUE, f"`{field}` is no date YYYY-MM-DD: {value[:32]!r}", field
        ) from None


MAX_DEPTH: Final = 200
DEEP_BYTES: Final = 2 * MAX_DEPTH
"""A record that is no longer cannot be nested more deeply than `MAX_DEPTH`."""
LONGEST_COMPLAINT: Final = 300
"""Characters of a dead letter's message or field: senders choose what they quote."""
_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKETS: Final = re.compile(rb"[\[\]{}]")
_MISSING: Final = re.compile(r"Object missing required field `(.*)`", re.DOTALL)
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_PLACE: Final = " - at `$"


def decode(decoder: Callable[[bytes], _T], value: bytes | None, path: str = "") -> _T:
    """Return what ``decoder`` makes of a record; raise RefusedRecord with the code for why it cannot.

    ``path``: where the value stands in its record, if it is a part of one.
    """
    if value is None:
        raise RefusedRecord(Code.NOT_JSON, "a tombstone (no value) is no record of this topic")
    if len(value) > MAX_RECORD_BYTES:
        raise RefusedRecord(
            Code.TOO_LARGE, f"{len(value)} bytes are more than the {MAX_RECORD_BYTES} that a record may have"
        )
    if len(value) > DEEP_BYTES:
        _check_depth(value)
    try:
        if not value.isascii():
            value.decode()  # the decoder looks at the fields it knows, and no others
        return decoder(value)
    except msgspec.ValidationError as error:
        raise _explained(str(error), value, path, decoder) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _not_json(error, value) from None


def _check_depth(value: bytes) -> None:
    """Raise if a record is nested too deeply to be read, whoever calls from whatever depth of the stack."""
    if value.count(b"[") + value.count(b"{") <= MAX_DEPTH:
        return
    depth = 0
    for bracket in _BRACKETS.findall(_STRING.sub(b"", value)):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            raise RefusedRecord(Code.NOT_JSON, f"nested more than {MAX_DEPTH} deep")


def _not_json(error: Exception, value: bytes) -> RefusedRecord:
    if value.startswith(codecs.BOM_UTF8):
        error = ValueError("it begins with a byte order mark (EF BB BF), which is to be left out")
    return RefusedRecord(Code.NOT_JSON, f"not JSON in UTF-8: {error}"[:LONGEST_COMPLAINT])


def _explained(problem: str, value: bytes, path: str, decoder: Callable[[bytes], Any]) -> RefusedRecord:
    """Turn the decoder's first complaint into a code, a field and a message."""
    try:
        _object.decode(value)
    except msgspec.ValidationError:
        if not path:
            return RefusedRecord(Code.NOT_AN_OBJECT, "the JSON is no object")
    except msgspec.DecodeError as error:
        # The decoder met a wrong field before the place where the JSON breaks.
        return _not_json(error, value)
    # The complaint may quote the sender: its kind is what it begins with, its place the last one told.
    text, _, place = problem.rpartition(_PLACE)
    if not text:
        text, place = problem, ""
    place = place.removesuffix("`")
    parent = (path + place).removeprefix(".")
    missing, unknown = _MISSING.fullmatch(text), _UNKNOWN.fullmatch(text)
    named = missing or unknown
    field = ".".join(part for part in (parent, named.group(1) if named else "") if part) or None
    message = f"`{field}`: {text}" if field and not named else text
    message, field = _cut(message), field and _cut(field)
    if missing:
        return RefusedRecord(Code.MISSING_FIELD, message, field)
    if text.startswith("Expected `") and ", got `" in text:
        return RefusedRecord(Code.BAD_TYPE, message, field)
    if text.startswith("Invalid enum value ") and (words := _words(decoder, place)):
        message += f"; it is one of {', '.join(words)}"
    return RefusedRecord(Code.BAD_VALUE, message, field)


def _cut(text: str) -> str:
    """Return a text that may quote the sender without end, or its beginning."""
    return text if len(text) <= LONGEST_COMPLAINT else text[: LONGEST_COMPLAINT - 1] + "…"


@functools.lru_cache(256)
def _words(decoder: Callable[[bytes], Any], place: str) -> tuple[str, ...]:
    """Return the words that a decoder allows at a place such as ``.sender``; none where any may stand."""
    owner: Any = getattr(decoder, "__self__", None)
    found = msgspec.inspect.type_info(owner.type)
    for name in place.split(".")[1:]:
        fields: tuple[msgspec.inspect.Field, ...] = getattr(found, "fields", ())
        found = next((field.type for field in fields if field.encode_name == name), msgspec.inspect.AnyType())
    return getattr(found, "values", ())
