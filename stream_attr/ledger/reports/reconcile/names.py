"""Agents as a platform's sheet names them: by account id, by name, or as ``main account:sub-account``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from stream_attr.ledger.reports.scope import Member

__all__ = ["AgentNames"]


class AgentNames:
    """Finds an agent of ours by what a sheet calls it."""

    def __init__(self, members: Iterable[Member]) -> None:
        self._ids: set[str] = set()
        self._names: dict[str, set[str]] = defaultdict(set)
        for one in members:
            self._ids.add(one.agent_id)
            if one.name:
                self._names[one.name].add(one.agent_id)

    def find(self, text: str) -> str | None:
        """Return the id of the agent; None: nobody, or several have that name.

        An id comes before a name, and the whole before what stands behind the last colon.
        """
        for one in _forms(text):
            if one in self._ids:
                return one
            named = self._names.get(one, set())
            if len(named) == 1:
                return next(iter(named))
        return None

    def is_of_several(self, text: str) -> bool:
        """Whether several agents have that name."""
        return any(len(self._names.get(one, ())) > 1 for one in _forms(text))


def _forms(text: str) -> tuple[str, str]:
    return text, text.replace("：", ":").rpartition(":")[2].strip()
