"""A message found to bear on no verdict bears on none: each order is judged from scratch to see."""

from __future__ import annotations

import random

import pytest

from stream_attr.rules.buyer.buyer import Buyer
from stream_attr.rules.buyer.verdicts import revise
from stream_attr.rules.chat.message import (
    AUTO_REPLY,
    BLANK,
    BROADCAST,
    PRODUCT_PAGE,
    SUBACCOUNT,
    TEXT_SHIFT,
    Message,
)
from stream_attr.rules.order.attribution import judge
from stream_attr.rules.order.facts import Cancelled, Placed
from stream_attr.rules.order.finality import verdict
from stream_attr.rules.order.order import Order
from stream_attr.rules.shop.day_rules import SettingsRecord
from stream_attr.rules.shop.days import DAY_MS, HOUR_MS, MINUTE_MS, zone
from stream_attr.rules.shop.settings import PRESETS, AutoReply, Filters, Settings, SilentFollowup, Validity
from stream_attr.rules.shop.shop import Shop
from stream_attr.rules.vocabulary import CreditRule, PickRule, ProductPriority

DAY = 20_000
MORNING = zone("Asia/Shanghai").start_of(DAY) + 9 * HOUR_MS
WORLDS = 75


def a_shop(chance):
    shop = Shop("jd:1")
    rules = [_rules(chance) for _ in range(3)]
    shop.add_settings(SettingsRecord(0, 0, rules[0], {"x": rules[1], "y": rules[2]}), "Asia/Shanghai")
    return shop


def _rules(chance):
    if chance.random() < 0.3:
        return chance.choice(list(PRESETS.values()))
    advert = chance.random() < 0.3
    return Settings(
        placing_rule=chance.choice(list(PickRule)),
        payment_rule=chance.choice(list(PickRule)),
        credit_rule=chance.choice(list(CreditRule)),
        validity=chance.choice((Validity(hours=24), Validity(natural_days=0), Validity(natural_days=2))),
        product_priority=chance.choice(list(ProductPriority)),
        silent_followup=SilentFollowup(
            chance.random() < 0.5, chance.random() < 0.5, chance.choice((10, 600))
        ),
        payment_deadline_hours=chance.choice((1, 5, 24)),
        auto_reply=AutoReply(identify=chance.random() < 0.5),
        carried_questions=chance.random() < 0.8,
        max_wait_minutes=chance.choice((None, 10, 60, 1440)),
        filters=Filters(
            buyer_subaccount=chance.random() < 0.3,
            advert=advert,
            advert_phrase="bye" if advert else "",
            advert_within=chance.choice((1, 2)),
            single_sentence=chance.random() < 0.3,
            monologue=chance.random() < 0.7,
            monologue_max_buyer_messages=chance.choice((0, 2)),
        ),
    )


def a_message(chance, number, begin):
    flags = chance.choice(
        (0, 0, 0, 0, 0, 0, BLANK, BROADCAST, AUTO_REPLY, PRODUCT_PAGE, SUBACCOUNT, 1 << TEXT_SHIFT)
    )
    ts = begin + chance.randrange(12) * 20 * MINUTE_MS + chance.choice((0, 0, 1))
    product = chance.choice((None, None, "p-1", "p-2"))
    return Message(ts, chance.randrange(2), f"m{number}", flags, 1, product)


def learn_of_an_order(chance, buyer, number):
    ts = MORNING + chance.randrange(12) * 20 * MINUTE_MS
    order = buyer.add_order_event(f"o{number % 3}", f"e{number}", ts)
    products = chance.choice(((), ("p-1",)))
    kind = chance.randrange(4)
    if kind < 2:
        order.add_created(Placed(ts, f"e{number}", 1, None, None, products))
    elif kind == 2:
        order.add_paid(Placed(ts, f"e{number}", 1, None, None, products, chance.choice((None, ts - HOUR_MS))))
    else:
        order.add_cancelled(Cancelled(ts, f"x{ts}", None))
    if order.created_ts is not None:
        list(revise(buyer, order, MORNING, "x"))


def is_right(buyer, order):
    """Whether the last emitted verdicts are those of all facts, judged from scratch."""
    afresh = Buyer(buyer.shop, buyer.buyer_id)
    for agent_id, days in buyer.receptions.items():
        for reception in days.values():
            afresh.restore(agent_id, reception.messages, reception.transfers, reception.handed_over)
    for profile in order.judged:
        fresh = judge(order, afresh.receptions, buyer.buyer_id, buyer.shop, profile)
        if verdict(order, fresh, MORNING) != order.emitted[profile].verdict:
            return False
    return True


@pytest.mark.parametrize("many", [False, True], ids=["few messages", "many messages"])
def test_what_is_not_judged_again_would_be_judged_the_same(many):
    spared = 0
    for seed in range(WORLDS):
        chance = random.Random(f"{seed}/{many}")
        buyer = Buyer(a_shop(chance), "b-1")
        agents = chance.choice(("A", "AB", "ABCD"))
        for number in range(100 if many else 30):
            if chance.random() < (0.05 if many else 0.2):
                learn_of_an_order(chance, buyer, number)
                continue
            begin = chance.choice((MORNING, MORNING, MORNING - DAY_MS, MORNING - 11 * HOUR_MS))
            touched: list[Order] = []
            message = a_message(chance, number, begin)
            if len(agents) > 1 and chance.random() < 0.05:
                agent_id, to_agent_id = chance.sample(agents, 2)
                buyer.add_transfer(agent_id, to_agent_id, message.ts, f"t{number}", touched=touched)
            else:
                buyer.add_message(chance.choice(agents), message, touched=touched)
            for order in buyer.orders.values():
                if order in touched:
                    list(revise(buyer, order, MORNING, "chat"))
                elif order.created_ts is not None:
                    spared += 1
                assert order.created_ts is None or is_right(buyer, order), (seed, number)
    assert spared > 400
