"""Records as the files that are judged."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from stream_attr.files.inputs import Inputs
from stream_attr.lab.event_folder import STATE, State, file_of, folder_name

Json = dict[str, Any]

KINDS = ("chat", "orders", "roster", "settings", "rulings")


def written(folder: Path, **records: Sequence[Json]) -> Inputs:
    """Write records by kind, events by time; return the files."""
    names = {}
    for kind, some in records.items():
        assert kind in KINDS
        file = folder / f"{kind}.jsonl"
        file.write_text("".join(f"{json.dumps(one)}\n" for one in sorted(some, key=_time)))
        names[kind] = [str(file)]
    return Inputs(**names)


def _time(record: Json) -> int:
    ts: int = record.get("ts", 0)
    return ts


def stored(folder: Path, inputs: Inputs) -> Path:
    """Write what can be used of files into the layout of stored events; return the folder."""
    shops: dict[str, str] = {}
    for topic, names in inputs.names.items():
        for name in names:
            for line in Path(name).read_bytes().splitlines(keepends=True):
                try:
                    record = json.loads(line)
                    ts, shop_id = int(record.get("ts", 0)), record["shop_id"]
                except (ValueError, KeyError, AttributeError):
                    continue  # what a replay refuses
                own = shops.setdefault(shop_id, folder_name(shop_id))
                file = folder / file_of(own, topic, ts)
                file.parent.mkdir(parents=True, exist_ok=True)
                with file.open("ab") as out:
                    out.write(line)
    (folder / STATE).write_bytes(msgspec.json.encode(State(1, shops, {}, {})))
    return folder
