"""Whoever has an appeal to answer, or an answer to look at, sees it in the menu of every page."""

from __future__ import annotations

import html
import re

import pytest

from stream_attr.console.accounts import Accounts, Duty
from stream_attr.console.roles import Role
from stream_attr.ledger.acting import Acting
from stream_attr.ledger.appeals.answering import refuse
from stream_attr.ledger.appeals.opening import Asked, open_appeal, withdraw
from stream_attr.ledger.appeals.waiting import MOST, note_seen, to_answer, unseen_answers
from stream_attr.ledger.appeals.words import Reason
from tests.console.conftest import FROM_HERE, PASSWORD, add
from tests.ledger.pay.world import agent, order
from tests.ledger.reports.handmade import SHOP

OTHER = "jd:2"


@pytest.fixture
def world(ledger, console):
    """Anna appeals in two shops; a reviewer has both, another the second alone."""
    with ledger.connection(autocommit=True) as connection:
        for shop in (SHOP, OTHER):
            for name in ("anna", "ben"):
                agent(connection, name, f"p-{name}", shop_id=shop)
        for number in range(4):
            order(connection, f"o-{number}", "ben", 10_000)
        connection.execute("UPDATE decision SET shop_id = %s WHERE order_id IN ('o-2', 'o-3')", (OTHER,))
        add(connection, "reviewer", Role.REVIEWER, Duty(SHOP), Duty(OTHER))
        add(connection, "second", Role.REVIEWER, Duty(OTHER))
        add(connection, "anna", Role.AGENT, Duty(SHOP, "anna"), Duty(OTHER, "anna"))
        add(connection, "ben", Role.AGENT, Duty(SHOP, "ben"), Duty(OTHER, "ben"))
        for login, role in (("manager", Role.MANAGER), ("payroll", Role.PAYROLL)):
            add(connection, login, role, Duty(SHOP), Duty(OTHER))
        add(connection, "admin", Role.ADMIN)
        yield connection, console


def opened(connection, order_id, agent_id="anna"):
    shop = SHOP if order_id in ("o-0", "o-1") else OTHER
    return open_appeal(connection, Asked(shop, order_id, Reason.AGREED, "x", agent_id), [agent_id], agent_id)


def browser_of(console, login):
    browser = console()
    form = {"login": login, "password": PASSWORD, "next": "/"}
    assert browser.post("/login", data=form, headers=FROM_HERE).status_code == 303
    return browser


def counted(browser, path="/figures"):
    """The number beside the menu's entry, what it says to who cannot see it, and where the entry leads."""
    [(link, inner)] = re.findall(r'<a href="(/appeals[^"]*)"[^>]*>(.*?)</a>', menu_of(browser.get(path).text))
    found = re.search('<span class="count">([0-9]+)<span class="unseen">(.*?)</span>', inner)
    return (int(found[1]), found[2].strip(), html.unescape(link)) if found else (0, "", html.unescape(link))


def menu_of(text):
    return text.partition('<nav class="menu"')[2].partition("</nav>")[0]


def test_a_reviewer_sees_how_many_are_to_be_answered_in_own_shops(world):
    connection, console = world
    reviewer, second = browser_of(console, "reviewer"), browser_of(console, "second")
    assert counted(reviewer)[0] == 0
    first, there = opened(connection, "o-0"), opened(connection, "o-2")
    opened(connection, "o-3")
    assert counted(reviewer, f"/today?shop={SHOP}") == (3, "to be answered", "/appeals?shop=jd%3A1")
    assert counted(reviewer, f"/today?shop={OTHER}")[::2] == (3, "/appeals?shop=jd%3A2")
    assert counted(second)[0] == 2
    text = reviewer.get(f"/appeals?shop={SHOP}").text
    assert '<a href="/appeals?shop=jd%3A2">jd:2 (2)</a>' in text.partition("<main")[2]
    refuse(connection, SHOP, first.appeal_id, "no", Acting("reviewer", is_account=True))
    assert counted(reviewer, f"/today?shop={SHOP}")[::2] == (2, "/appeals?shop=jd%3A2"), "where there is one"
    withdraw(connection, OTHER, there.appeal_id, "anna")
    assert (counted(reviewer)[0], counted(second)[0]) == (1, 1)
    reviewer.cookies.set("language", "zh")
    assert counted(reviewer)[1] == "个待答复"


@pytest.mark.parametrize("login", ["manager", "payroll", "admin"])
def test_others_have_nothing_to_answer(world, login):
    connection, console = world
    opened(connection, "o-0")
    assert counted(browser_of(console, login), f"/today?shop={SHOP}")[0] == 0


def test_one_whose_ruling_is_on_its_way_has_been_answered(world):
    connection, _ = world
    one = opened(connection, "o-0")
    assert to_answer(connection, [SHOP, OTHER]) == {SHOP: 1}
    connection.execute(
        "UPDATE appeal SET answer = 'granted', answer_comment = '', answered_by = 'x', ruling = '{}'"
        " WHERE appeal_id = %s",
        (one.appeal_id,),
    )
    assert to_answer(connection, [SHOP, OTHER]) == {}


def test_an_agent_sees_what_was_answered_until_it_was_looked_at(world):
    connection, console = world
    anna, ben = browser_of(console, "anna"), browser_of(console, "ben")
    first, second, there = (opened(connection, one) for one in ("o-0", "o-1", "o-2"))
    assert counted(anna)[0] == 0, "nothing is answered"
    by = Acting("reviewer", is_account=True)
    for one in (first, there):
        refuse(connection, one.shop_id, one.appeal_id, "no", by)
    assert counted(anna, f"/orders?shop={SHOP}") == (2, "answered since you looked", "/appeals?shop=jd%3A1")
    assert counted(ben)[0] == 0, "it is another's"
    anna.get(f"/appeals?shop={SHOP}&state=open")
    assert counted(anna)[0] == 2, "the answers were not shown"
    anna.get(f"/appeals?shop={SHOP}")
    assert counted(anna, f"/orders?shop={SHOP}")[::2] == (1, "/appeals?shop=jd%3A2")
    refuse(connection, SHOP, second.appeal_id, "no", by)
    assert counted(anna)[0] == 2
    for shop in (SHOP, OTHER):
        anna.get(f"/appeals?shop={shop}")
    assert counted(anna)[0] == 0


def test_an_answer_of_the_meantime_is_not_taken_for_seen(world):
    connection, _ = world
    one = opened(connection, "o-0")
    refuse(connection, SHOP, one.appeal_id, "no", Acting("reviewer", is_account=True))
    ended = connection.execute("SELECT ended_ts FROM appeal").fetchone()[0]
    note_seen(connection, "anna", SHOP, ended - 1)
    assert unseen_answers(connection, "anna") == {SHOP: 1}
    note_seen(connection, "anna", SHOP, ended)
    note_seen(connection, "anna", SHOP, ended - 1)
    assert unseen_answers(connection, "anna") == {}


def test_what_was_seen_stays_so_when_another_shop_is_given(world):
    connection, _ = world
    one = opened(connection, "o-0")
    refuse(connection, SHOP, one.appeal_id, "no", Acting("reviewer", is_account=True))
    note_seen(connection, "anna", SHOP, 2**60)
    Accounts(connection).set_role("anna", Role.AGENT, [Duty(SHOP, "anna"), Duty("jd:3", "anna")])
    assert unseen_answers(connection, "anna") == {}


def test_it_is_read_by_an_index_and_no_further_than_needed(world):
    connection, _ = world
    connection.execute(
        "INSERT INTO appeal (shop_id, appeal_id, order_id, agent_id, reason, comment, expected_agent_id,"
        " revision, opened_by, opened_ts, state, answer, answer_comment, answered_by, ended_ts)"
        " SELECT %s, 'a-' || n, 'x-' || n, 'kf-' || n %% 50, 'other', 'x', 'y', 1, 'z', n,"
        " CASE WHEN n > 500 THEN 'answered' ELSE 'open' END, CASE WHEN n > 500 THEN 'refused' END,"
        " CASE WHEN n > 500 THEN '' END, CASE WHEN n > 500 THEN 'w' END, CASE WHEN n > 500 THEN n END"
        " FROM generate_series(1, 20000) n",
        (SHOP,),
    )
    connection.execute(
        "UPDATE account_shop SET agent_id = 'kf-7' WHERE login = 'anna' AND shop_id = %s", (SHOP,)
    )
    connection.execute("ANALYZE appeal, account_shop")
    assert to_answer(connection, [SHOP]) == {SHOP: MOST}
    assert unseen_answers(connection, "anna") == {SHOP: MOST}
    note_seen(connection, "anna", SHOP, 19_907)
    assert unseen_answers(connection, "anna") == {SHOP: 1}, "19,957 alone is later"
    from stream_attr.ledger.appeals import waiting  # noqa: PLC0415 -- for its queries

    for query, bound in ((waiting._TO_ANSWER, ([SHOP], MOST)), (waiting._UNSEEN, ("anna", MOST))):
        plan = "\n".join(row for (row,) in connection.execute(f"EXPLAIN {query}", bound))
        assert "Seq Scan on appeal" not in plan, plan
