"""What can still change of the figures on screen: marked, between what it can come to lie, and until when."""

from __future__ import annotations

import csv
import html
import io
import re

import pytest

from stream_attr.console.roles import Role
from stream_attr.console.texts import TEXTS
from stream_attr.ledger.periods import period
from stream_attr.ledger.reports import pending
from stream_attr.ledger.reports.scope import Options, snapshot
from tests.console.conftest import FROM_HERE, PASSWORD, add, served
from tests.ledger.reports.conftest import MIDDLE, judged, rows_as_dicts

SHOP = "jd:10086"
DAYS = "from=2026-10-20&to=2026-11-30"


@pytest.fixture(scope="module")
def middle(postgres, ledger_template, generated, tmp_path_factory):
    """A ledger of which much is pending."""
    folder = tmp_path_factory.mktemp("ranges", numbered=False)
    found = judged(postgres, ledger_template, generated, folder, "--until", MIDDLE)
    with found.database:
        yield found


@pytest.fixture(scope="module")
def boss(middle):
    with middle.database.connection(autocommit=True) as connection:
        add(connection, "ranges", Role.ADMIN)
    for client in served(middle.database):
        browser = client()
        browser.post("/login", data={"login": "ranges", "password": PASSWORD}, headers=FROM_HERE)
        yield browser


@pytest.fixture(scope="module")
def sold(middle):
    """By agent between what the amount of its sales lies, as a page shows it."""
    with middle.database.connection() as connection, snapshot(connection):
        report = pending.report(
            connection, Options((SHOP,), period("2026-10-20", "2026-11-30"), by=("agent",))
        )
        rows = rows_as_dicts(report, report.rows)
    return {
        row["agent"]: f"{row['pending.sure'] / 100:,.2f}–{row['pending.with_pending'] / 100:,.2f}"
        for row in rows
        if row["pending.sure"] != row["pending.with_pending"]
    }


def plain_text(text):
    return re.sub(r"\s+", " ", html.unescape(re.sub("<.*?>", "", text)))


@pytest.mark.parametrize("path", ["/team", "/sales"])
def test_each_agents_sales_stand_between_what_they_can_come_to(boss, sold, path):
    text = boss.get(f"{path}?shop={SHOP}&{DAYS}").text
    rows = {
        agent[1]: row
        for row in re.findall(r"<tr>.*?</tr>", text, re.DOTALL)
        if (agent := re.search(r'/agent\?[^"]*agent=([^&"]*)', row)) is not None
    }
    assert len(sold) > 2
    for agent, between in sold.items():
        assert f'<small class="of between">{between}</small>' in rows[agent], agent
        title = re.search('class="pending" role="img" title="(.*?)"', rows[agent])
        assert title is not None
        assert re.fullmatch(rf"can still change, between {between}; final from 2026-\d\d-\d\d", title[1])
    assert "until 11-" in plain_text(text[text.index("<thead>") :])
    assert TEXTS["may_change_legend"].english in plain_text(text)
    assert "still change, until" not in boss.get(f"{path}?shop={SHOP}&from=2026-10-20&to=2026-10-21").text


def test_an_agents_page_says_it_of_each_figure(boss, sold):
    for language, final in (("en", "final from 2026-"), ("zh", "起已定")):
        boss.cookies.set("language", language)
        for agent, between in list(sold.items())[:2]:
            text = boss.get(f"/agent?shop={SHOP}&agent={agent}&{DAYS}").text
            tiles = [one.partition("</div>")[0] for one in text.split('<div class="tile">')]
            [tile] = [one for one in tiles if '"/figures#sales.amount"' in one]
            assert between in plain_text(tile)
            assert final in plain_text(tile)
            assert f"/pending?shop={SHOP.replace(':', '%3A')}" in tile
        boss.cookies.delete("language")


def test_today_says_it_of_the_shop(boss):
    text = boss.get(f"/today?shop={SHOP}").text
    tiles = text.split('<div class="tile">')[1:]
    assert len(tiles) == 8
    assert all("final from 2026-11-1" in plain_text(one) for one in tiles)
    assert re.search(r"[\d,.]+–[\d,.]+ · final", plain_text(tiles[0]))


def exported(boss, days):
    answer = boss.get(f"/team?shop={SHOP}&{days}&format=csv")
    return next(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


def test_a_file_says_it_in_columns_of_their_own_behind_the_others(boss):
    heads = exported(boss, DAYS)
    beside = [one for one in heads if re.search(", (at least|at most|final from)", one)]
    assert heads[-len(beside) :] == beside
    assert "sales amount, at least (CNY)" in beside
    assert {"sales amount, final from", "inquiry to order, at most"} <= set(beside)
    before = exported(boss, "from=2026-10-20&to=2026-10-21")
    assert [one.partition(" (")[0] for one in heads[: -len(beside)]] == [
        one.partition(" (")[0] for one in before
    ]
