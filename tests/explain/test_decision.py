"""A decision explained: who, why, who else, what did not count, whether it can change."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread, Timer
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result

from stream_attr.cli import main
from stream_attr.codec.money import format_money
from stream_attr.explain.decision import explain_decision
from stream_attr.explain.decision import explained as by_parts
from stream_attr.explain.why_not import AgentHistory
from tests.explain.decisions import (
    MINUTE,
    NOON,
    Json,
    candidate,
    decision,
    figures,
    picked,
    silent,
    unpaid,
)
from tests.explain.event_files import Files
from tests.reference.shorthand import DAY_MS, order
from tests.reference.shorthand import NOON as TODAY_NOON


def explained(of: Json, **options: Any) -> str:
    return "\n".join(explain_decision(of, **{"zone": "Asia/Shanghai", **options}))


def test_the_parts_of_an_explanation_are_named_and_make_up_its_lines() -> None:
    of = decision(refunds=[{"refund_id": "r-1", "ts": NOON, "amount": 100, "completed": True}])
    history = [unpaid(), of]
    parts = by_parts(of, history=history, why_not=("A", AgentHistory()), zone="Asia/Shanghai")
    assert parts.heading[0].startswith("Order o-1 of shop jd:10086")
    assert parts.verdict[0] == "VERDICT: B has the credit (业绩归属), final (已定)."
    assert parts.why_not is not None
    assert parts.why_not.title == "Why not A?"
    names = ["order", "placing", "payment", "credit", "assists", "discarded", "change", "revisions"]
    assert [part.name for part in parts.parts] == names
    text = explained(of, history=history, why_not=("A", AgentHistory()))
    for part in (parts.why_not, *parts.parts):
        assert "\n\n" + "\n  ".join((part.title, *part.lines)) in text
    assert by_parts(unpaid(), zone="Asia/Shanghai").why_not is None


def test_a_credited_order_is_explained_completely() -> None:
    first = unpaid()
    assert (
        explained(decision(), history=[first, decision()])
        == """\
Order o-1 of shop jd:10086, buyer b-7: 1,290.00 CNY, quantity 2
Profile official, preset jd_cloud, settings effective from 2026-10-01; times in Asia/Shanghai

VERDICT: B has the credit (业绩归属), final (已定).
Verified: the receipt below supports this verdict and no other.

The order
  2026-11-01 12:00:00  created (下单)
  2026-11-01 12:10:00  paid (付款)
  refunds requested 90.00 CNY, completed 90.00 CNY; net 1,200.00 CNY

Candidates before the order was placed (落实下单)
  1. C: 4 messages, 1 round (回合), from 2026-11-01 11:51:00 to 11:55:00
  2. A: 9 messages, 4 rounds (回合), from 2026-11-01 11:00:00 to 11:50:00, from a product page
  C is the placing agent (落实下单客服) by the rule last chat (聊天时间).
  The runner-up A's last chat was 5 min earlier, at 2026-11-01 11:50:00.

Candidates before the payment (落实付款)
  1. B: 2 messages, 1 round (回合), from 2026-11-01 12:03:00 to 12:04:00
  2. C: 4 messages, 1 round (回合), from 2026-11-01 11:51:00 to 11:55:00
  3. A: 9 messages, 4 rounds (回合), from 2026-11-01 11:00:00 to 11:50:00, from a product page
  B is the payment agent (落实付款客服) by the rule last chat (聊天时间).
  The runner-up C's last chat was 9 min earlier, at 2026-11-01 11:55:00.

Who has the credit (业绩归属)
  B, as the payment agent. The rule is payment (付款判定): the payment agent, otherwise nobody.

Who assisted without having the credit (协助服务)
  A: served the buyer before the order was placed (协助下单)

What did not count
  D on 2026-11-01: monologue (单口相声), the agent wrote first and the buyer hardly answered or not at all

Can it still change?
  Since 2026-11-02 00:00:00, chat that arrives in time no longer can.
  A late event, a refund or another event of the order always can, with a new revision.

History
  1. pending (待定), awaiting payment (待付款), placing agent C, net 1,290.00 CNY; reason: created (下单), \
2026-11-01 12:00:00
  3. final (已定), credited (有归属), credit B, net 1,200.00 CNY; reason: timer (到时), \
2026-11-02 00:00:00.005"""
    )


def test_refunds_a_deposit_and_notices_are_told() -> None:
    of = decision(
        deposit_ts=NOON + MINUTE,
        deposit_amount=10_000,
        refund_requested=200_000,
        refund_completed=200_000,
        net_amount=-71_000,
        cancelled_ts=NOON + 20 * MINUTE,
        refunds=[
            {"refund_id": "r-1", "ts": NOON + 30 * MINUTE, "amount": 200_000, "completed": False},
            {"refund_id": None, "ts": NOON + 40 * MINUTE, "amount": 200_000, "completed": True},
        ],
        refunds_cut=False,
        notices=["currency_differs", "over_refunded", "several_payments"],
    )
    assert """
The order
  2026-11-01 12:00:00  created (下单)
  2026-11-01 12:01:00  deposit paid (付定金), 100.00 CNY
  2026-11-01 12:10:00  paid (付款)
  2026-11-01 12:20:00  cancelled (取消)
  2026-11-01 12:30:00  refund requested (申请退款), 2,000.00 CNY, id r-1
  2026-11-01 12:40:00  refund completed (退款完成), 2,000.00 CNY
  refunds requested 2,000.00 CNY, completed 2,000.00 CNY; net -710.00 CNY
  TO BE LOOKED AT, currency differs (币种不一致): an event names another currency than CNY; its amount is \
taken as it stands.
  TO BE LOOKED AT, over refunded (退款超额): 2,000.00 CNY were refunded of 1,290.00 CNY. The same refund may \
have come under several ids.
  TO BE LOOKED AT, several payments (重复付款): a payment came again with another amount or time, and only \
the first counts. If both are real, they need a payment_id each; if one was given back, a refund has to say \
so.

""" in explained(of)
    assert "请核对，退款超额：付款 1,290.00 CNY，却完成退款 2,000.00 CNY。" in explained(of, language="zh")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_of_many_refunds_it_is_told_that_not_all_are_named(language: str) -> None:
    refund = {"refund_id": None, "ts": NOON + 30 * MINUTE, "amount": 1, "completed": True}
    text = explained(decision(refunds=[refund] * 100, refunds_cut=True, notices=[]), language=language)
    assert ("Only the first 100 refunds are named" in text) or ("只列出前 100 笔退款" in text)


def test_by_event_files_parcels_and_reviews_stand_among_the_events(files: Files) -> None:
    files.write(
        orders=[
            order("created", TODAY_NOON),
            order("paid", TODAY_NOON + 1_000),
            order("parcel_returned", TODAY_NOON + 3 * DAY_MS),
            order("parcel_inspected", TODAY_NOON + 3 * DAY_MS + 1_000),
            order("reviewed", TODAY_NOON + 2 * DAY_MS, review="bad"),
        ]
    )
    result = run("jd:1", "o-1", *map(Path, files.options))
    assert result.exit_code == 0, result.output
    assert (
        """
The order
  2026-11-01 12:00:00  created (下单)
  2026-11-01 12:00:01  paid (付款)
  2026-11-03 12:00:00  reviewed (评价)
  2026-11-04 12:00:00  parcel returned (退货签收)
  2026-11-04 12:00:01  parcel inspected (退货拆包)

"""
        in result.output
    )


def test_by_event_files_instalments_and_the_end_of_the_balance_are_told(files: Files) -> None:
    files.write(
        orders=[
            order("created", TODAY_NOON, amount=1_000),
            order("deposit_paid", TODAY_NOON + 1_000, balance_until=TODAY_NOON + 10 * DAY_MS),
            order("paid", TODAY_NOON + DAY_MS, amount=400, payment_id="1"),
            order("paid", TODAY_NOON + 3 * DAY_MS, amount=600, payment_id="2"),
        ]
    )
    result = run("jd:1", "o-1", *map(Path, files.options))
    assert result.exit_code == 0, result.output
    assert (
        """
The order
  2026-11-01 12:00:00  created (下单)
  2026-11-01 12:00:01  deposit paid (付定金), 1.00 CNY
  2026-11-02 12:00:00  paid (付款), instalment (分期) 1: 4.00 CNY
  2026-11-04 12:00:00  paid (付款), instalment (分期) 2: 6.00 CNY
  The balance (尾款) can be paid until 2026-11-11 12:00:00.

"""
        in result.output
    )


def test_the_same_in_chinese() -> None:
    text = explained(decision(), language="zh")
    assert "结论：业绩归属 B（已定）。" in text
    assert "其次是 C，最后聊天早了 9 分（2026-11-01 11:55:00）。" in text
    assert not any(word in text for word in ("the ", "agent", "rounds"))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_unsupported_verdict_is_announced_loudly(language: str) -> None:
    text = explained(
        decision(credit={"agent_id": "A", "basis": "payment", "rule": "payment"}), language=language
    )
    assert "it is B's (basis payment), not A's" in text
    assert "DOES NOT SUPPORT" in text or "凭据不支持此结论" in text


def test_a_pending_decision_says_until_when() -> None:
    text = explained(unpaid())
    assert "VERDICT: nobody has the credit (业绩归属) yet, the order is not paid; pending (待定)." in text
    assert "Chat that arrives in time can change it until 2026-11-03 00:00:00; then it becomes final." in text
    assert "before the payment" not in text
    assert "Nobody: only a paid order gives credit." in text


def test_a_followed_up_order_says_who_was_first() -> None:
    text = explained(silent())
    assert text.count("no candidate\n") == 2
    assert (
        "1. E: 3 messages, 1 round (回合), from 2026-11-01 12:11:00 to 12:15:00, the buyer wrote first"
        in text
    )
    assert "E, as the first to follow up the full-silent (全静默) order (全静默订单跟进)." in text


@pytest.mark.parametrize(
    ("placing", "payment", "says"),
    [
        (False, False, "full-silent (全静默)"),
        (False, True, "semi-silent (半静默), there is a payment agent, but the rule is order (下单判定)"),
        (True, False, "there is no payment agent, and the rule is payment (付款判定)"),
    ],
)
def test_a_silent_order_says_why(placing: bool, payment: bool, says: str) -> None:
    spoken = figures(2, 1, NOON - 2 * MINUTE, NOON - MINUTE)
    chosen = {
        interval: spoken if there else None
        for interval, there in (("placing", placing), ("payment", payment))
    }
    agents = {interval: one and picked("B", "last_chat", one) for interval, one in chosen.items()}
    silence = "none" if placing else "semi" if payment else "full"
    candidates = [candidate("B", **chosen)] if placing or payment else []  # type: ignore[arg-type]
    text = explained(silent(**agents, candidates=candidates, credit=None, outcome="silent", silence=silence))
    assert says in text
    assert "Verified" in text


@pytest.mark.parametrize(
    ("rule", "c", "says"),
    [
        (
            "last_chat",
            (2, 1, 50_000),
            "C's last chat was 10 s earlier, at 2026-11-01 11:59:50.",
        ),
        (
            "last_chat",
            (2, 1, 59_999),
            "The runner-up C's last chat was 0.001 s earlier, at 2026-11-01 11:59:59.999.",
        ),
        (
            "last_chat",
            (2, 1, 60_000),
            "C's last chat was at the same moment; on a tie the smaller id is picked.",
        ),
        ("most_rounds", (9, 1, 59_000), "The runner-up C had 1 round (回合), against 2 rounds (回合)."),
        (
            "most_rounds",
            (9, 2, 59_000),
            "C had as many rounds; on a tie the later last chat is picked. The runner-up C",
        ),
    ],
)
def test_the_runner_up_is_named_and_what_it_lacked(rule: str, c: tuple[int, int, int], says: str) -> None:
    start = NOON - MINUTE
    b = figures(4, 2, start, NOON)
    other = figures(c[0], c[1], start, start + c[2])
    of = decision(
        created_ts=NOON + 1,
        candidates=[candidate("B", placing=b, payment=b), candidate("C", placing=other, payment=other)],
        placing=picked("B", rule, b),
        payment=picked("B", rule, b),
        assists=[{"agent_id": "C", "kind": "order"}],
    )
    text = explained(of)
    assert says in text
    assert "the same candidates with the same figures" in text
    assert "Verified" in text


def test_times_are_in_the_zone_of_the_option() -> None:
    assert "2026-11-01 05:00:00  created" in explained(decision(), zone="Europe/Berlin")


def test_the_end_of_a_replay_is_not_a_date() -> None:
    history = [unpaid(), decision(watermark=2**62)]
    assert explained(decision(), history=history).endswith("reason: timer (到时), the end of the input")


@pytest.mark.parametrize(
    ("amount", "currency", "says"),
    [
        (0, "CNY", "0.00 CNY"),
        (5, "CNY", "0.05 CNY"),
        (123_456_789, "SGD", "1,234,567.89 SGD"),
        (-5, "CNY", "-0.05 CNY"),
        (1_200, "JPY", "1,200 JPY"),
        (1_200, "ISK", "1,200 ISK"),
        (1_200, "IDR", "12.00 IDR"),  # by ISO 4217; people write no decimals, and CLDR has none
        (1_200, "KWD", "1.200 KWD"),
        (1_200, "CLF", "0.1200 CLF"),
        (1_200, "XTS", "12.00 XTS"),  # a code without minor units
        (1_200, "QQQ", "12.00 QQQ"),  # not in the list
    ],
)
def test_money_is_written_as_people_write_it(amount: int, currency: str, says: str) -> None:
    assert format_money(amount, currency) == says


@pytest.fixture
def replayed(tmp_path: Path) -> Path:
    other = decision(
        order_id="o-2", decision_id="jd:10086|o-2|official|3", supersedes="jd:10086|o-2|official|2"
    )
    comparison = decision(
        profile="pdd-like", decision_id="jd:10086|o-1|pdd-like|1", supersedes=None, revision=1
    )
    for name, records in (("decisions", [unpaid(), other, decision()]), ("comparisons", [comparison])):
        path = tmp_path / f"attribution-{name}.jsonl"
        path.write_bytes(b"".join(orjson.dumps(record) + b"\n" for record in records))
    return tmp_path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["explain", *map(str, arguments)])


def test_from_replay_comes_the_last_revision_with_the_history(replayed: Path) -> None:
    result = run("jd:10086", "o-1", "--from", replayed)
    assert result.exit_code == 0, result.output
    assert result.output.startswith("Order o-1 of shop jd:10086")
    assert "VERDICT: B has the credit" in result.output
    assert "1. pending" in result.output


def test_from_replay_comes_another_profile(replayed: Path) -> None:
    result = run("jd:10086", "o-1", "--from", replayed, "--profile", "pdd-like", "--lang", "zh")
    assert result.exit_code == 0, result.output
    assert "方案 pdd-like" in result.output


def test_an_unsupported_verdict_ends_with_exit_code_1(replayed: Path) -> None:
    wrong = decision(outcome="silent")
    (replayed / "attribution-decisions.jsonl").write_bytes(orjson.dumps(wrong) + b"\n")
    result = run("jd:10086", "o-1", "--from", replayed)
    assert result.exit_code == 1
    assert "THE RECEIPT DOES NOT SUPPORT THE VERDICT" in result.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["jd:10086", "o-3"], "no decision on order o-3 of shop jd:10086"),
        (["jd:10087", "o-1"], "no decision on order o-1 of shop jd:10087"),
        (["jd:10086", "o-1", "--profile", "x"], "under profile x"),
        (["jd:10086", "o-1", "--timezone", "Asia/Beijing"], "not an IANA time zone"),
        (["jd:10086", "o-1", "--url", "http://127.0.0.1:1"], "exclude each other"),
    ],
)
def test_no_such_decision_ends_with_exit_code_2(replayed: Path, arguments: list[str], says: str) -> None:
    result = run(*arguments, "--from", replayed)
    assert result.exit_code == 2
    assert says in result.output


def test_a_folder_without_results_names_the_command_that_writes_them(tmp_path: Path) -> None:
    result = run("jd:10086", "o-1", "--from", tmp_path)
    assert result.exit_code == 2
    assert (
        f"attribution-decisions.jsonl does not exist: run 'stream-attr replay --out {tmp_path} …'"
        in result.output
    )


@pytest.mark.parametrize(
    ("lines", "broken", "lacks"),
    [
        ([unpaid(), {**decision(), "candidates": None}], 2, "TypeError"),
        ([{**unpaid(), "net_amount": "100"}, decision()], 1, "TypeError"),
        ([{key: value for key, value in unpaid().items() if key != "currency"}, decision()], 1, "'currency'"),
    ],
)
def test_a_broken_decision_is_named_by_file_and_line(
    tmp_path: Path, lines: list[Json], broken: int, lacks: str
) -> None:
    file = tmp_path / "attribution-decisions.jsonl"
    file.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    result = run("jd:10086", "o-1", "--from", tmp_path)
    assert result.exit_code == 2
    assert f"Error: {file}, line {broken}: not a decision: " in result.output
    assert lacks in result.output


@pytest.mark.parametrize("left", [20, 0.5, -2])
def test_a_folder_that_was_cut_off_gives_no_earlier_verdict(replayed: Path, left: float) -> None:
    """In the last revision: before its order's id, behind it, before its last brace."""
    file = replayed / "attribution-decisions.jsonl"
    first, second, last = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(first + second + last[: int(len(last) * left) if left == 0.5 else int(left)])
    result = run("jd:10086", "o-1", "--from", replayed)
    assert result.exit_code == 2, result.output
    start = f"Error: {file}, line 3: it is not a record of attribution-decisions: "
    assert result.stderr.startswith(start), result.stderr
    assert result.stderr.endswith("; write the folder again with stream-attr replay\n")
    assert "JSONDecodeError" not in result.stderr


@pytest.mark.parametrize("line", [b'{"order_id": "o-1"\n', b'{"order_id": "o-1"}\n', b'["o-1"]\n'])
def test_a_file_that_holds_no_decisions_ends_with_exit_code_2(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "attribution-decisions.jsonl").write_bytes(line)
    result = run("jd:10086", "o-1", "--from", tmp_path)
    assert result.exit_code == 2
    assert "attribution-decisions.jsonl" in result.output


def test_a_worker_is_asked_for_the_official_profile_only() -> None:
    result = run("jd:10086", "o-1", "--profile", "x")
    assert result.exit_code == 2
    assert "--profile needs --from" in result.output


@pytest.fixture
def worker() -> Iterator[Callable[[bytes, int], str]]:
    """A stand-in for the worker's web port; give it an answer, get its address."""
    answer: list[object] = []
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body, status = answer
            assert isinstance(body, bytes)
            assert isinstance(status, int)
            self.send_response(status if self.path == "/orders/jd%3A10086/o%2F1" else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()

    def given(body: bytes, status: int) -> str:
        answer[:] = [body, status]
        return f"http://127.0.0.1:{server.server_port}/"

    yield given
    server.shutdown()
    thread.join()
    server.server_close()


def test_from_a_worker_comes_the_last_decision(worker: Callable[[bytes, int], str]) -> None:
    url = worker(orjson.dumps(decision()), 200)
    result = run("jd:10086", "o/1", "--url", url)
    assert result.exit_code == 0, result.output
    assert "VERDICT: B has the credit" in result.output
    assert "History" not in result.output


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (
            b"{}",
            404,
            "no decision yet on order o/1 of shop jd:10086: its events were not processed yet, or refused",
        ),
        (b"{}", 503, "HTTP status 503"),
        (b'{"error": "partition 3 does not answer"}', 503, "Error: partition 3 does not answer"),
        (b"<html>", 200, "the response is not JSON"),
        (b"{}", 200, "/orders/jd%3A10086/o%2F1: not a decision: KeyError"),
        (b"[]", 200, "/orders/jd%3A10086/o%2F1: not a decision: TypeError"),
    ],
)
def test_a_worker_without_a_decision_ends_with_exit_code_2(
    worker: Callable[[bytes, int], str], body: bytes, status: int, says: str
) -> None:
    result = run("jd:10086", "o/1", "--url", worker(body, status), "--wait", "0s")
    assert result.exit_code == 2
    assert says in result.output


def test_an_order_that_is_not_processed_yet_is_waited_for(worker: Callable[[bytes, int], str]) -> None:
    url = worker(b"{}", 404)
    judged = Timer(0.5, worker, (orjson.dumps(decision()), 200))
    judged.start()
    result = run("jd:10086", "o/1", "--url", url)
    judged.join()
    assert result.exit_code == 0, result.output
    assert "VERDICT: B has the credit" in result.output


@pytest.mark.parametrize(
    ("shop", "order", "says"),
    [
        ("jd:10086", "..", "order_id '..' cannot be asked for over HTTP, where it names a directory"),
        (".", "o-1", "shop_id '.' cannot be asked for over HTTP, where it names a directory"),
        ("jd:10086", "\udcff", "order_id '\\udcff' is not Unicode text"),
        ("jd:10086", "", "order_id is empty"),
    ],
)
def test_an_id_that_no_web_path_can_hold_is_refused_before_any_request(
    shop: str, order: str, says: str
) -> None:
    result = run(shop, order, "--url", "http://127.0.0.1:1", "--wait", "0s")
    assert result.exit_code == 2
    assert says in result.output


@pytest.mark.parametrize("url", ["", "nonsense", "http://127.0.0.1:abc"])
def test_a_url_that_is_not_one_is_wrong_usage(url: str) -> None:
    result = run("jd:10086", "o-1", "--url", url)
    assert result.exit_code == 2
    assert "Invalid value for '--url'" in result.output


def test_what_does_not_speak_http_is_explained() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:

        def answer() -> None:
            connection, _ = other.accept()
            with connection:
                connection.recv(1024)
                connection.sendall(b"220 ready\r\n")

        thread = Thread(target=answer)
        thread.start()
        result = run("jd:10086", "o-1", "--url", f"http://127.0.0.1:{other.getsockname()[1]}")
        thread.join()
    assert result.exit_code == 2
    assert "is not a web server" in result.output
