"""The guide to reports: its commands are run in order, and show what the page shows."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.docs.blocks import ROOT, Block, Reader, blocks_of

pytestmark = pytest.mark.database

PAGE = (ROOT / "docs" / "guides" / "reports.md").read_text(encoding="utf-8")
BLOCKS = [block for block in blocks_of(PAGE) if block.runs]
EVERY_DAY = re.findall(r"^\| .+\? \| .+ \| `(stream-attr .+)` \|$", PAGE, re.MULTILINE)
"""What a shop asks every day, one command each; one fills the ledger again, so they come last."""


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    return Reader(tmp_path_factory.mktemp("reader"), {"9092": 9092})


@pytest.fixture(scope="module")
def followed(reader: Reader) -> Iterator[dict[int, AssertionError | None]]:
    """The page followed from top to bottom; by the line of each block, what went wrong."""
    problems: dict[int, AssertionError | None] = {}
    for block in BLOCKS:
        try:
            reader.follow(block)
            problems[block.line] = None
        except AssertionError as problem:
            problems[block.line] = problem
    yield problems
    reader.leave()


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"line {block.line}")
def test_a_block_does_what_the_page_shows(block: Block, followed: dict[int, AssertionError | None]) -> None:
    problem = followed[block.line]
    if problem is not None:
        raise problem


def test_there_are_seven_questions_of_every_day() -> None:
    assert len(EVERY_DAY) == 7


@pytest.mark.usefixtures("followed")
@pytest.mark.parametrize("command", EVERY_DAY, ids=lambda one: " ".join(one.split()[1:3]))
def test_each_question_is_one_command(command: str, reader: Reader) -> None:
    reader.follow(Block("console", "", f"$ {command} && echo answered\n...\nanswered\n", 0))
    if " report " in command and "--out" not in command:
        reader.follow(Block("console", "", f"$ {command} --lang zh | grep -m 1 -o 店铺\n店铺\n", 0))
