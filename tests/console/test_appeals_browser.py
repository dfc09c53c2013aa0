"""The forms of appeals in a real browser: nothing keeps anybody from using them, in both languages."""

from __future__ import annotations

import pytest

from tests.console.conftest import APPEALS
from tests.console.in_browser import logged_in, needs_browser, picture, problems
from tests.console.test_browser import WIDTHS, address, browser

__all__ = ["address", "browser"]

pytestmark = needs_browser


@pytest.mark.parametrize("locale", list(WIDTHS))
async def test_the_forms_can_be_used_by_all(people, browser, address, locale):
    shop = people.shops[0]
    own = {one["agent_id"] for one in people.traffic.agent_days}
    order_id = next(
        one["order_id"]
        for one in reversed(people.traffic.decisions)
        if one["shop_id"] == shop and one["credit"] and one["credit"]["agent_id"] in own
    )
    pages = {
        "agent": [f"/order?shop={shop}&order={order_id}", f"/appeals?shop={shop}"],
        "reviewer": [f"/appeal?shop={shop}&appeal={APPEALS[shop]}", f"/appeals?shop={shop}&state=all"],
    }
    found = []
    for login, paths in pages.items():
        page = await logged_in(browser, address, login, locale=locale, width=WIDTHS[locale])
        for path in paths:
            await page.goto(address + path)
            assert await page.locator("form.written, form.filters").count()
            await picture(page, f"{login}-{path[1:].partition('?')[0]}-{locale}")
            found += [(path, *one) for one in await problems(page)]
    assert found == []
