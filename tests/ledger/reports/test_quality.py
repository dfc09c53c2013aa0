"""What came in, day by day, from the raw records."""

from __future__ import annotations

import base64
import json
from collections import Counter, defaultdict
from pathlib import Path
from statistics import median
from typing import Any

from stream_attr.ledger.database.connect import Connection, Database
from stream_attr.ledger.periods import period
from stream_attr.ledger.reports import quality
from stream_attr.ledger.reports.report import Report
from stream_attr.ledger.reports.scope import Options, snapshot
from stream_attr.rules.shop.days import day_name, day_number
from stream_attr.testing import Driver, in_time_order
from tests.ledger.reports import handmade
from tests.ledger.reports.brute_force import local_day
from tests.ledger.reports.conftest import Traffic, rows_as_dicts, table
from tests.ledger.reports.handmade import DAY_MS, start_of
from tests.ledger.reports.judged import fill_with

SHOP = "jd:10086"
NOON_MS = DAY_MS // 2
MORE = " (stream-attr dead-letters list)."


def test_every_day_is_that_of_the_raw_records(ended: Traffic, read: Connection) -> None:
    made = quality.report(read, Options((SHOP,), period("2026-11-05", "2026-11-14")))
    rows = table(made, made.rows, "day")
    orders: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in ended.decisions:
        if one["shop_id"] == SHOP:
            orders[local_day(one["created_ts"])].append(one)
    receptions: dict[str, list[dict[str, Any]]] = defaultdict(list)
    chat = defaultdict(set)
    for one in ended.last("reception-facts", "shop_id", "buyer_id", "agent_id", "day"):
        if one["shop_id"] == SHOP:
            receptions[one["day"]].append(one)
            chat[one["buyer_id"]].add(day_number(one["day"]))
    assert len(rows) == 10
    for (day,), row in rows.items():
        buyers = {one["buyer_id"] for one in orders[day]}
        number = day_number(day)
        with_chat = [one for one in buyers if chat[one] & set(range(number - 15, number + 2))]
        assert (row["orders"], row["order_buyers"], row["with_chat"]) == (
            len(orders[day]),
            len(buyers),
            len(with_chat),
        )
        assert row["chat_share"] == (round(len(with_chat) / len(buyers), 4) if buyers else None)
        assert row["noted"] == sum(bool(one["notices"]) for one in orders[day])
        assert row["receptions"] == len(receptions[day])
        assert row["chat_buyers"] == len({one["buyer_id"] for one in receptions[day]})
        assert row["agents"] == len({one["agent_id"] for one in receptions[day]})
        before = [day_name(number - back) for back in range(1, 8)]
        assert row["orders_usual"] == int(median(len(orders[one]) for one in before) + 0.5)
        assert row["receptions_usual"] == int(median(len(receptions[one]) for one in before) + 0.5)
    assert sum(row["orders"] for row in rows.values()) > 20


def refused_by_shop(ended: Traffic) -> dict[str | None, Counter[str]]:
    """By the shop that a refused record names, None where it names none: how many of each code."""
    found: dict[str | None, Counter[str]] = defaultdict(Counter)
    for line in (ended.folder / "dead-letters.jsonl").read_text().splitlines():
        letter = json.loads(line)
        try:
            shop_id = json.loads(base64.b64decode(letter["value_base64"]))["shop_id"]
        except (ValueError, TypeError, KeyError):
            shop_id = None
        found[shop_id if isinstance(shop_id, str) and shop_id else None][letter["code"]] += 1
    return found


def test_refused_records_are_the_shops_own_and_those_of_no_known_shop(
    ended: Traffic, read: Connection
) -> None:
    every = refused_by_shop(ended)
    known = {one["shop_id"] for one in ended.decisions}
    elsewhere: Counter[str] = sum((one for shop, one in every.items() if shop not in known), Counter())
    assert len(every[SHOP]) > 2
    assert elsewhere
    for asked in ((SHOP,), tuple(sorted(known))):
        made = quality.report(read, Options(asked, period("2026-11-05", "2026-11-14")))
        said = [note.text.english for note in made.notes if "records refused" in note.text.english]
        wanted = {f"Shop {shop}": every[shop] for shop in asked if every[shop]}
        wanted["No known shop"] = elsewhere
        assert {one.partition(": ")[0]: one.partition("day: ")[2] for one in said} == {
            name: ", ".join(f"{codes[code]} {code}" for code in sorted(codes))
            + " (stream-attr dead-letters list)."
            for name, codes in wanted.items()
        }


def test_what_a_person_should_look_at(ledger: Database) -> None:
    with ledger.connection() as connection:
        for number, (agent, listed) in enumerate(
            [("kf-1", True), ("KF-1", False), ("kf- 1", True), ("kf-2", True), ("kf-3", False)]
        ):
            if listed:
                connection.execute(
                    "INSERT INTO roster (shop_id, agent_id, source_partition, source_offset, effective_from,"
                    " role) VALUES ('s', %s, 0, %s, '2026-01-01', 'presale')",
                    (agent, number),
                )
            connection.execute(
                "INSERT INTO reception VALUES ('s', 'b', %s, '2026-11-01', 1, 'final', 'chat', 1, 2, 'buyer',"
                " 1, 1, 1, 1, true, 5, 5, 1, false, 1, false, false, false, false, NULL, '{}', NULL,"
                " 'presale', 1, 1, 0, %s)",
                (agent, number),
            )
    with ledger.connection() as connection, snapshot(connection):
        made = quality.report(connection, Options(("s",), period("2026-11-01", "2026-11-02")))
        texts = [note.text.english for note in made.notes]
        assert "Shop s: agents not in the roster: KF-1, kf-3." in texts
        assert "Shop s: agents whose ids differ by case or space alone: KF-1 = kf- 1 = kf-1." in texts
        assert [row["unlisted"] for row in table(made, made.rows, "day").values()] == [2, 0]
        after = quality.report(connection, Options(("s",), period("2026-11-08", None)))
        assert not any("has 0 receptions" in note.text.english for note in after.notes)


def test_a_day_with_half_of_the_usual_is_named(read: Connection) -> None:
    made = quality.report(read, Options((SHOP,), period("2026-11-05", "2026-11-20")))
    rows = table(made, made.rows, "day").values()
    assert made.as_of.latest is not None
    few = {
        row["day"]
        for row in rows
        if row["receptions"] * 2 < row["receptions_usual"]
        and start_of(row["day"]) + DAY_MS <= made.as_of.latest
    }
    said = {
        note.text.english.split(": ")[1].split(" has ")[0]
        for note in made.notes
        if " receptions, usual are " in note.text.english
    }
    assert said == few
    assert few


def test_days_that_are_not_over_are_not_asked_about(read_middle: Connection) -> None:
    """The watermark is noon of the 11th."""
    made = quality.report(read_middle, Options((SHOP,), period("2026-11-05", "2026-11-20")))
    usual = table(made, made.rows, "day")
    assert any(usual[f"2026-11-{day}",]["orders_usual"] for day in range(12, 16))
    days = [note.text.english.split(" ")[2] for note in made.notes if "has all of it" in note.text.english]
    assert all(day < "2026-11-11" for day in days)
    before = quality.report(read_middle, Options((SHOP,), period("2026-11-05", "2026-11-10")))
    few = [note.text for note in before.notes if "has all of it" in note.text.english]
    assert few == [note.text for note in made.notes if "has all of it" in note.text.english]


def ordered(buyer: str, order: str, ts: int) -> dict[str, Any]:
    own = {"shop_id": handmade.SHOP, "buyer_id": buyer, "order_id": order, "type": "created", "amount": 100}
    return {**own, "event_id": f"{order}-{buyer}", "ts": ts}


def message(buyer: str, day: str) -> dict[str, Any]:
    own = {"shop_id": handmade.SHOP, "buyer_id": buyer, "agent_id": "anna", "sender": "buyer", "text": "?"}
    return {**own, "event_id": f"{buyer}-{day}", "ts": start_of(day) + NOON_MS}


def judged_day(ledger: Database, folder: Path, events: list[dict[str, Any]], day: str) -> Report:
    """What a day's input looks like, all of it judged."""
    settings = [{"shop_id": handmade.SHOP, "effective_from": "2026-01-01"}]
    driver = Driver(settings=settings)
    events = sorted(events, key=lambda one: one["ts"])
    chat, orders = ([one for one in events if ("sender" in one) is is_chat] for is_chat in (True, False))
    driver.send_all(in_time_order(chat, orders))
    driver.finish()
    fill_with(ledger, folder, driver, settings=settings)
    with ledger.connection() as connection, snapshot(connection):
        return quality.report(connection, Options((handmade.SHOP,), period(day, None)))


def test_chat_counts_from_fifteen_days_before_the_order_to_the_day_after(
    ledger: Database, tmp_path: Path
) -> None:
    chat = [("b1", "2026-11-04"), ("b2", "2026-11-05"), ("b3", "2026-11-20"), ("b4", "2026-11-21")]
    chat += [("b5", "2026-11-22"), ("b2", "2026-11-20"), ("b2", "2026-11-21")]
    events = [message(*one) for one in chat]
    noon = start_of("2026-11-20") + NOON_MS
    events += [ordered(f"b{number}", f"o{number}", noon) for number in range(1, 7)]
    events += [ordered("b2", "more", noon + 1), ordered("b1", "before", noon - DAY_MS)]
    made = judged_day(ledger, tmp_path, events, "2026-11-20")
    [row] = rows_as_dicts(made, made.rows)
    assert (row["orders"], row["order_buyers"], row["with_chat"], row["chat_buyers"]) == (7, 6, 3, 2)


def test_an_order_under_two_buyers_is_named(ledger: Database, tmp_path: Path) -> None:
    noon = start_of("2026-11-20") + NOON_MS
    events = [ordered("b2", "o2", noon + 3)]
    for order in ("o1", "o2"):  # of which this buyer has more revisions
        paid = {**ordered("b1", order, noon + 1), "event_id": f"{order}-paid", "type": "paid"}
        refund = {**paid, "event_id": f"{order}-refund", "type": "refund_completed", "refund_id": "r"}
        events += [ordered("b1", order, noon), paid, {**refund, "ts": noon + 2}]
    made = judged_day(ledger, tmp_path, events, "2026-11-20")
    found = [note.text.english for note in made.notes if "two buyers" in note.text.english]
    assert found == [f"Shop {handmade.SHOP}: orders under two buyers: o2."]
