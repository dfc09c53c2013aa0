"""One shop's settings and roster with their history: whose rules hold on which day (RULEBOOK 2, 3).

History does not move: a day is judged by the record in force on it, however late it is judged.
"""

from __future__ import annotations

from typing import Final

from stream_attr.rules.chat.message import AUTO_REPLY, BLANK, BROADCAST, TEXT_SHIFT
from stream_attr.rules.reports.contribution import Ends
from stream_attr.rules.shop.day_rules import Pattern, ReceptionRules, SettingsRecord, patterns_of
from stream_attr.rules.shop.days import HOUR_MS, MIDNIGHT, MINUTE_MS, Zone, zone
from stream_attr.rules.shop.settings import DEFAULT_SETTINGS, DEFAULT_TIMEZONE, OFFICIAL, Settings
from stream_attr.rules.vocabulary import Role

_PRESALE: Final = Role.PRESALE


class Shop:
    """One shop's settings and roster. Buyers' facts are not among them."""

    __slots__ = (
        "_bits",
        "_ends",
        "_patterns",
        "_reception_rules",
        "_records",
        "_roster",
        "longest_after_sales_days",
        "longest_pause_ms",
        "shop_id",
        "version",
        "zone",
    )

    def __init__(self, shop_id: str) -> None:
        self.shop_id = shop_id
        self.zone: Zone = zone(DEFAULT_TIMEZONE)
        self.version = 0
        """Counts the changes: what was derived under another version has to be derived again."""
        self._records: list[SettingsRecord] = []
        self._roster: dict[str, list[tuple[int, Role]]] = {}
        self._reception_rules: dict[tuple[int, str], ReceptionRules] = {}
        self._patterns: dict[int, dict[Pattern, int]] = {}
        self._ends: dict[int, Ends] = {}
        self._bits: dict[Pattern, int] = {}
        """The message flag of every pattern, in the order in which records named them first."""
        self.longest_after_sales_days = DEFAULT_SETTINGS.after_sales_days
        """The greatest ``after_sales_days`` that the shop has ever set."""
        self.longest_pause_ms = DEFAULT_SETTINGS.pause_minutes * MINUTE_MS
        """The longest pause over midnight that the shop has ever set, under any profile."""

    @property
    def is_set(self) -> bool:
        """Whether a settings record has been accepted."""
        return bool(self._records)

    def lists(self, agent_id: str) -> bool:
        """Whether the roster has a record of this agent."""
        return agent_id in self._roster

    def add_settings(self, record: SettingsRecord, timezone: str, day_cut: str = MIDNIGHT) -> None:
        """Accept a record; of two with one ``effective_from`` the later added holds.

        ``timezone``, ``day_cut``: of the shop, if it is its first record.
        """
        if not self._records:
            self.zone = zone(timezone, day_cut)
            self.longest_after_sales_days = 0
        self._records.append(record)
        for pattern in patterns_of(record):
            self._bits.setdefault(pattern, 1 << (TEXT_SHIFT + len(self._bits)))
        self.longest_after_sales_days = max(self.longest_after_sales_days, record.settings.after_sales_days)
        for settings in (record.settings, *record.profiles.values()):
            self.longest_pause_ms = max(self.longest_pause_ms, settings.pause_minutes * MINUTE_MS)
        self._records.sort(key=lambda known: known.effective_from)
        self._changed()

    def add_role(self, agent_id: str, effective_from: int, role: Role) -> None:
        """Accept a roster record; of two with one ``effective_from`` the later added holds."""
        history = self._roster.setdefault(agent_id, [])
        history.append((effective_from, role))
        history.sort(key=lambda known: known[0])
        self._changed()

    def _changed(self) -> None:
        self.version += 1
        self._ends.clear()
        self._reception_rules.clear()
        self._patterns.clear()

    def record_on(self, day: int) -> SettingsRecord | None:
        """Return the settings record in force on a day; None before the first (preset ``jd_cloud``)."""
        for record in reversed(self._records):
            if record.effective_from <= day:
                return record
        return None

    def text_record_on(self, day: int) -> SettingsRecord | None:
        """Return the record whose ``auto_reply`` and ``advert`` hold on a day, which need messages' text."""
        for record in reversed(self._records):
            if record.text_from <= day:
                return record
        return None

    def settings_on(self, day: int, profile: str = OFFICIAL) -> Settings:
        """Return the settings in force on a day under a profile."""
        record = self.record_on(day)
        return DEFAULT_SETTINGS if record is None else record.under(profile)

    def profiles_on(self, day: int) -> tuple[str, ...]:
        """Return the profiles that an order created on this day is judged under, the official first."""
        record = self.record_on(day)
        return (OFFICIAL,) if record is None or not record.profiles else (OFFICIAL, *sorted(record.profiles))

    def patterns_on(self, day: int) -> dict[Pattern, int]:
        """Return the patterns that the texts of a day are matched against, with the message flag of each."""
        patterns = self._patterns.get(day)
        if patterns is None:
            record = self.text_record_on(day)
            found = () if record is None else patterns_of(record)
            patterns = self._patterns[day] = {pattern: self._bits[pattern] for pattern in found}
        return patterns

    def reception_rules(self, day: int, profile: str = OFFICIAL) -> ReceptionRules:
        """Return how the receptions of a day are evaluated under a profile."""
        reception_rules = self._reception_rules.get((day, profile))
        if reception_rules is None:
            reception_rules = self._reception_rules[day, profile] = self._find_reception_rules(day, profile)
        return reception_rules

    def _find_reception_rules(self, day: int, profile: str) -> ReceptionRules:
        settings = self.settings_on(day, profile)
        record = self.text_record_on(day)
        text = DEFAULT_SETTINGS if record is None else record.under(profile)
        ineffective = BROADCAST | BLANK
        if text.auto_reply.identify:
            ineffective |= AUTO_REPLY | self._bits.get(Pattern(False, text.auto_reply.prefix), 0)
        return ReceptionRules(
            settings.filters,
            ineffective,
            self._bits[Pattern(True, text.filters.advert_phrase)] if text.filters.advert else 0,
            text.filters.advert_within,
            settings.unlisted_agents,
            settings.aftersale_unfiltered,
            settings.official_accounts,
            settings.carried_questions,
            settings.pause_minutes * MINUTE_MS,
        )

    def ends(self, day: int) -> Ends:
        """Return when the figures of a day are final, but for decisions that are final later (RULEBOOK 8)."""
        ends = self._ends.get(day)
        if ends is None:
            zone, settings = self.zone, self.settings_on(day)
            end = zone.start_of(day + 1)
            followup = settings.silent_followup
            ends = self._ends[day] = Ends(
                end,
                zone.start_of(day + 2),
                zone.start_of(day + 3),
                zone.end_of_day(end - 1 + settings.payment_deadline_hours * HOUR_MS),
                zone.end_of_day(end - 1 + followup.minutes * MINUTE_MS) if followup.on else end,
            )
        return ends

    def role_on(self, agent_id: str, day: int, unlisted: Role) -> Role:
        """Return an agent's role on a day; ``unlisted`` before its first record."""
        history = self._roster.get(agent_id)
        if history is not None:
            for effective_from, role in reversed(history):
                if effective_from <= day:
                    return role
        return unlisted

    def is_presale(self, agent_id: str, day: int, profile: str) -> bool:
        """Whether an agent's receptions of a day can be creditable under a profile."""
        return self.role_on(agent_id, day, self.reception_rules(day, profile).unlisted) is _PRESALE

    def is_own_account(self, buyer_id: str, day: int) -> bool:
        """Whether a buyer is one of the shop's own agents by that day (filter ``own_account``)."""
        history = self._roster.get(buyer_id)
        return history is not None and history[0][0] <= day
