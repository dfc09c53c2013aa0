"""What every figure means: where the name of a figure leads."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from stream_attr.console.screens.screen import Screen, shop_page
from stream_attr.console.visit import Visit
from stream_attr.ledger.figures import FIGURES
from stream_attr.ledger.texts import Text

__all__ = ["SCREEN"]

TITLE: Final = Text("What the figures mean", "指标定义")


def show(visit: Visit) -> Response:
    """Show all figures with their names in both languages, units and meanings."""
    with visit.reading():
        return shop_page(visit, "figures.html", TITLE, shop_id=visit.shop(), figures=list(FIGURES.values()))


SCREEN: Final = Screen("/figures", TITLE, show, in_menu=False)
