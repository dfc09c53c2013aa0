"""What a month's pay would have been under each rule set: the lab's orders given to the calculator of pay."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import Any, NamedTuple

from msgspec import UNSET
from psycopg import Connection

from stream_attr.codec.records.roster import decode_roster
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.contract.records.pay_scheme import PayScheme
from stream_attr.errors import UnusableError
from stream_attr.files.jsonl import LinesFile
from stream_attr.lab.result import JudgedOrder, LabPay, PersonPay, Verdict
from stream_attr.ledger.pay.drafts import begun
from stream_attr.ledger.pay.facts import DayFigures, attained
from stream_attr.ledger.pay.records import FinalOrder, Open, Read, Terms, team_of
from stream_attr.ledger.pay.runs import RunId
from stream_attr.ledger.pay.schemes import Schemes
from stream_attr.ledger.periods import Period, period
from stream_attr.pay.calculator import calculate
from stream_attr.pay.employment import days_of_month
from stream_attr.rules.reports.contribution import TOTAL
from stream_attr.rules.shop.days import Zone, day_name, day_number

__all__ = ["Payroll", "paid", "payroll_of_ledger", "payroll_of_roster", "whole_month"]

AgentDay = Mapping[str, Any]
"""A final record of ``agent-daily``."""


class Payroll(NamedTuple):
    """Who is paid for a month, and how."""

    scheme: PayScheme
    month: str
    """``YYYY-MM``."""
    terms: tuple[Terms, ...]
    person: Callable[[str, str | None, int], str | None]
    """Of a shop, an agent and a day: the person who the agent is; None: nobody."""


def payroll_of_roster(scheme: PayScheme, month: str, shop_id: str, roster: Iterable[str]) -> Payroll:
    """Return all agents of a shop by roster files as persons who are employed for all of a month.

    An agent of whom the roster names no ``person_id`` is a person of the agent's id. Nobody has goals.

    Raises UnusableError for a month that is none, or a file that cannot be read.
    """
    try:
        days = days_of_month(month)
    except ValueError:
        raise UnusableError(f"pay is for a month like 2026-11, not for {month!r}") from None
    last = day_number(f"{month}-{days:02}")
    since: dict[str, list[tuple[int, str]]] = {}
    names: dict[str, str] = {}
    for file in roster:
        with LinesFile(file) as lines:
            for _, value in lines:
                try:
                    record = decode_roster(value)
                except RefusedRecord:
                    continue
                if record.shop_id == shop_id and record.first_day <= last:
                    who = record.agent_id if record.person_id is UNSET else record.person_id
                    since.setdefault(record.agent_id, []).append((record.first_day, who))
                    if record.name is not UNSET:
                        names[who] = record.name
    for known in since.values():
        known.sort(key=lambda one: one[0])

    def person(shop: str, agent_id: str | None, day: int) -> str | None:
        if agent_id is None or shop != shop_id:
            return None
        known = since.get(agent_id)
        if known is None:
            return None
        number = bisect_right(known, day, key=lambda one: one[0])
        return known[max(number - 1, 0)][1]

    persons = sorted({one for known in since.values() for _, one in known})
    terms = tuple(Terms(one, names.get(one), days, 0, {}, {}) for one in persons)
    return Payroll(scheme, month, terms, person)


def payroll_of_ledger(connection: Connection[Any], scheme_id: str, month: str) -> Payroll:
    """Return those whom a scheme pays in a month, as a pay run takes them.

    Raises UnusableError where there is no such scheme, or nobody is paid by it.
    """
    scheme = Schemes(connection).held(scheme_id, month)
    start = begun(connection, scheme, RunId(scheme_id, month))
    return Payroll(scheme, month, start.terms, start.accounts.person)


def whole_month(payroll: Payroll, asked: Period) -> None:
    """Raise UnusableError unless a period is the month that is paid."""
    if period(payroll.month, None) != asked:
        raise UnusableError(
            f"pay is for all of {payroll.month}: judge that month, from its first to its last day"
        )


def paid(
    payroll: Payroll,
    shop_id: str,
    zone: Zone,
    rule_sets: int,
    orders: Sequence[JudgedOrder],
    days: Sequence[Sequence[AgentDay]],
) -> LabPay:
    """Return what persons are paid under each rule set.

    ``orders``: those paid in the month. ``days``: the agents' days of the month under each rule set; none
    where the scheme pays by no figure of days.

    Raises:
        UnusableError: an order of theirs has another currency than the scheme.
        StreamAttrError: the scheme asks for what the lab does not have, such as scores of months before.
    """
    totals: dict[str, list[int]] = {one.person_id: [] for one in payroll.terms}
    for number in range(rule_sets):
        figures = DayFigures(payroll.scheme)
        for record in days[number] if days else ():
            measures = {key: _measure(record, key) for key in figures.measures}
            if record["agent_id"] == TOTAL:
                figures.add_shop(measures)
            elif person := payroll.person(shop_id, record["agent_id"], day_number(record["day"])):
                figures.add(person, measures)
        final = (
            _final(payroll, totals.keys(), shop_id, zone, order, order.verdicts[number]) for order in orders
        )
        read = Read(
            {one.person_id: figures.values(one.person_id) for one in payroll.terms},
            figures.shop_values(),
            tuple(one for one in final if one is not None),
            Open(0, 0, None, 0, {}),
        )
        read = attained(payroll.scheme, payroll.month, payroll.terms, read)
        result = calculate(payroll.scheme, team_of(payroll.month, payroll.terms, read))
        for statement in result.statements:
            totals[statement.person_id].append(statement.total)
    return LabPay(
        payroll.scheme.scheme_id,
        payroll.scheme.version,
        payroll.month,
        payroll.scheme.currency,
        tuple(PersonPay(one.person_id, one.name, tuple(totals[one.person_id])) for one in payroll.terms),
    )


def _measure(record: AgentDay, key: str) -> int | None:
    group, name = key.split(".")
    found = record.get(group, {}).get(name)
    return None if found is None else int(found)


def _final(
    payroll: Payroll,
    persons: Set[str],
    shop_id: str,
    zone: Zone,
    order: JudgedOrder,
    verdict: Verdict,
) -> FinalOrder | None:
    """Return an order as pay takes it; None: it is of no person who is paid."""
    day = zone.day_of(order.paid_ts)
    credited, placing, payment = (
        payroll.person(shop_id, agent, day) for agent in (verdict.agent_id, verdict.placing, verdict.payment)
    )
    if not persons & {credited, placing, payment}:
        return None
    if order.currency != payroll.scheme.currency:
        raise UnusableError(
            f"order {order.order_id} is in {order.currency}, and scheme {payroll.scheme.scheme_id} pays "
            f"{payroll.scheme.currency}: a scheme pays for one currency"
        )
    refunds = [(day_name(zone.day_of(ts)), amount) for ts, amount in order.refunds]
    listed = sum(amount for _, amount in refunds)
    if refunds and listed != order.refunded:  # of more than 100 the first are named, and the whole sum
        refunds[-1] = (refunds[-1][0], refunds[-1][1] + order.refunded - listed)
    return FinalOrder(
        shop_id,
        order.order_id,
        0,
        day_name(day),
        order.amount,
        credited,
        placing,
        payment,
        order.is_ruled,
        tuple(refunds),
    )
