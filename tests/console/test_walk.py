"""Every screen as every role, with what is theirs and with what is not."""

from __future__ import annotations

import html
import re

import pytest
from psycopg import errors

from stream_attr.console.accounts import Account, Accounts, Duty
from stream_attr.console.app import SCREENS
from stream_attr.console.reading import reading
from stream_attr.console.roles import Role
from stream_attr.ledger.texts import LANGUAGES
from tests.console.conftest import APPEALS, FROM_HERE, add, pay_of

PERIOD = "&from=2026-06&to=2027-05"
PATHS = [screen.path for screen in SCREENS]


@pytest.fixture(scope="session")
def browsers(people):
    return {role: people.logged_in(str(role)) for role in Role}


@pytest.fixture(scope="session")
def some_order(people):
    return {
        shop: next(one["order_id"] for one in people.traffic.decisions if one["shop_id"] == shop)
        for shop in people.shops
    }


@pytest.fixture(scope="session")
def some_buyer(people):
    """By shop a buyer whom the agent has not met."""
    with people.database.connection() as connection:
        [duty] = Accounts(connection).find("agent").duties
    facts = people.traffic.last("reception-facts", "shop_id", "buyer_id", "agent_id", "day")
    met = {one["buyer_id"] for one in facts if one["agent_id"] == duty.agent_id}
    return {
        shop: next(one["buyer_id"] for one in facts if one["shop_id"] == shop and one["buyer_id"] not in met)
        for shop in people.shops
    }


def address(people, path, shop, order, buyer=""):
    """A screen of a shop."""
    if path.startswith("/pay"):
        return f"{path}?shop={shop}{pay_of(people, path, shop)}"
    if path == "/buyer":
        return f"{path}?shop={shop}&buyer={buyer}&from=2026-11-01"
    if path == "/people/account":
        return f"{path}?shop={shop}&login=manager"
    if path == "/appeal":
        return f"{path}?shop={shop}&appeal={APPEALS[shop]}"
    return f"{path}?shop={shop}" + (f"&order={order}" if path == "/order" else "")


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("screen", SCREENS, ids=lambda one: one.path)
def test_a_screen_is_there_for_its_roles_and_for_no_others(
    people, browsers, some_order, some_buyer, screen, role
):
    shop = people.shops[0]
    answer = browsers[role].get(address(people, screen.path, shop, some_order[shop], some_buyer[shop]))
    is_others = screen.path == "/buyer" and role is Role.AGENT
    assert answer.status_code == (200 if role in screen.roles and not is_others else 404), answer.text


@pytest.mark.parametrize("role", [one for one in Role if not one.sees_all_shops])
@pytest.mark.parametrize("path", [path for path in PATHS if path != "/people"])
def test_another_shop_is_not_there(people, browsers, some_order, some_buyer, path, role):
    shop = people.shops[1]
    answer = browsers[role].get(address(people, path, shop, some_order[shop], some_buyer[shop]))
    if path == "/figures" and answer.status_code == 200:
        assert some_order[shop] not in answer.text
        return
    assert answer.status_code == 404
    assert shop not in answer.text


@pytest.mark.parametrize("role", [one for one in Role if not one.sees_all_shops])
@pytest.mark.parametrize("path", [path for path in PATHS if path.startswith("/pay")])
def test_pay_of_another_shop_is_not_there_whichever_shop_is_asked_for(people, browsers, path, role):
    own, other = people.shops
    person = people.persons[other]
    asked = address(people, path, other, "").replace(f"shop={other}", f"shop={own}")
    answer = browsers[role].get(f"{asked}&person={person}")
    if path not in ("/pay", "/pay/persons", "/pay/schemes", "/pay/edit"):
        assert answer.status_code == 404
    main = re.sub('value=".*?"|href=".*?"', "", answer.text.partition("<main")[2])
    assert person not in main
    assert "scheme-1" not in main


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("screen", SCREENS, ids=lambda one: one.path)
def test_a_form_is_taken_from_the_roles_that_may_send_it(browsers, screen, role):
    browser = browsers[role]
    form = {"csrf_token": "another session's"}
    answer = browser.post(screen.path, data=form, headers=FROM_HERE)
    expected = 405 if screen.act is None else 403 if role in screen.acting else 404
    assert answer.status_code == expected
    assert browser.post(screen.path, data=form).status_code == (405 if screen.act is None else 403)


@pytest.mark.parametrize("path", PATHS)
def test_without_a_session_there_is_the_log_in(people, path):
    answer = people.client().get(f"{path}?shop={people.shops[0]}")
    assert (answer.status_code, answer.headers["location"][:12]) == (303, "/login?next=")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", PATHS)
def test_every_screen_is_in_both_languages(people, browsers, some_order, some_buyer, path, language):
    browser = browsers[Role.ADMIN]
    browser.cookies.set("language", language)
    shop = people.shops[0]
    text = browser.get(address(people, path, shop, some_order[shop], some_buyer[shop])).text
    browser.cookies.delete("language")
    assert f'<html lang="{"zh-CN" if language == "zh" else "en"}">' in text
    menu = re.sub("<.*?>", "", text.partition('<nav class="menu"')[2].partition("</nav>")[0])
    assert bool(re.search("[\u4e00-\u9fff]", menu.partition(">")[2])) == (language == "zh")


def test_an_agent_sees_own_figures_and_no_others(people, browsers):
    browser, shop = browsers[Role.AGENT], people.shops[0]
    days = [one for one in people.traffic.agent_days if one["shop_id"] == shop]
    agents = sorted({one["agent_id"] for one in days if one["sales"]["orders"] and one["agent_id"] != "*"})
    own, others = agents[0], agents[1:]
    assert browser.get(f"/agent?shop={shop}{PERIOD}").status_code == 200
    assert browser.get(f"/agent?shop={shop}&agent={own}{PERIOD}").status_code == 200
    for other in others:
        assert browser.get(f"/agent?shop={shop}&agent={other}{PERIOD}").status_code == 404
        assert browser.get(f"/orders?shop={shop}&agent={other}{PERIOD}").status_code == 404
    assert browser.get(f"/pending?shop={shop}{PERIOD}").status_code == 200
    assert browser.get(f"/pending?shop={shop}&by=agent{PERIOD}").status_code == 404, "it has the shop's sums"
    assert browser.get(f"/orders?shop={shop}&group=any{PERIOD}").status_code == 404
    assert browser.get(f"/orders?shop={shop}&person=any{PERIOD}").status_code == 404
    lines = browser.get(f"/orders?shop={shop}&behind=sales&format=csv{PERIOD}").text.splitlines()
    mine = {
        one["order_id"]
        for one in people.traffic.decisions
        if one["shop_id"] == shop
        and one["credit"]
        and one["credit"]["agent_id"] == own
        and one["paid_ts"]
        and one["outcome"] == "credited"
    }
    assert mine
    assert {line.split(",")[0] for line in lines} & {
        one["order_id"] for one in people.traffic.decisions
    } == mine


@pytest.mark.parametrize("agent_id", ["", "nobody-yet"])
def test_an_account_whose_agent_is_nobody_sees_nothing(people, agent_id):
    login, shop = f"agent-{agent_id}", people.shops[0]
    with people.database.connection(autocommit=True) as connection:
        add(connection, login, Role.AGENT, Duty(shop, "nobody-yet"))
        connection.execute("UPDATE account_shop SET agent_id = %s WHERE login = %s", (agent_id, login))
    browser = people.logged_in(login)
    for path in ("/orders", "/pending", "/losses", "/receptions"):
        answer = browser.get(f"{path}?shop={shop}{PERIOD}")
        assert answer.status_code == 200
        assert not re.search("kf-[0-9]", answer.text.partition("<table>")[2])
    assert browser.get(f"/agent?shop={shop}{PERIOD}").status_code in (200, 404)


def test_a_name_in_the_roster_makes_nobody_another(people):
    shop = people.shops[0]
    with people.database.connection(autocommit=True) as connection:
        name, agent_id = connection.execute(
            "SELECT name, agent_id FROM roster WHERE shop_id = %s AND name IS NOT NULL LIMIT 1", (shop,)
        ).fetchone()
        add(connection, "by name", Role.AGENT, Duty(shop, name))
    text = people.logged_in("by name").get(f"/orders?shop={shop}&format=csv{PERIOD}").text
    assert agent_id not in text


def test_an_agent_of_two_accounts_reaches_the_pages_of_both(people):
    shop = people.shops[0]
    days = [one for one in people.traffic.agent_days if one["shop_id"] == shop]
    agents = sorted({one["agent_id"] for one in days if one["sales"]["orders"] and one["agent_id"] != "*"})
    with people.database.connection(autocommit=True) as connection:
        add(connection, "of two", Role.AGENT, Duty(shop, agents[0]), Duty(shop, agents[2]))
    browser = people.logged_in("of two")
    page = browser.get(f"/agent?shop={shop}{PERIOD}").text
    assert re.findall('<option value="(.*?)"', page) == [agents[0], agents[2]]
    for agent in (agents[0], agents[2]):
        assert f"<small>{agent}" in browser.get(f"/agent?shop={shop}&agent={agent}{PERIOD}").text
    assert browser.get(f"/agent?shop={shop}&agent={agents[1]}{PERIOD}").status_code == 404
    orders = browser.get(f"/orders?shop={shop}{PERIOD}").text
    assert re.findall('name="agent" value="(.*?)"', orders) == [agents[0], agents[2]]
    assert browser.get(f"/orders?shop={shop}&agent={agents[2]}{PERIOD}").status_code == 200


def test_what_an_agent_opens_of_others_is_in_the_audit(people, browsers):
    shop = people.shops[0]
    with people.database.connection(autocommit=True) as connection:
        own = {one.agent_id for one in Accounts(connection).find("agent").duties}
        other = next(
            one["order_id"]
            for one in people.traffic.decisions
            if one["shop_id"] == shop and one["credit"] and one["credit"]["agent_id"] not in own
        )
        browsers[Role.AGENT].get(f"/order?shop={shop}&order={other}")
        query = "SELECT login, action, shop_id, about FROM audit ORDER BY number DESC LIMIT 1"
        assert connection.execute(query).fetchone() == ("agent", "open order", shop, other)


def test_every_link_that_an_agent_is_shown_leads_somewhere(people, browsers):
    browser, shop = browsers[Role.AGENT], people.shops[0]
    paths = [
        f"/{name}?shop={shop}{PERIOD}" for name in ("agent", "orders", "pending", "losses", "receptions")
    ]
    order = next(
        one["order_id"]
        for one in people.traffic.decisions
        if one["shop_id"] == shop and len({each["agent_id"] for each in one["candidates"]}) > 1
    )
    for path in [*paths, f"/order?shop={shop}&order={order}"]:
        links = {html.unescape(one) for one in re.findall('href="(/[^"#]*)"', browser.get(path).text)}
        assert links
        for link in links:
            if not link.startswith(("/static/", "/language")):
                assert browser.get(link).status_code in (200, 303), (path, link)


def test_a_shop_of_which_nothing_has_come_is_told(people):
    with people.database.connection(autocommit=True) as connection:
        add(connection, "early", Role.MANAGER, Duty("jd:tomorrow"))
    answer = people.logged_in("early").get("/today")
    assert answer.status_code == 200
    assert "Nothing of your shops has come into the ledger yet" in answer.text


def test_the_database_shows_no_row_of_another_shop(people):
    with people.database.connection(autocommit=True) as connection:
        manager = Accounts(connection).find("manager")
        admin = Accounts(connection).find("admin")
        nobody = Account("nobody", "Nobody", Role.MANAGER, active=True, has_password=True)
        for account, seen in ((manager, people.shops[:1]), (admin, people.shops), (nobody, [])):
            with reading(connection, account):
                for table in (
                    "decision", "decision_revision", "agent_day", "reception", "inquiry", "roster", "appeal"
                ):  # fmt: skip
                    rows = connection.execute(f"SELECT DISTINCT shop_id FROM {table} ORDER BY 1").fetchall()
                    assert [shop for (shop,) in rows] == seen, (account.login, table)


@pytest.mark.parametrize("table", ["account", "account_link", "session", "audit", "unstored"])
def test_a_page_cannot_read_who_may_log_in(people, table):
    with people.database.connection(autocommit=True) as connection:
        admin = Accounts(connection).find("admin")
        with pytest.raises(errors.InsufficientPrivilege), reading(connection, admin):
            connection.execute(f"SELECT * FROM {table}")
        with (
            pytest.raises((errors.ReadOnlySqlTransaction, errors.InsufficientPrivilege)),
            reading(connection, admin),
        ):
            connection.execute("UPDATE decision SET amount = 1")
