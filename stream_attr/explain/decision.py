"""Explains the decision on an order by its receipt: the candidates, the rule, what did not count.

A shop manager must be able to defend the verdict with it before the agent who did not get the credit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from stream_attr.codec.money import format_money
from stream_attr.contract.records.decision import EVENT_TIMES
from stream_attr.explain.verify import Decision, Figures, ranked, verify
from stream_attr.explain.why_not import AgentHistory, WhyNot
from stream_attr.explain.writer import NO_NAMES, Writer
from stream_attr.rules.order.order import Order
from stream_attr.rules.vocabulary import (
    CREDITED,
    EXCLUDED,
    ORDER_EVENT_TYPES,
    OUTCOMES,
    PICK_RULES,
    REASONS,
    SILENT,
    STATUSES,
)

__all__ = ["Explanation", "Part", "explain_decision", "explained"]


class Part(NamedTuple):
    """A part of an explanation that has a title."""

    name: str
    """order, placing, payment, followup, credit, assists, discarded, change, revisions or why_not."""
    title: str
    lines: tuple[str, ...]


class Explanation(NamedTuple):
    """An explanation of a decision, by what its parts are about; parts without lines are not there."""

    heading: tuple[str, ...]
    """Which order it is, and by which rules it is judged."""
    verdict: tuple[str, ...]
    """Whose it is, and whether the receipt supports that."""
    why_not: Part | None
    parts: tuple[Part, ...]

    def lines(self) -> Iterator[str]:
        """Yield all of it as lines: parts after an empty line, what they say indented below their titles."""
        yield from (*self.heading, "", *self.verdict)
        for part in (*([] if self.why_not is None else [self.why_not]), *self.parts):
            yield from ("", part.title, *(f"  {line}" for line in part.lines))


def explained(
    decision: Decision,
    *,
    history: Sequence[Decision] = (),
    other_buyers: Sequence[str] = (),
    facts: Order | None = None,
    why_not: tuple[str, AgentHistory] | None = None,
    names: Mapping[str, str] = NO_NAMES,
    zone: str,
    language: str = "en",
) -> Explanation:
    """Return what explains a decision, and whether its receipt supports its verdict.

    ``history``: the order's decisions so far under this profile, the oldest first. ``other_buyers``: under
    whom the order's id stands too. ``facts``: what its events say; None: they are not known. ``why_not``: an
    agent without the credit, and what is known of it beside the decision. ``names``: the roster's, by agent
    id. ``zone``: IANA name of the time zone of all times. ``language``: ``en`` or ``zh``. Raises KeyError or
    TypeError for JSON that is not a decision.
    """
    answer = None if why_not is None else WhyNot(decision, *why_not, zone, language, names)
    writer = DecisionExplanation(decision, facts, zone, language, names)
    return writer.explanation(history, other_buyers, answer)


def explain_decision(
    decision: Decision,
    *,
    history: Sequence[Decision] = (),
    other_buyers: Sequence[str] = (),
    facts: Order | None = None,
    why_not: tuple[str, AgentHistory] | None = None,
    names: Mapping[str, str] = NO_NAMES,
    zone: str,
    language: str = "en",
) -> list[str]:
    """Return the lines of an explanation; see `explained`."""
    found = explained(
        decision,
        history=history,
        other_buyers=other_buyers,
        facts=facts,
        why_not=why_not,
        names=names,
        zone=zone,
        language=language,
    )
    return list(found.lines())


class DecisionExplanation(Writer):
    def __init__(
        self, decision: Decision, facts: Order | None, zone: str, language: str, names: Mapping[str, str]
    ) -> None:
        super().__init__(language, zone, names)
        self._decision = decision
        self._facts = facts

    def explanation(
        self, history: Sequence[Decision], other_buyers: Sequence[str], answer: WhyNot | None
    ) -> Explanation:
        outcome = self._decision["outcome"]
        is_judged, is_paid = outcome != EXCLUDED, outcome in (CREDITED, SILENT)
        parts = (
            self._part("order", self._order()),
            self._part("placing", self._interval("placing") if is_judged else ()),
            self._part("payment", self._interval("payment") if is_paid else ()),
            self._part("followup", self._followup() if is_paid else ()),
            self._part("credit", [*self._ruling(self._decision), self._credit()]),
            self._part("assists", self._assists()),
            self._part("discarded", self._discarded()),
            self._part("change", self._change()),
            self._part("revisions", map(self._revision, history if len(history) > 1 else ())),
        )
        others = (
            [self._sentence("order_other_buyers", buyers=self._list(other_buyers))] if other_buyers else []
        )
        why_not = None if answer is None else Part("why_not", answer.title(), tuple(answer.reasons()))
        return Explanation(
            tuple(self._heading()),
            (self._verdict(), *others, *self._verification()),
            why_not if why_not is not None and why_not.lines else None,
            tuple(part for part in parts if part.lines),
        )

    def _part(self, name: str, lines: Iterable[str]) -> Part:
        return Part(name, self._sentence(f"section_{name}"), tuple(lines))

    def _amount(self, name: str) -> str:
        return format_money(self._decision[name], self._decision["currency"])

    def _heading(self) -> Iterator[str]:
        decision = self._decision
        since = decision["settings_from"]
        yield self._sentence(
            "order",
            order=decision["order_id"],
            shop=decision["shop_id"],
            buyer=decision["buyer_id"],
            amount=self._amount("amount"),
            quantity=decision["quantity"],
        )
        yield self._sentence(
            "order_rules",
            profile=decision["profile"],
            preset=decision["preset"],
            settings=self._sentence("settings_none" if since is None else "settings_from", day=since),
            zone=self._zone.key,
        )

    def _verdict(self) -> str:
        decision = self._decision
        credit = decision["credit"]
        return self._sentence(
            f"verdict_{decision['outcome']}",
            agent=credit and self._agent(credit["agent_id"]),
            status=self._word(STATUSES, decision["status"]),
        )

    def _verification(self) -> Iterator[str]:
        problems = verify(self._decision)
        yield self._sentence("not_verified" if problems else "verified")
        yield from (self._sentence("problem", problem=problem) for problem in problems)

    def _order(self) -> Iterator[str]:
        lines = sorted(self._events(), key=lambda one: one[0])
        yield from (f"{self._time(ts)}  {what}" for ts, what in lines)
        deposit = None if self._facts is None else self._facts.deposit
        if deposit is not None and deposit.balance_until is not None:
            yield self._sentence("balance_until", time=self._time(deposit.balance_until))
        yield from self._sums_and_notices(self._decision)

    def _events(self) -> Iterator[tuple[int, str]]:
        """Yield what happened to the order, and when.

        A decision alone has no instalments but the first, no parcels and no reviews.
        """
        decision = self._decision
        currency = decision["currency"]
        payments = [] if self._facts is None else self._facts.payments
        instalments = payments if len(payments) > 1 else []
        for name, field in EVENT_TIMES.items():
            ts = decision.get(field)
            if ts is None or (name == "paid" and instalments):
                continue
            what = self._word(ORDER_EVENT_TYPES, name)
            if name == "deposit_paid":
                what = self._sentence("event_amount", event=what, amount=self._amount("deposit_amount"))
            yield ts, what
        for one in instalments:
            yield (
                one.ts,
                self._sentence(
                    "instalment",
                    event=self._word(ORDER_EVENT_TYPES, "paid"),
                    number="" if one.payment_id is None else one.payment_id,
                    amount=format_money(one.amount, currency),
                ),
            )
        yield from ((one["ts"], self._refund(one, currency)) for one in decision.get("refunds", ()))
        rare = None if self._facts is None else self._facts.rare
        if rare is not None:
            times = {**rare.times, "reviewed": [one.ts for one in rare.reviews]}
            for name, some in times.items():
                yield from ((ts, self._word(ORDER_EVENT_TYPES, name)) for ts in some)

    # Candidates

    def _interval(self, name: str) -> list[str]:
        picked = self._decision[name]
        order = ranked(self._decision, name, picked["rule"] if picked else "last_chat")
        lines = [self._candidate(place, *one) for place, one in enumerate(order, 1)]
        if not lines:
            lines.append(self._sentence("no_candidate"))
        elif name == "payment" and all(one["placing"] == one[name] for one in self._decision["candidates"]):
            lines = [self._sentence("same_candidates")]
        if picked:
            rule = self._word(PICK_RULES, picked["rule"])
            lines.append(self._sentence(f"picked_{name}", agent=self._agent(picked["agent_id"]), rule=rule))
            lines.append(self._runner_up(order, picked["rule"]))
        return lines

    def _candidate(self, place: int, agent_id: str, figures: Figures) -> str:
        remarks = ""
        for name in ("product_page", "ordered_product"):
            if figures[name]:
                remarks += self._sentence(f"remark_{name}")
        if figures.get("initiator"):
            remarks += self._sentence(f"remark_{figures['initiator']}_first")
        first, last = self._time(figures["first_ts"]), self._time(figures["last_ts"])
        return self._sentence(
            "candidate",
            place=place,
            agent=self._agent(agent_id),
            messages=self._count("messages", figures["messages"]),
            rounds=self._count("rounds", figures["rounds"]),
            first=first,
            last=last.removeprefix(first[:11]),  # the date once if both have the same
            remarks=remarks,
        )

    def _runner_up(self, order: Sequence[tuple[str, Figures]], rule: str) -> str:
        """Return why the first of the ranking comes before the second."""
        if len(order) < 2:
            return self._sentence("no_runner_up")
        (_, first), (other_id, second) = order[:2]
        other = self._agent(other_id)
        sentences = []
        if rule == "most_rounds":
            if first["rounds"] != second["rounds"]:
                ours, theirs = (self._count("rounds", one["rounds"]) for one in (first, second))
                return self._sentence("runner_up_fewer_rounds", other=other, ours=ours, theirs=theirs)
            sentences.append(self._sentence("runner_up_same_rounds", other=other))
        ahead = first["last_ts"] - second["last_ts"]
        if ahead:
            duration, time = self._duration(ahead), self._time(second["last_ts"])
            sentences.append(self._sentence("runner_up_earlier", other=other, duration=duration, time=time))
        else:
            sentences.append(self._sentence("runner_up_same_time", other=other))
        return " ".join(sentences)

    def _followup(self) -> list[str]:
        found = [
            (one["agent_id"], one["followup"]) for one in self._decision["candidates"] if one["followup"]
        ]
        found.sort(key=lambda one: (one[1]["first_ts"], one[0]))
        return [self._candidate(place, *one) for place, one in enumerate(found, 1)]

    # Credit

    def _credit(self) -> str:
        decision = self._decision
        credit = decision["credit"]
        if credit and credit["basis"] == "ruling":
            return self._sentence("credit_ruling", agent=self._agent(credit["agent_id"]))
        if credit:
            rule = self._sentence(f"credit_rule_{credit['rule']}")
            return self._sentence(
                f"credit_{credit['basis']}", agent=self._agent(credit["agent_id"]), rule=rule
            )
        if decision["outcome"] == EXCLUDED:
            return self._sentence("credit_excluded")
        if decision["paid_ts"] is None:
            return self._sentence("credit_not_paid")
        if decision.get("ruling"):
            return self._sentence("credit_ruling_nobody")
        # A silent verdict does not name the rule, but only one rule leaves such an agent without credit.
        if decision["placing"]:
            return self._sentence("credit_no_payment_agent", rule=self._sentence("credit_rule_payment"))
        if decision["payment"]:
            return self._sentence("credit_semi_silent", rule=self._sentence("credit_rule_order"))
        return self._sentence("credit_full_silent")

    def _assists(self) -> list[str]:
        return [
            self._sentence(f"assist_{one['kind']}", agent=self._agent(one["agent_id"]))
            for one in self._decision["assists"]
        ]

    def _discarded(self) -> list[str]:
        return [
            self._sentence(
                "discarded",
                agent=self._agent(one["agent_id"]),
                day=one["day"],
                reason=self._sentence(f"discard_{one['reason']}"),
            )
            for one in self._decision["discarded"]
        ]

    # What can change, and what has changed

    def _change(self) -> list[str]:
        decision = self._decision
        until = self._sentence(f"change_{decision['status']}", time=self._time(decision["final_at"]))
        return [until, self._sentence("change_late")]

    def _revision(self, decision: Decision) -> str:
        credit, placing, word = decision["credit"], decision["placing"], decision["reason"]
        if credit:
            agent = self._sentence("revision_credit", agent=self._agent(credit["agent_id"]))
        elif placing:
            agent = self._sentence("revision_placing", agent=self._agent(placing["agent_id"]))
        else:
            agent = self._sentence("revision_no_agent")
        reason = self._word(REASONS, word)
        # A decision does not have the time of a chat, refund or settings record.
        times = {"timer": decision["watermark"]} | {
            field.removesuffix("_ts"): decision.get(field) for field in EVENT_TIMES.values()
        }
        if ruling := decision.get("ruling"):
            times["ruling"] = ruling["ts"]
        if times.get(word) is not None:
            reason = self._sentence("reason_at", reason=reason, time=self._time(times[word]))
        return self._sentence(
            "revision",
            number=decision["revision"],
            status=self._word(STATUSES, decision["status"]),
            outcome=self._word(OUTCOMES, decision["outcome"]),
            agent=agent,
            net=format_money(decision["net_amount"], decision["currency"]),
            reason=reason,
        )
