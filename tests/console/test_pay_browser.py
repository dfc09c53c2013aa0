"""A month's pay in a real browser: drafted, checked, approved by another, closed; and read by whose it is."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from stream_attr.console.app import Settings, application
from stream_attr.kafka.embedded.server import free_port
from stream_attr.ledger.database.connect import Database
from tests.console.conftest import on_port
from tests.console.in_browser import logged_in, needs_browser, picture, problems
from tests.console.pay_world import paid_shops
from tests.console.test_browser import WIDTHS, browser
from tests.ledger.pay.world import known_until, order

__all__ = ["browser"]

pytestmark = needs_browser


@pytest.fixture
def where(ledger: Database) -> Iterator[str]:
    paid_shops(ledger)
    with (
        ledger.pool(autocommit=True) as pool,
        on_port(application(pool, Settings(secure=False)), free_port()) as found,
    ):
        yield found


async def pressed(page, step: str) -> None:
    """Press the button of a step, and wait for the page that follows."""
    async with page.expect_navigation():
        await page.click(f'main button[value="{step}"]')


@pytest.mark.parametrize(
    ("locale", "script"),
    [*[(locale, True) for locale in WIDTHS], ("en-US", False)],
    ids=[*WIDTHS, "without script"],
)
async def test_a_month_is_paid_by_two_persons_and_read_by_a_third(ledger, browser, where, locale, script):
    with ledger.connection() as connection:
        order(connection, "o-5", "anna", 100_000, status="pending")

    async def of(login):
        return await logged_in(browser, where, login, locale=locale, width=WIDTHS[locale], script=script)

    found: list[tuple[str, ...]] = []

    async def looked_at(page, name):
        if script:
            await picture(page, f"{name}-{locale}")
            found.extend((name, *one) for one in await problems(page))

    payroll, manager, anna = await of("payroll"), await of("manager"), await of("anna")
    await payroll.goto(f"{where}/pay")
    await payroll.fill("main [name=month]", "2026-11")
    await pressed(payroll, "draft")
    assert "4,610.01 CNY" in await payroll.inner_text("main")
    await looked_at(payroll, "run-draft")
    await pressed(payroll, "check")
    assert await payroll.locator('main button[value="approve"]').count() == 0, "payroll has drafted it"
    await looked_at(payroll, "run-checked")
    await manager.goto(payroll.url)
    await pressed(manager, "approve")
    await payroll.reload()
    await pressed(payroll, "close")
    assert "--as-it-stands" in await payroll.inner_text(".warning[role=alert]")
    await looked_at(payroll, "run-refused")
    await payroll.check("[name=as_it_stands]")
    await pressed(payroll, "close")
    assert await payroll.locator("main form").count() == 0, "a closed run has no steps"
    await looked_at(payroll, "run-closed")

    await anna.goto(f"{where}/pay")
    await anna.click("main table a")
    assert "85,000.50" in await anna.inner_text("main")
    await looked_at(anna, "statement-own")
    assert (await anna.goto(f"{where}/pay/statement?person=p-2&month=2026-11")).status == 404
    assert (await anna.goto(payroll.url)).status == 404
    await anna.goto(f"{where}/pay/simulator?month=2026-11")
    await anna.fill("[name=orders]", "10000.00 4999.50")
    async with anna.expect_navigation():
        await anna.click("main button")
    assert "790.00 CNY" in await anna.inner_text("main")
    await looked_at(anna, "simulator-own")
    await anna.goto(f"{where}/agent?from=2026-11-01&to=2026-11-30")
    if script:  # without it the heading leads there
        await anna.wait_for_selector("#pay table")
    await looked_at(anna, "agent-pay")
    await anna.click("#pay h2 a")
    # For sure 610.01; 1,000.00 more are 1.2 % of 6,000.50: 150.00 + 400.00 + 72.01.
    text = await anna.inner_text("main")
    assert "610.01 CNY" in text
    assert "622.01 CNY" in text
    await looked_at(anna, "so-far-own")
    assert found == []


@pytest.mark.parametrize("locale", list(WIDTHS))
async def test_what_is_entered_can_be_entered_by_all(browser, where, locale):
    page = await logged_in(browser, where, "payroll", locale=locale, width=WIDTHS[locale])
    found = []
    for path in ("schemes", "scheme?scheme=presale", "edit?preset=ranking", "persons", "persons?person=p-5"):
        await page.goto(f"{where}/pay/{path}")
        await picture(page, f"pay-{path.replace('?', '-')}-{locale}")
        found += [(path, *one) for one in await problems(page)]
    await page.goto(f"{where}/pay/edit?preset=ranking")
    text = await page.input_value("textarea")
    await page.fill("textarea", text.replace('"15%"', '"150%"'))
    async with page.expect_navigation():
        await page.click('main button[value="put"]')
    assert "`warnings[0].share`" in await page.inner_text(".warning[role=alert]")
    found += [("wrong", *one) for one in await problems(page)]
    await page.fill("textarea", text)
    async with page.expect_navigation():
        await page.click('main button[value="check"]')
    assert "15%" in await page.inner_text("main ul")
    await picture(page, f"pay-edit-checked-{locale}")
    found += [("checked", *one) for one in await problems(page)]
    assert found == []


async def test_a_statement_is_printed_on_a4(ledger, browser, where):
    known_until(ledger, "2026-12-03")
    page = await logged_in(browser, where, "admin", locale="zh-CN", width=1440)
    await page.goto(f"{where}/pay")
    await page.select_option("main [name=scheme]", "presale")
    await page.fill("main [name=month]", "2026-11")
    await pressed(page, "draft")
    await page.goto(f"{where}/pay/statement?person=p-1&month=2026-11")
    printed = await page.pdf(prefer_css_page_size=True)
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", printed)
    assert {tuple(round(float(side)) for side in box) for box in boxes} == {(595, 842)}, (
        "A4 upright, in points"
    )
    await page.emulate_media(media="print")
    await page.set_viewport_size({"width": 680, "height": 960})
    await picture(page, "statement-printed")
    assert not await page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    for hidden in (".menu", ".top", ".exports"):
        assert not await page.locator(hidden).first.is_visible()
    assert await page.locator(".signature").is_visible()
