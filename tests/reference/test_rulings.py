"""What a person decided about an order's credit (RULEBOOK 2 and 5), by hand."""

from __future__ import annotations

from tests.reference.agent_days import agent_days
from tests.reference.days import HOUR_MS, MINUTE_MS
from tests.reference.inquiries import inquiries
from tests.reference.model import judge
from tests.reference.shorthand import (
    MIDNIGHT,
    NOON,
    TODAY,
    Json,
    chat_of,
    order,
    role,
    ruling,
    shop_settings,
)

CHAT = chat_of("A", NOON - HOUR_MS) + chat_of("B", NOON - 2 * HOUR_MS)
BOUGHT = [order("created", NOON), order("paid", NOON + MINUTE_MS)]


def decision_on(
    *rulings: Json, chat: list[Json] = CHAT, orders: list[Json] = BOUGHT, roster: list[Json] | None = None
) -> Json:
    (decision,) = judge(chat, orders, [], roster or [], None, rulings).values()
    return decision


def credited(decision: Json) -> tuple[str | None, str | None]:
    credit = decision["credit"]
    return (None, None) if credit is None else (credit["agent_id"], credit["basis"])


def test_worked_example_of_a_ruling() -> None:
    to_b = ruling("B", NOON + HOUR_MS)
    withdrawn = ruling(None, NOON + 2 * HOUR_MS, type="withdrawn")
    assert credited(decision_on()) == ("A", "payment")
    assert credited(decision_on(to_b)) == ("B", "ruling")
    assert credited(decision_on(withdrawn, to_b)) == ("A", "payment")
    assert decision_on(withdrawn, to_b) == decision_on()


def test_of_several_rulings_the_last_holds() -> None:
    one, other = ruling("B", NOON + 1), ruling("C", NOON + 2)
    assert credited(decision_on(other, one)) == ("C", "ruling")
    assert credited(decision_on(other, {**one, "ts": NOON + 2, "event_id": "z"})) == ("B", "ruling")
    again = ruling("B", NOON + 4)
    assert credited(decision_on(again, ruling(None, NOON + 3, type="withdrawn"), one)) == ("B", "ruling")


def test_a_ruling_stands_in_the_decision_and_changes_credit_and_assists_alone() -> None:
    by_rules = decision_on()
    ruled = decision_on(ruling("B", NOON + HOUR_MS, event_id="r-1", ruled_by="boss"))
    assert ruled == {
        **by_rules,
        "credit": {"agent_id": "B", "basis": "ruling", "rule": "payment"},
        "ruling": {"agent_id": "B", "ruled_by": "boss", "ts": NOON + HOUR_MS, "event_id": "r-1"},
        "assists": [],
    }
    assert by_rules["assists"] == [{"agent_id": "B", "kind": "order"}]


def test_a_ruling_for_nobody_makes_the_order_silent() -> None:
    ruled = decision_on(ruling(None, NOON + HOUR_MS))
    assert (ruled["outcome"], ruled["credit"], ruled["silence"]) == ("silent", None, "none")
    assert ruled["assists"] == [{"agent_id": "B", "kind": "order"}]
    assert ruled["ruling"]["agent_id"] is None


def test_who_assisted_by_the_rules_and_is_ruled_to_have_the_credit_assists_no_more() -> None:
    # Placed by A, paid by D, who has the credit by the rules.
    chat = chat_of("A", NOON - HOUR_MS) + chat_of("C", NOON - 2 * HOUR_MS)
    chat += chat_of("B", NOON + MINUTE_MS) + chat_of("D", NOON + 2 * MINUTE_MS)
    orders = [order("created", NOON), order("paid", NOON + HOUR_MS)]
    kinds = [{"agent_id": "C", "kind": "order"}, {"agent_id": "B", "kind": "payment"}]
    assert decision_on(chat=chat, orders=orders)["assists"] == kinds
    ruled = decision_on(ruling("C", NOON), chat=chat, orders=orders)
    assert ruled["assists"] == kinds[1:]
    assert (ruled["placing"]["agent_id"], ruled["payment"]["agent_id"]) == ("A", "D")


def test_a_ruling_holds_once_the_order_is_paid_and_while_it_is_not_excluded() -> None:
    to_b = ruling("B", NOON + HOUR_MS)
    unpaid = decision_on(to_b, orders=BOUGHT[:1])
    assert (unpaid["outcome"], unpaid["credit"], unpaid["ruling"]["agent_id"]) == ("unpaid", None, "B")
    excluded = decision_on(to_b, orders=[*BOUGHT, order("excluded", NOON + 1)])
    assert (excluded["outcome"], excluded["credit"], excluded["ruling"]["agent_id"]) == (
        "excluded",
        None,
        "B",
    )
    assert judge([], [], [], [], None, [to_b]) == {}


def test_whatever_role_the_ruled_agent_has_it_has_the_credit() -> None:
    for name in ("aftersale", "frozen"):
        decision = decision_on(ruling("Z", NOON), roster=[role("Z", name)])
        assert credited(decision) == ("Z", "ruling")


def test_a_full_silent_order_that_is_ruled_stays_full_silent() -> None:
    chat: list[Json] = []
    decision = decision_on(ruling("A", NOON), chat=chat)
    assert (decision["outcome"], decision["silence"], credited(decision)) == (
        "credited",
        "full",
        ("A", "ruling"),
    )


def test_profiles_are_judged_without_rulings() -> None:
    settings = shop_settings(profiles={"alt": {"preset": "jd_cloud"}})
    found = judge(CHAT, BOUGHT, settings, [], None, [ruling("B", NOON)])
    assert credited(found["jd:1", "o-1", "official"]) == ("B", "ruling")
    assert credited(found["jd:1", "o-1", "alt"]) == ("A", "payment")
    assert found["jd:1", "o-1", "alt"]["ruling"] is None


def test_a_ruling_is_of_one_order_of_one_buyer() -> None:
    assert credited(decision_on(ruling("B", NOON, "o-2"))) == ("A", "payment")
    assert credited(decision_on({**ruling("B", NOON), "buyer_id": "b-2"})) == ("A", "payment")
    assert credited(decision_on({**ruling("B", NOON), "shop_id": "jd:2"})) == ("A", "payment")


def test_a_repeated_ruling_is_the_same_one() -> None:
    one = ruling("B", NOON, event_id="r")
    assert credited(decision_on(one, {**one, "ts": NOON + 1, "agent_id": "C"})) == ("B", "ruling")


def test_sales_and_refunds_are_the_ruled_agents_and_inquiries_stay_as_they_were() -> None:
    orders = [*BOUGHT, order("refund_completed", NOON + HOUR_MS, amount=30)]
    rulings = [ruling("B", NOON)]
    days = agent_days(CHAT, orders, [], [], None, rulings)
    sold = {
        agent: (day["sales"]["orders"], day["refunds"]["completed"]) for (_, agent, _), day in days.items()
    }
    assert sold == {"A": (0, 0), "B": (1, 30), "*": (1, 30)}
    assert days["jd:1", "A", TODAY]["placed"]["orders"] == 1
    assert days["jd:1", "A", TODAY]["paid"]["orders"] == 1
    assert inquiries(CHAT, orders, [], [], None, rulings) == inquiries(CHAT, orders, [], [], None)
    nobody = agent_days(CHAT, orders, [], [], None, [ruling(None, NOON)])
    assert nobody["jd:1", "*", TODAY]["silent"]["orders"] == 1


def test_a_ruling_moves_no_time_at_which_a_decision_is_final() -> None:
    late = ruling("B", MIDNIGHT + 20 * 24 * HOUR_MS)
    assert decision_on(late)["final_at"] == decision_on()["final_at"]
