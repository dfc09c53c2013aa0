"""Batches in a real database: the guard, the fence, and that it does not matter how records are divided."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator, Sequence

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stream_attr.contract.topics import (
    AGENT_DAILY,
    COMPARISONS,
    DEAD_LETTERS,
    DECISIONS,
    INQUIRIES,
    ROSTER,
    RULINGS,
)
from stream_attr.ledger.database.connect import Connection, Database
from stream_attr.ledger.sink import batch as batch_module
from stream_attr.ledger.sink.batch import Batch, FencedError, prepare, write
from stream_attr.ledger.sink.offsets import OtherSourceError, claim, empty
from stream_attr.ledger.sink.tables import FILLED, REFUND, REVISION, TOPICS, UNSTORED
from stream_attr.processor.ports import Record
from tests.ledger.sink.contents import contents, rows
from tests.ledger.sink.test_rows import first

SOURCES = [(topic, 0) for topic in TOPICS]


@pytest.fixture
def connection(ledger: Database) -> Iterator[Connection]:
    with ledger.connection(autocommit=True) as opened:
        claim(opened, dict.fromkeys(SOURCES))
        prepare(opened)
        yield opened


def decision(revision: int, order_id: str = "o-1", amounts: Sequence[int] = (), **fields: object) -> dict:
    refunds = [{"refund_id": None, "ts": 5, "amount": one, "completed": True} for one in amounts]
    return first(DECISIONS) | {"order_id": order_id, "revision": revision, "refunds": refunds, **fields}


def record(topic: str, offset: int, content: object, timestamp: int = 1_000) -> Record:
    value = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Record(topic, 0, offset, timestamp, None, value)


def store(connection: Connection, *batches: Sequence[Record]) -> Batch:
    """Write batches, each beginning where the one before ended."""
    batch = Batch(dict.fromkeys(SOURCES, 0))
    for records in batches:
        batch = batch.following()
        for one in records:
            batch.add(one)
        write(connection, batch)
    return batch


def test_the_columns_are_those_of_the_tables(ledger: Database) -> None:
    for table in (*TOPICS.values(), REVISION, REFUND, UNSTORED):
        query = (
            "SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema() "
            f"AND table_name = '{table.name}' AND is_generated = 'NEVER'"
        )
        assert sorted(table.columns) == sorted(name for (name,) in rows(ledger, query)), table.name


@pytest.mark.parametrize("apart", [False, True], ids=["in one batch", "in two batches"])
@pytest.mark.parametrize(
    ("before", "after", "holds"),
    [((2, 10), (1, 11), 0), ((2, 10), (2, 11), 1), ((2, 10), (3, 11), 1)],
)
def test_the_greater_revision_and_offset_holds(
    ledger: Database, connection: Connection, before: tuple, after: tuple, holds: int, apart: bool
) -> None:
    records = [
        record(DECISIONS, offset, decision(revision, amount=100 + number))
        for number, (revision, offset) in enumerate((before, after))
    ]
    store(connection, *([records[:1], records[1:]] if apart else [records]))
    assert rows(ledger, "SELECT amount FROM decision") == [(100 + holds,)]
    revisions = {before[0]: 100} | {after[0]: 101}
    found = rows(ledger, "SELECT revision, amount FROM decision_revision ORDER BY revision")
    assert found == sorted(revisions.items())


@pytest.mark.parametrize("apart", [False, True], ids=["in one batch", "in two batches"])
def test_refunds_are_those_of_the_decision_that_holds(
    ledger: Database, connection: Connection, apart: bool
) -> None:
    def found() -> list:
        return [amount for (amount,) in rows(ledger, "SELECT amount FROM refund ORDER BY number")]

    one = record(DECISIONS, 1, decision(1, amounts=(10, 20)))
    two = record(DECISIONS, 2, decision(2, amounts=(10,)))
    old = record(DECISIONS, 3, decision(1, amounts=(7, 8, 9)))
    other = record(COMPARISONS, 4, decision(9, amounts=(70,), profile="other"))
    last = store(connection, *([[one], [two], [old], [other]] if apart else [[one, two, old, other]]))
    assert found() == [10]
    last = last.following()
    last.add(record(DECISIONS, 5, decision(3)))
    write(connection, last)
    assert found() == []


def test_of_a_ruling_that_is_repeated_the_first_holds(ledger: Database, connection: Connection) -> None:
    rulings = [record(RULINGS, number, first(RULINGS) | {"ruled_by": f"p{number}"}) for number in range(4)]
    store(connection, rulings[:2], rulings[2:])
    assert rows(ledger, "SELECT ruled_by FROM ruling") == [("p0",)]


def test_every_record_of_the_roster_is_kept(ledger: Database, connection: Connection) -> None:
    store(connection, [record(ROSTER, 0, first(ROSTER)), record(ROSTER, 1, first(ROSTER))])
    assert rows(ledger, "SELECT source_offset FROM roster ORDER BY 1") == [(0,), (1,)]


def test_texts_come_out_as_they_went_in(ledger: Database, connection: Connection) -> None:
    names = [
        "null",
        "NULL",
        '"',
        '""',
        "\\",
        "\\.",
        "a\n\\.\nb",
        "\\N",
        "\1",
        "a\1,\1b",
        ",",
        "\t",
        "\r\n",
        "\x7f",
        "中\u2028",
    ]
    letters = [
        record(DEAD_LETTERS, offset, first(DEAD_LETTERS) | {"message": name})
        for offset, name in enumerate(names)
    ]
    inquiry = record(INQUIRIES, 0, first(INQUIRIES) | {"order_ids": [*names, "nulls", "a b", "{}", "o-1"]})
    receipt = json.dumps(decision(1, silence="\\\1"), indent=1).encode()
    batch = store(connection, [*letters, inquiry, record(DECISIONS, 0, receipt)])
    assert batch.unstored == []
    found = rows(ledger, "SELECT message FROM dead_letter ORDER BY source_offset")
    assert [message for (message,) in found] == names
    assert rows(ledger, "SELECT order_ids FROM inquiry") == [([*names, "nulls", "a b", "{}", "o-1"],)]
    assert rows(ledger, "SELECT record::text FROM decision") == [(receipt.decode(),)]


def test_what_another_sink_has_moved_is_fenced_and_nothing_is_written(
    ledger: Database, connection: Connection
) -> None:
    store(connection, [record(DECISIONS, 0, decision(1))])
    before = contents(ledger)
    for begin in (0, 2):
        batch = Batch({**dict.fromkeys(SOURCES, 0), (DECISIONS, 0): begin})
        batch.add(record(DECISIONS, 5, decision(2)))
        batch.add(record(INQUIRIES, 0, first(INQUIRIES)))
        with pytest.raises(FencedError, match=f"partition 0 of attribution-decisions .* offset {begin} "):
            write(connection, batch)
        assert contents(ledger) == before


def test_the_offset_says_how_far_it_has_come(ledger: Database, connection: Connection) -> None:
    records = [
        record(DECISIONS, 4, decision(1, watermark=50), timestamp=900),
        record(DECISIONS, 7, decision(2, watermark=40), timestamp=800),
    ]
    last = store(connection, records)
    query = "SELECT next, known_ts, watermark FROM sink_offset WHERE topic = 'attribution-decisions'"
    assert rows(ledger, query) == [(8, 900, 50)]
    last = last.following()
    last.advance((DECISIONS, 0), 12)
    last.advance((DECISIONS, 0), 11)
    write(connection, last)
    assert rows(ledger, query) == [(12, 900, 50)]


def test_what_cannot_be_stored_stops_nothing_and_is_kept_with_why(
    ledger: Database, connection: Connection
) -> None:
    records = [record(DECISIONS, offset, decision(1, f"o-{offset}")) for offset in range(20)]
    records[3] = record(DECISIONS, 3, decision(1, "o-3", amount=2**63))
    records[4] = record(DECISIONS, 4, b"{")
    records[11] = record(DECISIONS, 11, decision(2**31, "o-11"))
    records[12] = record(AGENT_DAILY, 0, first(AGENT_DAILY) | {"day": "2026-02-30"})
    batch = store(connection, records)
    found = rows(ledger, "SELECT topic, source_offset, why, value FROM unstored ORDER BY 1 DESC, 2")
    assert [(topic, offset) for topic, offset, _, _ in found] == [
        (DECISIONS, 3), (DECISIONS, 4), (DECISIONS, 11), (AGENT_DAILY, 0)
    ]  # fmt: skip
    assert "out of range for type bigint" in found[0][2]
    assert found[1][3] == b"{"
    assert "out of range for type integer" in found[2][2]
    assert all(why for _, _, why, _ in found)
    assert len(batch.unstored) == 4
    assert rows(ledger, "SELECT count(*) FROM decision") == [(16,)]
    assert rows(ledger, "SELECT next FROM sink_offset WHERE topic = 'attribution-decisions'") == [(20,)]


def test_a_number_that_is_too_long_to_be_written_stops_nothing(
    ledger: Database, connection: Connection
) -> None:
    long = json.dumps(decision(1, amount=1)).replace('"amount": 1,', f'"amount": {"9" * 5_000},').encode()
    store(connection, [record(DECISIONS, 0, decision(1, "o-0")), record(DECISIONS, 1, long)])
    assert rows(ledger, "SELECT order_id FROM decision") == [("o-0",)]
    assert rows(ledger, "SELECT source_offset FROM unstored") == [(1,)]


@pytest.mark.parametrize("unstored", [0, 1])
def test_a_transaction_that_waits_for_its_sink_is_ended(
    ledger: Database, monkeypatch: pytest.MonkeyPatch, unstored: int
) -> None:
    monkeypatch.setitem(batch_module._BOUNDS, "idle_in_transaction_session_timeout", "2s")
    waiting = [(record(DECISIONS, number, b"{"), "why") for number in range(unstored)]
    with ledger.connect(autocommit=True) as frozen, ledger.connection(autocommit=True) as other:
        prepare(frozen)
        frozen.execute("BEGIN")
        batch_module._keep_unstored(frozen.cursor(), waiting)
        query, until = "SELECT 1 FROM pg_stat_activity WHERE pid = %s", time.monotonic() + 60
        while other.execute(query, [frozen.info.backend_pid]).fetchone() and time.monotonic() < until:
            time.sleep(0.05)
        with pytest.raises(psycopg.Error):
            frozen.execute("COMMIT")
    assert rows(ledger, "SELECT 1 FROM unstored") == []


def test_a_revision_that_cannot_be_stored_leaves_the_one_before(
    ledger: Database, connection: Connection
) -> None:
    store(
        connection,
        [record(DECISIONS, 0, decision(1)), record(DECISIONS, 1, decision(2, amount=2**63))],
    )
    assert rows(ledger, "SELECT revision FROM decision") == [(1,)]


def test_an_error_that_no_row_causes_is_not_blamed_on_rows(ledger: Database, connection: Connection) -> None:
    with ledger.connection(autocommit=True) as other:
        other.execute("DROP TABLE refund CASCADE")
    with pytest.raises(psycopg.errors.UndefinedTable):
        store(connection, [record(DECISIONS, 0, decision(1))])
    assert rows(ledger, "SELECT count(*) FROM unstored") == [(0,)]


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(1, 3), st.lists(st.integers(1, 9), max_size=2)),
        min_size=2,
        max_size=8,
    ),
    st.sets(st.integers(1, 7), max_size=4),
)
def test_however_records_are_divided_into_batches_the_ledger_is_the_same(
    ledger: Database, connection: Connection, given: list, cuts: set[int]
) -> None:
    records = [
        record(DECISIONS, offset, decision(revision, order_id, amounts, amount=offset))
        for offset, (order_id, revision, amounts) in enumerate(given)
    ]

    def stored(bounds: list[int]) -> dict:
        empty(connection)
        claim(connection, dict.fromkeys(SOURCES))
        store(connection, *(records[begin:end] for begin, end in itertools.pairwise(bounds)))
        return contents(ledger)

    whole = stored([0, len(records)])
    assert stored([0, *sorted(cuts), len(records)]) == whole
    # and it is what the records say, counted by hand
    held: dict[str, tuple] = {}
    for offset, (order_id, revision, amounts) in enumerate(given):
        held[order_id] = max(held.get(order_id, (0, 0, [])), (revision, offset, amounts))
    found = rows(ledger, "SELECT order_id, revision, amount FROM decision ORDER BY 1")
    assert found == [(order_id, *held[order_id][:2]) for order_id in sorted(held)]
    found = rows(ledger, "SELECT order_id, amount FROM refund ORDER BY 1, number")
    assert found == [(order_id, amount) for order_id in sorted(held) for amount in held[order_id][2]]


def test_sources_go_on_where_they_were_and_others_are_refused(ledger: Database) -> None:
    source = (DECISIONS, 0)
    with ledger.connection(autocommit=True) as connection:
        assert claim(connection, {source: "id-1"}) == {source: 0}
        prepare(connection)
        batch = Batch({source: 0})
        batch.advance(source, 9)
        write(connection, batch)
        assert claim(connection, {source: "id-1"}) == {source: 9}
        assert claim(connection, {source: None}) == {source: 9}
        before = contents(ledger)
        for other, saying in (
            ("id-2", "deleted and recreated"),
            ("file:1", "from a broker, not from files"),
        ):
            with pytest.raises(OtherSourceError, match=saying):
                claim(connection, {source: other, (INQUIRIES, 0): other})
        assert contents(ledger) == before
        empty(connection)
        assert {table for table, found in contents(ledger).items() if found} == set()
        assert claim(connection, {source: "file:1"}) == {source: 0}
        with pytest.raises(OtherSourceError, match="from files, not from this broker"):
            claim(connection, {source: "id-2"})
        with pytest.raises(OtherSourceError, match=r"another attribution-decisions\.jsonl"):
            claim(connection, {source: "file:2"})
    assert set(FILLED) == set(before)
