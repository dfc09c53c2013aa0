"""Appeals on screen: opened on the order's page, answered by a reviewer whom they do not concern."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from contextlib import contextmanager
from typing import NamedTuple, NoReturn
from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient

from stream_attr.console.accounts import Accounts, Duty
from stream_attr.console.app import Settings, application
from stream_attr.console.roles import Role
from stream_attr.contract.topics import RULINGS
from stream_attr.kafka.embedded.server import free_port
from stream_attr.kafka.sender import PublishError
from stream_attr.kafka.writer import TopicWriter
from stream_attr.ledger.appeals.appeal import Appeal, of_order
from stream_attr.ledger.appeals.opening import withdraw
from stream_attr.ledger.database.connect import Connection
from tests.console.conftest import FROM_HERE, PASSWORD, add
from tests.ledger.pay.world import agent, order
from tests.ledger.reports.conftest import Traffic


class World(NamedTuple):
    """A judged shop in a ledger, in which ``held`` has an order and ``ben`` appeals."""

    connection: Connection
    client: Callable[[str], TestClient]
    shop: str
    order_id: str
    held: str
    own: str

    @property
    def where(self) -> str:
        return f"/order?{urlencode({'shop': self.shop, 'order': self.order_id})}"

    def appeals(self) -> list[Appeal]:
        return of_order(self.connection, self.shop, self.order_id)

    def opened(self, client: TestClient) -> Appeal:
        assert send(client, self.where, **self.written()).status_code == 303
        return self.appeals()[-1]

    def written(self, **more: str) -> dict[str, str]:
        return {"expected": self.own, "reason": "agreed", "comment": "我们约好的", **more}

    def page(self, one: Appeal) -> str:
        return f"/appeal?{urlencode({'shop': self.shop, 'appeal': one.appeal_id})}"


def send(client: TestClient, address: str, **fields: str):
    """Send a form as a browser does that has loaded the page."""
    token = re.search('name="csrf_token" value="(.*?)"', client.get("/appeals").text)
    assert token is not None
    return client.post(address, data={"csrf_token": token[1], **fields}, headers=FROM_HERE)


def text_of(answer) -> str:
    return " ".join(html.unescape(re.sub("<.*?>", " ", answer.text)).split())


@pytest.fixture
def world(traffic: Traffic, people):
    """Each test finds no appeal about its order: the one of the test before is withdrawn or answered."""
    shop = people.shops[0]
    credited = [
        one
        for one in traffic.decisions
        if one["shop_id"] == shop and one["outcome"] == "credited" and one["credit"]
    ]
    with people.database.connection(autocommit=True) as connection:
        used = {row[0] for row in connection.execute("SELECT order_id FROM appeal")}
        own = Accounts(connection).find("agent").duties[0].agent_id
        chosen = next(
            one for one in credited if one["order_id"] not in used and one["credit"]["agent_id"] != own
        )

        def client(login: str) -> TestClient:
            return people.logged_in(login)

        assert own is not None
        yield World(connection, client, shop, chosen["order_id"], chosen["credit"]["agent_id"], own)


def test_an_agent_appeals_from_the_orders_page(world):
    agent_ = world.client("agent")
    page = agent_.get(world.where)
    assert "Appeal against this decision" in page.text
    answer = send(agent_, world.where, **world.written())
    assert (answer.status_code, answer.headers["location"]) == (303, world.where)
    [one] = world.appeals()
    assert (one.agent_id, one.held_agent_id, one.expected_agent_id) == (world.own, world.held, world.own)
    assert (one.reason, one.comment, one.opened_by, one.state) == ("agreed", "我们约好的", "agent", "open")
    shown = text_of(agent_.get(world.where))
    assert "我们约好的" in shown
    assert "agreed among colleagues" in shown
    assert "has an open appeal about this order already" in shown
    assert "Send the appeal" not in shown
    log = world.connection.execute("SELECT login, action, about FROM audit ORDER BY number DESC LIMIT 5")
    assert ("agent", "open appeal", f"{world.order_id} {one.appeal_id}") in log.fetchall()
    again = send(agent_, world.where, **world.written())
    assert again.status_code == 409
    assert len(world.appeals()) == 1


def test_an_orders_page_that_is_open_shows_an_appeal_when_it_comes_and_when_it_is_answered(world):
    boss = world.client("admin")
    asks = html.unescape(re.findall('hx-get="(.*?)"', boss.get(world.where).text)[0])
    assert boss.get(asks).status_code == 204
    one = world.opened(world.client("agent"))
    new = boss.get(asks)
    assert new.status_code == 200
    assert "我们约好的" in new.text
    asks = html.unescape(re.findall('hx-get="(.*?)"', new.text)[0])
    assert boss.get(asks).status_code == 204
    withdraw(world.connection, world.shop, one.appeal_id, "agent")
    assert boss.get(asks).status_code == 200


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"comment": " "}, "say it in 1 to 1,000 characters"),
        ({"reason": ""}, "choose a reason from the list"),
        ({"reason": "because"}, "choose a reason from the list"),
        ({"expected": ""}, "choose who is to have the sale"),
        ({"expected": "bne"}, "can appeal against an order"),
        ({"expected": "*"}, "can appeal against an order"),
    ],
)
def test_what_cannot_be_sent_is_said_and_what_was_written_stays(world, changes, said):
    agent_ = world.client("agent")
    answer = send(agent_, world.where, **world.written(**changes))
    assert answer.status_code == 409
    assert said in text_of(answer)
    if "comment" not in changes:
        assert "我们约好的</textarea>" in answer.text
    assert world.appeals() == []


def test_what_is_said_is_in_the_readers_language(world):
    agent_ = world.client("agent")
    agent_.cookies.set("language", "zh")
    assert "请用 1 至 1,000 个字符说明" in text_of(send(agent_, world.where, **world.written(comment="")))
    assert "对此归属提出申诉" in agent_.get(world.where).text


def test_a_pending_decision_has_no_form_but_a_sentence(world):
    change = "UPDATE decision SET status = %s WHERE shop_id = %s AND order_id = %s AND profile = 'official'"
    world.connection.execute(change, ("pending", world.shop, world.order_id))
    try:
        agent_ = world.client("agent")
        assert "can still change by itself until" in text_of(agent_.get(world.where))
        assert "Send the appeal" not in agent_.get(world.where).text
        assert send(agent_, world.where, **world.written()).status_code == 409
    finally:
        world.connection.execute(change, ("final", world.shop, world.order_id))


def test_who_is_no_agent_has_no_form(world):
    for login in ("admin", "manager", "reviewer", "payroll", "auditor"):
        client = world.client(login)
        assert "Send the appeal" not in client.get(world.where).text
        assert send(client, world.where, **world.written()).status_code == 404


def test_an_agent_sees_own_appeals_alone(world):
    one = world.opened(world.client("agent"))
    add(world.connection, f"held {one.appeal_id}", Role.AGENT, Duty(world.shop, world.held))
    other = world.client(f"held {one.appeal_id}")
    assert other.get(world.page(one)).status_code == 404
    assert "我们约好的" not in other.get(world.where).text
    assert one.appeal_id not in other.get(f"/appeals?shop={world.shop}").text
    assert send(other, world.page(one)).status_code == 404
    assert "我们约好的" in world.client("manager").get(world.where).text


def test_a_reviewer_refuses_with_a_reason(world):
    agent_, reviewer = world.client("agent"), world.client("reviewer")
    one = world.opened(agent_)
    page = reviewer.get(world.page(one))
    assert "我们约好的" in page.text
    assert "The receipt supports this verdict and no other." in page.text
    assert "without --broker" in page.text
    for value in ("granted", "granted_in_part"):
        assert re.search(f'value="{value}"[^>]* disabled', page.text)
    assert not re.search('value="refused"[^>]* disabled', page.text)
    granted = send(reviewer, world.page(one), answer="granted", comment="x")
    assert granted.status_code == 409
    assert "can publish no ruling" in text_of(granted)
    assert send(reviewer, world.page(one), answer="refused", comment="").status_code == 409
    assert send(reviewer, world.page(one), answer="", comment="x").status_code == 409
    assert send(reviewer, world.page(one), answer="refused", comment="聊天是前一天的").status_code == 303
    shown = text_of(agent_.get(world.where))
    assert "refused, the decision is upheld" in shown
    assert "聊天是前一天的" in shown
    assert "can be appealed again" in shown, "instead of a form"
    assert send(reviewer, world.page(one), answer="refused", comment="again").status_code == 409
    assert "Send the answer" not in reviewer.get(world.page(one)).text


def test_only_reviewers_answer_and_only_the_agent_withdraws(world):
    agent_ = world.client("agent")
    one = world.opened(agent_)
    for login in ("admin", "manager", "payroll", "auditor"):
        client = world.client(login)
        page = client.get(world.page(one))
        assert page.status_code == 200
        assert "Send the answer" not in page.text
        assert send(client, world.page(one), answer="refused", comment="x").status_code == 404
    assert "Withdraw the appeal" not in world.client("reviewer").get(world.page(one)).text
    answer = send(agent_, world.page(one), answer="refused", comment="x")
    assert answer.status_code == 303
    [left] = world.appeals()
    assert (left.state, left.answer) == ("withdrawn", None)
    assert "withdrawn already" in text_of(send(agent_, world.page(one)))


@pytest.mark.parametrize("how", ["the person of who appeals", "the person of who has the sale"])
def test_a_reviewer_whom_it_concerns_is_refused_with_the_reason(world, how):
    one = world.opened(world.client("agent"))
    of = world.own if "appeals" in how else world.held
    person = f"p {one.appeal_id}"
    world.connection.execute(
        "INSERT INTO roster VALUES (%s, %s, 9, (SELECT count(*) FROM roster), '2026-01-01', 'presale',"
        " NULL, NULL, %s)",
        (world.shop, of, person),
    )
    login = f"reviewer {one.appeal_id}"
    add(world.connection, login, Role.REVIEWER, Duty(world.shop))
    reviewer = world.client(login)
    assert "Send the answer" in reviewer.get(world.page(one)).text
    Accounts(world.connection).set_person(login, person)
    page = reviewer.get(world.page(one))
    assert f"it concerns {of}" in text_of(page)
    assert "Send the answer" not in page.text
    answer = send(reviewer, world.page(one), answer="refused", comment="x")
    assert answer.status_code == 409
    assert [each.state for each in world.appeals()] == ["open"]
    world.connection.execute("DELETE FROM roster WHERE source_partition = 9")


def test_what_came_of_a_ruling_is_told(world):
    agent_ = world.client("agent")
    one = world.opened(agent_)
    event_id = f"appeal-{one.appeal_id}"
    ruling = {
        "event_id": event_id,
        "shop_id": world.shop,
        "order_id": world.order_id,
        "ts": 1,
        "agent_id": world.own,
    }
    world.connection.execute(
        "UPDATE appeal SET answer = 'granted', answer_comment = '', answered_by = 'li', ruling = %s"
        " WHERE appeal_id = %s",
        (json.dumps(ruling), one.appeal_id),
    )
    assert "its ruling is being sent" in text_of(agent_.get(world.where))
    assert "its ruling is on its way" not in text_of(agent_.get(world.page(one)))
    assert "cannot be withdrawn any more" in text_of(send(agent_, world.page(one)))
    world.connection.execute(
        "UPDATE appeal SET state = 'answered', ended_ts = 2 WHERE appeal_id = %s", (one.appeal_id,)
    )
    assert "The decision has not come back yet." in text_of(agent_.get(world.where))
    letter = ("too_late", RULINGS, "the order is not kept any more", "here", world.shop, world.order_id)
    world.connection.execute(
        "INSERT INTO dead_letter (source_partition, source_offset, known_ts, code, topic, message, place,"
        " shop_id, order_id) VALUES (7, 1, 5, %s, %s, %s, %s, %s, %s)",
        letter,
    )
    said = text_of(agent_.get(world.where))
    assert "could not use the ruling, and the decision stays: too_late: the order is not kept" in said
    world.connection.execute("DELETE FROM dead_letter WHERE source_partition = 7")
    record = {"event_id": event_id, "agent_id": world.own, "ruled_by": "li", "ts": 1}
    change = (
        "UPDATE decision_revision SET record ="
        " (record::jsonb || jsonb_build_object('ruling', %s::jsonb))::json"
        " WHERE shop_id = %s AND order_id = %s AND revision = %s AND profile = 'official'"
    )
    where = (world.shop, world.order_id, one.revision)
    world.connection.execute(change, (json.dumps(record), *where))
    page = agent_.get(world.where).text
    assert f'href="#revision-{one.revision}"' in page
    assert f'id="revision-{one.revision}"' in page
    world.connection.execute(change, ("null", *where))


def test_the_queue_is_sorted_filtered_and_in_pages(world, monkeypatch):
    from stream_attr.console.screens import appeals  # noqa: PLC0415

    monkeypatch.setattr(appeals, "PER_PAGE", 1)
    world.opened(world.client("agent"))
    reviewer = world.client("reviewer")
    wanted = world.connection.execute(
        "SELECT appeal_id, amount, opened_ts FROM appeal JOIN decision USING (shop_id, order_id)"
        " WHERE profile = 'official' AND state = 'open' AND shop_id = %s",
        (world.shop,),
    ).fetchall()
    assert len(wanted) >= 2

    def queue(**query: str) -> list[str]:
        found, number = [], 1
        while True:
            address = f"/appeals?{urlencode({'shop': world.shop, 'page': str(number), **query})}"
            text = reviewer.get(address).text
            found += re.findall(r"/appeal\?shop=[^\"]*?appeal=([0-9a-f]+)", html.unescape(text))
            if 'rel="next"' not in text:
                return found
            number += 1

    assert queue() == [one[0] for one in sorted(wanted, key=lambda one: (one[2], one[0]))]
    assert queue(sort="amount") == [
        one[0] for one in sorted(wanted, key=lambda one: (-one[1], one[2], one[0]))
    ]
    assert not set(queue(state="withdrawn")) & {one[0] for one in wanted}
    assert reviewer.get(f"/appeals?shop={world.shop}&state=x").status_code == 400
    assert reviewer.get(f"/appeals?shop={world.shop}&page=0").status_code == 400


class Unacknowledged(TopicWriter):
    """The broker takes a record and does not say so."""

    @contextmanager
    def opened(self, topic):
        def write(_key: str, _value: bytes) -> NoReturn:
            raise PublishError(f"no acknowledgement of {topic}")

        yield write


@pytest.mark.parametrize(
    ("kind", "said", "answer"),
    [
        (TopicWriter, "nothing was changed, for the ruling could not be published", None),
        (Unacknowledged, "the answer stands, and its ruling is sent again", "granted"),
    ],
)
def test_a_ruling_that_is_not_published_is_told(world, people, kind, said, answer):
    one = world.opened(world.client("agent"))
    writer = kind(f"127.0.0.1:{free_port()}")
    with people.database.pool(autocommit=True) as pool:
        app = application(pool, Settings(secure=False, writer=writer))
        reviewer = TestClient(app, base_url="http://127.0.0.1", follow_redirects=False)
        form = {"login": "reviewer", "password": PASSWORD}
        reviewer.post("/login", data=form, headers=FROM_HERE)
        page = send(reviewer, world.page(one), answer="granted")
        assert page.status_code == 409
        assert said in text_of(page)
    [left] = world.appeals()
    assert (left.state, left.answer) == ("open", answer)


def test_an_empty_queue_says_so(ledger, console):
    with ledger.connection(autocommit=True) as connection:
        agent(connection, "anna", "p-1")
        order(connection, "o-1", "anna", 10_000)
        add(connection, "li", Role.ADMIN)
    client = console()
    client.post("/login", data={"login": "li", "password": PASSWORD}, headers=FROM_HERE)
    assert "There is no such appeal." in client.get("/appeals").text
