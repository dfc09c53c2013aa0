"""Dead letters in the log: one line per code and ten seconds, without a word of what was sent."""

from __future__ import annotations

import logging

import orjson
import pytest

from stream_attr.codec.refusal import RefusedRecord
from stream_attr.contract.topics import CHAT, DEAD_LETTERS, DECISIONS, SETTINGS
from stream_attr.processor.dead_letter import dead_letter
from stream_attr.processor.ports import Output, Record
from stream_attr.rules.vocabulary import Code
from stream_attr.worker.ops.dead_letter_log import DeadLetterLog

SECRET = "I live in 5 Elm Street"


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def log(clock):
    return DeadLetterLog(clock)


def letter(code, offset, field=None, topic=CHAT):
    refusal = RefusedRecord(code, f"{SECRET} is no number", field)
    return dead_letter(refusal, Record(topic, 3, offset, 0, SECRET.encode(), SECRET.encode()), None)


def test_the_first_is_logged_at_once_with_its_place_and_field(log, caplog):
    log.add([letter(Code.BAD_TYPE, 17, "ts"), Output(DECISIONS, b"", b"{}"), letter(Code.BAD_TYPE, 18)])
    log.add([letter(Code.NOT_JSON, 4, topic=SETTINGS)])
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (
            logging.WARNING,
            "2 dead letters bad_type: the first is from topic chat-events, partition 3, offset 17, field ts",
        ),
        (logging.WARNING, "1 dead letter not_json: it is from topic shop-settings, partition 3, offset 4"),
    ]


def test_a_flood_is_a_line_per_code_and_ten_seconds(log, clock, caplog):
    for offset in range(1000):
        clock.now += 0.025
        log.add([letter(Code.TOO_LATE, offset, "ts")])
        log.report()
    log.report(final=True)
    counts = [int(record.getMessage().partition(" ")[0]) for record in caplog.records]
    assert counts == [1, 400, 400, 199]
    assert "offset 1," in caplog.records[1].getMessage()


def test_later_dead_letters_are_logged_when_due_although_no_more_arrive(log, clock, caplog):
    log.add([letter(Code.TOO_LATE, 1)])
    log.add([letter(Code.TOO_LATE, 2)])
    clock.now += 9.9
    log.report()
    assert len(caplog.records) == 1
    clock.now += 0.1
    log.report()
    log.report()
    assert len(caplog.records) == 2


def test_nothing_of_a_record_is_logged(log, caplog):
    log.add([letter(Code.BAD_VALUE, 1, f"profiles.{SECRET}\n2026 ERROR forged")])
    log.add([Output(DEAD_LETTERS, b"", orjson.dumps({"code": "not_json"}))])
    assert SECRET not in caplog.text
    assert "\n2026" not in caplog.text
