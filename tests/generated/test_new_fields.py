"""A new field of an output is put into its examples by ``make generate``."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from stream_attr.contract.registry import schemas
from tools.generate import new_fields

FOLDER = "schemas/examples/decision"


def records(root: Path) -> dict[str, Any]:
    found = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in (root / FOLDER).iterdir()}
    return {name: example.get("record", example) for name, example in found.items()}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    shutil.copytree(str(schemas()), tmp_path / "schemas")
    return tmp_path


def test_examples_that_have_every_field_stay_as_they_are(root: Path) -> None:
    assert list(new_fields.files(root)) == []


def test_what_no_example_has_is_put_into_all_of_them_without_a_value(root: Path) -> None:
    before = records(root)
    for path in (root / FOLDER).iterdir():
        example = json.loads(path.read_text(encoding="utf-8"))
        record = example.get("record", example)
        record.pop("ruling", None)
        for candidate in record.get("candidates", []):
            candidate.pop("followup", None)
        path.write_text(json.dumps(example), encoding="utf-8")
    for name, text in new_fields.files(root):
        (root / name).write_text(text, encoding="utf-8")
    for name, record in records(root).items():
        assert record["ruling"] is None, name
        assert all(candidate["followup"] is None for candidate in record["candidates"]), name
        assert record.keys() == before[name].keys() | {"ruling"}, name


def test_an_example_of_a_missing_field_stays_one(root: Path) -> None:
    assert any("ruling" in record for record in records(root).values())
    path = root / FOLDER / "another.fail.json"
    path.write_text(json.dumps({"record": {"candidates": []}}), encoding="utf-8")
    assert list(new_fields.files(root)) == []
