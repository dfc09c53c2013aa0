"""Runs: draft, checked, approved by another person, closed. The database itself refuses any other way."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from psycopg import Connection
from psycopg.errors import CheckViolation

from stream_attr.errors import UnusableError
from stream_attr.ledger.acting import Acting
from stream_attr.ledger.formats.cells import as_text
from stream_attr.ledger.formulas import Kind
from stream_attr.ledger.pay import refused
from stream_attr.ledger.pay.own_pay import paid_as
from stream_attr.ledger.pay.records import Basis, Kept
from stream_attr.ledger.pay.refused import Refused
from stream_attr.ledger.pay.schemes import who
from stream_attr.ledger.reports.report import Moment
from stream_attr.ledger.texts import LANGUAGES, Text
from stream_attr.pay.employment import days_of_month
from stream_attr.pay.lines import decode, encode
from stream_attr.wall_clock import wall_clock_ms

__all__ = ["Run", "RunId", "Runs", "Summary", "month_asked"]

_STEPS: Final = {
    "check": ("draft", "checked"),
    "approve": ("checked", "approved"),
    "close": ("approved", "closed"),
}
"""From which state to which each step leads."""
_NEXT: Final = {old: step for step, (old, _) in _STEPS.items()}
_RUN: Final = (
    "SELECT scheme_id, to_char(month, 'YYYY-MM'), version, state, basis::text, drafted_by, drafted_ts,"
    " checked_by, checked_ts, approved_by, approved_ts, closed_by, closed_ts FROM pay_run"
)


class RunId(NamedTuple):
    """What there is one run of."""

    scheme_id: str
    month: str
    """``YYYY-MM``."""

    @property
    def first_day(self) -> str:
        """The month as the database has it."""
        return f"{self.month}-01"


class Run(NamedTuple):
    """A run, but for its statements."""

    id: RunId
    version: int
    """Of the scheme."""
    state: str
    basis: Basis
    signed: tuple[tuple[str, str, int], ...]
    """What was done, by whom and when (epoch ms): drafted, checked, approved, closed."""


class Summary(NamedTuple):
    """A run in a list of runs."""

    id: RunId
    version: int
    state: str
    persons: list[str]
    """All of the team, also those without a statement."""
    drafted_by: str
    statements: int
    total: int
    """Of the statements, in minor units."""


class Paid(NamedTuple):
    """A statement in a list of a person's statements."""

    run: RunId
    version: int
    """Of the scheme."""
    state: str
    """Of the run."""
    pay: int
    true_up: int
    total: int


def month_asked(text: str) -> str:
    """Return a month ``YYYY-MM``. Raises UnusableError unless it is one."""
    try:
        days_of_month(text)
    except ValueError:
        raise UnusableError(f"--month {text!r} is not a month like 2026-11") from None
    return text


class Runs:
    """Those of a ledger."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection

    def find(self, run: RunId) -> Run | None:
        """Return a run; None: there is none."""
        row = self._connection.execute(
            f"{_RUN} WHERE scheme_id = %s AND month = %s::date", (run.scheme_id, run.first_day)
        ).fetchone()
        return None if row is None else _run(row)

    def get(self, run: RunId) -> Run:
        """Return a run. Raises UnusableError where there is none."""
        found = self.find(run)
        if found is None:
            raise UnusableError(
                f"there is no run of scheme {run.scheme_id} for {run.month}: make one with "
                f"stream-attr pay run draft --scheme {run.scheme_id} --month {run.month}"
            )
        return found

    def all(self) -> list[Summary]:
        """Return all runs by month and scheme."""
        rows = self._connection.execute(
            "SELECT scheme_id, to_char(month, 'YYYY-MM'), version, state, persons, drafted_by,"
            " count(person_id), coalesce(sum(total), 0)::bigint"
            " FROM pay_run LEFT JOIN pay_statement USING (scheme_id, month)"
            " GROUP BY scheme_id, month ORDER BY month, scheme_id"
        )
        return [Summary(RunId(scheme_id, month), *others) for scheme_id, month, *others in rows]

    def closed_with(self, persons: list[str]) -> list[Run]:
        """Return the closed runs in whose team any of some persons is, by month and scheme."""
        rows = self._connection.execute(
            f"{_RUN} WHERE state = 'closed' AND persons && %s ORDER BY month, scheme_id", [persons]
        )
        return [_run(row) for row in rows]

    def statements(self, run: RunId) -> dict[str, Kept]:
        """Return the statements of a run by person."""
        rows = self._connection.execute(
            "SELECT person_id, record::text FROM pay_statement WHERE scheme_id = %s AND month = %s::date"
            " ORDER BY person_id",
            (run.scheme_id, run.first_day),
        )
        return {person: decode(record.encode(), Kept) for person, record in rows}

    def of_person(self, person_id: str) -> list[Paid]:
        """Return a person's statements, the latest month first."""
        rows = self._connection.execute(
            "SELECT scheme_id, to_char(month, 'YYYY-MM'), version, state, pay, true_up, total"
            " FROM pay_statement JOIN pay_run USING (scheme_id, month) WHERE person_id = %s"
            " ORDER BY month DESC",
            [person_id],
        )
        return [Paid(RunId(scheme_id, month), *others) for scheme_id, month, *others in rows]

    def store(self, run: RunId, version: int, basis: Basis, kept: dict[str, Kept], by: str) -> None:
        """Keep a draft, in place of the one that is there or of what was checked or approved of it.

        Raises UnusableError where the run is closed, or a person is in another scheme's run of the month.
        """
        persons = sorted(one.person_id for one in basis.terms)
        if (found := self.find(run)) is not None:
            _refuse_closed(found)
        self._refuse_twice(run, list(kept))
        signed = (who(by), wall_clock_ms())
        self._connection.execute(
            "INSERT INTO pay_run (scheme_id, month, version, state, persons, basis, drafted_by, drafted_ts)"
            " VALUES (%s, %s::date, %s, 'draft', %s, %s, %s, %s) ON CONFLICT (scheme_id, month) DO UPDATE SET"
            " (version, state, persons, basis, drafted_by, drafted_ts, checked_by, checked_ts, approved_by,"
            " approved_ts) = (excluded.version, 'draft', excluded.persons, excluded.basis,"
            " excluded.drafted_by, excluded.drafted_ts, NULL, NULL, NULL, NULL)",
            (run.scheme_id, run.first_day, version, persons, encode(basis).decode(), *signed),
        )
        self._delete_statements(run)
        rows = [
            (
                name,
                run.first_day,
                run.scheme_id,
                one.statement.total,
                one.true_up,
                one.total,
                encode(one).decode(),
            )
            for name, one in kept.items()
        ]
        with self._connection.cursor() as cursor:
            cursor.executemany("INSERT INTO pay_statement VALUES (%s, %s::date, %s, %s, %s, %s, %s)", rows)

    def discard(self, run: RunId) -> None:
        """Delete a run that is not closed. Raises UnusableError where it is, or there is none."""
        _refuse_closed(self.get(run))
        self._connection.execute(
            "UPDATE pay_run SET (state, checked_by, checked_ts, approved_by, approved_ts)"
            " = ('draft', NULL, NULL, NULL, NULL) WHERE scheme_id = %s AND month = %s::date",
            (run.scheme_id, run.first_day),
        )
        self._delete_statements(run)
        self._connection.execute(
            "DELETE FROM pay_run WHERE scheme_id = %s AND month = %s::date", (run.scheme_id, run.first_day)
        )

    def step(self, run: RunId, step: str, by: Acting, *, as_it_stands: bool = False) -> None:
        """Check, approve or close a run, whose content stays as it was drafted.

        ``as_it_stands``: close it although something of the month could still change when it was drafted.

        Raises UnusableError where it is not in the state before, where who drafted it or is paid by it would
        approve it, where a run was closed since that settles what it settles, and where it would be closed
        before the month has ended or, unless ``as_it_stands``, with something pending.
        """
        name = who(by.login)
        self._connection.execute("LOCK TABLE pay_run IN SHARE ROW EXCLUSIVE MODE")
        found = self.get(run)
        old, new = _STEPS[step]
        if found.state != old:
            raise Refused(_not_now(found, step))
        persons = [one.person_id for one in found.basis.terms]
        closed = tuple(one.id for one in self.closed_with(persons))
        if closed != found.basis.closed:
            more = ", ".join(
                f"{one.scheme_id} {one.month}" for one in closed if one not in found.basis.closed
            )
            raise Refused(refused.SETTLED.filled(scheme=run.scheme_id, month=run.month, more=more))
        person = paid_as(self._connection, run.scheme_id, run.first_day, by) if step == "approve" else None
        if person is not None:
            raise Refused(
                refused.OWN_PAY.filled(name=name, scheme=run.scheme_id, month=run.month, person=person)
            )
        if step == "close":
            _refuse_early(found)
            if not as_it_stands:
                _refuse_open(found)
        try:
            self._connection.execute(
                f"UPDATE pay_run SET (state, {new}_by, {new}_ts) = (%s, %s, %s)"
                " WHERE scheme_id = %s AND month = %s::date",
                (new, name, wall_clock_ms(), run.scheme_id, run.first_day),
            )
        except CheckViolation as error:
            if error.diag.constraint_name != "pay_run_four_eyes":
                raise
            drafted_by = found.signed[0][1]
            raise Refused(
                refused.FOUR_EYES.filled(
                    name=repr(name), by=drafted_by, scheme=run.scheme_id, month=run.month
                )
            ) from error

    def _refuse_twice(self, run: RunId, persons: list[str]) -> None:
        """Refuse persons who are in another run of the month; the table's key would refuse them, too."""
        row = self._connection.execute(
            "SELECT person_id, scheme_id FROM pay_statement WHERE month = %s::date AND person_id = ANY(%s)"
            " AND scheme_id <> %s ORDER BY person_id LIMIT 1",
            (run.first_day, persons, run.scheme_id),
        ).fetchone()
        if row is not None:
            person, other = row
            raise Refused(
                refused.TWICE.filled(person=person, other=other, month=run.month, scheme=run.scheme_id)
            )

    def _delete_statements(self, run: RunId) -> None:
        self._connection.execute(
            "DELETE FROM pay_statement WHERE scheme_id = %s AND month = %s::date",
            (run.scheme_id, run.first_day),
        )


def _refuse_closed(run: Run) -> None:
    if run.state == "closed":
        _, by, _ = run.signed[-1]
        raise Refused(refused.CLOSED.filled(scheme=run.id.scheme_id, month=run.id.month, by=by))


def _refuse_early(run: Run) -> None:
    """Refuse what was drafted before the month had ended, by what the ledger had read."""
    left, zone = run.basis.read.open, run.basis.as_of.zone
    known = left.known_until
    if not left.month_ends or (known is not None and known >= left.month_ends):
        return
    came = refused.READ_NOTHING if known is None else refused.COME_TO.filled(at=_clock(known, zone))
    raise Refused(
        refused.EARLY.filled(
            month=run.id.month,
            ends=_clock(left.month_ends, zone),
            came=came,
            scheme=run.id.scheme_id,
        )
    )


def _refuse_open(run: Run) -> None:
    """Refuse what had something pending when it was drafted."""
    left, zone = run.basis.read.open, run.basis.as_of.zone
    if not (left.orders or left.agent_days):
        return
    until = Text("", "") if left.until is None else refused.UNTIL.filled(at=_clock(left.until, zone))
    raise Refused(
        refused.PENDING.filled(
            orders=f"{left.orders:,}",
            days=f"{left.agent_days:,}",
            month=run.id.month,
            scheme=run.id.scheme_id,
            until=until,
        )
    )


def _clock(ts: int, zone: str) -> Text:
    return Text(*(as_text(Moment(ts, zone), Kind.MOMENT, one, grouped=True) for one in LANGUAGES))


def _not_now(run: Run, step: str) -> Text:
    where = {"scheme": run.id.scheme_id, "month": run.id.month, "state": run.state}
    if run.state == "closed":
        return refused.STAYS.filled(**where)
    return refused.NOT_NOW.filled(**where, step=step, following=_NEXT[run.state])


def _run(row: tuple[Any, ...]) -> Run:
    scheme_id, month, version, state, basis, *signed = row
    done = zip(("drafted", "checked", "approved", "closed"), signed[::2], signed[1::2], strict=True)
    return Run(
        RunId(scheme_id, month),
        version,
        state,
        decode(basis.encode(), Basis),
        tuple((what, by, ts) for what, by, ts in done if by is not None),
    )
