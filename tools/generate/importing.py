"""The generated tables of ``docs/guides/import.md``: what a column of chats and of orders can say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from stream_attr.importing.fields import FIELDS, Of

Table = Callable[[Sequence[str], Iterable[Sequence[str]]], str]


def tables(table: Table) -> dict[str, Callable[[bool], str]]:
    """Return the tables by the names of their markers; ``table``: makes one of its head and rows."""
    return {f"import-{of}": partial(_fields, of, table) for of in FIELDS}


def _fields(of: Of, table: Table, in_chinese: bool) -> str:
    return table(
        ("字段", "种类", "含义") if in_chinese else ("field", "kind", "meaning"),
        [
            (
                f"`{name}`{' *' if one.needed else ''}",
                one.kind,
                one.chinese if in_chinese else one.meaning,
            )
            for name, one in FIELDS[of].items()
        ],
    )
