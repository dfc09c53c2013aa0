"""Every word of the contract, once: its value, what it means, its Chinese name, and its number in state.

Records, settings, state, schemas and the tables of the documentation take their words from here. To add one:
put it into its `Literal` or enum, and a row into the table beside it; a word without a row, or a row without
its word, is an error at import. A word that is kept in state takes the next free number; numbers are never
changed and never used again. The Chinese names are those of RULEBOOK 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum, StrEnum
from typing import Any, Final, Literal, NamedTuple, get_args


class Word(NamedTuple):
    """One word of a vocabulary."""

    meaning: str
    chinese: str
    number: int | None = None
    """In state; None: it is not kept there. A word of several vocabularies has one number."""
    chinese_meaning: str | None = None
    """Where the tables of the Chinese pages have the meaning too."""


class Vocabulary(Mapping[str, Word]):
    """All words that one field may be, in their order."""

    def __init__(self, title: str, chinese: str, words: object, rows: Mapping[str, Word]) -> None:
        """``words``: the `Literal` or enum that types the field; None: the rows alone say them."""
        known: Iterable[Any] = (
            words if isinstance(words, type) and issubclass(words, Enum) else get_args(words) or rows
        )
        expected = [str(word) for word in known]
        if [str(word) for word in rows] != expected:
            raise AssertionError(f"the rows of {title} are {list(map(str, rows))}, its words {expected}")
        self.title = title
        self.chinese = chinese
        self._rows = {str(word): row for word, row in rows.items()}

    def __getitem__(self, word: str) -> Word:
        return self._rows[word]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def chinese_of(self, word: str) -> str:
        """Return the Chinese name of a word."""
        return self._rows[word].chinese


# Chat events (RULEBOOK 2)

ChatType = Literal["message", "transfer", "rating"]
CHAT_TYPES: Final = Vocabulary(
    "type of a chat event", "聊天事件类型", ChatType,
    {
        "message": Word("something that the buyer or the agent wrote", "消息"),
        "transfer": Word("agent_id hands the buyer over to to_agent_id", "转接"),
        "rating": Word("the buyer rates the service of agent_id", "满意度评价"),
    },
)  # fmt: skip

Sender = Literal["buyer", "agent"]
SENDERS: Final = Vocabulary(
    "sender", "发送方", Sender,
    {"buyer": Word("the buyer", "买家"), "agent": Word("the agent", "客服")},
)  # fmt: skip

MessageKind = Literal["text", "image", "card", "system", "broadcast", "auto_reply"]
MESSAGE_KINDS: Final = Vocabulary(
    "kind of a message", "消息类型", MessageKind,
    {
        "text": Word("text", "文字"),
        "image": Word("an image, never blank", "图片"),
        "card": Word("a card, such as a product's, never blank", "卡片"),
        "system": Word("ignored by every rule", "系统消息"),
        "broadcast": Word("sent to many at once", "群发"),
        "auto_reply": Word("the platform itself marks it automatic", "自动回复"),
    },
)  # fmt: skip

Entry = Literal["product_page", "order_page", "shop", "other"]
ENTRIES: Final = Vocabulary(
    "entry", "咨询入口", Entry,
    {
        "product_page": Word("a product's page", "商品页"),
        "order_page": Word("an order's page", "订单页"),
        "shop": Word("the shop's page", "店铺页"),
        "other": Word("anywhere else", "其他"),
    },
)  # fmt: skip


# Order events (RULEBOOK 2)

OrderEventType = Literal[
    "created", "deposit_paid", "paid", "cancelled", "refund_requested", "refund_completed", "refund_closed",
    "excluded", "included", "parcel_returned", "parcel_inspected", "reviewed",
]  # fmt: skip
ORDER_EVENT_TYPES: Final = Vocabulary(
    "type of an order event", "订单事件类型", OrderEventType,
    {
        "created": Word("the order was placed", "下单"),
        "deposit_paid": Word("its deposit was paid, which is no payment of it", "付定金"),
        "paid": Word("it was paid", "付款"),
        "cancelled": Word("it was cancelled", "取消"),
        "refund_requested": Word("a refund was requested", "申请退款"),
        "refund_completed": Word("a refund was paid out", "退款完成"),
        "refund_closed": Word("the request of a refund was withdrawn or rejected", "退款关闭"),
        "excluded": Word("it counts no more, such as a test or a brush order", "剔除"),
        "included": Word("it counts again", "取消剔除"),
        "parcel_returned": Word("a parcel of it came back", "退货签收"),
        "parcel_inspected": Word("that parcel was opened and looked at", "退货拆包"),
        "reviewed": Word("the buyer reviewed it", "评价"),
    },
)  # fmt: skip
ORDER_EVENT_REASONS: Final[Mapping[str, str]] = {
    "created": "created", "deposit_paid": "deposit", "paid": "paid", "cancelled": "cancelled",
    "refund_requested": "refund", "refund_completed": "refund", "refund_closed": "refund",
    "excluded": "excluded", "included": "excluded",
    "parcel_returned": "parcel", "parcel_inspected": "parcel", "reviewed": "review",
}  # fmt: skip
"""By type: the reason of what an order event brings about, a revision, a report or a task."""
TASK_EVENTS: Final = frozenset({"parcel_returned", "parcel_inspected", "reviewed"})
"""The types that bear on service tasks alone (RULEBOOK 9)."""
if ORDER_EVENT_REASONS.keys() != ORDER_EVENT_TYPES.keys() or not ORDER_EVENT_TYPES.keys() >= TASK_EVENTS:
    raise AssertionError("every type of an order event needs its reason")

Review = Literal["good", "neutral", "bad"]
REVIEWS: Final = Vocabulary(
    "review", "评价等级", Review,
    {"good": Word("good", "好评"), "neutral": Word("neutral", "中评"), "bad": Word("bad", "差评")},
)  # fmt: skip


# Rulings (RULEBOOK 2)

RulingType = Literal["credit", "withdrawn"]
RULING_TYPES: Final = Vocabulary(
    "type of a ruling", "业绩裁定类型", RulingType,
    {
        "credit": Word("the order is the sale of agent_id, or of nobody", "裁定归属"),
        "withdrawn": Word("the rulings before it hold no longer", "撤销裁定"),
    },
)  # fmt: skip


# Roster and settings (RULEBOOK 2, 3)


class Role(StrEnum):
    """What an agent's receptions count for on a day."""

    PRESALE = "presale"
    AFTERSALE = "aftersale"
    FROZEN = "frozen"


ROLES: Final = Vocabulary(
    "role", "岗位类型", Role,
    {
        Role.PRESALE: Word("everything counts", "售前"),
        Role.AFTERSALE: Word("workload only, never credit", "售后"),
        Role.FROZEN: Word("nothing counts", "冻结"),
    },
)  # fmt: skip


class PickRule(StrEnum):
    """How one agent is picked among the candidates of an interval."""

    LAST_CHAT = "last_chat"
    MOST_ROUNDS = "most_rounds"


PICK_RULES: Final = Vocabulary(
    "pick rule", "落实判定规则", PickRule,
    {
        PickRule.LAST_CHAT: Word("who spoke last", "聊天时间"),
        PickRule.MOST_ROUNDS: Word("who had the most rounds", "聊天回合数"),
    },
)  # fmt: skip


class CreditRule(StrEnum):
    """Which of the two judged agents gets the sale."""

    PAYMENT = "payment"
    ORDER = "order"
    ORDER_FIRST = "order_first"


CREDIT_RULES: Final = Vocabulary(
    "credit rule", "业绩归属规则", CreditRule,
    {
        CreditRule.PAYMENT: Word("the payment agent", "付款判定"),
        CreditRule.ORDER: Word("the placing agent", "下单判定"),
        CreditRule.ORDER_FIRST: Word("the placing agent, else the payment agent", "下单优先判定"),
    },
)  # fmt: skip


class ProductPriority(StrEnum):
    """Which candidates go before the others."""

    OFF = "off"
    PRODUCT_PAGE = "product_page"
    ORDERED_PRODUCT = "ordered_product"


PRODUCT_PRIORITIES: Final = Vocabulary(
    "product priority", "单品优先", ProductPriority,
    {
        ProductPriority.OFF: Word("none", "关闭"),
        ProductPriority.PRODUCT_PAGE: Word("who was asked from a product page", "商品页优先"),
        ProductPriority.ORDERED_PRODUCT: Word("who was asked about an ordered product", "订单商品优先"),
    },
)  # fmt: skip

Preset = Literal[
    "jd_cloud", "kefu_mofang", "kefu_mofang_2", "dongdong_guanjia", "jd_official", "pdd", "chitu",
    "taobao_basic",
]  # fmt: skip
PRESET_NAMES: Final = Vocabulary(
    "preset", "预设", Preset,
    {
        "jd_cloud": Word("JD Cloud's customer-service performance", "京东云客服绩效"),
        "kefu_mofang": Word("Kefu Mofang, first definition", "客服魔方（定义一）"),
        "kefu_mofang_2": Word("Kefu Mofang, second definition", "客服魔方（定义二）"),
        "dongdong_guanjia": Word("Dongdong Guanjia", "咚咚管家"),
        "jd_official": Word("JD's customer-service manager", "京东客服管家"),
        "pdd": Word("Pinduoduo", "拼多多"),
        "chitu": Word("Chitu", "赤兔名品"),
        "taobao_basic": Word("Taobao", "淘宝"),
    },
)  # fmt: skip


# Receptions (RULEBOOK 4)


class Filter(StrEnum):
    """The filters in the order in which they are asked; ``agent_offline`` bears on no credit."""

    EMPTY = "empty"
    OWN_ACCOUNT = "own_account"
    OFFICIAL_ACCOUNT = "official_account"
    BUYER_SUBACCOUNT = "buyer_subaccount"
    AGENT_OFFLINE = "agent_offline"
    BROADCAST = "broadcast"
    FORWARDED = "forwarded"
    ADVERT = "advert"
    SINGLE_SENTENCE = "single_sentence"
    MONOLOGUE = "monologue"


FILTERS: Final = Vocabulary(
    "filter", "接待过滤", Filter,
    {
        Filter.EMPTY: Word("every message is blank", "空聊天", None, "所有消息都为空"),
        Filter.OWN_ACCOUNT: Word(
            "the buyer is an agent of the shop", "自家账号", None, "买家是店铺自己的客服"
        ),
        Filter.OFFICIAL_ACCOUNT: Word(
            "the buyer is in `official_accounts`", "官方客服", None, "买家在 `official_accounts` 里"
        ),
        Filter.BUYER_SUBACCOUNT: Word(
            "the buyer writes from a sub-account", "客户子账号", None, "买家用子账号发言"
        ),
        Filter.AGENT_OFFLINE: Word(
            "the buyer began, at a time > the agent's last effective message of the day to any buyer "
            "of the "
            "shop, or there is none; affects inquiries and facts, not credit",
            "客服离线",
            None,
            "买家先开口，且开口时间 > 该客服当天对任何买家的最后一条有效消息，或者没有这样的消息；"
            "影响询单和明细，不影响业绩",
        ),
        Filter.BROADCAST: Word("only broadcasts were sent", "群发", None, "除了群发什么也没说"),
        Filter.FORWARDED: Word(
            "handed over after at most (≤) `max_replies` effective messages",
            "转发",
            None,
            "至多（≤）`max_replies` 条有效消息之后就转给了别人",
        ),
        Filter.ADVERT: Word(
            "one of the first `within` replies is exactly the `phrase`",
            "广告",
            None,
            "前 `within` 条回复中有一条正好是 `phrase`",
        ),
        Filter.SINGLE_SENTENCE: Word(
            "the buyer began and sent one message, the agent at least (≥) `min_replies` after it",
            "客户单句",
            None,
            "买家先开口且只说了一句，客服在其后至少（≥）回复 `min_replies` 条",
        ),
        Filter.MONOLOGUE: Word(
            "the agent began, the buyer sent at most (≤) `max_buyer_messages` messages",
            "单口相声",
            None,
            "客服先开口，买家至多（≤）说了 `max_buyer_messages` 句",
        ),
    },
)  # fmt: skip
FIXED_FILTERS: Final = frozenset({Filter.EMPTY, Filter.OWN_ACCOUNT, Filter.OFFICIAL_ACCOUNT})
"""They are always on, and no setting names them."""


# Decisions (RULEBOOK 5, 6, 10)

PENDING: Final = "pending"
FINAL: Final = "final"
Status = Literal["pending", "final"]
STATUSES: Final = Vocabulary(
    "status", "状态", Status,
    {
        PENDING: Word("events that come on time can still change it", "待定", 1),
        FINAL: Word("only late events, payments and refunds can change it", "已定", 2),
    },
)  # fmt: skip

CREDITED: Final = "credited"
SILENT: Final = "silent"
AWAITING_PAYMENT: Final = "awaiting_payment"
CANCELLED: Final = "cancelled"
UNPAID: Final = "unpaid"
EXCLUDED: Final = "excluded"
Outcome = Literal["credited", "silent", "awaiting_payment", "cancelled", "unpaid", "excluded"]
OUTCOMES: Final = Vocabulary(
    "outcome of an order", "订单结果", Outcome,
    {
        CREDITED: Word("paid, and an agent has the credit", "有归属", 4),
        SILENT: Word("paid, and nobody has the credit", "静默", 5),
        AWAITING_PAYMENT: Word("it can still be paid in time", "待付款", 3),
        CANCELLED: Word("cancelled without payment", "已取消", 17),
        UNPAID: Word("not paid in time", "未付款", 7),
        EXCLUDED: Word("it counts in no figure, task or inquiry", "已剔除", 24),
    },
)  # fmt: skip

Silence = Literal["none", "semi", "full"]
SILENCES: Final = Vocabulary(
    "silence", "静默", Silence,
    {
        "none": Word("there is a placing agent", "非静默", 8),
        "semi": Word("no placing agent, but a payment agent", "半静默", 9),
        "full": Word("neither a placing nor a payment agent", "全静默", 10),
    },
)  # fmt: skip

Basis = Literal["placing", "payment", "followup", "ruling"]
BASES: Final = Vocabulary(
    "basis of credit", "业绩依据", Basis,
    {
        "placing": Word("as placing agent", "落实下单", 11),
        "payment": Word("as payment agent", "落实付款", 12),
        "followup": Word("for following up a full-silent payment", "全静默订单跟进", 13),
        "ruling": Word("by a ruling, over the rules", "业绩裁定", 29),
    },
)  # fmt: skip

AssistKind = Literal["order", "payment", "followup"]
ASSIST_KINDS: Final = Vocabulary(
    "kind of an assist", "协助类型", AssistKind,
    {
        "order": Word("before it was placed", "协助下单", 14),
        "payment": Word("between placing and payment", "协助付款", 12),
        "followup": Word("after placing, while it is not paid", "协助跟进", 13),
    },
)  # fmt: skip

DISCARD_REASONS: Final = Vocabulary(
    "reason of a discarded reception", "不计入原因", None,
    {
        **{filter_: row for filter_, row in FILTERS.items() if filter_ != Filter.AGENT_OFFLINE},
        "role_aftersale": Word("the agent was in after-sales that day", "岗位为售后"),
        "role_frozen": Word("the agent was frozen that day", "岗位为冻结"),
        "no_effective_message": Word("no effective message of the agent in the interval", "无有效消息"),
        "other_product": Word("another agent's chat was about the product", "单品优先"),
        "followup_one_sided": Word("after the payment only one side wrote", "付款后单方发言"),
        "followup_not_admitted": Word("after the payment the wrong side wrote first", "发起方不符合设置"),
    },
)  # fmt: skip

SEVERAL_PAYMENTS: Final = "several_payments"
OVER_REFUNDED: Final = "over_refunded"
PAID_AND_CANCELLED: Final = "paid_and_cancelled"
CURRENCY_DIFFERS: Final = "currency_differs"
Notice = Literal["several_payments", "over_refunded", "paid_and_cancelled", "currency_differs"]
NOTICES: Final = Vocabulary(
    "notice", "提示", Notice,
    {
        SEVERAL_PAYMENTS: Word("a payment that does not count has another amount or time", "重复付款", 25),
        OVER_REFUNDED: Word("the completed refunds exceed the amount", "退款超额", 26),
        PAID_AND_CANCELLED: Word("paid and cancelled, and not refunded in full", "已付款又取消", 27),
        CURRENCY_DIFFERS: Word("an event names another currency than the order's", "币种不一致", 28),
    },
)  # fmt: skip

Reason = Literal[
    "created", "deposit", "paid", "cancelled", "refund", "excluded", "ruling", "chat", "settings", "timer",
    "late_event",
]  # fmt: skip
REASONS: Final = Vocabulary(
    "reason of a revision", "修订原因", Reason,
    {
        "created": Word("the order was placed", "下单", 15),
        "deposit": Word("its deposit was paid", "付定金", 23),
        "paid": Word("it was paid", "付款", 16),
        "cancelled": Word("it was cancelled", "取消", 17),
        "refund": Word("a refund was requested, paid out or closed", "退款", 18),
        EXCLUDED: Word("it was excluded, or included again", "剔除或恢复", 24),
        "ruling": Word("a ruling on its credit", "业绩裁定", 29),
        "chat": Word("a chat event", "聊天", 19),
        "settings": Word("a change of settings or roster", "设置或岗位变更", 20),
        "timer": Word("the passing of time", "到时", 21),
        "late_event": Word("an event that came after it was final", "迟到的事件", 22),
    },
)  # fmt: skip


# Inquiries (RULEBOOK 7)

INQUIRY: Final = "inquiry"
ASSIST: Final = "assist"
SELF_ORDERED: Final = "self_ordered"
FOLLOW_UP: Final = "follow_up"
AFTER_SALES: Final = "after_sales"
NONE: Final = "none"
"""Not an inquiry any more: its reception is filtered now, or its agent's role is another."""
InquiryKind = Literal["inquiry", "assist", "self_ordered", "follow_up", "after_sales", "none"]
INQUIRY_KINDS: Final = Vocabulary(
    "kind of an inquiry outcome", "询单类型", InquiryKind,
    {
        INQUIRY: Word("an order could have followed, or did", "询单"),
        ASSIST: Word("the agent spoke before an order that followed and is another's", "协助"),
        SELF_ORDERED: Word("the buyer ordered, but not by the agent's help", "静默下单"),
        FOLLOW_UP: Word("an order of before was still to be paid", "下单后付款前咨询"),
        AFTER_SALES: Word("an order was paid within the setting after_sales_days before", "售后咨询"),
        NONE: Word(
            "not an inquiry any more, because the reception is filtered now or not presale; "
            "the same as no record",
            "无",
        ),
    },
)  # fmt: skip

OPEN: Final = "open"
ORDERED: Final = "ordered"
PAID: Final = "paid"
PAYMENT_LOST: Final = "payment_lost"
LOST: Final = "lost"
NOT_COUNTED: Final = "not_counted"
InquiryResult = Literal["open", "ordered", "paid", "payment_lost", "lost", "not_counted"]
INQUIRY_RESULTS: Final = Vocabulary(
    "outcome of an inquiry", "询单结果", InquiryResult,
    {
        OPEN: Word("nothing yet", "待定"),
        ORDERED: Word("the agent is the placing agent of an order, same or next day", "已下单"),
        PAID: Word(
            "one of those was paid by the end of the day after next, or while the balance of one with a "
            "deposit could be paid",
            "已付款",
        ),
        PAYMENT_LOST: Word("none was", "付款流失"),
        LOST: Word("no order by the end of the next day", "询单流失"),
        NOT_COUNTED: Word("in no figure of inquiries", "不计"),
    },
)  # fmt: skip

Exemption = Literal["agent_initiated", "overnight"]
EXEMPTIONS: Final = Vocabulary(
    "exemption", "豁免", Exemption,
    {
        "agent_initiated": Word("the setting agent_initiated_exempt", "客服主动联系不算询单流失"),
        "overnight": Word("the setting overnight_once", "跨天聊天只算一次"),
    },
)  # fmt: skip


# Service tasks (RULEBOOK 9)

PAYMENT_REMINDER_SMS: Final = "payment_reminder_sms"
PAYMENT_REMINDER: Final = "payment_reminder"
ADDRESS_CHECK: Final = "address_check"
PARCEL_INSPECTION: Final = "parcel_inspection"
REVIEW_FOLLOW_UP: Final = "review_follow_up"
TaskKind = Literal[
    "payment_reminder_sms", "payment_reminder", "address_check", "parcel_inspection", "review_follow_up"
]
TASK_KINDS: Final = Vocabulary(
    "kind of a service task", "服务任务类型", TaskKind,
    {
        PAYMENT_REMINDER_SMS: Word("remind by SMS, unpaid for so long and of more than so much", "短信催付"),
        PAYMENT_REMINDER: Word("remind in the chat, unpaid for so long", "催付"),
        ADDRESS_CHECK: Word("paid, confirm the address", "核对地址"),
        PARCEL_INSPECTION: Word("a parcel came back, open it and look at it", "退货拆包"),
        REVIEW_FOLLOW_UP: Word("a neutral or bad review, talk to the buyer", "中差评处理"),
    },
)  # fmt: skip

TaskReason = Literal[
    "created", "deposit", "paid", "cancelled", "refund", "excluded", "ruling", "chat", "settings", "timer",
    "late_event", "parcel", "review",
]  # fmt: skip
TASK_REASONS: Final = Vocabulary(
    "reason of a task's revision", "服务任务修订原因", TaskReason,
    {
        **REASONS,
        "parcel": Word("a parcel came back, or was inspected", "退货"),
        "review": Word("the buyer reviewed the order", "评价"),
    },
)  # fmt: skip

TaskStatus = Literal["open", "closed"]
TASK_STATUSES: Final = Vocabulary(
    "status of a service task", "服务任务状态", TaskStatus,
    {
        "open": Word("to be done", "待办"),
        "closed": Word("its cause has ended, such as by payment", "已关闭"),
    },
)  # fmt: skip


# Bad input (RULEBOOK 11)


class Code(StrEnum):
    """The dead-letter codes."""

    INCOMPLETE_ORDER = "incomplete_order"
    NOT_JSON = "not_json"
    NOT_AN_OBJECT = "not_an_object"
    MISSING_FIELD = "missing_field"
    BAD_TYPE = "bad_type"
    BAD_VALUE = "bad_value"
    KEY_MISMATCH = "key_mismatch"
    FUTURE_TIMESTAMP = "future_timestamp"
    TOO_LATE = "too_late"
    TOO_LARGE = "too_large"


CODES: Final = Vocabulary(
    "dead-letter code", "死信代码", Code,
    {
        Code.INCOMPLETE_ORDER: Word(
            "no creation of its order is known", "订单不完整"
        ),
        Code.NOT_JSON: Word("not JSON in UTF-8, or no value at all (a tombstone)", "不是 JSON"),
        Code.NOT_AN_OBJECT: Word("JSON, but not an object", "不是对象"),
        Code.MISSING_FIELD: Word("a required field is not there", "缺少字段"),
        Code.BAD_TYPE: Word(
            "a field has another JSON type than it should have (`null` is one, `true` is not a number, "
            "`12.0` not an integer)",
            "类型错误",
        ),
        Code.BAD_VALUE: Word(
            "the type is right, the value is not: out of range, unknown word, unknown setting", "值错误"
        ),
        Code.KEY_MISMATCH: Word("the key is not `shop_id|buyer_id` of the value", "键不符"),
        Code.FUTURE_TIMESTAMP: Word(
            "more than 10 minutes ahead of the wall clock", "时间在未来"
        ),
        Code.TOO_LATE: Word(
            "older than the history that is kept, or of an order that is kept no longer", "太迟"
        ),
        Code.TOO_LARGE: Word(
            "over 256 KiB, or its key over 64 KiB, or more than can be kept of one buyer (some 100,000 "
            "messages); the dead letter holds the first 64 KiB of value and key",
            "太大",
        ),
    },
)  # fmt: skip


VOCABULARIES: Final[Mapping[str, Vocabulary]] = {
    one.title: one
    for one in (
        *(CHAT_TYPES, SENDERS, MESSAGE_KINDS, ENTRIES, ORDER_EVENT_TYPES, REVIEWS, RULING_TYPES),
        *(ROLES, PRESET_NAMES, PICK_RULES, CREDIT_RULES, PRODUCT_PRIORITIES, FILTERS),
        *(STATUSES, OUTCOMES, SILENCES, BASES, ASSIST_KINDS, DISCARD_REASONS, NOTICES, REASONS),
        *(INQUIRY_KINDS, INQUIRY_RESULTS, EXEMPTIONS, TASK_KINDS, TASK_STATUSES, TASK_REASONS, CODES),
    )
}
"""All of them, by title."""


def _numbers() -> dict[str | None, int]:
    numbers: dict[str | None, int] = {None: 0}
    for vocabulary in (STATUSES, OUTCOMES, SILENCES, BASES, ASSIST_KINDS, NOTICES, REASONS):
        for word, row in vocabulary.items():
            if row.number is None or numbers.setdefault(word, row.number) != row.number:
                raise AssertionError(f"{word} of {vocabulary.title} needs one number in state")
    if len(set(numbers.values())) != len(numbers):
        raise AssertionError("two words have the same number in state")
    return numbers


STATE_NUMBERS: Final = _numbers()
"""The number by which each word is kept in state; null is 0."""
STATE_WORDS: Final[Mapping[int, str | None]] = {
    6: CANCELLED,  # read, and not written any more
    **{number: word for word, number in STATE_NUMBERS.items()},
}
"""By number in state, what it stands for."""
