"""Decisions, and a buyer's day, from what a replay wrote."""

from __future__ import annotations

import json
from pathlib import Path

import orjson

from stream_attr.contract.topics import AGENT_DAILY, COMPARISONS, DECISIONS, FACTS, INQUIRIES
from stream_attr.errors import UnusableError
from stream_attr.explain.from_worker import Found
from stream_attr.explain.view import Known, Records, contributions_of
from stream_attr.rules.shop.days import Zone, day_number
from stream_attr.rules.shop.settings import OFFICIAL

__all__ = ["UnusableOutputError", "from_replay", "known_from"]

NO_RECORD = (KeyError, TypeError, ValueError, OverflowError, AttributeError)
"""What goes wrong when something else than a record is read as one."""


class UnusableOutputError(UnusableError):
    """A file is none that a replay wrote; the message names it and the line."""


def known_from(directory: Path, shop_id: str, buyer_id: str, day: str, zone: Zone) -> Known:
    """Return what is known of a buyer's day by the files of a replay.

    ``zone``: the shop's; no file tells it. Raises UnusableOutputError and NothingKnownError.
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
                f"{path} is not there: run 'stream-attr replay --out {directory} …' first, "
                "without --decisions-only, which writes it"
            ) from error
        except OSError as error:
            raise UnusableOutputError(f"{path}: cannot be read: {error.strerror or error}") from error
    _check_zone(records, zone)
    return Known(records, zone, contributions_of(records, zone))


def _take(records: Records, topic: str, line: bytes, place: str) -> None:
    try:
        records.take(topic, line)
    except NO_RECORD as error:
        raise UnusableOutputError(f"{place}: no record of {topic}: {error!r}") from error


def _check_zone(records: Records, zone: Zone) -> None:
    """A fact is final when its day is over: so it tells whether days are those of a zone."""
    for (day, _), fact in records.facts.items():
        if fact.final_at != zone.start_of(day_number(day) + 1):
            raise UnusableOutputError(
                f"the days of shop {records.shop_id} are not those of {zone.name}: "
                "give the shop's own time zone with --timezone"
            )


def from_replay(directory: Path, shop: str, order: str, profile: str) -> list[Found]:
    """All revisions of the order under the profile, as replay emitted them."""
    path = directory / f"{DECISIONS if profile == OFFICIAL else COMPARISONS}.jsonl"
    found: list[Found] = []
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
                    raise UnusableError(f"{place}: no decision: {error!r}") from error
                if whose == (shop, order, profile):
                    found.append(Found(place, decision))
    except FileNotFoundError as error:
        raise UnusableError(
            f"{path} is not there: run 'stream-attr replay --out {directory} …' first, which writes it"
        ) from error
    except OSError as error:
        raise UnusableError(f"{path}: cannot be read: {error.strerror or error}") from error
    if not found:
        raise UnusableError(f"{path} has no decision on order {order} of shop {shop} under profile {profile}")
    return found
