"""The facts of one order, in whatever sequence its events arrived (RULEBOOK 2)."""

from __future__ import annotations

from stream_attr.rules.buyer.emitted import Emitted, EmittedTask
from stream_attr.rules.order.decision import Judgement
from stream_attr.rules.order.facts import Horizon, Placed, Waiting
from stream_attr.rules.vocabulary import FINAL


class Order:
    """The facts of an order, and what was emitted of it last."""

    __slots__ = (
        "cancelled_ts",
        "created",
        "created_by_payment",
        "emitted",
        "event_ids",
        "horizon",
        "judged",
        "judged_version",
        "last_ts",
        "order_id",
        "paid",
        "refunds",
        "sealed",
        "size",
        "stale",
        "tasks",
        "waiting",
    )

    def __init__(self, order_id: str) -> None:
        self.order_id = order_id
        self.created: Placed | None = None
        self.paid: Placed | None = None
        self.created_by_payment: Placed | None = None
        """The first payment with a ``created_ts``: a creation once known stays known."""
        self.cancelled_ts: int | None = None
        self.refunds: list[tuple[int, int, bool]] = []
        """``ts``, amount, and whether it was completed or requested."""
        self.event_ids: list[str] = []
        self.waiting: list[Waiting] = []
        """The records themselves, while no creation is known."""
        self.size = 0
        """Estimated bytes of state, as counted for its buyer."""
        self.last_ts = 0
        """The latest ``ts`` of its events."""
        self.emitted: dict[str, Emitted] = {}
        """By profile."""
        self.tasks: dict[str, EmittedTask] = {}
        """By kind, as they were emitted last."""
        self.sealed = False
        """No acceptable chat can change it any more: ``judged`` is stored in place of the chat facts."""
        self.judged: dict[str, Judgement] = {}
        """By profile; derived from the facts, so not stored unless sealed."""
        self.judged_version = -1
        """The shop's version that ``judged`` was derived under."""
        self.stale = False
        """Whether facts that bear on ``judged`` were added since it was derived."""
        self.horizon: Horizon | None = None
        """Derived with ``judged``, and stored, so that an untouched order need not be judged."""

    @property
    def is_pending(self) -> bool:
        """Whether a decision on it, under any profile, can still change by itself."""
        return any(emitted.verdict.status != FINAL for emitted in self.emitted.values())

    @property
    def created_ts(self) -> int | None:
        """When the order was placed, or None while no creation is known; ``created`` beats ``created_ts``."""
        if self.created is not None:
            return self.created.ts
        return None if self.created_by_payment is None else self.created_by_payment.created_ts

    @property
    def paid_ts(self) -> int | None:
        """When it was paid."""
        return None if self.paid is None else self.paid.ts

    @property
    def refund_requested(self) -> int:
        """Minor units."""
        return sum([amount for _, amount, completed in self.refunds if not completed])

    @property
    def refund_completed(self) -> int:
        """Minor units."""
        return sum([amount for _, amount, completed in self.refunds if completed])

    @property
    def amount(self) -> int:
        """Minor units: those of ``paid``, else of ``created``."""
        source = self.paid or self.created
        return 0 if source is None else source.amount

    @property
    def quantity(self) -> int:
        """Items: those of ``paid``, else of ``created``, else 1."""
        for source in (self.paid, self.created):
            if source is not None and source.quantity is not None:
                return source.quantity
        return 1

    @property
    def currency(self) -> str:
        """ISO 4217: that of ``paid``, else of ``created``, else ``CNY``."""
        for source in (self.paid, self.created):
            if source is not None and source.currency is not None:
                return source.currency
        return "CNY"

    @property
    def product_ids(self) -> frozenset[str]:
        """Those of ``created`` and ``paid`` together."""
        return frozenset(
            product
            for source in (self.created, self.paid)
            if source is not None
            for product in source.product_ids
        )

    def instants(self) -> list[int]:
        """Return when it was placed, paid and refunded, as far as is known."""
        found = [ts for ts in (self.created_ts, self.paid_ts) if ts is not None]
        return found + [ts for ts, _, _ in self.refunds] if self.refunds else found

    def add_waiting(self, record: Waiting) -> None:
        """Keep a record until the creation comes."""
        self.waiting.append(record)

    def take_waiting(self) -> list[Waiting]:
        """Return the records that wait for the creation, and keep them no longer."""
        waiting, self.waiting = self.waiting, []
        return waiting

    def add_created(self, event: Placed) -> None:
        """Add a creation; the earliest counts."""
        if self.created is None or event[:2] < self.created[:2]:
            self.created = event
            self.stale = True

    def add_paid(self, event: Placed) -> None:
        """Add a payment; the earliest counts."""
        if self.paid is None or event[:2] < self.paid[:2]:
            self.paid = event
            self.stale = True
        known = self.created_by_payment
        if event.created_ts is not None and (known is None or event[:2] < known[:2]):
            self.created_by_payment = event
            self.stale = True

    def add_refund(self, ts: int, amount: int, *, completed: bool) -> None:
        """Add a refund, completed or requested; ``amount`` in minor units."""
        self.refunds.append((ts, amount, completed))

    def record_task(self, kind: str, emitted: EmittedTask) -> None:
        """Record the last revision emitted of a service task."""
        self.tasks[kind] = emitted

    def add_cancelled(self, ts: int) -> None:
        """Add a cancellation; the earliest counts."""
        if self.cancelled_ts is None or ts < self.cancelled_ts:
            self.cancelled_ts = ts
            self.stale = True
