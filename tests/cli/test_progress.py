"""The line by which long work shows that it goes on."""

from __future__ import annotations

import io

import pytest

from stream_attr.cli.progress import Progress, of_resending, of_sending


@pytest.fixture(autouse=True)
def no_progress() -> None:
    """Here it is shown."""


def test_progress_shows_itself_now_and_then():
    now = [0.0]
    shown = io.StringIO()
    progress = Progress("published", shown, clock=lambda: now[0])
    for records in range(1, 13):
        now[0] += 1
        progress(records * 1000)
    progress.clear()
    assert shown.getvalue() == "published 5,000 records, 1,000/s\npublished 10,000 records, 1,000/s\n"


def test_progress_says_nothing_before_there_is_a_number():
    now = [0.0]
    shown = io.StringIO()
    progress = Progress("replayed", shown, clock=lambda: now[0])
    for records in (0, 0, 5_000):
        now[0] += 10
        progress(records)
    assert shown.getvalue() == "replayed 5,000 records, 167/s\n"


def test_progress_of_a_known_total_is_a_bar():
    now = [0.0]
    shown = io.StringIO()
    progress = Progress("imported", shown, clock=lambda: now[0], total=20_000)
    for records in (999, 1000, 19_999, 20_000, 20_001):
        now[0] += 10
        progress(records)
    assert [line.partition("/s ")[2] for line in shown.getvalue().splitlines()] == [
        "[--------------------] 4%",
        "[#-------------------] 5%",
        "[###################-] 99%",
        "[####################] 100%",
        "[####################] 100%",
    ]


def test_progress_of_sending_says_for_what_it_waits():
    now = [0.0]
    shown = io.StringIO()
    show = of_sending(Progress("published", shown, clock=lambda: now[0]), "kafka:9092", 600_000)
    for silent_s in (0.0, 4.9, 5.0, 1234.0):
        now[0] += 5
        show(1000, silent_s)
    assert shown.getvalue().splitlines() == [
        "published 1,000 records, 200/s",
        "published 1,000 records, 100/s",
        "published 1,000 records, no answer from kafka:9092 for 5 s, waiting up to 600 s",
        "published 1,000 records, no answer from kafka:9092 for 1,234 s, waiting up to 600 s",
    ]


def test_progress_of_resending_is_one_line_for_what_is_read_and_what_is_sent():
    now = [0.0]
    shown = io.StringIO()
    progress = Progress("read", shown, clock=lambda: now[0])
    on_read, on_sent = of_resending(progress, "kafka:9092", 600_000)
    for step in (
        lambda: on_read(1000),
        lambda: on_sent(300, 0.0),
        lambda: on_read(2000),
        lambda: on_sent(300, 7.0),
    ):
        now[0] += 5
        step()
    assert shown.getvalue().splitlines() == [
        "read 1,000 records, 200/s",
        "read 1,000 records, 300 sent",
        "read 2,000 records, 300 sent",
        "read 2,000 records, 300 sent, no answer from kafka:9092 for 7 s, waiting up to 600 s",
    ]
