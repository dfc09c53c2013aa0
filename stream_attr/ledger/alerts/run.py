"""One round of alerts: judge, keep what has changed, send what has not been sent.

A change and its messages are written in one transaction, and each message is marked before it is sent and
after: so a restart sends nothing twice, and what a channel did not take is tried again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from psycopg import Connection

from stream_attr.errors import UnusableError
from stream_attr.ledger.alerts.judge import Judged, judge
from stream_attr.ledger.alerts.messages import Message, message_of
from stream_attr.ledger.alerts.rules import Rule
from stream_attr.ledger.reports.scope import snapshot
from stream_attr.wall_clock import wall_clock_ms

if TYPE_CHECKING:
    from stream_attr.ledger.alerts.channels import Channel

__all__ = ["OtherAlertsError", "Round", "run", "would_send"]

LOCK: Final = 0x616C_6572_7473
"""An advisory lock of PostgreSQL: one process sends at a time."""


class OtherAlertsError(UnusableError):
    """Another process sends the alerts of this ledger."""


@dataclass(slots=True)
class Round:
    """What became of a round."""

    sent: list[str] = field(default_factory=list)
    """Titles."""
    failed: list[str] = field(default_factory=list)
    """Channel and title of what was not taken, and is tried again."""
    dropped: list[str] = field(default_factory=list)
    """Likewise of what was still to go to a channel that there is no more."""
    unknown: list[str] = field(default_factory=list)
    """Likewise of what an earlier process was sending as it ended: it may have arrived, and stays so."""


def would_send(
    connection: Connection[Any], rules: Sequence[Rule], language: str
) -> tuple[list[tuple[Judged, Message | None]], list[tuple[str, Message]]]:
    """Return what would be sent; write nothing.

    What each rule comes to and, where it begins or ends, its message; then what was not taken before, and by
    which channel.

    Raises:
        UnusableError: a rule names a shop that the ledger does not know.
    """
    with snapshot(connection):
        active = _active(connection)
        judged = [
            (one, message_of(one, language) if _changes(one, active) else None)
            for one in judge(connection, rules)
        ]
        return judged, [(row[2], Message(*row[5:])) for row in _waiting(connection)]


def run(
    connection: Connection[Any], rules: Sequence[Rule], channels: Mapping[str, Channel], language: str
) -> Round:
    """Judge all rules once, and send what is to be sent.

    ``connection``: in autocommit mode; until it is closed no other process sends.

    Raises:
        OtherAlertsError: another process is at it.
        UnusableError: a rule names a shop that the ledger does not know.
        psycopg.Error: the database refuses, or is away.
    """
    ((free,),) = connection.execute("SELECT pg_try_advisory_lock(%s)", [LOCK]).fetchall()
    if not free:
        raise OtherAlertsError(
            "another stream-attr alerts works on this ledger: one of them is enough, for all rules"
        )
    done = Round()
    done.unknown = [
        f"{channel}: {title}"
        for channel, title in connection.execute(
            "UPDATE alert_message SET status = 'unknown' WHERE status = 'sending' RETURNING channel, title"
        )
    ]
    with snapshot(connection):
        active, judged = _active(connection), list(judge(connection, rules))
    for one in judged:
        if _changes(one, active):
            _keep(connection, one, message_of(one, language))
    _send(connection, channels, done)
    return done


def _active(connection: Connection[Any]) -> set[tuple[str, str]]:
    return set(connection.execute("SELECT shop_id, rule FROM alert_state WHERE active").fetchall())


def _changes(judged: Judged, active: set[tuple[str, str]]) -> bool:
    return judged.holds is not None and judged.holds != ((judged.shop_id, judged.rule.name) in active)


def _keep(connection: Connection[Any], judged: Judged, message: Message) -> None:
    with connection.transaction():
        ((change,),) = connection.execute(
            "INSERT INTO alert_state (shop_id, rule, active, changes, changed_ts) VALUES (%s, %s, %s, 1, %s)"
            " ON CONFLICT (shop_id, rule) DO UPDATE SET active = excluded.active,"
            " changes = alert_state.changes + 1, changed_ts = excluded.changed_ts RETURNING changes",
            [judged.shop_id, judged.rule.name, judged.holds, judged.end],
        ).fetchall()
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO alert_message (shop_id, rule, change, channel, begins, title, body, status,"
                " attempts) VALUES (%s, %s, %s, %s, %s, %s, %s, 'waiting', 0)",
                [
                    (judged.shop_id, judged.rule.name, change, channel, judged.holds, *message)
                    for channel in dict.fromkeys(judged.rule.channels)
                ],
            )


def _waiting(connection: Connection[Any]) -> list[tuple[Any, ...]]:
    """Return what is to be sent, in order: shop, rule, channel, change, whether it begins, title, body."""
    return connection.execute(
        "SELECT shop_id, rule, channel, change, begins, title, body FROM alert_message"
        " WHERE status = 'waiting' ORDER BY change, shop_id, rule, channel"
    ).fetchall()


def _send(connection: Connection[Any], channels: Mapping[str, Channel], done: Round) -> None:
    """Send what waits, in order; of one rule and channel nothing after what was not taken."""
    stuck: set[tuple[str, str, str]] = set()
    for shop_id, rule, name, change, begins, title, body in _waiting(connection):
        key = [shop_id, rule, change, name]
        channel = channels.get(name)
        if channel is None:
            connection.execute(f"UPDATE alert_message SET status = 'dropped'{_WHERE}", key)
            done.dropped.append(f"{name}: {title}")
            continue
        if (shop_id, rule, name) in stuck:
            done.failed.append(f"{name}: {title}")
            continue
        connection.execute(
            f"UPDATE alert_message SET status = 'sending', attempts = attempts + 1{_WHERE}", key
        )
        if channel.send(Message(title, body), begins=begins):
            now = wall_clock_ms()
            connection.execute(f"UPDATE alert_message SET status = 'sent', sent_ts = %s{_WHERE}", [now, *key])
            done.sent.append(f"{name}: {title}")
        else:
            connection.execute(f"UPDATE alert_message SET status = 'waiting'{_WHERE}", key)
            stuck.add((shop_id, rule, name))
            done.failed.append(f"{name}: {title}")


_WHERE: Final = " WHERE shop_id = %s AND rule = %s AND change = %s AND channel = %s"
