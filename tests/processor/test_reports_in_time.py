"""How soon facts and agents' days are emitted after they changed: by who has caught up, and who is behind."""

from __future__ import annotations

import contextlib
import json
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from stream_attr.contract.topics import AGENT_DAILY, CHAT, FACTS, INQUIRIES, ORDERS, REPORTS
from stream_attr.generate import Plan, write
from stream_attr.processor import Options, ShopRegistry
from stream_attr.processor.local import LocalDriver, LocalPartition
from stream_attr.processor.ports import Record
from stream_attr.processor.processor import BEHIND_AFTER
from stream_attr.rules.shop.days import HOUR_MS, MINUTE_MS
from stream_attr.testing import Driver, Input, MemoryStore

Json = dict[str, Any]

T = 1_793_498_400_000
"""2026-11-01 10:00 in Shanghai."""
SECOND_MS = 1_000
LATENESS_MS = 5 * MINUTE_MS
END_TS = 1_794_412_800_000


def message(number: int, buyer: str, ts: int, sender: str = "buyer") -> Json:
    ids = {"event_id": f"c{number}", "shop_id": "jd:1", "buyer_id": buyer, "agent_id": "anna"}
    return {**ids, "ts": ts, "sender": sender}


class Partition:
    """One partition that is fed chat, caught up or behind; orders are read to their end."""

    def __init__(self, **options: Any) -> None:
        self._partition = LocalPartition(ShopRegistry(), MemoryStore(), Options(**options))
        self._driver = LocalDriver([self._partition])
        self._offset = 0

    def chat(self, buyer: str, ts: int, *, caught_up: bool = True) -> list[tuple[str, str]]:
        """Process one message; return topic and buyer, or agent, of each report that is emitted."""
        return self.batch([(buyer, ts)], caught_up=caught_up)

    def batch(self, messages: Iterable[tuple[str, int]], *, caught_up: bool) -> list[tuple[str, str]]:
        """Process messages of buyers together."""
        records = []
        for buyer, ts in messages:
            self._offset += 1
            value = json.dumps(message(self._offset, buyer, ts)).encode()
            records.append(Record(CHAT, 0, self._offset, 0, f"jd:1|{buyer}".encode(), value))
        at_end = frozenset({CHAT, ORDERS} if caught_up else {ORDERS})
        outputs = self._driver.run(self._partition.process(records, at_end))
        return [(one.topic, one.key.decode().split("|")[1]) for one in outputs if one.topic in REPORTS]


@pytest.mark.parametrize(("after_ms", "emitted"), [(-1, False), (0, True), (1, True)])
def test_a_partition_that_has_caught_up_emits_a_fact_a_minute_after_it_changed(after_ms, emitted):
    partition = Partition()
    assert partition.chat("b-1", T) == []
    reports = partition.chat("b-2", T + MINUTE_MS + after_ms)
    assert ((FACTS, "b-1") in reports) is emitted
    assert ((INQUIRIES, "b-1") in reports) is emitted


@pytest.mark.parametrize(("after_ms", "emitted"), [(-1, False), (0, True), (1, True)])
def test_a_partition_that_is_behind_emits_a_fact_when_the_watermark_is_ten_minutes_past_it(after_ms, emitted):
    partition = Partition()
    assert partition.chat("b-1", T, caught_up=False) == []
    reports = partition.chat("b-2", T + LATENESS_MS + 10 * MINUTE_MS + after_ms, caught_up=False)
    assert ((FACTS, "b-1") in reports) is emitted


def test_several_changes_within_a_minute_are_one_revision():
    partition = Partition()
    for second in range(0, 60, 10):
        assert partition.chat("b-1", T + second * SECOND_MS) == []
    reports = partition.chat("b-2", T + MINUTE_MS)
    assert reports.count((FACTS, "b-1")) == 1


def test_what_changed_while_it_was_behind_and_again_once_it_has_caught_up_is_emitted_a_minute_later():
    partition = Partition()
    partition.chat("b-1", T, caught_up=False)
    partition.chat("b-1", T + MINUTE_MS)
    assert (FACTS, "b-1") not in partition.chat("b-2", T + 2 * MINUTE_MS - 1)
    assert (FACTS, "b-1") in partition.chat("b-2", T + 2 * MINUTE_MS)


@pytest.mark.parametrize(("after_ms", "emitted"), [(-1, False), (0, True), (1, True)])
def test_what_changed_while_it_was_behind_is_emitted_a_minute_after_it_has_caught_up(after_ms, emitted):
    partition = Partition()
    partition.chat("b-1", T, caught_up=False)
    partition.chat("b-2", T + MINUTE_MS)
    reports = partition.chat("b-3", T + 2 * MINUTE_MS + after_ms)
    assert ((FACTS, "b-1") in reports) is emitted


def test_a_partition_falls_behind_with_ten_thousand_records_without_an_end():
    partition = Partition()
    partition.chat("b-0", T)
    partition.batch([("b-0", T)] * (BEHIND_AFTER - 3), caught_up=False)
    partition.chat("b-1", T, caught_up=False)
    partition.chat("b-2", T, caught_up=False)  # has caught up still
    partition.chat("b-3", T, caught_up=False)  # has not
    facts = [one for one in partition.chat("b-4", T + 2 * MINUTE_MS, caught_up=False) if one[0] == FACTS]
    assert facts == [(FACTS, "b-0"), (FACTS, "b-1"), (FACTS, "b-2")]


def test_a_late_message_counts_from_the_watermark_that_it_meets():
    partition = Partition()
    partition.chat("b-2", T)
    partition.chat("b-1", T - HOUR_MS)
    assert (FACTS, "b-1") not in partition.chat("b-2", T + MINUTE_MS - 1)
    assert (FACTS, "b-1") in partition.chat("b-2", T + MINUTE_MS)


@pytest.mark.parametrize(("after_ms", "emitted"), [(-1, False), (0, True), (1, True)])
def test_an_agents_day_is_emitted_every_minute_while_it_changes(after_ms, emitted):
    partition = Partition()
    partition.chat("b-1", T)
    partition.chat("b-2", T + 30 * SECOND_MS)
    assert (AGENT_DAILY, "anna") in partition.chat("b-3", T + MINUTE_MS)
    assert (AGENT_DAILY, "anna") not in partition.chat("b-4", T + 95 * SECOND_MS)  # the fact of b-2 is new
    reports = partition.chat("b-5", T + 2 * MINUTE_MS + after_ms)
    assert ((AGENT_DAILY, "anna") in reports) is emitted


def test_an_agents_day_of_a_partition_that_is_behind_waits_for_a_quarter_of_an_hour():
    partition = Partition()
    for minute in range(16):
        reports = partition.chat(f"b-{minute}", T + minute * MINUTE_MS, caught_up=False)
        assert [one for one in reports if one[0] == AGENT_DAILY] == []


@pytest.mark.parametrize("lateness_ms", [0, LATENESS_MS, 60 * 24 * HOUR_MS])
def test_any_allowed_lateness_will_do(lateness_ms):
    partition = Partition(allowed_lateness_ms=lateness_ms)
    partition.chat("b-1", T)
    assert (FACTS, "b-1") in partition.chat("b-2", T + MINUTE_MS)


def test_figures_are_at_most_two_minutes_old_and_facts_one() -> None:
    chance = random.Random(7)
    driver = Driver(partitions=3, options=Options())
    times: dict[str, int] = {}
    told: dict[str, int] = {}
    consults = 0
    for second in range(1_800):
        now = T + second * SECOND_MS
        emitted = []
        if chance.random() < 0.15:
            buyer = f"b-{len(times)}"
            times[buyer] = now
            emitted += driver.send(CHAT, message(second, buyer, now))
        emitted += driver.tick(now - LATENESS_MS)
        for one in emitted:
            if one.topic == FACTS:
                told.setdefault(one.value["buyer_id"], now)
            elif one.topic == AGENT_DAILY and one.value["agent_id"] == "anna":
                consults = one.value["workload"]["consults"]
        assert consults >= sum(at <= now - 2 * MINUTE_MS for at in times.values())
    assert len(times) > 200
    assert {told[buyer] - at for buyer, at in times.items() if buyer in told} == {MINUTE_MS}
    assert all(buyer in told for buyer, at in times.items() if at < now - MINUTE_MS)


def test_what_is_emitted_of_a_backlog_is_the_same_however_often_it_is_once_caught_up() -> None:
    chance = random.Random(8)
    backlog = [(f"b-{chance.randrange(40)}", T + number * SECOND_MS) for number in range(5_000)]
    batches = [backlog[begin : begin + 50] for begin in range(0, len(backlog), 50)]
    prompt, seldom = Partition(), Partition(caught_up_every_ms=None)
    reports = [[one.batch(sent, caught_up=False) for sent in batches] for one in (prompt, seldom)]
    assert reports[0] == reports[1]
    assert sum(map(len, reports[0])) > 200
    last = backlog[-1][1]
    assert len(prompt.chat("b-1", last + MINUTE_MS) + prompt.chat("b-2", last + 2 * MINUTE_MS)) > 0


def last_reports(driver: Driver) -> dict[tuple[str, str], Json]:
    last = {(one.topic, one.key): one.value for one in driver.emitted if one.topic in REPORTS}
    told = {key: {**value, "revision": None, "reason": None} for key, value in last.items()}
    return {key: value for key, value in told.items() if value.get("kind") != "none"}


def test_the_last_reports_are_the_same_caught_up_and_behind(tmp_path: Path) -> None:
    write(Plan(seed=9, events=2_000, days=3, end_ts=END_TS), tmp_path)
    lines = {
        kind: (tmp_path / f"{kind}.jsonl").read_bytes().splitlines()
        for kind in ("chat", "orders", "roster", "settings")
    }
    settings, roster = (list(map(json.loads, lines[kind])) for kind in ("settings", "roster"))
    inputs = []
    for topic, kind in ((CHAT, "chat"), (ORDERS, "orders")):
        for line in lines[kind]:
            with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError):  # bad records
                event = Input(topic, json.loads(line.replace(b"\\ud", b"cut: ")))
                inputs.append((event.ts, event.key, event))
    inputs.sort(key=lambda one: one[0])
    caught_up, behind = (
        Driver(settings=settings, roster=roster, partitions=2, options=Options(caught_up_every_ms=every_ms))
        for every_ms in (MINUTE_MS, None)
    )
    for driver in (caught_up, behind):
        for _, _, event in inputs:
            driver.send(event.topic, event.value)
        driver.finish()
    assert len(caught_up.emitted) > len(behind.emitted) > 1_000
    assert last_reports(caught_up) == last_reports(behind)
    assert caught_up.state == behind.state == {}
