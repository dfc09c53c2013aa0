"""Records as rows: what fits, what does not, and what PostgreSQL cannot keep."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import pytest

from stream_attr.contract.registry import schemas, topic_definitions
from stream_attr.contract.topics import (
    COMPARISONS,
    DEAD_LETTERS,
    DECISIONS,
    FACTS,
    INQUIRIES,
    OUTPUTS,
    ROSTER,
    RULINGS,
    SETTINGS,
)
from stream_attr.ledger.sink.rows import Row, UnstorableError, row_of
from stream_attr.ledger.sink.tables import REFUND, TOPICS
from stream_attr.processor.ports import Record

FOLDER = Path(str(schemas())) / "examples"
EXAMPLES = [
    (topic, file)
    for topic in TOPICS
    for file in sorted((FOLDER / str(topic_definitions()[topic].record)).glob("*.pass.json"))
]


def example(file: Path) -> dict:
    return json.loads(file.read_text("utf-8"))


def first(topic: str) -> dict:
    """The first example of a topic that passes."""
    return next(example(file) for one, file in EXAMPLES if one == topic)


def row(topic: str, record: object, timestamp: int = 1_000) -> Row:
    value = record if isinstance(record, bytes) else json.dumps(record, ensure_ascii=False).encode()
    return row_of(Record(topic, 3, 17, timestamp, b"key", value))


def values(line: bytes) -> list:
    """A line taken apart: a text between its marks, anything else as JSON has it."""
    found = re.findall(r"(\x01(?:[^\x01]|\x01\x01)*\x01)|([^,\x01]+)", line.decode())
    return [json.loads(bare) if bare else text[1:-1].replace("\1\1", "\1") for text, bare in found]


def named(made: Row) -> dict:
    return dict(zip(TOPICS[made.record.topic].columns, values(made.line), strict=True))


def why(topic: str, record: object) -> str:
    with pytest.raises(UnstorableError) as refusal:
        row(topic, record)
    return str(refusal.value)


def test_every_output_and_what_people_set_is_read() -> None:
    assert set(TOPICS) == {*OUTPUTS, SETTINGS, ROSTER, RULINGS}


@pytest.mark.parametrize(("topic", "file"), EXAMPLES, ids=[f"{one[0]}: {one[1].name}" for one in EXAMPLES])
def test_every_example_becomes_a_row_of_its_table(topic: str, file: Path) -> None:
    record = example(file)
    made = row(topic, record)
    found = named(made)
    table = TOPICS[topic]
    assert made.key == tuple(found[name] for name in table.key)
    assert made.order == (record.get("revision", 0), 17)
    assert (found["source_partition"], found["source_offset"]) == (3, 17)
    for name in {*record} & {*found} - {"notices", "order_ids", "presence", "product_ids"}:
        assert found[name] == record[name], name


def test_a_decision_names_its_agents_and_keeps_its_receipt_as_it_came() -> None:
    record = first(DECISIONS) | {
        "placing": {"agent_id": "P", "rule": "last_chat", "last_ts": 1, "rounds": 1},
        "payment": {"agent_id": "Q", "rule": "last_chat", "last_ts": 1, "rounds": 1},
        "credit": {"agent_id": "R", "basis": "ruling", "rule": "payment"},
        "notices": ["amount_differs", 'a"\\b'],
    }
    found = named(row(DECISIONS, record))
    agents = [found[name] for name in ("placing_agent_id", "payment_agent_id", "agent_id", "basis")]
    assert agents == ["P", "Q", "R", "ruling"]
    assert found["notices"] == '{amount_differs,"a\\"\\\\b"}'
    assert json.loads(found["record"]) == record
    nobody = named(row(DECISIONS, record | {"placing": None, "payment": None, "credit": None}))
    assert {nobody[name] for name in ("placing_agent_id", "payment_agent_id", "agent_id", "basis")} == {None}


def test_refunds_are_numbered_and_go_with_the_credited_agent() -> None:
    refunds: list[dict] = [
        {"refund_id": None, "ts": 5, "amount": 100, "completed": False},
        {"refund_id": "r", "ts": 6, "amount": 200, "completed": True},
    ]
    record = first(DECISIONS) | {"refunds": refunds, "outcome": "credited"}
    record["credit"] = {"agent_id": "R", "basis": "payment", "rule": "payment"}
    made = row(DECISIONS, record)
    columns = (*REFUND.columns, "revision", "source_offset")
    assert [dict(zip(columns, values(one), strict=True)) for one in made.refunds] == [
        {"shop_id": record["shop_id"], "order_id": record["order_id"], "number": number}
        | refund
        | {"currency": "CNY", "agent_id": "R", "outcome": "credited"}
        | {"revision": record["revision"], "source_offset": 17}
        for number, refund in enumerate(refunds, 1)
    ]
    assert row(COMPARISONS, record | {"profile": "other"}).refunds == ()


def test_presence_is_an_array_of_pairs() -> None:
    assert named(row(FACTS, first(FACTS) | {"presence": [[1, 2], [30, 40]]}))["presence"] == "{{1,2},{30,40}}"
    assert named(row(FACTS, first(FACTS) | {"presence": []}))["presence"] == "{}"


def test_an_inquiry_that_is_taken_back_stays_a_row() -> None:
    record = first(INQUIRIES) | {"kind": "none", "outcome": "not_counted", "order_ids": []}
    assert named(row(INQUIRIES, record))["kind"] == "none"


def test_a_decision_came_at_its_kafka_time_and_without_one_at_its_watermark() -> None:
    record = first(DECISIONS) | {"watermark": 77}
    assert [named(row(DECISIONS, record, ts))["known_ts"] for ts in (0, 1_000, -1)] == [0, 1_000, 77]


@pytest.mark.parametrize(
    ("topic", "value", "reason"),
    [
        (DECISIONS, b"", "it is not a record of attribution-decisions: "),
        (DECISIONS, b"[]", "it is not a record of attribution-decisions: "),
        (DECISIONS, b"{", "it is not a record of attribution-decisions: "),
        (DECISIONS, b"\xff", "it is not a record of attribution-decisions: "),
        (INQUIRIES, first(INQUIRIES) | {"day": "tomorrow"}, "it is not a record of inquiry-outcomes: "),
        (INQUIRIES, first(INQUIRIES) | {"shop_id": ""}, "it is not a record of inquiry-outcomes: "),
        (DECISIONS, first(DECISIONS) | {"profile": "other"}, "profile other is not one of "),
        (COMPARISONS, first(COMPARISONS) | {"profile": "official"}, "profile official is not one of "),
        (DECISIONS, first(DECISIONS) | {"watermark": 2**63}, "its watermark is no instant"),
        (DECISIONS, b'{"x": ' + b"[" * 5_000, "it is not a record of attribution-decisions: "),
        (SETTINGS, first(SETTINGS) | {"no_such": 1}, ""),
        (ROSTER, first(ROSTER) | {"role": "boss"}, ""),
        (RULINGS, first(RULINGS) | {"ts": "now"}, ""),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(topic: str, value: object, reason: str) -> None:
    assert why(topic, value).startswith(reason)
    assert why(topic, value)


def test_a_tombstone_does_not_fit() -> None:
    with pytest.raises(UnstorableError, match="tombstone"):
        row_of(Record(DECISIONS, 0, 0, 0, b"key", None))


def test_a_nul_in_a_text_is_replaced_and_one_in_an_identifier_does_not_fit() -> None:
    assert named(row(ROSTER, first(ROSTER) | {"name": "a\0b"}))["name"] == "a\ufffdb"
    letter = first(DEAD_LETTERS)
    assert named(row(DEAD_LETTERS, letter | {"message": "\0"}))["message"] == "\ufffd"
    assert "U+0000" in why(DECISIONS, first(DECISIONS) | {"order_id": "o\0"})
    ruling = {"agent_id": None, "ruled_by": "a\0\\\\u0000", "ts": 1, "event_id": "e"}
    kept = named(row(DECISIONS, first(DECISIONS) | {"ruling": ruling}))["record"]
    assert json.loads(kept)["ruling"]["ruled_by"] == "a\ufffd\\\\u0000"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b'{"shop_id": "jd:1", "order_id": "o-1", "amount": "x"}', ("jd:1", "o-1")),
        (b'{"shop_id": "jd:1", "event_id": "c-1"}', ("jd:1", None)),
        (b'{"shop_id": 7, "order_id": ""}', (None, None)),
        (b'{"shop_id": "jd:1", "order_id": "' + b"o" * 128 + b'"}', ("jd:1", "o" * 128)),
        (b'{"shop_id": "jd:1", "order_id": "' + b"o" * 129 + b'"}', ("jd:1", None)),
        (b'{"shop_id": "jd:1", "order_id": "o\\u0000"}', ("jd:1", None)),
        (b'{"shop_id": "jd:1", "order_id": "o-1"', (None, None)),
        (b'["jd:1", "o-1"]', (None, None)),
        (b"\xff\xfe", (None, None)),
        (b"", (None, None)),
    ],
)
def test_a_refused_record_is_found_by_the_shop_and_order_that_it_names(
    value: bytes, expected: tuple[str | None, str | None]
) -> None:
    letter = first(DEAD_LETTERS) | {"value_base64": base64.b64encode(value).decode()}
    kept = named(row(DEAD_LETTERS, letter))
    assert (kept["shop_id"], kept["order_id"]) == expected


def test_a_refused_tombstone_names_nothing() -> None:
    kept = named(row(DEAD_LETTERS, first(DEAD_LETTERS) | {"value_base64": None}))
    assert (kept["shop_id"], kept["order_id"]) == (None, None)
