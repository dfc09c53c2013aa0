"""Rules and roster by form: checked as the worker checks, seen before it is published, on the topic then."""

from __future__ import annotations

import html
import json
import re
from typing import Any, NamedTuple

import pytest
from starlette.testclient import TestClient

from stream_attr.console.accounts import Accounts, Duty
from stream_attr.console.app import Settings, application
from stream_attr.console.changes.texts import OF_CHANGES
from stream_attr.console.reading import reading
from stream_attr.console.roles import Role
from stream_attr.contract.topics import ROSTER, SETTINGS
from stream_attr.kafka.admin import create_topics
from stream_attr.kafka.shop_records import read_shop_records
from stream_attr.kafka.writer import TopicWriter
from tests.console.conftest import FROM_HERE, PASSWORD, add

SHOP = "jd:1"
FIRST = {"shop_id": SHOP, "effective_from": "2026-01-01", "preset": "pdd", "max_wait_minutes": 5}
FAR = "2098-12-01"


def settings_row(connection, offset, document):
    connection.execute(
        "INSERT INTO shop_settings VALUES (%s, 0, %s, %s, %s)",
        (document["shop_id"], offset, document["effective_from"], json.dumps(document)),
    )


def roster_row(connection, offset, agent_id, day, role, name=None):
    connection.execute(
        "INSERT INTO roster VALUES (%s, %s, 0, %s, %s, %s, %s, NULL, NULL)",
        (SHOP, agent_id, offset, day, role, name),
    )


def logged_in(client: TestClient, login: str) -> TestClient:
    form = {"login": login, "password": PASSWORD, "next": "/"}
    assert client.post("/login", data=form, headers=FROM_HERE).status_code == 303
    return client


class Editor(NamedTuple):
    """Somebody before a form."""

    browser: TestClient

    def open(self, path: str) -> dict[str, Any]:
        """The form of a page, filled in as it is."""
        text = self.browser.get(path).text
        main = text.partition("<main")[2]
        form = main.partition('method="post"')[2].partition("</form>")[0]
        found: dict[str, Any] = {}
        for tag in re.findall("<input[^>]*>", form):
            name = re.search('name="([^"]*)"', tag)
            value = re.search('value="([^"]*)"', tag)
            if name is not None and ("checkbox" not in tag or " checked" in tag):
                found[name[1]] = value[1] if value else ""
        for name, inside in re.findall('<select [^>]*name="([^"]*)"[^>]*>(.*?)</select>', form, re.DOTALL):
            chosen = re.search('<option value="([^"]*)" selected>', inside)
            found[name] = chosen[1] if chosen else ""
        texts = re.findall('<textarea [^>]*name="([^"]*)"[^>]*>\n(.*?)</textarea>', form, re.DOTALL)
        return found | dict(texts)

    def send(self, path: str, form: dict[str, Any], **changes: Any):
        """The answer to a form with some of its fields changed."""
        return self.browser.post(path, data={**form, **changes}, headers=FROM_HERE)

    def prepared(self, path: str, **changes: Any) -> str:
        """The page of a change that was entered and taken."""
        answer = self.send(path, self.open(path), do="check", **changes)
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])


@pytest.fixture
def shop(ledger):
    """A ledger of a shop with one settings record and two agents, and people."""
    with ledger.connection(autocommit=True) as connection:
        settings_row(connection, 0, FIRST)
        roster_row(connection, 0, "kf-1", "2026-01-01", "presale", "小李")
        roster_row(connection, 1, "kf-2", "2026-01-01", "aftersale")
        add(connection, "boss", Role.ADMIN)
        add(connection, "manager", Role.MANAGER, Duty(SHOP))
        add(connection, "auditor", Role.AUDITOR)
        add(connection, "elsewhere", Role.MANAGER, Duty("jd:2"))
        settings_row(connection, 1, {"shop_id": "jd:2", "effective_from": "2026-01-01"})
    return ledger


@pytest.fixture
def editors(shop):
    with shop.pool(autocommit=True) as pool:
        app = application(pool, Settings(secure=False))
        yield lambda login: Editor(
            logged_in(TestClient(app, base_url="http://127.0.0.1", follow_redirects=False), login)
        )


@pytest.fixture
def publishing(shop, embedded, topic_prefix):
    """Editors of a console that can publish to a broker with the same records as the ledger."""
    create_topics(embedded.bootstrap, partitions=2, prefix=topic_prefix)
    writer = TopicWriter(embedded.bootstrap, prefix=topic_prefix)
    with writer.opened(SETTINGS) as write:
        write(SHOP, json.dumps(FIRST).encode())
    with writer.opened(ROSTER) as write:
        for agent_id, more in (
            ("kf-1", {"role": "presale", "name": "小李"}),
            ("kf-2", {"role": "aftersale"}),
        ):
            record = {"shop_id": SHOP, "agent_id": agent_id, "effective_from": "2026-01-01", **more}
            write(f"{SHOP}|{agent_id}", json.dumps(record).encode())
    with shop.pool(autocommit=True) as pool:
        app = application(pool, Settings(secure=False, writer=writer))

        def editor(login):
            return Editor(
                logged_in(TestClient(app, base_url="http://127.0.0.1", follow_redirects=False), login)
            )

        yield editor, lambda: read_shop_records(embedded.bootstrap, topic_prefix)


FORM = f"/rules/settings?shop={SHOP}"


def test_the_form_begins_with_what_holds(editors):
    form = editors("manager").open(FORM)
    assert form["preset"] == "pdd"
    assert form["max_wait_minutes"] == "5"
    assert form["credit_rule"] == "", "the record leaves it to the preset"
    assert form["filters.monologue.enabled"] == ""


def test_what_is_entered_becomes_a_record_and_is_shown_field_by_field(editors):
    manager = editors("manager")
    page = manager.prepared(
        FORM,
        effective_from=FAR,
        credit_rule="order",
        max_wait_minutes="",
        **{
            "max_wait_minutes:null": "yes",
            "filters.advert.enabled": "true",
            "filters.advert.phrase": " 买一送一\r\n",
            "filters.advert.within": "3",
            "official_accounts": "jd-helper\r\n\r\n jd-other ",
            "tasks.duty.0.weekday": "1",
            "tasks.duty.0.from": "09:00",
            "tasks.duty.0.to": "18:00",
            "tasks.duty.0.agent_id": "kf-1",
        },
    )
    text = manager.browser.get(page).text
    content = json.loads(html.unescape(text.partition("<pre")[2].partition(">")[2].partition("</pre>")[0]))
    assert content == {
        "shop_id": SHOP,
        "effective_from": FAR,
        "preset": "pdd",
        "credit_rule": "order",
        "max_wait_minutes": None,
        "filters": {"advert": {"enabled": True, "phrase": " 买一送一\n", "within": 3}},
        "official_accounts": ["jd-helper", "jd-other"],
        "tasks": {"duty": [{"weekday": 1, "from": "09:00", "to": "18:00", "agent_id": "kf-1"}]},
    }
    changed = set(re.findall("<td>[^<]*<code>([^<]*)</code></td><td><del>", text))
    assert changed == {
        "credit_rule",
        "max_wait_minutes",
        "official_accounts",
        "filters.advert.enabled",
        "filters.advert.phrase",
        "filters.advert.within",
        "tasks.duty",
    }


def test_every_refusal_is_shown_at_its_field_and_nothing_is_lost(editors, shop):
    manager = editors("manager")
    wrong = {
        "effective_from": "2026-02-01",
        "validity.hours": "12",
        "payment_deadline_hours": "a day",
        "filters.advert.enabled": "true",
        "tasks.duty.0.weekday": "8",
        "tasks.duty.0.from": "09:00",
        "tasks.duty.0.to": "18:00",
        "tasks.duty.0.agent_id": "kf-1",
        "silent_followup.buyer_initiated": "true",
    }
    answer = manager.send(FORM, manager.open(FORM), do="check", **wrong)
    assert answer.status_code == 400
    assert set(re.findall('class="error" id="e-([^"]*)"', answer.text)) == {
        "effective_from",
        "validity.hours",
        "payment_deadline_hours",
        "filters.advert.phrase",
        "tasks.duty.0.weekday",
        "silent_followup",
    }
    assert 'value="a day"' in answer.text
    assert 'name="max_wait_minutes" aria-describedby="h-max_wait_minutes" type="text"' in " ".join(
        re.sub(' id="[^"]*"', "", answer.text).split()
    )
    assert "a change holds from today at the earliest" in answer.text
    with shop.connection(autocommit=True) as connection:
        assert connection.execute("SELECT count(*) FROM rule_change").fetchone() == (0,)


def test_a_profile_is_added_with_the_official_rules_changed_and_removed(editors):
    manager = editors("manager")
    form = manager.open(FORM)
    refused = manager.send(FORM, form, **{"do": "add-profile", "new-profile": "By Order"})
    assert "a name is 1 to 64 of a-z 0-9 _ - and not `official`" in html.unescape(refused.text)
    added = manager.send(FORM, form, **{"do": "add-profile", "new-profile": "by-order"})
    assert 'name="profiles:names" value="by-order"' in added.text
    assert re.search('name="profiles.by-order.max_wait_minutes"[^>]* value="5"', added.text)
    of_profile = {"profiles:names": "by-order", "profiles.by-order.preset": "jd_official"}
    page = manager.prepared(FORM, effective_from=FAR, **of_profile)
    text = html.unescape(manager.browser.get(page).text)
    assert '"profiles":{"by-order":{"preset":"jd_official"}}' in text
    dropped = manager.send(FORM, {**form, **of_profile}, do="drop-profile:by-order")
    assert "profiles.by-order" not in dropped.text


@pytest.mark.parametrize("number", ["x", "0", "-1", "9" * 5000, "٣"])
def test_a_change_that_there_is_not_is_not_there(editors, number):
    browser = editors("manager").browser
    assert browser.get(f"/rules/change?shop={SHOP}&number={number}").status_code == 404
    assert browser.get(f"{FORM}&draft={number}").status_code == 404


@pytest.mark.parametrize("path", [FORM, f"/rules/agent?shop={SHOP}", f"/rules/change?shop={SHOP}"])
def test_others_have_no_such_page(editors, path):
    assert editors("elsewhere").browser.get(path).status_code == 404
    auditor = editors("auditor").browser
    assert auditor.get(path).status_code == (200 if "change" in path else 404)
    form = {"csrf_token": "x", "do": "check"}
    assert auditor.post(path, data=form, headers=FROM_HERE).status_code == 404


def test_the_second_of_two_who_edit_a_draft_sees_that_it_has_changed(editors):
    manager, boss = editors("manager"), editors("boss")
    page = manager.prepared(FORM, effective_from=FAR, credit_rule="order")
    edit = f"{FORM}&draft={page.rpartition('=')[2]}"
    theirs = boss.open(edit)
    assert manager.send(edit, manager.open(edit), do="check", max_wait_minutes="7").status_code == 303
    told = boss.send(edit, theirs, do="check", max_wait_minutes="9")
    assert told.status_code == 409
    assert "Others have changed this since you opened the form" in told.text
    assert re.search('name="max_wait_minutes"[^>]* value="9"', told.text), "what was entered is kept"
    assert '"max_wait_minutes":7' in html.unescape(manager.browser.get(page).text)


def test_a_change_of_another_shop_is_not_there(editors, shop):
    page = editors("manager").prepared(FORM, effective_from=FAR, credit_rule="order")
    with shop.connection(autocommit=True) as connection:
        for login, seen in (("manager", 1), ("elsewhere", 0), ("boss", 1)):
            with reading(connection, Accounts(connection).find(login)):
                assert connection.execute("SELECT count(*) FROM rule_change").fetchone() == (seen,)
    elsewhere = editors("elsewhere")
    for path in (page, page.replace(SHOP, "jd:2").replace("jd%3A1", "jd%3A2")):
        assert elsewhere.browser.get(path).status_code == 404


def test_without_a_broker_nothing_is_published_and_the_page_says_why(editors):
    manager = editors("manager")
    page = manager.prepared(FORM, effective_from=FAR, credit_rule="order")
    text = manager.browser.get(page).text
    assert re.search('value="publish" disabled aria-describedby="why-not"', text)
    assert "The console was given no broker" in text
    form = publish_form(text)
    answer = manager.send(page, form, **{"without-preview": "yes"})
    assert answer.status_code == 409
    assert "given no broker" in answer.text


def publish_form(text):
    """The form with which a page publishes, but for what it asks to be ticked."""
    tags = re.findall("<input[^>]*>", text.partition('class="publish"')[2].partition("</form>")[0])
    pairs = [re.findall('(?:name|value)="([^"]*)"', one) for one in tags if "checkbox" not in one]
    return {**dict(pairs), "do": "publish"}


def test_without_a_preview_it_has_to_be_taken_upon_oneself_and_the_audit_says_so(publishing, shop):
    editor, records = publishing
    manager = editor("manager")
    page = manager.prepared(FORM, effective_from=FAR, credit_rule="order")
    text = manager.browser.get(page).text
    assert "There are no stored events here to try the change on" in text
    refused = manager.send(page, publish_form(text))
    assert (refused.status_code, len(records())) == (409, 3)
    answer = manager.send(page, publish_form(text), **{"without-preview": "yes"})
    assert answer.status_code == 303, answer.text
    sent = records()[-1]
    document = {**FIRST, "effective_from": FAR, "credit_rule": "order"}
    assert (sent.topic, sent.key, sent.offset) == (SETTINGS, SHOP.encode(), 1)
    assert json.loads(sent.value) == document
    with shop.connection(autocommit=True) as connection:
        query = "SELECT login, action, shop_id, about, before, after FROM audit ORDER BY number DESC LIMIT 1"
        login, action, shop_id, about, before, after = connection.execute(query).fetchone()
        assert (login, action, shop_id) == ("manager", "publish", SHOP)
        assert about.startswith(f"settings from {FAR}, without a preview: credit_rule: order_first")
        assert (json.loads(before), json.loads(after)) == (FIRST, document)
        settings_row(connection, 1, document)  # as stream-attr ledger does
    again = manager.send(page, publish_form(text), **{"without-preview": "yes"})
    assert (again.status_code, len(records())) == (409, 4)
    told = manager.browser.get(f"/rules?shop={SHOP}").text
    history = told.partition(">History of the rules</h2>")[2].partition("<h2")[0]
    first, second = re.findall("<tr><td>.*?</tr>", history, re.DOTALL)
    assert re.search(">manager</a>", first)
    assert "the placing agent, else the payment agent</del> → <ins>order: the placing agent</ins>" in first
    assert "not on the console" in second


def test_the_second_of_two_editors_sees_that_the_rules_have_changed(publishing, shop):
    editor, records = publishing
    manager, boss = editor("manager"), editor("boss")
    form = boss.open(FORM)
    theirs = boss.prepared(FORM, effective_from=FAR, credit_rule="payment")
    page = manager.prepared(FORM, effective_from=FAR, credit_rule="order")
    published = manager.send(page, publish_form(manager.browser.get(page).text), **{"without-preview": "yes"})
    assert published.status_code == 303
    # The ledger has not read it yet: the topic says so.
    late = boss.send(theirs, publish_form(boss.browser.get(theirs).text), **{"without-preview": "yes"})
    assert late.status_code == 409
    assert "Others have changed this since it was prepared" in late.text
    assert len(records()) == 4
    with shop.connection(autocommit=True) as connection:
        settings_row(connection, 1, json.loads(records()[-1].value))
    told = boss.send(FORM, form, do="check", effective_from=FAR, credit_rule="payment")
    assert told.status_code == 409
    assert "Others have changed this since you opened the form" in told.text
    assert re.search('<option value="payment" selected>', told.text), "what was entered is kept"
    boss.send(theirs, {"csrf_token": form["csrf_token"], "do": "rebase"})
    text = boss.browser.get(theirs).text
    assert "Others have changed this" not in text
    assert "<del>order: the placing agent</del>" in text
    assert boss.send(theirs, publish_form(text), **{"without-preview": "yes"}).status_code == 303
    assert [json.loads(one.value)["credit_rule"] for one in records()[-2:]] == ["order", "payment"]


def test_a_record_of_which_no_answer_came_is_not_sent_twice(publishing, embedded, topic_prefix):
    editor, records = publishing
    manager = editor("manager")
    page = manager.prepared(FORM, effective_from=FAR, credit_rule="order")
    text = manager.browser.get(page).text
    content = html.unescape(text.partition("<pre")[2].partition(">")[2].partition("</pre>")[0])
    with TopicWriter(embedded.bootstrap, prefix=topic_prefix).opened(SETTINGS) as write:
        write(SHOP, content.encode())
    assert manager.send(page, publish_form(text), **{"without-preview": "yes"}).status_code == 303
    assert len(records()) == 4


def test_another_content_than_was_seen_is_not_published(publishing):
    editor, records = publishing
    manager = editor("manager")
    page = manager.prepared(FORM, effective_from=FAR, credit_rule="order")
    seen = publish_form(manager.browser.get(page).text)
    number = page.rpartition("=")[2]
    edit = f"{FORM}&draft={number}"
    assert manager.send(edit, manager.open(edit), do="check", credit_rule="payment").status_code == 303
    answer = manager.send(page, seen, **{"without-preview": "yes"})
    assert answer.status_code == 409
    assert "another content by now" in answer.text
    assert len(records()) == 3


def test_an_agent_is_added_changed_and_ended(publishing):
    editor, records = publishing
    manager = editor("manager")
    new = manager.prepared(
        f"/rules/agent?shop={SHOP}",
        agent_id="kf-9",
        role="presale",
        effective_from=FAR,
        name="小王",
        group="A",
    )
    form = publish_form(manager.browser.get(new).text)
    assert manager.send(new, form, **{"without-preview": "yes"}).status_code == 303
    ended = f"/rules/agent?shop={SHOP}&agent=kf-1&role=frozen"
    assert manager.open(ended)["role"] == "frozen"
    assert manager.open(ended)["name"] == "小李"
    end = manager.prepared(ended, effective_from=FAR)
    form = publish_form(manager.browser.get(end).text)
    assert manager.send(end, form, **{"without-preview": "yes"}).status_code == 303
    sent = [(one.topic, one.key.decode(), json.loads(one.value)) for one in records()[-2:]]
    base = {"shop_id": SHOP, "effective_from": FAR}
    assert sent == [
        (
            ROSTER,
            f"{SHOP}|kf-9",
            {**base, "agent_id": "kf-9", "role": "presale", "name": "小王", "group": "A"},
        ),
        (ROSTER, f"{SHOP}|kf-1", {**base, "agent_id": "kf-1", "role": "frozen", "name": "小李"}),
    ]


def test_an_agent_that_the_roster_has_is_not_added_but_changed(editors):
    manager = editors("manager")
    path = f"/rules/agent?shop={SHOP}"
    answer = manager.send(
        path, manager.open(path), do="check", agent_id="kf-1", role="frozen", effective_from=FAR
    )
    assert answer.status_code == 409
    assert "Others have changed this since you opened the form" in answer.text


def test_the_form_of_a_new_agent_says_nothing_of_the_first_settings(editors):
    page = editors("manager").browser.get(f"/rules/agent?shop={SHOP}")
    assert page.status_code == 200
    assert OF_CHANGES["first_record"].english not in page.text
    assert OF_CHANGES["first_record"].chinese not in page.text


def test_roster_refusals_are_at_their_fields(editors):
    manager = editors("manager")
    path = f"/rules/agent?shop={SHOP}"
    wrong = {"agent_id": "a|b", "role": "", "effective_from": "", "person_id": "x|y"}
    answer = manager.send(path, manager.open(path), do="check", **wrong)
    assert answer.status_code == 400
    assert set(re.findall('class="error" id="e-([^"]*)"', answer.text)) == {
        "agent_id",
        "role",
        "effective_from",
        "person_id",
    }


def test_a_record_that_workers_refused_holds_on_no_day(editors, shop):
    with shop.connection(autocommit=True) as connection:
        settings_row(connection, 5, {**FIRST, "effective_from": "2026-02-01", "credit_rule": "order"})
        connection.execute(
            "INSERT INTO dead_letter VALUES (0, 0, 0, 'bad_value', 'effective_from', 'shop-settings',"
            " 'too early', 'partition 0, offset 5', %s, NULL)",
            (SHOP,),
        )
    text = editors("manager").browser.get(f"/rules?shop={SHOP}&day=2026-03-01").text
    assert re.search("<code>credit_rule</code></td><td[^>]*>order_first: the placing agent, else", text)
    assert "refused, holds on no day:</strong> too early" in text
