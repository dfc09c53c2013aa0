"""Every figure of the reports, once: its names, unit, formula, and whether more of it is better (RULEBOOK 8).

The figures of ``agent-daily`` are taken from their record, with what they are made of; figures that derive
from several of them stand here. All are formulas over *measures*: figures of the record that add up over
days, agents and shops. So a rate of a month is a sum by a sum, never a mean of means.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final, NamedTuple

from stream_attr.contract.records import agent_daily as record
from stream_attr.contract.records.agent_daily import FIGURES as OF_RECORD
from stream_attr.ledger.formulas import Formula, Kind, Mean, Measures, Most, Ratio, Total, ratio_of
from stream_attr.ledger.texts import Text

__all__ = [
    "FIGURES",
    "MEASURES",
    "UNTIL",
    "Figure",
    "Range",
    "add",
    "has_range",
    "made_of",
    "range_of",
    "ranged_by",
    "until",
]


class Figure(NamedTuple):
    """One figure."""

    key: str
    """Its group and its name: ``sales.amount``."""
    group: str
    name: Text
    kind: Kind
    unit: Text
    formula: Formula
    meaning: Text
    more_is_better: bool | None
    """None: neither."""


_LESS_IS_BETTER: Final = frozenset(
    {
        "workload.unreplied",
        "workload.first_response_ms",
        "workload.response_ms",
        "workload.slow_receptions",
        "inquiries.lost",
        "payments.payment_lost",
        "silent.buyers",
        "silent.orders",
        "silent.quantity",
        "silent.amount",
        "refunds.requested",
        "refunds.completed",
    }
)
_NEITHER: Final = frozenset(
    {
        "workload.consults",
        "workload.buyer_messages",
        "workload.first_response_ms_sum",
        "workload.first_responses",
        "workload.response_ms_sum",
        "workload.responses",
        "workload.max_simultaneous",
        "inquiries.open",
        "inquiries.self_ordered",
        "inquiries.follow_ups",
        "inquiries.after_sales",
        "inquiries.exempt",
    }
)


def _key_of_sum() -> dict[str, str]:
    """Return the key of the figure that has each sum of a day."""
    return {
        one.of: f"{group}.{name}"
        for group, figures in OF_RECORD.items()
        for name in figures
        if isinstance(one := record.made(group, name), record.Sum)
    }


_KEYS: Final = _key_of_sum()


def _formula(key: str, one: record.Made) -> Formula:
    if isinstance(one, record.Sum):
        return Most(key) if one.of.startswith("presence.") else Total(key)
    if isinstance(one, record.Rate):
        return Ratio(_KEYS[one.part], _KEYS[one.whole], one.less and _KEYS[one.less])
    return Mean(_KEYS[one.total], _KEYS[one.number])


def _kind(unit: str, formula: Formula) -> Kind:
    if unit == "minor units":
        return Kind.MONEY
    if unit == "ms":
        return Kind.SECONDS
    if isinstance(formula, Ratio):
        return Kind.RATE if unit == "rate" else Kind.RATIO
    return Kind.COUNT


_UNITS_SHOWN: Final = {"minor units": Text("money", "元"), "ms": Text("s", "秒"), "rate": Text("%", "%")}


def _english(group: str, name: str) -> str:
    """Return a figure's name for people: with its group where others have the same name."""
    words = name.removesuffix("_ms").replace("_ms_", " ").replace("_", " ")
    is_single = sum(name in figures for figures in OF_RECORD.values()) == 1 and name not in OF_RECORD
    return words if name == group or (is_single and group not in ("sales", "refunds")) else f"{group} {words}"


def _of_record() -> dict[str, Figure]:
    found = {}
    for group, figures in OF_RECORD.items():
        for name, meta in figures.items():
            extra = meta.extra or {}
            key, formula = f"{group}.{name}", _formula(f"{group}.{name}", extra["made"])
            less = key in _LESS_IS_BETTER
            found[key] = Figure(
                key,
                group,
                Text(_english(group, name), extra["chinese"]),
                _kind(extra["unit"][0], formula),
                _UNITS_SHOWN.get(extra["unit"][0], Text(*extra["unit"])),
                formula,
                Text(*(text.replace("`", "") for text in extra["formula"])),
                None if key in _NEITHER else not less,
            )
    return found


_RATE: Final = ("rate", "比率")
_MONEY: Final = ("minor units", "分")
_BUYERS: Final = ("buyers", "人")


def _derived(
    key: str,
    names: tuple[str, str],
    formula: Formula,
    unit: tuple[str, str],
    more_is_better: bool | None,
) -> Figure:
    """Return a figure that is made of those of the record; its meaning says of which."""
    return Figure(
        key,
        key.partition(".")[0],
        Text(*names),
        _kind(unit[0], formula),
        _UNITS_SHOWN.get(unit[0], Text(*unit)),
        formula,
        _in_words(formula),
        more_is_better,
    )


def _in_words(formula: Formula) -> Text:
    """Return a formula in words: with the keys of its measures."""
    match formula:
        case Total(of, None):
            return Text(of, of)
        case Total(of, less):
            return Text(f"{of} − {less}", f"{of} − {less}")
        case Most(of):
            return Text(f"the greatest {of}", f"{of} 的最大值")
        case Ratio(part, whole, less) | Mean(part, whole, less):
            words = f"{part} / {whole}" if less is None else f"({part} − {less}) / {whole}"
            half = isinstance(formula, Mean)
            return Text(
                f"{words}{', half up' if half else ''}; null: the denominator is 0",
                f"{words}{'，四舍五入' if half else ''}；分母为 0 时为 null",
            )
    raise AssertionError(formula)  # pragma: no cover -- all formulas are named above


_OWN: Final = (
    _derived(
        "workload.filtered", ("filtered", "过滤人数"),
        Total("workload.consults", "workload.receptions"), _BUYERS, None,
    ),
    _derived(
        "workload.unreplied_rate", ("unreplied rate", "未回复率"),
        Ratio("workload.unreplied", "workload.receptions"), _RATE, False,
    ),
    _derived(
        "workload.slow_rate", ("slow rate", "慢响应率"),
        Ratio("workload.slow_receptions", "workload.receptions"), _RATE, False,
    ),
    _derived(
        "workload.rating_rate", ("rating rate", "评价率"),
        Ratio("workload.ratings", "workload.receptions"), _RATE, True,
    ),
    _derived(
        "workload.unsatisfied", ("unsatisfied", "不满意数"),
        Total("workload.ratings", "workload.satisfied"), ("receptions", "次"), False,
    ),
    _derived(
        "workload.messages_per_reception", ("messages per reception", "人均客服消息数"),
        Ratio("workload.agent_messages", "workload.receptions"), ("messages", "条"), None,
    ),
    _derived(
        "workload.characters_per_reception", ("characters per reception", "人均客服字数"),
        Ratio("workload.agent_characters", "workload.receptions"), ("characters", "字"), None,
    ),
    _derived(
        "workload.characters_per_message", ("characters per message", "每条消息字数"),
        Ratio("workload.agent_characters", "workload.agent_messages"), ("characters", "字"), None,
    ),
    _derived(
        "inquiries.loss_rate", ("inquiry loss rate", "询单流失率"),
        Ratio("inquiries.lost", "inquiries.inquiries"), _RATE, False,
    ),
    _derived(
        "inquiries.decided", ("inquiries decided", "已定询单"),
        Total("inquiries.inquiries", "inquiries.open"), ("count", "条"), None,
    ),
    _derived(
        "inquiries.inquiry_rate", ("inquiry rate", "询单率"),
        Ratio("inquiries.inquiries", "workload.receptions"), _RATE, None,
    ),
    _derived(
        "inquiries.assists_per_reception", ("assists per reception", "人均协助"),
        Ratio("inquiries.assists", "workload.receptions"), ("count", "条"), True,
    ),
    _derived(
        "payments.loss_rate", ("payment loss rate", "付款流失率"),
        Ratio("payments.payment_lost", "inquiries.ordered"), _RATE, False,
    ),
    _derived(
        "placed.amount_per_buyer", ("placed amount per buyer", "落实下单客单价"),
        Mean("placed.amount", "placed.buyers"), _MONEY, True,
    ),
    _derived(
        "placed.amount_per_order", ("placed amount per order", "落实下单笔单价"),
        Mean("placed.amount", "placed.orders"), _MONEY, True,
    ),
    _derived(
        "paid.amount_per_buyer", ("paid amount per buyer", "落实付款客单价"),
        Mean("paid.amount", "paid.buyers"), _MONEY, True,
    ),
    _derived(
        "paid.amount_per_order", ("paid amount per order", "落实付款笔单价"),
        Mean("paid.amount", "paid.orders"), _MONEY, True,
    ),
    _derived(
        "sales.amount_per_order", ("sales amount per order", "笔单价"),
        Mean("sales.amount", "sales.orders"), _MONEY, True,
    ),
    _derived(
        "sales.amount_per_item", ("sales amount per item", "件单价"),
        Mean("sales.amount", "sales.quantity"), _MONEY, None,
    ),
    _derived(
        "sales.quantity_per_order", ("items per order", "连带率"),
        Ratio("sales.quantity", "sales.orders"), ("items", "件"), True,
    ),
    _derived(
        "sales.orders_per_buyer", ("orders per buyer", "人均订单数"),
        Ratio("sales.orders", "sales.buyers"), ("orders", "单"), True,
    ),
    _derived(
        "sales.amount_per_reception", ("sales amount per reception", "接待客单产出"),
        Mean("sales.amount", "workload.receptions"), _MONEY, True,
    ),
    _derived(
        "sales.amount_per_inquiry", ("sales amount per inquiry", "询单客单产出"),
        Mean("sales.amount", "inquiries.inquiries"), _MONEY, True,
    ),
    _derived(
        "sales.net_amount", ("net sales", "净销售额"),
        Total("sales.amount", "refunds.completed"), _MONEY, True,
    ),
    _derived(
        "sales.net_per_buyer", ("net sales per buyer", "净客单价"),
        Mean("sales.amount", "sales.buyers", "refunds.completed"), _MONEY, True,
    ),
    _derived(
        "sales.net_per_order", ("net sales per order", "净笔单价"),
        Mean("sales.amount", "sales.orders", "refunds.completed"), _MONEY, True,
    ),
    _derived(
        "silent.amount_rate", ("silent share of sales", "静默金额占比"),
        Ratio("silent.amount", "sales.amount"), _RATE, False,
    ),
    _derived(
        "silent.order_rate", ("silent share of orders", "静默订单占比"),
        Ratio("silent.orders", "sales.orders"), _RATE, False,
    ),
    _derived(
        "silent.credited_amount", ("credited amount of the shop", "店铺归属金额"),
        Total("sales.amount", "silent.amount"), _MONEY, True,
    ),
    _derived(
        "refunds.rate", ("refund rate", "退款率"),
        Ratio("refunds.completed", "sales.amount"), _RATE, False,
    ),
)  # fmt: skip

FIGURES: Final[Mapping[str, Figure]] = {**_of_record(), **{one.key: one for one in _OWN}}
"""By key, in the order of the record, then what derives from it."""
MEASURES: Final = tuple(
    key for key, one in FIGURES.items() if one.formula in (Total(key), Most(key)) and key in _KEYS.values()
)
"""The keys of the figures that are kept as they are, and that all others are made of."""
UNTIL: Final = {group: f"until.{group}" for group in OF_RECORD}
"""By group, the key under which measures have the day number with which all of it is final; None: it is."""
_UNTILS: Final = frozenset(UNTIL.values())
_MOST: Final = _UNTILS | {key for key in MEASURES if isinstance(FIGURES[key].formula, Most)}


class _Sum(NamedTuple):
    """Some measures together, less others."""

    of: tuple[str, ...]
    less: tuple[str, ...] = ()


class _Moves(NamedTuple):
    """How far a measure can still move, by what is known: orders and inquiries that have come."""

    low: _Sum
    high: _Sum


_UNDECIDED: Final = ("inquiries.ordered", "inquiries.open")
"""Inquiries of which the payment can still come, once those are taken off of which it came, or never will."""
_MOVES: Final[Mapping[str, _Moves]] = {
    "sales.orders": _Moves(
        _Sum(("sales.orders", "pending.missing_orders"), ("pending.paid_orders",)),
        _Sum(("sales.orders", "pending.missing_orders", "pending.open_orders")),
    ),
    "sales.amount": _Moves(
        _Sum(("sales.amount", "pending.missing"), ("pending.paid",)),
        _Sum(("sales.amount", "pending.missing", "pending.open")),
    ),
    "inquiries.inquiries": _Moves(_Sum(("inquiries.inquiries",)), _Sum(("inquiries.inquiries",))),
    "inquiries.open": _Moves(_Sum(()), _Sum(("inquiries.open",))),
    "inquiries.ordered": _Moves(_Sum(("inquiries.ordered",)), _Sum(("inquiries.ordered", "inquiries.open"))),
    "inquiries.lost": _Moves(_Sum(("inquiries.lost",)), _Sum(("inquiries.lost", "inquiries.open"))),
    "payments.paid": _Moves(_Sum(("payments.paid",)), _Sum(_UNDECIDED, ("payments.payment_lost",))),
    "payments.payment_lost": _Moves(_Sum(("payments.payment_lost",)), _Sum(_UNDECIDED, ("payments.paid",))),
}
"""``pending.…``: of orders, see `stream_attr.ledger.reports.ranges`."""


class Range(NamedTuple):
    """Between what a figure can still come to lie."""

    low: int | float
    high: int | float


def made_of(formula: Formula) -> list[str]:
    """Return the keys of the measures that a formula names."""
    return [key for key in formula if key is not None]


def ranged_by(formula: Formula) -> list[str]:
    """Return the keys of the measures that the range of a formula rests on, beside those that it names."""
    moves = [move for key in made_of(formula) if (move := _MOVES.get(key)) is not None]
    return [key for move in moves for some in (move.low, move.high) for key in (*some.of, *some.less)]


def has_range(formula: Formula) -> bool:
    """Whether it can be known how far a figure can still move: what is counted, and by what it is divided."""
    if isinstance(formula, Most) or formula[0] not in _MOVES:
        return False
    if isinstance(formula, Total):
        return True
    moves = _MOVES.get(formula.whole if isinstance(formula, Ratio) else formula.number)
    return _group(formula[1]) != _group(formula[0]) if moves is None else moves.low == moves.high


def until(formula: Formula, measures: Measures) -> int | None:
    """Return the day number with which a figure is final; None: it is."""
    if measures.keys().isdisjoint(_UNTILS):  # most rows are final
        return None
    days = [day for key in _untils(formula) if (day := measures.get(key)) is not None]
    return max(days, default=None)


@cache
def _untils(formula: Formula) -> tuple[str, ...]:
    """Return the keys of the days with which the measures of a formula are final."""
    return tuple({UNTIL[_group(key)]: None for key in made_of(formula)})


def range_of(formula: Formula, measures: Measures) -> Range | None:
    """Return between what a figure can still come to lie; None: it is final, or that is not known.

    It is known of what has come: a day that is not over brings more.
    """
    if until(formula, measures) is None or isinstance(formula, Most):
        return None
    first, second, third = (*formula, None)[:3]
    of, less = (first, second) if isinstance(formula, Total) else (first, third)
    part, taken = _between(of, measures), Range(0, 0) if less is None else _between(less, measures)
    if part is None or taken is None:
        return None
    low, high = part.low - taken.high, part.high - taken.low
    if isinstance(formula, Total):
        return Range(low, high)
    whole = _between(second, measures)
    if whole is None or whole.low != whole.high:
        return None
    ends = [ratio_of(formula, int(end), int(whole.low)) for end in (low, high)]
    return None if ends[0] is None or ends[1] is None else Range(ends[0], ends[1])


def _between(key: str | None, measures: Measures) -> Range | None:
    """Return between what a measure can still come to lie; None: that is not known."""
    if key is None or (now := measures.get(key)) is None:
        return None
    if measures.get(UNTIL[_group(key)]) is None:
        return Range(now, now)
    moves = _MOVES.get(key)
    if moves is None:
        return None
    low, high = (
        sum(measures.get(one) or 0 for one in some.of) - sum(measures.get(one) or 0 for one in some.less)
        for some in moves
    )
    return Range(max(low, 0), high)


def _group(key: str) -> str:
    return key.partition(".")[0]


def add(sums: dict[str, int | None], more: Measures) -> None:
    """Add measures to sums; of ``max_simultaneous`` the greater stays."""
    for key, number in more.items():
        known = sums.get(key)
        if number is None or known is None:
            sums[key] = known if number is None else number
        else:
            sums[key] = max(known, number) if key in _MOST else known + number
