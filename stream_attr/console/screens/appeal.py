"""One appeal with the order's receipt: answered by a reviewer, or withdrawn by the agent."""

from __future__ import annotations

from typing import Final, NamedTuple

from starlette.responses import RedirectResponse, Response

from stream_attr.console.links import to
from stream_attr.console.refusals import refusal_text
from stream_attr.console.roles import Role
from stream_attr.console.screens.order_appeals import chosen_agent, shown_appeal
from stream_attr.console.screens.receipt import receipt
from stream_attr.console.screens.screen import Screen
from stream_attr.console.visit import Visit, not_found
from stream_attr.kafka.connection import BrokerUnreachable
from stream_attr.kafka.sender import PublishError
from stream_attr.ledger.acting import Acting, acting
from stream_attr.ledger.appeals.answering import Grant, grant, refuse
from stream_attr.ledger.appeals.appeal import Appeal, case, find
from stream_attr.ledger.appeals.closed import closed_month
from stream_attr.ledger.appeals.opening import withdraw
from stream_attr.ledger.appeals.parties import refuse_concerned
from stream_attr.ledger.appeals.words import Answer, AppealError, State
from stream_attr.ledger.texts import Text

__all__ = ["SCREEN"]

TITLE: Final = Text("Appeal", "申诉")
_NO_BROKER: Final = Text(
    "the console was started without --broker and can publish no ruling: appeals can be refused, not granted",
    "控制台启动时未指定 --broker，无法发布裁定：只能驳回，不能支持申诉",
)
_NOT_SENT: Final = Text(
    "nothing was changed, for the ruling could not be published: {why}", "裁定无法发布，未作任何更改：{why}"
)
_MAYBE_SENT: Final = Text(
    "the answer stands, and its ruling is sent again until the broker acknowledges it: {why}",
    "答复已保存，裁定将重复发送直至 broker 确认：{why}",
)
_WHICH: Final = Text("choose how to answer", "请选择答复方式")


class Answering(NamedTuple):
    """The form to answer an appeal."""

    closed: Text | None
    """Why this account cannot answer it; None: it can."""
    no_grant: Text | None
    """Why nothing can be granted; None: it can."""
    comment: str
    to: str


def show(visit: Visit) -> Response:
    """Show an appeal with its order."""
    return _shown(visit)


def answer(visit: Visit) -> Response:
    """Answer or withdraw an appeal; where that cannot be, show it again with why."""
    one = _appeal(visit)
    try:
        if visit.account.role is Role.AGENT:
            withdraw(visit.connection, one.shop_id, one.appeal_id, visit.account.login)
        else:
            _answer(visit, one)
    except AppealError as error:
        return _shown(visit, error.text)
    except (BrokerUnreachable, PublishError) as error:
        left = find(visit.connection, one.shop_id, one.appeal_id)
        is_kept = left is not None and left.is_being_published
        return _shown(visit, (_MAYBE_SENT if is_kept else _NOT_SENT).filled(why=refusal_text(str(error))))
    return RedirectResponse(to("/appeal", shop=one.shop_id, appeal=one.appeal_id), 303)


def _answer(visit: Visit, one: Appeal) -> None:
    by, how, comment = _who(visit), visit.form.one("answer"), visit.form.one("comment") or ""
    if how == Answer.REFUSED:
        refuse(visit.connection, one.shop_id, one.appeal_id, comment, by)
        return
    if how not in (Answer.GRANTED, Answer.GRANTED_IN_PART):
        raise AppealError(_WHICH)
    if visit.writer is None:
        raise AppealError(_NO_BROKER)
    in_part = how == Answer.GRANTED_IN_PART
    given = Grant(comment, chosen_agent(visit, "to") if in_part else None, in_part)
    grant(visit.connection, visit.writer, one.shop_id, one.appeal_id, given, by)


def _appeal(visit: Visit) -> Appeal:
    """Return the appeal that is asked for. Raises HTTPException, 404, unless the account may see it."""
    appeal_id = visit.asked.one("appeal")
    with visit.reading() as connection:
        shop_id = visit.shop()
        if shop_id is None or appeal_id is None:
            raise not_found()
        own = visit.agents(shop_id)
        one = find(connection, shop_id, appeal_id)
        if one is None or (own is not None and one.agent_id not in own):
            raise not_found()
        return one


def _who(visit: Visit) -> Acting:
    return acting(visit.connection, visit.account.login, is_account=True)


def _shown(visit: Visit, problem: Text | None = None) -> Response:
    one = _appeal(visit)
    now = case(visit.connection, one.shop_id, one.order_id)
    credited = None if one.ruling is None else one.ruling["agent_id"]
    parties = (one.agent_id, one.held_agent_id, one.expected_agent_id, credited)
    closed = None if now is None else closed_month(visit.connection, one.shop_id, now, parties)
    answering = _answering(visit, one)
    with visit.reading():
        return receipt(
            visit,
            "appeal.html",
            TITLE,
            one.shop_id,
            one.order_id,
            problem=problem,
            one=shown_appeal(visit.connection, one),
            closed_month=closed,
            answering=answering,
            can_withdraw=visit.account.role is Role.AGENT
            and one.state == State.OPEN
            and not one.is_being_published,
        )


def _answering(visit: Visit, one: Appeal) -> Answering | None:
    """Return the form to answer an open appeal; None: it is not for this account to answer, or answered."""
    if visit.account.role is not Role.REVIEWER or one.state != State.OPEN or one.is_being_published:
        return None
    closed, now = None, case(visit.connection, one.shop_id, one.order_id)
    agents = (one.agent_id, one.held_agent_id, one.expected_agent_id, None if now is None else now.agent_id)
    try:
        refuse_concerned(visit.connection, _who(visit), one.shop_id, agents, one.opened_by)
    except AppealError as error:
        closed = error.text
    no_grant = _NO_BROKER if visit.writer is None else None
    return Answering(closed, no_grant, visit.form.one("comment") or "", visit.form.one("to") or "")


SCREEN: Final = Screen(
    "/appeal",
    TITLE,
    show,
    in_menu=False,
    act=answer,
    acting=frozenset({Role.REVIEWER, Role.AGENT}),
)
