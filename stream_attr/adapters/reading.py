"""What stands in a foreign payload: its parts, ids, words and texts.

Every function raises :class:`SkippedError` for what it cannot read without a guess.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from stream_attr.adapters.skips import Reason, SkippedError
from stream_attr.codec.decoding import check_id
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.contract.currency import minor_digits
from stream_attr.contract.records.fields import MAX_AMOUNT

__all__ = [
    "Document",
    "checked_id",
    "currency_of",
    "embedded",
    "flag",
    "identifier",
    "identifier_or_none",
    "integer",
    "integer_or_none",
    "mapping",
    "mapping_or_none",
    "mappings",
    "parse",
    "root",
    "text_or_none",
    "unwrapped",
    "word",
    "word_or_none",
]

Document = Mapping[str, Any]
"""A JSON object."""

MAX_ID_LENGTH: Final = 128
_DAMAGED: Final = re.compile(r"[+-]?\d+(?:[.,]\d+)?[eE]\+?\d+", re.ASCII)
"""What a spreadsheet makes of a long number: its last digits are lost."""
WHOLE: Final = re.compile(r"-?\d{1,20}", re.ASCII)


def parse(payload: object) -> object:
    """Return a payload as Python values, with fractions as ``Decimal``; what is parsed stays as it is."""
    if isinstance(payload, (bytes, bytearray)):
        try:
            payload = payload.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise SkippedError(Reason.NOT_JSON, "not UTF-8") from None
    if not isinstance(payload, str):
        return payload
    try:
        return json.loads(payload, parse_float=_decimal, parse_constant=_decimal)
    except (ValueError, RecursionError):
        raise SkippedError(Reason.NOT_JSON, "not JSON") from None


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("NaN")


def root(payload: object) -> Document:
    """Return a payload that is an object."""
    return _object(payload, "payload")


def unwrapped(body: Document) -> Document:
    """Return what stands within the name of the call that was answered, ``…_response``, or the object."""
    for name, inner in body.items():
        if name.endswith(("_response", "_responce")):
            return _object(inner, name)
    return body


def embedded(parent: Document, name: str) -> Document:
    """Return the object in a field that holds JSON as a string, or the object itself."""
    value = parent.get(name)
    if isinstance(value, str):
        value = parse(value)
    return _object(value, name)


def _object(value: object, name: str) -> Document:
    if value is None:
        raise SkippedError(Reason.MISSING_FIELD, name)
    if not isinstance(value, Mapping):
        raise SkippedError(Reason.BAD_TYPE, name)
    return value


def mapping(parent: Document, name: str) -> Document:
    """Return the object in a field."""
    return _object(parent.get(name), name)


def mapping_or_none(parent: Document, name: str) -> Document | None:
    """Return the object in a field; None where it is absent or null."""
    value = parent.get(name)
    return None if value is None else _object(value, name)


def mappings(parent: Document, name: str) -> list[Document]:
    """Return the objects of a list; none where it is absent or null."""
    value = parent.get(name)
    if value is None:
        return []
    if isinstance(value, (str, bytes)) or not isinstance(value, Sequence):
        raise SkippedError(Reason.BAD_TYPE, name)
    return [_object(one, name) for one in value]


def identifier_or_none(parent: Document, name: str) -> str | None:
    """Return an id, a string or a whole number; None where it is absent, null or empty."""
    value = parent.get(name)
    if value is None:
        return None
    if isinstance(value, bool):
        raise SkippedError(Reason.BAD_TYPE, name)
    if isinstance(value, int):
        return checked_id(str(value), name) if abs(value) < 10**MAX_ID_LENGTH else _bad_id(name)
    if isinstance(value, (float, Decimal)):
        return _bad_id(name)
    if not isinstance(value, str):
        raise SkippedError(Reason.BAD_TYPE, name)
    value = value.strip()
    return checked_id(value, name) if value else None


def identifier(parent: Document, name: str) -> str:
    """Return an id, a string or a whole number."""
    value = identifier_or_none(parent, name)
    if value is None:
        raise SkippedError(Reason.MISSING_FIELD, name)
    return value


def checked_id(value: str, name: str) -> str:
    """Return an id that the contract takes."""
    if not 0 < len(value) <= MAX_ID_LENGTH or _DAMAGED.fullmatch(value):
        return _bad_id(name)
    if (
        not value.isascii()
        and not value.isprintable()
        and any("\ud800" <= char <= "\udfff" for char in value)
    ):
        return _bad_id(name)
    try:
        check_id(value, name)
    except RefusedRecord:
        return _bad_id(name)
    return value


def _bad_id(name: str) -> str:
    raise SkippedError(Reason.BAD_ID, name)


def word_or_none(parent: Document, name: str) -> str | None:
    """Return a word of the platform; a number as its digits; None where it is absent, null or empty."""
    value = parent.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**20:
        return str(value)
    raise SkippedError(Reason.BAD_TYPE, name)


def word(parent: Document, name: str) -> str:
    """Return a word of the platform; a number as its digits."""
    value = word_or_none(parent, name)
    if value is None:
        raise SkippedError(Reason.MISSING_FIELD, name)
    return value


def flag(parent: Document, name: str) -> bool:
    """Return yes or no, also where it is written 0 or 1; no where it is absent or null."""
    value = parent.get(name)
    if value is None or value is False or value is True:
        return bool(value)
    if isinstance(value, int) and value in {0, 1}:
        return value == 1
    if isinstance(value, str) and value in {"true", "false"}:
        return value == "true"
    raise SkippedError(Reason.BAD_TYPE, name)


def integer_or_none(parent: Document, name: str) -> int | None:
    """Return a whole number, also one that is written as a string; None where it is absent, null or empty."""
    value = parent.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        raise SkippedError(Reason.BAD_TYPE, name)
    if isinstance(value, str) and WHOLE.fullmatch(value.strip()):
        value = int(value)
    if isinstance(value, int) and abs(value) <= MAX_AMOUNT:
        return value
    raise SkippedError(Reason.BAD_TYPE, name)


def integer(parent: Document, name: str) -> int:
    """Return a whole number, also one that is written as a string."""
    value = integer_or_none(parent, name)
    if value is None:
        raise SkippedError(Reason.MISSING_FIELD, name)
    return value


def text_or_none(parent: Document, name: str) -> str | None:
    """Return what somebody wrote, with U+FFFD for lone surrogates; None where it is absent or null."""
    value = parent.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise SkippedError(Reason.BAD_TYPE, name)
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def currency_of(parent: Document, name: str) -> str:
    """Return a currency whose minor unit ISO 4217 knows."""
    value = word(parent, name)
    if minor_digits(value) is None:
        raise SkippedError(Reason.BAD_VALUE, name)
    return value
