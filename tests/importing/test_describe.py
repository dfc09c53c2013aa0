"""A proposed map: what is recognised, what is missing, and that it imports the file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stream_attr.errors import UnusableError
from stream_attr.importing.column_map import read_map
from stream_attr.importing.describe import describe
from tests.importing.files import csv_file, imported_from, json_lines, workbook

EXPORTS = Path(__file__).parent.parent / "sheets" / "exports"
CHATS = ["发送时间,买家昵称,客服账号,方向,消息内容,备注", "2026-03-02 10:00:00,b-1,kf01,顾客,在吗,"]


def saved(folder: Path, toml: str | None) -> Path:
    assert toml is not None
    (folder / "proposed.toml").write_text(toml, encoding="utf-8")
    return folder / "proposed.toml"


def test_what_is_recognised_of_chats_is_a_map_that_imports_them(tmp_path: Path) -> None:
    file = csv_file(tmp_path / "c.csv", *CHATS)
    found = describe(file)
    assert found.lines[0] == f"{file}: seems to be chats; heads in row 1, 6 columns"
    assert [line.split(":")[0].strip() for line in found.lines[1:]] == [
        "发送时间 → time",
        "买家昵称 → buyer",
        "客服账号 → agent",
        "方向 → sender",
        "消息内容 → text",
        "备注 → not used",
    ]
    one = read_map(saved(tmp_path, found.toml))
    assert one.zone is None, "the zone is the person's to say"
    assert len(imported_from([file], one, zone="Asia/Shanghai").events) == 1


def test_what_is_missing_is_said_with_the_columns_that_could_be_it(tmp_path: Path) -> None:
    file = workbook(
        tmp_path / "o.xlsx",
        [["订单号", "旺旺", "何时", "实付金额"], ["o-1", "b-1", "2026-03-02 10:00:00", 1.5]],
    )
    found = describe(file)
    assert found.lines[0] == f"{file}, sheet '订单': seems to be orders; heads in row 1, 4 columns"
    missing = [line for line in found.lines if line.startswith("  missing")]
    assert [line.partition("; could be ")[2] for line in missing] == ["旺旺, 何时", "何时"]
    assert missing[1].startswith("  missing: created: when it was placed; ")
    assert found.toml is not None
    assert '# buyer = ""  # MISSING: ' in found.toml
    edited = found.toml.replace('# buyer = ""', 'buyer = "旺旺"').replace(
        '# created = ""', 'created = "何时"'
    )
    one = read_map(saved(tmp_path, edited.replace("# zone = ", "zone = ")))
    assert [event["amount"] for event in imported_from([file], one).events] == [150]


def test_a_column_of_ids_that_are_all_damaged_is_recognised_and_said(tmp_path: Path) -> None:
    lines = describe(csv_file(tmp_path / "o.csv", "订单编号,买家,金额x", "2.6E+18,b,1", "2.7E+18,b,1")).lines
    assert lines[1].startswith("  订单编号 → order: the order's id (DAMAGED: ")


def test_damaged_ids_and_cells_that_cannot_be_read_are_said(tmp_path: Path) -> None:
    file = csv_file(
        tmp_path / "o.csv",
        "订单编号,买家,下单时间,实付金额",
        "2.6E+18,b,2026-03-02 10:00,1.00",
        "o-2,b,2026-03-02 10:00,1.00",
        "o-3,b,yesterday,1.00",
    )
    lines = describe(file).lines
    assert "(DAMAGED: " in lines[1]
    assert f"{file}, row 2, column '订单编号': 2.6E+18" in lines[1]
    assert lines[3].endswith("(1 of 3 cells cannot be read: their rows will be refused)")


def test_words_that_are_not_understood_are_put_into_the_map(tmp_path: Path) -> None:
    found = describe(csv_file(tmp_path / "c.csv", *CHATS, "2026-03-02 10:00:01,b-1,kf01,小二,在,"))
    assert "(say what these are in words.sender: 小二)" in found.lines[4]
    assert found.toml is not None
    one = read_map(saved(tmp_path, found.toml.replace('# buyer = ["小二"]', 'agent = ["小二"]')))
    assert one.words["sender"]["小二"] == "agent"


def test_numbers_since_1970_get_their_unit(tmp_path: Path) -> None:
    row = {"order_id": "o", "buyer_id": "b", "created_at": 1_772_416_800, "amount": "1.00"}
    file = json_lines(tmp_path / "o.jsonl", row)
    found = describe(file)
    one = read_map(saved(tmp_path, found.toml))
    assert one.epoch == {"created": 1000}
    assert [event["ts"] for event in imported_from([file], one).events] == [1_772_416_800_000]


@pytest.mark.parametrize("head", ['a"b', "a\\b", "a\tb", "a]b", "a#b", "时间 (秒)"])
def test_any_head_can_be_written(tmp_path: Path, head: str) -> None:
    quoted = head.replace('"', '""')
    file = csv_file(tmp_path / "o.csv", f'订单编号,"{quoted}",买家', "o,x,b")
    found = describe(file)
    assert found.toml is not None
    proposed = found.toml.replace("[columns]", f"[columns]\nstatus = {json.dumps(head)}")
    assert read_map(saved(tmp_path, proposed)).columns["status"] == (head,)


def test_of_a_known_export_the_buyer_is_left_to_say(tmp_path: Path) -> None:
    found = describe(EXPORTS / "pdd_orders.csv")
    assert found.lines[0].endswith(
        "Pinduoduo orders, 拼多多订单 (pdd_orders): orders, times by Asia/Shanghai, heads in row 1"
    )
    assert "  用户实付金额(元) → amount: what the buyer pays, postage included" in found.lines
    assert [line.partition(" → ")[0] for line in found.lines if " → paid:" in line] == [
        "  订单确认时间/订单成交时间"
    ]
    assert any(line.startswith("  missing: buyer: ") for line in found.lines)
    assert found.toml is not None
    one = read_map(saved(tmp_path, found.toml.replace('# buyer = ""', 'buyer = "商家备注"')))
    assert (one.platform, one.columns["buyer"]) == ("pinduoduo", ("商家备注",))


def test_figures_of_agents_get_no_map() -> None:
    found = describe(EXPORTS / "jd_kefu_guanjia_overall.csv")
    assert found.toml is None
    assert "figures of agents, which are no events: stream-attr report reconcile" in found.lines[0]


def test_a_file_without_heads_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableError, match=r"n\.csv: there is no row that could be the heads"):
        describe(csv_file(tmp_path / "n.csv", "1,2,3", "4,5,6"))
