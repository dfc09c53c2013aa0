"""The screens in a real browser: Debian's Chromium, driven by Playwright; skipped where it is not installed.

With ``STREAM_ATTR_SCREENSHOTS`` naming a folder, a picture of each is kept there.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from stream_attr.console.app import SCREENS, Settings, application
from stream_attr.kafka.embedded.server import free_port
from tests.console.conftest import PASSWORD

CHROMIUM = Path("/usr/bin/chromium")
AXE = Path(__file__).with_name("axe.min.js")
WIDTHS = {"zh-CN": 1440, "en-US": 390}

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed")


@pytest.fixture(scope="module")
def address(people) -> Iterator[str]:
    """The console of the ledger on a port."""
    port = free_port()
    with people.database.pool(autocommit=True) as pool:
        app = application(pool, Settings(secure=False))
        config = uvicorn.Config(app, "127.0.0.1", port, log_level="warning", access_log=False)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run)
        thread.start()
        while not server.started:
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
        server.should_exit = True
        thread.join()


@pytest.fixture
async def browser():
    from playwright.async_api import async_playwright  # noqa: PLC0415 -- where there is a browser

    flags = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=flags)
        yield browser
        await browser.close()


async def page_of(browser, address, locale):
    """A page of somebody who has logged in, and what its console said."""
    size = {"width": WIDTHS[locale], "height": 900}
    context = await browser.new_context(viewport=size, locale=locale)
    page = await context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(f"{page.url}: {message.text}"))
    page.on("pageerror", lambda error: said.append(f"{page.url}: {error}"))
    await page.goto(f"{address}/login")
    await page.fill("[name=login]", "admin")
    await page.fill("[name=password]", PASSWORD)
    await page.click("main button")
    await page.wait_for_url("**/today*")
    return page, said


@pytest.mark.parametrize("locale", list(WIDTHS))
async def test_every_screen_runs_and_can_be_used_by_all(people, browser, address, locale):
    page, said = await page_of(browser, address, locale)
    shop = people.shops[0]
    order = next(one for one in people.traffic.decisions if one["shop_id"] == shop)
    problems = []
    for screen in SCREENS:
        more = f"&order={order['order_id']}" if screen.path in ("/order", "/buyer") else ""
        more += f"&buyer={order['buyer_id']}" if screen.path == "/buyer" else ""
        await page.goto(f"{address}{screen.path}?shop={shop}{more}")
        if folder := os.environ.get("STREAM_ATTR_SCREENSHOTS"):
            await page.screenshot(path=Path(folder) / f"{screen.path[1:]}-{locale}.png", full_page=True)
        await page.evaluate(AXE.read_text() + "; undefined")
        found = await page.evaluate("axe.run()")
        problems += [(screen.path, one["id"], one["nodes"][0]["html"]) for one in found["violations"]]
        wide = await page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        assert not wide, f"{screen.path} is wider than the window"
    assert problems == []
    assert said == []


async def test_what_comes_in_shows_within_two_seconds(people, browser, address):
    page, said = await page_of(browser, address, "en-US")
    shop = people.shops[0]
    decision = next(one for one in people.traffic.decisions if one["shop_id"] == shop and one["credit"])
    await page.goto(f"{address}/order?shop={shop}&order={decision['order_id']}")
    assert "ruled-by-nobody" not in await page.content()
    where = (shop, decision["order_id"], decision["revision"])
    change = "record::jsonb || jsonb_build_object('profile', 'ruled-by-nobody')"
    with people.database.connection(autocommit=True) as connection:
        connection.execute(
            f"UPDATE decision SET record = ({change})::json"
            " WHERE shop_id = %s AND order_id = %s AND revision = %s AND profile = 'official'",
            where,
        )
        connection.execute("UPDATE sink_offset SET next = next + 1 WHERE topic = 'attribution-decisions'")
    live = page.locator("#live", has_text="ruled-by-nobody")
    await live.wait_for(timeout=2_000)
    assert said == []
    with people.database.connection(autocommit=True) as connection:
        connection.execute(
            "UPDATE decision SET record = (record::jsonb || jsonb_build_object('profile', 'official'))::json"
            " WHERE shop_id = %s AND order_id = %s AND revision = %s AND profile = 'official'",
            where,
        )
