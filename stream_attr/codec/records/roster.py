"""Roster records from JSON bytes (RULEBOOK 2)."""

from __future__ import annotations

from typing import Final

import msgspec.inspect
from msgspec import UNSET

from stream_attr.codec.decoding import check_day, check_id, decode
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.codec.surrogates import LoneSurrogatesError
from stream_attr.contract.records.roster import RosterRecord
from stream_attr.rules.vocabulary import Code

_roster: Final = msgspec.json.Decoder(RosterRecord)


def decode_roster(value: bytes | None) -> RosterRecord:
    """Return the roster record of a record's bytes."""
    try:
        record = decode(_roster.decode, value)
    except LoneSurrogatesError as found:
        return found.read_by(decode_roster)
    check_id(record.shop_id, "shop_id")
    check_id(record.agent_id, "agent_id")
    if record.agent_id == "*":
        raise RefusedRecord(Code.BAD_VALUE, "`agent_id` is `*`, which stands for a shop's totals", "agent_id")
    if record.person_id is not UNSET:
        check_id(record.person_id, "person_id")
    check_day(record.effective_from, "effective_from")
    return record
