"""Reports of what an account may see."""

from __future__ import annotations

import importlib
from typing import Any

from stream_attr.console.visit import Visit, not_found
from stream_attr.ledger.periods import Period
from stream_attr.ledger.reports.report import Report
from stream_attr.ledger.reports.scope import Options

__all__ = ["made"]


def made(visit: Visit, name: str, shop_id: str, period: Period, **others: Any) -> Report:
    """Make a report of what the account may see. Raises UnusableError as the report does."""
    own, asked = visit.agents(shop_id), others.get("agents", ())
    if own is not None and (
        any(one not in own for one in asked) or others.get("groups") or others.get("persons")
    ):
        raise not_found()
    report = importlib.import_module(f"stream_attr.ledger.reports.{name}").report
    result: Report = report(visit.connection, Options((shop_id,), period, ids=own, **others))
    return result
