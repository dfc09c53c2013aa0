"""Rows of orders, and the events that the rows of one order give together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from stream_attr.adapters.collector import Collector, Order, products
from stream_attr.adapters.connection import Connection
from stream_attr.adapters.skips import Reason, SkippedError
from stream_attr.contract.records.order_event import OrderEvent
from stream_attr.importing.column_map import NO_PLATFORM
from stream_attr.importing.reading import Reader
from stream_attr.importing.refused import RowError
from stream_attr.sheets.book import SheetRow
from stream_attr.sheets.statuses import State, state_of

__all__ = ["OrderRow", "Part", "merged", "order_events", "order_row"]


class OrderRow(msgspec.Struct, array_like=True):
    """What one row says of its order; None: nothing."""

    file: int
    """Number of the file."""
    row: int
    platform: str
    shop: str
    order: str
    wrong: str = ""
    """Why the row cannot be used, as a `Reason`; then no row of its order can."""
    line: str = ""
    refund_id: str = ""
    buyer: str | None = None
    created: int | None = None
    paid: int | None = None
    cancelled: int | None = None
    amount: int | None = None
    currency: str | None = None
    quantity: int | None = None
    product: str | None = None
    status: str | None = None
    refund: int | None = None
    refunded: int | None = None


Part = tuple[Reason, str]
"""A part of an order that gives no event: why, and what it is about."""


def order_row(reader: Reader, row: SheetRow, order: str, shop: str) -> OrderRow:
    """Return what a row says of an order. Raises RowError."""
    currency = reader.currency(row)
    amount, refund = reader.money(row, "amount", currency), reader.money(row, "refund", currency)
    source = reader.source
    return OrderRow(
        source.number,
        row.number,
        source.map.platform,
        shop,
        order,
        line=reader.identifier(row, "line") or "",
        refund_id=reader.identifier(row, "refund_id") or "",
        buyer=reader.identifier(row, "buyer"),
        created=reader.time(row, "created"),
        paid=reader.time(row, "paid"),
        cancelled=reader.time(row, "cancelled"),
        amount=amount,
        currency=None if amount is None and refund is None else currency,
        quantity=reader.count(row, "quantity"),
        product=reader.identifier(row, "product"),
        status=reader.text(row, "status"),
        refund=refund or None,
        refunded=reader.time(row, "refunded"),
    )


_KEY: Final = ("file", "row", "platform", "shop", "order", "wrong", "line", "refund_id")
_FACTS: Final = tuple(name for name in OrderRow.__struct_fields__ if name not in _KEY)


def merged(rows: Iterable[OrderRow]) -> tuple[list[OrderRow], int]:
    """Return the rows of one order, one for each sub-order and refund, and how many added nothing.

    Rows of later files complete and correct those of earlier ones. Raises RowError where two rows of one file
    say that they are the same, and differ.
    """
    found: dict[tuple[str, str], OrderRow] = {}
    repeated = 0
    for row in rows:
        known = found.setdefault((row.line, row.refund_id), row)
        if known is row:
            continue
        is_same = _facts(known) == _facts(row)
        repeated += is_same
        if known.file == row.file and not is_same:
            raise RowError(
                Reason.BAD_VALUE,
                f"order {row.order} is in rows {known.row} and {row.row}, which differ: an order has one "
                "row, or several with ids of their own in the columns line or refund_id",
            )
        for name in _FACTS:
            if (value := getattr(row, name)) is not None:
                setattr(known, name, value)
        known.file, known.row = row.file, row.row
    return list(found.values()), repeated


def _facts(row: OrderRow) -> list[Any]:
    return [getattr(row, name) for name in _FACTS]


def order_events(rows: Sequence[OrderRow]) -> tuple[list[OrderEvent], list[Part]]:
    """Return the events of an order's merged rows, and the parts of it that give none.

    Raises RowError where the order as a whole gives none.
    """
    facts = _order(rows)
    out, parts = Collector(Connection(shop_id=facts.shop_id)), list[Part]()
    statuses = [state_of(row.status) for row in rows if row.status is not None]
    amounts = [row.amount for row in rows if row.amount is not None]
    paid = [row for row in rows if row.paid is not None and not _is_unpaid(row)]
    try:
        if facts.created_ts is not None:
            if not amounts:
                raise _lacks(facts, "amount")
            out.order(facts, "created", facts.created_ts, sum(amounts))
        if paid:
            if facts.created_ts is None:
                raise _lacks(facts, "created")
            ts = min(row.paid for row in paid if row.paid is not None)
            if ts < facts.created_ts:
                raise RowError(Reason.BAD_TIME, f"order {facts.order_id} is paid before it is created")
            of_paid = [row.amount for row in paid if row.amount is not None]
            out.order(facts, "paid", ts, sum(of_paid or amounts))
        elif any(row.paid is not None for row in rows):
            parts.append((Reason.NOT_YET, "paid, but unpaid by its status"))
        elif State.PAID in statuses:
            parts.append((Reason.NO_TIME, "paid"))
        _cancelled(facts, rows, statuses, out, parts)
        for row in rows:
            _refund(facts, row, out, parts)
    except SkippedError as error:
        why = f"order {facts.order_id}: {error.skip.about} cannot be used"
        raise RowError(error.skip.reason, why) from error
    adapted = out.done()
    events = [event for event in adapted.events if isinstance(event, OrderEvent)]
    if not events:
        if parts:
            raise RowError(parts[0][0], f"order {facts.order_id} gives no event: {parts[0][1]}")
        raise _lacks(facts, "created")
    return events, parts


def _order(rows: Sequence[OrderRow]) -> Order:
    """Return what the events of an order share."""
    first = rows[0]
    buyers = {row.buyer for row in rows if row.buyer is not None}
    currencies = {row.currency for row in rows if row.currency is not None}
    if len(buyers) > 1:
        raise RowError(
            Reason.BAD_VALUE, f"order {first.order} has several buyers, {', '.join(sorted(buyers))}"
        )
    if len(currencies) > 1:
        raise RowError(Reason.BAD_VALUE, f"order {first.order} has several currencies")
    if not buyers:
        raise RowError(
            Reason.NO_BUYER,
            f"order {first.order}: no row says whose it is: name the column of buyer, or give a second file "
            "with order and buyer",
        )
    (buyer,) = buyers
    created = min((row.created for row in rows if row.created is not None), default=None)
    return Order(
        next((row.platform for row in rows if row.platform != NO_PLATFORM), NO_PLATFORM),
        first.shop,
        buyer,
        first.order,
        currencies.pop() if currencies else "CNY",
        created,
        sum(row.quantity or 0 for row in rows) or None,
        products(row.product for row in rows),
    )


def _is_unpaid(row: OrderRow) -> bool:
    return row.status is not None and state_of(row.status) is State.UNPAID


def _lacks(facts: Order, field: str) -> RowError:
    return RowError(Reason.MISSING_FIELD, f"order {facts.order_id}: no row says its {field}")


def _cancelled(
    facts: Order,
    rows: Sequence[OrderRow],
    statuses: Sequence[State | None],
    out: Collector,
    parts: list[Part],
) -> None:
    """Add that an order was called off, unpaid and as a whole."""
    if any(row.paid is not None for row in rows):
        return
    times = [row.cancelled for row in rows if row.cancelled is not None]
    if times:
        out.order(facts, "cancelled", max(times))
    elif statuses and all(state is State.CLOSED for state in statuses):
        parts.append((Reason.NO_TIME, "cancelled"))


def _refund(facts: Order, row: OrderRow, out: Collector, parts: list[Part]) -> None:
    """Add what was paid back by a row; one without an id of its own is identified by its sub-order."""
    if row.refund is None:
        return
    if row.refunded is None:
        parts.append((Reason.NO_TIME, "refund"))
        return
    refund_id = row.refund_id or row.line or None
    out.order(facts, "refund_completed", row.refunded, row.refund, refund_id=refund_id)
