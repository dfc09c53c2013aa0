"""The input files of a replay, by kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stream_attr.contract.topics import CHAT, ORDERS, ROSTER, RULINGS, SETTINGS


@dataclass(frozen=True, slots=True)
class Inputs:
    """File names by kind; ``.gz`` is unpacked, ``-`` is standard input."""

    chat: Sequence[str] = ()
    orders: Sequence[str] = ()
    roster: Sequence[str] = ()
    settings: Sequence[str] = ()
    rulings: Sequence[str] = ()

    @property
    def names(self) -> dict[str, tuple[str, ...]]:
        """The file names by topic."""
        return {
            CHAT: tuple(self.chat),
            ORDERS: tuple(self.orders),
            ROSTER: tuple(self.roster),
            SETTINGS: tuple(self.settings),
            RULINGS: tuple(self.rulings),
        }
