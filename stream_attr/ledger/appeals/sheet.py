"""Appeals as rows: on the command line, as a sheet, and on the console's queue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from psycopg import Connection

from stream_attr.contract.topics import DECISIONS
from stream_attr.ledger.appeals.appeal import Appeal, Case, pages
from stream_attr.ledger.appeals.words import ANSWERS, NOBODY, REASONS, STATES, Answer, Reason, State
from stream_attr.ledger.formulas import Kind
from stream_attr.ledger.periods import shop_zone
from stream_attr.ledger.reports.report import Column, Moment, Money, Report, Row
from stream_attr.ledger.reports.scope import as_of
from stream_attr.ledger.texts import Text

__all__ = ["TITLE", "appeals_report"]

TITLE: Final = Text("Appeals", "申诉")
_MOST: Final = 100_000
_COLUMNS: Final = (
    Column("appeal", Text("appeal", "申诉")),
    Column("opened", Text("opened", "提出时间"), Kind.MOMENT),
    Column("order", Text("order", "订单")),
    Column("amount", Text("amount", "金额"), Kind.MONEY),
    Column("currency", Text("currency", "币种")),
    Column("agent", Text("who appeals", "申诉人")),
    Column("held", Text("whose it was", "原归属")),
    Column("expected", Text("expected holder", "期望归属")),
    Column("now", Text("whose it is now", "当前归属")),
    Column("reason", Text("reason", "理由")),
    Column("comment", Text("comment", "说明")),
    Column("state", Text("state", "状态")),
    Column("answer", Text("answer", "答复")),
    Column("answered_by", Text("answered by", "答复人")),
    Column("answer_comment", Text("comment of the answer", "答复说明")),
    Column("ended", Text("ended", "结束时间"), Kind.MOMENT),
)


def appeals_report(
    connection: Connection[Any],
    shop_id: str,
    *,
    states: Sequence[str],
    agents: Sequence[str] | None = None,
    by_amount: bool = False,
    limit: int = _MOST,
    offset: int = 0,
) -> Report:
    """Return a shop's appeals with their orders as they stand now: the oldest or the largest first."""
    zone = shop_zone(connection, shop_id)
    found = pages(
        connection,
        shop_id,
        agents=agents,
        states=states,
        by_amount=by_amount,
        limit=limit,
        offset=offset,
    )
    rows = [_row(one, now, zone.name) for one, now in found]
    return Report("appeals", TITLE, _COLUMNS, rows, as_of(connection, zone, (DECISIONS,)))


def _row(one: Appeal, now: Case, zone: str) -> Row:
    return (
        one.appeal_id,
        Moment(one.opened_ts, zone),
        one.order_id,
        Money(now.amount, now.currency),
        now.currency,
        one.agent_id,
        one.held_agent_id or NOBODY,
        one.expected_agent_id or NOBODY,
        now.agent_id or NOBODY,
        REASONS[Reason(one.reason)],
        one.comment,
        STATES[State(one.state)],
        None if one.answer is None else ANSWERS[Answer(one.answer)],
        one.answered_by,
        one.answer_comment,
        None if one.ended_ts is None else Moment(one.ended_ts, zone),
    )
