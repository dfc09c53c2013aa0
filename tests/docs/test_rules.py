"""docs/rules: complete, every reference to it resolves, and its examples are accepted."""

from __future__ import annotations

import json
import re
from pathlib import Path

from stream_attr.codec.records.shop_settings import decode_settings
from stream_attr.contract.records.decision import Decision
from tests.docs.blocks import ROOT, blocks_of

RULES = ROOT / "docs" / "rules"
PAGES = {int(page.name[:2]): page for page in sorted(RULES.glob("[0-9][0-9]-*.md"))}
REFERENCE = re.compile(r'RULEBOOK (\d+(?:(?:, | and )\d+)*)(?:,\s+(?:"([^"]+)"|``([^`]+)``))?')
"""``RULEBOOK 6``, ``RULEBOOK 2, 4``, ``RULEBOOK 6, "The invariant"``, the heading perhaps a line below."""

SEARCHED = ("stream_attr", "tests", "schemas", "docs", "deploy", "benchmarks")


def texts() -> dict[str, str]:
    """Every text file that may refer to the rulebook."""
    folders = [path for folder in SEARCHED for path in (ROOT / folder).rglob("*")]
    paths = [*folders, *ROOT.glob("*.md"), ROOT / "Makefile", ROOT / "pyproject.toml"]
    return {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
        for path in paths
        if path.suffix in {".py", ".md", ".json", ".toml", ".yaml", ".yml"} and path != Path(__file__)
    }


def test_there_is_a_page_for_each_chapter_and_the_index_has_them_all() -> None:
    index = (RULES / "README.md").read_text(encoding="utf-8")
    assert list(PAGES) == list(range(1, 14))
    for number, page in PAGES.items():
        title = page.read_text(encoding="utf-8").splitlines()[0]
        assert title.startswith(f"# {number} ")
        assert f"[{title[2:]}]({page.name})" in index


def test_every_reference_to_the_rulebook_resolves() -> None:
    found = 0
    for name, text in texts().items():
        for numbers, heading, term in REFERENCE.findall(text):
            found += 1
            chapters = [int(number) for number in re.findall(r"\d+", numbers)]
            assert set(chapters) <= PAGES.keys(), (name, numbers)
            page = PAGES[chapters[-1]].read_text(encoding="utf-8")
            if heading:
                headings = [line.lstrip("# ").lower() for line in page.splitlines() if line.startswith("##")]
                assert " ".join(heading.lower().split()) in headings, (name, heading)
            if term:
                assert f"`{term}`" in page or f"stream-attr {term}`" in page, (name, term)
    assert found > 50


def test_references_have_one_form() -> None:
    for name, text in texts().items():
        assert not re.search(r"rulebook,? (section )?\d", text), name
        assert not re.search(r"RULEBOOK,? section", text), name


def test_every_scenario_names_a_chapter() -> None:
    for path in (ROOT / "tests" / "scenarios").glob("*.json"):
        for scenario in json.loads(path.read_text(encoding="utf-8")):
            assert int(scenario["rule"].split()[0]) in PAGES, (path.name, scenario["name"])


def test_the_example_of_settings_is_accepted() -> None:
    [example] = [
        block.text for block in blocks_of(PAGES[3].read_text(encoding="utf-8")) if block.kind == "json"
    ]
    assert set(decode_settings(example.encode()).profiles) == {"order-first"}


def test_the_example_of_a_decision_has_the_fields_of_one() -> None:
    example = next(
        block.text for block in blocks_of(PAGES[10].read_text(encoding="utf-8")) if block.kind == "json"
    )
    assert list(json.loads(example)) == list(Decision.__struct_fields__)
