"""Logs dead letters: their number, code and place; never their contents."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import msgspec

from stream_attr.contract.topics import DEAD_LETTERS
from stream_attr.processor.ports import Output

__all__ = ["DeadLetterLog"]

logger = logging.getLogger(__name__)

_EVERY_S = 10.0
_MAX_FIELD_LENGTH = 60


class _DeadLetter(msgspec.Struct):
    code: str
    topic: str | None = None
    partition: int | None = None
    offset: int | None = None
    field: str | None = None


_decode = msgspec.json.Decoder(_DeadLetter).decode


@dataclass(slots=True)
class _Unreported:
    """Dead letters of one code that are not logged yet."""

    reported_at: float
    first: _DeadLetter | None = None
    count: int = 0


class DeadLetterLog:
    """Logs each code at once, then its new dead letters every ten seconds; may be used from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._unreported: dict[str, _Unreported] = {}

    def add(self, outputs: Iterable[Output]) -> None:
        """Count the dead letters among the outputs of a committed batch."""
        letters = [_decode(output.value) for output in outputs if output.topic == DEAD_LETTERS]
        if not letters:
            return
        with self._lock:
            for letter in letters:
                unreported = self._unreported.setdefault(letter.code, _Unreported(self._clock() - _EVERY_S))
                unreported.first = unreported.first or letter
                unreported.count += 1
        self.report()

    def report(self, *, final: bool = False) -> None:
        """Log what is due; called every second, and with ``final`` at the end for all the rest."""
        with self._lock:
            now = self._clock()
            for code, unreported in self._unreported.items():
                if unreported.first is not None and (final or now - unreported.reported_at >= _EVERY_S):
                    logger.warning("%s", _line(code, unreported.count, unreported.first))
                    self._unreported[code] = _Unreported(now)


def _line(code: str, count: int, first: _DeadLetter) -> str:
    about = "" if first.field is None else f", field {_harmless(first.field)}"
    letters = "dead letter" if count == 1 else "dead letters"
    place = f"topic {first.topic}, partition {first.partition}, offset {first.offset}"
    return f"{count} {letters} {code}: {'the first' if count > 1 else 'it'} is from {place}{about}"


def _harmless(field: str) -> str:
    """Mask a path, which may hold names that the sender chose, so that it is safe in a log."""
    return re.sub(r"[^\w.\[\]-]", "?", field, flags=re.ASCII)[:_MAX_FIELD_LENGTH]
