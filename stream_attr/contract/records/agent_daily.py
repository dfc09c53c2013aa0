"""A record of ``agent-daily`` (RULEBOOK 8), but for its revision.

Each figure says what it is made of: the codec, explain and the tables of docs/figures.md take it from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, NamedTuple, get_args, get_type_hints

from msgspec import Meta, Struct

from stream_attr.contract.records.fields import Count, Id, ShopId, day, field, word
from stream_attr.contract.schema import RecordSchema, of_type, only, when
from stream_attr.rules.reports.contribution import TOTAL
from stream_attr.rules.reports.day_totals import GROUPS
from stream_attr.rules.vocabulary import FINAL, PENDING, STATUSES


class Sum(NamedTuple):
    """A figure that adds up."""

    of: str
    """Where the sums of the day have it, such as ``workload.consults``."""


class Rate(NamedTuple):
    """A ratio of sums, to four decimals; null where the denominator is 0."""

    part: str
    whole: str
    less: str | None = None
    """What is taken from ``part``."""


class Mean(NamedTuple):
    """A sum by a number of things, rounded half up; null where there are none."""

    total: str
    number: str


Made = Sum | Rate | Mean


def figure(
    made: Made,
    chinese: str,
    unit: tuple[str, str],
    formula: tuple[str, str],
    shop: tuple[str, str] | None = None,
) -> Meta:
    """Return what there is to say of a figure; texts in English and Chinese.

    ``made``: what it is made of; ``formula``: of an agent; ``shop``: where it is another of a shop.
    """
    description = formula[0] if shop is None else f"{formula[0]}; of the shop: {shop[0]}"
    return Meta(
        title=chinese,
        description=f"{description[0].upper()}{description[1:]}.".replace("`", ""),
        extra={"made": made, "chinese": chinese, "unit": unit, "formula": formula, "shop": shop},
    )


_BUYERS: Final = ("buyers", "人")
_COUNT: Final = ("count", "条")
_ORDERS: Final = ("orders", "单")
_ITEMS: Final = ("items", "件")
_MONEY: Final = ("minor units", "分")
_MS: Final = ("ms", "毫秒")
_RATE: Final = ("rate", "比率")

_RECEPTIONS: Final = ("receptions", "次")
_NOT_BUYERS: Final = ("receptions too, not buyers", "同样按接待数，不按人数")
_SUM_OF_RECEPTIONS: Final = ("sum over receptions", "各次接待之和")
_THEIR_BUYERS: Final = ("different buyers of these orders", "这些订单的买家数，不重复计")
_THEIR_NUMBER: Final = ("number of these orders", "这些订单的个数")
_THEIR_ITEMS: Final = ("sum of their quantities", "这些订单的件数之和")
_THEIR_AMOUNT: Final = ("sum of their amounts, postage included", "这些订单的金额之和，含邮费")
_ANY: Final = ("with any", "有任一的")
Share = Annotated[float, Meta(ge=0, le=1)]
Ratio = Annotated[float, Meta(ge=0)]


class FigureGroup(Struct, gc=False):
    """Figures that become final together."""

    status: Annotated[str, word(STATUSES, "Whether what comes on time can still change these figures.")]
    final_from: Annotated[str, day("The day with whose beginning these figures are final.")]


class WorkloadFigures(FigureGroup):
    """The chat of that day; final when it is over."""

    consults: Annotated[
        Count,
        figure(
            Sum("workload.consults"),
            "咨询人数",
            _BUYERS,
            ("buyers with any reception, filtered ones too", "有过接待的买家，被过滤的也算"),
            ("with any agent", "与任一客服有过的买家"),
        ),
    ]
    receptions: Annotated[
        Count,
        figure(
            Sum("workload.receptions"),
            "接待人数",
            _BUYERS,
            ("buyers with an unfiltered reception", "有过未被过滤的接待的买家"),
            ("with any agent", "与任一客服有过的买家"),
        ),
    ]
    unreplied: Annotated[
        Count,
        figure(
            Sum("workload.unreplied"),
            "未回复人数",
            _BUYERS,
            (
                "buyers who wrote something or were handed over, and whose reception is not `replied`",
                "说过话或被转接过来、而接待不是 `replied` 的买家",
            ),
            (
                "who wrote something or were handed over, and none of whose receptions is `replied`",
                "说过话或被转接、且没有一次接待是 `replied` 的买家",
            ),
        ),
    ]
    reply_rate: Annotated[
        Share | None,
        figure(
            Rate("workload.receptions", "workload.receptions", "workload.unreplied"),
            "回复率",
            _RATE,
            (
                "(`receptions` − `unreplied`) / `receptions`; null: no receptions",
                "（`receptions` − `unreplied`）/ `receptions`；没有接待时为 null",
            ),
        ),
    ]
    buyer_messages: Annotated[
        Count, figure(Sum("workload.buyer_messages"), "买家消息数", _COUNT, _SUM_OF_RECEPTIONS)
    ]
    agent_messages: Annotated[
        Count,
        figure(
            Sum("workload.agent_messages"),
            "客服消息数",
            _COUNT,
            ("effective messages of the agent, sum over receptions", "客服的有效消息，各次接待之和"),
        ),
    ]
    answer_question_ratio: Annotated[
        Ratio | None,
        figure(
            Rate("workload.agent_messages", "workload.buyer_messages"),
            "答问比",
            ("ratio", "比值"),
            (
                "`agent_messages` / `buyer_messages`; null: no `buyer_messages`",
                "`agent_messages` / `buyer_messages`；没有 `buyer_messages` 时为 null",
            ),
        ),
    ]
    agent_characters: Annotated[
        Count,
        figure(Sum("workload.agent_characters"), "客服字数", ("count", "字"), _SUM_OF_RECEPTIONS),
    ]
    first_response_ms: Annotated[
        Count | None,
        figure(
            Mean("workload.first_response_ms", "workload.first_responses"),
            "首次响应",
            _MS,
            (
                "`first_response_ms_sum` / `first_responses`, half up; null: no `first_responses`",
                "`first_response_ms_sum` / `first_responses`，四舍五入；没有 `first_responses` 时为 null",
            ),
        ),
    ]
    first_response_ms_sum: Annotated[
        Count,
        figure(
            Sum("workload.first_response_ms"),
            "首次响应时长",
            _MS,
            ("sum of the receptions' `first_response_ms`", "各次接待的 `first_response_ms` 之和"),
        ),
    ]
    first_responses: Annotated[
        Count,
        figure(
            Sum("workload.first_responses"),
            "首次响应次数",
            ("receptions", "次"),
            ("number of receptions that have a `first_response_ms`", "有 `first_response_ms` 的接待数"),
            ("receptions too, not buyers", "同样按接待数，不按人数"),
        ),
    ]
    response_ms: Annotated[
        Count | None,
        figure(
            Mean("workload.response_ms", "workload.responses"),
            "平均响应",
            _MS,
            (
                "`response_ms_sum` / `responses`, half up; null: no `responses`",
                "`response_ms_sum` / `responses`，四舍五入；没有 `responses` 时为 null",
            ),
        ),
    ]
    response_ms_sum: Annotated[
        Count,
        figure(
            Sum("workload.response_ms"),
            "响应时长",
            _MS,
            ("sum of the receptions' `response_ms_sum`", "各次接待的 `response_ms_sum` 之和"),
        ),
    ]
    responses: Annotated[
        Count,
        figure(
            Sum("workload.responses"),
            "响应次数",
            _COUNT,
            ("sum of the receptions' `response_count`", "各次接待的 `response_count` 之和"),
        ),
    ]
    slow_receptions: Annotated[
        Count,
        figure(
            Sum("workload.slow"),
            "慢响应",
            _RECEPTIONS,
            ("number of receptions with `slow`", "`slow` 的接待数"),
            _NOT_BUYERS,
        ),
    ]
    max_simultaneous: Annotated[
        Count,
        figure(
            Sum("presence.most"),
            "最大同时接待",
            _BUYERS,
            (
                (
                    "most buyers at one time; a buyer is present from 2 minutes before to 2 minutes after "
                    "each message of either side, both ends included"
                ),
                "同一时刻最多的买家数；每条消息（不论哪一方）前后 2 分钟内买家都算在场，两端包含在内",
            ),
            ("over all agents, a buyer once", "所有客服合在一起，同一买家只算一个"),
        ),
    ]
    ratings: Annotated[
        Count,
        figure(
            Sum("workload.ratings"),
            "被评价数",
            _RECEPTIONS,
            ("number of receptions with a `rating`", "有 `rating` 的接待数"),
            _NOT_BUYERS,
        ),
    ]
    satisfied: Annotated[
        Count,
        figure(
            Sum("workload.satisfied"),
            "满意数",
            _RECEPTIONS,
            ("of these, with a `rating` of 4 or 5", "其中 `rating` 为 4 或 5 的"),
            _NOT_BUYERS,
        ),
    ]
    satisfaction: Annotated[
        Share | None,
        figure(
            Rate("workload.satisfied", "workload.ratings"),
            "满意度",
            _RATE,
            (
                "`satisfied` / `ratings`; null: no `ratings`",
                "`satisfied` / `ratings`；没有 `ratings` 时为 null",
            ),
        ),
    ]


class InquiryFigures(FigureGroup):
    """The inquiry outcomes of that day; final with the end of the next day."""

    inquiries: Annotated[
        Count,
        figure(
            Sum("inquiries.inquiries"),
            "询单人数",
            _COUNT,
            ("`kind` `inquiry`, `exempt` null", "`kind` 为 `inquiry` 且 `exempt` 为 null"),
            ("with any such record", "有任一这样记录的"),
        ),
    ]
    open: Annotated[
        Count,
        figure(
            Sum("inquiries.open"),
            "待定询单",
            _COUNT,
            ("of these, `outcome` `open`", "其中 `outcome` 为 `open` 的"),
            ("of these, none ordered, some `open`", "其中没有下单、但有 `open` 的"),
        ),
    ]
    ordered: Annotated[
        Count,
        figure(
            Sum("inquiries.ordered"),
            "询单下单人数",
            _COUNT,
            (
                "of these, `ordered`, `paid` or `payment_lost`",
                "其中为 `ordered`、`paid` 或 `payment_lost` 的",
            ),
            ("of these, with any so", "其中有任一这样的"),
        ),
    ]
    lost: Annotated[
        Count,
        figure(
            Sum("inquiries.lost"),
            "询单流失",
            _COUNT,
            ("of these, `lost`", "其中为 `lost` 的"),
            ("of these, all `lost`", "其中全是 `lost` 的"),
        ),
    ]
    assists: Annotated[
        Count,
        figure(Sum("inquiries.assists"), "协助", _COUNT, ("`kind` `assist`", "`kind` 为 `assist`"), _ANY),
    ]
    self_ordered: Annotated[
        Count,
        figure(
            Sum("inquiries.self_ordered"),
            "静默下单",
            _COUNT,
            ("`kind` `self_ordered`", "`kind` 为 `self_ordered`"),
            _ANY,
        ),
    ]
    follow_ups: Annotated[
        Count,
        figure(
            Sum("inquiries.follow_ups"),
            "下单后付款前咨询",
            _COUNT,
            ("`kind` `follow_up`", "`kind` 为 `follow_up`"),
            _ANY,
        ),
    ]
    after_sales: Annotated[
        Count,
        figure(
            Sum("inquiries.after_sales"),
            "售后咨询",
            _COUNT,
            ("`kind` `after_sales`", "`kind` 为 `after_sales`"),
            _ANY,
        ),
    ]
    exempt: Annotated[
        Count,
        figure(
            Sum("inquiries.exempt"),
            "豁免",
            _COUNT,
            ("`kind` `inquiry`, `exempt` not null", "`kind` 为 `inquiry` 且 `exempt` 不为 null"),
            _ANY,
        ),
    ]
    inquiry_to_order: Annotated[
        Share | None,
        figure(
            Rate("inquiries.ordered", "inquiries.inquiries"),
            "询单→下单",
            _RATE,
            (
                "`ordered` / `inquiries`; null: no `inquiries`",
                "`ordered` / `inquiries`；没有 `inquiries` 时为 null",
            ),
        ),
    ]


class PaymentFigures(FigureGroup):
    """The payment of the orders of those inquiries; final with the end of the day after next, or later with a
    deposit.
    """

    paid: Annotated[
        Count,
        figure(
            Sum("inquiries.paid"),
            "询单付款人数",
            _COUNT,
            ("`outcome` `paid`", "`outcome` 为 `paid`"),
            ("of the ordered ones, with any `paid`", "已下单的买家中，有任一 `paid` 的"),
        ),
    ]
    payment_lost: Annotated[
        Count,
        figure(
            Sum("inquiries.payment_lost"),
            "付款流失",
            _COUNT,
            ("`outcome` `payment_lost`", "`outcome` 为 `payment_lost`"),
            (
                "of the ordered ones, all of whose ordered records are `payment_lost`",
                "已下单的买家中，下了单的记录全是 `payment_lost` 的",
            ),
        ),
    ]
    inquiry_to_payment: Annotated[
        Share | None,
        figure(
            Rate("inquiries.paid", "inquiries.inquiries"),
            "询单→最终付款",
            _RATE,
            (
                "`paid` / `inquiries.inquiries`; null: no inquiries",
                "`paid` / `inquiries.inquiries`；没有询单时为 null",
            ),
        ),
    ]
    order_to_payment: Annotated[
        Share | None,
        figure(
            Rate("inquiries.paid", "inquiries.ordered"),
            "下单→付款",
            _RATE,
            (
                "`paid` / `inquiries.ordered`; null: none ordered",
                "`paid` / `inquiries.ordered`；没有下单时为 null",
            ),
        ),
    ]


class PlacedFigures(FigureGroup):
    """Orders created that day, paid or not, by placing agent; of the shop: those that have one."""

    buyers: Annotated[Count, figure(Sum("deals.placed_buyers"), "落实下单人数", _BUYERS, _THEIR_BUYERS)]
    orders: Annotated[Count, figure(Sum("deals.placed_orders"), "落实下单订单数", _ORDERS, _THEIR_NUMBER)]
    amount: Annotated[Count, figure(Sum("deals.placed_amount"), "落实下单金额", _MONEY, _THEIR_AMOUNT)]


class PaidFigures(FigureGroup):
    """Orders paid that day, by payment agent; of the shop: those that have one."""

    buyers: Annotated[Count, figure(Sum("deals.paid_buyers"), "落实付款人数", _BUYERS, _THEIR_BUYERS)]
    orders: Annotated[Count, figure(Sum("deals.paid_orders"), "落实付款订单数", _ORDERS, _THEIR_NUMBER)]
    amount: Annotated[Count, figure(Sum("deals.paid_amount"), "落实付款金额", _MONEY, _THEIR_AMOUNT)]


class SalesFigures(FigureGroup):
    """Orders paid that day, by credited agent; of the shop: all, credited or silent."""

    buyers: Annotated[Count, figure(Sum("deals.sales_buyers"), "销售人数", _BUYERS, _THEIR_BUYERS)]
    orders: Annotated[Count, figure(Sum("deals.sales_orders"), "销售订单数", _ORDERS, _THEIR_NUMBER)]
    quantity: Annotated[Count, figure(Sum("deals.sales_quantity"), "销售件数", _ITEMS, _THEIR_ITEMS)]
    amount: Annotated[
        Count,
        figure(
            Sum("deals.sales_amount"),
            "销售额",
            _MONEY,
            (
                "sum of their amounts, postage included; refunds are not taken off",
                "这些订单的金额之和，含邮费，不扣退款",
            ),
        ),
    ]
    amount_per_buyer: Annotated[
        Count | None,
        figure(
            Mean("deals.sales_amount", "deals.sales_buyers"),
            "客单价",
            _MONEY,
            (
                "`amount` / `buyers`, half up; null: no `buyers`",
                "`amount` / `buyers`，四舍五入；没有 `buyers` 时为 null",
            ),
        ),
    ]
    quantity_per_buyer: Annotated[
        Ratio | None,
        figure(
            Rate("deals.sales_quantity", "deals.sales_buyers"),
            "客件数",
            _ITEMS,
            ("`quantity` / `buyers`; null: no `buyers`", "`quantity` / `buyers`；没有 `buyers` 时为 null"),
        ),
    ]


class SilentFigures(FigureGroup):
    """The part of the shop's sales that is credited to nobody."""

    buyers: Annotated[Count, figure(Sum("deals.silent_buyers"), "静默人数", _BUYERS, _THEIR_BUYERS)]
    orders: Annotated[Count, figure(Sum("deals.silent_orders"), "静默订单数", _ORDERS, _THEIR_NUMBER)]
    quantity: Annotated[Count, figure(Sum("deals.silent_quantity"), "静默件数", _ITEMS, _THEIR_ITEMS)]
    amount: Annotated[Count, figure(Sum("deals.silent_amount"), "静默金额", _MONEY, _THEIR_AMOUNT)]


class RefundFigures(FigureGroup):
    """Refunds of that day, by the credited agent of their order; of the shop: all."""

    requested: Annotated[
        Count,
        figure(
            Sum("deals.requested"),
            "申请退款",
            _MONEY,
            (
                "sum of the amounts of `refund_requested` events of the day",
                "当天 `refund_requested` 事件的金额之和",
            ),
        ),
    ]
    completed: Annotated[
        Count,
        figure(
            Sum("deals.completed"),
            "完成退款",
            _MONEY,
            (
                "sum of the amounts of `refund_completed` events of the day",
                "当天 `refund_completed` 事件的金额之和",
            ),
        ),
    ]


class AgentDaily(Struct, gc=False):
    """The figures of one agent on one day, and of the whole shop (agent *, each buyer counted once).

    Official settings only. Receptions of agents whose role that day is frozen count for nothing, those of
    aftersale in workload only.
    """

    shop_id: ShopId
    agent_id: Annotated[Id, field("The agent; *: the whole shop.")]
    day: Annotated[
        str,
        day(
            "The day of the figures: of the chat, of an order's creation (placed) or payment (paid, "
            "sales, silent), "
            "or of a refund."
        ),
    ]
    status: Annotated[str, word(STATUSES, "Final when all groups of figures are.")]
    silent: Annotated[
        SilentFigures | None,
        field(
            "Of the shop, the part of sales that is nobody's credit; null of an agent. Final when sales are.",
            title="静默",
        ),
    ]
    workload: Annotated[
        WorkloadFigures,
        field(
            "The chat of that day; final when it is over. All but consults are of unfiltered receptions "
            "alone, which "
            "no filter of the official settings matches.",
            title="工作量",
        ),
    ]
    inquiries: Annotated[
        InquiryFigures,
        field(
            "What came of that day's pre-sales receptions, by their inquiry-outcomes; final with the end "
            "of the next "
            "day. Of an agent inquiry-outcomes are counted, of the shop buyers.",
            title="询单",
        ),
    ]
    payments: Annotated[
        PaymentFigures,
        field(
            "What of the orders of those inquiries was paid; final with the end of the day after next, or "
            "with the day until which the balance of an order with a deposit can be paid.",
            title="付款",
        ),
    ]
    placed: Annotated[
        PlacedFigures,
        field(
            "Orders created that day, paid or not, by placing agent; of the shop: those that have one. "
            "Final when "
            "all their decisions are.",
            title="落实下单",
        ),
    ]
    paid: Annotated[
        PaidFigures,
        field(
            "Orders paid that day, by payment agent; of the shop: those that have one. Final when all their "
            "decisions are.",
            title="落实付款",
        ),
    ]
    sales: Annotated[
        SalesFigures,
        field(
            "Orders paid that day, by credited agent; of the shop: all, credited or silent. The amounts "
            "of all agents "
            "and the silent one make that of the shop. Final when all their decisions are.",
            title="销售",
        ),
    ]
    refunds: Annotated[
        RefundFigures,
        field(
            "Refunds of that day, by the credited agent of their order; of the shop: all. Final when the "
            "decisions "
            "on these orders are.",
            title="退款",
        ),
    ]


def shape_of(group: str) -> type[FigureGroup]:
    """Return the Struct of a group of figures."""
    hint = get_type_hints(AgentDaily)[group]
    return next(
        one for one in (hint, *get_args(hint)) if isinstance(one, type) and issubclass(one, FigureGroup)
    )


def _figures_of(group: str) -> dict[str, Meta]:
    hints = get_type_hints(shape_of(group), include_extras=True)
    texts = {name: hint.__metadata__[-1] for name, hint in hints.items()}
    return {name: meta for name, meta in texts.items() if meta.extra is not None}


FIGURES: Final = {group: _figures_of(group) for group in GROUPS}
"""By group, what there is to say of each figure, in the order of its record."""


def made(group: str, name: str) -> Made:
    """Return what a figure is made of."""
    found: Made = (FIGURES[group][name].extra or {})["made"]
    return found


def _nested(group: str, condition: Mapping[str, Any]) -> dict[str, Any]:
    return {"properties": {group: {"properties": condition}}}


def _null_without() -> list[dict[str, Any]]:
    """Return the conditions that a rate or mean is null exactly where its denominator, a figure too, is 0."""
    denominators: dict[tuple[str, str], list[tuple[str, str]]] = {}
    counts = {
        one.of: (group, name)
        for group, figures in FIGURES.items()
        for name in figures
        if isinstance(one := made(group, name), Sum)
    }
    for group, figures in FIGURES.items():
        for name in figures:
            one = made(group, name)
            of = one.whole if isinstance(one, Rate) else one.number if isinstance(one, Mean) else None
            if of in counts:
                denominators.setdefault(counts[of], []).append((group, name))
    conditions = []
    for (group, name), rates in denominators.items():
        kinds: dict[str, dict[str, Any]] = {"null": {}, "number": {}}
        for kind, properties in kinds.items():
            for rate_group, rate in rates:
                properties.setdefault(rate_group, {"properties": {}})["properties"][rate] = {"type": kind}
        conditions.append(
            {
                "if": _nested(group, {name: {"const": 0}}),
                "then": {"properties": kinds["null"]},
                "else": {"properties": kinds["number"]},
            }
        )
    return conditions


SCHEMA: Final = RecordSchema(
    "agent-daily",
    "Figures of an agent's day",
    AgentDaily,
    emitted=True,
    conditions={
        "allOf": [
            when("agent_id", TOTAL, of_type(silent="object"), of_type(silent="null")),
            {
                "if": {
                    "properties": {group: {"properties": {"status": {"const": FINAL}}} for group in GROUPS}
                },
                "then": only("status", FINAL),
                "else": only("status", PENDING),
            },
            *_null_without(),
        ]
    },
)
