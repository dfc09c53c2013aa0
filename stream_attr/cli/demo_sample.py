"""What the demo publishes: an evening written by hand, then a day of generated traffic, both of 2024."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from threading import Thread
from typing import Any

import orjson

from stream_attr.generate import Plan, write
from stream_attr.generate import story as evening
from stream_attr.kafka.publish import Inputs, publish
from stream_attr.rules.shop.days import DAY_MS, HOUR_MS, day_number, zone

__all__ = ["DEMO_SHOP", "MONTH", "STORY_ORDER", "TIMEZONE", "DemoSample", "Publishing"]

DEMO_SHOP = "demo:1"
"""The demo's shop has an id of its own, so that the shops of README.md are new to ``demo --keep``."""
STORY_ORDER = "o-lin"
PROFILE = "order-first"
"""Rules that the demo's are compared with."""
TIMEZONE = "Asia/Shanghai"
GENERATED_DAY = "2024-11-11"
"""So early that events and settings of 2025 and later still come in time with ``demo --keep``."""
MONTH = "2024-11"
"""All of it is of this month."""
EVENTS = 3_000
STORY_S = 7
"""How many seconds the forty minutes of the story take on the screen."""
GENERATED_S = 4
"""The same for the generated day after it."""


class DemoSample:
    """The story and the generated day, as files in a folder."""

    def __init__(self, folder: Path) -> None:
        shop_zone = zone(TIMEZONE)
        day = day_number(GENERATED_DAY)
        day_ts, next_day_ts = shop_zone.start_of(day), shop_zone.start_of(day + 1)
        self.end_ts = shop_zone.start_of(day + 14)
        """Milliseconds; by then every decision is final, of orders with a deposit too."""
        self._folder = folder
        write(Plan(seed=7, events=EVENTS, days=1, end_ts=next_day_ts), folder)
        for file in folder.glob("*.jsonl"):
            file.write_bytes(
                file.read_bytes().replace(f'"{evening.SHOP_ID}"'.encode(), f'"{DEMO_SHOP}"'.encode())
            )
        settings = [
            orjson.loads(line) | {"profiles": {PROFILE: {"preset": "kefu_mofang"}}}
            for line in (folder / "settings.jsonl").read_bytes().splitlines()
        ]
        _write(folder / "settings.jsonl", settings)
        story = evening.story(day_ts - 4 * HOUR_MS)
        for name, records in (
            ("story-chat", story.chat),
            ("story-orders", story.orders),
            ("story-rulings", story.rulings),
        ):
            _write(folder / f"{name}.jsonl", [record | {"shop_id": DEMO_SHOP} for record in records])
        roster = map(orjson.loads, (folder / "roster.jsonl").read_bytes().splitlines())
        self.names: dict[str, str] = {record["agent_id"]: record["name"] for record in roster}
        """Agents' names by their ids."""

    def publish(self, bootstrap: str) -> None:
        """Send the story slowly enough to follow it, the generated day faster, then ticks of ``end_ts``."""
        story = Inputs(
            chat=self._files("story-chat"),
            orders=self._files("story-orders"),
            rulings=self._files("story-rulings"),
            roster=self._files("roster"),
            settings=self._files("settings"),
        )
        publish(bootstrap, story, speed=evening.STORY_MS / 1_000 / STORY_S)
        generated = Inputs(
            chat=self._files("chat"), orders=self._files("orders"), rulings=self._files("rulings")
        )
        publish(bootstrap, generated, speed=DAY_MS / 1_000 / GENERATED_S, until=self.end_ts)

    def _files(self, name: str) -> list[str]:
        return [str(self._folder / f"{name}.jsonl")]


def _write(file: Path, records: Iterable[Mapping[str, Any]]) -> None:
    file.write_bytes(b"".join(orjson.dumps(record) + b"\n" for record in records))


class Publishing(Thread):
    """Publishes in the background; a daemon, so that Ctrl-C need not wait for it."""

    def __init__(self, sample: DemoSample, broker: str) -> None:
        super().__init__(daemon=True)
        self._sample = sample
        self._broker = broker
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            self._sample.publish(self._broker)
        except Exception as error:  # the main thread shows it, whatever it is
            self.error = error
