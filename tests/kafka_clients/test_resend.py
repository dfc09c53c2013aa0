"""Which dead letters may be sent again, under which key, and what is said of the others."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stream_attr.codec.records.dead_letter import encode_dead_letter
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.files.jsonl import UnusableFileError
from stream_attr.kafka.dead_letters import DeadLetter, Found, LettersOfFiles, Selection
from stream_attr.kafka.resend import Account, Held, Resending, Rules, Why, resend
from stream_attr.rules.vocabulary import Code

NOW = 1_793_500_000_000
MINUTE = 60_000
CHAT = {
    "event_id": "m-1",
    "shop_id": "jd:1",
    "buyer_id": "b-1",
    "agent_id": "A",
    "ts": NOW,
    "sender": "buyer",
}
RULING = {
    "event_id": "r-1",
    "shop_id": "jd:1",
    "buyer_id": "b-1",
    "order_id": "o-1",
    "ts": NOW,
    "type": "withdrawn",
    "ruled_by": "manager",
}
SETTINGS = {"shop_id": "jd:1", "effective_from": "2026-11-01"}


def data_of(value: bytes | None, code: str, **place) -> bytes:
    given = {"topic": "chat-events", "partition": 3, "offset": 1047, "key": b"jd:1|b-1", **place}
    return encode_dead_letter(RefusedRecord(Code(code), "it says why"), value=value, **given)


def letter_of(value, code: str = "future_timestamp", **place) -> DeadLetter:
    return DeadLetter(
        data_of(value if isinstance(value, bytes | None) else json.dumps(value).encode(), code, **place)
    )


def judged(letter: DeadLetter, **rules) -> Resending | Held:
    return Rules(NOW, **rules).judge(letter)


def sent_by(letter: DeadLetter, **rules) -> Resending:
    """How the record is sent again, which is not held back."""
    sending = judged(letter, **rules)
    assert isinstance(sending, Resending)
    return sending


def test_a_record_goes_out_as_it_came():
    sent = sent_by(letter_of(CHAT))
    assert (sent.letter.value, sent.key, sent.partition) == (json.dumps(CHAT).encode(), b"jd:1|b-1", 3)


def test_a_ruling_is_an_event_too():
    sent = sent_by(letter_of(RULING, topic="rulings"))
    assert (sent.key, sent.partition) == (b"jd:1|b-1", 3)
    assert judged(letter_of(RULING, "key_mismatch", topic="rulings", key=b"jd:1|b-2")) == Held(Why.KEY)
    assert judged(letter_of(RULING, "incomplete_order", topic="rulings")) == Held(Why.TOO_LATE)
    held = judged(letter_of({**RULING, "type": "credit"}, "missing_field", topic="rulings"))
    assert held == Held(Why.REFUSED, "missing_field: `credit` needs `agent_id`: an agent, or null for nobody")


def test_one_of_a_file_goes_where_its_value_says():
    sent = sent_by(letter_of(CHAT, "incomplete_order", key=None, file="chat.jsonl"))
    assert (sent.key, sent.partition) == (b"jd:1|b-1", None)


def test_one_of_a_partition_that_is_not_there_goes_where_its_key_says():
    assert sent_by(letter_of(CHAT), partitions={"chat-events": 4}).partition == 3
    assert sent_by(letter_of(CHAT), partitions={"chat-events": 3}).partition is None


@pytest.mark.parametrize("key", [b"jd:1|b-2", b"", None, b"\xff"])
def test_a_key_that_does_not_fit_is_kept_back_until_it_may_be_mended(key):
    letter = letter_of(CHAT, "key_mismatch", key=key)
    assert judged(letter) == Held(Why.KEY)
    sent = sent_by(letter, fix_key=True)
    assert (sent.key, sent.partition) == (b"jd:1|b-1", None)


def test_a_key_that_fits_is_not_mended():
    assert sent_by(letter_of(CHAT), fix_key=True).partition == 3


@pytest.mark.parametrize(("ahead", "held"), [(10 * MINUTE, False), (10 * MINUTE + 1, True)])
def test_what_still_lies_in_the_future_waits(ahead, held):
    letter = letter_of(CHAT | {"ts": NOW + ahead})
    assert (judged(letter) == Held(Why.AHEAD)) is held


@pytest.mark.parametrize(
    ("value", "code", "why"),
    [
        (None, "not_json", Why.TOMBSTONE),
        (b"x" * 300_000, "too_large", Why.PART),
        (b"{", "not_json", Why.REFUSED),
        (json.dumps(CHAT | {"sender": 1}).encode(), "bad_type", Why.REFUSED),
    ],
)
def test_what_cannot_be_used_as_it_stands_is_held_back(value, code, why):
    held = judged(letter_of(value, code), fix_key=True, insisted=frozenset(Code) | {"chat-events"})
    assert isinstance(held, Held)
    assert held.why is why
    assert ("sender" in held.detail) is (code == "bad_type")


def test_what_this_program_accepts_goes_out_whatever_it_was_refused_for():
    assert isinstance(judged(letter_of(CHAT, "bad_value")), Resending)


def test_bytes_that_somebody_has_changed_are_not_the_record():
    said = json.loads(data_of(json.dumps(CHAT).encode(), "bad_value"))
    said["value_base64"] = said["value_base64"].replace("i", "j", 1)
    assert judged(DeadLetter(json.dumps(said).encode())) == Held(Why.ALTERED)


@pytest.mark.parametrize(
    ("code", "place", "held"),
    [
        ("too_late", {}, True),
        ("too_late", {"file": "chat.jsonl"}, True),
        ("incomplete_order", {}, True),
        ("incomplete_order", {"file": "chat.jsonl"}, False),  # a file's orders are given up at its end
        ("bad_value", {}, False),
    ],
)
def test_what_was_too_old_goes_out_if_it_is_named(code, place, held):
    letter = letter_of(CHAT, code, **place)
    assert (judged(letter) == Held(Why.TOO_LATE)) is held
    assert isinstance(judged(letter, insisted=frozenset({code})), Resending)


def test_settings_go_out_if_their_topic_is_named():
    letter = letter_of(SETTINGS, "bad_value", topic="shop-settings", partition=0, key=b"jd:1")
    assert judged(letter, insisted=frozenset({"bad_value"})) == Held(Why.GLOBAL_TOPICS)
    sent = sent_by(letter, insisted=frozenset({"shop-settings"}))
    assert (sent.key, sent.partition) == (b"jd:1", 0)


def test_a_tick_goes_to_its_partition_and_no_other():
    tick: dict[str, Any] = {"topic": "ticks", "key": None}
    assert sent_by(letter_of({"ts": NOW}, **tick)).partition == 3
    assert judged(letter_of({"ts": NOW}, **tick), partitions={"ticks": 3}) == Held(Why.NOWHERE)
    assert judged(letter_of({"ts": NOW}, **tick, file="ticks.jsonl")) == Held(Why.NOWHERE)


def found(*letters: DeadLetter):
    return [Found(letter, b"", None) for letter in letters]


def test_every_letter_that_is_selected_is_accounted_for_and_each_record_sent_once():
    other = CHAT | {"event_id": "m-2"}
    letters = found(
        letter_of(CHAT),
        letter_of(CHAT, "bad_value", offset=2000),  # the same record, refused twice
        letter_of(other),
        letter_of(other | {"event_id": "m-3"}, "too_late"),
        letter_of(other, topic="order-events"),
        letter_of({"ts": NOW}, topic="ticks", key=None, partition=0),
        letter_of({"ts": NOW}, topic="ticks", key=None, partition=1),
    )
    sent: list[Resending] = []

    def send(one: Resending) -> bool:
        sent.append(one)
        return True

    account = resend(letters, Selection(), Rules(NOW), send)
    assert [one.letter for one in sent] == [letters[n].letter for n in (0, 2, 5, 6)]
    assert account.sent == {"future_timestamp": 4}
    assert account.repeats == {"bad_value": 1}
    assert account.held == {"too_late": 1, "future_timestamp": 1}
    assert account.codes == ["bad_value", "future_timestamp", "too_late"]


def test_what_the_broker_does_not_take_is_held_back():
    account = resend(found(letter_of(CHAT)), Selection(), Rules(NOW), lambda _: False, account=Account())
    assert (account.sent, list(account.why)) == ({}, [Why.TOO_LONG])


def test_of_many_the_first_few_are_named_and_all_counted():
    letters = found(*[letter_of(b"{", "not_json", offset=n) for n in range(25)])
    some = resend(letters, Selection(), Rules(NOW), lambda _: True).why[Why.REFUSED]
    assert (some.count, [letter.offset for letter, _ in some.first]) == (25, list(range(10)))


@pytest.mark.parametrize(
    ("selection", "chosen"),
    [
        (Selection(), True),
        (Selection(codes=frozenset({"bad_value", "too_late"})), True),
        (Selection(codes=frozenset({"too_late"})), False),
        (Selection(topics=frozenset({"chat-events"}), partition=3, offsets=(1047, 1047)), True),
        (Selection(topics=frozenset({"order-events"})), False),
        (Selection(partition=2), False),
        (Selection(offsets=(1048, 2000)), False),
        (Selection(offsets=(1000, 1046)), False),
        (Selection(shop_id="jd:1"), True),
        (Selection(shop_id="jd:2"), False),
        (Selection(since=NOW, before=NOW + 1), True),
        (Selection(since=NOW + 1), False),
        (Selection(before=NOW), False),
    ],
)
def test_selection(selection, chosen):
    assert (Found(letter_of(CHAT, "bad_value"), b"", NOW) in selection) is chosen


def test_the_shop_is_the_one_of_the_value_else_of_the_key():
    assert letter_of(CHAT, key=b"jd:9|b").shop_id == "jd:1"
    assert letter_of(b"{", key=b"jd:9|b").shop_id == "jd:9"
    assert letter_of(b'{"shop_id": 7}', key=None).shop_id is None


def test_a_file_of_anything_else_is_named_with_line_and_field(tmp_path):
    path = tmp_path / "letters.jsonl"
    path.write_bytes(data_of(b"{", "not_json") + b"\n" + json.dumps(CHAT).encode())
    letters = iter(LettersOfFiles([str(path)]))
    assert next(letters).letter.place == "chat-events 3@1047"
    with pytest.raises(UnusableFileError, match=r"letters.jsonl: line 2 is not a dead letter: .*`code`"):
        next(letters)
