"""``docs/operations.md`` and ``deploy/README.md``: commands that there are, links that lead somewhere."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import copy_inputs
import pytest

from stream_attr.rules.vocabulary import Code
from tests.deploy.manifests import ROOT, command_of

OPERATIONS = ROOT / "docs" / "operations.md"
PAGES = [OPERATIONS, ROOT / "deploy" / "README.md"]
TEXT = OPERATIONS.read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
COMMANDS = [
    *re.findall(r"^ *(stream-attr .*)$", "".join(BLOCKS), re.MULTILINE),
    *re.findall(r"-- (stream-attr .*)$", "".join(BLOCKS), re.MULTILINE),
    *re.findall(r"`(stream-attr [^`…]+ --[^`…]+)`", TEXT),
]


def words_of(line: str) -> list[str]:
    return shlex.split(line.partition(" > ")[0])[1:]


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_is_one_that_the_program_takes(line):
    command_of([word.replace("N", "8") if word == "N" else word for word in words_of(line)])


def test_the_copying_is_told_what_it_takes(capsys, monkeypatch):
    monkeypatch.setattr("stream_attr.kafka.connection._NOBODY_THERE_S", 0)
    [line] = re.findall(r"^ *python deploy/copy_inputs.py (.*)$", "".join(BLOCKS), re.MULTILINE)
    words = shlex.split(line.replace("kafka:9092", "127.0.0.1:1"))
    assert copy_inputs.main(words) == 2
    assert "no Kafka broker answers at 127.0.0.1:1" in capsys.readouterr().err


def anchors(path: Path) -> set[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    titles = [line.lstrip("# ").lower() for line in lines if line.startswith("#")]
    return {re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
    assert links
    for link in links:
        file, _, anchor = link.partition("#")
        target = page.parent / file if file else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_code_of_a_dead_letter_has_its_remedy():
    table = TEXT.partition("| held back |")[2].partition("\n\n")[0]
    assert {code.value for code in Code} <= set(re.findall(r"`(\w+)`", table))
