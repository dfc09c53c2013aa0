"""The shops of the sample: how each is set up, who works there and when, what it sells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from stream_attr.generate.chance import Chance
from stream_attr.generate.phrases import ADVERT, AUTO_PREFIX
from stream_attr.rules.shop.days import Zone, day_name, zone

__all__ = ["OFFICIAL_ACCOUNT", "Agents", "Product", "Shop", "hire", "products", "shop"]

OFFICIAL_ACCOUNT = "platform-service"
"""The buyer id under which the platform's own staff writes to a shop."""

SETTINGS: tuple[dict[str, Any], ...] = (
    {
        "shop_id": "jd:10086",
        "preset": "jd_cloud",
        "silent_followup": {"buyer_initiated": True},
        "auto_reply": {"identify": True, "prefix": AUTO_PREFIX},
        "tasks": {
            "review_follow_up": {"odd": "kf-01", "even": "kf-02"},
            "duty": [
                {"weekday": weekday, "from": "08:00", "to": "24:00", "agent_id": f"kf-0{1 + weekday % 2}"}
                for weekday in range(1, 8)
            ],
        },
    },
    {
        "shop_id": "pdd:20417",
        "preset": "pdd",
        "profiles": {"payment-first": {"preset": "jd_cloud"}},
    },
    {
        "shop_id": "tb:30552",
        "preset": "taobao_basic",
        "auto_reply": {"identify": True, "prefix": AUTO_PREFIX},
        "filters": {"advert": {"enabled": True, "phrase": ADVERT}, "single_sentence": {"enabled": True}},
        "day_cut": "02:00",
        "profiles": {"chitu": {"preset": "chitu"}, "most-rounds": {"preset": "kefu_mofang_2"}},
    },
    {
        "shop_id": "jd:40871",
        "preset": "kefu_mofang",
        "validity": {"hours": 120},
        "product_priority": "product_page",
        "silent_followup": {"buyer_initiated": True, "agent_initiated": True, "minutes": 30},
        "filters": {"buyer_subaccount": {"enabled": True}},
    },
    {"shop_id": "jd:51903", "preset": "dongdong_guanjia", "unlisted_agents": "frozen"},
    {
        "shop_id": "jd:66120",
        "preset": "kefu_mofang_2",
        "credit_rule": "payment",
        "aftersale_unfiltered": True,
        "filters": {"monologue": {"max_buyer_messages": 1}, "forwarded": {"max_replies": 2}},
    },
    {"shop_id": "tb:70431", "preset": "chitu", "payment_deadline_hours": 72},
    {"shop_id": "jd:80264", "preset": "jd_official", "profiles": {"cloud": {"preset": "jd_cloud"}}},
    {"shop_id": "lazada:90118", "preset": "taobao_basic", "timezone": "Asia/Singapore"},
)
"""One shop each, in the order in which ``--shops`` takes them; then they start again, renumbered."""

CURRENCIES = {"lazada": "SGD"}
SINGLE_RECORD = {"pdd"}
"""Platforms that send one record of a paid order only, with the time it was placed inside."""
WITHHOLDS_TEXT = {"tb:70431"}
"""Shops whose integrator sends the length of a text only."""

NAMES = ("小雨", "阿哲", "糖糖", "Amy", "木子", "小北", "可可", "大鹏", "梨花", "阿May", "小满", "安安")


class Product(NamedTuple):
    """Something the shop sells."""

    product_id: str
    price: int
    """Minor units of the shop's currency (fen)."""


@dataclass(frozen=True, slots=True)
class Shop:
    """What is fixed about a shop before the first buyer comes."""

    shop_id: str
    settings: dict[str, Any]
    zone: Zone
    currency: str
    single_record: bool
    """Paid orders come as one record (``paid`` with ``created_ts``)."""
    withholds_text: bool


class Agents:
    """Who works in a shop, by role and shift.

    Early shift 8 to 16, late shift 16 to 24, a few at night. With five agents or more there is a trainee
    (``frozen``), with six or more one whom nobody put on the roster.
    """

    def __init__(self, count: int) -> None:
        ids = [f"kf-{number:02}" for number in range(1, count + 1)]
        self.aftersale = ids[: max(1, count // 5)]
        presale = ids[len(self.aftersale) :]
        self.trainee = presale.pop() if count >= 5 else None
        self.unlisted = presale[-1] if count >= 6 else None
        self.presale = presale
        self.robot = "kf-robot"
        """It answers automatically and hands buyers over; frozen, so that nothing of it counts."""
        night = max(1, len(presale) // 10)
        days = max(1, (len(presale) - night) // 2)
        shifts = presale[:night], presale[night : night + days], presale[night + days :]
        self._shifts = tuple(tuple(shift) or tuple(presale) for shift in shifts)

    def on_duty(self, hour: int) -> tuple[str, ...]:
        """The pre-sales agents (售前) of the shift of a local hour; never empty."""
        return self._shifts[hour // 8]


def shop(index: int) -> Shop:
    """The shop of this index, from 0; any number of them can be had."""
    repeat, place = divmod(index, len(SETTINGS))
    settings = dict(SETTINGS[place])
    model = settings["shop_id"]
    platform, number = model.split(":")
    settings["shop_id"] = f"{platform}:{int(number) + 100_000 * repeat}"
    return Shop(
        shop_id=settings["shop_id"],
        settings=settings,
        zone=zone(settings.get("timezone", "Asia/Shanghai")),
        currency=CURRENCIES.get(platform, "CNY"),
        single_record=platform in SINGLE_RECORD,
        withholds_text=model in WITHHOLDS_TEXT,
    )


def products(chance: Chance) -> list[Product]:
    """Forty products from 9.90 to some 600."""
    return [Product(f"p-{100_100 + 7 * n}", 990 + 100 * chance.early(0, 600)) for n in range(40)]


def settings_record(of: Shop, first_day: int) -> dict[str, Any]:
    """The shop's settings, in force a month before the first day."""
    since = day_name(first_day - 30)
    return {**of.settings, "effective_from": since, "official_accounts": [OFFICIAL_ACCOUNT]}


def hire(of: Shop, agents: Agents, first_day: int, days: int) -> Iterator[dict[str, Any]]:
    """The shop's roster records: all roles a month before the first day, and changes half-way.

    In a span of three days or more the trainee becomes a pre-sales agent and one pre-sales agent moves to
    after-sales, on the middle day. (A live worker refuses such records where that day is past:
    RULEBOOK 2, "History does not move".)
    """
    since = day_name(first_day - 30)
    changed = day_name(first_day + days // 2)

    def record(agent_id: str, role: str, day: str) -> dict[str, Any]:
        name = "机器人" if agent_id == agents.robot else NAMES[int(agent_id[3:]) % len(NAMES)]
        group = "售后组" if role == "aftersale" else "售前组"
        return {
            "shop_id": of.shop_id,
            "agent_id": agent_id,
            "role": role,
            "effective_from": day,
            "name": name,
            "group": group,
            "person_id": f"emp-{agent_id[3:]}",
        }

    for agent_id in agents.aftersale:
        yield record(agent_id, "aftersale", since)
    for agent_id in agents.presale:
        if agent_id != agents.unlisted:
            yield record(agent_id, "presale", since)
    yield record(agents.robot, "frozen", since)
    if agents.trainee:
        yield record(agents.trainee, "frozen", since)
    if days >= 3:
        if agents.trainee:
            yield record(agents.trainee, "presale", changed)
        if len(agents.presale) >= 4:
            yield record(agents.presale[1], "aftersale", changed)
