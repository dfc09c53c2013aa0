"""What platforms let shop managers export, as far as it is known, and which column says what.

Heads were read in public parsers of these files, not in official documents: a platform that renames a
column makes its sheet an unknown one, it is never read wrongly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from stream_attr.sheets.columns import Columns

__all__ = ["AGENT", "EXPORTS", "NO_REFUND", "ORDER_FIELDS", "Export", "known_export"]

ORDER_FIELDS: Final = (
    "order",
    "line",
    "amount",
    "refund",
    "created",
    "paid",
    "status",
    "after_sales",
    "agent",
)
"""What a column of a sheet of orders can say; ``line``: the sub-order, of which an order can have several."""
AGENT: Final = "agent"
"""Of a sheet of agents whose a row is; its other fields are figures of ours, such as ``sales.amount``."""
NO_REFUND: Final = frozenset({"无退款申请", "没有申请退款", "无退款", "无"})
"""What stands in place of an amount where nothing was refunded."""


class Export(NamedTuple):
    """A sheet that is known."""

    name: str
    platform: tuple[str, str]
    """In English and Chinese."""
    marks: tuple[str, ...]
    """Heads that are all there in this sheet, and together in no other."""
    fields: Mapping[str, tuple[str, ...]]
    """By field the heads that can say it: of several that are there the first."""

    @property
    def is_of_orders(self) -> bool:
        """Whether its rows are orders; else they are agents."""
        return "order" in self.fields


EXPORTS: Final = (
    Export(
        "taobao_suborders",
        ("Taobao orders", "淘宝宝贝报表"),
        ("主订单编号", "子订单编号", "买家实付金额"),
        {
            "order": ("主订单编号",),
            "line": ("子订单编号",),
            "amount": ("买家实付金额",),
            "refund": ("退款金额",),
            "created": ("订单创建时间",),
            "paid": ("订单付款时间",),
            "status": ("订单状态",),
        },
    ),
    Export(
        "douyin_orders",
        ("Douyin orders", "抖店订单"),
        ("主订单编号", "子订单编号", "订单应付金额", "支付完成时间"),
        {
            "order": ("主订单编号",),
            "line": ("子订单编号",),
            "amount": ("订单应付金额",),
            "created": ("订单提交时间",),
            "paid": ("支付完成时间",),
            "status": ("订单状态",),
            "after_sales": ("售后状态",),
        },
    ),
    Export(
        "pdd_orders",
        ("Pinduoduo orders", "拼多多订单"),
        ("订单号", "用户实付金额(元)", "商家实收金额(元)"),
        {
            "order": ("订单号",),
            "amount": ("用户实付金额(元)",),
            # until its group is complete the money may go back: an order counts as paid from then on
            "paid": ("订单确认时间/订单成交时间", "拼单成功时间", "支付时间"),
            "status": ("订单状态",),
            "after_sales": ("售后状态",),
        },
    ),
    Export(
        "sycm_kefu_jixiao",
        ("Taobao agents", "生意参谋客服绩效"),
        ("旺旺昵称", "询单最终付款金额"),
        {
            AGENT: ("旺旺昵称",),
            "payments.paid": ("询单最终付款人数",),
            "inquiries.inquiries": ("询单人数",),
            "payments.inquiry_to_payment": ("询单最终付款转化率",),
            "workload.first_response_ms": ("首次响应时长(秒)",),
            "workload.response_ms": ("平均响应时长(秒)",),
            "workload.satisfaction": ("客户满意率",),
            "workload.reply_rate": ("旺旺回复率",),
            "sales.amount": ("询单最终付款金额",),
            "refunds.completed": ("成功退款金额",),
        },
    ),
    Export(
        "jd_kefu_guanjia",
        ("JD agents", "京东客服管家"),
        ("客服", "促成下单商品金额"),
        {
            AGENT: ("客服",),
            "placed.amount": ("促成下单商品金额",),
            "placed.buyers": ("促成下单人数",),
            "inquiries.inquiries": ("售前接待人数",),
            "workload.receptions": ("接待量",),
            "workload.response_ms": ("平均响应时长(新)", "平均响应时长"),
            "workload.satisfied": ("好评量",),
            "workload.ratings": ("评价量",),
        },
    ),
    Export(
        "pdd_kefu_jixiao",
        ("Pinduoduo agents", "拼多多客服绩效"),
        ("客服账号", "客服销售额", "最终成团人数"),
        {
            AGENT: ("客服账号",),
            "workload.consults": ("咨询人数",),
            "workload.receptions": ("人工接待人数",),
            "inquiries.inquiries": ("询单人数",),
            "payments.paid": ("最终成团人数",),
            "payments.inquiry_to_payment": ("询单转化率",),
            "workload.response_ms": ("平均人工响应时长",),
            "sales.amount": ("客服销售额",),
            "sales.net_amount": ("去退销售额(元)",),
        },
    ),
    Export(
        "feige_kefu_shuju",
        ("Douyin agents", "飞鸽客服数据"),
        ("客服账号", "客服询单支付额"),
        {
            AGENT: ("客服账号",),
            "sales.amount": ("客服询单支付额",),
            "inquiries.inquiries": ("询单人数",),
            "inquiries.ordered": ("下单人数",),
            "workload.response_ms": ("工作时间平响时长",),
            "workload.receptions": ("接待会话量",),
            "workload.satisfied": ("有效好评数",),
            "workload.ratings": ("有效评价数",),
        },
    ),
)


def known_export(columns: Columns, among: Sequence[Export] = EXPORTS) -> Export | None:
    """Return the export that has such a head; None: it is none that is known."""
    return next((one for one in among if all(map(columns.has, one.marks))), None)
