"""What is generated is what its sources say."""

from __future__ import annotations

import pytest

from stream_attr.contract.registry import record_schema, schemas
from tools.generate.__main__ import ROOT, generated
from tools.generate.schemas import record_schemas

GENERATED = generated()


@pytest.mark.parametrize("path", GENERATED)
def test_a_generated_file_is_up_to_date(path: str) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == GENERATED[path], "run make generate"


def test_every_schema_is_generated() -> None:
    files = {file.name for file in schemas().iterdir() if file.name.endswith(".schema.json")}
    assert files == {f"{name}.schema.json" for name in record_schemas()}
    assert all(record_schema(name)["title"] == schema.title for name, schema in record_schemas().items())
