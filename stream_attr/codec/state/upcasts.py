"""A buyer's state of an older version, in the layout of the next one."""

from __future__ import annotations

from typing import Any, Final

import msgspec

_ORDERS: Final = 6
"""Position in version 1, as those of an order below."""
_CANCELLED_TS: Final = 3
_REFUNDS: Final = 4


def to_version_2(data: bytes) -> bytes:
    """Return state of version 1 as one of version 2.

    Version 1 has the time alone of a cancellation, and no event ids of refunds.
    """
    state: list[Any] = msgspec.msgpack.decode(data)
    state[0] = 2
    for order in state[_ORDERS]:
        cancelled_ts = order[_CANCELLED_TS]
        order[_CANCELLED_TS] = None if cancelled_ts is None else (cancelled_ts, "", None)
        order[_REFUNDS] = [(ts, "", amount, completed) for ts, amount, completed in order[_REFUNDS]]
    return msgspec.msgpack.encode(state)
