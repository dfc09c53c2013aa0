"""对账: a platform's exported sheet against the ledger (LEDGER 3)."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from stream_attr.errors import UnusableError
from stream_attr.ledger.reports.reconcile import agents, orders
from stream_attr.ledger.reports.reconcile.sheet import their_sheet
from stream_attr.ledger.reports.report import Report
from stream_attr.ledger.reports.scope import Options, scope

__all__ = ["report"]


def report(connection: Connection[Any], options: Options) -> Report:
    """Return a sheet of orders or of agents beside the ledger.

    Raises:
        UnusableError: the file cannot be used, or its sheet is not known and not mapped.
    """
    assert options.file is not None
    if len(set(options.shops)) != 1:
        raise UnusableError("a sheet is of one shop: name one with --shop")
    sheet = their_sheet(options.file, options.maps, options.sheet)
    (shop,) = scope(connection, options)
    if not sheet.is_of_orders:
        return agents.report(connection, options, shop, sheet)
    if shop.chosen is not None:
        raise UnusableError(
            "--agent, --group and --person choose rows of a sheet of agents; this one is of orders, and is "
            "compared as a whole"
        )
    return orders.report(connection, options, shop, sheet)
