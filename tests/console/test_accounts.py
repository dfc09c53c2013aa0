"""Accounts, links and sessions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from argon2.exceptions import VerifyMismatchError
from click.testing import CliRunner
from psycopg import conninfo

from stream_attr.cli import main
from stream_attr.console import accounts as module
from stream_attr.console.accounts import LINK_MS, Accounts, Duty, hashed, matches
from stream_attr.console.reading import reading
from stream_attr.console.roles import Role
from stream_attr.console.sessions import IDLE_MS, LONGEST_MS, Sessions, Way
from stream_attr.errors import UnusableError
from stream_attr.kafka.embedded.server import free_port
from stream_attr.ledger.database.connect import Database
from stream_attr.ledger.database.migrate import migrate
from stream_attr.ledger.database.publish import may_become_console
from stream_attr.wall_clock import wall_clock_ms
from tests.console.conftest import FROM_HERE, HASHER, PASSWORD, add


@pytest.fixture
def connection(ledger):
    with ledger.connection(autocommit=True) as connection:
        yield connection


@pytest.mark.usefixtures("real_hashes")
def test_a_link_sets_a_password_once(connection):
    accounts = Accounts(connection)
    made = accounts.add("li", "Li", Role.MANAGER, [Duty("jd:1")])
    assert (made.has_password, made.active, made.duties) == (False, True, (Duty("jd:1"),))
    assert not matches(accounts.password_hash("li"), "")
    secret = accounts.link("li")
    assert accounts.of_link(secret) == "li"
    assert accounts.set_password(secret, hashed(PASSWORD)) == "li"
    assert accounts.set_password(secret, hashed("another password")) is None
    assert matches(accounts.password_hash("li"), PASSWORD)
    assert not matches(accounts.password_hash("li"), "another password")
    assert not matches(accounts.password_hash("wang"), PASSWORD)


def test_a_link_is_too_old_after_a_day(connection, monkeypatch):
    add(connection, "li", Role.ADMIN)
    secret = Accounts(connection).link("li")
    now = wall_clock_ms()
    monkeypatch.setattr(module, "wall_clock_ms", lambda: now + LINK_MS - 60_000)
    assert Accounts(connection).of_link(secret) == "li"
    monkeypatch.setattr(module, "wall_clock_ms", lambda: now + LINK_MS + 60_000)
    assert Accounts(connection).set_password(secret, hashed("another password")) is None


@pytest.mark.usefixtures("real_hashes")
def test_passwords_and_secrets_are_not_in_the_database(connection):
    add(connection, "li", Role.ADMIN)
    secrets = [PASSWORD, Accounts(connection).link("li"), Sessions(connection).start("li")]
    rows = [
        str(row)
        for table in ("account", "account_link", "session")
        for row in connection.execute(f"SELECT * FROM {table}")
    ]
    assert len(rows) == 3
    assert not [one for one in secrets for row in rows if one in row]
    assert "$argon2id$v=19$m=65536,t=3,p=4$" in rows[0], "the low-memory profile of RFC 9106"


@pytest.mark.parametrize("password", ["", "short", "x" * 2000])
def test_a_password_that_is_too_short_or_too_long_is_refused(password):
    with pytest.raises(UnusableError, match="at least 10 characters"):
        hashed(password)


def test_without_an_account_a_password_is_compared_at_the_same_cost():
    made_by_the_product = module._hash_of_nothing(HASHER)
    assert not HASHER.check_needs_rehash(made_by_the_product)
    with pytest.raises(VerifyMismatchError):
        HASHER.verify(made_by_the_product, PASSWORD)


def test_another_link_and_a_new_password_end_earlier_links(connection):
    add(connection, "li", Role.ADMIN)
    accounts = Accounts(connection)
    first, second = accounts.link("li"), accounts.link("li")
    assert (accounts.of_link(first), accounts.of_link(second)) == (None, "li")
    connection.execute(
        "INSERT INTO account_link VALUES (%s, 'li', %s)",
        (module.hash_of("third"), wall_clock_ms() + 1000),
    )
    assert accounts.set_password(second, hashed(PASSWORD)) == "li"
    assert accounts.of_link("third") is None


def test_a_page_that_asks_by_itself_does_not_keep_a_session(connection):
    add(connection, "li", Role.ADMIN)
    sessions = Sessions(connection)
    secret = sessions.start("li")
    used = wall_clock_ms() - 120_000
    connection.execute("UPDATE session SET used_ts = %s", (used,))
    assert sessions.find(secret, is_used=False) is not None
    assert connection.execute("SELECT used_ts FROM session").fetchone() == (used,)
    assert sessions.find(secret) is not None
    assert connection.execute("SELECT used_ts > %s FROM session", (used,)).fetchone() == (True,)


@pytest.mark.parametrize(
    ("role", "duties", "said"),
    [
        (Role.ADMIN, [Duty("jd:1")], "sees all shops"),
        (Role.MANAGER, [], "--shop"),
        (Role.MANAGER, [Duty("jd:1", "kf-1")], "other roles take SHOP"),
        (Role.AGENT, [Duty("jd:1")], "role agent takes SHOP=AGENT"),
    ],
)
def test_role_and_shops_have_to_go_together(connection, role, duties, said):
    with pytest.raises(UnusableError, match=said):
        Accounts(connection).add("li", "Li", role, duties)
    assert Accounts(connection).all() == []


def test_an_account_that_is_disabled_is_out_at_once(connection):
    add(connection, "li", Role.ADMIN)
    secret = Sessions(connection).start("li")
    accounts = Accounts(connection)
    assert Sessions(connection).find(secret) is not None
    accounts.set_active("li", active=False)
    assert Sessions(connection).find(secret) is None
    assert not matches(accounts.password_hash("li"), PASSWORD)
    with pytest.raises(UnusableError, match="user enable li"):
        accounts.link("li")
    accounts.set_active("li", active=True)
    assert matches(accounts.password_hash("li"), PASSWORD)


def test_a_new_password_ends_the_sessions(connection):
    add(connection, "li", Role.ADMIN)
    secret = Sessions(connection).start("li")
    Accounts(connection).set_password(Accounts(connection).link("li"), hashed("another password"))
    assert Sessions(connection).find(secret) is None


@pytest.mark.parametrize(("column", "limit"), [("used_ts", IDLE_MS), ("started_ts", LONGEST_MS)])
def test_a_session_ends_when_it_is_not_used_and_after_a_week(connection, column, limit):
    add(connection, "li", Role.ADMIN)
    sessions = Sessions(connection)
    secret = sessions.start("li")
    connection.execute(f"UPDATE session SET {column} = %s", (wall_clock_ms() - limit + 60_000,))
    assert sessions.find(secret) is not None
    connection.execute(f"UPDATE session SET {column} = %s", (wall_clock_ms() - limit - 1,))
    assert sessions.find(secret) is None


def test_people_shows_who_is_logged_in_and_how(ledger, console):
    with ledger.connection(autocommit=True) as connection:
        for login in ("boss", "li", "wang", "zhao"):
            add(connection, login, Role.ADMIN)
        sessions = Sessions(connection)
        sessions.start("li", Way.OIDC)
        sessions.start("wang", Way.PROXY)
        connection.execute(
            "UPDATE session SET used_ts = %s WHERE login = 'wang'", (wall_clock_ms() - IDLE_MS - 1,)
        )
        sessions.start("zhao")
        connection.execute("UPDATE account SET active = false WHERE login = 'zhao'")
        used = wall_clock_ms() - 60_000
        connection.execute("UPDATE session SET used_ts = %s WHERE login = 'li'", (used,))
        assert [(one.login, one.way) for one in sessions.all()] == [("li", Way.OIDC)]
        assert sessions.all()[0].used_ts == used
    browser = console()
    browser.post("/login", data={"login": "boss", "password": PASSWORD}, headers=FROM_HERE)
    table = browser.get("/people").text.partition("Logged in</h2>")[2].partition("</table>")[0]
    rows = re.findall(r"<tr><td>(.*?)</td><td>(.*?)</td>", table)
    assert rows == [("boss", "password"), ("li", "company account")]


def command(ledger, *words):
    return CliRunner().invoke(main, ["console", "--database", ledger.address, "user", *words])


def test_accounts_are_made_on_the_command_line(ledger):
    made = command(ledger, "add", "li", "--name", "李", "--role", "agent", "--shop", "jd:1=kf-1")
    assert made.exit_code == 0, made.stderr
    address, _, secret = made.stdout.strip().partition("?token=")
    assert address == "http://127.0.0.1:8080/link"
    with ledger.connection(autocommit=True) as connection:
        assert Accounts(connection).of_link(secret) == "li"
        [audited] = connection.execute("SELECT action, about FROM audit").fetchall()
    assert audited == ("add account", "li")
    assert command(ledger, "list").stdout == "li  agent  李  jd:1=kf-1  no password yet\n"
    assert command(ledger, "disable", "li").exit_code == 0
    assert "disabled" in command(ledger, "list").stdout


def test_a_login_twice_and_one_that_is_none_are_refused(ledger):
    words = ("add", "li", "--name", "Li", "--role", "admin")
    assert command(ledger, *words).exit_code == 0
    again = command(ledger, *words)
    assert (again.exit_code, again.stderr) == (
        2,
        "Error: there is an account 'li' already: see stream-attr console user list\n",
    )
    none = command(ledger, "link", "wang")
    assert (none.exit_code, none.stderr) == (
        2,
        "Error: there is no account 'wang': see stream-attr console user list\n",
    )


def test_nothing_is_changed_that_the_audit_does_not_tell(ledger, console):
    with ledger.connection(autocommit=True) as connection:
        add(connection, "li", Role.ADMIN)
        Accounts(connection).add("wang", "Wang", Role.ADMIN, ())
        link = Accounts(connection).link("wang")
        connection.execute("ALTER TABLE audit ADD CONSTRAINT full_disk CHECK (login = 'nobody') NOT VALID")
    state = "SELECT (SELECT count(*) FROM session), array_agg(login || active || (password_hash IS NULL))"
    browser = console()
    browser._transport.raise_server_exceptions = False
    forms = {
        "/login": {"login": "li", "password": PASSWORD},
        "/link": {"token": link, "password": PASSWORD, "again": PASSWORD},
    }
    for path, form in forms.items():
        assert browser.post(path, data=form, headers=FROM_HERE).status_code == 500
    for words in (["disable", "li"], ["add", "zhao", "--name", "Zhao", "--role", "admin"], ["link", "li"]):
        assert command(ledger, *words).exit_code != 0
    with ledger.connection(autocommit=True) as connection:
        found = connection.execute(f"{state} FROM account").fetchone()
        assert (found[0], sorted(found[1])) == (0, ["litruefalse", "wangtruetrue"])
        assert Accounts(connection).of_link(link) == "wang"


def test_an_address_that_others_reach_needs_https(ledger):
    words = ["console", "--database", ledger.address, "--host", "0.0.0.0", "--port", str(free_port())]
    refused = CliRunner().invoke(main, words)
    assert refused.exit_code == 2
    assert "--public-url https://" in refused.stderr


@pytest.mark.parametrize("url", ["http://10.0.0.5:8080", "http://console.lan", "http://127.0.0.1.lan"])
def test_nor_does_another_address_without_it(ledger, url):
    words = ["console", "--database", ledger.address, "--host", "0.0.0.0", "--port", str(free_port())]
    refused = CliRunner().invoke(main, [*words, "--public-url", url])
    assert refused.exit_code == 2
    assert "--public-url https://" in refused.stderr


def test_a_user_of_the_database_that_may_not_become_the_role_is_told_what_to_do(ledger):
    with ledger.connection() as connection:
        connection.execute("CREATE ROLE plain_owner LOGIN")
        connection.execute(f"GRANT CREATE ON DATABASE {connection.info.dbname} TO plain_owner")
        connection.execute("DROP SCHEMA stream_attr CASCADE")
    address = conninfo.make_conninfo(ledger.address, user="plain_owner")
    try:
        with Database(address, Path()) as database:
            migrate(database)
            refused = CliRunner().invoke(main, ["console", "--database", address, "--port", str(free_port())])
            assert refused.exit_code == 2
            assert 'GRANT stream_attr_console TO "plain_owner"' in refused.stderr
            with ledger.connection() as connection:
                connection.execute("GRANT stream_attr_console TO plain_owner")
            with database.connection(autocommit=True) as connection:
                assert may_become_console(connection) is None
                accounts = Accounts(connection)
                accounts.add("li", "Li", Role.ADMIN, ())
                with reading(connection, accounts.find("li")):
                    assert connection.execute("SELECT count(*) FROM decision").fetchone() == (0,)
    finally:
        with ledger.connection() as connection:
            connection.execute("DROP SCHEMA IF EXISTS stream_attr CASCADE")
            connection.execute("DROP OWNED BY plain_owner")
            connection.execute("DROP ROLE plain_owner")


def test_a_query_that_is_asked_for_often_is_planned_for_what_it_is_asked(ledger):
    query = "SELECT count(*) FROM decision WHERE shop_id = 'jd:1' AND counted_ts >= %s"
    with ledger.connection(autocommit=True) as connection:
        accounts = Accounts(connection)
        accounts.add("li", "Li", Role.ADMIN, ())
        for ts in range(20):
            with reading(connection, accounts.find("li")):
                connection.execute(query, (ts,))
        plans = "SELECT generic_plans, custom_plans > 0 FROM pg_prepared_statements WHERE statement ~ %s"
        assert connection.execute(plans, ("counted_ts",)).fetchall() == [(0, True)]
