"""Publishing a change: what has to hold is asked at the moment, then one acknowledged record is sent."""

from __future__ import annotations

from typing import Any, Final

from psycopg import Connection

from stream_attr.console.changes.checks import Refusal, key_of, refusals
from stream_attr.console.changes.drafts import Change, Drafts, State
from stream_attr.console.changes.history import differences
from stream_attr.console.changes.previews import Preview, preview_of
from stream_attr.console.shop_records import basis_of
from stream_attr.contract.topics import SETTINGS
from stream_attr.errors import StreamAttrError
from stream_attr.kafka.shop_records import read_shop_records
from stream_attr.kafka.writer import Position, TopicWriter
from stream_attr.ledger import audit
from stream_attr.processor.ports import Record
from stream_attr.wall_clock import wall_clock_ms

__all__ = ["NotPublishedError", "publish"]

_LOCK: Final = 0x7275_6C65
"""With a key's hash, an advisory lock of PostgreSQL: one change of a key is published at a time."""


class NotPublishedError(StreamAttrError):
    """A change cannot be published as it is; ``key`` names the text that says why."""

    def __init__(self, key: str, refused: list[Refusal] | None = None) -> None:
        super().__init__(key)
        self.key = key
        self.refused = refused or []


def publish(
    connection: Connection[Any],
    writer: TopicWriter,
    change: Change,
    login: str,
    *,
    digest: str,
    without_preview: bool,
    can_preview: bool,
) -> None:
    """Send a change to its topic, and note who did so with what was before and after.

    ``digest``: of the content that the person saw. ``without_preview``: the person takes it upon them,
    which counts where there can be none, or it came to nothing.
    A record that an earlier attempt has sent, of which no answer came, is found and not sent again.

    Raises:
        NotPublishedError: it is another content, its preview has not been seen, it rests on rules that have
            changed since, or a worker would refuse it.
        BrokerUnreachable, TopicsMissingError, PublishError: of `TopicWriter`.
    """
    with connection.transaction():
        key = key_of(change.topic, change.document)
        connection.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (_LOCK, f"{change.topic} {key}"))
        drafts = Drafts(connection, change.shop_id)
        found = drafts.find(change.number, lock=True)
        if found is None or found.state is not State.DRAFT:
            raise NotPublishedError("change_is_over")
        if found.digest != digest:
            raise NotPublishedError("change_is_another")
        preview = preview_of(connection, found)
        unseen = not (preview.state is Preview.DONE and login in found.seen_by)
        has_none = not can_preview or preview.state.says_nothing
        if unseen and not (has_none and without_preview):
            raise NotPublishedError("preview_not_seen")
        records = read_shop_records(writer.bootstrap, writer.prefix, writer.security)
        position = _sent_before(found, records)
        if position is None:
            _check(found, records)
            with writer.opened(found.topic) as write:
                position = write(key, found.content.encode())
        drafts.published(found, login, *position, unseen=unseen)
        what = "settings" if found.topic == SETTINGS else f"roster of {found.agent_id}"
        changed = "; ".join(
            f"{one.path}: {one.before.english} → {one.after.english}"
            for one in differences(found.topic, found.document_before, found.document)
        )
        tried = (
            "without a preview"
            if unseen or preview.trial is None
            else f"tried on {preview.trial.period.name}"
        )
        about = f"{what} from {found.document['effective_from']}, {tried}: {changed}"
        audit.note(
            connection, login, "publish", found.shop_id, about, before=found.before, after=found.content
        )


def _sent_before(change: Change, records: list[Record]) -> Position | None:
    """Return where an attempt of which no answer came has left the record; None: nowhere."""
    value = change.content.encode()
    for number in range(len(records) - 1, -1, -1):
        record = records[number]
        if record.topic == change.topic and record.value == value:
            before = basis_of(change.topic, change.shop_id, change.agent_id, records[:number])
            return Position(record.partition, record.offset) if before == change.basis else None
    return None


def _check(change: Change, records: list[Record]) -> None:
    if basis_of(change.topic, change.shop_id, change.agent_id, records) != change.basis:
        raise NotPublishedError("basis_changed")
    refused = refusals(change.topic, change.document, records, wall_clock_ms())
    if refused:
        raise NotPublishedError("change_refused", refused)
