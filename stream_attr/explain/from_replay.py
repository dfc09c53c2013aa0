"""Decisions, and a buyer's day, from the output directory of ``stream-attr replay``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import orjson

from stream_attr.contract.topics import AGENT_DAILY, COMPARISONS, DECISIONS, FACTS, INQUIRIES
from stream_attr.errors import UnusableError
from stream_attr.explain.verify import FoundDecision
from stream_attr.explain.view import BuyerDayView, Records, contributions_of
from stream_attr.rules.shop.days import Zone, day_number
from stream_attr.rules.shop.settings import OFFICIAL

__all__ = ["UnusableOutputError", "buyer_day_from_replay", "decisions_from_replay"]

NOT_A_RECORD = (KeyError, TypeError, ValueError, OverflowError, AttributeError)
"""What decoding raises for a line that is not a record of its topic."""


class UnusableOutputError(UnusableError):
    """A file is missing, or not output of ``replay``, or lacks the order; the message names the file."""


def buyer_day_from_replay(directory: Path, shop_id: str, buyer_id: str, day: str, zone: Zone) -> BuyerDayView:
    """Return a buyer's day as the output files of a replay give it.

    ``zone``: the shop's time zone, which no output file has. Raises UnusableOutputError and NoRecordsError.
    """
    records = Records(shop_id, buyer_id, day)
    for topic in (FACTS, INQUIRIES, DECISIONS, AGENT_DAILY):
        for place, line in _lines(directory, topic, day if topic == AGENT_DAILY else buyer_id):
            try:
                records.take(topic, line)
            except NOT_A_RECORD as error:
                raise UnusableOutputError(f"{place}: not a record of {topic}: {error!r}") from error
    _check_zone(records, zone)
    return BuyerDayView(records, zone, contributions_of(records, zone))


def decisions_from_replay(directory: Path, shop: str, order: str, profile: str) -> list[FoundDecision]:
    """Return all revisions of an order under a profile, the oldest first. Raises UnusableOutputError."""
    topic = DECISIONS if profile == OFFICIAL else COMPARISONS
    found: list[FoundDecision] = []
    for place, line in _lines(directory, topic, order):
        try:
            decision = orjson.loads(line)
            key = decision["shop_id"], decision["order_id"], decision["profile"]
        except NOT_A_RECORD as error:
            raise UnusableOutputError(f"{place}: not a decision: {error!r}") from error
        if key == (shop, order, profile):
            found.append(FoundDecision(place, decision))
    if not found:
        path = directory / f"{topic}.jsonl"
        raise UnusableOutputError(
            f"{path} has no decision on order {order} of shop {shop} under profile {profile}"
        )
    return found


def _lines(directory: Path, topic: str, value: str) -> Iterator[tuple[str, bytes]]:
    """Yield the lines of a topic's file that contain a JSON string, each with its file and line number."""
    path = directory / f"{topic}.jsonl"
    needle = json.dumps(value, ensure_ascii=False).encode()
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if needle in line:
                    yield f"{path}, line {number}", line
    except FileNotFoundError as error:
        reports = topic not in (DECISIONS, COMPARISONS)
        raise UnusableOutputError(
            f"{path} does not exist: run 'stream-attr replay --out {directory} …' first"
            f"{', without --decisions-only' if reports else ''}"
        ) from error
    except OSError as error:
        raise UnusableOutputError(f"{path}: cannot be read: {error.strerror or error}") from error


def _check_zone(records: Records, zone: Zone) -> None:
    """Refuse a time zone other than the shop's: a reception fact is final when its day ends there."""
    for (day, _), fact in records.facts.items():
        if fact.final_at != zone.start_of(day_number(day) + 1):
            raise UnusableOutputError(
                f"{zone.name} is not the time zone of shop {records.shop_id}: name the shop's with --timezone"
            )
