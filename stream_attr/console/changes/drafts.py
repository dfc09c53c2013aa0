"""Changes of a shop's rules and roster as the ledger keeps them: drafts, and who published which."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, LiteralString, NamedTuple

import orjson
from psycopg import Connection

from stream_attr.console.changes.checks import value_of
from stream_attr.contract.topics import ROSTER
from stream_attr.wall_clock import wall_clock_ms

__all__ = ["Change", "Drafts", "State", "digest_of"]


class State(StrEnum):
    """What has become of a change."""

    DRAFT = "draft"
    PUBLISHED = "published"
    DISCARDED = "discarded"


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
    trial_id: str | None
    """What tries it in the lab, or has tried it."""
    trial_digest: str | None
    """Of the content that is tried."""
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


_COLUMNS: Final[LiteralString] = (
    "shop_id, number, topic, agent_id, content, digest, before, basis, state, changed_by, changed_ts,"
    " trial_id, trial_digest, seen_by,"
    " published_by, published_ts, published_unseen, source_partition, source_offset"
)
_NUMBER: Final = re.compile("[0-9]{1,18}", re.ASCII)


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

    def named(self, text: str) -> Change | None:
        """Return a change by its number in an address; None: there is none, or it is no number."""
        return self.find(int(text)) if _NUMBER.fullmatch(text) else None

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
        """Store a new draft, or other content of one, whose preview then has to be made again.

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
                (self._shop_id, topic, agent_id, content, digest, held, basis, login, wall_clock_ms()),
            ).fetchone()
        else:
            row = self._connection.execute(
                "UPDATE rule_change SET content = %(content)s, before = %(before)s, basis = %(basis)s,"
                " changed_by = %(login)s, changed_ts = %(now)s, digest = %(digest)s,"
                " trial_id = CASE WHEN digest = %(digest)s AND basis = %(basis)s THEN trial_id END,"
                " seen_by = CASE WHEN digest = %(digest)s AND basis = %(basis)s THEN seen_by ELSE '{}' END"
                " WHERE shop_id = %(shop)s AND number = %(number)s AND state = 'draft' RETURNING number",
                {
                    "content": content,
                    "digest": digest,
                    "before": held,
                    "basis": basis,
                    "login": login,
                    "now": wall_clock_ms(),
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

    def note_trial(self, change: Change, trial_id: str) -> None:
        """Note what tries a content; nobody has seen what comes of it."""
        self._connection.execute(
            "UPDATE rule_change SET trial_id = %s, trial_digest = %s, seen_by = '{}'"
            " WHERE shop_id = %s AND number = %s AND state = 'draft' AND digest = %s",
            (trial_id, change.digest, self._shop_id, change.number, change.digest),
        )

    def note_seen(self, change: Change, login: str) -> None:
        """Note that somebody has been shown the preview of a content."""
        self._connection.execute(
            "UPDATE rule_change SET seen_by = seen_by || %s WHERE shop_id = %s AND number = %s"
            " AND trial_id = %s AND trial_digest = digest AND digest = %s AND NOT %s = ANY (seen_by)",
            ([login], self._shop_id, change.number, change.trial_id, change.digest, login),
        )

    def published(self, change: Change, login: str, partition: int, offset: int, *, unseen: bool) -> None:
        """Note that a change is on its topic, and where; ``unseen``: without a preview."""
        self._connection.execute(
            "UPDATE rule_change SET state = 'published', published_by = %s, published_ts = %s,"
            " published_unseen = %s, source_partition = %s, source_offset = %s"
            " WHERE shop_id = %s AND number = %s",
            (login, wall_clock_ms(), unseen, partition, offset, self._shop_id, change.number),
        )
