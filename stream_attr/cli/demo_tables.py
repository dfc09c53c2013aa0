"""The table at the end of the demo: each agent's first day."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from rich import box
from rich.table import Table

from stream_attr.codec.money import format_money
from stream_attr.rules.reports.contribution import TOTAL

__all__ = ["day_table"]

NARROW = 80
"""Terminals with fewer columns get a table without space between its columns."""
AgentLabel = Callable[[str], str]


def day_table(day: str, records: Mapping[str, Mapping[str, Any]], label: AgentLabel, width: int) -> Table:
    """The figures of a day, by agent; the shop's as the last row."""
    columns = (
        "agent\n客服",
        "chats\n接待",
        "reply\n首响",
        "asked\n询单",
        "ordered\n下单",
        "paid\n付款",
        "lost\n流失",
        "sales\n销售额",
    )
    table = _table(f"Agents on {day} 客服日报, CNY", columns, width)
    for agent_id, record in sorted(records.items(), key=lambda one: (one[0] == TOTAL, one[0])):
        workload, inquiries, payments = (record[group] for group in ("workload", "inquiries", "payments"))
        reply = workload["first_response_ms"]
        if agent_id == TOTAL:
            table.add_section()
        table.add_row(
            "shop 店铺" if agent_id == TOTAL else label(agent_id),
            str(workload["receptions"]),
            "" if reply is None else f"{reply / 1000:.0f} s",
            str(inquiries["inquiries"]),
            str(inquiries["ordered"]),
            str(payments["paid"]),
            str(inquiries["lost"]),
            _number(record["sales"]["amount"], "CNY"),
        )
    return table


def _number(amount: int, currency: str) -> str:
    """An amount without its currency, which the title names."""
    return format_money(amount, currency).removesuffix(f" {currency}")


def _table(title: str, columns: Collection[str], width: int) -> Table:
    """An empty table, the first column to the left; in a narrow terminal text is folded, never cut."""
    narrow = width < NARROW
    table = Table(
        title=title,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 0) if narrow else (0, 1),
        show_edge=not narrow,
    )
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", overflow="fold")
    return table
