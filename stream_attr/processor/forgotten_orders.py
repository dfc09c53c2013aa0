"""Orders of a partition that are kept no longer, by their ids: what still comes of them is too late.

Without this an event of such an order would wait for a creation that came long ago.
"""

from __future__ import annotations

from typing import Final

from stream_attr.codec.internal.forgotten import decode_forgotten, encode_forgotten
from stream_attr.processor.ports import Store, after
from stream_attr.processor.timer_queue import Deadlines
from stream_attr.rules.buyer.retention import FORGOTTEN_KEPT_MS

FORGOTTEN_MARK: Final = b"\x06"
"""First byte of the keys of orders that are kept no longer."""
FORGOTTEN_DUE_MARK: Final = b"\x07"
"""First byte of the keys of when these go, too."""


class ForgottenOrders:
    """Remembers for 180 days which orders were dropped; reads through to the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._deadlines = Deadlines(store, 0, FORGOTTEN_DUE_MARK)
        self._changes: dict[bytes, bytes | None] = {}

    def restore(self, watermark: int) -> None:
        """Find out when what is stored is to go."""
        self._deadlines.forget_until(watermark)
        for key, data in self._store.items(FORGOTTEN_MARK, after(FORGOTTEN_MARK)):
            self._deadlines.set(key, decode_forgotten(data, key))

    def add(self, buyer_key: bytes, order_id: str, watermark: int) -> None:
        """Note that an order is dropped at a watermark."""
        key = _key(buyer_key, order_id)
        until = watermark + FORGOTTEN_KEPT_MS
        self._changes[key] = encode_forgotten(until)
        self._deadlines.set(key, until)

    def has(self, buyer_key: bytes, order_id: str) -> bool:
        """Whether an order was dropped not long ago."""
        return self._stored(_key(buyer_key, order_id)) is not None

    def advance(self, watermark: int) -> None:
        """Let go of those that were dropped 180 days before a watermark."""
        if watermark < self._deadlines.first:
            return
        for due, key in self._deadlines.take(watermark):
            data = self._stored(key)
            if data is not None and decode_forgotten(data, key) == due:  # not dropped once more since
                self._changes[key] = None

    def take_changes(self) -> dict[bytes, bytes | None]:
        """Return what has changed since the last time; None: delete it."""
        changes, self._changes = self._changes, {}
        return changes

    def _stored(self, key: bytes) -> bytes | None:
        return self._changes[key] if key in self._changes else self._store.get(key)


def _key(buyer_key: bytes, order_id: str) -> bytes:
    return FORGOTTEN_MARK + buyer_key + b"|" + order_id.encode()
