"""The filters as sections 7 and 8 know them (RULEBOOK 4), ``agent_offline`` above all."""

from __future__ import annotations

from typing import Any

import pytest

from tests.reference.days import HOUR_MS
from tests.reference.facts import facts
from tests.reference.model import judge
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

UNANSWERED = [message(NOON, "A", "buyer")]


def filtered(
    chat: list[Json],
    settings: list[Json] | None = None,
    roster: list[Json] | None = None,
    watermark: int | None = None,
) -> str | None:
    """Why the reception of buyer b-1 by agent A is filtered."""
    fact = facts(chat, [], settings or [], roster or [], watermark)["jd:1", "b-1", "A", TODAY]
    return None if fact["filtered"] is None else str(fact["filtered"])


@pytest.mark.parametrize("last_effective", around(NOON))
def test_an_agent_is_offline_for_a_buyer_who_begins_after_its_last_effective_message(
    last_effective: int,
) -> None:
    chat = [*UNANSWERED, message(last_effective, "A", "agent", "b-2")]
    assert filtered(chat) == ("agent_offline" if last_effective < NOON else None)


def test_an_agent_without_an_effective_message_that_day_is_offline() -> None:
    the_day_before = message(MIDNIGHT - 1, "A", "agent", "b-2")
    the_day_after = message(MIDNIGHT + DAY_MS, "A", "agent", "b-2")
    assert filtered([*UNANSWERED, the_day_before, the_day_after]) == "agent_offline"


@pytest.mark.parametrize(
    "other",
    [
        message(NOON + 1, "B", "agent", "b-2"),
        message(NOON + 1, "A", "buyer", "b-2"),
        message(NOON + 1, "A", "agent", "b-2", kind="broadcast"),
        message(NOON + 1, "A", "agent", "b-2", kind="system"),
        message(NOON + 1, "A", "agent", "b-2", text=""),
        {**message(NOON + 1, "A", "agent", "b-2"), "shop_id": "jd:2"},
    ],
)
def test_only_an_effective_message_of_the_agent_itself_shows_that_it_is_there(other: Json) -> None:
    assert filtered([*UNANSWERED, other]) == "agent_offline"


def test_what_is_effective_is_as_the_settings_of_that_day_say() -> None:
    chat = [*UNANSWERED, message(NOON + 1, "A", "agent", "b-2", kind="auto_reply")]
    assert filtered(chat) is None
    assert filtered(chat, shop_settings(auto_reply={"identify": True})) == "agent_offline"


def test_a_message_to_a_buyer_whose_own_reception_is_filtered_shows_it_too() -> None:
    chat = [*UNANSWERED, message(NOON + 1, "A", "agent", "b-2")]
    other = facts(chat, [], [], [], None)["jd:1", "b-2", "A", TODAY]
    assert other["filtered"] == "monologue"
    assert filtered(chat) is None


def test_a_message_in_the_same_reception_shows_it_however_late() -> None:
    assert filtered([*UNANSWERED, message(MIDNIGHT + DAY_MS - 1, "A", "agent")]) is None


def test_a_reception_that_the_agent_initiated_is_never_offline() -> None:
    broadcast = message(NOON - 1, "A", "agent", kind="broadcast")
    assert filtered([broadcast, *UNANSWERED]) is None


@pytest.mark.parametrize(
    ("watermark", "reason"),
    [*zip(around(MIDNIGHT + DAY_MS), (None, "agent_offline", "agent_offline"), strict=True)],
)
def test_it_is_asked_when_the_day_is_over(watermark: int, reason: str | None) -> None:
    assert filtered(UNANSWERED, watermark=watermark) == reason


def test_until_it_is_asked_the_filters_after_it_are() -> None:
    chat = [*UNANSWERED, transfer(NOON + 1, "A", "B")]
    assert filtered(chat, watermark=NOON) == "forwarded"
    assert filtered(chat) == "agent_offline"


def test_it_can_be_switched_off() -> None:
    assert filtered(UNANSWERED, shop_settings(filters={"agent_offline": {"enabled": False}})) is None


def test_it_passes_over_aftersale_agents_only_where_the_settings_say_so() -> None:
    roster = [role("A", "aftersale")]
    assert filtered(UNANSWERED, roster=roster) == "agent_offline"
    assert filtered(UNANSWERED, shop_settings(aftersale_unfiltered=True), roster) is None
    assert filtered(UNANSWERED, shop_settings(aftersale_unfiltered=True)) == "agent_offline"


@pytest.mark.parametrize(
    ("more", "settings", "roster", "reason"),
    [
        ({"text": ""}, {}, [], "empty"),
        ({}, {}, [role("b-1", "frozen", TODAY)], "own_account"),
        ({}, {"official_accounts": ["b-1"]}, [], "official_account"),
        (
            {"buyer_is_subaccount": True},
            {"filters": {"buyer_subaccount": {"enabled": True}}},
            [],
            "buyer_subaccount",
        ),
        ({"buyer_is_subaccount": True}, {}, [], "agent_offline"),
        (
            {},
            {"aftersale_unfiltered": True, "official_accounts": ["b-1"]},
            [role("A", "aftersale")],
            "official_account",
        ),
    ],
)
def test_the_filters_before_it_come_first(
    more: Json, settings: Json, roster: list[Json], reason: str
) -> None:
    assert filtered([message(NOON, "A", "buyer", **more)], shop_settings(**settings), roster) == reason


def test_it_comes_before_the_advert() -> None:
    chat = [*UNANSWERED, message(NOON + 1, "A", "agent", kind="broadcast", text="祝生活愉快")]
    advert: dict[str, Any] = {"advert": {"enabled": True, "phrase": "祝生活愉快"}}
    assert filtered(chat, shop_settings(filters=advert)) == "agent_offline"
    advert["agent_offline"] = {"enabled": False}
    assert filtered(chat, shop_settings(filters=advert)) == "advert"


@pytest.mark.parametrize(
    ("chat", "switched_on", "reason"),
    [
        ([message(NOON, "A", "agent", kind="broadcast")], {}, "broadcast"),
        ([message(NOON, "A", "agent")], {}, "monologue"),
        ([*chat_of("A", NOON), transfer(NOON + HOUR_MS, "A", "B")], {}, "forwarded"),
        ([*outreach_of("A", NOON), transfer(NOON + HOUR_MS, "A", "B")], {}, "forwarded"),
        (
            [*UNANSWERED, *(message(NOON + n, "A", "agent") for n in (1, 2, 3))],
            {"single_sentence": {"enabled": True}},
            "single_sentence",
        ),
    ],
)
def test_the_filters_after_it_are_those_that_bear_on_credit(
    chat: list[Json], switched_on: Json, reason: str
) -> None:
    assert filtered(chat, shop_settings(filters=switched_on)) == reason


def test_credit_leaves_it_out_of_account() -> None:
    # What the buyer wrote to A in vain is still the last of A's chat with it, after that of B.
    chat = [*chat_of("A", NOON - DAY_MS), *chat_of("B", NOON - HOUR_MS), *UNANSWERED]
    assert filtered(chat) == "agent_offline"
    decision = judge(chat, [order("created", NOON + 1)], [], [], None)["jd:1", "o-1", "official"]
    assert (decision["placing"]["agent_id"], decision["placing"]["last_ts"]) == ("A", NOON)
