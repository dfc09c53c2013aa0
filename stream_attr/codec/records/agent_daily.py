"""Agents' and shops' days as JSON bytes (RULEBOOK 8).

How each figure is derived stands beside the fields of the record.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final, NamedTuple

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
from stream_attr.rules.reports.contribution import TOTAL, Deals, Ends, Inquiries, Workload
from stream_attr.rules.reports.day_totals import GROUPS, AgentDay
from stream_attr.rules.shop.days import Zone, day_name
from stream_attr.rules.vocabulary import FINAL, PENDING


class _Sums(NamedTuple):
    workload: Workload
    inquiries: Inquiries
    deals: Deals
    presence: Presence


def rate(part: int, total: int) -> float | None:
    """Return a ratio to four digits; None where the denominator is 0."""
    return round(part / total, 4) if total else None


def mean(total: int, count: int) -> int | None:
    """Return a mean, rounded half up; None where there are no values."""
    return (2 * total + count) // (2 * count) if count else None


def _maker(one: Made) -> Callable[[_Sums], int | float | None]:
    """Return what makes a figure of the sums of a day."""
    if isinstance(one, Sum):
        get: Callable[[_Sums], int] = attrgetter(one.of)
        return get
    if isinstance(one, Mean):
        total, number = attrgetter(one.total), attrgetter(one.number)
        return lambda sums: mean(total(sums), number(sums))
    part, total = attrgetter(one.part), attrgetter(one.whole)
    if one.less is None:
        return lambda sums: rate(part(sums), total(sums))
    less = attrgetter(one.less)
    return lambda sums: rate(part(sums) - less(sums), total(sums))


_MAKERS: Final = {group: [_maker(made(group, name)) for name in FIGURES[group]] for group in GROUPS}
_SHAPES: Final[dict[str, Any]] = {group: shape_of(group) for group in GROUPS}


def encode_agent_day(
    shop_id: str, agent_id: str, day: int, figures: AgentDay, ends: Ends, zone: Zone, watermark: int
) -> bytes:
    """Return the content of the record of an agent's, or with `TOTAL` a shop's, day."""
    sums = _Sums(figures.workload, figures.inquiries, figures.deals, figures.presence)
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
            *[make(sums) for make in _MAKERS[group]],
        )
    return encode_json(AgentDaily(shop_id, agent_id, day_name(day), status, **groups))
