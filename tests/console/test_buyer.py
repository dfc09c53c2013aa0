"""A buyer's day: all that the records say of it, in order, and for whom it is there."""

from __future__ import annotations

import csv
import html
import io
import re
from datetime import datetime
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest

from stream_attr.console.accounts import Duty
from stream_attr.console.roles import Role
from tests.console.conftest import add

ZONE = ZoneInfo("Asia/Shanghai")
EVENTS = ("created_ts", "deposit_ts", "paid_ts", "cancelled_ts")


@pytest.fixture(scope="session")
def boss(people):
    return people.logged_in("admin")


def day_of(ts):
    return f"{datetime.fromtimestamp(ts / 1000, ZONE):%Y-%m-%d}"


def entries(client, shop, buyer, day):
    query = urlencode({"shop": shop, "buyer": buyer, "from": day, "to": day, "format": "csv"})
    answer = client.get(f"/buyer?{query}")
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


@pytest.fixture(scope="session")
def busy(people):
    """A buyer of the first shop, and a day with an inquiry that led to an order and with its payment."""
    shop = people.shops[0]
    traffic = people.traffic
    inquiries = traffic.last("inquiry-outcomes", "shop_id", "buyer_id", "agent_id", "day")
    found = next(
        one
        for one in inquiries
        if one["shop_id"] == shop
        and one["outcome"] == "paid"
        and any(
            order["order_id"] in one["order_ids"] and day_of(order["paid_ts"]) == one["day"]
            for order in traffic.decisions
            if order["shop_id"] == shop and order["paid_ts"]
        )
    )
    return shop, found["buyer_id"], found["day"]


def test_a_day_has_all_that_the_records_say_of_it(people, boss, busy):
    shop, buyer, day = busy
    traffic = people.traffic

    def of_buyer(one):
        return one["shop_id"] == shop and one["buyer_id"] == buyer

    receptions = traffic.last("reception-facts", "shop_id", "buyer_id", "agent_id", "day")
    inquiries = traffic.last("inquiry-outcomes", "shop_id", "buyer_id", "agent_id", "day")
    tasks = [one for one in traffic.last("service-tasks", "task_id") if of_buyer(one)]
    orders = [one for one in traffic.decisions if of_buyer(one)]
    asked = [one for one in inquiries if of_buyer(one) and one["day"] == day and one["kind"] != "none"]
    led_to = {order for one in asked for order in one["order_ids"]}
    expected = [
        (one["first_ts"], "reception", one["agent_id"], "")
        for one in receptions
        if of_buyer(one) and one["day"] == day
    ]
    expected += [
        (None, "inquiry", one["agent_id"], one["order_ids"][0] if len(one["order_ids"]) == 1 else "")
        for one in asked
    ]
    for one in orders:
        times = [one.get(field) for field in EVENTS if one.get(field) and day_of(one[field]) == day]
        refunds = [each["ts"] for each in one["refunds"] if day_of(each["ts"]) == day]
        expected += [(ts, "order", "", one["order_id"]) for ts in times]
        expected += [(ts, "refund", "", one["order_id"]) for ts in refunds]
        if times or refunds or one["order_id"] in led_to:
            holder = one["credit"]["agent_id"] if one["credit"] else ""
            expected.append((one["final_at"], "verdict", holder, one["order_id"]))
    for one in tasks:
        for ts in (one["due_ts"], one["closed_ts"]):
            if ts is not None and day_of(ts) == day:
                expected.append((ts, "service task", one["agent_id"] or "", one["order_id"]))
    shown = entries(boss, shop, buyer, day)
    assert {what for _, what, _, _ in expected} >= {"reception", "inquiry", "order", "verdict"}
    assert sorted((one["what"], one["agent"], one["order"]) for one in shown) == sorted(
        (what, agent, order) for _, what, agent, order in expected
    )
    times = [one["time"] for one in shown]
    assert times == sorted(times)
    for ts, what, agent, order in expected:
        if ts is not None and what != "verdict":
            at = f"{datetime.fromtimestamp(ts // 1000, ZONE):%Y-%m-%d %H:%M:%S}"
            assert (at, what, agent, order) in {
                (one["time"], one["what"], one["agent"], one["order"]) for one in shown
            }


def test_the_screen_has_the_entries_of_the_export(boss, busy):
    shop, buyer, day = busy
    text = boss.get(f"/buyer?{urlencode({'shop': shop, 'buyer': buyer, 'from': day, 'to': day})}").text
    lines = re.findall(r'<li class="([a-z]+)"><time>([0-9: -]{19})', text)
    shown = entries(boss, shop, buyer, day)
    assert [time for _, time in lines] == [one["time"] for one in shown]


@pytest.mark.parametrize("path", ["/losses", "/orders", "/order"])
def test_it_is_reached_from_losses_orders_and_order(people, boss, path):
    shop = people.shops[0]
    order = next(one["order_id"] for one in people.traffic.decisions if one["shop_id"] == shop)
    more = {"order": order} if path == "/order" else {"from": "2026-06", "to": "2027-05"}
    text = boss.get(f"{path}?{urlencode({'shop': shop, **more})}").text
    links = {html.unescape(one) for one in re.findall('href="(/buyer[^"]*)"', text)}
    assert links
    for link in sorted(links)[:5]:
        answer = boss.get(link)
        assert answer.status_code == 200
        assert '<li class="' in answer.text, link


def test_days_without_anything_say_so(boss, busy):
    shop, buyer, _ = busy
    answer = boss.get(f"/buyer?{urlencode({'shop': shop, 'buyer': buyer, 'from': '2026-01-01'})}")
    assert answer.status_code == 200
    assert f"Nothing is known of buyer {buyer} in these days" in answer.text


@pytest.mark.parametrize("role", list(Role))
def test_a_buyer_whom_the_shop_has_never_met_is_not_there(people, role):
    browser, shop = people.logged_in(str(role)), people.shops[0]
    for query in ("", "&buyer=%3Cb%3Enone", "&buyer=%3Cb%3Enone&from=2026-11-01", "&buyer=none&format=csv"):
        assert browser.get(f"/buyer?shop={shop}{query}").status_code == 404, query


def test_an_agent_opens_the_buyers_received_and_no_others_and_the_audit_has_it(people):
    shop, traffic = people.shops[0], people.traffic
    receptions = [
        one
        for one in traffic.last("reception-facts", "shop_id", "buyer_id", "agent_id", "day")
        if one["shop_id"] == shop
    ]
    agent = max({one["agent_id"] for one in receptions}, key=lambda one: (one != "", one))
    orders = [one for one in traffic.decisions if one["shop_id"] == shop]
    of_orders = {
        one["buyer_id"]
        for one in orders
        for name in ("credit", "placing", "payment")
        if one[name] and one[name]["agent_id"] == agent
    }
    mine = {one["buyer_id"] for one in receptions if one["agent_id"] == agent} | of_orders
    others = {one["buyer_id"] for one in receptions} - mine
    assert mine
    assert others
    with people.database.connection(autocommit=True) as connection:
        add(connection, "of buyers", Role.AGENT, Duty(shop, agent))
    browser = people.logged_in("of buyers")
    for buyer in sorted(others)[:20]:
        assert browser.get(f"/buyer?{urlencode({'shop': shop, 'buyer': buyer})}").status_code == 404
    for buyer in sorted(mine)[:20]:
        assert browser.get(f"/buyer?{urlencode({'shop': shop, 'buyer': buyer})}").status_code == 200
        assert (
            browser.get(f"/buyer?{urlencode({'shop': people.shops[1], 'buyer': buyer})}").status_code == 404
        )
    with people.database.connection(autocommit=True) as connection:
        query = (
            "SELECT login, action, shop_id, about FROM audit WHERE action = 'open buyer' ORDER BY number DESC"
        )
        [login, _, of, about] = connection.execute(query).fetchone()
    assert (login, of) == ("of buyers", shop)
    assert about.startswith(sorted(mine)[:20][-1])
