"""Inputs that are no longer those that a partition has judged: recreated, or rewritten under the same id."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from stream_attr.contract.topics import TICKS
from stream_attr.worker.config import LostInput, WorkerConfig
from stream_attr.worker.context import WorkerContext
from stream_attr.worker.startup.topics_check import GLOBAL_TOPICS, INPUTS
from stream_attr.worker.state.lineage import Lineage
from stream_attr.worker.task.rewritten import rewritten
from stream_attr.worker.task.topic_ids import TopicRecreatedError

__all__ = ["changed_inputs"]

logger = logging.getLogger(__name__)


def changed_inputs(
    context: WorkerContext, partition: int, lineage: Lineage, stop: Callable[[], bool]
) -> list[str]:
    """Return the topics to be read from their beginning. ``lineage``: of the restored state.

    Raises:
        KafkaException: the broker refuses a request.
        TopicRecreatedError: there are some, and the operator has not decided to continue.
    """
    config = context.config
    recreated = lineage.recreated(context.topic_ids, (*INPUTS, *GLOBAL_TOPICS))
    _require_accepted(config, partition, recreated, TopicRecreatedError.of)
    judged = {name: last for name, last in lineage.judged.items() if name not in recreated}
    changed = rewritten(config, partition, judged, stop)
    _require_accepted(config, partition, changed, TopicRecreatedError.of_rewritten)
    return recreated + changed


def _require_accepted(
    config: WorkerConfig,
    partition: int,
    topics: Sequence[str],
    error: Callable[[Sequence[str], str], TopicRecreatedError],
) -> None:
    """Return if these topics may be read from their beginning. Lost ticks never matter.

    Raises:
        TopicRecreatedError: they may not.
    """
    if not topics:
        return
    names = [config.topic(topic) for topic in topics]
    if config.lost_input is LostInput.STOP and set(topics) != {TICKS}:
        raise error(
            names,
            f"partition {partition} has judged up to offsets of the old topic, and nothing of the new one. "
            "To read the new one from its beginning (events that are known count once; events that only the "
            "old one held are lost), start once with --lost-input continue. See "
            "docs/operations.md#a-recreated-topic",
        )
    logger.error(
        "partition %s: %s recreated or rewritten; reading from the beginning", partition, " and ".join(names)
    )
