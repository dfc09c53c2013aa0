"""From files to events in bounded memory: rows are read, orders put together, events sorted by time."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Final

import msgspec

from stream_attr.adapters.skips import Reason
from stream_attr.codec.encoding import encode_json
from stream_attr.contract.records.chat_event import ChatEvent
from stream_attr.contract.records.order_event import OrderEvent
from stream_attr.contract.topics import CHAT, ORDERS
from stream_attr.files.spill_store import SpillStore
from stream_attr.importing.chats import chat_event
from stream_attr.importing.orders import OrderRow, merged, order_events, order_row
from stream_attr.importing.reading import ImportOptions, Reader
from stream_attr.importing.refused import Account, RowError
from stream_attr.importing.source import Source
from stream_attr.importing.tables import NOT_READ
from stream_attr.sheets.book import SheetRow
from stream_attr.sheets.columns import Dropped
from stream_attr.sheets.places import Place

__all__ = ["TOPICS", "imported"]

TOPICS: Final = {"chats": CHAT, "orders": ORDERS}
"""By what a file holds, where its events belong."""
_BY_RANK: Final = (CHAT, ORDERS)
_ORDER, _EVENT, _END = b"o", b"p", b"q"
_PLACE: Final = struct.Struct(">IQ")
_TIME: Final = struct.Struct(">QB")
_BATCH: Final = 5000

_encode: Final = msgspec.msgpack.Encoder().encode
_order_row: Final = msgspec.msgpack.Decoder(OrderRow)


class _Buffer:
    """Writes to a store many at a time."""

    def __init__(self, store: SpillStore) -> None:
        self._store = store
        self._rows: dict[bytes, bytes | None] = {}

    def put(self, key: bytes, value: bytes) -> None:
        self._rows[key] = value
        if len(self._rows) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        self._store.apply(self._rows)
        self._rows = {}


def imported(
    sources: Sequence[Source],
    options: ImportOptions,
    account: Account,
    progress: Callable[[int], None] = lambda _rows: None,
) -> Iterator[tuple[str, bytes]]:
    """Yield the events of files as topic and JSON, by time; of one time chats before orders.

    The same files give the same events, byte for byte. Rows that cannot be used go to ``account``, which is
    complete at the end. ``progress``: takes the number of rows read so far.

    Raises:
        SheetError: a file is damaged, or a spreadsheet has eaten the digits of all ids of a column.
        UnusableError: times do not say their zone, and nothing else does.
    """
    with SpillStore() as store:
        buffer = _Buffer(store)
        for source in sources:
            _read(source, options, account, buffer, progress)
        buffer.flush()
        _put_orders_together(sources, store, account, buffer)
        buffer.flush()
        for topic, event in _by_time(sources, store, account):
            account.events[topic] += 1
            yield topic, event


def _read(
    source: Source, options: ImportOptions, account: Account, buffer: _Buffer, progress: Callable[[int], None]
) -> None:
    """Read the rows of a file: chats become events, what rows say of orders is kept for later."""
    reader = Reader(source, options)
    file = source.columns.sheet.file
    of_chats = source.map.of == "chats"
    dropped = account.dropped.setdefault(file, Dropped())
    for row in source.rows(dropped):
        account.rows += 1
        progress(account.rows)
        try:
            _check_read(source, row)
            if of_chats:
                event = chat_event(reader, row)
                buffer.put(_key(event, _PLACE.pack(source.number, row.number)), encode_json(event))
            else:
                _keep_order(reader, row, buffer)
        except RowError as error:
            account.refuse(file, source.columns.sheet.name, row.number, error, _cells(source, row, options))
    reader.check()


def _check_read(source: Source, row: SheetRow) -> None:
    """Raise for a line that is no JSON object."""
    if row.cells and all(cell.startswith(NOT_READ) for cell in row.cells):
        place = Place(source.columns.sheet.file, source.columns.sheet.name, row.number)
        raise RowError(Reason.NOT_JSON, f"{place}: {row.cells[0][1:]}")


def _keep_order(reader: Reader, row: SheetRow, buffer: _Buffer) -> None:
    """Keep what a row says; of one that cannot be used that its order cannot, then raise."""
    shop = reader.shop(row)
    order = reader.needed(reader.identifier(row, "order"), "order", row)
    source = reader.source
    key = _ORDER + f"{shop}\0{order}\0".encode() + _PLACE.pack(source.number, row.number)
    try:
        kept = order_row(reader, row, order, shop)
    except RowError as error:
        wrong = OrderRow(source.number, row.number, source.map.platform, shop, order, error.reason.value)
        buffer.put(key, _encode(wrong))
        raise
    buffer.put(key, _encode(kept))


def _cells(source: Source, row: SheetRow, options: ImportOptions) -> dict[str, str]:
    """Return the cells of a row that are read, by their heads: no names, addresses and telephone numbers.

    Without what people wrote, unless events carry that.
    """
    return {
        cell.place.column or field: cell.text
        for field in source.positions
        if (field != "text" or options.with_text)
        and (cell := source.cell(row, field)) is not None
        and cell.text
        and not cell.text.startswith(NOT_READ)
    }


def _key(event: ChatEvent | OrderEvent, place: bytes) -> bytes:
    """Return where an event is kept: by time, of one time chats first, then by id."""
    of_time = _TIME.pack(event.ts, _BY_RANK.index(ORDERS if isinstance(event, OrderEvent) else CHAT))
    return _EVENT + of_time + f"{event.shop_id}\0{event.event_id}\0".encode() + place


def _put_orders_together(
    sources: Sequence[Source], store: SpillStore, account: Account, buffer: _Buffer
) -> None:
    """Make the events of each order from all its rows."""
    of_orders = (_order_row.decode(value) for _, value in store.items(_ORDER, _EVENT))
    for _, group in groupby(of_orders, key=lambda row: (row.shop, row.order)):
        rows = list(group)
        usable = [msgspec.structs.replace(row) for row in rows if not row.wrong]
        try:
            _check_usable(sources, rows)
            kept, repeated = merged(rows)
            events, parts = order_events(kept)
        except RowError as error:
            for row in usable:
                sheet = sources[row.file].columns.sheet
                account.refuse(sheet.file, sheet.name, row.row, error)
            continue
        account.repeated += repeated
        account.skipped.update(parts)
        for event in events:
            buffer.put(_key(event, _PLACE.pack(kept[0].file, kept[0].row)), encode_json(event))


def _check_usable(sources: Sequence[Source], rows: Sequence[OrderRow]) -> None:
    """Have all rows of an order be usable: the sums of the others alone would be wrong."""
    wrong = next((row for row in rows if row.wrong), None)
    if wrong is not None:
        file = sources[wrong.file].columns.sheet.file
        why = f"order {wrong.order} has another row that cannot be used, row {wrong.row} of {file}"
        raise RowError(Reason(wrong.wrong), why)


def _by_time(sources: Sequence[Source], store: SpillStore, account: Account) -> Iterator[tuple[str, bytes]]:
    """Yield events by time, each once: of those with one id and time the first counts."""
    before, first = b"", b""
    for key, event in store.items(_EVENT, _END):
        same, place = key[: -_PLACE.size], key[-_PLACE.size :]
        if same != before:
            before, first = same, event
            yield _BY_RANK[_TIME.unpack_from(key, 1)[1]], event
        elif event == first:
            account.repeated += 1
        else:
            file, row = _PLACE.unpack(place)
            sheet = sources[file].columns.sheet
            why = "another row of the same time has the same id and says something else"
            error = RowError(Reason.BAD_VALUE, f"{Place(sheet.file, sheet.name, row)}: {why}")
            account.refuse(sheet.file, sheet.name, row, error)
