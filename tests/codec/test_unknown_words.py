"""An unknown word is refused wherever words are distinguished: it is never taken for the last one listed."""

from __future__ import annotations

import json
from enum import Enum
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
from msgspec.structs import replace

from stream_attr.codec.records.chat_event import decode_chat, message_of
from stream_attr.codec.records.order_event import decode_order
from stream_attr.codec.records.roster import decode_roster
from stream_attr.codec.records.shop_settings import decode_settings
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.codec.state import columns
from stream_attr.contract.records.chat_event import ChatEvent
from stream_attr.contract.records.order_event import OrderEvent
from stream_attr.contract.records.roster import RosterRecord
from stream_attr.contract.records.shop_settings import Rules
from stream_attr.contract.topics import CHAT, ORDERS
from stream_attr.processor import Options, Processor, ShopRegistry
from stream_attr.processor.ports import Record
from stream_attr.rules.buyer.emitted import Emitted
from stream_attr.rules.order import attribution
from stream_attr.rules.order.decision import Figures, Verdict
from stream_attr.rules.order.intervals import NOWHERE
from stream_attr.rules.shop.shop import Shop
from stream_attr.rules.vocabulary import (
    ASSIST_KINDS,
    BASES,
    OUTCOMES,
    REASONS,
    SILENCES,
    STATE_WORDS,
    STATUSES,
    Code,
    CreditRule,
    PickRule,
    ProductPriority,
    Role,
)  # fmt: skip
from stream_attr.testing import MemoryStore

UNKNOWN: Any = "unheard-of"
TS = 1_793_500_000_000
IDS = {"event_id": "e1", "shop_id": "jd:1", "buyer_id": "b-1", "ts": TS}
MESSAGE = {**IDS, "agent_id": "anna", "sender": "buyer", "text": "hello"}
ORDER = {**IDS, "order_id": "o1", "type": "created", "amount": 1}
ROSTER = {"shop_id": "jd:1", "agent_id": "anna", "role": "presale", "effective_from": "2026-10-01"}
RULES = {"shop_id": "jd:1", "effective_from": "2026-10-01"}
FIGURES = Figures(2, 1, TS, TS, product_page=False, ordered_product=False)
KEPT: dict[str, list[str | None]] = {
    "status": [*STATUSES],
    "outcome": [*OUTCOMES],
    "silence": [*SILENCES, None],
    "basis": [*BASES, None],
    "assists": [*ASSIST_KINDS],
}
"""By field of a verdict, the words that are kept of it."""
CANDIDATES = {"anna": FIGURES, "bob": FIGURES}


def words(shape: Any) -> dict[str, tuple[Any, ...]]:
    """The fields of a record whose values are words, with the words."""
    found: dict[str, tuple[Any, ...]] = {}
    for name, hint in get_type_hints(shape).items():
        for option in [hint, *get_args(hint)]:
            if get_origin(option) is Literal:
                found[name] = get_args(option)
            elif isinstance(option, type) and issubclass(option, Enum):
                found[name] = tuple(option)
    return found


FIELDS = [
    (decode, good, name)
    for decode, good, shape in (
        (decode_chat, MESSAGE, ChatEvent),
        (decode_order, ORDER, OrderEvent),
        (decode_roster, ROSTER, RosterRecord),
        (decode_settings, RULES, Rules),
    )
    for name in words(shape)
]


def test_the_fields_with_words_are_found():
    assert {"type", "sender", "kind", "entry", "role", "credit_rule", "placing_rule", "payment_rule"} <= {
        name for *_, name in FIELDS
    }


@pytest.mark.parametrize(("decode", "good", "name"), FIELDS, ids=lambda one: one if type(one) is str else "")
def test_a_record_with_an_unknown_word_is_refused_and_the_field_named(decode, good, name):
    decode(json.dumps(good).encode())
    with pytest.raises(RefusedRecord) as refused:
        decode(json.dumps({**good, name: UNKNOWN}).encode())
    assert (refused.value.code, refused.value.field) == (Code.BAD_VALUE, name)


def test_settings_know_the_words_that_the_rules_know():
    known = words(Rules)
    assert set(known["placing_rule"]) == set(known["payment_rule"]) == set(PickRule)
    assert set(known["credit_rule"]) == set(CreditRule)
    assert set(known["product_priority"]) == set(ProductPriority)
    assert set(known["unlisted_agents"]) <= set(words(RosterRecord)["role"]) == set(Role)


@pytest.mark.parametrize(
    "judge",
    [
        lambda: attribution._pick(CANDIDATES, UNKNOWN),
        lambda: attribution._credit(
            UNKNOWN,
            attribution._pick(CANDIDATES, PickRule.LAST_CHAT),
            attribution._pick(CANDIDATES, PickRule.LAST_CHAT),
            {},
        ),
        lambda: attribution._candidates([], NOWHERE, frozenset(), UNKNOWN),
    ],
    ids=["how one is picked", "who has the credit", "who goes first"],
)
def test_an_unknown_rule_judges_nothing(judge):
    with pytest.raises(AssertionError):
        judge()


@pytest.mark.parametrize(
    ("topic", "event"),
    [
        (ORDERS, OrderEvent(**{**ORDER, "type": UNKNOWN})),
        (CHAT, ChatEvent(**{**MESSAGE, "type": UNKNOWN})),
        (CHAT, ChatEvent(**{**MESSAGE, "sender": UNKNOWN})),
        (CHAT, ChatEvent(**{**MESSAGE, "kind": UNKNOWN})),
    ],
    ids=["order event", "chat event", "sender", "kind"],
)
def test_an_event_of_an_unknown_word_is_judged_as_nothing_else(topic, event):
    """None comes out of a decoder: a word that only the decoder was taught stops the worker instead."""
    processor = Processor(ShopRegistry(), MemoryStore(), Options())
    record = Record(topic, 0, 0, TS, b"jd:1|b-1", b"{}", event)
    with pytest.raises((AssertionError, KeyError)):
        processor.process([record], frozenset())


def test_every_kind_and_sender_of_a_message_is_kept_but_system():
    shop = Shop("jd:1")
    for kind in set(words(ChatEvent)["kind"]) - {"system"}:
        for sender in words(ChatEvent)["sender"]:
            message_of(ChatEvent(**{**MESSAGE, "kind": kind, "sender": sender}), shop)


def with_word(verdict: Verdict, field: str, word: Any) -> Verdict:
    """The verdict with this word in this field, as the kind of an assist where that is the field."""
    value: Any = ((word, "anna"),) if field == "assists" else word
    return verdict._replace(**{field: value})


def test_every_word_of_a_decision_has_a_number_in_state_and_an_unknown_one_has_none():
    verdict = Verdict(*("final", "silent", None, None, None, None, None), (), 1, 1, 0, 0, TS, None, None, TS)
    for field, known in KEPT.items():
        for word in known:
            changed = with_word(verdict, field, word)
            last = columns.to_last_verdict(Emitted(1, "paid", changed))
            assert columns.to_emitted(last).verdict == changed
        with pytest.raises(KeyError):
            columns.to_last_verdict(Emitted(1, "paid", with_word(verdict, field, UNKNOWN)))
    for reason in REASONS:
        assert columns.to_emitted(columns.to_last_verdict(Emitted(1, reason, verdict))).reason == reason
    with pytest.raises(KeyError):
        columns.to_last_verdict(Emitted(1, UNKNOWN, verdict))


def test_a_number_in_state_that_is_unknown_is_not_taken_for_a_word():
    verdict = Verdict(*("final", "silent", None, None, None, None, None), (), 1, 1, 0, 0, TS, None, None, TS)
    last = columns.to_last_verdict(Emitted(1, "paid", verdict))
    for field in ("reason", "status", "outcome", "silence", "basis"):
        with pytest.raises(KeyError):
            columns.to_emitted(replace(last, **{field: max(STATE_WORDS) + 1}))
