"""Changes of a shop's rules and roster as the ledger keeps them: drafts, and who published which."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, LiteralString, NamedTuple

import orjson
from psycopg import Connection

from stream_attr.console.accounts import now_ms
from stream_attr.console.changes.checks import value_of
from stream_attr.contract.topics import ROSTER
from stream_attr.lab.kept import decode_result, encode_result
from stream_attr.lab.result import LabResult

__all__ = ["Change", "Drafts", "Preview", "State", "digest_of"]

_SILENT_MS: Final = 60_000
"""A preview that has told nothing for so long has ended with its process."""


class State(StrEnum):
    """What has become of a change."""

    DRAFT = "draft"
    PUBLISHED = "published"
    DISCARDED = "discarded"


class Preview(StrEnum):
    """How far the preview of a change is."""

    NONE = "none"
    RUNNING = "running"
    DONE = "done"
    IMPOSSIBLE = "impossible"
    FAILED = "failed"


class Change(NamedTuple):
    """A record that somebody prepares, or has published."""

    shop_id: str
    number: int
    topic: str
    agent_id: str | None
    """Whose roster record it is; None: it is of settings."""
    content: str
    """The record's value."""
    digest: str
    """Of the content."""
    before: str | None
    """The record that held on its first day, when it was prepared; None: none."""
    basis: str
    """What `basis_of` was, when it was prepared."""
    state: State
    changed_by: str
    changed_ts: int
    preview_state: str | None
    preview_digest: str | None
    preview_ts: int | None
    preview_read: int | None
    preview_of: int | None
    preview_problem: str | None
    seen_by: list[str]
    """Who has seen the preview of this content."""
    published_by: str | None
    published_ts: int | None
    published_unseen: bool | None
    source_partition: int | None
    source_offset: int | None

    @property
    def document(self) -> dict[str, Any]:
        """Return the record."""
        found: dict[str, Any] = orjson.loads(self.content)
        return found

    @property
    def document_before(self) -> dict[str, Any] | None:
        """Return the record that held before."""
        return None if self.before is None else orjson.loads(self.before)

    @property
    def shown(self) -> Preview:
        """Return how far the preview of this very content is."""
        if self.preview_state is None or self.preview_digest != self.digest:
            return Preview.NONE
        if self.preview_state == Preview.RUNNING and (self.preview_ts or 0) < now_ms() - _SILENT_MS:
            return Preview.FAILED
        return Preview(self.preview_state)


_COLUMNS: Final[LiteralString] = (
    "shop_id, number, topic, agent_id, content, digest, before, basis, state, changed_by, changed_ts,"
    " preview_state, preview_digest, preview_ts, preview_read, preview_of, preview_problem, seen_by,"
    " published_by, published_ts, published_unseen, source_partition, source_offset"
)


def digest_of(document: Mapping[str, Any]) -> str:
    """Return what names a content."""
    return hashlib.sha256(value_of(document)).hexdigest()


class Drafts:
    """Those of a ledger's shop. Who reads them sees the shop; the connection commits by itself."""

    def __init__(self, connection: Connection[Any], shop_id: str) -> None:
        self._connection = connection
        self._shop_id = shop_id

    def find(self, number: int, *, lock: bool = False) -> Change | None:
        """Return a change; None: the shop has none of this number. ``lock``: until the transaction ends."""
        rows = self._read("AND number = %s" + (" FOR UPDATE" if lock else ""), (number,))
        return rows[0] if rows else None

    def all(self) -> list[Change]:
        """Return all, the newest first."""
        return self._read("ORDER BY number DESC", ())

    def _read(self, more: LiteralString, bound: Sequence[object]) -> list[Change]:
        query = f"SELECT {_COLUMNS} FROM rule_change WHERE shop_id = %s {more}"
        rows = self._connection.execute(query, (self._shop_id, *bound)).fetchall()
        return [Change._make(row)._replace(state=State(row[8])) for row in rows]

    def save(
        self,
        number: int | None,
        topic: str,
        document: Mapping[str, Any],
        before: Mapping[str, Any] | None,
        basis: str,
        login: str,
    ) -> int | None:
        """Keep a draft, anew or in place of one's content, of which the preview is then to be made anew.

        Returns its number; None: there is no such draft any more.
        """
        content, digest = value_of(document).decode(), digest_of(document)
        held = None if before is None else value_of(before).decode()
        if number is None:
            agent_id = document["agent_id"] if topic == ROSTER else None
            row = self._connection.execute(
                "INSERT INTO rule_change"
                " (shop_id, topic, agent_id, content, digest, before, basis, changed_by, changed_ts)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING number",
                (self._shop_id, topic, agent_id, content, digest, held, basis, login, now_ms()),
            ).fetchone()
        else:
            row = self._connection.execute(
                "UPDATE rule_change SET content = %(content)s, before = %(before)s, basis = %(basis)s,"
                " changed_by = %(login)s, changed_ts = %(now)s, digest = %(digest)s,"
                " preview_state = CASE WHEN digest = %(digest)s AND basis = %(basis)s THEN preview_state END,"
                " seen_by = CASE WHEN digest = %(digest)s AND basis = %(basis)s THEN seen_by ELSE '{}' END"
                " WHERE shop_id = %(shop)s AND number = %(number)s AND state = 'draft' RETURNING number",
                {
                    "content": content,
                    "digest": digest,
                    "before": held,
                    "basis": basis,
                    "login": login,
                    "now": now_ms(),
                    "shop": self._shop_id,
                    "number": number,
                },
            ).fetchone()
        return None if row is None else int(row[0])

    def discard(self, number: int) -> None:
        """Give a draft up."""
        self._connection.execute(
            "UPDATE rule_change SET state = 'discarded'"
            " WHERE shop_id = %s AND number = %s AND state = 'draft'",
            (self._shop_id, number),
        )

    def begin_preview(self, change: Change) -> bool:
        """Note that a preview begins; False: one runs, or the content has changed."""
        now = now_ms()
        return bool(
            self._connection.execute(
                "UPDATE rule_change SET preview_state = 'running', preview_digest = digest, preview_ts = %s,"
                " preview_read = NULL, preview_of = NULL, preview = NULL, preview_problem = NULL,"
                " seen_by = '{}'"
                " WHERE shop_id = %s AND number = %s AND state = 'draft' AND digest = %s"
                " AND (preview_state IS DISTINCT FROM 'running' OR preview_digest <> digest"
                " OR preview_ts < %s)",
                (now, self._shop_id, change.number, change.digest, now - _SILENT_MS),
            ).rowcount
        )

    def tell_progress(self, change: Change, read: int, of: int) -> bool:
        """Note how far a preview is; False: nobody waits for it any more."""
        return self._tell(change, "preview_read = %s, preview_of = %s", (read, of))

    def end_preview(
        self, change: Change, state: Preview, result: LabResult | None, problem: str | None
    ) -> None:
        """Note what came of a preview."""
        kept = None if result is None else encode_result(result).decode()
        self._tell(change, "preview_state = %s, preview = %s, preview_problem = %s", (state, kept, problem))

    def _tell(self, change: Change, what: LiteralString, bound: Sequence[object]) -> bool:
        query = (
            f"UPDATE rule_change SET preview_ts = %s, {what} WHERE shop_id = %s AND number = %s"
            " AND state = 'draft' AND preview_state = 'running' AND preview_digest = %s AND digest = %s"
        )
        where = (self._shop_id, change.number, change.digest, change.digest)
        return bool(self._connection.execute(query, (now_ms(), *bound, *where)).rowcount)

    def result(self, change: Change) -> LabResult | None:
        """Return what the preview of a change found; None: there is none."""
        row = self._connection.execute(
            "SELECT preview::text FROM rule_change WHERE shop_id = %s AND number = %s",
            (self._shop_id, change.number),
        ).fetchone()
        if row is None or row[0] is None:
            return None
        return decode_result(row[0].encode(), f"the preview of change {change.number}")

    def note_seen(self, change: Change, login: str) -> None:
        """Note that somebody has been shown the preview of a content."""
        self._connection.execute(
            "UPDATE rule_change SET seen_by = seen_by || %s WHERE shop_id = %s AND number = %s"
            " AND digest = %s AND preview_digest = digest AND preview_state = 'done'"
            " AND NOT %s = ANY (seen_by)",
            ([login], self._shop_id, change.number, change.digest, login),
        )

    def published(self, change: Change, login: str, partition: int, offset: int, *, unseen: bool) -> None:
        """Note that a change is on its topic, and where; ``unseen``: without a preview."""
        self._connection.execute(
            "UPDATE rule_change SET state = 'published', published_by = %s, published_ts = %s,"
            " published_unseen = %s, source_partition = %s, source_offset = %s"
            " WHERE shop_id = %s AND number = %s",
            (login, now_ms(), unseen, partition, offset, self._shop_id, change.number),
        )
