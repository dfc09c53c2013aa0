"""The fields of a record as a form has them, from its annotated Struct: nothing is defined twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

import msgspec.inspect as types
import orjson
from msgspec import NODEFAULT

from stream_attr.contract.schema import RecordSchema, schema_of
from stream_attr.ledger.texts import LANGUAGES, Text
from stream_attr.rules.vocabulary import VOCABULARIES

__all__ = ["FormField", "Kind", "fields_of", "find", "value_text"]

_LONG_TEXT: Final = 200
"""A text that may be longer than so many characters has several lines."""
_UNITS: Final = {
    "seconds": Text("seconds", "秒"),
    "minutes": Text("minutes", "分钟"),
    "hours": Text("hours", "小时"),
    "days": Text("days", "天"),
    "amount": Text("minor units (fen)", "分"),
}
"""By how names of durations and amounts end."""
ON: Final = Text("on", "开")
OFF: Final = Text("off", "关")
NULL: Final = Text("none (null)", "无 (null)")
EMPTY: Final = Text("(empty)", "（空）")


class Kind(StrEnum):
    """How a field is entered."""

    CHOICE = "choice"
    SWITCH = "switch"
    NUMBER = "number"
    DAY = "day"
    LINE = "line"
    TEXT = "text"
    LIST = "list"
    """One text a line."""
    ROWS = "rows"
    """Objects, one a row."""
    GROUP = "group"
    """An object."""
    RECORDS = "records"
    """Objects by name."""


class FormField(NamedTuple):
    """One field."""

    name: str
    """As the record has it."""
    kind: Kind
    label: Text
    meaning: Text
    required: bool
    can_be_null: bool
    words: Mapping[str, Text]
    default: Any
    """None: there is none, or it is the preset's."""
    least: int | None
    """Of a number; of a text, characters."""
    most: int | None
    fields: tuple[FormField, ...]
    """Of an object, or of each of several."""

    @property
    def unit(self) -> Text | None:
        """Return what a number counts."""
        return _UNITS.get(self.name.rpartition("_")[2]) if self.kind is Kind.NUMBER else None

    @property
    def bounds(self) -> Text | None:
        """Return which numbers, or how long a text, may be; None: any."""
        if self.kind is Kind.NUMBER and self.most is not None:
            return Text(*(f"{self.least:,} – {self.most:,}",) * 2)
        if self.kind in (Kind.LINE, Kind.TEXT, Kind.LIST) and self.most is not None:
            return Text("at most {most:,} characters", "最多 {most:,} 个字符").filled(most=self.most)
        return None


def fields_of(schema: RecordSchema) -> tuple[FormField, ...]:
    """Return the fields of a record type, in its order; objects by name are its ``rules``."""
    found = types.type_info(schema.shape)
    assert isinstance(found, types.StructType)
    fields = tuple(_field(one) for one in found.fields)
    if schema.rules is None:
        return fields
    names = schema.rules.__struct_encode_fields__
    rules = tuple(one for one in fields if one.name in names)
    return tuple(one._replace(fields=rules) if one.kind is Kind.RECORDS else one for one in fields)


def _field(one: types.Field) -> FormField:
    schema, inner, chinese = schema_of(one.type), one.type, ""
    while isinstance(inner, types.Metadata):
        chinese = chinese or (inner.extra or {}).get("chinese", "")
        inner = inner.type
    can_be_null = False
    if isinstance(inner, types.UnionType):
        can_be_null = any(isinstance(option, types.NoneType) for option in inner.types)
        [inner] = [option for option in inner.types if not isinstance(option, types.NoneType)]
        while isinstance(inner, types.Metadata):
            inner = inner.type
    item = schema.get("items", {})
    kind = _kind(inner, schema)
    parts: types.Type = inner
    if kind is Kind.ROWS:
        assert isinstance(inner, types.VarTupleType)
        parts = inner.item_type
        while isinstance(parts, types.Metadata):
            parts = parts.type
    meaning = schema.get("description", "")
    name = one.encode_name
    return FormField(
        name,
        kind,
        Text(name.replace("_", " ").capitalize(), schema.get("title") or chinese or name),
        Text(meaning, (chinese or meaning).replace("`", "")),
        one.required,
        can_be_null,
        _words(schema),
        schema.get("default", None if one.default is NODEFAULT else one.default),
        schema.get("minimum", schema.get("minLength", item.get("minLength"))),
        schema.get("maximum", schema.get("maxLength", item.get("maxLength"))),
        tuple(_field(each) for each in parts.fields) if isinstance(parts, types.StructType) else (),
    )


def _kind(inner: types.Type, schema: Mapping[str, Any]) -> Kind:
    if "enum" in schema:
        return Kind.CHOICE
    match inner:
        case types.BoolType():
            return Kind.SWITCH
        case types.IntType():
            return Kind.NUMBER
        case types.StrType():
            if schema.get("format") == "date":
                return Kind.DAY
            return Kind.TEXT if schema.get("maxLength", 0) > _LONG_TEXT else Kind.LINE
        case types.VarTupleType():
            return Kind.LIST if schema["items"]["type"] == "string" else Kind.ROWS
        case types.StructType():
            return Kind.GROUP
        case types.DictType():
            return Kind.RECORDS
    raise TypeError(f"no form has a field of {inner}")


def _words(schema: Mapping[str, Any]) -> Mapping[str, Text]:
    """Return the words that a field may be, each in words for people."""
    words = [word for word in schema.get("enum", ()) if word is not None]
    for vocabulary in VOCABULARIES.values():
        if words and set(words) <= set(vocabulary):
            return {
                word: Text(f"{word}: {vocabulary[word].meaning}", vocabulary[word].chinese) for word in words
            }
    return {word: Text(word, word) for word in words}


def find(fields: tuple[FormField, ...], path: str) -> Iterator[FormField]:
    """Yield the fields on the way to a dotted path, the outermost first; what is none of them is left out."""
    is_name = False
    for part in path.split("."):
        found = None if is_name else next((one for one in fields if one.name == part), None)
        is_name = found is not None and found.kind is Kind.RECORDS
        if found is not None:
            yield found
            fields = found.fields


def value_text(value: Any, field: FormField | None = None) -> Text:
    """Return a value as people read it."""
    if value is None:
        return NULL
    if value in ("", []):
        return EMPTY
    if isinstance(value, bool):
        return ON if value else OFF
    if field is not None and isinstance(value, str) and value in field.words:
        return field.words[value]
    if isinstance(value, str | int):
        unit = None if field is None else field.unit
        return Text(*(f"{value} {unit.of(language)}" if unit else str(value) for language in LANGUAGES))
    if isinstance(value, dict) and field is not None and value and field.fields:
        parts = [(one.label, value_text(value[one.name], one)) for one in field.fields if one.name in value]
        return Text(
            *(", ".join(f"{name.of(one)} {text.of(one)}" for name, text in parts) for one in LANGUAGES)
        )
    if isinstance(value, list):
        return Text(*("; ".join(map(_item, value)),) * 2)
    return Text(*(orjson.dumps(value).decode(),) * 2)


def _item(value: Any) -> str:
    """Return an element of a list: an object by its values."""
    return " ".join(map(str, value.values())) if isinstance(value, dict) else str(value)
