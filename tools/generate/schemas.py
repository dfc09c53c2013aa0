"""The JSON Schemas of record types and documents, from the Structs that declare them."""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Iterator

from stream_attr.contract import records
from stream_attr.contract.schema import RecordSchema

_BESIDE = ("stream_attr.ledger.alerts.rules",)
"""Modules beside the contract that declare a document, which refers to what only they know."""


def record_schemas() -> dict[str, RecordSchema]:
    """Every record type that a module of the contract declares, and every document, by name."""
    found = {}
    names = [one.name for one in pkgutil.iter_modules(records.__path__, f"{records.__name__}.")]
    for name in (*names, *_BESIDE):
        for value in vars(importlib.import_module(name)).values():
            if isinstance(value, RecordSchema):
                found[value.name] = value
    return found


def files() -> Iterator[tuple[str, str]]:
    """Yield each schema's path and text."""
    for name, schema in record_schemas().items():
        text = json.dumps(schema.json_schema(), ensure_ascii=False, indent=2)
        yield f"schemas/{name}.schema.json", f"{text}\n"
