"""What is of another shop is not there, by whatever id it is asked for or sent to; and no form is forged."""

from __future__ import annotations

import json
import re
from urllib.parse import urlencode

import pytest

from stream_attr.console.app import SCREENS
from stream_attr.console.changes.drafts import Drafts
from stream_attr.console.roles import Role
from stream_attr.lab.rule_sets import AS_IT_STOOD
from stream_attr.lab.trials import State, Trials
from stream_attr.ledger.periods import period
from tests.console.conftest import APPEALS, FROM_HERE

OF_SHOPS = [role for role in Role if not role.sees_all_shops]
ONLY_THERE = {"order": "o-only-there", "buyer": "b-only-there"}
"""Of the second shop; all others have the same ids in both."""
ACTING = [(screen, role) for screen in SCREENS if screen.act is not None for role in sorted(screen.acting)]


@pytest.fixture(scope="module")
def browsers(people):
    return {role: people.logged_in(str(role)) for role in Role}


@pytest.fixture(scope="module")
def foreign(people):
    """By screen what names something of the second shop, which is in none of the others' shops."""
    other = people.shops[1]
    with people.database.connection(autocommit=True) as connection:
        written = connection.execute(
            "SELECT string_agg(column_name, ', ') FROM information_schema.columns"
            " WHERE table_name = 'decision' AND is_generated = 'NEVER'"
            " AND column_name NOT IN ('order_id', 'buyer_id')"
            " AND table_schema = current_schema()"
        ).fetchone()[0]
        connection.execute(
            f"INSERT INTO decision (order_id, buyer_id, {written}) SELECT %s, %s, {written} FROM decision"
            " WHERE shop_id = %s AND profile = 'official' LIMIT 1",
            (*ONLY_THERE.values(), other),
        )
        trials = Trials(connection)
        trial = trials.ask(other, (AS_IT_STOOD,), period("2026-11", None), "admin")
        asked = trials.find(other, trial)
        assert asked is not None
        trials.end(asked, State.CANCELLED)
        settings = connection.execute(
            "SELECT record FROM shop_settings WHERE shop_id = %s LIMIT 1", (other,)
        ).fetchone()[0]
        document = {**settings, "effective_from": "2027-01-01"}
        number = Drafts(connection, other).save(None, "shop-settings", document, None, "basis", "admin")
    run = {"scheme": "scheme-1", "month": "2026-11"}
    yield {
        "/order": {"order": ONLY_THERE["order"]},
        "/buyer": ONLY_THERE,
        "/appeal": {"appeal": APPEALS[other]},
        "/lab": {"trial": trial},
        "/rules/change": {"number": str(number)},
        "/rules/settings": {"draft": str(number)},
        "/pay/run": run,
        "/pay/scheme": {"scheme": "scheme-1"},
        "/pay/statement": {"person": people.persons[other], "month": "2026-11"},
        "/pay/so-far": {"person": people.persons[other], "month": "2026-11"},
        "/pay/simulator": {"person": people.persons[other], "month": "2026-11"},
        "/agent": {"agent": "of-the-other-shop"},
        "/people/account": {"login": "nobody"},
    }
    with people.database.connection(autocommit=True) as connection:
        connection.execute("DELETE FROM decision WHERE order_id = %s", (ONLY_THERE["order"],))


@pytest.mark.parametrize("role", OF_SHOPS)
def test_an_id_of_another_shop_is_in_no_shop_of_ones_own(people, browsers, foreign, role):
    own, other = people.shops
    for path, names in foreign.items():
        for shop in (own, other):
            answer = browsers[role].get(f"{path}?{urlencode({'shop': shop, **names})}")
            assert answer.status_code == 404, (path, shop)
            assert other not in answer.text


def test_who_sees_all_shops_finds_these_in_their_own(people, browsers, foreign):
    other = people.shops[1]
    for path, names in foreign.items():
        if path in ("/agent", "/people/account"):
            continue
        answer = browsers[Role.ADMIN].get(f"{path}?{urlencode({'shop': other, **names})}")
        assert answer.status_code == 200, path


def changes(people):
    """What a form could have changed, and the audit of it."""
    tables = (
        "account",
        "appeal",
        "pay_run",
        "pay_person",
        "pay_scheme",
        "rule_change",
        "saved_report",
        "lab_trial",
    )
    with people.database.connection(autocommit=True) as connection:
        found = {
            table: connection.execute(
                f"SELECT md5(string_agg(one::text, '' ORDER BY one::text)) FROM {table} one"
            ).fetchone()[0]
            for table in tables
        }
        ours = "SELECT count(*) FROM audit WHERE action NOT IN ('log in', 'look at pay', 'open order')"
        return json.dumps(found), connection.execute(ours).fetchone()


def token_of(browser):
    return re.findall('name="csrf_token" value="(.*?)"', browser.get("/figures").text)[0]


FORMS = (
    {"do": "approve"},
    {"do": "draft", "scheme": "scheme-1", "month": "2026-11"},
    {"do": "discard"},
    {"do": "publish"},
    {"do": "cancel"},
    {"do": "try", "set": "current"},
    {"answer": "refused", "comment": "x"},
    {"name": "mine"},
    {"delete": "mine"},
    {"expected": "*", "reason": "other", "comment": "x"},
)


@pytest.mark.parametrize("role", OF_SHOPS)
def test_nothing_of_another_shop_is_changed_by_a_form(people, browsers, foreign, role):
    own, other = people.shops
    browser, before = browsers[role], changes(people)
    token = token_of(browser)
    for path in {screen.path for screen in SCREENS if screen.act is not None} - {"/pay/persons", "/pay/edit"}:
        for form in FORMS:
            data = {"csrf_token": token, **form}
            asked = urlencode({"shop": other, **foreign.get(path, {})})
            answer = browser.post(f"{path}?{asked}", data=data, headers=FROM_HERE)
            assert answer.status_code in (400, 403, 404), (path, form)
            if path in foreign:
                asked = urlencode({"shop": own, **foreign[path]})
                answer = browser.post(f"{path}?{asked}", data=data, headers=FROM_HERE)
                assert answer.status_code in (400, 403, 404), (path, form)
    assert changes(people) == before


@pytest.mark.parametrize(("screen", "role"), ACTING, ids=lambda one: getattr(one, "path", str(one)))
def test_no_form_is_taken_without_its_token_or_from_another_site(people, browsers, screen, role):
    browser, before = browsers[role], changes(people)
    token = token_of(browser)
    another = token_of(browsers[Role.AGENT if role is Role.AUDITOR else Role.AUDITOR])
    for form, headers in (
        ({}, FROM_HERE),
        ({"csrf_token": ""}, FROM_HERE),
        ({"csrf_token": another}, FROM_HERE),
        ({"csrf_token": token}, {}),
        ({"csrf_token": token}, {"sec-fetch-site": "cross-site"}),
        ({"csrf_token": token}, {"sec-fetch-site": "same-site"}),
        ({"csrf_token": token}, {"origin": "https://evil.example"}),
        ({"csrf_token": token}, {"origin": "null"}),
    ):
        assert browser.post(screen.path, data=form, headers=headers).status_code == 403, (form, headers)
    assert changes(people) == before
