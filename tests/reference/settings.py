"""Settings of a shop (RULEBOOK 3): defaults, presets, merging, profiles, and which record holds."""

from __future__ import annotations

from datetime import date, time
from typing import Any
from zoneinfo import ZoneInfo

from tests.reference.days import ShopDays
from tests.reference.receptions import FILTERS

Rules = dict[str, Any]
"""One complete set of settings: every name of the table in RULEBOOK 3, and ``preset``."""

OFFICIAL = "official"

DEFAULTS: Rules = {
    "placing_rule": "last_chat",
    "payment_rule": "last_chat",
    "credit_rule": "payment",
    "validity": {"natural_days": 1},
    "product_priority": "off",
    "silent_followup": {"buyer_initiated": False, "agent_initiated": False, "minutes": 10},
    "payment_deadline_hours": 24,
    "unlisted_agents": "presale",
    "after_sales_days": 21,
    "max_wait_minutes": 10,
    "slow_response": {"seconds": 120, "times": 3},
    "auto_reply": {"identify": False, "prefix": ""},
    "aftersale_unfiltered": False,
    "agent_initiated_exempt": {"enabled": False, "first_reply_days": 1},
    "overnight_once": False,
    "carried_questions": True,
    "official_accounts": [],
    "filters": {name: default for name, (default, _) in FILTERS.items()},
    "tasks": {
        "payment_reminder_sms": {"enabled": True, "minutes": 15, "min_amount": 800},
        "payment_reminder": {"enabled": True, "minutes": 30},
        "address_check": {"enabled": True},
        "parcel_inspection": {"enabled": True, "by": "17:30"},
        "review_follow_up": {"enabled": True, "odd": None, "even": None},
        "duty": [],
    },
}

_PRESETS: dict[str, Rules] = {
    "jd_cloud": {},
    "kefu_mofang": {"payment_rule": "most_rounds", "credit_rule": "order_first", "validity": {"hours": 48}},
    "kefu_mofang_2": {"placing_rule": "most_rounds", "credit_rule": "order_first", "validity": {"hours": 48}},
    "dongdong_guanjia": {
        "credit_rule": "order",
        "validity": {"hours": 24},
        "product_priority": "product_page",
    },
    "jd_official": {
        "credit_rule": "order",
        "validity": {"hours": 24},
        "product_priority": "ordered_product",
    },
    "pdd": {"credit_rule": "order_first", "validity": {"natural_days": 2}},
    "chitu": {"credit_rule": "order_first", "validity": {"hours": 24}},
    "taobao_basic": {"credit_rule": "order_first", "validity": {"hours": 24}},
}
"""What each preset says other than the default, row by row of the table in RULEBOOK 3."""

NO_FOLLOWUP_PRESETS = frozenset({"dongdong_guanjia", "jd_official", "pdd", "taobao_basic"})
"""Presets whose silent follow-up column says "never": a record that turns it on is refused."""

PRESETS = tuple(_PRESETS)


class ShopSettings:
    """All settings records of one shop, taken as they stand, in the order of their file."""

    def __init__(self, records: list[dict[str, Any]]) -> None:
        self._records = records
        first = records[0] if records else {}
        zone, cut = first.get("timezone", "Asia/Shanghai"), first.get("day_cut", "00:00")
        self.days = ShopDays(ZoneInfo(zone), time.fromisoformat(cut))

    def record_on(self, day: date) -> dict[str, Any] | None:
        """Return the record in force on a day, or None before the first: the latest, of equals the last."""
        holding = None
        for record in self._records:
            reached = record["effective_from"] <= day.isoformat()
            if reached and (holding is None or record["effective_from"] >= holding["effective_from"]):
                holding = record
        return holding

    def profiles_on(self, day: date) -> list[str]:
        """Return the profiles under which an order created that day is judged, the official one first."""
        record = self.record_on(day) or {}
        return [OFFICIAL, *record.get("profiles", {})]

    def rules_on(self, day: date, profile: str) -> Rules:
        """Return the settings of a profile on a day; a name the record lacks means its official ones."""
        record = self.record_on(day)
        if record is None:
            return complete({"preset": "jd_cloud"})
        return complete(record.get("profiles", {}).get(profile, record))


def complete(given: dict[str, Any]) -> Rules:
    """Fill in what a record, or a profile of it, does not say: its preset's value, else the default."""
    preset = given.get("preset", "jd_cloud")
    rules = {**DEFAULTS, **_PRESETS[preset], "preset": preset}
    for name in DEFAULTS:
        if name not in given:
            continue
        if name == "validity":
            rules[name] = given[name]
        elif name in {"filters", "tasks"}:
            stated = given[name]
            rules[name] = {
                part: _merged(value, stated[part]) if part in stated else value
                for part, value in rules[name].items()
            }
        else:
            rules[name] = _merged(rules[name], given[name])
    return rules


def _merged(default: Any, given: Any) -> Any:
    """Return what is given; an object is merged over its default."""
    return {**default, **given} if isinstance(default, dict) else given
