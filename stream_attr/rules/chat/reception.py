"""Receptions: all messages of a buyer and an agent on one day, and which of them count (RULEBOOK 4)."""

from __future__ import annotations

from bisect import insort
from typing import Final, NamedTuple

from stream_attr.rules.buyer.emitted import LastEmitted
from stream_attr.rules.chat.filters import filtered, steady_from
from stream_attr.rules.chat.message import AGENT, BUYER, SUBACCOUNT, Message
from stream_attr.rules.order.decision import Figures
from stream_attr.rules.reports.measures import Fact, Inquiry
from stream_attr.rules.shop.days import END_OF_TIME
from stream_attr.rules.shop.shop import Shop
from stream_attr.rules.vocabulary import Filter, Role

_PRESALE: Final = Role.PRESALE
UNKNOWN: Final = 0


class ReceptionResult(NamedTuple):
    """A reception as a profile's rules read it."""

    reason: str | None
    """Why it is not creditable: its filter, ``role_aftersale`` or ``role_frozen``; None if it is."""
    spoken: list[Message]
    """The messages that count, sorted: the buyer's and effective agent messages; none unless creditable."""
    mute: int
    """Message flags any of which makes an agent message none that counts."""
    steady_from: int
    """It is creditable and remains so whatever plain messages are added from this instant on, but for a first
    one; `END_OF_TIME`: each has it read anew."""
    whoever_begins: bool = False
    """Whether it remains so even where an agent's message comes before the buyer's first."""
    filtered: Filter | None = None
    """The filter that matches it."""
    known: dict[tuple[int, int, frozenset[str]], Figures | None] | None = None
    """What the messages of an interval come to, by its start and end and the products looked for, while no
    message has been added; kept where it is long, and None where nothing counts."""

    def add(self, message: Message, *, last: bool) -> None:
        """Read one more message, which may be the last one."""
        if message.side == BUYER or not message.flags & self.mute:
            if last:
                self.spoken.append(message)
            else:
                insort(self.spoken, message)
            if self.known:
                self.known.clear()


class Reception:
    """What is known of one reception. Its messages are of every kind but ``system``."""

    __slots__ = (
        "_results",
        "_version",
        "closed_ts",
        "emitted_fact",
        "emitted_inquiry",
        "fact",
        "last_emitted_fact",
        "last_emitted_inquiry",
        "look_at",
        "messages",
        "transfers",
    )

    def __init__(self) -> None:
        self.messages: list[Message] = []
        """Sorted."""
        self.transfers: list[tuple[int, str]] = []
        """Sorted (ts, event id) of the agent's hand-overs of the buyer."""
        self.closed_ts: int | None = None
        """When the agent last spoke that day, to anybody, as a closing has told; `NOBODY_SPOKE`: never."""
        self.fact: Fact | None = None
        """Its figures, while they are known; derived."""
        self.last_emitted_fact: LastEmitted | None = None
        self.last_emitted_inquiry: LastEmitted | None = None
        self.emitted_fact: tuple[Fact, bool] | None = None
        """What was last told and whether as final, while it is known: what is not new need not be encoded."""
        self.emitted_inquiry: Inquiry | None = None
        self.look_at = UNKNOWN
        """The watermark at which something new of it is due by itself; `END_OF_TIME`: nothing."""
        self._results: dict[str, ReceptionResult] = {}
        self._version = -1

    def known_fact(self, shop: Shop) -> Fact | None:
        """Return its figures where they still hold; None: they have to be found anew."""
        return self.fact if self._version == shop.version else None

    def add(self, message: Message) -> None:
        """Take a message."""
        self.fact = None
        last = self.ends_before(message)
        if self._results:
            self._results = {
                name: result for name, result in self._results.items() if self.remains(result, message)
            }
            for result in self._results.values():
                result.add(message, last=last)
        if last:
            self.messages.append(message)
        else:
            insort(self.messages, message)

    def remains(self, result: ReceptionResult, message: Message) -> bool:
        """Whether it is creditable as it is read, and remains so with one more message."""
        if message.ts < result.steady_from or message.flags & SUBACCOUNT:
            return False
        first = self.messages[0]
        return first < message or message.side == BUYER or first.side == AGENT or result.whoever_begins

    def ends_before(self, message: Message) -> bool:
        """Whether a message would be the last one."""
        return not self.messages or self.messages[-1] < message

    def add_transfer(self, ts: int, event_id: str) -> None:
        """Take a hand-over."""
        self.fact = None
        self._results = {}
        insort(self.transfers, (ts, event_id))

    def result(self, buyer_id: str, agent_id: str, day: int, shop: Shop, profile: str) -> ReceptionResult:
        """Return how it is read; a profile that the record of its day does not name reads as the official."""
        if self._version != shop.version:
            self._results = {}
            self.fact = None
            self._version = shop.version
        result = self._results.get(profile)
        if result is None:
            result = self._results[profile] = self._judge(buyer_id, agent_id, day, shop, profile)
        return result

    def _judge(self, buyer_id: str, agent_id: str, day: int, shop: Shop, profile: str) -> ReceptionResult:
        reception_rules = shop.reception_rules(day, profile)
        role = shop.role_on(agent_id, day, reception_rules.unlisted)
        matched = filtered(
            self.messages,
            self.transfers[0][0] if self.transfers else None,
            reception_rules,
            role,
            own_account=shop.is_own_account(buyer_id, day),
            official_account=buyer_id in reception_rules.official_accounts,
        )
        if matched is not None:
            return ReceptionResult(matched.value, [], 0, END_OF_TIME, filtered=matched)
        if role is not _PRESALE:
            return ReceptionResult(f"role_{role.value}", [], 0, END_OF_TIME)
        mute = reception_rules.mute
        spoken = [one for one in self.messages if one.side == BUYER or not one.flags & mute]
        filters = reception_rules.filters
        asked = filters.single_sentence or filters.monologue
        buyer_messages = len([one for one in spoken if one.side == BUYER]) if asked else 0
        return ReceptionResult(
            None,
            spoken,
            mute,
            steady_from(self.messages, buyer_messages, reception_rules),
            not filters.monologue or buyer_messages > filters.monologue_max_buyer_messages,
            known={},
        )
