"""How far a partition was read, as it lies in the changelog."""

from __future__ import annotations

import pytest

from stream_attr.codec.internal.progress import Progress, decode_progress, encode_progress


@pytest.mark.parametrize("watermark", [None, 0, 1_793_500_000_000, 2**62])
def test_what_is_read_back_is_what_was_written(watermark):
    progress = Progress({"chat-events": 7, "ticks": 0}, {"chat-events": 1_793_500_000_000}, watermark)
    assert decode_progress(encode_progress(progress)) == progress


def test_a_record_that_the_first_version_wrote_is_read():
    stored = b'{"offsets":{"chat-events":7},"seen":{"chat-events":5},"watermark":4,"version":1}'
    assert decode_progress(stored) == Progress({"chat-events": 7}, {"chat-events": 5}, 4)


def test_a_further_field_of_this_version_is_passed_over():
    stored = b'{"offsets":{},"seen":{},"watermark":null,"version":1,"more":[1]}'
    assert decode_progress(stored) == Progress({}, {}, None)
