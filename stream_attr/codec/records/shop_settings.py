"""Settings records from JSON bytes (RULEBOOK 3): typed, partial objects merged over preset and defaults.

Unlike elsewhere an unknown field is refused: a misspelt setting must not pass for a default.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import msgspec
from msgspec import UNSET, Struct, UnsetType

from stream_attr.codec.decoding import check_day, check_id, decode
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.codec.surrogates import LoneSurrogatesError
from stream_attr.contract.records.shop_settings import (
    DutyShift,
    PartialObject,
    Rules,
    ShopSettingsRecord,
    TaskSettings,
)
from stream_attr.rules.shop.day_rules import SettingsRecord
from stream_attr.rules.shop.days import MIDNIGHT, day_number, zone
from stream_attr.rules.shop.settings import (
    DEFAULT_TIMEZONE,
    NEVER_FOLLOW_UP,
    OFFICIAL,
    PRESETS,
    Filters,
    Settings,
    Shift,
    Tasks,
    Validity,
)
from stream_attr.rules.vocabulary import Code, Role


class ShopSettings(Struct, gc=False):
    """A settings record that has passed every check that needs no history."""

    shop_id: str
    first_day: int
    """``effective_from`` as a day number."""
    settings: Settings
    profiles: dict[str, Settings]
    timezone: str | None
    """As the record names it, if it does."""
    day_cut: str | None
    """Likewise."""

    def record(self, text_from: int) -> SettingsRecord:
        """Return it as the shop keeps it."""
        return SettingsRecord(self.first_day, text_from, self.settings, self.profiles)


_record: Final = msgspec.json.Decoder(ShopSettingsRecord)
_rules: Final = msgspec.json.Decoder(Rules)
_PROFILE_NAME: Final = re.compile(r"[a-z0-9_-]{1,64}", re.ASCII)
_CLOCK: Final = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)


def decode_settings(value: bytes | None) -> ShopSettings:
    """Return the settings of a record's bytes.

    Raises:
        RefusedRecord: they are not valid.
        OSError: the time zone's data cannot be read now, which says nothing of the record.
    """
    try:
        record = decode(_record.decode, value)
    except LoneSurrogatesError as found:
        return found.read_by(decode_settings)
    check_id(record.shop_id, "shop_id")
    check_day(record.effective_from, "effective_from")
    timezone = None if record.timezone is UNSET else record.timezone
    day_cut = None if record.day_cut is UNSET else record.day_cut
    zone_name = DEFAULT_TIMEZONE if timezone is None else timezone
    try:
        of_shop = "timezone"
        zone(zone_name)
        of_shop = "day_cut"
        zone(zone_name, MIDNIGHT if day_cut is None else day_cut)
    except ValueError as error:
        raise RefusedRecord(Code.BAD_VALUE, f"`{of_shop}`: {error}"[:200], of_shop) from None
    if record.tasks is not UNSET:
        _check_tasks(record.tasks)
    for name in record.profiles:
        if not _PROFILE_NAME.fullmatch(name) or name == OFFICIAL:
            raise RefusedRecord(
                Code.BAD_VALUE,
                f"`profiles` names {name[:80]!r}: a name is 1 to 64 of a-z 0-9 _ - and not `{OFFICIAL}`",
                "profiles",
            )
    return ShopSettings(
        record.shop_id,
        day_number(record.effective_from),
        replace(_settings(record, ""), tasks=_tasks(record.tasks)),
        {
            name: _settings(decode(_rules.decode, bytes(rules), f"profiles.{name}"), f"profiles.{name}.")
            for name, rules in record.profiles.items()
        },
        timezone,
        day_cut,
    )


def _check_tasks(tasks: TaskSettings) -> None:
    _check_duty(tasks.duty)
    inspection, follow_up = tasks.parcel_inspection, tasks.review_follow_up
    if inspection is not UNSET and inspection.by is not UNSET and not _CLOCK.fullmatch(inspection.by):
        path = "tasks.parcel_inspection.by"
        raise RefusedRecord(Code.BAD_VALUE, f"`{path}` is not a time HH:MM: {inspection.by!r}", path)
    if follow_up is not UNSET:
        for name, agent_id in (("odd", follow_up.odd), ("even", follow_up.even)):
            if agent_id is not UNSET and agent_id is not None:
                _check_agent(agent_id, f"tasks.review_follow_up.{name}")


def _check_agent(agent_id: str, path: str) -> None:
    check_id(agent_id, path)
    if agent_id == "*":
        raise RefusedRecord(Code.BAD_VALUE, f"`{path}` is `*`, which is not an agent", path)


def _check_duty(shifts: tuple[DutyShift, ...]) -> None:
    for number, shift in enumerate(shifts):
        path = f"tasks.duty[{number}]."
        for name, time in (("from", shift.start), ("to", shift.end)):
            if not _CLOCK.fullmatch(time) and (name, time) != ("to", "24:00"):
                raise RefusedRecord(
                    Code.BAD_VALUE, f"`{path}{name}` is not a time HH:MM: {time[:32]!r}", f"{path}{name}"
                )
        if shift.end <= shift.start:
            raise RefusedRecord(
                Code.BAD_VALUE,
                f"`{path}to` is not later than `from`: a shift past midnight is two, the first to 24:00",
                f"{path}to",
            )
        _check_agent(shift.agent_id, f"{path}agent_id")


def _settings(rules: Rules, path: str) -> Settings:
    preset = PRESETS.get(rules.preset)
    if preset is None:
        raise RefusedRecord(
            Code.BAD_VALUE, f"`{path}preset` is unknown; it is one of {', '.join(PRESETS)}", f"{path}preset"
        )
    given = {name: value for name, value in rules.given().items() if name in _MAKERS}
    settings = replace(preset, **{name: _MAKERS[name](preset, value) for name, value in given.items()})
    if rules.validity is not UNSET and len(rules.validity.given()) != 1:
        raise RefusedRecord(
            Code.BAD_VALUE,
            f"`{path}validity` has exactly one of `hours` and `natural_days`",
            f"{path}validity",
        )
    if rules.official_accounts is not UNSET:
        for account in rules.official_accounts:
            check_id(account, f"{path}official_accounts")
    if settings.silent_followup.on and settings.preset in NEVER_FOLLOW_UP:
        raise RefusedRecord(
            Code.BAD_VALUE,
            f"`{path}silent_followup`: preset `{settings.preset}` never credits silent follow-up; "
            "leave it off or choose another preset",
            f"{path}silent_followup",
        )
    if settings.filters.advert and not settings.filters.advert_phrase:
        raise RefusedRecord(
            Code.MISSING_FIELD,
            f"`{path}filters.advert` is on and needs its `phrase`",
            f"{path}filters.advert.phrase",
        )
    return settings


def _tasks(given: TaskSettings | UnsetType) -> Tasks:
    """Return the service tasks that a record names, merged over the default ones."""
    if given is UNSET:
        return Tasks()
    changes: dict[str, Any] = {
        "duty": tuple(
            Shift(shift.weekday, _minute(shift.start), _minute(shift.end), shift.agent_id)
            for shift in given.duty
        )
    }
    for field, part in (
        ("sms", given.payment_reminder_sms),
        ("reminder", given.payment_reminder),
        ("address_check", given.address_check),
        ("parcel_inspection", given.parcel_inspection),
        ("review_follow_up", given.review_follow_up),
    ):
        if part is not UNSET:
            named = part.given()
            if "by" in named:
                named["by"] = _minute(named["by"])
            changes |= {field if name == "enabled" else f"{field}_{name}": named[name] for name in named}
    return replace(Tasks(), **changes)


def _minute(clock: str) -> int:
    """Return the minute of the day of ``HH:MM``."""
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def _filters(known: Filters, given: Mapping[str, PartialObject]) -> Filters:
    """Merge the filters named over the default ones: switch ``x``, number ``x_number``."""
    changes = {}
    for name, switch in given.items():
        for part, value in switch.given().items():
            changes[name if part == "enabled" else f"{name}_{part}"] = value
    return replace(known, **changes)


_MAKERS: dict[str, Any] = {
    "placing_rule": lambda _, value: value,
    "payment_rule": lambda _, value: value,
    "credit_rule": lambda _, value: value,
    "validity": lambda _, value: Validity(**value.given()),
    "product_priority": lambda _, value: value,
    "silent_followup": lambda preset, value: replace(preset.silent_followup, **value.given()),
    "payment_deadline_hours": lambda _, value: value,
    "unlisted_agents": lambda _, value: Role(value),
    "after_sales_days": lambda _, value: value,
    "max_wait_minutes": lambda _, value: value,
    "slow_response": lambda preset, value: replace(preset.slow_response, **value.given()),
    "auto_reply": lambda preset, value: replace(preset.auto_reply, **value.given()),
    "aftersale_unfiltered": lambda _, value: value,
    "agent_initiated_exempt": lambda preset, value: replace(preset.agent_initiated_exempt, **value.given()),
    "overnight_once": lambda _, value: value,
    "carried_questions": lambda _, value: value,
    "official_accounts": lambda _, value: frozenset(value),
    "filters": lambda preset, value: _filters(preset.filters, value.given()),
}
"""How each setting of a record becomes one of the core, over what the preset has."""

assert {"preset", *_MAKERS} == set(Rules.__struct_fields__)
