"""stream-attr lab: files and stored events judged by several rule sets, shown and kept."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from stream_attr.cli import main
from stream_attr.cli.lab import VIEWS
from stream_attr.files.inputs import Inputs
from stream_attr.lab.report import VIEWS as MADE
from tests.lab.files import stored, written
from tests.reference.days import MINUTE_MS
from tests.reference.shorthand import NOON, chat_of, order

ROSTER = [
    {"shop_id": "jd:1", "agent_id": "A", "effective_from": "2026-01-01", "role": "presale", "name": "小明"}
]


@pytest.fixture
def files(tmp_path: Path) -> Inputs:
    """A places the order of 100 and B brings its payment; B's alone is one of 300."""
    chat = [*chat_of("A", NOON - 10 * MINUTE_MS), *chat_of("B", NOON + 2 * MINUTE_MS)]
    chat += chat_of("B", NOON + 2 * MINUTE_MS, "b-2")
    orders = []
    for order_id, buyer_id, amount in (("o-1", "b-1", 10_000), ("o-2", "b-2", 30_000)):
        orders.append(order("created", NOON, order_id, buyer_id, amount=amount))
        orders.append(order("paid", NOON + 10 * MINUTE_MS, order_id, buyer_id, amount=amount))
    return written(tmp_path, chat=chat, orders=orders, roster=ROSTER)


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(main, ["lab", *map(str, arguments)])


def of_files(files: Inputs) -> list[str]:
    return ["--chat", *files.chat, "--orders", *files.orders, "--roster", *files.roster, "--shop", "jd:1"]


DAY = ("--from", "2026-11-01", "--accept-future")


def test_rule_sets_are_presets_files_and_the_shops_own(files: Inputs, tmp_path: Path) -> None:
    rules = tmp_path / "rules.json"
    rules.write_text('{"credit_rule": "order"}')
    asked = ("run", *of_files(files), *DAY, "--rules", "current", f"下单={rules}", "pdd", "--format", "json")
    found = json.loads(run(*asked).stdout)
    rows = {(row["before"], row["after"]): row for row in found["rows"]}
    assert rows["current", "下单"]["moved_orders"] == 2
    assert rows["current", "下单"]["moved"] == 40_000
    assert rows["current", "pdd"]["moved_orders"] == 1
    assert rows["current", "pdd"]["share"] == 0.25
    assert found["asked"] == {"shop": "jd:1", "period": "2026-11-01 – 2026-11-01"}
    assert "the winner of 400.00 CNY of 400.00 CNY (100.00%)" in found["notes"][0]["text"]


def test_every_view_of_what_was_kept(files: Inputs, tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    made = run("run", *of_files(files), *DAY, "--rules", "current", "pdd", "dongdong_guanjia", "--keep", kept)
    assert made.exit_code == 0, made.stderr

    def rows(view: str, *more: str) -> list[dict[str, Any]]:
        found = run("show", kept, "--show", view, "--format", "json", *more)
        assert found.exit_code == 0, found.stderr
        return list(json.loads(found.stdout)["rows"])

    assert rows("pairs") == json.loads(run("show", kept, "--format", "json").stdout)["rows"]
    assert [(row["agent"], row["name"], row["amount_0"], row["amount_1"]) for row in rows("agents")] == [
        ("A", "小明", 0, 10_000),
        ("B", None, 40_000, 30_000),
        ("(silent)", None, 0, 0),
    ]
    between = ("--between", "pdd", "dongdong_guanjia")
    assert [
        (row["agent"], row["before"], row["after"], row["gained"], row["lost"])
        for row in rows("agents", *between)
    ] == [
        ("B", 30_000, 0, 0, 30_000),
        ("(silent)", 0, 30_000, 30_000, 0),
        ("A", 10_000, 10_000, 0, 0),
    ]
    assert [
        (row["from"], row["to"], row["amount"]) for row in rows("flows", "--between", "current", "pdd")
    ] == [("B", "A", 10_000)]
    [moved] = rows("orders", *between)
    assert (moved["order"], moved["from"], moved["from_basis"], moved["to"]) == (
        "o-2",
        "B",
        "payment",
        "(silent)",
    )
    assert set(VIEWS) == set(MADE)


def test_the_screen_and_a_sheet_in_chinese(files: Inputs, tmp_path: Path) -> None:
    asked = ("run", *of_files(files), *DAY, "--rules", "current", "pdd", "--lang", "zh", "--show", "orders")
    shown = run(*asked)
    assert "规则实验室：current, pdd" in shown.stdout
    assert "付款时间" in shown.stdout
    sheet = tmp_path / "sheet.csv"
    assert run(*asked, "--format", "csv", "--out", sheet).exit_code == 0
    [row] = csv.DictReader(sheet.read_text("utf-8-sig").splitlines())
    assert (row["订单"], row["金额"], row["现归属"], row["对比归属"]) == ("o-1", "100.00", "B", "A")


def test_stored_events_need_no_shop_where_there_is_one(files: Inputs, tmp_path: Path) -> None:
    folder = stored(tmp_path / "events", files)
    found = run("run", "--events", folder, *DAY, "--rules", "current", "pdd", "--format", "json")
    assert json.loads(found.stdout)["rows"][0]["moved"] == 10_000


def test_chat_that_is_not_stored_far_enough_back_is_warned_of(files: Inputs, tmp_path: Path) -> None:
    folder = stored(tmp_path / "events", files)
    found = run("run", "--events", folder, *DAY, "--rules", "current", "pdd", "--format", "json")
    notes = json.loads(found.stdout)["notes"]
    [warning] = [note["text"] for note in notes if note["warning"]]
    # from midnight in Shanghai back: two natural days and the part of one, two for receptions over midnight
    assert warning == (
        "Chat is stored from 2026-11-01 on, and verdicts of this period may rest on chat from 2026-10-26 on: "
        "orders may lack agents."
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--rules", "current"), "nothing to judge: give --events FOLDER, or files"),
        (
            ("--rules", "mofang", "--orders", "{orders}", "--shop", "jd:1"),
            "it is current, a preset (jd_cloud,",
        ),
        (
            ("--rules", "x=nowhere.json", "--orders", "{orders}", "--shop", "jd:1"),
            "nowhere.json: No such file",
        ),
        (("--rules", "current", "--orders", "{orders}"), "say which shop with --shop"),
        (
            ("--rules", "current", "--orders", "{orders}", "--events", "."),
            "--orders does not go with --events",
        ),
        (("--rules", "current", "--events", "."), "holds no stored events"),
        (
            (
                "--rules",
                "current",
                "pdd",
                "--orders",
                "{orders}",
                "--shop",
                "jd:1",
                "--between",
                "pdd",
                "chitu",
            ),
            "rule set chitu was not judged: there are current, pdd",
        ),
        (
            ("--rules", "current", "--orders", "{orders}", "--shop", "jd:1", "--from", "1st"),
            "--from '1st' is neither",
        ),
    ],
)
def test_what_cannot_be_done_is_said_with_the_remedy(
    files: Inputs, arguments: tuple[str, ...], said: str
) -> None:
    found = run("run", *DAY, *(one.format(orders=files.orders[0]) for one in arguments))
    assert (found.exit_code, said in found.stderr.replace("\n", " ")) == (2, True), found.stderr


def test_a_file_that_was_not_kept_by_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    found = run("show", tmp_path / "x.json")
    assert (found.exit_code, "is not what stream-attr lab run --keep writes" in found.stderr) == (2, True)


def test_pay_by_a_scheme(files: Inputs, tmp_path: Path) -> None:
    """1 % of the sales: A has none or 100.00, B 400.00 or 300.00; the roster has A alone."""
    scheme = tmp_path / "scheme.json"
    commission = {"kind": "commission", "id": "c", "of": "sales.amount", "mode": "whole"}
    commission["tiers"] = [{"from": 0, "rate": "1%"}]  # type: ignore[assignment]
    document = {
        "scheme_id": "s",
        "version": 1,
        "effective_from": "2026-01-01",
        "currency": "CNY",
        "refund_basis": "sale_month",
        "take_at_most": "50%",
    }
    scheme.write_text(json.dumps({**document, "components": [commission]}))
    asked = ["run", *of_files(files), "--accept-future", "--rules", "current", "pdd", "--show", "pay"]
    found = run(*asked, "--scheme", scheme, "--from", "2026-11", "--format", "json")
    assert found.exit_code == 0, found.stderr
    report = json.loads(found.stdout)
    assert report["rows"] == [
        {"person": "A", "name": "小明", "currency": "CNY", "pay_0": 0, "pay_1": 100, "difference": 100}
    ]
    assert [(row["pay_0"], row["pay_1"]) for row in report["totals"]] == [(0, 100)]
    found = run(*asked, "--scheme", scheme, "--from", "2026-11-01")
    assert (found.exit_code, "pay is for a month like 2026-11" in found.stderr) == (2, True)
    found = run(*asked, "--scheme", scheme, "--from", "2026-11", "--to", "2026-12")
    assert (found.exit_code, "pay is for all of 2026-11" in found.stderr) == (2, True)
    found = run(*asked, "--from", "2026-11")
    assert (found.exit_code, "no pay was calculated" in found.stderr) == (2, True)
