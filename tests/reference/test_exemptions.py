"""Receptions without an order that are no lost inquiries all the same (RULEBOOK 7, exemptions of row 5)."""

from __future__ import annotations

import pytest

from tests.reference.days import HOUR_MS, MINUTE_MS
from tests.reference.inquiries import inquiries
from tests.reference.shorthand import (
    DAY_MS,
    MIDNIGHT,
    NOON,
    TODAY,
    Json,
    around,
    chat_of,
    message,
    order,
    outreach_of,
    role,
    shop_settings,
    transfer,
)

TOMORROW = "2026-11-02"
NEXT_MIDNIGHT = MIDNIGHT + DAY_MS
EVENING = chat_of("A", NEXT_MIDNIGHT - 3 * MINUTE_MS)
"""Its last message is two minutes before midnight."""
LAST_TS = NEXT_MIDNIGHT - 2 * MINUTE_MS


def initiated_exempt(days: int = 1, **more: bool) -> list[Json]:
    return shop_settings(agent_initiated_exempt={"enabled": True, "first_reply_days": days}, **more)


def exemption(
    chat: list[Json],
    settings: list[Json],
    orders: list[Json] | None = None,
    roster: list[Json] | None = None,
    watermark: int | None = None,
) -> str | None:
    """Why today's reception of buyer b-1 by agent A is exempt; not counted it is then, and nothing else."""
    record = inquiries(chat, orders or [], settings, roster or [], watermark)["jd:1", "b-1", "A", TODAY]
    assert (record["exempt"] is not None) == (
        record["kind"] == "inquiry" and record["outcome"] == "not_counted"
    )
    return None if record["exempt"] is None else str(record["exempt"])


def test_a_reception_that_the_agent_initiated_is_exempt_where_the_setting_is_on() -> None:
    assert exemption(outreach_of("A", NOON), initiated_exempt()) == "agent_initiated"
    assert exemption(outreach_of("A", NOON), []) is None
    assert exemption(chat_of("A", NOON), initiated_exempt()) is None


def test_the_setting_is_that_of_the_receptions_day() -> None:
    chat = outreach_of("A", NOON)
    on, off = initiated_exempt(), shop_settings()
    assert exemption(chat, [*off, {**on[0], "effective_from": TODAY}]) == "agent_initiated"
    assert exemption(chat, [*on, {**off[0], "effective_from": TODAY}]) is None


def test_an_exempt_reception_is_not_counted_at_once_and_final_when_the_next_day_is_over() -> None:
    end = MIDNIGHT + 2 * DAY_MS
    for watermark, status in ((NOON, "pending"), (end - 1, "pending"), (end, "final"), (end + 1, "final")):
        (record,) = inquiries(outreach_of("A", NOON), [], initiated_exempt(), [], watermark).values()
        assert record == {
            "shop_id": "jd:1",
            "buyer_id": "b-1",
            "agent_id": "A",
            "day": TODAY,
            "status": status,
            "kind": "inquiry",
            "outcome": "not_counted",
            "exempt": "agent_initiated",
            "order_ids": [],
            "final_at": end,
        }


@pytest.mark.parametrize(
    ("orders", "kind"),
    [
        ([order("created", NOON + HOUR_MS)], "inquiry"),
        ([order("created", NOON)], "self_ordered"),
        ([order("created", NOON - 1)], "follow_up"),
        ([order("created", NOON - 1), order("paid", NOON)], "after_sales"),
    ],
)
def test_where_an_order_has_to_do_with_the_reception_nothing_is_exempt(orders: list[Json], kind: str) -> None:
    (record,) = inquiries(outreach_of("A", NOON), orders, initiated_exempt(), [], None).values()
    assert (record["kind"], record["exempt"], record["order_ids"]) == (kind, None, ["o-1"])


@pytest.mark.parametrize(
    ("days", "begun", "exempt"),
    [
        *((1, ts, ts >= MIDNIGHT - DAY_MS) for ts in around(MIDNIGHT - DAY_MS)),
        *((3, ts, ts >= MIDNIGHT - 3 * DAY_MS) for ts in around(MIDNIGHT - 3 * DAY_MS)),
        (15, NOON - 15 * DAY_MS, True),
    ],
)
def test_the_first_reply_to_an_agent_may_come_so_many_natural_days_later(
    days: int, begun: int, *, exempt: bool
) -> None:
    chat = [message(begun, "A", "agent"), *chat_of("A", NOON)]
    assert exemption(chat, initiated_exempt(days)) == ("agent_initiated" if exempt else None)


@pytest.mark.parametrize(
    ("between", "exempt"),
    [
        (message(NOON - DAY_MS + 1, "A", "buyer"), False),
        (message(NOON - DAY_MS + 1, "A", "buyer", text=" "), False),
        (message(MIDNIGHT - 1, "A", "buyer"), False),
        (message(NOON - DAY_MS + 1, "A", "buyer", kind="system"), True),
        (message(NOON - DAY_MS + 1, "A", "agent"), True),
        (message(NOON - DAY_MS + 1, "B", "buyer"), True),
        (message(NOON - DAY_MS + 1, "A", "buyer", "b-2"), True),
        (transfer(NOON - DAY_MS + 1, "A", "B"), True),
        # What the buyer wrote first, so that the buyer initiated that one:
        *((message(ts, "A", "buyer"), False) for ts in (NOON - DAY_MS - 1, NOON - DAY_MS)),
        # What the buyer wrote before that day, in answer to nothing of it:
        (message(MIDNIGHT - DAY_MS - 1, "A", "buyer"), True),
    ],
)
def test_it_is_the_first_reply_while_the_buyer_wrote_nothing_to_the_agent_between(
    between: Json, *, exempt: bool
) -> None:
    chat = [message(NOON - DAY_MS, "A", "agent"), between, *chat_of("A", NOON)]
    assert exemption(chat, initiated_exempt()) == ("agent_initiated" if exempt else None)


def test_one_of_several_days_on_which_the_agent_began_is_enough() -> None:
    chat = [
        *outreach_of("A", NOON - 3 * DAY_MS),
        message(NOON - DAY_MS, "A", "agent"),
        *chat_of("A", NOON),
    ]
    assert exemption(chat, initiated_exempt(3)) == "agent_initiated"
    assert exemption([*chat[:2], *chat[3:]], initiated_exempt(3)) is None


def test_what_the_agent_began_may_be_filtered_a_broadcast_or_of_a_day_on_which_it_was_frozen() -> None:
    chat = [message(NOON - DAY_MS, "A", "agent", kind="broadcast"), *chat_of("A", NOON)]
    roster = [role("A", "frozen"), role("A", "presale", TODAY)]
    assert exemption(chat, initiated_exempt(), roster=roster) == "agent_initiated"


def test_what_another_agent_began_exempts_nothing() -> None:
    assert exemption([message(NOON - DAY_MS, "B", "agent"), *chat_of("A", NOON)], initiated_exempt()) is None


@pytest.mark.parametrize(
    ("longest", "pause", "exempt"),
    [
        *((10, pause, pause < 10 * MINUTE_MS) for pause in around(10 * MINUTE_MS)),
        *((3, pause, pause < 3 * MINUTE_MS) for pause in around(3 * MINUTE_MS)),
        *((None, pause, pause < 10 * MINUTE_MS) for pause in around(10 * MINUTE_MS)),
        (10, 2 * MINUTE_MS, True),  # the first instant of the next day
    ],
)
def test_a_chat_that_runs_past_midnight_counts_on_the_second_day_alone(
    longest: int | None, pause: int, *, exempt: bool
) -> None:
    settings = shop_settings(overnight_once=True, max_wait_minutes=longest)
    chat = EVENING + chat_of("A", LAST_TS + pause)
    assert exemption(chat, settings) == ("overnight" if exempt else None)
    tomorrows = inquiries(chat, [], settings, [], None)["jd:1", "b-1", "A", TOMORROW]
    assert (tomorrows["outcome"], tomorrows["exempt"]) == ("lost", None)


def test_a_chat_that_runs_past_midnight_counts_on_both_days_where_the_setting_is_off() -> None:
    found = inquiries(EVENING + chat_of("A", LAST_TS + 4 * MINUTE_MS), [], [], [], None)
    assert [(record["outcome"], record["exempt"]) for record in found.values()] == [("lost", None)] * 2


def test_the_settings_of_an_overnight_chat_are_those_of_its_first_day() -> None:
    chat = EVENING + chat_of("A", LAST_TS + 4 * MINUTE_MS)
    on = shop_settings(overnight_once=True, max_wait_minutes=5)
    for other in (shop_settings(max_wait_minutes=5), shop_settings(overnight_once=True, max_wait_minutes=3)):
        assert exemption(chat, [*on, {**other[0], "effective_from": TOMORROW}]) == "overnight"
        assert exemption(chat, [*other, {**on[0], "effective_from": TOMORROW}]) is None


@pytest.mark.parametrize(
    "next_chat",
    [
        [],
        chat_of("B", LAST_TS + 4 * MINUTE_MS),
        chat_of("A", LAST_TS + 4 * MINUTE_MS, "b-2"),
        [message(LAST_TS + 4 * MINUTE_MS, "A", "agent")],  # a monologue
        [*chat_of("A", LAST_TS + 4 * MINUTE_MS), transfer(LAST_TS + HOUR_MS, "A", "B")],
    ],
)
def test_a_chat_goes_on_only_with_the_same_agent_in_a_reception_that_is_recorded(
    next_chat: list[Json],
) -> None:
    assert exemption(EVENING + next_chat, shop_settings(overnight_once=True)) is None


@pytest.mark.parametrize(
    ("tomorrows_role", "exempt"), [("presale", "overnight"), ("aftersale", None), ("frozen", None)]
)
def test_a_chat_does_not_go_on_with_an_agent_that_is_no_longer_presale(
    tomorrows_role: str, exempt: str | None
) -> None:
    chat = EVENING + chat_of("A", LAST_TS + 4 * MINUTE_MS)
    roster = [role("A", "presale"), role("A", tomorrows_role, TOMORROW)]
    assert exemption(chat, shop_settings(overnight_once=True), roster=roster) == exempt


@pytest.mark.parametrize(
    ("watermark", "exempt"),
    [*zip(around(MIDNIGHT + 2 * DAY_MS), ("overnight", None, None), strict=True)],
)
def test_a_chat_did_not_go_on_with_an_agent_that_proves_to_have_been_offline(
    watermark: int, exempt: str | None
) -> None:
    chat = [*EVENING, message(LAST_TS + 4 * MINUTE_MS, "A", "buyer")]
    settings = shop_settings(overnight_once=True)
    assert exemption(chat, settings, watermark=watermark) == exempt


def test_the_last_and_the_first_message_are_those_of_whatever_kind() -> None:
    chat = [
        *chat_of("A", NOON),
        message(NEXT_MIDNIGHT - 1, "A", "agent", kind="broadcast"),
        message(NEXT_MIDNIGHT, "A", "agent", kind="broadcast"),
        *chat_of("A", NOON + DAY_MS),
    ]
    assert exemption(chat, shop_settings(overnight_once=True)) == "overnight"


def test_a_chat_over_three_days_counts_on_the_last_alone() -> None:
    chat = [
        *EVENING,
        *chat_of("A", LAST_TS + 4 * MINUTE_MS),
        *chat_of("A", LAST_TS + DAY_MS),
        *chat_of("A", LAST_TS + DAY_MS + 5 * MINUTE_MS),
    ]
    found = inquiries(chat, [], shop_settings(overnight_once=True), [], None)
    assert [record["exempt"] for _, record in sorted(found.items())] == ["overnight", "overnight", None]


def test_of_both_exemptions_the_agents_initiative_is_named() -> None:
    chat = outreach_of("A", NEXT_MIDNIGHT - 3 * MINUTE_MS) + chat_of("A", NEXT_MIDNIGHT)
    assert exemption(chat, initiated_exempt(overnight_once=True)) == "agent_initiated"
    assert exemption(chat, shop_settings(overnight_once=True)) == "overnight"
