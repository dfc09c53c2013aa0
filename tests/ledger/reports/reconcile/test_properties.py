"""A sheet made of our own decisions is all matched, and each single change to it is found at its place."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stream_attr.codec.money import decimal_amount
from stream_attr.ledger.database.connect import Connection
from stream_attr.ledger.periods import period
from stream_attr.ledger.reports import agents, reconcile
from stream_attr.ledger.reports.scope import Options
from tests.ledger.reports.conftest import Traffic, rows_as_dicts

SHOP = "jd:10086"
DAYS = period("2026-10-20", "2026-11-30")
HEAD = ["序号", "订单", "金额", "退款", "付款", "状态", "客服"]
MAPS = ("订单=order", "金额=amount", "退款=refund", "付款=paid", "状态=status", "客服=agent")
ABOVE = ["店铺：京东示例", "导出时间：2026-12-01"]
Sheet = list[list[str]]


def shown(ts: int) -> str:
    return (
        datetime.fromtimestamp(ts // 1000, UTC)
        .astimezone(ZoneInfo("Asia/Shanghai"))
        .strftime("%Y-%m-%d %H:%M:%S")
    )


def sheet_of(decisions: list[dict[str, Any]]) -> Sheet:
    sold = [one for one in decisions if one["shop_id"] == SHOP and one["outcome"] in ("credited", "silent")]
    return [
        [
            str(number),
            f"\t{one['order_id']}",
            decimal_amount(one["amount"], one["currency"], grouped=True),
            decimal_amount(one["refund_completed"], one["currency"], grouped=False),
            shown(one["paid_ts"]),
            "交易成功",
            one["credit"]["agent_id"] if one["credit"] else "--",
        ]
        for number, one in enumerate(sorted(sold, key=lambda one: one["paid_ts"]), 1)
    ]


def written(path: Path, rows: Sheet) -> Path:
    text = io.StringIO()
    csv.writer(text).writerows([*([one] for one in ABOVE), HEAD, *rows, ["合计", "", "1.00", "", "", "", ""]])
    path.write_text(text.getvalue(), "gb18030")
    return path


def reconciled(read: Connection, path: Path) -> list[dict[str, Any]]:
    made = reconcile.report(read, Options((SHOP,), DAYS, file=path, maps=MAPS))
    return rows_as_dicts(made, made.rows)


def more_money(column: int) -> Callable[[Sheet, int, int], tuple[str, str]]:
    def change(rows: Sheet, at: int, much: int) -> tuple[str, str]:
        rows[at][column] = str(Decimal(rows[at][column].replace(",", "")) + Decimal(much) / 100)
        return "differs", {2: "amount", 3: "refunded"}[column]

    return change


def later(rows: Sheet, at: int, much: int) -> tuple[str, str]:
    before = datetime.fromisoformat(rows[at][4]).replace(tzinfo=ZoneInfo("Asia/Shanghai"))
    rows[at][4] = shown(int(before.timestamp() + much) * 1000)
    return "differs", "paid"


def unpaid(rows: Sheet, at: int, _: int) -> tuple[str, str]:
    rows[at][5] = "待付款"
    return "differs", "status"


def anothers(rows: Sheet, at: int, much: int) -> tuple[str, str]:
    rows[at][6] = f"nobody-{much}"
    return "differs", "credit"


def gone(rows: Sheet, at: int, _: int) -> tuple[str, str]:
    del rows[at]
    return "only here", "amount"


def new(rows: Sheet, at: int, much: int) -> tuple[str, str]:
    rows.insert(at, [*rows[at][:1], f"new-{much}", *rows[at][2:]])
    return "only there", "amount"


CHANGES = (more_money(2), more_money(3), later, unpaid, anothers, gone, new)


def test_a_sheet_of_our_own_decisions_is_all_matched(
    ended: Traffic, read: Connection, tmp_path: Path
) -> None:
    rows = sheet_of(ended.decisions)
    assert len(rows) > 60
    assert reconciled(read, written(tmp_path / "a.csv", rows)) == []


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.data())
def test_each_single_change_is_found_at_its_place(
    ended: Traffic, read: Connection, tmp_path: Path, data: st.DataObject
) -> None:
    rows = sheet_of(ended.decisions)
    at = data.draw(st.integers(0, len(rows) - 1), "row")
    change = data.draw(st.sampled_from(CHANGES), "change")
    order_id = rows[at][1].strip()
    result, field = change(rows, at, data.draw(st.integers(1, 10_000), "how much"))
    (found,) = reconciled(read, written(tmp_path / "a.csv", rows))
    assert (found["result"], found["field"]) == (result, field)
    assert found["row"] == (None if result == "only here" else len(ABOVE) + 2 + at)
    assert found["order"] == (rows[at][1] if result == "only there" else order_id)


FIGURES = (
    "sales.amount",
    "sales.orders",
    "workload.receptions",
    "workload.response_ms",
    "workload.reply_rate",
)


@pytest.mark.parametrize("changed", [None, *range(len(FIGURES))])
def test_figures_of_our_own_report_match_and_a_change_is_found(
    read: Connection, tmp_path: Path, changed: int | None
) -> None:
    made = agents.report(read, Options((SHOP,), DAYS, figures=FIGURES))
    ours = rows_as_dicts(made, made.rows)
    assert len(ours) > 5
    lines = [f"客服,{','.join(FIGURES)}"]
    for number, row in enumerate(ours):
        numbers = [Decimal(str(row[key] or 0)) for key in FIGURES]
        numbers[0], numbers[3] = numbers[0] / 100, numbers[3] / 1000
        if number == 3 and changed is not None:
            numbers[changed] += Decimal(["0.01", "1", "1", "0.001", "0.0001"][changed])
        cells = [*map(str, numbers[:4]), f"{numbers[4] * 100}%"]
        lines.append(f"{row['agent']},{','.join(cells)}")
    path = tmp_path / "a.csv"
    path.write_text("\n".join(lines))
    maps = ("客服=agent", *(f"{key}={key}" for key in FIGURES))
    found = reconcile.report(read, Options((SHOP,), DAYS, file=path, maps=maps))
    rows = rows_as_dicts(found, found.rows)
    expected = [] if changed is None else [(5, ours[3]["agent"])]
    assert [(row["row"], row["agent"]) for row in rows] == expected
