"""``stream-attr ledger``, but for what a test hooks into it: what the words before ``--`` say.

    python sink_hooked.py --at written --do kill -- --broker … --database …

It comes to a *step* at the same place of a batch in every run; several ``--at`` are come to in that order.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from typing import Any

from stream_attr import cli
from stream_attr.cli import ledger as command
from stream_attr.ledger.sink import batch, partitions, status, topics
from tests.kafka.hooks import SIGNALS, Hook, after, replace

STEPS = ("read", "fenced", "staged", "written", "committed", "gone on")
"""What a sink goes through with a batch: before its transaction, within it three times, after it twice."""


def hook_steps(hook: Hook) -> None:
    """Put the steps into what writes a batch."""
    write = batch.write

    def stepping(connection: Any, given: batch.Batch) -> None:
        hook.reach("read")
        write(connection, given)
        hook.reach("committed")

    replace(topics, "write", stepping)
    for name, step in (("_fence", "fenced"), ("_copy", "staged"), ("_keep_unstored", "written")):
        after(batch, name, partial(hook.reach, step))
    after(topics.TopicSink, "_write", partial(hook.reach, "gone on"))


def hasten() -> None:
    """Have it lose patience after seconds where it would after minutes."""
    batch._BOUNDS.update(idle_in_transaction_session_timeout="3s", lock_timeout="60s")
    topics._CLIENT.update({"session.timeout.ms": 3_000, "max.poll.interval.ms": 6_000})
    replace(partitions, "_SILENT_S", 3.0)
    replace(topics, "_TRIAL_S", 1.0)
    replace(status, "_STILL_S", 3.0)
    replace(command, "_STOP_S", 5.0)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--at", choices=STEPS, action="append", default=[])
    parser.add_argument("--nth", type=int, default=1)
    parser.add_argument("--do", choices=SIGNALS, default="kill")
    parser.add_argument("--hasty", action="store_true")
    parser.add_argument("words", nargs="*")
    said = parser.parse_args()
    hook_steps(Hook(said.at, said.nth, SIGNALS[said.do]))
    if said.hasty:
        hasten()
    sys.argv = ["stream-attr", "ledger", *said.words]
    cli.main()


if __name__ == "__main__":
    main()
