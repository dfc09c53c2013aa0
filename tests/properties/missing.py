"""What the processor does not do yet of the second edition of the rulebook, which the reference model has.

Whoever builds a part of it takes it out here, and has ``strategies`` draw it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from stream_attr.contract.topics import AGENT_DAILY, FACTS, INQUIRIES
from tests.reference import settings

Json = dict[str, Any]

OF_REPORTS = {
    FACTS: frozenset({"handed_over", "rating", "presence"}),
    INQUIRIES: frozenset(),
    AGENT_DAILY: frozenset({"ratings", "satisfied", "satisfaction"}),
}


@contextmanager
def left_out() -> Iterator[None]:
    """Have the model leave out what bears on events and settings that the first edition has too."""
    defaults = {**settings.DEFAULTS, "carried_questions": False}
    with patch.object(settings, "DEFAULTS", defaults):
        yield


def without(names: frozenset[str], record: Json) -> Json:
    """Return a record without fields, those of its parts too."""
    return {
        name: without(names, value) if isinstance(value, dict) else value
        for name, value in record.items()
        if name not in names
    }
