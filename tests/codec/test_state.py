"""State as bytes: what is read back is what was there, and what an old version wrote is read for ever."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path

import msgspec
import pytest

from stream_attr.codec.state.buyer import (
    VERSION,
    decode_buyer,
    encode_buyer,
    pending_decisions,
    read_header,
)
from stream_attr.codec.versions import NewerVersionError
from stream_attr.rules.buyer.buyer import Buyer
from stream_attr.rules.buyer.retention import Retention
from stream_attr.rules.buyer.timers import reschedule
from stream_attr.rules.buyer.verdicts import judgements, revise
from stream_attr.rules.shop.shop import Shop
from stream_attr.testing import differences
from tests.codec.state_sample import BUYER_ID, SAMPLES, contents_of, sample_buyer, sample_shop

RETENTION = Retention()


@pytest.fixture
def buyer():
    return sample_buyer()


def reread(buyer):
    return decode_buyer(encode_buyer(buyer), buyer.shop, buyer.buyer_id)


def test_what_is_read_back_is_what_was_there(buyer):
    back = reread(buyer)
    assert contents_of(back) == contents_of(buyer)
    assert (back.chat_ids, back.order_event_ids) == (buyer.chat_ids, buyer.order_event_ids)
    assert (back.due, back.buyer_id, back.shop) == (buyer.due, BUYER_ID, buyer.shop)
    assert encode_buyer(back) == encode_buyer(buyer)


def test_a_buyer_of_whom_nothing_is_known_is_read_back_too():
    back = reread(Buyer(Shop("jd:1"), "b-1"))
    assert back.is_empty
    assert back.due is None


def test_judgements_follow_from_what_was_read_back(buyer):
    back = reread(buyer)
    for order_id, order in buyer.orders.items():
        if order.created_ts is not None:
            assert judgements(back, back.orders[order_id]) == judgements(buyer, order)


def test_a_sealed_order_keeps_its_judgement_without_the_facts(buyer):
    sealed = reread(buyer).orders["o-sealed"]
    assert sealed.sealed
    assert sealed.judged == buyer.orders["o-sealed"].judged
    assert sealed.judged["official"].credit.agent_id == "A"
    assert "m9" not in buyer.chat_ids


def test_judging_goes_on_where_it_was(buyer):
    back = reread(buyer)
    assert reschedule(back, 0, RETENTION) == reschedule(buyer, 0, RETENTION)
    for order_id in ("o-sealed", "o-paid", "o-unpaid"):
        went_on, uninterrupted = (
            [revision[1:] for revision in revise(one, one.orders[order_id], 2**62, "timer")]
            for one in (back, buyer)
        )
        assert went_on == uninterrupted
    assert contents_of(back) == contents_of(buyer)


def test_the_header_says_when_it_is_due_and_what_is_pending(buyer):
    header = read_header(encode_buyer(buyer), b"jd:1|b-1")
    assert (header.version, header.due, header.pending) == (VERSION, buyer.due, pending_decisions(buyer))
    assert header.pending == 2  # o-unpaid and o-rare; the others are final or have no decision


def test_no_text_is_in_the_state(buyer):
    assert "祝生活愉快".encode() not in encode_buyer(buyer)


def test_state_of_a_newer_program_is_refused():
    newer = msgspec.msgpack.encode([VERSION + 1, None, 0, None, "whatever", {"comes": "then"}])
    with pytest.raises(
        NewerVersionError, match=f"key jd:1.b-1: this buyer's state is of version {VERSION + 1}"
    ):
        decode_buyer(newer, Shop("jd:1"), "b-1")


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("version-*.json")), ids=lambda path: path.stem)
def test_a_stored_sample_of_every_version_is_read(path: Path):
    sample = json.loads(path.read_text(encoding="utf-8"))
    data = b64decode(sample["state_base64"])
    assert read_header(data, b"jd:1|b-1").version == int(path.stem.removeprefix("version-"))
    contents = contents_of(decode_buyer(data, sample_shop(), BUYER_ID))
    assert differences(sample["tells"], contents) == []  # fields of later versions have their defaults
    if path.stem == f"version-{VERSION}":
        assert contents == sample["tells"]


def test_the_present_version_has_its_sample():
    """``python -m tests.codec.state_sample`` writes it; the samples of released versions never change."""
    assert {path.name for path in SAMPLES.glob("*.json")} == {
        f"version-{version}.json" for version in range(1, VERSION + 1)
    }
