"""A form's texts as a record's document, and a document as a form's texts.

What is no number or switch stays the text that was written: the check of the record refuses it, and says how.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from stream_attr.console.changes.fields import FormField, Kind

__all__ = ["IS_NULL", "document_of", "texts_of"]

IS_NULL: Final = ":null"
"""What stands behind a field's path where it is to be null."""
_NAMES: Final = ":names"
"""What stands behind the path of objects by name, once for each name."""
_NUMBER: Final = re.compile("-?[0-9]{1,18}", re.ASCII)
_SWITCH: Final = {"true": True, "false": False}


def document_of(fields: Iterable[FormField], pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return the document of a form's fields, which are named by dotted paths; what is empty is left out."""
    texts: dict[str, list[str]] = {}
    for name, text in pairs:
        texts.setdefault(name, []).append(text.replace("\r\n", "\n"))
    return _object(fields, texts, "")


def _object(fields: Iterable[FormField], texts: Mapping[str, list[str]], prefix: str) -> dict[str, Any]:
    found = {one.name: _value(one, texts, prefix + one.name) for one in fields}
    return {name: value for name, value in found.items() if value is not _LEFT_OUT}


_LEFT_OUT: Final = object()


def _value(field: FormField, texts: Mapping[str, list[str]], path: str) -> Any:
    match field.kind:
        case Kind.GROUP:
            return _object(field.fields, texts, f"{path}.") or _LEFT_OUT
        case Kind.ROWS:
            numbers = sorted({int(one) for name in texts if (one := _row_of(name, path)) is not None})
            rows = [_object(field.fields, texts, f"{path}.{number}.") for number in numbers]
            return [row for row in rows if row] or _LEFT_OUT
        case Kind.RECORDS:
            names = dict.fromkeys(texts.get(path + _NAMES, ()))
            return {name: _object(field.fields, texts, f"{path}.{name}.") for name in names} or _LEFT_OUT
        case Kind.LIST:
            lines = [line.strip() for text in texts.get(path, ()) for line in text.split("\n")]
            return [line for line in lines if line] or _LEFT_OUT
    if path + IS_NULL in texts:
        return None
    text = texts.get(path, [""])[-1]
    if not _keeps_blanks(field):
        text = text.strip()
    if not text:
        return _LEFT_OUT
    if field.kind is Kind.SWITCH:
        return _SWITCH.get(text, text)
    if field.kind is Kind.NUMBER:
        return int(text) if _NUMBER.fullmatch(text) else text
    return text


def _keeps_blanks(field: FormField) -> bool:
    """Whether blanks at its ends are part of a text: of one that is matched with what people wrote."""
    return field.kind is Kind.TEXT or field.name == "prefix"


def _row_of(name: str, path: str) -> str | None:
    number = name.removeprefix(f"{path}.").partition(".")[0] if name.startswith(f"{path}.") else ""
    return number if number.isascii() and number.isdigit() and len(number) <= 4 else None


def texts_of(fields: Iterable[FormField], document: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return the texts of a document by the names of a form's fields; of what is null `IS_NULL` alone."""
    texts: dict[str, str] = {}
    for one in fields:
        if one.name in document:
            texts |= _texts(one, document[one.name], prefix + one.name)
    return texts


def _texts(field: FormField, value: Any, path: str) -> dict[str, str]:
    if value is None:
        return {path + IS_NULL: "yes"}
    if field.kind is Kind.GROUP and isinstance(value, dict):
        return texts_of(field.fields, value, f"{path}.")
    if field.kind is Kind.RECORDS and isinstance(value, dict):
        return {
            name: text
            for key, one in value.items()
            for name, text in texts_of(field.fields, one, f"{path}.{key}.").items()
        }
    if field.kind is Kind.ROWS and isinstance(value, list):
        return {
            name: text
            for number, row in enumerate(value)
            for name, text in texts_of(field.fields, row, f"{path}.{number}.").items()
        }
    if field.kind is Kind.LIST and isinstance(value, list):
        return {path: "\n".join(value)}
    if isinstance(value, bool):
        return {path: "true" if value else "false"}
    return {path: str(value)}
