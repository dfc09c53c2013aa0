"""A month is judged, paid and closed; an agent appeals, and the next month's statement says what came of it.

Everything is the real thing: the embedded broker, worker, ledger and console in processes of their own
and a browser.
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
from tests.console.in_browser import logged_in, needs_browser, picture
from tests.console.test_browser import browser
from tests.kafka.worker_process import until
from tests.ledger.reports.handmade import start_of

__all__ = ["browser"]

pytestmark = [
    pytest.mark.kafka,
    needs_browser,
]

SHOP = "jd:10086"
SECOND = 1_000
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
ORDERS = {
    "o-1": ("2024-10-20", "kf-01", 200_000),
    "o-2": ("2024-10-21", "kf-01", 100_000),
    "o-3": ("2024-11-02", "kf-02", 50_000),
    "o-4": ("2024-12-02", "kf-02", 10_000),
}
"""Day, who answered, fen; of o-2 ben had the buyer on the phone."""


def lines(folder: Path, name: str, records: list[dict[str, Any]]) -> str:
    file = folder / f"{name}.jsonl"
    file.write_text("".join(f"{json.dumps(one, ensure_ascii=False)}\n" for one in records), encoding="utf-8")
    return str(file)


def events(*order_ids: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Each buyer asks, is answered, orders and pays, within five minutes of the morning."""
    chat, orders = [], []
    for order_id in order_ids:
        day, agent, amount = ORDERS[order_id]
        at = start_of(day) + 10 * 3_600 * SECOND
        common = {"shop_id": SHOP, "buyer_id": f"b-{order_id}"}
        for step, (sender, text) in enumerate((("buyer", "有货吗"), ("agent", "有的"), ("buyer", "好"))):
            chat.append(
                {**common, "event_id": f"c-{order_id}-{step}", "agent_id": agent, "sender": sender,
                 "ts": at + step * 10 * SECOND, "text": text}
            )  # fmt: skip
        for step, kind in enumerate(("created", "paid")):
            orders.append(
                {**common, "event_id": f"e-{order_id}-{step}", "order_id": order_id, "type": kind,
                 "ts": at + (60 + step * 60) * SECOND, "amount": amount}
            )  # fmt: skip
    return chat, orders


class World(NamedTuple):
    """What runs."""

    address: str
    """Of the console."""
    database: Database
    command: Callable[..., str]
    """On the ledger."""
    publish: Callable[..., None]
    """Orders with their chats, until a day; returns once the ledger knows all before it."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """October 2024 is judged, and in the ledger, with the first days of November."""
    with ExitStack() as stack:
        broker = stack.enter_context(embedded_broker())
        where = ["--broker", broker.bootstrap]

        def run(*words: str) -> str:
            result = CliRunner().invoke(main, list(words))
            assert result.exit_code == 0, result.output
            return result.stdout

        run("topics", "create", "--partitions", "1", *where)
        worker = stack.enter_context(demo_worker(broker.bootstrap, free_port(), tmp_path))
        sink = stack.enter_context(demo_ledger(broker.bootstrap, free_port(), tmp_path))
        worker.await_ready()
        settings = {"shop_id": SHOP, "effective_from": "2024-01-01", "preset": "jd_cloud"}
        roster = [
            {"shop_id": SHOP, "agent_id": agent, "role": "presale", "effective_from": "2024-01-01",
             "name": name, "person_id": person}
            for agent, (name, person) in ROSTER.items()
        ]  # fmt: skip
        records = {"settings": [settings], "roster": roster}
        files = [word for name, of in records.items() for word in (f"--{name}", lines(tmp_path, name, of))]
        run("publish", *files, *where)
        sink.await_ready()
        port = free_port()
        console = stack.enter_context(demo_console(broker.bootstrap, port, tmp_path))
        console.await_ready()
        database = stack.enter_context(Database(None, tmp_path / "data" / IN_DATA_DIR))

        def command(*words: str) -> str:
            return run(*words, "--database", database.address)

        def publish(*order_ids: str, until_day: str, known_until: str) -> None:
            chat, orders = events(*order_ids)
            named = ["--chat", lines(tmp_path, "chat", chat), "--orders", lines(tmp_path, "orders", orders)]
            run("publish", *named, "--until", str(start_of(until_day)), *where)

            def is_known() -> bool:
                with database.connection(autocommit=True) as connection:
                    [row] = connection.execute(
                        "SELECT count(*), min(watermark) FROM sink_offset"
                        " WHERE topic IN ('attribution-decisions', 'agent-daily') AND watermark IS NOT NULL"
                    ).fetchall()
                return row[0] == 2 and row[1] >= start_of(known_until)

            until(is_known)

        publish("o-1", "o-2", "o-3", until_day="2024-11-05", known_until="2024-11-03")
        yield World(console.url, database, command, publish)


async def paid(world: World, zhao: Any, qian: Any, month: str) -> str:
    """Payroll drafts a month, says that it was checked; the manager approves; payroll closes. Its page."""
    run = f"{world.address}/pay/run?scheme=presale&month={month}"
    await zhao.goto(f"{world.address}/pay?shop={SHOP}")
    await zhao.select_option("[name=scheme]", "presale")
    await zhao.fill("[name=month]", month)
    await zhao.get_by_role("button", name="Draft a run").click()
    await zhao.get_by_role("button", name="Say that it was checked").click()
    await zhao.get_by_role("button", name="Say that it was checked").wait_for(state="detached")
    assert await zhao.get_by_role("button", name="Approve").count() == 0, "it is her own draft"
    await qian.goto(run)
    await qian.get_by_role("button", name="批准").click()
    await qian.get_by_role("button", name="批准").wait_for(state="detached")
    await zhao.goto(run)
    if await zhao.locator("[name=as_it_stands]").count():
        await zhao.locator("[name=as_it_stands]").check()
    await zhao.get_by_role("button", name="Close").click()
    await zhao.locator("h1 .status.final").wait_for()
    await picture(zhao, f"story-run-{month}")
    return await zhao.locator("main").inner_text()


async def statement(page: Any, world: World, month: str) -> str:
    """One's own statement of a month, by its link; without those to others."""
    await page.goto(f"{world.address}/pay?shop={SHOP}")
    await page.get_by_role("link", name=month).click()
    await page.locator("article.statement").wait_for()
    return "\n".join(await page.locator("article.statement > :not(nav)").all_inner_texts())


async def test_the_whole_story(world: World, browser, tmp_path: Path):
    file = tmp_path / "scheme.json"
    file.write_text(json.dumps(SCHEME), encoding="utf-8")
    world.command("pay", "scheme", "put", str(file), "--by", "Zhao")
    for person in ("p-anna", "p-ben"):
        world.command(
            "pay", "person", "set", person, "--scheme", "presale", "--from", "2024-01-01", "--by", "Zhao"
        )
    with world.database.connection(autocommit=True) as connection:
        add(connection, "anna", Role.AGENT, Duty(SHOP, "kf-01"))
        add(connection, "ben", Role.AGENT, Duty(SHOP, "kf-02"))
        add(connection, "li", Role.REVIEWER, Duty(SHOP))
        add(connection, "zhao", Role.PAYROLL, Duty(SHOP))
        add(connection, "qian", Role.MANAGER, Duty(SHOP))
    zhao = await logged_in(browser, world.address, "zhao", locale="en-US", width=1440)
    qian = await logged_in(browser, world.address, "qian", locale="zh-CN", width=1440)
    october = await paid(world, zhao, qian, "2024-10")
    # 1 % of 2,000.00 and 1,000.00 are anna's.
    assert "3,030.00" in october
    assert "3,000.00" in october
    anna = await logged_in(browser, world.address, "anna", locale="en-US", width=1440)
    closed = await statement(anna, world, "2024-10")

    ben = await logged_in(browser, world.address, "ben", locale="en-US", width=390, script=False)
    await ben.fill("header [name=order]", "o-2")
    await ben.click("form.find button")
    await ben.select_option("[name=expected]", "kf-02")
    await ben.select_option("[name=reason]", "outside_chat")
    await ben.fill("[name=comment]", "The buyer ordered after my call")
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
    await li.fill("[name=comment]", "通话记录属实")
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

    world.publish("o-4", until_day="2024-12-05", known_until="2024-12-03")
    november = await paid(world, zhao, qian, "2024-11")
    # Of November, ben has 1 % of 500.00; of October, 10.00 go from anna to him.
    assert "2,990.00" in november
    assert "3,015.00" in november
    own = await statement(ben, world, "2024-11")
    await picture(ben, "story-7-statement")
    assert "correction of 2024-10" in own
    assert "due 3,010.00" in own
    assert "o-2" in own
    assert "提成" in own
    lost = await statement(anna, world, "2024-11")
    assert "due 3,020.00" in lost
    assert "1,000.00 → 0.00" in lost
    assert await statement(anna, world, "2024-10") == closed

    with world.database.connection(autocommit=True) as connection:
        done = connection.execute(
            "SELECT login, action FROM audit WHERE action LIKE '%appeal%' OR action LIKE '%ruling%'"
            " ORDER BY number"
        ).fetchall()
    assert done == [("ben", "open appeal"), ("li", "grant appeal"), ("li", "publish ruling")]
