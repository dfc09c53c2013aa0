"""Four orders of one evening, written by hand: small enough to follow every word of them.

They happen in the first shop of the sample (``jd:10086``), whose settings let a silent order be followed up.
"""

from __future__ import annotations

from itertools import count
from operator import itemgetter
from typing import Any, NamedTuple

from stream_attr.rules.shop.days import MINUTE_MS

__all__ = ["BUYERS", "SHOP_ID", "STORY_MS", "Story", "story"]

SHOP_ID = "jd:10086"
BUYERS = {"b-lin": "林", "b-wang": "王", "b-zhao": "赵", "b-qian": "钱"}
"""The buyers of the story and their names."""
STORY_MS = 40 * MINUTE_MS
"""The story is over so long after it has begun."""

# Minute and second after the beginning, buyer, who says it to or as which agent, what.
CHAT = (
    ("00:00", "b-lin", "buyer", "kf-04", "你好，这件羽绒服身高168穿什么码？"),
    ("00:40", "b-lin", "agent", "kf-04", "您好，168穿L码合适，现在拍有满减"),
    ("01:30", "b-lin", "buyer", "kf-04", "我再考虑一下"),
    ("03:00", "b-zhao", "buyer", "kf-05", "电饭煲能煮几个人的饭"),
    ("03:30", "b-zhao", "agent", "kf-05", "这款4升，三到五个人够用"),
    ("06:00", "b-lin", "buyer", "kf-05", "羽绒服刚才问过，黑色L码还有吗"),
    ("06:25", "b-lin", "agent", "kf-05", "黑色L码还有最后几件哦"),
    ("15:40", "b-lin", "buyer", "kf-06", "拍好了，地址能改成公司吗"),
    ("16:05", "b-lin", "agent", "kf-06", "可以的，您把新地址发我，改好后付款就行"),
    ("24:00", "b-wang", "buyer", "kf-07", "刚付款了，今天能发货吗？"),
    ("24:50", "b-wang", "agent", "kf-07", "能的，今晚就给您发出"),
    ("26:00", "b-qian", "buyer", "kf-robot", "扫地机器人能拖地吗"),
    ("26:02", "b-qian", "agent", "kf-robot", "您好，正在为您转接人工客服"),
    ("26:40", "b-qian", "agent", "kf-05", "能的，扫拖一体，今天下单送滤网"),
    ("27:10", "b-qian", "agent", "kf-05", "也可以分两次付款哦"),
)
# Who hands a buyer over to whom; who is rated how.
TRANSFERS = (("26:10", "b-qian", "kf-robot", "kf-05"),)
RATINGS = (("36:00", "b-qian", "kf-05", 5),)
# The same, with the order and what happened; amounts in fen.
ORDERS: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("09:10", "b-zhao", "o-zhao", {"type": "created", "amount": 39_900, "product_ids": ["p-100205"]}),
    ("12:00", "b-lin", "o-lin", {"type": "created", "amount": 129_000, "product_ids": ["p-100142"]}),
    ("18:30", "b-lin", "o-lin", {"type": "paid", "amount": 129_000}),
    ("20:30", "b-wang", "o-wang", {"type": "created", "amount": 8_900, "product_ids": ["p-100107"]}),
    ("21:00", "b-wang", "o-wang", {"type": "paid", "amount": 8_900}),
    ("29:00", "b-qian", "o-qian", {"type": "created", "amount": 259_900, "product_ids": ["p-100114"]}),
    ("29:30", "b-qian", "o-qian", {"type": "paid", "amount": 100_000, "payment_id": "1"}),
    ("34:00", "b-qian", "o-qian", {"type": "paid", "amount": 159_900, "payment_id": "2"}),
    ("38:00", "b-lin", "o-lin", {"type": "refund_requested", "amount": 10_000}),
)
RULINGS = (("39:00", "b-qian", "o-qian", {"type": "credit", "agent_id": "kf-04", "ruled_by": "店长"}),)
"""The manager knows that kf-04 had advised the buyer on the phone."""


class Story(NamedTuple):
    """Records in the order of their time."""

    chat: list[dict[str, Any]]
    orders: list[dict[str, Any]]
    rulings: list[dict[str, Any]]


def story(start_ts: int) -> Story:
    """The evening, begun at an instant (milliseconds).

    Lin asks one agent, then another, orders, and asks a third before paying: the payment agent has the
    credit, the others assist. Wang orders and pays without a word, silently, until an agent's answer within
    ten minutes follows the order up. Zhao asks, orders and never pays. Qian asks the robot, which hands over
    to an agent who answers, pays in two parts, and is satisfied; then a manager rules whose sale it is.
    """
    numbers = count(1)

    def record(at: str, buyer: str, kind: str) -> dict[str, Any]:
        minutes, seconds = map(int, at.split(":"))
        ts = start_ts + minutes * MINUTE_MS + seconds * 1_000
        event_id = f"{kind}-story-{next(numbers):02}"
        return {"event_id": event_id, "shop_id": SHOP_ID, "buyer_id": buyer, "ts": ts}

    chat = [
        {**record(at, buyer, "c"), "agent_id": agent, "sender": sender, "text": text}
        for at, buyer, sender, agent, text in CHAT
    ]
    chat += [
        {**record(at, buyer, "c"), "agent_id": agent, "type": "transfer", "to_agent_id": to_agent}
        for at, buyer, agent, to_agent in TRANSFERS
    ]
    chat += [
        {**record(at, buyer, "c"), "agent_id": agent, "type": "rating", "score": score}
        for at, buyer, agent, score in RATINGS
    ]
    return Story(
        chat=sorted(chat, key=itemgetter("ts")),
        orders=[{**record(at, buyer, "e"), "order_id": order, **what} for at, buyer, order, what in ORDERS],
        rulings=[{**record(at, buyer, "r"), "order_id": order, **what} for at, buyer, order, what in RULINGS],
    )
