"""Reading shared by processes: a line goes whole to the one that judges it, its time to the others."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import chain
from multiprocessing.connection import Pipe
from operator import itemgetter
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_attr.contract.topics import CHAT
from stream_attr.files.inputs import Inputs
from stream_attr.files.jsonl import LinesFile
from stream_attr.processor import Share
from stream_attr.processor.ports import ForeignRecord, Record
from stream_attr.replay.run import replay
from stream_attr.replay.share_process import connected_shares
from stream_attr.replay.shared_reading import PeerLostError, SharedReading
from stream_attr.replay.sources import File, decode_all
from stream_attr.replay.steps import FilePartition, Plan
from tests.lab.files import written
from tests.properties.strategies import worlds
from tests.properties.test_invariants import examples

START = 1_735_700_000_000
DAY_MS = 86_400_000
LATEST = START + 10 * DAY_MS


def message(number, **fields):
    return {
        "event_id": f"c-{number}",
        "type": "message",
        "shop_id": "s-1",
        "buyer_id": f"b-{number % 5}",
        "agent_id": f"a-{number % 2}",
        "sender": "buyer",
        "kind": "text",
        "text": "在吗",
        "ts": START + number * 60_000,
    } | fields


def rating(number, **fields):
    event = message(number, type="rating", score=5) | fields
    return {name: value for name, value in event.items() if name not in ("sender", "kind", "text")}


def escaped(event):
    """The same event, each character of its buyer's id written as an escape."""
    buyer_id = "".join(f"\\u{ord(one):04x}" for one in event["buyer_id"])
    others = {name: value for name, value in event.items() if name != "buyer_id"}
    return json.dumps(others)[:-1].encode() + f', "buyer_id": "{buyer_id}"}}'.encode()


HOSTILE = [
    orjson.dumps(message(1)),
    json.dumps(message(2)).encode(),
    escaped(message(3)),
    orjson.dumps({"note": {"buyer_id": "b-of-another-object"}} | message(4)),
    orjson.dumps(message(5))[:-1] + b',"buyer_id":"b-that-counts"}',
    b'{"buyer_id":"b-1","ts":1735700400000,"shop_id":"s-1"}',
    b'{"ts":1735700400000}',
    b'{"buyer_id":"b-1"',
    b"no JSON",
    b"  ",
    orjson.dumps(message(6, ts=LATEST + 1)),
    orjson.dumps(message(7, ts=-5)),
    orjson.dumps(message(8, buyer_id="买家甲")),
    json.dumps(message(9, buyer_id="买家乙")).encode(),
    orjson.dumps(message(10, buyer_id="b|1")),
    orjson.dumps(rating(11)),
    orjson.dumps(rating(12, rated_ts=START)),
    escaped(rating(13, rated_ts=START - 400 * DAY_MS)),
    orjson.dumps(message(14, ts=START - 200 * DAY_MS)),
    orjson.dumps(message(15, text='"buyer_id":"b-in-a-text"')),
]


def flat(blocks):
    """The times of all blocks, and their records."""
    together = list(blocks)
    return [time for one in together for time in one.times], [
        record for one in together for record in one.records
    ]


def beside_each_other(processes, work):
    """What ``work(share, peers)`` returns for each of so many shares; threads stand for the processes."""
    with ExitStack() as stack:
        shares = connected_shares(processes, stack)
        pool = stack.enter_context(ThreadPoolExecutor(processes))
        return list(pool.map(work, *zip(*shares, strict=True)))


def shared(path, processes, block):
    """What each of several readings yields of a file: times and records."""

    def read(share, peers):
        with LinesFile(str(path)) as lines:
            return flat(SharedReading(share, peers)(File(0, CHAT, 0, lines, block), LATEST))

    return beside_each_other(processes, read)


def judged_by(processes, inputs):
    """What several shares emit of files, decisions alone, in the order of their places."""

    def judge(share, peers):
        plan = Plan(inputs, reports=False, share=share)
        batches = []
        with FilePartition(plan, SharedReading(share, peers)) as partition:
            while (batch := partition.next_batch()) is not None:
                batches.append(list(zip(batch.places, batch.outputs, strict=True)))
        return batches

    for steps in zip(*beside_each_other(processes, judge), strict=True):
        yield from [output for _, output in sorted(chain.from_iterable(steps), key=itemgetter(0))]


def check(path, lines, processes, block):
    path.write_bytes(b"\n".join(lines) + b"\n")
    with LinesFile(str(path)) as file:
        times, records = flat(decode_all(File(0, CHAT, 0, file, block), LATEST))
    found = shared(path, processes, block)
    assert len(records) == sum(not line.isspace() and line != b"" for line in lines)
    for theirs, _ in found:
        assert theirs == times
    for place, whole in enumerate(records):
        assert isinstance(whole, Record)
        given_whole = [index for index, (_, theirs) in enumerate(found) if theirs[place] == whole]
        assert len(given_whole) == 1, whole
        others = [theirs[place] for index, (_, theirs) in enumerate(found) if index not in given_whole]
        event = whole.event
        if event is None or event.ts > LATEST:
            assert set(others) <= {ForeignRecord(CHAT, None)}
            continue
        assert Share(given_whole[0], processes).has(f"{event.shop_id}|{event.buyer_id}".encode())
        rated_ts = event.rated_ts if event.type == "rating" and isinstance(event.rated_ts, int) else None
        assert set(others) <= {ForeignRecord(CHAT, event.ts, rated_ts)}


@pytest.mark.parametrize("processes", [2, 3, 5])
@pytest.mark.parametrize("block", [1, 500, 1 << 19])
def test_each_line_is_whole_for_one_process_and_a_time_for_the_others(tmp_path, processes, block):
    check(tmp_path / "chat.jsonl", HOSTILE, processes, block)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from(HOSTILE) | st.binary(max_size=40).map(lambda line: line.replace(b"\n", b""))),
    st.integers(2, 4),
    st.sampled_from([1, 300, 1_000]),
)
def test_whatever_the_lines_are(tmp_path_factory, lines, processes, block):
    check(tmp_path_factory.mktemp("lines") / "chat.jsonl", [HOSTILE[0], *lines], processes, block)


@examples(20, compiled=400)
@given(worlds(), st.integers(2, 5), st.randoms(use_true_random=False))
def test_shares_of_any_world_emit_what_one_processor_does(tmp_path_factory, world, processes, chance):
    inputs = written(tmp_path_factory.mktemp("world"), **vars(world))
    for name in (*inputs.chat, *inputs.orders, *inputs.rulings):
        path = Path(name)
        lines = path.read_bytes().splitlines(keepends=True)
        for _ in range(chance.randrange(4) if lines else 0):  # some come late
            late = lines.pop(chance.randrange(len(lines)))
            lines.insert(chance.randrange(len(lines) + 1), late)
        path.write_bytes(b"".join(lines))
    assert list(judged_by(processes, inputs)) == list(replay(inputs, reports=False))


@pytest.mark.parametrize("processes", [2, 3])
def test_hostile_lines_are_judged_and_refused_as_one_process_does(tmp_path, processes):
    later = [message(number, ts=START + 50 * DAY_MS + number) for number in range(20, 40)]
    again = [message(number, ts=START + number, event_id=f"late-{number}") for number in range(40, 60)]
    orders = [
        {
            "event_id": f"o-{number}-{kind}",
            "type": kind,
            "shop_id": "s-1",
            "buyer_id": f"b-{number % 5}",
            "order_id": f"order-{number}",
            "ts": START + number * 3_600_000 + (kind == "paid"),
            "amount": 100,
            "currency": "CNY",
        }
        for number in range(30)
        for kind in ("created", "paid")
    ]
    files = {
        "chat-1": HOSTILE,
        "chat-2": [orjson.dumps(one) for one in (*later, *again)],
        "orders-1": [
            escaped(one) if number % 7 == 0 else orjson.dumps(one) for number, one in enumerate(orders)
        ],
        "orders-2": [orjson.dumps(orders[-1] | {"event_id": "last", "ts": START + 60 * DAY_MS})],
    }
    names = {name: tmp_path / f"{name}.jsonl" for name in files}
    for name, lines in files.items():
        names[name].write_bytes(b"\n".join(lines) + b"\n")
    inputs = Inputs(
        chat=[str(path) for name, path in names.items() if "chat" in name],
        orders=[str(path) for name, path in names.items() if "orders" in name],
    )
    alone = list(replay(inputs, wall_clock_ts=LATEST + 60 * DAY_MS))
    assert {b'"too_late"', b'"not_json"', b'"missing_field"', b'"bad_value"'} <= {
        code for code in CODES for output in alone if b'"code":' + code in output.value
    }
    assert list(replay(inputs, wall_clock_ts=LATEST + 60 * DAY_MS, processes=processes)) == alone


CODES = [b'"too_late"', b'"not_json"', b'"missing_field"', b'"bad_value"']


def test_a_process_that_has_ended_is_named(tmp_path):
    path = tmp_path / "chat.jsonl"
    path.write_bytes(b"\n".join(HOSTILE))
    near, far = Pipe()
    far.close()
    with near, LinesFile(str(path)) as lines, pytest.raises(PeerLostError) as lost:
        list(SharedReading(Share(0, 2), {1: near})(File(0, CHAT, 0, lines, 400), LATEST))
    assert lost.value.index == 1


def test_a_byte_order_mark_and_other_line_ends_change_nothing(tmp_path):
    first, second = (orjson.dumps(message(number)) for number in (1, 2))
    path = tmp_path / "chat.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + first + b"\r\n\r\n" + second)
    for times, records in shared(path, 2, 1 << 19):
        assert times == [START + 60_000, START + 120_000]
        values = {record.offset: record.value for record in records if isinstance(record, Record)}
        assert values.items() <= {1: first, 3: second}.items()
    path.write_bytes(b"\xef\xbb\xbf")
    assert shared(path, 2, 1 << 19) == [([], [])] * 2
