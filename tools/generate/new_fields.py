"""Examples of outputs with every field: a new one is put into all of them, if it may be null or is a list.

A field is new where no passing example has it, so an example of a missing field stays one. ``agent-daily`` is
not among them: `tools.generate.examples` knows what its figures are made of.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from stream_attr.contract.registry import topic_definitions
from tools.generate.schemas import record_schemas

_Path = tuple[str, ...]
_Schema = dict[str, Any]
_ELSEWHERE: Final = "agent-daily"


def files(root: Path) -> Iterator[tuple[str, str]]:
    """Yield the path and the text of each example that lacks a new field."""
    schemas = record_schemas()
    for definition in topic_definitions().values():
        if definition.direction != "output" or definition.record in (None, _ELSEWHERE):
            continue
        schema = schemas[str(definition.record)].json_schema()
        paths = sorted((root / "schemas" / "examples" / str(definition.record)).glob("*.json"))
        texts = {path: path.read_text(encoding="utf-8") for path in paths}
        known: dict[_Path, set[str]] = defaultdict(set)
        for path, text in texts.items():
            if path.name.endswith(".pass.json"):
                for place, found, _ in _objects(json.loads(text), schema):
                    known[place] |= found.keys()
        for path, text in texts.items():
            example = json.loads(text)
            record = example["record"] if path.name.endswith(".fail.json") else example
            changed = [_complete(found, one, known[place]) for place, found, one in _objects(record, schema)]
            if any(changed):
                now = json.dumps(example, ensure_ascii=False, indent=2)
                yield path.relative_to(root).as_posix(), f"{now}\n"


def _objects(
    value: Any, schema: _Schema, place: _Path = ()
) -> Iterator[tuple[_Path, dict[str, Any], _Schema]]:
    """Yield each object in a record that has the fields of a schema: its place, itself, its schema."""
    if isinstance(value, dict) and "properties" in schema:
        for name, one in schema["properties"].items():
            yield from _objects(value.get(name), one, (*place, name))
        yield place, value, schema
    elif isinstance(value, list) and "items" in schema:
        for item in value:
            yield from _objects(item, schema["items"], place)


def _complete(found: dict[str, Any], schema: _Schema, known: set[str]) -> bool:
    """Put new fields into an object, in the order of its schema; return whether there are any."""
    fields = schema["properties"]
    new = {name: _empty(fields[name]) for name in schema.get("required", ()) if name not in known}
    new = {name: value for name, value in new.items() if value != ""}
    if not new:
        return False
    completed = found | new
    found.clear()
    found |= {name: completed[name] for name in (*fields, *completed) if name in completed}
    return True


def _empty(schema: _Schema) -> Any:
    """Return what a field is without a value; of one that always has one, an empty text."""
    types = schema.get("type", ())
    if None in schema.get("enum", ()) or "null" in types or {"type": "null"} in schema.get("anyOf", ()):
        return None
    return [] if types == "array" else ""
