"""Rows of chats as events: who, to whom, when; the same row always has the same id."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.importing.files import AT_10, CHATS, Result, column_map, csv_file, imported_from, json_lines

HEAD = "时间,买家,客服,方向,内容"
SAID = "2026-03-02 10:00:00,b-1,kf01,买家,在吗"


def of_rows(folder: Path, *rows: str, more: str = "", head: str = HEAD, **said: Any) -> Result:
    return imported_from([csv_file(folder / "c.csv", head, *rows)], column_map(folder, CHATS + more), **said)


def test_a_message_without_its_text_has_its_length(tmp_path: Path) -> None:
    (event,) = of_rows(tmp_path, SAID).events
    event_id = event.pop("event_id")
    assert event_id.startswith("import:")
    assert len(event_id) == len("import:") + 32
    assert event == {
        "shop_id": "s1",
        "buyer_id": "b-1",
        "agent_id": "kf01",
        "ts": AT_10,
        "type": "message",
        "sender": "buyer",
        "kind": "text",
        "text_length": 2,
        "buyer_is_subaccount": False,
    }


def test_a_message_with_its_text_has_the_same_id(tmp_path: Path) -> None:
    (without,), (event,) = of_rows(tmp_path, SAID).events, of_rows(tmp_path, SAID, with_text=True).events
    assert (event["text"], "text_length" in event) == ("在吗", False)
    assert event["event_id"] == without["event_id"]


def test_the_same_row_has_the_same_id_in_any_export(tmp_path: Path) -> None:
    (event,) = of_rows(tmp_path, SAID).events
    other = column_map(tmp_path, CHATS.replace("内容", "文字").replace("方向", "谁"), "other.toml")
    again = csv_file(
        tmp_path / "again.csv", "文字,客服,谁,买家,时间", "在吗,kf01,buyer,b-1,2026/3/2 10:00:00"
    )
    assert imported_from([again], other).events == [event]


DIFFERENT = [
    "2026-03-02 10:00:01,b-1,kf01,买家,在吗",
    "2026-03-02 10:00:00,b-2,kf01,买家,在吗",
    "2026-03-02 10:00:00,b-1,kf02,买家,在吗",
    "2026-03-02 10:00:00,b-1,kf01,客服,在吗",
    "2026-03-02 10:00:00,b-1,kf01,买家,在",
    "2026-03-02 10:00:00,b-1,kf01,买家,",
]


def test_rows_that_differ_in_anything_have_ids_of_their_own(tmp_path: Path) -> None:
    found = of_rows(tmp_path, SAID, *DIFFERENT)
    assert len({one["event_id"] for one in found.events}) == len(DIFFERENT) + 1


def test_a_row_that_is_in_two_exports_counts_once(tmp_path: Path) -> None:
    one = column_map(tmp_path, CHATS)
    files = [csv_file(tmp_path / f"{n}.csv", HEAD, SAID, DIFFERENT[n]) for n in (0, 1)]
    found = imported_from(files, one)
    assert (len(found.events), found.account.repeated) == (3, 1)


def test_ids_of_the_platform_are_kept_and_one_with_two_contents_is_refused(tmp_path: Path) -> None:
    head = f"{HEAD},号"
    found = of_rows(
        tmp_path,
        f"{SAID},m-1",
        f"{SAID},m-2",
        f"{SAID},m-1",
        "2026-03-02 10:00:00,b-1,kf01,客服,在,m-2",
        more='message = "号"\n',
        head=head,
    )
    assert [one["event_id"] for one in found.events] == ["import:m-1", "import:m-2"]
    assert (found.account.repeated, found.codes) == (1, [(5, "bad_value")])
    assert "has the same id and says something else" in found.refused[0]["message"]


def test_who_spoke_by_name(tmp_path: Path) -> None:
    text = CHATS.replace("sender", "speaker")
    file = csv_file(
        tmp_path / "c.csv",
        HEAD,
        "2026-03-02 10:00,b-1,kf01,b-1,hi",
        "2026-03-02 10:01,b-1,kf01,kf01,hi",
        "2026-03-02 10:02,b-1,kf01,kf02,hi",
    )
    found = imported_from([file], column_map(tmp_path, text))
    assert [one["sender"] for one in found.events] == ["buyer", "agent"]
    assert found.codes == [(4, "bad_value")]
    assert "'kf02' is neither the buyer nor the agent" in found.refused[0]["message"]


def test_words_of_the_map_and_those_that_are_understood(tmp_path: Path) -> None:
    found = of_rows(
        tmp_path,
        "2026-03-02 10:00,b,k,1,a,图片",
        "2026-03-02 10:01,b,k,客服,b,欢迎语",
        "2026-03-02 10:02,b,k,Seller,c,",
        "2026-03-02 10:03,b,k,2,d,",
        more='kind = "类"\n[words.sender]\nbuyer = ["1"]\n[words.kind]\nauto_reply = ["欢迎语"]\n',
        head=f"{HEAD},类",
    )
    assert [(one["sender"], one["kind"]) for one in found.events] == [
        ("buyer", "image"),
        ("agent", "auto_reply"),
        ("agent", "text"),
    ]
    assert found.codes == [(5, "bad_value")]
    assert "row 5, column '方向': '2' is not known: words.sender of the map" in found.refused[0]["message"]


def test_robots_and_the_system_are_no_words_of_an_agent(tmp_path: Path) -> None:
    found = of_rows(tmp_path, "2026-03-02 10:00,b,k,机器人,hi", "2026-03-02 10:01,b,k,系统,closed")
    assert [(one["sender"], one["kind"]) for one in found.events] == [
        ("agent", "auto_reply"),
        ("agent", "system"),
    ]


def test_handovers_and_ratings(tmp_path: Path) -> None:
    found = of_rows(
        tmp_path,
        "2026-03-02 10:00,b,k,,,k2,",
        "2026-03-02 10:01,b,k,,,k,",
        "2026-03-02 10:02,b,k,,,,5",
        "2026-03-02 10:03,b,k,,,,6",
        more='to_agent = "转"\nscore = "评"\n',
        head=f"{HEAD},转,评",
    )
    assert [(one["type"], one.get("to_agent_id"), one.get("score")) for one in found.events] == [
        ("transfer", "k2", None),
        ("rating", None, 5),
    ]
    assert found.codes == [(3, "bad_value"), (5, "bad_value")]


REFUSED = {
    "2026-03-02 24:00,b,k,买家,hi": ("时间", "bad_time"),
    ",b,k,买家,hi": ("时间", "missing_field"),
    "2026-03-02 10:00,,k,买家,hi": ("买家", "missing_field"),
    "2026-03-02 10:00,2.6E+18,k,买家,hi": ("买家", "bad_id"),
    "2026-03-02 10:00,b,*,买家,hi": (None, "bad_id"),
    "2026-03-02 10:00,b,k,,hi": ("方向", "missing_field"),
    "2026-03-02 10:00,b,k,路人,hi": ("方向", "bad_value"),
}


@pytest.mark.parametrize(("row", "said"), REFUSED.items(), ids=list(REFUSED))
def test_a_row_that_cannot_be_read_is_refused_and_the_others_are_read(
    tmp_path: Path, row: str, said: tuple[str | None, str]
) -> None:
    found = of_rows(tmp_path, row, SAID)
    assert len(found.events) == 1
    (refused,) = found.refused
    assert (refused["row"], refused.get("column"), refused["code"]) == (2, *said)
    assert f"{tmp_path / 'c.csv'}, row 2" in refused["message"]


def test_a_refused_row_has_no_cells_that_are_not_read(tmp_path: Path) -> None:
    row = "2026-03-02 10:00,b,k,路人,hi,13800000000"
    (refused,) = of_rows(tmp_path, row, head=f"{HEAD},电话").refused
    assert "13800000000" not in str(refused)


def test_what_people_wrote_is_in_no_refused_row(tmp_path: Path) -> None:
    row = "2026-03-02 10:00,b,k,路人,secret"
    (refused,) = of_rows(tmp_path, row).refused
    assert refused["cells"] == {"时间": "2026-03-02 10:00", "买家": "b", "客服": "k", "方向": "路人"}
    (refused,) = of_rows(tmp_path, row, with_text=True).refused
    assert refused["cells"]["内容"] == "secret"


def test_text_is_read_as_it_stands(tmp_path: Path) -> None:
    found = of_rows(
        tmp_path, '2026-03-02 10:00,b,k,买家,"a, ""b""\r\nc"', "2026-03-02 10:01,b,k,买家,-", with_text=True
    )
    assert [one["text"] for one in found.events] == ['a, "b"\r\nc', "-"]


def test_json_lines_with_a_lone_surrogate(tmp_path: Path) -> None:
    row = {
        "时间": "2026-03-02T10:00:00.5+08:00",
        "买家": "b",
        "客服": "k",
        "方向": "buyer",
        "内容": "x\ud800",
    }
    file = tmp_path / "c.jsonl"
    file.write_text(json.dumps(row))
    (event,) = imported_from([file], column_map(tmp_path, CHATS), with_text=True).events
    assert (event["text"], event["ts"]) == ("x�", AT_10 + 500)


def test_several_shops_in_one_file(tmp_path: Path) -> None:
    rows = [
        {"时间": "2026-03-02 10:00", "买家": "b", "客服": "k", "方向": "buyer", "店": shop}
        for shop in ("a", "b", "")
    ]
    found = imported_from(
        [json_lines(tmp_path / "c.jsonl", *rows)], column_map(tmp_path, f'{CHATS}shop = "店"\n')
    )
    assert [one["shop_id"] for one in found.events] == ["a", "b", "s1"]
    found = imported_from(
        [json_lines(tmp_path / "c.jsonl", *rows)], column_map(tmp_path, f'{CHATS}shop = "店"\n'), shop=None
    )
    assert [one["shop_id"] for one in found.events] == ["a", "b"]
    assert found.codes == [(3, "missing_field")]


def test_a_number_with_a_fraction_as_text_of_json_lines(tmp_path: Path) -> None:
    row = {"时间": "2026-03-02 10:00", "买家": "b", "客服": "k", "方向": "buyer", "内容": 12.5}
    file = json_lines(tmp_path / "c.jsonl", row)
    (event,) = imported_from([file], column_map(tmp_path, CHATS), with_text=True).events
    assert event["text"] == "12.5"
