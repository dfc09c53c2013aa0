"""One period against another, from the raw records: figures, and between whom and when they moved."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from click.testing import CliRunner

from stream_attr.cli import main
from stream_attr.contract.topics import DECISIONS
from stream_attr.ledger.database.connect import Connection, Database
from stream_attr.ledger.figures import FIGURES
from stream_attr.ledger.periods import Period, period
from stream_attr.ledger.reports import orders, receptions, review
from stream_attr.ledger.reports.scope import Options, snapshot
from stream_attr.ledger.sink.batch import prepare
from stream_attr.ledger.sink.offsets import claim
from stream_attr.rules.shop.days import day_name
from tests.ledger.reports import handmade
from tests.ledger.reports.brute_force import four_digits, half_up, local_day, local_hour
from tests.ledger.reports.conftest import Traffic, plain, rows_as_dicts
from tests.ledger.sink import test_batch

SHOP = "jd:10086"
NOW = period("2026-11-10", "2026-11-11")
KEYS = {figure.name.english: key for key, figure in FIGURES.items()}
Record = dict[str, Any]


def days_of(some: Period) -> set[str]:
    return {day_name(day) for day in range(some.first, some.last + 1)}


def parts(traffic: Traffic, key: str, days: set[str]) -> Counter[tuple[str | None, str]]:
    """What each agent has of a figure in each hour, from the raw records."""
    found: Counter[tuple[str | None, str]] = Counter()
    pair = ("shop_id", "buyer_id", "agent_id", "day")
    facts = {tuple(one[name] for name in pair): one for one in traffic.last("reception-facts", *pair)}
    if key.startswith("sales."):
        for one in traffic.decisions:
            if one["shop_id"] == SHOP and one["outcome"] in ("credited", "silent"):
                number = {"amount": one["amount"], "orders": 1, "quantity": one["quantity"]}[key[6:]]
                if local_day(one["paid_ts"]) in days:
                    agent = one["credit"] and one["credit"]["agent_id"]
                    found[agent, local_hour(one["paid_ts"])] += number
        return found
    if key in ("inquiries.lost", "payments.payment_lost"):
        for one in traffic.last("inquiry-outcomes", *pair):
            if one["shop_id"] == SHOP and one["day"] in days and one["outcome"] == key.partition(".")[2]:
                fact = facts[tuple(one[name] for name in pair)]
                found[one["agent_id"], local_hour(fact["first_ts"])] += 1
        return found
    for one in facts.values():
        wanted = {
            "workload.receptions": True,
            "workload.slow_receptions": one["slow"],
            "workload.unreplied": not one["replied"] and (one["buyer_messages"] > 0 or one["handed_over"]),
        }[key]
        counts = one["filtered"] is None and one["role"] != "frozen"
        if one["shop_id"] == SHOP and one["day"] in days and counts and wanted:
            found[one["agent_id"], local_hour(one["first_ts"])] += 1
    return found


def by_product(traffic: Traffic, key: str, days: set[str]) -> Counter[str]:
    """What orders of one product have of a figure of sales, of several, and of none; from the raw records."""
    found: Counter[str] = Counter()
    for one in traffic.decisions:
        is_sold = one["shop_id"] == SHOP and one["outcome"] in ("credited", "silent")
        if is_sold and local_day(one["paid_ts"]) in days:
            products = one["product_ids"]
            name = "several products" if products[1:] else products[0] if products else "none named"
            found[name] += {"amount": one["amount"], "orders": 1, "quantity": one["quantity"]}[key[6:]]
    return found


def along(found: Counter[tuple[str | None, str]], index: int) -> Counter[str]:
    sums: Counter[str] = Counter()
    for key, number in found.items():
        sums[key[index] or "silent"] += number
    return sums


@pytest.mark.parametrize("against", [None, period("2026-11-06", "2026-11-08")])
def test_agents_and_hours_make_up_what_moved(
    ended: Traffic, read: Connection, against: Period | None
) -> None:
    made = review.report(read, Options((SHOP,), NOW, against=against))
    rows = rows_as_dicts(made, made.rows)
    then = against or period("2026-11-08", "2026-11-09")
    broken_down = {(row["dimension"], row["figure"]) for row in rows if row["by"] != "shop"}
    assert {dimension for dimension, _ in broken_down} >= {"reception", "trade", "loss"}
    seen = set()
    for dimension, figure in broken_down:
        both = [parts(ended, KEYS[figure], days_of(one)) for one in (NOW, then)]
        split = {by: [along(one, index) for one in both] for index, by in enumerate(("agent", "hour"))}
        if dimension == "trade":
            split["product"] = [by_product(ended, KEYS[figure], days_of(one)) for one in (NOW, then)]
            assert len(split["product"][0]) > 10
        for by, (now, before) in split.items():
            seen.add((dimension, figure, by))
            own = [
                row for row in rows if (row["dimension"], row["figure"], row["by"]) == (dimension, figure, by)
            ]
            named = [row for row in own if "others" not in row["who"]]
            for row in named:
                assert (row["now"], row["then"]) == (now[row["who"]], before[row["who"]])
                assert row["difference"] == row["now"] - row["then"]
            assert sum(row["now"] for row in own) == now.total()
            assert sum(row["then"] for row in own) == before.total()
            least = min(abs(row["difference"]) for row in named)
            left_out = (now.keys() | before.keys()) - {row["who"] for row in named}
            assert all(abs(now[who] - before[who]) <= least for who in left_out)
            if left_out:
                assert (len(named), own[-1]["who"]) == (10, f"others: {len(left_out)}")
            differences = [abs(row["difference"]) for row in named]
            assert differences == sorted(differences, reverse=True)
    assert seen == {(row["dimension"], row["figure"], row["by"]) for row in rows if row["by"] != "shop"}


@pytest.mark.parametrize("agents", [(), ("kf-03",)])
@pytest.mark.usefixtures("ended")
def test_the_rows_behind_a_number_add_up_to_it(read: Connection, agents: tuple[str, ...]) -> None:
    made = review.report(read, Options((SHOP,), NOW, agents=agents))
    columns = [column.key for column in made.columns]
    followed: Counter[str] = Counter()
    for cells in made.rows:
        row = dict(zip(columns, cells, strict=True))
        behind_it = review.rows_behind(row)
        if behind_it is None:
            continue
        report, asked = behind_it
        if report == "receptions":
            followed[f"receptions by {plain(row['by'])}"] += _receptions_are_as_many(read, row, asked, agents)
            continue
        figure, by = KEYS[plain(row["figure"])], plain(row["by"])
        chosen = (asked["agent"],) if "agent" in asked else agents
        for side, days in (("now", NOW), ("then", NOW.before)):
            behind = orders.report(
                read,
                Options(
                    (SHOP,),
                    days,
                    agents=chosen,
                    behind=asked["behind"],
                    products=(asked["product"],) if "product" in asked else (),
                    baskets=(asked["basket"],) if "basket" in asked else (),
                ),
            )
            found = rows_as_dicts(behind, behind.rows)
            summed = len(found) if figure == "sales.orders" else sum(one[figure[6:]] for one in found)
            assert summed == plain(row[side])
        followed[by] += 1
    assert followed["shop"] == 3
    assert followed["agent"] >= 1
    assert followed["product"] >= 2
    assert followed["receptions by shop"] == 1
    assert followed["receptions by agent"] >= 1
    assert agents or followed["receptions by hour"] >= 1


def _receptions_are_as_many(
    read: Connection, row: dict[str, Any], asked: dict[str, str], agents: tuple[str, ...]
) -> int:
    """The shop's number is of buyers, each once a day."""
    for side, days in (("now", NOW), ("then", NOW.before)):
        options = Options(
            (SHOP,),
            days,
            agents=(asked["agent"],) if "agent" in asked else agents,
            kinds=(asked["kind"],),
            hours=(asked["hour"],) if "hour" in asked else (),
        )
        made = receptions.report(read, options)
        rows = [
            (one["day"], one["buyer"], one["agent"] if asked.keys() & {"agent", "hour"} or agents else "")
            for one in rows_as_dicts(made, made.rows)
        ]
        assert len(set(rows)) == plain(row[side])
    return 1


def test_orders_of_several_products_are_not_divided(ledger: Database) -> None:
    """100.00 of p-1, 30.00 of both together, 5.00 of no product, 2.00 of an old record, 9.00 of p-2."""
    first = handmade.start_of("2026-11-11")
    baskets = [(["p-1"], 10_000), (["p-1", "p-2"], 3_000), ([], 500), (None, 200), (["p-2"], 900)]
    shop = handmade.SHOP
    both = {("*", "2026-11-10"): {"sales.amount": 0}, ("*", "2026-11-11"): {"sales.amount": 14_600}}
    handmade.fill(ledger, both, agents={"A": "An"}, watermark=first)
    with ledger.connection() as connection:
        claim(connection, dict.fromkeys(test_batch.SOURCES))
        prepare(connection)
        records = []
        for number, (basket, amount) in enumerate(baskets):
            one = test_batch.decision(1, f"o-{number}") | {
                "shop_id": shop,
                "outcome": "silent",
                "credit": None,
            }
            one |= {"amount": amount, "paid_ts": first + number, "product_ids": basket}
            if basket is None:
                del one["product_ids"]
            records.append(test_batch.record(DECISIONS, number, one))
        assert not test_batch.store(connection, records).unstored
    day = period("2026-11-11", None)
    with ledger.connection() as connection, snapshot(connection):
        made = review.report(connection, Options((shop,), day))
        split = {row["who"]: row["now"] for row in rows_as_dicts(made, made.rows) if row["by"] == "product"}
        assert split == {"p-1": 10_000, "several products": 3_000, "none named": 700, "p-2": 900}
        asked: list[tuple[tuple[str, ...], tuple[str, ...], list[str]]] = [
            (("p-1",), (), ["o-0"]),
            (("p-1", "p-2"), (), ["o-0", "o-4"]),
            ((), ("several",), ["o-1"]),
            ((), ("none",), ["o-2", "o-3"]),
            (("p-2",), ("several",), ["o-1", "o-4"]),
            (("p-3",), (), []),
        ]
        for products, kinds, found in asked:
            rows = orders.report(connection, Options((shop,), day, products=products, baskets=kinds))
            assert [row["order"] for row in rows_as_dicts(rows, rows.rows)] == found


def test_the_shops_figures_are_of_sums_of_its_days(ended: Traffic, read: Connection) -> None:
    made = review.report(read, Options((SHOP,), NOW))
    rows = {row["figure"]: row for row in rows_as_dicts(made, made.rows) if row["by"] == "shop"}
    sums: list[Counter[str]] = []
    for days in (days_of(NOW), {"2026-11-08", "2026-11-09"}):
        own: Counter[str] = Counter()
        for one in ended.agent_days:
            if (one["shop_id"], one["agent_id"]) == (SHOP, "*") and one["day"] in days:
                for group in ("sales", "workload", "inquiries", "payments", "silent"):
                    for name, number in one[group].items():
                        if isinstance(number, int):
                            own[f"{group}.{name}"] += number
        sums.append(own)
    for side, own in zip(("now", "then"), sums, strict=True):
        assert rows["sales amount"][side] == own["sales.amount"]
        assert rows["first response"][side] == half_up(
            own["workload.first_response_ms_sum"], own["workload.first_responses"]
        )
        assert rows["silent share of sales"][side] == four_digits(own["silent.amount"], own["sales.amount"])
        assert rows["inquiry loss rate"][side] == four_digits(
            own["inquiries.lost"], own["inquiries.inquiries"]
        )
    for row in rows.values():
        if row["unit"] == "%":
            assert row["change"] is None
        elif row["now"] is not None and row["then"]:
            assert row["change"] == round(round(row["now"] - row["then"], 4) / row["then"], 4)
    sales, response = rows["sales amount"], rows["first response"]
    assert sales["better"] == ("better" if sales["now"] > sales["then"] else "worse")
    assert response["better"] == ("worse" if response["now"] > response["then"] else "better")


def test_agents_who_are_asked_for_are_reviewed_alone(ended: Traffic, read: Connection) -> None:
    made = review.report(read, Options((SHOP,), NOW, agents=("kf-03",)))
    rows = rows_as_dicts(made, made.rows)
    assert {row["who"] for row in rows if row["by"] == "agent"} == {"kf-03"}
    [sales] = [row for row in rows if (row["figure"], row["by"]) == ("sales amount", "shop")]
    own = parts(ended, "sales.amount", days_of(NOW))
    assert sales["now"] == along(own, 0)["kf-03"] > 0


def test_the_periods_are_named_and_their_lengths_compared(ended: Traffic) -> None:
    asked = ["report", "review", "--shop", SHOP, "--from", "2026-11-11", "--database", ended.database.address]
    shown = CliRunner().invoke(main, [*asked, "--against", "2026-11-06", "--against-to", "2026-11-08"])
    assert shown.exit_code == 0, shown.output
    assert "against: 2026-11-06 – 2026-11-08\n" in shown.stdout
    assert "This period has 1 days and the other 3: compare rates and means;" in shown.stdout
    assert "what moved most is " in shown.stdout
    alone = CliRunner().invoke(main, [*asked, "--lang", "zh"])
    assert "对比期: 2026-11-10\n" in alone.stdout
    for options, message in (
        (("--against-to", "2026-11-08"), "--against-to goes with --against"),
        (("--against", "June"), "--against 'June' is neither a day"),
        (("--against", "2026-11-08", "--against-to", "2026-11-07"), "--against-to 2026-11-07 is before"),
    ):
        refused = CliRunner().invoke(main, [*asked, *options])
        assert refused.exit_code == 2
        assert message in refused.stderr


@pytest.mark.parametrize(
    ("asked", "against", "missing"),
    [
        (NOW, period("2026-06", None), ["2026-06-01 – 2026-06-30"]),
        (period("2027-01", None), NOW, ["2027-01-01 – 2027-01-31"]),
        (period("2026-07", None), None, ["2026-07-01 – 2026-07-31", "2026-06-01 – 2026-06-30"]),
    ],
)
def test_with_a_period_without_data_nothing_is_compared(
    read: Connection, asked: Period, against: Period | None, missing: list[str]
) -> None:
    made = review.report(read, Options((SHOP,), asked, against=against))
    rows = rows_as_dicts(made, made.rows)
    sales = next(row for row in rows if row["figure"] == "sales amount")
    assert [(sales["now"] or 0) > 0, (sales["then"] or 0) > 0] == [asked == NOW, against == NOW]
    assert {row["by"] for row in rows} == {"shop"}
    for name in ("difference", "change", "better"):
        assert {row[name] for row in rows} == {None}
    english, chinese = ([note.text.of(one) for note in made.notes] for one in ("en", "zh"))
    assert not any("moved most is" in text for text in english)
    assert [text for text in english if "no data" in text] == [
        f"Shop {SHOP}: the ledger has no data of {days}: nothing is compared." for days in missing
    ]
    assert [text for text in chinese if "不作比较" in text] == [
        f"店铺 {SHOP}：账本中没有 {days} 的数据，不作比较。" for days in missing
    ]


def test_what_was_nothing_before_is_named_with_what_it_is_now(ledger: Database) -> None:
    days = {("*", "2026-11-10"): {"sales.amount": 0}, ("*", "2026-11-11"): {"sales.amount": 1_234_500}}
    handmade.fill(ledger, days, agents={"A": "An"}, watermark=handmade.start_of("2026-11-12"))
    with ledger.connection() as connection, snapshot(connection):
        made = review.report(connection, Options((handmade.SHOP,), period("2026-11-11", None)))
    texts = [note.text for note in made.notes if "moved most is sales" in note.text.english]
    assert texts == [
        (
            f"Shop {handmade.SHOP}, trade: what moved most is sales amount, from 0 to 12,345.00.",
            f"店铺 {handmade.SHOP}，交易：变化最大的是销售额，从 0 变为 12,345.00。",
        )
    ]
