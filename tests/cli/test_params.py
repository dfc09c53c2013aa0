"""Points in time and durations on the command line."""

from __future__ import annotations

import click
import pytest

from stream_attr.cli.params import DURATION, TIME


@pytest.mark.parametrize(
    ("said", "ts"),
    [
        ("1793500000000", 1_793_500_000_000),
        ("2026-11-01T00:00:00Z", 1_793_491_200_000),
        ("2026-11-01T00:00:00z", 1_793_491_200_000),
        ("2026-11-01t08:00:00+08:00", 1_793_491_200_000),
        ("2026-11-01 08:00:00+08:00", 1_793_491_200_000),
        ("2026-10-31T20:00:00-04:00", 1_793_491_200_000),
        ("2026-11-01T00:00:00.001Z", 1_793_491_200_001),
        ("2026-11-01T00:00:00.0019Z", 1_793_491_200_001),
        ("946684800000", 946_684_800_000),
        ("2000-01-01T00:00:00Z", 946_684_800_000),
        ("4102444799999", 4_102_444_799_999),
        ("2099-12-31T23:59:59.999Z", 4_102_444_799_999),
    ],
)
def test_time(said, ts):
    assert TIME.convert(said, None, None) == ts


@pytest.mark.parametrize(
    "said",
    [
        "", "now", "2026-11-01", "2026-11-01T00:00:00", "2026-W44-7T00:00:00Z", "2026-11-01T00:00Z",
        "2026-13-01T00:00:00Z", "2026-11-01T24:00:01Z", "2026-02-30T00:00:00Z",
        "1793500000", "946684799999", "4102444800000", "1999-12-31T23:59:59.999Z", "2100-01-01T00:00:00Z",
        "-1", "1.7935e12", "１７９３５００００００００",
    ],
)  # fmt: skip
def test_no_time(said):
    with pytest.raises(click.BadParameter):
        TIME.convert(said, None, None)


@pytest.mark.parametrize(
    ("said", "ms"),
    [
        ("500ms", 500),
        ("90s", 90_000),
        ("5m", 300_000),
        ("36h", 129_600_000),
        ("60d", 5_184_000_000),
        ("0s", 0),
    ],
)
def test_duration(said, ms):
    assert DURATION.convert(said, None, None) == ms


@pytest.mark.parametrize("said", ["", "5", "m", "5 m", "-5m", "1.5h", "1h30m", "5M", "2w"])
def test_no_duration(said):
    with pytest.raises(click.BadParameter):
        DURATION.convert(said, None, None)
