"""How anything of a buyer's day is told."""

from __future__ import annotations

from collections.abc import Sequence

from stream_attr.contract.records.reception_fact import ReceptionFact
from stream_attr.explain.day_messages import DAY_LANGUAGES
from stream_attr.explain.teller import Teller
from stream_attr.explain.view import Known
from stream_attr.rules.shop.days import day_number
from stream_attr.rules.vocabulary import PENDING

__all__ = ["DayTeller"]


class DayTeller(Teller):
    """Tells what is known of a buyer's day."""

    def __init__(self, known: Known, zone: str, language: str) -> None:
        super().__init__(DAY_LANGUAGES[language], zone)
        self._known = known
        self._records = known.records
        self._settings = None if known.shop is None else known.shop.settings_on(day_number(known.records.day))

    def _may_be_offline(self, fact: ReceptionFact) -> bool:
        """Whether it hangs on what the agent said to others."""
        if self._known.shop is not None:
            part = self._known.contributions.get(fact.agent_id)
            return part is not None and part.waits and part.closed_ts is None
        return fact.status == PENDING and fact.initiator == "buyer" and not fact.agent_messages

    def _list(self, some: Sequence[str]) -> str:
        return self._words["between"].join(some)

    def _clock(self, ts: int) -> str:
        """A time of the day that is told."""
        return self._when(ts).removeprefix(f"{self._records.day} ")
