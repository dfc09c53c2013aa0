"""Answering an appeal: refused with a reason, or granted by a ruling that Kafka has acknowledged.

A grant is three steps, so that a crash between them neither loses nor doubles the ruling: the answer with
the whole record of the ruling is committed, the appeal still open; the record is published; the appeal is
answered. The ruling's ``event_id`` is the appeal's, and its content never changes once it is committed, so
publishing it again changes nothing: `publish_again` does so for appeals that were left between the steps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import orjson
from psycopg import Connection
from psycopg.types.json import Json

from stream_attr.contract.topics import RULINGS
from stream_attr.kafka.writer import TopicWriter
from stream_attr.ledger import audit
from stream_attr.ledger.acting import Acting
from stream_attr.ledger.appeals.appeal import Appeal, Case, case, found
from stream_attr.ledger.appeals.opening import refuse_ended, sentence
from stream_attr.ledger.appeals.parties import known_agent, refuse_concerned
from stream_attr.ledger.appeals.rulings import Ruled, ruling_key, ruling_record
from stream_attr.ledger.appeals.words import NOBODY, Answer, AppealError, State
from stream_attr.ledger.texts import Text
from stream_attr.wall_clock import wall_clock_ms

__all__ = ["Grant", "grant", "publish_again", "refuse", "ruling_id"]

_PATIENCE_MS: Final = 30_000
"""How old an answer is before it is taken for one that was left behind."""
_GONE: Final = Text("there is no decision on order {order} any more", "订单 {order} 已没有归属结果")
_NOTHING_CHANGES: Final = Text(
    "{held} has the sale of this order by now: a ruling would change nothing; refuse the appeal with this "
    "reason, or let it be withdrawn",
    "该订单业绩现已归属 {held}，裁定不会带来变化：请以此为由驳回，或由申诉人撤回",
)
_IN_PART: Final = Text(
    "{expected} is whom the appeal expects: grant it, not in part",
    "{expected} 正是申诉所期望的归属：请选择支持",
)
_PUBLISHING: Final = Text(
    "{by} has granted this appeal, and its ruling is being published", "{by} 已支持该申诉，裁定正在发布"
)


class Grant(NamedTuple):
    """How an appeal is granted."""

    comment: str
    to: str | None = None
    """Of a grant in part: who gets the sale; None: nobody."""
    in_part: bool = False


def ruling_id(appeal_id: str) -> str:
    """Return the ``event_id`` of the ruling that grants an appeal."""
    return f"appeal-{appeal_id}"


def refuse(connection: Connection[Any], shop_id: str, appeal_id: str, comment: str, by: Acting) -> Appeal:
    """Uphold the decision, with a reason, and note it in the audit.

    Raises AppealError where there is no such appeal, it has ended, or it concerns who answers it.
    """
    text = sentence(comment)
    with connection.transaction():
        one, now = _answerable(connection, shop_id, appeal_id)
        refuse_concerned(connection, by, shop_id, _concerned(one, now), one.opened_by)
        connection.execute(
            "UPDATE appeal SET (state, answer, answer_comment, answered_by, ended_ts) = (%s, %s, %s, %s, %s)"
            " WHERE shop_id = %s AND appeal_id = %s",
            (State.ANSWERED, Answer.REFUSED, text, by.login, wall_clock_ms(), shop_id, appeal_id),
        )
        audit.note(connection, by.login, "refuse appeal", shop_id, f"{one.order_id} {appeal_id}")
        return found(connection, shop_id, appeal_id)


def grant(
    connection: Connection[Any], writer: TopicWriter, shop_id: str, appeal_id: str, how: Grant, by: Acting
) -> Appeal:
    """Grant an appeal by a ruling, and note it in the audit. The connection commits by itself.

    Raises:
        AppealError: there is no such appeal, it has ended, the ruling would change nothing, the agent is
            unknown, or it concerns who answers it, or who gets the sale.
        BrokerUnreachable, TopicsMissingError: nothing has changed.
        PublishError: the answer stands, and its ruling may be on the topic; `publish_again` ends it.
    """
    comment = sentence(how.comment) if how.in_part or how.comment.strip() else ""
    with writer.opened(RULINGS) as write:
        with connection.transaction():
            one, now = _answerable(connection, shop_id, appeal_id)
            to = how.to if how.in_part else one.expected_agent_id
            refuse_concerned(connection, by, shop_id, [*_concerned(one, now), to], one.opened_by)
            _refuse_needless(connection, one, now, to, in_part=how.in_part)
            record = ruling_record(
                connection, Ruled(shop_id, now.buyer_id, one.order_id, to, by.login), ruling_id(appeal_id)
            )
            connection.execute(
                "UPDATE appeal SET (answer, answer_comment, answered_by, ruling) = (%s, %s, %s, %s)"
                " WHERE shop_id = %s AND appeal_id = %s",
                (
                    Answer.GRANTED_IN_PART if how.in_part else Answer.GRANTED,
                    comment,
                    by.login,
                    Json(record),
                    shop_id,
                    appeal_id,
                ),
            )
            about = f"{one.order_id} {appeal_id} to {to or NOBODY.english}"
            audit.note(connection, by.login, "grant appeal", shop_id, about)
        _publish(connection, write, found(connection, shop_id, appeal_id))
    return found(connection, shop_id, appeal_id)


def publish_again(
    connection: Connection[Any], writer: TopicWriter, which: tuple[str, str] | None = None
) -> int:
    """Publish the rulings of answers that were left behind, and return how many.

    The connection commits by itself. ``which``: of this one (shop and appeal), however young; None: of all.

    Raises BrokerUnreachable, TopicsMissingError or PublishError: what is left can be published later.
    """
    rows = connection.execute(
        "SELECT shop_id, appeal_id, (ruling->>'ts')::bigint <= %s FROM appeal"
        " WHERE state = 'open' AND ruling IS NOT NULL ORDER BY shop_id, appeal_id",
        (wall_clock_ms() - _PATIENCE_MS,),
    )
    left = [one for *one, is_old in rows if (is_old if which is None else tuple(one) == which)]
    if left:
        with writer.opened(RULINGS) as write:
            for shop_id, appeal_id in left:
                _publish(connection, write, found(connection, shop_id, appeal_id))
    return len(left)


def _publish(connection: Connection[Any], write: Callable[[str, bytes], object], one: Appeal) -> None:
    """Publish the ruling of an appeal, then have it be answered."""
    assert one.ruling is not None
    write(ruling_key(one.ruling), orjson.dumps(one.ruling))
    with connection.transaction():
        is_done = connection.execute(
            "UPDATE appeal SET (state, ended_ts) = (%s, %s) WHERE shop_id = %s AND appeal_id = %s"
            " AND state = 'open'",
            (State.ANSWERED, wall_clock_ms(), one.shop_id, one.appeal_id),
        ).rowcount
        if is_done:
            assert one.answered_by is not None
            about = f"{one.order_id} {one.ruling['event_id']}"
            audit.note(connection, one.answered_by, "publish ruling", one.shop_id, about)


def _answerable(connection: Connection[Any], shop_id: str, appeal_id: str) -> tuple[Appeal, Case]:
    """Return an open appeal and its order as it stands now. Raises AppealError unless it can be answered."""
    one = found(connection, shop_id, appeal_id)
    refuse_ended(one)
    if one.is_being_published:
        raise AppealError(_PUBLISHING.filled(by=one.answered_by))
    now = case(connection, shop_id, one.order_id)
    if now is None:
        raise AppealError(_GONE.filled(order=one.order_id))
    return one, now


def _concerned(one: Appeal, now: Case) -> list[str | None]:
    """Return the agents whose sale it is, was, or is to be."""
    return [one.agent_id, one.held_agent_id, one.expected_agent_id, now.agent_id]


def _refuse_needless(
    connection: Connection[Any], one: Appeal, now: Case, to: str | None, *, in_part: bool
) -> None:
    if to == now.agent_id:
        raise AppealError(_NOTHING_CHANGES.filled(held=to or NOBODY))
    if in_part and to == one.expected_agent_id:
        raise AppealError(_IN_PART.filled(expected=to or NOBODY))
    if to is not None:
        known_agent(connection, one.shop_id, to)
