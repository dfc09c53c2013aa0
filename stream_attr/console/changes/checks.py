"""The check of a record before it is published: the worker's own, asked again and again for every refusal."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import orjson

from stream_attr.contract.topics import ROSTER, SETTINGS
from stream_attr.processor import ShopRegistry
from stream_attr.processor.ports import Record

__all__ = ["Refusal", "key_of", "refusals", "value_of"]

_MOST: Final = 50
"""Refusals that are looked for."""
_INDEX: Final = re.compile(r"\[([0-9]+)\]")
_STANDING_IN: Final = {
    "effective_from": "2099-12-31",
    "role": "frozen",
    "agent_id": "-",
    "weekday": 1,
    "from": "00:00",
    "to": "24:00",
}
"""What takes the place of a required field that is refused, so that the others are checked."""


class Refusal(NamedTuple):
    """Why a worker would refuse a record."""

    path: str
    """A form's name of the field; empty: of the record."""
    code: str
    message: str


def key_of(topic: str, document: Mapping[str, Any]) -> str:
    """Return the key of a record of a shop's topic (RULEBOOK 2)."""
    names = {SETTINGS: ("shop_id",), ROSTER: ("shop_id", "agent_id")}[topic]
    return "|".join(str(document.get(name, "")) for name in names)


def value_of(document: Mapping[str, Any]) -> bytes:
    """Return the value of a record."""
    return orjson.dumps(document)


def refusals(
    topic: str, document: Mapping[str, Any], history: Iterable[Record], now_ms: int
) -> list[Refusal]:
    """Return why a worker would refuse a record that is sent now, after ``history``; nothing: it takes it.

    ``history``: the shop's settings and roster records, in the order in which they came.
    """
    registry = ShopRegistry()
    for record in history:
        registry.apply(record)
    left = copy.deepcopy(dict(document))
    found: list[Refusal] = []
    key = key_of(topic, document).encode(errors="replace")
    while len(found) < _MOST:
        letter = registry.apply(Record(topic, 0, 0, now_ms, key, value_of(left)))
        if letter is None:
            break
        refused = orjson.loads(letter.value)
        field = refused["field"] or ""
        message = refused["message"].removeprefix(f"`{field}`: ") if field else refused["message"]
        path = _INDEX.sub(r".\1", field)
        if any(path == one.path for one in found):
            break
        found.append(Refusal(path, refused["code"], message))
        if not path or not _without(left, path):
            break
    return found


def _without(document: dict[str, Any], path: str) -> bool:
    """Take a refused field out of a document, or its object where it is not there; False: there is none."""
    parts = path.split(".")
    for length in range(len(parts), 0, -1):
        owner: Any = document
        for part in parts[: length - 1]:
            owner = _part(owner, part)
        last = parts[length - 1]
        if not isinstance(owner, dict):
            continue
        if last in _STANDING_IN:
            owner[last] = _STANDING_IN[last]
            return True
        if last in owner:
            del owner[last]
            # An object of which nothing is left was not to be given.
            return bool(owner) or length == 1 or _without(document, ".".join(parts[: length - 1]))
    return False


def _part(owner: Any, part: str) -> Any:
    if isinstance(owner, dict):
        return owner.get(part)
    if isinstance(owner, list) and part.isdigit() and int(part) < len(owner):
        return owner[int(part)]
    return None
