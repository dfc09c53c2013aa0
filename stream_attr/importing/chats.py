"""Rows of chats as events."""

from __future__ import annotations

import hashlib
from typing import Final, cast

import orjson

from stream_attr.adapters.collector import Collector, Talk
from stream_attr.adapters.connection import Connection
from stream_attr.adapters.skips import Reason, SkippedError
from stream_attr.contract.records.chat_event import ChatEvent
from stream_attr.importing.fields import ROBOT, SYSTEM
from stream_attr.importing.reading import Reader
from stream_attr.importing.refused import RowError
from stream_attr.rules.vocabulary import Entry, MessageKind, Sender
from stream_attr.sheets.book import SheetRow

__all__ = ["chat_event"]

_ID_CHARACTERS: Final = 32
_AGENTS: Final = {ROBOT: "auto_reply", SYSTEM: "system"}
"""Senders that stand for an agent, with the kind of such a message."""


def chat_event(reader: Reader, row: SheetRow) -> ChatEvent:
    """Return the event of a row.

    Where the file gives it no id, that follows from all that the row says: the same in any export.

    Raises RowError.
    """
    needed = reader.needed
    shop = reader.shop(row)
    ts = needed(reader.time(row, "time"), "time", row)
    buyer = needed(reader.identifier(row, "buyer"), "buyer", row)
    agent = needed(reader.identifier(row, "agent"), "agent", row)
    own = reader.identifier(row, "message")
    to_agent, score = reader.identifier(row, "to_agent"), reader.count(row, "score")
    sender = None if to_agent is not None or score is not None else _sender(reader, row, buyer, agent)
    text, product = reader.text(row, "text"), reader.identifier(row, "product")
    kind, entry = reader.word(row, "kind") or "text", reader.word(row, "entry")
    if sender in _AGENTS:
        sender, kind = "agent", _AGENTS[sender]
    content = (shop, buyer, agent, ts, sender, kind, text, product, entry, to_agent, score)
    key = hashlib.sha256(orjson.dumps(content)).hexdigest()[:_ID_CHARACTERS] if own is None else own
    out = Collector(Connection(shop_id=shop, with_text=reader.options.with_text))
    talk = Talk(reader.source.map.platform, shop, buyer, reader.options.with_text)
    try:
        if to_agent is not None:
            if to_agent == agent:
                why = "is the agent who hands over"
                raise RowError(Reason.BAD_VALUE, _about(reader, row, "to_agent", why))
            out.transfer(talk, key, ts, agent, to_agent)
        elif score is not None:
            out.rating(talk, key, ts, agent, score)
        else:
            out.message(
                talk,
                key,
                ts,
                sender=cast(Sender, sender),
                agent_id=agent,
                text=text,
                kind=cast(MessageKind, kind),
                entry=cast(Entry | None, entry),
                product_id=product,
            )
    except SkippedError as error:
        field = {"agent": "agent", "score": "score"}.get(error.skip.about, "message")
        raise RowError(error.skip.reason, _about(reader, row, field, "cannot be used")) from error
    (event,) = out.done().events
    assert isinstance(event, ChatEvent)
    return event


def _sender(reader: Reader, row: SheetRow, buyer: str, agent: str) -> str:
    if "speaker" not in reader.source.positions:
        return reader.needed(reader.word(row, "sender"), "sender", row)
    speaker = reader.needed(reader.identifier(row, "speaker"), "speaker", row)
    if speaker in (buyer, agent) and buyer != agent:
        return "buyer" if speaker == buyer else "agent"
    raise RowError(Reason.BAD_VALUE, _about(reader, row, "speaker", "is neither the buyer nor the agent"))


def _about(reader: Reader, row: SheetRow, field: str, why: str) -> str:
    cell = reader.source.cell(row, field) or reader.source.cell(row, "time")
    assert cell is not None
    return str(cell.unusable(why))
