"""Agents' and shops' days as JSON bytes (RULEBOOK 8).

How each figure is derived stands beside the fields of the record.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from stream_attr.codec.encoding import encode_json
from stream_attr.contract.records.agent_daily import (
    FIGURES,
    AgentDaily,
    Made,
    Mean,
    Sum,
    made,
    shape_of,
)
from stream_attr.rules.chat.presence import Presence
from stream_attr.rules.reports.contribution import TOTAL, Ends
from stream_attr.rules.reports.conversion import Inquiries
from stream_attr.rules.reports.day_totals import GROUPS, AgentDay
from stream_attr.rules.reports.deals import Deals
from stream_attr.rules.reports.workload import Workload
from stream_attr.rules.shop.days import Zone, day_name
from stream_attr.rules.vocabulary import FINAL, PENDING

_Maker = Callable[[Workload, Inquiries, Deals, Presence], tuple[int | float | None, ...]]


def rate(part: int, total: int) -> float | None:
    """Return a ratio to four digits; None where the denominator is 0."""
    return round(part / total, 4) if total else None


def mean(total: int, count: int) -> int | None:
    """Return a mean, rounded half up; None where there are no values."""
    return (2 * total + count) // (2 * count) if count else None


def _expression(one: Made) -> str:
    """Return what makes a figure of the sums of a day, as Python."""
    if isinstance(one, Sum):
        return one.of
    if isinstance(one, Mean):
        return f"mean({one.total}, {one.number})"
    return f"rate({one.part if one.less is None else f'{one.part} - {one.less}'}, {one.whole})"


def _maker(group: str) -> _Maker:
    """Return a function of a day's sums to the figures of a group: as quick as one written by hand."""
    figures = "".join(f"{_expression(made(group, name))}, " for name in FIGURES[group])
    maker: _Maker = eval(
        f"lambda workload, inquiries, deals, presence: ({figures})", {"rate": rate, "mean": mean}
    )
    return maker


_MAKERS: Final = {group: _maker(group) for group in GROUPS}
_SHAPES: Final[dict[str, Any]] = {group: shape_of(group) for group in GROUPS}


def encode_agent_day(
    shop_id: str, agent_id: str, day: int, figures: AgentDay, ends: Ends, zone: Zone, watermark: int
) -> bytes:
    """Return the content of the record of an agent's, or with `TOTAL` a shop's, day."""
    sums = (figures.workload, figures.inquiries, figures.deals, figures.presence)
    final_at = figures.final_at(ends)
    groups: dict[str, Any] = {}
    status = FINAL
    for group in GROUPS:
        if group == "silent" and agent_id != TOTAL:
            groups[group] = None
            continue
        is_final = figures.is_final(group, final_at[group], watermark)
        if not is_final:
            status = PENDING
        groups[group] = _SHAPES[group](
            FINAL if is_final else PENDING,
            day_name(zone.day_of(final_at[group])),
            *_MAKERS[group](*sums),
        )
    return encode_json(AgentDaily(shop_id, agent_id, day_name(day), status, **groups))
