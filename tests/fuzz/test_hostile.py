"""Some thousands of hostile records of a fixed seed; ``make fuzz`` sends a million."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from stream_attr.contract.registry import record_schema, topic_definitions
from stream_attr.contract.topics import CHAT, ORDERS
from stream_attr.rules.vocabulary import Code
from tests.fuzz.case import Outcome, judge_case


@pytest.fixture(scope="module")
def outcome():
    whole = Outcome()
    for number in range(3):
        part = judge_case(f"test/{number}", 2_000)
        whole.add(part)
        whole.accepted += part.accepted
    return whole


def test_hostile_records_are_dead_letters_and_the_others_do_not_notice(outcome):
    assert outcome.records == 6_000
    assert outcome.refused.total() > 2_000


def test_the_records_are_of_every_kind(outcome):
    assert set(outcome.refused) >= set(Code) - {Code.INCOMPLETE_ORDER, Code.TOO_LATE, Code.FUTURE_TIMESTAMP}
    assert set(outcome.outputs) >= {
        "attribution-decisions",
        "reception-facts",
        "inquiry-outcomes",
        "agent-daily",
    }
    accepted = [record.topic for record in outcome.accepted]
    assert min(accepted.count(CHAT), accepted.count(ORDERS)) > 500


def test_what_is_accepted_is_what_the_schemas_say(outcome):
    schemas = {
        topic: Draft202012Validator(record_schema(definition.record))
        for topic, definition in topic_definitions().items()
        if definition.record is not None
    }
    for record in outcome.accepted:
        schemas[record.topic].validate(json.loads(record.value))
