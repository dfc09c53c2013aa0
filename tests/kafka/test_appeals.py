"""A granted appeal is one ruling, wherever it breaks off; and ``stream-attr rule`` and ``appeal``."""

from __future__ import annotations

import asyncio
import json
from contextlib import contextmanager

import pytest
from click.testing import CliRunner

from stream_attr.cli import main
from stream_attr.console.unpublished import publishing
from stream_attr.contract.topics import DECISIONS, RULINGS
from stream_attr.kafka.admin import create_topics
from stream_attr.kafka.connection import BrokerUnreachable
from stream_attr.kafka.embedded.server import free_port
from stream_attr.kafka.writer import TopicWriter
from stream_attr.ledger.acting import Acting
from stream_attr.ledger.appeals.answering import Grant, grant, publish_again
from stream_attr.ledger.appeals.appeal import found
from stream_attr.ledger.appeals.opening import Asked, open_appeal
from stream_attr.ledger.appeals.words import AppealError, Reason
from stream_attr.testing import Driver
from tests.kafka.conftest import any_broker
from tests.kafka.worker_process import messages, until
from tests.ledger.conftest import ledger, ledger_template, postgres
from tests.ledger.pay.world import agent, order
from tests.ledger.reports.handmade import SHOP, start_of

__all__ = ["ledger", "ledger_template", "postgres"]

pytestmark = any_broker
LI = Acting("li", is_account=True)
PAID = start_of("2026-11-05") + 3_600_000


class CutOff(Exception):  # noqa: N818
    """The process ends here."""


class Cut(TopicWriter):
    """A writer whose process ends before the record is sent, or right after it was acknowledged."""

    after = False

    @contextmanager
    def opened(self, topic):
        with super().opened(topic) as write:

            def write_and_end(key: str, value: bytes) -> None:
                if self.after:
                    write(key, value)
                raise CutOff

            yield write_and_end


class CutAfter(Cut):
    after = True


@pytest.fixture
def topics(broker, topic_prefix):
    create_topics(broker.bootstrap, partitions=3, prefix=topic_prefix)
    return TopicWriter(broker.bootstrap, prefix=topic_prefix)


@pytest.fixture
def world(ledger):
    """Anna has o-1, and ben appeals: it is to be ben's."""
    with ledger.connection(autocommit=True) as connection:
        for name in ("anna", "ben", "cleo"):
            agent(connection, name, f"p-{name}")
        order(connection, "o-1", "anna", 10_000)
        yield connection


@pytest.fixture
def appeal(world):
    return open_appeal(world, Asked(SHOP, "o-1", Reason.AGREED, "we agreed", "ben"), ["ben"], "wang")


def rulings(topics) -> list[dict]:
    return [json.loads(one.value()) for one in messages(topics.bootstrap, topics.prefix + RULINGS)]


def actions(connection) -> list[str]:
    return [one for (one,) in connection.execute("SELECT action FROM audit ORDER BY number")]


def test_a_grant_is_a_ruling_and_then_an_answer(world, appeal, topics):
    done = grant(world, topics, SHOP, appeal.appeal_id, Grant("I heard the call"), LI)
    assert (done.state, done.answer, done.answered_by) == ("answered", "granted", "li")
    [message] = messages(topics.bootstrap, topics.prefix + RULINGS)
    assert message.key().decode() == f"{SHOP}|b"
    record = json.loads(message.value())
    assert record == done.ruling
    assert record == {
        "event_id": f"appeal-{appeal.appeal_id}", "shop_id": SHOP, "buyer_id": "b", "order_id": "o-1",
        "ts": record["ts"], "type": "credit", "ruled_by": "li", "agent_id": "ben",
    }  # fmt: skip
    assert actions(world) == ["open appeal", "grant appeal", "publish ruling"]
    with pytest.raises(AppealError, match="answered already"):
        grant(world, topics, SHOP, appeal.appeal_id, Grant(""), LI)
    assert publish_again(world, topics) == 0
    assert len(rulings(topics)) == 1


@pytest.mark.parametrize(("to", "rest"), [("cleo", "cleo"), (None, None)])
def test_in_part_it_is_anothers_or_nobodys_and_needs_a_reason(world, appeal, topics, to, rest):
    with pytest.raises(AppealError, match="1 to 1,000"):
        grant(world, topics, SHOP, appeal.appeal_id, Grant("", to, in_part=True), LI)
    done = grant(world, topics, SHOP, appeal.appeal_id, Grant("cleo did it", to, in_part=True), LI)
    assert done.answer == "granted_in_part"
    assert [one["agent_id"] for one in rulings(topics)] == [rest]


@pytest.mark.parametrize(
    ("how", "who", "said"),
    [
        (Grant("x", "anna", in_part=True), LI, "anna has the sale of this order by now"),
        (Grant("x", "ben", in_part=True), LI, "ben is whom the appeal expects"),
        (Grant("x", "dora", in_part=True), LI, "neither the roster nor a chat names one"),
        (Grant("x", "cleo", in_part=True), LI._replace(persons=frozenset({"p-cleo"})), "it concerns cleo"),
        (Grant("x"), LI._replace(persons=frozenset({"p-anna"})), "it concerns anna"),
        (Grant("x"), Acting("Wang", is_account=True), "another person has to answer it"),
    ],
)
def test_what_changes_nothing_or_concerns_who_grants_is_refused(world, appeal, topics, how, who, said):
    with pytest.raises(AppealError, match=said):
        grant(world, topics, SHOP, appeal.appeal_id, how, who)
    assert rulings(topics) == []
    assert found(world, SHOP, appeal.appeal_id) == appeal


@pytest.mark.usefixtures("broker")
def test_without_a_broker_nothing_changes(world, appeal):
    away = TopicWriter(f"127.0.0.1:{free_port()}")
    with pytest.raises(BrokerUnreachable):
        grant(world, away, SHOP, appeal.appeal_id, Grant(""), LI)
    assert found(world, SHOP, appeal.appeal_id) == appeal
    assert actions(world) == ["open appeal"]


@pytest.mark.parametrize(("kind", "sent"), [(Cut, 0), (CutAfter, 1)])
def test_what_was_cut_off_is_ended_once_by_the_same_ruling(world, appeal, topics, kind, sent):
    with pytest.raises(CutOff):
        grant(world, kind(*topics), SHOP, appeal.appeal_id, Grant("yes"), LI)
    left = found(world, SHOP, appeal.appeal_id)
    assert left.is_being_published
    assert len(rulings(topics)) == sent
    with pytest.raises(AppealError, match="li has granted this appeal"):
        grant(world, topics, SHOP, appeal.appeal_id, Grant("x", "cleo", in_part=True), Acting("zhao"))
    assert publish_again(world, topics) == 0, "it may be under way"
    assert publish_again(world, topics, ("jd:2", appeal.appeal_id)) == 0
    assert publish_again(world, topics, (SHOP, appeal.appeal_id)) == 1
    assert publish_again(world, topics, (SHOP, appeal.appeal_id)) == 0
    assert rulings(topics) == [left.ruling] * (sent + 1)
    assert found(world, SHOP, appeal.appeal_id).state == "answered"
    assert actions(world) == ["open appeal", "grant appeal", "publish ruling"]
    assert [one["basis"] for one in credits_with(rulings(topics))] == ["payment", "ruling"]


def credits_with(records: list[dict]) -> list[dict]:
    """The credit by each revision of the order, once a worker has read these rulings."""
    driver = Driver(settings=[{"shop_id": SHOP, "effective_from": "2026-01-01"}])
    event = {"shop_id": SHOP, "buyer_id": "b"}
    chat = {**event, "agent_id": "anna"}
    at = PAID - 600_000
    for number, sender in enumerate(("buyer", "agent")):
        driver.send(
            "chat-events",
            {**chat, "event_id": f"c{number}", "ts": at + number, "sender": sender, "text": "在"},
        )
    bought = {**event, "order_id": "o-1", "amount": 10_000}
    driver.send("order-events", {**bought, "event_id": "e1", "type": "created", "ts": PAID - 1_000})
    driver.send("order-events", {**bought, "event_id": "e2", "type": "paid", "ts": PAID})
    for record in records:
        driver.send(RULINGS, record)
    driver.finish()
    decisions = [one.value for one in driver.emitted if one.topic == DECISIONS]
    found_credits = [one["credit"] for one in decisions if one["credit"] and one["outcome"] == "credited"]
    return [one for number, one in enumerate(found_credits) if not number or one != found_credits[number - 1]]


def aged(connection, ruling: dict) -> None:
    """Half a minute passes: past the trigger, as an administrator could."""
    connection.execute("SET session_replication_role = replica")
    connection.execute(
        "UPDATE appeal SET ruling = (ruling::jsonb || jsonb_build_object('ts', %s))::json",
        (ruling["ts"] - 30_001,),
    )
    connection.execute("SET session_replication_role = origin")


def test_what_was_left_long_ago_is_published_by_itself(world, appeal, topics):
    with pytest.raises(CutOff):
        grant(world, Cut(*topics), SHOP, appeal.appeal_id, Grant("yes"), LI)
    left = found(world, SHOP, appeal.appeal_id).ruling
    assert left is not None
    aged(world, left)
    assert publish_again(world, topics) == 1
    assert [one["event_id"] for one in rulings(topics)] == [left["event_id"]]


async def test_a_console_publishes_what_was_left_when_it_starts(world, appeal, topics, ledger):
    with pytest.raises(CutOff):
        grant(world, Cut(*topics), SHOP, appeal.appeal_id, Grant("yes"), LI)
    left = found(world, SHOP, appeal.appeal_id).ruling
    assert left is not None
    aged(world, left)
    with ledger.pool(autocommit=True) as pool:
        async with publishing(pool, topics):
            await asyncio.to_thread(until, lambda: found(world, SHOP, appeal.appeal_id).state == "answered")
    assert [one["event_id"] for one in rulings(topics)] == [left["event_id"]]


def test_a_ruling_is_later_than_all_that_are_known(world, appeal, topics):
    later = 4_000_000_000_000
    world.execute(
        "INSERT INTO ruling VALUES (%s, 'r-1', 'b', 'o-1', %s, 'withdrawn', NULL, 'x', 0, 0)", (SHOP, later)
    )
    grant(world, topics, SHOP, appeal.appeal_id, Grant(""), LI)
    assert [one["ts"] for one in rulings(topics)] == [later + 1]


# On the command line


@pytest.fixture
def run(ledger, topics):
    def run(*arguments: str, code: int = 0) -> str:
        where = ["--database", ledger.address]
        if arguments[0] == "rule" or arguments[1] == "answer":
            where += ["--broker", topics.bootstrap, "--topic-prefix", topics.prefix]
        result = CliRunner().invoke(main, [*arguments, *where])
        assert result.exit_code == code, result.output
        return " ".join((result.stdout + result.stderr).split())

    return run


OPENED = ("--agent", "ben", "--expect", "ben", "--reason", "agreed", "--comment", "we agreed", "--by", "wang")


@pytest.mark.usefixtures("world")
def test_an_appeal_from_opening_to_the_ruling(run, topics):
    name = run("appeal", "open", SHOP, "o-1", *OPENED).split()[2]
    assert "has an open appeal" in run("appeal", "open", SHOP, "o-1", *OPENED, code=2)
    assert "there is no agent 'bne'" in run(
        "appeal", "open", SHOP, "o-1", *OPENED[2:], "--agent", "bne", code=2
    )
    rows = json.loads(run("appeal", "list", SHOP, "--format", "json"))["rows"]
    assert [(one["appeal"], one["held"], one["expected"], one["amount"]) for one in rows] == [
        (name, "anna", "ben", 10_000)
    ]
    assert "another person" in run("appeal", "answer", SHOP, name, "--grant", "--by", "wang", code=2)
    assert "it concerns ben" in run("appeal", "answer", SHOP, name, "--grant", "--by", "p-ben", code=2)
    assert "name one" in run("appeal", "answer", SHOP, name, "--grant", "--refuse", "--by", "li", code=2)
    said = run("appeal", "answer", SHOP, name, "--grant", "--by", "li")
    assert said == f"answered appeal {name}: granted; ruling appeal-{name} gives the sale to ben"
    assert json.loads(run("appeal", "list", SHOP, "--format", "json"))["rows"] == []
    assert "there is no shop 'jd:9'" in run("appeal", "list", "jd:9", code=2)
    [row] = json.loads(run("appeal", "list", SHOP, "--state", "answered", "--format", "json"))["rows"]
    assert (row["answer"], row["answered_by"]) == ("granted", "li")
    assert [one["event_id"] for one in rulings(topics)] == [f"appeal-{name}"]


def test_an_answer_that_was_broken_off_is_ended_by_giving_it_again(world, appeal, run, topics):
    with pytest.raises(CutOff):
        grant(world, CutAfter(*topics), SHOP, appeal.appeal_id, Grant("yes"), LI)
    said = run(
        "appeal", "answer", SHOP, appeal.appeal_id, "--credit", "cleo", "--comment", "x", "--by", "zhao"
    )
    assert "it had been granted by li, and the ruling is published now" in said
    assert {one["agent_id"] for one in rulings(topics)} == {"ben"}


def test_refusing_and_withdrawing(world, appeal, run):
    assert "withdrew" in run("appeal", "withdraw", SHOP, appeal.appeal_id, "--by", "wang")
    assert "withdrawn already" in run(
        "appeal", "answer", SHOP, appeal.appeal_id, "--refuse", "--comment", "no", "--by", "li", code=2
    )
    name = run("appeal", "open", SHOP, "o-1", *OPENED).split()[2]
    said = run("appeal", "answer", SHOP, name, "--refuse", "--comment", "no", "--by", "li")
    assert said.endswith("refused, the decision is upheld")
    assert actions(world)[-1] == "refuse appeal"


def test_ruling_on_an_order(world, run, topics):
    assert "order o-1 of jd:1 to ben" in run("rule", SHOP, "o-1", "--credit", "ben", "--by", "li")
    assert "to nobody" in run("rule", SHOP, "o-1", "--credit", "nobody", "--by", "li")
    said = run("rule", SHOP, "o-1", "--withdraw", "--by", "li")
    assert "knows of no ruling on order o-1 that holds" in said, "none has come into the ledger"
    assert "to the rules again" in said
    found_rulings = [(one["type"], one.get("agent_id"), one["ruled_by"]) for one in rulings(topics)]
    assert found_rulings == [("credit", "ben", "li"), ("credit", None, "li"), ("withdrawn", None, "li")]
    assert len({one["event_id"] for one in rulings(topics)}) == 3
    assert actions(world) == ["rule"] * 3
    assert "it concerns anna" in run("rule", SHOP, "o-1", "--credit", "ben", "--by", "Anna", code=2)
    assert "there is no agent 'bne'" in run("rule", SHOP, "o-1", "--credit", "bne", "--by", "li", code=2)
    assert "no decision on order o-9" in run("rule", SHOP, "o-9", "--credit", "ben", "--by", "li", code=2)
    assert "name one" in run("rule", SHOP, "o-1", "--by", "li", code=2)
    assert len(rulings(topics)) == 3
    run("rule", SHOP, "o-9", "--credit", "ben", "--by", "li", "--buyer", "b-9")
    assert [one["buyer_id"] for one in rulings(topics) if one["order_id"] == "o-9"] == ["b-9"]


def test_ruling_on_an_order_that_is_not_paid_says_so(world, run):
    order(world, "o-2", None, 500, outcome="awaiting_payment", status="pending", paid_ts=None)
    assert "gives no credit while it is" in run("rule", SHOP, "o-2", "--credit", "ben", "--by", "li")
