"""What a shop may set, and the trade's systems as presets (RULEBOOK 3, 4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from stream_attr.rules.vocabulary import CreditRule, PickRule, ProductPriority, Role


@dataclass(frozen=True, slots=True)
class Validity:
    """How far before the order a chat still counts: rolling hours, or natural days."""

    hours: int | None = None
    natural_days: int | None = None


@dataclass(frozen=True, slots=True)
class SilentFollowup:
    """Credit after a full-silent payment, by who speaks first within ``minutes`` of it."""

    buyer_initiated: bool = False
    agent_initiated: bool = False
    minutes: int = 10

    @property
    def on(self) -> bool:
        """Whether any side is admitted."""
        return self.buyer_initiated or self.agent_initiated


@dataclass(frozen=True, slots=True)
class SlowResponse:
    """A reception is slow when ``times`` responses took longer than ``seconds``."""

    seconds: int = 120
    times: int = 3


@dataclass(frozen=True, slots=True)
class AutoReply:
    """Whether automatic replies are recognised, and by which prefix."""

    identify: bool = False
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class AgentInitiatedExempt:
    """Inquiries opened by the agent that do not count as lost."""

    enabled: bool = False
    first_reply_days: int = 1


def _number(default: int, least: int, meaning: str, chinese: str) -> int:
    """Return a filter's number as a field; ``meaning`` is what the schema of the settings says of it."""
    number: int = field(default=default, metadata={"meaning": meaning, "chinese": chinese, "least": least})
    return number


def _text(longest: int, meaning: str, chinese: str) -> str:
    """Return a filter's text as a field; it is required where the filter is on."""
    text: str = field(default="", metadata={"meaning": meaning, "chinese": chinese, "longest": longest})
    return text


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters that a shop may name: switch ``x``, and what belongs to it, ``x_number`` (RULEBOOK 4).

    The records of settings have the same: ``{"x": {"enabled": …, "number": …}}``.
    """

    buyer_subaccount: bool = False
    agent_offline: bool = True
    broadcast: bool = True
    forwarded: bool = True
    forwarded_max_replies: int = _number(
        1, 0, "With at most so many effective messages before.", "此前最多几条有效消息"
    )
    advert: bool = False
    advert_phrase: str = _text(
        4096, "The complete advert; required where the filter is on.", "完整的广告语；开启时必填"
    )
    advert_within: int = _number(
        2,
        1,
        "Among so many of the agent's messages after the buyer's first.",
        "买家首条消息之后客服的前几条消息内",
    )
    single_sentence: bool = False
    single_sentence_min_replies: int = _number(
        3, 1, "With at least so many effective messages of the agent after it.", "其后客服至少几条有效消息"
    )
    monologue: bool = True
    monologue_max_buyer_messages: int = _number(
        0, 0, "With at most so many messages of the buyer.", "买家最多几条消息"
    )


@dataclass(frozen=True, slots=True)
class Shift:
    """When an agent is on duty, on one day of the week; minutes of the day, half-open."""

    weekday: int
    """1 is Monday."""
    begin: int
    end: int
    agent_id: str


@dataclass(frozen=True, slots=True)
class Tasks:
    """Which service tasks there are, and when they fall due (RULEBOOK 9)."""

    sms: bool = True
    sms_minutes: int = 15
    sms_min_amount: int = 800
    """Minor units; buyers are reminded by SMS of greater amounts only."""
    reminder: bool = True
    reminder_minutes: int = 30
    address_check: bool = True
    parcel_inspection: bool = True
    parcel_inspection_by: int = 17 * 60 + 30
    """Minute of the day."""
    review_follow_up: bool = True
    review_follow_up_odd: str | None = None
    """The agent for orders whose first review is of an odd day of the month; None: the credited one."""
    review_follow_up_even: str | None = None
    duty: tuple[Shift, ...] = ()


PAUSE_MINUTES: Final = 10
"""The longest pause of a chat that runs past midnight, where the longest wait is off."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One complete set of rules: a preset with a record's overrides."""

    preset: str = "jd_cloud"
    placing_rule: PickRule = PickRule.LAST_CHAT
    payment_rule: PickRule = PickRule.LAST_CHAT
    credit_rule: CreditRule = CreditRule.PAYMENT
    validity: Validity = Validity(natural_days=1)
    product_priority: ProductPriority = ProductPriority.OFF
    silent_followup: SilentFollowup = SilentFollowup()
    payment_deadline_hours: int = 24
    unlisted_agents: Role = Role.PRESALE
    after_sales_days: int = 21
    max_wait_minutes: int | None = 10
    slow_response: SlowResponse = SlowResponse()
    auto_reply: AutoReply = AutoReply()
    aftersale_unfiltered: bool = False
    agent_initiated_exempt: AgentInitiatedExempt = AgentInitiatedExempt()
    overnight_once: bool = False
    carried_questions: bool = True
    official_accounts: frozenset[str] = frozenset()
    filters: Filters = field(default_factory=Filters)
    tasks: Tasks = Tasks()
    """Of the official settings alone."""

    @property
    def pause_minutes(self) -> int:
        """The longest pause of a chat that runs past midnight: the longest wait, where that is not off."""
        return PAUSE_MINUTES if self.max_wait_minutes is None else self.max_wait_minutes


def _preset(name: str, credit: CreditRule, validity: Validity, **more: object) -> Settings:
    return Settings(preset=name, credit_rule=credit, validity=validity, **more)  # type: ignore[arg-type]


PRESETS: dict[str, Settings] = {
    settings.preset: settings
    for settings in (
        _preset("jd_cloud", CreditRule.PAYMENT, Validity(natural_days=1)),
        _preset(
            "kefu_mofang",
            CreditRule.ORDER_FIRST,
            Validity(hours=48),
            payment_rule=PickRule.MOST_ROUNDS,
        ),
        _preset(
            "kefu_mofang_2",
            CreditRule.ORDER_FIRST,
            Validity(hours=48),
            placing_rule=PickRule.MOST_ROUNDS,
        ),
        _preset(
            "dongdong_guanjia",
            CreditRule.ORDER,
            Validity(hours=24),
            product_priority=ProductPriority.PRODUCT_PAGE,
        ),
        _preset(
            "jd_official",
            CreditRule.ORDER,
            Validity(hours=24),
            product_priority=ProductPriority.ORDERED_PRODUCT,
        ),
        _preset("pdd", CreditRule.ORDER_FIRST, Validity(natural_days=2)),
        _preset("chitu", CreditRule.ORDER_FIRST, Validity(hours=24)),
        _preset("taobao_basic", CreditRule.ORDER_FIRST, Validity(hours=24)),
    )
}
"""Every system of the trade that we reproduce, by name (RULEBOOK 3)."""

NEVER_FOLLOW_UP: Final = frozenset({"dongdong_guanjia", "jd_official", "pdd", "taobao_basic"})
"""Presets whose original knows no silent follow-up: turning it on is refused."""

DEFAULT_SETTINGS: Final = PRESETS["jd_cloud"]
DEFAULT_TIMEZONE: Final = "Asia/Shanghai"
OFFICIAL: Final = "official"
"""Name of a shop's official profile: the only one that is credit."""
