"""Questions that a colleague handed over or that were asked before midnight, in words."""

from __future__ import annotations

import pytest

from tests.explain.event_files import Files, run
from tests.reference.shorthand import (
    DAY_MS,
    MIDNIGHT,
    NOON,
    SECOND_MS,
    Json,
    message,
    order,
    transfer,
)

MINUTE_MS = 60 * SECOND_MS


def rating(ts: int, agent_id: str, score: int, **more: int) -> Json:
    ids = {"shop_id": "jd:1", "buyer_id": "b-1", "event_id": f"{ts}/{agent_id}/rating"}
    return {**ids, "type": "rating", "ts": ts, "agent_id": agent_id, "score": score, **more}


def handed_over() -> list[Json]:
    """RULEBOOK 12, handed over: R is asked and transfers to B, who answers twice; the buyer only rates."""
    return [
        message(NOON, "R", "buyer"),
        transfer(NOON + MINUTE_MS, "R", "B"),
        message(NOON + 90 * SECOND_MS, "B", "agent", text="ab"),
        message(NOON + 2 * MINUTE_MS, "B", "agent", text="c"),
        rating(NOON + 3 * MINUTE_MS, "B", 5),
    ]


def reception(text: str, agent: str) -> str:
    """The section on one reception."""
    return text.partition(f"Reception (接待) with {agent}\n")[2].partition("\n\n")[0]


def test_the_output_of_replay_has_the_question_and_the_rating(files: Files) -> None:
    files.write([*handed_over()[:-1], rating(NOON + DAY_MS, "B", 3, rated_ts=NOON)])
    out = str(files.replayed())
    result = run("explain", "jd:1", "--buyer", "b-1", "--day", "2026-11-01", "--from", out)
    assert result.exit_code == 0, result.output
    text = reception(result.stdout, "B")
    assert "  The buyer was transferred to B, which counts as a question of the buyer (转接).\n" in text
    assert "  The last rating of this service (满意度评价): 3 of 5.\n" in text


def test_a_question_before_midnight_is_told_on_the_next_day(files: Files) -> None:
    """RULEBOOK 12, past midnight."""
    midnight = MIDNIGHT + DAY_MS
    files.write(
        [
            message(midnight - 10 * SECOND_MS, "A", "buyer"),
            message(midnight + 20 * SECOND_MS, "A", "agent", text="yes"),
        ],
        [order("created", midnight + 5 * MINUTE_MS), order("paid", midnight + 5 * MINUTE_MS)],
    )
    text = reception(files.explained(day="2026-11-02"), "A")
    assert (
        "  2026-11-01 23:59:50  the buyer asked, on the day before and without an answer: the "
        "question counts as asked here (跨天)\n"
        "  00:00:20  A: 3 characters; round (回合) 1, response (响应) after 30 s\n"
    ) in text
    assert "First response (首次响应) after 30 s." in text
    assert "Not replied (未回复)" in reception(files.explained(), "A")


@pytest.mark.parametrize("by_replay", [False, True])
def test_why_not_the_agent_who_got_the_buyer_and_said_nothing(files: Files, by_replay: bool) -> None:
    files.write(handed_over()[:2], [order("created", NOON + DAY_MS // 4), order("paid", NOON + DAY_MS // 4)])
    if by_replay:
        files.options = ["--from", str(files.replayed())]
    result = run("explain", "jd:1", "o-1", *files.options, "--agent", "B")
    assert result.exit_code == 0, result.output
    assert (
        "Why not B?\n"
        "  2026-11-01 12:01:00 to 12:01:00: the agent wrote no effective message in the time that counts\n\n"
    ) in result.stdout
