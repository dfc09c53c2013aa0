"""Tells a buyer's day in words: what each reception came to and why, and what figures the buyer is in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import attrgetter

from stream_attr.codec.reports import mean
from stream_attr.codec.shapes import AgentDaily, InquiryOutcome, ReceptionFact
from stream_attr.core.buyer_day import whole
from stream_attr.core.days import day_name, day_number
from stream_attr.core.decision import FINAL, PENDING
from stream_attr.core.fact import EFFECTIVE_CONVERSATION_MS, NOBODY_SPOKE, Fact
from stream_attr.core.inquiry import INQUIRY, NONE
from stream_attr.core.message import BLANK, BROADCAST, BUYER, PRODUCT_PAGE, SUBACCOUNT, Message
from stream_attr.core.part import NOBODY, TOTAL, Part
from stream_attr.core.reception import Filter
from stream_attr.core.settings import Role
from stream_attr.core.shop_day import GROUPS
from stream_attr.replay.day_words import DAY_LANGUAGES
from stream_attr.replay.explain import EVENTS
from stream_attr.replay.heard import Heard
from stream_attr.replay.known import Known
from stream_attr.replay.receipt import Decision
from stream_attr.replay.telling import Teller, money

__all__ = ["explain_day", "problems_of"]

_FILTERS = tuple(Filter)
_NUMBERS: dict[Filter, tuple[tuple[str, str], ...]] = {
    Filter.FORWARDED: (("forwarded.max_replies", "forwarded_max_replies"),),
    Filter.ADVERT: (("advert.phrase", "advert_phrase"), ("advert.within", "advert_within")),
    Filter.SINGLE_SENTENCE: (("single_sentence.min_replies", "single_sentence_min_replies"),),
    Filter.MONOLOGUE: (("monologue.max_buyer_messages", "monologue_max_buyer_messages"),),
}
"""The numbers that a filter goes by: as a settings record calls them, and as `Filters` does."""

_COUNT, _AMOUNT = "count", "amount"
_ADDED: dict[str, dict[str, tuple[str, str]]] = {
    "workload": {
        "consults": ("workload.consults", _COUNT),
        "receptions": ("workload.receptions", _COUNT),
        "unreplied": ("workload.unreplied", _COUNT),
        "buyer_messages": ("workload.buyer_messages", _COUNT),
        "agent_messages": ("workload.agent_messages", _COUNT),
        "agent_characters": ("workload.agent_characters", _COUNT),
        "slow_receptions": ("workload.slow", _COUNT),
    },
    "inquiries": {
        name: (f"inquiries.{name}", _COUNT)
        for name in (
            "inquiries",
            "open",
            "ordered",
            "lost",
            "assists",
            "follow_ups",
            "after_sales",
            "exempt",
        )
    },
    "payments": {name: (f"inquiries.{name}", _COUNT) for name in ("paid", "payment_lost")},
    **{
        group: {
            name: (f"deals.{group}_{name}", _AMOUNT if name == "amount" else _COUNT)
            for name in ("buyers", "orders", "quantity", "amount")
            if name != "quantity" or group in ("sales", "silent")
        }
        for group in ("placed", "paid", "sales", "silent")
    },
    "refunds": {name: (f"deals.{name}", _AMOUNT) for name in ("requested", "completed")},
}
"""By group, the figures of an agent's day that add up: where a `Part` has them, and what they count."""
ABREAST = 4
"""So many figures stand in one line."""
_MEANS = {
    "first_response_ms": ("workload.first_response_ms", "workload.first_responses"),
    "response_ms": ("workload.response_ms", "workload.responses"),
}
"""The means of the workload: of what, and of how many."""


def explain_day(known: Known, *, zone: str | None = None, language: str = "en") -> list[str]:
    """Return the lines that tell a buyer's day.

    ``zone``: IANA name of the time zone to tell times in; None: the shop's. ``language``: ``en`` or ``zh``.
    """
    return list(_DayTeller(known, zone or known.zone.name, language).tell())


def problems_of(known: Known) -> list[str]:
    """Return what in it does not go together, in English; empty: all of it does."""
    return list(_DayTeller(known, known.zone.name, "en").problems())


class _DayTeller(Teller):
    def __init__(self, known: Known, zone: str, language: str) -> None:
        super().__init__(DAY_LANGUAGES[language], zone)
        self._known = known
        self._records = known.records
        self._settings = None if known.shop is None else known.shop.settings_on(day_number(known.records.day))
        currencies = {order["currency"] for order in known.records.decisions.values()}
        self._currency = currencies.pop() if len(currencies) == 1 else None

    def tell(self) -> Iterator[str]:
        yield from self._heading()
        for fact in self._known.receptions:
            yield from self._section("reception", list(self._reception(fact)), agent=fact.agent_id)
        yield from self._section("day_orders", list(self._orders()))
        yield from self._section("adds", list(self._adds()))
        yield from self._section("change", list(self._change()))

    def problems(self) -> Iterator[str]:
        for agent_id in self._known.astray:
            yield self._say("day_astray", agent=agent_id)
        for order in self._known.orders:
            for problem in self._records.unsupported[order["order_id"]]:
                yield self._say("day_unsupported", order=order["order_id"], problem=problem)

    def _heading(self) -> Iterator[str]:
        records, facts, orders = self._records, self._known.receptions, self._known.orders
        yield self._say(
            "day", buyer=records.buyer_id, shop=records.shop_id, day=records.day, zone=self._zone.key
        )
        if self._known.shop is not None and self._settings is not None:
            yield self._say("day_judged_by", preset=self._settings.preset, settings=self._in_force())
        yield ""
        pending = any(self._pending())
        yield self._say(
            "day_in_short",
            receptions=self._count("receptions", len(facts)),
            filtered=sum(fact.filtered is not None for fact in facts),
            orders=self._count("orders", len(orders)),
            status=self._words[PENDING if pending else FINAL],
        )
        problems = list(self.problems())
        if problems:
            yield self._words["day_fails"]
            yield from (self._say("check_problem", problem=problem) for problem in problems)
        elif self._known.heard:
            yield self._words["day_holds_heard"]
        elif orders:
            yield self._words["day_holds"]

    def _in_force(self) -> str:
        shop = self._known.shop
        record = None if shop is None else shop.record_on(day_number(self._records.day))
        if record is None:
            return self._words["settings_none"]
        return self._say("settings_from", day=day_name(record.effective_from))

    # Receptions

    def _reception(self, fact: ReceptionFact) -> Iterator[str]:
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
        part = self._known.parts.get(agent_id)
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

    def _may_be_offline(self, fact: ReceptionFact) -> bool:
        if self._known.shop is not None:
            part = self._known.parts.get(fact.agent_id)
            return part is not None and part.waits and part.closed_ts is None
        return fact.status == PENDING and fact.initiator == "buyer" and not fact.agent_messages

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

    # Orders

    def _orders(self) -> Iterator[str]:
        for order in self._known.orders:
            yield from self._order(order)
        if self._known.orders:
            yield self._say("day_order_why", shop=self._records.shop_id)

    def _order(self, order: Decision) -> Iterator[str]:
        currency = order["currency"]
        happened = sorted((order[f"{name}_ts"], name) for name in EVENTS if order[f"{name}_ts"] is not None)
        events = [
            self._say("day_order_event", event=self._words[name], when=self._when(ts))
            for ts, name in happened
        ]
        yield self._say(
            "day_order",
            order=order["order_id"],
            amount=money(order["amount"], currency),
            quantity=order["quantity"],
            events=self._list(events),
        )
        agents = {
            name: self._words["no_agent"] if order[name] is None else order[name]["agent_id"]
            for name in ("placing", "payment", "credit")
        }
        outcome, status = self._words[f"outcome_{order['outcome']}"], self._words[order["status"]]
        yield self._say("day_order_agents", **agents, outcome=outcome, status=status)
        if self._known.refunds is not None:
            for refund in self._known.refunds.get(order["order_id"], ()):
                yield self._say(
                    "refund_completed" if refund.completed else "refund_requested",
                    amount=money(refund.amount, currency),
                    when=self._when(refund.ts),
                )
        elif order["refund_requested"] or order["refund_completed"]:
            names = ("refund_requested", "refund_completed", "net_amount")
            requested, completed, net = (money(order[name], currency) for name in names)
            yield "  " + self._say("refunds", requested=requested, completed=completed, net=net)

    # Figures

    def _adds(self) -> Iterator[str]:
        parts = self._known.parts
        agents = sorted({fact.agent_id for fact in self._known.receptions} | parts.keys() - {TOTAL, NOBODY})
        pending = False
        for agent_id in (*agents, TOTAL):
            if agent_id == TOTAL:
                yield self._words["adds_shop"]
                part = whole(parts)
            else:
                yield self._say("adds_agent", agent=agent_id)
                part = parts.get(agent_id, Part())
            daily = self._records.figures.get(agent_id)
            pending = pending or (daily is not None and daily.status == PENDING)
            lines = [line for group in GROUPS for line in self._group(group, part, daily)]
            yield from lines or [self._words["adds_nothing"]]
        if len(agents) > 1:
            yield self._words["adds_once"]
        if pending:
            yield self._words["adds_lag"]
        if self._known.refunds is None and any(
            order["refund_requested"] or order["refund_completed"]
            for order in self._records.decisions.values()
        ):
            yield self._words["adds_refunds_unknown"]

    def _group(self, group: str, part: Part, daily: AgentDaily | None) -> Iterator[str]:
        """Tell what the buyer adds to a group of figures."""
        told = None if daily is None else getattr(daily, group)
        said = []
        for name, (path, unit) in _ADDED[group].items():
            own: int = attrgetter(path)(part)
            if own:
                write = self._money if unit == _AMOUNT else _number
                figure = self._words[f"figure_{group}_{name}"]
                if told is None:
                    said.append(self._say("adds_own", figure=figure, own=write(own)))
                else:
                    whole_day = write(getattr(told, name))
                    said.append(self._say("adds_of", figure=figure, own=write(own), whole=whole_day))
        if group == "workload":
            said += self._means(part, daily)
        if said:
            status = "" if told is None else self._say(f"adds_status_{told.status}", day=told.final_from)
            figures = self._list(said[:ABREAST])
            yield self._say("adds_group", group=self._words[f"group_{group}"], status=status, figures=figures)
        for index in range(ABREAST, len(said), ABREAST):
            yield self._say("adds_more", figures=self._list(said[index : index + ABREAST]))

    def _means(self, part: Part, daily: AgentDaily | None) -> Iterator[str]:
        for name, (total, count) in _MEANS.items():
            own = mean(attrgetter(total)(part), attrgetter(count)(part))
            if own is None:
                continue
            figure = self._words[f"figure_workload_{name}"]
            of_day = None if daily is None else getattr(daily.workload, name)
            if of_day is None:
                yield self._say("adds_own", figure=figure, own=self._exact(own))
            else:
                yield self._say("adds_mean", figure=figure, own=self._exact(own), whole=self._exact(of_day))

    def _money(self, amount: int) -> str:
        return f"{amount:,}" if self._currency is None else money(amount, self._currency)

    # What can still change

    def _change(self) -> Iterator[str]:
        pending = list(self._pending())
        yield from pending or [self._words["can_nothing"]]
        yield self._words["can_late"]

    def _pending(self) -> Iterator[str]:
        for fact in self._known.receptions:
            when = self._when(fact.final_at)
            if fact.status == PENDING:
                waits = "can_wait" if self._may_be_offline(fact) else "can_reception"
                yield self._say(waits, agent=fact.agent_id, when=when)
            told = self._records.inquiries.get((fact.day, fact.agent_id))
            if told is not None and told.status == PENDING:
                yield self._say("can_inquiry", agent=fact.agent_id, when=self._when(told.final_at))
        for agent_id in self._known.untold:
            yield self._say("day_untold", agent=agent_id)
        for order in self._known.orders:
            if order["status"] == PENDING:
                yield self._say("can_order", order=order["order_id"], when=self._when(order["final_at"]))

    def _list(self, some: Sequence[str]) -> str:
        return self._words["between"].join(some)

    def _clock(self, ts: int) -> str:
        """A time of the day that is told."""
        return self._when(ts).removeprefix(f"{self._records.day} ")


def _number(count: int) -> str:
    return f"{count:,}"
