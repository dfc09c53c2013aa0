"""Schemes of the trade to begin with, out of the examples of the contract: changed before they are kept."""

from __future__ import annotations

from typing import Final, NamedTuple

from stream_attr.contract.registry import schemas
from stream_attr.ledger.texts import Text

__all__ = ["PRESETS", "Preset"]


class Preset(NamedTuple):
    """A scheme to begin with."""

    name: str
    title: Text
    about: Text

    @property
    def document(self) -> str:
        """Return it as JSON."""
        file = schemas() / "examples" / "pay-scheme" / f"preset-{self.name}.pass.json"
        return file.read_text(encoding="utf-8")


PRESETS: Final = {
    one.name: one
    for one in (
        Preset(
            "tiered-commission",
            Text("Base, tiered commission and bonus", "底薪 + 分段提成 + 绩效奖金"),
            Text(
                "For presale agents: sales count most, service by points, and a floor.",
                "适合售前：以销售额为主，服务按积分，并有保底。",
            ),
        ),
        Preset(
            "kpi-points",
            Text("KPI points", "KPI 积分"),
            Text(
                "Sales count little, service most: conversion, response, replies, satisfaction.",
                "轻销售额，重服务效果：转化、响应、回复、满意度。",
            ),
        ),
        Preset(
            "ranking",
            Text("Ranking with warnings", "排名奖，末位预警"),
            Text(
                "Prizes for the first; the last 15 % and who is twice under 70 points are reported to the "
                "manager, and nothing follows by itself.",
                "前几名有奖；末位 15% 与连续两月低于 70 分者告知主管，不会自动产生任何后果。",
            ),
        ),
        Preset(
            "double-allocation",
            Text("Double allocation", "双重分配"),
            Text(
                "Half of each order for the agent who led to it, half for who led to its payment; a silent "
                "order that an agent brought to payment counts for that agent.",
                "每单一半计给落实下单客服，一半计给落实付款客服；静默下单而由客服催付的订单计给催付客服。",
            ),
        ),
    )
}
"""By name."""
