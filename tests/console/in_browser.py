"""Somebody in a browser, and what keeps people from using a page.

``STREAM_ATTR_REQUIRE_BROWSER=1``     fail instead of skipping where Chromium is not installed.
``STREAM_ATTR_SCREENSHOTS=FOLDER``    keep a picture of each screen there.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.console.conftest import PASSWORD

CHROMIUM = Path("/usr/bin/chromium")
REQUIRED = os.environ.get("STREAM_ATTR_REQUIRE_BROWSER") == "1"
needs_browser = pytest.mark.skipif(
    not (REQUIRED or CHROMIUM.exists()), reason=f"no browser: {CHROMIUM} is missing; .ci/chromium installs it"
)
PATIENCE_MS = 120_000
"""How long a page may take on a machine that is busy: it is waited for, not judged."""
AXE = Path(__file__).with_name("axe.min.js")


async def logged_in(
    browser: Any, address: str, login: str, *, locale: str, width: int, script: bool = True
) -> Any:
    """A page of somebody who has logged in; ``script``: whether the browser runs scripts."""
    size = {"width": width, "height": 900}
    context = await browser.new_context(viewport=size, locale=locale, java_script_enabled=script)
    context.set_default_timeout(PATIENCE_MS)
    page = await context.new_page()
    await page.goto(f"{address}/login")
    await page.fill("[name=login]", login)
    await page.fill("[name=password]", PASSWORD)
    await page.click("main button")
    return page


async def problems(page: Any) -> list[tuple[str, str]]:
    """What axe-core finds, and whether the page is wider than the window."""
    await page.evaluate(AXE.read_text() + "; undefined")
    # What is in order is left in the browser: to read it all costs more than everything else.
    found = await page.evaluate(
        "axe.run({resultTypes: ['violations']})"
        ".then(all => all.violations.map(one => [one.id, one.nodes[0].html]))"
    )
    named = [(name, html) for name, html in found]
    wide = await page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    return [*named, ("wider than the window", page.url)] if wide else named


async def picture(page: Any, name: str) -> None:
    """Keep a picture where a folder is named."""
    if folder := os.environ.get("STREAM_ATTR_SCREENSHOTS"):
        await page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
