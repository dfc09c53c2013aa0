"""Appeals on the order's page: those that there are with what came of them, and the form to open one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from psycopg import Connection

from stream_attr.console.roles import Role
from stream_attr.console.visit import Visit
from stream_attr.ledger.appeals.appeal import Appeal, case, of_order
from stream_attr.ledger.appeals.opening import Asked, appealed_already, not_appealable, open_appeal
from stream_attr.ledger.appeals.rulings import Came, came_of
from stream_attr.ledger.appeals.words import (
    ANSWERS,
    REASONS,
    STATES,
    Answer,
    AppealError,
    Reason,
    State,
)
from stream_attr.ledger.periods import shop_zone
from stream_attr.ledger.reports.report import Moment
from stream_attr.ledger.texts import Text

__all__ = [
    "appeal_form",
    "chosen_agent",
    "open_from_form",
    "shown_appeal",
    "shown_appeals",
]

_NOBODY: Final = "*"
"""What a form sends for nobody: no agent has this id (RULEBOOK 2)."""
_CHOOSE: Final = Text("choose a reason from the list", "请从列表中选择理由")
_WHOM: Final = Text("choose who is to have the sale", "请选择业绩应归属谁")


class ShownAppeal(NamedTuple):
    """An appeal, and what came of it."""

    appeal: Appeal
    opened: Moment
    ended: Moment | None
    reason: Text
    state: Text
    answer: Text | None
    came: Came | None
    """What came of its ruling; None: it has none."""


class Form(NamedTuple):
    """The form to open an appeal."""

    closed: Text | None
    """Why there is none; None: there is one."""
    expected: str
    reason: str
    comment: str


def shown_appeals(
    connection: Connection[Any], shop_id: str, order_id: str, own: Sequence[str] | None
) -> list[ShownAppeal]:
    """Return the appeals about an order that somebody may see. ``own``: of these agents; None: all."""
    return [shown_appeal(connection, one) for one in of_order(connection, shop_id, order_id, own)]


def shown_appeal(connection: Connection[Any], one: Appeal) -> ShownAppeal:
    """Return an appeal as a page shows it."""
    zone = shop_zone(connection, one.shop_id).name
    return ShownAppeal(
        one,
        Moment(one.opened_ts, zone),
        None if one.ended_ts is None else Moment(one.ended_ts, zone),
        REASONS[Reason(one.reason)],
        STATES[State(one.state)],
        None if one.answer is None else ANSWERS[Answer(one.answer)],
        None if one.ruling is None else came_of(connection, one.ruling),
    )


def appeal_form(visit: Visit, shop_id: str, order_id: str) -> Form | None:
    """Return the form for who may appeal, with what was written; None: others. Within ``reading``."""
    own = visit.agents(shop_id)
    if visit.account.role is not Role.AGENT or own is None:
        return None
    connection, now = visit.connection, case(visit.connection, shop_id, order_id)
    closed = not_appealable(connection, shop_id, order_id, now)
    if closed is None and now is not None:
        tried = [appealed_already(connection, shop_id, order_id, one, now.revision) for one in own]
        closed = tried[0] if tried and None not in tried else None
    held = None if now is None else now.agent_id
    expected = next((one for one in own if one != held), "")
    form = visit.form
    return Form(closed, form.one("expected") or expected, form.one("reason") or "", form.one("comment") or "")


def open_from_form(visit: Visit, shop_id: str, order_id: str) -> Appeal:
    """Open the appeal that was sent. Raises AppealError where it cannot be."""
    reason = visit.form.one("reason")
    if reason not in list(Reason):
        raise AppealError(_CHOOSE)
    asked = Asked(
        shop_id, order_id, Reason(reason), visit.form.one("comment") or "", chosen_agent(visit, "expected")
    )
    return open_appeal(visit.connection, asked, visit.agents(shop_id) or (), visit.account.login)


def chosen_agent(visit: Visit, name: str) -> str | None:
    """Return the agent that was chosen in a form; None: nobody. Raises AppealError: nothing was chosen."""
    chosen = visit.form.one(name)
    if chosen is None:
        raise AppealError(_WHOM)
    return None if chosen == _NOBODY else chosen
