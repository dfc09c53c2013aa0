"""Receptions of one buyer and what they count for (RULEBOOK 4): effective messages, questions, filters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from tests.reference.days import MINUTE_MS, day_of

if TYPE_CHECKING:  # the settings take the filters' defaults from here
    from tests.reference.settings import Rules, ShopSettings

Event = dict[str, Any]

SHOWING_NOTHING = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Blank by RULEBOOK 4, though Unicode says neither that they are white space nor that they are Cf."""

PAUSE_MINUTES = 10
"""The longest pause of a chat that runs past midnight, where the longest wait is off."""


@dataclass(frozen=True)
class Reception:
    """All that passed between the buyer and one agent on one day, judged under one profile."""

    buyer_id: str
    agent_id: str
    day: date
    messages: list[Event]
    """Every message but the ``system`` ones, in the order of RULEBOOK 4; none where nobody said anything."""
    counted: list[Event]
    """The buyer messages and the effective agent messages among them."""
    handed_over: list[Event]
    """The questions that came with transfers to the agent, in the order of their times."""
    past_midnight: list[Event]
    """The question left unanswered on the day before; at most one."""
    transfers: list[int]
    """When the agent handed the buyer over to somebody else."""
    role: str
    filtered: str | None = None

    @property
    def turns(self) -> list[Event]:
        """What counts, and the carried questions, which stand for messages of the buyer."""
        return in_order([*self.counted, *self.handed_over, *self.past_midnight])

    @property
    def beginning(self) -> Event:
        """The first message, of whatever kind, or carried question."""
        return in_order([*self.messages, *self.handed_over, *self.past_midnight])[0]

    @property
    def initiator(self) -> str:
        return str(self.beginning["sender"])

    @property
    def first_ts(self) -> int:
        """The time of the first message; where nothing was said, of the first transfer to the agent."""
        return int((self.messages or self.handed_over)[0]["ts"])

    @property
    def last_ts(self) -> int:
        """The time of the last message; where nothing was said, of the last transfer to the agent."""
        return int((self.messages or self.handed_over)[-1]["ts"])

    @property
    def creditable(self) -> bool:
        return self.filtered is None and self.role == "presale"


class Roster:
    """The roster records of one shop, in the order of their file."""

    def __init__(self, records: list[dict[str, Any]]) -> None:
        self._records = records

    def role_on(self, agent_id: str, day: date) -> str | None:
        """Return the role an agent has on a day, or None if it is unlisted then."""
        holding = None
        for record in self._records:
            reached = record["agent_id"] == agent_id and record["effective_from"] <= day.isoformat()
            if reached and (holding is None or record["effective_from"] >= holding["effective_from"]):
                holding = record
        return None if holding is None else str(holding["role"])


def question(ts: int) -> Event:
    """Return a carried question: it stands for a message of the buyer of which nothing else is known."""
    return {"carried": True, "sender": "buyer", "ts": ts, "event_id": ""}


def message_order(message: Event) -> tuple[int, bool, bool, str]:
    """Sort key of what a pair said: time, carried questions first, buyer before agent, event id."""
    is_message = "carried" not in message
    return message["ts"], is_message, message["sender"] == "agent", message["event_id"]


def in_order(messages: list[Event]) -> list[Event]:
    return sorted(messages, key=message_order)


def is_message(event: Event) -> bool:
    return bool(event.get("type", "message") == "message" and event.get("kind", "text") != "system")


def text_of(message: Event) -> str | None:
    """Return a message's text, or None without one; what is left of a character that was cut is U+FFFD."""
    return re.sub("[\ud800-\udfff]", "\ufffd", message["text"]) if "text" in message else None


def is_blank(message: Event) -> bool:
    if message.get("kind", "text") in {"image", "card"}:
        return False
    text = text_of(message)
    if text is not None:
        return all(shows_nothing(character) for character in text)
    return bool(message.get("text_length") == 0)


def shows_nothing(character: str) -> bool:
    """Say whether a character counts as white space."""
    is_format = unicodedata.category(character) == "Cf"
    return character.isspace() or is_format or character in SHOWING_NOTHING


def is_effective(message: Event, rules: Rules) -> bool:
    """Say whether an agent message counts."""
    if message.get("kind") == "broadcast" or is_blank(message):
        return False
    if rules["auto_reply"]["identify"]:
        prefix = rules["auto_reply"]["prefix"]
        if message.get("kind") == "auto_reply":
            return False
        if prefix and (text_of(message) or "").startswith(prefix):
            return False
    return True


def receptions_of(
    buyer_id: str, events: list[Event], profile: str, settings: ShopSettings, roster: Roster
) -> list[Reception]:
    """Return the receptions of one buyer under one profile, from all chat events of that buyer."""
    days = settings.days
    pairs = {(e["agent_id"], day_of(e["ts"], days)) for e in events if is_message(e)}
    for transfer in transfers_among(events):
        day = day_of(transfer["ts"], days)
        if settings.rules_on(day, profile)["carried_questions"]:
            pairs.add((transfer["to_agent_id"], day))
    found: dict[tuple[str, date], Reception] = {}
    for agent_id, day in sorted(pairs):
        rules = settings.rules_on(day, profile)
        of_day = [e for e in events if day_of(e["ts"], days) == day]
        messages = in_order([e for e in of_day if is_message(e) and e["agent_id"] == agent_id])
        to_agent = [e["ts"] for e in transfers_among(of_day) if e["to_agent_id"] == agent_id]
        reception = Reception(
            buyer_id=buyer_id,
            agent_id=agent_id,
            day=day,
            messages=messages,
            counted=[m for m in messages if m["sender"] == "buyer" or is_effective(m, rules)],
            handed_over=[question(ts) for ts in sorted(to_agent)] if rules["carried_questions"] else [],
            past_midnight=[],
            transfers=[e["ts"] for e in transfers_among(of_day) if e["agent_id"] == agent_id],
            role=roster.role_on(agent_id, day) or rules["unlisted_agents"],
        )
        before = found.get((agent_id, day - timedelta(days=1)))
        if before is not None and rules["carried_questions"]:
            reception = replace(reception, past_midnight=past_midnight(before, reception, rules))
        own_account = roster.role_on(buyer_id, day) is not None
        filtered = filter_of(reception, rules, own_account=own_account)
        found[agent_id, day] = replace(reception, filtered=filtered)
    return list(found.values())


def transfers_among(events: list[Event]) -> list[Event]:
    return [e for e in events if e.get("type") == "transfer"]


def past_midnight(before: Reception, reception: Reception, rules: Rules) -> list[Event]:
    """Return the question that was left unanswered on the day before, if a reception goes on from there."""
    if not reception.messages:
        return []
    last_before = max(m["ts"] for m in [*before.messages, *before.handed_over])
    pause_ms = reception.first_ts - last_before
    if pause_ms >= pause_minutes(rules) * MINUTE_MS:
        return []
    unanswered: list[Event] = []
    for turn in in_order([*before.counted, *before.handed_over]):
        unanswered = [] if turn["sender"] == "agent" else [*unanswered, turn]
    return [question(unanswered[0]["ts"])] if unanswered else []


def pause_minutes(rules: Rules) -> int:
    """Return from how long a pause on a chat does not run past midnight."""
    longest: int | None = rules["max_wait_minutes"]
    return PAUSE_MINUTES if longest is None else longest


def filter_of(reception: Reception, rules: Rules, *, own_account: bool) -> str | None:
    """Return the first filter that matches a reception; ``agent_offline`` does not bear on credit."""
    if all(is_blank(m) for m in reception.messages) and not reception.handed_over:
        return "empty"
    if own_account:
        return "own_account"
    if reception.buyer_id in rules["official_accounts"]:
        return "official_account"
    if reception.role == "aftersale" and rules["aftersale_unfiltered"]:
        return None
    for name, (_, matcher) in FILTERS.items():
        numbers = rules["filters"][name]
        if numbers["enabled"] and matcher(reception, numbers):
            return name
    return None


def _buyer_subaccount(reception: Reception, _numbers: Rules) -> bool:
    return any(m.get("buyer_is_subaccount", False) for m in reception.messages)


def _broadcast(reception: Reception, _numbers: Rules) -> bool:
    of_agent = [m for m in reception.messages if m["sender"] == "agent"]
    broadcasts = [m for m in of_agent if m.get("kind") == "broadcast"]
    return bool(of_agent) and of_agent == broadcasts == reception.messages


def _forwarded(reception: Reception, numbers: Rules) -> bool:
    if not reception.transfers:
        return False
    first = min(reception.transfers)
    before = [m for m in reception.counted if m["sender"] == "agent" and m["ts"] < first]
    at_most: int = numbers["max_replies"]
    return len(before) <= at_most


def _advert(reception: Reception, numbers: Rules) -> bool:
    senders = [m["sender"] for m in reception.messages]
    if "buyer" not in senders:
        return False
    answers = [m for m in reception.messages[senders.index("buyer") :] if m["sender"] == "agent"]
    return any(text_of(m) == numbers["phrase"] for m in answers[: numbers["within"]])


def _single_sentence(reception: Reception, numbers: Rules) -> bool:
    senders = [m["sender"] for m in reception.counted]
    if reception.initiator != "buyer" or senders.count("buyer") != 1:
        return False
    at_least: int = numbers["min_replies"]
    return senders[senders.index("buyer") :].count("agent") >= at_least


def _monologue(reception: Reception, numbers: Rules) -> bool:
    of_buyer = [m for m in reception.messages if m["sender"] == "buyer"]
    at_most: int = numbers["max_buyer_messages"]
    return reception.initiator == "agent" and len(of_buyer) <= at_most


def _agent_offline(_reception: Reception, _numbers: Rules) -> bool:
    return False  # it depends on other buyers: see `offline`


FILTERS: dict[str, tuple[dict[str, Any], Callable[[Reception, Rules], bool]]] = {
    "buyer_subaccount": ({"enabled": False}, _buyer_subaccount),
    "agent_offline": ({"enabled": True}, _agent_offline),
    "broadcast": ({"enabled": True}, _broadcast),
    "forwarded": ({"enabled": True, "max_replies": 1}, _forwarded),
    "advert": ({"enabled": False, "within": 2}, _advert),
    "single_sentence": ({"enabled": False, "min_replies": 3}, _single_sentence),
    "monologue": ({"enabled": True, "max_buyer_messages": 0}, _monologue),
}
"""The filters that a shop may name, in their order: the default, and whether it matches a reception."""
