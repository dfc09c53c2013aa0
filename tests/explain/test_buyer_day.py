"""A buyer's day explained: from event files and from the output of replay, checked by hand and by sums."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest
from msgspec.structs import asdict, replace
from rich.cells import cell_len

from stream_attr.cli.explain import wrapped
from stream_attr.codec.records.chat_event import decode_chat
from stream_attr.explain import from_events, timeline
from stream_attr.explain.buyer_day import explain_buyer_day, problems_of
from stream_attr.explain.from_events import EventFiles, buyer_day_from_events, decisions_from_events
from stream_attr.explain.from_replay import buyer_day_from_replay
from stream_attr.explain.view import NoRecordsError
from stream_attr.generate import Plan, write
from stream_attr.replay.run import Inputs
from stream_attr.rules.reports.contribution import TOTAL, Contribution
from stream_attr.rules.shop.days import day_name, zone
from stream_attr.rules.vocabulary import Filter
from tests.explain.event_files import Files, run
from tests.reference.shorthand import (
    DAY_MS,
    MIDNIGHT,
    NOON,
    SECOND_MS,
    TODAY,
    Json,
    chat_of,
    message,
    order,
    role,
    shop_settings,
    transfer,
)

MINUTE_MS = 60 * SECOND_MS
SHANGHAI = zone("Asia/Shanghai")


def two_agents() -> dict[str, list[Json]]:
    """At noon A answers after 30 s; B has the buyer on the phone to the payment, 20 minutes late at first."""
    return {
        "chat": [
            message(NOON, "A", "buyer", entry="product_page", text="size?"),
            message(NOON + 30 * SECOND_MS, "A", "agent", text="large"),
            message(NOON + 40 * SECOND_MS, "A", "agent", kind="broadcast", text="sale!"),
            message(NOON + 6 * MINUTE_MS, "B", "buyer", kind="image"),
            message(NOON + 26 * MINUTE_MS, "B", "agent", text="sorry"),
            message(NOON + 27 * MINUTE_MS, "B", "buyer"),
            message(NOON + 28 * MINUTE_MS, "B", "agent", text=" "),
            message(NOON + 28 * MINUTE_MS + 1500, "B", "agent", text="done"),
            *chat_of("A", NOON + 60 * MINUTE_MS, "b-2"),
        ],
        "orders": [
            order("created", NOON + 5 * MINUTE_MS, amount=12_900, quantity=2),
            order("paid", NOON + 30 * MINUTE_MS, amount=12_900, quantity=2),
        ],
        "roster": [role("A", "presale"), role("B", "presale")],
        "settings": shop_settings(preset="jd_cloud"),
    }


EXPLANATION = """\
Buyer b-1 of shop jd:1 on 2026-11-01; times in Asia/Shanghai
Preset jd_cloud, settings effective from 2026-01-01

SUMMARY: 2 receptions (接待), 0 filtered (接待过滤); 1 order (订单); final (已定).
Verified: the messages give these figures, and each order's receipt supports its verdict.

Reception (接待) with A
  A was in pre-sales (售前) that day.
  12:00:00  buyer, from a product page
  12:00:30  A: 5 characters; round (回合) 1, response (响应) after 30 s
  12:00:40  A, broadcast (群发): 5 characters; not effective: broadcast
  Buyer: 1 message. A: 1 effective message, 5 characters. 1 round (回合).
  12:00:00 to 12:00:40, 40 s: an effective conversation (有效对话); the buyer wrote first.
  The buyer came from a product page.
  First response (首次响应) after 30 s. 1 of 1 responses count: 30 s in total, 30 s on average (平均响应).
  Not slow (慢响应).
  No filter (接待过滤) matches: the reception counts (接待人数).
  The figures are final (已定) since 2026-11-02 00:00:00.
  Inquiry (询单), rule 1 of 5: A is the placing agent (落实下单客服) of o-1.
  Paid (付款) in time: one of the orders was paid before 2026-11-04 00:00:00.
  This is final (已定) since 2026-11-04 00:00:00.

Reception (接待) with B
  B was in pre-sales (售前) that day.
  12:06:00  buyer, image (图片)
  12:26:00  B: 5 characters; round (回合) 1, not counted as a response: \
it took max_wait_minutes (10) or more
  12:27:00  buyer
  12:28:00  B: 1 character; not effective: blank
  12:28:01.500  B: 4 characters; round (回合) 2, response (响应) after 61.5 s
  Buyer: 2 messages. B: 2 effective messages, 9 characters. 2 rounds (回合).
  12:06:00 to 12:28:01.500, 22 min 1 s: an effective conversation (有效对话); the buyer wrote first.
  First response (首次响应) after 61.5 s. 1 of 2 responses count: 61.5 s in total, \
61.5 s on average (平均响应).
  Not slow (慢响应).
  No filter (接待过滤) matches: the reception counts (接待人数).
  The figures are final (已定) since 2026-11-02 00:00:00.
  Consult before payment (下单后付款前咨询), rule 3 of 5: when it began, o-1 awaited payment. \
It counts neither as won nor as lost.
  This is final (已定) since 2026-11-03 00:00:00.

Orders of the day, and orders of its inquiries
  o-1: 129.00 CNY, quantity 2; created (下单) 2026-11-01 12:05:00, paid (付款) 2026-11-01 12:30:00
    placing agent (落实下单) A, payment agent (落实付款) B, credit (业绩归属) B; \
credited (有归属), final (已定)
  For the reasons: stream-attr explain jd:1 ORDER, with the same options.

What the buyer adds to the figures of the day (客服日报)
  A
    workload (工作量), final (已定): consults (咨询人数) 1 of 2, receptions (接待人数) 1 of 2, \
buyer messages (买家消息数) 1 of 2, agent messages (客服消息数) 1 of 2
      agent characters (客服字数) 5 of 5, first response (首次响应) 30 s (of the day 45 s), \
response (平均响应) 30 s (of the day 45 s)
    inquiries (询单), final (已定): inquiries (询单人数) 1 of 2, ordered (询单下单人数) 1 of 1
    payments (付款), final (已定): paid (询单付款人数) 1 of 1
    placed (落实下单), final (已定): buyers (落实下单人数) 1 of 1, orders (落实下单订单数) 1 of 1, \
amount (落实下单金额) 129.00 CNY of 129.00 CNY
  B
    workload (工作量), final (已定): consults (咨询人数) 1 of 1, receptions (接待人数) 1 of 1, \
buyer messages (买家消息数) 2 of 2, agent messages (客服消息数) 2 of 2
      agent characters (客服字数) 9 of 9, first response (首次响应) 61.5 s (of the day 61.5 s), \
response (平均响应) 61.5 s (of the day 61.5 s)
    inquiries (询单), final (已定): follow ups (下单后付款前咨询) 1 of 1
    paid (落实付款), final (已定): buyers (落实付款人数) 1 of 1, orders (落实付款订单数) 1 of 1, \
amount (落实付款金额) 129.00 CNY of 129.00 CNY
    sales (销售), final (已定): buyers (销售人数) 1 of 1, orders (销售订单数) 1 of 1, \
quantity (销售件数) 2 of 2, amount (销售额) 129.00 CNY of 129.00 CNY
  The whole shop (*)
    workload (工作量), final (已定): consults (咨询人数) 1 of 2, receptions (接待人数) 1 of 2, \
buyer messages (买家消息数) 3 of 4, agent messages (客服消息数) 3 of 4
      agent characters (客服字数) 14 of 14, first response (首次响应) 45.75 s (of the day 50.5 s), \
response (平均响应) 45.75 s (of the day 50.5 s)
    inquiries (询单), final (已定): inquiries (询单人数) 1 of 2, ordered (询单下单人数) 1 of 1, \
follow ups (下单后付款前咨询) 1 of 1
    payments (付款), final (已定): paid (询单付款人数) 1 of 1
    placed (落实下单), final (已定): buyers (落实下单人数) 1 of 1, orders (落实下单订单数) 1 of 1, \
amount (落实下单金额) 129.00 CNY of 129.00 CNY
    paid (落实付款), final (已定): buyers (落实付款人数) 1 of 1, orders (落实付款订单数) 1 of 1, \
amount (落实付款金额) 129.00 CNY of 129.00 CNY
    sales (销售), final (已定): buyers (销售人数) 1 of 1, orders (销售订单数) 1 of 1, \
quantity (销售件数) 2 of 2, amount (销售额) 129.00 CNY of 129.00 CNY
  For the shop a buyer counts once, however many agents there were (每位买家只计一次).

Can it still change?
  No: everything is final (已定).
  A late event always can change it, with a new revision (late_event); so can a refund or another event \
of an order.
"""


def parts_of(text: str) -> tuple[list[str], dict[str, set[str]]]:
    """Split an explanation into its lines without the figures, and the figures by agent and group."""
    lines: list[str] = []
    figures: dict[str, set[str]] = {}
    whose = group = ""
    for line in text.splitlines():
        if line.startswith("      ") and whose:
            figures[group] |= set(line.strip().split(", "))
        elif re.match("    [a-z]+ \\(", line) and whose:
            title, _, names = line.rpartition(": ")
            group = f"{whose}:{title}"
            figures[group] = set(names.split(", "))
        else:
            if line.startswith("What the buyer adds"):
                whose = line
            elif whose:
                whose = line if line.startswith("  ") else ""
            lines.append(line)
    return lines, figures


def assert_explained(text: str, expected: str) -> None:
    """Compare explanations line by line; of the figures, those that are expected must be there."""
    lines, figures = parts_of(text)
    expected_lines, expected_figures = parts_of(expected)
    assert lines == expected_lines
    assert {group: figures[group] & some for group, some in expected_figures.items()} == expected_figures
    assert len(expected_figures) > 10


def test_two_agents_and_one_order_are_explained_completely(files: Files) -> None:
    files.write(**two_agents())
    assert_explained(files.explained(), EXPLANATION)


def test_the_output_of_a_replay_explains_the_same_but_for_the_messages(files: Files) -> None:
    files.write(**two_agents())
    result = run("explain", "jd:1", "--buyer", "b-1", "--day", TODAY, "--from", str(files.replayed()))
    assert result.exit_code == 0, result.output
    not_written = ("  12:00:00  ", "  12:00:30  ", "  12:00:40  ", "  12:06", "  12:2", "Preset ")
    there = [line for line in EXPLANATION.splitlines() if not line.startswith(not_written) or " to " in line]
    expected = "\n".join(there).replace("the messages give these figures, and each", "each")
    assert_explained(result.stdout, expected)


def test_the_same_in_chinese(files: Files) -> None:
    files.write(**two_agents())
    text = files.explained("--lang", "zh")
    assert "概要：2 个接待，其中过滤 0 个；1 个订单；已定。" in text
    assert "询单，规则 1（共 5 条）：A 是 o-1 的落实下单客服。" in text
    assert not any(word in text for word in ("the ", "agent", "rounds", "response", ", "))


# Why a reception does not count


def test_a_filtered_reception_names_the_filter_and_its_number(files: Files) -> None:
    chat = [
        message(NOON, "A", "buyer"),
        message(NOON + 5 * SECOND_MS, "A", "agent", text="one moment"),
        transfer(NOON + 9 * SECOND_MS, "A", "B"),
        *chat_of("B", NOON + MINUTE_MS),
    ]
    files.write(chat, settings=shop_settings(filters={"forwarded": {"max_replies": 2}}))
    text = files.explained()
    assert "SUMMARY: 2 receptions (接待), 1 filtered (接待过滤)" in text
    assert "  12:00:09  A transfers the buyer to B (转接)" in text
    assert f"by filter 7 of {len(Filter)}, forwarded: " in text
    assert "; forwarded.max_replies is 2. It counts only as a consult (咨询人数)." in text
    assert "Inquiry (询单): none, the reception is filtered." in text
    assert "  A\n    workload (工作量), final (已定): consults (咨询人数) 1 of 1\n  B\n" in text


def test_the_text_of_a_message_is_not_shown(files: Files) -> None:
    chat = [
        message(NOON, "A", "buyer", text="secret"),
        message(NOON + SECOND_MS, "A", "agent", text="phrase"),
    ]
    files.write(chat, settings=shop_settings(filters={"advert": {"enabled": True, "phrase": "phrase"}}))
    text = files.explained()
    assert f"by filter 8 of {len(Filter)}, advert: " in text
    assert "; advert.within is 2. It counts only as a consult" in text
    assert "secret" not in text
    assert ": phrase" not in text


def test_an_offline_agent_is_explained_by_the_last_message(files: Files) -> None:
    asked = message(NOON + 30 * MINUTE_MS, "A", "buyer")
    files.write([*chat_of("A", NOON, "b-2"), asked, *chat_of("B", NOON)])
    text = files.explained()
    assert f"by filter 5 of {len(Filter)}, agent_offline: " in text
    assert "; that was at 12:01:00, to any buyer. It counts only as a consult" in text


def test_an_agent_without_a_message_that_day_was_offline(files: Files) -> None:
    files.write([message(NOON, "A", "buyer")])
    assert "; there was none, to any buyer. It counts only as a consult" in files.explained()


def test_whether_an_agent_was_offline_is_open_until_the_day_is_over(files: Files) -> None:
    files.write([message(NOON, "A", "buyer"), *chat_of("B", NOON + 60 * MINUTE_MS, "b-2")])
    text = files.explained("--until", "2026-11-01T13:00:00+08:00")
    assert (
        "The figures are pending (待定): chat of the day can change them until 2026-11-02 00:00:00." in text
    )
    assert (
        "passed 2026-11-02 00:00:00, A may still turn out to have been offline (agent_offline 客服离线)."
        in text
    )
    assert "The reception with A and what depends on it: until all partitions have passed" in text
    out = files.replayed("--until", "2026-11-01T13:00:00+08:00")
    result = run("explain", "jd:1", "--buyer", "b-1", "--day", TODAY, "--from", str(out))
    assert "A may still turn out to have been offline" in result.stdout


@pytest.mark.parametrize(
    ("name", "says", "adds"),
    [
        ("aftersale", "A was in after-sales (售后) that day: it counts for the workload only", "workload"),
        ("frozen", "A was frozen (冻结) that day: nothing of it counts.", "nothing"),
    ],
)
def test_a_role_is_explained_by_what_it_excludes(files: Files, name: str, says: str, adds: str) -> None:
    files.write(chat_of("A", NOON), roster=[role("A", name)])
    text = files.explained()
    assert says in text
    assert "Inquiry (询单): none, only receptions of pre-sales agents can be one." in text
    assert f"  A\n    {adds}" in text
    assert "inquiries (询单)," not in text
    assert ("the reception counts (接待人数)" in text) == (name == "aftersale")


def test_slow_automatic_and_blank_replies_are_named(files: Files) -> None:
    chat = [
        message(NOON, "A", "buyer"),
        message(NOON + SECOND_MS, "A", "agent", text="^ welcome"),
        message(NOON + 61 * SECOND_MS, "A", "agent", text="yes?"),
    ]
    settings = shop_settings(
        auto_reply={"identify": True, "prefix": "^"}, slow_response={"seconds": 60, "times": 1}
    )
    files.write(chat, settings=settings)
    text = files.explained()
    assert "12:00:01  A: 9 characters; not effective: identified as an automatic reply" in text
    assert "12:01:01  A: 4 characters; round (回合) 1, response (响应) after 61 s" in text
    assert "Slow (慢响应): 1 or more of them took longer than 1 min." in text
    assert "slow receptions (慢响应) 1 of 1" in text


def test_without_a_reply_in_time_there_is_no_first_response(files: Files) -> None:
    files.write([message(NOON, "A", "buyer"), message(NOON + 10 * MINUTE_MS, "A", "agent")])
    assert (
        "Replied, but without a first response (首次响应): all took max_wait_minutes (10) or more."
        in files.explained()
    )


# What became of an inquiry


def test_an_inquiry_without_an_order_is_lost_at_its_time(files: Files) -> None:
    files.write(chat_of("A", NOON))
    assert "5 of 5: lost (询单流失), no order was placed before 2026-11-03 00:00:00." in files.explained()
    text = files.explained("--until", "2026-11-02T12:00:00+08:00")
    assert (
        "rule 5 of 5: no order yet. It is lost (询单流失) unless the buyer places one before 2026-11-03"
        in text
    )
    assert "The inquiry with A: until 2026-11-03 00:00:00." in text
    assert "The reception with A" not in text
    assert (
        "inquiries (询单), pending (待定), final from 2026-11-03: "
        "inquiries (询单人数) 1 of 1, open (待定询单) 1 of 1" in text
    )
    assert "workload (工作量), final (已定): " in text


@pytest.mark.parametrize(
    ("until", "says"),
    [
        (
            "2026-11-03T12:00:00+08:00",
            "Ordered (下单), not paid yet: payment lost (付款流失) unless",
        ),
        (
            "2026-11-04T00:00:00+08:00",
            "Payment lost (付款流失): none of the orders was paid before 2026-11-04 00:00:00.",
        ),
    ],
)
def test_an_unpaid_order_is_a_lost_payment(files: Files, until: str, says: str) -> None:
    files.write(chat_of("A", NOON), [order("created", NOON + DAY_MS)])
    assert says in files.explained("--until", until)


def test_an_assist_and_an_after_sales_consult(files: Files) -> None:
    chat = [*chat_of("A", NOON), *chat_of("B", NOON + 5 * MINUTE_MS), *chat_of("A", NOON + DAY_MS)]
    orders = [order("created", NOON + 10 * MINUTE_MS), order("paid", NOON + 11 * MINUTE_MS)]
    files.write(chat, orders)
    text = files.explained()
    assert (
        "Assist (协助), rule 2 of 5: the buyer ordered o-1 by the end of the next day, but A is the" in text
    )
    text = files.explained(day="2026-11-02")
    assert "rule 4 of 5: when it began, o-1 had been paid, less than after_sales_days (21) before." in text
    assert (
        "  o-1: 1.00 CNY, quantity 1; created (下单) 2026-11-01 12:10:00" in text
    )  # though of the day before


def test_an_exempt_inquiry_explains_that_the_agent_began(files: Files) -> None:
    chat = [
        message(NOON, "A", "agent"),
        message(NOON + MINUTE_MS, "A", "buyer"),
        message(NOON + DAY_MS, "A", "buyer"),
    ]
    exempt = {"agent_initiated_exempt": {"enabled": True, "first_reply_days": 2}}
    files.write(chat, settings=shop_settings(**exempt))
    text = files.explained()
    assert "no order, but exempt (agent_initiated): A wrote first (客服主动联系)." in text
    assert "inquiries (询单), final (已定): exempt (豁免) 1 of 1" in text


def test_an_exempt_inquiry_explains_that_it_is_a_first_reply(files: Files) -> None:
    chat = [message(NOON - DAY_MS, "A", "agent"), *chat_of("A", NOON)]
    files.write(chat, settings=shop_settings(agent_initiated_exempt={"enabled": True}))
    assert (
        "(agent_initiated): A had contacted the buyer before, and this is the first reply"
        in files.explained()
    )


def test_an_exempt_inquiry_explains_that_the_chat_ran_past_midnight(files: Files) -> None:
    late = MIDNIGHT + DAY_MS - 3 * MINUTE_MS
    chat = [*chat_of("A", late), *chat_of("A", late + 5 * MINUTE_MS)]
    files.write(chat, settings=shop_settings(overnight_once=True))
    text = files.explained()
    assert "but exempt (overnight): the chat went on past midnight, 4 min after its" in text
    assert "lost (询单流失)" in files.explained(day="2026-11-02")


def test_whether_the_next_day_counts_depends_on_messages_to_other_buyers(files: Files) -> None:
    """The buyer's own events alone would have the agent offline on the next day, and nothing exempt."""
    late = MIDNIGHT + DAY_MS - 3 * MINUTE_MS
    chat = [
        *chat_of("A", late),
        message(late + 5 * MINUTE_MS, "A", "buyer"),
        *chat_of("A", NOON + DAY_MS, "b-2"),
    ]
    files.write(chat, settings=shop_settings(overnight_once=True))
    assert "but exempt (overnight): " in files.explained()


def test_a_withdrawn_inquiry_is_explained(files: Files) -> None:
    """It was emitted within ten minutes; only at its end was it known that A wrote nothing that day."""
    files.write([message(NOON, "A", "buyer"), *chat_of("B", NOON + 60 * MINUTE_MS, "b-2")])
    assert (
        "withdrawn. When it was emitted, the reception was not filtered and A was in pre-sales."
        in files.explained()
    )


# Orders and refunds


def test_a_day_with_nothing_but_a_silent_order(files: Files) -> None:
    files.write(orders=[order("created", NOON), order("paid", NOON + 1)])
    text = files.explained()
    assert "SUMMARY: 0 receptions (接待), 0 filtered (接待过滤); 1 order (订单); final (已定)." in text
    assert "credit (业绩归属) nobody; silent (静默), final (已定)" in text
    assert (
        "    silent (静默), final (已定): buyers (静默人数) 1 of 1, orders (静默订单数) 1 of 1, "
        "quantity (静默件数) 1 of 1, amount (静默金额) 1.00 CNY of 1.00" in text
    )


def test_an_order_placed_and_never_paid_is_a_day_too(files: Files) -> None:
    files.write(orders=[order("created", NOON)])
    text = files.explained()
    assert "unpaid (未付款), final (已定)" in text
    assert "  The whole shop (*)\n    nothing\n" in text


def test_an_order_that_its_payment_tells_of_is_among_those_of_its_day(files: Files) -> None:
    """The other buyer's only event on the day is one that a later one tells of."""
    chat = [*chat_of("A", NOON - MINUTE_MS), *chat_of("A", NOON - DAY_MS, "b-2")]
    paid = order("paid", NOON + 2 * DAY_MS, "o-2", "b-2", created_ts=NOON + 9)
    files.write(chat, [order("created", NOON + 1), paid])
    assert "buyers (落实下单人数) 1 of 2, orders (落实下单订单数) 1 of 2, " in files.explained()


def refunded() -> dict[str, list[Json]]:
    after = NOON + 3 * DAY_MS
    return {
        "chat": chat_of("A", NOON - MINUTE_MS),
        "orders": [
            order("created", NOON + 1, amount=500),
            order("paid", NOON + 2, amount=500),
            order("refund_requested", after, amount=200, refund_id="r-1"),
            order("refund_completed", after + DAY_MS, amount=150),
        ],
    }


@pytest.mark.parametrize("source", ["events", "replay"])
def test_a_refund_counts_on_its_own_day(files: Files, source: str) -> None:
    files.write(**refunded())
    where = files.options if source == "events" else ["--from", str(files.replayed())]

    def explained(day: str) -> str:
        result = run("explain", "jd:1", "--buyer", "b-1", "--day", day, *where)
        assert result.exit_code == 0, result.output
        return result.stdout

    text = explained(TODAY)
    assert "refunds (退款)" not in text
    assert "    refunds requested 2.00 CNY, completed 1.50 CNY; net 3.50 CNY" in text
    text = explained("2026-11-04")
    assert "SUMMARY: 0 receptions (接待), 0 filtered (接待过滤); 1 order (订单); final (已定)." in text
    assert "    2026-11-04 12:00:00  refund requested (申请退款), 2.00 CNY, id r-1\n" in text
    assert "  A\n    refunds (退款), final (已定): requested (申请退款) 2.00 CNY of 2.00 CNY\n" in text
    assert "refunds (退款), final (已定): completed (完成退款) 1.50 CNY of 1.50 CNY" in explained(
        "2026-11-05"
    )


def test_decisions_that_do_not_name_their_refunds_have_their_sums_alone(files: Files) -> None:
    """Those of the first edition, and those with very many refunds."""
    files.write(**refunded())
    out = files.replayed()
    decisions = out / "attribution-decisions.jsonl"
    decisions.write_text(decisions.read_text().replace('"refunds_cut":false', '"refunds_cut":true'))
    result = run("explain", "jd:1", "--buyer", "b-1", "--day", TODAY, "--from", str(out))
    assert "    refunds requested 2.00 CNY, completed 1.50 CNY; net 3.50 CNY" in result.stdout
    assert "Refunds are left out here" in result.stdout


# What there is to explain


@pytest.mark.parametrize("source", ["events", "replay"])
def test_a_day_without_records_names_others(files: Files, source: str) -> None:
    files.write([one for day in range(0, 14, 2) for one in chat_of("A", NOON + day * DAY_MS)])
    where = files.options if source == "events" else ["--from", str(files.replayed())]
    none = run("explain", "jd:1", "--buyer", "b-1", "--day", "2026-11-08", *where)
    assert none.exit_code == 2
    assert "no records of buyer b-1 of shop jd:1 on 2026-11-08; there are some on " in none.stderr
    assert "2026-11-03, 2026-11-05, 2026-11-07, 2026-11-09, 2026-11-11 and other days" in none.stderr
    nobody = run("explain", "jd:1", "--buyer", "b-9", "--day", TODAY, *where)
    assert nobody.exit_code == 2
    assert "no records of buyer b-9 of shop jd:1: check both ids" in nobody.stderr


def test_events_that_were_refused_repeated_or_of_the_system_are_left_out(files: Files) -> None:
    repeated = message(NOON + MINUTE_MS, "A", "agent", text="yes")
    too_late = message(NOON + 9 * SECOND_MS, "A", "buyer")
    chat = [
        message(NOON, "A", "buyer"),
        message(NOON + SECOND_MS, "A", "agent", kind="system", text="a bot"),
        repeated,
        {**repeated, "text": "something else", "ts": NOON + 2 * MINUTE_MS},
        *chat_of("A", NOON + 60 * DAY_MS, "b-2"),
    ]
    files.write(chat)
    with (files.folder / "chat.jsonl").open("ab") as lines:
        lines.write(orjson.dumps(too_late) + b"\n{\n")
    text = files.explained("--accept-future")
    assert "  12:00:00  buyer\n  12:01:00  A: 3 characters; round (回合) 1" in text
    assert "Buyer: 1 message. A: 1 effective message, 3 characters." in text


def test_the_newest_messages_may_not_be_in_the_figures_yet(files: Files) -> None:
    chat = [*chat_of("A", NOON), *chat_of("A", NOON + 60 * MINUTE_MS), *chat_of("B", NOON + 61 * MINUTE_MS)]
    files.write(chat)
    text = files.explained("--until", "2026-11-01T13:00:00+08:00")
    assert "  12:01:00  A: 0 characters; round (回合) 1, response (响应) after 60 s\n" in text
    assert "  13:00:00  buyer\n" in text  # it advanced the watermark, so it was emitted with the first
    assert "  13:01:00  A: 0 characters; not in the emitted figures yet\n" in text
    assert "Buyer: 2 messages. A: 1 effective message" in text
    assert "Reception (接待) with B" not in text
    assert "  The reception with B: its figures have not been emitted yet.\n" in text


@pytest.mark.parametrize("taken", [1, 3])
def test_the_messages_must_give_the_figures(
    files: Files, monkeypatch: pytest.MonkeyPatch, taken: int
) -> None:
    """A message too few, and one too many: a final fact includes all."""
    files.write(chat_of("A", NOON))
    real, more = (
        timeline.reception_timelines,
        decode_chat(orjson.dumps(message(NOON + 3 * MINUTE_MS, "A", "buyer"))),
    )
    monkeypatch.setattr(
        from_events, "reception_timelines", lambda chat, *of: real([*chat, more][:taken], *of)
    )
    result = files.explain()
    assert result.exit_code == 1
    assert "!!! THESE RECORDS CONTRADICT EACH OTHER." in result.stdout
    assert "!!! the reception with A: its messages do not give its figures" in result.stdout


def test_an_unsupported_verdict_is_announced_loudly(files: Files) -> None:
    files.write(**two_agents())
    out = files.replayed()
    path = out / "attribution-decisions.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"outcome":"credited"', b'"outcome":"silent"'))
    result = run("explain", "jd:1", "--buyer", "b-1", "--day", TODAY, "--from", str(out))
    assert result.exit_code == 1
    assert "!!! order o-1: outcome: silent, but the order is paid and credited" in result.stdout


@pytest.mark.parametrize(
    ("topic", "was", "now"),
    [
        ("reception-facts", b'"rounds":', b'"round":'),
        ("inquiry-outcomes", b'"kind":"', b'"kind":1,"x":"'),
        ("attribution-decisions", b'"candidates":', b'"candidate":'),
        ("agent-daily", b'"workload":', b'"work":'),
    ],
)
def test_a_broken_record_is_named_by_file_and_line(files: Files, topic: str, was: bytes, now: bytes) -> None:
    files.write(**two_agents())
    path = files.replayed() / f"{topic}.jsonl"
    path.write_bytes(path.read_bytes().replace(was, now))
    result = run("explain", "jd:1", "--buyer", "b-1", "--day", TODAY, "--from", str(path.parent))
    assert result.exit_code == 2
    assert f"Error: {path}, line 1: it is not a record of {topic}: " in result.stderr


def test_a_shop_elsewhere_has_days_and_times_of_its_own(files: Files) -> None:
    files.write(chat_of("A", NOON), settings=shop_settings(timezone="America/New_York"))
    text = files.explained(day="2026-11-01")
    assert "on 2026-11-01; times in America/New_York" in text
    assert "  00:00:00  buyer\n" in text
    out = str(files.replayed())
    asked = ["explain", "jd:1", "--buyer", "b-1", "--day", "2026-11-01", "--from", out]
    wrong = run(*asked)
    assert wrong.exit_code == 2
    assert "days that begin at 00:00 in Asia/Shanghai are not those of shop jd:1: name the" in wrong.stderr
    right = run(*asked, "--timezone", "America/New_York")
    assert "  00:00:00 to 00:01:00" in right.stdout


def test_a_shop_with_a_day_cut_has_days_of_its_own(files: Files) -> None:
    files.write(chat_of("A", NOON - 11 * 3_600_000), settings=shop_settings(day_cut="02:00"))
    assert "  2026-11-01 01:00:00  buyer\n" in files.explained(day="2026-10-31")
    out = str(files.replayed())
    asked = ["explain", "jd:1", "--buyer", "b-1", "--day", "2026-10-31", "--from", out]
    assert "name the shop's with --timezone and --day-cut" in run(*asked).stderr
    right = run(*asked, "--day-cut", "02:00")
    assert "  2026-11-01 01:00:00 to 2026-11-01 01:01:00" in right.stdout
    assert run(*asked, "--day-cut", "2:00").exit_code == 2


# How it is asked


@pytest.mark.parametrize("profile", ["official", "what-if"])
def test_an_order_can_be_explained_from_event_files_too(files: Files, profile: str) -> None:
    files.write(**two_agents() | {"settings": shop_settings(profiles={"what-if": {"preset": "chitu"}})})
    out = str(files.replayed())
    asked = ("explain", "jd:1", "o-1", "--profile", profile)
    by_events, by_replay = (run(*asked, *where) for where in (files.options, ["--from", out]))
    assert by_events.exit_code == 0
    assert f"Profile {profile}, " in by_events.stdout
    assert by_events.stdout == by_replay.stdout
    unknown = run("explain", "jd:1", "o-9", *files.options)
    assert unknown.exit_code == 2
    assert "the files give no decision on order o-9 of shop jd:1 under profile official" in unknown.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "either ORDER, or --buyer and --day"),
        (["o-1", "--buyer", "b-1", "--day", TODAY], "either ORDER, or --buyer and --day"),
        (["o-1", "--day", TODAY], "either ORDER, or --buyer and --day"),
        (["--buyer", "b-1", "--from", "."], "--buyer and --day need each other"),
        (["--day", TODAY, "--from", "."], "--buyer and --day need each other"),
        (
            ["--buyer", "b-1", "--day", "2026-11-31"],
            "'--day': '2026-11-31' is not a day like",
        ),
        (
            ["--buyer", "b-1", "--day", "1.11.2026"],
            "'--day': '1.11.2026' is not a day like",
        ),
        (["--buyer", "b-1", "--day", "1999-12-31"], "'1999-12-31' is not in the years 2000 to 2099"),
        (
            ["--buyer", "b-1", "--day", TODAY],
            "a worker has orders only; a buyer's day needs --from DIR",
        ),
        (["--buyer", "b-1", "--day", TODAY, "--url", "http://127.0.0.1:1"], "a worker has orders only"),
        (["--buyer", "b-1", "--day", TODAY, "--from", ".", "--profile", "x"], "--profile needs ORDER"),
        (["o-1", "--from", ".", "--orders", "o.jsonl"], "exclude each other"),
        (["o-1", "--settings", "s.jsonl"], "s.jsonl: No such file"),
        (["--buyer", "b-1", "--day", TODAY, "--agent", "A"], "--agent needs ORDER"),
        (["o-1", "--orders", "-"], "standard input (-) cannot be read twice"),
        (["o-1", "--until", "2026-11-01T00:00:00Z"], "--until needs event files"),
        (["o-1", "--orders", "no-such-file.jsonl"], "no-such-file.jsonl: No such file"),
        (
            ["--buyer", "b-1", "--day", TODAY, "--chat", "no-such-file.jsonl"],
            "no-such-file.jsonl: No such file",
        ),
    ],
)
def test_wrong_usage_ends_with_exit_code_2(arguments: list[str], says: str) -> None:
    result = run("explain", "jd:1", *arguments)
    assert result.exit_code == 2
    assert says in result.stderr


def test_a_folder_without_facts_names_the_command_that_writes_them(tmp_path: Path) -> None:
    result = run("explain", "jd:1", "--buyer", "b-1", "--day", TODAY, "--from", str(tmp_path))
    assert result.exit_code == 2
    assert "reception-facts.jsonl does not exist: run 'stream-attr replay --out" in result.stderr


@pytest.mark.parametrize("width", [40, 60, 100])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_line_that_is_wider_than_the_terminal_goes_on_indented(
    files: Files, width: int, language: str
) -> None:
    files.write(**two_agents())
    for line in files.explained("--lang", language).splitlines():
        parts = wrapped(line, width)
        assert all(cell_len(part) <= width for part in parts)
        indent = len(line) - len(line.lstrip(" "))
        assert all(part.startswith(" " * (indent + 4)) for part in parts[1:])
        assert "".join("".join(parts).split()) == "".join(line.split())


# All of some made-up traffic


END_TS = MIDNIGHT + 5 * DAY_MS


@pytest.fixture(scope="module")
def traffic(tmp_path_factory: pytest.TempPathFactory) -> tuple[Inputs, Path]:
    """Three days of traffic, and what a replay wrote of it."""
    folder = tmp_path_factory.mktemp("traffic")
    write(Plan(seed=11, events=1_500, days=3, end_ts=END_TS), folder)
    names = ("chat", "orders", "roster", "settings")
    paths = {name: str(folder / f"{name}.jsonl") for name in names}
    options = [word for name in names for word in (f"--{name}", paths[name])]
    assert run("replay", *options, "--out", str(folder / "out")).exit_code == 0
    return Inputs(**{name: (path,) for name, path in paths.items()}), folder / "out"


def days_of(out: Path) -> list[tuple[str, str, str]]:
    """All shops, buyers and days of which there is a fact or an order."""
    found = set()
    for line in (out / "reception-facts.jsonl").read_bytes().splitlines():
        fact = orjson.loads(line)
        found.add((fact["shop_id"], fact["buyer_id"], fact["day"]))
    for line in (out / "attribution-decisions.jsonl").read_bytes().splitlines():
        decision = orjson.loads(line)
        day = day_name(SHANGHAI.day_of(decision["created_ts"]))
        found.add((decision["shop_id"], decision["buyer_id"], day))
    return sorted(found)


def known_by_records(parts: dict[str, Contribution]) -> dict[str, Contribution]:
    """What can be known of parts by the last records."""
    known = {}
    for agent_id, part in parts.items():
        all_of_it = part.with_zeros()
        assert all_of_it.workload is not None
        workload = replace(all_of_it.workload, unanswered=0)
        contribution = Contribution(workload, all_of_it.inquiries, all_of_it.deals)
        if contribution != Contribution().with_zeros():
            known[agent_id] = contribution
    return known


def test_by_events_and_by_replay_the_same_is_known(traffic: tuple[Inputs, Path]) -> None:
    inputs, out = traffic
    asked = days_of(out)[::2]
    for shop_id, buyer_id, day in asked:
        by_events = buyer_day_from_events(EventFiles(inputs, None, 5 * MINUTE_MS), shop_id, buyer_id, day)
        by_replay = buyer_day_from_replay(out, shop_id, buyer_id, day, SHANGHAI)
        for name in ("decisions", "figures"):
            assert getattr(by_events.records, name) == getattr(by_replay.records, name)
        for name in ("facts", "inquiries"):  # of other days only those are judged that bear on this one
            events, replay = (getattr(one.records, name) for one in (by_events, by_replay))
            of_day = {key: one for key, one in replay.items() if key[0] == day}
            assert {key: one for key, one in events.items() if key[0] == day} == of_day
        assert by_replay.contributions.keys() <= by_events.contributions.keys()
        agents = by_events.contributions.keys() & by_replay.contributions.keys()
        added = known_by_records({one: by_events.contributions[one] for one in agents})
        assert added == known_by_records({one: by_replay.contributions[one] for one in agents})
        assert not problems_of(by_events)
        for known in (by_events, by_replay):
            for language in ("en", "zh"):
                assert explain_buyer_day(known, language=language)[-1]
    assert len(asked) > 30


def test_what_all_buyers_add_is_the_day(traffic: tuple[Inputs, Path]) -> None:
    """Each agent's, and the shop's, day is what all buyers add to it, and nothing else."""
    _, out = traffic
    days = days_of(out)
    shop_id, day = Counter((shop, day) for shop, _, day in days).most_common(1)[0][0]
    sums: dict[str, Counter[str]] = {}
    figures: dict[str, Any] = {}
    for buyer_id in {buyer for _, buyer, _ in days}:
        try:
            known = buyer_day_from_replay(out, shop_id, buyer_id, day, SHANGHAI)
        except NoRecordsError:
            continue
        figures = known.records.figures
        parts = dict(known.contributions)
        if parts and TOTAL not in parts:
            parts[TOTAL] = next(iter(parts.values()))
        for agent_id, part in parts.items():
            added = sums.setdefault(agent_id, Counter())
            whole = part.with_zeros()
            for group in (whole.workload, whole.inquiries, whole.deals):
                assert group is not None
                added.update({f"{type(group).__name__}.{name}": n for name, n in asdict(group).items()})
    for agent_id, daily in figures.items():
        added = sums[agent_id]
        assert added["Workload.consults"] == daily.workload.consults
        assert added["Workload.receptions"] == daily.workload.receptions
        assert added["Workload.unreplied"] == daily.workload.unreplied
        assert added["Workload.agent_characters"] == daily.workload.agent_characters
        assert added["Inquiries.inquiries"] == daily.inquiries.inquiries
        assert added["Inquiries.lost"] == daily.inquiries.lost
        assert added["Inquiries.paid"] == daily.payments.paid
        assert added["Deals.placed_amount"] == daily.placed.amount
        assert added["Deals.sales_amount"] == daily.sales.amount
        assert added["Deals.paid_buyers"] == daily.paid.buyers
    assert len(figures) > 3


def test_the_decisions_of_the_events_are_those_of_a_replay(traffic: tuple[Inputs, Path]) -> None:
    inputs, out = traffic
    lines = (out / "attribution-decisions.jsonl").read_bytes().splitlines()
    decision = orjson.loads(lines[len(lines) // 2])
    asked = EventFiles(inputs, None, 5 * MINUTE_MS)
    found = decisions_from_events(asked, decision["shop_id"], decision["order_id"], "official")
    written = [one for one in map(orjson.loads, lines) if one["order_id"] == decision["order_id"]]
    assert found.decisions == [one for one in written if one["shop_id"] == decision["shop_id"]]


def test_a_question_handed_over_and_a_rating_are_told(files: Files) -> None:
    chat = [
        message(NOON, "A", "buyer"),
        transfer(NOON + 9 * SECOND_MS, "A", "B"),
        message(NOON + 39 * SECOND_MS, "B", "agent"),
        {
            **transfer(NOON + MINUTE_MS, "B", "A"),
            "event_id": "r1",
            "type": "rating",
            "score": 5,
        },
    ]
    files.write(chat)
    text = files.explained()
    assert "  12:00:09  A transfers the buyer to B: a question handed over (转接)" in text
    assert "the buyer rates the service of B: 5 of 5 (满意度评价)" in text
    assert "The buyer was transferred to B, which counts as a question of the buyer (转接)." in text
    assert "the buyer, by a carried question (转接与跨天提问), wrote first." in text
    assert "round (回合) 1, response (响应) after 30 s" in text
    assert "do not give" not in text


def test_an_answer_after_midnight_is_told_as_one(files: Files) -> None:
    midnight = NOON - 12 * 60 * MINUTE_MS
    files.write(
        [message(midnight - 10 * SECOND_MS, "A", "buyer"), message(midnight + 20 * SECOND_MS, "A", "agent")]
    )
    text = files.explained()
    assert "the buyer, by a carried question (转接与跨天提问), wrote first." in text
    assert "round (回合) 1, response (响应) after 30 s" in text
    assert "do not give" not in text


def test_a_reception_that_was_handed_over_and_silent_is_told(files: Files) -> None:
    files.write([message(NOON, "A", "buyer"), transfer(NOON + 9 * SECOND_MS, "A", "B")])
    text = files.explained()
    assert "  12:00:09  A transfers the buyer to B: a question handed over (转接)" in text
    assert "do not give" not in text
