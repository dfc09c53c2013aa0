"""Receptions of one buyer and what they count for (RULEBOOK 4): effective messages, filters, roles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from tests.reference.days import day_of

if TYPE_CHECKING:  # the settings take the filters' defaults from here
    from tests.reference.settings import Rules, ShopSettings

Event = dict[str, Any]


@dataclass(frozen=True)
class Reception:
    """All messages between the buyer and one agent on one day, judged under one profile."""

    agent_id: str
    day: date
    messages: list[Event]
    """Every message but the ``system`` ones, in the order of RULEBOOK 4."""
    counted: list[Event]
    """The buyer messages and the effective agent messages among them."""
    filtered: str | None
    role: str

    @property
    def buyer_id(self) -> str:
        return str(self.messages[0]["buyer_id"])

    @property
    def initiator(self) -> str:
        """The sender of the first message, of whatever kind."""
        return str(self.messages[0]["sender"])

    @property
    def first_ts(self) -> int:
        return int(self.messages[0]["ts"])

    @property
    def last_ts(self) -> int:
        return int(self.messages[-1]["ts"])

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


def message_order(message: Event) -> tuple[int, int, str]:
    """Sort key of the messages of a pair: time, buyer before agent, event id."""
    return message["ts"], 0 if message["sender"] == "buyer" else 1, message["event_id"]


def is_message(event: Event) -> bool:
    return bool(event.get("type", "message") == "message" and event.get("kind", "text") != "system")


def is_blank(message: Event) -> bool:
    if message.get("kind", "text") in {"image", "card"}:
        return False
    if "text" in message:
        return not str(message["text"]).strip()
    return bool(message.get("text_length") == 0)


def is_effective(message: Event, rules: Rules) -> bool:
    """Say whether an agent message counts."""
    if message.get("kind") == "broadcast" or is_blank(message):
        return False
    if rules["auto_reply"]["identify"]:
        prefix = rules["auto_reply"]["prefix"]
        if message.get("kind") == "auto_reply":
            return False
        if prefix and message.get("text", "").startswith(prefix):
            return False
    return True


def receptions_of(
    events: list[Event], profile: str, settings: ShopSettings, roster: Roster
) -> list[Reception]:
    """Return the receptions of one buyer under one profile, from all chat events of that buyer."""
    found = sorted({(e["agent_id"], day_of(e["ts"], settings.zone)) for e in events if is_message(e)})
    receptions = []
    for agent_id, day in found:
        of_pair = [e for e in events if e["agent_id"] == agent_id and day_of(e["ts"], settings.zone) == day]
        messages = sorted(filter(is_message, of_pair), key=message_order)
        transfers = [e["ts"] for e in of_pair if e.get("type") == "transfer"]
        rules = settings.rules_on(day, profile)
        role = roster.role_on(agent_id, day) or rules["unlisted_agents"]
        own_account = roster.role_on(messages[0]["buyer_id"], day) is not None
        receptions.append(
            Reception(
                agent_id,
                day,
                messages,
                [m for m in messages if m["sender"] == "buyer" or is_effective(m, rules)],
                filter_of(messages, transfers, rules, role, own_account=own_account),
                role,
            )
        )
    return receptions


def filter_of(
    messages: list[Event], transfers: list[int], rules: Rules, role: str, *, own_account: bool
) -> str | None:
    """Return the first filter that matches a reception; ``agent_offline`` does not bear on credit."""
    if all(is_blank(m) for m in messages):
        return "empty"
    if own_account:
        return "own_account"
    if messages[0]["buyer_id"] in rules["official_accounts"]:
        return "official_account"
    if role == "aftersale" and rules["aftersale_unfiltered"]:
        return None
    for name, (_, matcher) in FILTERS.items():
        if rules["filters"][name]["enabled"] and matcher(messages, transfers, rules):
            return name
    return None


def _buyer_subaccount(messages: list[Event], _transfers: list[int], _rules: Rules) -> bool:
    return any(m.get("buyer_is_subaccount", False) for m in messages)


def _broadcast(messages: list[Event], _transfers: list[int], _rules: Rules) -> bool:
    return all(m["sender"] == "agent" and m.get("kind") == "broadcast" for m in messages)


def _forwarded(messages: list[Event], transfers: list[int], rules: Rules) -> bool:
    if not transfers:
        return False
    before = [
        m for m in messages if m["sender"] == "agent" and is_effective(m, rules) and m["ts"] < min(transfers)
    ]
    at_most: int = rules["filters"]["forwarded"]["max_replies"]
    return len(before) <= at_most


def _advert(messages: list[Event], _transfers: list[int], rules: Rules) -> bool:
    advert = rules["filters"]["advert"]
    first = _first_of_buyer(messages)
    if first is None:
        return False
    answers = [m for m in messages[first + 1 :] if m["sender"] == "agent"]
    return any(m.get("text") == advert["phrase"] for m in answers[: advert["within"]])


def _single_sentence(messages: list[Event], _transfers: list[int], rules: Rules) -> bool:
    if [i for i, m in enumerate(messages) if m["sender"] == "buyer"] != [0]:
        return False
    replies = [m for m in messages[1:] if is_effective(m, rules)]
    at_least: int = rules["filters"]["single_sentence"]["min_replies"]
    return len(replies) >= at_least


def _monologue(messages: list[Event], _transfers: list[int], rules: Rules) -> bool:
    of_buyer = [m for m in messages if m["sender"] == "buyer"]
    at_most: int = rules["filters"]["monologue"]["max_buyer_messages"]
    return messages[0]["sender"] == "agent" and len(of_buyer) <= at_most


def _first_of_buyer(messages: list[Event]) -> int | None:
    for index, message in enumerate(messages):
        if message["sender"] == "buyer":
            return index
    return None


def _agent_offline(_messages: list[Event], _transfers: list[int], _rules: Rules) -> bool:
    return False  # it depends on other buyers: see `offline`


FILTERS: dict[str, tuple[dict[str, Any], Callable[[list[Event], list[int], Rules], bool]]] = {
    "buyer_subaccount": ({"enabled": False}, _buyer_subaccount),
    "agent_offline": ({"enabled": True}, _agent_offline),
    "broadcast": ({"enabled": True}, _broadcast),
    "forwarded": ({"enabled": True, "max_replies": 1}, _forwarded),
    "advert": ({"enabled": False, "within": 2}, _advert),
    "single_sentence": ({"enabled": False, "min_replies": 3}, _single_sentence),
    "monologue": ({"enabled": True, "max_buyer_messages": 0}, _monologue),
}
"""The filters that a shop may name, in their order: the default, and whether it matches a reception."""
