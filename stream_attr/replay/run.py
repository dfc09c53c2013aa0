"""A replay: files judged as a worker would judge them."""

from __future__ import annotations

from collections.abc import Callable, Generator

from stream_attr.files.inputs import Inputs
from stream_attr.processor import Share
from stream_attr.processor.local import LocalDriver
from stream_attr.processor.ports import Output
from stream_attr.replay.processes import SharedPartition
from stream_attr.replay.sources import Decoding, decode_all
from stream_attr.replay.steps import CACHED_FACTS, FilePartition, Plan
from stream_attr.rules.buyer.retention import Retention
from stream_attr.rules.shop.days import MINUTE_MS

__all__ = ["Inputs", "replay"]


def replay(
    inputs: Inputs,
    *,
    until: int | None = None,
    wall_clock_ts: int | None = None,
    allowed_lateness_ms: int = 5 * MINUTE_MS,
    retention: Retention | None = None,
    processes: int = 1,
    reports: bool = True,
    cached_facts: int = CACHED_FACTS,
    share: Share | None = None,
    decoding: Decoding = decode_all,
    internal: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> Generator[Output, None, None]:
    """Judge files and yield every output in the order of its emission.

    ``progress`` is called with the number of events read so far; ``internal``: records of internal topics are
    yielded too; ``share``, ``decoding``: of what is judged in this process; for the rest see `Plan`.

    Raises:
        UnusableFileError: a file cannot be read.
        ProcessLostError: one of several ``processes`` dies.
    """
    plan = Plan(
        inputs,
        until,
        allowed_lateness_ms,
        retention or Retention(),
        wall_clock_ts=wall_clock_ts,
        reports=reports,
        cached_facts=cached_facts,
        share=share,
    )
    shared = processes > 1
    with SharedPartition(plan, processes) if shared else FilePartition(plan, decoding) as partition:
        driver = LocalDriver([partition], internal=internal)
        while (batch := partition.next_batch()) is not None:
            yield from driver.run(batch)
            progress(partition.taken)
