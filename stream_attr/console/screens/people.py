"""People: accounts, their roles and shops."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from stream_attr.console.accounts import Accounts
from stream_attr.console.roles import Role
from stream_attr.console.screens.screen import Screen, shop_page
from stream_attr.console.visit import Visit
from stream_attr.ledger.texts import Text

__all__ = ["SCREEN"]

TITLE: Final = Text("People", "人员")


def show(visit: Visit) -> Response:
    """Show who may log in."""
    accounts = Accounts(visit.connection).all()
    with visit.reading():
        return shop_page(
            visit,
            "people.html",
            TITLE,
            shop_id=visit.shop(),
            accounts=accounts,
        )


SCREEN: Final = Screen("/people", TITLE, show, frozenset({Role.ADMIN, Role.AUDITOR}))
