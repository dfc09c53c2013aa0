"""Receptions: all messages of a buyer and an agent on one day, and which of them count (RULEBOOK 4)."""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence
from typing import Final, NamedTuple

from stream_attr.rules.buyer.emitted import LastEmitted
from stream_attr.rules.chat.carried import past_midnight
from stream_attr.rules.chat.filters import filtered, stable_from
from stream_attr.rules.chat.message import AGENT, BUYER, SUBACCOUNT, Message
from stream_attr.rules.order.decision import Figures
from stream_attr.rules.reports.measures import Fact, Inquiry
from stream_attr.rules.shop.day_rules import ReceptionRules
from stream_attr.rules.shop.days import END_OF_TIME
from stream_attr.rules.shop.settings import OFFICIAL
from stream_attr.rules.shop.shop import Shop
from stream_attr.rules.vocabulary import Filter, Role

_PRESALE: Final = Role.PRESALE
UNKNOWN: Final = 0


class ReceptionResult(NamedTuple):
    """A reception under a profile's rules: whether it is creditable, and which messages count."""

    reason: str | None
    """Why it is not creditable: its filter, ``role_aftersale`` or ``role_frozen``; None if it is."""
    spoken: list[Message]
    """The messages that count, sorted: the buyer's and effective agent messages; none unless creditable."""
    ineffective_flags: int
    """Message flags, any of which keeps an agent message from counting."""
    stable_from: int
    """A creditable reception stays so whatever plain messages are added from this instant on, unless one is
    earlier than all others; `END_OF_TIME`: any message may change it."""
    any_initiator: bool = False
    """Whether it stays so even where an agent's message comes before the buyer's first."""
    filtered: Filter | None = None
    """The filter that matches it."""
    figures_cache: dict[tuple[int, int, frozenset[str]], Figures | None] | None = None
    """Figures by an interval's start and end and the products looked for, until a message is added; filled
    for long receptions, None unless creditable."""
    handed_over: Sequence[int] = ()
    """When questions were handed over, sorted; none unless creditable."""

    def add(self, message: Message, *, last: bool) -> None:
        """Add a message that keeps the reception creditable; ``last``: it comes after all others."""
        if message.side == BUYER or not message.flags & self.ineffective_flags:
            if last:
                self.spoken.append(message)
            else:
                insort(self.spoken, message)
            if self.figures_cache:
                self.figures_cache.clear()


class Questions(NamedTuple):
    """The carried questions of a reception."""

    handed_over: Sequence[int]
    """When the buyer was transferred to the agent, sorted."""
    past_midnight: int | None
    """When the buyer asked on the day before what was left unanswered."""


NOT_CARRIED: Final = Questions((), None)


class Rating(NamedTuple):
    """A buyer's rating of an agent's service. Sorts by time, then event id."""

    ts: int
    event_id: str
    score: int
    """1 to 5."""
    rated_ts: int
    """When the service was given."""


NO_RATINGS: Final[list[Rating]] = []
NO_QUESTIONS: Final[list[int]] = []
"""Shared by all receptions that have none, as most do; never changed."""


class Reception:
    """The facts of one reception, and what was emitted of it last. ``system`` messages are not among them."""

    __slots__ = (
        "_results",
        "_version",
        "before",
        "closed_ts",
        "due",
        "emitted_fact",
        "emitted_inquiry",
        "fact",
        "handed_over",
        "has_next_day",
        "last_emitted_fact",
        "last_emitted_inquiry",
        "messages",
        "ratings",
        "transfers",
    )

    def __init__(self) -> None:
        self.messages: list[Message] = []
        """Sorted."""
        self.transfers: list[tuple[int, str]] = []
        """(ts, event id) of the agent's transfers of the buyer, sorted."""
        self.handed_over = NO_QUESTIONS
        """When the buyer was transferred to the agent, sorted."""
        self.ratings = NO_RATINGS
        """Of the service of this day, sorted."""
        self.before: Reception | None = None
        """The pair's reception of the day before."""
        self.has_next_day = False
        """Whether there is one of the day after."""
        self.closed_ts: int | None = None
        """When the agent last spoke that day to any buyer, from a closing; `NOBODY_SPOKE`: never."""
        self.fact: Fact | None = None
        """Its figures; derived, None until they are needed."""
        self.last_emitted_fact: LastEmitted | None = None
        self.last_emitted_inquiry: LastEmitted | None = None
        self.emitted_fact: tuple[Fact, bool] | None = None
        """The fact that was emitted last, and whether as final; not stored, so None after a restore. A fact
        that equals it need not be encoded."""
        self.emitted_inquiry: Inquiry | None = None
        """Likewise of its inquiry."""
        self.due = UNKNOWN
        """The watermark at which a report of it changes by itself; `END_OF_TIME`: none does."""
        self._results: dict[str, ReceptionResult] = {}
        self._version = -1

    def cached_fact(self, shop: Shop) -> Fact | None:
        """Return its figures where they still hold; None: they have to be derived."""
        return self.fact if self._version == shop.version else None

    def add(self, message: Message) -> None:
        """Add a message."""
        self.fact = None
        last = self.is_last(message)
        if self._results:
            self._results = {
                name: result
                for name, result in self._results.items()
                if self.stays_creditable(result, message)
            }
            for result in self._results.values():
                result.add(message, last=last)
        if last:
            self.messages.append(message)
        else:
            insort(self.messages, message)

    def stays_creditable(self, result: ReceptionResult, message: Message) -> bool:
        """Whether a reception with this result is creditable, and stays so with one more message."""
        if message.ts < result.stable_from or message.flags & SUBACCOUNT or not self.messages:
            return False
        first = self.messages[0]
        return (
            first < message
            or message.side == BUYER
            or result.any_initiator
            or (first.side == AGENT and not self.handed_over)
        )

    def is_last(self, message: Message) -> bool:
        """Whether a message comes after all others."""
        return not self.messages or self.messages[-1] < message

    def add_transfer(self, ts: int, event_id: str) -> None:
        """Add a transfer."""
        self.fact = None
        self._results = {}
        insort(self.transfers, (ts, event_id))

    def add_handed_over(self, ts: int) -> None:
        """Add a transfer of the buyer to the agent."""
        self.forget_derived()
        self.handed_over = sorted([*self.handed_over, ts])

    def add_rating(self, rating: Rating) -> None:
        """Add a rating."""
        self.fact = None
        self.ratings = sorted([*self.ratings, rating])

    def forget_derived(self) -> None:
        """Derive results and figures again: facts of this day or of the day before have changed."""
        self.fact = None
        self._results = {}

    def has_reception(self, day: int, shop: Shop) -> bool:
        """Whether there is a reception under the official settings: a transfer or rating alone makes none."""
        return bool(self.messages) or bool(self.handed_over and shop.reception_rules(day).carried_questions)

    @property
    def last_ts(self) -> int:
        """When the last message was sent or the buyer was last handed over, whichever is later."""
        messages, handed_over = self.messages, self.handed_over
        last_ts = messages[-1].ts if messages else 0
        return max(last_ts, handed_over[-1]) if handed_over else last_ts

    def follows_on(self, shop: Shop) -> bool:
        """Whether its first message comes so soon after the day before that this may leave a question."""
        before, messages = self.before, self.messages
        return (
            before is not None and bool(messages) and messages[0].ts - before.last_ts < shop.longest_pause_ms
        )

    def questions(self, day: int, shop: Shop, profile: str, reception_rules: ReceptionRules) -> Questions:
        """Return its carried questions under a profile, whose rules for its day are ``reception_rules``."""
        if not reception_rules.carried_questions:
            return NOT_CARRIED
        before, messages = self.before, self.messages
        if before is None or not messages:
            return Questions(self.handed_over, None) if self.handed_over else NOT_CARRIED
        rules_before = shop.reception_rules(day - 1, profile)
        return Questions(
            self.handed_over,
            past_midnight(
                before.messages,
                before.handed_over if rules_before.carried_questions else (),
                rules_before.ineffective_flags,
                messages[0].ts,
                reception_rules.pause_ms,
            ),
        )

    def asked_ts(self, questions: Questions) -> int | None:
        """Return when the buyer initiated it; None: the agent did."""
        handed_over, past = questions
        if past is not None:
            return past
        messages = self.messages
        if handed_over and (not messages or handed_over[0] <= messages[0].ts):
            return handed_over[0]
        return messages[0].ts if messages and messages[0].side == BUYER else None

    def is_by_buyer(self, day: int, shop: Shop, profile: str = OFFICIAL) -> bool:
        """Whether the buyer initiated it."""
        questions = self.questions(day, shop, profile, shop.reception_rules(day, profile))
        return self.asked_ts(questions) is not None

    def close(self, last_ts: int) -> bool:
        """Record when the agent last spoke that day, as a closing brings it; return whether that is new."""
        if self.closed_ts == last_ts:
            return False
        self.closed_ts = last_ts
        self.fact = None
        return True

    def record_fact(self, fact: Fact, emitted: LastEmitted | None, *, final: bool) -> None:
        """Record a fact as emitted; ``emitted``: its revision, None: that of the last one."""
        self.emitted_fact = (fact, final)
        if emitted is not None:
            self.last_emitted_fact = emitted

    def record_inquiry(self, inquiry: Inquiry, emitted: LastEmitted | None) -> None:
        """Record an inquiry as emitted; see :meth:`record_fact`."""
        self.emitted_inquiry = inquiry
        if emitted is not None:
            self.last_emitted_inquiry = emitted

    def clear_due(self) -> None:
        """Record that no report of it changes by itself."""
        self.due = END_OF_TIME

    def add_due(self, watermark: int) -> None:
        """Record that a report of it changes by itself at a watermark."""
        if watermark < self.due:
            self.due = watermark

    def evaluate(self, buyer_id: str, agent_id: str, day: int, shop: Shop, profile: str) -> ReceptionResult:
        """Return the result under a profile, cached until facts or settings change.

        A profile that the settings record of its day does not name counts as the official one.
        """
        if self._version != shop.version:
            self._results = {}
            self.fact = None
            self._version = shop.version
        result = self._results.get(profile)
        if result is None:
            result = self._results[profile] = self._evaluate(buyer_id, agent_id, day, shop, profile)
        return result

    def _evaluate(self, buyer_id: str, agent_id: str, day: int, shop: Shop, profile: str) -> ReceptionResult:
        reception_rules = shop.reception_rules(day, profile)
        role = shop.role_on(agent_id, day, reception_rules.unlisted)
        questions = self.questions(day, shop, profile, reception_rules)
        matched = filtered(
            self.messages,
            self.transfers[0][0] if self.transfers else None,
            reception_rules,
            role,
            by_buyer=self.asked_ts(questions) is not None,
            handed_over=bool(questions.handed_over),
            own_account=shop.is_own_account(buyer_id, day),
            official_account=buyer_id in reception_rules.official_accounts,
        )
        if matched is not None:
            return ReceptionResult(matched.value, [], 0, END_OF_TIME, filtered=matched)
        if role is not _PRESALE:
            return ReceptionResult(f"role_{role.value}", [], 0, END_OF_TIME)
        ineffective = reception_rules.ineffective_flags
        spoken = [one for one in self.messages if one.side == BUYER or not one.flags & ineffective]
        filters = reception_rules.filters
        counted = filters.single_sentence or filters.monologue
        buyer_messages = len([one for one in spoken if one.side == BUYER]) if counted else 0
        return ReceptionResult(
            None,
            spoken,
            ineffective,
            stable_from(self.messages, buyer_messages, reception_rules),
            not filters.monologue or buyer_messages > filters.monologue_max_buyer_messages,
            figures_cache={},
            handed_over=questions.handed_over,
        )
