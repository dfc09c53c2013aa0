"""Drafts: a month calculated from the ledger, and what it corrects of closed months."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, Final, NamedTuple

from psycopg import Connection

from stream_attr.contract.records.pay_scheme import PayScheme
from stream_attr.contract.topics import AGENT_DAILY, DECISIONS
from stream_attr.errors import StreamAttrError, UnusableError
from stream_attr.ledger.pay.facts import read_month, targets_of
from stream_attr.ledger.pay.persons import Accounts, Paid, Persons
from stream_attr.ledger.pay.records import Basis, Correction, Kept, Terms, team_of
from stream_attr.ledger.pay.runs import Run, RunId, Runs
from stream_attr.ledger.pay.schemes import Schemes
from stream_attr.ledger.periods import shop_zone
from stream_attr.ledger.reports.report import AsOf
from stream_attr.ledger.reports.scope import as_of
from stream_attr.pay.calculator import Result, calculate
from stream_attr.pay.employment import days_of_month
from stream_attr.pay.lines import Statement
from stream_attr.pay.true_ups import Account, ClosedRun, changes, paid_for, settle

__all__ = ["Started", "begun", "draft", "recalculated"]

_MOST_NAMED: Final = 20
_MONTHS_BACK: Final = 23
"""Months before whose scores a warning may look at."""


def draft(connection: Connection[Any], run: RunId, by: str, noted: Callable[[], None] = lambda: None) -> None:
    """Calculate a month and keep it as a draft, all from one state of the ledger.

    ``noted``: what is written with it, in the same transaction.

    Raises:
        UnusableError: the run is closed; the scheme or its persons are not there.
        StreamAttrError: the ledger's orders cannot be paid by the scheme, or it is being rebuilt.
    """
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        version, basis, kept = _drafted(connection, run)
        Runs(connection).store(run, version, basis, kept, by)
        noted()


def recalculated(connection: Connection[Any], run: Run) -> Result:
    """Return what a run comes to by what the ledger says now: same scheme, persons and goals."""
    scheme = Schemes(connection).version(run.id.scheme_id, run.version)
    terms = run.basis.terms
    accounts = Accounts(connection, [one.person_id for one in terms])
    read = read_month(connection, scheme, run.id.month, terms, accounts)
    return calculate(scheme, team_of(run.id.month, terms, read))


class Started(NamedTuple):
    """What a month of a scheme's persons begins with."""

    terms: tuple[Terms, ...]
    accounts: Accounts
    closed: Sequence[Run]
    """Closed runs of these persons."""
    as_of: AsOf


def begun(connection: Connection[Any], scheme: PayScheme, run: RunId) -> Started:
    """Return the persons of a run, as a scheme (the run's, or another one on trial) asks of them.

    Raises UnusableError where there are none, or the roster does not say which agents they are.
    """
    last_day = f"{run.month}-{days_of_month(run.month):02}"
    persons = [one for one in Persons(connection).all(run.scheme_id) if one.employment.first_day <= last_day]
    if not persons:
        raise UnusableError(
            f"nobody is paid by scheme {run.scheme_id} in {run.month}: enter the persons with "
            "stream-attr pay person set"
        )
    names = [one.person_id for one in persons]
    accounts = Accounts(connection, names)
    if not accounts.shops:
        raise UnusableError(
            f"the roster says of no person of scheme {run.scheme_id} which agents they are: publish it with "
            f"`person_id`; the scheme's persons are {', '.join(names[:_MOST_NAMED])}"
        )
    closed = Runs(connection).closed_with(names)
    targets = targets_of(connection, scheme, run.month, accounts)
    scores = _scores_before(run, closed)
    terms = tuple(_terms(one, run.month, targets, scores) for one in persons)
    zone = shop_zone(connection, accounts.shops[0])
    return Started(terms, accounts, closed, as_of(connection, zone, (DECISIONS, AGENT_DAILY)))


def _drafted(connection: Connection[Any], run: RunId) -> tuple[int, Basis, dict[str, Kept]]:
    scheme = Schemes(connection).held(run.scheme_id, run.month)
    terms, accounts, closed, known = begun(connection, scheme, run)
    for earlier in closed:
        _refuse_behind(known, earlier)
    read = read_month(connection, scheme, run.month, terms, accounts)
    result = calculate(scheme, team_of(run.month, terms, read))
    corrections = _corrections(connection, closed, result.statements, Fraction(scheme.take_at_most))
    basis = Basis(
        run.month,
        terms,
        read,
        known,
        tuple(one.id for one in closed),
        {name: dict(of) for name, of in result.scores.items()},
        dict(result.unshared),
        result.warnings,
    )
    employed = {one.person_id for one in terms if one.employed_days}
    kept = {
        one.person_id: Kept(one, corrections.get(one.person_id, ()))
        for one in result.statements
        if one.person_id in employed or one.total or one.person_id in corrections
    }
    return scheme.version, basis, kept


def _refuse_behind(known: AsOf, closed: Run) -> None:
    """Refuse a ledger that knows less than a closed run did: being rebuilt, it would take pay back."""
    now = {one.topic: one.watermark for one in known.topics}
    for topic, _, before, _ in closed.basis.as_of.topics:
        after = now.get(topic)
        if before is not None and (after is None or after < before):
            raise StreamAttrError(
                f"the ledger's watermark of {topic} is behind the one that the run of scheme "
                f"{closed.id.scheme_id} for {closed.id.month} had: let stream-attr ledger catch up, then "
                "draft it again"
            )


def _terms(
    one: Paid,
    month: str,
    targets: dict[str, dict[str, int]],
    scores: dict[str, dict[str, tuple[Fraction | None, ...]]],
) -> Terms:
    employed, probation = one.employment.days_in(month)
    name = one.person_id
    return Terms(name, one.name, employed, probation, scores.get(name, {}), targets.get(name, {}))


def _scores_before(run: RunId, closed: Sequence[Run]) -> dict[str, dict[str, tuple[Fraction | None, ...]]]:
    """Return by person and component the points of the months before, by closed runs of the same scheme."""
    own = {one.id.month: one.basis.scores for one in closed if one.id.scheme_id == run.scheme_id}
    months = _months_before(run.month)
    while months and months[-1] not in own:
        months.pop()
    names = {(person, component) for of in own.values() for person, some in of.items() for component in some}
    found: dict[str, dict[str, tuple[Fraction | None, ...]]] = {}
    for person, component in sorted(names):
        points = tuple(own.get(month, {}).get(person, {}).get(component) for month in months)
        found.setdefault(person, {})[component] = points
    return found


def _months_before(month: str) -> list[str]:
    number = int(month[:4]) * 12 + int(month[5:]) - 1
    return [f"{one // 12:04}-{one % 12 + 1:02}" for one in range(number - 1, number - 1 - _MONTHS_BACK, -1)]


def _corrections(
    connection: Connection[Any], closed: Sequence[Run], pay: Sequence[Statement], take_at_most: Fraction
) -> dict[str, tuple[Correction, ...]]:
    """Return by person what closed months pay or take back now."""
    runs = Runs(connection)
    kept = {one.id: runs.statements(one.id) for one in closed}
    now = {one.id: {its.person_id: its for its in recalculated(connection, one).statements} for one in closed}
    found = {}
    for own in pay:
        name = own.person_id
        before = [(run.id.month, kept[run.id].get(name), now[run.id].get(name)) for run in closed]
        history = [
            ClosedRun(month, was.statement.total, tuple(one.true_up for one in was.corrections))
            for month, was, _ in before
            if was is not None
        ]
        due: dict[str, int] = {}
        for month, _, has in before:
            due[month] = due.get(month, 0) + (has.total if has else 0)
        accounts = [Account(month, amount, paid_for(month, history)) for month, amount in due.items()]
        true_ups = settle(accounts, own.total, take_at_most)
        if true_ups:
            nothing = Statement(name, (), 0)
            found[name] = tuple(
                Correction(
                    one,
                    tuple(
                        change
                        for month, was, has in before
                        if month == one.month
                        for change in changes(was.statement if was else nothing, has or nothing)
                    ),
                )
                for one in true_ups
            )
    return found
