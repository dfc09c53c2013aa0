"""A record of ``dead-letters`` (RULEBOOK 11)."""

from __future__ import annotations

from typing import Annotated, Any, Final

from msgspec import Meta, Struct

from stream_attr.contract.records.fields import Count, field, word
from stream_attr.contract.schema import RecordSchema
from stream_attr.contract.topics import INPUTS
from stream_attr.rules.vocabulary import CODES


class DeadLetter(Struct, gc=False):
    """A record that could not be used, with its original bytes.

    It holds what was sent, chat text too: the topic needs the access rules of the input topics.
    """

    code: Annotated[str, word(CODES, "Why the record cannot be used.")]
    message: Annotated[Annotated[str, Meta(min_length=1)], field("The same for people, naming the field.")]
    field: Annotated[
        str | None, field("Dotted path of the field that it is about; null: the record as a whole.")
    ]
    topic: Annotated[str, field("The input topic, without prefix.", enum=list(INPUTS))]
    partition: Annotated[Count | None, field("Where the record lay; null when it came from a file.")]
    offset: Annotated[Count | None, field("Where the record lay; null when it came from a file.")]
    file: Annotated[str | None, field("The file as it was named; null when the record came from a topic.")]
    line: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        field("Line number, counted from 1; null when the record came from a topic."),
    ]
    key_base64: Annotated[
        str | None,
        field(
            "The record's key, base64; of a too_large record the first 65,536 bytes; null: it had none.",
            contentEncoding="base64",
        ),
    ]
    value_base64: Annotated[
        str | None,
        field(
            "The record's bytes, base64; of a too_large one the first 65,536 bytes; null: a tombstone.",
            contentEncoding="base64",
        ),
    ]
    length: Annotated[Count | None, field("Length of the complete value. Bytes. null: a tombstone.")]
    sha256: Annotated[
        str | None,
        field(
            "SHA-256 of the complete value, hexadecimal; null: a tombstone.",
            pattern="^[0-9a-f]{64}",
            maxLength=64,
        ),
    ]


def _lay(there: dict[str, str], not_there: tuple[str, str]) -> dict[str, Any]:
    types = {**there, **dict.fromkeys(not_there, "null")}
    return {"properties": {name: {"type": kind} for name, kind in types.items()}}


SCHEMA: Final = RecordSchema(
    "dead-letter",
    "Dead letter",
    DeadLetter,
    closed=True,
    conditions={
        "oneOf": [
            _lay({"partition": "integer", "offset": "integer"}, ("file", "line")),
            _lay({"file": "string", "line": "integer"}, ("partition", "offset")),
        ]
    },
)
