"""Records of a newer program: whoever meets one says where it lies, and commits nothing of its batch."""

from __future__ import annotations

import msgspec
import pytest

from stream_attr.codec.versions import NewerVersionError
from stream_attr.contract.topics import BUYER_DAYS, CHAT, CLOSINGS, TICKS
from stream_attr.processor import Options, Processor, ShopRegistry
from stream_attr.processor.forgotten_orders import FORGOTTEN_MARK
from stream_attr.processor.ports import PROGRESS_KEY, Record
from stream_attr.processor.rollup import CONTRIBUTION_MARK, DAY_MARK, WATERMARKS_KEY
from stream_attr.testing import MemoryStore
from tests.processor.test_processor import KEY, NOW, Partition

STATE = msgspec.msgpack.encode([9, "whatever", {"comes": "then"}])
LONG_STATE = msgspec.msgpack.encode([9, *range(20)])


@pytest.mark.parametrize(
    ("topic", "value"),
    [
        (BUYER_DAYS, b"\x09\x99"),
        (CLOSINGS, b"\x09\x95"),
        (TICKS, b'{"ts":%d,"version":9}' % NOW),
        (TICKS, b'{"version":9}'),
    ],
)
def test_one_on_a_topic_is_named_by_topic_partition_and_offset(topic, value):
    partition = Partition()
    partition.chat()
    with pytest.raises(
        NewerVersionError, match=f"^topic {topic}, partition 3, offset 1: this .* of version 9"
    ):
        partition.send(topic, value, None)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (DAY_MARK + b"jd:1|20758", b"\x09\x97"),
        (WATERMARKS_KEY, b"\x09\x82"),
        (FORGOTTEN_MARK + KEY + b"|o-1", b"\x09"),
        (KEY, STATE),
        (KEY, LONG_STATE),
    ],
)
def test_one_in_the_state_is_named_by_its_key_before_anything_is_judged(key, value):
    store = MemoryStore()
    store.apply({key: value})
    with pytest.raises(
        NewerVersionError, match=r"^topic buyer-state-changelog, key .*: this .* of version 9"
    ):
        Processor(ShopRegistry(), store, Options()).restore(None)


def test_progress_of_a_newer_program_is_refused():
    with pytest.raises(NewerVersionError, match="topic buyer-state-changelog, key progress: this"):
        Processor(ShopRegistry(), MemoryStore(), Options()).restore(b'{"version":9,"positions":[1]}')
    assert PROGRESS_KEY == b"\x00progress"


def test_state_that_a_batch_comes_upon_is_named_by_its_key():
    """What another one wrote into the store while this judge had it; a restart would meet it at once."""
    partition = Partition()
    partition.store.apply({KEY: STATE})
    with pytest.raises(NewerVersionError, match=r"key jd:1\|b-1: this buyer's state is of version 9"):
        partition.processor.process([Record(CHAT, 3, 0, NOW, KEY, CHAT_EVENT)], frozenset())


CHAT_EVENT = (
    b'{"shop_id":"jd:1","buyer_id":"b-1","agent_id":"A","sender":"buyer","event_id":"m1","ts":%d}' % NOW
)


def test_what_a_buyer_adds_to_a_day_is_refused_by_its_key():
    store = MemoryStore()
    processor = Processor(ShopRegistry(), store, Options())
    processor.restore(None)
    store.apply({CONTRIBUTION_MARK + b"jd:1|20758|b-1": b"\x09\x99", DAY_MARK + b"jd:1|20758": DAY})
    with pytest.raises(NewerVersionError, match=r"key jd:1\|20758\|b-1: this record of a buyer's day"):
        Processor(ShopRegistry(), store, Options()).restore(None)


DAY = b"\x01" + msgspec.msgpack.encode(["jd:1", 20_758, "Asia/Shanghai", [NOW + n for n in range(5)]])
