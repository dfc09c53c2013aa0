"""The facts of one order, in whatever sequence its events arrived (RULEBOOK 2)."""

from __future__ import annotations

from typing import Final

from stream_attr.rules.buyer.emitted import Emitted, EmittedTask
from stream_attr.rules.order.decision import Judgement
from stream_attr.rules.order.facts import (
    Cancelled,
    Deposit,
    Exclusion,
    Horizon,
    Placed,
    RareFacts,
    Refund,
    Reviewed,
    Ruling,
    Waiting,
)
from stream_attr.rules.shop.days import HOUR_MS
from stream_attr.rules.vocabulary import FINAL

RULING_MARK: Final = "|"
"""Before the event ids of rulings, which are unique among rulings alone; no id has this character."""


class Order:
    """The facts of an order, and what was emitted of it last."""

    __slots__ = (
        "cancelled",
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
        "rare",
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
        """The first of the payments that count."""
        self.created_by_payment: Placed | None = None
        """The first payment with a ``created_ts``: a creation once known stays known."""
        self.cancelled: Cancelled | None = None
        self.refunds: list[Refund] = []
        """Those that count, in the order of their arrival."""
        self.rare: RareFacts | None = None
        """None: there are none."""
        self.event_ids: list[str] = []
        """Of rulings behind `RULING_MARK`."""
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
    def cancelled_ts(self) -> int | None:
        """When it was cancelled."""
        return None if self.cancelled is None else self.cancelled.ts

    @property
    def deposit(self) -> Deposit | None:
        """The deposit that was paid."""
        return None if self.rare is None else self.rare.deposit

    @property
    def excluded_ts(self) -> int | None:
        """When it was excluded; None: it was not, or is included again."""
        exclusion = None if self.rare is None else self.rare.exclusion
        return None if exclusion is None or not exclusion.excluded else exclusion.ts

    @property
    def is_excluded(self) -> bool:
        """Whether it counts in no figure, task or inquiry."""
        return self.rare is not None and self.rare.exclusion is not None and self.rare.exclusion.excluded

    @property
    def ruling(self) -> Ruling | None:
        """The last ruling; it may be one that withdraws those before it."""
        return None if self.rare is None else self.rare.ruling

    @property
    def ruling_in_force(self) -> Ruling | None:
        """The ruling that holds; None: there is none, or it was withdrawn."""
        ruling = self.ruling
        return None if ruling is None or ruling.withdrawn else ruling

    @property
    def payments(self) -> list[Placed]:
        """Those that count."""
        if self.rare is not None and self.rare.payments:
            return list(self.rare.payments.values())
        return [] if self.paid is None else [self.paid]

    @property
    def refund_requested(self) -> int:
        """Minor units."""
        return sum([refund.amount for refund in self.refunds if not refund.completed])

    @property
    def refund_completed(self) -> int:
        """Minor units."""
        return sum([refund.amount for refund in self.refunds if refund.completed])

    @property
    def amount(self) -> int:
        """Minor units: those of the payments together, else of ``created``."""
        if self.rare is not None and self.rare.payments:
            return sum([payment.amount for payment in self.rare.payments.values()])
        source = self.paid or self.created
        return 0 if source is None else source.amount

    @property
    def quantity(self) -> int:
        """Items: those of the first payment, else of ``created``, else 1."""
        for source in (self.paid, self.created):
            if source is not None and source.quantity is not None:
                return source.quantity
        return 1

    @property
    def currency(self) -> str:
        """ISO 4217: that of the first payment, else of ``created``, else ``CNY``."""
        for source in (self.paid, self.created):
            if source is not None and source.currency is not None:
                return source.currency
        return "CNY"

    @property
    def product_ids(self) -> frozenset[str]:
        """Those of ``created`` and of the payments together."""
        return frozenset(
            product
            for source in (self.created, *self.payments)
            if source is not None
            for product in source.product_ids
        )

    def deadline(self, created_ts: int, hours: int) -> int:
        """Return until when it can be paid; ``hours``: how long an order without a deposit can."""
        deposit = self.deposit
        if deposit is not None and deposit.balance_until is not None:
            return deposit.balance_until
        return created_ts + hours * HOUR_MS

    def instants(self) -> list[int]:
        """Return when it was placed, paid and refunded, as far as is known."""
        found = [ts for ts in (self.created_ts, self.paid_ts) if ts is not None]
        return found + [refund.ts for refund in self.refunds] if self.refunds else found

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
        """Add a payment; of those with one id, and of those without one, the earliest counts."""
        if self.paid is None:
            self.paid = event
            self.stale = True
        else:
            self._add_further_payment(event, self.paid)
        known = self.created_by_payment
        if event.created_ts is not None and (known is None or event[:2] < known[:2]):
            self.created_by_payment = event
            self.stale = True

    def _add_further_payment(self, event: Placed, first: Placed) -> None:
        payments = None if self.rare is None else self.rare.payments
        payments = payments or {first.payment_id or "": first}
        group = event.payment_id or ""
        known = payments.get(group)
        if known is not None:
            if (known.ts, known.amount) != (event.ts, event.amount):
                self._rare_facts().several_payments = True
            if known[:2] <= event[:2]:
                return
        payments[group] = event
        if len(payments) > 1:
            self._rare_facts().payments = payments
        if event[:2] < first[:2]:
            self.paid = event
        self.stale = True

    def add_deposit(self, event: Deposit) -> None:
        """Add a deposit; the earliest counts."""
        rare = self._rare_facts()
        if rare.deposit is None or event[:2] < rare.deposit[:2]:
            rare.deposit = event
            self.stale = True

    def add_refund(self, event: Refund) -> None:
        """Add a refund; of those with one id the earliest counts, unless it is a request that was closed."""
        if event.refund_id is not None:
            if self.rare is not None and not event.completed and event.refund_id in self.rare.closed_refunds:
                return
            known = self.refund_like(event.refund_id, completed=event.completed)
            if known is not None:
                if known[:2] <= event[:2]:
                    return
                self.refunds.remove(known)
        self.refunds.append(event)

    def refund_like(self, refund_id: str, *, completed: bool) -> Refund | None:
        """Return the refund that counts with an id, completed or requested."""
        for refund in self.refunds:
            if refund.refund_id == refund_id and refund.completed == completed:
                return refund
        return None

    def close_refund(self, refund_id: str) -> None:
        """Take back the request of a refund, whichever comes first."""
        self._rare_facts().closed_refunds[refund_id] = None
        request = self.refund_like(refund_id, completed=False)
        if request is not None:
            self.refunds.remove(request)

    def add_exclusion(self, event: Exclusion) -> None:
        """Exclude the order, or include it again; the latest holds."""
        rare = self._rare_facts()
        if rare.exclusion is None or event[:2] > rare.exclusion[:2]:
            rare.exclusion = event
            self.stale = True

    def _rare_facts(self) -> RareFacts:
        if self.rare is None:
            self.rare = RareFacts()
        return self.rare

    def add_ruling(self, ruling: Ruling) -> None:
        """Add a ruling; the last counts."""
        rare = self._rare_facts()
        if rare.ruling is None or ruling[:2] > rare.ruling[:2]:
            rare.ruling = ruling

    def add_time(self, event_type: str, ts: int) -> None:
        """Add an event of which the time alone is kept."""
        self._rare_facts().times.setdefault(event_type, []).append(ts)

    def add_review(self, event: Reviewed) -> None:
        """Add a review."""
        self._rare_facts().reviews.append(event)

    def record_task(self, kind: str, emitted: EmittedTask) -> None:
        """Record the last revision emitted of a service task."""
        self.tasks[kind] = emitted

    def add_cancelled(self, event: Cancelled) -> None:
        """Add a cancellation; the earliest counts."""
        if self.cancelled is None or event[:2] < self.cancelled[:2]:
            self.cancelled = event
            self.stale = True
