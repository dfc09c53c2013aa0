"""Figures of the team: chosen, put in order, kept by a name and opened again; and drawn by day."""

from __future__ import annotations

import html
import json
import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from stream_attr.console.texts import TEXTS
from stream_attr.ledger.texts import LANGUAGES
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
    [line] = amounts["series"]
    assert line["name"] == ""
    assert line["values"] == [sums.get(day, 0) / 100 for day in amounts["days"]]
    assert sum(line["values"]) > 0
    table = next(
        one
        for one in (rows_of(text, which) for which in range(text.count("<table>")))
        if one[0][0][0] in ("day", "日期")
    )
    shown = {row[0][0]: row[1][0] for row in table[1:]}
    for day, said in zip(amounts["days"], line["texts"], strict=True):
        assert shown[day] == said
    assert "/static/echarts.min.js" in text


def best(people, shop, count):
    """Agents of a shop by their sales, and the fen of each by day."""
    sums: dict[str, dict[str, int]] = {}
    for one in people.traffic.agent_days:
        if one["shop_id"] == shop and one["agent_id"] != "*":
            sums.setdefault(one["agent_id"], {})[one["day"]] = one["sales"]["amount"]
    names = sorted(sums, key=lambda who: (-sum(sums[who].values()), who))[:count]
    return {name: sums[name] for name in names}


def drawn_of(text):
    return json.loads(html.unescape(re.findall('data-trend="(.*?)"', text)[0]))


def test_a_few_agents_have_a_line_each_and_many_one_together(people, boss):
    shop = people.shops[0]
    few = best(people, shop, 3)
    query = [("shop", shop), *DAYS.items()]
    text = boss.get(f"/sales?{urlencode([*query, *(('agent', one) for one in few)])}").text
    amounts = drawn_of(text)
    assert {one["name"].split()[0] for one in amounts["series"]} == set(few)
    for line in amounts["series"]:
        own = few[line["name"].split()[0]]
        wanted = {day: own[day] / 100 for day in amounts["days"] if day in own}
        found = dict(zip(amounts["days"], line["values"], strict=True))
        assert {day: value for day, value in found.items() if value is not None} == wanted
    assert TEXTS["drawn_together"].english.partition("{")[0] not in text
    many = best(people, shop, 7)
    assert len(many) == 7
    text = boss.get(f"/sales?{urlencode([*query, *(('agent', one) for one in many)])}").text
    amounts = drawn_of(text)
    [line] = amounts["series"]
    together = [sum(own.get(day, 0) for own in many.values()) / 100 for day in amounts["days"]]
    assert line["values"] == together
    assert TEXTS["drawn_together"].filled(count=7).english in text


def test_an_axis_says_its_numbers_in_full(boss):
    script = boss.get("/static/trend.js").text
    assert "NumberFormat" in script
    assert "compact" not in script, "40万 is no amount of money on a screen"


def test_rows_are_by_one_of_whom_and_the_form_offers_no_two(people, boss):
    shop = people.shops[0]
    text = boss.get(f"/sales?shop={shop}&by=group&by=day").text
    [choice] = re.findall('<select name="by">(.*?)</select>', text, re.DOTALL)
    assert re.findall('value="(.+?)"( selected)?', choice) == [
        ("agent", ""), ("person", ""), ("group", " selected"),
    ]  # fmt: skip
    assert re.findall('type="checkbox" name="by" value="(.*?)" checked', text) == ["day"]
    for language in LANGUAGES:
        boss.cookies.set("language", language)
        refused = boss.get(f"/sales?shop={shop}&by=agent&by=group")
        assert refused.status_code == 400
        assert TEXTS["by_one"].of(language) in html.unescape(refused.text)
        assert "--by" not in refused.text
    boss.cookies.delete("language")


def test_a_screen_without_lines_loads_no_script_for_them(people, boss):
    for path in ("/orders", "/losses", "/rules", "/people", "/pending"):
        assert "echarts" not in boss.get(f"{path}?shop={people.shops[0]}").text


def test_what_is_for_a_command_line_is_not_on_the_screen(people, boss):
    for path in ("/orders", "/sales", "/quality", "/goals", "/team"):
        text = boss.get(f"{path}?{urlencode({'shop': people.shops[0], **DAYS})}").text
        assert "stream-attr" not in text, path
