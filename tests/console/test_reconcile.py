"""A platform's sheet, sent by form: what the page shows is what the ledger has, and nothing of it stays."""

from __future__ import annotations

import csv
import html
import io
import re
import tempfile
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from xlsxwriter import Workbook  # type: ignore[import-untyped]

from stream_attr.console.screens import reconcile
from stream_attr.console.screens.made import made
from tests.console.conftest import FROM_HERE

ZONE = ZoneInfo("Asia/Shanghai")
HEADS = ("订单编号", "实付金额", "付款时间")
MAP = "订单编号=order\n实付金额=amount\n付款时间=paid"
DAYS = {"from": "2026-06-01", "to": "2027-05-31"}


@pytest.fixture(scope="session")
def boss(people):
    return people.logged_in("admin")


@pytest.fixture(scope="session")
def shop(people):
    return people.shops[0]


@pytest.fixture(scope="session")
def sold(people, shop):
    """Paid orders of the shop: id, fen, time."""
    found = [
        (one["order_id"], one["amount"], one["paid_ts"])
        for one in people.traffic.decisions
        if one["shop_id"] == shop and one["outcome"] in ("credited", "silent")
    ]
    assert len(found) > 20
    return found


def sheet(rows, heads=HEADS):
    lines = [heads, *((order, f"{fen / 100:.2f}", clock(ts)) for order, fen, ts in rows)]
    text = io.StringIO()
    csv.writer(text).writerows(lines)
    return text.getvalue().encode("gb18030")


def clock(ts):
    return f"{datetime.fromtimestamp(ts // 1000, ZONE):%Y-%m-%d %H:%M:%S}"


def send(client, shop, content, name="十一月.csv", **fields):
    token = re.findall('name="csrf_token" value="(.*?)"', client.get(f"/reconcile?shop={shop}").text)[0]
    form = {"csrf_token": token, **DAYS, "map": MAP, **fields}
    return client.post(
        f"/reconcile?shop={shop}", data=form, files={"file": (name, content)}, headers=FROM_HERE
    )


def rows_of(text):
    table = re.findall(r"<tbody>(.*?)</tbody>", text, re.DOTALL)
    rows = re.findall(r"<tr>(.*?)</tr>", table[0], re.DOTALL) if table else []
    return [
        [
            html.unescape(re.sub("<.*?>", "", cell)).strip()
            for cell in re.findall(r"<td.*?>(.*?)</td>", row, re.DOTALL)
        ]
        for row in rows
    ]


def test_what_differs_is_shown_with_its_order_and_the_export_has_the_same_rows(boss, shop, sold):
    missing, wrong, *same = sold
    other = ("99-not-here", 12345, wrong[2])
    content = sheet([*same, (wrong[0], wrong[1] + 100, wrong[2]), other])
    page = send(boss, shop, content)
    assert page.status_code == 200
    shown = rows_of(page.text)
    found = {(row[0], row[2]): row for row in shown}
    assert set(found) == {("differs", wrong[0]), ("only there", other[0]), ("only here", missing[0])}
    row = found["differs", wrong[0]]
    assert row[4:7] == [
        f"{(wrong[1] + 100) / 100:,.2f} CNY",
        f"{wrong[1] / 100:,.2f} CNY",
        "1.00 CNY",
    ] or row[4:7] == [f"{(wrong[1] + 100) / 100:,.2f}", f"{wrong[1] / 100:,.2f}", "1.00"]
    assert found["only there", other[0]][8] == "not sent to us"
    link = re.findall(f'href="(/order[^"]*{re.escape(wrong[0])}[^"]*)"', page.text)[0]
    assert boss.get(html.unescape(link)).status_code == 200
    exported = send(boss, shop, content, format="csv")
    assert exported.headers["content-disposition"].startswith('attachment; filename="reconcile_')
    lines = list(csv.DictReader(io.StringIO(exported.content.decode("utf-8-sig"))))
    assert [(one["result"], one["order"]) for one in lines if one["order"]] == [
        (one[0], one[2]) for one in shown
    ]
    all_of_it = rows_of(send(boss, shop, content, result=["matched", "differs"]).text)
    assert len([one for one in all_of_it if one[0] == "matched"]) == len(same)
    for answer in (page, exported):
        assert tempfile.gettempdir() not in answer.text, "nobody is told where it was kept"
        assert "--map" not in answer.text
    assert "十一月.csv: known by what columns say" in page.text


def test_a_workbook_is_read_like_a_table(boss, shop, sold):
    file = io.BytesIO()
    with Workbook(file) as book:
        page = book.add_worksheet("订单")
        for index, row in enumerate(
            [HEADS, *((one, f"{fen / 100:.2f}", clock(ts)) for one, fen, ts in sold)]
        ):
            page.write_row(index, 0, row)
    text = send(boss, shop, file.getvalue(), "export.xlsx").text
    assert "There is nothing of these results" in text


def test_digits_that_a_spreadsheet_has_eaten_are_refused_with_their_row(boss, shop, sold):
    rows = [*sold[:3], ("2.6E+18", 100, sold[0][2]), *sold[3:]]
    answer = send(boss, shop, sheet(rows))
    assert answer.status_code == 400
    said = html.unescape(re.findall('role="alert">(.*?)</p>', answer.text)[0])
    assert "十一月.csv, row 5" in said
    assert "2.6E+18" in said
    assert MAP.replace("\n", "") in answer.text.replace("\n", ""), "the form is as it was sent"


def test_a_sheet_that_is_not_known_is_refused_with_its_columns(boss, shop, sold):
    answer = send(boss, shop, sheet(sold), map="")
    assert answer.status_code == 400
    said = html.unescape(re.findall('role="alert">(.*?)</p>', answer.text)[0])
    assert "订单编号, 实付金额, 付款时间" in said
    assert "--map" not in said


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"<html><table></table></html>"])
def test_a_file_that_cannot_be_read_is_told(boss, shop, content):
    answer = send(boss, shop, content)
    assert answer.status_code == 400
    assert "十一月.csv: " in html.unescape(answer.text)
    assert "/tmp" not in answer.text


def test_no_file_is_told(boss, shop):
    token = re.findall('name="csrf_token" value="(.*?)"', boss.get(f"/reconcile?shop={shop}").text)[0]
    answer = boss.post(f"/reconcile?shop={shop}", data={"csrf_token": token, **DAYS}, headers=FROM_HERE)
    assert answer.status_code == 400
    assert "no file was chosen" in answer.text


def test_nothing_of_a_sheet_stays_and_the_audit_has_that_it_was_sent(
    people, boss, shop, sold, tmp_path, monkeypatch
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    seen = []

    def watched(*args, **others):
        seen.append(others["file"].exists())
        return made(*args, **others)

    monkeypatch.setattr(reconcile, "made", watched)
    assert send(boss, shop, sheet(sold)).status_code == 200
    assert send(boss, shop, sheet([("2.6E+18", 100, sold[0][2])])).status_code == 400
    assert seen == [True, True]
    assert list(tmp_path.iterdir()) == []
    with people.database.connection(autocommit=True) as connection:
        query = "SELECT login, action, shop_id, about FROM audit ORDER BY number DESC LIMIT 1"
        assert connection.execute(query).fetchone() == (
            "admin",
            "reconcile",
            shop,
            "十一月.csv 2026-06-01 – 2027-05-31",
        )


def test_a_file_that_is_too_large_is_refused_before_it_is_all_read(boss, shop):
    answer = send(boss, shop, b"x" * (reconcile.LARGEST + 1024 * 1024))
    assert answer.status_code == 413
    assert "send less at once" in answer.text


def test_a_form_without_token_of_another_site_or_of_an_agent_is_refused(people, boss, shop, sold):
    token = re.findall('name="csrf_token" value="(.*?)"', boss.get(f"/reconcile?shop={shop}").text)[0]
    files = {"file": ("x.csv", sheet(sold))}
    address = f"/reconcile?shop={shop}"
    assert boss.post(address, data=DAYS, files=files, headers=FROM_HERE).status_code == 403
    other_site = {"sec-fetch-site": "cross-site"}
    assert (
        boss.post(address, data={**DAYS, "csrf_token": token}, files=files, headers=other_site).status_code
        == 403
    )
    manager = people.logged_in("manager")
    theirs = re.findall('name="csrf_token" value="(.*?)"', manager.get(address).text)[0]
    form = {**DAYS, "csrf_token": theirs, "map": MAP}
    elsewhere = f"/reconcile?shop={people.shops[1]}"
    assert manager.post(elsewhere, data=form, files=files, headers=FROM_HERE).status_code == 404
    assert manager.post(address, data=form, files=files, headers=FROM_HERE).status_code == 200
    agent = people.logged_in("agent")
    assert agent.post(address, data=form, files=files, headers=FROM_HERE).status_code == 404
    nobody = people.client()
    assert nobody.post(address, data=form, files=files, headers=FROM_HERE).status_code == 303
