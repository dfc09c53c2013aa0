"""One buyer's facts: what is forgotten when, what outlives it, and that in the end nothing is left."""

from __future__ import annotations

import pytest

from stream_attr.rules.buyer.buyer import Buyer
from stream_attr.rules.buyer.retention import FORGET_EVERY_MS, Retention, expire, orders_kept_ms
from stream_attr.rules.buyer.timers import reschedule
from stream_attr.rules.buyer.verdicts import judgements, revise
from stream_attr.rules.chat.message import AGENT, BUYER, Message
from stream_attr.rules.order.facts import Exclusion, Placed, Refund, Waiting
from stream_attr.rules.order.order import Order
from stream_attr.rules.shop.day_rules import SettingsRecord
from stream_attr.rules.shop.days import DAY_MS, HOUR_MS, MINUTE_MS, zone
from stream_attr.rules.shop.settings import Settings
from stream_attr.rules.shop.shop import Shop
from stream_attr.rules.vocabulary import ProductPriority

SHANGHAI = zone("Asia/Shanghai")
DAY = 20_000
NOON = SHANGHAI.start_of(DAY) + 12 * HOUR_MS
MIDNIGHT = NOON + 12 * HOUR_MS
RETENTION = Retention()


@pytest.fixture
def buyer():
    return Buyer(Shop("jd:1"), "b-1")


def message(ts, event_id, side=AGENT):
    return Message(ts, side, event_id, 0, 1, None)


def add_message(buyer, ts, event_id, agent_id="A", side=AGENT):
    touched: list[Order] = []
    new = buyer.add_message(agent_id, message(ts, event_id, side), touched=touched)
    return new, [order.order_id for order in touched]


def serve(buyer, ts, name):
    """Let the buyer ask and agent A answer in the same millisecond."""
    add_message(buyer, ts, f"{name}?", side=BUYER)
    add_message(buyer, ts, f"{name}!")


def created(buyer, ts=NOON, event_id="e1", order_id="o-1"):
    order = buyer.add_order_event(order_id, event_id, ts)
    order.add_created(Placed(ts, event_id, 100, None, None, ()))
    return order


def paid(buyer, ts, event_id="e2", order_id="o-1"):
    order = buyer.add_order_event(order_id, event_id, ts)
    order.add_paid(Placed(ts, event_id, 100, None, None, ()))
    return order


def run_down(buyer, retention=RETENTION):
    """Do what is due until nothing is; returns the watermarks at which something was."""
    dues: list[int] = []
    watermark = 0
    while (due := reschedule(buyer, watermark, retention)) is not None:
        assert due > watermark
        assert len(dues) < 100
        dues.append(watermark := due)
        for order in buyer.orders.values():
            if order.created_ts is not None:
                list(revise(buyer, order, watermark, "timer"))
        expire(buyer, watermark, retention)
    return dues


def test_nothing_is_due_of_a_new_buyer(buyer):
    assert buyer.is_empty
    assert reschedule(buyer, 0, RETENTION) is None


def test_a_known_event_is_not_added_again_whatever_it_holds(buyer):
    assert add_message(buyer, NOON, "m1")[0]
    assert not add_message(buyer, NOON + 1, "m1", agent_id="B", side=BUYER)[0]
    assert not buyer.add_transfer("A", "B", NOON, "m1", touched=[])
    assert list(buyer.receptions) == ["A"]


def test_chat_and_order_events_have_ids_of_their_own(buyer):
    assert add_message(buyer, NOON, "1")[0]
    assert buyer.add_order_event("o-1", "1", NOON) is not None
    assert buyer.add_order_event("o-2", "1", NOON) is None
    assert list(buyer.orders) == ["o-1"]


@pytest.mark.parametrize("first", [NOON, MIDNIGHT - 1])
def test_chat_is_forgotten_with_all_its_day_and_its_ids(buyer, first):
    add_message(buyer, first, "m1")
    forget_at = MIDNIGHT + RETENTION.chat_ms + FORGET_EVERY_MS
    assert run_down(buyer) == [forget_at]
    assert buyer.is_empty
    assert buyer.chat_ids == set()


def test_chat_is_kept_at_least_as_long_as_its_retention(buyer):
    add_message(buyer, NOON, "m1")
    for watermark in (NOON + RETENTION.chat_ms, MIDNIGHT + RETENTION.chat_ms - 1):
        reschedule(buyer, 0, RETENTION)
        expire(buyer, watermark, RETENTION)
        assert not buyer.is_empty


def test_a_day_of_chat_is_forgotten_and_the_next_one_is_not(buyer):
    add_message(buyer, MIDNIGHT - 1, "m1", agent_id="A")
    add_message(buyer, MIDNIGHT, "m2", agent_id="B")
    expire(buyer, MIDNIGHT + RETENTION.chat_ms, RETENTION)
    assert buyer.chat_ids == {"m2"}


@pytest.mark.parametrize(
    ("pause_ms", "kept"), [(10 * MINUTE_MS - 1, {"m0", "m1", "m2"}), (10 * MINUTE_MS, {"m2"})]
)
def test_a_day_is_kept_while_one_is_that_follows_on_it_over_midnight(buyer, pause_ms, kept):
    """The question that it may leave to the next day must not vanish; of the days before, one more."""
    add_message(buyer, MIDNIGHT - 1, "m1")
    add_message(buyer, MIDNIGHT - 1 + pause_ms, "m2")
    add_message(buyer, MIDNIGHT - DAY_MS + 1, "m0")
    add_message(buyer, MIDNIGHT - DAY_MS - 1, "m-1")
    add_message(buyer, MIDNIGHT - 2 * DAY_MS + 1, "m-2")
    add_message(buyer, MIDNIGHT - 2 * DAY_MS - 1, "m-3")
    expire(buyer, MIDNIGHT + RETENTION.chat_ms, RETENTION)
    assert buyer.chat_ids == (kept | {"m-1", "m-2"} if len(kept) > 1 else kept)
    [first, *_] = sorted(buyer.receptions["A"].items())
    assert first[1].before is None


@pytest.mark.parametrize(("after", "known"), [(-1, True), (0, False)])
def test_an_order_goes_when_its_retention_after_its_last_event_is_over(buyer, after, known):
    created(buyer)
    paid(buyer, NOON + DAY_MS)
    reschedule(buyer, 0, RETENTION)
    expire(buyer, NOON + DAY_MS + RETENTION.order_ms + after, RETENTION)
    assert ("o-1" in buyer.orders) is known
    assert (buyer.order_event_ids == {"e1", "e2"}) is known


@pytest.mark.parametrize(("after_sales_days", "kept_days"), [(0, 45), (43, 45), (44, 46), (180, 182)])
def test_orders_are_kept_for_the_after_sales_days_and_two_more(after_sales_days, kept_days):
    shop = Shop("jd:1")
    shop.add_settings(SettingsRecord(0, 0, Settings(after_sales_days=after_sales_days), {}), "UTC")
    assert orders_kept_ms(RETENTION, shop) == kept_days * DAY_MS


def test_what_waits_for_a_creation_is_handed_back_when_it_expires(buyer):
    order = paid(buyer, NOON)
    order.waiting.append(Waiting(3, 7, b"jd:1|b-1", b"{}"))
    reschedule(buyer, 0, RETENTION)
    assert expire(buyer, NOON + RETENTION.order_ms - 1, RETENTION) == []
    [gone] = expire(buyer, NOON + RETENTION.order_ms, RETENTION)
    assert gone.waiting == [Waiting(3, 7, b"jd:1|b-1", b"{}")]
    assert buyer.is_empty


def test_a_paid_order_outlives_its_chat_and_keeps_its_verdict_and_receipt(buyer):
    serve(buyer, NOON - 1, "m")
    created(buyer)
    order = paid(buyer, NOON + 1)
    [first] = revise(buyer, order, MIDNIGHT, "paid")
    retention = Retention(RETENTION.chat_ms, 90 * DAY_MS)
    reschedule(buyer, 0, retention)
    expire(buyer, MIDNIGHT + retention.chat_ms + FORGET_EVERY_MS, retention)
    assert buyer.receptions == {}
    assert judgements(buyer, order)["official"] == first.judgement
    assert first.judgement.credit is not None
    assert first.judgement.credit.agent_id == "A"
    assert list(revise(buyer, order, MIDNIGHT, "timer")) == []
    buyer.add_order_event("o-1", "e3", NOON + 40 * DAY_MS).add_refund(
        Refund(NOON + 40 * DAY_MS, "e3", 30, completed=True)
    )
    [refunded] = revise(buyer, order, MIDNIGHT, "refund")
    assert refunded.emitted.revision == 2
    assert refunded.emitted.verdict == first.emitted.verdict._replace(refund_completed=30)


def test_an_order_that_outlived_its_chat_can_be_excluded_and_included_again(buyer):
    serve(buyer, NOON - 1, "m")
    created(buyer)
    order = paid(buyer, NOON + 1)
    [first] = revise(buyer, order, MIDNIGHT, "paid")
    retention = Retention(RETENTION.chat_ms, 90 * DAY_MS)
    later = MIDNIGHT + retention.chat_ms + FORGET_EVERY_MS
    reschedule(buyer, 0, retention)
    expire(buyer, later, retention)
    assert order.sealed
    order.add_exclusion(Exclusion(later, "x", excluded=True))
    [excluded] = revise(buyer, order, later, "excluded")
    verdict = excluded.emitted.verdict
    assert (verdict.outcome, verdict.status, verdict.placing, verdict.credit) == (
        "excluded",
        "final",
        None,
        None,
    )
    assert (excluded.judgement.candidates, excluded.judgement.discarded) == ((), ())
    order.add_exclusion(Exclusion(later, "y", excluded=False))
    [included] = revise(buyer, order, later, "excluded")
    assert included.judgement == first.judgement
    assert included.emitted.verdict == first.emitted.verdict._replace(status="final")


@pytest.mark.parametrize("priority", list(ProductPriority))
def test_an_order_that_an_instalment_may_bring_products_keeps_its_chat(priority):
    shop = Shop("jd:1")
    shop.add_settings(SettingsRecord(0, 0, Settings(product_priority=priority), {}), "Asia/Shanghai")
    buyer = Buyer(shop, "b-1")
    for agent_id, product_id, ts in (("A", "p-1", NOON - 2), ("B", None, NOON - 1)):
        question = Message(ts, BUYER, f"{agent_id}?", 0, 1, product_id)
        buyer.add_message(agent_id, question, touched=[])
        add_message(buyer, ts, f"{agent_id}!", agent_id)
    created(buyer)
    order = paid(buyer, NOON + 1)
    retention = Retention(RETENTION.chat_ms, 90 * DAY_MS)
    later = MIDNIGHT + retention.chat_ms + FORGET_EVERY_MS
    revise(buyer, order, later, "paid")
    reschedule(buyer, 0, retention)
    expire(buyer, later, retention)
    by_product = priority is ProductPriority.ORDERED_PRODUCT
    assert order.sealed is not by_product
    order.add_paid(Placed(later, "e3", 50, None, None, ("p-1",), payment_id="2"))
    [revised] = revise(buyer, order, later, "paid")
    assert revised.emitted.verdict.amount == 150
    assert revised.emitted.verdict.placing == ("A" if by_product else "B")


def test_an_unpaid_order_keeps_the_chat_it_rests_on_for_a_payment_may_still_come(buyer):
    serve(buyer, NOON - 1, "m")
    order = created(buyer)
    retention = Retention(RETENTION.chat_ms, 90 * DAY_MS)
    reschedule(buyer, 0, retention)
    expire(buyer, NOON + 80 * DAY_MS, retention)
    assert buyer.chat_ids == {"m?", "m!"}
    paid(buyer, NOON + 2 * DAY_MS)
    credit = judgements(buyer, order)["official"].credit
    assert credit is not None
    assert credit.agent_id == "A"


def test_nothing_is_left_of_a_buyer_in_the_end(buyer):
    for day in range(3):
        add_message(buyer, NOON + day * DAY_MS - 1, f"m{day}", agent_id="AB"[day % 2])
    buyer.add_transfer("A", "B", NOON, "t1", touched=[])
    created(buyer)
    paid(buyer, NOON + DAY_MS)
    created(buyer, NOON + DAY_MS, "e3", "o-2")
    paid(buyer, NOON + DAY_MS, "e4", "o-3").waiting.append(Waiting(0, 0, None, b""))
    dues = run_down(buyer)
    assert dues == sorted(set(dues))
    assert buyer.is_empty
    assert (buyer.chat_ids, buyer.order_event_ids, buyer.due) == (set(), set(), None)


# Which orders a message touches


@pytest.mark.parametrize(
    ("ts", "touched"),
    [
        (SHANGHAI.start_of(DAY - 1) - 1, []),
        (SHANGHAI.start_of(DAY - 1), ["o-1"]),  # the first instant of the default validity
        (NOON - 1, ["o-1"]),
        (NOON, ["o-1"]),  # now an assist
        (SHANGHAI.start_of(DAY + 2), []),
    ],
)
def test_a_message_touches_the_orders_on_which_it_may_bear(buyer, ts, touched):
    order = created(buyer)
    list(revise(buyer, order, NOON, "created"))
    assert add_message(buyer, ts, "m1") == (True, touched)


def test_a_message_does_not_touch_an_order_of_which_no_creation_is_known(buyer):
    paid(buyer, NOON)
    assert add_message(buyer, NOON - 1, "m1") == (True, [])


def test_days_are_divided_again_when_the_first_settings_come_after_the_facts(buyer):
    serve(buyer, MIDNIGHT - 1, "m1")
    serve(buyer, MIDNIGHT, "m2")
    assert {day: len(one.messages) for day, one in buyer.receptions["A"].items()} == {DAY: 2, DAY + 1: 2}
    order = created(buyer, MIDNIGHT + 1)
    buyer.shop.add_settings(SettingsRecord(0, 0, Settings(), {}), "UTC")
    placing = judgements(buyer, order)["official"].placing
    assert placing is not None
    assert placing.agent_id == "A"
    assert {day: len(one.messages) for day, one in buyer.receptions["A"].items()} == {DAY: 4}


def test_a_revision_is_emitted_when_the_verdict_changes_and_only_then(buyer):
    order = created(buyer)
    outcomes = []
    for watermark in (NOON, NOON + 1, NOON + DAY_MS, NOON + DAY_MS, MIDNIGHT + DAY_MS):
        revisions = [one.emitted for one in revise(buyer, order, watermark, "timer")]
        outcomes += [(one.revision, one.verdict.outcome) for one in revisions]
    assert outcomes == [(1, "awaiting_payment"), (2, "unpaid"), (3, "unpaid")]


@pytest.mark.parametrize(
    ("watermark", "late", "reason"),
    [(MIDNIGHT - 1, True, "chat"), (MIDNIGHT, True, "late_event"), (MIDNIGHT, False, "chat")],
)
def test_a_late_event_is_the_reason_where_it_corrects_what_was_final(buyer, watermark, late, reason):
    created(buyer)
    order = paid(buyer, NOON)
    list(revise(buyer, order, watermark, "paid"))
    serve(buyer, NOON - 1, "m")
    [revision] = revise(buyer, order, watermark, "chat", late=late)
    assert (revision.emitted.revision, revision.emitted.reason) == (2, reason)


def test_a_message_before_the_deadline_is_looked_at_though_its_reception_began_after_it(buyer):
    order = created(buyer)
    order.stale = True
    list(revise(buyer, order, NOON, "created"))
    deadline = NOON + 24 * HOUR_MS
    serve(buyer, deadline + 1, "late")
    assert add_message(buyer, deadline - 1, "m1")[1] == ["o-1"]
    assert judgements(buyer, order)["official"].assists == (("followup", "A"),)


def test_messages_added_before_a_shops_zone_was_known_stay_in_their_order(buyer):
    """What is two days in one zone is one in the other."""
    serve(buyer, MIDNIGHT - 1, "a")
    new_york = SettingsRecord(0, 0, Settings(), {})
    buyer.shop.add_settings(new_york, "America/New_York")
    serve(buyer, MIDNIGHT + 1, "b")
    [reception] = buyer.receptions["A"].values()
    assert [one.event_id for one in reception.messages] == ["a?", "a!", "b?", "b!"]
