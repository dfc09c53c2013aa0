"""Trials of rule sets as the ledger keeps them: what was asked, how far it is, what came out."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, LiteralString, NamedTuple

import orjson
from msgspec.structs import replace
from psycopg import Connection

from stream_attr.lab.kept import decode_result, encode_result
from stream_attr.lab.result import LabPay, LabResult, PersonPay
from stream_attr.lab.rule_sets import RuleSet
from stream_attr.ledger.periods import Period
from stream_attr.rules.shop.days import day_name, day_number
from stream_attr.wall_clock import wall_clock_ms

__all__ = ["State", "Trial", "Trials"]

_SILENT_MS: Final = 300_000
"""A trial without progress for so long has ended with its process."""
_COLUMNS: Final[LiteralString] = (
    "shop_id, trial_id, first_day::text, last_day::text, rule_sets, asked_by, asked_ts, state, read, total,"
    " progress_ts, ended_ts, problem, roster, scheme_id"
)


class State(StrEnum):
    """What has become of a trial."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Trial(NamedTuple):
    """Rule sets that somebody tries over a period."""

    shop_id: str
    trial_id: str
    period: Period
    rule_sets: tuple[RuleSet, ...]
    asked_by: str
    asked_ts: int
    state: State
    read: int
    total: int
    """Events that are read, and that there are; 0: it is not known yet."""
    ended_ts: int | None
    problem: str | None
    roster: dict[str, Any] | None = None
    """A roster record that is tried: then the second rule set is the shop's rules with it."""
    scheme_id: str | None = None
    """By which pay is calculated; None: none is."""

    @property
    def is_open(self) -> bool:
        """Whether it still has to end."""
        return self.state in (State.WAITING, State.RUNNING)


class Trials:
    """Those of a ledger; the connection commits by itself."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection

    def ask(
        self,
        shop_id: str,
        rule_sets: Sequence[RuleSet],
        period: Period,
        by: str,
        roster: Mapping[str, Any] | None = None,
        scheme_id: str | None = None,
    ) -> str:
        """Have a trial made; return its id. ``roster``, ``scheme_id``: see `Trial`."""
        trial_id = secrets.token_hex(6)
        sets = [{"name": one.name, "rules": one.rules} for one in rule_sets]
        self._connection.execute(
            "INSERT INTO lab_trial"
            " (shop_id, trial_id, first_day, last_day, rule_sets, asked_by, asked_ts, roster, scheme_id)"
            " VALUES (%s, %s, %s::date, %s::date, %s, %s, %s, %s, %s)",
            (
                shop_id,
                trial_id,
                day_name(period.first),
                day_name(period.last),
                orjson.dumps(sets).decode(),
                by,
                wall_clock_ms(),
                None if roster is None else orjson.dumps(roster).decode(),
                scheme_id,
            ),
        )
        return trial_id

    def latest(self, shop_id: str, count: int) -> list[Trial]:
        """Return a shop's trials, the newest first."""
        return self._read("WHERE shop_id = %s ORDER BY asked_ts DESC, trial_id LIMIT %s", (shop_id, count))

    def find(self, shop_id: str, trial_id: str) -> Trial | None:
        """Return a trial; None: the shop has none of this id."""
        found = self._read("WHERE shop_id = %s AND trial_id = %s", (shop_id, trial_id))
        return found[0] if found else None

    def result(self, trial: Trial) -> LabResult | None:
        """Return what came out, but for pay; None: nothing yet."""
        row = self._connection.execute(
            "SELECT result::text FROM lab_trial WHERE shop_id = %s AND trial_id = %s",
            (trial.shop_id, trial.trial_id),
        ).fetchone()
        if row is None or row[0] is None:
            return None
        return decode_result(row[0].encode(), f"trial {trial.trial_id}")

    def pay(self, trial: Trial) -> LabPay | None:
        """Return what those are paid who may be seen; None: it was not asked for, or nobody may be."""
        rows = self._connection.execute(
            "SELECT person_id, name, totals, scheme_version, currency FROM lab_pay"
            " WHERE shop_id = %s AND trial_id = %s ORDER BY person_id",
            (trial.shop_id, trial.trial_id),
        ).fetchall()
        if not rows or trial.scheme_id is None:
            return None
        persons = tuple(PersonPay(person, name, tuple(totals)) for person, name, totals, *_ in rows)
        *_, version, currency = rows[0]
        return LabPay(trial.scheme_id, version, day_name(trial.period.first)[:7], currency, persons)

    def begin(self) -> Trial | None:
        """Take the trial that waits longest; None: none waits. No other process gets the same one."""
        found = self._connection.execute(
            "UPDATE lab_trial SET state = 'running', progress_ts = %s WHERE (shop_id, trial_id) IN ("
            "SELECT shop_id, trial_id FROM lab_trial WHERE state = 'waiting' ORDER BY asked_ts, trial_id"
            " LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING shop_id, trial_id",
            (wall_clock_ms(),),
        ).fetchone()
        return None if found is None else self.find(*found)

    def set_progress(self, trial: Trial, read: int, total: int) -> bool:
        """Store how far a trial is; False: nobody waits for it any more."""
        done = self._connection.execute(
            "UPDATE lab_trial SET read = %s, total = %s, progress_ts = %s"
            " WHERE shop_id = %s AND trial_id = %s AND state = 'running'",
            (read, total, wall_clock_ms(), trial.shop_id, trial.trial_id),
        )
        return bool(done.rowcount)

    def end(
        self, trial: Trial, state: State, problem: str | None = None, result: LabResult | None = None
    ) -> bool:
        """Note how a trial has ended; False: it had ended already."""
        pay = None if result is None else result.pay
        kept = None if result is None else encode_result(replace(result, pay=None)).decode()
        name = (trial.shop_id, trial.trial_id)
        with self._connection.transaction():
            ended = self._connection.execute(
                "UPDATE lab_trial SET state = %s, problem = %s, result = %s, ended_ts = %s"
                " WHERE shop_id = %s AND trial_id = %s AND state IN ('waiting', 'running')",
                (state, problem, kept, wall_clock_ms(), *name),
            )
            if ended.rowcount and pay is not None:
                self._connection.cursor().executemany(
                    "INSERT INTO lab_pay (shop_id, trial_id, person_id, name, scheme_version, currency,"
                    " totals) VALUES (%s, %s, %s, %s, %s, %s, %s)",
                    [
                        (*name, one.person_id, one.name, pay.version, pay.currency, list(one.totals))
                        for one in pay.persons
                    ],
                )
        return bool(ended.rowcount)

    def _read(self, more: LiteralString, bound: Sequence[object]) -> list[Trial]:
        rows = self._connection.execute(f"SELECT {_COLUMNS} FROM lab_trial {more}", bound)
        return [_trial(row) for row in rows]


def _trial(row: tuple[Any, ...]) -> Trial:
    shop, name, first, last, sets, by, asked, state, read, total, progress, ended, problem, roster, scheme = (
        row
    )
    if state == State.RUNNING and (progress or 0) < wall_clock_ms() - _SILENT_MS:
        state = State.CANCELLED
    return Trial(
        shop,
        name,
        Period(day_number(first), day_number(last)),
        tuple(RuleSet(one["name"], one["rules"]) for one in sets),
        by,
        asked,
        State(state),
        read,
        total,
        ended,
        problem,
        roster,
        scheme,
    )
