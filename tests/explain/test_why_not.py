"""Why an agent does not have the credit: from a worker, from the output of replay and from event files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from stream_attr.explain.decision import explain_decision
from stream_attr.explain.from_events import EventFiles, agent_history_from_events, shop_from_files
from stream_attr.explain.from_replay import receptions_from_replay, refused_from_replay
from stream_attr.explain.messages import LANGUAGES
from stream_attr.explain.view import intervals_of
from stream_attr.explain.why_not import AgentHistory
from stream_attr.generate import Plan, write
from stream_attr.replay.run import Inputs
from tests.explain.decisions import MINUTE, NOON, Json, candidate, decision, figures, picked, silent, unpaid
from tests.explain.event_files import Files, run
from tests.reference.shorthand import (
    DAY_MS,
    chat_of,
    message,
    order,
    role,
    shop_settings,
)
from tests.reference.shorthand import NOON as TODAY_NOON

HOUR_MS = 60 * MINUTE


def why_not(agent_id: str, of: Json, history: AgentHistory | None = None, **options: Any) -> list[str]:
    """The lines of the answer, by the decision alone unless there is a history."""
    lines = explain_decision(
        of, why_not=(agent_id, history or AgentHistory()), **{"zone": "Asia/Shanghai", **options}
    )
    return section(lines, "Why not" if options.get("language") != "zh" else "为什么不是")


def section(lines: list[str], title: str) -> list[str]:
    """The lines below a title, without their indent."""
    [start] = [index for index, line in enumerate(lines) if line.startswith(title)]
    end = next((index for index in range(start, len(lines)) if not lines[index]), len(lines))
    return [line.removeprefix("  ") for line in lines[start + 1 : end]]


# By the receipt, as a worker gives it


def test_the_credited_agent_has_the_credit() -> None:
    assert why_not("B", decision()) == ["B has the credit (业绩归属)."]


def test_the_placing_agent_is_told_which_rule_gives_the_credit_to_another() -> None:
    assert why_not("C", decision()) == [
        (
            "C is the placing agent (落实下单客服), but the rule is payment (付款判定): the "
            "payment agent, otherwise nobody."
        ),
        (
            "Before the payment: place 2 of 3 by the rule last chat (聊天时间). B's last "
            "chat was 9 min later, at 2026-11-01 12:04:00."
        ),
    ]


def test_a_candidate_is_told_who_came_before_it() -> None:
    assert why_not("A", decision()) == [
        (
            "Before the order was placed: place 2 of 2 by the rule last chat (聊天时间). "
            "C's last chat was 5 min later, at 2026-11-01 11:55:00."
        ),
        (
            "Before the payment: place 3 of 3 by the rule last chat (聊天时间). B's last "
            "chat was 14 min later, at 2026-11-01 12:04:00."
        ),
    ]


@pytest.mark.parametrize(
    ("rounds", "last_ts", "says"),
    [
        (2, NOON - 5 * MINUTE, "C had 2 rounds (回合), against 1 round (回合)."),
        (
            1,
            NOON - 5 * MINUTE,
            (
                "C had as many rounds; on a tie the later last chat is picked. C's last "
                "chat was 5 min later, at 2026-11-01 11:55:00."
            ),
        ),
        (
            1,
            NOON - 10 * MINUTE,
            (
                "C had as many rounds; on a tie the later last chat is picked. C's last "
                "chat was at the same moment; on a tie the smaller id is picked."
            ),
        ),
    ],
)
def test_by_rounds_ties_are_told(rounds: int, last_ts: int, says: str) -> None:
    ours = figures(4, 1, NOON - 60 * MINUTE, NOON - 10 * MINUTE)
    theirs = figures(9, rounds, NOON - 30 * MINUTE, last_ts)
    of = unpaid(
        placing=picked("C", "most_rounds", theirs),
        candidates=[candidate("C", placing=theirs), candidate("Z", placing=ours)],
        assists=[{"agent_id": "Z", "kind": "order"}],
    )
    assert why_not("Z", of) == [
        "Nobody: only a paid order gives credit.",
        f"Before the order was placed: place 2 of 2 by the rule most rounds (聊天回合数). {says}",
    ]


def test_one_who_came_between_order_and_payment_came_too_late_for_the_placing() -> None:
    of = decision(
        credit={"agent_id": "C", "basis": "placing", "rule": "order"},
        assists=[{"agent_id": "A", "kind": "order"}],
    )
    assert why_not("B", of) == [
        (
            "came too late for the placing: the first message, at 2026-11-01 "
            "12:03:00, was 3 min after the order was placed"
        ),
        (
            "B is the payment agent (落实付款客服), but the rule is order (下单判定): the "
            "placing agent, otherwise nobody."
        ),
    ]


def test_one_who_followed_up_second_is_told_who_was_first() -> None:
    assert why_not("B", silent()) == [
        (
            "After the payment E was 1 min earlier, at 2026-11-01 12:11:00; the "
            "first to follow up has priority."
        ),
    ]


@pytest.mark.parametrize(
    ("ruled", "says"),
    [
        ("B", "the order is B (王芳)'s, whatever the rules say."),
        (None, "the order is nobody's, whatever the rules say."),
    ],
)
def test_a_ruling_is_told_before_what_the_rules_would_say(ruled: str | None, says: str) -> None:
    ruling = {"agent_id": ruled, "ruled_by": "店长", "ts": NOON + 60 * MINUTE, "event_id": "r-1"}
    credit = ruled and {"agent_id": ruled, "basis": "ruling", "rule": "payment"}
    of = decision(ruling=ruling, credit=credit, outcome="credited" if ruled else "silent")
    assert why_not("C", of, names={"B": "王芳"}) == [
        f"Ruling (业绩裁定) by 店长, 2026-11-01 13:00:00: {says}",
        "C is the placing agent (落实下单客服) by the rule last chat (聊天时间).",
        (
            "Before the payment: place 2 of 3 by the rule last chat (聊天时间). "
            "B (王芳)'s last chat was 9 min later, at 2026-11-01 12:04:00."
        ),
    ]


def test_an_excluded_order_is_nobodys() -> None:
    of = decision(outcome="excluded", placing=None, payment=None, credit=None, candidates=[], discarded=[])
    assert why_not("A", of) == ["Nobody: an excluded order counts in no figure."]


def test_a_filter_and_a_role_are_told_with_their_days() -> None:
    discarded = [
        {"agent_id": "D", "day": "2026-10-31", "reason": "role_aftersale"},
        {"agent_id": "D", "day": "2026-11-01", "reason": "monologue"},
    ]
    assert why_not("D", decision(discarded=discarded)) == [
        "2026-10-31: the agent was in after-sales (售后) that day, which never has credit",
        (
            "2026-11-01: monologue (单口相声), the agent wrote first and the buyer "
            "hardly answered or not at all"
        ),
    ]


def test_of_one_whom_the_receipt_does_not_name_a_worker_cannot_tell_more() -> None:
    [line] = why_not("X", decision())
    assert line.startswith(
        "The receipt does not name X: no reception with this buyer in the time that counts."
    )


@pytest.mark.parametrize("agent_id", ["A", "B", "C", "D", "X"])
def test_in_chinese_no_english_is_left(agent_id: str) -> None:
    for of in (decision(), silent(), unpaid()):
        for line in why_not(agent_id, of, language="zh"):
            assert not any(word in line for word in ("the ", "was ", "agent", "minute")), line


def test_agents_are_named_by_the_roster() -> None:
    text = "\n".join(
        explain_decision(
            decision(), names={("B"): ("王芳"), ("C"): ("C")}, zone=("Asia/Shanghai"), language=("en")
        )
    )
    assert "VERDICT: B (王芳) has the credit" in text
    assert "1. B (王芳): 2 messages" in text
    assert "C is the placing agent" in text


@pytest.mark.parametrize(
    ("ts", "shown"),
    [
        (1_792_889_999_000, "2026-10-25 02:59:59 +02:00"),
        (1_792_890_000_000, "2026-10-25 02:00:00 +01:00"),
        (1_792_893_599_000, "2026-10-25 02:59:59 +01:00"),
        (1_792_886_399_000, "2026-10-25 01:59:59\n"),
        (1_792_893_600_000, "2026-10-25 03:00:00\n"),
    ],
)
def test_a_local_time_that_there_is_twice_has_its_offset(ts: int, shown: str) -> None:
    of = unpaid(cancelled_ts=ts)
    text = "\n".join(line + "\n" for line in explain_decision(of, zone="Europe/Berlin"))
    assert shown in text.replace("  cancelled (取消)", "\n")


# By event files, which know every message


@pytest.fixture
def asked(files: Files) -> Files:
    """An order of noon, paid at 13:00, credited to A; what each other agent did, its name says."""
    early = TODAY_NOON - DAY_MS - 12 * HOUR_MS - 1  # the last millisecond before the validity
    paid = TODAY_NOON + HOUR_MS
    files.write(
        chat=[
            *chat_of("A", TODAY_NOON - HOUR_MS),
            message(early - MINUTE, "early", "buyer"),
            message(early, "early", "agent"),
            *chat_of("late", paid + 3 * MINUTE),
            message(TODAY_NOON - 2 * HOUR_MS, "pushy", "agent"),
            *chat_of("aftersale", TODAY_NOON - 2 * HOUR_MS),
            *chat_of("between", TODAY_NOON + 10 * MINUTE)[:1],
            *chat_of("elsewhere", TODAY_NOON, "b-2"),
        ],
        orders=[order("created", TODAY_NOON), order("paid", paid)],
        settings=shop_settings(credit_rule="order"),
        roster=[
            role("A", "presale") | {"name": "安娜"},
            role("aftersale", "aftersale") | {"name": "艾米"},
            role("late", "presale") | {"name": "艾米"},
        ],
    )
    return files


ANSWERS = {
    "early": [
        (
            "2026-10-30 23:58:59.999 to 23:59:59.999: before the validity (询单有效时长), "
            "which began at 2026-10-31 00:00:00; the last message was 0.001 s too "
            "early"
        )
    ],
    "late": [
        (
            "2026-11-01 13:03:00 to 13:04:00: after the payment: the first message, "
            "at 2026-11-01 13:03:00, was 3 min too late"
        )
    ],
    "pushy": [
        (
            "2026-11-01 10:00:00 to 10:00:00: monologue (单口相声), the agent wrote "
            "first and the buyer hardly answered or not at all"
        )
    ],
    "aftersale": [
        (
            "2026-11-01 10:00:00 to 10:01:00: the agent was in after-sales (售后) that "
            "day, which never has credit"
        )
    ],
    "between": [
        ("2026-11-01 12:10:00 to 12:10:00: the agent wrote no effective message in the time that counts"),
    ],
    "elsewhere": ["elsewhere never spoke with this buyer."],
}


def explained(files: Files, agent: str, *more: str) -> list[str]:
    result = run("explain", "jd:1", "o-1", *files.options, "--agent", agent, *more)
    assert result.exit_code == 0, result.output
    return section(result.stdout.splitlines(), "Why not" if "zh" not in more else "为什么不是")


@pytest.mark.parametrize("agent", ANSWERS)
def test_event_files_tell_when_and_how_much(asked: Files, agent: str) -> None:
    assert explained(asked, agent) == [line.replace(("aftersale never"), ("x")) for line in ANSWERS[agent]]
    assert explained(asked, agent, "--lang", "zh")


@pytest.mark.parametrize(
    ("late", "says"),
    [
        (-1, "the last message was 0.001 s too early"),
        (0, "has the credit"),
    ],
)
def test_an_answer_before_the_validity_counts_as_little_as_no_chat(
    files: Files, late: int, says: str
) -> None:
    """The buyer goes on after the validity of 24 hours has begun; the agent does not."""
    start = TODAY_NOON - DAY_MS
    files.write(
        chat=[
            message(start - MINUTE, "A", "buyer"),
            message(start + late, "A", "agent"),
            message(start + MINUTE, "A", "buyer"),
        ],
        orders=[order("created", TODAY_NOON), order("paid", TODAY_NOON + 1)],
        settings=shop_settings(validity={"hours": 24}),
    )
    [line] = explained(files, "A")
    assert says in line


def test_an_agent_is_found_by_its_name(asked: Files) -> None:
    assert explained(asked, "安娜") == ["A (安娜) has the credit (业绩归属)."]
    result = run("explain", "jd:1", "o-1", *asked.options, "--agent", "艾米")
    assert result.exit_code == 2
    assert "several agents are named 艾米: aftersale, late; give one of these ids" in result.stderr


@pytest.mark.parametrize("by_replay", [False, True])
@pytest.mark.parametrize("word", ["艾咪", "aftersail", "nobody"])
def test_what_is_no_agents_id_or_name_is_never_said_not_to_have_spoken(
    asked: Files, word: str, by_replay: bool
) -> None:
    """With the roster its agents are there, and those whom only the chat names."""
    if by_replay:
        options = asked.options
        asked.options = ["--from", str(asked.replayed()), *options[options.index("--roster") :]]
    result = run("explain", "jd:1", "o-1", *asked.options, "--agent", word)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        f"Error: there is no agent '{word}'; there are A 安娜, aftersale 艾米, "
        "between, early, elsewhere, late 艾米, pushy\n"
    )


@pytest.mark.parametrize("by_replay", [False, True])
def test_without_the_roster_a_name_is_no_agent_who_never_spoke(asked: Files, by_replay: bool) -> None:
    at = asked.options.index("--roster")
    del asked.options[at : at + 2]
    if by_replay:
        asked.options = ["--from", str(asked.replayed())]
    result = run("explain", "jd:1", "o-1", *asked.options, "--agent", "安娜")
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith(
        "Error: no agent with the id '安娜' is known in what was read; there are A, "
    )
    assert result.stderr.endswith("; give --roster to use names\n")


# By the output of replay, which knows receptions, and the settings if they are named


@pytest.mark.parametrize("agent", ANSWERS)
def test_the_output_of_replay_tells_the_same(asked: Files, agent: str) -> None:
    out = asked.replayed()
    options = asked.options
    asked.options = ["--from", str(out), *options[options.index("--settings") :]]
    assert explained(asked, agent) == ANSWERS[agent]


def test_without_settings_it_knows_the_time_before_the_order(asked: Files) -> None:
    asked.options = ["--from", str(asked.replayed())]
    assert explained(asked, "early") == [
        (
            "2026-10-30 23:58:59.999 to 23:59:59.999: before the validity (询单有效时长); "
            "the last message was 1 d 12 h before the order was placed"
        )
    ]
    assert explained(asked, "late") == ANSWERS["late"]


def test_without_facts_it_knows_as_much_as_a_worker(asked: Files) -> None:
    out = asked.replayed("--decisions-only")
    asked.options = ["--from", str(out)]
    [line] = explained(asked, "early")
    assert line.startswith("The receipt does not name early")
    assert line.endswith("A name is known with --roster only.")
    result = run(
        "explain", "jd:1", "o-1", *asked.options, "--agent", "艾", "--roster", f"{out.parent}/roster.jsonl"
    )
    assert result.exit_code == 2
    assert "there is no agent '艾'; there are A 安娜" in result.stderr


@pytest.mark.parametrize("by_replay", [False, True])
def test_events_that_came_too_late_are_told(files: Files, by_replay: bool) -> None:
    """The chat with X comes last, and is 90 days old."""
    files.write(orders=[order("created", TODAY_NOON), order("paid", TODAY_NOON + 1)])
    lines = [*chat_of("A", TODAY_NOON + DAY_MS), *chat_of("X", TODAY_NOON - 90 * DAY_MS)]
    path = files.folder / "chat.jsonl"
    path.write_bytes(b"".join(orjson.dumps(one) + b"\n" for one in lines))
    files.options += ["--chat", str(path)]
    if by_replay:
        files.options = ["--from", str(files.replayed())]
    assert explained(files, "X") == [
        "X never spoke with this buyer.",
        "2 events of X with this buyer were refused as too_late and count for nothing.",
    ]


# An order id under two buyers


@pytest.mark.parametrize("by_replay", [False, True])
def test_an_order_id_under_two_buyers_is_that_of_the_last_record(files: Files, by_replay: bool) -> None:
    files.write(
        chat=[*chat_of("A", TODAY_NOON - HOUR_MS), *chat_of("B", TODAY_NOON - HOUR_MS, "b-2")],
        orders=[
            order("created", TODAY_NOON),
            order("paid", TODAY_NOON + 1),
            order("created", TODAY_NOON + 2, buyer_id="b-2"),
            order("paid", TODAY_NOON + DAY_MS, buyer_id="b-2"),
        ],
    )
    if by_replay:
        files.options = ["--from", str(files.replayed())]
    result = run("explain", "jd:1", "o-1", *files.options)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("Order o-1 of shop jd:1, buyer b-2: ")
    assert "this one stands under b-1 too" in result.stdout
    assert "VERDICT: B has the credit" in result.stdout
    history = section(result.stdout.splitlines(), "History")
    assert all("credit A" not in line for line in history)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_answer_is_in_every_language(asked: Files, language: str) -> None:
    for agent in (*ANSWERS, "A"):
        assert explained(asked, agent, "--lang", language)


# All of some made-up traffic


def test_of_generated_traffic_every_agent_gets_an_answer_by_every_source(tmp_path: Path) -> None:
    """An agent who spoke with the buyer is never told that it did not."""
    write(Plan(seed=3, events=1_500, days=3, end_ts=TODAY_NOON), tmp_path)
    names = ("chat", "orders", "roster", "settings", "rulings")
    inputs = Inputs(*([str(tmp_path / f"{name}.jsonl")] for name in names))
    options = [word for name in names for word in (f"--{name}", str(tmp_path / f"{name}.jsonl"))]
    out = tmp_path / "out"
    assert run("replay", *options, "--out", str(out)).exit_code == 0
    lines = (out / "attribution-decisions.jsonl").read_bytes().splitlines()
    last = {(one["shop_id"], one["order_id"]): one for one in map(orjson.loads, lines)}
    shop = shop_from_files(inputs, "jd:10086")
    files = EventFiles(inputs, None, 5 * MINUTE)
    answered = 0
    for of in list(last.values())[::3]:
        pair = of["shop_id"], of["buyer_id"]
        intervals = intervals_of(of, shop)
        for agent_id in ("kf-robot", "kf-01", "kf-04", "kf-06", "kf-08", "nobody"):
            receptions = receptions_from_replay(out, *pair, agent_id)
            by_replay = AgentHistory(receptions, intervals, refused_from_replay(out, *pair, agent_id))
            answer = why_not(agent_id, of, by_replay)
            assert answer
            assert (f"{agent_id} never spoke with this buyer." in answer) <= (not receptions)
            assert why_not(agent_id, of, by_replay, language="zh")
            assert why_not(agent_id, of)
            answered += bool(receptions)
        agents = {one["agent_id"] for one in (*of["discarded"], *of["candidates"])} | {"nobody"}
        for agent_id in agents:
            by_events = agent_history_from_events(files, of, {}, agent_id, shop)
            assert why_not(agent_id, of, by_events)
    assert answered > 15
