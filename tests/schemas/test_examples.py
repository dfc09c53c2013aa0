"""Every example in ``schemas/examples`` passes or fails its JSON Schema as its name says."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from stream_attr.contract.registry import record_schema, schemas, topic_definitions
from stream_attr.rules.vocabulary import Code
from tools.generate.schemas import record_schemas

ROOT = Path(str(schemas()))
RECORDS = sorted(path.name.removesuffix(".schema.json") for path in ROOT.glob("*.schema.json"))
DOCUMENTS = {name for name, schema in record_schemas().items() if not schema.of_topic}
"""What people write, and no topic carries."""
INPUTS = {one.record for one in topic_definitions().values() if one.direction == "input"}
PASSING = sorted(ROOT.glob("examples/*/*.pass.json"))
FAILING = sorted(ROOT.glob("examples/*/*.fail.json"))
ABOUT_THE_BYTES = {Code.NOT_JSON, Code.NOT_AN_OBJECT}


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def accepts(record: str, document: Any) -> bool:
    valid: bool = Draft202012Validator(record_schema(record)).is_valid(document)
    return valid


@pytest.mark.parametrize("path", PASSING, ids=name_of)
def test_passes(path):
    Draft202012Validator(record_schema(path.parent.name)).validate(load(path))


@pytest.mark.parametrize("path", FAILING, ids=name_of)
def test_fails(path):
    example = load(path)
    if "record" not in example:
        assert _what_the_bytes_are(example) == example["code"]
    else:
        schema_can_say = example.get("schema") != "cannot_say"
        assert accepts(path.parent.name, example["record"]) is not schema_can_say


@pytest.mark.parametrize("path", FAILING, ids=name_of)
def test_a_failing_example_says_what_it_is_an_example_of(path):
    example = load(path)
    if path.parent.name in DOCUMENTS:
        assert example.keys() - {"schema"} == {"field", "why", "record"}
        return
    if path.parent.name not in INPUTS:  # what we write ourselves gets no code
        assert example.keys() == {"record"}
        return
    assert example["code"] in set(Code)
    assert (example["code"] in ABOUT_THE_BYTES) is ("record" not in example)
    assert example.keys() - {"schema", "key"} in (
        {"code", "field", "record"},
        {"code", "field", "raw"},
        {"code", "field", "raw_base64"},
    )
    assert ("key" in example) is (example["code"] == Code.KEY_MISMATCH)
    if example["code"] in {Code.MISSING_FIELD, Code.BAD_TYPE, Code.BAD_VALUE}:
        assert example["field"]


@pytest.mark.parametrize(
    "path", [one for one in PASSING if one.parent.name not in INPUTS | DOCUMENTS], ids=name_of
)
def test_an_output_has_all_of_its_fields_and_no_other(path):
    record, example = path.parent.name, load(path)
    for name in example:
        assert not accepts(record, {key: value for key, value in example.items() if key != name}), name
    assert not accepts(record, {**example, "undescribed": 1})
    assert not accepts(record, [example])


def _what_the_bytes_are(example: dict[str, Any]) -> str:
    raw = base64.b64decode(example["raw_base64"]) if "raw_base64" in example else example["raw"].encode()

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        document = json.loads(raw.decode("utf-8"), parse_constant=refuse)
    except ValueError:
        return "not_json"
    return "an object" if isinstance(document, dict) else "not_an_object"


def test_no_example_is_without_a_schema_and_no_schema_without_examples():
    """Inputs have examples of both kinds: those that fail say with which code."""
    assert {path.parent.name for path in PASSING} == set(RECORDS)
    assert INPUTS | DOCUMENTS <= {path.parent.name for path in FAILING} <= set(RECORDS)
    assert len(PASSING) + len(FAILING) == sum(1 for path in ROOT.glob("examples/**/*") if path.is_file())


def test_every_schema_belongs_to_a_topic_and_every_topic_names_an_existing_one():
    named = {definition.record for definition in topic_definitions().values()} - {None}
    assert named == set(RECORDS) - DOCUMENTS


@pytest.mark.parametrize("record", RECORDS)
def test_a_schema_is_itself_valid(record):
    Draft202012Validator.check_schema(record_schema(record))


@pytest.mark.parametrize("record", RECORDS)
def test_every_field_is_described_and_numbers_say_their_unit(record):
    for where, field in _fields(record_schema(record)):
        assert field.get("description"), where
        if where.endswith("_ts") or where in {"ts", "final_at", "watermark"}:
            assert "Milliseconds since the Unix epoch, UTC." in field["description"], where
        if where in {"amount", "net_amount", "refund_requested", "refund_completed"}:
            assert "Minor units" in field["description"], where


def _fields(schema: dict[str, Any], where: str = "") -> list[tuple[str, dict[str, Any]]]:
    found = []
    for name, field in schema.get("properties", {}).items():
        path = f"{where}.{name}".lstrip(".")
        found += [(path, field), *_fields(field, path), *_fields(field.get("items", {}), path)]
    for definition in schema.get("$defs", {}).values():
        found += _fields(definition, where)
    return found


def test_a_comparison_is_a_decision_but_for_its_profile():
    decision, comparison = record_schema("decision"), record_schema("comparison")
    for schema in (decision, comparison):
        for name in ("$id", "title", "description"):
            del schema[name]
        del schema["properties"]["profile"]
    assert decision == comparison


def test_the_codes_of_dead_letters_are_those_of_the_codec():
    assert record_schema("dead-letter")["properties"]["code"]["enum"] == [code.value for code in Code]
