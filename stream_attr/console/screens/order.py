"""The order: why it is whose, so that a third person can check the verdict from this page alone."""

from __future__ import annotations

from typing import Final

from starlette.responses import RedirectResponse, Response

from stream_attr.console.links import to
from stream_attr.console.roles import Role
from stream_attr.console.screens.order_appeals import open_from_form
from stream_attr.console.screens.receipt import receipt
from stream_attr.console.screens.screen import Screen
from stream_attr.console.visit import Visit, not_found
from stream_attr.ledger.appeals.words import AppealError
from stream_attr.ledger.texts import Text

__all__ = ["SCREEN"]

TITLE: Final = Text("Order", "订单")


def show(visit: Visit) -> Response:
    """Show an order's receipt as a time line, its reasons, its history, and whose it is by other rules."""
    return _shown(visit)


def appeal(visit: Visit) -> Response:
    """Open an appeal; where it cannot be, show the order again with why, and what was written."""
    shop_id, order_id = _asked_for(visit)
    try:
        open_from_form(visit, shop_id, order_id)
    except AppealError as error:
        return _shown(visit, error.text)
    return RedirectResponse(to("/order", shop=shop_id, order=order_id), 303)


def _asked_for(visit: Visit) -> tuple[str, str]:
    order_id = visit.asked.one("order")
    with visit.reading():
        shop_id = visit.shop()
    if shop_id is None or order_id is None:
        raise not_found()
    return shop_id, order_id


def _shown(visit: Visit, problem: Text | None = None) -> Response:
    """Show the order that is asked for. ``problem``: why what was sent cannot be."""
    shop_id, order_id = _asked_for(visit)
    with visit.reading():
        return receipt(visit, "order.html", TITLE, shop_id, order_id, problem=problem)


SCREEN: Final = Screen("/order", TITLE, show, in_menu=False, act=appeal, acting=frozenset({Role.AGENT}))
