"""The buyers of a partition: decoded while they are busy, bytes in the store while they are not."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from stream_attr.codec.state import decode_buyer, encode_buyer, read_header
from stream_attr.core.buyer import Buyer
from stream_attr.processor.book import Book
from stream_attr.processor.records import Store

ORDER_MARK = b"\x01"
"""First byte of the keys that lead from an order to its buyer; no buyer key begins with it."""


class Buyers:
    """Reads through to the store, and collects what has changed since it was last taken.

    Between batches the ``cached`` buyers that were last used are kept decoded. Unless somebody ``commits``
    the changes, they are told when their buyer is no longer among these.
    """

    def __init__(self, book: Book, store: Store, cached: int, *, commits: bool = True) -> None:
        self._book = book
        self._store = store
        self._commits = commits
        self._cached = cached
        self._decoded: OrderedDict[bytes, Buyer] = OrderedDict()
        """The last used at the end."""
        self._changed: dict[bytes, None] = {}
        self._changes: dict[bytes, bytes | None] = {}

    def stored(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield the stored buyers, key and state."""
        return ((key, data) for key, data in self._store.items() if key[:1] != ORDER_MARK)

    def load(self, key: bytes) -> Buyer:
        """Return a buyer, new if nothing is known."""
        buyer = self._decoded.get(key)
        if buyer is None:
            buyer = self._decoded[key] = self._read(key)
        else:
            self._decoded.move_to_end(key)
        return buyer

    def _read(self, key: bytes) -> Buyer:
        shop_id, _, buyer_id = key.decode().partition("|")
        shop = self._book.shop(shop_id)
        data = self._store.get(key)
        return Buyer(shop, buyer_id) if data is None else decode_buyer(data, shop, buyer_id)

    def has_pending(self, key: bytes) -> bool:
        """Whether some official decision of a buyer is pending, as far as the store or the cache knows."""
        if key in self._decoded:
            return True
        data = self._store.get(key)
        return data is not None and read_header(data).pending > 0

    def change(self, key: bytes) -> None:
        """Note that a loaded buyer has changed."""
        self._changed[key] = None

    def forget(self, key: bytes) -> None:
        """Delete a buyer of whom nothing is left."""
        self._decoded.pop(key, None)
        self._changed.pop(key, None)
        self._changes[key] = None

    def remember_order(self, order_key: str, buyer: Buyer) -> None:
        """Let an order, ``shop_id|order_id``, lead to its buyer."""
        if self._commits:
            self._changes[ORDER_MARK + order_key.encode()] = buyer.buyer_id.encode()

    def forget_order(self, shop_id: str, order_id: str) -> None:
        """Let an order lead nowhere."""
        if self._commits:
            self._changes[ORDER_MARK + f"{shop_id}|{order_id}".encode()] = None

    def of_order(self, shop_id: str, order_id: str) -> Buyer | None:
        """Return the buyer of an order that a decision was emitted of; it is not to be changed."""
        buyer_id = self._store.get(ORDER_MARK + f"{shop_id}|{order_id}".encode())
        if buyer_id is None:
            return None
        buyer = self.load(f"{shop_id}|{buyer_id.decode()}".encode())
        return buyer if order_id in buyer.orders else None

    def take_changes(self) -> dict[bytes, bytes | None]:
        """Return the new state of all that has changed since the last time; None: delete it."""
        changes, self._changes = self._changes, {}
        if self._commits:
            for key in self._changed:
                changes[key] = encode_buyer(self._decoded[key])
            self._changed.clear()
        while len(self._decoded) > self._cached:
            key, buyer = self._decoded.popitem(last=False)
            if key in self._changed:
                changes[key] = encode_buyer(buyer)
                del self._changed[key]
        return changes
