"""Stored events: a period reads the files that bear on it, and says what all of them would say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from stream_attr.errors import UnusableError
from stream_attr.files.inputs import Inputs
from stream_attr.generate import Plan as Traffic
from stream_attr.generate import write
from stream_attr.lab.event_folder import STATE, EventFolder, State, folder_name
from stream_attr.lab.judge import judge
from stream_attr.lab.rule_sets import AS_IT_STOOD, RuleSet, composed, preset
from stream_attr.ledger.periods import period
from tests.lab.files import stored, written
from tests.reference.shorthand import DAY_MS, NOON, chat_of, order

SHOP = "jd:10086"
END_TS = 1_794_412_800_000
"""2026-11-12, midnight in Shanghai."""
HOUR_MS = 3_600_000


@pytest.fixture(scope="module")
def traffic(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    folder = tmp_path_factory.mktemp("traffic")
    write(Traffic(seed=5, events=12_000, days=50, end_ts=END_TS, shops=2), folder)
    kinds = ("chat", "orders", "rulings", "roster", "settings")
    return Inputs(**{kind: [str(folder / f"{kind}.jsonl")] for kind in kinds})


@pytest.mark.parametrize(
    "days", [("2026-11-01", "2026-11-11"), ("2026-10-20", "2026-10-20"), ("2026-09", None)]
)
def test_a_period_is_judged_as_by_all_that_is_stored(
    tmp_path: Path, traffic: Inputs, days: tuple[str, str | None]
) -> None:
    rule_sets = (AS_IT_STOOD, preset("kefu_mofang"), RuleSet("long", {"validity": {"natural_days": 15}}))
    folder = stored(tmp_path, traffic)
    by_folder = judge(folder, SHOP, rule_sets, period(*days))
    by_files = judge(traffic, SHOP, rule_sets, period(*days))
    assert by_folder.money == by_files.money
    assert by_folder.orders == by_files.orders
    assert by_folder.contested == by_files.contested
    assert sum(one.sums[0].orders for one in by_files.money) > 5
    assert by_folder.events < by_files.events


def names(inputs: Inputs) -> dict[str, list[str]]:
    return {topic: [Path(name).name for name in some] for topic, some in inputs.names.items() if some}


def test_chat_is_read_from_the_longest_validity_before_the_first_order_on(tmp_path: Path) -> None:
    chat = [event for day in range(-40, 20) for event in chat_of("A", NOON + day * DAY_MS)]
    orders = [
        order("created", NOON - 9 * DAY_MS, "early"),
        order("paid", NOON, "early"),
        order("created", NOON - 20 * DAY_MS, "another"),
        order("paid", NOON - 19 * DAY_MS, "another"),
        order("refund_completed", NOON + 50 * DAY_MS, "late"),
    ]
    folder = stored(tmp_path / "stored", written(tmp_path, chat=chat, orders=orders))
    shop = EventFolder(folder).shop("jd:1")
    start, end = NOON - 12 * HOUR_MS, NOON + 12 * HOUR_MS  # 1 November in Shanghai
    rules = RuleSet("hours", {"validity": {"hours": 72}})
    found = shop.bearing_on(start, end, [_settings(rules)])
    # created on 23 October at 4 o'clock UTC, less three days of validity and two of margin
    assert found.needed_from == "2026-10-18"
    days = names(found.inputs)["chat-events"]
    assert (days[0], days[-1]) == ("2026-10-18.jsonl", "2026-11-03.jsonl")
    assert names(found.inputs)["order-events"] == ["2026-10.jsonl", "2026-11.jsonl", "2026-12.jsonl"]
    assert found.first_chat == "2026-09-22"


def _settings(rules: RuleSet) -> Any:
    return composed("jd:1", (rules,), ()).settings[0]


def test_a_folder_of_something_else_and_an_unknown_shop_are_named(tmp_path: Path, traffic: Inputs) -> None:
    with pytest.raises(UnusableError, match="holds no stored events"):
        EventFolder(tmp_path)
    (tmp_path / STATE).write_text("{}")
    with pytest.raises(UnusableError, match="is not what stream-attr lab export writes"):
        EventFolder(tmp_path)
    (tmp_path / STATE).write_bytes(msgspec.json.encode(State(2, {}, {}, {})))
    with pytest.raises(UnusableError, match="is of version 2, which this program does not know"):
        EventFolder(tmp_path)
    folder = EventFolder(stored(tmp_path / "stored", traffic))
    with pytest.raises(UnusableError, match="no events of shop jd:0; its shops: jd:10086, "):
        folder.shop("jd:0")


def test_every_shop_has_a_folder_of_its_own_name() -> None:
    assert folder_name("jd:10086") == "jd%3A10086"
    long = ["店" * 128, "店" * 127 + "铺"]
    assert len({folder_name(one) for one in (*long, "..", ".", "a/b", "a%2Fb")}) == 6
    for shop_id in (*long, "..", ".", "a/b"):
        name = folder_name(shop_id)
        assert len(name) < 200
        assert not set(name) & set("/.:")
