"""Gaps in the input: which may be passed over, and what is said of the others."""

from __future__ import annotations

import pytest

from stream_attr.contract.topics import CHAT, ORDERS, RULINGS, TICKS
from stream_attr.worker.config import LostInput
from stream_attr.worker.task.lost_input import Gap, InputLostError


@pytest.mark.parametrize("name", [CHAT, ORDERS, RULINGS])
def test_deleted_events_stop_the_worker_unless_it_may_continue(name):
    gap = Gap("a-" + name, 3, 40, 41)
    with pytest.raises(InputLostError, match=rf"a-{name}, partition 3: .* 40, .* 41: 1 offsets .*continue"):
        gap.require_skippable(name, LostInput.STOP)
    gap.require_skippable(name, LostInput.CONTINUE)


@pytest.mark.parametrize("policy", list(LostInput))
def test_deleted_ticks_are_nothing_worth(policy):
    Gap(TICKS, 3, 40, 50).require_skippable(TICKS, policy)


@pytest.mark.parametrize("policy", list(LostInput))
@pytest.mark.parametrize("name", [CHAT, ORDERS, RULINGS, TICKS])
@pytest.mark.parametrize("first", [0, 40])
def test_a_topic_that_ends_before_what_was_judged_stops_the_worker_in_any_case(name, policy, first):
    with pytest.raises(InputLostError, match="lies beyond the topic's end"):
        Gap(name, 3, 40, first).require_skippable(name, policy)
