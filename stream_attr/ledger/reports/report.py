"""What a report is: columns, typed cells, totals, notes, and as of when it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from stream_attr.ledger.formulas import Kind
from stream_attr.ledger.texts import Text

__all__ = [
    "AsOf",
    "Cell",
    "Column",
    "InputAsOf",
    "Moment",
    "Money",
    "Note",
    "Number",
    "Report",
    "Row",
    "TopicAsOf",
]


class Money(NamedTuple):
    """An amount in minor units of a currency, an ISO 4217 code; None: of several, or unknown."""

    amount: int
    currency: str | None


class Moment(NamedTuple):
    """An instant in epoch milliseconds, and the IANA zone whose clocks show it."""

    ts: int
    zone: str


class Number(NamedTuple):
    """A number of another kind than those above it, in a column of `Kind.FIGURE`; amounts are ``Money``."""

    value: int | float
    kind: Kind


Cell = None | str | int | float | Money | Moment | Number | Text
"""A number is a count, a rate, or a duration in milliseconds; a ``Text`` is in the reader's language."""
Row = tuple[Cell, ...]


class Column(NamedTuple):
    """One column."""

    key: str
    name: Text
    kind: Kind = Kind.TEXT
    unit: Text | None = None


class Note(NamedTuple):
    """A sentence below the rows."""

    text: Text
    is_warning: bool = False
    """Whether the numbers must not be used as they stand."""


class TopicAsOf(NamedTuple):
    """How far the ledger had read a topic."""

    topic: str
    offsets: int
    """That were read, of all partitions together."""
    watermark: int | None
    """The latest of each partition's records, of these the earliest; None: none is known. A partition of the
    inputs at which no worker gets on does not hold it back."""
    known_ts: int | None
    """When the last record came."""


class InputAsOf(NamedTuple):
    """How far the workers had read a partition of an input topic, when that was last looked at."""

    topic: str
    partition: int
    offset: int
    """Of the next record."""
    seen_ts: int | None
    """The latest ``ts`` of its events; None: of none, or of rulings."""
    watermark: int | None
    """The partition's, which its topics share; None: there is none yet."""


BEHIND_MS: Final = 10 * 60_000
"""A partition of the inputs whose watermark is so much behind another one's is named."""


class AsOf(NamedTuple):
    """What a report could know."""

    topics: tuple[TopicAsOf, ...]
    zone: str
    """Whose clocks show its times."""
    inputs: tuple[InputAsOf, ...] = ()
    """By partition, then topic; none: the ledger was filled from files, or no worker has run."""

    @property
    def furthest(self) -> InputAsOf | None:
        """Return a partition of the inputs that has come furthest."""
        known = [one for one in self.inputs if one.watermark is not None]
        return max(known, key=lambda one: one.watermark or 0, default=None)

    @property
    def latest(self) -> int | None:
        """Return the latest watermark of a topic or of a partition of the inputs: how far time has come.

        None: there is none yet.
        """
        known = [one.watermark for one in self.topics] + [one.watermark for one in self.inputs]
        return max((one for one in known if one is not None), default=None)

    @property
    def slowest(self) -> InputAsOf | None:
        """Return the partition of the inputs that has come least far."""
        return min(self.inputs, key=lambda one: (one.watermark or 0, one.partition), default=None)

    @property
    def behind(self) -> list[InputAsOf]:
        """Return what is behind, of the partitions that are: by partition, then topic."""
        furthest = self.furthest
        last = 0 if furthest is None else furthest.watermark or 0
        return [one for one in self.inputs if (one.watermark or 0) <= last - BEHIND_MS]


@dataclass(frozen=True, slots=True)
class Report:
    """A report. Its rows can be read once, in the transaction in which it was made."""

    name: str
    title: Text
    columns: Sequence[Column]
    rows: Iterable[Row]
    as_of: AsOf
    totals: Sequence[Row] = ()
    """Sums below the rows, of the same columns."""
    notes: Sequence[Note] = ()
    filters: Sequence[tuple[Text, str | Text]] = field(default=())
    """What it was asked for: shop, period and so on."""

    def asked(self, language: str) -> dict[str, str]:
        """Return by name what it was asked for."""
        return {
            name.of(language): one.of(language) if isinstance(one, Text) else one
            for name, one in self.filters
        }
