"""The ways in and out in a real browser: an account made with a mistake, its link, log-in, lock-out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stream_attr.console.app import Settings, application
from stream_attr.console.roles import Role
from stream_attr.kafka.embedded.server import free_port
from stream_attr.ledger.database.connect import Database
from tests.console.conftest import PASSWORD, add, on_port
from tests.console.in_browser import PATIENCE_MS, logged_in, needs_browser, picture, problems
from tests.console.test_browser import WIDTHS, browser
from tests.ledger.pay.world import agent, order
from tests.ledger.reports.handmade import SHOP

__all__ = ["browser"]

pytestmark = needs_browser


@pytest.fixture
def where(ledger: Database) -> Iterator[str]:
    """The console of a shop with an order and an administrator."""
    with ledger.connection(autocommit=True) as connection:
        agent(connection, "anna", "p-1")
        order(connection, "o-1", "anna", 10_000)
        add(connection, "boss", Role.ADMIN)
    port = free_port()
    settings = Settings(secure=False, address=f"http://127.0.0.1:{port}")
    with ledger.pool(autocommit=True) as pool, on_port(application(pool, settings), port) as found:
        yield found


async def sent(page, button: str) -> None:
    """Send a form, and wait for the page that follows."""
    async with page.expect_navigation():
        await page.click(button)


@pytest.mark.parametrize("locale", list(WIDTHS))
async def test_an_account_is_made_mended_used_and_shut_out(browser, where, locale):
    found: list[tuple[str, ...]] = []
    policy: list[str] = []

    def watched(page):
        page.on("console", lambda one: policy.append(one.text) if "Content Security" in one.text else None)
        return page

    async def looked_at(page, name):
        await picture(page, f"{name}-{locale}")
        found.extend((name, *one) for one in await problems(page))

    boss = watched(await logged_in(browser, where, "boss", locale=locale, width=WIDTHS[locale]))
    await boss.goto(f"{where}/people")
    await boss.click("details.more summary")
    await boss.fill("main [name=login]", "wang")
    await boss.fill("main [name=name]", "王店长")
    await boss.select_option("main [name=role]", "manager")
    await boss.fill("main [name=shops]", f"{SHOP}=anna")
    await looked_at(boss, "account-form")
    await sent(boss, "main .written button")
    assert SHOP in await boss.inner_text(".warning[role=alert]")
    assert await boss.input_value("main [name=login]") == "wang", "what was typed stays"
    await looked_at(boss, "account-wrong")
    await boss.fill("main [name=shops]", SHOP)
    await sent(boss, "main .written button")
    link = await boss.inner_text("code.link")
    await looked_at(boss, "account-link")

    context = await browser.new_context(viewport={"width": WIDTHS[locale], "height": 900}, locale=locale)
    context.set_default_timeout(PATIENCE_MS)
    wang = watched(await context.new_page())
    await wang.goto(link)
    await wang.fill("[name=password]", PASSWORD)
    await wang.fill("[name=again]", f"{PASSWORD}!")
    await sent(wang, "main button")
    assert await wang.locator("[role=alert]").count() == 1
    await looked_at(wang, "link-wrong")
    await wang.fill("[name=password]", PASSWORD)
    await wang.fill("[name=again]", PASSWORD)
    await wang.click("main button")
    await wang.wait_for_url("**/today*")

    await boss.goto(f"{where}/people/account?login=wang")
    await looked_at(boss, "account")
    await sent(boss, 'button[value="end"]')
    await wang.wait_for_url("**/login*")  # the page that is open asks by itself
    await wang.goto(f"{where}/orders?shop={SHOP}&page=1")
    assert "next=" in wang.url
    await wang.fill("[name=login]", "wang")
    await wang.fill("[name=password]", PASSWORD)
    await wang.click("main button")
    await wang.wait_for_url(f"{where}/orders?shop={SHOP}&page=1")
    await sent(wang, "header .out button")
    await looked_at(wang, "out")
    for _ in range(6):
        await wang.fill("[name=login]", "wang")
        await wang.fill("[name=password]", "a wrong password")
        await sent(wang, "main button")
    assert ("尝试次数过多" if locale == "zh-CN" else "Too many attempts") in await wang.inner_text(
        "[role=alert]"
    )
    await looked_at(wang, "locked-out")
    await wang.fill("[name=login]", "wang")
    await wang.fill("[name=password]", PASSWORD)
    await sent(wang, "main button")
    assert await wang.locator("[role=alert]").count() == 1, "the right one is not told from a wrong one"
    await wang.goto(link)
    assert await wang.locator("form").count() == 0
    await looked_at(wang, "link-used")
    assert found == []
    assert policy == []
