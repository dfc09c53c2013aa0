"""The audit as a screen: pages, filters, and the words of what was done."""

from __future__ import annotations

import ast
import html
import re
from pathlib import Path

import pytest

import stream_attr
from stream_attr.console.roles import Role
from stream_attr.console.screens import audit as screen
from stream_attr.ledger import audit
from tests.console.conftest import FROM_HERE, PASSWORD, add

DAY_MS = 86_400_000
MIDNIGHT = 1_793_462_400_000
"""2026-11-01 00:00 in Shanghai."""
LOGINS, ACTIONS = ("li", "wang", "zhao & co"), ("export", "log in", "why not")


@pytest.fixture
def lines(ledger):
    """250 lines of three people, three kinds and five days: number, instant, login, kind."""
    found = [
        (MIDNIGHT + number * 5 * DAY_MS // 250, LOGINS[number % 3], ACTIONS[number * 7 % 11 % 3])
        for number in range(250)
    ]
    with ledger.connection(autocommit=True) as connection:
        add(connection, "boss", Role.ADMIN)
        for number, (ts, login, action) in enumerate(found):
            connection.execute(
                "INSERT INTO audit (ts, login, action, shop_id, about) VALUES (%s, %s, %s, 'jd:1', %s)",
                (ts, login, action, f"line-{number:03}"),
            )
    return [(number, *one) for number, one in enumerate(found)]


def browser_of(console, login="boss"):
    browser = console()
    browser.post("/login", data={"login": login, "password": PASSWORD}, headers=FROM_HERE)
    return browser


def shown(text):
    return [int(one) for one in re.findall(r"line-(\d+)", text)]


def walked(browser, address):
    """The lines of all pages, and how many pages there are."""
    found, pages = [], 0
    while address is not None:
        answer = browser.get(address)
        assert answer.status_code == 200, answer.text
        found += shown(answer.text)
        pages += 1
        links = re.findall(r'href="([^"]*)" rel="next"', answer.text)
        address = html.unescape(links[0]) if links else None
    return found, pages


def test_all_lines_can_be_read_page_by_page_the_newest_first(console, lines):
    browser = browser_of(console)
    assert walked(browser, "/audit") == ([one[0] for one in reversed(lines)], 3)


def test_what_comes_in_meanwhile_moves_no_page(ledger, console, lines):
    browser = browser_of(console)
    first = browser.get("/audit").text
    with ledger.connection(autocommit=True) as connection:
        for _ in range(50):
            audit.note(connection, "li", "export", "jd:1", "later")
    second = html.unescape(re.findall(r'href="([^"]*)" rel="next"', first)[0])
    below = walked(browser, second)[0]
    assert shown(first) + below == [one[0] for one in reversed(lines)]
    assert 'rel="prev"' in browser.get(second).text


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("login=wang", lambda one: one[2] == "wang"),
        ("login=zhao+%26+co&kind=why+not", lambda one: one[2] == "zhao & co" and one[3] == "why not"),
        ("kind=export", lambda one: one[3] == "export"),
        ("from=2026-11-02", lambda one: MIDNIGHT + DAY_MS <= one[1] < MIDNIGHT + 2 * DAY_MS),
        ("to=2026-11-01", lambda one: one[1] < MIDNIGHT + DAY_MS),
        ("from=2026-11-02&to=2026-11-03", lambda one: MIDNIGHT + DAY_MS <= one[1] < MIDNIGHT + 3 * DAY_MS),
        ("from=2026-11-02&to=2026-11-04&login=li&kind=log+in",
         lambda one: MIDNIGHT + DAY_MS <= one[1] < MIDNIGHT + 4 * DAY_MS and one[2:] == ("li", "log in")),
        ("login=nobody", lambda _: False),
        ("login=li&kind=", lambda one: one[2] == "li"),
    ],
)  # fmt: skip
def test_it_is_filtered_by_person_kind_and_day(console, lines, query, wanted):
    expected = [one[0] for one in reversed(lines) if wanted(one)]
    assert expected or "nobody" in query
    assert walked(browser_of(console), f"/audit?{query}")[0] == expected


@pytest.mark.parametrize("query", ["before=x", "before=-1", "before=9999999999999999999", "from=yesterday"])
def test_an_address_that_is_none_is_refused(console, lines, query):
    assert lines
    assert browser_of(console).get(f"/audit?{query}").status_code == 400


def test_an_auditor_reads_it_and_nobody_else_but_admins(people):
    for role in Role:
        status = people.logged_in(str(role)).get("/audit").status_code
        assert status == (200 if role in (Role.ADMIN, Role.AUDITOR) else 404)


def test_a_person_is_no_script(ledger, console):
    with ledger.connection(autocommit=True) as connection:
        add(connection, "boss", Role.ADMIN)
        audit.note(connection, "<script>x", "export", None, "<b>y")
    text = browser_of(console).get("/audit?login=<script>x").text
    assert "&lt;script&gt;x" in text
    assert "<script>x" not in text
    assert "<b>y" not in text


def noted():
    """What is noted anywhere in the program: the first word of each call."""
    for path in Path(stream_attr.__file__).parent.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "note":
                words = [one.value for one in call.args if isinstance(one, ast.Constant)]
                yield from [word for word in words if isinstance(word, str)][:1]


def test_every_kind_has_a_name_in_both_languages():
    kinds = set(noted())
    assert {"export", "grant appeal", "log in"} < kinds
    assert kinds <= screen.KINDS.keys()
