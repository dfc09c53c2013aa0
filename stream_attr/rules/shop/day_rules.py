"""What of a shop's settings holds on one day: its record, text patterns, and rules for receptions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from stream_attr.rules.shop.days import MINUTE_MS
from stream_attr.rules.shop.settings import Filters, Settings
from stream_attr.rules.vocabulary import Role


@dataclass(frozen=True, slots=True)
class SettingsRecord:
    """One accepted record of a shop's settings."""

    effective_from: int
    """First day on which it holds, a day number."""
    text_from: int
    """First day on which its ``auto_reply`` and ``advert`` hold: they need the text, which is not kept."""
    settings: Settings
    profiles: dict[str, Settings]
    """Further rule sets judged beside the official one, by name."""

    def under(self, profile: str) -> Settings:
        """Return the settings of a profile, or the official ones where the record does not name it."""
        return self.profiles.get(profile, self.settings)


class Pattern(NamedTuple):
    """Something that a message's text is matched against on arrival: the text itself is not kept.

    Each pattern that a shop has ever set has a message flag of its own, so that matches stay valid whatever
    patterns are set later.
    """

    exact: bool
    """True: the text is this phrase (advert); False: the text starts with it (auto reply)."""
    text: str


class ReceptionRules(NamedTuple):
    """How the receptions of one day are evaluated under one profile: all settings that RULEBOOK 4 names."""

    filters: Filters
    ineffective_flags: int
    """Message flags, any of which makes an agent message ineffective."""
    advert_bit: int
    """Message flag of the advert phrase, 0 where the filter is off."""
    advert_within: int
    unlisted: Role
    aftersale_unfiltered: bool
    official_accounts: frozenset[str]
    carried_questions: bool = True
    pause_ms: int = 10 * MINUTE_MS
    """A chat that rests so long over midnight is another one."""


def patterns_of(record: SettingsRecord) -> tuple[Pattern, ...]:
    found: dict[Pattern, None] = {}
    for settings in (record.settings, *(record.profiles[name] for name in sorted(record.profiles))):
        if settings.auto_reply.identify and settings.auto_reply.prefix:
            found[Pattern(False, settings.auto_reply.prefix)] = None
        if settings.filters.advert:
            found[Pattern(True, settings.filters.advert_phrase)] = None
    return tuple(found)
