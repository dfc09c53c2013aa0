"""Damaged payloads of every platform: an event or a counted reason, and never a wrong amount or time.

Each sample is damaged at one place, or what the platform's API gives beside it: a field is taken out, given
another type or value, or an unknown neighbour. What an event says then is what it said before, unless the
damaged field is the amount or time itself: that is read again here, by other means than the product's.
"""

from __future__ import annotations

import calendar
import copy
import json
import os
import re
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stream_attr.adapters.registry import ADAPTERS
from stream_attr.adapters.shared_inbox import SharedInbox
from stream_attr.adapters.units import Unit
from stream_attr.contract.records.fields import MAX_AMOUNT
from stream_attr.rules.shop.days import EARLIEST_TS, LATEST_TS
from tests.adapters.platforms import Store, adapted, check, documents, orders, sample, sample_names

MORE = int(os.environ.get("STREAM_ATTR_FUZZ", "1"))
"""How many times as many examples."""
RECEIVED = 1772589660000
SAMPLES = [(platform, name) for platform in ADAPTERS for name in sample_names(platform)]

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(10**40), 10**40),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(
        ["", "0", "-1", "1e5", "2.6E+18", "NaN", "199.001", "１９９", "\ud83d", "2026-02-30 10:00:00"]
    ),
    st.sampled_from([-1, 0, 10**13, 1e300, float("nan"), float("inf"), "9" * 200, "x" * 20_000]),
)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


def unfolded(document: Any) -> Any:
    """A document with what stands in it as JSON in a string, as objects of their own (``_Inner``)."""
    if isinstance(document, dict):
        return {key: unfolded(value) for key, value in document.items()}
    if isinstance(document, list):
        return [unfolded(one) for one in document]
    if isinstance(document, str) and document.startswith("{"):
        return _Inner(json.loads(document))
    return document


class _Inner(dict[str, Any]):
    """Written as a string of JSON."""


def folded(document: Any) -> Any:
    if isinstance(document, _Inner):
        return json.dumps({key: folded(value) for key, value in document.items()})
    if isinstance(document, dict):
        return {key: folded(value) for key, value in document.items()}
    if isinstance(document, list):
        return [folded(one) for one in document]
    return document


Path = tuple[str | int, ...]


def places(document: Any, here: Path = ()) -> Iterator[Path]:
    yield here
    if isinstance(document, dict):
        for key, value in document.items():
            yield from places(value, (*here, key))
    elif isinstance(document, list):
        for number, value in enumerate(document):
            yield from places(value, (*here, number))


def parent_of(document: Any, place: Path) -> Any:
    for step in place[:-1]:
        document = document[step]
    return document


@st.composite
def damaged(draw: st.DrawFn, document: Any) -> tuple[Any, Path, str]:
    """A document damaged at one place; the place, and how."""
    whole = unfolded(copy.deepcopy(document))
    place = draw(st.sampled_from([one for one in places(whole) if one]))
    how = draw(st.sampled_from(["gone", "other", "unknown", "nested", "text"]))
    parent, last = parent_of(whole, place), place[-1]
    if how == "gone":
        del parent[last]
    elif how == "other":
        parent[last] = draw(anything)
    elif how == "nested":
        parent[last] = draw(st.sampled_from([[parent[last]], {"value": parent[last]}]))
    elif how == "text":
        parent[last] = str(parent[last])
    elif isinstance(parent, dict):
        parent["unheard_of"] = draw(anything)
    return folded(whole), place, how


def facts(platform: str, payload: Any, store: Store) -> dict[str, tuple[int, Any, Any]]:
    """By event id: time, amount, currency."""
    one = adapted(platform, payload, RECEIVED, enrich=store)
    inbox = SharedInbox()
    events = [*inbox.take(one).events, *inbox.expire().events]
    return {
        event.event_id: (event.ts, getattr(event, "amount", None), getattr(event, "currency", None))
        for event in events
    }


@pytest.mark.parametrize(("platform", "name"), SAMPLES)
@settings(max_examples=10 * MORE, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_one_damaged_place_gives_the_same_facts_or_a_counted_reason(platform, name, data):
    payload, known = sample(platform, name), documents(platform)
    before = facts(platform, payload, Store(known))
    key = data.draw(st.sampled_from([None, *known]))
    document, place, how = data.draw(damaged(payload if key is None else known[key]))
    store = Store(known if key is None else {**known, key: document})
    after = facts(platform, document if key is None else payload, store)
    names = {one for one in place if isinstance(one, str)}
    if names & ADAPTERS[platform].fields.units.keys() and how in {"other", "text"}:
        return  # the next test reads those
    for event_id in after.keys() & before.keys():
        if names & {"currency", "currency_code"} or (how == "gone" and place[-1] in FALLS_BACK):
            continue
        assert after[event_id] == before[event_id], (place, how)


FALLS_BACK = {"updated_at", "sent_datetime", "processed_at"}
"""Fields in whose place another is read: a time of the same event."""


@pytest.mark.parametrize(("platform", "name"), SAMPLES)
@settings(max_examples=8 * MORE, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_another_amount_or_time_is_read_exactly_or_refused(platform, name, data):
    """Any new value of one field: every event says what it said before, or exactly that value."""
    fields = ADAPTERS[platform].fields.units
    payload, known = sample(platform, name), documents(platform)
    before = facts(platform, payload, Store(known))
    key = data.draw(st.sampled_from([None, *known]))
    whole = unfolded(copy.deepcopy(payload if key is None else known[key]))
    found = [one for one in places(whole) if one and one[-1] in fields]
    if not found:
        return
    place = data.draw(st.sampled_from(found))
    unit, parent = fields[str(place[-1])], parent_of(whole, place)
    value = parent[place[-1]] = data.draw(anything if data.draw(st.booleans()) else written(unit))
    document = folded(whole)
    store = Store(known if key is None else {**known, key: document})
    after = facts(platform, document if key is None else payload, store)
    exact = read_by_hand(unit, value)
    for event_id, (ts, amount, _) in after.items():
        known_ts, known_amount, _ = before.get(event_id, (None, None, None))
        if unit in {Unit.MAJOR, Unit.MINOR}:
            assert known_ts is None or ts == known_ts
            allowed = {known_amount, exact}
            if exact is not None:
                allowed |= {known + exact for known in PARTS} | {known - exact for known in WHOLES}
            assert known_amount is None or amount in allowed, (place, value)
        else:
            assert known_amount is None or amount == known_amount
            assert known_ts is None or ts in {known_ts, exact, RECEIVED, *OTHER_TIMES}, (place, value)


PARTS = (5000, 14900)
"""Amounts that are added to another: the deposit of a presale and its balance."""
WHOLES = (19900,)
"""Amounts that another is taken from: what the platform paid for the buyer."""
OTHER_TIMES = (1772417400000, 1772417520000, 1772416819000, 1772417040000, 1772589600000, 1772503200000)
"""Times of the samples: where one is gone, that of the message or of another field of the same moment."""


def written(unit: Unit) -> st.SearchStrategy[Any]:
    """Values that the platform could send in a field of a unit."""
    if unit is Unit.MAJOR:
        fen = st.integers(0, 10**12)
        return st.one_of(
            fen.map(lambda one: f"{one // 100}.{one % 100:02}"),
            fen.map(lambda one: Decimal(one) / 100).map(float),
            st.integers(0, 10**9),
        )
    if unit is Unit.MINOR:
        return st.integers(0, MAX_AMOUNT) | st.integers(0, 10**12).map(str)
    if unit is Unit.SECONDS:
        return st.integers(EARLIEST_TS // 1000, LATEST_TS // 1000 - 1)
    if unit is Unit.MILLISECONDS:
        return st.integers(EARLIEST_TS, LATEST_TS - 1)
    return st.integers(EARLIEST_TS // 1000 + 86_400, LATEST_TS // 1000 - 86_400).flatmap(
        lambda seconds: st.sampled_from(list(spellings(seconds, unit)))
    )


def spellings(seconds: int, unit: Unit) -> Iterator[str]:
    """How a platform writes an instant."""
    if unit is Unit.GMT8:
        yield time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds + 8 * 3600))
    elif unit is Unit.UTC:
        yield time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    else:
        for sign, hours, minutes in (("+", 0, 0), ("+", 8, 0), ("-", 5, 0), ("+", 5, 30)):
            shift = (hours * 60 + minutes) * (60 if sign == "+" else -60)
            local = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds + shift))
            yield f"{local}{sign}{hours:02}:{minutes:02}"
        yield time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(seconds))


def read_by_hand(unit: Unit, value: Any) -> int | None:
    """What a value says, by other means than the product's; None: not clear."""
    if isinstance(value, (bool, list, dict)) or value is None:
        return None
    if unit in {Unit.MAJOR, Unit.MINOR}:
        found = re.fullmatch(r"([0-9]+)(?:\.([0-9]+))?", str(value).strip(), re.ASCII)
        if found is None:
            return None
        places_ = 2 if unit is Unit.MAJOR else 0
        fraction = (found[2] or "").ljust(places_, "0")
        if fraction[places_:].strip("0"):
            return None
        return int(found[1] + fraction[:places_])
    if unit in {Unit.SECONDS, Unit.MILLISECONDS}:
        factor = 1000 if unit is Unit.SECONDS else 1
        if isinstance(value, float):
            return int(Decimal(str(value)) * factor) if 0 < value < LATEST_TS else None
        return (
            int(str(value).strip()) * factor if re.fullmatch(r"-?[0-9]{1,40}", str(value).strip()) else None
        )
    text = str(value).strip()
    found = re.fullmatch(r"(.{10})[T ](.{8})(?:\.\d+)?(?:(Z)|([+-])(\d\d):?(\d\d))?", text, re.ASCII)
    if found is None:
        return None
    try:
        seconds = calendar.timegm(time.strptime(f"{found[1]} {found[2]}", "%Y-%m-%d %H:%M:%S"))
    except ValueError:
        return None
    if found[3] or found[4]:
        seconds -= 0 if found[3] else int(f"{found[4]}1") * (int(found[5]) * 3600 + int(found[6]) * 60)
    elif unit is Unit.GMT8:
        seconds -= 8 * 3600
    return seconds * 1000


@pytest.mark.parametrize(("platform", "name"), SAMPLES)
@settings(max_examples=3 * MORE, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_truncated_payload_is_not_json_and_nothing_else(platform, name, data):
    body = json.dumps(sample(platform, name), ensure_ascii=False).encode()
    cut = body[: data.draw(st.integers(0, len(body) - 1))]
    given_ = adapted(platform, cut)
    assert given_.events == ()
    assert [skip.reason.value for skip in given_.skipped] == ["not_json"]


@pytest.mark.parametrize("platform", ADAPTERS)
@settings(max_examples=15 * MORE, deadline=None)
@given(payload=anything | st.binary(max_size=60))
def test_any_payload_at_all_is_counted(platform, payload):
    given_ = adapted(platform, payload, RECEIVED)
    assert given_.events == ()
    assert given_.skipped


@pytest.mark.parametrize("platform", ADAPTERS)
def test_what_is_nested_too_deeply_or_too_large_is_counted(platform):
    for body in (b"[" * 100_000, b'{"a":' * 100_000, b"9" * 10_000, b'{"id":' + b"9" * 10_000 + b"}"):
        assert [skip.reason.value for skip in adapted(platform, body).skipped] == ["not_json"]


@settings(max_examples=50 * MORE, deadline=None)
@given(fen=st.integers(0, 10**12), as_text=st.booleans())
def test_no_price_is_off_by_one_fen(fen, as_text):
    """As text, and as a number that JSON readers make a float of (RULEBOOK 2: fen)."""
    price = f"{fen // 100}.{fen % 100:02}"
    for platform, name, place in (
        ("shopify", "orders_create", ("total_price",)),
        ("woocommerce", "order_created", ("total",)),
        ("taobao", "trade_fullinfo_single", ("trade_fullinfo_get_response", "trade", "payment")),
        ("pinduoduo", "order_information_grouped", ("order_info_get_response", "order_info", "pay_amount")),
    ):
        document = sample(platform, name)
        parent_of(document, place)[place[-1]] = "PRICE"
        body = json.dumps(document).replace('"PRICE"', f'"{price}"' if as_text else price)
        for payload in (body.encode(), json.loads(body)):
            assert {event.amount for event in orders(adapted(platform, payload))} == {fen}


def test_the_checks_of_these_tests_can_fail():
    with pytest.raises(AssertionError):
        check(adapted("shopify", sample("shopify", "orders_create"))._replace(events=(), skipped=()))
