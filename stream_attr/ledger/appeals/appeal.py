"""An appeal as the ledger has it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from psycopg import Connection
from psycopg.rows import class_row
from psycopg.sql import SQL, Composable

from stream_attr.ledger.appeals.words import AppealError, State
from stream_attr.ledger.texts import Text

__all__ = ["Appeal", "Case", "case", "find", "found", "of_order", "pages"]

_COLUMNS: Final = SQL(
    "shop_id, appeal_id, order_id, agent_id, reason, comment, expected_agent_id, held_agent_id, revision,"
    " opened_by, opened_ts, state, answer, answer_comment, answered_by, ruling, ended_ts"
)
_NONE: Final = Text("there is no appeal {appeal} in shop {shop}", "店铺 {shop} 没有申诉 {appeal}")


class Appeal(NamedTuple):
    """An appeal against the decision on an order. Instants are epoch milliseconds."""

    shop_id: str
    appeal_id: str
    order_id: str
    agent_id: str
    """Who appeals."""
    reason: str
    comment: str
    expected_agent_id: str | None
    """Who is to have the sale; None: nobody."""
    held_agent_id: str | None
    """Who had it; None: nobody."""
    revision: int
    """Of the decision that is appealed."""
    opened_by: str
    """The account, or the name that the command line was given."""
    opened_ts: int
    state: str
    answer: str | None
    """None: there is none yet. Of an open appeal: its ruling is being published."""
    answer_comment: str | None
    answered_by: str | None
    ruling: dict[str, Any] | None
    """The record of the topic ``rulings`` that grants it; None: nothing is granted."""
    ended_ts: int | None

    @property
    def is_being_published(self) -> bool:
        """Whether its answer stands, and the broker has not acknowledged the ruling yet."""
        return self.state == State.OPEN and self.ruling is not None


class Case(NamedTuple):
    """The decision on an order as it stands: what an appeal is about."""

    order_id: str
    buyer_id: str
    revision: int
    status: str
    outcome: str
    agent_id: str | None
    """Who has the sale."""
    amount: int
    currency: str
    paid_ts: int | None
    final_at: int


def case(connection: Connection[Any], shop_id: str, order_id: str) -> Case | None:
    """Return the official decision on an order; None: there is none."""
    with connection.cursor(row_factory=class_row(Case)) as cursor:
        return cursor.execute(
            "SELECT order_id, buyer_id, revision, status, outcome, agent_id, amount, currency, paid_ts,"
            " final_at FROM decision WHERE shop_id = %s AND order_id = %s AND profile = 'official'",
            (shop_id, order_id),
        ).fetchone()


def find(connection: Connection[Any], shop_id: str, appeal_id: str, *, lock: bool = False) -> Appeal | None:
    """Return an appeal; None: there is none. ``lock``: nobody else changes it within the transaction."""
    where = SQL("WHERE shop_id = %s AND appeal_id = %s") + (SQL(" FOR UPDATE") if lock else SQL(""))
    return next(_read(connection, where, (shop_id, appeal_id)), None)


def found(connection: Connection[Any], shop_id: str, appeal_id: str) -> Appeal:
    """Return an appeal, which nobody else changes within the transaction.

    Raises AppealError where there is none.
    """
    one = find(connection, shop_id, appeal_id, lock=True)
    if one is None:
        raise AppealError(_NONE.filled(appeal=appeal_id, shop=shop_id))
    return one


def of_order(
    connection: Connection[Any], shop_id: str, order_id: str, agents: Sequence[str] | None = None
) -> list[Appeal]:
    """Return the appeals about an order, the oldest first. ``agents``: of these alone; None: of all."""
    where = SQL("WHERE shop_id = %s AND order_id = %s AND (%s::text[] IS NULL OR agent_id = ANY(%s))")
    own = None if agents is None else list(agents)
    by_age = SQL(" ORDER BY opened_ts, appeal_id")
    return list(_read(connection, where + by_age, (shop_id, order_id, own, own)))


def pages(
    connection: Connection[Any],
    shop_id: str,
    *,
    agents: Sequence[str] | None,
    states: Sequence[str],
    by_amount: bool,
    limit: int,
    offset: int = 0,
) -> list[tuple[Appeal, Case]]:
    """Return some of a shop's appeals, each with its order as it stands now: the oldest or the largest first.

    ``agents``: of these alone; None: of all. ``states``: in these.
    """
    own = None if agents is None else list(agents)
    order = SQL("amount DESC, opened_ts, appeal_id" if by_amount else "opened_ts, appeal_id")
    rows = connection.execute(
        SQL(
            "SELECT {}, o.buyer_id, o.revision, o.status, o.outcome, o.agent_id, o.amount, o.currency,"
            " o.paid_ts, o.final_at FROM appeal a JOIN decision o USING (shop_id, order_id)"
            " WHERE o.profile = 'official' AND shop_id = %s AND a.state = ANY(%s)"
            " AND (%s::text[] IS NULL OR a.agent_id = ANY(%s)) ORDER BY {} LIMIT %s OFFSET %s"
        ).format(_OF_APPEAL, order),
        (shop_id, list(states), own, own, limit, offset),
    )
    size = len(Appeal._fields)
    return [(one := Appeal(*row[:size]), Case(one.order_id, *row[size:])) for row in rows]


_OF_APPEAL: Final = SQL(", ").join(
    SQL(name if name in ("shop_id", "order_id") else f"a.{name}") for name in Appeal._fields
)


def _read(connection: Connection[Any], where: Composable, bound: Sequence[Any]) -> Iterator[Appeal]:
    rows = connection.execute(SQL("SELECT {} FROM appeal ").format(_COLUMNS) + where, bound)
    return (Appeal(*row) for row in rows)
