"""Audits of files warn of what real exports do wrong, and of nothing in sound traffic."""

from __future__ import annotations

import json
from contextlib import closing

import pytest

from stream_attr.audit import AuditWarning
from stream_attr.audit.groups import BUFFERED_RECORDS, Groups
from stream_attr.audit.warning import SHOWN_PLACES
from stream_attr.replay.check import check
from stream_attr.replay.run import Inputs
from stream_attr.rules.shop.days import DAY_MS

T = 1_793_500_000_000
IDS = {"shop_id": "jd:1", "buyer_id": "b-1"}


def chat(event_id, **fields):
    return {**IDS, "event_id": event_id, "agent_id": "A", "ts": T, "sender": "buyer", "text": "?"} | fields


def order(event_id, kind, **fields):
    return {**IDS, "event_id": event_id, "order_id": "o-1", "ts": T, "type": kind, "amount": 100} | fields


@pytest.fixture
def warned(tmp_path):
    """Writes files, a list of records each, and returns the code and the lines of each warning."""

    def run(**files):
        names = {
            kind: [write(tmp_path / f"{kind}-{number}.jsonl", records) for number, records in enumerate(some)]
            for kind, some in files.items()
        }
        return [
            (found.code, *(place.removeprefix(f"{tmp_path}/") for place in found.places))
            for found in check(Inputs(**names))
            if isinstance(found, AuditWarning)
        ]

    return run


def write(path, records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return str(path)


def test_a_repeated_event_id_with_the_same_content_is_no_warning(warned):
    assert warned(chat=[[chat("m1"), {**chat("m1"), "unknown": 1}], [chat("m1")]]) == []


def test_an_event_id_repeated_in_a_file_with_other_content(warned):
    records = [chat("m1"), chat("m1", text="!"), chat("m1", shop_id="jd:2")]
    assert warned(chat=[records]) == [("repeated_event_id", "chat-0.jsonl:2")]
    paid = [order("e1", "created"), order("e1", "paid")]
    assert warned(orders=[paid]) == [("repeated_event_id", "orders-0.jsonl:2")]


def test_daily_exports_that_restart_their_ids(warned):
    days = [[chat("1", ts=T + day * DAY_MS), chat("2", ts=T + day * DAY_MS + 1)] for day in range(2)]
    assert warned(chat=days) == [("restarted_event_ids", "chat-1.jsonl:1", "chat-1.jsonl:2")]


def test_the_same_chat_imported_under_new_ids(warned):
    first = [chat(f"m{n}", ts=T + n) for n in range(3)]
    again = [{**record, "event_id": f"new-{record['event_id']}"} for record in first[:2]]
    assert warned(chat=[first, again]) == [("repeated_chat", "chat-1.jsonl:1", "chat-1.jsonl:2")]


def test_the_same_word_twice_in_one_second_is_not_an_import(warned):
    assert warned(chat=[[chat("m1"), chat("m2"), chat("m3", ts=T + 1), chat("m4", ts=T + 2)]]) == []


def test_an_order_under_two_buyers(warned):
    guest = [order("e1", "created"), order("e2", "paid", buyer_id="b-2", created_ts=T)]
    assert warned(orders=[guest]) == [("order_of_two_buyers", "orders-0.jsonl:2")]
    assert warned(orders=[[order("e1", "created"), order("e2", "created", shop_id="jd:2")]]) == []


def test_chat_and_orders_that_name_buyers_differently(warned):
    orders = [order(f"e{n}", "created", order_id=f"o-{n}", buyer_id=f"b-{n}") for n in range(20)]
    (warning,) = warned(orders=[orders], chat=[[chat("m1", buyer_id="nickname")]])
    assert warning == ("few_buyers_with_chat", *(f"orders-0.jsonl:{n}" for n in range(1, 6)))
    assert warned(orders=[orders], chat=[[chat("m1", buyer_id="b-7")]]) == []  # 5 %
    assert warned(orders=[orders]) == []
    assert warned(orders=[orders[1:]], chat=[[chat("m1", buyer_id="nickname")]]) == []


def test_agents_that_are_not_in_the_roster_or_spelled_otherwise(warned):
    roster = [{"shop_id": "jd:1", "agent_id": "Anna", "role": "presale", "effective_from": "2026-01-01"}]
    said = [
        chat("m1", agent_id="Anna"),
        chat("m2", agent_id="anna "),
        chat("m3", agent_id="B"),
        chat("m4", agent_id="Anna", type="transfer", to_agent_id="C"),
    ]
    assert warned(chat=[said], roster=[roster]) == [
        ("agent_spelling", "chat-0.jsonl:2"),
        ("agent_not_in_roster", "chat-0.jsonl:3"),
        ("agent_not_in_roster", "chat-0.jsonl:4"),
    ]
    assert warned(chat=[said]) == [("agent_spelling", "chat-0.jsonl:2")]


def test_more_agents_than_are_named_one_by_one(warned):
    roster = [{"shop_id": "jd:1", "agent_id": "Anna", "role": "presale", "effective_from": "2026-01-01"}]
    found = warned(chat=[[chat(f"m{n}", agent_id=f"a{n}") for n in range(30)]], roster=[roster])
    assert len(found) == 21
    assert found[-1] == ("agent_not_in_roster", *(f"chat-0.jsonl:{n}" for n in range(21, 26)))


def test_a_buyer_with_very_many_orders(warned):
    orders = [order(f"e{n}", "created", order_id=f"o-{n}") for n in range(101)]
    (warning,) = warned(orders=[orders])
    assert warning == ("many_orders", *(f"orders-0.jsonl:{n}" for n in range(1, 6)))
    assert warned(orders=[orders[:100]]) == []


def test_refunds_above_the_payment(warned):
    paid = [order("e1", "created"), order("e2", "paid", amount=90)]
    refunds = [order("e3", "refund_completed", amount=50), order("e4", "refund_completed", amount=41)]
    assert warned(orders=[[*paid, *refunds]]) == [("over_refunded", "orders-0.jsonl:4")]
    assert warned(orders=[[*paid, *refunds[:1], *refunds[:1]]]) == []


def test_refunds_and_payments_are_told_apart_by_their_ids(warned):
    paid = [
        order("e1", "created"),
        order("e2", "paid", amount=60, payment_id="1"),
        order("e3", "paid", amount=40, payment_id="2", ts=T + 1),
    ]
    refunds = [order("e4", "refund_completed", amount=100, refund_id="r-1", ts=T + 2)]
    again = order("e5", "refund_completed", amount=100, refund_id="r-1", ts=T + 3)
    assert warned(orders=[[*paid, *refunds, again]]) == []
    assert warned(orders=[[*paid, *refunds, {**again, "refund_id": "r-2"}]]) == [
        ("over_refunded", "orders-0.jsonl:5")
    ]
    assert warned(orders=[[*paid, order("e6", "paid", amount=40, payment_id="2", ts=T)]]) == [
        ("several_payments", "orders-0.jsonl:3")
    ]
    assert warned(orders=[[*paid, order("e7", "cancelled", ts=T + 2), *refunds]]) == []


def test_a_second_payment(warned):
    paid = [order("e1", "created"), order("e2", "paid")]
    assert warned(orders=[[*paid, order("e3", "paid", ts=T + 1)]]) == [
        ("several_payments", "orders-0.jsonl:3")
    ]
    assert warned(orders=[[*paid, order("e3", "paid")]]) == []  # one payment under two event ids


def test_a_cancelled_order_that_was_paid_and_not_refunded_in_full(warned):
    events = [order("e1", "created"), order("e2", "paid"), order("e3", "cancelled", ts=T + 1)]
    refund = order("e4", "refund_completed", ts=T + 2)
    assert warned(orders=[events]) == [("paid_and_cancelled", "orders-0.jsonl:3")]
    assert warned(orders=[[*events, {**refund, "amount": 99}]]) == [
        ("paid_and_cancelled", "orders-0.jsonl:3")
    ]
    assert warned(orders=[[*events, refund]]) == []


def test_jumps_in_time(warned):
    days = [0, 7, 15, 14, 12]
    said = [chat(f"m{n}", ts=T + day * DAY_MS) for n, day in enumerate(days)]
    assert warned(chat=[said, said[:1]]) == [("time_jump", "chat-0.jsonl:3"), ("time_jump", "chat-0.jsonl:5")]


def test_a_warning_names_the_first_lines_their_number_and_the_remedy(tmp_path):
    records = [chat(f"m{n}", agent_id="x" if n else "X", ts=T + n) for n in range(8)]
    name = write(tmp_path / "chat.jsonl", [*records, *[chat("n", agent_id="X", text="hi")] * 7])
    (warning,) = [found for found in check(Inputs(chat=[name])) if isinstance(found, AuditWarning)]
    assert (warning.code, warning.lines_found, len(warning.places)) == ("agent_spelling", 7, SHOWN_PLACES)
    assert warning.lines() == [
        f"{name}:2: warning: agent_spelling: shop jd:1: agent 'x' differs from 'X' by case or spaces alone",
        f"  also: {name}:3, {name}:4, {name}:5, {name}:6 and 2 more",
        f"  {warning.remedy}",
    ]


def test_groups_of_more_records_than_are_kept_in_memory():
    with closing(Groups()) as groups:
        _fill_and_read(groups)


def _fill_and_read(groups):
    count = 2 * BUFFERED_RECORDS + 5
    for number in range(count):
        groups.add(number % 1000, (number % 1000, number))
    for _ in range(2):  # it can be read again
        read = 0
        for bucket in groups:
            by_key: dict[int, int] = {}
            for key, number in bucket:
                assert by_key.get(key, -1) < number
                by_key[key] = number
                read += 1
            assert all(number + 1000 >= count for number in by_key.values())
        assert read == count
