"""Figures of the team: chosen, put in order, kept by a name and opened again; and drawn by day."""

from __future__ import annotations

import html
import json
import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.console.conftest import FROM_HERE
from tests.console.test_screens import rows_of

DAYS = {"from": "2026-11-01", "to": "2026-11-14"}


@pytest.fixture(scope="session")
def boss(people):
    return people.logged_in("admin")


def heads(text):
    return [re.sub(r"\s*\?.*", "", name) for name, _ in rows_of(text)[0]]


def link(text, label):
    found = re.findall(rf'<a href="([^"]*)" aria-label="{re.escape(label)}"', text)
    assert len(found) == 1, label
    return html.unescape(found[0])


def post(client, address, **fields):
    token = re.findall('name="csrf_token" value="(.*?)"', client.get(address).text)[0]
    return client.post(address, data={"csrf_token": token, **fields}, headers=FROM_HERE)


def test_figures_are_chosen_put_in_order_and_taken_away_by_links_alone(people, boss):
    shop = people.shops[0]
    chosen = "sales.amount,sales.orders,workload.receptions"
    address = f"/team?{urlencode({'shop': shop, **DAYS, 'by': 'group', 'figures': chosen})}"
    text = boss.get(address).text
    assert heads(text)[-3:] == ["sales amount", "sales orders", "receptions"]
    text = boss.get(link(text, "receptions further to the left")).text
    assert heads(text)[-3:] == ["sales amount", "receptions", "sales orders"]
    text = boss.get(link(text, "sales amount further to the right")).text
    assert heads(text)[-3:] == ["receptions", "sales amount", "sales orders"]
    where = link(text, "without sales orders")
    assert heads(boss.get(where).text)[-2:] == ["receptions", "sales amount"]
    assert parse_qs(urlsplit(where).query)["by"] == ["group"], "filters are kept"
    way = boss.get(f"{where}&add={'inquiries.lost'}")
    assert way.status_code == 303
    text = boss.get(way.headers["location"]).text
    assert heads(text)[-3:] == ["receptions", "sales amount", "lost"]
    assert boss.get(f"{where}&add=none").status_code == 400


def test_what_is_kept_by_a_name_is_opened_again_on_the_screen_and_on_the_command_line(people, boss):
    from click.testing import CliRunner  # noqa: PLC0415

    from stream_attr.cli import main  # noqa: PLC0415

    shop = people.shops[0]
    chosen = "workload.receptions,sales.amount"
    address = f"/team?{urlencode({'shop': shop, **DAYS, 'by': 'group', 'figures': chosen})}"
    text = boss.get(address).text
    kept = post(boss, address, name="周会")
    assert kept.status_code == 303
    page = boss.get(kept.headers["location"]).text
    where = html.unescape(re.findall(r'<a href="([^"]*)">周会</a>', page)[0])
    again = boss.get(f"{where}&{urlencode(DAYS)}").text
    shown, wanted = ([[said for said, _ in row] for row in rows_of(one)] for one in (again, text))
    assert shown == wanted
    used = CliRunner().invoke(
        main, ["report", "use", "周会", "--format", "csv", "--database", people.database.address]
    )
    assert used.exit_code == 0, used.stderr
    assert used.stdout.splitlines()[0].lstrip("\ufeff").startswith("group,receptions,sales amount")
    with people.database.connection(autocommit=True) as connection:
        query = "SELECT login, action, shop_id, about FROM audit ORDER BY number DESC LIMIT 1"
        assert connection.execute(query).fetchone() == ("admin", "save report", shop, "周会")
    assert "周会" not in boss.get(f"/team?shop={people.shops[1]}").text
    taken = post(boss, f"/team?shop={people.shops[1]}", name="周会")
    assert taken.status_code == 400
    assert "is the name of another report" in taken.text
    assert post(boss, address, name="-x").status_code == 400
    assert post(boss, f"/team?shop={people.shops[1]}", delete="周会").status_code == 404
    assert post(boss, address, delete="周会").status_code == 303
    assert "周会" not in boss.get(address).text


def test_who_may_change_nothing_keeps_nothing(people):
    auditor = people.logged_in("auditor")
    address = f"/team?shop={people.shops[0]}"
    assert 'name="name"' not in auditor.get(address).text
    token = re.findall('name="csrf_token" value="(.*?)"', auditor.get(address).text)[0]
    answer = auditor.post(address, data={"csrf_token": token, "name": "x"}, headers=FROM_HERE)
    assert answer.status_code == 404


@pytest.mark.parametrize("path", ["/team", "/sales", "/agent", "/today"])
def test_what_is_drawn_by_day_is_what_the_records_say_and_stands_in_a_table(people, boss, path):
    shop = people.shops[0]
    days = [one for one in people.traffic.agent_days if one["shop_id"] == shop]
    agent = max(
        {one["agent_id"] for one in days} - {"*"},
        key=lambda who: sum(one["sales"]["amount"] for one in days if one["agent_id"] == who),
    )
    query = {"shop": shop, "day": "2026-11-11"} if path == "/today" else {"shop": shop, **DAYS}
    query |= {"agent": agent} if path == "/agent" else {}
    text = boss.get(f"{path}?{urlencode(query)}").text
    drawn = [json.loads(html.unescape(one)) for one in re.findall('data-trend="(.*?)"', text)]
    assert drawn
    amounts = drawn[0]
    of = agent if path == "/agent" else "*"
    sums = {one["day"]: one["sales"]["amount"] for one in days if one["agent_id"] == of}
    assert amounts["values"] == [sums.get(day, 0) / 100 for day in amounts["days"]]
    assert sum(amounts["values"]) > 0
    table = next(
        one
        for one in (rows_of(text, which) for which in range(text.count("<table>")))
        if one[0][0][0] in ("day", "日期")
    )
    shown = {row[0][0]: row[1][0] for row in table[1:]}
    for day, said in zip(amounts["days"], amounts["texts"], strict=True):
        assert shown[day] == said
    assert "/static/echarts.min.js" in text


def test_a_screen_without_lines_loads_no_script_for_them(people, boss):
    for path in ("/orders", "/losses", "/rules", "/people", "/pending"):
        assert "echarts" not in boss.get(f"{path}?shop={people.shops[0]}").text


def test_what_is_for_a_command_line_is_not_on_the_screen(people, boss):
    for path in ("/orders", "/sales", "/quality", "/goals", "/team"):
        text = boss.get(f"{path}?{urlencode({'shop': people.shops[0], **DAYS})}").text
        assert "stream-attr" not in text, path
