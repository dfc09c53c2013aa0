"""What the fetcher's state of a partition comes to: how far it goes, and whether there is more."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from stream_attr.worker.engine.consumer_thread import end_of
from stream_attr.worker.task.input_merge import End


def state(**changes):
    said = {"position": 5, "highwater": 9, "lso": 7, "timestamp": 1, "has_valid_position": True}
    return SimpleNamespace(**said | changes)


def test_the_end_is_the_last_stable_offset_if_the_broker_returns_one():
    assert end_of(state(), unreadable=False) == End(5, 7, 9, 1)


@pytest.mark.parametrize("lso", [None, -1])
def test_without_one_it_is_the_high_watermark(lso):
    assert end_of(state(lso=lso), unreadable=False) == End(5, 9, 9, 1)


@pytest.mark.parametrize("unknown", [{"has_valid_position": False}, {"highwater": None}])
def test_before_a_fetch_response_nothing_is_known(unknown):
    assert end_of(state(**unknown), unreadable=False) is None


def test_a_partition_that_the_broker_cannot_read_on_is_not_at_its_end():
    """All that is known is of before; orders would become final without the chat that lies behind."""
    at_its_end = state(position=9, lso=9)
    assert end_of(at_its_end, unreadable=False) == End(9, 9, 9, 1)
    assert end_of(at_its_end, unreadable=True) == End(9, 10, 10, 1)
