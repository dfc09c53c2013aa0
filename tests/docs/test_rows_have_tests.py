"""Every test that a table of the documents names is there: a claim without one is none."""

from __future__ import annotations

import re

import pytest

from tests.docs.blocks import ROOT

DEFINED = {
    name
    for path in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^\s*(?:async )?def (test_\w+)\(", path.read_text(encoding="utf-8"), re.MULTILINE)
}


@pytest.mark.parametrize("document", ["docs/reliability.md", "docs/security.md"])
def test_every_test_that_is_named_exists(document):
    text = (ROOT / document).read_text(encoding="utf-8")
    assert set(re.findall(r"`(test_\w+)`", text)) <= DEFINED


@pytest.mark.parametrize("document", ["docs/reliability.md", "docs/security.md"])
def test_every_row_of_a_table_of_tests_names_one(document):
    lines = (ROOT / document).read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if re.search(r"\| tests? \|$", line):
            for row in lines[number + 2 :]:
                if not row.startswith("|"):
                    break
                assert re.search(r"`test_\w+`", row.split("|")[-2]), row
