"""Orders whose id a spreadsheet has changed: leading zeros gone, or all 0 beyond the 15th digit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable

from stream_attr.sheets.ids import DIGITS_KEPT

__all__ = ["pairs_of"]


def pairs_of(theirs: Iterable[str], ours: Iterable[str]) -> dict[str, str]:
    """Return by an id that is only in a sheet the one of the ledger that it was.

    A pair is certain: both ids have digits alone, no other id that is only in the sheet could be it, nor any
    other that is only in the ledger.
    """
    there, here = _by_form(theirs, _forms_there), _by_form(ours, _forms_here)
    pairs: dict[str, str] = {}
    for form, some in there.items():
        own = here.get(form, set())
        if len(some) == len(own) == 1:
            pairs[next(iter(some))] = next(iter(own))
    return pairs if len(set(pairs.values())) == len(pairs) else {}


_Form = tuple[str, int]
"""Digits that are left, and how many there were; 0: it is not known."""


def _by_form(ids: Iterable[str], forms: Callable[[str], list[_Form]]) -> dict[_Form, set[str]]:
    found: dict[_Form, set[str]] = defaultdict(set)
    for one in ids:
        if one.isascii() and one.isdecimal():
            for form in forms(one):
                found[form].add(one)
    return found


def _forms_there(one: str) -> list[_Form]:
    """Return what an id that a spreadsheet may have written can have been."""
    if not one.startswith("0") and len(one) <= DIGITS_KEPT:
        return [(one, 0)]
    if len(one) > DIGITS_KEPT and not one[DIGITS_KEPT:].strip("0"):
        return [(one[:DIGITS_KEPT], len(one))]
    return []


def _forms_here(one: str) -> list[_Form]:
    """Return what a spreadsheet would make of an id."""
    if one.startswith("0"):
        return [(one.lstrip("0"), 0)]
    if len(one) > DIGITS_KEPT and one[DIGITS_KEPT:].strip("0"):
        return [(one[:DIGITS_KEPT], len(one))]
    return []
