"""What became of a shop's rules: each record with what it changed, field by field, and by whom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import orjson

from stream_attr.codec.records.shop_settings import decode_settings
from stream_attr.console.changes.drafts import Change, State
from stream_attr.console.changes.fields import FormField, fields_of, find, value_text
from stream_attr.contract.records import roster, shop_settings
from stream_attr.contract.topics import ROSTER, SETTINGS
from stream_attr.explain.shop_rules import values_by_name
from stream_attr.ledger.texts import Text
from stream_attr.processor.ports import Record
from stream_attr.rules.shop.settings import DEFAULT_SETTINGS

__all__ = ["FIELDS", "Difference", "Version", "differences", "held_on", "label_of", "shown_value", "versions"]

FIELDS: Final[Mapping[str, tuple[FormField, ...]]] = {
    SETTINGS: fields_of(shop_settings.SCHEMA),
    ROSTER: fields_of(roster.SCHEMA),
}
"""Of a form, by topic."""
_OF_RECORD: Final = ("shop_id", "agent_id", "effective_from")
"""What a record is about, which is no change."""
_ABSENT: Final = Text("–", "–")


class Difference(NamedTuple):
    """A field that is another than before."""

    path: str
    label: Text
    before: Text
    after: Text


class Version(NamedTuple):
    """A record as it stands on its topic."""

    partition: int
    offset: int
    document: Mapping[str, Any]
    changes: tuple[Difference, ...]
    """Against the record that held on its first day when it came."""
    refused: str | None
    """Why a worker refused it: it holds on no day."""
    by: Change | None
    """What it was published as; None: not on the console."""


def held_on(documents: Iterable[Mapping[str, Any]], day: str) -> Mapping[str, Any] | None:
    """Return the record that holds on a day, of those that came in this order; None: none yet."""
    found = None
    for document in documents:
        if document["effective_from"] <= day and (
            found is None or document["effective_from"] >= found["effective_from"]
        ):
            found = document
    return found


def differences(
    topic: str, before: Mapping[str, Any] | None, after: Mapping[str, Any]
) -> tuple[Difference, ...]:
    """Return which fields a record changes: of settings what holds, whether given, preset's or default."""
    values = _values if topic == SETTINGS else _plain
    old, new = ({} if before is None else values(before)), values(after)
    if topic == SETTINGS and before is None:
        old = values_by_name(DEFAULT_SETTINGS)
    paths = [*new, *(path for path in old if path not in new)]
    return tuple(
        Difference(path, label_of(topic, path), _shown(topic, path, old), _shown(topic, path, new))
        for path in paths
        if (path in old, old.get(path)) != (path in new, new.get(path))
    )


def _plain(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in _OF_RECORD}


def _values(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rules of a valid settings record by dotted names, those of its profiles too."""
    given = decode_settings(orjson.dumps(document))
    found = values_by_name(given.settings)
    found["tasks.duty"] = document.get("tasks", {}).get("duty", [])
    for name in ("timezone", "day_cut"):
        if name in document:
            found[name] = document[name]
    for name, settings in sorted(given.profiles.items()):
        rules = values_by_name(settings)
        found |= {
            f"profiles.{name}.{path}": one for path, one in rules.items() if not path.startswith("tasks.")
        }
    return found


def label_of(topic: str, path: str) -> Text:
    """Return the name of a field that a dotted path leads to, with what it is a part of."""
    way = list(find(FIELDS[topic], path))
    parts = [one.label for one in way]
    if path.startswith("profiles."):
        name = path.split(".")[1]
        parts.insert(1, Text(name, name))
    return Text(*(" › ".join(part.of(language) for part in parts) for language in ("en", "zh")))


def _shown(topic: str, path: str, values: Mapping[str, Any]) -> Text:
    return shown_value(topic, path, values[path]) if path in values else _ABSENT


def shown_value(topic: str, path: str, value: Any) -> Text:
    """Return the value of a field as people read it."""
    way = list(find(FIELDS[topic], path))
    return value_text(value, way[-1] if way else None)


def versions(
    topic: str, records: Sequence[Record], refused: Mapping[str, str], changes: Iterable[Change]
) -> Iterator[Version]:
    """Yield a shop's records of a topic, the newest first; ``refused``: of `refused_at`."""
    by = {
        (one.source_partition, one.source_offset): one
        for one in changes
        if one.state is State.PUBLISHED and one.topic == topic
    }
    accepted: dict[str | None, list[Mapping[str, Any]]] = {}
    """By agent; of settings all."""
    found = []
    for record in records:
        document = orjson.loads(record.value or b"")
        why = refused.get(f"partition {record.partition}, offset {record.offset}")
        same = accepted.setdefault(document.get("agent_id"), [])
        before = held_on(same, document["effective_from"])
        changed = () if why else differences(topic, before, document)
        place = record.partition, record.offset
        found.append(Version(*place, document, changed, why, by.get(place)))
        if why is None:
            same.append(document)
    yield from reversed(found)
