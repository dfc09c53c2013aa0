"""The menu: screens in groups, of which the group of the page that is looked at is open."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from stream_attr.ledger.texts import Text

__all__ = ["GROUPS", "Entry", "Group", "menu_of"]

GROUPS: Final = (
    (Text("Today", "今日"), ("/today",)),
    (Text("Performance", "绩效"), ("/team", "/agent", "/orders", "/sales", "/pending", "/goals")),
    (Text("Analysis", "分析"), ("/losses", "/receptions", "/pressure", "/review", "/signals")),
    (Text("Data", "数据"), ("/quality", "/reconcile")),
    (Text("Rules", "规则"), ("/rules", "/lab", "/compare")),
    (Text("Appeals", "申诉"), ("/appeals",)),
    (Text("Pay", "薪酬"), ("/pay",)),
    (Text("Accounts", "账号"), ("/people", "/audit")),
)
"""By group the screens of the menu, in its order."""
_WITHIN: Final = {"/order": "/orders", "/buyer": "/orders", "/appeal": "/appeals"}
"""Pages that no menu leads to, and the screen that they belong to."""
_FEW: Final = 7
"""So many screens need no groups."""


class Entry(NamedTuple):
    """A screen in the menu."""

    path: str
    name: Text
    is_current: bool


class Group(NamedTuple):
    """Some screens under one name; the name leads to the first of them."""

    name: Text
    screens: Sequence[Entry]

    @property
    def path(self) -> str:
        """Return where the name leads."""
        return self.screens[0].path

    @property
    def is_current(self) -> bool:
        """Whether the page that is looked at is one of them."""
        return any(one.is_current for one in self.screens)


def menu_of(screens: Iterable[tuple[str, Text]], path: str) -> list[Group]:
    """Return the groups of the screens that an account may see, seen from the page at a path.

    A group of one screen has its name, and so has each screen where there are few.
    """
    belongs = _WITHIN.get(path, path)
    entries = {
        one: Entry(one, name, belongs == one or belongs.startswith(f"{one}/")) for one, name in screens
    }
    groups = [Group(name, [entries[one] for one in paths if one in entries]) for name, paths in GROUPS]
    groups = [one for one in groups if one.screens]
    if len(entries) <= _FEW:
        return [Group(entry.name, [entry]) for group in groups for entry in group.screens]
    return [one if len(one.screens) > 1 else Group(one.screens[0].name, one.screens) for one in groups]
