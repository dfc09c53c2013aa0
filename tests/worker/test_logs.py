"""What the log says of an exception: where it was and of which type, and no value that it may quote."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys

import orjson
import pytest
from confluent_kafka import KafkaError, KafkaException

from stream_attr.worker.ops.logs import RateLimited, WithoutValues
from stream_attr.worker.task.committer import CommitError

MARKER = "marker-5d0c-of-what-was-said"
NOTHING: dict[str, str] = {}


def formatted(message, *args, error=None):
    exc_info = None if error is None else (type(error), error, error.__traceback__)
    record = logging.LogRecord("x", logging.ERROR, __file__, 1, message, args, exc_info)
    return WithoutValues("%(message)s").format(record)


def raised(call):
    try:
        call()
    except BaseException as error:
        return error
    raise AssertionError


def test_what_others_chose_begins_no_line_of_its_own():
    assert formatted("refused: %s", "no\n2026-11-01 CRITICAL forged\x1b[2J") == (
        "refused: no\\n2026-11-01 CRITICAL forged\\x1b[2J"
    )


def of_a_cause():
    try:
        NOTHING[MARKER]
    except KeyError as error:
        raise RuntimeError("a sentence") from error


def in_a_context():
    try:
        NOTHING[MARKER]
    finally:
        int("x")


def noted():
    error = ValueError("x")
    error.add_note(MARKER)
    raise error


def grouped():
    raise ExceptionGroup(MARKER, [ValueError(MARKER), KeyError(MARKER)])


QUOTING = {
    "key": lambda: NOTHING[MARKER],
    "number": lambda: int(MARKER),
    "encoding": (MARKER + "\ud800").encode,
    "decoding": (MARKER.encode() + b"\xff").decode,
    "json": lambda: orjson.loads(f'{{"{MARKER}'),
    "assertion": lambda: exec("assert not m, m", {"m": MARKER}),
    "cause": of_a_cause,
    "context": in_a_context,
    "note": noted,
    "group": grouped,
}


@pytest.mark.parametrize("call", QUOTING.values(), ids=QUOTING)
def test_a_value_that_an_exception_quotes_is_not_in_the_log(call):
    error = raised(call)
    told = formatted("it failed", error=error)
    assert "test_logs.py" in told
    assert type(error).__name__ in told
    assert MARKER not in told
    assert MARKER not in formatted("crashed reason=%r: %s", error, error)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (RuntimeError("a sentence"), "RuntimeError: a sentence"),
        (FileNotFoundError(2, "No such file", "/data/0"), "No such file: '/data/0'"),
        (KafkaException(KafkaError(KafkaError._ALL_BROKERS_DOWN)), "_ALL_BROKERS_DOWN"),
        (CommitError("the broker is away"), "CommitError: the broker is away"),
    ],
)
def test_messages_known_to_quote_nothing_are_logged_in_full(error, says):
    assert says in formatted("it failed", error=error)


def test_the_cause_is_logged_before_its_consequence():
    told = formatted("it failed", error=raised(of_a_cause))
    assert told.index("KeyError") < told.index("which led to") < told.index("RuntimeError: a sentence")


@pytest.mark.parametrize(
    "where",
    [
        "int(marker)",
        "import threading; t = threading.Thread(target=int, args=[marker]); t.start(); t.join()",
        "type('Odd', (), {'__del__': lambda self: int(marker)})()",
    ],
    ids=["main thread", "thread", "finalizer"],
)
def test_an_exception_that_nobody_catches_is_logged_without_values(where):
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from stream_attr.worker.ops.logs import set_up; set_up(); marker = sys.argv[1]; "
            + where,
            MARKER,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "CRITICAL stream_attr.worker.ops.logs: unexpected exception: ValueError" in done.stderr
    assert "Traceback" in done.stderr
    assert MARKER not in done.stderr


async def test_what_happens_often_is_logged_once_and_then_counted(caplog):
    limited = RateLimited(logging.getLogger("x"), period_s=0.05)
    for number in range(5):
        limited.log(logging.WARNING, "odd things", "an odd thing from %s", number)
    limited.log(logging.WARNING, "other things", "another thing")
    assert caplog.messages == ["an odd thing from 0", "another thing"]
    async with asyncio.timeout(30):
        while limited._more:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert caplog.messages[2:] == ["odd things: 4 more within 0 s"]
    limited.log(logging.WARNING, "odd things", "an odd thing from %s", 7)
    assert caplog.messages[3:] == ["an odd thing from 7"]
