"""What a worker logs: its own from INFO on; of its libraries what is wrong, and that not over and over."""

from __future__ import annotations

import logging
import logging.config
import time
from collections.abc import Callable
from typing import Any

__all__ = ["LOGGING", "client_logging", "set_up"]

_CLIENTS = ("aiokafka", "rdkafka")
_HUSHED_S = 600.0


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


LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "filters": {"once": {"()": OnceOnly}, "hushed": {"()": Hushed}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["once", "hushed"]}
    },
    "root": {"level": "WARNING", "handlers": ["stderr"]},
    "loggers": {
        "stream_attr": {"level": "INFO"},
        "stream_attr.worker.transport": {"level": "WARNING"},  # mode logs the services' life under the
        "stream_attr.worker.recovery": {"level": "WARNING"},  # module of their class
    },
}
"""For Faust, which sets it up once more when it starts its worker."""


def set_up() -> None:
    """Log to standard error from now on."""
    logging.config.dictConfig(LOGGING)
