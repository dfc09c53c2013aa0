"""Figures of a window of event time, on which alerts can be: what they count, and how to see the rows."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final, NamedTuple

from psycopg import Connection

from stream_attr.contract.topics import DECISIONS, FACTS, INQUIRIES
from stream_attr.ledger.formulas import Kind
from stream_attr.ledger.texts import Text

__all__ = ["FIGURES", "Figure", "Sums"]


class Sums(NamedTuple):
    """What adds up over windows."""

    part: int
    """Of a rate its numerator, of a mean the sum in milliseconds, of a count the count itself."""
    cases: int
    """The denominator; of a count what was looked at."""

    def value(self, kind: Kind) -> Fraction | None:
        """Return a rate, a mean in seconds or a count; None where there are no cases to divide by."""
        if kind is Kind.COUNT:
            return Fraction(self.part)
        if not self.cases:
            return None
        return Fraction(self.part, self.cases * (1000 if kind is Kind.SECONDS else 1))


class Figure(NamedTuple):
    """A figure of one shop in a window."""

    name: Text
    kind: Kind
    topic: str | None
    """Whose watermark is the time up to which it is known; None: the time at which records came."""
    query: str
    """Finds part and cases; binds ``shop``, ``start``, ``end``, ``first``, ``last``."""
    rows: str
    """The command that shows the rows behind it; has ``{shop}``, ``{first}`` and ``{last}``."""
    days_before: int = 0
    """From so many days before the window these rows are."""
    has_usual: bool = True
    """Whether it can be computed of a window that is long past."""

    def sums(self, connection: Connection[Any], bound: Mapping[str, Any]) -> Sums:
        """Return what it counts in a window."""
        ((part, cases),) = connection.execute(self.query.encode(), bound).fetchall()
        return Sums(part, cases)


_RECEPTIONS: Final = (
    " FROM reception WHERE shop_id = %(shop)s AND day BETWEEN %(first)s::date AND %(last)s::date"
    " AND first_ts >= %(start)s AND first_ts < %(end)s"
)
_COUNTED: Final = f"{_RECEPTIONS} AND filtered IS NULL AND role <> 'frozen'"
_PAID: Final = (
    " FROM decision WHERE shop_id = %(shop)s AND profile = 'official' AND outcome IN ('credited', 'silent')"
    " AND counted_ts >= %(start)s AND counted_ts < %(end)s"
)
_REPORT: Final = "stream-attr report {report} --shop {{shop}} --from {{first}} --to {{last}}{more}"


def _rows(report: str, more: str = "") -> str:
    return _REPORT.format(report=report, more=f" {more}" if more else "")


FIGURES: Final[Mapping[str, Figure]] = {
    "conversion": Figure(
        Text("inquiries that ordered", "询单下单率"),
        Kind.RATE,
        INQUIRIES,
        "SELECT count(*) FILTER (WHERE EXISTS (SELECT FROM decision WHERE decision.shop_id = %(shop)s"
        " AND decision.profile = 'official' AND decision.order_id = ANY(inquiry.order_ids)"
        " AND decision.created_ts < %(end)s)), count(*)"
        " FROM inquiry JOIN reception USING (shop_id, buyer_id, agent_id, day)"
        " WHERE inquiry.shop_id = %(shop)s AND inquiry.day BETWEEN %(first)s::date AND %(last)s::date"
        " AND inquiry.kind = 'inquiry' AND inquiry.outcome <> 'not_counted'"
        " AND reception.first_ts >= %(start)s AND reception.first_ts < %(end)s",
        _rows("losses", "--kind lost open payment_lost"),
    ),
    "first_response": Figure(
        Text("first response", "首次响应"),
        Kind.SECONDS,
        FACTS,
        f"SELECT coalesce(sum(first_response_ms), 0)::bigint, count(first_response_ms){_COUNTED}",
        _rows("losses", "--kind slow"),
    ),
    "unreplied": Figure(
        Text("receptions without a reply", "未回复占比"),
        Kind.RATE,
        FACTS,
        "SELECT count(*) FILTER (WHERE NOT replied AND (buyer_messages > 0 OR handed_over)),"
        f" count(*){_COUNTED}",
        _rows("losses", "--kind unreplied"),
    ),
    "silent": Figure(
        Text("silent orders", "静默订单占比"),
        Kind.RATE,
        DECISIONS,
        f"SELECT count(*) FILTER (WHERE outcome = 'silent'), count(*){_PAID}",
        _rows("orders", "--behind silent"),
    ),
    "refunds": Figure(
        Text("refunds completed, by orders paid", "完成退款占付款订单"),
        Kind.RATE,
        DECISIONS,
        "SELECT (SELECT count(*) FROM refund WHERE shop_id = %(shop)s AND completed"
        " AND outcome <> 'excluded' AND ts >= %(start)s AND ts < %(end)s),"
        f" (SELECT count(*){_PAID})",
        _rows("orders", "--behind refunds"),
    ),
    "overdue": Figure(
        Text("orders pending beyond their time", "逾期仍待定的订单"),
        Kind.COUNT,
        DECISIONS,
        "SELECT count(*), count(*) FROM decision WHERE shop_id = %(shop)s AND profile = 'official'"
        " AND status = 'pending' AND final_at < %(end)s",
        _rows("pending"),
        days_before=60,
        has_usual=False,
    ),
    "notices": Figure(
        Text("orders with notices", "有提示的订单"),
        Kind.COUNT,
        DECISIONS,
        "SELECT count(*) FILTER (WHERE notices <> '{}'), count(*) FROM decision"
        " WHERE shop_id = %(shop)s AND profile = 'official'"
        " AND created_ts >= %(start)s AND created_ts < %(end)s",
        _rows("quality"),
    ),
    "unlisted": Figure(
        Text("agents not in the roster", "不在名册的客服"),
        Kind.COUNT,
        FACTS,
        "SELECT count(DISTINCT agent_id) FILTER (WHERE agent_id NOT IN"
        " (SELECT agent_id FROM roster WHERE shop_id = %(shop)s)), count(*)"
        f"{_RECEPTIONS}",
        _rows("quality"),
    ),
    "refused": Figure(
        Text("records refused or not stored, of all shops", "被拒收或未能写入的记录（全部店铺）"),
        Kind.COUNT,
        None,
        "SELECT count(*), count(*) FROM (SELECT known_ts FROM dead_letter UNION ALL"
        " SELECT known_ts FROM unstored) AS refused WHERE known_ts >= %(start)s AND known_ts < %(end)s",
        "stream-attr dead-letters list",
        has_usual=False,
    ),
}
"""By the word of a rule."""
