"""A record of ``shop-settings`` (RULEBOOK 3): partial objects, merged over preset and defaults.

Unlike elsewhere an unknown field is refused: a misspelt setting must not pass for a default.
"""

from __future__ import annotations

import dataclasses
from dataclasses import Field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, defstruct

from stream_attr.contract.records.fields import AgentId, Amount, Id, ShopId, day, field
from stream_attr.contract.schema import RecordSchema
from stream_attr.rules.shop.days import MIDNIGHT, clock_name
from stream_attr.rules.shop.settings import (
    DEFAULT_SETTINGS,
    DEFAULT_TIMEZONE,
    NEVER_FOLLOW_UP,
    OFFICIAL,
    PRESETS,
    Filters,
)
from stream_attr.rules.vocabulary import FILTERS, CreditRule, PickRule, ProductPriority

Count = Annotated[int, Meta(ge=0, le=1_000_000)]
Positive = Annotated[int, Meta(ge=1, le=1_000_000)]
Minutes = Annotated[int, Meta(ge=1, le=1440)]

_TASKS: Final = DEFAULT_SETTINGS.tasks
_FOLLOWUP: Final = DEFAULT_SETTINGS.silent_followup
_SLOW: Final = DEFAULT_SETTINGS.slow_response
_AUTO_REPLY: Final = DEFAULT_SETTINGS.auto_reply
_EXEMPT: Final = DEFAULT_SETTINGS.agent_initiated_exempt


class PartialObject(Struct, forbid_unknown_fields=True, gc=False):
    """An object of which every field may be left out."""

    def given(self) -> dict[str, Any]:
        """Return the fields that the record names."""
        values = ((name, getattr(self, name)) for name in self.__struct_fields__)
        return {name: value for name, value in values if value is not UNSET}


class ValiditySetting(PartialObject):
    """How far before the order a chat still counts."""

    schema_conditions: ClassVar[dict[str, Any]] = {"minProperties": 1, "maxProperties": 1}

    hours: Annotated[
        Annotated[int, Meta(ge=24, le=360)] | UnsetType,
        field("Rolling hours.", title="滚动小时", chinese="下单前的小时数"),
    ] = UNSET
    natural_days: Annotated[
        Annotated[int, Meta(ge=0, le=15)] | UnsetType,
        field(
            "Natural days before the day of the order; 0: that day alone.",
            title="自然天",
            chinese="下单当天之前的自然天数；0：只算当天",
        ),
    ] = UNSET


class SilentFollowupSetting(PartialObject):
    """Credit for chat that follows a full-silent payment."""

    buyer_initiated: Annotated[
        bool | UnsetType,
        field("Where the buyer wrote first.", chinese="买家先开口", default=_FOLLOWUP.buyer_initiated),
    ] = UNSET
    agent_initiated: Annotated[
        bool | UnsetType,
        field("Where the agent wrote first.", chinese="客服先开口", default=_FOLLOWUP.agent_initiated),
    ] = UNSET
    minutes: Annotated[
        Minutes | UnsetType,
        field(
            "How long after the payment. Minutes.", chinese="付款之后多少分钟之内", default=_FOLLOWUP.minutes
        ),
    ] = UNSET


class SlowResponseSetting(PartialObject):
    """When a reception is slow."""

    seconds: Annotated[
        Positive | UnsetType,
        field(
            "A response longer than this is slow. Seconds.",
            chinese="响应超过多少秒算慢",
            default=_SLOW.seconds,
        ),
    ] = UNSET
    times: Annotated[
        Positive | UnsetType,
        field(
            "So many slow responses make a slow reception.",
            chinese="几次慢响应算慢响应接待",
            default=_SLOW.times,
        ),
    ] = UNSET


class AutoReplySetting(PartialObject):
    """Automatic replies, distinguished from the agent's own."""

    identify: Annotated[
        bool | UnsetType,
        field(
            "Whether they are distinguished at all.", chinese="是否识别自动回复", default=_AUTO_REPLY.identify
        ),
    ] = UNSET
    prefix: Annotated[
        Annotated[str, Meta(max_length=128)] | UnsetType,
        field(
            "Text with which an automatic reply begins; empty: only those that the platform marks.",
            chinese="自动回复开头的文字；空：只认平台标记的",
            default=_AUTO_REPLY.prefix,
        ),
    ] = UNSET


class AgentInitiatedExemptSetting(PartialObject):
    """Inquiries that the agent opened and that led to nothing do not count as lost."""

    enabled: Annotated[
        bool | UnsetType, field("Whether they are exempt.", chinese="是否不算流失", default=_EXEMPT.enabled)
    ] = UNSET
    first_reply_days: Annotated[
        Annotated[int, Meta(ge=1, le=15)] | UnsetType,
        field(
            "How long before, at most, the agent opened the chat. Days.",
            chinese="客服最早提前多少天发起聊天",
            default=_EXEMPT.first_reply_days,
        ),
    ] = UNSET


MAX_NUMBER: Final = 1_000_000


def _filter_shape(name: str, switch: Field[Any], parts: list[Field[Any]]) -> type[Struct]:
    """Return the object of a filter: whether it is on, and what belongs to it."""
    fields: list[tuple[str, Any, Any]] = [
        (
            "enabled",
            Annotated[
                bool | UnsetType,
                field("Whether the filter is on.", chinese="是否开启", default=switch.default),
            ],
            UNSET,
        )
    ]
    conditions: dict[str, Any] = {}
    for part in parts:
        key = part.name.removeprefix(f"{name}_")
        meaning, chinese = part.metadata["meaning"], part.metadata["chinese"]
        if "longest" in part.metadata:
            text = Annotated[str, Meta(min_length=1, max_length=part.metadata["longest"])]
            fields.append((key, Annotated[text | UnsetType, field(meaning, chinese=chinese)], UNSET))
            conditions = {
                "if": {"properties": {"enabled": {"const": True}}, "required": ["enabled"]},
                "then": {"required": [key]},
            }
        else:
            number = Annotated[int, Meta(ge=part.metadata["least"], le=MAX_NUMBER)]
            fields.append(
                (
                    key,
                    Annotated[number | UnsetType, field(meaning, chinese=chinese, default=part.default)],
                    UNSET,
                )
            )
    title = "".join(word.capitalize() for word in name.split("_"))
    return defstruct(
        f"{title}Filter",
        fields,
        bases=(PartialObject,),
        namespace={"schema_conditions": conditions, "__doc__": f"The filter {name}."},
        forbid_unknown_fields=True,
        gc=False,
    )


def _filter_shapes() -> type[Struct]:
    """Return the object of all filters that a shop may name, from `Filters`."""
    known = dataclasses.fields(Filters)
    shapes: list[tuple[str, Any, Any]] = []
    for switch in known:
        if switch.type != "bool":
            continue
        parts = [one for one in known if one.metadata and one.name.startswith(f"{switch.name}_")]
        row = FILTERS[switch.name]
        about = field(
            f"{row.meaning[0].upper()}{row.meaning[1:]}.", title=row.chinese, chinese=row.chinese_meaning
        )
        shape = _filter_shape(switch.name, switch, parts)
        shapes.append((switch.name, Annotated[shape | UnsetType, about], UNSET))
    return defstruct("FilterSettings", shapes, bases=(PartialObject,), forbid_unknown_fields=True, gc=False)


if TYPE_CHECKING:
    FilterSettings = PartialObject
else:
    FilterSettings = _filter_shapes()


class Rules(PartialObject):
    """A preset and what differs from it.

    What is not given is the preset's, else the default.
    """

    schema_conditions: ClassVar[dict[str, Any]] = {
        "if": {"properties": {"preset": {"enum": sorted(NEVER_FOLLOW_UP)}}, "required": ["preset"]},
        "then": {
            "$comment": "These systems know no silent follow-up: turning it on is refused.",
            "properties": {
                "silent_followup": {
                    "properties": {"buyer_initiated": {"const": False}, "agent_initiated": {"const": False}}
                }
            },
        },
    }

    preset: Annotated[
        str,
        field(
            "The system of the trade whose rules are the starting point.",
            title="预设",
            chinese="以哪个行业系统的规则为起点",
            enum=list(PRESETS),
        ),
    ] = DEFAULT_SETTINGS.preset
    placing_rule: Annotated[
        PickRule | UnsetType,
        field(
            "Who is the placing agent: the last to chat, or the one with most rounds.",
            title="落实下单判定",
            chinese="谁是落实下单客服",
        ),
    ] = UNSET
    payment_rule: Annotated[
        PickRule | UnsetType,
        field("Who is the payment agent.", title="落实付款判定", chinese="谁是落实付款客服"),
    ] = UNSET
    credit_rule: Annotated[
        CreditRule | UnsetType,
        field(
            "Who gets the sale: the payment agent; the placing agent; or the placing agent, else the "
            "payment agent.",
            title="业绩归属",
            chinese="业绩归谁",
        ),
    ] = UNSET
    validity: Annotated[
        ValiditySetting | UnsetType,
        field(
            "How far before the order a chat still counts: exactly one of the two.",
            title="询单有效时长",
            chinese="下单前多久之内的聊天算数，两者取一",
        ),
    ] = UNSET
    product_priority: Annotated[
        ProductPriority | UnsetType,
        field(
            "Which candidates go before the others: who was asked from a product page, or about an "
            "ordered product.",
            title="单品优先",
            chinese="哪些候选客服优先",
        ),
    ] = UNSET
    silent_followup: Annotated[
        SilentFollowupSetting | UnsetType,
        field(
            "Credit for chat that follows a full-silent payment.",
            title="全静默订单跟进",
            chinese="全静默订单付款之后的聊天是否给业绩，哪一方可以先开口",
        ),
    ] = UNSET
    payment_deadline_hours: Annotated[
        Annotated[int, Meta(ge=1, le=720)] | UnsetType,
        field(
            "When an unpaid order counts as unpaid for good. Hours after its creation.",
            title="付款期限",
            chinese="下单多少小时后未付款即为未付款",
            default=DEFAULT_SETTINGS.payment_deadline_hours,
        ),
    ] = UNSET
    unlisted_agents: Annotated[
        Literal["presale", "frozen"] | UnsetType,
        field(
            "The role of agents that the roster does not know.",
            title="未列名客服",
            chinese="名册首条记录之前的岗位",
            enum=["presale", "frozen"],
            default=DEFAULT_SETTINGS.unlisted_agents.value,
        ),
    ] = UNSET
    after_sales_days: Annotated[
        Annotated[int, Meta(ge=0, le=180)] | UnsetType,
        field(
            "How long after the payment a chat is after-sales. Days of 24 hours.",
            title="售后天数",
            chinese="付款后多少天（24 小时）内的聊天算售后",
            default=DEFAULT_SETTINGS.after_sales_days,
        ),
    ] = UNSET
    max_wait_minutes: Annotated[
        Minutes | UnsetType | None,
        field(
            "Responses that took this long or longer do not count; null: all count. Minutes.",
            title="最长等待时间",
            chinese="达到这么多分钟的响应不计；null：都计",
            default=DEFAULT_SETTINGS.max_wait_minutes,
        ),
    ] = UNSET
    slow_response: Annotated[
        SlowResponseSetting | UnsetType,
        field("When a reception is slow.", title="慢响应", chinese="什么样的接待算慢响应"),
    ] = UNSET
    auto_reply: Annotated[
        AutoReplySetting | UnsetType,
        field(
            "Automatic replies, distinguished from the agent's own.",
            title="自动回复识别",
            chinese="是否识别自动回复，以及识别用的前缀",
        ),
    ] = UNSET
    aftersale_unfiltered: Annotated[
        bool | UnsetType,
        field(
            "Filters that are not fixed pass over receptions of after-sale agents.",
            title="售后不参与过滤",
            chinese="非固定的过滤不作用于售后客服的接待",
            default=DEFAULT_SETTINGS.aftersale_unfiltered,
        ),
    ] = UNSET
    agent_initiated_exempt: Annotated[
        AgentInitiatedExemptSetting | UnsetType,
        field(
            "Inquiries that the agent opened and that led to nothing do not count as lost.",
            title="客服主动联系不算询单流失",
            chinese="客服发起而没有结果的询单不算流失",
        ),
    ] = UNSET
    overnight_once: Annotated[
        bool | UnsetType,
        field(
            "A chat past midnight counts once.",
            title="跨天聊天只算一次",
            chinese="跨过午夜的聊天只算一次",
            default=DEFAULT_SETTINGS.overnight_once,
        ),
    ] = UNSET
    carried_questions: Annotated[
        bool | UnsetType,
        field(
            "A question put to a colleague who handed the buyer over, or just before midnight, is the "
            "buyer's all the same.",
            title="转接与跨天提问",
            chinese="向转接前的同事、或在午夜前提出的问题，是否也算买家的提问",
            default=DEFAULT_SETTINGS.carried_questions,
        ),
    ] = UNSET
    official_accounts: Annotated[
        tuple[Annotated[Id, field("A buyer.")], ...] | UnsetType,
        field(
            "Buyer ids that are the platform's own customer service.",
            title="官方客服",
            chinese="平台官方客服的买家 id，不算买家",
            default=[],
        ),
    ] = UNSET
    filters: Annotated[
        FilterSettings | UnsetType,
        field(
            "Receptions that count for nothing. The fixed filters (empty, own_account, official_account) "
            "cannot be "
            "named.",
            title="接待过滤",
            chinese="不计入的接待；固定的过滤不能写",
        ),
    ] = UNSET


class TaskSwitch(PartialObject):
    """Whether there are service tasks of a kind."""

    enabled: Annotated[
        bool | UnsetType, field("Whether there are such tasks.", chinese="是否有这种任务", default=True)
    ] = UNSET


class ReminderSetting(TaskSwitch):
    """Remind of the payment in the chat."""

    minutes: Annotated[
        Minutes | UnsetType,
        field(
            "Once it has been unpaid for so long. Minutes after its creation.",
            chinese="下单后多少分钟仍未付款",
            default=_TASKS.reminder_minutes,
        ),
    ] = UNSET


class SmsReminderSetting(TaskSwitch):
    """Remind of the payment by SMS."""

    minutes: Annotated[
        Minutes | UnsetType,
        field(
            "Once it has been unpaid for so long. Minutes after its creation.",
            chinese="下单后多少分钟仍未付款",
            default=_TASKS.sms_minutes,
        ),
    ] = UNSET
    min_amount: Annotated[
        Amount | UnsetType,
        field(
            "Where the order costs more than this. Minor units of the currency (fen).",
            chinese="订单金额超过多少（币种的最小单位：分）",
            default=_TASKS.sms_min_amount,
        ),
    ] = UNSET


class ParcelInspectionSetting(TaskSwitch):
    """Inspect a parcel that came back."""

    by: Annotated[
        Annotated[str, Meta(min_length=5, max_length=5)] | UnsetType,
        field(
            "Until when, on the day on which it came or, if it came later, on the next. A time of the shop's "
            "time zone, HH:MM.",
            chinese="退回当天几点前处理（店铺时区，HH:MM），之后退回的算次日",
            pattern="^(?:[01][0-9]|2[0-3]):[0-5][0-9]",
            default=clock_name(_TASKS.parcel_inspection_by),
        ),
    ] = UNSET


class ReviewFollowUpSetting(TaskSwitch):
    """Follow up a review that is neutral or bad."""

    odd: Annotated[
        AgentId | UnsetType | None,
        field(
            "Who does it where the order's first review is of an odd day of the month; null: the "
            "credited agent.",
            chinese="订单首次评价在单日时由谁处理；null：业绩所属客服",
            default=None,
        ),
    ] = UNSET
    even: Annotated[
        AgentId | UnsetType | None, field("Likewise of an even day.", chinese="双日时由谁处理", default=None)
    ] = UNSET


class DutyShift(Struct, forbid_unknown_fields=True, rename={"start": "from", "end": "to"}, gc=False):
    """When an agent is on duty."""

    weekday: Annotated[
        Annotated[int, Meta(ge=1, le=7)],
        field("Day of the week: 1 Monday to 7 Sunday.", title="星期", chinese="星期：1 周一至 7 周日"),
    ]
    start: Annotated[
        str,
        field(
            "When it begins, included. A time of the shop's time zone, HH:MM.",
            title="开始",
            chinese="开始时间（含），店铺时区，HH:MM",
            minLength=5,
            maxLength=5,
            pattern="^(?:[01][0-9]|2[0-3]):[0-5][0-9]",
        ),
    ]
    end: Annotated[
        str,
        field(
            "When it ends, not included; 24:00: with the day. Later than from: a shift past midnight is "
            "two. A time "
            "of the shop's time zone, HH:MM.",
            title="结束",
            chinese="结束时间（不含），晚于开始时间；24:00：到当天结束，跨夜的班次分成两个",
            minLength=5,
            maxLength=5,
            pattern="^(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00)",
        ),
    ]
    agent_id: Annotated[AgentId, field("Who is on duty.", title="客服", chinese="值班客服")]


class TaskSettings(PartialObject):
    """Which service tasks there are, and when they fall due."""

    payment_reminder_sms: Annotated[
        SmsReminderSetting | UnsetType,
        field("Remind of the payment by SMS.", title="短信催付", chinese="用短信提醒付款"),
    ] = UNSET
    payment_reminder: Annotated[
        ReminderSetting | UnsetType,
        field("Remind of the payment in the chat.", title="催付", chinese="在聊天中提醒付款"),
    ] = UNSET
    address_check: Annotated[
        TaskSwitch | UnsetType,
        field(
            "Confirm the address of a paid order, unless it is full-silent.",
            title="核对地址",
            chinese="与买家核对已付款订单的地址，全静默订单除外",
        ),
    ] = UNSET
    parcel_inspection: Annotated[
        ParcelInspectionSetting | UnsetType,
        field("Inspect a parcel that came back.", title="退货拆包", chinese="拆检退回的包裹"),
    ] = UNSET
    review_follow_up: Annotated[
        ReviewFollowUpSetting | UnsetType,
        field("Follow up a review that is neutral or bad.", title="中差评处理", chinese="处理中评或差评"),
    ] = UNSET
    duty: Annotated[
        tuple[Annotated[DutyShift, field("One shift.")], ...],
        field(
            "Who is responsible where no placing agent is: the first shift of the list in which the task "
            "falls due; of a parcel, in which it came.",
            title="值班",
            chinese="没有落实下单客服时由谁负责：任务到期时（退货：退回时）所在的第一个班次",
            default=[],
        ),
    ] = ()


class ShopSettingsRecord(Rules, kw_only=True):
    """The rules by which a shop is judged from a day on.

    It stands alone: what it leaves out is the preset's or the default, not the previous record's.
    """

    shop_id: ShopId
    effective_from: Annotated[
        str,
        day(
            "First day on which the settings hold; except in a shop's first record, not before the day "
            "on which the record is sent.",
            title="生效日期",
            chinese="设置从哪天起生效；除店铺的首条记录外，不早于发送当天",
        ),
    ]
    timezone: Annotated[
        str | UnsetType,
        field(
            "IANA time zone of the shop's days; a shop cannot change it.",
            title="时区",
            chinese="店铺日期所用的 IANA 时区，一家店的所有记录必须相同",
            minLength=1,
            default=DEFAULT_TIMEZONE,
        ),
    ] = UNSET
    day_cut: Annotated[
        str | UnsetType,
        field(
            "When the shop's days begin, by the clocks of its time zone, 00:00 to 12:00: day D runs from D "
            "at this time to D+1 at this time. A shop cannot change it.",
            title="业务天分割点",
            chinese="店铺的一天从几点开始（00:00 至 12:00），一家店的所有记录必须相同",
            minLength=5,
            maxLength=5,
            pattern="^(?:(?:0[0-9]|1[01]):[0-5][0-9]|12:00)",
            default=MIDNIGHT,
        ),
    ] = UNSET
    profiles: Annotated[
        dict[str, msgspec.Raw],
        field(
            "Further sets of rules under which every order is judged side by side; they are never "
            "credit. A profile "
            "takes nothing from the official settings but time zone and day cut.",
            title="其他方案",
            chinese="每个订单同时再按这些规则判定，供对比；不影响业绩",
            propertyNames={
                "minLength": 1,
                "maxLength": 64,
                "not": {"anyOf": [{"pattern": "[^a-z0-9_-]"}, {"const": OFFICIAL}]},
            },
            additionalProperties={"$ref": "#/$defs/rules", "unevaluatedProperties": False},
        ),
    ] = {}
    tasks: Annotated[
        TaskSettings | UnsetType,
        field(
            "What agents should do for buyers' orders, topic service-tasks. Of the official settings "
            "only: a profile "
            "has no tasks.",
            title="催付、核对地址",
            chinese="有哪些服务任务、多少分钟之后；`duty`：值班班次；仅限正式设置",
        ),
    ] = UNSET


SCHEMA: Final = RecordSchema("settings", "Settings record", ShopSettingsRecord, rules=Rules)
