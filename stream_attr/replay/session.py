"""A replay: files judged as a worker would judge them."""

from __future__ import annotations

from collections.abc import Callable, Generator

from stream_attr.core.buyer import Retention
from stream_attr.core.days import MINUTE_MS
from stream_attr.processor.records import Output
from stream_attr.replay.processes import shared_steps
from stream_attr.replay.steps import Inputs, Plan, steps

__all__ = ["Inputs", "replay"]


def replay(
    inputs: Inputs,
    *,
    until: int | None = None,
    allowed_lateness_ms: int = 5 * MINUTE_MS,
    retention: Retention | None = None,
    processes: int = 1,
    progress: Callable[[int], None] = lambda _: None,
) -> Generator[Output, None, None]:
    """Judge files and yield every output in the order of its emission.

    ``progress`` is told how many events have been taken; for the rest see `Plan`. Raises UnusableFileError
    and, with several ``processes``, ProcessLostError.
    """
    plan = Plan(inputs, until, allowed_lateness_ms, retention or Retention())
    for step in steps(plan) if processes == 1 else shared_steps(plan, processes):
        yield from step.outputs
        progress(step.taken)
