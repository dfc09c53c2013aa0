"""The integrators' README says what the files beside it say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stream_attr.contract.registry import schemas, topic_definitions
from stream_attr.rules.vocabulary import Code

ROOT = Path(str(schemas()))
README = (ROOT / "README.md").read_text(encoding="utf-8")
DAY_MS = 86_400_000


def table(heading: str) -> list[list[str]]:
    """The rows of the first table under a heading, without its head."""
    section = README.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows[2:]]


def test_the_table_of_topics_is_that_of_the_definitions():
    rows = {row[0].strip("`"): row[1:] for row in table("Topics")}
    assert rows.keys() == topic_definitions().keys()
    for name, (direction, record, key, partitions, kept) in rows.items():
        definition = topic_definitions()[name]
        assert direction == definition.direction
        assert (f"({definition.record}.schema.json)" in record) is (definition.record is not None)
        if key.startswith("`"):
            assert key.strip("`").replace("\\|", "|") == definition.key
        assert partitions == ("N" if definition.partitions is None else str(definition.partitions))
        assert kept == _kept(definition.config)


def _kept(config: dict[str, str]) -> str:
    if config["cleanup.policy"] == "compact":
        return "the last per key"
    days = int(config["retention.ms"]) // DAY_MS
    return f"{days} days" if days > 0 else "for ever"


def test_the_table_of_codes_is_that_of_the_codec():
    assert {row[0].strip("`") for row in table("What cannot be used")} == {code.value for code in Code}


def test_the_python_example_runs_and_prints_what_it_says(capsys, monkeypatch):
    monkeypatch.chdir(ROOT.parent)
    [block] = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    [promised] = re.findall(r"# (\$.*)", block)
    exec(compile(block, "schemas/README.md", "exec"), {})
    assert capsys.readouterr().out.splitlines() == [promised]


@pytest.mark.parametrize("path", re.findall(r"\]\(([^)#:]+)\)", README))
def test_links_lead_somewhere(path):
    assert (ROOT / path).exists()
