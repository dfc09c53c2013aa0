"""One period against another, from the raw records: figures, and between whom and when they moved."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from click.testing import CliRunner

from stream_attr.cli import main
from stream_attr.ledger.database.connect import Connection
from stream_attr.ledger.figures import FIGURES
from stream_attr.ledger.periods import Period, period
from stream_attr.ledger.reports import review
from stream_attr.ledger.reports.scope import Options
from stream_attr.rules.shop.days import day_name
from tests.ledger.reports.brute_force import four_digits, half_up, local_day, local_hour
from tests.ledger.reports.conftest import Traffic, rows_as_dicts

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
    for dimension, figure in broken_down:
        both = [parts(ended, KEYS[figure], days_of(one)) for one in (NOW, then)]
        for index, by in enumerate(("agent", "hour")):
            now, before = (along(one, index) for one in both)
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
            assert named == sorted(named, key=lambda row: (-abs(row["difference"]), row["who"] != "silent"))


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
        if row["now"] is not None and row["then"]:
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
