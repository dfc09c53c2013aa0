"""Trying rules in a real browser: asked for, watched, looked at down to an order's receipt."""

from __future__ import annotations

import pytest

from stream_attr.console.app import Settings, application
from stream_attr.kafka.embedded.server import free_port
from tests.console.conftest import on_port
from tests.console.in_browser import needs_browser, problems
from tests.console.test_browser import WIDTHS, browser, page_of, picture
from tests.console.test_lab import DAYS, World, folder, world

__all__ = ["browser", "folder", "world"]

pytestmark = needs_browser


async def usable(page, name: str, locale: str) -> None:
    """Keep a picture; everybody can use the page, and it is no wider than the window."""
    await picture(page, name, locale)
    assert await problems(page) == [], name


@pytest.mark.parametrize("locale", list(WIDTHS))
async def test_rules_are_tried_and_lead_to_the_orders_that_move(world: World, browser, locale) -> None:
    app = application(world.pool, Settings(secure=False, lab=world.runner))
    with on_port(app, free_port()) as address:
        page, said = await page_of(browser, address, locale)
        await page.goto(f"{address}/lab?shop={world.shop}")
        await usable(page, "lab-empty", locale)
        await page.fill("[name=from]", DAYS["from"])
        await page.fill("[name=to]", DAYS["to"])
        await page.check("[value=chitu]")
        await page.click("details summary")
        await page.fill("[name=name]", "新规 72 小时")
        await page.fill("[name=rules]", '{"validity": {"hours": 72}}')
        await page.click("[value=try]")
        await page.wait_for_url("**/lab?shop=*")
        await usable(page, "lab-waiting", locale)
        world.runner.start()
        await page.locator("#live", has=page.locator("form button")).wait_for(
            state="detached", timeout=120_000
        )
        await usable(page, "lab-done", locale)
        await page.locator("tbody a").first.click()
        await page.wait_for_url("**trial=*")
        await usable(page, "trial-pairs", locale)
        trial = page.url
        for view in ("agents", "flows", "orders"):
            await page.goto(f"{trial}&show={view}")
            await usable(page, f"trial-{view}", locale)
        await page.goto(f"{trial}&show=agents&before=current&after=chitu")
        await usable(page, "trial-agents-pair", locale)
        await page.locator('a[href*="taker="]').first.click()
        await page.wait_for_url("**taker=*")
        await usable(page, "trial-orders-of-one", locale)
        await page.locator('a[href^="/order?"]').first.click()
        await page.wait_for_url("**/order?*")
        assert said == []
