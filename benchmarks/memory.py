"""Memory: the state of a buyer, and a replay of 60 days that must not grow after the 20th."""

from __future__ import annotations

import ctypes
import json
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict
from itertools import islice
from pathlib import Path

import orjson

from stream_attr.collector import without_collector
from stream_attr.contract.topics import CHAT, DECISIONS, ORDERS, ROSTER, SETTINGS
from stream_attr.files.inputs import Inputs
from stream_attr.files.jsonl import LinesFile
from stream_attr.processor import Options, Processor, ShopRegistry
from stream_attr.processor.buyers import FIRST_OF_BUYERS
from stream_attr.processor.ports import Record
from stream_attr.replay.run import replay
from stream_attr.replay.sources import chunks
from stream_attr.rules.shop.days import DAY_MS
from stream_attr.testing import MemoryStore
from table import Row
from traffic import generated

__all__ = ["run"]

STATE_EVENTS = 300_000
STATE_DAYS = 15
STATE_TARGET = 1_024

EVENTS = 600_000
DAYS = 60
ENDS_TS = 1_792_540_800_000
"""2026-10-21: no promotion of the trade's is in these days, whose traffic would be seen and no growth."""
CACHED_FACTS = 50_000
"""Fewer than a replay keeps decoded, as the traffic is less than a large shop's: all there long before the
20th day."""
FLAT_FROM = 20
SHOWN_EVERY = 10
SEEN_EVERY = 1_000
"""Decisions between two looks at the memory."""
FLAT = 1.25
"""Flat but for what RULEBOOK 6 has kept, chat for 35 days and orders for 45, and for a sale at the end."""


def run() -> list[Row]:
    """Measure the state as a worker would commit it, and a replay in a process of its own."""
    return [_state(), _sixty_days(reports=False), _sixty_days(reports=True)]


def _state() -> Row:
    with tempfile.TemporaryDirectory() as name:
        states = _committed(generated(Path(name), STATE_EVENTS, STATE_DAYS))
    average = sum(map(len, states)) / len(states)
    return Row(
        "state per active buyer",
        f"{average:,.0f} bytes",
        f"at most {STATE_TARGET:,} bytes",
        note=f"{len(states):,} buyers after {STATE_DAYS} days, {STATE_EVENTS:,} events",
        met=average <= STATE_TARGET,
    )


def _committed(inputs: Inputs) -> list[bytes]:
    """Return the state of every buyer once all events are judged."""
    store = MemoryStore()
    with ExitStack() as stack:
        stack.enter_context(without_collector())
        files = {
            topic: [stack.enter_context(LinesFile(name)) for name in names]
            for topic, names in inputs.names.items()
        }
        registry = ShopRegistry(inputs.names)
        for topic in (SETTINGS, ROSTER):
            for lines in files[topic]:
                for number, value in lines:
                    registry.apply(Record(topic, 0, number, 0, None, value))
        processor = Processor(registry, store, Options(files=inputs.names, reports=False))
        for records, ended in chunks({CHAT: files[CHAT], ORDERS: files[ORDERS]}, 10_000):
            store.apply(processor.process(records, ended).changes)
    return [state for _, state in store.items(FIRST_OF_BUYERS)]


def _sixty_days(*, reports: bool) -> Row:
    with tempfile.TemporaryDirectory() as name:
        inputs = generated(Path(name), EVENTS, DAYS, ENDS_TS)
        command = [sys.executable, __file__, json.dumps(asdict(inputs)), json.dumps(reports)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    by_day = {int(day): size for day, size in json.loads(done.stdout).items()}
    late = {day: size for day, size in by_day.items() if day >= FLAT_FROM}
    growth = max(late.values()) / by_day[min(late)]
    shown = ", ".join(f"day {day}: {by_day[day]:.0f}" for day in late if day % SHOWN_EVERY == 0)
    return Row(
        f"memory of a replay of {DAYS} days{' with all outputs' if reports else ''}",
        f"{growth:.2f} of day {FLAT_FROM}",
        f"at most {FLAT:.2f}",
        note=f"resident MB: {shown}; {EVENTS:,} events, {CACHED_FACTS:,} facts kept decoded",
        met=growth <= FLAT,
    )


def _watch(inputs: Inputs, *, reports: bool) -> dict[int, float]:
    """Replay in this process; return by day the most resident memory seen, in MB."""
    sizes: dict[int, float] = {}
    day = 1
    with without_collector():
        outputs = replay(inputs, until=ENDS_TS, cached_facts=CACHED_FACTS, reports=reports)
        for output in islice((one for one in outputs if one.topic == DECISIONS), 0, None, SEEN_EVERY):
            day = max(day, DAYS - (ENDS_TS - orjson.loads(output.value)["watermark"]) // DAY_MS)
            sizes[day] = max(sizes.get(day, 0.0), _resident_mb())
    return sizes


def _resident_mb() -> float:
    """What is in use, without what the allocator has got back and not returned yet (glibc)."""
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


if __name__ == "__main__":
    print(json.dumps(_watch(Inputs(**json.loads(sys.argv[1])), reports=json.loads(sys.argv[2]))))
