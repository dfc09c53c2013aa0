"""Rule sets to be tried, and the settings records that let one replay judge all of them (RULEBOOK 3).

One rule set is the official settings of the replay, the others are its profiles: the processor judges every
order under all of them in one pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import orjson

from stream_attr.codec.records.shop_settings import ShopSettings, decode_settings
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.codec.surrogates import loads
from stream_attr.errors import UnusableError
from stream_attr.files.jsonl import LinesFile
from stream_attr.rules.shop.days import MIDNIGHT, Zone, zone
from stream_attr.rules.shop.settings import DEFAULT_TIMEZONE, OFFICIAL, PRESETS, Settings

__all__ = ["AS_IT_STOOD", "Composed", "RuleSet", "bare_rules", "composed", "preset", "read_rules"]

FIRST_DAY: Final = "2000-01-01"
"""From this day on a rule set holds: no event lies before it."""
_OF_RECORD: Final = frozenset({"shop_id", "effective_from", "tasks", "profiles"})
"""What a settings record has beside rules: a rule set that is one may have it, and it bears on no verdict."""
_OF_SHOP: Final = ("timezone", "day_cut")


class RuleSet(NamedTuple):
    """Rules that hold on every day; ``rules`` None: those of the shop, on each day what held on it."""

    name: str
    """For people to read, unique among those that are tried together."""
    rules: dict[str, Any] | None
    """A preset and what differs from it, as in a settings record; the whole of such a record will do."""


AS_IT_STOOD: Final = RuleSet("current", None)
"""The shop's settings, with their history."""


class Composed(NamedTuple):
    """Settings records of a shop that judge all rule sets."""

    lines: list[bytes]
    profiles: list[str]
    """The profile of each rule set."""
    settings: list[Settings]
    """All that hold on some day."""
    zone: Zone


def read_rules(value: bytes, name: str) -> RuleSet:
    """Return the rule set of a JSON document: rules, or a settings record; raise UnusableError for others."""
    try:
        rules = loads(value)
    except orjson.JSONDecodeError as error:
        raise UnusableError(f"rule set {name}: not JSON: {error}") from None
    if not isinstance(rules, dict):
        raise UnusableError(f"rule set {name}: not a JSON object: write a preset and what differs from it")
    return RuleSet(name, rules)


def composed(shop_id: str, rule_sets: Sequence[RuleSet], settings: Iterable[str]) -> Composed:
    """Return the records by which one replay judges a shop under all rule sets; ``settings``: its files.

    Raises:
        UnusableError: a rule set is not valid, has a name twice, or another time zone or day cut than the
            shop; or a file cannot be read.
    """
    _check_names(rule_sets)
    history = list(_history(shop_id, settings))
    first = history[0][0] if history else None
    of_shop = {
        "timezone": (first and first.timezone) or DEFAULT_TIMEZONE,
        "day_cut": (first and first.day_cut) or MIDNIGHT,
    }
    base: dict[str, Any] = {"shop_id": shop_id, "effective_from": FIRST_DAY, **of_shop}
    held = [given.settings for given, _ in history]
    rules: list[dict[str, Any] | None] = []
    for one in rule_sets:
        own = None if one.rules is None else _rules_of(one.name, one.rules, of_shop)
        rules.append(own)
        held.append(_checked(one.name, {**base, **(own or {})}).settings)
    judging = rules.index(None) if None in rules else 0
    names = [OFFICIAL if number == judging else str(number) for number in range(len(rules))]
    profiles = {name: own for name, own in zip(names, rules, strict=True) if own is not None}
    official = profiles.pop(OFFICIAL, None)
    records = [{**base, **(official or {}), "profiles": profiles}]
    if official is None:
        records += [{**record, "profiles": profiles} for _, record in history]
    lines = [orjson.dumps(record) for record in records]
    return Composed(lines, names, held, zone(of_shop["timezone"], of_shop["day_cut"]))


def bare_rules(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rules of a document: without what a settings record has beside them.

    What no rule is called stays: the check of the record names it.
    """
    return {field: value for field, value in given.items() if field not in {*_OF_RECORD, *_OF_SHOP}}


def _check_names(rule_sets: Sequence[RuleSet]) -> None:
    if not rule_sets:
        raise UnusableError("no rule set to judge by: name one or more")
    seen: set[str] = set()
    for name, rules in rule_sets:
        if not name or len(name) > 64 or not name.isprintable():
            raise UnusableError(f"rule set {name[:80]!r}: a name is 1 to 64 printable characters")
        if name in seen:
            raise UnusableError(f"rule set {name} is there twice: give each a name of its own")
        seen.add(name)
        if rules is None and any(other.rules is None for other in rule_sets if other.name != name):
            raise UnusableError(f"rule set {name}: the shop's settings as they stood can be there once")


def _rules_of(name: str, given: dict[str, Any], of_shop: dict[str, str]) -> dict[str, Any]:
    """Return the rules of a document; raise where it says what holds for the shop alone, and otherwise."""
    for field in _OF_SHOP:
        if given.get(field, of_shop[field]) != of_shop[field]:
            raise UnusableError(
                f"rule set {name}: `{field}` is {of_shop[field]} since the shop's first record and cannot "
                "change: leave it out"
            )
    return bare_rules(given)


def _checked(name: str, record: dict[str, Any]) -> ShopSettings:
    try:
        return decode_settings(orjson.dumps(record))
    except RefusedRecord as refusal:
        raise UnusableError(f"rule set {name}: {refusal.message}") from None


def _history(shop_id: str, settings: Iterable[str]) -> Iterator[tuple[ShopSettings, dict[str, Any]]]:
    """Yield the settings records of a shop in files, those that can be used, as they stand there."""
    for name in settings:
        with LinesFile(name) as lines:
            for _, value in lines:
                try:
                    given = decode_settings(value)
                except RefusedRecord:  # as in a replay, it changes nothing
                    continue
                if given.shop_id == shop_id:
                    yield given, loads(value)


def preset(name: str) -> RuleSet:
    """Return a system of the trade as a rule set of its name; raise UnusableError where there is none."""
    if name not in PRESETS:
        raise UnusableError(f"there is no preset {name!r}: it is one of {', '.join(PRESETS)}")
    return RuleSet(name, {"preset": name})
