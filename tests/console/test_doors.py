"""What every answer carries, and what is not let in."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from stream_attr.console import accounts
from stream_attr.console import app as app_module
from stream_attr.console.app import Settings, application
from stream_attr.console.doors import CONTENT_POLICY
from stream_attr.console.log_in import local_path
from stream_attr.console.roles import Role
from tests.console.conftest import FROM_HERE, PASSWORD, add

FORM = {"login": "li", "password": PASSWORD}


@pytest.fixture
def li(ledger, console):
    with ledger.connection(autocommit=True) as connection:
        add(connection, "li", Role.ADMIN)
    return console()


@pytest.mark.parametrize(
    "path", ["/login", "/today", "/nothing", "/static/style.css", "/link?token=x", "/health"]
)
def test_every_answer_says_what_a_browser_is_to_hold_to(li, path):
    headers = li.get(path).headers
    assert headers["content-security-policy"] == CONTENT_POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert (headers.get("cache-control") == "no-store") == (not path.startswith("/static/"))


def test_so_does_the_page_of_an_error_of_ours(ledger, monkeypatch):
    with ledger.connection(autocommit=True) as connection:
        add(connection, "li", Role.ADMIN)

    def broken(_):
        raise ZeroDivisionError("a secret detail")

    monkeypatch.setattr(app_module, "SCREENS", (app_module.SCREENS[0]._replace(show=broken),))
    with ledger.pool(autocommit=True) as pool:
        app = application(pool, Settings(secure=False))
        client = TestClient(app, "http://127.0.0.1", raise_server_exceptions=False, follow_redirects=False)
        client.post("/login", data=FORM, headers=FROM_HERE)
        answer = client.get("/today")
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    assert answer.headers["content-security-policy"] == CONTENT_POLICY
    assert answer.headers["cache-control"] == "no-store"


def test_who_is_not_logged_in_is_led_to_the_log_in_and_back(li):
    answer = li.get("/orders?shop=jd:1&page=2")
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/login?next=%2Forders%3Fshop%3Djd%3A1%26page%3D2",
    )
    assert 'value="/orders?shop=jd:1&amp;page=2"' in li.get(answer.headers["location"]).text
    there = li.post("/login", data={**FORM, "next": "/orders?shop=jd:1&page=2"}, headers=FROM_HERE)
    assert (there.status_code, there.headers["location"]) == (303, "/orders?shop=jd:1&page=2")


@pytest.mark.parametrize(
    "elsewhere",
    ["https://example.org/", "//example.org", "/\\example.org", "javascript:x", "", "/\n/x", None],
)
def test_the_log_in_leads_nowhere_else(elsewhere):
    assert local_path(elsewhere) == "/"
    assert local_path("/orders?shop=jd:1") == "/orders?shop=jd:1"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "same-origin"}, 303),
        ({"sec-fetch-site": "none"}, 303),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "http://127.0.0.1"}, 303),
        ({"origin": "http://example.org"}, 403),
        ({"origin": "null"}, 403),
        ({}, 403),
    ],
)
def test_forms_of_other_sites_are_refused(li, headers, status):
    assert li.post("/login", data=FORM, headers=headers).status_code == status


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/login", {"content-length": str(2**20 + 1)}, 413),
        ("/login", {"content-length": "9" * 40}, 413),
        ("/login", {"transfer-encoding": "chunked"}, 411),
        ("/link", {"content-length": str(2**20 + 1)}, 413),
        ("/logout", {"content-length": str(2**20 + 1)}, 413),
    ],
)
def test_a_form_of_a_stranger_takes_no_more_memory_than_a_form(li, path, headers, status):
    def endless():
        raise AssertionError("it was read")
        yield b""

    form = {"content-type": "application/x-www-form-urlencoded"}
    assert li.post(path, content=endless(), headers={**FROM_HERE, **form, **headers}).status_code == status


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("127.0.0.1:8080", 200),
        ("localhost:9999", 200),
        ("[::1]:8080", 200),
        ("evil.example", 421),
        ("evil.example:8080", 421),
        ("127.0.0.1.evil.example", 421),
        ("10.0.0.5:8080", 421),
        ("[", 421),
        ("", 421),
    ],
)
def test_without_a_certificate_it_answers_to_the_names_of_this_machine_alone(li, host, status):
    assert li.get("/login", headers={"host": host}).status_code == status


def test_its_own_name_may_be_another_one_and_a_proxy_with_a_certificate_may_use_any(ledger):
    with ledger.pool(autocommit=True) as pool:
        own = TestClient(application(pool, Settings(secure=False, address="http://shop.lan:8080")))
        assert own.get("/login", headers={"host": "shop.lan:8080"}).status_code == 200
        assert own.get("/login", headers={"host": "other.lan:8080"}).status_code == 421
        behind = TestClient(application(pool, Settings(secure=True, address="https://console.example")))
        assert behind.get("/login", headers={"host": "upstream"}).status_code == 200


def test_the_cookie_is_for_this_site_and_no_script(li):
    cookie = li.post("/login", data=FORM, headers=FROM_HERE).headers["set-cookie"]
    assert cookie.startswith("session=")
    assert "httponly" in cookie.lower()
    assert "samesite=lax" in cookie.lower()
    assert "secure" not in cookie.lower()


def test_over_https_it_is_for_https_alone(ledger):
    with ledger.connection(autocommit=True) as connection:
        add(connection, "li", Role.ADMIN)
    with ledger.pool(autocommit=True) as pool:
        client = TestClient(
            application(pool, Settings(secure=True)), "https://shop.example", follow_redirects=False
        )
        answer = client.post("/login", data=FORM, headers=FROM_HERE)
        assert client.get("/people").status_code == 200
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-session=")
    assert "; secure" in cookie.lower()
    assert "path=/" in cookie.lower()
    assert answer.headers["strict-transport-security"]


def test_after_five_failures_a_login_has_to_wait(li):
    wrong = {"login": "li", "password": "wrong password"}
    assert [li.post("/login", data=wrong, headers=FROM_HERE).status_code for _ in range(6)] == [403] * 5 + [
        429
    ]
    answer = li.post("/login", data=FORM, headers=FROM_HERE)
    assert answer.status_code == 429, "the right one too: a guess must not be confirmed"
    assert 0 < int(answer.headers["retry-after"]) <= 300


def test_who_had_no_turn_to_be_looked_at_has_not_guessed(li, monkeypatch):
    monkeypatch.setattr(accounts, "_WAIT_S", 0.01)
    with ExitStack() as others:
        for _ in range(2):
            others.enter_context(accounts._AT_ONCE)
        answers = [li.post("/login", data=FORM, headers=FROM_HERE) for _ in range(7)]
    assert [one.status_code for one in answers] == [429] * 7
    assert {one.headers["retry-after"] for one in answers} == {"1"}
    assert li.post("/login", data=FORM, headers=FROM_HERE).status_code == 303


def test_many_guesses_at_once_are_not_let_through_either(li):
    wrong = {"login": "li", "password": "wrong password"}
    with ThreadPoolExecutor(12) as threads:
        answers = list(
            threads.map(lambda _: li.post("/login", data=wrong, headers=FROM_HERE).status_code, range(12))
        )
    assert answers.count(403) <= 5
    assert answers.count(429) >= 7


@pytest.mark.parametrize(
    "ask",
    [
        lambda browser: browser.get("/order?order=%00"),
        lambda browser: browser.get("/today?day=0001-01-01"),
        lambda browser: browser.get("/today?day=9999-12-31"),
        lambda browser: browser.get("/rules?day=x"),
        lambda browser: browser.get("/sales?from=2000-01&to=2099-12&by=hour"),
        lambda browser: browser.post("/login", data={"login": "\0", "password": "x"}, headers=FROM_HERE),
        lambda browser: browser.post("/login", data=FORM, headers={"origin": "http://["}),
        lambda browser: browser.head("/login"),
        lambda browser: browser.post("/today", headers=FROM_HERE),
    ],
)
def test_odd_requests_are_answered_and_not_failed(li, ask):
    li.post("/login", data=FORM, headers=FROM_HERE)
    assert ask(li).status_code < 500


def test_another_log_in_ends_the_session_before(li):
    li.post("/login", data=FORM, headers=FROM_HERE)
    before = li.cookies["session"]
    li.post("/login", data=FORM, headers=FROM_HERE)
    assert li.get("/people").status_code == 200
    li.cookies.clear()
    li.cookies.set("session", before)
    assert li.get("/people").status_code == 303


def test_log_out_ends_the_session_and_needs_its_form(li):
    li.post("/login", data=FORM, headers=FROM_HERE)
    assert li.get("/people").status_code == 200
    assert li.post("/logout", data={"csrf_token": "another"}, headers=FROM_HERE).status_code == 403
    assert li.get("/people").status_code == 200
    token = li.get("/people").text.partition('name="csrf_token" value="')[2].partition('"')[0]
    secret = li.cookies["session"]
    assert li.post("/logout", data={"csrf_token": token}, headers=FROM_HERE).status_code == 303
    li.cookies.set("session", secret)
    assert li.get("/people").status_code == 303


def test_a_link_sets_the_password_in_the_browser(ledger, console):
    from stream_attr.console.accounts import Accounts  # noqa: PLC0415

    with ledger.connection(autocommit=True) as connection:
        Accounts(connection).add("li", "Li", Role.ADMIN, ())
        secret = Accounts(connection).link("li")
    client = console()
    assert client.get(f"/link?token={secret}").status_code == 200
    differs = {"token": secret, "password": PASSWORD, "again": "another password"}
    assert client.post("/link", data=differs, headers=FROM_HERE).status_code == 400
    right = {"token": secret, "password": PASSWORD, "again": PASSWORD}
    assert client.post("/link", data=right, headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert client.post("/link", data=right, headers=FROM_HERE).status_code == 303
    assert client.get("/people").status_code == 200
    assert client.post("/link", data=right, headers=FROM_HERE).status_code == 410
    assert client.get(f"/link?token={secret}").status_code == 410


def test_what_others_wrote_is_as_they_wrote_it():
    static = Path(app_module.__file__).parent / "static"
    for name in ("htmx.min.js", "echarts.min.js"):
        digest = hashlib.sha256((static / name).read_bytes()).hexdigest()
        assert digest in (static / "README.md").read_text(), name
