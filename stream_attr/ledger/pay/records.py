"""What a run keeps: what it was calculated from, and each person's statement.

Money is in minor units, days are ``YYYY-MM-DD``, months ``YYYY-MM``; see `stream_attr.pay.lines`.
"""

from __future__ import annotations

from fractions import Fraction

from msgspec import Struct

from stream_attr.ledger.reports.report import AsOf
from stream_attr.pay.lines import Statement
from stream_attr.pay.team import Order, Person, Team
from stream_attr.pay.true_ups import Change, TrueUp
from stream_attr.pay.warnings import Warned

__all__ = ["Basis", "Correction", "FinalOrder", "Kept", "Open", "Read", "Terms", "Values", "team_of"]

Values = dict[str, Fraction | None]
"""By key of a figure."""


class Terms(Struct, frozen=True):
    """What was agreed with a person for a month: as it was entered when the run was drafted."""

    person_id: str
    name: str | None
    employed_days: int
    probation_days: int
    past_scores: dict[str, tuple[Fraction | None, ...]]
    """By component of kind score: the points of the months before, the last month first."""
    targets: dict[str, int]
    """By key of a figure: the goals of the month, of all of the person's agents together."""


class FinalOrder(Struct, frozen=True):
    """An order whose decision was final, and which revision of it."""

    shop_id: str
    order_id: str
    revision: int
    paid_day: str
    amount: int
    credited: str | None
    """The person; None: nobody, or an agent who is no person."""
    placing: str | None
    payment: str | None
    is_ruled: bool
    refunds: tuple[tuple[str, int], ...]
    """Completed: the day and amount of each."""

    @property
    def order(self) -> Order:
        """As the calculator takes it."""
        return Order(
            self.shop_id,
            self.order_id,
            self.paid_day,
            self.amount,
            self.credited,
            self.placing,
            self.payment,
            self.is_ruled,
            self.refunds,
        )


class Open(Struct, frozen=True):
    """What a run does not take: it can still change, or nobody is paid for it."""

    orders: int
    """Paid in the month and pending."""
    amount: int
    until: int | None
    """By when all of them are final, epoch ms; None: there are none."""
    agent_days: int
    """Days of agents who are persons of the run, pending; 0 where the scheme pays by no figure of days."""
    unknown_agents: dict[str, int]
    """Final orders of the month credited to agents who are no person, by ``shop/agent``."""
    without_scheme: dict[str, int] = {}
    """Final orders of the month by persons whom no scheme pays, agents of the run's shops in it."""
    month_ends: int = 0
    """When the month has ended on all of the run's shops, epoch ms; 0: the run does not say."""
    known_until: int | None = None
    """The latest watermark of any partition, epoch ms; None: nothing has been read."""


class Read(Struct, frozen=True):
    """A month as the ledger has it."""

    figures: dict[str, Values]
    """By person."""
    shop_figures: Values
    """Those that no person has: of silent sales."""
    orders: tuple[FinalOrder, ...]
    open: Open


class Basis(Struct, frozen=True):
    """What a run was calculated from, and what else came out."""

    month: str
    terms: tuple[Terms, ...]
    read: Read
    as_of: AsOf
    """How far the ledger had read its topics."""
    closed: tuple[tuple[str, str], ...]
    """Closed runs of these persons, as scheme and month: what they paid is settled."""
    scores: dict[str, Values]
    """By person and component of kind score: the points."""
    unshared: dict[str, int]
    """By component of kind pool: the pot in which nobody has a share."""
    warnings: tuple[Warned, ...]

    @property
    def team(self) -> Team:
        """As the calculator takes it."""
        return team_of(self.month, self.terms, self.read)


def team_of(month: str, terms: tuple[Terms, ...], read: Read) -> Team:
    """Return a month as the calculator takes it."""
    return Team(
        month,
        tuple(
            Person(
                one.person_id,
                read.figures[one.person_id],
                one.employed_days,
                one.probation_days,
                one.past_scores,
            )
            for one in terms
        ),
        tuple(one.order for one in read.orders),
        read.shop_figures,
    )


class Correction(Struct, frozen=True):
    """What a closed month pays or takes back in this run, and why."""

    true_up: TrueUp
    changes: tuple[Change, ...]


class Kept(Struct, frozen=True):
    """A person's statement of a run."""

    statement: Statement
    corrections: tuple[Correction, ...]

    @property
    def true_up(self) -> int:
        """What earlier months pay or take back."""
        return sum(one.true_up.now for one in self.corrections)

    @property
    def total(self) -> int:
        """What is paid."""
        return self.statement.total + self.true_up
