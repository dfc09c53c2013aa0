"""Answers "why not this agent?" for one order: what stood between the agent and the credit (RULEBOOK 5).

The decision's receipt says it for the time that counts. What lies outside that time only the agent's
receptions with the buyer can say, so far as the source of the decision has them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from stream_attr.explain.verify import Decision, Figures, credited_agents, ranked
from stream_attr.explain.writer import Writer
from stream_attr.rules.order.intervals import NOWHERE, Intervals
from stream_attr.rules.vocabulary import EXCLUDED, PICK_RULES, Filter, Role

__all__ = ["AgentHistory", "AgentReception", "WhyNot"]

EVENT_OF = {"placing": "created_ts", "payment": "paid_ts"}
"""By interval: the time of the decision that ends it."""


class AgentReception(NamedTuple):
    """A reception of the agent with the order's buyer."""

    day: str
    first_ts: int
    last_ts: int
    reason: str | None
    """Its filter but for ``agent_offline``, or its role, as a receipt has them; None: it is creditable."""
    effective: Sequence[int] | None = None
    """Times of the agent's effective messages, sorted; None: not known."""

    @classmethod
    def recorded(
        cls, day: str, first_ts: int, last_ts: int, filtered: str | None, role: str, agent_messages: int
    ) -> AgentReception:
        """Return one by the figures of its reception fact."""
        reason = None if filtered == Filter.AGENT_OFFLINE else filtered
        return cls(
            day,
            first_ts,
            last_ts,
            reason or (None if role == Role.PRESALE else f"role_{role}"),
            None if agent_messages else (),
        )


@dataclass(frozen=True, slots=True)
class AgentHistory:
    """What a source knows of an agent and an order's buyer beside the decision."""

    receptions: Sequence[AgentReception] | None = None
    """All of them by day; None: not known."""
    intervals: Intervals | None = None
    """Of the order, by the shop's settings; None: the settings are not known."""
    refused: Sequence[tuple[str, int]] = ()
    """Dead-letter codes of the pair's events, and how many there are of each."""


class WhyNot(Writer):
    """Explains why an agent does not have the credit of an order."""

    def __init__(
        self,
        decision: Decision,
        agent_id: str,
        history: AgentHistory,
        zone: str,
        language: str,
        names: Mapping[str, str],
    ) -> None:
        super().__init__(language, zone, names)
        self._decision = decision
        self._agent_id = agent_id
        self._history = history
        self._discarded = {
            one["day"]: one["reason"] for one in decision["discarded"] if one["agent_id"] == agent_id
        }
        found = [one for one in decision["candidates"] if one["agent_id"] == agent_id]
        self._figures: Mapping[str, Figures | None] = found[0] if found else {}

    def title(self) -> str:
        """Return what is asked."""
        return self._sentence("section_why_not", agent=self._agent(self._agent_id))

    def reasons(self) -> Iterator[str]:
        """Yield what stood between the agent and the credit."""
        decision, agent = self._decision, self._agent(self._agent_id)
        if self._agent_id in credited_agents(decision):
            yield self._sentence("why_has_credit", agent=agent)
            return
        if decision["outcome"] == EXCLUDED:
            yield self._sentence("credit_excluded")
            return
        yield from self._ruling(decision)
        if decision["paid_ts"] is None:
            yield self._sentence("credit_not_paid")
        yield from self._judged("placing")
        if decision["paid_ts"] is not None:
            yield from self._judged("payment")
            yield from self._followed_up()
        outside = [*self._receptions()]
        yield from outside
        if not self._figures and not outside:
            known = self._history.receptions is not None
            yield self._sentence("why_never" if known else "why_not_on_receipt", agent=agent)
        for code, count in self._history.refused:
            yield self._sentence("why_refused", events=self._count("events", count), agent=agent, code=code)

    # In the time that counts

    def _judged(self, interval: str) -> Iterator[str]:
        """Yield why the agent was not picked in an interval, or, if it was, why that gives no credit."""
        picked, figures = self._decision[interval], self._figures.get(interval)
        agent = self._agent(self._agent_id)
        if picked is not None and picked["agent_id"] == self._agent_id:
            if self._decision["paid_ts"] is not None and not self._decision.get("ruling"):
                yield self._sentence(f"why_{interval}_agent", agent=agent, rule=self._rule())
            else:
                yield self._sentence(f"picked_{interval}", agent=agent, rule=self._picked_by(picked["rule"]))
        elif picked is not None and figures is not None:
            yield self._behind(interval, picked["rule"], figures)
        elif interval == "placing" and (later := self._figures.get("payment")) is not None:
            late = later["first_ts"] - self._decision["created_ts"]
            if late >= 0:
                yield self._sentence(
                    "why_after_placing",
                    duration=self._duration(late),
                    time=self._time(later["first_ts"]),
                )

    def _rule(self) -> str:
        """Return the credit rule in words: the decision names it, or only one gives the credit to nobody."""
        credit = self._decision["credit"]
        rule = credit["rule"] if credit else "payment" if self._decision["placing"] else "order"
        return self._sentence(f"credit_rule_{rule}")

    def _picked_by(self, rule: str) -> str:
        return self._word(PICK_RULES, rule)

    def _behind(self, interval: str, rule: str, ours: Figures) -> str:
        """Return the agent's place in an interval, and what the picked one has over it."""
        order = ranked(self._decision, interval, rule)
        place = [agent_id for agent_id, _ in order].index(self._agent_id) + 1
        first, theirs = order[0]
        other = self._agent(first)
        reasons = []
        if rule == "most_rounds":
            if theirs["rounds"] != ours["rounds"]:
                more, fewer = (self._count("rounds", one["rounds"]) for one in (theirs, ours))
                reasons.append(self._sentence("why_fewer_rounds", other=other, theirs=more, ours=fewer))
            else:
                reasons.append(self._sentence("why_same_rounds", other=other))
        if rule != "most_rounds" or theirs["rounds"] == ours["rounds"]:
            later = theirs["last_ts"] - ours["last_ts"]
            key = "why_spoke_earlier" if later else "why_same_time"
            duration, time = self._duration(later), self._time(theirs["last_ts"])
            reasons.append(self._sentence(key, other=other, duration=duration, time=time))
        return self._sentence(
            f"why_behind_{interval}",
            place=place,
            places=len(order),
            rule=self._picked_by(rule),
            reason=" ".join(reasons),
        )

    def _followed_up(self) -> Iterator[str]:
        ours, credit = self._figures.get("followup"), self._decision["credit"]
        if ours is None or credit is None or credit["basis"] != "followup":
            return
        [theirs] = [
            one["followup"] for one in self._decision["candidates"] if one["agent_id"] == credit["agent_id"]
        ]
        earlier = ours["first_ts"] - theirs["first_ts"]
        other, time = self._agent(credit["agent_id"]), self._time(theirs["first_ts"])
        key = "why_followed_up_later" if earlier else "why_followed_up_same_time"
        yield self._sentence(key, other=other, duration=self._duration(earlier), time=time)

    # Receptions that do not count

    def _receptions(self) -> Iterator[str]:
        receptions = {one.day: one for one in self._history.receptions or ()}
        for day in sorted({*self._discarded, *receptions}):
            reception = receptions.get(day)
            reason = self._why_discarded(day, reception) or self._why_outside(reception)
            if reason is None:
                continue
            if reception is None:
                yield self._sentence("why_reception_on", day=day, reason=reason)
            else:
                first, last = self._time(reception.first_ts), self._time(reception.last_ts)
                yield self._sentence(
                    "why_reception", first=first, last=last.removeprefix(first[:11]), reason=reason
                )

    def _why_discarded(self, day: str, reception: AgentReception | None) -> str | None:
        """Return why the receipt has the reception of a day as discarded; None: it has not."""
        reason = self._discarded.get(day)
        if reason is None:
            return None
        if reason == "no_effective_message" and reception is not None and reception.effective:
            outside = self._outside(reception.effective[0], reception.effective[-1])
            if outside is not None:
                return outside
        return self._sentence(f"discard_{reason}")

    def _why_outside(self, reception: AgentReception | None) -> str | None:
        """Return why a reception that the receipt does not name is outside the time that counts."""
        if reception is None:
            return None
        if reception.reason is None and reception.effective is not None and not reception.effective:
            return self._sentence("discard_no_effective_message")
        outside = self._outside(reception.first_ts, reception.last_ts)
        if outside is None or reception.reason is None:
            return outside
        return self._sentence("why_also", reason=outside, other=self._sentence(f"discard_{reception.reason}"))

    def _outside(self, first_ts: int, last_ts: int) -> str | None:
        """Return on which side of the time that counts messages lie; None: not outside."""
        decision, intervals = self._decision, self._history.intervals
        created_ts, paid_ts = decision["created_ts"], decision["paid_ts"]
        if intervals is not None:
            start = intervals.placing.start
            if last_ts < start:
                return self._sentence(
                    "why_too_early", start=self._time(start), duration=self._duration(start - last_ts)
                )
        else:
            counted = [one["first_ts"] for one in map(self._figures.get, EVENT_OF) if one is not None]
            if last_ts < min([*counted, created_ts]):
                return self._sentence(
                    "why_too_early_by_receipt", duration=self._duration(created_ts - last_ts)
                )
        end, key = (created_ts, "placing") if paid_ts is None else (max(created_ts, paid_ts), "payment")
        if first_ts < end or self._figures.get("followup") is not None:
            return None
        if intervals is not None and intervals.followup is not NOWHERE and decision["silence"] == "full":
            end, key = intervals.followup.end - 1, "followup"
            if first_ts <= end:
                return None
        return self._sentence(
            f"why_after_{key}", duration=self._duration(first_ts - end), time=self._time(first_ts)
        )
