"""Records judged in memory, and a ledger filled from what came out."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from stream_attr.contract.topics import OUTPUTS, ROSTER, RULINGS, SETTINGS
from stream_attr.ledger.database.connect import Database
from stream_attr.ledger.roll_up.kept import RollUp
from stream_attr.ledger.sink.folder import Files, fill
from stream_attr.testing import Driver

Record = dict[str, Any]


def fill_with(
    database: Database,
    folder: Path,
    driver: Driver,
    *,
    settings: Iterable[Record] = (),
    roster: Iterable[Record] = (),
    rulings: Iterable[Record] = (),
) -> None:
    """Write what a driver has emitted as ``replay`` does, and fill an empty ledger from it."""
    emitted: dict[str, list[Record]] = {topic: [] for topic in OUTPUTS}
    for one in driver.emitted:
        emitted[one.topic].append(one.value)
    given = {SETTINGS: settings, ROSTER: roster, RULINGS: rulings}
    for topic, records in {**emitted, **given}.items():
        text = "".join(f"{json.dumps(record)}\n" for record in records)
        (folder / f"{topic}.jsonl").write_text(text, encoding="utf-8")
    inputs = {topic: (str(folder / f"{topic}.jsonl"),) for topic in given}
    with database.connection(autocommit=True) as connection:
        fill(connection, Files(folder, inputs), rebuild=True)
        RollUp().make(connection, last_day=True)
