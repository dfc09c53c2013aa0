"""Filters one by one at their boundaries, and receptions that are read while they grow (RULEBOOK 4)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_attr.rules.chat.filters import filtered
from stream_attr.rules.chat.message import AGENT, AUTO_REPLY, BLANK, BROADCAST, BUYER, SUBACCOUNT, Message
from stream_attr.rules.chat.reception import Reception
from stream_attr.rules.shop.day_rules import ReceptionRules, SettingsRecord
from stream_attr.rules.shop.settings import AutoReply, Filters, Settings
from stream_attr.rules.shop.shop import Shop
from stream_attr.rules.vocabulary import Filter, Role

ADVERT_BIT = 32
ALL_OFF = Filters(agent_offline=False, broadcast=False, forwarded=False, monologue=False)
D = 20_000


def reception_rules(filters=ALL_OFF, **changes):
    return ReceptionRules(filters, BROADCAST | BLANK, 0, 2, Role.PRESALE, False, frozenset())._replace(
        **changes
    )


def messages(script, **flags):
    """Messages a millisecond apart: buyer b or s, else agent; capitals are blank; ``flags`` by letter."""
    messages = []
    for ts, letter in enumerate(script):
        side = BUYER if letter.lower() in "bs" else AGENT
        flag = BLANK if letter.isupper() else flags.get(letter, 0)
        messages.append(Message(ts, side, f"m{ts}", flag, 1, None))
    return messages


def matched(
    script, rules, *, transfer=None, role=Role.PRESALE, own=False, official=False, asked=None, **flags
):
    """``asked``: the message before which a question was handed over."""
    by_buyer = asked == 0 or script[:1].lower() in ("b", "s")
    return filtered(
        messages(script, **flags),
        transfer,
        rules,
        role,
        by_buyer=by_buyer,
        handed_over=asked is not None,
        own_account=own,
        official_account=official,
    )


@pytest.mark.parametrize(
    ("script", "empty"), [("", True), ("B", True), ("BA", True), ("Ba", False), ("bA", False)]
)
def test_empty(script, empty):
    assert (matched(script, reception_rules()) is Filter.EMPTY) is empty


@pytest.mark.parametrize("script", ["s", "bs", "ab"])
def test_buyer_subaccount(script):
    on = reception_rules(replace(ALL_OFF, buyer_subaccount=True))
    expected = Filter.BUYER_SUBACCOUNT if "s" in script else None
    assert matched(script, on, s=SUBACCOUNT) is expected
    assert matched(script, reception_rules(), s=SUBACCOUNT) is None


@pytest.mark.parametrize(
    ("script", "matches"),
    [("c", True), ("cc", True), ("ca", False), ("cb", False), ("bc", False), ("a", False)],
)
def test_broadcast(script, matches):
    on = reception_rules(replace(ALL_OFF, broadcast=True))
    assert (matched(script, on, c=BROADCAST) is Filter.BROADCAST) is matches
    assert matched(script, reception_rules(), c=BROADCAST) is None


@pytest.mark.parametrize("most", [0, 1, 2])
@pytest.mark.parametrize("replies", [0, 1, 2, 3])
def test_forwarded_with_at_most_so_many_replies_before_the_transfer(most, replies):
    on = reception_rules(replace(ALL_OFF, forwarded=True, forwarded_max_replies=most))
    script = "b" + "a" * replies + "b"
    expected = Filter.FORWARDED if replies <= most else None
    assert matched(script, on, transfer=replies + 1) is expected
    assert matched(script, on) is None  # without a transfer


def test_forwarded_counts_replies_of_a_smaller_time_and_effective_ones_only():
    on = reception_rules(replace(ALL_OFF, forwarded=True, forwarded_max_replies=1))
    assert matched("baa", on, transfer=1) is Filter.FORWARDED
    assert matched("baa", on, transfer=2) is Filter.FORWARDED  # the second one at the same millisecond
    assert matched("baa", on, transfer=3) is None
    assert matched("bacA", on, transfer=9, c=BROADCAST) is Filter.FORWARDED


@pytest.mark.parametrize("within", [1, 2, 3])
@pytest.mark.parametrize("position", [1, 2, 3, 4])
def test_advert_within_the_first_agent_messages_after_the_buyers_first(within, position):
    on = reception_rules(advert_bit=ADVERT_BIT, advert_within=within)
    script = "ab" + "a" * (position - 1) + "x"
    expected = Filter.ADVERT if position <= within else None
    assert matched(script, on, x=ADVERT_BIT) is expected


@pytest.mark.parametrize(
    ("script", "advert"),
    [
        ("xb", False),  # before the buyer's first
        ("x", False),
        ("bCx", True),  # messages of any kind are counted: the second is the phrase
        ("bCCx", False),
        ("bbax", True),  # the buyer's own are not
    ],
)
def test_advert_counts_agent_messages_of_any_kind(script, advert):
    on = reception_rules(advert_bit=ADVERT_BIT)
    assert (matched(script, on, x=ADVERT_BIT) is Filter.ADVERT) is advert


@pytest.mark.parametrize("least", [1, 2, 3])
@pytest.mark.parametrize("replies", [0, 1, 2, 3, 4])
def test_single_sentence_with_at_least_so_many_replies(least, replies):
    on = reception_rules(replace(ALL_OFF, single_sentence=True, single_sentence_min_replies=least))
    expected = Filter.SINGLE_SENTENCE if replies >= least else None
    assert matched("b" + "a" * replies, on) is expected


@pytest.mark.parametrize("script", ["abaaa", "baaab", "baaA"])
def test_no_single_sentence(script):
    """The agent began; the buyer spoke twice; only two replies are effective."""
    on = reception_rules(replace(ALL_OFF, single_sentence=True))
    assert matched(script, on) is None


@pytest.mark.parametrize("most", [0, 1, 2])
@pytest.mark.parametrize("answers", [0, 1, 2, 3])
def test_monologue_with_at_most_so_many_answers(most, answers):
    on = reception_rules(replace(ALL_OFF, monologue=True, monologue_max_buyer_messages=most))
    expected = Filter.MONOLOGUE if answers <= most else None
    assert matched("a" + "b" * answers, on) is expected
    assert matched("b" + "a" * 5, on) is None


def test_who_spoke_first_within_one_millisecond_is_the_buyer():
    on = Shop("jd:1")
    on.add_settings(SettingsRecord(D, D, Settings(filters=replace(ALL_OFF, monologue=True)), {}), "UTC")
    reception = Reception()
    reception.add(Message(5, AGENT, "a", 0, 1, None))
    reception.add(Message(5, BUYER, "z", BLANK, 0, None))
    assert reception.evaluate("b-1", "A", D, on, "official").reason is None


def test_the_first_filter_of_the_table_is_the_reason():
    """A reception that all match: each is the reason once those before it no longer match."""
    every = reception_rules(
        Filters(buyer_subaccount=True, monologue=True, monologue_max_buyer_messages=9, single_sentence=True),
        advert_bit=ADVERT_BIT,
    )
    how: dict[str, Any] = {"own": True, "official": True, "transfer": 0, "s": SUBACCOUNT, "x": ADVERT_BIT}
    assert matched("", every, **how) is Filter.EMPTY
    assert matched("asx", every, **how) is Filter.OWN_ACCOUNT
    how["own"] = False
    assert matched("asx", every, **how) is Filter.OFFICIAL_ACCOUNT
    how["official"] = False
    assert matched("asx", every, **how) is Filter.BUYER_SUBACCOUNT
    assert matched("abx", every, **how) is Filter.FORWARDED
    how["transfer"] = None
    assert matched("abx", every, **how) is Filter.ADVERT
    assert matched("baaa", every, **how) is Filter.SINGLE_SENTENCE
    assert matched("aba", every, **how) is Filter.MONOLOGUE
    assert matched("baa", every, **how) is None


def test_aftersale_agents_pass_all_but_the_fixed_filters_where_the_setting_says_so():
    on = reception_rules(Filters(), aftersale_unfiltered=True)
    for role, expected in (
        (Role.AFTERSALE, None),
        (Role.FROZEN, Filter.MONOLOGUE),
        (Role.PRESALE, Filter.MONOLOGUE),
    ):
        assert matched("a", on, role=role) is expected
    assert matched("A", on, role=Role.AFTERSALE) is Filter.EMPTY
    assert matched("a", on, role=Role.AFTERSALE, own=True) is Filter.OWN_ACCOUNT
    assert matched("a", on, role=Role.AFTERSALE, official=True) is Filter.OFFICIAL_ACCOUNT


# Growing

RULES = [
    Settings(),
    Settings(filters=Filters(buyer_subaccount=True)),
    Settings(filters=replace(ALL_OFF, single_sentence=True, single_sentence_min_replies=2)),
    Settings(filters=Filters(advert=True, advert_phrase="bye", buyer_subaccount=True)),
    Settings(auto_reply=AutoReply(identify=True), filters=Filters(forwarded_max_replies=0)),
]
MESSAGE = st.tuples(
    st.integers(0, 9),
    st.sampled_from([BUYER, AGENT]),
    st.sampled_from([0, 0, 0, BLANK, BROADCAST, AUTO_REPLY, SUBACCOUNT, ADVERT_BIT]),
)
TRANSFER = st.integers(0, 9)
HANDED_OVER = st.integers(0, 9).map(str)
BEFORE = st.lists(
    st.tuples(
        st.integers(-9, -1), st.sampled_from([BUYER, BUYER, AGENT]), st.sampled_from([0, 0, BROADCAST])
    ),
    max_size=3,
)
ROLE = st.sampled_from([Role.PRESALE, Role.FROZEN])
GROWTH = st.lists(st.one_of(MESSAGE, MESSAGE, MESSAGE, MESSAGE, TRANSFER, HANDED_OVER, ROLE), max_size=10)


@settings(max_examples=300, derandomize=True, database=None, deadline=None)
@given(GROWTH, BEFORE, st.sampled_from(RULES), st.booleans())
def test_a_reception_evaluated_while_it_grew_is_as_one_that_was_not(growth, before, rules, carried):
    rules = replace(rules, carried_questions=carried)
    shop = Shop("jd:1")
    shop.add_settings(SettingsRecord(D, D, rules, {"other": RULES[0]}), "UTC")
    grown, facts = Reception(), []
    day_before = Reception()
    for number, (ts, side, flags) in enumerate(before):
        day_before.add(Message(ts, side, f"b{number}", flags, 1, None))
    grown.before = day_before
    for number, step in enumerate(growth):
        match step:
            case (ts, side, flags):
                facts.append(Message(ts, side, f"m{number}", flags, 1, None))
                grown.add(facts[-1])
            case Role():
                shop.add_role("A", D, step)
            case str():
                grown.add_handed_over(int(step))
            case ts:
                grown.add_transfer(ts, f"t{number}")
        fresh = Reception()
        fresh.messages, fresh.transfers = sorted(facts), list(grown.transfers)
        fresh.handed_over, fresh.before = list(grown.handed_over), day_before
        for profile in ("official", "other"):
            as_grown = grown.evaluate("b-1", "A", D, shop, profile)
            as_fresh = fresh.evaluate("b-1", "A", D, shop, profile)
            assert as_grown.any_initiator <= as_fresh.any_initiator  # it may be found out later
            assert as_grown == as_fresh._replace(any_initiator=as_grown.any_initiator)
