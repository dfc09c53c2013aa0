"""The screens in a real browser: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from stream_attr.console.app import OIDC_BACK, SCREENS, Settings, application
from stream_attr.console.oidc import Provider
from stream_attr.console.roles import Role
from stream_attr.kafka.embedded.server import free_port
from stream_attr.kafka.secret import Secret
from tests.console.conftest import APPEALS, PASSWORD, on_port, pay_of
from tests.console.in_browser import CHROMIUM, PATIENCE_MS, REQUIRED, logged_in, needs_browser, problems
from tests.console.in_browser import picture as keep
from tests.console.provider import CLIENT, SECRET, SmallProvider

WIDTHS = {"zh-CN": 1440, "en-US": 390}

pytestmark = needs_browser


@pytest.fixture(scope="module")
def address(people) -> Iterator[str]:
    """The console of the ledger on a port."""
    with people.database.pool(autocommit=True) as pool:
        app = application(pool, Settings(secure=False))
        with on_port(app, free_port()) as found:
            yield found


@pytest.fixture
async def browser():
    from playwright.async_api import async_playwright  # noqa: PLC0415 -- where there is a browser

    if REQUIRED and not CHROMIUM.exists():
        pytest.fail(
            f"A browser is required (STREAM_ATTR_REQUIRE_BROWSER=1): {CHROMIUM} is missing", pytrace=False
        )
    flags = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=flags)
        yield browser
        await browser.close()


async def page_of(browser, address, locale):
    """A page of somebody who has logged in, and what its console said."""
    size = {"width": WIDTHS[locale], "height": 900}
    context = await browser.new_context(viewport=size, locale=locale)
    context.set_default_timeout(PATIENCE_MS)
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
    found = []
    for screen in SCREENS:
        more = f"&order={order['order_id']}" if screen.path in ("/order", "/buyer") else ""
        more += f"&buyer={order['buyer_id']}" if screen.path == "/buyer" else ""
        more += pay_of(people, screen.path, shop)
        more += "&login=agent" if screen.path == "/people/account" else ""
        more += f"&appeal={APPEALS[shop]}" if screen.path == "/appeal" else ""
        answer = await page.goto(f"{address}{screen.path}?shop={shop}{more}")
        assert answer.status == 200, screen.path
        await picture(page, screen.path[1:].replace("/", "-"), locale)
        found += [(screen.path, *one) for one in await problems(page)]
    assert found == []
    assert said == []


async def cells(page) -> list[list[str]]:
    """The rows of the first table, of each cell its text."""
    script = "table => [...table.rows].map(row => [...row.cells].map(one => one.innerText.trim()))"
    found: list[list[str]] = await page.locator("main table").first.evaluate(script)
    return found


async def test_a_number_leads_to_its_rows_these_are_the_export_and_a_row_leads_to_its_receipt(
    people, browser, address
):
    page = await logged_in(browser, address, "admin", locale="en-US", width=1440)
    await page.wait_for_url("**/today*")
    await page.goto(f"{address}/sales?shop={people.shops[0]}&from=2026-06-01&to=2027-05-31")
    names = (await cells(page))[0]
    column = next(number for number, one in enumerate(names) if one.startswith("sales amount"))
    cell = page.locator("main table").first.locator("tbody tr").first.locator("td").nth(column)
    number = (await cell.inner_text()).split()[0]
    await cell.locator("a").click()
    await page.wait_for_url("**/orders?*behind=sales*")
    shown = await cells(page)
    amount = shown[0].index("amount")
    assert shown[-1][amount] == number
    async with page.expect_download() as awaited:
        await page.click(".exports a:has-text('csv')")
    file = await (await awaited.value).path()
    with file.open(encoding="utf-8-sig", newline="") as lines:
        exported = list(csv.DictReader(lines))
    orders = [row[0] for row in shown[1:] if row[0] and row[amount] != number]
    assert [row["order"] for row in exported][: len(orders)] == orders
    asked = page.url
    other = await logged_in(browser, address, "manager", locale="en-US", width=1440)
    await other.wait_for_url("**/today*")
    await other.goto(asked)
    assert await cells(other) == shown, "the address has every filter"
    await page.locator("main table tbody a").first.click()
    await page.wait_for_url("**/order?*")
    text = await page.inner_text("main")
    assert orders[0] in text
    assert "The receipt supports this verdict and no other." in text


async def test_what_is_chosen_in_the_form_stands_in_the_address(people, browser, address):
    page = await logged_in(browser, address, "admin", locale="zh-CN", width=1440)
    await page.wait_for_url("**/today*")
    await page.goto(f"{address}/orders?shop={people.shops[0]}")
    await page.fill("main [name=from]", "2026-06-01")
    await page.fill("main [name=to]", "2027-05-31")
    choice = page.locator("details.choice", has=page.locator("[name=status]"))
    await choice.locator("summary").click()
    await choice.locator("[value=final]").check()
    await page.click("main form.filters > button")
    await page.wait_for_url("**/orders?*from=2026-06-01*")
    query = parse_qs(urlsplit(page.url).query)
    assert (query["from"], query["to"], query["status"]) == (["2026-06-01"], ["2027-05-31"], ["final"])
    await page.reload()
    assert await page.locator("[name=status][value=final]").is_checked()


@pytest.mark.parametrize("locale", list(WIDTHS))
@pytest.mark.parametrize("login", ["agent", "reviewer"])
async def test_the_screens_of_others_can_be_used_by_all_too(people, browser, address, login, locale):
    page = await logged_in(browser, address, login, locale=locale, width=WIDTHS[locale])
    shop = people.shops[0]
    found = []
    for screen in SCREENS:
        if screen.in_menu and Role(login) in screen.roles:
            answer = await page.goto(f"{address}{screen.path}?shop={shop}")
            assert answer.status == 200, screen.path
            await keep(page, f"{login}{screen.path.replace('/', '-')}-{locale}")
            found += [(screen.path, *one) for one in await problems(page)]
    assert found == []


@pytest.mark.parametrize("path", ["/today", "/orders"])
async def test_what_comes_in_shows_on_a_list_by_itself_and_leaves_the_form_alone(
    people, browser, address, path
):
    page, said = await page_of(browser, address, "en-US")
    await page.goto(f"{address}{path}?shop={people.shops[0]}")
    live = await page.get_attribute("#live", "hx-get")
    assert await page.get_attribute("#live", "hx-trigger") == "every 1s"
    await page.fill(".find [name=order]", "begun to be typed")
    await page.evaluate("document.querySelector('#live').dataset.old = 'yes'")
    answers: list[int] = []
    page.on("response", lambda one: answers.append(one.status) if "part=live" in one.url else None)
    with people.database.connection(autocommit=True) as connection:
        connection.execute("UPDATE sink_offset SET next = next + 1 WHERE topic = 'attribution-decisions'")
    await page.locator("#live:not([data-old])").wait_for()
    assert answers.count(204) <= 1, "one was on its way, and the next has it: it asks every second"
    assert await page.get_attribute("#live", "hx-get") != live
    assert await page.input_value(".find [name=order]") == "begun to be typed"
    assert said == []


async def test_what_comes_in_shows_within_two_seconds(people, browser, address):
    page, said = await page_of(browser, address, "en-US")
    shop = people.shops[0]
    decision = next(one for one in people.traffic.decisions if one["shop_id"] == shop and one["credit"])
    await page.goto(f"{address}/order?shop={shop}&order={decision['order_id']}")
    assert "ruled-by-nobody" not in await page.content()
    assert await page.get_attribute("#live", "hx-trigger") == "every 1s"
    answers: list[int] = []
    page.on("response", lambda one: answers.append(one.status) if "part=live" in one.url else None)
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
    await live.wait_for()
    assert answers.count(204) <= 1, "one was on its way, and the next has it: it asks every second"
    assert said == []
    with people.database.connection(autocommit=True) as connection:
        connection.execute(
            "UPDATE decision SET record = (record::jsonb || jsonb_build_object('profile', 'official'))::json"
            " WHERE shop_id = %s AND order_id = %s AND revision = %s AND profile = 'official'",
            where,
        )


@pytest.mark.parametrize("locale", list(WIDTHS))
async def test_the_log_in_of_a_provider_leads_there_and_back(people, browser, locale):
    port = free_port()
    here = f"http://127.0.0.1:{port}"
    with (
        SmallProvider(f"{here}{OIDC_BACK}").serving() as small,
        people.database.pool(autocommit=True) as pool,
    ):
        small.person = "manager"
        provider = Provider(small.issuer, CLIENT, Secret(SECRET), "preferred_username", small.redirect_uri)
        with on_port(application(pool, Settings(False, address=here, provider=provider)), port):
            context = await browser.new_context(
                viewport={"width": WIDTHS[locale], "height": 900}, locale=locale
            )
            context.set_default_timeout(PATIENCE_MS)
            page = await context.new_page()
            said: list[str] = []
            page.on("console", lambda message: said.append(message.text))
            await page.goto(f"{here}/login")
            await picture(page, "login-oidc", locale)
            assert await problems(page) == []
            await page.click("a.button")
            await page.wait_for_url("**/today*")
            await page.click("header .out button")
            await page.wait_for_url("**/login?out=1")
            await picture(page, "login-out", locale)
            assert await problems(page) == []
            assert said == []


async def picture(page, name, locale):
    """Keep one where a folder is named."""
    if folder := os.environ.get("STREAM_ATTR_SCREENSHOTS"):
        await page.screenshot(path=Path(folder) / f"{name}-{locale}.png", full_page=True)


@pytest.mark.parametrize("locale", list(WIDTHS))
async def test_a_sheet_is_compared_in_a_browser(people, browser, address, locale, tmp_path):
    page, said = await page_of(browser, address, locale)
    shop = people.shops[0]
    orders = [
        one for one in people.traffic.decisions if one["shop_id"] == shop and one["outcome"] == "credited"
    ]
    lines = [
        "order,amount",
        *(f"{one['order_id']},{one['amount'] / 100:.2f}" for one in orders[1:]),
        "x,1.00",
    ]
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("\n".join(lines))
    await page.goto(f"{address}/reconcile?shop={shop}")
    await page.fill("[name=from]", "2026-06-01")
    await page.fill("[name=to]", "2027-05-31")
    await page.set_input_files("[name=file]", sheet)
    await page.locator("summary").last.click()
    await page.fill("[name=map]", "order=order\namount=amount")
    await page.locator("summary").last.click()
    await page.click("button:not([name]):has-text('%s')" % ("对比" if locale == "zh-CN" else "Compare"))
    await page.locator("tbody tr", has_text=orders[0]["order_id"]).wait_for()
    await page.locator("tbody tr", has_text="仅平台有" if locale == "zh-CN" else "only there").wait_for()
    await picture(page, "reconciled", locale)
    assert await problems(page) == []
    assert said == []
