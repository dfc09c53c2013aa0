"""The history of a partition's state: which epoch wrote what, and whether topics are those of before."""

from __future__ import annotations

import pytest

from stream_attr.codec.versions import NewerVersionError
from stream_attr.contract.topics import CHAT, TICKS
from stream_attr.processor.ports import Record
from stream_attr.worker.state.lineage import Epoch, Judged, Lineage, decode_lineage, encode_lineage, new_epoch

TOPICS = {"changelog": "id-1", "chat-events": "id-2"}


def begun(*epochs, topics=TOPICS, of=None):
    lineage = of or Lineage()
    for name, begin in epochs:
        lineage = lineage.begun(name, begin, topics, "changelog")
    return lineage


def test_an_epoch_goes_from_its_begin_to_the_next_ones():
    lineage = begun(("a", 10), ("b", 20))
    assert [lineage.epoch_at(offset) for offset in (9, 10, 19, 20, 10**12)] == [None, "a", "a", "b", "b"]


def test_an_owner_that_opens_a_partition_twice_goes_on_with_its_epoch():
    assert begun(("a", 10), ("b", 20), ("b", 30)).epochs == (Epoch("a", 10), Epoch("b", 20))


def test_the_last_sixteen_epochs_are_kept():
    lineage = begun(*[(str(number), number) for number in range(20)])
    assert [epoch.name for epoch in lineage.epochs] == [str(number) for number in range(4, 20)]
    assert lineage.epoch_at(3) is None


def test_in_another_changelog_earlier_epochs_are_dropped():
    lineage = begun(("b", 3), topics={**TOPICS, "changelog": "id-9"}, of=begun(("a", 10)))
    assert lineage.epochs == (Epoch("b", 3),)


def test_topics_of_which_an_id_is_known_are_recreated_where_it_is_another_one():
    lineage = Lineage(topics=TOPICS)
    now = {"changelog": "id-1", "chat-events": "id-7", "ticks": "id-3"}
    assert lineage.recreated(now, ("changelog", "chat-events", "ticks")) == ["chat-events"]
    assert lineage.recreated({}, ("changelog", "chat-events")) == []
    assert Lineage().recreated(now, tuple(now)) == []


def test_what_is_read_back_is_what_was_written():
    lineage = begun(("a", 10), ("b", 20))
    assert decode_lineage(encode_lineage(lineage)) == lineage
    assert decode_lineage(None) == Lineage()


def test_a_record_that_the_first_version_wrote_is_read():
    stored = (
        b'{"epochs":[["0a1b2c3d",0],["ff00ff00",17]],"topics":{"ticks":"OtTNofnOR3SomXUWPZac5A"},'
        b'"judged":{"ticks":[7,18446744073709551615]},"version":1}'
    )
    lineage = decode_lineage(stored)
    assert lineage.epochs == (Epoch("0a1b2c3d", 0), Epoch("ff00ff00", 17))
    assert lineage.topics == {"ticks": "OtTNofnOR3SomXUWPZac5A"}
    assert lineage.judged == {"ticks": Judged(7, 2**64 - 1)}
    assert encode_lineage(lineage) == stored


def test_a_record_of_a_newer_program_is_refused():
    with pytest.raises(NewerVersionError, match="topic buyer-state-changelog, key lineage: this record"):
        decode_lineage(b'{"version":2,"epochs":"others"}')


def test_epochs_have_names_of_their_own():
    assert len({new_epoch() for _ in range(100)}) == 100


def record(offset, value=b"{}", topic=CHAT, timestamp=5):
    return Record(topic, 0, offset, timestamp, b"jd:1|b", value)


def test_the_last_record_of_each_input_is_kept_with_a_digest_of_all_its_parts():
    lineage = begun(("a", 0)).having_judged([record(3), record(4), record(1, topic=TICKS)])
    assert {name: judged.offset for name, judged in lineage.judged.items()} == {CHAT: 4, TICKS: 1}
    later = lineage.having_judged([record(9)])
    assert (later.judged[TICKS], later.judged[CHAT].offset) == (lineage.judged[TICKS], 9)
    same, others = record(4), [record(4, b"{ }"), record(4, timestamp=6)]
    assert lineage.having_judged([same]) == lineage
    assert all(lineage.having_judged([other]) != lineage for other in others)


def test_of_an_input_that_is_read_again_nothing_is_kept():
    lineage = begun(("a", 0)).having_judged([record(3), record(1, topic=TICKS)])
    assert set(lineage.begun("b", 7, TOPICS, "changelog", [CHAT]).judged) == {TICKS}
