"""Months that are closed: what was paid by their figures changes no more, but by corrections."""

from __future__ import annotations

from typing import Any, Final

from psycopg import Connection

from stream_attr.console.reading import as_owner
from stream_attr.ledger.periods import Period
from stream_attr.rules.shop.days import day_name

__all__ = ["closed_months"]

_CLOSED: Final = """
    SELECT DISTINCT to_char(month, 'YYYY-MM') FROM pay_run
    WHERE state = 'closed' AND month BETWEEN date_trunc('month', %(first)s::date)::date AND %(last)s::date
        AND persons && (SELECT array_agg(DISTINCT person_id) FROM roster WHERE shop_id = %(shop)s
            AND person_id IS NOT NULL)
    ORDER BY 1
"""


def closed_months(connection: Connection[Any], shop_id: str, period: Period) -> list[str]:
    """Return the months of a period, ``YYYY-MM``, of which a pay run with persons of the shop is closed.

    Within a `reading`.
    """
    bound = {"shop": shop_id, "first": day_name(period.first), "last": day_name(period.last)}
    with as_owner(connection):  # whoever looks, whosever pay it is: of a run the month alone
        return [month for (month,) in connection.execute(_CLOSED, bound)]
