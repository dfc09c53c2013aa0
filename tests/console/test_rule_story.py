"""A change of rules in a browser: entered with a mistake, mended, tried, seen, published, and judged by."""

from __future__ import annotations

import json
import sys
import time
from datetime import datetime

import pytest

from stream_attr.console.accounts import Duty
from stream_attr.console.app import Settings, application
from stream_attr.console.roles import Role
from stream_attr.contract.topics import DECISIONS, ROSTER, SETTINGS
from stream_attr.kafka.admin import create_topics
from stream_attr.kafka.embedded import server
from stream_attr.kafka.embedded.server import free_port
from stream_attr.kafka.publish import Inputs, publish
from stream_attr.kafka.shop_records import read_shop_records
from stream_attr.kafka.writer import TopicWriter
from stream_attr.lab.runner import Runner
from tests.console.conftest import PASSWORD, add, on_port
from tests.console.in_browser import PATIENCE_MS, needs_browser
from tests.console.in_browser import problems as problems_of
from tests.console.rule_events import FIRST, SHOP, ZONE, events, folder_of, last_month
from tests.console.rule_events import ROSTER as AGENTS
from tests.console.test_browser import WIDTHS, browser, picture
from tests.console.test_rule_changes import Editor, logged_in, publish_form, roster_row, settings_row
from tests.kafka.worker_process import PATIENCE_S, read_json

__all__ = ["browser"]


def today() -> str:
    return datetime.now(ZONE).date().isoformat()


@pytest.fixture
def consoles(ledger, embedded, topic_prefix, tmp_path):
    """A console with a broker and last month's events; topics and ledger hold the same records."""
    with ledger.connection(autocommit=True) as connection:
        settings_row(connection, 0, FIRST)
        for number, one in enumerate(AGENTS):
            roster_row(
                connection, number, one["agent_id"], one["effective_from"], one["role"], one.get("name")
            )
        add(connection, "manager", Role.MANAGER, Duty(SHOP))
        add(connection, "boss", Role.ADMIN)
    create_topics(embedded.bootstrap, partitions=2, prefix=topic_prefix)
    writer = TopicWriter(embedded.bootstrap, prefix=topic_prefix)
    with writer.opened(SETTINGS) as write:
        write(SHOP, json.dumps(FIRST).encode())
    with writer.opened(ROSTER) as write:
        for one in AGENTS:
            write(f"{SHOP}|{one['agent_id']}", json.dumps(one).encode())
    with ledger.pool(autocommit=True) as pool:
        runner = Runner(pool, folder_of(tmp_path))
        runner.start()
        yield application(pool, Settings(secure=False, writer=writer, lab=runner))
        runner.stop()


@pytest.fixture
def records(embedded, topic_prefix):
    """What is on the topics of settings and roster."""
    return lambda: read_shop_records(embedded.bootstrap, topic_prefix)


@pytest.fixture
def editors(consoles):
    from starlette.testclient import TestClient  # noqa: PLC0415

    return lambda login: Editor(
        logged_in(TestClient(consoles, base_url="http://127.0.0.1", follow_redirects=False), login)
    )


FORM = f"/rules/settings?shop={SHOP}"


def previewed(editor: Editor, page: str) -> str:
    """The page of a change once its preview is there."""
    text = editor.browser.get(page).text
    form = editor.open(page)
    assert editor.send(page, form, do="preview").status_code == 303
    begun = time.monotonic()
    while "hx-trigger" in (text := editor.browser.get(f"{page}&part=live").text):
        assert time.monotonic() - begun < PATIENCE_S, text
        time.sleep(0.05)
    return editor.browser.get(page).text


def test_only_who_has_seen_the_preview_of_this_content_publishes(editors, records):
    manager, boss = editors("manager"), editors("boss")
    page = manager.prepared(FORM, effective_from=today(), credit_rule="order")
    text = manager.browser.get(page).text
    assert "It can be published once its preview has been seen" in text
    for more in ({}, {"without-preview": "yes"}):
        assert manager.send(page, publish_form(text), **more).status_code == 409
    text = previewed(manager, page)
    assert manager.browser.get(page).status_code == 200
    # Another person has not seen it.
    form = {**publish_form(text), "csrf_token": boss.open(FORM)["csrf_token"]}
    assert boss.send(page, form).status_code == 409
    # Another content has not been tried.
    number = page.rpartition("=")[2]
    edit = f"{FORM}&draft={number}"
    assert manager.send(edit, manager.open(edit), do="check", credit_rule="order_first").status_code == 303
    changed = publish_form(manager.browser.get(page).text)
    for more in ({}, {"without-preview": "yes"}):
        assert manager.send(page, changed, **more).status_code == 409
    assert len(records()) == 3
    text = previewed(manager, page)
    assert manager.send(page, publish_form(text)).status_code == 303
    assert json.loads(records()[-1].value) == {
        **FIRST,
        "effective_from": today(),
        "credit_rule": "order_first",
    }


def test_the_audit_has_on_which_days_it_was_tried(editors, ledger):
    manager = editors("manager")
    page = manager.prepared(FORM, effective_from=today(), credit_rule="order")
    assert manager.send(page, publish_form(previewed(manager, page))).status_code == 303
    with ledger.connection() as connection:
        query = "SELECT about FROM audit WHERE action = 'publish'"
        [(about,)] = connection.execute(query).fetchall()
    assert about.startswith(f"settings from {today()}, tried on {last_month().name}: credit_rule: ")


def test_a_preview_of_a_role_names_what_moves(editors):
    manager = editors("manager")
    page = manager.prepared(f"/rules/agent?shop={SHOP}&agent=kf-1&role=frozen", effective_from=today())
    text = previewed(manager, page)
    orders = text.partition("Which orders</h2>")[2].partition("</table>")[0]
    assert ">o-2</a>" in orders
    assert ">o-1</a>" not in orders
    assert ">50.00</td>" in "".join(orders.split("\n"))


def test_where_the_month_has_no_events_it_is_told_and_taken_upon_oneself(editors, records):
    manager = editors("manager")
    page = manager.prepared(FORM, effective_from=today(), credit_rule="order")
    form = manager.open(page)
    assert (
        manager.send(page, {**form, "from": "2020-01-01", "to": "2020-01-31"}, do="preview").status_code
        == 303
    )
    while "hx-trigger" in manager.browser.get(f"{page}&part=live").text:
        time.sleep(0.05)
    text = manager.browser.get(page).text
    assert "No order that was paid in 2020-01-01 – 2020-01-31 is among the stored events" in text
    assert manager.send(page, publish_form(text)).status_code == 409
    assert len(records()) == 3
    assert manager.send(page, publish_form(text), **{"without-preview": "yes"}).status_code == 303
    assert len(records()) == 4
    assert "without a preview" in manager.browser.get(page).text


@needs_browser
@pytest.mark.parametrize("locale", list(WIDTHS))
async def test_a_change_is_entered_mended_tried_seen_and_published(
    consoles, browser, records, locale, ledger
):
    with on_port(consoles, free_port()) as address:
        page, said, problems = await opened(browser, address, locale)

        async def looked_at(name: str) -> None:
            await picture(page, f"rules-{name}", locale)
            problems.extend((name, *one) for one in await problems_of(page))

        await page.goto(f"{address}{FORM}")
        await page.fill("[name=effective_from]", today())
        await page.select_option("[name=credit_rule]", "order")
        await page.fill("[name=payment_deadline_hours]", "1000")
        await page.click("button.main")
        error = page.locator('[id="e-payment_deadline_hours"]')
        await error.wait_for()
        wanted = "应为不大于 720 的 `int`" if locale == "zh-CN" else "Expected `int` <= 720"
        assert wanted in await error.inner_text()
        assert await page.input_value("[name=payment_deadline_hours]") == "1000"
        assert await page.input_value("[name=credit_rule]") == "order"
        await looked_at("form-with-errors")
        await page.fill("[name=payment_deadline_hours]", "48")
        await page.press("[name=payment_deadline_hours]", "Enter")
        await page.wait_for_url("**/rules/change?*")
        assert await page.is_disabled("[value=publish]")
        await looked_at("before-the-preview")
        await page.click("[value=preview]")
        await page.locator("table", has_text="o-1").wait_for(timeout=PATIENCE_S * 1000)
        assert await page.locator("table", has_text="o-2").count() == 0
        await looked_at("preview")
        assert len(records()) == 3
        await page.click("[value=publish]")
        await page.locator("h1", has_text="已发布" if locale == "zh-CN" else "published").wait_for()
        await looked_at("published")
        document = {**FIRST, "effective_from": today(), "credit_rule": "order", "payment_deadline_hours": 48}
        assert json.loads(records()[-1].value) == document
        with ledger.connection(autocommit=True) as connection:
            settings_row(connection, 1, document)  # as stream-attr ledger does
        await page.goto(f"{address}/rules?shop={SHOP}")
        await page.locator("td", has_text="manager").first.wait_for()
        await looked_at("history")
        await page.goto(f"{address}/rules/agent?shop={SHOP}&agent=kf-1")
        await looked_at("agent")
        await page.goto(f"{address}/rules/change?shop={SHOP}")
        await looked_at("changes")
        assert problems == []
        assert [one for one in said if "409" not in one and "400" not in one] == []


async def opened(browser, address, locale):
    size = {"width": WIDTHS[locale], "height": 900}
    context = await browser.new_context(viewport=size, locale=locale)
    context.set_default_timeout(PATIENCE_MS)
    page = await context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(f"{page.url}: {message.text}"))
    page.on("pageerror", lambda error: said.append(f"{page.url}: {error}"))
    await page.goto(f"{address}/login")
    await page.fill("[name=login]", "manager")
    await page.fill("[name=password]", PASSWORD)
    await page.click("main button")
    await page.wait_for_url("**/today*")
    return page, said, []


def test_a_worker_judges_by_what_was_published(editors, embedded, topic_prefix, tmp_path):
    manager = editors("manager")
    page = manager.prepared(FORM, effective_from=today(), credit_rule="order")
    assert manager.send(page, publish_form(previewed(manager, page))).status_code == 303
    now = int(time.time() * 1000)
    midnight = int(datetime.now(ZONE).replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)
    chat, orders = events(max(midnight, now - 60_000), 10_000, "-today")
    for name, some in (("chat", chat), ("orders", orders)):
        (tmp_path / f"{name}.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in some))
    inputs = Inputs(chat=[str(tmp_path / "chat.jsonl")], orders=[str(tmp_path / "orders.jsonl")])
    publish(embedded.bootstrap, inputs, prefix=topic_prefix)
    options = {
        "--broker": embedded.bootstrap,
        "--topic-prefix": topic_prefix,
        "--web-port": str(free_port()),
        "--store": "memory",
        "--clock": "events",
        "--session-timeout": "4s",
        "--data-dir": str(tmp_path / "data"),
    }
    words = [word for option in options.items() for word in option]
    with (tmp_path / "worker.log").open("w+b") as log:
        process = server.spawn([sys.executable, "-m", "stream_attr", "worker", *words], log)
        try:
            begun = time.monotonic()
            while not (found := credited(embedded.bootstrap, topic_prefix)) or found["o-1-today"] is None:
                assert process.poll() is None, (tmp_path / "worker.log").read_text()
                assert time.monotonic() - begun < PATIENCE_S, (found, (tmp_path / "worker.log").read_text())
                time.sleep(0.2)
        finally:
            server.stop(process)
    assert found == {"o-1-today": "kf-1", "o-2-today": "kf-1"}, "by the payment agent o-1 is kf-2's"


def credited(bootstrap, prefix):
    """Whose the orders are by their last decisions, once both are there."""
    decisions = [one for _, one in read_json(bootstrap, prefix + DECISIONS)]
    last = {one["order_id"]: one for one in sorted(decisions, key=lambda one: one["revision"])}
    if len(last) < 2 or not all(one["paid_ts"] for one in last.values()):
        return None
    return {order: one["credit"] and one["credit"]["agent_id"] for order, one in last.items()}
