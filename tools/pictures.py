"""Pictures of the console's screens, for the documentation or to look at: ``python -m tools.pictures``.

A ledger of generated traffic is served on this machine and looked at by Chromium, at the noon that ends the
traffic. The same program makes the same screens; their bytes depend on the browser and the fonts.
"""

from __future__ import annotations

import argparse
import base64
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright

from stream_attr.cli.database import IN_DATA_DIR
from stream_attr.console import accounts, periods
from stream_attr.console.app import SCREENS, Settings, application
from stream_attr.console.roles import Role
from stream_attr.kafka.embedded.server import free_port
from stream_attr.ledger.database.connect import Database

ROOT: Final = Path(__file__).parents[1]
CHROMIUM: Final = Path("/usr/bin/chromium")
SHOP: Final = "jd:10086"
NOW_TS: Final = 1_794_369_600_000
"""2026-11-11 12:00 in Shanghai."""
END: Final = "2026-11-11T12:00:00+08:00"
LOCALES: Final = {"zh": "zh-CN", "en": "en-US"}
_HIGHEST: Final = 2_600
"""Pixels of a page that is to be looked at."""
PASSWORD: Final = "only for pictures"
_FLAGS: Final = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
_INPUTS: Final = ("chat", "orders", "roster", "settings", "rulings")


class Shot(NamedTuple):
    """A picture of a screen."""

    name: str
    path: str
    width: int = 1280
    height: int = 800


class World(NamedTuple):
    """What is looked at."""

    address: str
    order: str
    """An order with several candidates."""
    buyer: str


def main() -> None:
    """Make the pictures."""
    parser = argparse.ArgumentParser(prog="python -m tools.pictures", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "pictures", help="folder for them")
    parser.add_argument("--all", action="store_true", help="every screen, wide and narrow, to be looked at")
    parser.add_argument("--events", type=int, default=20_000, help="of the traffic  [default: 20,000]")
    asked = parser.parse_args()
    if not CHROMIUM.exists():
        sys.exit(f"{CHROMIUM} is missing: install Debian's chromium and fonts-noto-cjk")
    asked.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, _served(Path(folder), asked.events) as world:
        shots = _every(world) if asked.all else _chosen(world)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=_FLAGS)
            for language, locale in LOCALES.items():
                _pictures(browser, world, locale, shots, asked.out, language, is_whole=asked.all)
            browser.close()


def _chosen(world: World) -> list[Shot]:
    """Return those of the documentation."""
    order = f"/order?shop={SHOP}&order={world.order}"
    return [
        Shot("today", f"/today?shop={SHOP}", height=900),
        Shot("team", f"/team?shop={SHOP}"),
        Shot("order", order, height=1000),
        Shot("buyer", f"/buyer?shop={SHOP}&buyer={world.buyer}&order={world.order}", height=560),
        Shot("pressure", f"/pressure?shop={SHOP}"),
        Shot("agent-phone", f"/agent?shop={SHOP}&agent=kf-05", 390, 844),
    ]


def _every(world: World) -> list[Shot]:
    """Return all screens, wide and on a phone."""
    more = {
        "/order": f"&order={world.order}",
        "/buyer": f"&buyer={world.buyer}&order={world.order}",
        "/team": "&compare=1",
        "/appeal": "&appeal=none",
        "/people/account": "&login=pictures",
    }
    return [
        Shot(
            f"{screen.path[1:].replace('/', '-')}-{width}",
            f"{screen.path}?shop={SHOP}{more.get(screen.path, '')}",
            width,
            900,
        )
        for screen in SCREENS
        for width in (1440, 390)
    ]


@contextmanager
def _served(folder: Path, events: int) -> Iterator[World]:
    """Serve the console on a ledger of generated traffic, at the noon of its last day."""
    _fill(folder, events)
    for module in (accounts, periods):
        setattr(module, "wall_clock_ms", lambda: NOW_TS)  # noqa: B010 -- mypy refuses the assignment
    with Database(None, folder / "data" / IN_DATA_DIR) as database:
        with database.connection(autocommit=True) as connection:
            people = accounts.Accounts(connection)
            people.add("pictures", "李店长", Role.ADMIN, ())
            people.set_password(people.link("pictures"), accounts.hashed(PASSWORD))
            order, buyer = _interesting(connection)
        port = free_port()
        with database.pool(autocommit=True) as pool:
            app = application(pool, Settings(secure=False))
            server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", port, log_level="warning"))
            thread = threading.Thread(target=server.run)
            thread.start()
            while not server.started:
                time.sleep(0.05)
            try:
                yield World(f"http://127.0.0.1:{port}", order, buyer)
            finally:
                server.should_exit = True
                thread.join()


def _fill(folder: Path, events: int) -> None:
    """Fill a ledger in a folder, of which the last day is still pending."""
    files = folder / "files"
    traffic = ["--events", str(events), "--days", "40", "--shops", "2", "--end", END, "--seed", "7"]
    _run("generate", *traffic, "--out", str(files))
    settings = files / "settings.jsonl"
    records = [json.loads(line) for line in settings.read_text().splitlines()]
    for record in records:
        record["profiles"] = {"by-order": {"preset": "jd_official"}}
    settings.write_text("".join(f"{json.dumps(one)}\n" for one in records))
    inputs = [word for name in _INPUTS for word in (f"--{name}", str(files / f"{name}.jsonl"))]
    _run("replay", *inputs, "--until", END, "--ledger", "--data-dir", str(folder / "data"))


def _run(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "stream_attr", *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"stream-attr {arguments[0]}: {done.stderr}")


def _interesting(connection: Any) -> tuple[str, str]:
    """Return a credited order that several agents could have had, and its buyer."""
    row = connection.execute(
        "SELECT order_id, buyer_id FROM decision WHERE shop_id = %s AND profile = 'official'"
        " ORDER BY (outcome = 'credited')::int + (revision > 2)::int"
        " + (json_array_length(record->'candidates') > 1)::int"
        " + (json_array_length(record->'discarded') > 0)::int DESC,"
        " paid_ts DESC NULLS LAST, order_id LIMIT 1",
        (SHOP,),
    ).fetchone()
    assert row is not None, "there are too few events for an order"
    return str(row[0]), str(row[1])


def _pictures(
    browser: Browser,
    world: World,
    locale: str,
    shots: list[Shot],
    out: Path,
    language: str,
    *,
    is_whole: bool,
) -> None:
    context = browser.new_context(locale=locale)
    page = context.new_page()
    page.goto(f"{world.address}/login")
    page.fill("[name=login]", "pictures")
    page.fill("[name=password]", PASSWORD)
    page.click("main button")
    page.wait_for_url("**/today*")
    for shot in shots:
        page.set_viewport_size({"width": shot.width, "height": shot.height})
        page.goto(world.address + shot.path)
        page.wait_for_timeout(300)
        _picture(page, out / f"{shot.name}.{language}", shot, is_whole=is_whole)
    context.close()


def _picture(page: Page, path: Path, shot: Shot, *, is_whole: bool) -> None:
    """Write a small picture of the window, or a good one of the whole page."""
    if is_whole:
        height = min(page.evaluate("document.documentElement.scrollHeight"), _HIGHEST)
        page.set_viewport_size({"width": shot.width, "height": height})
        page.screenshot(path=path.with_suffix(f"{path.suffix}.png"))
        return
    asked = {"format": "webp", "quality": 70}
    found = page.context.new_cdp_session(page).send("Page.captureScreenshot", asked)
    written = path.with_suffix(f"{path.suffix}.webp")
    written.write_bytes(base64.b64decode(found["data"]))
    print(f"{written}: {written.stat().st_size >> 10} KiB", flush=True)


if __name__ == "__main__":
    main()
