"""People: accounts, their roles and shops, and the audit."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from stream_attr.console.accounts import Accounts
from stream_attr.console.roles import Role
from stream_attr.console.screens.screen import Screen, shop_page
from stream_attr.console.visit import Visit
from stream_attr.ledger import audit
from stream_attr.ledger.texts import Text
from stream_attr.rules.shop.settings import DEFAULT_TIMEZONE

__all__ = ["SCREEN"]

TITLE: Final = Text("People", "人员")
_LINES: Final = 200


def show(visit: Visit) -> Response:
    """Show who may log in, and who did what of late."""
    accounts = Accounts(visit.connection).all()
    entries = audit.latest(visit.connection, _LINES)
    with visit.reading():
        return shop_page(
            visit,
            "people.html",
            TITLE,
            shop_id=visit.shop(),
            accounts=accounts,
            entries=entries,
            zone=DEFAULT_TIMEZONE,
        )


SCREEN: Final = Screen("/people", TITLE, show, frozenset({Role.ADMIN, Role.AUDITOR}))
