"""A replay: files judged as a worker would judge them."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing

from stream_attr.contract.topics import BUYER_DAYS, CLOSINGS
from stream_attr.files.inputs import Inputs
from stream_attr.processor import Options, Rollup, Share
from stream_attr.processor.ports import Output
from stream_attr.replay.processes import shared_steps
from stream_attr.replay.spill_store import OverflowStore
from stream_attr.replay.steps import CACHED_FACTS, Plan, steps
from stream_attr.rules.buyer.retention import Retention
from stream_attr.rules.shop.days import MINUTE_MS

__all__ = ["Inputs", "replay"]


def replay(
    inputs: Inputs,
    *,
    until: int | None = None,
    allowed_lateness_ms: int = 5 * MINUTE_MS,
    retention: Retention | None = None,
    processes: int = 1,
    reports: bool = True,
    cached_facts: int = CACHED_FACTS,
    share: Share | None = None,
    internal: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> Generator[Output, None, None]:
    """Judge files and yield every output in the order of its emission.

    ``progress`` is told how many events have been taken; ``internal``: buyer-days are yielded too; for the
    rest see `Plan`. Raises UnusableFileError and, with several ``processes``, ProcessLostError.
    """
    plan = Plan(
        inputs,
        until,
        allowed_lateness_ms,
        retention or Retention(),
        reports=reports,
        cached_facts=cached_facts,
        share=share,
    )
    judging = steps(plan) if processes == 1 else shared_steps(plan, processes)
    with OverflowStore() as store, closing(judging):
        rollup = Rollup(
            store,
            Options(partitions=processes, retention=plan.retention, cached_facts=cached_facts, commits=False),
        )
        step = next(judging, None)
        while step is not None:
            told, answers = _rolled_up(rollup, step.outputs)
            store.apply(rollup.take_changes())
            if internal:
                yield from [output for output in step.outputs if output.topic == BUYER_DAYS]
            yield from told
            progress(step.taken)
            try:
                step = judging.send(answers)
            except StopIteration:
                step = None


def _rolled_up(rollup: Rollup, outputs: list[Output]) -> tuple[list[Output], list[Output]]:
    """Return what a step tells the world, and the closings that answer it, by buyer."""
    told = [output for output in outputs if output.topic != BUYER_DAYS]
    for output in outputs:
        if output.topic == BUYER_DAYS:
            told += rollup.take(output.value)
    told += rollup.flush()
    answers = [output for output in told if output.topic == CLOSINGS]
    answers.sort(key=lambda answer: answer.key)
    return [output for output in told if output.topic != CLOSINGS], answers
