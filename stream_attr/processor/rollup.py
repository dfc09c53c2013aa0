"""The roll-up: figures of agents' and shops' days, and when agents last wrote, from the ``buyer-days`` of all
partitions.

Every buyer-day replaces the one before it, so a figure is the sum of the current ones, whatever was emitted
how often and in which order. Event time here is the smallest watermark of the partitions: once it reaches the
end of a day, no event that is on time is missing from it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final, NamedTuple

from sortedcontainers import SortedDict

from stream_attr.codec.internal.day_state import (
    DayState,
    decode_day,
    decode_watermarks,
    encode_day,
    encode_watermarks,
)
from stream_attr.codec.internal.records import (
    BuyerDay,
    Closing,
    PartitionWatermark,
    decode_buyer_day,
    encode_internal,
)
from stream_attr.codec.records.agent_daily import encode_agent_day
from stream_attr.codec.records.emission import digest_of, emission
from stream_attr.contract.topics import AGENT_DAILY, CLOSINGS
from stream_attr.processor.options import Options
from stream_attr.processor.ports import Output, Store, after
from stream_attr.processor.watermark import BEGINNING
from stream_attr.rules.buyer.emitted import LastEmitted
from stream_attr.rules.reports.buyer_contribution import shop_total
from stream_attr.rules.reports.contribution import NOTHING, TOTAL, Contribution
from stream_attr.rules.reports.day_totals import AgentDay
from stream_attr.rules.reports.deals import NOBODY
from stream_attr.rules.reports.reception_fact import NOBODY_SPOKE
from stream_attr.rules.shop.days import DAY_MS, END_OF_TIME, day_name, zone

DAY_MARK: Final = b"\x02"
"""First byte of the keys of days."""
CONTRIBUTION_MARK: Final = b"\x03"
"""First byte of the keys of what buyers add to them."""
WATERMARKS_KEY: Final = b"\x04passed"

EMIT_EVERY_MS: Final = 15 * 60_000
"""Figures that go on changing are emitted so often, in event time of the partition furthest behind."""
LIVE_DAYS: Final = 4
"""How long after its end a day's figures are kept in memory; they are final by then, but for what is late."""
FACTS_PER_CONTRIBUTION: Final = 30
"""What a buyer adds to a day, kept in memory, takes its place of so many facts (`Options.cached_facts`)."""
KEPT_MS: Final = 2 * DAY_MS
"""How much longer than chat a day is kept: no partition emits a day whose chat it has forgotten, and none is
behind the roll-up, which follows the slowest of them."""


class _Day:
    """The figures of one day of a shop; what each buyer adds to them is in the store."""

    __slots__ = ("agents", "dirty", "key", "last_ts", "state", "waiting")

    def __init__(self, state: DayState) -> None:
        self.state = state
        self.key = _day_key(state.shop_id, state.day)
        self.agents: dict[str, AgentDay] = {}
        self.dirty: dict[str, str] = {}
        """Whose figures have to be emitted, and the reason."""
        self.last_ts: dict[str, int] = {}
        """When each agent wrote last."""
        self.waiting: dict[str, dict[str, Waits]] = {}
        """By agent, the buyers whose facts depend on that."""

    @property
    def unanswered(self) -> bool:
        """Whether some buyer waits for a closing."""
        return any(figures.unanswered for figures in self.agents.values())


class Waits(NamedTuple):
    """A buyer who waits for a closing: when an agent wrote last."""

    partition: int
    """The buyer's."""
    closed_ts: int | None
    """The answer that the buyer has."""


class Rollup:
    """Rolls up the shops whose buyer-days come to this partition."""

    def __init__(self, store: Store, options: Options) -> None:
        self._store = store
        self._partitions = options.partitions
        self._kept_ms = options.retention.chat_ms + KEPT_MS
        self.remembered = options.cached_facts // FACTS_PER_CONTRIBUTION
        """What so many buyers add to a day is kept in memory."""
        self._watermarks: dict[int, int] = {}
        self._now = BEGINNING
        self._days: dict[bytes, _Day] = {}
        """By key, those whose figures are kept in memory."""
        self._contributions: dict[bytes, dict[str, Contribution]] = {}
        """By key, the last contributions of some: most change again soon. The store has all of them."""
        self._due: SortedDict = SortedDict()
        """Time to the keys of the days of which something is final then."""
        self._retiring: SortedDict = SortedDict()
        """Time to the keys of the days that are put away or forgotten then."""
        self._unsaved: set[bytes] = set()
        self._answered: set[bytes] = set()
        """Days of which buyers got closings since their figures were last emitted."""
        self._changes: dict[bytes, bytes | None] = {}
        self._contribution_changes: dict[bytes, dict[bytes, bytes | None]] = {}
        """By key of the day, what buyers add to it."""
        self._emitted_at = BEGINNING
        self._emitted_own = BEGINNING
        """When `emit_every` emitted last, by the watermark of this partition."""
        self._has_changed = False
        """Whether some figures may have changed since changed ones were emitted last."""
        self._ended = False
        """Nothing is kept for what comes late: nothing will."""

    def restore(self) -> None:
        """Start from what is stored of days."""
        passed = self._store.get(WATERMARKS_KEY)
        if passed is not None:
            self._watermarks = decode_watermarks(passed, WATERMARKS_KEY)
            self._now = self._least()
        for key, value in self._store.items(DAY_MARK, after(DAY_MARK)):
            state = decode_day(value, key)
            self._schedule(key, state)
            if _is_live(state):
                day = self._days[key] = _Day(state)
                self._add_up(day)
                day.dirty = dict.fromkeys(day.dirty, "timer")  # what was emitted already has an equal digest

    def take(self, value: bytes) -> list[Output]:
        """Process a record of ``buyer-days``; return what is emitted."""
        received = decode_buyer_day(value)
        outputs: list[Output] = []
        if isinstance(received, PartitionWatermark):
            if received.watermark > self._watermarks.get(received.partition, BEGINNING):
                self._watermarks[received.partition] = received.watermark
                self._changes[WATERMARKS_KEY] = encode_watermarks(self._watermarks)
                self._advance(self._least(), outputs)
            return outputs
        key = _day_key(received.shop_id, received.day)
        day = self._load(key, received)
        old = self._exchange(key, received, value)
        if received.ends != day.state.ends:
            self._follow(day, received)
        for agent_id in self._replace(day, received, old):
            self._close(day, agent_id, day.waiting.get(agent_id, {}), outputs)
        if self._now >= received.ends.workload:
            for agent_id, contribution in received.contributions.items():
                if contribution.waits and agent_id != TOTAL:
                    self._close(day, agent_id, (received.buyer_id,), outputs)
        self._unsaved.add(key)
        if _waiting(old) and not _waiting(received.contributions):
            self._answered.add(key)
        return outputs

    def _exchange(self, day_key: bytes, received: BuyerDay, value: bytes) -> dict[str, Contribution]:
        """Keep what a buyer adds to a day now; return what was kept before."""
        key = CONTRIBUTION_MARK + day_key[1:] + f"|{received.buyer_id}".encode()
        changes = self._contribution_changes.get(day_key)
        if changes is None:
            changes = self._contribution_changes[day_key] = {}
        old = self._contributions.pop(key, None)
        if old is None:
            stored = changes[key] if key in changes else self._store.get(key)
            old = {} if stored is None else _decode(stored, key).contributions
        changes[key] = value if received.contributions else None
        if received.contributions:
            self._contributions[key] = received.contributions
            while len(self._contributions) > self.remembered:
                del self._contributions[next(iter(self._contributions))]
        return old

    def flush(self) -> list[Output]:
        """Return figures that late events or closings have changed, at the end of a batch."""
        outputs: list[Output] = []
        for key in sorted(self._unsaved):
            day = self._days.get(key)
            if day is None or not day.dirty:
                continue
            waited_for = key in self._answered and not day.unanswered
            if waited_for or self._now >= day.state.ends.payments:
                self._emit(key, day, outputs)
                self._answered.discard(key)
        return outputs

    def emit_every(self, every_ms: int, watermark: int) -> list[Output]:
        """Return the figures that have changed, if they were last returned ``every_ms`` ago or longer.

        ``watermark``: of this partition, which has caught up. Another one may be far behind, or silent.
        """
        outputs: list[Output] = []
        if self._has_changed and watermark >= self._emitted_own + every_ms:
            self._emitted_own = watermark
            self._emit_changed(outputs)
        return outputs

    def take_changes(self) -> dict[bytes, bytes | None]:
        """Return what has changed of what is stored."""
        for key in self._unsaved:
            if key in self._days:
                self._changes[key] = encode_day(self._days[key].state)
        self._unsaved.clear()
        if self._ended and not any(day.unanswered for day in self._days.values()):
            self._forget_all()
        changes, self._changes = self._changes, {}
        for contributions in self._contribution_changes.values():
            changes |= contributions
        self._contribution_changes.clear()
        return changes

    def _forget_all(self) -> None:
        """Forget all: nothing can come any more."""
        for key in {*self._days, *[key for keys in self._retiring.values() for key in keys]}:
            self._forget(key)
        self._retiring.clear()
        self._changes[WATERMARKS_KEY] = None

    # Time

    def _least(self) -> int:
        if len(self._watermarks) < self._partitions:
            return BEGINNING
        return min(self._watermarks.values())

    def _advance(self, until: int, outputs: list[Output]) -> None:
        """Do what is due, each at its time; emit every so often what goes on changing."""
        self._ended = until == END_OF_TIME
        while self._due and self._due.peekitem(0)[0] <= until:
            at, keys = self._due.popitem(0)
            self._now = max(self._now, at)
            for key in sorted(keys):
                self._at(at, key, outputs)
        if not self._ended:
            self._now = max(self._now, until)
            self._retire()
        if self._now >= self._emitted_at + EMIT_EVERY_MS:
            self._emitted_at = self._now
            self._emit_changed(outputs)

    def _at(self, at: int, key: bytes, outputs: list[Output]) -> None:
        """Do what is due of a day."""
        day = self._days.get(key)
        if day is None:
            day = self._reload(key)
            if day is None:
                return
        ends = day.state.ends
        if at == ends.workload:
            for agent_id in sorted(day.waiting):
                self._close(day, agent_id, day.waiting[agent_id], outputs)
        for agent_id, figures in day.agents.items():
            if at in figures.final_at(ends).values():
                day.dirty.setdefault(agent_id, "timer")
        if day.dirty:
            self._emit(key, day, outputs)

    def _retire(self) -> None:
        """Put days away that are long over, and forget those of which nothing can come any more."""
        while self._retiring and self._retiring.peekitem(0)[0] <= self._now:
            at, keys = self._retiring.popitem(0)
            for key in keys:
                day = self._days.get(key)
                if day is not None and (day.dirty or day.unanswered):
                    self._retiring.setdefault(self._now + DAY_MS, set()).add(key)
                    continue
                if day is not None:
                    self._put_away(key, day)
                state = self._stored(key)
                if state is not None and at >= state.ends.workload + self._kept_ms:
                    last = max(state.final_at, default=0)
                    if last > self._now:  # an inquiry with a deposit is pending
                        self._retiring.setdefault(last + KEPT_MS, set()).add(key)
                    else:
                        self._forget(key)

    def _schedule(self, key: bytes, state: DayState) -> None:
        """Note when something has to be done of a day by itself."""
        for at in {*state.ends, *state.final_at}:
            self._remind(at, key)
        over = state.ends.workload
        for at in (over + LIVE_DAYS * DAY_MS, over + self._kept_ms):
            self._retiring.setdefault(max(at, self._now), set()).add(key)

    def _remind(self, at: int, key: bytes) -> None:
        if at > self._now:
            self._due.setdefault(at, set()).add(key)

    # Days

    def _load(self, key: bytes, received: BuyerDay) -> _Day:
        day = self._days.get(key) or self._reload(key)
        if day is None:
            state = DayState(
                received.shop_id,
                received.day,
                received.timezone,
                received.ends,
                day_cut=received.day_cut,
            )
            day = self._days[key] = _Day(state)
            self._schedule(key, state)
        return day

    def _follow(self, day: _Day, received: BuyerDay) -> None:
        """Let the figures of a day be final when new settings say so."""
        day.state.ends = received.ends
        day.state.timezone = received.timezone
        day.state.day_cut = received.day_cut
        for at in set(received.ends):
            self._remind(at, day.key)
        for agent_id in day.agents:
            day.dirty.setdefault(agent_id, received.reason)

    def _reload(self, key: bytes) -> _Day | None:
        """Have the figures of a day that had been put away again; None: nothing is known of it."""
        state = self._stored(key)
        if state is None:
            return None
        state.unloaded = None
        day = self._days[key] = _Day(state)
        self._add_up(day)
        day.dirty.clear()
        self._unsaved.add(key)
        self._retiring.setdefault(self._now + DAY_MS, set()).add(key)  # what has come late is not kept long
        return day

    def _add_up(self, day: _Day) -> None:
        """Find the figures of a day from what each buyer adds to it."""
        for key, value in self._contributions_of(day.key):
            received = _decode(value, key)
            self._replace(day, received, {})
        for agent_id in day.state.last_emitted:  # all that was added to some may have been taken back since
            if agent_id not in day.agents:
                day.agents[agent_id] = AgentDay()
                day.dirty[agent_id] = "timer"

    def _contributions_of(self, key: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Yield what each buyer adds to a day."""
        prefix = CONTRIBUTION_MARK + key[1:] + b"|"
        changes = self._contribution_changes.get(key, {})
        for contribution_key, stored in self._store.items(prefix, after(prefix)):
            if contribution_key not in changes:
                yield contribution_key, stored
        for contribution_key, changed in changes.items():
            if changed is not None:
                yield contribution_key, changed

    def _stored(self, key: bytes) -> DayState | None:
        data = self._read(key)
        return None if data is None else decode_day(data, key)

    def _read(self, key: bytes) -> bytes | None:
        return self._changes[key] if key in self._changes else self._store.get(key)

    def _put_away(self, key: bytes, day: _Day) -> None:
        """Keep a day's figures no longer."""
        day.state.unloaded = True
        day.state.final_at = sorted(
            {at for figures in day.agents.values() for _, at in figures.finals if at > self._now}
        )
        self._changes[key] = encode_day(day.state)
        del self._days[key]
        self._unsaved.discard(key)

    def _forget(self, key: bytes) -> None:
        contribution_keys = [contribution_key for contribution_key, _ in self._contributions_of(key)]
        for contribution_key in contribution_keys:
            self._contributions.pop(contribution_key, None)
        self._contribution_changes.setdefault(key, {}).update(dict.fromkeys(contribution_keys))
        self._changes[key] = None
        self._days.pop(key, None)
        self._unsaved.discard(key)

    def _replace(self, day: _Day, received: BuyerDay, old: Mapping[str, Contribution]) -> list[str]:
        """Replace a buyer's contributions; return the agents whose last message is later now."""
        new = received.contributions
        buyer_id, reason = received.buyer_id, received.reason
        contributions = (
            new if old.keys() <= new.keys() else new | dict.fromkeys(old.keys() - new.keys(), NOTHING)
        )
        later = []
        for agent_id, contribution in contributions.items():
            before = old.get(agent_id, NOTHING)
            if agent_id in (TOTAL, NOBODY) or contribution == before:
                continue
            self._put(day, agent_id, before, contribution, reason)
            if contribution.waits:
                waiting = day.waiting.setdefault(agent_id, {})
                waiting[buyer_id] = Waits(received.partition, contribution.closed_ts)
            elif agent_id in day.waiting:
                day.waiting[agent_id].pop(buyer_id, None)
            spoke_ts = contribution.spoke_ts
            if spoke_ts is not None and spoke_ts > day.last_ts.get(agent_id, NOBODY_SPOKE):
                day.last_ts[agent_id] = spoke_ts
                later.append(agent_id)
        self._put(day, TOTAL, shop_total(old), shop_total(new), reason)
        return sorted(later) if self._now >= day.state.ends.workload else []

    def _put(self, day: _Day, agent_id: str, old: Contribution, new: Contribution, reason: str) -> None:
        figures = day.agents.get(agent_id)
        if figures is None:
            figures = day.agents[agent_id] = AgentDay()
        if figures.replace(old, new):
            day.dirty[agent_id] = reason
            self._has_changed = True
            for _, final_at in new.finals:
                self._remind(final_at, day.key)

    # What goes out

    def _close(self, day: _Day, agent_id: str, buyers: Collection[str], outputs: list[Output]) -> None:
        """Send closings to buyers who wait for one."""
        if not buyers or self._now < day.state.ends.workload:
            return
        last_ts = day.last_ts.get(agent_id, NOBODY_SPOKE)
        shop_id = day.state.shop_id
        for buyer_id in sorted(buyers):
            waits = day.waiting[agent_id][buyer_id]
            if waits.closed_ts != last_ts:
                closing = Closing(buyer_id, shop_id, agent_id, day.state.day, last_ts)
                outputs.append(
                    Output(
                        CLOSINGS, f"{shop_id}|{buyer_id}".encode(), encode_internal(closing), waits.partition
                    )
                )

    def _emit_changed(self, outputs: list[Output]) -> None:
        self._has_changed = False
        for key in sorted(key for key, day in self._days.items() if day.dirty):
            self._emit(key, self._days[key], outputs)

    def _emit(self, key: bytes, day: _Day, outputs: list[Output]) -> None:
        """Emit the figures that have changed."""
        state = day.state
        late = self._now >= state.ends.payments
        shop_zone = zone(state.timezone, state.day_cut)
        for agent_id in sorted(day.dirty):
            reason = day.dirty[agent_id] or "chat"
            figures = day.agents[agent_id]
            known = state.last_emitted.get(agent_id)
            if known is None and not figures.is_active:
                continue
            encoded = encode_agent_day(
                state.shop_id, agent_id, state.day, figures, state.ends, shop_zone, self._now
            )
            digest = digest_of(encoded)
            if known is not None and known.digest == digest:
                continue
            final = all(self._now >= at for at in figures.final_at(state.ends).values())
            if late and known is not None and known.final:
                reason = "late_event"
            revision = 1 if known is None else known.revision + 1
            state.last_emitted[agent_id] = LastEmitted(revision, digest, final)
            outputs.append(
                Output(
                    AGENT_DAILY,
                    f"{state.shop_id}|{agent_id}|{day_name(state.day)}".encode(),
                    emission(encoded, revision, reason, 0 if self._now == BEGINNING else self._now),
                )
            )
        day.dirty.clear()
        self._unsaved.add(key)


def _waiting(contributions: Mapping[str, Contribution]) -> bool:
    """Whether a buyer waits for a closing."""
    workload = shop_total(contributions).workload
    return workload is not None and workload.unanswered > 0


def _decode(value: bytes, key: bytes) -> BuyerDay:
    received = decode_buyer_day(value, key)
    assert isinstance(received, BuyerDay)
    return received


def _day_key(shop_id: str, day: int) -> bytes:
    return DAY_MARK + f"{shop_id}|{day}".encode()


def _is_live(state: DayState) -> bool:
    return not state.unloaded
