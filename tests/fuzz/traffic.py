"""A small shop street's days, some of them hostile: the batches of a case, from its seed alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from stream_attr.contract.records.order_event import NEEDS_AMOUNT
from stream_attr.contract.topics import CHAT, ORDERS, ROSTER, RULINGS, SETTINGS, TICKS
from stream_attr.rules.shop.days import DAY_MS, HOUR_MS, MINUTE_MS, day_name
from stream_attr.rules.vocabulary import CREDIT_RULES
from tests.fuzz.sent import ANYTHING, Sent, spoilt

__all__ = ["Batch", "traffic"]

BEGIN_TS = 1_793_500_000_000
REFUND_IDS = ("r-1", "r-2", "退")
SHOPS = ("jd:1", "tb:2", "pdd:3")
HOSTILE = 0.6
"""How many of the records are spoilt."""
LARGEST_BATCH = 80


@dataclass
class Batch:
    """What a worker would take at a time."""

    now: int
    """The wall clock."""
    knowledge: list[Sent] = field(default_factory=list)
    """Settings and roster, which are taken first."""
    events: list[Sent] = field(default_factory=list)
    restart: bool = False
    """The worker starts again, from its state, before it."""


def traffic(seed: str, records: int) -> Iterator[Batch]:
    """Yield batches with so many records in all."""
    chance = Random(seed)
    street = _Street(chance)
    while records > 0:
        if chance.random() < 0.02:
            street.now += 50 * DAY_MS  # between batches, as within one it is always the same moment
        batch = Batch(street.now, restart=chance.random() < 0.05)
        for _ in range(min(records, chance.randint(1, LARGEST_BATCH))):
            records -= 1
            sent = street.next()
            if chance.random() < HOSTILE:
                sent = spoilt(chance, sent)
            (batch.knowledge if sent.topic in (SETTINGS, ROSTER) else batch.events).append(sent)
        batch.now = street.now
        yield batch


class _Street:
    """Who says, orders and pays what next."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._number = 0
        self._sent: list[Sent] = []
        self._orders: list[dict[str, Any]] = []
        self.now = BEGIN_TS

    def next(self) -> Sent:
        """Return the next record, as it should be."""
        chance = self._chance
        self._pass_time()
        if self._sent and chance.random() < 0.04:
            return replace(chance.choice(self._sent), expected=ANYTHING)  # by now it may be too late
        kind = chance.random()
        if kind < 0.03:
            return Sent.of(SETTINGS, self._settings(), self._stamp())
        if kind < 0.06:
            return Sent.of(ROSTER, self._role(), self._stamp())
        if kind < 0.10:
            return Sent.of(TICKS, {"ts": self.now - chance.choice((0, 5 * MINUTE_MS, HOUR_MS))})
        if kind < 0.12:
            sent = Sent.of(RULINGS, self._ruling())
        elif kind < 0.4:
            sent = self._order()
        else:
            message = self._message()
            sent = Sent.of(CHAT, message)
            if "rated_ts" in message:
                sent = replace(sent, expected=ANYTHING)  # what is rated may be too late
        self._sent = [*self._sent[-30:], sent]
        return sent

    def _pass_time(self) -> None:
        chance = self._chance
        self.now += chance.randint(0, 3 * MINUTE_MS)
        if chance.random() < 0.01:
            self.now += chance.choice((HOUR_MS, 8 * HOUR_MS, DAY_MS))

    def _stamp(self) -> int:
        return self._chance.choice((self.now, self.now, self.now, 0, -1))

    def _happened(self) -> int:
        """When: mostly just now, sometimes told late."""
        chance = self._chance
        late = chance.choice((0, 0, 0, 0, 0, MINUTE_MS, HOUR_MS, DAY_MS, 5 * DAY_MS))
        return self.now - (chance.randint(0, late) if late else 0)

    def _ids(self) -> dict[str, Any]:
        chance = self._chance
        self._number += 1
        return {
            "event_id": f"e{self._number}",
            "shop_id": chance.choice(SHOPS),
            "buyer_id": chance.choice(("b-1", "b-2", "买家", "b 3")),
        }

    def _message(self) -> dict[str, Any]:
        chance = self._chance
        value = {**self._ids(), "agent_id": chance.choice("ABCD"), "ts": self._happened()}
        if chance.random() < 0.05:
            others = [agent for agent in "ABCD" if agent != value["agent_id"]]
            return {**value, "type": "transfer", "to_agent_id": chance.choice(others)}
        if chance.random() < 0.05:
            rating = {**value, "type": "rating", "score": chance.randint(1, 5)}
            earlier = value["ts"] - chance.choice((0, HOUR_MS, DAY_MS, 40 * DAY_MS))
            return rating if chance.random() < 0.5 else {**rating, "rated_ts": earlier}
        value["sender"] = chance.choice(("buyer", "agent"))
        optional = {
            "kind": ("text", "image", "card", "system", "broadcast", "auto_reply"),
            "text": ("你好", "", " ", "\u200b", "^ 在吗", "祝生活愉快", "😀" * 40, "\ud83d"),
            "text_length": (0, 1, 500),
            "entry": ("product_page", "order_page", "shop", "other"),
            "product_id": ("p-1", "p-2"),
            "buyer_is_subaccount": (True, False),
        }
        for name, words in optional.items():
            if chance.random() < 0.25:
                value[name] = chance.choice(words)
        return value

    def _order(self) -> Sent:
        chance = self._chance
        if not self._orders or chance.random() < 0.3:
            ids = self._ids()
            order = {name: ids[name] for name in ("shop_id", "buyer_id")}
            self._orders = [*self._orders[-15:], {**order, "order_id": f"o{self._number}"}]
        order = chance.choice(self._orders)
        kinds = (
            *("created", "created", "paid", "paid", "cancelled", "refund_requested", "refund_completed"),
            *("parcel_returned", "parcel_inspected", "reviewed"),
            *("deposit_paid", "refund_closed", "excluded", "included"),
        )
        value = {**self._ids(), **order, "ts": self._happened(), "type": chance.choice(kinds)}
        if value["type"] == "reviewed":
            value["review"] = chance.choice(("good", "neutral", "bad"))
        elif value["type"] == "refund_closed":
            value["refund_id"] = chance.choice(REFUND_IDS)
        elif value["type"] in NEEDS_AMOUNT:
            value["amount"] = chance.choice((0, 1, 9_900, 1_000_000))
        if value["type"] == "deposit_paid" and chance.random() < 0.7:
            value["balance_until"] = value["ts"] + chance.choice((1, DAY_MS, 40 * DAY_MS))
        if value["type"] == "paid" and chance.random() < 0.3:
            value["created_ts"] = value["ts"] - chance.choice((0, MINUTE_MS, 30 * DAY_MS))
        optional = {
            "payment_id": ("1", "2", "三"),
            "refund_id": REFUND_IDS,
            "quantity": (1, 3),
            "currency": ("CNY", "EUR"),
            "product_ids": ([], ["p-1"], ["p-1", "p-2"]),
        }
        for name, words in optional.items():
            if chance.random() < 0.2:
                value[name] = chance.choice(words)
        sent = Sent.of(ORDERS, value)
        # a hostile one of the same order may have used up what its refunds or payments may come to
        return replace(sent, expected=ANYTHING) if value["type"].startswith(("refund", "paid")) else sent

    def _ruling(self) -> dict[str, Any]:
        """A ruling on an order of before, or on one of which nothing is known yet."""
        chance = self._chance
        order = chance.choice(self._orders) if self._orders else {"order_id": "o0"}
        value = {**self._ids(), **order, "ts": self._happened(), "ruled_by": chance.choice(("经理", "m|1"))}
        if chance.random() < 0.3:
            return {**value, "type": "withdrawn"}
        return {**value, "type": "credit", "agent_id": chance.choice(("A", "D", "X", None))}

    def _day(self) -> str:
        return day_name(self.now // DAY_MS + self._chance.choice((-20, 0, 1, 1, 2, 40)))

    def _role(self) -> dict[str, Any]:
        chance = self._chance
        return {
            "shop_id": chance.choice(SHOPS),
            "agent_id": chance.choice(("A", "B", "C", "b-1")),
            "role": chance.choice(("presale", "presale", "aftersale", "frozen")),
            "effective_from": self._day(),
        }

    def _settings(self) -> dict[str, Any]:
        chance = self._chance
        value: dict[str, Any] = {"shop_id": chance.choice(SHOPS), "effective_from": self._day()}
        optional: dict[str, tuple[Any, ...]] = {
            "preset": ("jd_cloud", "kefu_mofang", "kefu_mofang_2", "dongdong_guanjia"),
            "timezone": ("Asia/Shanghai", "Europe/Berlin"),
            "day_cut": ("00:00", "02:10"),
            "placing_rule": ("last_chat", "most_rounds"),
            "credit_rule": tuple(CREDIT_RULES),
            "validity": ({"hours": 24}, {"natural_days": 3}),
            "product_priority": ("off", "product_page", "ordered_product"),
            "payment_deadline_hours": (1, 24, 720),
            "after_sales_days": (0, 21, 180),
            "max_wait_minutes": (1, 10, None),
            "auto_reply": ({"identify": True, "prefix": "^"}, {"identify": False}),
            "overnight_once": (True,),
            "carried_questions": (False,),
            "agent_initiated_exempt": ({"enabled": True, "first_reply_days": 3},),
            "official_accounts": ([], ["b-2"]),
            "filters": (
                {"advert": {"enabled": True, "phrase": "祝生活愉快"}},
                {"agent_offline": {"enabled": False}},
            ),
            "tasks": ({"payment_reminder": {"enabled": True}, "duty": []},),
            "profiles": ({}, {"other": {"preset": "kefu_mofang"}}),
        }
        for name, words in optional.items():
            if chance.random() < 0.15:
                value[name] = chance.choice(words)
        return value
