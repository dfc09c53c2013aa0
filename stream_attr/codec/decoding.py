"""What all input records share: typed decoding whose refusals name the code and the field (RULEBOOK 2, 11).

Every function raises :class:`RefusedRecord` for what cannot be used.
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

from stream_attr.codec.refusal import RefusedRecord
from stream_attr.codec.surrogates import LoneSurrogatesError, mended
from stream_attr.contract.records.fields import AnyObject
from stream_attr.rules.shop.days import day_number
from stream_attr.rules.vocabulary import Code

MAX_RECORD_BYTES: Final = 256 * 1024
"""Largest value of an input record."""
MAX_KEY_BYTES: Final = 64 * 1024
"""Largest key: a dead letter has it twice, and has to fit into a topic."""

_object: Final = msgspec.json.Decoder(AnyObject)

_T = TypeVar("_T")


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
        raise RefusedRecord(
            Code.BAD_VALUE, f"`{field}` has a control character or an escaped lone surrogate", field
        )


def check_day(value: str, field: str) -> None:
    """Raise unless a date is ``YYYY-MM-DD``."""
    try:
        day_number(value)
    except ValueError:
        raise RefusedRecord(
            Code.BAD_VALUE, f"`{field}` is not a date YYYY-MM-DD: {value[:32]!r}", field
        ) from None


MAX_DEPTH: Final = 200
DEEP_BYTES: Final = 2 * MAX_DEPTH
"""Up to so many bytes, a record cannot be nested more deeply than `MAX_DEPTH`."""
MAX_MESSAGE_CHARACTERS: Final = 300
"""Of a dead letter's message or field: they may quote what the sender wrote."""
_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKETS: Final = re.compile(rb"[\[\]{}]")
_MISSING: Final = re.compile(r"Object missing required field `(.*)`", re.DOTALL)
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_PLACE: Final = " - at `$"


def decode(decoder: Callable[[bytes], _T], value: bytes | None, path: str = "") -> _T:
    """Return what ``decoder`` makes of a record's value.

    ``path``: where the value stands in its record, if it is a part of one.

    Raises:
        LoneSurrogatesError: the decoder refuses its lone surrogates; the caller reads it by ``read_by``.
        RefusedRecord: it cannot be decoded.
    """
    if value is None:
        raise RefusedRecord(Code.NOT_JSON, "a tombstone (no value) is not a record of this topic")
    if len(value) > MAX_RECORD_BYTES:
        raise RefusedRecord(
            Code.TOO_LARGE, f"{len(value)} bytes are more than the {MAX_RECORD_BYTES} that a record may have"
        )
    if len(value) > DEEP_BYTES:
        _check_depth(value)
    try:
        if not value.isascii():
            value.decode()  # the decoder skips fields that it does not know
        return decoder(value)
    except UnicodeDecodeError as error:
        raise _not_json(error, value) from None
    except msgspec.DecodeError as error:
        if mended(value) is not None:
            raise LoneSurrogatesError(value) from None
        if isinstance(error, msgspec.ValidationError):
            raise _explained(str(error), value, path, decoder) from None
        raise _not_json(error, value) from None


def _check_depth(value: bytes) -> None:
    """Raise if a record is nested more deeply than can be decoded from any depth of the call stack."""
    if value.count(b"[") + value.count(b"{") <= MAX_DEPTH:
        return
    depth = 0
    for bracket in _BRACKETS.findall(_STRING.sub(b"", value)):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            raise RefusedRecord(Code.NOT_JSON, f"nested more than {MAX_DEPTH} deep")


def _not_json(error: Exception, value: bytes) -> RefusedRecord:
    if value.startswith(codecs.BOM_UTF8):
        error = ValueError("it begins with a byte order mark (EF BB BF); leave it out")
    return RefusedRecord(Code.NOT_JSON, f"not JSON in UTF-8: {error}"[:MAX_MESSAGE_CHARACTERS])


def _explained(problem: str, value: bytes, path: str, decoder: Callable[[bytes], Any]) -> RefusedRecord:
    """Turn the decoder's first error into a code, a field and a message."""
    try:
        _object.decode(value)
    except msgspec.ValidationError:
        if not path:
            return RefusedRecord(Code.NOT_AN_OBJECT, "the value is not a JSON object")
    except msgspec.DecodeError as error:
        # The decoder found a wrong field before the place where the JSON breaks.
        return _not_json(error, value)
    # The error may quote the sender: its kind is how it begins, its place the last one in it.
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
    """Return a text that may quote the sender, cut to the longest allowed."""
    return text if len(text) <= MAX_MESSAGE_CHARACTERS else text[: MAX_MESSAGE_CHARACTERS - 1] + "…"


@functools.lru_cache(256)
def _words(decoder: Callable[[bytes], Any], place: str) -> tuple[str, ...]:
    """Return the words that a decoder allows at a place such as ``.sender``; none where any is allowed."""
    owner: Any = getattr(decoder, "__self__", None)
    found = _plain(msgspec.inspect.type_info(owner.type))
    for name in place.split(".")[1:]:
        fields: tuple[msgspec.inspect.Field, ...] = getattr(found, "fields", ())
        found = next(
            (_plain(field.type) for field in fields if field.encode_name == name), msgspec.inspect.AnyType()
        )
    if isinstance(found, msgspec.inspect.EnumType):
        return tuple(one.value for one in found.cls)
    return getattr(found, "values", ())


def _plain(found: msgspec.inspect.Type) -> msgspec.inspect.Type:
    """Return a type without what its schema says of it."""
    while isinstance(found, msgspec.inspect.Metadata):
        found = found.type
    return found
