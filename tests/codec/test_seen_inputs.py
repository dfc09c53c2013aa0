"""What a worker has noticed of its inputs, as it lies in the changelog."""

from __future__ import annotations

import pytest

from stream_attr.codec.internal.seen_inputs import SeenInputs, decode_seen_inputs, encode_seen_inputs
from stream_attr.codec.versions import NewerVersionError


def test_what_is_read_back_is_what_was_written():
    seen = SeenInputs({"chat-events": (1000, 993)}, {"order-events": 2})
    assert decode_seen_inputs(encode_seen_inputs(seen)) == seen


def test_a_partition_without_a_record_has_noticed_nothing():
    assert decode_seen_inputs(None) == SeenInputs({}, {})


def test_a_record_that_the_first_version_wrote_is_read():
    stored = b'{"murmur2":{"chat-events":[7,5]},"other_content":{"rulings":1},"version":1}'
    assert decode_seen_inputs(stored) == SeenInputs({"chat-events": (7, 5)}, {"rulings": 1})


def test_a_newer_programs_record_is_refused():
    with pytest.raises(NewerVersionError):
        decode_seen_inputs(b'{"version":2,"murmur2":[1]}')
