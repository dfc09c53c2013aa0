"""Rows of a batch as what is to be sent to the database: lines of staging tables, and what moves them on.

Pure, so that it can be made while the database is at another batch.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from psycopg.sql import SQL, Composed, Identifier

from stream_attr.ledger.sink.lines import QUOTE
from stream_attr.ledger.sink.rows import Row
from stream_attr.ledger.sink.tables import REFUND, REVISION, TOPICS, Table

__all__ = ["STAGES", "Step", "names", "steps_of"]


class Step(NamedTuple):
    """Rows of one table, and how they get from its staging table into those that are read."""

    copy: Composed
    """The ``COPY`` into the staging table."""
    lines: bytes
    """What it reads."""
    statements: Sequence[Composed]
    """One after the other."""


def steps_of(rows: Iterable[Row]) -> list[Step]:
    """Return what writes rows, of each key the one that holds, where the guards let them through."""
    by_table: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_table[TOPICS[row.record.topic].name].append(row)
    steps: list[Step] = []
    for name, some in sorted(by_table.items()):
        table = _BY_NAME[name]
        if table is _DECISION:
            steps += _steps_of_decisions(some)
        else:
            steps.append(_step(table, (row.line for row in _one_per_key(table, some)), _UPSERTS[name]))
    return steps


def _steps_of_decisions(rows: Sequence[Row]) -> list[Step]:
    """Return what writes decisions with all their revisions, and the refunds of those that hold now."""
    latest = _one_per_key(_DECISION, rows)
    revisions: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        key = (row.key, row.order[0])
        if key not in revisions or revisions[key].order < row.order:
            revisions[key] = row
    replaced = {id(row): row.line for row in revisions.values()}
    for row in latest:
        del replaced[id(row)]
    refunds = [refund for row in latest for refund in row.refunds]
    steps = [_step(REVISION, replaced.values(), _UPSERTS[REVISION.name])] if replaced else []
    lines = (row.line for row in latest)
    steps.append(_step(_DECISION, lines, _LATEST_REVISIONS, _UPSERTS[_DECISION.name]))
    if refunds:
        steps.append(_step(REFUND, refunds, _REFUNDS))
    return steps


def _one_per_key(table: Table, rows: Sequence[Row]) -> Sequence[Row]:
    """Return of each key the row that holds."""
    found: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        other = found.setdefault(row.key, row)
        if other is not row and table.guard and other.order < row.order:
            found[row.key] = row
    return list(found.values())


def _step(table: Table, lines: Iterable[bytes], *statements: Composed) -> Step:
    return Step(_COPIES[table.name], b"\n".join(lines), statements)


def names(columns: Iterable[str]) -> Composed:
    """Return columns as a list of a statement."""
    return SQL(", ").join(map(Identifier, columns))


def _stage(table: Table) -> Identifier:
    return Identifier(f"stage_{table.name}")


def _upsert(table: Table, stage: Table) -> Composed:
    """Return the statement that writes staged rows into a table, where its guard lets them through."""
    if table.guard:
        others = [column for column in table.columns if column not in table.key]
        held = SQL(", ").join(Identifier(table.name, column) for column in table.guard)
        given = SQL(", ").join(Identifier("excluded", column) for column in table.guard)
        action = SQL("UPDATE SET {} WHERE ({}) < ({})").format(
            SQL(", ").join(
                SQL("{} = {}").format(Identifier(column), Identifier("excluded", column)) for column in others
            ),
            held,
            given,
        )
    else:
        action = SQL("NOTHING").format()
    return SQL("INSERT INTO {} ({}) SELECT {} FROM {} ON CONFLICT ({}) DO {}").format(
        Identifier(table.name),
        names(table.columns),
        names(table.columns),
        _stage(stage),
        names(table.key),
        action,
    )


_OF_DECISION: Final = ("revision", "source_offset")
_BY_NAME: Final = {table.name: table for table in TOPICS.values()}
_DECISION: Final = _BY_NAME["decision"]
_STAGED: Final = (*_BY_NAME.values(), REVISION, REFUND)
STAGES: Final = [
    SQL(
        "CREATE TEMPORARY TABLE IF NOT EXISTS {} (LIKE {} INCLUDING DEFAULTS{}) ON COMMIT DELETE ROWS"
    ).format(
        _stage(table),
        Identifier(table.name),
        SQL(", revision integer, source_offset bigint" if table is REFUND else ""),
    )
    for table in _STAGED
]
"""Make the staging tables, of one connection."""
_COPIES: Final = {
    table.name: SQL("COPY {} ({}) FROM STDIN (FORMAT csv, QUOTE {}, NULL 'null', ENCODING 'UTF8')").format(
        _stage(table),
        names((*table.columns, *(_OF_DECISION if table is REFUND else ()))),
        QUOTE.decode(),
    )
    for table in _STAGED
}
_UPSERTS: Final = {
    **{name: _upsert(table, table) for name, table in _BY_NAME.items()},
    REVISION.name: _upsert(REVISION, REVISION),
    # What a decision no longer has among its refunds goes with it.
    _DECISION.name: SQL(
        "WITH written AS ({} RETURNING shop_id, order_id, profile) "
        "DELETE FROM refund USING written WHERE written.profile = 'official' "
        "AND refund.shop_id = written.shop_id AND refund.order_id = written.order_id"
    ).format(_upsert(_DECISION, _DECISION)),
}
_LATEST_REVISIONS: Final = _upsert(REVISION, _DECISION)
_REFUNDS: Final = SQL(
    "INSERT INTO refund ({}) SELECT {} FROM {} AS given JOIN decision USING (shop_id, order_id) "
    "WHERE decision.profile = 'official' AND decision.revision = given.revision "
    "AND decision.source_offset = given.source_offset ON CONFLICT DO NOTHING"
).format(
    names(REFUND.columns),
    SQL(", ").join(Identifier("given", column) for column in REFUND.columns),
    _stage(REFUND),
)
