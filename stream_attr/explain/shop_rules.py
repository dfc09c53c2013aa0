"""A shop's rules in force on a day, and where each comes from (RULEBOOK 2, 3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import msgspec
import orjson

from stream_attr.codec.records.roster import decode_roster
from stream_attr.codec.surrogates import loads
from stream_attr.contract.topics import ROSTER, SETTINGS
from stream_attr.processor import ShopRegistry
from stream_attr.processor.ports import Record
from stream_attr.rules.shop.day_rules import SettingsRecord
from stream_attr.rules.shop.days import clock_name, day_name, day_number
from stream_attr.rules.shop.settings import DEFAULT_SETTINGS, OFFICIAL, PRESETS, Settings

__all__ = ["Refusal", "RoleInForce", "Rule", "RulesInForce", "ShopHistory", "values_by_name"]

_TASKS: Final = {"sms": "payment_reminder_sms", "reminder": "payment_reminder"}
"""Names of service tasks in records, where they are others than in the settings."""
_NEED_TEXT: Final = ("auto_reply.", "filters.advert.")
"""Rules that match message text: a record that was sent on its first day gives them from the next day on."""


class Rule(NamedTuple):
    """One rule in force."""

    name: str
    """As records of settings name it, dotted."""
    value: Any
    origin: str
    """``default``, ``preset NAME``, or the record that sets it."""


class RoleInForce(NamedTuple):
    """An agent's role on the day."""

    agent_id: str
    role: str
    origin: str


class Refusal(NamedTuple):
    """A record of the shop that was refused, so that it is in force on no day."""

    place: str
    code: str
    message: str


class RulesInForce(NamedTuple):
    """All rules of a shop on one day under one profile."""

    shop_id: str
    day: str
    profile: str
    record: str | None
    """The settings record in force; None: before the first, preset ``jd_cloud``."""
    profiles: tuple[str, ...]
    """Those that orders created on the day are judged under."""
    rules: tuple[Rule, ...]
    roster: tuple[RoleInForce, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON object; a rule and a role are an object with its ``origin``."""
        return {
            "shop_id": self.shop_id,
            "day": self.day,
            "profile": self.profile,
            "record": self.record,
            "profiles": list(self.profiles),
            "settings": {rule.name: {"value": rule.value, "origin": rule.origin} for rule in self.rules},
            "roster": {one.agent_id: {"role": one.role, "origin": one.origin} for one in self.roster},
        }

    def lines(self) -> Iterator[str]:
        """Yield it as a table for people."""
        yield f"Shop {self.shop_id} on {self.day}, profile {self.profile} (of {', '.join(self.profiles)})"
        yield f"Settings record: {self.record or 'none before this day, so preset jd_cloud'}"
        yield ""
        yield from _aligned(
            ("setting", "value", "from"),
            [(name, orjson.dumps(value).decode(), origin) for name, value, origin in self.rules],
        )
        yield ""
        yield from _aligned(("agent", "role", "from"), [tuple(one) for one in self.roster])


class ShopHistory:
    """The settings and roster records of one shop, in the order in which a worker reads them."""

    def __init__(self, shop_id: str, files: Mapping[str, tuple[str, ...]] | None = None) -> None:
        """``files``: as of `ShopRegistry`."""
        self.refusals: list[Refusal] = []
        self._files = files
        self._registry = ShopRegistry(files)
        self._shop = self._registry.shop(shop_id)
        self._settings: dict[int, tuple[SettingsRecord, str, dict[str, Any]]] = {}
        """By the record's identity: it, where it stands, and what it names."""
        self._zone_from = {"timezone": "default", "day_cut": "default"}
        self._roster: dict[str, list[tuple[int, str, str]]] = {}
        """By agent: first day, role, origin."""

    def add(self, record: Record) -> None:
        """Add a record of any shop."""
        shop_id = self._shop.shop_id
        try:
            given = loads(record.value or b"")
        except orjson.JSONDecodeError:
            given = None
        is_of_shop = isinstance(given, dict) and given.get("shop_id") == shop_id
        is_first = not self._shop.is_set
        letter = self._registry.apply(record)
        if not is_of_shop:
            return
        place = self._place(record)
        if letter is not None:
            refused = orjson.loads(letter.value)
            self.refusals.append(Refusal(place, refused["code"], refused["message"]))
            return
        first_day = day_number(given["effective_from"])
        origin = f"{place}, from {given['effective_from']}"
        if record.topic == SETTINGS:
            kept = self._shop.record_on(first_day)  # of one day, the record added last
            assert kept is not None
            self._settings[id(kept)] = (kept, origin, given)
            if is_first:
                self._zone_from |= dict.fromkeys(self._zone_from.keys() & given.keys(), origin)
        elif record.topic == ROSTER:
            agent = decode_roster(record.value)
            history = self._roster.setdefault(agent.agent_id, [])
            history.append((first_day, agent.role, origin))
            history.sort(key=lambda known: known[0])

    @property
    def profiles(self) -> frozenset[str]:
        """All profiles that the shop ever named, and the official one."""
        named = (record.profiles for record, _, _ in self._settings.values())
        return frozenset({OFFICIAL}.union(*named))

    def day_of(self, ts: int) -> int:
        """Return the day of an instant for this shop."""
        return self._shop.zone.day_of(ts)

    def on(self, day: int, profile: str = OFFICIAL) -> RulesInForce:
        """Return the rules in force on a day."""
        record, text_record = self._shop.record_on(day), self._shop.text_record_on(day)
        _, origin, _ = self._known(record)
        zone = self._shop.zone
        rules = [
            Rule("timezone", zone.name, self._zone_from["timezone"]),
            Rule("day_cut", zone.day_cut, self._zone_from["day_cut"]),
        ]
        plain, text = self._rules(record, profile), self._rules(text_record, profile)
        rules += [text[name] if name.startswith(_NEED_TEXT) else rule for name, rule in plain.items()]
        roster = []
        for agent_id, history in sorted(self._roster.items()):
            held = [one for one in history if one[0] <= day]
            if held:
                roster.append(RoleInForce(agent_id, str(held[-1][1]), held[-1][2]))
        return RulesInForce(
            self._shop.shop_id,
            day_name(day),
            profile,
            origin,
            self._shop.profiles_on(day),
            tuple(rules),
            tuple(roster),
        )

    def _known(self, record: SettingsRecord | None) -> tuple[Settings | None, str | None, dict[str, Any]]:
        if record is None:
            return None, None, {}
        _, origin, given = self._settings[id(record)]
        return record.settings, origin, given

    def _rules(self, record: SettingsRecord | None, profile: str) -> dict[str, Rule]:
        """Return the rules of a record by name."""
        _, origin, given = self._known(record)
        settings = DEFAULT_SETTINGS if record is None else record.under(profile)
        if profile != OFFICIAL and record is not None and profile in record.profiles:
            given = {**given["profiles"][profile], "tasks": given.get("tasks", {})}
        values, default = values_by_name(settings), values_by_name(DEFAULT_SETTINGS)
        of_preset = values_by_name(PRESETS[settings.preset])
        found = {}
        for name, value in values.items():
            if origin is not None and _names(given, name):
                shown = given["tasks"]["duty"] if name == "tasks.duty" else value
                found[name] = Rule(name, shown, origin)
            elif of_preset[name] != default[name]:
                found[name] = Rule(name, value, f"preset {settings.preset}")
            else:
                found[name] = Rule(name, value, "default")
        return found

    def _place(self, record: Record) -> str:
        if self._files is not None:
            return f"{self._files[record.topic][record.partition]}:{record.offset}"
        if not record.timestamp:  # the ledger does not know it
            return f"{record.topic} {record.partition}@{record.offset}"
        sent = datetime.fromtimestamp(record.timestamp / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return f"{record.topic} {record.partition}@{record.offset} sent {sent}"


def _names(given: Any, name: str) -> bool:
    """Whether a record names a setting, given as a dotted path."""
    for part in name.split("."):
        if not isinstance(given, dict) or part not in given:
            return False
        given = given[part]
    return True


def values_by_name(settings: Settings) -> dict[str, Any]:
    """Return all settings by the dotted names that records have for them."""
    found: dict[str, Any] = {}
    for name, value in msgspec.to_builtins(settings).items():
        if name == "validity":
            found[name] = {unit: number for unit, number in value.items() if number is not None}
        elif name in ("filters", "tasks"):
            found |= {f"{name}.{path}": part for path, part in _switches(value).items()}
        elif isinstance(value, dict):
            found |= {f"{name}.{part}": one for part, one in value.items()}
        else:
            found[name] = sorted(value) if isinstance(value, list) else value
    found["tasks.duty"] = list(found["tasks.duty"])
    found["tasks.parcel_inspection.by"] = clock_name(found["tasks.parcel_inspection.by"])
    return found


def _switches(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return switches ``x`` and what belongs to them, ``x_number``, as ``x.enabled`` and ``x.number``."""
    found = {}
    switches = sorted((name for name, value in fields.items() if isinstance(value, bool)), key=len)
    for name, value in fields.items():
        owner = next((one for one in reversed(switches) if name.startswith(f"{one}_")), None)
        if isinstance(value, bool):
            found[f"{_TASKS.get(name, name)}.enabled"] = value
        elif owner is not None:
            found[f"{_TASKS.get(owner, owner)}.{name.removeprefix(f'{owner}_')}"] = value
        else:
            found[name] = value
    return found


def _aligned(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    for row in (head, *rows):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
