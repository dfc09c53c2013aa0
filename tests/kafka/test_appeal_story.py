"""A month is judged, paid and closed; an agent appeals, and the next month's statement says what came of it.

Everything is the real thing: the embedded broker, worker, ledger and console in processes of their own, a
browser, and the commands of pay.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner

from stream_attr.cli import main
from stream_attr.cli.database import IN_DATA_DIR
from stream_attr.cli.demo_worker import demo_console, demo_ledger, demo_worker
from stream_attr.console.accounts import Duty
from stream_attr.console.roles import Role
from stream_attr.kafka.embedded.broker import embedded_broker
from stream_attr.kafka.embedded.server import free_port
from stream_attr.ledger.database.connect import Database
from tests.console.conftest import add
from tests.console.in_browser import logged_in, picture
from tests.console.test_browser import CHROMIUM, browser
from tests.kafka.worker_process import until
from tests.ledger.reports.handmade import start_of

__all__ = ["browser"]

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed"),
]

SHOP = "jd:10086"
SECOND = 1_000
DAY = start_of("2024-10-20") + 10 * 3_600 * SECOND
SCHEME = {
    "scheme_id": "presale",
    "version": 1,
    "effective_from": "2024-10-01",
    "refund_basis": "sale_month",
    "take_at_most": "20%",
    "components": [
        {"kind": "fixed", "id": "base", "name": "底薪", "amount": 300_000, "prorate": "days"},
        {
            "kind": "commission",
            "id": "commission",
            "name": "提成",
            "of": "sales.net_amount",
            "mode": "marginal",
            "tiers": [{"from": 0, "rate": "1%"}],
        },
    ],
}
ROSTER = {"kf-01": ("安娜", "p-anna"), "kf-02": ("小本", "p-ben")}
ORDERS = {"o-1": ("b-1", "kf-01", 200_000), "o-2": ("b-2", "kf-01", 100_000)}
"""Buyer, who answered, fen; of o-2 ben had the buyer on the phone."""


def lines(folder: Path, name: str, records: list[dict[str, Any]]) -> str:
    file = folder / f"{name}.jsonl"
    file.write_text("".join(f"{json.dumps(one, ensure_ascii=False)}\n" for one in records), encoding="utf-8")
    return str(file)


def events() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Each buyer asks, is answered, orders and pays, within five minutes."""
    chat, orders = [], []
    for number, (order_id, (buyer, agent, amount)) in enumerate(ORDERS.items()):
        at = DAY + number * 3_600 * SECOND
        common = {"shop_id": SHOP, "buyer_id": buyer}
        for step, (sender, text) in enumerate((("buyer", "有货吗"), ("agent", "有的"), ("buyer", "好"))):
            chat.append(
                {**common, "event_id": f"c-{number}-{step}", "agent_id": agent, "sender": sender,
                 "ts": at + step * 10 * SECOND, "text": text}
            )  # fmt: skip
        for step, kind in enumerate(("created", "paid")):
            orders.append(
                {**common, "event_id": f"e-{number}-{step}", "order_id": order_id, "type": kind,
                 "ts": at + (60 + step * 60) * SECOND, "amount": amount}
            )  # fmt: skip
    return chat, orders


class World(NamedTuple):
    """What runs."""

    address: str
    """Of the console."""
    database: Database
    command: Callable[..., str]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """October 2024 is judged, and in the ledger."""
    with ExitStack() as stack:
        broker = stack.enter_context(embedded_broker())
        where = ["--broker", broker.bootstrap]

        def run(*words: str) -> str:
            result = CliRunner().invoke(main, list(words))
            assert result.exit_code == 0, result.output
            return result.stdout

        run("topics", "create", "--partitions", "2", *where)
        worker = stack.enter_context(demo_worker(broker.bootstrap, free_port(), tmp_path))
        sink = stack.enter_context(demo_ledger(broker.bootstrap, free_port(), tmp_path))
        worker.await_ready()
        chat, orders = events()
        settings = {"shop_id": SHOP, "effective_from": "2024-01-01", "preset": "jd_cloud"}
        roster = [
            {"shop_id": SHOP, "agent_id": agent, "role": "presale", "effective_from": "2024-01-01",
             "name": name, "person_id": person}
            for agent, (name, person) in ROSTER.items()
        ]  # fmt: skip
        files = {"settings": [settings], "roster": roster, "chat": chat, "orders": orders}
        named = [word for name, of in files.items() for word in (f"--{name}", lines(tmp_path, name, of))]
        run("publish", *named, "--until", str(start_of("2024-11-03")), *where)
        sink.await_ready()
        port = free_port()
        console = stack.enter_context(demo_console(broker.bootstrap, port, tmp_path))
        console.await_ready()
        database = stack.enter_context(Database(None, tmp_path / "data" / IN_DATA_DIR))

        def command(*words: str) -> str:
            return run(*words, "--database", database.address)

        def final_orders() -> int:
            with database.connection(autocommit=True) as connection:
                row = connection.execute("SELECT count(*) FROM decision WHERE status = 'final'").fetchone()
                return 0 if row is None else row[0]

        until(lambda: final_orders() == len(ORDERS))
        yield World(console.url, database, command)


def paid(world: World, month: str) -> dict[str, Any]:
    """Draft, check, approve by another and close a month; its run by person."""
    which = ("--scheme", "presale", "--month", month)
    for step, by in (("draft", "Zhao"), ("check", "Zhao"), ("approve", "Qian"), ("close", "Zhao")):
        world.command("pay", "run", step, *which, "--by", by)
    shown = json.loads(world.command("pay", "run", "show", *which, "--format", "json"))
    return {row["person"]: row for row in shown["rows"]}


async def test_the_whole_story(world: World, browser, tmp_path: Path):
    file = tmp_path / "scheme.json"
    file.write_text(json.dumps(SCHEME), encoding="utf-8")
    world.command("pay", "scheme", "put", str(file), "--by", "Zhao")
    for person in ("p-anna", "p-ben"):
        world.command(
            "pay", "person", "set", person, "--scheme", "presale", "--from", "2024-01-01", "--by", "Zhao"
        )
    october = paid(world, "2024-10")
    # 1 % of 2,000.00 and 1,000.00 are anna's.
    assert (october["p-anna"]["total"], october["p-ben"]["total"]) == (303_000, 300_000)
    closed = world.command("pay", "statement", "p-anna", "--month", "2024-10", "--format", "csv")

    with world.database.connection(autocommit=True) as connection:
        add(connection, "ben", Role.AGENT, Duty(SHOP, "kf-02"))
        add(connection, "li", Role.REVIEWER, Duty(SHOP))

    ben = await logged_in(browser, world.address, "ben", locale="en-US", width=390, script=False)
    await ben.fill("header [name=order]", "o-2")
    await ben.click("form.find button")
    await ben.select_option("[name=expected]", "kf-02")
    await ben.select_option("[name=reason]", "outside_chat")
    await ben.fill("[name=said]", "The buyer ordered after my call")
    await picture(ben, "story-1-appeal")
    await ben.get_by_role("button", name="Send the appeal").click()
    await ben.locator(".appeal.open").wait_for()
    await picture(ben, "story-2-open")

    li = await logged_in(browser, world.address, "li", locale="zh-CN", width=1440)
    await li.goto(f"{world.address}/appeals")
    await picture(li, "story-3-queue")
    await li.locator("tbody a").first.click()
    await li.get_by_text("2024-10 已结账发薪").wait_for()
    assert "The buyer ordered after my call" in await li.content()
    await li.locator("[value=granted]").check()
    await li.fill("[name=said]", "通话记录属实")
    await picture(li, "story-4-answer")
    await li.get_by_role("button", name="提交答复").click()
    await li.locator(".status.granted").wait_for()

    await ben.goto(f"{world.address}/order?shop={SHOP}&order=o-2")
    await ben.locator(".status.granted").wait_for()

    def ruled() -> list[Any]:
        with world.database.connection(autocommit=True) as connection:
            return connection.execute(
                "SELECT agent_id, basis, revision FROM decision WHERE order_id = 'o-2' AND basis = 'ruling'"
            ).fetchall()

    until(ruled)
    [(agent, basis, revision)] = ruled()
    assert (agent, basis) == ("kf-02", "ruling")
    await ben.reload()
    await ben.get_by_role("link", name=f"Revision {revision} of the decision").click()
    assert await ben.locator(f"#revision-{revision}").is_visible()
    verdict = await ben.locator(".verdict").inner_text()
    assert "小本" in verdict
    assert "ruling" in verdict
    await picture(ben, "story-5-granted")
    await li.get_by_role("link", name=f"归属结果第 {revision} 次修订").wait_for()  # by itself
    await picture(li, "story-6-answered")

    november = paid(world, "2024-11")
    assert (november["p-anna"]["true_up"], november["p-anna"]["total"]) == (-1_000, 299_000)
    assert (november["p-ben"]["true_up"], november["p-ben"]["total"]) == (1_000, 301_000)
    assert world.command("pay", "statement", "p-anna", "--month", "2024-10", "--format", "csv") == closed
    own = world.command("pay", "statement", "p-ben", "--month", "2024-11", "--format", "csv")
    assert "correction of 2024-10" in own
    assert "due 3,010.00" in own
    assert "提成" in own
    assert "o-2" in own
    lost = world.command("pay", "statement", "p-anna", "--month", "2024-11", "--format", "csv")
    assert "due 3,020.00" in lost
    assert "1,000.00 → 0.00" in lost

    with world.database.connection(autocommit=True) as connection:
        done = connection.execute(
            "SELECT login, action FROM audit WHERE action LIKE '%appeal%' OR action LIKE '%ruling%'"
            " ORDER BY number"
        ).fetchall()
    assert done == [("ben", "open appeal"), ("li", "grant appeal"), ("li", "publish ruling")]
