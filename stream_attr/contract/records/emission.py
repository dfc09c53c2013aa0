"""The fields of an emitted record behind its content, which tell its revisions apart (RULEBOOK 10)."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

from stream_attr.contract.records.fields import instant, word
from stream_attr.rules.vocabulary import REASONS

Revision = Annotated[int, Meta(ge=1)]
REVISION_REASON: Final = word(REASONS, "What brought this revision about.")


class Emission(Struct, gc=False):
    """The fields of every emitted record beside its content."""

    revision: Annotated[Revision, Meta(description="Counts from 1 per key.")]
    reason: Annotated[str, REVISION_REASON]
    watermark: Annotated[
        int,
        instant("The watermark when this revision was made; 0 before there was one."),
    ]
