"""Examples of ``agent-daily`` with every figure: a new one is put into all of them.

The other fields of an example are written by hand. A figure is new where ``final.pass.json`` lacks it, so an
example of a missing figure stays one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from stream_attr.codec.records.agent_daily import mean, rate
from stream_attr.contract.records.agent_daily import FIGURES, Mean, Sum, made

_FOLDER: Final = "schemas/examples/agent-daily"


def files(root: Path) -> Iterator[tuple[str, str]]:
    """Yield the path and the text of each example that lacks a new figure."""
    known = json.loads((root / _FOLDER / "final.pass.json").read_text(encoding="utf-8"))
    shop = json.loads((root / _FOLDER / "shop.pass.json").read_text(encoding="utf-8"))
    new = {
        group: [name for name in figures if name not in (known[group] or shop[group])]
        for group, figures in FIGURES.items()
    }
    if not any(new.values()):
        return
    for path in sorted((root / _FOLDER).glob("*.json")):
        example = json.loads(path.read_text(encoding="utf-8"))
        record = example["record"] if path.name.endswith(".fail.json") else example
        for group, names in new.items():
            if isinstance(record.get(group), dict):
                record[group] = _completed(record, group, names)
        text = json.dumps(example, ensure_ascii=False, indent=2)
        yield path.relative_to(root).as_posix(), f"{text}\n"


def _completed(record: dict[str, Any], group: str, names: list[str]) -> dict[str, Any]:
    figures = record[group] | {name: _value(record, group, name) for name in names}
    order = ["status", "final_from", *FIGURES[group]]
    return {name: figures[name] for name in (*order, *figures) if name in figures}


def _value(record: dict[str, Any], group: str, name: str) -> int | float | None:
    """Return 0, and of a rate or mean what the other figures make of it."""
    one = made(group, name)
    if isinstance(one, Sum):
        return 0
    sums = {
        made(other, figure).of: record[other][figure]  # type: ignore[union-attr]
        for other, figures in FIGURES.items()
        for figure in figures
        if isinstance(made(other, figure), Sum) and figure in (record.get(other) or {})
    }
    if isinstance(one, Mean):
        return mean(sums.get(one.total, 0), sums.get(one.number, 0))
    less = 0 if one.less is None else sums.get(one.less, 0)
    return rate(sums.get(one.part, 0) - less, sums.get(one.whole, 0))
