"""The evening written by hand comes out as it is told."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from stream_attr.generate import Plan, Sample
from stream_attr.generate.story import BUYERS, SHOP_ID, STORY_MS, story
from stream_attr.replay.run import Inputs, replay
from stream_attr.rules.shop.days import DAY_MS, HOUR_MS

DAY_AFTER = 1_794_326_400_000  # 2026-11-11T00:00:00+08:00
START = DAY_AFTER - 4 * HOUR_MS


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[str, str, str | None]]]:
    """Status, outcome and credit of every revision, by order."""
    directory: Path = tmp_path_factory.mktemp("story")
    told = story(START)
    sample = Sample(Plan(seed=1, events=1, days=1, end_ts=DAY_AFTER))
    files = {
        "chat": map(orjson.dumps, told.chat),
        "orders": map(orjson.dumps, told.orders),
        "roster": sample.roster(),
        "settings": sample.settings(),
        "rulings": map(orjson.dumps, told.rulings),
    }
    for name, lines in files.items():
        (directory / name).write_bytes(b"".join(line + b"\n" for line in lines))
    found: dict[str, list[tuple[str, str, str | None]]] = {}
    for output in replay(Inputs(**{name: [str(directory / name)] for name in files}), reports=False):
        decision = orjson.loads(output.value)
        assert decision["shop_id"] == SHOP_ID
        credit = decision["credit"] and decision["credit"]["agent_id"]
        found.setdefault(decision["order_id"], []).append((decision["status"], decision["outcome"], credit))
    return found


def test_lin_asks_three_agents_and_the_last_before_the_payment_has_the_credit(
    verdicts: dict[str, list[tuple[str, str, str | None]]],
) -> None:
    assert verdicts["o-lin"][0] == ("pending", "awaiting_payment", None)
    assert verdicts["o-lin"][-1] == ("final", "credited", "kf-06")


def test_wangs_silent_order_goes_to_who_followed_it_up(
    verdicts: dict[str, list[tuple[str, str, str | None]]],
) -> None:
    assert ("pending", "silent", None) in verdicts["o-wang"]
    assert verdicts["o-wang"][-1] == ("final", "credited", "kf-07")


def test_zhao_never_pays(verdicts: dict[str, list[tuple[str, str, str | None]]]) -> None:
    assert [verdict[:2] for verdict in verdicts["o-zhao"]] == [
        ("pending", "awaiting_payment"),
        ("pending", "unpaid"),
        ("final", "unpaid"),
    ]


def test_qians_order_is_whose_the_robot_handed_over_until_the_ruling(
    verdicts: dict[str, list[tuple[str, str, str | None]]],
) -> None:
    assert [verdict[2] for verdict in verdicts["o-qian"]] == [None, "kf-05", "kf-05", "kf-04", "kf-04"]
    assert verdicts["o-qian"][-1] == ("final", "credited", "kf-04")


def test_the_story_is_told_in_the_order_of_its_time_and_ends_when_it_says() -> None:
    told = story(START)
    for records in told:
        times = [record["ts"] for record in records]
        assert times == sorted(times)
        assert START <= times[0] <= times[-1] < START + STORY_MS < START + DAY_MS
    assert {record["buyer_id"] for records in told for record in records} == set(BUYERS)
