"""People: accounts, their roles and shops, and who is logged in."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from stream_attr.console.accounts import Accounts
from stream_attr.console.roles import Role
from stream_attr.console.screens.screen import Screen, shop_page
from stream_attr.console.sessions import Sessions, Way
from stream_attr.console.visit import Visit
from stream_attr.ledger.texts import Text
from stream_attr.rules.shop.settings import DEFAULT_TIMEZONE

__all__ = ["SCREEN"]

TITLE: Final = Text("People", "人员")
_WAYS: Final = {
    Way.PASSWORD: Text("password", "密码"),
    Way.OIDC: Text("company account", "公司账号"),
    Way.PROXY: Text("proxy", "代理"),
}


def show(visit: Visit) -> Response:
    """Show who may log in."""
    accounts = Accounts(visit.connection).all()
    sessions = Sessions(visit.connection).all()
    with visit.reading():
        return shop_page(
            visit,
            "people.html",
            TITLE,
            shop_id=visit.shop(),
            accounts=accounts,
            sessions=sessions,
            ways=_WAYS,
            zone=DEFAULT_TIMEZONE,
        )


SCREEN: Final = Screen("/people", TITLE, show, frozenset({Role.ADMIN, Role.AUDITOR}))
