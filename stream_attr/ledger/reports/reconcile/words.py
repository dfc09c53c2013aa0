"""The words of a reconciliation: results and causes, in both languages."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from stream_attr.ledger.texts import Text

__all__ = ["CAUSES", "RESULTS", "Cause", "Finding", "Result"]


class Result(StrEnum):
    """What became of an order, or of a figure of an agent."""

    MATCHED = "matched"
    DIFFERS = "differs"
    ONLY_THERE = "only_there"
    ONLY_HERE = "only_here"


class Cause(StrEnum):
    """Why the sheet and the ledger differ, where the ledger's records say it."""

    DAY_CUT = "day_cut"
    WINDOW = "window"
    FILTER = "filter"
    RULE = "rule"
    ROLE = "role"
    REFUND_BASIS = "refund_basis"
    PENDING = "pending"
    SILENT = "silent"
    ID_LOST = "id_lost"
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"


RESULTS: Final = {
    Result.MATCHED: Text("matched", "一致"),
    Result.DIFFERS: Text("differs", "不一致"),
    Result.ONLY_THERE: Text("only there", "仅平台有"),
    Result.ONLY_HERE: Text("only here", "仅本系统有"),
}
CAUSES: Final = {
    Cause.DAY_CUT: Text("day cut", "日切"),
    Cause.WINDOW: Text("window", "询单有效时长"),
    Cause.FILTER: Text("filter", "接待过滤"),
    Cause.RULE: Text("rule", "判定规则"),
    Cause.ROLE: Text("role", "岗位"),
    Cause.REFUND_BASIS: Text("refund basis", "退款口径"),
    Cause.PENDING: Text("pending", "待定"),
    Cause.SILENT: Text("silent", "静默"),
    Cause.ID_LOST: Text("id lost by Excel", "Excel 丢失单号"),
    Cause.NOT_SENT: Text("not sent to us", "未推送到本系统"),
    Cause.UNKNOWN: Text("unknown", "未知"),
}


class Finding(NamedTuple):
    """A cause, and what it rests on."""

    cause: Cause
    detail: Text | None = None
