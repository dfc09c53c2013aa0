"""Decisions, and a buyer's day, from the output directory of ``stream-attr replay``."""

from __future__ import annotations

import json
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import orjson

from stream_attr.codec.surrogates import loads
from stream_attr.contract.topics import (
    AGENT_DAILY,
    CHAT,
    COMPARISONS,
    DEAD_LETTERS,
    DECISIONS,
    FACTS,
    INQUIRIES,
)
from stream_attr.errors import UnusableError
from stream_attr.explain.verify import FoundDecision
from stream_attr.explain.view import BuyerDayView, Records, contributions_of
from stream_attr.explain.why_not import AgentReception
from stream_attr.explain.writer import NO_NAMES
from stream_attr.rules.shop.days import Zone, day_number
from stream_attr.rules.shop.settings import OFFICIAL

__all__ = [
    "UnusableOutputError",
    "agents_from_replay",
    "buyer_day_from_replay",
    "decisions_from_replay",
    "receptions_from_replay",
    "refused_from_replay",
]

NOT_A_RECORD = (KeyError, TypeError, ValueError, OverflowError, AttributeError)
"""What decoding raises for a line that is not a record of its topic."""


class UnusableOutputError(UnusableError):
    """A file is missing, or not output of ``replay``, or lacks the order; the message names the file."""


def buyer_day_from_replay(
    directory: Path,
    shop_id: str,
    buyer_id: str,
    day: str,
    zone: Zone,
    names: Mapping[str, str] = NO_NAMES,
) -> BuyerDayView:
    """Return a buyer's day as the output files of a replay give it.

    ``zone``: the shop's time zone and day cut, which no output file has. ``names``: the agents', by id.
    Raises UnusableOutputError and NoRecordsError.
    """
    records = Records(shop_id, buyer_id, day)
    for topic in (FACTS, INQUIRIES, DECISIONS, AGENT_DAILY):
        for place, line in _lines(directory, topic, day if topic == AGENT_DAILY else buyer_id):
            try:
                records.take(topic, line)
            except NOT_A_RECORD as error:
                raise _unreadable(place, topic, error) from error
    _check_zone(records, zone)
    return BuyerDayView(records, zone, contributions_of(records, zone), names=names)


def decisions_from_replay(directory: Path, shop: str, order: str, profile: str) -> list[FoundDecision]:
    """Return all revisions of an order under a profile, the oldest first. Raises UnusableOutputError."""
    topic = DECISIONS if profile == OFFICIAL else COMPARISONS
    found: list[FoundDecision] = []
    for place, line in _lines(directory, topic, order):
        try:
            decision = orjson.loads(line)
            key = decision["shop_id"], decision["order_id"], decision["profile"]
        except NOT_A_RECORD as error:
            raise _unreadable(place, topic, error) from error
        if key == (shop, order, profile):
            found.append(FoundDecision(place, decision))
    if not found:
        path = directory / f"{topic}.jsonl"
        raise UnusableOutputError(
            f"{path} has no decision on order {order} of shop {shop} under profile {profile}"
        )
    return found


_OF_RECEPTION = ("day", "first_ts", "last_ts", "filtered", "role", "agent_messages")


def receptions_from_replay(directory: Path, shop: str, buyer: str, agent: str) -> list[AgentReception] | None:
    """Return an agent's receptions with a buyer; None: the replay wrote no facts.

    Raises UnusableOutputError.
    """
    if not (directory / f"{FACTS}.jsonl").exists():
        return None
    found: dict[str, AgentReception] = {}
    for place, line in _lines(directory, FACTS, buyer):
        try:
            fact = orjson.loads(line)
            if (fact["shop_id"], fact["buyer_id"], fact["agent_id"]) == (shop, buyer, agent):
                found[fact["day"]] = AgentReception.recorded(*(fact[name] for name in _OF_RECEPTION))
        except NOT_A_RECORD as error:
            raise _unreadable(place, FACTS, error) from error
    return [found[day] for day in sorted(found)]


def agents_from_replay(directory: Path, shop: str) -> set[str] | None:
    """Return the ids of all agents who had a reception in a shop; None: the replay wrote no facts.

    Raises UnusableOutputError.
    """
    if not (directory / f"{FACTS}.jsonl").exists():
        return None
    agents: set[str] = set()
    for place, line in _lines(directory, FACTS, shop):
        try:
            fact = orjson.loads(line)
            if fact["shop_id"] == shop:
                agents.add(fact["agent_id"])
        except NOT_A_RECORD as error:
            raise _unreadable(place, FACTS, error) from error
    return agents


def refused_from_replay(directory: Path, shop: str, buyer: str, agent: str) -> list[tuple[str, int]]:
    """Return how many chat events of a pair are dead letters, by code. Raises UnusableOutputError."""
    codes: Counter[str] = Counter()
    for place, line in _lines(directory, DEAD_LETTERS, CHAT):
        try:
            letter = orjson.loads(line)
            sent = b64decode(letter["value_base64"] or "")
            code = letter["code"]
        except NOT_A_RECORD as error:
            raise _unreadable(place, DEAD_LETTERS, error) from error
        try:
            event = loads(sent)
            pair = event["shop_id"], event["buyer_id"], event["agent_id"]
        except NOT_A_RECORD:
            continue  # it cannot be read, so nobody can say whose it is
        if pair == (shop, buyer, agent):
            codes[code] += 1
    return sorted(codes.items())


def _lines(directory: Path, topic: str, value: str) -> Iterator[tuple[str, bytes]]:
    """Yield the lines of a topic's file that contain a JSON string, each with its file and line number.

    Raises UnusableOutputError; also for a line that was cut off, whatever it contains.
    """
    path = directory / f"{topic}.jsonl"
    needle = json.dumps(value, ensure_ascii=False).encode()
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                place = f"{path}, line {number}"
                if not line.endswith(b"}\n"):
                    _check_whole(place, topic, line)
                if needle in line:
                    yield place, line
    except FileNotFoundError as error:
        reports = topic not in (DECISIONS, COMPARISONS)
        raise UnusableOutputError(
            f"{path} does not exist: run 'stream-attr replay --out {directory} …' first"
            f"{', without --decisions-only' if reports else ''}"
        ) from error
    except OSError as error:
        raise UnusableOutputError(f"{path}: cannot be read: {error.strerror or error}") from error


def _check_whole(place: str, topic: str, line: bytes) -> None:
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise _unreadable(place, topic, error) from error


def _unreadable(place: str, topic: str, error: Exception) -> UnusableOutputError:
    """Say what is wrong with a line, as ``ledger --from`` does."""
    why = error if isinstance(error, ValueError) else repr(error)
    return UnusableOutputError(
        f"{place}: it is not a record of {topic}: {why}; write the folder again with stream-attr replay"
    )


def _check_zone(records: Records, zone: Zone) -> None:
    """Refuse other days than the shop's: a reception fact is final when its day ends."""
    for (day, _), fact in records.facts.items():
        if fact.final_at != zone.start_of(day_number(day) + 1):
            raise UnusableOutputError(
                f"days that begin at {zone.day_cut} in {zone.name} are not those of shop {records.shop_id}: "
                "name the shop's with --timezone and --day-cut"
            )
