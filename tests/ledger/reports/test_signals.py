"""What is worth a look: each signal on both sides of its boundary, and the rows behind it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from stream_attr.cli import main
from stream_attr.errors import UnusableError
from stream_attr.ledger.database.connect import Database
from stream_attr.ledger.periods import period
from stream_attr.ledger.reports import signals
from stream_attr.ledger.reports.scope import Options, snapshot
from stream_attr.testing import Driver, in_time_order
from tests.ledger.reports.conftest import rows_as_dicts
from tests.ledger.reports.handmade import SHOP, start_of
from tests.ledger.reports.judged import fill_with

DAY = "2026-11-10"
TEN = start_of(DAY) + 10 * 3_600_000
MINUTE = 60_000
SETTINGS = [{"shop_id": SHOP, "effective_from": "2026-01-01"}]
Json = dict[str, Any]


def talk(buyer: str, agent: str, *said: tuple[int, str, str]) -> Iterator[Json]:
    """What a buyer and an agent say: milliseconds after ten, ``b`` or ``a``, and the text."""
    for after, side, text in said:
        yield {
            "shop_id": SHOP,
            "buyer_id": buyer,
            "agent_id": agent,
            "event_id": f"{buyer}-{agent}-{after}-{side}",
            "ts": TEN + after,
            "sender": {"a": "agent", "b": "buyer"}[side],
            "text": text,
        }


def transfer(buyer: str, agent: str, to: str, after: int) -> Json:
    ids = {"shop_id": SHOP, "buyer_id": buyer, "agent_id": agent, "to_agent_id": to}
    return {**ids, "event_id": f"{buyer}-{agent}-{to}", "ts": TEN + after, "type": "transfer"}


def order(buyer: str, created: int, paid: int) -> Iterator[Json]:
    ids = {"shop_id": SHOP, "buyer_id": buyer, "order_id": f"o-{buyer}"}
    yield {**ids, "event_id": f"c-{buyer}", "ts": TEN + created, "type": "created", "amount": 100}
    yield {**ids, "event_id": f"p-{buyer}", "ts": TEN + paid, "type": "paid", "amount": 100}


def late_words() -> tuple[list[Json], list[Json]]:
    """Paid 11 minutes after ten, ben's first word 1 ms before, at and after the 5 minutes; or all is his."""
    chat: list[Json] = []
    orders: list[Json] = []
    for buyer, first in (("l1", 6 * MINUTE - 1), ("l2", 6 * MINUTE), ("l3", 6 * MINUTE + 1)):
        chat += talk(buyer, "anna", (0, "b", "?"), (MINUTE, "a", "yes"))
        chat += talk(buyer, "ben", (first, "b", "?"), (first + MINUTE, "a", "yes"))
        orders += order(buyer, 5 * MINUTE, 11 * MINUTE)
    chat += talk("l4", "ben", (7 * MINUTE, "b", "?"), (8 * MINUTE, "a", "yes"))
    orders += order("l4", 9 * MINUTE, 11 * MINUTE)
    return chat, orders


def others() -> list[Json]:
    """Chat without orders; what is not meant to be short lasts a minute."""
    chat: list[Json] = []
    for buyer in ("f1", "f2"):
        chat += talk(buyer, "anna", (0, "b", "?"), (MINUTE, "a", "one"), (2 * MINUTE, "a", "two more"))
        chat += talk(buyer, "ben", (4 * MINUTE, "b", "?"), (5 * MINUTE, "a", "one"), (6 * MINUTE, "a", "two"))
        chat.append(transfer(buyer, "anna", "ben", 3 * MINUTE))
        chat.append(transfer(buyer, "ben", "anna" if buyer == "f1" else "carl", 7 * MINUTE))
    chat += talk("s1", "carl", (0, "a", "hello"), (MINUTE, "b", "ok"), (2 * MINUTE, "a", "good"))
    chat += talk("s2", "carl", (0, "a", "hello"), (MINUTE, "b", "ok"), (2 * MINUTE, "b", "what?"))
    chat += talk("s3", "carl", (0, "b", "ok"), (MINUTE, "a", "more words than that"))
    for agent, alike, differ in (("dora", 5, 1), ("eve", 4, 0), ("fay", 5, 2)):
        for number in range(alike + differ):
            text = "welcome" if number < alike else "other words " + "x" * number
            chat += talk(f"t-{agent}-{number}", agent, (0, "b", "?"), (MINUTE, "a", text))
    for agent, lost in (("gil", 5), ("hal", 4)):
        for number in range(lost):
            end = 30_000 - 1 if number else 20_000
            chat += talk(f"d-{agent}-{number}", agent, (0, "b", "?"), (end, "a", "x" * (number + 1)))
    chat += talk("d-gil-5", "gil", (0, "b", "?"), (30_000, "a", "exactly as long as it takes"))
    return chat


@pytest.fixture
def shop(ledger: Database, tmp_path: Path) -> Database:
    chat, orders = late_words()
    events = in_time_order(
        sorted([*chat, *others()], key=lambda one: one["ts"]), sorted(orders, key=lambda one: one["ts"])
    )
    driver = Driver(settings=SETTINGS)
    driver.send_all(events)
    driver.finish()
    fill_with(ledger, tmp_path, driver, settings=SETTINGS)
    return ledger


def made(database: Database, **asked: Any) -> list[dict[str, Any]]:
    with database.connection() as connection, snapshot(connection):
        report = signals.report(connection, Options((SHOP,), period(DAY, None), **asked))
        return rows_as_dicts(report, report.rows)


def test_each_signal_has_the_rows_behind_it(shop: Database) -> None:
    rows = made(shop)
    found = [(row["signal"], row["agent"], row["buyer"]) for row in rows]
    assert found == [
        ("words shortly before payment", "ben", "l2"),
        ("words shortly before payment", "ben", "l3"),
        ("transferred to and fro", "anna", "f1"),
        ("transferred to and fro", "ben", "f1"),
        ("one sentence, no question", "carl", "s1"),
        *(("templates only", "dora", f"t-dora-{number}") for number in range(5)),
        *(("losses short beyond peers'", "gil", f"d-gil-{number}") for number in range(5)),
    ]
    late, later = rows[:2]
    assert (late["order"], late["amount"], late["day"], late["at"]) == ("o-l2", 100, DAY, TEN + 6 * MINUTE)
    assert late["why"] == "300.000 s before the payment; placed by anna, credited to ben"
    assert later["why"].startswith("299.999 s before")
    assert rows[2]["why"] == "that day both ways: anna, ben"
    assert rows[4]["why"] == "inquiry lost"
    assert rows[5]["why"] == "1 messages of 7 characters, like 5 of 6 that day"
    assert rows[10]["why"].startswith("20.000 s; 5 of 6 lost are so short, of the others' 4 of ")


def test_signals_and_agents_can_be_chosen(shop: Database) -> None:
    assert {row["agent"] for row in made(shop, agents=("ben",))} == {"ben"}
    assert {row["signal"] for row in made(shop, kinds=("templates",))} == {"templates only"}
    with pytest.raises(UnusableError, match="there is no signal 'x'; there are late_words, to_and_fro, "):
        made(shop, kinds=("x",))


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ("To look at, never to punish by", "templates only: 5 (dora 5). It is ")),
        ("zh", ("仅供查看，绝不可据此处罚", "疑似只发模板：5 条（dora 5）。指")),
    ],
)
def test_the_report_says_what_it_is_for(shop: Database, language: str, said: tuple[str, ...]) -> None:
    asked = ["report", "signals", "--shop", SHOP, "--from", DAY, "--lang", language]
    shown = CliRunner().invoke(main, [*asked, "--database", shop.address]).stdout
    for text in said:
        assert text in shown


@pytest.mark.parametrize(
    ("own", "peers", "is_beyond"),
    [
        ((5, 5), (5, 10), False),  # 1 against 1/2, pooled 2/3: 1/2 ≤ 2·√(2/9·3/10) = 0.516
        ((5, 5), (4, 10), True),  # 3/5 > 2·√(6/10·4/10·3/10) = 0.537
        ((4, 4), (0, 100), False),  # fewer than 5
        ((5, 5), (0, 0), False),  # no peers
        ((0, 5), (9, 10), False),
        ((5, 5), (10, 10), False),
    ],
)
def test_a_share_is_beyond_the_peers_by_two_standard_errors(
    own: tuple[int, int], peers: tuple[int, int], is_beyond: bool
) -> None:
    assert signals._is_beyond(own, peers) is is_beyond
