"""Who can appeal against which decision, how often, and who may not answer."""

from __future__ import annotations

import psycopg
import pytest

from stream_attr.console.accounts import Accounts, Duty
from stream_attr.console.roles import Role
from stream_attr.ledger.acting import Acting, acting
from stream_attr.ledger.appeals.answering import refuse
from stream_attr.ledger.appeals.appeal import of_order, pages
from stream_attr.ledger.appeals.opening import Asked, open_appeal, withdraw
from stream_attr.ledger.appeals.words import LONGEST, AppealError, Reason
from stream_attr.ledger.database.connect import Connection
from tests.ledger.pay.world import agent, order
from tests.ledger.reports.handmade import SHOP

LI = Acting("li")


@pytest.fixture
def world(ledger):
    """Anna (p-1) has o-1, nobody has o-2, ben (p-2) has o-3; cleo is anna's other account."""
    with ledger.connection(autocommit=True) as connection:
        agent(connection, "anna", "p-1")
        agent(connection, "ben", "p-2")
        agent(connection, "cleo", "p-1")
        order(connection, "o-1", "anna", 10_000)
        order(connection, "o-2", None, 30_000)
        order(connection, "o-3", "ben", 20_000)
        yield connection


def asked(
    order_id: str, expected: str | None, comment: str = "I answered  the buyer\nby phone", **more
) -> Asked:
    return Asked(SHOP, order_id, Reason.OUTSIDE_CHAT, comment, expected)._replace(**more)


def opened(connection: Connection, order_id: str, expected: str | None, own: str, by: str | None = None):
    return open_appeal(connection, asked(order_id, expected), [own], by or own)


def refused(connection: Connection, order_id: str, expected: str | None, own: str, **more) -> str:
    with pytest.raises(AppealError) as error:
        open_appeal(connection, asked(order_id, expected, **more), [own], own)
    assert error.value.text.chinese != error.value.text.english
    return str(error.value)


def audit_of(connection: Connection) -> list[tuple]:
    return connection.execute("SELECT login, action, shop_id, about FROM audit ORDER BY number").fetchall()


def test_what_was_asked_is_kept_with_what_it_is_about_and_in_the_audit(world):
    one = opened(world, "o-1", "ben", "ben", "wang")
    assert (one.agent_id, one.held_agent_id, one.expected_agent_id) == ("ben", "anna", "ben")
    assert (one.revision, one.state, one.answer, one.opened_by) == (1, "open", None, "wang")
    assert one.comment == "I answered the buyer by phone"
    assert audit_of(world) == [("wang", "open appeal", SHOP, f"o-1 {one.appeal_id}")]


@pytest.mark.parametrize(
    ("order_id", "expected", "own", "appellant"),
    [
        ("o-3", "anna", "anna", "anna"),  # another's order that one expects to hold
        ("o-2", "anna", "anna", "anna"),  # nobody's
        ("o-1", "ben", "anna", "anna"),  # one's own, which is a colleague's
        ("o-1", None, "anna", "anna"),  # one's own, which is nobody's
    ],
)
def test_who_has_the_sale_or_is_to_have_it_can_appeal(world, order_id, expected, own, appellant):
    assert opened(world, order_id, expected, own).agent_id == appellant


def test_others_cannot(world):
    assert "ben can appeal against an order that ben has" in refused(world, "o-1", None, "ben")
    assert "this one is of nobody, and anna is to have it" in refused(world, "o-2", "anna", "ben")


def test_what_changes_nothing_is_no_appeal(world):
    assert refused(world, "o-1", "anna", "anna").startswith("anna has the sale already")
    assert refused(world, "o-2", None, "anna").startswith("nobody has the sale already")


def test_a_pending_decision_is_waited_for(world):
    order(world, "o-4", "anna", 5_000, status="pending")
    said = refused(world, "o-4", "ben", "ben")
    assert "can still change by itself until 2026-12-20 00:00:00" in said


@pytest.mark.parametrize(("outcome", "shown"), [("unpaid", "unpaid"), ("excluded", "excluded")])
def test_an_order_without_a_sale_has_nothing_to_be_given(world, outcome, shown):
    order(world, "o-4", None, 5_000, outcome=outcome)
    assert refused(world, "o-4", "ben", "ben").startswith(f"the order is {shown}")


def test_an_order_that_is_not_there_is_named(world):
    assert refused(world, "o-9", "ben", "ben") == f"there is no decision on order o-9 in shop {SHOP}"


def test_an_agent_of_whom_nobody_knows_is_refused(world):
    assert "neither the roster nor a chat names one" in refused(world, "o-1", "bne", "anna")


def test_what_is_said_is_a_sentence(world):
    assert "1 to 1,000 characters; these are 0" in refused(world, "o-1", "ben", "ben", comment=" \n ")
    assert "these are 1,001" in refused(world, "o-1", "ben", "ben", comment="x" * (LONGEST + 1))
    open_appeal(world, asked("o-1", "ben", "好" * LONGEST), ["ben"], "ben")


def test_one_appeal_of_an_agent_is_open_at_a_time(world):
    one = opened(world, "o-1", "ben", "ben")
    assert "ben has an open appeal about this order already" in refused(world, "o-1", "ben", "ben")
    other = opened(world, "o-1", None, "anna")  # another's is another one
    assert [each.appeal_id for each in of_order(world, SHOP, "o-1")] == [one.appeal_id, other.appeal_id]
    assert [each.appeal_id for each in of_order(world, SHOP, "o-1", ["ben"])] == [one.appeal_id]
    withdraw(world, SHOP, one.appeal_id, "ben")
    assert opened(world, "o-1", "ben", "ben").state == "open"


def test_an_answered_one_can_be_repeated_when_the_decision_has_changed(world):
    one = opened(world, "o-1", "ben", "ben")
    refuse(world, SHOP, one.appeal_id, "the chat was the day before", LI)
    assert "it was refused, the decision is upheld" in refused(world, "o-1", "ben", "ben")
    order(world, "o-1", "anna", 9_000, revision=2)
    assert opened(world, "o-1", "ben", "ben").revision == 2


def test_two_requests_at_once_open_one(ledger, world):
    with ledger.connection(autocommit=True) as other:
        with other.transaction():
            opened(other, "o-1", "ben", "ben")
            world.execute("SET lock_timeout = '200ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):  # it would wait for the other's index entry
                opened(world, "o-1", "ben", "ben")
        assert "ben has an open appeal" in refused(world, "o-1", "ben", "ben")


def test_a_withdrawn_one_ends(world):
    one = opened(world, "o-1", "ben", "ben", "wang")
    assert withdraw(world, SHOP, one.appeal_id, "wang").state == "withdrawn"
    assert audit_of(world)[-1] == ("wang", "withdraw appeal", SHOP, f"o-1 {one.appeal_id}")
    with pytest.raises(AppealError, match="this appeal is withdrawn already"):
        withdraw(world, SHOP, one.appeal_id, "wang")
    with pytest.raises(AppealError, match="this appeal is withdrawn already"):
        refuse(world, SHOP, one.appeal_id, "no", LI)
    with pytest.raises(AppealError, match="there is no appeal none"):
        withdraw(world, SHOP, "none", "wang")


def test_the_queue_is_by_age_or_by_amount(world):
    names = [opened(world, *one).order_id for one in (("o-1", "ben", "ben"), ("o-3", "anna", "anna"))]
    opened(world, "o-2", "cleo", "cleo")

    def queue(**more):
        options = {"agents": None, "states": ["open"], "by_amount": False, "limit": 10, **more}
        return [(one.order_id, now.amount) for one, now in pages(world, SHOP, **options)]

    assert names == ["o-1", "o-3"]
    assert queue() == [("o-1", 10_000), ("o-3", 20_000), ("o-2", 30_000)]
    assert queue(by_amount=True) == [("o-2", 30_000), ("o-3", 20_000), ("o-1", 10_000)]
    assert queue(by_amount=True, limit=1, offset=1) == [("o-3", 20_000)]
    assert queue(agents=["ben", "anna"]) == [("o-1", 10_000), ("o-3", 20_000)]
    assert queue(states=["answered"]) == []


def test_a_refusal_needs_a_reason_and_is_kept(world):
    one = opened(world, "o-1", "ben", "ben")
    with pytest.raises(AppealError, match="1 to 1,000"):
        refuse(world, SHOP, one.appeal_id, "", LI)
    done = refuse(world, SHOP, one.appeal_id, "the chat was the day before", LI)
    assert (done.state, done.answer, done.answered_by) == ("answered", "refused", "li")
    assert done.answer_comment == "the chat was the day before"
    assert done.ruling is None
    assert audit_of(world)[-1] == ("li", "refuse appeal", SHOP, f"o-1 {one.appeal_id}")


def test_two_reviewers_at_once_answer_one_after_the_other(ledger, world):
    one = opened(world, "o-1", "ben", "ben")
    with ledger.connection(autocommit=True) as other:
        with other.transaction():
            refuse(other, SHOP, one.appeal_id, "no", LI)
            world.execute("SET lock_timeout = '200ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                refuse(world, SHOP, one.appeal_id, "no", Acting("zhao"))
        with pytest.raises(AppealError, match="answered already"):
            refuse(world, SHOP, one.appeal_id, "no", Acting("zhao"))


# Nobody answers an appeal about oneself: o-1 is anna's, and ben appeals


@pytest.mark.parametrize(
    ("who", "said"),
    [
        (Acting("WANG"), "has opened this appeal"),
        (Acting("x", frozenset({(SHOP, "ben")}), is_account=True), "it concerns ben"),
        (Acting("x", frozenset({(SHOP, "anna")}), is_account=True), "it concerns anna"),
        (Acting("x", persons=frozenset({"p-2"}), is_account=True), "it concerns ben"),
        (Acting("x", persons=frozenset({"p-1"}), is_account=True), "it concerns anna"),
        (Acting("Ben"), "it concerns ben"),
        (Acting("p-1"), "it concerns anna"),
    ],
)
def test_nobody_answers_an_appeal_about_oneself(world, who, said):
    one = opened(world, "o-1", "ben", "ben", "wang")
    with pytest.raises(AppealError, match=said):
        refuse(world, SHOP, one.appeal_id, "no", who)
    assert [each.state for each in of_order(world, SHOP, "o-1")] == ["open"]
    assert audit_of(world)[-1][1] == "open appeal"


def test_who_has_another_shops_agent_of_the_same_id_is_another(world):
    one = opened(world, "o-1", "ben", "ben", "wang")
    who = Acting("x", frozenset({("jd:2", "ben")}), frozenset({"p-9"}), is_account=True)
    assert refuse(world, SHOP, one.appeal_id, "no", who).answered_by == "x"


def test_who_has_the_sale_by_now_does_not_answer_either(world):
    one = opened(world, "o-1", "ben", "ben", "wang")
    order(world, "o-1", "dora", 10_000, revision=2)
    with pytest.raises(AppealError, match="it concerns dora"):
        refuse(world, SHOP, one.appeal_id, "no", Acting("dora"))


def test_an_account_is_its_agents_and_their_persons_of_any_shop_and_day(world):
    accounts = Accounts(world)
    accounts.add("wang", "Wang", Role.AGENT, [Duty(SHOP, "ben")])
    accounts.add("li", "Li", Role.REVIEWER, [Duty(SHOP)], "p-7")
    agent(world, "ben", "p-5", first="2026-06-01")
    assert acting(world, "wang", is_account=True) == Acting(
        "wang", frozenset({(SHOP, "ben")}), frozenset({"p-2", "p-5"}), is_account=True
    )
    assert acting(world, "li", is_account=True) == Acting(
        "li", frozenset(), frozenset({"p-7"}), is_account=True
    )
    accounts.set_person("li", "p-1")
    accounts.add("LI", "Another", Role.REVIEWER, [Duty(SHOP)], "p-8")
    assert acting(world, "li", is_account=True).persons == {"p-1"}
    assert acting(world, "Li", is_account=False).persons == {"p-1", "p-8"}
    assert acting(world, "zhao", is_account=False) == Acting("zhao")


# The database holds to it by itself


def test_what_was_asked_and_answered_never_changes(world):
    one = opened(world, "o-1", "ben", "ben", "wang")
    for change in ("comment = 'x'", "expected_agent_id = NULL", "agent_id = 'anna'", "revision = 2"):
        with pytest.raises(psycopg.errors.RestrictViolation):
            world.execute(f"UPDATE appeal SET {change}")
    with pytest.raises(psycopg.errors.RestrictViolation):
        world.execute("DELETE FROM appeal")
    answered = "state = 'answered', ended_ts = 1, answer = 'refused', answer_comment = 'x'"
    with pytest.raises(psycopg.errors.CheckViolation, match="appeal_four_eyes"):
        world.execute(f"UPDATE appeal SET {answered}, answered_by = 'Wang'")
    with pytest.raises(psycopg.errors.CheckViolation):
        world.execute("UPDATE appeal SET state = 'answered', ended_ts = 1")
    refuse(world, SHOP, one.appeal_id, "no", LI)
    for change in ("answer_comment = 'x'", "state = 'open', ended_ts = NULL", "answered_by = 'x'"):
        with pytest.raises(psycopg.errors.RestrictViolation):
            world.execute(f"UPDATE appeal SET {change}")


def test_an_answer_whose_ruling_may_be_on_its_way_stays(world):
    opened(world, "o-1", "ben", "ben", "wang")
    world.execute(
        "UPDATE appeal SET answer = 'granted', answer_comment = '', answered_by = 'li', ruling = '{\"a\": 1}'"
    )
    for change in ("ruling = '{\"a\": 2}'", "answer = 'granted_in_part'", "answered_by = 'zhao'"):
        with pytest.raises(psycopg.errors.RestrictViolation):
            world.execute(f"UPDATE appeal SET {change}")
    [one] = of_order(world, SHOP, "o-1")
    assert one.is_being_published
    with pytest.raises(AppealError, match="li has granted this appeal"):
        refuse(world, SHOP, one.appeal_id, "no", Acting("zhao"))
    with pytest.raises(AppealError, match="cannot be withdrawn any more"):
        withdraw(world, SHOP, one.appeal_id, "wang")
