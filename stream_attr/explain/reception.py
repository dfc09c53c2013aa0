"""Tells a reception in words: what was said, what its figures come from, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator

from stream_attr.codec.records.agent_daily import mean
from stream_attr.contract.records.inquiry_outcome import InquiryOutcome
from stream_attr.contract.records.reception_fact import ReceptionFact
from stream_attr.explain.day_teller import DayTeller
from stream_attr.explain.timeline import Heard
from stream_attr.rules.chat.message import BLANK, BROADCAST, BUYER, PRODUCT_PAGE, SUBACCOUNT, Message
from stream_attr.rules.reports.measures import Fact
from stream_attr.rules.reports.reception_fact import EFFECTIVE_CONVERSATION_MS, NOBODY_SPOKE
from stream_attr.rules.shop.days import day_name, day_number
from stream_attr.rules.vocabulary import INQUIRY, NONE, Filter, Role

__all__ = ["ReceptionTeller"]

_FILTERS = tuple(Filter)
_NUMBERS: dict[Filter, tuple[tuple[str, str], ...]] = {
    Filter.FORWARDED: (("forwarded.max_replies", "forwarded_max_replies"),),
    Filter.ADVERT: (("advert.within", "advert_within"),),
    Filter.SINGLE_SENTENCE: (("single_sentence.min_replies", "single_sentence_min_replies"),),
    Filter.MONOLOGUE: (("monologue.max_buyer_messages", "monologue_max_buyer_messages"),),
}
"""The numbers that a filter goes by: as a settings record calls them, and as `Filters` does."""


class ReceptionTeller(DayTeller):
    """Tells the receptions of a buyer's day."""

    def tell(self, fact: ReceptionFact) -> Iterator[str]:
        """Yield the lines that tell one."""
        agent_id = fact.agent_id
        yield self._say(f"was_{fact.role}", agent=agent_id)
        for heard in self._known.heard.get(agent_id, ()):
            yield self._heard(agent_id, heard)
        yield self._say(
            "spoken",
            messages=self._count("messages", fact.buyer_messages),
            agent=agent_id,
            effective=fact.agent_messages,
            characters=self._count("characters", fact.agent_characters),
            rounds=self._count("rounds", fact.rounds),
        )
        enough = "effective_yes" if fact.effective_conversation else "effective_no"
        yield self._say(
            "lasted",
            first=self._clock(fact.first_ts),
            last=self._clock(fact.last_ts),
            span=self._span(fact.duration_ms),
            effective=self._say(enough, span=self._span(EFFECTIVE_CONVERSATION_MS)),
            side=agent_id if fact.initiator == "agent" else self._words["side_buyer"],
        )
        if fact.product_page:
            yield self._words["came_from_page"]
        if fact.transferred:
            yield self._say("handed_over", agent=agent_id)
        yield from self._responses(fact)
        yield self._filtered(fact)
        yield from self._fact_status(fact)
        yield from self._inquiry(fact)

    def _heard(self, agent_id: str, heard: Heard) -> str:
        time = self._clock(heard.ts)
        message, before, after = heard.message, heard.before, heard.after
        if message is None:
            return self._say("heard_transfer", time=time, agent=agent_id, to=heard.kind)
        kind = self._words[f"kind_{heard.kind}"]
        extras = self._words["heard_subaccount"] if message.flags & SUBACCOUNT else ""
        if message.flags & PRODUCT_PAGE:
            extras += self._words["from_product_page"]
        if after is None:
            extras += self._words["heard_untold"]
        elif message.side != BUYER:
            extras += self._adds_to(message, before, after)
        if message.side == BUYER:
            return self._say("heard_buyer", time=time, kind=kind, extras=extras)
        characters = self._count("characters", message.characters)
        return self._say(
            "heard_agent", time=time, agent=agent_id, kind=kind, characters=characters, extras=extras
        )

    def _adds_to(self, message: Message, before: Fact | None, after: Fact) -> str:
        """Tell what an agent's message adds to the figures."""

        def more(figure: str) -> int:
            found: int = getattr(after, figure) - (0 if before is None else getattr(before, figure))
            return found

        if not more("agent_messages"):
            why = "auto_reply"
            if message.flags & BROADCAST:
                why = "broadcast"
            elif message.flags & BLANK:
                why = "blank"
            return self._words[f"mute_{why}"]
        if not more("rounds"):
            return ""
        said = self._say("heard_round", n=after.rounds)
        if more("response_count"):
            return said + self._say("heard_response", span=self._exact(more("response_ms_sum")))
        return said + self._say("heard_too_long", limit=self._limit())

    def _limit(self) -> str:
        minutes = None if self._settings is None else self._settings.max_wait_minutes
        return self._words["limit"] if minutes is None else self._say("limit_known", n=minutes)

    def _responses(self, fact: ReceptionFact) -> Iterator[str]:
        if not fact.buyer_messages:
            yield self._words["response_not_asked"]
        elif not fact.replied:
            yield self._words["response_unreplied"]
        elif fact.first_response_ms is None:
            yield self._say("response_none_counts", limit=self._limit())
        else:
            yield self._say(
                "response",
                first=self._exact(fact.first_response_ms),
                count=fact.response_count,
                rounds=fact.rounds,
                total=self._exact(fact.response_ms_sum),
                mean=self._exact(mean(fact.response_ms_sum, fact.response_count) or 0),
            )
            yield self._slow() if fact.slow else self._words["slow_no"]

    def _slow(self) -> str:
        if self._settings is None:
            return self._say("slow_yes", times=self._words["slow_times"], seconds=self._words["slow_seconds"])
        slow = self._settings.slow_response
        return self._say("slow_yes", times=slow.times, seconds=self._span(slow.seconds * 1000))

    def _filtered(self, fact: ReceptionFact) -> str:
        if fact.filtered is None:
            return self._words["filtered_no"]
        matched = Filter(fact.filtered)
        setting = ""
        if matched is Filter.AGENT_OFFLINE:
            setting = self._offline_since(fact.agent_id)
        elif self._settings is not None:
            for name, attribute in _NUMBERS.get(matched, ()):
                value = getattr(self._settings.filters, attribute)
                setting += self._say("filter_setting", name=name, value=value)
        return self._say(
            "filtered_frozen" if fact.role == Role.FROZEN else "filtered_yes",
            number=_FILTERS.index(matched) + 1,
            filters=len(_FILTERS),
            name=matched.value,
            reason=self._words[matched.value],
            setting=setting,
        )

    def _offline_since(self, agent_id: str) -> str:
        part = self._known.contributions.get(agent_id)
        if part is None or part.closed_ts is None:
            return ""
        if part.closed_ts == NOBODY_SPOKE:
            return self._words["offline_never"]
        return self._say("offline_last", when=self._clock(part.closed_ts))

    def _fact_status(self, fact: ReceptionFact) -> Iterator[str]:
        when = self._when(fact.final_at)
        yield self._say(f"fact_{fact.status}", when=when)
        if self._may_be_offline(fact):
            yield self._say("fact_waits", when=when, agent=fact.agent_id)

    # Inquiries

    def _inquiry(self, fact: ReceptionFact) -> Iterator[str]:
        told = self._records.inquiries.get((fact.day, fact.agent_id))
        if told is None or told.kind == NONE:
            if told is not None:
                yield self._say("inquiry_none", agent=fact.agent_id)
            elif fact.filtered is not None:
                yield self._words["inquiry_of_filtered"]
            elif fact.role != Role.PRESALE:
                yield self._words["inquiry_of_role"]
            else:
                yield self._words["inquiry_untold"]
            return
        yield self._kind(fact, told)
        when = self._when(told.final_at)
        if told.order_ids and told.kind == INQUIRY:
            yield self._say(f"result_{told.outcome}", when=when)
        yield self._say(f"inquiry_{told.status}", when=when)

    def _kind(self, fact: ReceptionFact, told: InquiryOutcome) -> str:
        when = self._when(told.final_at)
        if told.exempt is not None:
            return self._say("inquiry_exempt", exempt=told.exempt, why=self._exempt(fact, told.exempt))
        if told.kind == INQUIRY and not told.order_ids:
            return self._say(f"inquiry_{told.outcome}", when=when)
        days = self._words["after_sales_days"]
        if self._settings is not None:
            days = self._say("after_sales_days_known", n=self._settings.after_sales_days)
        return self._say(
            f"inquiry_{told.kind}", agent=fact.agent_id, orders=self._list(told.order_ids), days=days
        )

    def _exempt(self, fact: ReceptionFact, exempt: str) -> str:
        if exempt == "agent_initiated":
            when = "now" if fact.initiator == "agent" else "before"
            return self._say(f"why_agent_initiated_{when}", agent=fact.agent_id)
        after = day_number(fact.day) + 1
        following = self._records.facts[day_name(after), fact.agent_id]
        return self._say("why_overnight", span=self._span(following.first_ts - fact.last_ts))
