"""Receptions: wherever their number stands, it leads to as many of them, and each to its buyer and agent."""

from __future__ import annotations

import csv
import html
import io
import re
from collections import Counter
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from stream_attr.console.texts import TEXTS
from stream_attr.ledger.goals import Goal, Goals
from stream_attr.ledger.periods import period
from stream_attr.ledger.texts import LANGUAGES
from tests.console.test_screens import rows_of

DAYS = {"from": "2026-11-09", "to": "2026-11-12"}
FIGURES = "workload.receptions,workload.consults"


@pytest.fixture(scope="session")
def boss(people):
    return people.logged_in("admin")


def listed(browser, link):
    """The rows that a link leads to, by column."""
    assert link.startswith("/receptions?"), link
    answer = browser.get(f"{html.unescape(link)}&format=csv")
    assert answer.status_code == 200, link
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def is_as_many(browser, number, link, *, of_shop=False):
    """Whether a link leads to so many receptions; of a shop to those of so many buyers, each once a day."""
    rows = listed(browser, link)
    count = int(number.replace(",", ""))
    if not of_shop:
        return len(rows) == count
    said = f"are of {count:,} buyers, each counted once a day"
    buyers = {(row["day"], row["buyer"]) for row in rows}
    return len(buyers) == count and said in browser.get(html.unescape(link)).text


def facts_of(people, shop, *, agent=None):
    return [
        one
        for one in people.traffic.last("reception-facts", "shop_id", "buyer_id", "agent_id", "day")
        if one["shop_id"] == shop
        and DAYS["from"] <= one["day"] <= DAYS["to"]
        and agent in (None, one["agent_id"])
    ]


def busiest(people, shop):
    """Agents, those with the most receptions that count first."""
    found = Counter(one["agent_id"] for one in facts_of(people, shop) if one["filtered"] is None)
    return [agent for agent, _ in found.most_common()]


@pytest.mark.parametrize("by", ["agent", "person", "group", "shop", "week", "day"])
def test_the_numbers_of_the_team_lead_to_as_many(people, boss, by):
    query = {"shop": people.shops[0], "by": by, "figures": FIGURES, **DAYS}
    head, *rows = rows_of(boss.get(f"/team?{urlencode(query)}").text)
    names = [name.partition(" ?")[0] for name, _ in head]
    followed = set()
    for row in rows:
        label = row[0][0]
        for figure in ("receptions", "consults"):
            number, link = row[names.index(figure)]
            if label == "(none)" or (figure == "consults" and not link):
                continue  # nobody can be asked for; of the shop each buyer consults once a day
            of_shop = label == "shop" or by in ("shop", "week", "day")
            assert is_as_many(boss, number, link, of_shop=of_shop), (label, figure)
            followed.add((label, figure))
    assert ("shop", "receptions") in followed or by == "shop"
    assert ("agents", "receptions") in followed or by not in ("agent", "person", "group")
    assert any(figure == "consults" for _, figure in followed) == (by in ("agent", "person", "group"))


def test_the_numbers_of_an_agent_lead_to_as_many(people, boss):
    shop = people.shops[0]
    agent = busiest(people, shop)[0]
    text = boss.get(f"/agent?{urlencode({'shop': shop, 'agent': agent, **DAYS})}").text
    links = re.findall(r'href="(/receptions\?[^"]*)"[^>]*>\s*([\d,]+)', text)
    assert len(links) >= 4, "the period, and each day"
    assert all(is_as_many(boss, number, link) for link, number in links)
    assert sum(int(number) for _, number in links[1:]) == int(links[0][1])


def test_the_number_of_today_leads_to_the_receptions_of_as_many_buyers(people, boss):
    text = boss.get(f"/today?{urlencode({'shop': people.shops[0], 'day': '2026-11-11'})}").text
    links = re.findall(r'href="(/receptions\?[^"]*)"[^>]*>\s*([\d,]+)', text)
    whole = [one for one in links if "agent=" not in one[0]]
    assert whole
    assert is_as_many(boss, whole[0][1], whole[0][0], of_shop=True)
    agents = [one for one in links if "agent=" in one[0]]
    assert agents
    assert all(is_as_many(boss, number, link) for link, number in agents)


@pytest.mark.parametrize("agents", [0, 1, 2, 8])
def test_the_numbers_of_trends_lead_to_as_many(people, boss, agents):
    shop = people.shops[0]
    asked = [("agent", one) for one in busiest(people, shop)[:agents]]
    query = [("shop", shop), *DAYS.items(), ("figures", FIGURES), *asked]
    _, *rows = rows_of(boss.get(f"/team?{urlencode(query)}").text, 1)
    assert len(rows) > (4 if 1 < agents <= 6 else 2)
    for row in rows:
        number, link = next(one for one in row if one[1].startswith("/receptions"))
        assert is_as_many(boss, number, link, of_shop=not agents), row


@pytest.mark.parametrize("agent", [False, True])
def test_the_numbers_of_pressure_lead_to_as_many(people, boss, agent):
    shop = people.shops[0]
    query = {"shop": shop, **DAYS}
    if agent:
        query["agent"] = facts_of(people, shop)[0]["agent_id"]
    text = boss.get(f"/pressure?{urlencode(query)}").text
    _, *rows = rows_of(text)
    assert len(rows) == 4 * 24
    numbers = {(row[0][0], row[1][0]): row[5] for row in rows}
    some = [one for one in numbers.values() if one[0] != "0"]
    assert len(some) > 4
    assert all(is_as_many(boss, number, link) for number, link in some[:12])
    heat = re.findall(r'<table class="heat">(.*?)</table>', text, re.DOTALL)[1]
    drawn = re.findall(r'<a href="(.*?)">(.*?)</a>', heat)
    assert sorted((number, link) for link, number in drawn) == sorted(numbers.values())


@pytest.mark.parametrize("name", ["agent", "shop"])
def test_what_was_reached_of_a_goal_leads_to_as_many(people, boss, name):
    shop = people.shops[0]
    agent = facts_of(people, shop)[0]["agent_id"] if name == "agent" else "*"
    days = period(DAYS["from"], DAYS["to"])
    with people.database.connection(autocommit=True) as connection:
        Goals(connection).store([Goal(shop, agent, "workload.receptions", days, 50, None)])
        try:
            pages = [boss.get(f"/goals?{urlencode({'shop': shop, **DAYS})}").text]
            if name == "agent":
                pages.append(boss.get(f"/agent?{urlencode({'shop': shop, 'agent': agent, **DAYS})}").text)
        finally:
            connection.execute("DELETE FROM goal")
    for text in pages:
        tables = [rows_of(text, which) for which in range(text.count("<table>"))]
        [(head, row)] = [table for table in tables if "target" in dict(table[0])]
        number, link = row[[name for name, _ in head].index("actual")]
        assert is_as_many(boss, number, link, of_shop=name == "shop")


def test_the_numbers_of_a_review_lead_to_as_many(people, boss):
    query = {"shop": people.shops[0], "from": "2026-11-11", "to": "2026-11-11"}
    head, *rows = rows_of(boss.get(f"/review?{urlencode(query)}").text)
    names = [name for name, _ in head]
    followed = set()
    for row in rows:
        by = row[names.index("by")][0]
        for side in ("this period", "the other"):
            number, link = row[names.index(side)]
            if link.startswith("/receptions"):
                assert is_as_many(boss, number, link, of_shop=by == "shop"), row
                followed.add(by)
    assert "shop" in followed


def test_what_came_in_on_a_day_leads_to_as_many(people, boss):
    head, *rows = rows_of(boss.get(f"/quality?{urlencode({'shop': people.shops[0], **DAYS})}").text)
    names = [name for name, _ in head]
    for row in rows:
        assert is_as_many(boss, *row[names.index("receptions")])


def test_a_reception_leads_to_its_buyers_day_and_to_its_agent(people, boss):
    shop = people.shops[0]
    head, *rows = rows_of(boss.get(f"/receptions?{urlencode({'shop': shop, **DAYS})}").text)
    names = [name for name, _ in head]
    for row in rows[:3]:
        cells = dict(zip(names, row, strict=True))
        buyer, agent = (html.unescape(cells[name][1]) for name in ("buyer", "agent"))
        day = cells["day"][0]
        asked = {name: values[0] for name, values in parse_qs(urlsplit(buyer).query).items()}
        assert asked == {"shop": shop, "buyer": cells["buyer"][0], "from": day, "to": day}
        assert cells["buyer"][0] in boss.get(buyer).text
        assert f"<small>{cells['agent'][0]}" in boss.get(agent).text


@pytest.mark.parametrize("language", LANGUAGES)
def test_why_a_reception_does_not_count_is_said(people, boss, language):
    shop = people.shops[0]
    query = urlencode({"shop": shop, "kind": "filtered", **DAYS})
    boss.cookies.set("language", language)
    text, empty = (boss.get(f"/receptions?{query}{more}").text for more in ("", "&hour=04:00&weekday=monday"))
    boss.cookies.delete("language")
    found = [one for one in facts_of(people, shop) if one["filtered"] is not None]
    assert found
    assert ("no: " if language == "en" else "否：") in text
    assert f"{len(found):,}" in re.sub("<.*?>", "", text)
    assert TEXTS["empty"].of(language) in empty


def test_agents_see_their_own_receptions_alone(people):
    shop, other = people.shops
    browser = people.logged_in("agent")
    rows = listed(browser, f"/receptions?{urlencode({'shop': shop, **DAYS})}")
    [own] = {row["agent"] for row in rows}
    assert len(rows) == len(facts_of(people, shop, agent=own))
    others = {one["agent_id"] for one in facts_of(people, shop)} - {own}
    for asked in ({"agent": min(others)}, {"group": "any"}, {"person": "any"}):
        query = urlencode({"shop": shop, **asked, **DAYS})
        assert browser.get(f"/receptions?{query}").status_code == 404
    assert browser.get(f"/receptions?shop={other}").status_code == 404
    text = browser.get(f"/receptions?{urlencode({'shop': shop, **DAYS})}").text
    assert "each counted once a day" not in text, "the shop's figure is not theirs"


@pytest.mark.parametrize("wrong", ["kind=lost", "weekday=8", "hour=25:00", "page=0"])
def test_what_cannot_be_asked_for_is_refused(people, boss, wrong):
    assert boss.get(f"/receptions?shop={people.shops[0]}&{wrong}").status_code == 400


def test_pages_have_all_receptions_once_in_their_order(people, boss):
    shop = people.shops[0]
    query = urlencode({"shop": shop, "from": "2026-10", "to": "2026-11"})
    whole = [(row["day"], row["buyer"], row["agent"]) for row in listed(boss, f"/receptions?{query}")]
    assert len(whole) > 100
    paged = []
    for number in range(1, len(whole) // 100 + 2):
        _, *rows = rows_of(boss.get(f"/receptions?{query}&page={number}").text)
        paged += [tuple(cell for cell, _ in row[:3]) for row in rows]
    assert paged == whole
