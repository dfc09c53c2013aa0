"""Opening and withdrawing an appeal: what can be appealed, by whom, and how often."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from typing import Any, Final, NamedTuple

from psycopg import Connection
from psycopg.errors import UniqueViolation

from stream_attr.ledger import audit
from stream_attr.ledger.appeals.appeal import Appeal, Case, case, found, of_order
from stream_attr.ledger.appeals.parties import known_agent
from stream_attr.ledger.appeals.words import (
    ANSWERS,
    LONGEST,
    NOBODY,
    STATES,
    Answer,
    AppealError,
    Reason,
    State,
)
from stream_attr.ledger.formats.cells import as_text
from stream_attr.ledger.formulas import Kind
from stream_attr.ledger.periods import shop_zone
from stream_attr.ledger.reports.report import Moment
from stream_attr.ledger.texts import LANGUAGES, Text
from stream_attr.rules.vocabulary import OUTCOMES
from stream_attr.wall_clock import wall_clock_ms

__all__ = [
    "Asked",
    "appealed_already",
    "not_appealable",
    "open_appeal",
    "refuse_ended",
    "sentence",
    "withdraw",
]

_NO_DECISION: Final = Text(
    "there is no decision on order {order} in shop {shop}", "店铺 {shop} 没有订单 {order} 的归属结果"
)
_PENDING: Final = Text(
    "the decision can still change by itself until {until}: appeal once it is final",
    "该归属结果在 {until} 前仍可能自行变化，已定后方可申诉",
)
_NO_SALE: Final = Text(
    "the order is {outcome}: there is no sale to be anybody's", "订单状态为{outcome}，没有可归属的业绩"
)
_OWN: Final = Text(
    "{agent} can appeal against an order that {agent} has, or is to have: this one is of {held}, and "
    "{expected} is to have it",
    "{agent} 只能就自己的业绩或应归自己的业绩申诉：该订单归属 {held}，期望归属 {expected}",
)
_HAS_IT: Final = Text("{held} has the sale already: nothing has to change", "该业绩已归属 {held}，无需更改")
_OPEN: Final = Text(
    "{agent} has an open appeal about this order already, of {when}: wait for its answer, or withdraw it",
    "{agent} 已于 {when} 就该订单提出申诉，请等待答复或先撤回",
)
_ANSWERED: Final = Text(
    "{agent} has appealed against this decision already, and it was {answer}: if the decision changes, it "
    "can be appealed again",
    "{agent} 已就该归属结果申诉，答复为：{answer}。归属结果变化后方可再次申诉",
)
_ENDED: Final = Text("this appeal is {state} already", "该申诉{state}")
_PUBLISHING: Final = Text(
    "this appeal has been granted by {by}, and its ruling is on its way: it cannot be withdrawn any more",
    "该申诉已由 {by} 支持，裁定正在发布，不能再撤回",
)
_LENGTH: Final = Text(
    "say it in 1 to {most} characters; these are {count}", "请用 1 至 {most} 个字符说明，当前为 {count} 个"
)


class Asked(NamedTuple):
    """An appeal as somebody writes it."""

    shop_id: str
    order_id: str
    reason: Reason
    comment: str
    expected_agent_id: str | None
    """Who is to have the sale; None: nobody."""


def open_appeal(connection: Connection[Any], asked: Asked, own: Collection[str], by: str) -> Appeal:
    """Keep an appeal of somebody who is these agents of the shop (``own``), and note it in the audit.

    ``by``: the account, or a name.

    Raises AppealError where there is no final decision with a sale, it concerns none of these agents, nothing
    would change, the agent that is expected is unknown, or it has been appealed already.
    """
    comment = sentence(asked.comment)
    with connection.transaction():
        now = case(connection, asked.shop_id, asked.order_id)
        problem = not_appealable(connection, asked.shop_id, asked.order_id, now)
        if problem is not None:
            raise AppealError(problem)
        assert now is not None
        agent_id = _appellant(now, asked, own)
        if asked.expected_agent_id is not None:
            known_agent(connection, asked.shop_id, asked.expected_agent_id)
        problem = appealed_already(connection, asked.shop_id, asked.order_id, agent_id, now.revision)
        if problem is not None:
            raise AppealError(problem)
        appeal_id = secrets.token_hex(8)
        try:
            connection.execute(
                "INSERT INTO appeal (shop_id, appeal_id, order_id, agent_id, reason, comment,"
                " expected_agent_id, held_agent_id, revision, opened_by, opened_ts)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                (
                    asked.shop_id,
                    appeal_id,
                    asked.order_id,
                    agent_id,
                    asked.reason,
                    comment,
                    asked.expected_agent_id,
                    now.agent_id,
                    now.revision,
                    by,
                    wall_clock_ms(),
                ),
            )
        except UniqueViolation as error:  # at the same moment by another request
            raise AppealError(_OPEN.filled(agent=agent_id, when=Text("now", "刚刚"))) from error
        audit.note(connection, by, "open appeal", asked.shop_id, f"{asked.order_id} {appeal_id}")
        return found(connection, asked.shop_id, appeal_id)


def not_appealable(connection: Connection[Any], shop_id: str, order_id: str, now: Case | None) -> Text | None:
    """Return why the decision on an order cannot be appealed by anybody; None: it can."""
    if now is None:
        return _NO_DECISION.filled(order=order_id, shop=shop_id)
    if now.status == "pending":
        return _PENDING.filled(until=_moment(connection, shop_id, now.final_at))
    if now.outcome not in ("credited", "silent"):
        outcome = Text(now.outcome.replace("_", " "), OUTCOMES.chinese_of(now.outcome))
        return _NO_SALE.filled(outcome=outcome)
    return None


def appealed_already(
    connection: Connection[Any], shop_id: str, order_id: str, agent_id: str, revision: int
) -> Text | None:
    """Return why an agent cannot appeal against a revision of a decision again; None: the agent can."""
    for one in of_order(connection, shop_id, order_id, [agent_id]):
        if one.state == State.OPEN:
            return _OPEN.filled(agent=agent_id, when=_moment(connection, shop_id, one.opened_ts))
        if one.answer is not None and one.revision == revision:
            return _ANSWERED.filled(agent=agent_id, answer=ANSWERS[Answer(one.answer)])
    return None


def withdraw(connection: Connection[Any], shop_id: str, appeal_id: str, by: str) -> Appeal:
    """Withdraw an open appeal, and note it in the audit.

    Raises AppealError where there is none, it has ended, or its ruling is being published.
    """
    with connection.transaction():
        one = found(connection, shop_id, appeal_id)
        refuse_ended(one)
        if one.is_being_published:
            raise AppealError(_PUBLISHING.filled(by=one.answered_by))
        connection.execute(
            "UPDATE appeal SET (state, ended_ts) = (%s, %s) WHERE shop_id = %s AND appeal_id = %s",
            (State.WITHDRAWN, wall_clock_ms(), shop_id, appeal_id),
        )
        audit.note(connection, by, "withdraw appeal", shop_id, f"{one.order_id} {appeal_id}")
        return found(connection, shop_id, appeal_id)


def refuse_ended(one: Appeal) -> None:
    """Raise AppealError unless an appeal is open."""
    if one.state != State.OPEN:
        raise AppealError(_ENDED.filled(state=STATES[State(one.state)]))


def sentence(comment: str) -> str:
    """Return what somebody says to an appeal, spaces made single. Raises AppealError: none, or too much."""
    text = " ".join(comment.split())
    if not 1 <= len(text) <= LONGEST or not text.isprintable():
        raise AppealError(_LENGTH.filled(most=f"{LONGEST:,}", count=f"{len(text):,}"))
    return text


def _appellant(now: Case, asked: Asked, own: Collection[str]) -> str:
    """Return which of somebody's agents appeals: the one who is to have the sale, else who has it."""
    expected, held = asked.expected_agent_id, now.agent_id
    if expected == held:
        raise AppealError(_HAS_IT.filled(held=held or NOBODY))
    for one in (expected, held):
        if one is not None and one in own:
            return one
    names = {"held": held or NOBODY, "expected": expected or NOBODY}
    raise AppealError(_OWN.filled(agent=", ".join(sorted(own)) or NOBODY, **names))


def _moment(connection: Connection[Any], shop_id: str, ts: int) -> Text:
    """Return an instant by the clocks of a shop."""
    moment = Moment(ts, shop_zone(connection, shop_id).name)
    return Text(*(as_text(moment, Kind.MOMENT, language, grouped=True) for language in LANGUAGES))
