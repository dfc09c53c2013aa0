"""Rulings from JSON bytes, checked by RULEBOOK 2, and the fact that is kept of one."""

from __future__ import annotations

from typing import Final

import msgspec.json
from msgspec import UNSET

from stream_attr.codec.decoding import check_id, decode
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.codec.surrogates import LoneSurrogatesError
from stream_attr.contract.records.ruling import RulingEvent
from stream_attr.rules.order.facts import Ruling
from stream_attr.rules.vocabulary import Code

_ruling: Final = msgspec.json.Decoder(RulingEvent)


def decode_ruling(value: bytes | None) -> RulingEvent:
    """Return the ruling of a record's bytes."""
    try:
        event = decode(_ruling.decode, value)
    except LoneSurrogatesError as found:
        return found.read_by(decode_ruling)
    if event.agent_id is UNSET and event.type == "credit":
        raise RefusedRecord(
            Code.MISSING_FIELD, "`credit` needs `agent_id`: an agent, or null for nobody", "agent_id"
        )
    for name in ("event_id", "shop_id", "buyer_id", "order_id"):
        check_id(getattr(event, name), name)
    if isinstance(event.agent_id, str):
        check_id(event.agent_id, "agent_id")
        if event.agent_id == "*":
            raise RefusedRecord(
                Code.BAD_VALUE, "`agent_id` is `*`, which stands for a shop's totals", "agent_id"
            )
    return event


def ruling_of(event: RulingEvent) -> Ruling:
    """Return what is kept of a ruling."""
    withdrawn = event.type == "withdrawn"
    agent_id = None if withdrawn or event.agent_id is UNSET else event.agent_id
    return Ruling(event.ts, event.event_id, agent_id, event.ruled_by, withdrawn)
