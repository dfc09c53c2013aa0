"""The guide to connecting platforms: from webhooks to a verdict, as the page shows it, in both languages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stream_attr.gateway.connections import read_connections
from tests.docs.blocks import ROOT, Block, Reader, blocks_of

GUIDES = ROOT / "docs" / "guides"
PAGES = [GUIDES / "connecting.md", GUIDES / "connecting.zh-CN.md"]


def blocks(page: Path) -> list[Block]:
    return blocks_of(page.read_text(encoding="utf-8"))


def test_what_the_page_shows_comes_out(tmp_path: Path) -> None:
    reader = Reader(tmp_path, {})
    runs = [block for block in blocks(PAGES[0]) if block.runs]
    assert len(runs) == 2
    try:
        for block in runs:
            reader.follow(block)
    finally:
        reader.leave()
    (file,) = tmp_path.rglob("orders/raw-dead-letters.jsonl")
    (letter,) = file.read_text(encoding="utf-8").splitlines()
    assert (json.loads(letter)["reason"], json.loads(letter)["about"]) == ("bad_amount", "total_price")


def test_both_languages_show_the_same_commands() -> None:
    ours, theirs = ([block.text for block in blocks(page) if block.kind != "json"] for page in PAGES)
    assert ours[1:] == theirs[1:]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_connections_that_are_shown_can_be_read(page: Path, tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    for name in ("shopify", "jd", "jd-key", "jd-secret", "jd-token", "dd-key", "dd-secret", "api-key"):
        (tmp_path / "secrets" / name).write_text("a-secret-of-24-characters")
    shown = [json.loads(block.text) for block in blocks(page) if block.kind == "json"]
    assert len(shown) == 3
    for one in shown:
        file = tmp_path / "connections.json"
        file.write_text(json.dumps(one if "connections" in one else {"connections": [one]}))
        assert read_connections(file)
