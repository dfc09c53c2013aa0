"""How far the workers have read the inputs: what is kept, and what reports say of it."""

from __future__ import annotations

import json
from io import BytesIO

import pytest

from stream_attr.codec.internal.progress import Progress
from stream_attr.codec.internal.seen_inputs import SeenInputs
from stream_attr.contract.topics import CHAT, ORDERS, RULINGS, TICKS
from stream_attr.ledger.database.connect import Database
from stream_attr.ledger.formats import json_text
from stream_attr.ledger.formats.summary import as_of_lines
from stream_attr.ledger.periods import period
from stream_attr.ledger.reports import quality
from stream_attr.ledger.reports.report import Report
from stream_attr.ledger.reports.scope import Options, snapshot
from stream_attr.ledger.sink.inputs import Reached, store_reached
from tests.ledger.reports import handmade
from tests.ledger.sink.contents import rows

NOON = handmade.start_of("2026-11-11") + 12 * 3_600_000
MINUTE = 60_000
ALL = "SELECT topic, source_partition, next, seen_ts, watermark, known_ts FROM input_partition ORDER BY 2, 1"


def reached(
    watermark: int | None, known_ts: int = 5, seen: SeenInputs | None = None, **offsets: int
) -> Reached:
    names = {"chat": CHAT, "orders": ORDERS, "rulings": RULINGS, "ticks": TICKS}
    progress = Progress({names[one]: offset for one, offset in offsets.items()}, {CHAT: NOON - 1}, watermark)
    return Reached(progress, known_ts, seen)


def reported(ledger: Database, *found: dict[int, Reached]) -> Report:
    handmade.fill(ledger, {}, agents={"A": "An"}, watermark=NOON)
    with ledger.connection() as connection:
        for one in found:
            store_reached(connection, one)
    with ledger.connection() as connection, snapshot(connection):
        return quality.report(connection, Options((handmade.SHOP,), period("2026-11-11", None)))


def behind(made: Report) -> list[str]:
    return [note.text.english for note in made.notes if "of the inputs" in note.text.english]


def test_events_and_rulings_are_kept_and_what_is_older_is_left(ledger: Database) -> None:
    with ledger.connection() as connection:
        store_reached(connection, {2: reached(NOON, 7, chat=10, rulings=1, ticks=99)})
        store_reached(connection, {2: reached(NOON - 1, 6, chat=9), 0: reached(None, 1, orders=3)})
    assert rows(ledger, ALL) == [
        (ORDERS, 0, 3, None, None, 1),
        (CHAT, 2, 10, NOON - 1, NOON, 7),
        (RULINGS, 2, 1, None, NOON, 7),
    ]
    with ledger.connection() as connection:
        store_reached(connection, {2: reached(NOON + 1, 7, chat=12)})
    assert rows(ledger, ALL)[1] == (CHAT, 2, 12, NOON - 1, NOON + 1, 7)


def test_a_partition_ten_minutes_behind_is_named(ledger: Database) -> None:
    late = NOON - 10 * MINUTE
    some = {0: reached(NOON, chat=1), 1: reached(late + 1, chat=2), 2: reached(late, chat=3_000, orders=4)}
    made = reported(ledger, some)
    assert behind(made) == [
        (
            "All shops: partition 2 of the inputs is judged up to 2026-11-11 11:50:00 only, another up to "
            "2026-11-11 12:00:00 (chat-events up to offset 3,000, order-events up to offset 4): what its "
            "buyers did since is missing here, unless nothing came."
        )
    ]
    [line] = [text for _, text in as_of_lines(made.as_of, "en") if text.startswith("inputs")]
    assert line == (
        "inputs: their partitions judged up to watermarks from 2026-11-11 11:50:00 (partition 2) to "
        "2026-11-11 12:00:00"
    )
    [line] = [text for _, text in as_of_lines(made.as_of, "zh") if text.startswith("输入")]
    assert line == "输入：各分区判定到的水位，最早 2026-11-11 11:50:00（分区 2），最晚 2026-11-11 12:00:00"
    out = BytesIO()
    json_text.write(made, "en", out)
    assert json.loads(out.getvalue())["as_of"]["inputs"] == [
        {"topic": topic, "partition": number, "offset": offset, "seen_ts": seen, "watermark": watermark}
        for topic, number, offset, seen, watermark in (
            (CHAT, 0, 1, NOON - 1, NOON),
            (CHAT, 1, 2, NOON - 1, late + 1),
            (CHAT, 2, 3_000, NOON - 1, late),
            (ORDERS, 2, 4, None, late),
        )
    ]


def test_a_partition_that_has_come_nowhere_is_behind(ledger: Database) -> None:
    made = reported(ledger, {0: reached(NOON, chat=1), 1: reached(None, chat=1)})
    assert [text.partition(" only")[0] for text in behind(made)] == [
        "All shops: partition 1 of the inputs is judged up to no time yet"
    ]


def test_of_files_nothing_is_said_of_partitions(ledger: Database) -> None:
    made = reported(ledger)
    assert behind(made) == []
    assert not any("inputs" in text for _, text in as_of_lines(made.as_of, "en"))


def noticed(made: Report) -> list[tuple[str, bool]]:
    return [
        (note.text.english, note.is_warning)
        for note in made.notes
        if note.text.english.startswith("All shops")
    ]


@pytest.mark.parametrize(("agreeing", "differ"), [(990, False), (989, True)])
def test_topics_that_are_partitioned_differently_are_warned_of(
    ledger: Database, agreeing: int, differ: bool
) -> None:
    """1,000 keys of chat in one worker; of orders 500 in one, and as many in another."""
    one = SeenInputs({CHAT: (1_000, 1_000), ORDERS: (500, agreeing - 495), RULINGS: (49, 0)})
    two = SeenInputs({CHAT: (0, 0), ORDERS: (500, 495), RULINGS: (49, 0)})
    places = {
        number: reached(NOON, 5, seen, chat=1, orders=1, rulings=1) for number, seen in enumerate((one, two))
    }
    made = reported(ledger, places)
    share = f"{agreeing / 10:.2f}%"
    [(first, is_warning), *rest] = noticed(made)
    assert (first, is_warning) == (
        (
            "All shops: keys that lie where murmur2 puts them, of those that the workers looked at last: "
            f"chat-events 100.00%, order-events {share}."
        ),
        False,
    )
    assert [(text[:56], is_warning) for text, is_warning in rest] == [
        ("All shops: the topics are partitioned differently, so wh", True)
    ] * differ


def test_ids_that_name_several_events_are_counted_over_partitions(ledger: Database) -> None:
    one, two = SeenInputs({}, {CHAT: 2, ORDERS: 1}), SeenInputs({}, {CHAT: 1_000})
    places = {0: reached(NOON, 5, one, chat=1, orders=1), 1: reached(NOON, 5, two, chat=1), 2: reached(NOON)}
    assert noticed(reported(ledger, places)) == [
        (
            (
                "All shops, of any day: events that repeat an id with other content, of which the first "
                "counts: 1,002 chat-events, 1 order-events (stream-attr check names them in files)."
            ),
            False,
        )
    ]


def test_of_older_workers_nothing_is_said(ledger: Database) -> None:
    assert noticed(reported(ledger, {0: reached(NOON, chat=1)})) == []
