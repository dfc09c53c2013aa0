"""Records of the topics as rows of the ledger's tables (LEDGER 2): pure functions, no database.

A record becomes one row; a decision also becomes the rows of its refunds. PostgreSQL keeps no U+0000: within
text it is replaced by U+FFFD, as lone surrogates are (RULEBOOK 11), and a record with one in an identifier
is not storable, since two different identifiers could become one.
"""

from __future__ import annotations

import base64
import functools
import re
from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final, get_type_hints

import msgspec
from msgspec import UNSET, Struct, defstruct

from stream_attr.codec.records.roster import decode_roster
from stream_attr.codec.records.ruling import decode_ruling
from stream_attr.codec.records.shop_settings import decode_settings
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.contract.records.agent_daily import AgentDaily
from stream_attr.contract.records.dead_letter import DeadLetter
from stream_attr.contract.records.decision import Decision
from stream_attr.contract.records.emission import Emission
from stream_attr.contract.records.inquiry_outcome import InquiryOutcome
from stream_attr.contract.records.reception_fact import ReceptionFact
from stream_attr.contract.records.service_task import ServiceTask
from stream_attr.contract.topics import (
    AGENT_DAILY,
    COMPARISONS,
    DEAD_LETTERS,
    DECISIONS,
    FACTS,
    INQUIRIES,
    ROSTER,
    RULINGS,
    SETTINGS,
    TASKS,
)
from stream_attr.errors import StreamAttrError
from stream_attr.ledger.sink.lines import array_of_pairs, array_of_texts, line_of, line_with
from stream_attr.ledger.sink.tables import (
    AGENT_DAY_HEAD,
    DECISION_HEAD,
    DECISION_SUMS,
    EMISSION,
    INQUIRY_HEAD,
    RECEPTION_HEAD,
    TASK_HEAD,
)
from stream_attr.processor.ports import Record
from stream_attr.rules.shop.days import day_name, day_number
from stream_attr.rules.shop.settings import OFFICIAL

__all__ = ["Row", "UnstorableError", "known_at", "row_of"]


class UnstorableError(StreamAttrError):
    """A record does not fit its table; the message says why, and is stored with it in ``unstored``."""


class Row(Struct, frozen=True, gc=False):
    """A record as a row of a table."""

    record: Record
    key: tuple[Any, ...]
    """Of its table's primary key, without the revision."""
    order: tuple[int, int]
    """Revision and offset: of two rows of one key the greater one holds."""
    line: bytes
    """Its values in the order of the table's columns, without the line end."""
    watermark: int | None = None
    """Epoch milliseconds; None: records of this topic have none."""
    refunds: tuple[bytes, ...] = ()
    """Of a decision under the official settings: lines in the order of the columns of ``refund``, and behind
    them the decision's revision and offset."""


def _slim(name: str, *sources: tuple[type[Struct], tuple[str, ...]]) -> type[Struct]:
    """Return a struct of some fields of records: what is left out is passed over, not decoded."""
    fields: list[tuple[str, Any]] = []
    for source, names in sources:
        hints = get_type_hints(source, include_extras=True)
        fields += [(one, hints[one]) for one in names]
    return defstruct(name, fields, gc=False)


def _decision_slim() -> type[Struct]:
    names = (
        *DECISION_HEAD, "placing", "payment", "credit", *DECISION_SUMS, "notices", "refunds", "final_at",
        "watermark",
    )  # fmt: skip
    # Decisions of older programs name no products.
    return defstruct(
        "DecisionRow",
        [("product_ids", list[str] | None, None)],
        bases=(_slim("Decided", (Decision, names)),),
        gc=False,
    )


_decision: Final = msgspec.json.Decoder(_decision_slim())
_inquiry: Final = msgspec.json.Decoder(
    _slim(
        "InquiryRow",
        (InquiryOutcome, (*(one for one in INQUIRY_HEAD if one not in EMISSION), "order_ids", "final_at")),
        (Emission, EMISSION),
    )
)
_reception: Final = msgspec.json.Decoder(
    _slim(
        "ReceptionRow",
        (
            ReceptionFact,
            (
                *(one for one in RECEPTION_HEAD if one not in EMISSION),
                "presence", "filtered", "role", "final_at",
            ),
        ),
        (Emission, EMISSION),
    )
)  # fmt: skip
_agent_day: Final = msgspec.json.Decoder(
    _slim("AgentDayRow", (AgentDaily, ("shop_id", "agent_id", "day", "status")), (Emission, EMISSION))
)
_task: Final = msgspec.json.Decoder(
    _slim(
        "TaskRow",
        (ServiceTask, tuple(one for one in TASK_HEAD if one not in EMISSION)),
        (Emission, EMISSION),
    )
)
_dead_letter: Final = msgspec.json.Decoder(
    _slim(
        "DeadLetterRow",
        (
            DeadLetter,
            ("code", "message", "field", "topic", "partition", "offset", "file", "line", "value_base64"),
        ),
    )
)

_decision_head: Final = attrgetter(*DECISION_HEAD)
_decision_sums: Final = attrgetter(*DECISION_SUMS)
_refund: Final = attrgetter("refund_id", "ts", "amount", "completed")
_inquiry_head: Final = attrgetter(*INQUIRY_HEAD)
_reception_head: Final = attrgetter(*RECEPTION_HEAD)
_agent_day_head: Final = attrgetter(*AGENT_DAY_HEAD)
_task_head: Final = attrgetter(*TASK_HEAD)


_LATEST: Final = 2**63 - 1
"""The last instant that the database can hold."""


def row_of(record: Record) -> Row:
    """Return the row that a record becomes; its topic without prefix, its timestamp when it came.

    Raises:
        UnstorableError: it does not fit.
    """
    value = record.value
    if value is None:
        raise UnstorableError("it is a tombstone, which this topic does not have")
    make = _MAKERS[record.topic]
    try:
        row = (
            _without_nul(make, record, value)
            if b"\\" in value and b"\\u0000" in value
            else make(record, value)
        )
    except RefusedRecord as refusal:
        raise UnstorableError(str(refusal)) from refusal
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise UnstorableError(f"it is not a record of {record.topic}: {error}") from error
    if row.watermark is not None and row.watermark > _LATEST:
        raise UnstorableError("its watermark is no instant")
    return row


def known_at(record: Record, watermark: int) -> int:
    """Return when a record came: its timestamp, or the watermark of one that has none, as in files."""
    return watermark if record.timestamp < 0 else record.timestamp


_NUL: Final = re.compile(rb"\\(?:(?P<nul>u0000)|.)", re.DOTALL)


def _without_nul(make: Callable[[Record, bytes], Row], record: Record, value: bytes) -> Row:
    """Return the row of a record with U+FFFD in place of each U+0000, unless an identifier has one."""
    row = make(record, _NUL.sub(lambda found: rb"\ufffd" if found["nul"] else found[0], value))
    if row.key != make(record, value).key:
        raise UnstorableError("an identifier has the character U+0000, which PostgreSQL cannot keep")
    return row


@functools.cache
def _checked_day(name: str) -> str:
    """Return a date; raise ValueError unless it is ``YYYY-MM-DD``."""
    day_number(name)
    return name


def _decided(record: Record, value: bytes) -> Row:
    one: Any = _decision.decode(value)
    if (one.profile == OFFICIAL) != (record.topic == DECISIONS):
        raise UnstorableError(f"profile {one.profile} is not one of {record.topic}")
    if one.settings_from is not None:
        _checked_day(one.settings_from)
    credit = one.credit
    agent_id, basis = (None, None) if credit is None else (credit.agent_id, credit.basis)
    head = _decision_head(one)
    values = (
        *head,
        None if one.placing is None else one.placing.agent_id,
        None if one.payment is None else one.payment.agent_id,
        agent_id,
        basis,
        *_decision_sums(one),
        array_of_texts(one.notices),
        None if one.product_ids is None else array_of_texts(one.product_ids),
        one.final_at,
        one.watermark,
        known_at(record, one.watermark),
        record.partition,
        record.offset,
    )
    order = (one.revision, record.offset)
    refunds: tuple[bytes, ...] = ()
    if one.refunds and one.profile == OFFICIAL:
        of_order, of_sale = head[:2], (one.currency, agent_id, one.outcome)
        refunds = tuple(
            line_of((*of_order, number, *_refund(refund), *of_sale, *order))
            for number, refund in enumerate(one.refunds, 1)
        )
    return Row(record, head[:3], order, line_with(values, value), one.watermark, refunds)


def _inquired(record: Record, value: bytes) -> Row:
    one: Any = _inquiry.decode(value)
    _checked_day(one.day)
    head = _inquiry_head(one)
    values = (
        *head,
        array_of_texts(one.order_ids),
        one.final_at,
        one.watermark,
        record.partition,
        record.offset,
    )
    return Row(record, head[:4], (one.revision, record.offset), line_of(values), one.watermark)


def _received(record: Record, value: bytes) -> Row:
    one: Any = _reception.decode(value)
    _checked_day(one.day)
    head = _reception_head(one)
    values = (
        *head,
        array_of_pairs(one.presence),
        one.filtered,
        one.role,
        one.final_at,
        one.watermark,
        record.partition,
        record.offset,
    )
    return Row(record, head[:4], (one.revision, record.offset), line_of(values), one.watermark)


def _agents_day(record: Record, value: bytes) -> Row:
    one: Any = _agent_day.decode(value)
    _checked_day(one.day)
    head = _agent_day_head(one)
    line = line_with((*head, record.partition, record.offset), value)
    return Row(record, head[:3], (one.revision, record.offset), line, one.watermark)


def _tasked(record: Record, value: bytes) -> Row:
    one: Any = _task.decode(value)
    head = _task_head(one)
    values = (*head, record.partition, record.offset)
    return Row(record, head[:3], (one.revision, record.offset), line_of(values), one.watermark)


def _set(record: Record, value: bytes) -> Row:
    given = decode_settings(value)
    key = (given.shop_id, record.partition, record.offset)
    line = line_with((*key, day_name(given.first_day)), value)
    return Row(record, key, (0, record.offset), line)


def _listed(record: Record, value: bytes) -> Row:
    one = decode_roster(value)
    key = (one.shop_id, one.agent_id, record.partition, record.offset)
    given = (None if part is UNSET else part for part in (one.name, one.group, one.person_id))
    values = (*key, one.effective_from, one.role.value, *given)
    return Row(record, key, (0, record.offset), line_of(values))


def _ruled(record: Record, value: bytes) -> Row:
    one = decode_ruling(value)
    values = (
        one.shop_id,
        one.event_id,
        one.buyer_id,
        one.order_id,
        one.ts,
        one.type,
        None if one.agent_id is UNSET else one.agent_id,
        one.ruled_by,
        record.partition,
        record.offset,
    )
    return Row(record, values[:2], (0, record.offset), line_of(values))


def _refused(record: Record, value: bytes) -> Row:
    one: Any = _dead_letter.decode(value)
    if one.file is None:
        place = f"partition {one.partition}, offset {one.offset}"
    else:
        place = f"{one.file}, line {one.line}"
    key = (record.partition, record.offset)
    named = _named_in(one.value_base64)
    values = (*key, record.timestamp, one.code, one.field, one.topic, one.message, place, *named)
    return Row(record, key, (0, record.offset), line_of(values))


_LONGEST_ID: Final = 128
"""Of an identifier (RULEBOOK 2)."""


def _named_in(value_base64: str | None) -> tuple[str | None, str | None]:
    """Return the shop and the order that a refused record names, where it can be read at all."""
    try:
        given = msgspec.json.decode(base64.b64decode(value_base64 or "", validate=True))
    except ValueError:  # msgspec's and binascii's errors are of this kind
        return None, None
    if not isinstance(given, dict):
        return None, None
    shop_id, order_id = (
        one if isinstance(one, str) and 0 < len(one) <= _LONGEST_ID and "\0" not in one else None
        for one in (given.get("shop_id"), given.get("order_id"))
    )
    return shop_id, order_id


_MAKERS: Final[dict[str, Callable[[Record, bytes], Row]]] = {
    DECISIONS: _decided,
    COMPARISONS: _decided,
    INQUIRIES: _inquired,
    FACTS: _received,
    AGENT_DAILY: _agents_day,
    TASKS: _tasked,
    SETTINGS: _set,
    ROSTER: _listed,
    RULINGS: _ruled,
    DEAD_LETTERS: _refused,
}
