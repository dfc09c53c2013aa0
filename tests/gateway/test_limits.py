"""Signed times and the bound on requests."""

from __future__ import annotations

import pytest

from stream_attr.gateway.checks import signed_at
from stream_attr.gateway.rate import Rate


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1772416800", 1772416800000),
        ("1772416800123", 1772416800123),
        ("2026-03-02T02:00:00Z", 1772416800000),
        ("2026-03-02T10:00:00.250+08:00", 1772416800250),
        ("2026-03-02T02:00:00", None),
        ("", None),
        ("-1", None),
        ("１７７２４１６８００", None),
        ("9" * 15, None),
        ("now", None),
    ],
)
def test_a_signed_time_is_read_or_refused(text, ms):
    assert signed_at(text) == ms


def test_a_second_has_so_many_and_a_quiet_time_saves_no_more():
    now = [0.0]
    rate = Rate(3, lambda: now[0])
    assert [rate.allows() for _ in range(4)] == [True, True, True, False]
    now[0] = 0.5  # one and a half more
    assert [rate.allows() for _ in range(2)] == [True, False]
    now[0] = 100.0
    assert [rate.allows() for _ in range(5)] == [True, True, True, False, False]
