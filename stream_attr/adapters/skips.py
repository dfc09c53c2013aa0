"""Why a part of a payload gives no event: a word that is counted, and what it is about."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from stream_attr.errors import StreamAttrError

__all__ = ["IN_CHINESE", "MEANINGS", "WORTH_A_LOOK", "Reason", "Skip", "SkippedError"]


class Reason(StrEnum):
    """Why a part of a payload gives no event."""

    IGNORED = "ignored"
    NOT_A_SALE = "not_a_sale"
    NOT_MONEY = "not_money"
    NOT_YET = "not_yet"
    NO_BUYER = "no_buyer"
    NO_TIME = "no_time"
    PRIVATE = "private"
    NOT_SENT = "not_sent"
    NEEDS_DETAIL = "needs_detail"
    UNKNOWN_SHOP = "unknown_shop"
    UNKNOWN = "unknown"
    NOT_JSON = "not_json"
    MISSING_FIELD = "missing_field"
    BAD_TYPE = "bad_type"
    BAD_ID = "bad_id"
    BAD_TIME = "bad_time"
    BAD_AMOUNT = "bad_amount"
    BAD_VALUE = "bad_value"
    NOBODY_ANSWERED = "nobody_answered"


MEANINGS: Final = {
    Reason.IGNORED: "says nothing that our events have: a heartbeat, a parcel on its way",
    Reason.NOT_A_SALE: "a test order, or goods that are sent once more in exchange",
    Reason.NOT_MONEY: "a refund that ends in an exchange, a repair or a restock",
    Reason.NOT_YET: "not done yet: a transaction that is pending, a group that is not complete",
    Reason.NO_BUYER: "a guest, or the platform does not say whose it is; `bridge` can say it",
    Reason.NO_TIME: "the platform does not say when, and the payload did not come right after it",
    Reason.PRIVATE: "a note among agents",
    Reason.NOT_SENT: "a message that failed, was taken back or was not sent",
    Reason.NEEDS_DETAIL: "the payload lacks what `enrich` did not give either",
    Reason.UNKNOWN_SHOP: "of a shop that the connection does not name",
    Reason.UNKNOWN: "a kind of payload, or a word in it, that this adapter does not know",
    Reason.NOT_JSON: "not JSON in UTF-8",
    Reason.MISSING_FIELD: "a field is missing that the event needs",
    Reason.BAD_TYPE: "a field is of another type than the platform documents",
    Reason.BAD_ID: "an id that is damaged, or that the contract does not take",
    Reason.BAD_TIME: "not a time of the form that the platform documents",
    Reason.BAD_AMOUNT: "not an amount of the unit that the platform documents",
    Reason.BAD_VALUE: "a value that the contract does not take",
    Reason.NOBODY_ANSWERED: "a message to a shared inbox, of nobody's, that nobody answered",
}
"""What each means, for people."""

IN_CHINESE: Final = {
    Reason.IGNORED: "与我们的事件无关：心跳、在途包裹",
    Reason.NOT_A_SALE: "测试订单，或换货补发",
    Reason.NOT_MONEY: "以换货、维修或仅退库存结束的售后",
    Reason.NOT_YET: "尚未完成：处理中的交易、未成团",
    Reason.NO_BUYER: "游客订单，或平台不说买家是谁；可由 `bridge` 给出",
    Reason.NO_TIME: "平台不说时间，报文也不是紧接着变更到达的",
    Reason.PRIVATE: "客服之间的备注",
    Reason.NOT_SENT: "发送失败、已撤回或未发出的消息",
    Reason.NEEDS_DETAIL: "报文缺少内容，`enrich` 也没有给出",
    Reason.UNKNOWN_SHOP: "连接没有列出的店铺",
    Reason.UNKNOWN: "适配器不认识的报文种类或取值",
    Reason.NOT_JSON: "不是 UTF-8 的 JSON",
    Reason.MISSING_FIELD: "缺少事件所需的字段",
    Reason.BAD_TYPE: "字段类型与平台文档不符",
    Reason.BAD_ID: "损坏的 id，或不合契约的 id",
    Reason.BAD_TIME: "不是平台文档所写格式的时间",
    Reason.BAD_AMOUNT: "不是平台文档所写单位的金额",
    Reason.BAD_VALUE: "契约不接受的值",
    Reason.NOBODY_ANSWERED: "发到共享收件箱、没有归属也没有人回复的消息",
}
"""The same for the Chinese pages."""

WORTH_A_LOOK: Final = frozenset(Reason) - {
    Reason.IGNORED,
    Reason.NOT_A_SALE,
    Reason.NOT_MONEY,
    Reason.NOT_YET,
    Reason.NO_BUYER,
    Reason.PRIVATE,
    Reason.NOT_SENT,
    Reason.NOBODY_ANSWERED,
}
"""Reasons that say something is wrong: with the payload, the connection or this adapter."""


class Skip(NamedTuple):
    """A part of a payload that gives no event."""

    reason: Reason
    about: str
    """The field or the kind of payload; never a value that a buyer wrote."""


class SkippedError(StreamAttrError):
    """Ends the reading of one part of a payload."""

    def __init__(self, reason: Reason, about: str) -> None:
        super().__init__(f"{reason}: {about}")
        self.skip = Skip(reason, about)
