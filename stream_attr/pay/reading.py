"""Pay schemes from JSON bytes and back; a wrong one is one sentence with the path and the remedy."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from stream_attr.codec.decoding import decode
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.contract.records.pay_numbers import Written
from stream_attr.contract.records.pay_scheme import SCHEMA, PayScheme
from stream_attr.pay.checks import check_scheme
from stream_attr.pay.figures import WrongSchemeError
from stream_attr.rules.vocabulary import Code

__all__ = ["WrongSchemeError", "encode_scheme", "read_scheme"]

_TYPES: Final = {
    "int": "an integer",
    "float": "a number with a fraction",
    "str": "text",
    "object": "an object",
    "array": "a list",
    "bool": "true or false",
    "null": "null",
}
_EXPECTED: Final = re.compile(r"`: Expected `(\w+)`(?:, got `(\w+)`)?(?: of length)? ?(?:(>=|<=) (\d+))?$")
_WORD: Final = re.compile(r"`: Invalid (?:enum )?value ('.*?')(?:; it is one of .*)?$", re.DOTALL)


def _exact(kind: type, raw: Any) -> Any:
    if issubclass(kind, Written):
        return kind.read(raw)
    raise NotImplementedError  # pragma: no cover -- no field has another type of ours


def _written(value: Any) -> Any:
    if isinstance(value, Written):
        return value.written
    raise NotImplementedError  # pragma: no cover -- likewise


_scheme: Final = msgspec.json.Decoder(PayScheme, dec_hook=_exact)
_encoder: Final = msgspec.json.Encoder(enc_hook=_written)


def read_scheme(value: bytes, figures: Mapping[str, str]) -> PayScheme:
    """Return the scheme of a document.

    ``figures``: the unit of each figure that there is, by key: ``money``, ``count``, ``seconds``, ``rate`` or
    ``ratio``.

    Raises:
        WrongSchemeError: it is not a scheme, or one that cannot be paid by; the sentence names the field.
    """
    try:
        scheme = decode(_scheme.decode, value)
    except RefusedRecord as refused:
        raise _explained(refused, value) from None
    check_scheme(scheme, figures)
    return scheme


def encode_scheme(scheme: PayScheme) -> bytes:
    """Return a scheme as JSON; `read_scheme` makes the same scheme of it."""
    return _encoder.encode(scheme)


def _explained(refused: RefusedRecord, value: bytes) -> WrongSchemeError:
    path = refused.field
    if path is None:
        return WrongSchemeError(f"the scheme cannot be read: {refused.message}", None)
    schema, parent = _schema_of(path, msgspec.json.decode(value))
    meaning = schema.get("description", "").rstrip(".")
    found = _EXPECTED.search(refused.message)
    if refused.code == Code.MISSING_FIELD:
        problem = f"is missing: {meaning}"
    elif "unknown field" in refused.message:
        names = ", ".join(parent.get("properties", ()))
        problem = f"is not a field; here may be {names}" if names else "is not a field: leave it out"
    elif (word := _WORD.search(refused.message)) is not None:
        problem = f"is {word[1]}, not one of {', '.join(_words(schema))}: {meaning}"
    elif found is not None:
        problem = f"{_wanted(*found.groups())}: {meaning}"
    else:
        problem = f"{refused.message.partition('`: ')[2]}: {meaning}"
    return WrongSchemeError(f"`{path}` {problem}", path)


def _wanted(kind: str, got: str | None, sign: str | None, bound: str | None) -> str:
    if got is not None or bound is None:
        return f"must be {_TYPES[kind]}" + (f", and is {_TYPES[got]}" if got in _TYPES else "")
    least = "at least" if sign == ">=" else "at most"
    unit = {"str": " character", "array": " element"}.get(kind, "")
    plural = "s" if unit and bound != "1" else ""
    return f"must {'have' if unit else 'be'} {least} {bound}{unit}{plural}"


@functools.cache
def _json_schema() -> dict[str, Any]:
    return SCHEMA.json_schema()


def _words(schema: Mapping[str, Any]) -> list[str]:
    kinds = [one["properties"]["kind"]["const"] for one in schema.get("oneOf", ())]
    return [f"`{word}`" for word in schema.get("enum") or kinds]


def _schema_of(path: str, document: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the schemas of a field and of the object that has it; empty ones where there is none."""
    schema = _json_schema()
    parent: dict[str, Any] = {}
    for part in re.findall(r"[^.\[\]]+", path):
        if "items" in schema:
            if not part.isdecimal() or int(part) >= len(document):
                return {}, {}  # the name of an unknown field looks like a path
            schema, document = schema["items"], document[int(part)]
            continue
        parent, document = schema, document if isinstance(document, dict) else {}
        if "oneOf" in schema and part != "kind":
            kind = document.get("kind")
            parent = next((one for one in schema["oneOf"] if one["properties"]["kind"]["const"] == kind), {})
        if "oneOf" in schema and part == "kind":
            schema = {**schema, "description": "the kind of the component or rule"}
        else:
            schema = parent.get("properties", {}).get(part, {})
        document = document.get(part)
    return schema, parent
