"""Rows of orders as events: which, when, how much; what cannot be read is refused with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from xlsxwriter import Workbook  # type: ignore[import-untyped]

from stream_attr.errors import UnusableError
from stream_attr.sheets.places import SheetError
from tests.importing.files import (
    AT_10,
    ORDERS,
    Result,
    column_map,
    csv_file,
    imported_from,
    json_lines,
    workbook,
)

EXPORTS = Path(__file__).parent.parent / "sheets" / "exports"
HEAD = "订单号,买家,下单,付款,金额"
MINUTE = 60_000


def of_rows(folder: Path, *rows: str, more: str = "", head: str = HEAD, **said: Any) -> Result:
    return imported_from([csv_file(folder / "o.csv", head, *rows)], column_map(folder, ORDERS + more), **said)


def test_an_order_is_placed_and_paid(tmp_path: Path) -> None:
    found = of_rows(tmp_path, 'o-1,b-1,2026-03-02 10:00:00,2026-03-02 10:01:00,"¥1,234.50"')
    assert found.events == [
        {
            "event_id": "shop:o-1:created",
            "shop_id": "s1",
            "buyer_id": "b-1",
            "order_id": "o-1",
            "ts": AT_10,
            "type": "created",
            "amount": 123_450,
            "currency": "CNY",
            "product_ids": [],
        },
        {
            "event_id": "shop:o-1:paid",
            "shop_id": "s1",
            "buyer_id": "b-1",
            "order_id": "o-1",
            "ts": AT_10 + MINUTE,
            "type": "paid",
            "amount": 123_450,
            "currency": "CNY",
            "created_ts": AT_10,
            "product_ids": [],
        },
    ]
    assert found.refused == []


def test_an_order_that_is_not_paid_is_placed_alone(tmp_path: Path) -> None:
    assert of_rows(tmp_path, "o-1,b-1,2026-03-02 10:00,-,5").short == [("o-1", "created", 0, 500)]


def test_events_come_by_time_whatever_the_order_of_rows(tmp_path: Path) -> None:
    rows = [f"o-{n},b,2026-03-02 10:{n:02},,1" for n in range(10)]
    found = of_rows(tmp_path, *reversed(rows))
    assert found.short == [(f"o-{n}", "created", n * MINUTE, 100) for n in range(10)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_csv_of_any_encoding_and_xlsx_and_json_give_the_same_bytes(tmp_path: Path, encoding: str) -> None:
    rows = [["订单号", "买家", "下单", "付款", "金额"]]
    rows += [
        [f"260000000000000000{n}", "买家一", "2026-03-02 10:00:00", "2026-03-02 10:02:00", "8.10"]
        for n in (1, 2)
    ]
    one = column_map(tmp_path, ORDERS)
    of_csv = imported_from([csv_file(tmp_path / "o.csv", *map(",".join, rows), encoding=encoding)], one)
    of_xlsx = imported_from([workbook(tmp_path / "o.xlsx", rows)], one)
    of_json = imported_from(
        [json_lines(tmp_path / "o.jsonl", *(dict(zip(rows[0], row, strict=True)) for row in rows[1:]))], one
    )
    assert len(of_csv.events) == 4
    assert of_csv.events == of_xlsx.events == of_json.events


def test_an_xls_with_a_title_above_its_head_is_read(tmp_path: Path) -> None:
    """``orders.xls``: two orders, of which one is paid, a total below; the buyers in a file of their own."""
    sheet = Path(__file__).parent.parent / "sheets" / "files" / "orders.xls"
    text = 'of = "orders"\nzone = "Asia/Shanghai"\n[columns]\norder = "订单编号"\n'
    of_orders = column_map(tmp_path, f'{text}amount = "金额(元)"\npaid = "付款时间"\n', "orders.toml")
    more = column_map(tmp_path, f'{text}buyer = "买家"\ncreated = "下单"\n', "more.toml")
    rest = [f"260000000000000000{n},b,2026-03-02 10:00" for n in (1, 2)]
    found = imported_from([sheet, csv_file(tmp_path / "m.csv", "订单编号,买家,下单", *rest)], of_orders, more)
    assert found.short == [
        ("2600000000000000001", "created", 0, 19990),
        ("2600000000000000002", "created", 0, 10),
        ("2600000000000000001", "paid", 12 * MINUTE, 19990),
    ]


TAOBAO = 'base = "taobao_suborders"\n[columns]\nbuyer = "买家会员名"\n'
T_HEAD = (
    "子订单编号,主订单编号,商品ID,购买数量,商品价格,订单状态,买家实付金额,退款金额,"
    "订单创建时间,订单付款时间,买家会员名"
)


def taobao(folder: Path, *rows: str) -> Result:
    return imported_from([csv_file(folder / "t.csv", T_HEAD, *rows)], column_map(folder, TAOBAO))


def test_sub_orders_are_one_order_with_the_sum(tmp_path: Path) -> None:
    found = taobao(
        tmp_path,
        '"=""21""","=""20""",p-1,1,1,买家已付款,19.90,无退款申请,2026-03-02 10:00:00,2026-03-02 10:01:00,b',
        "30,30,p-9,1,1,等待买家付款,5.00,无退款申请,2026-03-02 10:00:00,,c",
        '"=""22""","=""20""",p-2,2,1,买家已付款,0.13,无退款申请,2026-03-02 10:00:00,2026-03-02 10:01:00,b',
    )
    assert found.short == [
        ("20", "created", 0, 2003),
        ("30", "created", 0, 500),
        ("20", "paid", MINUTE, 2003),
    ]
    assert found.events[0]["quantity"] == 3
    assert found.events[0]["product_ids"] == ["p-1", "p-2"]
    assert found.events[0]["event_id"] == "taobao:20:created"


def test_one_damaged_sub_order_takes_its_order_with_it_and_no_other(tmp_path: Path) -> None:
    paid = "买家已付款，等待卖家发货"
    found = taobao(
        tmp_path,
        f"21,20,p,1,1,{paid},19.90,,2026-03-02 10:00:00,2026-03-02 10:01:00,b",
        f"22,20,p,1,1,{paid},1.999,,2026-03-02 10:00:00,2026-03-02 10:01:00,b",
        f"31,30,p,1,1,{paid},3.00,,2026-03-02 10:00:00,2026-03-02 10:01:00,b",
    )
    assert [one[0] for one in found.short] == ["30", "30"]
    assert found.codes == [(3, "bad_amount"), (2, "bad_amount")]
    assert "order 20 has another row that cannot be used, row 3 of " in found.refused[1]["message"]


def test_rows_of_one_order_that_differ_are_refused(tmp_path: Path) -> None:
    found = of_rows(tmp_path, "o,b,2026-03-02 10:00,,1", "o,b,2026-03-02 10:00,,2", "p,b,2026-03-02 10:00,,2")
    assert found.short == [("p", "created", 0, 200)]
    assert found.codes == [(2, "bad_value"), (3, "bad_value")]
    assert "order o is in rows 2 and 3, which differ" in found.refused[0]["message"]


def test_a_row_that_is_there_twice_counts_once(tmp_path: Path) -> None:
    found = of_rows(tmp_path, "o,b,2026-03-02 10:00,,1", "o,b,2026-03-02 10:00,,1")
    assert found.short == [("o", "created", 0, 100)]
    assert found.account.repeated == 1


def test_a_later_file_completes_and_corrects_an_earlier_one(tmp_path: Path) -> None:
    one = column_map(tmp_path, ORDERS)
    monday = csv_file(tmp_path / "1.csv", HEAD, "o,b,2026-03-02 10:00,,1.00", "p,b,2026-03-02 10:00,,7")
    friday = csv_file(tmp_path / "2.csv", HEAD, "o,b,2026-03-02 10:00,2026-03-02 10:05,0.90")
    assert imported_from([monday, friday], one).short == [
        ("o", "created", 0, 90),
        ("p", "created", 0, 700),
        ("o", "paid", 5 * MINUTE, 90),
    ]


def test_buyers_may_come_from_another_file(tmp_path: Path) -> None:
    buyers = csv_file(tmp_path / "b.csv", "主订单编号,买家", "\t6900000000000000001,b-7")
    of_buyers = column_map(tmp_path, 'of = "orders"\n[columns]\norder = "主订单编号"\nbuyer = "买家"\n')
    for files in ([EXPORTS / "douyin_orders.csv", buyers], [buyers, EXPORTS / "douyin_orders.csv"]):
        found = imported_from(files, of_buyers)
        assert found.short == [
            ("6900000000000000001", "created", 10 * MINUTE, 19900),
            ("6900000000000000001", "paid", 12 * MINUTE, 19900),
        ]
        assert {one["event_id"].split(":")[0] for one in found.events} == {"doudian"}
        assert {one["buyer_id"] for one in found.events} == {"b-7"}


def test_known_exports_without_a_buyer_are_refused_with_the_remedy() -> None:
    for name, row in (("taobao_suborders", 2), ("douyin_orders", 2), ("pdd_orders", 2)):
        found = imported_from([EXPORTS / f"{name}.csv"])
        assert found.events == []
        assert (row, "no_buyer") in found.codes
        assert "give a second file with order and buyer" in found.refused[-1]["message"]


def test_pinduoduo_counts_as_paid_when_it_is_confirmed(tmp_path: Path) -> None:
    buyers = csv_file(tmp_path / "b.csv", "订单号,买家", "260302-000000000000001,b")
    of_buyers = column_map(tmp_path, 'of = "orders"\n[columns]\norder = "订单号"\nbuyer = "买家"\n')
    found = imported_from([EXPORTS / "pdd_orders.csv", buyers], of_buyers)
    assert [one[1:] for one in found.short] == [
        ("created", 12 * MINUTE, 19900),
        ("paid", 12 * MINUTE + 5000, 19900),
    ]
    assert found.events[0]["product_ids"] == ["330000000001"]


@pytest.mark.parametrize(
    "name", ["jd_kefu_guanjia_overall", "sycm_kefu_jixiao", "pdd_kefu_jixiao", "feige_kefu_shuju"]
)
def test_figures_of_agents_are_no_events(name: str) -> None:
    with pytest.raises(UnusableError, match=r"a sheet of figures .* stream-attr report reconcile"):
        imported_from([EXPORTS / f"{name}.csv"])


def test_an_id_in_scientific_notation_is_refused_with_row_and_column() -> None:
    found = imported_from([EXPORTS / "taobao_suborders.csv"])
    refused = next(one for one in found.refused if one["code"] == "bad_id")
    assert (refused["row"], refused["column"]) == (3, "主订单编号")
    assert "taobao_suborders.csv, row 3, column '主订单编号': 2.6E+18" in refused["message"]


def test_ids_that_all_end_in_zeros_refuse_the_file(tmp_path: Path) -> None:
    rows = [f"26000000000000{n}0000,b,2026-03-02 10:00,,1" for n in (1, 2, 3)]
    with pytest.raises(SheetError, match=r"o\.csv, row 2, column '订单号'.* all long ids .* 16th digit"):
        of_rows(tmp_path, *rows)


def test_a_number_of_16_digits_in_a_workbook_is_refused(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["订单号", "买家", "下单", "付款", "金额"],
        [2600000000000000001, "b", "2026-03-02 10:00", None, 1.1],
    ]
    found = imported_from([workbook(tmp_path / "o.xlsx", rows)], column_map(tmp_path, ORDERS))
    assert (found.events, found.codes) == ([], [(2, "bad_id")])
    assert "sheet '订单', row 2, column '订单号'" in found.refused[0]["message"]


def test_money_of_a_workbook_is_what_its_cell_shows(tmp_path: Path) -> None:
    """Of the doubles 1.1 and 4.35 a hundredfold is 110.00000000000001 and 434.99999999999994."""
    prices = [(1.1, 110), (0.07, 7), (19.99, 1999), (4.35, 435), (1234567.89, 123456789)]
    rows: list[list[Any]] = [["订单号", "买家", "下单", "付款", "金额"]]
    rows += [[f"o{n}", "b", f"2026-03-02 10:0{n}", None, price] for n, (price, _) in enumerate(prices)]
    found = imported_from([workbook(tmp_path / "o.xlsx", rows)], column_map(tmp_path, ORDERS))
    assert [one[3] for one in found.short] == [minor for _, minor in prices]


REFUSED = {
    "o,b,2026-03-02 10:00,,1.005": (5, "bad_amount", "has more decimals than CNY has"),
    "o,b,2026-03-02 10:00,,-1": (5, "bad_amount", "is below 0"),
    "o,b,2026-03-02 10:00,,1e3": (5, "bad_amount", "is no amount"),
    "o,b,2026-03-02 10:00,,99999999999999.99": (5, "bad_amount", "is more than an amount may be"),
    "o,b,2026-02-30 10:00,,1": (3, "bad_time", "is no time"),
    "o,b,2026-03-02,,1": (3, "bad_time", "is a day: a time needs its hour"),
    "o,b,46083.5,,1": (3, "bad_time", "is no time like"),
    "o,b,1772416800,,1": (3, "bad_time", "epoch.created of the map says its unit since 1970"),
    "o,b,2150-03-02 10:00,,1": (3, "bad_time", "is not in the years 2000 to 2099"),
    "o|1,b,2026-03-02 10:00,,1": (1, "bad_id", "is no id"),
    "o,1.23E+18,2026-03-02 10:00,,1": (2, "bad_id", "its last digits are lost"),
    f"{'o' * 129},b,2026-03-02 10:00,,1": (1, "bad_id", "is no id"),
    "-,b,2026-03-02 10:00,,1": (1, "missing_field", "order is missing: column '订单号' is empty"),
    "o,,2026-03-02 10:00,,1": (0, "no_buyer", "no row says whose it is"),
    "o,b,,2026-03-02 10:00,1": (0, "missing_field", "no row says its created"),
    "o,b,2026-03-02 10:00,,": (0, "missing_field", "no row says its amount"),
    "o,b,2026-03-02 10:00,2026-03-02 09:59:59,1": (0, "bad_time", "is paid before it is created"),
}


@pytest.mark.parametrize(("row", "said"), REFUSED.items(), ids=list(REFUSED))
def test_a_row_that_cannot_be_read_is_refused_and_the_others_are_read(
    tmp_path: Path, row: str, said: tuple[int, str, str]
) -> None:
    column, code, why = said
    found = of_rows(tmp_path, "p,c,2026-03-02 10:00,,1", row)
    assert found.short == [("p", "created", 0, 100)]
    (refused,) = found.refused
    assert (refused["row"], refused["code"]) == (3, code)
    assert refused.get("column") == ([None, *HEAD.split(",")][column])
    assert why in refused["message"]
    assert found.account.rows == 2


def test_a_second_before_the_creation_and_at_it(tmp_path: Path) -> None:
    found = of_rows(tmp_path, "o,b,2026-03-02 10:00:00,2026-03-02 10:00:00,1")
    assert [one[1:3] for one in found.short] == [("created", 0), ("paid", 0)]


def test_times_that_do_not_say_their_zone_need_one(tmp_path: Path) -> None:
    without = ORDERS.replace('zone = "Asia/Shanghai"\n', "")
    one = column_map(tmp_path, without)
    file = csv_file(tmp_path / "o.csv", HEAD, "o,b,2026-03-02T10:00:00+08:00,2026-03-02 11:00:00,1")
    with pytest.raises(
        UnusableError, match=r"row 2, column '付款'.* --zone Asia/Shanghai, or zone in the column map"
    ):
        imported_from([file], one)
    found = imported_from([file], one, zone="Asia/Tokyo")  # 11:00 in Tokyo is 10:00 in Shanghai
    assert [event[2] for event in found.short] == [0, 0]


def test_the_zone_of_the_command_line_goes_before_the_map(tmp_path: Path) -> None:
    assert of_rows(tmp_path, "o,b,2026-03-02 11:00,,1", zone="Asia/Tokyo").short[0][2] == 0


def test_json_lines_of_nested_objects_in_fen_since_1970(tmp_path: Path) -> None:
    text = (
        'of = "orders"\namounts = "minor"\nplatform = "own"\n[columns]\norder = "id"\nbuyer = "user.id"\n'
        'created = "t"\namount = "pay.sum"\npaid = "pay.at"\ncurrency = "cur"\n[epoch]\nt = "s"\n'
    ).replace('t = "s"', 'created = "s"\npaid = "ms"')
    file = json_lines(
        tmp_path / "o.jsonl",
        {"id": 2**62 + 1, "user": {"id": "b"}, "t": AT_10 // 1000, "pay": {"sum": 1234, "at": AT_10 + 1}},
        {"id": "o-2", "user": {"id": 7}, "t": AT_10 // 1000, "pay": {"sum": 12.5}},
        {"id": "o-3", "user": {"id": 7}, "t": AT_10 // 1000, "pay": {"sum": 500}, "cur": "JPY"},
        {"id": 1.5e18, "user": {"id": 7}, "t": AT_10 // 1000, "pay": {"sum": 500}},
        {"id": "o-4", "user": {"id": [7]}, "t": AT_10 // 1000, "pay": {"sum": 500}},
        {"id": "o-5", "user": {"id": 7}, "t": AT_10, "pay": {"sum": 500}},
        "{broken",
        "[1]",
    )
    found = imported_from([file], column_map(tmp_path, text))
    assert found.short == [
        (str(2**62 + 1), "created", 0, 1234),
        ("o-3", "created", 0, 500),
        (str(2**62 + 1), "paid", 1, 1234),
    ]
    assert found.events[1]["currency"] == "JPY"
    assert sorted(found.codes) == [
        (2, "bad_amount"),
        (4, "bad_id"),
        (5, "bad_type"),
        (6, "bad_time"),
        (7, "not_json"),
        (8, "not_json"),
    ]


def test_a_field_that_the_first_lines_lack_is_read_where_it_is(tmp_path: Path) -> None:
    row = {"订单号": "o", "买家": "b", "下单": "2026-03-02 10:00", "金额": 1}
    rows = [{**row, "订单号": f"o{n}"} for n in range(1001)]
    rows[-1]["付款"] = "2026-03-02 10:05"
    found = imported_from([json_lines(tmp_path / "o.jsonl", *rows)], column_map(tmp_path, ORDERS))
    assert found.short[-1] == ("o1000", "paid", 5 * MINUTE, 100)


REFUNDS = (
    'refund = "退款"\nrefunded = "退款时间"\nrefund_id = "退款单"\nstatus = "状态"\ncancelled = "取消"\n'
)
R_HEAD = f"{HEAD},退款,退款时间,退款单,状态,取消"


def test_refunds_by_their_id(tmp_path: Path) -> None:
    found = of_rows(
        tmp_path,
        "o,b,2026-03-02 10:00,2026-03-02 10:01,9.00,,,,已付款,",
        "o,,,,,1.00,2026-03-02 10:05,r1,,",
        "o,,,,,2.50,2026-03-02 10:06,r2,,",
        more=REFUNDS,
        head=R_HEAD,
    )
    assert found.short[2:] == [
        ("o", "refund_completed", 5 * MINUTE, 100),
        ("o", "refund_completed", 6 * MINUTE, 250),
    ]
    assert [one.get("refund_id") for one in found.events] == [None, None, "r1", "r2"]


def test_one_refund_of_two_orders_is_refused_where_it_comes_again(tmp_path: Path) -> None:
    found = of_rows(
        tmp_path,
        "o,b,2026-03-02 10:00,2026-03-02 10:01,9.00,1.00,2026-03-02 10:05,r1,,",
        "p,b,2026-03-02 10:00,2026-03-02 10:01,9.00,2.00,2026-03-02 10:05,r1,,",
        more=REFUNDS,
        head=R_HEAD,
    )
    assert [one for one in found.short if one[1] == "refund_completed"] == [
        ("o", "refund_completed", 5 * MINUTE, 100)
    ]
    assert found.codes == [(3, "bad_value")]
    assert "row 3: another row of the same time has the same id" in found.refused[0]["message"]


def test_what_says_no_time_is_counted(tmp_path: Path) -> None:
    found = of_rows(
        tmp_path,
        "o,b,2026-03-02 10:00,2026-03-02 10:01,9.00,1.00,,,已付款,",
        "p,b,2026-03-02 10:00,,9.00,,,,交易关闭,",
        "q,b,2026-03-02 10:00,,9.00,,,,已发货,",
        "r,b,2026-03-02 10:00,2026-03-02 10:01,9.00,,,,待付款,",
        "s,b,2026-03-02 10:00,,9.00,,,,交易关闭,2026-03-02 10:09",
        more=REFUNDS,
        head=R_HEAD,
    )
    assert {about: count for (_, about), count in found.account.skipped.items()} == {
        "refund": 1,
        "cancelled": 1,
        "paid": 1,
        "paid, but unpaid by its status": 1,
    }
    assert [one[:2] for one in found.short if one[1] != "created"] == [("o", "paid"), ("s", "cancelled")]


def test_an_order_of_two_buyers_is_refused(tmp_path: Path) -> None:
    found = of_rows(
        tmp_path,
        "o,b,2026-03-02 10:00,,1,1",
        "o,c,2026-03-02 10:00,,1,2",
        more='line = "行"\n',
        head=f"{HEAD},行",
    )
    assert (found.events, found.codes) == ([], [(2, "bad_value"), (3, "bad_value")])
    assert "order o has several buyers, b, c" in found.refused[0]["message"]


def test_totals_and_remarks_are_left_out_and_counted(tmp_path: Path) -> None:
    found = of_rows(tmp_path, "o,b,2026-03-02 10:00,,1", HEAD, "合计,,,,1", "以上为全部订单")
    (dropped,) = found.account.dropped.values()
    assert (dropped.sums, dropped.heads, dropped.remarks) == (1, 1, 1)
    assert len(found.events) == 1


@pytest.mark.parametrize("data", [b"", b"\x00\x01", b"<html>", b"PK\x03\x04broken", b"\xff\xff\xff"])
def test_a_file_that_is_no_table_is_named(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.xlsx").write_bytes(data)
    with pytest.raises(UnusableError, match=r"x\.xlsx: "):
        imported_from([tmp_path / "x.xlsx"], column_map(tmp_path, ORDERS))


def test_a_map_that_does_not_fit_says_what_is_lacking(tmp_path: Path) -> None:
    file = csv_file(tmp_path / "o.csv", "订单号,买家,下单,付款时间,金额", "o,b,2026-03-02 10:00,,1")
    with pytest.raises(UnusableError, match=r"map.toml names '付款', which it lacks.* --describe .*o\.csv"):
        imported_from([file], column_map(tmp_path, ORDERS))


def test_of_two_sheets_that_fit_the_map_says_which(tmp_path: Path) -> None:
    with Workbook(tmp_path / "o.xlsx") as book:
        for name in ("本月", "上月"):
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, HEAD.split(","))
            sheet.write_row(1, 0, [f"o-{name}", "b", "2026-03-02 10:00", None, 1])
    with pytest.raises(
        UnusableError, match=r"with sheet '本月', .* with sheet '上月': .* which sheet is meant"
    ):
        imported_from([tmp_path / "o.xlsx"], column_map(tmp_path, ORDERS))
    found = imported_from([tmp_path / "o.xlsx"], column_map(tmp_path, f'sheet = "上月"\n{ORDERS}'))
    assert [one[0] for one in found.short] == ["o-上月"]


def test_two_maps_that_fit_are_named(tmp_path: Path) -> None:
    file = csv_file(tmp_path / "o.csv", HEAD, "o,b,2026-03-02 10:00,,1")
    maps = [column_map(tmp_path, ORDERS, f"{n}.toml") for n in "ab"]
    with pytest.raises(UnusableError, match=r"several maps fit, .*a\.toml, .*b\.toml"):
        imported_from([file], *maps)
