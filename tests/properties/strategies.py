"""Small worlds in which collisions, ties and boundaries are the rule: hypothesis strategies of input records.

Times lie on a coarse grid around days' ends and around each other, agents and buyers are few. All events of a
world lie within ``SPAN_DAYS``, so that nothing expires or is ``too_late`` while it lasts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from tests.reference.days import HOUR_MS, MINUTE_MS, ShopDays, first_instant
from tests.reference.model import CREDIT_RULES
from tests.reference.receptions import FILTERS
from tests.reference.settings import NO_FOLLOWUP_PRESETS, PRESETS

Json = dict[str, Any]

SPAN_DAYS = 30
SHOPS = ("jd:1", "tb:2")
AGENTS = ("A", "B", "b", "乙")
BUYERS = ("b-1",) * 10 + ("b-2", "A")
"""Mostly one buyer, so that events meet; one whose id is an agent's."""
CROWD = ("b-1", "b-1", "b-2", "b-3", "A")
"""Several buyers, so that an agent serves more than one on a day."""
PHRASE = "祝生活愉快"

_DAY_MS = 24 * HOUR_MS
_CALENDARS = (
    *[("Asia/Shanghai", date(2026, 11, 1), "00:00")] * 4,
    *[("Asia/Shanghai", date(2026, 11, 1), "02:00")] * 2,
    *[("UTC", date(2026, 2, 27), cut) for cut in ("00:00", "12:00")],
    *[("Europe/Berlin", date(2026, 10, 23), "00:00")] * 2,  # clocks go back on the 25th
    *[("Europe/Berlin", date(2026, 3, 27), "00:00")] * 2,  # and forward on the 29th
    *[("America/New_York", date(2026, 10, 30), cut) for cut in ("00:00", "01:30", "02:00")],
    *[("America/New_York", date(2026, 3, 6), cut) for cut in ("02:00", "02:30")],
    ("Australia/Lord_Howe", date(2026, 4, 3), "02:00"),  # by half an hour
    ("Australia/Lord_Howe", date(2026, 10, 2), "02:00"),
    *[("America/Havana", date(2026, 10, 30), cut) for cut in ("00:00", "00:30", "02:00")],  # midnight twice
    ("America/Havana", date(2026, 3, 6), "00:00"),  # no midnight
    *[("Pacific/Apia", date(2011, 12, 28), cut) for cut in ("00:00", "02:00")],  # there was no 30th
)
"""Time zone, the first of the days on which things happen, and day cut."""
_DAYS = (1, 1, 2, 2, 3, 4, 7, 15, 16)
_TEN = 10 * HOUR_MS
_CLOCKS = (
    *(0, 0, 1, _TEN - 1, _TEN, _TEN, _TEN + 1, _TEN + 4 * MINUTE_MS),
    *(_TEN + 10 * MINUTE_MS, _TEN + 10 * MINUTE_MS + 1, 12 * HOUR_MS, -10 * MINUTE_MS, -5 * MINUTE_MS, -1),
    *(HOUR_MS, 2 * HOUR_MS),  # where clocks change
)
"""Milliseconds from the day's beginning; negative: from its end."""
_DELAYS = (
    *(0, 0, 0, 0, 1, MINUTE_MS, 4 * MINUTE_MS, 10 * MINUTE_MS, HOUR_MS, 14 * HOUR_MS, -1, -HOUR_MS),
    *(_DAY_MS - 1, _DAY_MS, _DAY_MS + 1, 2 * _DAY_MS, 5 * _DAY_MS),
    *(-2 * _DAY_MS, -3 * _DAY_MS, 20 * _DAY_MS - 1, 20 * _DAY_MS, 20 * _DAY_MS + 1),
)
"""Milliseconds from the creation of an order to its other events."""
_SHIFTS = (
    *(-1, -1, -MINUTE_MS, -MINUTE_MS, -10 * MINUTE_MS, -10 * MINUTE_MS, -HOUR_MS),
    *(-_DAY_MS - 1, -_DAY_MS, -_DAY_MS + 1, -2 * _DAY_MS, -14 * HOUR_MS, -15 * _DAY_MS),
    *(0, 0, 1, 1, MINUTE_MS, MINUTE_MS, 4 * MINUTE_MS, 10 * MINUTE_MS, 14 * HOUR_MS, _DAY_MS),
)
"""Milliseconds from an instant at which much happens to the beginning of a conversation."""
_PAUSES = (0, 0, 1, MINUTE_MS, MINUTE_MS, 4 * MINUTE_MS, 10 * MINUTE_MS, HOUR_MS)
"""Milliseconds between what is said in a conversation."""


@dataclass(frozen=True)
class World:
    """Input records of a few shops; the lists are in no order."""

    settings: list[Json]
    roster: list[Json]
    chat: list[Json]
    orders: list[Json]
    rulings: list[Json]


@dataclass(frozen=True)
class Calendar:
    """A shop's time zone and day cut, and the first of the days on which things happen."""

    zone: str
    first_day: date
    cut: str

    def instant(self, day: int, clock: int) -> int:
        begin = self.first_day + timedelta(days=day + (clock < 0))
        days = ShopDays(ZoneInfo(self.zone), time.fromisoformat(self.cut))
        return first_instant(begin, days) + clock

    def clip(self, ts: int) -> int:
        """Move an instant into the span of the world."""
        return min(max(ts, self.instant(0, 0)), self.instant(SPAN_DAYS, -1))


def weighted(*choices: tuple[int, Any]) -> st.SearchStrategy[Any]:
    return st.sampled_from([value for weight, value in choices for _ in range(weight)])


def _filter(name: str, default: Json) -> st.SearchStrategy[Json]:
    """Draw what a record says of a filter: mostly that it is on, and small numbers, so that it matches."""
    switch = {"enabled": weighted((3, True), (1, False))}
    numbers = {
        number: st.integers(0 if number.startswith("max_") else 1, 3)
        for number in default.keys() - switch.keys()
    }
    if name == "advert":
        return st.fixed_dictionaries({**switch, "phrase": st.just(PHRASE)}, optional=numbers)
    if default["enabled"]:
        return st.fixed_dictionaries({}, optional={**switch, **numbers})
    return st.fixed_dictionaries(switch, optional=numbers)


_FILTERS = st.fixed_dictionaries(
    {}, optional={name: _filter(name, default) for name, (default, _) in FILTERS.items()}
)

_OVERRIDES: dict[str, st.SearchStrategy[Any]] = {
    "placing_rule": st.sampled_from(["last_chat", "most_rounds"]),
    "payment_rule": st.sampled_from(["last_chat", "most_rounds"]),
    "validity": st.one_of(
        st.sampled_from([24, 48, 360]).map(lambda hours: {"hours": hours}),
        st.sampled_from([0, 1, 2, 15]).map(lambda days: {"natural_days": days}),
    ),
    "product_priority": st.sampled_from(["off", "product_page", "ordered_product"]),
    "payment_deadline_hours": st.sampled_from([1, 24, 168, 720]),
    "unlisted_agents": weighted((4, "presale"), (1, "frozen")),
    "auto_reply": st.fixed_dictionaries({"identify": st.just(True)}, optional={"prefix": st.just("^")}),
    "aftersale_unfiltered": st.booleans(),
    "official_accounts": weighted((3, []), (1, ["b-2"])),
    "max_wait_minutes": st.sampled_from([None, 1, 10, 60]),
    "slow_response": st.sampled_from([{"seconds": 1, "times": 1}, {"seconds": 60, "times": 2}]),
    "after_sales_days": st.sampled_from([0, 1, 21]),
    "agent_initiated_exempt": st.fixed_dictionaries(
        {"enabled": st.just(True)}, optional={"first_reply_days": st.integers(1, 3)}
    ),
    "overnight_once": st.just(True),
    "carried_questions": weighted((2, False), (1, True)),
    "filters": _FILTERS,
}
_FOLLOWUP = st.fixed_dictionaries(
    {},
    optional={
        "buyer_initiated": weighted((4, True), (1, False)),
        "agent_initiated": st.booleans(),
        "minutes": st.sampled_from([1, 10, 14 * 60, 1440]),
    },
)


@st.composite
def rules(draw: st.DrawFn) -> Json:
    """Draw a preset with some overrides: what a settings record and a profile have in common."""
    preset = draw(st.sampled_from([*PRESETS, "jd_cloud", "jd_cloud"]))
    names = draw(st.lists(st.sampled_from(sorted(_OVERRIDES)), unique=True, max_size=5))
    stated: Json = {"preset": preset, **{name: draw(_OVERRIDES[name]) for name in names}}
    if draw(st.booleans()):
        stated["credit_rule"] = draw(st.sampled_from(CREDIT_RULES))
    if preset not in NO_FOLLOWUP_PRESETS and draw(weighted((3, True), (1, False))):
        stated["silent_followup"] = draw(_FOLLOWUP)
    return stated


_DUTY = st.lists(
    st.fixed_dictionaries(
        {
            "weekday": st.integers(1, 7),
            "from": st.sampled_from(["00:00", "10:00"]),
            "to": st.sampled_from(["10:15", "12:00", "24:00"]),
            "agent_id": st.sampled_from(AGENTS),
        }
    ),
    max_size=6,
)
_TASKS = st.fixed_dictionaries(
    {},
    optional={
        "payment_reminder_sms": st.fixed_dictionaries(
            {}, optional={"minutes": st.sampled_from([1, 60, 1440]), "min_amount": st.sampled_from([0, 99])}
        ),
        "payment_reminder": st.fixed_dictionaries({"minutes": st.sampled_from([1, 14 * 60])}),
        "address_check": st.fixed_dictionaries({"enabled": st.booleans()}),
        "parcel_inspection": st.fixed_dictionaries({"by": st.sampled_from(["00:00", "02:30", "10:00"])}),
        "review_follow_up": st.fixed_dictionaries({}, optional={"odd": st.just("O"), "even": st.just("E")}),
        "duty": _DUTY,
    },
)


@st.composite
def settings_of(draw: st.DrawFn, shop_id: str, calendar: Calendar) -> list[Json]:
    """Draw a shop's settings records; the first names its time zone and day cut."""
    records = []
    for index in range(draw(weighted((4, 1), (2, 2), (1, 3)))):
        record: Json = {
            "shop_id": shop_id,
            "effective_from": _date(calendar, draw(st.sampled_from([-3, -3, 0, 1, 1, 2]))),
            **draw(rules()),
        }
        if index == 0 or draw(st.booleans()):
            record["timezone"] = calendar.zone
            record |= {} if calendar.cut == "00:00" else {"day_cut": calendar.cut}
        if draw(st.booleans()):
            record["tasks"] = draw(_TASKS)
        names = draw(st.lists(st.sampled_from(["alt", "what-if_2"]), unique=True))
        if names:
            record["profiles"] = {name: draw(rules()) for name in names}
        records.append(record)
    return records


@st.composite
def roster_of(draw: st.DrawFn, shop_id: str, calendar: Calendar) -> list[Json]:
    """Draw a shop's roster history; a buyer's id may be among its agents."""
    record = st.fixed_dictionaries(
        {
            "shop_id": st.just(shop_id),
            "agent_id": st.sampled_from([*AGENTS, "b-2"]),
            "role": weighted((6, "presale"), (1, "aftersale"), (1, "frozen")),
            "effective_from": st.sampled_from([-5, 0, 1, 2]).map(lambda day: _date(calendar, day)),
        }
    )
    return draw(st.lists(record, max_size=4))


def _date(calendar: Calendar, day: int) -> str:
    return (calendar.first_day + timedelta(days=day)).isoformat()


_BY_BUYER = weighted(
    (10, {}),
    (3, {"entry": "product_page"}),
    (3, {"product_id": "p-1"}),
    (1, {"entry": "product_page", "product_id": "p-2"}),
    (1, {"entry": "shop"}),
    (1, {"text": ""}),
    (1, {"text_length": 0}),
    (1, {"kind": "image"}),
    (1, {"kind": "system"}),
    (1, {"text": PHRASE}),
    (1, {"buyer_is_subaccount": True}),
)
_BY_AGENT = weighted(
    (10, {}),
    (2, {"text": "^欢迎"}),
    (2, {"kind": "auto_reply"}),
    (2, {"kind": "broadcast"}),
    (2, {"text": PHRASE}),
    (1, {"kind": "broadcast", "text": " "}),
    (1, {"text": "\u3000\t"}),
    (1, {"text": "\u200b\u2800"}),
    (1, {"text": f"{PHRASE[:-1]}\ud83d"}),
    (1, {"text": "好", "text_length": 0}),
    (1, {"kind": "card", "text": ""}),
    (1, {"kind": "system"}),
    (1, {"product_id": "p-1", "entry": "product_page"}),
)


@st.composite
def instants(draw: st.DrawFn, calendar: Calendar) -> int:
    """Draw an instant of the grid."""
    return calendar.instant(draw(st.sampled_from(_DAYS)), draw(st.sampled_from(_CLOCKS)))


@st.composite
def conversation(
    draw: st.DrawFn, shop_id: str, calendar: Calendar, busy: list[int], buyers: tuple[str, ...]
) -> list[Json]:
    """Draw what one buyer and one agent say to each other, mostly near one of the ``busy`` instants."""
    near = draw(st.sampled_from(busy)) + draw(st.sampled_from(_SHIFTS))
    ts = draw(st.one_of(*[st.just(near)] * 3, instants(calendar)))
    pair = {
        "shop_id": shop_id,
        "buyer_id": draw(st.sampled_from(buyers)),
        "agent_id": draw(st.sampled_from(AGENTS)),
    }
    said = []
    for side in draw(weighted((5, "ba"), (3, "baba"), (2, "bab"), (2, "ab"), (1, "a"), (1, "b"), (2, "baa"))):
        ts += draw(st.sampled_from(_PAUSES))
        sender, extras = ("buyer", _BY_BUYER) if side == "b" else ("agent", _BY_AGENT)
        said.append({**pair, "ts": calendar.clip(ts), "sender": sender, **draw(extras)})
    if draw(weighted((7, False), (1, True))):
        ts += draw(st.sampled_from([0, 1, -MINUTE_MS]))
        to_agent_id = draw(st.sampled_from([agent for agent in AGENTS if agent != pair["agent_id"]]))
        said.append({**pair, "ts": calendar.clip(ts), "type": "transfer", "to_agent_id": to_agent_id})
    if draw(weighted((7, False), (1, True))):
        rating = {**pair, "ts": calendar.clip(ts), "type": "rating", "score": draw(st.integers(1, 5))}
        before = draw(weighted((2, None), (1, 0), (1, MINUTE_MS), (1, _DAY_MS)))
        said.append(
            rating if before is None else {**rating, "rated_ts": calendar.clip(rating["ts"] - before)}
        )
    return said


@st.composite
def one_after_the_other(draw: st.DrawFn, calendar: Calendar, order_events: list[Json]) -> list[Json]:
    """Draw chat with one agent before an order, and with another before its payment; mostly none.

    Chats drawn apart from the orders hardly ever make placing and payment agent of one order differ.
    """
    found: list[Json] = []
    times = {event["type"]: event["ts"] for event in order_events if event["type"] in {"created", "paid"}}
    if len(times) < 2 or draw(weighted((2, True), (1, False))):
        return found
    agents = draw(st.permutations(AGENTS))
    for agent_id, ts in zip(agents, (times["created"], times["paid"]), strict=False):
        pair = {name: order_events[0][name] for name in ("shop_id", "buyer_id")} | {"agent_id": agent_id}
        found += [
            {**pair, "ts": calendar.clip(ts - before), "sender": sender}
            for before, sender in ((2, "buyer"), (1, "agent"))
        ]
    return found


_FOLLOWING = weighted(
    (6, ("paid",)),
    (3, ()),
    (2, ("cancelled",)),
    (2, ("paid", "cancelled")),
    (1, ("paid", "paid")),
    (1, ("paid", "paid", "paid", "cancelled")),
    (1, ("cancelled", "cancelled")),
    (1, ("deposit_paid",)),
    (1, ("deposit_paid", "paid")),
    (1, ("deposit_paid", "deposit_paid", "cancelled")),
    (2, ("paid", "refund_requested", "refund_completed", "refund_completed")),
    (1, ("paid", "refund_requested", "refund_requested", "refund_closed", "refund_completed")),
    (1, ("refund_requested",)),
    (1, ("paid", "refund_requested", "refund_closed", "refund_requested", "refund_closed", "cancelled")),
    (1, ("paid", "excluded")),
    (1, ("excluded", "included", "excluded")),
    (1, ("deposit_paid", "excluded", "included", "refund_completed")),
    (1, ("deposit_paid", "paid", "refund_completed", "excluded", "included")),
)
_AFTERWARDS = weighted(
    (8, ()),
    (1, ("parcel_returned",)),
    (1, ("parcel_returned", "parcel_inspected", "parcel_returned")),
    (1, ("reviewed", "reviewed")),
    (1, ("reviewed", "parcel_returned", "parcel_inspected", "reviewed", "reviewed")),
)
_AMOUNTS = {
    "created": (0, 100, 12900),
    "deposit_paid": (100,),
    "paid": (0, 100, 12900),
    "refund_requested": (1, 100, 12900),
    "refund_completed": (1, 100, 12900),
}
"""Of a refund of nothing, or of a deposit of another amount, no revision is emitted: the verdict stays."""
_BALANCE_AFTER = (1, HOUR_MS, _DAY_MS, _DAY_MS + 1, 2 * _DAY_MS, 5 * _DAY_MS, 16 * _DAY_MS, 40 * _DAY_MS)
"""Milliseconds from the deposit."""
_TO_AND_FRO = ("credit", "withdrawn", "credit")
_PRODUCTS = weighted((2, None), (2, ["p-1"]), (1, ["p-1", "p-2"]), (1, []))


@st.composite
def order(
    draw: st.DrawFn,
    shop_id: str,
    calendar: Calendar,
    busy: list[int],
    order_id: str,
    buyers: tuple[str, ...],
) -> list[Json]:
    """Draw all events of one order, in no order; its creation may be missing, or said by ``paid`` alone."""
    created_ts = calendar.clip(draw(st.sampled_from(busy)) + draw(weighted((4, 0), (1, 1), (1, MINUTE_MS))))
    ids = {"shop_id": shop_id, "buyer_id": draw(st.sampled_from(buyers)), "order_id": order_id}
    events: list[Json] = []
    creations = draw(weighted((8, ("created",)), (2, ()), (1, ("created", "created"))))
    for kind in (*creations, *draw(_FOLLOWING), *draw(_AFTERWARDS)):
        delay = 0 if kind == "created" and not events else draw(st.sampled_from(_DELAYS))
        event = {**ids, "type": kind, "ts": calendar.clip(created_ts + delay)}
        if kind in _AMOUNTS:
            event["amount"] = draw(st.sampled_from(_AMOUNTS[kind]))
        if kind in {"created", "paid"}:
            products = draw(_PRODUCTS)
            event |= {} if products is None else {"product_ids": products}
            event |= draw(weighted((3, {}), (1, {"quantity": 2}), (1, {"currency": "EUR"})))
        else:
            event |= draw(weighted((5, {}), (1, {"currency": "EUR"}), (1, {"currency": "CNY"})))
        if kind == "paid":
            event |= draw(weighted((3, {}), (1, {"payment_id": "1"}), (1, {"payment_id": "2"})))
        if kind == "paid" and draw(st.booleans()):
            earliest = max(event["ts"] - 30 * _DAY_MS, calendar.instant(0, 0))
            event["created_ts"] = max(earliest, min(created_ts, event["ts"]))
        if kind == "deposit_paid" and draw(st.booleans()):
            event["balance_until"] = event["ts"] + draw(st.sampled_from(_BALANCE_AFTER))
        if kind == "reviewed":
            event["review"] = draw(st.sampled_from(["good", "neutral", "bad"]))
        if kind == "refund_closed":
            event["refund_id"] = draw(st.sampled_from(["r-1", "r-2"]))
        elif kind.startswith("refund"):
            event |= draw(weighted((2, {}), (2, {"refund_id": "r-1"}), (1, {"refund_id": "r-2"})))
        events.append(event)
    return events


@st.composite
def rulings(draw: st.DrawFn, calendar: Calendar, order_events: list[Json]) -> list[Json]:
    """Draw the rulings on an order, mostly none, in no order."""
    found: list[Json] = []
    if not order_events:
        return found
    for kind in draw(weighted((5, ()), (2, ("credit",)), (1, ("credit", "credit")), (1, _TO_AND_FRO))):
        event = draw(st.sampled_from(order_events))
        ids = {name: event[name] for name in ("shop_id", "buyer_id", "order_id")}
        ts = calendar.clip(event["ts"] + draw(st.sampled_from(_DELAYS)))
        ruling = {**ids, "type": kind, "ts": ts, "ruled_by": draw(st.sampled_from(["m", "n"]))}
        if kind == "credit":
            ruling["agent_id"] = draw(st.sampled_from(["A", "B", "C", "X", None]))
        found.append(ruling)
    return found


@st.composite
def worlds(draw: st.DrawFn, buyers: tuple[str, ...] = BUYERS) -> World:
    """Draw the records of one or two shops."""
    world = World([], [], [], [], [])
    shop_ids = SHOPS[: draw(weighted((5, 1), (1, 2)))]
    calendar_of = {shop_id: Calendar(*draw(st.sampled_from(_CALENDARS))) for shop_id in shop_ids}
    if len(shop_ids) == 2:  # one partition, one watermark: two shops live at the same time
        first_day = calendar_of[SHOPS[0]].first_day
        calendar_of[SHOPS[1]] = replace(calendar_of[SHOPS[1]], first_day=first_day)
    for shop_id, calendar in calendar_of.items():
        as_by_default = (calendar.zone, calendar.cut) == ("Asia/Shanghai", "00:00")
        configured = draw(weighted((6, True), (1, False))) or not as_by_default
        world.settings.extend(draw(settings_of(shop_id, calendar)) if configured else [])
        world.roster.extend(draw(roster_of(shop_id, calendar)))
        busy = draw(st.lists(instants(calendar), min_size=1, max_size=2))
        for _ in range(draw(st.sampled_from([0, 1, 2, 3, 3, 4, 5, 6]))):
            world.chat.extend(draw(conversation(shop_id, calendar, busy, buyers)))
        for number in range(draw(st.integers(1, 3))):
            events = draw(order(shop_id, calendar, busy, f"o-{number}", buyers))
            world.orders.extend(events)
            world.chat.extend(draw(one_after_the_other(calendar, events)))
            world.rulings.extend(draw(rulings(calendar, events)))
    for events in (world.chat, world.orders, world.rulings):
        # The id breaks ties: it must not always rise with the position in the list.
        for number, (event, prefix) in enumerate(zip(events, draw(_prefixes(len(events))), strict=True)):
            event["event_id"] = f"{prefix}{number}"
    return world


def _prefixes(size: int) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from("xyz"), min_size=size, max_size=size)
