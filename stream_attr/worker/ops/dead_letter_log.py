"""A word in the log on dead letters: that there are some, of which kind and where; never what they say."""

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
_LONGEST_FIELD = 60


class _DeadLetter(msgspec.Struct):
    code: str
    topic: str | None = None
    partition: int | None = None
    offset: int | None = None
    field: str | None = None


_decode = msgspec.json.Decoder(_DeadLetter).decode


@dataclass(slots=True)
class _Unreported:
    """Dead letters of one code that no line has told of yet."""

    reported_at: float
    first: _DeadLetter | None = None
    count: int = 0


class DeadLetterLog:
    """Tells of each code at once, and then of what has come since every ten seconds; from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._unreported: dict[str, _Unreported] = {}

    def add(self, outputs: Iterable[Output]) -> None:
        """Count those among the outputs of a batch that is committed."""
        letters = [_decode(output.value) for output in outputs if output.topic == DEAD_LETTERS]
        if not letters:
            return
        with self._lock:
            for letter in letters:
                unreported = self._unreported.setdefault(letter.code, _Unreported(self._clock() - _EVERY_S))
                unreported.first = unreported.first or letter
                unreported.count += 1
        self.tell()

    def tell(self, *, all_of_them: bool = False) -> None:
        """Say what may be said by now; called now and then, and in the end for ``all_of_them``."""
        with self._lock:
            now = self._clock()
            for code, unreported in self._unreported.items():
                if unreported.first is not None and (all_of_them or now - unreported.reported_at >= _EVERY_S):
                    logger.warning("%s", _line(code, unreported.count, unreported.first))
                    self._unreported[code] = _Unreported(now)


def _line(code: str, count: int, first: _DeadLetter) -> str:
    about = "" if first.field is None else f", field {_harmless(first.field)}"
    letters = "dead letter" if count == 1 else "dead letters"
    place = f"topic {first.topic}, partition {first.partition}, offset {first.offset}"
    return f"{count} {letters} {code}: {'the first' if count > 1 else 'it'} is of {place}{about}"


def _harmless(field: str) -> str:
    """A path may hold names that the sender chose: of these the log has less than a terminal may be shown."""
    return re.sub(r"[^\w.\[\]-]", "?", field, flags=re.ASCII)[:_LONGEST_FIELD]
