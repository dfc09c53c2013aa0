"""The real worker, and how what it says is held against ``replay`` of the same files."""

from __future__ import annotations

import collections
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from stream_attr.worker.startup.topics_check import INPUTS
from tests.kafka import forks
from tests.kafka.worker_process import LONGEST_S, WorkerProcess, read, until

EVENTS = ("chat", "orders", "rulings")
FILES = (*EVENTS, "roster", "settings")
BY_EMISSION = frozenset({"decision_id", "supersedes", "revision", "reason", "watermark"})
"""Fields that tell how a verdict came about, not what it is."""

FINAL = "2026-12-10T00:00:00Z", 1_796_860_800
"""When all that is generated has become final, and nothing has expired."""
EXPIRED = "2027-06-01T00:00:00Z", 1_811_808_000
"""When all of it has expired."""

Decisions = dict[str, dict[str, Any]]


class RealWorker(WorkerProcess):
    """``stream-attr worker`` in a process of its own."""

    def command(self) -> list[str]:
        return [sys.executable, "-m", "stream_attr", "worker", *self.words()]

    def words(self) -> list[str]:
        """What the command is told."""
        return [
            *("--broker", self.bootstrap, "--topic-prefix", self.prefix, "--data-dir", str(self.data_dir)),
            *("--web-port", str(self.port), "--session-timeout", "2s", *self.args),
        ]


def stream_attr(*words: str) -> None:
    """Run a command to its end; it has to succeed."""
    with tempfile.TemporaryFile() as log:
        code = forks.spawn([sys.executable, "-m", "stream_attr", *words], log).wait(timeout=LONGEST_S)
        log.seek(0)
        assert code == 0, log.read().decode(errors="replace")


def pass_time(worker: RealWorker, partitions: int, until_when: tuple[str, int]) -> None:
    """Let the time go on once all that was sent is judged, everywhere; wait until it has come there.

    Not before: a partition that is months ahead of another keeps nothing of what that one may still tell it.
    """
    until_at_rest(worker)
    name, seconds = until_when
    stream_attr("publish", "--broker", worker.bootstrap, "--topic-prefix", worker.prefix, "--until", name)
    until(lambda: worker.metric("stream_attr_watermark_seconds") == partitions * seconds, worker)


def until_at_rest(*workers: RealWorker) -> None:
    """Wait until nothing is to be judged, nor comes of what was judged last, in any of their partitions."""
    until(lambda: all(_at_rest(worker) for _ in range(3) for worker in workers), *workers)


def _at_rest(worker: RealWorker) -> bool:
    time.sleep(0.3)
    partitions = len(worker.held())
    return partitions > 0 and worker.samples("stream_attr_lag_records") == [0] * partitions * len(INPUTS)


def inputs(folder: Path, *kinds: str) -> list[str]:
    """Options that name the files of a folder, for ``publish`` and ``replay`` alike."""
    return [word for kind in kinds or FILES for word in (f"--{kind}", str(folder / f"{kind}.jsonl"))]


def parts_of(folder: Path, into: Path, number: int) -> list[Path]:
    """Folders with a part each of the events of a folder, in their order."""
    made = []
    for part in range(number):
        made.append(into / f"part-{part}")
        made[-1].mkdir()
        for kind in EVENTS:
            lines = (folder / f"{kind}.jsonl").read_bytes().splitlines(keepends=True)
            begin, end = (len(lines) * bound // number for bound in (part, part + 1))
            (made[-1] / f"{kind}.jsonl").write_bytes(b"".join(lines[begin:end]))
    return made


def last_of_file(path: Path) -> Decisions:
    """The last decision per key of a replay's output."""
    with path.open("rb") as file:
        return last(json.loads(line) for line in file)


def last(decisions: Any) -> Decisions:
    """The last decision per order and profile, without what tells how it came about."""
    found = {}
    for one in decisions:
        key = f"{one['shop_id']}|{one['order_id']}|{one['profile']}"
        found[key] = {name: value for name, value in one.items() if name not in BY_EMISSION}
    return found


def verdicts(found: Decisions) -> Decisions:
    """Decisions without their receipts: chat that comes late emits nothing new where no verdict changes."""
    return {
        key: {
            **{
                name: one[name]
                for name in ("status", "outcome", "silence", "assists", "amount", "final_at", "ruling")
            },
            **{name: (one[name] or {}).get("agent_id") for name in ("placing", "payment", "credit")},
        }
        for key, one in found.items()
    }


def last_reports(records: Any) -> Decisions:
    """The last fact, inquiry or agent's day per key, without what tells how it came about."""
    found = {}
    for one in records:
        key = "|".join(str(one[name]) for name in ("shop_id", "buyer_id", "agent_id", "day") if name in one)
        found[key] = {name: value for name, value in one.items() if name not in BY_EMISSION}
    return {key: one for key, one in found.items() if one.get("kind") != "none"}


def decisions(bootstrap: str, topic: str) -> list[dict[str, Any]]:
    """All that a ``read_committed`` reader sees of a topic of decisions, in order per order."""
    return [json.loads(value) for _, value in read(bootstrap, topic) if value is not None]


def revisions(found: list[dict[str, Any]]) -> dict[str, list[int]]:
    """The revisions of each order and profile in the order in which a reader sees them."""
    seen = collections.defaultdict(list)
    for one in found:
        seen[f"{one['shop_id']}|{one['order_id']}|{one['profile']}"].append(one["revision"])
    return dict(seen)
