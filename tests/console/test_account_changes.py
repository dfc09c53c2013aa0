"""Who may change which accounts, on screen and on the command line, and what comes of it."""

from __future__ import annotations

import html
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stream_attr.cli import main
from stream_attr.console.account_changes import AccountChanges, in_words
from stream_attr.console.accounts import AccountError, Accounts, Duty, hashed
from stream_attr.console.roles import Role
from stream_attr.console.sessions import Sessions
from tests.console.conftest import FROM_HERE, PASSWORD, add

SHOP = "jd:1"
DUTIES: dict[Role, list[Duty]] = {
    Role.ADMIN: [],
    Role.AUDITOR: [],
    Role.MANAGER: [Duty(SHOP)],
    Role.REVIEWER: [Duty(SHOP)],
    Role.PAYROLL: [Duty(SHOP)],
    Role.AGENT: [Duty(SHOP, "kf-1")],
}
FORMS = {
    "role": {"do": "role", "role": "admin", "shops": ""},
    "person": {"do": "person", "person": "p-9"},
    "block": {"do": "block"},
    "unblock": {"do": "unblock"},
    "end": {"do": "end", "session": "1"},
    "end_all": {"do": "end_all"},
    "link": {"do": "link"},
}
RIGHTS = ("role", "person", "block", "unblock")
"""What nobody changes of oneself."""


@pytest.fixture(scope="module")
def password_hash():
    return hashed(PASSWORD)


@pytest.fixture
def connection(ledger, password_hash):
    with ledger.connection(autocommit=True) as connection:
        for role in Role:
            Accounts(connection).add(str(role), role.title(), role, DUTIES[role])
        Accounts(connection).add("li", "Li", Role.MANAGER, [Duty(SHOP), Duty("jd:2")])
        connection.execute("UPDATE account SET password_hash = %s", (password_hash,))
        yield connection


def browser_of(console, login):
    browser = console()
    form = {"login": login, "password": PASSWORD, "next": "/"}
    assert browser.post("/login", data=form, headers=FROM_HERE).status_code == 303
    return browser


def token_of(browser):
    return re.findall('name="csrf_token" value="(.*?)"', browser.get("/figures").text)[0]


def sent(browser, path, form, token=None):
    token = token_of(browser) if token is None else token
    return browser.post(path, data={"csrf_token": token, **form}, headers=FROM_HERE)


def state_of(connection):
    """All that a change can change."""
    accounts = [(one.login, one.active, in_words(one)) for one in Accounts(connection).all()]
    sessions = connection.execute("SELECT login, count(*) FROM session GROUP BY 1 ORDER BY 1").fetchall()
    links = connection.execute("SELECT login, count(*) FROM account_link GROUP BY 1 ORDER BY 1").fetchall()
    return accounts, sessions, links


def audit_of(connection, after=0):
    query = "SELECT login, action, about, before, after FROM audit WHERE number > %s ORDER BY number"
    return connection.execute(query, (after,)).fetchall()


def last_line(connection):
    return connection.execute("SELECT coalesce(max(number), 0) FROM audit").fetchone()[0]


@pytest.mark.parametrize("role", list(Role))
def test_an_administrator_alone_changes_accounts(connection, console, role):
    Sessions(connection).start("li")
    browser = browser_of(console, str(role))
    token, before, line = token_of(browser), state_of(connection), last_line(connection)
    new = {"login": "wang", "name": "Wang", "role": "manager", "shops": SHOP}
    if role is not Role.ADMIN:
        assert sent(browser, "/people", new, token).status_code == 404
        for form in FORMS.values():
            assert sent(browser, "/people/account?login=li", form, token).status_code == 404
        assert state_of(connection) == before
        assert audit_of(connection, line) == []
        return
    assert sent(browser, "/people", new, token).status_code == 200
    for do, form in FORMS.items():
        status = 200 if do == "link" else 303
        assert sent(browser, "/people/account?login=li", form, token).status_code == status, do
    assert [(by, what, whom) for by, what, whom, _, _ in audit_of(connection, line)] == [
        ("admin", "add account", "wang"),
        ("admin", "change role", "li"),
        ("admin", "set person", "li"),
        ("admin", "disable account", "li"),
        ("admin", "enable account", "li"),
        ("admin", "link", "li"),
    ], "no session was left to be ended"


@pytest.mark.parametrize("login", ["nobody", "", "LI", "li "])
@pytest.mark.usefixtures("connection")
def test_an_account_that_is_none_is_not_there(console, login):
    browser = browser_of(console, "admin")
    token = token_of(browser)
    expected = 303 if login == "li " else 404  # blanks around what is asked for are no part of it
    for do, form in FORMS.items():
        status = sent(browser, f"/people/account?login={login}", form, token).status_code
        assert status == (200 if (expected, do) == (303, "link") else expected)


def test_nobody_changes_the_own_rights(connection, console):
    browser = browser_of(console, "admin")
    token, before, line = token_of(browser), state_of(connection), last_line(connection)
    page = browser.get("/people/account?login=admin").text
    assert "This is your own account" in page
    assert 'value="role"' not in page
    for do in RIGHTS:
        answer = sent(browser, "/people/account?login=admin", FORMS[do], token)
        assert answer.status_code == 400
        assert "nobody changes the own role, shops, person or right to log in" in answer.text
    assert (state_of(connection), audit_of(connection, line)) == (before, [])
    assert sent(browser, "/people/account?login=admin", {"do": "end_all"}, token).status_code == 303
    assert browser.get("/people").status_code == 303, "logged out"


def test_a_new_role_needs_a_new_session(connection, console):
    li, boss = browser_of(console, "li"), browser_of(console, "admin")
    assert li.get("/people").status_code == 404
    line = last_line(connection)
    form = {"do": "role", "role": "agent", "shops": "jd:1=kf-1\r\n\r\n jd:2 = kf-2 \r\njd:1=kf-1"}
    assert sent(boss, "/people/account?login=li", form).status_code == 303
    assert li.get("/figures").status_code == 303
    account = Accounts(connection).find("li")
    assert (account.role, account.duties) == (Role.AGENT, (Duty("jd:1", "kf-1"), Duty("jd:2", "kf-2")))
    assert audit_of(connection, line) == [
        ("admin", "change role", "li", "manager jd:1 jd:2", "agent jd:1=kf-1 jd:2=kf-2")
    ]
    sent(boss, "/people/account?login=li", {"do": "role", "role": "admin"})
    assert browser_of(console, "li").get("/people").status_code == 200


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"role": "agent", "shops": "jd:1"}, "role agent takes SHOP=AGENT"),
        ({"role": "manager", "shops": "jd:1=kf-1"}, "other roles take SHOP"),
        ({"role": "manager", "shops": " \n"}, "name at least one"),
        ({"role": "manager", "shops": "=kf-1"}, "other roles take SHOP"),
        ({"role": "admin", "shops": "jd:1"}, "sees all shops"),
    ],
)
def test_role_and_shops_that_do_not_go_together_are_told_at_the_form(connection, console, form, said):
    browser = browser_of(console, "admin")
    before = state_of(connection)
    changed = sent(browser, "/people/account?login=li", {"do": "role", **form})
    added = sent(browser, "/people", {"login": "wang", "name": "Wang", **form})
    for answer in (changed, added):
        assert answer.status_code == 400
        assert said in html.unescape(answer.text)
        assert f">{form['shops'].strip()}</textarea>" in html.unescape(answer.text), "what was typed stays"
    assert state_of(connection) == before
    browser.cookies.set("language", "zh")
    chinese = sent(browser, "/people/account?login=li", {"do": "role", **form}).text
    alert = chinese.partition('role="alert"')[2].partition("</p>")[0]
    assert re.search("[\u4e00-\u9fff]", alert)
    assert said not in html.unescape(alert)


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/people/account?login=li", {"do": "role", "role": "king"}),
        ("/people/account?login=li", {"do": "delete"}),
        ("/people/account?login=li", {}),
        ("/people/account?login=li", {"do": "end", "session": "-1"}),
        ("/people/account?login=li", {"do": "end", "session": "9" * 30}),
        ("/people/account?login=li", {"do": "end"}),
        ("/people", {"login": "wang", "name": "Wang"}),
        ("/people", {"login": "li", "name": "Li", "role": "admin"}),
        ("/people", {"login": "wang", "name": " ", "role": "admin"}),
        ("/people", {"login": "\0", "name": "Wang", "role": "admin"}),
    ],
)
def test_odd_forms_change_nothing(connection, console, path, form):
    browser = browser_of(console, "admin")
    before = state_of(connection)
    assert sent(browser, path, form).status_code == 400
    assert state_of(connection) == before


def test_the_link_is_shown_once_and_sets_the_password_once(connection, console):
    boss = browser_of(console, "admin")
    form = {"login": "wang", "name": "Wang", "role": "manager", "shops": SHOP, "person": "p-7"}
    page = sent(boss, "/people", form)
    assert page.headers["cache-control"] == "no-store"
    [secret] = re.findall(r"http://127.0.0.1:8080/link\?token=([\w-]+)", page.text)
    assert Accounts(connection).find("wang").person_id == "p-7"
    for path in ("/people", "/people/account?login=wang", "/audit"):
        assert secret not in boss.get(path).text
    [second] = re.findall(r"\?token=([\w-]+)", sent(boss, "/people/account?login=wang", {"do": "link"}).text)
    wang = console()
    assert wang.get(f"/link?token={secret}").status_code == 410, "a later link ends it"
    chosen = {"token": second, "password": PASSWORD, "again": PASSWORD}
    assert wang.post("/link", data=chosen, headers=FROM_HERE).status_code == 303
    assert wang.post("/link", data=chosen, headers=FROM_HERE).status_code == 410


def test_one_session_is_ended_or_all(connection, console):
    boss = browser_of(console, "admin")
    browsers = [browser_of(console, "li") for _ in range(3)]
    page = boss.get("/people/account?login=li").text
    numbers = re.findall('name="session" value="([0-9]+)"', page)
    assert len(numbers) == 3
    line = last_line(connection)
    sent(boss, "/people/account?login=manager", {"do": "end", "session": numbers[0]})
    assert [one.get("/figures").status_code for one in browsers] == [200] * 3, "it is none of the manager's"
    sent(boss, "/people/account?login=li", {"do": "end", "session": numbers[0]})
    assert sorted(one.get("/figures").status_code for one in browsers) == [200, 200, 303]
    sent(boss, "/people/account?login=li", {"do": "end", "session": numbers[0]})
    sent(boss, "/people/account?login=li", {"do": "end_all"})
    assert [one.get("/figures").status_code for one in browsers] == [303] * 3
    lines = [(by, what, whom) for by, what, whom, _, _ in audit_of(connection, line)]
    assert lines == [("admin", "end session", "li"), ("admin", "end sessions", "li")]


@pytest.mark.usefixtures("connection")
def test_who_is_blocked_is_out_and_comes_in_again_once_let(console):
    boss, li = browser_of(console, "admin"), browser_of(console, "li")
    sent(boss, "/people/account?login=li", {"do": "block"})
    assert li.get("/figures").status_code == 303
    form = {"login": "li", "password": PASSWORD, "next": "/"}
    assert console().post("/login", data=form, headers=FROM_HERE).status_code == 403
    link = sent(boss, "/people/account?login=li", {"do": "link"})
    assert (link.status_code, "?token=" in link.text) == (400, False)
    sent(boss, "/people/account?login=li", {"do": "unblock"})
    browser_of(console, "li")


def test_nothing_is_changed_that_the_audit_does_not_tell(connection, console):
    boss = browser_of(console, "admin")
    boss._transport.raise_server_exceptions = False
    number = connection.execute("SELECT number FROM session").fetchone()[0]
    Sessions(connection).start("li")
    token, before = token_of(boss), state_of(connection)
    connection.execute("ALTER TABLE audit ADD CONSTRAINT full_disk CHECK (login = 'nobody') NOT VALID")
    new = {"login": "wang", "name": "Wang", "role": "manager", "shops": SHOP}
    assert sent(boss, "/people", new, token).status_code == 500
    for do, form in FORMS.items():
        one = {**form, "session": str(number + 1)} if do == "end" else form
        assert sent(boss, "/people/account?login=li", one, token).status_code == 500, do
    assert state_of(connection) == before


def test_two_administrators_cannot_block_each_other(ledger, connection):
    add(connection, "second", Role.ADMIN)
    pairs = [("admin", "second"), ("second", "admin")]

    def block(pair):
        by, whom = pair
        with ledger.connection(autocommit=True) as own, suppress(AccountError):
            AccountChanges(own, by).set_active(whom, active=False)
            return True
        return False

    for _ in range(10):
        with ThreadPoolExecutor(2) as threads:
            done = list(threads.map(block, pairs))
        assert sorted(done) == [False, True]
        connection.execute("UPDATE account SET active = true")


LOGINS = ("a", "b", "c")
ACTIONS = st.tuples(
    st.sampled_from((*LOGINS, None)),
    st.sampled_from(("role", "person", "block", "unblock", "end", "link")),
    st.sampled_from((*LOGINS, "none")),
    st.sampled_from(list(Role)),
)


def allowed(accounts, by, do, whom):
    """By the text: administrators alone, nobody of the own rights, and one who may log in is left."""
    if by is not None and accounts[by] != (Role.ADMIN, True):
        return False
    return whom != "none" and not (by == whom and do in RIGHTS) and (do != "link" or accounts[whom][1])


def attempt(changes, do, whom, role):
    match do:
        case "role":
            changes.set_role(whom, role, DUTIES[role])
        case "person":
            changes.set_person(whom, "p")
        case "end":
            changes.end_sessions(whom)
        case "link":
            changes.link(whom)
        case _:
            changes.set_active(whom, active=do == "unblock")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(roles=st.tuples(*[st.sampled_from(list(Role))] * 2), steps=st.lists(ACTIONS, min_size=1, max_size=12))
def test_whatever_is_tried_an_administrator_is_left_and_nobody_raises_oneself(ledger, roles, steps):
    with ledger.connection(autocommit=True) as connection:
        connection.execute("TRUNCATE account CASCADE")
        known = dict(zip(LOGINS, (Role.ADMIN, *roles), strict=True))
        for login, role in known.items():
            Accounts(connection).add(login, login, role, DUTIES[role])
        expected = {login: (role, True) for login, role in known.items()}
        for by, do, whom, role in steps:
            after = dict(expected)
            if do == "role" and whom != "none":
                after[whom] = (role, expected[whom][1])
            if do in ("block", "unblock") and whom != "none":
                after[whom] = (expected[whom][0], do == "unblock")
            is_done = allowed(expected, by, do, whom) and (Role.ADMIN, True) in after.values()
            with nullcontext() if is_done else pytest.raises(AccountError):
                attempt(AccountChanges(connection, by), do, whom, role)
            expected = after if is_done else expected
            found = {one.login: (one.role, one.active) for one in Accounts(connection).all()}
            assert found == expected


def command(ledger, *words):
    return CliRunner().invoke(main, ["console", "--database", ledger.address, "user", *words])


def test_the_command_line_changes_roles_and_ends_sessions(ledger, connection):
    line = last_line(connection)
    Sessions(connection).start("li")
    assert command(ledger, "role", "li", "agent", "--shop", "jd:1=kf-1").exit_code == 0
    assert in_words(Accounts(connection).find("li")) == "agent jd:1=kf-1"
    assert Sessions(connection).all("li") == []
    for _ in range(3):
        Sessions(connection).start("li")
    Sessions(connection).start("manager")
    listed = command(ledger, "sessions", "li").stdout.splitlines()
    assert len(listed) == 3
    assert re.fullmatch(r"li  [0-9]+  password  since \S+Z  used \S+Z", listed[0])
    assert len(command(ledger, "sessions").stdout.splitlines()) == 4
    assert command(ledger, "end", "li", listed[0].split()[1]).exit_code == 0
    assert len(Sessions(connection).all("li")) == 2
    assert command(ledger, "end", "li").exit_code == 0
    assert [one.login for one in Sessions(connection).all()] == ["manager"]
    assert [(by, what, whom) for by, what, whom, _, _ in audit_of(connection, line)] == [
        ("(command line)", "change role", "li"),
        ("(command line)", "end session", "li"),
        ("(command line)", "end sessions", "li"),
    ]


@pytest.mark.parametrize("words", [("disable", "admin"), ("role", "admin", "manager", "--shop", SHOP)])
def test_nor_does_it_shut_out_the_last_administrator(ledger, connection, words):
    refused = command(ledger, *words)
    assert (refused.exit_code, refused.stderr) == (
        2,
        "Error: admin is the last administrator who may log in: make another one first\n",
    )
    add(connection, "second", Role.ADMIN)
    assert command(ledger, *words).exit_code == 0


@pytest.mark.parametrize("words", [("role", "nobody", "admin"), ("sessions", "nobody"), ("end", "nobody")])
@pytest.mark.usefixtures("connection")
def test_an_account_that_is_none_is_told(ledger, words):
    refused = command(ledger, *words)
    assert (refused.exit_code, "there is no account 'nobody'" in refused.stderr) == (2, True)


def test_a_password_of_before_stays_and_a_link_of_before_the_role_too(connection):
    secret = Accounts(connection).link("li")
    AccountChanges(connection, "admin").set_role("li", Role.REVIEWER, [Duty(SHOP)])
    assert Accounts(connection).find("li").has_password
    assert Accounts(connection).set_password(secret, hashed(PASSWORD)) == "li"
