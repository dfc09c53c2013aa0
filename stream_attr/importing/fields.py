"""What a column of an export can say, of chats and of orders, and by which heads it is recognised."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Literal, NamedTuple

from stream_attr.rules.vocabulary import ENTRIES, MESSAGE_KINDS, SENDERS, Vocabulary

__all__ = ["FIELDS", "ROBOT", "SYSTEM", "WORDS", "Field", "Kind", "Of"]

Of = Literal["chats", "orders"]


class Kind(StrEnum):
    """What stands in a column."""

    ID = "id"
    TIME = "time"
    MONEY = "money"
    COUNT = "count"
    WORD = "word"
    TEXT = "text"


class Field(NamedTuple):
    """What a column can say."""

    kind: Kind
    meaning: str
    chinese: str
    heads: tuple[str, ...]
    """By which ``--describe`` recognises it."""
    needed: bool = False
    """Whether no event can be made without it."""


_CHATS: Final[Mapping[str, Field]] = {
    "time": Field(
        Kind.TIME,
        "when it was sent",
        "消息时间",
        ("time", "时间", "消息时间", "发送时间", "聊天时间", "created_at", "timestamp", "ts"),
        needed=True,
    ),
    "buyer": Field(
        Kind.ID,
        "the buyer's id, the same as in the orders",
        "买家 id，与订单中的相同",
        (
            "buyer",
            "buyer_id",
            "买家",
            "买家id",
            "买家昵称",
            "买家账号",
            "顾客",
            "客户",
            "客户id",
            "访客",
            "customer",
        ),
        needed=True,
    ),
    "agent": Field(
        Kind.ID,
        "the agent's account; of a handover, who hands over; of a rating, who is rated",
        "客服账号；转接时为转出方，评价时为被评价者",
        ("agent", "agent_id", "客服", "客服账号", "客服昵称", "旺旺昵称", "接待客服", "waiter", "operator"),
        needed=True,
    ),
    "sender": Field(
        Kind.WORD,
        "who wrote: buyer, agent, robot (an agent's automatic reply) or system (ignored by the rules)",
        "发送方：买家 buyer、客服 agent、机器人 robot（算客服的自动回复）或系统 system（规则不看）",
        ("sender", "发送方", "发送者类型", "消息方向", "方向", "direction", "sender_type"),
    ),
    "speaker": Field(
        Kind.ID,
        "who wrote, by name: the buyer's or the agent's; instead of sender",
        "发言人名称，与买家或客服相同；代替 sender",
        ("speaker", "发送者", "发送人", "发言人", "author", "from"),
    ),
    "text": Field(
        Kind.TEXT,
        "what was written",
        "消息内容",
        ("text", "内容", "消息内容", "聊天内容", "content", "message", "body"),
    ),
    "kind": Field(
        Kind.WORD,
        "what was sent: text, image, card, system, broadcast, auto_reply",
        "消息类型",
        ("kind", "消息类型", "类型", "msg_type", "msgtype", "content_type"),
    ),
    "message": Field(
        Kind.ID,
        "the message's own id; without it one is made of what the row says",
        "消息自身的 id；没有时由该行内容算出",
        ("message_id", "消息id", "消息编号", "msg_id", "msgid"),
    ),
    "shop": Field(
        Kind.ID, "the shop; else --shop", "店铺；没有时用 --shop", ("shop", "shop_id", "店铺", "店铺id")
    ),
    "product": Field(
        Kind.ID,
        "the product that the message is about",
        "咨询的商品",
        ("product", "product_id", "商品id", "商品编号", "咨询商品id", "sku", "skuid"),
    ),
    "entry": Field(
        Kind.WORD,
        "where the buyer opened the chat from: product_page, order_page, shop, other",
        "咨询入口",
        ("entry", "咨询入口", "入口", "来源"),
    ),
    "to_agent": Field(
        Kind.ID,
        "who takes over; a row that has it is a handover",
        "转入客服；有值的行是转接",
        ("to_agent", "to_agent_id", "转入客服", "转接给", "接收客服"),
    ),
    "score": Field(
        Kind.COUNT,
        "a rating of 1 to 5; a row that has it is a rating",
        "满意度评价 1 到 5；有值的行是评价",
        ("score", "评分", "评价分", "满意度", "rating"),
    ),
}

_ORDERS: Final[Mapping[str, Field]] = {
    "order": Field(
        Kind.ID,
        "the order's id",
        "订单号",
        ("order", "order_id", "订单编号", "订单号", "主订单编号", "order number", "交易编号"),
        needed=True,
    ),
    "line": Field(
        Kind.ID,
        "the sub-order, where an order has several rows; their amounts are added up",
        "子订单编号，一个订单多行时；金额相加",
        ("line", "line_id", "子订单编号", "子订单号"),
    ),
    "shop": Field(
        Kind.ID, "the shop; else --shop", "店铺；没有时用 --shop", ("shop", "shop_id", "店铺", "店铺id")
    ),
    "buyer": Field(
        Kind.ID,
        "the buyer's id, the same as in the chats; may be in another file of the same orders",
        "买家 id，与聊天中的相同；可以在同一批订单的另一个文件里",
        ("buyer", "buyer_id", "买家", "买家id", "买家昵称", "买家会员名", "买家账号", "customer", "openid"),
        needed=True,
    ),
    "created": Field(
        Kind.TIME,
        "when it was placed",
        "下单时间",
        ("created", "created_at", "下单时间", "订单创建时间", "订单提交时间", "创建时间"),
        needed=True,
    ),
    "paid": Field(
        Kind.TIME,
        "when it was paid; empty: not yet",
        "付款时间；空为未付款",
        ("paid", "paid_at", "付款时间", "订单付款时间", "支付时间", "支付完成时间"),
    ),
    "amount": Field(
        Kind.MONEY,
        "what the buyer pays, postage included",
        "买家实付，含运费",
        (
            "amount",
            "total",
            "买家实付金额",
            "实付金额",
            "买家实际支付金额",
            "用户实付金额(元)",
            "实付金额(元)",
            "订单金额",
            "订单应付金额",
        ),
        needed=True,
    ),
    "quantity": Field(
        Kind.COUNT, "items", "件数", ("quantity", "购买数量", "商品数量", "商品数量(件)", "数量")
    ),
    "product": Field(Kind.ID, "the product", "商品", ("product", "product_id", "商品id", "商品编号", "sku")),
    "currency": Field(
        Kind.WORD, "ISO 4217; else the map's", "币种；没有时用映射文件里的", ("currency", "币种", "货币")
    ),
    "status": Field(
        Kind.TEXT,
        "the platform's status: a payment of what it calls unpaid does not count",
        "平台的订单状态：状态为未付款的不算付款",
        ("status", "订单状态", "交易状态"),
    ),
    "cancelled": Field(
        Kind.TIME,
        "when it was called off, unpaid",
        "未付款取消的时间",
        ("cancelled", "cancelled_at", "取消时间", "关闭时间"),
    ),
    "refund": Field(
        Kind.MONEY,
        "what was paid back; needs refunded, its time",
        "退款金额；须有退款时间",
        ("refund", "退款金额", "成功退款金额", "退款金额(元)"),
    ),
    "refunded": Field(
        Kind.TIME,
        "when it was paid back",
        "退款完成时间",
        ("refunded", "refunded_at", "退款时间", "退款完成时间", "退款成功时间"),
    ),
    "refund_id": Field(
        Kind.ID,
        "the refund's own id, where an order has several",
        "退款编号",
        ("refund_id", "退款编号", "售后编号", "退款单号"),
    ),
}

FIELDS: Final[Mapping[Of, Mapping[str, Field]]] = {"chats": _CHATS, "orders": _ORDERS}
"""By what a file holds its fields, by name."""

ROBOT: Final = "robot"
SYSTEM: Final = "system"
"""Senders that our events do not have: an agent's automatic reply, and a message of the system."""

_VOCABULARIES: Final[Mapping[str, Vocabulary]] = {"sender": SENDERS, "kind": MESSAGE_KINDS, "entry": ENTRIES}

_COMMON: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "sender": {
        "buyer": ("买家", "顾客", "客户", "用户", "访客", "customer", "user", "visitor"),
        "agent": ("客服", "商家", "卖家", "seller", "waiter", "operator"),
        ROBOT: ("机器人", "智能客服", "bot"),
        SYSTEM: ("系统", "系统消息"),
    },
    "kind": {
        "text": ("文字", "文本"),
        "image": ("图片", "picture", "video", "视频"),
        "card": ("卡片", "商品卡片", "商品链接"),
        "system": ("系统", "系统消息"),
        "broadcast": ("群发",),
        "auto_reply": ("自动回复", "机器人"),
    },
    "entry": {},
}

WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    field: {
        **{word: word for word in (*vocabulary, *_COMMON[field])},
        **{theirs: ours for ours, some in _COMMON[field].items() for theirs in some},
    }
    for field, vocabulary in _VOCABULARIES.items()
}
"""By field and their word, casefolded, ours: what is understood without a map saying so."""
