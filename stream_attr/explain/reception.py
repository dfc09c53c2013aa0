"""Explains a reception: its messages, where its figures come from, its filter, and its inquiry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from stream_attr.codec.records.agent_daily import mean
from stream_attr.contract.records.inquiry_outcome import InquiryOutcome
from stream_attr.contract.records.reception_fact import ReceptionFact
from stream_attr.explain.timeline import TimelineEntry
from stream_attr.explain.writer import BuyerDayWriter
from stream_attr.rules.chat.message import BLANK, BROADCAST, BUYER, PRODUCT_PAGE, SUBACCOUNT, Message
from stream_attr.rules.reports.measures import Fact
from stream_attr.rules.reports.reception_fact import EFFECTIVE_CONVERSATION_MS, NOBODY_SPOKE
from stream_attr.rules.shop.days import day_name, day_number
from stream_attr.rules.shop.settings import Filters
from stream_attr.rules.vocabulary import INQUIRY, MESSAGE_KINDS, NONE, Filter, Role

__all__ = ["ReceptionExplanation"]

_FILTERS = tuple(Filter)


class ReceptionExplanation(BuyerDayWriter):
    """Explains the receptions of a buyer's day."""

    def lines(self, fact: ReceptionFact) -> Iterator[str]:
        """Yield the lines on one reception."""
        agent = self._agent(fact.agent_id)
        yield self._sentence(f"role_{fact.role}", agent=agent)
        for entry in self._view.timelines.get(fact.agent_id, ()):
            yield self._entry(fact.agent_id, entry)
        yield self._sentence(
            "reception_messages",
            messages=self._count("messages", fact.buyer_messages),
            agent=agent,
            effective=self._count("effective_messages", fact.agent_messages),
            characters=self._count("characters", fact.agent_characters),
            rounds=self._count("rounds", fact.rounds),
        )
        effective = "effective_yes" if fact.effective_conversation else "effective_no"
        yield self._sentence(
            "reception_period",
            first=self._time_of_day(fact.first_ts),
            last=self._time_of_day(fact.last_ts),
            duration=self._duration(fact.duration_ms),
            effective=self._sentence(effective, duration=self._duration(EFFECTIVE_CONVERSATION_MS)),
            side=self._sentence(f"side_{self._side(fact)}", agent=agent),
        )
        if fact.product_page:
            yield self._sentence("from_product_page")
        if fact.transferred:
            yield self._sentence("transferred", agent=agent)
        if fact.handed_over:
            yield self._sentence("handed_over", agent=agent)
        if fact.rating is not None:
            yield self._sentence("rating", score=fact.rating)
        yield from self._responses(fact)
        yield self._filtered(fact)
        yield from self._fact_status(fact)
        yield from self._inquiry(fact)

    def _entry(self, agent_id: str, entry: TimelineEntry) -> str:
        time = self._time_of_day(entry.ts)
        message, before, after = entry.message, entry.before, entry.after
        if message is None:
            if entry.sentence == "rated":
                return self._sentence("rated", time=self._time(entry.ts), agent=agent_id, score=entry.kind)
            other = self._agent(entry.kind) if entry.kind else ""
            return self._sentence(entry.sentence, time=time, agent=agent_id, other=other)
        kind = "" if entry.kind == "text" else self._list(["", self._word(MESSAGE_KINDS, entry.kind)])
        remarks = self._sentence("remark_subaccount") if message.flags & SUBACCOUNT else ""
        if message.flags & PRODUCT_PAGE:
            remarks += self._sentence("remark_product_page")
        if after is None:
            remarks += self._sentence("remark_not_emitted")
        elif message.side != BUYER:
            remarks += self._contribution(message, before, after)
        if message.side == BUYER:
            return self._sentence("message_of_buyer", time=time, remarks=kind + remarks)
        characters = self._count("characters", message.characters)
        return self._sentence(
            "message_of_agent", time=time, agent=agent_id, kind=kind, characters=characters, remarks=remarks
        )

    def _side(self, fact: ReceptionFact) -> str:
        """Return who initiated a reception; ``question``: the buyer, who wrote nothing in it."""
        return "question" if fact.initiator == "buyer" and not fact.buyer_messages else fact.initiator

    def _contribution(self, message: Message, before: Fact | None, after: Fact) -> str:
        """Return what an agent's message adds to the figures."""

        def more(figure: str) -> int:
            found: int = getattr(after, figure) - (0 if before is None else getattr(before, figure))
            return found

        if not more("agent_messages"):
            why = "auto_reply"
            if message.flags & BROADCAST:
                why = "broadcast"
            elif message.flags & BLANK:
                why = "blank"
            return self._sentence(f"not_effective_{why}")
        if not more("rounds"):
            return ""
        added = self._sentence("remark_round", n=after.rounds)
        if more("response_count"):
            response = self._seconds(more("response_ms_sum"))
            return added + self._sentence("remark_response", duration=response)
        return added + self._sentence("remark_too_slow", limit=self._max_wait())

    def _max_wait(self) -> str:
        minutes = None if self._settings is None else self._settings.max_wait_minutes
        return self._sentence("max_wait" if minutes is None else "max_wait_known", n=minutes)

    def _responses(self, fact: ReceptionFact) -> Iterator[str]:
        if not (fact.buyer_messages or fact.handed_over or fact.replied):
            yield self._sentence("response_not_needed")
        elif not fact.replied:
            yield self._sentence("response_unreplied")
        elif fact.first_response_ms is None:
            yield self._sentence("response_too_slow", limit=self._max_wait())
        else:
            yield self._sentence(
                "response",
                first=self._seconds(fact.first_response_ms),
                count=fact.response_count,
                rounds=fact.rounds,
                total=self._seconds(fact.response_ms_sum),
                mean=self._seconds(mean(fact.response_ms_sum, fact.response_count) or 0),
            )
            yield self._slow() if fact.slow else self._sentence("slow_no")

    def _slow(self) -> str:
        if self._settings is None:
            return self._sentence(
                "slow_yes", times=self._sentence("slow_times"), seconds=self._sentence("slow_seconds")
            )
        slow = self._settings.slow_response
        return self._sentence("slow_yes", times=slow.times, seconds=self._duration(slow.seconds * 1000))

    def _filtered(self, fact: ReceptionFact) -> str:
        if fact.filtered is None:
            return self._sentence("filtered_no_frozen" if fact.role == Role.FROZEN else "filtered_no")
        matched = Filter(fact.filtered)
        setting = ""
        if matched is Filter.AGENT_OFFLINE:
            setting = self._offline_since(fact.agent_id)
        elif self._settings is not None:
            setting = self._numbers(matched, self._settings.filters)
        return self._sentence(
            "filtered_frozen" if fact.role == Role.FROZEN else "filtered_yes",
            number=_FILTERS.index(matched) + 1,
            filters=len(_FILTERS),
            name=matched.value,
            reason=self._sentence(f"discard_{matched.value}"),
            setting=setting,
        )

    def _numbers(self, matched: Filter, settings: Filters) -> str:
        """Return the numbers in the settings of a filter, named as in a settings record."""
        prefix = f"{matched.value}_"
        return "".join(
            self._sentence(
                "filter_setting",
                name=f"{matched.value}.{one.name.removeprefix(prefix)}",
                value=getattr(settings, one.name),
            )
            for one in fields(settings)
            if one.name.startswith(prefix) and type(getattr(settings, one.name)) is int
        )

    def _offline_since(self, agent_id: str) -> str:
        contribution = self._view.contributions.get(agent_id)
        if contribution is None or contribution.closed_ts is None:
            return ""
        if contribution.closed_ts == NOBODY_SPOKE:
            return self._sentence("offline_all_day")
        return self._sentence("offline_since", time=self._time_of_day(contribution.closed_ts))

    def _fact_status(self, fact: ReceptionFact) -> Iterator[str]:
        time = self._time(fact.final_at)
        yield self._sentence(f"fact_{fact.status}", time=time)
        if self._may_be_offline(fact):
            yield self._sentence("fact_may_be_offline", time=time, agent=self._agent(fact.agent_id))

    # Inquiries

    def _inquiry(self, fact: ReceptionFact) -> Iterator[str]:
        inquiry = self._records.inquiries.get((fact.day, fact.agent_id))
        if inquiry is None:
            yield self._sentence(self._no_inquiry(fact))
        elif inquiry.kind == NONE:
            yield self._sentence("inquiry_withdrawn", agent=self._agent(fact.agent_id))
        else:
            yield self._kind(fact, inquiry)
            time = self._time(inquiry.final_at)
            if inquiry.order_ids and inquiry.kind == INQUIRY:
                yield self._sentence(f"result_{inquiry.outcome}", time=time)
            yield self._sentence(f"inquiry_{inquiry.status}", time=time)

    def _no_inquiry(self, fact: ReceptionFact) -> str:
        """Return the key of why there is no inquiry."""
        if fact.filtered is not None:
            return "inquiry_of_filtered"
        return "inquiry_of_role" if fact.role != Role.PRESALE else "inquiry_not_emitted"

    def _kind(self, fact: ReceptionFact, inquiry: InquiryOutcome) -> str:
        if inquiry.exempt is not None:
            why = self._exempt(fact, inquiry.exempt)
            return self._sentence("inquiry_exempt", exempt=inquiry.exempt, why=why)
        if inquiry.kind == INQUIRY and not inquiry.order_ids:
            return self._sentence(f"inquiry_{inquiry.outcome}", time=self._time(inquiry.final_at))
        days = self._sentence("after_sales_days")
        if self._settings is not None:
            days = self._sentence("after_sales_days_known", n=self._settings.after_sales_days)
        orders = self._sentence("order_separator").join(inquiry.order_ids)
        return self._sentence(
            f"inquiry_{inquiry.kind}", agent=self._agent(fact.agent_id), orders=orders, days=days
        )

    def _exempt(self, fact: ReceptionFact, exempt: str) -> str:
        if exempt == "agent_initiated":
            key = "exempt_agent_wrote_first" if fact.initiator == "agent" else "exempt_first_reply"
            return self._sentence(key, agent=self._agent(fact.agent_id))
        next_day = self._records.facts[day_name(day_number(fact.day) + 1), fact.agent_id]
        return self._sentence("exempt_overnight", duration=self._duration(next_day.first_ts - fact.last_ts))
