"""A proxy's header that says who somebody is: from the proxy alone, over real connections."""

from __future__ import annotations

import http.client
import ipaddress
from contextlib import ExitStack

import pytest

from stream_attr.console.accounts import Accounts
from stream_attr.console.app import Settings, application
from stream_attr.console.roles import Role
from stream_attr.kafka.embedded.server import free_port
from tests.console.conftest import add, on_port

PROXY, OTHER = "127.0.0.2", "127.0.0.1"
HEADER = "X-Remote-User"
IN_AUDIT = "SELECT login, action, about FROM audit ORDER BY number"


class Browser:
    """Asks from an address of the loopback network, and keeps its cookie."""

    def __init__(self, port):
        self._port = port
        self.cookie = ""

    def ask(self, path, *headers, source=PROXY, method="GET", body=None):
        """The status, where it leads, the text."""
        connection = http.client.HTTPConnection(
            "127.0.0.1", self._port, timeout=30, source_address=(source, 0)
        )
        connection.putrequest(method, path)
        for name, value in [*headers, ("Cookie", self.cookie), ("Accept-Language", "en")]:
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(body or "")))
        connection.putheader("Content-Type", "application/x-www-form-urlencoded")
        connection.endheaders((body or "").encode())
        answer = connection.getresponse()
        text = answer.read().decode()
        if answer.headers["Set-Cookie"]:
            self.cookie = answer.headers["Set-Cookie"].partition(";")[0]
        connection.close()
        return answer.status, answer.headers["Location"], text

    def let_in(self, *headers, source=PROXY):
        """Whether a page is shown, after having been led to the log-in and back."""
        status, leads, text = self.ask("/people", *headers, source=source)
        for _ in range(2):
            if status == 303:
                status, leads, text = self.ask(leads, *headers, source=source)
        return status == 200 and "<h1>People</h1>" in text


@pytest.fixture
def served(ledger):
    """Serves the console behind proxies, until the test ends."""
    with ledger.connection(autocommit=True) as connection:
        for login in ("li", "wang"):
            add(connection, login, Role.ADMIN)
    with ledger.pool(autocommit=True) as pool, ExitStack() as servers:

        def serve(*networks, header=HEADER):
            port = free_port()
            proxies = tuple(ipaddress.ip_network(one) for one in networks)
            app = application(pool, Settings(secure=False, proxies=proxies, login_header=header))
            servers.enter_context(on_port(app, port))
            return Browser(port)

        yield serve


def audited(ledger):
    with ledger.connection(autocommit=True) as connection:
        return connection.execute(IN_AUDIT).fetchall()


def test_whom_the_proxy_has_let_in_is_in(ledger, served):
    browser = served(PROXY)
    assert browser.let_in((HEADER, "li"))
    assert audited(ledger) == [("li", "log in", "proxy")]


def test_a_network_of_proxies_can_be_named(served):
    assert served("127.0.0.2/31").let_in((HEADER, "li"), source="127.0.0.3")


def test_the_header_of_anybody_else_counts_for_nothing(ledger, served):
    browser = served(PROXY)
    assert not browser.let_in((HEADER, "li"), source=OTHER)
    assert not browser.let_in((HEADER, "li"), ("X-Forwarded-For", PROXY), source=OTHER)
    assert not browser.let_in(("X_Remote_User", "li"))
    assert browser.ask("/login?next=/people", (HEADER, "li"), source=OTHER)[0] == 200
    assert audited(ledger) == []


def test_without_the_option_it_counts_for_nothing(served):
    assert not served(PROXY, header=None).let_in((HEADER, "li"))


@pytest.mark.parametrize(
    "headers",
    [
        [(HEADER, "li"), (HEADER, "wang")],
        [(HEADER, "li"), (HEADER, "li")],
        [(HEADER, "")],
        [(HEADER, b"\xff\xfe")],
        [(HEADER, "li, wang")],
    ],
)
def test_a_header_that_names_nobody_for_certain_lets_nobody_in(served, headers):
    assert not served(PROXY).let_in(*headers)


def test_who_has_no_account_or_a_disabled_one_is_told(ledger, served):
    browser = served(PROXY)
    with ledger.connection(autocommit=True) as connection:
        Accounts(connection).set_active("wang", active=False)
    for login in ("zhao", "wang"):
        status, _, text = browser.ask("/login", (HEADER, login))
        assert status == 403
        assert f"says that you are {login}" in text
    assert audited(ledger) == [
        ("zhao", "log-in refused", f"proxy: {PROXY}"),
        ("wang", "log-in refused", f"proxy: {PROXY}"),
    ]
    assert [browser.ask("/login", (HEADER, "zhao"))[0] for _ in range(5)] == [403] * 4 + [429]


def test_a_session_is_of_the_person_whom_the_proxy_names_each_time(ledger, served):
    browser = served(PROXY)
    assert browser.let_in((HEADER, "li"))
    assert browser.ask("/people", (HEADER, "li"))[0] == 200
    assert browser.ask("/people", (HEADER, "wang"))[0] == 303, "another person at the same browser"
    assert browser.ask("/people")[0] == 303, "the proxy lets nobody in any more"
    assert browser.ask("/people", source=OTHER)[0] == 303, "its cookie is worth nothing elsewhere"
    assert browser.ask("/people", (HEADER, "li"), source=OTHER)[0] == 303
    assert browser.ask("/people", (HEADER, "li"))[0] == 200
    assert browser.let_in((HEADER, "wang"))
    with ledger.connection(autocommit=True) as connection:
        assert connection.execute("SELECT login, way FROM session").fetchall() == [("wang", "proxy")]


def test_passwords_still_work_where_the_proxy_says_nothing(served):
    browser = served(PROXY)
    form = "login=li&password=correct+horse&next=%2Fpeople"
    status, leads, _ = browser.ask(
        "/login", ("Sec-Fetch-Site", "same-origin"), source=OTHER, method="POST", body=form
    )
    assert (status, leads) == (303, "/people")
    assert browser.ask("/people", source=OTHER)[0] == 200


def test_log_out_is_not_undone_by_the_next_request(ledger, served):
    browser = served(PROXY)
    assert browser.let_in((HEADER, "li"))
    text = browser.ask("/people", (HEADER, "li"))[2]
    token = text.partition('name="csrf_token" value="')[2].partition('"')[0]
    forged = browser.ask(
        "/logout", (HEADER, "li"), ("Sec-Fetch-Site", "cross-site"), method="POST", body=f"csrf_token={token}"
    )
    assert forged[0] == 403
    ours = (HEADER, "li"), ("Sec-Fetch-Site", "same-origin")
    assert browser.ask("/logout", *ours, method="POST", body="csrf_token=another")[0] == 403
    status, leads, _ = browser.ask("/logout", *ours, method="POST", body=f"csrf_token={token}")
    assert (status, leads) == (303, "/login?out=1")
    status, _, text = browser.ask(leads, (HEADER, "li"))
    assert status == 200
    assert "still says that you are li" in text
    with ledger.connection(autocommit=True) as connection:
        assert connection.execute("SELECT count(*) FROM session").fetchone() == (0,)


def test_a_proxys_word_on_who_asks_is_taken_and_nobody_elses(ledger, served):
    browser = served(PROXY)
    form = "login=li&password=wrong+password"
    for source in (PROXY, OTHER):
        browser.ask(
            "/login",
            ("Sec-Fetch-Site", "same-origin"),
            ("X-Forwarded-For", "192.0.2.7"),
            source=source,
            method="POST",
            body=form,
        )
    assert [about for _, _, about in audited(ledger)] == ["password: 192.0.2.7", f"password: {OTHER}"]
