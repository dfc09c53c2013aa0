"""The tables at the end of the demo: sales per agent, and each agent's first day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from typing import Any

from rich import box
from rich.table import Table

from stream_attr.codec.money import format_money
from stream_attr.rules.reports.contribution import TOTAL

__all__ = ["day_table", "sales_table"]

NARROW = 80
"""Terminals with fewer columns get tables without space between their columns."""
AgentLabel = Callable[[str], str]


def sales_table(decisions: Collection[Mapping[str, Any]], label: AgentLabel, width: int) -> Table:
    """Credited orders, sales and assists per agent and in total. ``width``: columns of the terminal."""
    columns = (
        "agent\n客服",
        "orders\n订单",
        "sales\n销售额",
        "pending\n待定",
        "final\n已定",
        "assists\n协助",
    )
    orders: Counter[str] = Counter()
    sales: Counter[str] = Counter()
    pending: Counter[str] = Counter()
    assists: Counter[str] = Counter()
    currency = "CNY"
    for decision in decisions:
        assists.update({one["agent_id"] for one in decision["assists"]})
        if decision["credit"]:
            agent, currency = decision["credit"]["agent_id"], decision["currency"]
            orders[agent] += 1
            sales[agent] += decision["net_amount"]
            pending[agent] += decision["status"] == "pending"

    def row(first: str, *numbers: int) -> tuple[str, ...]:
        ordered, sold, open_, assisted = numbers
        return first, str(ordered), _number(sold, currency), str(open_), str(ordered - open_), str(assisted)

    table = _table(f"Sales per agent 业绩归属, {currency}", columns, width)
    for agent in sorted({*orders, *assists}):
        table.add_row(*row(label(agent), orders[agent], sales[agent], pending[agent], assists[agent]))
    totals = (orders.total(), sales.total(), pending.total(), assists.total())
    table.add_section()
    table.add_row(*row("total 合计", *totals))
    return table


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
