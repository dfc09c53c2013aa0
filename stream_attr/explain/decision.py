"""Tells a decision in words: enough for a shop manager to defend it before the agent it went against."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stream_attr.explain.messages import LANGUAGES
from stream_attr.explain.teller import Teller, money
from stream_attr.explain.verify import Decision, Figures, ranked, verify

__all__ = ["explain"]

EVENTS = ("created", "paid", "cancelled")
"""Events of an order whose time its decision tells; so are reasons of a revision called."""


def explain(
    decision: Decision, *, history: Sequence[Decision] = (), zone: str, language: str = "en"
) -> list[str]:
    """Return the lines that tell a decision and its receipt, and whether the one supports the other.

    ``history``: the order's decisions so far under this profile, the oldest first. ``zone``: IANA name of
    the time zone to tell times in. ``language``: ``en`` or ``zh``. Raises KeyError or TypeError for what
    is no decision.
    """
    return list(_OrderTeller(decision, zone, language).tell(history))


class _OrderTeller(Teller):
    def __init__(self, decision: Decision, zone: str, language: str) -> None:
        super().__init__(LANGUAGES[language], zone)
        self._decision = decision

    def tell(self, history: Sequence[Decision]) -> Iterator[str]:
        yield from self._heading()
        yield from self._check()
        yield from self._order()
        yield from self._interval("placing")
        if self._decision["paid_ts"] is not None:
            yield from self._interval("payment")
            yield from self._followup()
        yield from self._section("credit", [self._credit()])
        yield from self._section("assists", self._assists())
        yield from self._section("discarded", self._discarded())
        yield from self._section("change", self._change())
        if len(history) > 1:
            yield from self._section("revisions", [self._revision(one) for one in history])

    def _amount(self, name: str) -> str:
        return money(self._decision[name], self._decision["currency"])

    def _heading(self) -> Iterator[str]:
        told = self._decision
        since = told["settings_from"]
        yield self._say(
            "order",
            order=told["order_id"],
            shop=told["shop_id"],
            buyer=told["buyer_id"],
            amount=self._amount("amount"),
            quantity=told["quantity"],
        )
        yield self._say(
            "judged_by",
            profile=told["profile"],
            preset=told["preset"],
            settings=self._words["settings_none"] if since is None else self._say("settings_from", day=since),
            zone=self._zone.key,
        )
        yield ""
        credit = told["credit"]
        yield self._say(
            f"verdict_{told['outcome']}",
            agent=credit and credit["agent_id"],
            status=self._words[told["status"]],
        )

    def _check(self) -> Iterator[str]:
        problems = verify(self._decision)
        if not problems:
            yield self._words["check_holds"]
            return
        yield self._words["check_fails"]
        for problem in problems:
            yield self._say("check_problem", problem=problem)

    def _order(self) -> Iterator[str]:
        told = self._decision
        events = [(told[f"{name}_ts"], name) for name in EVENTS]
        lines = [
            f"{self._when(ts)}  {self._words[name]}"
            for ts, name in sorted(e for e in events if e[0] is not None)
        ]
        if told["refund_requested"] or told["refund_completed"]:
            requested, completed = self._amount("refund_requested"), self._amount("refund_completed")
            lines.append(
                self._say("refunds", requested=requested, completed=completed, net=self._amount("net_amount"))
            )
        yield from self._section("order", lines)

    def _interval(self, name: str) -> Iterator[str]:
        picked = self._decision[name]
        order = ranked(self._decision, name, picked["rule"] if picked else "last_chat")
        lines = [self._candidate(place, *one) for place, one in enumerate(order, 1)]
        if not lines:
            lines.append(self._words["nobody"])
        elif name == "payment" and all(one["placing"] == one[name] for one in self._decision["candidates"]):
            lines = [self._words["as_before"]]
        if picked:
            rule = picked["rule"]
            lines.append(self._say(f"{name}_agent", agent=picked["agent_id"], rule=self._words[rule]))
            lines.append(self._runner_up(order, rule))
        yield from self._section(name, lines)

    def _candidate(self, place: int, agent_id: str, figures: Figures) -> str:
        extras = ""
        if figures["product_page"]:
            extras += self._words["from_product_page"]
        if figures["ordered_product"]:
            extras += self._words["about_ordered_product"]
        if figures.get("initiator"):
            extras += self._words[f"began_{figures['initiator']}"]
        first, last = self._when(figures["first_ts"]), self._when(figures["last_ts"])
        return self._say(
            "candidate",
            place=place,
            agent=agent_id,
            messages=self._count("messages", figures["messages"]),
            rounds=self._count("rounds", figures["rounds"]),
            first=first,
            last=last.removeprefix(first[:11]),  # the day once, where it is one
            extras=extras,
        )

    def _runner_up(self, order: Sequence[tuple[str, Figures]], rule: str) -> str:
        """Why the first of the ranking stands before the second."""
        if len(order) < 2:
            return self._words["only_one"]
        (_, first), (other, second) = order[:2]
        said = []
        if rule == "most_rounds":
            if first["rounds"] != second["rounds"]:
                ours, theirs = (self._count("rounds", one["rounds"]) for one in (first, second))
                return self._say("more_rounds", other=other, ours=ours, theirs=theirs)
            said.append(self._say("same_rounds", other=other))
        ahead = first["last_ts"] - second["last_ts"]
        if ahead:
            when = self._when(second["last_ts"])
            said.append(self._say("later_than", other=other, span=self._span(ahead), when=when))
        else:
            said.append(self._say("same_moment", other=other))
        return " ".join(said)

    def _followup(self) -> Iterator[str]:
        found = [
            (one["agent_id"], one["followup"]) for one in self._decision["candidates"] if one["followup"]
        ]
        found.sort(key=lambda one: (one[1]["first_ts"], one[0]))
        lines = [self._candidate(place, *one) for place, one in enumerate(found, 1)]
        yield from self._section("followup", lines)

    def _credit(self) -> str:
        told = self._decision
        credit = told["credit"]
        if credit:
            rule = self._words[f"rule_{credit['rule']}"]
            return self._say(f"credit_{credit['basis']}", agent=credit["agent_id"], rule=rule)
        if told["paid_ts"] is None:
            return self._words["credit_not_paid"]
        # The rule is not told with a silent verdict, but only one leaves an agent without credit.
        if told["placing"]:
            return self._say("credit_no_payment_agent", rule=self._words["rule_payment"])
        if told["payment"]:
            return self._say("credit_semi", rule=self._words["rule_order"])
        return self._words["credit_full"]

    def _assists(self) -> list[str]:
        return [
            self._say(f"assist_{one['kind']}", agent=one["agent_id"]) for one in self._decision["assists"]
        ]

    def _discarded(self) -> list[str]:
        return [
            self._say("discarded", agent=one["agent_id"], day=one["day"], reason=self._words[one["reason"]])
            for one in self._decision["discarded"]
        ]

    def _change(self) -> list[str]:
        told = self._decision
        until = self._say(f"change_{told['status']}", when=self._when(told["final_at"]))
        return [until, self._words["change_late"]]

    def _revision(self, one: Decision) -> str:
        credit, placing, reason = one["credit"], one["placing"], one["reason"]
        if credit:
            who = self._say("credit_of", agent=credit["agent_id"])
        elif placing:
            who = self._say("placing_of", agent=placing["agent_id"])
        else:
            who = self._words["credit_none"]
        # Of chat, refunds and settings a decision does not tell the time.
        times = {"timer": one["watermark"]} | {name: one[f"{name}_ts"] for name in EVENTS}
        when = self._say("at", when=self._when(times[reason])) if reason in times else ""
        return self._say(
            "revision",
            number=one["revision"],
            when=when,
            status=self._words[one["status"]],
            outcome=self._words[f"outcome_{one['outcome']}"],
            who=who,
            net=money(one["net_amount"], one["currency"]),
            reason=self._words[f"reason_{reason}"],
        )
