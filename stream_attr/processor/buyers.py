"""The buyers of a partition: decoded while they are busy, bytes in the store while they are not."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Final

from stream_attr.codec.state.buyer import decode_buyer, decode_owner, encode_buyer, encode_owner, read_header
from stream_attr.codec.state.layout import Header
from stream_attr.processor.ports import Store, after
from stream_attr.processor.shops import ShopRegistry
from stream_attr.rules.buyer.buyer import Buyer

ORDER_MARK: Final = b"\x01"
"""First byte of the keys that lead from an order to its buyer."""
FIRST_OF_BUYERS: Final = b" "
"""No buyer key begins with a control character, and all others do."""


LOOKED_AFTER: Final = 200
"""So many buyers decoded or changed, and it is time to see whether too many are kept."""


class Buyers:
    """Reads through to the store, and collects what has changed since it was last taken.

    The buyers that were last used are kept decoded, as many as weigh no more than ``cached``, and the last
    one whatever it weighs: it may be the one that all records are of. Without
    ``commits``, a change is returned when its buyer leaves the cache. Finish with a loaded buyer before
    loading another one.
    """

    def __init__(self, registry: ShopRegistry, store: Store, cached: int, *, commits: bool = True) -> None:
        self._registry = registry
        self._store = store
        self._commits = commits
        self.cached = cached
        """How much those that are kept decoded may weigh."""
        self._decoded: OrderedDict[bytes, Buyer] = OrderedDict()
        """The last used at the end."""
        self._weights: dict[bytes, int] = {}
        """Of the decoded, but for those used since they were weighed."""
        self._weight = 0
        self._used: set[bytes] = set()
        """Not weighed since they were decoded or changed."""
        self._changed: dict[bytes, None] = {}
        self._changes: dict[bytes, bytes | None] = {}
        self._new: set[bytes] = set()
        """Decoded ones of whom nothing is known yet."""
        self.count = 0
        """Buyers of whom something is known."""

    def restore(self) -> Iterator[tuple[bytes, Header]]:
        """Yield the stored buyers, of whom nothing has been loaded yet."""
        for key, data in self._store.items(FIRST_OF_BUYERS):
            self.count += 1
            yield key, read_header(data, key)

    def load(self, key: bytes) -> Buyer:
        """Return a buyer, new if nothing is known."""
        buyer = self._decoded.get(key)
        if buyer is None:
            if len(self._used) >= LOOKED_AFTER:
                self._shrink()
            buyer = self._decoded[key] = self._read(key)
            self._used.add(key)
        else:
            self._decoded.move_to_end(key)
        return buyer

    def _read(self, key: bytes) -> Buyer:
        shop_id, _, buyer_id = key.decode().partition("|")
        shop = self._registry.shop(shop_id)
        data = self._stored(key)
        if data is not None:
            return decode_buyer(data, shop, buyer_id)
        self._new.add(key)
        return Buyer(shop, buyer_id)

    def _stored(self, key: bytes) -> bytes | None:
        return self._changes[key] if key in self._changes else self._store.get(key)

    def due_of(self, key: bytes) -> int | None:
        """When a buyer is due; None where nothing is known of any."""
        buyer = self._decoded.get(key)
        if buyer is not None:
            return buyer.due
        data = self._stored(key)
        return None if data is None else read_header(data, key).due

    def pending_of(self, shop_id: str) -> list[bytes]:
        """Return the keys of a shop's buyers with pending decisions or reports, and maybe of others."""
        prefix = f"{shop_id}|".encode()
        found = {key for key in self._decoded if key.startswith(prefix) and key not in self._new}
        for key, data in self._store.items(prefix, after(prefix)):
            header = read_header(data, key)
            if header.pending > 0 or header.reports_due is not None:
                found.add(key)
        return sorted(found)

    def change(self, key: bytes) -> None:
        """Note that a loaded buyer has changed."""
        self._changed[key] = None
        self._used.add(key)
        if key in self._new:
            self._new.discard(key)
            self.count += 1

    def forget(self, key: bytes) -> None:
        """Delete a buyer of whom nothing is left."""
        self._decoded.pop(key, None)
        self._weight -= self._weights.pop(key, 0)
        self._used.discard(key)
        self._changed.pop(key, None)
        self._changes[key] = None
        if key in self._new:
            self._new.discard(key)
        else:
            self.count -= 1

    def remember_order(self, order_key: str, buyer: Buyer) -> None:
        """Store which buyer an order, ``shop_id|order_id``, belongs to."""
        if self._commits:
            self._changes[ORDER_MARK + order_key.encode()] = encode_owner(buyer.buyer_id)

    def forget_order(self, shop_id: str, order_id: str) -> None:
        """Delete the entry that leads from an order to its buyer."""
        if self._commits:
            self._changes[ORDER_MARK + f"{shop_id}|{order_id}".encode()] = None

    def of_order(self, shop_id: str, order_id: str) -> Buyer | None:
        """Return the buyer of an order that a decision was emitted of; it is not to be changed."""
        key = ORDER_MARK + f"{shop_id}|{order_id}".encode()
        owner = self._store.get(key)
        if owner is None:
            return None
        buyer = self.load(f"{shop_id}|{decode_owner(owner, key)}".encode())
        return buyer if order_id in buyer.orders else None

    def take_changes(self) -> dict[bytes, bytes | None]:
        """Return the new state of all that has changed since the last time; None: delete it."""
        if self._commits:
            for key in self._changed:
                self._changes[key] = encode_buyer(self._decoded[key])
            self._changed.clear()
        self._shrink()
        changes, self._changes = self._changes, {}
        return changes

    def _shrink(self) -> None:
        """Evict the least recently used, until the others weigh no more than they may, or one is left."""
        for key in self._used:
            weight = _weight(self._decoded[key])
            self._weight += weight - self._weights.get(key, 0)
            self._weights[key] = weight
        self._used.clear()
        while self._weight > self.cached and len(self._decoded) > 1:
            key, buyer = self._decoded.popitem(last=False)
            self._weight -= self._weights.pop(key)
            self._new.discard(key)
            if key in self._changed:
                self._changes[key] = encode_buyer(buyer)
                del self._changed[key]


def _weight(buyer: Buyer) -> int:
    """Return what a decoded buyer takes of memory, in messages: some half a kilobyte each."""
    return 8 + len(buyer.chat_ids) + 7 * len(buyer.orders)
