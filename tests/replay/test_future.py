"""Events of the future are refused, and leave every other verdict and figure as it was (RULEBOOK 11)."""

from __future__ import annotations

import json
from pathlib import Path

import orjson
import pytest

from stream_attr.contract.topics import CHAT, DEAD_LETTERS, DECISIONS, REPORTS
from stream_attr.files.jsonl import LinesFile
from stream_attr.generate import Plan, write
from stream_attr.processor.ports import Output, Record
from stream_attr.replay.check import Problem, check
from stream_attr.replay.run import Inputs, replay
from stream_attr.replay.sources import chunks
from stream_attr.rules.shop.days import DAY_MS, MINUTE_MS

KINDS = ("chat", "orders", "roster", "settings")
EVENTS = 15_000
END_TS = 1_794_412_800_000
NOW = END_TS + 4 * DAY_MS
"""What time it is when the files are read: the latest of their events has happened."""
YEAR_2096 = 3_976_214_400_000
BUYER = {"shop_id": "jd:10086", "buyer_id": "b-2096"}
FUTURE = {
    "chat": {**BUYER, "event_id": "c-2096", "ts": YEAR_2096, "agent_id": "kf-01", "sender": "buyer"},
    "orders": {
        **BUYER,
        "event_id": "o-2096",
        "ts": YEAR_2096,
        "order_id": "o-1",
        "type": "paid",
        "amount": 1,
    },
}


def files_of(folder: Path) -> Inputs:
    return Inputs(**{kind: [str(folder / f"{kind}.jsonl")] for kind in KINDS})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("traffic")
    write(Plan(seed=6, events=EVENTS, days=6, end_ts=END_TS), made)
    return made


@pytest.fixture(scope="module")
def future(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[tuple[str, int]]]:
    """The same files with an event of 2096 in chat and one in orders, and where these stand."""
    made = tmp_path_factory.mktemp("future")
    places = []
    for kind in KINDS:
        lines = (folder / f"{kind}.jsonl").read_bytes().splitlines(keepends=True)
        if kind in FUTURE:
            lines.insert(len(lines) // 3, orjson.dumps(FUTURE[kind]) + b"\n")
            places.append((str(made / f"{kind}.jsonl"), len(lines[:-1]) // 3 + 1))
        (made / f"{kind}.jsonl").write_bytes(b"".join(lines))
    return made, places


def letters_of(outputs: list[Output], code: str) -> list[tuple[str, int]]:
    """File and line of each dead letter of a code."""
    found = [json.loads(output.value) for output in outputs if output.topic == DEAD_LETTERS]
    return [(letter["file"], letter["line"]) for letter in found if letter["code"] == code]


def all_but(outputs: list[Output], *topics: str) -> list[Output]:
    return [output for output in outputs if output.topic not in topics]


def reports_of(outputs: list[Output]) -> dict[tuple[str, bytes], dict[str, object]]:
    """The last reports: when and how often they were emitted before depends on where batches end.

    That is so of agents' days, and of what waits for a closing of an agent's day.
    """
    last = {
        (output.topic, output.key): json.loads(output.value) for output in outputs if output.topic in REPORTS
    }
    return {
        key: {**report, "revision": None, "reason": None, "watermark": None} for key, report in last.items()
    }


@pytest.mark.parametrize("until", [None, END_TS - DAY_MS], ids=["to the end", "until"])
def test_one_event_of_2096_among_many_leaves_a_replay_of_the_others_as_it_was(folder, future, until):
    with_it, places = future
    before = list(replay(files_of(folder), until=until, wall_clock_ts=NOW))
    after = list(replay(files_of(with_it), until=until, wall_clock_ts=NOW))
    assert sorted(letters_of(after, "future_timestamp")) == sorted(places)
    assert sum(output.topic == DECISIONS for output in before) > 500
    assert all_but(after, DEAD_LETTERS, *REPORTS) == all_but(before, DEAD_LETTERS, *REPORTS)
    assert reports_of(after) == reports_of(before)


def test_check_names_the_lines_and_finds_nothing_else_that_is_new(folder, future):
    with_it, places = future
    before = {str(one).replace(str(folder), "") for one in check(files_of(folder), wall_clock_ts=NOW)}
    found = list(check(files_of(with_it), wall_clock_ts=NOW))
    ahead = [one for one in found if isinstance(one, Problem) and one.code == "future_timestamp"]
    assert [(one.file, one.line, one.field) for one in ahead] == [(*place, "ts") for place in places]
    assert str(ahead[0]).endswith(
        ": future_timestamp: ts: `ts` lies more than 10 minutes ahead of the wall clock"
    )
    assert len(found) == len(before) + len(places)


def chat(number: int, ts: int, **fields: object) -> dict[str, object]:
    ids = {"event_id": f"c{number}", "shop_id": "jd:1", "buyer_id": "b-1", "agent_id": "anna"}
    return {**ids, "ts": ts, "sender": "buyer", **fields}


def written(folder: Path, *records: dict[str, object]) -> Inputs:
    (folder / "chat.jsonl").write_bytes(b"".join(orjson.dumps(record) + b"\n" for record in records))
    return Inputs(chat=[str(folder / "chat.jsonl")])


@pytest.mark.parametrize(("ahead", "refused"), [(-1, []), (0, []), (1, [2])])
def test_an_event_may_be_ten_minutes_ahead_of_the_wall_clock(tmp_path, ahead, refused):
    inputs = written(tmp_path, chat(1, NOW), chat(2, NOW + 10 * MINUTE_MS + ahead), chat(3, NOW))
    outputs = list(replay(inputs, wall_clock_ts=NOW))
    assert [line for _, line in letters_of(outputs, "future_timestamp")] == refused
    problems = [one.line for one in check(inputs, wall_clock_ts=NOW) if isinstance(one, Problem)]
    assert problems == refused


def test_simulated_data_is_of_no_future_where_there_is_no_wall_clock(tmp_path):
    inputs = written(tmp_path, chat(1, NOW), chat(2, YEAR_2096))
    assert letters_of(list(replay(inputs)), "future_timestamp") == []
    assert [one for one in check(inputs) if isinstance(one, Problem)] == []


def test_what_is_refused_for_something_else_and_names_2096_delays_nothing(tmp_path):
    first = written(tmp_path, chat(1, NOW), chat(2, YEAR_2096, sender="robot"), chat(3, NOW + 1)).chat[0]
    second = tmp_path / "more.jsonl"
    second.write_bytes(orjson.dumps(chat(4, NOW + 2)) + b"\n")
    with LinesFile(first) as lines, LinesFile(str(second)) as more:
        [(records, _)] = chunks({CHAT: [lines, more]}, 10, NOW)
    assert [(one.partition, one.offset) for one in records if isinstance(one, Record)] == [
        (0, 1),
        (0, 2),
        (0, 3),
        (1, 1),
    ]


def test_all_processes_of_a_replay_go_by_one_clock(tmp_path):
    lines = [chat(i, NOW + i * MINUTE_MS, buyer_id=f"b-{i % 7}") for i in range(1, 30)]
    inputs = written(tmp_path, *lines)
    alone = list(replay(inputs, wall_clock_ts=NOW))
    assert len(letters_of(alone, "future_timestamp")) == 19
    assert list(replay(inputs, wall_clock_ts=NOW, processes=2)) == alone
