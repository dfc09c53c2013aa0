"""Writes sentences: messages of one language, times of one zone, durations, sections."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

from stream_attr.codec.money import format_money
from stream_attr.contract.records.reception_fact import ReceptionFact
from stream_attr.explain.messages import catalogue
from stream_attr.explain.verify import Decision
from stream_attr.explain.view import BuyerDayView
from stream_attr.rules.shop.days import DAY_MS, HOUR_MS, MINUTE_MS, day_number
from stream_attr.rules.vocabulary import NOTICES, ORDER_EVENT_TYPES, PENDING, Vocabulary

__all__ = ["NO_NAMES", "BuyerDayWriter", "Writer"]

NO_NAMES: Final[Mapping[str, str]] = MappingProxyType({})
"""Where the roster is not known."""

MAX_TS = 253_402_300_800_000
"""The year 10000: a watermark at or after it is the end of a replay's input."""


class Writer:
    """Writes in one language, with times in one time zone."""

    def __init__(self, language: str, zone: str, names: Mapping[str, str] = NO_NAMES) -> None:
        """``language``: ``en`` or ``zh``; ``zone``: IANA name; ``names``: the roster's, by agent id."""
        self._names = names
        self._catalogue = catalogue(language)
        self._chinese = language == "zh"
        self._zone = ZoneInfo(zone)

    def _sentence(self, key: str, **values: object) -> str:
        """Return a message with its placeholders filled in. Raises KeyError for an unknown key."""
        return self._catalogue.gettext(key).format(**values)

    def _count(self, key: str, n: int) -> str:
        """Return a message in the plural form for ``n``."""
        return self._catalogue.ngettext(key, key, n).format(n=n)

    def _word(self, vocabulary: Vocabulary, word: str) -> str:
        """Return a word of a record as ``last chat (聊天时间)``, in Chinese as ``聊天时间``."""
        return self._named(word, vocabulary.chinese_of(word))

    def _named(self, name: str, chinese: str) -> str:
        return chinese if self._chinese else f"{name.replace('_', ' ')} ({chinese})"

    def _agent(self, agent_id: str) -> str:
        """Return an agent's id, with its name in the roster where that is another."""
        name = self._names.get(agent_id, agent_id)
        return agent_id if name == agent_id else self._sentence("agent_named", agent=agent_id, name=name)

    def _ruling(self, decision: Decision) -> Iterator[str]:
        """Yield the ruling on an order's credit; nothing where none holds."""
        ruling = decision.get("ruling")
        if ruling:
            agent_id = ruling["agent_id"]
            yield self._sentence(
                "ruling_nobody" if agent_id is None else "ruling_agent",
                agent=agent_id and self._agent(agent_id),
                ruled_by=ruling["ruled_by"],
                time=self._time(ruling["ts"]),
            )

    def _refund(self, refund: Mapping[str, Any], currency: str) -> str:
        """Return a refund of a decision, without its time."""
        event = self._word(
            ORDER_EVENT_TYPES, "refund_completed" if refund["completed"] else "refund_requested"
        )
        amount = format_money(refund["amount"], currency)
        if refund["refund_id"] is None:
            return self._sentence("event_amount", event=event, amount=amount)
        return self._sentence("refund_with_id", event=event, amount=amount, refund=refund["refund_id"])

    def _sums_and_notices(self, decision: Decision) -> Iterator[str]:
        """Yield what the refunds of an order come to, and what a person should look at."""
        currency = decision["currency"]
        money = {
            name: format_money(decision[name], currency)
            for name in ("amount", "refund_requested", "refund_completed", "net_amount")
        }
        if decision.get("refunds_cut", False):
            yield self._sentence("refunds_cut", n=len(decision["refunds"]))
        if decision["refund_requested"] or decision["refund_completed"]:
            yield self._sentence(
                "refunds",
                requested=money["refund_requested"],
                completed=money["refund_completed"],
                net=money["net_amount"],
            )
        for notice in decision.get("notices", ()):
            yield self._sentence(
                "notice",
                notice=self._word(NOTICES, notice),
                what=self._sentence(
                    f"notice_{notice}",
                    amount=money["amount"],
                    completed=money["refund_completed"],
                    currency=currency,
                ),
            )

    def _list(self, items: Iterable[str]) -> str:
        return self._sentence("list_separator").join(items)

    def _section(self, name: str, lines: Sequence[str], **values: object) -> Iterator[str]:
        """Yield a blank line, a title and the indented lines; nothing if there are no lines."""
        if lines:
            yield ""
            yield self._sentence(f"section_{name}", **values)
            yield from (f"  {line}" for line in lines)

    def _time(self, ts: int) -> str:
        """Return date and time of an instant (ms since the epoch), with milliseconds if it has any.

        A local time that there is twice, when clocks are put back, has its offset from UTC.
        """
        if ts >= MAX_TS:
            return self._sentence("end_of_input")
        moment = datetime.fromtimestamp(ts // 1000, UTC).astimezone(self._zone)
        milliseconds = f".{ts % 1000:03}" if ts % 1000 else ""
        is_twice = moment.utcoffset() != moment.replace(fold=1 - moment.fold).utcoffset()
        offset = f" {moment.isoformat()[-6:]}" if is_twice else ""
        return f"{moment:%Y-%m-%d %H:%M:%S}{milliseconds}{offset}"

    def _duration(self, ms: int) -> str:
        """Return a duration in its two largest units; below a minute in seconds, to the millisecond."""
        if ms < MINUTE_MS:
            return self._seconds(ms)
        units = (("days", DAY_MS), ("hours", HOUR_MS), ("minutes", MINUTE_MS), ("seconds", 1000))
        parts = []
        for name, unit in units:
            n, ms = divmod(ms, unit)
            if n:
                parts.append(self._sentence(name, n=n))
        return " ".join(parts[:2])

    def _seconds(self, ms: int) -> str:
        """Return a duration in seconds, to the millisecond, so that sums can be checked."""
        return self._sentence("seconds", n=f"{ms / 1000:.3f}".rstrip("0").rstrip("."))


class BuyerDayWriter(Writer):
    """Writes about a buyer's day."""

    def __init__(self, view: BuyerDayView, zone: str, language: str) -> None:
        super().__init__(language, zone, view.names)
        self._view = view
        self._records = view.records
        self._settings = None if view.shop is None else view.shop.settings_on(day_number(view.records.day))

    def _may_be_offline(self, fact: ReceptionFact) -> bool:
        """Return whether the agent's messages to other buyers can still make it `agent_offline`."""
        if self._view.shop is not None:
            contribution = self._view.contributions.get(fact.agent_id)
            return contribution is not None and contribution.waits and contribution.closed_ts is None
        return fact.status == PENDING and fact.initiator == "buyer" and not fact.agent_messages

    def _time_of_day(self, ts: int) -> str:
        """Return the time without the date, if that is the buyer's day."""
        return self._time(ts).removeprefix(f"{self._records.day} ")
