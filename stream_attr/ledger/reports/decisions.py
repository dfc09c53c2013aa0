"""The decisions and refunds that a report rests on: as they are, or as known at the end of a day."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from psycopg.sql import SQL, Composed, Identifier

from stream_attr.ledger.reports.scope import Options, ShopScope

__all__ = ["Source", "source"]

_KNOWN_DECISION: Final = SQL(
    "(SELECT DISTINCT ON (order_id) * FROM decision_revision WHERE shop_id = %(shop)s AND profile = {profile}"
    " AND known_ts < %(known_before)s ORDER BY order_id, revision DESC)"
)
_KNOWN_REFUND: Final = SQL(
    "(SELECT shop_id, order_id, number::integer, one->>'refund_id' AS refund_id, (one->>'ts')::bigint AS ts,"
    " (one->>'amount')::bigint AS amount, (one->>'completed')::boolean AS completed, agent_id,"
    " outcome, currency FROM {decision} AS known,"
    " json_array_elements(record->'refunds') WITH ORDINALITY AS listed (one, number))"
)


class Source(NamedTuple):
    """Where a shop's decisions are read."""

    decision: Composed | Identifier
    """A table or subquery with the columns of ``decision``: the last revision of each order."""
    refund: Composed | Identifier
    """Likewise with the columns of ``refund``."""
    parameters: dict[str, Any]
    """What they bind: ``shop`` and, as known on a day, ``known_before``."""


def source(options: Options, shop: ShopScope, profile: str = "official") -> Source:
    """Return where a shop's decisions under a profile are read."""
    bound: dict[str, Any] = {"shop": shop.shop_id, "profile": profile}
    if options.as_known_on is None:
        return Source(Identifier("decision"), Identifier("refund"), bound)
    bound["known_before"] = shop.zone.start_of(options.as_known_on + 1)
    decision = _KNOWN_DECISION.format(profile=SQL("%(profile)s"))
    return Source(decision, _KNOWN_REFUND.format(decision=decision), bound)
