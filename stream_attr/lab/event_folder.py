"""Stored events: a folder for each shop, chat by day, orders by month, so that a period reads little.

    exported.json                                   how far each topic is read, and which shops there are
    shops/jd%3A10086/chat-events/2026-11-01.jsonl   by the day of ``ts``, UTC
    shops/jd%3A10086/order-events/2026-11.jsonl     by its month, UTC
    shops/jd%3A10086/rulings.jsonl
    shops/jd%3A10086/shop-settings.jsonl
    shops/jd%3A10086/agent-roster.jsonl

Each file is one that ``stream-attr replay`` reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import quote

import msgspec
from msgspec import UNSET, Struct

from stream_attr.codec.records.order_event import decode_order
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.contract.topics import CHAT, ORDERS, ROSTER, RULINGS, SETTINGS
from stream_attr.errors import UnusableError
from stream_attr.files.inputs import Inputs
from stream_attr.files.jsonl import LinesFile
from stream_attr.rules.shop.days import DAY_MS, HOUR_MS, MINUTE_MS, day_name
from stream_attr.rules.shop.settings import Settings

__all__ = ["STATE", "VERSION", "EventFolder", "State", "Stored", "StoredShop", "file_of", "folder_name"]

STATE: Final = "exported.json"
VERSION: Final = 1
_SHOPS: Final = "shops"
_LONGEST_NAME: Final = 120
ORDERS_BEFORE_MS: Final = 90 * DAY_MS
"""An order is kept for 45 days after its last event, and a balance may be paid 40 days after the deposit."""
ORDERS_AFTER_MS: Final = 45 * DAY_MS
"""Refunds of so many days after the period count."""
MARGIN_MS: Final = 2 * DAY_MS
"""A reception may follow on one of the day before, and files are by days of UTC."""


class Reached(Struct, frozen=True):
    """How far a topic is read."""

    topic_id: str | None
    """The broker's; None: it gives none."""
    offsets: dict[int, int]
    """By partition: the next."""


class State(Struct, frozen=True):
    """What `STATE` holds."""

    version: int
    shops: dict[str, str]
    """The folder of each, below ``shops``."""
    topics: dict[str, Reached]
    lengths: dict[str, int]
    """By file, from the folder on: how many of its bytes belong to what is read; the rest was cut short."""


class _OrderTime(Struct, gc=False):
    """What is read of an order's event to know how far back its chat may lie."""

    order_id: str
    type: str
    ts: int
    created_ts: int | None = None


_order_time: Final = msgspec.json.Decoder(_OrderTime).decode


class Stored(NamedTuple):
    """Files that bear on a period."""

    inputs: Inputs
    first_chat: str | None = None
    """The first day of chat that is stored; None: it is not known, or there is none."""
    needed_from: str | None = None
    """The first day of chat on which a verdict may rest; None: it is not known."""


class EventFolder:
    """A folder that ``stream-attr lab export`` keeps up."""

    def __init__(self, folder: Path) -> None:
        """Read what it holds; raise UnusableError where it is no such folder."""
        self.folder = folder
        file = folder / STATE
        try:
            self.state = msgspec.json.decode(file.read_bytes(), type=State)
        except FileNotFoundError:
            raise UnusableError(
                f"{folder} holds no stored events (there is no {STATE}): make it with "
                f"stream-attr lab export --out {folder}"
            ) from None
        except OSError as error:
            raise UnusableError(f"{file}: {error.strerror or error}") from error
        except msgspec.DecodeError as error:
            raise UnusableError(f"{file} is not what stream-attr lab export writes: {error}") from error
        if self.state.version != VERSION:
            raise UnusableError(
                f"{file} is of version {self.state.version}, which this program does not know"
            )

    @property
    def shops(self) -> list[str]:
        """The shops of which there are events, by id."""
        return sorted(self.state.shops)

    def shop(self, shop_id: str) -> StoredShop:
        """Return what is stored of a shop; raise UnusableError where there is nothing."""
        if shop_id not in self.state.shops:
            there = ", ".join(self.shops[:20]) or "none"
            raise UnusableError(f"{self.folder} holds no events of shop {shop_id}; its shops: {there}")
        return StoredShop(self.folder / _SHOPS / self.state.shops[shop_id])


class StoredShop:
    """The files of one shop."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def settings_and_roster(self) -> Inputs:
        """The files without events."""
        return Inputs(roster=self._single(ROSTER), settings=self._single(SETTINGS))

    def bearing_on(self, start: int, end: int, settings: Iterable[Settings]) -> Stored:
        """Return the files that bear on orders paid from ``start`` to ``end``, epoch milliseconds.

        ``settings``: by which they are judged; the longest validity says how far back chat counts.
        """
        months = _between(
            self._dated(ORDERS), _month(start - ORDERS_BEFORE_MS), _month(end + ORDERS_AFTER_MS)
        )
        earliest = _earliest(months, start, end)
        longest = max((_validity_ms(one) for one in settings), default=0)
        latest = max((one.silent_followup.minutes for one in settings), default=0) * MINUTE_MS
        first = _day(min(earliest, start) - longest - MARGIN_MS)
        chats = self._dated(CHAT)
        days = _between(chats, first, _day(end + latest + MARGIN_MS))
        inputs = Inputs(
            [str(file) for file in days],
            [str(file) for file in months],
            self._single(ROSTER),
            self._single(SETTINGS),
            self._single(RULINGS),
        )
        return Stored(inputs, chats[0].stem if chats else None, first)

    def _single(self, topic: str) -> Sequence[str]:
        file = self._folder / f"{topic}.jsonl"
        return [str(file)] if file.exists() else []

    def _dated(self, topic: str) -> list[Path]:
        return sorted((self._folder / topic).glob("*.jsonl"))


def folder_name(shop_id: str) -> str:
    """Return the name of a shop's folder: one that every file system takes, and no other shop's."""
    name = quote(shop_id, safe=":").replace(":", "%3A").replace(".", "%2E")
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[:_LONGEST_NAME]}-{sha256(shop_id.encode()).hexdigest()[:16]}"


def file_of(shop_folder: str, topic: str, ts: int) -> str:
    """Return the file of an event, from the folder on."""
    if topic == CHAT:
        return f"{_SHOPS}/{shop_folder}/{topic}/{_day(ts)}.jsonl"
    if topic == ORDERS:
        return f"{_SHOPS}/{shop_folder}/{topic}/{_month(ts)}.jsonl"
    return f"{_SHOPS}/{shop_folder}/{topic}.jsonl"


def _day(ts: int) -> str:
    return day_name(ts // DAY_MS)


def _month(ts: int) -> str:
    return _day(ts)[:7]


def _between(files: list[Path], first: str, last: str) -> list[Path]:
    return [file for file in files if first <= file.stem <= last]


def _validity_ms(settings: Settings) -> int:
    """Return how far before an order its chat counts at most; natural days begin with a whole day."""
    validity = settings.validity
    if validity.hours is not None:
        return validity.hours * HOUR_MS
    return ((validity.natural_days or 0) + 1) * DAY_MS


def _earliest(files: list[Path], start: int, end: int) -> int:
    """Return when the first event was of the orders that were paid in a period; ``end``: none was."""
    first: dict[str, int] = {}
    paid: set[str] = set()
    for event in _order_times(files):
        ts = event.ts if event.created_ts is None else min(event.ts, event.created_ts)
        if ts < first.get(event.order_id, end):
            first[event.order_id] = ts
        if event.type == "paid" and start <= event.ts < end:
            paid.add(event.order_id)
    return min((first[order_id] for order_id in paid if order_id in first), default=end)


def _order_times(files: list[Path]) -> Iterator[_OrderTime]:
    for file in files:
        with LinesFile(str(file)) as lines:
            for _, value in lines:
                with suppress(RefusedRecord):
                    try:
                        yield _order_time(value)
                    except msgspec.DecodeError:  # a lone surrogate, or what the replay refuses too
                        event = decode_order(value)
                        created_ts = None if event.created_ts is UNSET else event.created_ts
                        yield _OrderTime(event.order_id, event.type, event.ts, created_ts)
