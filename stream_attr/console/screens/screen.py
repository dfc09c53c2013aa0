"""What a screen is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from starlette.responses import Response

from stream_attr.console.locked import closed_months
from stream_attr.console.rendering import Page, render
from stream_attr.console.roles import EVERYBODY, Role
from stream_attr.console.screens.live import PARTS
from stream_attr.console.screens.menu import menu_of
from stream_attr.console.visit import Visit
from stream_attr.ledger.texts import Text

__all__ = ["Screen", "shop_page"]


class Screen(NamedTuple):
    """A page and who may see it."""

    path: str
    title: Text
    show: Callable[[Visit], Response]
    roles: frozenset[Role] = EVERYBODY
    in_menu: bool = True
    act: Callable[[Visit], Response] | None = None
    """Answers a form that was sent to it, ``visit.form``; None: it takes none."""
    acting: frozenset[Role] = frozenset()
    """Who may send one."""
    largest_file: int = 0
    """Bytes of a file in its form, ``visit.file``; 0: it has none."""


def shop_page(visit: Visit, template: str, title: Text, status_code: int = 200, **values: Any) -> Response:
    """Return a page of a shop, with the menu and what stands on every page. Within ``visit.reading``.

    A page with a ``period`` names the months of it that are closed.
    """
    pairs = [(name, value) for name, value in visit.asked.pairs if name not in PARTS]
    page = Page(visit.language, visit.request.url.path, pairs)
    shop_id, period = values.get("shop_id"), values.get("period")
    locked = closed_months(visit.connection, shop_id, period) if shop_id and period else []
    return render(
        template,
        page,
        status_code,
        title=title,
        account=visit.account,
        csrf_token=visit.session.csrf_token,
        shops=visit.shops,
        menu=menu_of(visit.menu, page.path),
        waiting=visit.waiting,
        opens=frozenset(path for path, _ in visit.menu),
        locked=locked,
        **values,
    )
