"""What ``check`` finds is what ``replay`` refuses, but for what hangs on the live stream."""

from __future__ import annotations

import json

import pytest

from stream_attr.contract.topics import DEAD_LETTERS
from stream_attr.files.jsonl import UnusableFileError
from stream_attr.generate import Plan, write
from stream_attr.replay.check import Problem, check
from stream_attr.replay.run import Inputs, replay
from stream_attr.rules.shop.days import DAY_MS

T = 1_793_500_000_000
IDS = {"shop_id": "jd:1", "buyer_id": "b-1"}
CHAT = {**IDS, "event_id": "m1", "agent_id": "A", "ts": T, "sender": "buyer"}
ORDER = {**IDS, "event_id": "e1", "order_id": "o-1", "ts": T, "type": "created", "amount": 100}


@pytest.fixture
def lines(tmp_path):
    """Writes values, dictionaries or text, to a file; returns its name."""

    def write_lines(name, *values):
        text = [value if isinstance(value, str) else json.dumps(value) for value in values]
        (tmp_path / name).write_text("".join(f"{line}\n" for line in text), encoding="utf-8")
        return str(tmp_path / name)

    return write_lines


def problems_of(inputs):
    return [found for found in check(inputs) if isinstance(found, Problem)]


def found(inputs):
    return [(problem.line, problem.code, problem.field) for problem in problems_of(inputs)]


def test_what_is_found_in_generated_traffic_is_what_a_replay_refuses(tmp_path):
    write(Plan(seed=5, events=4_000, days=4, end_ts=T), tmp_path)
    names = [str(tmp_path / f"{kind}.jsonl") for kind in ("chat", "orders", "roster", "settings")]
    inputs = Inputs(*([name] for name in names))
    refused = [json.loads(output.value) for output in replay(inputs) if output.topic == DEAD_LETTERS]
    assert {letter["code"] for letter in refused} > {"too_late", "incomplete_order", "too_large", "not_json"}
    too_late = {(letter["file"], letter["line"]) for letter in refused if letter["code"] == "too_late"}
    expected = {
        (letter["file"], letter["line"], letter["code"], letter["field"])
        for letter in refused
        if letter["code"] != "too_late"
    }
    # What came too late may be the creation of an order, or wait for one.
    problems = [one for one in problems_of(inputs) if (one.file, one.line) not in too_late]
    assert {problem[:4] for problem in problems} == expected
    assert len(problems) == len(expected)


def test_blank_lines_are_counted_and_passed_over(lines):
    assert found(Inputs(chat=[lines("chat.jsonl", "", CHAT, "  ", "{")])) == [(4, "not_json", None)]


def test_an_order_is_complete_once_any_file_tells_its_creation(lines):
    paid = {**ORDER, "event_id": "e2", "type": "paid"}
    first, second = lines("a.jsonl", paid), lines("b.jsonl", ORDER)
    assert found(Inputs(orders=[first, second])) == []
    assert found(Inputs(orders=[first])) == [(1, "incomplete_order", "order_id")]


def test_a_payment_that_names_the_creation_completes_its_order(lines):
    paid = {**ORDER, "type": "paid", "created_ts": T - DAY_MS}
    refund = {**ORDER, "event_id": "e2", "type": "refund_requested"}
    assert found(Inputs(orders=[lines("orders.jsonl", refund, paid)])) == []
    # On any other type created_ts says nothing.
    cancelled = {**ORDER, "type": "cancelled", "created_ts": T - DAY_MS}
    assert found(Inputs(orders=[lines("orders.jsonl", cancelled)])) == [(1, "incomplete_order", "order_id")]


def test_an_order_id_of_another_buyer_is_another_order(lines):
    paid = {**ORDER, "event_id": "e2", "buyer_id": "b-2", "type": "paid"}
    assert found(Inputs(orders=[lines("orders.jsonl", ORDER, paid)])) == [(2, "incomplete_order", "order_id")]


def test_a_repeated_record_waits_once(lines):
    paid = {**ORDER, "event_id": "e2", "type": "paid"}
    cancelled = {**ORDER, "event_id": "e3", "type": "cancelled"}
    assert found(Inputs(orders=[lines("orders.jsonl", paid, paid, cancelled)])) == [
        (1, "incomplete_order", "order_id"),
        (3, "incomplete_order", "order_id"),
    ]


def test_settings_have_a_history_over_all_files(lines):
    first = {"shop_id": "jd:1", "effective_from": "2026-02-01", "timezone": "Europe/Berlin"}
    past = {"shop_id": "jd:1", "effective_from": "2026-01-01"}
    other = {"shop_id": "jd:1", "effective_from": "2026-03-01", "timezone": "Asia/Shanghai"}
    settings = [lines("a.jsonl", first), lines("b.jsonl", past, other)]
    assert found(Inputs(settings=settings)) == [(2, "bad_value", "timezone")]


def test_roster_records_are_checked_too(lines):
    record = {"shop_id": "jd:1", "agent_id": "A", "role": "boss", "effective_from": "2026-01-01"}
    assert found(Inputs(roster=[lines("roster.jsonl", record)])) == [(1, "bad_value", "role")]


def test_a_missing_file_is_told_before_the_others_are_read(lines, tmp_path):
    with pytest.raises(UnusableFileError, match=r"none\.jsonl"):
        next(check(Inputs(chat=[lines("chat.jsonl", "{")], orders=[str(tmp_path / "none.jsonl")])))


@pytest.mark.parametrize(
    ("field", "message", "said"),
    [
        ("ts", "`ts`: Expected `int`", "a.jsonl:7: bad_type: ts: Expected `int`"),
        ("ts", "`ts` lies after", "a.jsonl:7: bad_type: ts: `ts` lies after"),
        (None, "no object", "a.jsonl:7: bad_type: no object"),
    ],
)
def test_a_problem_names_its_place_as_compilers_do(field, message, said):
    assert str(Problem("a.jsonl", 7, "bad_type", field, message)) == said
