"""The dead letter of a refused record (RULEBOOK 11)."""

from __future__ import annotations

from collections.abc import Mapping

from stream_attr.codec.records.dead_letter import KEPT_OF_TOO_LARGE, encode_dead_letter
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.contract.topics import DEAD_LETTERS
from stream_attr.processor.ports import Output, Record
from stream_attr.rules.vocabulary import Code


def dead_letter(
    refusal: RefusedRecord, record: Record, files: Mapping[str, tuple[str, ...]] | None
) -> Output:
    """Return the dead letter of a refused record."""
    key = record.key
    if key is not None and refusal.code == Code.TOO_LARGE:
        key = key[:KEPT_OF_TOO_LARGE]
    value = encode_dead_letter(
        refusal,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=key,
        value=record.value,
        file=None if files is None else files[record.topic][record.partition],
    )
    return Output(DEAD_LETTERS, key or b"", value)
