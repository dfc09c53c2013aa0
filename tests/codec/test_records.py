"""What goes out fits its JSON Schema, and a dead letter holds what was sent (RULEBOOK 10, 11)."""

from __future__ import annotations

import hashlib
from base64 import b64decode
from collections import Counter
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from stream_attr.codec.records.dead_letter import KEPT_OF_TOO_LARGE, encode_dead_letter
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.contract.records import decision as record
from stream_attr.contract.registry import record_schema, topic_definitions
from stream_attr.contract.topics import COMPARISONS, DECISIONS, OUTPUTS, TASKS
from stream_attr.generate import Plan, write
from stream_attr.replay.run import Inputs, replay
from stream_attr.rules.order import decision
from stream_attr.rules.vocabulary import OUTCOMES, REASONS, SILENCES, STATUSES, Code

SCHEMAS = {topic: str(topic_definitions()[topic].record) for topic in OUTPUTS if topic != TASKS}
"""The record of each topic; a replay emits no tasks."""
WORDS = {
    "status": set(STATUSES),
    "reason": REASONS.keys() - {"settings"},  # only a change of settings while running gives it
    "outcome": set(OUTCOMES),
    "silence": {None, *SILENCES},
}


INPUTS = ("chat", "orders", "roster", "settings", "rulings")
"""In the order of `Inputs`."""


@pytest.fixture(scope="module")
def replayed(tmp_path_factory):
    """All that comes out of five shops' traffic, by topic, values parsed.

    Each shop has a further profile, and some of the chat comes days too late.
    """
    folder = tmp_path_factory.mktemp("traffic")
    write(Plan(seed=3, events=8_000, days=4, end_ts=1_793_500_000_000, shops=5), folder)
    settings = folder / "settings.jsonl"
    records = map(orjson.loads, settings.read_bytes().splitlines())
    profile = {"preset": "chitu", "silent_followup": {"buyer_initiated": True, "agent_initiated": True}}
    settings.write_bytes(b"\n".join(orjson.dumps({**one, "profiles": {"p": profile}}) for one in records))
    chat = (folder / "chat.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "chat.jsonl").write_bytes(b"".join([*chat[:300], *chat[600:], *chat[300:600]]))
    inputs = Inputs(*([str(folder / f"{name}.jsonl")] for name in INPUTS))
    found: dict[str, list[tuple[bytes, Any]]] = {topic: [] for topic in SCHEMAS}
    for output in replay(inputs):
        found[output.topic].append((output.key, orjson.loads(output.value)))
    return found


@pytest.mark.parametrize("topic", SCHEMAS)
def test_every_output_of_a_replay_fits_its_schema(replayed, topic):
    validator = Draft202012Validator(record_schema(SCHEMAS[topic]))
    assert len(replayed[topic]) > 5
    for _, value in replayed[topic]:
        validator.validate(value)


def test_the_sample_has_every_kind_of_decision(replayed):
    decisions = [value for topic in (DECISIONS, COMPARISONS) for _, value in replayed[topic]]
    for field, words in WORDS.items():
        assert {decision[field] for decision in decisions} == words
    assert any(decision["credit"] and decision["credit"]["basis"] == "followup" for decision in decisions)
    assert any(decision["refund_completed"] for decision in decisions)
    assert {assist["kind"] for decision in decisions for assist in decision["assists"]} == {
        "order", "payment", "followup",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (record.Picked, decision.Picked),
        (record.Credit, decision.Credit),
        (record.FollowupFigures, decision.Figures),
        (record.Candidate, decision.Candidate),
    ],
)
def test_a_decision_has_the_fields_of_the_judgement_in_their_order(ours, theirs):
    """`encode_decision` passes some of them on by position."""
    assert ours.__struct_fields__ == theirs._fields


def test_keys_and_ids_are_made_of_what_they_name(replayed):
    for topic in (DECISIONS, COMPARISONS):
        for key, value in replayed[topic]:
            stem = f"{value['shop_id']}|{value['order_id']}"
            assert key.decode() == (stem if topic == DECISIONS else f"{stem}|{value['profile']}")
            stem = f"{stem}|{value['profile']}|"
            revision = value["revision"]
            assert value["decision_id"] == f"{stem}{revision}"
            assert value["supersedes"] == (None if revision == 1 else f"{stem}{revision - 1}")
            assert value["net_amount"] == value["amount"] - value["refund_completed"]


def test_no_decision_is_emitted_twice(replayed):
    ids = Counter(value["decision_id"] for topic in (DECISIONS, COMPARISONS) for _, value in replayed[topic])
    assert max(ids.values()) == 1


def dead_letter(code=Code.BAD_VALUE, *, field="ts", key=b"k", value=b"v", file=None):
    letter = orjson.loads(
        encode_dead_letter(
            RefusedRecord(code, "what is wrong", field),
            topic="chat-events",
            partition=3,
            offset=7,
            key=key,
            value=value,
            file=file,
        )
    )
    Draft202012Validator(record_schema("dead-letter")).validate(letter)
    return letter


@pytest.mark.parametrize("value", [b"", b"{", b"\xff\xfe\x00", "祝".encode()])
def test_a_dead_letter_holds_the_bytes_that_were_sent(value):
    letter = dead_letter(key=b"\x00|\xff", value=value)
    assert (b64decode(letter["key_base64"]), b64decode(letter["value_base64"])) == (b"\x00|\xff", value)
    assert (letter["length"], letter["sha256"]) == (len(value), hashlib.sha256(value).hexdigest())
    assert (letter["code"], letter["field"], letter["message"]) == ("bad_value", "ts", "what is wrong")


def test_a_tombstone_has_no_bytes():
    letter = dead_letter(Code.NOT_JSON, field=None, key=None, value=None)
    for name in ("key_base64", "value_base64", "length", "sha256", "field"):
        assert letter[name] is None


@pytest.mark.parametrize("size", [KEPT_OF_TOO_LARGE - 1, KEPT_OF_TOO_LARGE, KEPT_OF_TOO_LARGE + 1, 300_000])
def test_of_a_too_large_record_the_first_64_kib_are_kept_and_the_length_and_sum_of_all(size):
    value = bytes(range(256)) * 2000
    value = value[:size]
    letter = dead_letter(Code.TOO_LARGE, field=None, value=value)
    assert b64decode(letter["value_base64"]) == value[: 64 * 1024]
    assert (letter["length"], letter["sha256"]) == (size, hashlib.sha256(value).hexdigest())
    assert b64decode(dead_letter(value=value)["value_base64"]) == value


def test_a_dead_letter_says_where_its_record_lay():
    from_topic, from_file = dead_letter(), dead_letter(file="chat.jsonl", key=None)
    place = ("partition", "offset", "file", "line")
    assert [from_topic[name] for name in place] == [3, 7, None, None]
    assert [from_file[name] for name in place] == [None, None, "chat.jsonl", 7]
