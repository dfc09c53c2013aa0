"""JSON Schemas (draft 2020-12) of the record types, made from their annotated Structs.

Types, bounds and requiredness come from the fields' types; descriptions, and what else a schema says of a
field, from their `Meta`. A condition over several fields, which no type can express, is beside its Struct.
Unlike `msgspec.json.schema` it makes documents without references, which people read from top to bottom.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec.inspect as types
from msgspec import NODEFAULT, UNSET, Struct

from stream_attr.contract.records.emission import Emission
from stream_attr.contract.registry import topic_of_record

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True, slots=True)
class RecordSchema:
    """What is published of a record type."""

    name: str
    """Of the file, ``<name>.schema.json``."""
    title: str
    shape: type[Struct]
    conditions: Mapping[str, Any] = field(default_factory=dict)
    """What the schema says beyond the fields."""
    closed: bool = False
    """Whether it refuses fields that it does not name, as records that the product writes do."""
    emitted: bool = False
    """Whether revision, reason and watermark stand behind the content; such a record is closed."""
    rules: type[Struct] | None = None
    """A Struct that the shape extends, and that stands under ``$defs`` because further fields refer to it."""
    of_topic: bool = True
    """Whether records of a topic are of it; else it is a document that people write."""
    description: str | None = None
    """Instead of what the shape's docstring begins with."""
    fields: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Schemas of fields that differ from the shape's."""

    def derived(self, name: str, title: str, description: str, **fields: Mapping[str, Any]) -> RecordSchema:
        """Return a record type that has the same shape but for some fields."""
        return replace(self, name=name, title=title, description=description, fields=fields)

    def json_schema(self) -> dict[str, Any]:
        """Return it as a JSON Schema."""
        shape = types.type_info(self.shape)
        assert isinstance(shape, types.StructType)
        inherited = set(self.rules.__struct_fields__) if self.rules else set()
        own = [one for one in shape.fields if one.name not in inherited]
        properties = {one.encode_name: _field(one) for one in own}
        required = [one.encode_name for one in own if one.required]
        if self.emitted:
            properties = _with_emission(properties)
            required = list(properties)
        properties |= {name: dict(one) for name, one in self.fields.items()}
        schema: dict[str, Any] = {
            "$schema": DRAFT,
            "$id": f"urn:stream-attr:schema:{self.name}",
            "title": self.title,
            "description": self._description(),
            "type": "object",
            "required": required,
            "properties": properties,
        }
        if self.rules is not None:
            rules = types.type_info(self.rules)
            assert isinstance(rules, types.StructType)
            definition = {"description": _beginning(self.rules), **_struct(rules)}
            del definition["additionalProperties"]
            schema |= {
                "$ref": "#/$defs/rules",
                "unevaluatedProperties": False,
                "$defs": {"rules": definition},
            }
        elif self.closed or self.emitted:
            schema["additionalProperties"] = False
        return schema | dict(self.conditions)

    def _description(self) -> str:
        text = self.description or _beginning(self.shape)
        if not self.of_topic:
            return f"{text} A document, of no topic. An unknown field is refused."
        topic = topic_of_record(self.name)
        key = "no key" if topic.key is None else f"key {topic.key}"
        text += f" Topic {topic.name}, {key}"
        text += ", compacted: the last record per key is the truth." if topic.compacted else "."
        if self.closed or self.emitted:
            return f"{text} Read it with isolation read_committed."
        if self.rules is not None:
            return f"{text} Unlike elsewhere an unknown field is refused."
        return f"{text} Unknown fields are ignored."


def when(
    name: str,
    value: Any,
    then: Mapping[str, Any],
    otherwise: Mapping[str, Any] | None = None,
    *,
    present: bool = False,
) -> dict[str, Any]:
    """Return a condition: where a field has a value, or one of a list, ``then`` holds, else ``otherwise``.

    ``present``: the field has to be there for ``then``; left out, it would fit any value.
    """
    condition = only(name, value)
    if present:
        condition["required"] = [name]
    return {"if": condition, "then": then} | ({} if otherwise is None else {"else": otherwise})


def only(name: str, value: Any) -> dict[str, Any]:
    """Return the condition that a field has a value, or one of a list."""
    return {"properties": {name: {"enum": value} if isinstance(value, list) else {"const": value}}}


def of_type(**fields: str) -> dict[str, Any]:
    """Return the condition that fields have JSON types."""
    return {"properties": {name: {"type": kind} for name, kind in fields.items()}}


def _with_emission(content: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of an emitted record: revision and reason beside the status, the watermark last."""
    shape = types.type_info(Emission)
    assert isinstance(shape, types.StructType)
    more = {one.name: _field(one) for one in shape.fields}
    watermark = more.pop("watermark")
    fields: dict[str, Any] = {}
    for name, schema in content.items():
        fields[name] = schema
        if name == "status":
            fields |= more
    return fields | {"watermark": watermark}


def _beginning(shape: type[Struct]) -> str:
    """Return a docstring in one line, but for its last paragraph if that is about Python's values."""
    paragraphs = inspect.cleandoc(shape.__doc__ or "").split("\n\n")
    return " ".join(" ".join(one.split()) for one in paragraphs if "``" not in one)


def _field(one: types.Field) -> dict[str, Any]:
    schema = schema_of(one.type)
    if one.default not in (NODEFAULT, UNSET, None, ()):
        schema.setdefault("default", one.default)
    return schema


def _struct(shape: types.StructType) -> dict[str, Any]:
    tag: dict[str, Any] = {}
    if shape.tag_field is not None:
        tag[shape.tag_field] = {"description": _beginning(shape.cls), "const": shape.tag}
    schema: dict[str, Any] = {
        "type": "object",
        "properties": tag | {one.encode_name: _field(one) for one in shape.fields},
    }
    required = [*tag, *(one.encode_name for one in shape.fields if one.required)]
    if required:
        schema["required"] = required
    schema["additionalProperties"] = False
    return schema | getattr(shape.cls, "schema_conditions", {})


def schema_of(kind: types.Type) -> dict[str, Any]:
    """Return the schema of a field's type, with what its `Meta` says."""
    match kind:
        case types.Metadata():
            extra = dict(kind.extra_json_schema or {})
            schema = schema_of(kind.type)
            head = {key: extra.pop(key) for key in ("title", "description") if key in extra}
            for key in head:
                schema.pop(key, None)
            schema = head | schema | extra
            if "enum" in schema:
                nullable = "null" in (schema.pop("type", None) or ())
                words = schema.pop("enum")
                schema["enum"] = [*words, None] if nullable and None not in words else words
            return schema
        case types.UnionType():
            if all(isinstance(option, types.StructType) for option in kind.types):
                return {"type": "object", "oneOf": [schema_of(option) for option in kind.types]}
            options = [schema_of(one) for one in kind.types if not isinstance(one, types.NoneType)]
            found = options[0]
            for other in options[1:]:  # bounds of one type say nothing of another
                found = {**found, **other, "type": [found["type"], other["type"]]}
            return _or_null(found) if len(options) < len(kind.types) else found
        case types.StructType():
            return _struct(kind)
        case types.StrType():
            return {"type": "string"} | _bounds(minLength=kind.min_length, maxLength=kind.max_length)
        case types.IntType():
            return {"type": "integer"} | _bounds(minimum=kind.ge, maximum=kind.le, exclusiveMaximum=kind.lt)
        case types.FloatType():
            return {"type": "number"} | _bounds(minimum=kind.ge, maximum=kind.le)
        case types.BoolType():
            return {"type": "boolean"}
        case types.LiteralType():
            return {"enum": list(kind.values)}
        case types.EnumType():
            return {"enum": [one.value for one in kind.cls]}
        case types.ListType() | types.VarTupleType():
            bounds = _bounds(minItems=kind.min_length or None, maxItems=kind.max_length)
            return {"type": "array", "items": schema_of(kind.item_type)} | bounds
        case types.TupleType():
            first, *others = [schema_of(one) for one in kind.item_types]
            if any(one != first for one in others):
                raise TypeError(f"no JSON Schema is known for {kind}, whose elements differ")
            number = len(kind.item_types)
            return {"type": "array", "items": first, "minItems": number, "maxItems": number}
        case types.DictType():
            return {"type": "object"}
        case types.CustomType():
            return {}  # what there is to say of it is in its `Meta`
    raise TypeError(f"no JSON Schema is known for {kind}")


def _bounds(**bounds: int | float | None) -> dict[str, Any]:
    return {name: bound for name, bound in bounds.items() if bound is not None}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema that accepts null too."""
    if "type" in schema:
        kinds = schema["type"]
        schema["type"] = [*(kinds if isinstance(kinds, list) else [kinds]), "null"]
    elif "enum" in schema:
        schema["enum"] = [*schema["enum"], None]
    if "not" in schema:  # a condition on strings does not hold of null, and would refuse it
        schema["not"] = {"type": "string", **schema["not"]}
    return schema
