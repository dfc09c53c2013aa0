"""Decisions, and a buyer's day, from the output directory of ``stream-attr replay``."""

from __future__ import annotations

import json
from pathlib import Path

import orjson

from stream_attr.contract.topics import AGENT_DAILY, COMPARISONS, DECISIONS, FACTS, INQUIRIES
from stream_attr.errors import UnusableError
from stream_attr.explain.from_worker import FoundDecision
from stream_attr.explain.view import BuyerDayView, Records, contributions_of
from stream_attr.rules.shop.days import Zone, day_number
from stream_attr.rules.shop.settings import OFFICIAL

__all__ = ["UnusableOutputError", "buyer_day_from_replay", "decisions_from_replay"]

NOT_A_RECORD = (KeyError, TypeError, ValueError, OverflowError, AttributeError)
"""What decoding raises for a line that is not a record of its topic."""


class UnusableOutputError(UnusableError):
    """A file is missing, or not output of ``replay``; the message names the file and the line."""


def buyer_day_from_replay(directory: Path, shop_id: str, buyer_id: str, day: str, zone: Zone) -> BuyerDayView:
    """Return a buyer's day as the output files of a replay give it.

    ``zone``: the shop's time zone, which no output file has. Raises UnusableOutputError and NoRecordsError.
    """
    records = Records(shop_id, buyer_id, day)
    for topic in (FACTS, INQUIRIES, DECISIONS, AGENT_DAILY):
        path = directory / f"{topic}.jsonl"
        needle = json.dumps(day if topic == AGENT_DAILY else buyer_id, ensure_ascii=False).encode()
        try:
            with path.open("rb") as lines:
                for number, line in enumerate(lines, 1):
                    if needle in line:
                        _take(records, topic, line, f"{path}, line {number}")
        except FileNotFoundError as error:
            raise UnusableOutputError(
                f"{path} does not exist: run 'stream-attr replay --out {directory} …' first, "
                "without --decisions-only"
            ) from error
        except OSError as error:
            raise UnusableOutputError(f"{path}: cannot be read: {error.strerror or error}") from error
    _check_zone(records, zone)
    return BuyerDayView(records, zone, contributions_of(records, zone))


def _take(records: Records, topic: str, line: bytes, place: str) -> None:
    try:
        records.take(topic, line)
    except NOT_A_RECORD as error:
        raise UnusableOutputError(f"{place}: not a record of {topic}: {error!r}") from error


def _check_zone(records: Records, zone: Zone) -> None:
    """Refuse a time zone other than the shop's: a reception fact is final when its day ends there."""
    for (day, _), fact in records.facts.items():
        if fact.final_at != zone.start_of(day_number(day) + 1):
            raise UnusableOutputError(
                f"{zone.name} is not the time zone of shop {records.shop_id}: name the shop's with --timezone"
            )


def decisions_from_replay(directory: Path, shop: str, order: str, profile: str) -> list[FoundDecision]:
    """Return all revisions of the order under the profile, the oldest first. Raises UnusableError."""
    path = directory / f"{DECISIONS if profile == OFFICIAL else COMPARISONS}.jsonl"
    found: list[FoundDecision] = []
    needle = json.dumps(order, ensure_ascii=False).encode()
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if needle not in line:
                    continue
                place = f"{path}, line {number}"
                try:
                    decision = orjson.loads(line)
                    whose = decision["shop_id"], decision["order_id"], decision["profile"]
                except (orjson.JSONDecodeError, KeyError, TypeError) as error:
                    raise UnusableError(f"{place}: not a decision: {error!r}") from error
                if whose == (shop, order, profile):
                    found.append(FoundDecision(place, decision))
    except FileNotFoundError as error:
        raise UnusableError(
            f"{path} does not exist: run 'stream-attr replay --out {directory} …' first"
        ) from error
    except OSError as error:
        raise UnusableError(f"{path}: cannot be read: {error.strerror or error}") from error
    if not found:
        raise UnusableError(f"{path} has no decision on order {order} of shop {shop} under profile {profile}")
    return found
