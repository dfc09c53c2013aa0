"""Pay: runs, statements, schemes, persons, the simulator, and what a month pays so far (LEDGER 4 and 7)."""

from __future__ import annotations

from typing import Final

from stream_attr.console.screens.pay import persons, runs, schemes, simulator, statements
from stream_attr.console.screens.screen import Screen

__all__ = ["PAY_SCREENS"]

PAY_SCREENS: Final[tuple[Screen, ...]] = (
    runs.LIST,
    runs.RUN,
    statements.SCREEN,
    schemes.LIST,
    schemes.SCHEME,
    schemes.EDIT,
    persons.SCREEN,
    simulator.SIMULATOR,
    simulator.SO_FAR,
)
