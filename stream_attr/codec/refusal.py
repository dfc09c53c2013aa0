"""Why a record cannot be used (RULEBOOK 11)."""

from __future__ import annotations

from enum import StrEnum

from stream_attr.errors import StreamAttrError


class Code(StrEnum):
    """The dead-letter codes."""

    INCOMPLETE_ORDER = "incomplete_order"
    NOT_JSON = "not_json"
    NOT_AN_OBJECT = "not_an_object"
    MISSING_FIELD = "missing_field"
    BAD_TYPE = "bad_type"
    BAD_VALUE = "bad_value"
    KEY_MISMATCH = "key_mismatch"
    FUTURE_TIMESTAMP = "future_timestamp"
    TOO_LATE = "too_late"
    TOO_LARGE = "too_large"


class RefusedRecord(StreamAttrError):  # noqa: N818 - an answer to the sender, not a failure of ours
    """A record is refused: ``code``, the ``field`` it is about (a dotted path, or None) and a remedy."""

    def __init__(self, code: Code, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field
