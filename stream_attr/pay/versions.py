"""Which version of a scheme holds."""

from __future__ import annotations

from collections.abc import Iterable

from stream_attr.contract.records.pay_scheme import PayScheme
from stream_attr.errors import UnusableError

__all__ = ["scheme_of"]


def scheme_of(month: str, scheme_id: str, versions: Iterable[PayScheme]) -> PayScheme:
    """Return the version of a scheme that a month ``YYYY-MM`` is paid by.

    The one of the latest ``effective_from`` that is not after the month; of those the greatest ``version``.

    Raises:
        UnusableError: there is none.
    """
    known = [one for one in versions if one.scheme_id == scheme_id]
    held = [one for one in known if one.effective_from <= f"{month}-01"]
    if held:
        return max(held, key=lambda one: (one.effective_from, one.version))
    if known:
        first = min(one.effective_from for one in known)
        raise UnusableError(f"scheme {scheme_id} holds from {first}, after {month}: name another")
    raise UnusableError(f"there is no scheme {scheme_id!r}; stream-attr pay scheme put keeps one")
