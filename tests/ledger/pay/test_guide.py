"""docs/guides/paying: its commands are executed in order, and what it shows is what comes out."""

from __future__ import annotations

import re
import shlex
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner

from stream_attr.cli import main
from stream_attr.ledger.database.connect import Database
from tests.docs.blocks import ROOT, Block, blocks_of
from tests.ledger.pay.world import agent, order
from tests.ledger.reports.handmade import start_of

PAGES = ("docs/guides/paying.md", "docs/guides/paying.zh-CN.md")
MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


def november(database: Database) -> None:
    with database.connection() as connection:
        agent(connection, "anna", "p-1")
        agent(connection, "ben", "p-2")
        connection.execute(
            "INSERT INTO sink_offset VALUES ('attribution-decisions', 0, 3, NULL, %(at)s, %(at)s)",
            {"at": start_of("2026-12-03")},
        )
        order(connection, "o-1", "anna", 1_234_567)
        order(connection, "o-2", "anna", 999_999)
        order(connection, "o-3", "anna", 6_265_484, revision=2)


def december(database: Database) -> None:
    with database.connection() as connection:
        order(connection, "o-3", "anna", 6_265_484, refunds=[("2026-12-05", 500_050)], revision=3)


def executed(database: Database, block: Block) -> str:
    """What the commands of a block show; the last one alone shows something."""
    shown = ""
    for line in block.text.replace("\\\n", " ").splitlines():
        program, *arguments = shlex.split(line)
        assert program == "stream-attr"
        where = [] if arguments[:3] == ["pay", "scheme", "check"] else ["--database", database.address]
        result = CliRunner().invoke(main, [*arguments, *where])
        assert result.exit_code == 0, (line, result.output)
        shown = result.stdout
    return shown


def plain(text: str) -> list[str]:
    """Lines without spaces at their ends, and without what depends on the time of day."""
    return [MOMENT.sub("TIME", line.rstrip()) for line in text.strip().splitlines()]


@pytest.mark.parametrize("page", PAGES)
def test_what_the_page_shows_comes_out(
    ledger: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: str
):
    november(ledger)
    pay = (ROOT / "docs/pay.md").read_text(encoding="utf-8")
    (tmp_path / "presale.json").write_text(
        next(one.text for one in blocks_of(pay) if one.kind == "json"), encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)
    blocks = blocks_of((ROOT / page).read_text(encoding="utf-8"))
    compared = 0
    for block, after in pairwise([*blocks, Block("", "", "", 0)]):
        if block.kind == "sh":
            if "--month 2026-12" in block.text:
                december(ledger)
            shown = executed(ledger, block)
            if after.kind == "text":
                assert plain(shown) == plain(after.text), block.text
                compared += 1
    assert compared == 5
