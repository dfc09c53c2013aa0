"""What a worker logs: its own from INFO on; of its libraries what is wrong, and that not over and over.

What an exception says may quote what was sent to us: a record's text, a request's token. So a traceback tells
its lines of code and the exception's type, and the message only of types known to quote nothing.
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

from stream_attr.codec.visible import visible

__all__ = ["LOGGING", "RateLimited", "client_logging", "log_loop_error", "set_up"]

logger = logging.getLogger(__name__)

_CLIENTS = ("aiokafka", "rdkafka")
_HUSHED_S = 600.0

_QUOTE_NOTHING = (
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
"""What these say names types, attributes, addresses and files, but no value of a record or request."""
_OUR_SENTENCES = (
    "stream_attr.kafka.",
    "stream_attr.files.",
    "stream_attr.worker.",
    "stream_attr.codec.versions",
)
"""Modules whose exceptions say what we wrote for operators."""


def client_logging() -> dict[str, Any]:
    """What a confluent-kafka client is to be told, so that its log is ours: warnings and worse."""
    return {"log_level": 4, "logger": logging.getLogger("rdkafka")}


class OnceOnly(logging.Filter):
    """Drops what mode says of an error that has been told already: once more, with an empty traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record says something."""
        told = record.exc_info is not None and record.exc_info[0] is None
        return not (told or "We experienced a crash! Reraising" in record.getMessage())


class Hushed(logging.Filter):
    """Lets the Kafka clients say each kind of thing once in ten minutes.

    While a broker is away they say the same 80 times a second. That it is away, the worker says itself.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._said: dict[tuple[object, ...], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is not a client's repeat."""
        if record.name.partition(".")[0] not in _CLIENTS:
            return True
        facility = record.args[0] if record.name == "rdkafka" and isinstance(record.args, tuple) else None
        kind = record.name, record.levelno, record.msg, facility
        now = self._clock()
        if now - self._said.get(kind, -_HUSHED_S) < _HUSHED_S:
            return False
        self._said[kind] = now
        return True


class _Quoting:
    """An exception among the arguments of a message, as it may be logged."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def __str__(self) -> str:
        return _message(self._error) or type(self._error).__name__

    def __repr__(self) -> str:
        return f"{type(self._error).__name__}({_message(self._error)})"


def _message(error: BaseException) -> str:
    """What an exception says, where that can be no value of a record or request; else nothing."""
    kind = type(error)
    # rocksdict raises bare exceptions; they name its files.
    if isinstance(error, _QUOTE_NOTHING) or kind is Exception or kind.__module__.startswith(_OUR_SENTENCES):
        return str(error)
    return ""


def _traceback(error: BaseException, seen: frozenset[int] = frozenset()) -> str:
    """Lines of code, type and harmless message of an exception and of those it came of, oldest first."""
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
    """Formats exceptions, as tracebacks or within messages, without values that they may quote."""

    def format(self, record: logging.LogRecord) -> str:
        """Format a record."""
        record = copy.copy(record)
        record.exc_text = None  # another formatter may have left its own there
        if isinstance(record.args, tuple):
            record.args = tuple(
                _Quoting(arg) if isinstance(arg, BaseException) else arg for arg in record.args
            )
        # What others chose begins no line of its own.
        record.msg, record.args = visible(record.getMessage()), None
        return super().format(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 -- logging's name
        """Format a traceback."""
        return _traceback(ei[1])


class RateLimited:
    """Logs the first of each kind of event at once, and what follows as a number once a minute.

    For what others can cause as often as they like. To be used on an event loop's thread.
    """

    def __init__(self, to: logging.Logger, period_s: float = 60.0) -> None:
        self._to = to
        self._period_s = period_s
        self._more: dict[str, int] = {}

    def say(self, level: int, kind: str, message: str, *args: object, exc_info: Any = None) -> None:
        """Log an event, or count it where one of its ``kind`` (a plural) was logged within the period."""
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
    "filters": {"once": {"()": OnceOnly}, "hushed": {"()": Hushed}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["once", "hushed"]}
    },
    "root": {"level": "WARNING", "handlers": ["stderr"]},
    "loggers": {
        "stream_attr": {"level": "INFO"},
        "stream_attr.worker.engine.transport": {"level": "WARNING"},  # mode logs the services' life under the
        "stream_attr.worker.engine.rebalance": {"level": "WARNING"},  # module of their class
        "stream_attr.worker.engine.web_server": {"level": "WARNING"},
    },
}
"""For Faust, which sets it up once more when it starts its worker."""


def set_up() -> None:
    """Log to standard error from now on, exceptions that nobody catches too."""
    logging.config.dictConfig(LOGGING)
    sys.excepthook = _log_uncaught
    threading.excepthook = lambda args: _log_uncaught(args.exc_type, args.exc_value, args.exc_traceback)
    sys.unraisablehook = lambda args: _log_uncaught(args.exc_type, args.exc_value, args.exc_traceback)


def _log_uncaught(
    kind: type[BaseException], error: BaseException | None, _frames: TracebackType | None
) -> None:
    logger.critical("an exception that nobody foresaw: %s", kind.__name__, exc_info=error)


def log_loop_error(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what asyncio reports to its exception handler, without tasks and handles, which quote values."""
    logger.error("%s", context["message"], exc_info=context.get("exception"))
