"""Why a record cannot be used (RULEBOOK 11)."""

from __future__ import annotations

from stream_attr.errors import StreamAttrError
from stream_attr.rules.vocabulary import Code


class RefusedRecord(StreamAttrError):  # noqa: N818 - an answer to the sender, not a failure of ours
    """A record is refused: ``code``, the ``field`` it is about (a dotted path, or None) and a remedy."""

    def __init__(self, code: Code, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field
