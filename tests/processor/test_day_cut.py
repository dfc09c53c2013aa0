"""A shop whose days begin later than midnight (RULEBOOK 1, 2), in decisions, reports and figures."""

from __future__ import annotations

from datetime import datetime

import pytest

from stream_attr.contract.topics import AGENT_DAILY, CHAT, DECISIONS, FACTS, INQUIRIES, ORDERS, SETTINGS
from stream_attr.processor import Options
from stream_attr.rules.shop.days import DAY_MS, HOUR_MS, MINUTE_MS, day_number, zone
from stream_attr.testing import Driver

TODAY = day_number("2026-11-02")
MIDNIGHT = zone("Asia/Shanghai").start_of(TODAY)
"""2026-11-02 00:00."""


class Shop:
    """A shop with a day cut; times are milliseconds after `MIDNIGHT`."""

    def __init__(self, *records, partitions=1, lateness=0):
        options = Options(allowed_lateness_ms=lateness)
        self.driver = Driver(
            settings=[self.record(**one) for one in records], options=options, partitions=partitions
        )
        self.number = 0

    @staticmethod
    def record(**settings):
        return {"shop_id": "jd:1", "effective_from": "2026-10-01", **settings}

    def _send(self, topic, ts, buyer, **fields):
        self.number += 1
        ids = {"shop_id": "jd:1", "buyer_id": buyer, "event_id": f"e{self.number}", "ts": MIDNIGHT + ts}
        return self.driver.send(topic, {**ids, **fields})

    def served(self, ts, agent_id="A", buyer="b"):
        self._send(CHAT, ts - 1000, buyer, agent_id=agent_id, sender="buyer")
        self._send(CHAT, ts, buyer, agent_id=agent_id, sender="agent")

    def asked(self, ts, agent_id="A", buyer="b"):
        self._send(CHAT, ts, buyer, agent_id=agent_id, sender="buyer")

    def order(self, ts, type_="created", order_id="o", buyer="b"):
        self._send(ORDERS, ts, buyer, order_id=order_id, type=type_, amount=100)

    def tick(self, ts):
        return self.driver.tick(MIDNIGHT + ts)

    @property
    def decision(self):
        return self.driver.last(DECISIONS)["jd:1|o"]


def test_what_happens_before_the_cut_lies_on_the_day_before():
    """The example of RULEBOOK 12."""
    shop = Shop({"day_cut": "02:00", "validity": {"natural_days": 0}})
    shop.served(90 * MINUTE_MS)
    shop.order(100 * MINUTE_MS)
    shop.order(101 * MINUTE_MS, "paid")
    assert (shop.decision["credit"]["agent_id"], shop.decision["final_at"]) == ("A", MIDNIGHT + 2 * HOUR_MS)
    shop.tick(2 * HOUR_MS - 1)
    assert shop.decision["status"] == "pending"
    shop.tick(2 * HOUR_MS)
    assert shop.decision["status"] == "final"
    assert list(shop.driver.last(FACTS)) == ["jd:1|b|A|2026-11-01"]
    shop.driver.finish()
    assert shop.driver.last(INQUIRIES)["jd:1|b|A|2026-11-01"]["outcome"] == "paid"
    figures = shop.driver.last(AGENT_DAILY)["jd:1|A|2026-11-01"]
    assert (figures["sales"]["amount"], figures["placed"]["orders"]) == (100, 1)
    assert (figures["workload"]["final_from"], figures["inquiries"]["final_from"]) == (
        "2026-11-02",
        "2026-11-03",
    )


@pytest.mark.parametrize(("said", "agent"), [(2 * HOUR_MS - 1, None), (2 * HOUR_MS + 1000, "A")])
def test_natural_days_of_validity_begin_at_the_cut(said, agent):
    shop = Shop({"day_cut": "02:00", "validity": {"natural_days": 1}})
    shop.served(said)
    shop.order(DAY_MS + 3 * HOUR_MS)
    shop.order(DAY_MS + 3 * HOUR_MS, "paid")
    credit = shop.decision["credit"]
    assert (None if credit is None else credit["agent_id"]) == agent


def test_an_order_is_judged_by_the_record_of_its_business_day_and_profiles_have_the_cut():
    first = {"day_cut": "02:00", "profiles": {"same-day": {"validity": {"natural_days": 0}}}}
    shop = Shop(
        first, {"effective_from": "2026-11-02", "credit_rule": "order", "profiles": first["profiles"]}
    )
    shop.served(HOUR_MS)
    for order_id, created in (("o", 2 * HOUR_MS - 1), ("o-2", 2 * HOUR_MS)):
        shop.order(created, "created", order_id)
        shop.order(created, "paid", order_id)
    decisions = shop.driver.last(DECISIONS)
    assert [decisions[f"jd:1|{one}"]["settings_from"] for one in ("o", "o-2")] == ["2026-10-01", "2026-11-02"]
    compared = shop.driver.last("attribution-comparisons")
    assert compared["jd:1|o|same-day"]["credit"]["agent_id"] == "A"
    assert compared["jd:1|o-2|same-day"]["credit"] is None  # said before 02:00: on the day before


@pytest.mark.parametrize("cut", ["02:10", "00:00", "11:59"])
@pytest.mark.parametrize("partitions", [1, 3])
def test_days_are_closed_at_the_cut_and_not_at_a_quarter_of_an_hour(cut, partitions):
    """An agent who spoke to nobody was offline: the day's figures say so once the watermark is at the cut."""
    shop = Shop({"day_cut": cut}, partitions=partitions)
    hours, minutes = map(int, cut.split(":"))
    end = DAY_MS + hours * HOUR_MS + minutes * MINUTE_MS
    shop.asked(end - HOUR_MS, buyer="b")
    shop.served(end - HOUR_MS, agent_id="B", buyer="b-2")
    shop.tick(end - 1)
    facts = shop.driver.last(FACTS)
    assert facts.get("jd:1|b|A|2026-11-02", {"status": "pending"})["status"] == "pending"
    shop.tick(end)
    fact = shop.driver.last(FACTS)["jd:1|b|A|2026-11-02"]
    assert (fact["status"], fact["filtered"], fact["final_at"]) == ("final", "agent_offline", MIDNIGHT + end)
    for agent_id, receptions in (("A", 0), ("B", 1), ("*", 1)):
        workload = shop.driver.last(AGENT_DAILY)[f"jd:1|{agent_id}|2026-11-02"]["workload"]
        assert (workload["status"], workload["receptions"]) == ("final", receptions)


@pytest.mark.parametrize("partitions", [1, 3])
def test_a_first_record_after_the_events_divides_them_again(partitions):
    shop = Shop(partitions=partitions)
    shop.served(HOUR_MS)
    shop.asked(HOUR_MS, agent_id="C", buyer="b-2")
    shop.order(90 * MINUTE_MS)
    shop.order(91 * MINUTE_MS, "paid")
    shop.tick(100 * MINUTE_MS)
    assert "jd:1|A|2026-11-02" in shop.driver.last(AGENT_DAILY)
    assert shop.decision["final_at"] == MIDNIGHT + DAY_MS
    shop.driver.send(SETTINGS, shop.record(day_cut="02:10", timezone="America/New_York"))
    shop.tick(2 * HOUR_MS)
    shop.driver.finish()
    # 01:00 in Shanghai is noon of 1 November in New York
    assert shop.decision["final_at"] == zone("America/New_York", "02:10").start_of(day_number("2026-11-02"))
    facts = shop.driver.last(FACTS)
    fact = facts["jd:1|b|A|2026-11-01"]
    assert (fact["status"], fact["final_at"]) == ("final", shop.decision["final_at"])
    assert facts["jd:1|b-2|C|2026-11-01"]["filtered"] == "agent_offline"
    figures = shop.driver.last(AGENT_DAILY)
    assert figures["jd:1|A|2026-11-01"]["sales"]["amount"] == 100
    assert figures["jd:1|A|2026-11-01"]["workload"]["final_from"] == "2026-11-02"
    assert figures["jd:1|A|2026-11-02"]["workload"]["consults"] == 0
    assert all(one["status"] == "final" for one in figures.values())


def test_a_first_record_with_another_cut_on_the_same_day_moves_its_end():
    shop = Shop()
    shop.served(13 * HOUR_MS)
    shop.asked(13 * HOUR_MS, agent_id="C", buyer="b-2")
    shop.tick(14 * HOUR_MS)
    assert "jd:1|A|2026-11-02" in shop.driver.last(AGENT_DAILY)
    shop.driver.send(SETTINGS, shop.record(day_cut="03:10"))
    shop.tick(DAY_MS + 3 * HOUR_MS + 10 * MINUTE_MS - 1)
    assert shop.driver.last(AGENT_DAILY)["jd:1|A|2026-11-02"]["workload"]["status"] == "pending"
    shop.tick(DAY_MS + 3 * HOUR_MS + 10 * MINUTE_MS)
    workload = shop.driver.last(AGENT_DAILY)["jd:1|A|2026-11-02"]["workload"]
    assert (workload["status"], workload["final_from"]) == ("final", "2026-11-03")
    assert shop.driver.last(FACTS)["jd:1|b-2|C|2026-11-02"]["filtered"] == "agent_offline"


def test_days_with_a_cut_survive_a_restart():
    shop = Shop({"day_cut": "02:00"})
    shop.served(HOUR_MS)
    shop.asked(HOUR_MS, agent_id="C", buyer="b-2")
    shop.tick(HOUR_MS + 30 * MINUTE_MS)
    shop.driver.restart()
    shop.tick(2 * HOUR_MS)
    figures = shop.driver.last(AGENT_DAILY)
    assert figures["jd:1|A|2026-11-01"]["workload"]["status"] == "final"
    assert figures["jd:1|A|2026-11-01"]["workload"]["final_from"] == "2026-11-02"
    assert shop.driver.last(FACTS)["jd:1|b-2|C|2026-11-01"]["filtered"] == "agent_offline"
    shop.driver.finish()
    assert shop.driver.state == {}


@pytest.mark.parametrize(
    ("timezone", "on", "first", "last"),
    [
        ("America/New_York", "2026-03-07", "2026-03-07T02:00-05:00", "2026-03-08T03:00-04:00"),
        ("America/New_York", "2026-10-31", "2026-10-31T02:00-04:00", "2026-11-01T02:00-05:00"),
        ("Australia/Lord_Howe", "2026-10-03", "2026-10-03T02:00+10:30", "2026-10-04T02:30+11:00"),
        ("Australia/Lord_Howe", "2026-04-04", "2026-04-04T02:00+11:00", "2026-04-05T02:00+10:30"),
        ("Pacific/Apia", "2011-12-29", "2011-12-29T02:00-10:00", "2011-12-31T00:00+14:00"),
        ("Pacific/Apia", "2011-12-30", "2011-12-31T00:00+14:00", "2011-12-31T02:00+14:00"),
        ("America/Havana", "2026-03-07", "2026-03-07T02:00-05:00", "2026-03-08T02:00-04:00"),
        ("America/Havana", "2026-10-31", "2026-10-31T02:00-04:00", "2026-11-01T02:00-05:00"),
    ],
)
def test_days_on_which_clocks_change_begin_and_end_at_two(timezone, on, first, last):
    begin, end = (int(datetime.fromisoformat(one).timestamp()) * 1000 - MIDNIGHT for one in (first, last))
    record = {"timezone": timezone, "day_cut": "02:00", "effective_from": "2011-01-01"}
    shop = Shop({**record, "validity": {"natural_days": 0}})
    shop.served(begin + 1000)
    shop.order(end - 2, "created")
    shop.order(end - 1, "paid")
    assert (shop.decision["credit"]["agent_id"], shop.decision["final_at"]) == ("A", MIDNIGHT + end)
    shop.order(end, "created", "o-2")
    shop.order(end, "paid", "o-2")
    assert shop.driver.last(DECISIONS)["jd:1|o-2"]["credit"] is None  # said on the day before
    shop.driver.finish()
    assert list(shop.driver.last(FACTS)) == [f"jd:1|b|A|{on}"]


def test_a_day_of_orders_alone_follows_a_first_record_too():
    shop = Shop()
    shop.order(12 * HOUR_MS)
    shop.order(12 * HOUR_MS, "paid")
    shop.tick(13 * HOUR_MS)
    figures = shop.driver.last(AGENT_DAILY)
    assert figures["jd:1|*|2026-11-02"]["sales"]["final_from"] == "2026-11-03"
    shop.driver.send(SETTINGS, shop.record(day_cut="02:10", payment_deadline_hours=48))
    shop.tick(DAY_MS + 2 * HOUR_MS + 10 * MINUTE_MS - 1)
    assert shop.driver.last(AGENT_DAILY)["jd:1|*|2026-11-02"]["sales"]["status"] == "pending"
    shop.tick(DAY_MS + 2 * HOUR_MS + 10 * MINUTE_MS)
    figures = shop.driver.last(AGENT_DAILY)["jd:1|*|2026-11-02"]
    assert figures["sales"]["status"] == "final"
    assert figures["placed"]["final_from"] == "2026-11-05"  # 48 hours to pay
