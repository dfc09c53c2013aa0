"""Logging of a worker: its own messages from INFO on, and warnings of its libraries without repeats.

An exception's message may quote input: a record's text, a request's token. So a traceback shows lines of code
and the exception's type, and the message only of types that are known not to quote input.
"""

from __future__ import annotations

import asyncio
import copy
import logging
import logging.config
import sys
import threading
import time
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any

from aiokafka.errors import KafkaError as AiokafkaError
from confluent_kafka import KafkaException

from stream_attr import files, kafka, worker
from stream_attr.codec import versions
from stream_attr.codec.visible import visible

__all__ = ["LOGGING", "RateLimited", "log_loop_error", "set_up"]

logger = logging.getLogger(__name__)

_CLIENTS = ("aiokafka", "rdkafka")
_REPEAT_AFTER_S = 600.0

_QUOTING_NO_INPUT = (
    AiokafkaError,
    ArithmeticError,
    AttributeError,
    ImportError,
    KafkaException,
    MemoryError,
    NameError,
    OSError,
    RuntimeError,
    TypeError,
)
"""Their messages name types, attributes, addresses and files, but no value of a record or request."""
_OWN_MESSAGES = (*(f"{package.__name__}." for package in (files, kafka, worker)), versions.__name__)
"""Modules whose exceptions carry messages for operators, which quote no input. (``codec.refusal`` quotes
it.)"""


class OnceOnly(logging.Filter):
    """Drops mode's second report of an error, which has an empty traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a log record is new."""
        repeated = record.exc_info is not None and record.exc_info[0] is None
        return not (repeated or "We experienced a crash! Reraising" in record.getMessage())


class WithoutRepeats(logging.Filter):
    """Passes each kind of message of the Kafka clients once in ten minutes.

    While a broker is away they repeat it 80 times a second. The worker itself logs that the broker is away.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._logged: dict[tuple[object, ...], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a log record is not a repeated message of a client."""
        if record.name.partition(".")[0] not in _CLIENTS:
            return True
        facility = record.args[0] if record.name == "rdkafka" and isinstance(record.args, tuple) else None
        kind = record.name, record.levelno, record.msg, facility
        now = self._clock()
        if now - self._logged.get(kind, -_REPEAT_AFTER_S) < _REPEAT_AFTER_S:
            return False
        self._logged[kind] = now
        return True


class _Quoting:
    """An exception among the arguments of a message, without input that it may quote."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def __str__(self) -> str:
        return _message(self._error) or type(self._error).__name__

    def __repr__(self) -> str:
        return f"{type(self._error).__name__}({_message(self._error)})"


def _message(error: BaseException) -> str:
    """The message of an exception if it quotes no input; else empty."""
    kind = type(error)
    # rocksdict raises bare exceptions; they name its files.
    if isinstance(error, _QUOTING_NO_INPUT) or kind is Exception or kind.__module__.startswith(_OWN_MESSAGES):
        return str(error)
    return ""


def _traceback(error: BaseException, seen: frozenset[int] = frozenset()) -> str:
    """Lines of code, type and safe message of an exception and of its causes, oldest first."""
    seen |= {id(error)}
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    first = "" if cause is None or id(cause) in seen else _traceback(cause, seen) + "\n\nwhich led to:\n\n"
    if isinstance(error, BaseExceptionGroup):
        first += "".join(_traceback(one, seen) + "\n\nand, of one group:\n\n" for one in error.exceptions)
    frames = "".join(traceback.format_tb(error.__traceback__))
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    message = _message(error)
    return f"{first}Traceback (most recent call last):\n{frames}{name}" + (f": {message}" if message else "")


class WithoutValues(logging.Formatter):
    """Formats exceptions, as tracebacks or within messages, without input that they may quote."""

    def format(self, record: logging.LogRecord) -> str:
        """Format a record."""
        record = copy.copy(record)
        record.exc_text = None  # another formatter may have set it
        if isinstance(record.args, tuple):
            record.args = tuple(
                _Quoting(arg) if isinstance(arg, BaseException) else arg for arg in record.args
            )
        # Text from outside must not begin a line of its own.
        record.msg, record.args = visible(record.getMessage()), None
        return super().format(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 -- logging's name
        """Format a traceback."""
        return _traceback(ei[1])


class RateLimited:
    """Logs the first event of each kind at once, and the number of further ones once a minute.

    For events that clients can cause at any rate. To be used on an event loop's thread.
    """

    def __init__(self, to: logging.Logger, period_s: float = 60.0) -> None:
        self._to = to
        self._period_s = period_s
        self._more: dict[str, int] = {}

    def log(self, level: int, kind: str, message: str, *args: object, exc_info: Any = None) -> None:
        """Log an event, or count it if one of its ``kind`` (a plural) was logged within the period."""
        if kind in self._more:
            self._more[kind] += 1
            return
        self._to.log(level, message, *args, exc_info=exc_info)
        self._begin_period(level, kind)

    def _begin_period(self, level: int, kind: str) -> None:
        self._more[kind] = 0
        asyncio.get_running_loop().call_later(self._period_s, self._end_period, level, kind)

    def _end_period(self, level: int, kind: str) -> None:
        if more := self._more.pop(kind):
            self._to.log(level, "%s: %d more within %.0f s", kind, more, self._period_s)
            self._begin_period(level, kind)


LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": WithoutValues, "format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}
    },
    "filters": {"once": {"()": OnceOnly}, "no-repeats": {"()": WithoutRepeats}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["once", "no-repeats"]}
    },
    "root": {"level": "WARNING", "handlers": ["stderr"]},
    "loggers": {
        "stream_attr": {"level": "INFO"},
        # mode logs the life cycle of services under the module of their class
        "stream_attr.worker.engine.consumer_thread": {"level": "WARNING"},
        "stream_attr.worker.engine.rebalance": {"level": "WARNING"},
        "stream_attr.worker.engine.transport": {"level": "WARNING"},
        "stream_attr.worker.engine.web_server": {"level": "WARNING"},
    },
}
"""Also given to Faust, which configures logging again when it starts its worker."""


def set_up() -> None:
    """Log to standard error from now on, uncaught exceptions included."""
    logging.config.dictConfig(LOGGING)
    sys.excepthook = _log_uncaught
    threading.excepthook = lambda args: _log_uncaught(args.exc_type, args.exc_value, args.exc_traceback)
    sys.unraisablehook = lambda args: _log_uncaught(args.exc_type, args.exc_value, args.exc_traceback)


def _log_uncaught(
    kind: type[BaseException], error: BaseException | None, _frames: TracebackType | None
) -> None:
    logger.critical("unexpected exception: %s", kind.__name__, exc_info=error)


def log_loop_error(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log errors of the event loop, without the tasks and handles, which quote input."""
    logger.error("%s", context["message"], exc_info=context.get("exception"))
