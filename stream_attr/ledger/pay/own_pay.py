"""Whether somebody is paid by a run: then another person has to approve it."""

from __future__ import annotations

from typing import Any, Final

from psycopg import Connection

from stream_attr.ledger.acting import Acting

__all__ = ["paid_as"]

_PERSONS: Final = (
    "SELECT person_id FROM pay_statement WHERE scheme_id = %s AND month = %s::date ORDER BY person_id"
)
_NAMES: Final = (
    "SELECT person_id, name FROM pay_person WHERE person_id = ANY(%(persons)s) AND name IS NOT NULL"
    " UNION SELECT person_id, name FROM roster WHERE person_id = ANY(%(persons)s) AND name IS NOT NULL"
    " UNION SELECT person_id, agent_id FROM roster WHERE person_id = ANY(%(persons)s) ORDER BY 1, 2"
)
"""What persons are called."""


def paid_as(connection: Connection[Any], scheme_id: str, first_day: str, by: Acting) -> str | None:
    """Return the person as whom somebody has a statement in a scheme's run of a month; None: there is none.

    An account is the persons that it is linked to, and by the roster those of its agents, of any day. A name
    that somebody has typed is also compared with the persons' ids, names and agents. Who only shares a pot,
    or gets 0, has a statement, too.
    """
    persons = [str(one) for (one,) in connection.execute(_PERSONS, (scheme_id, first_day))]
    for one in persons:
        if one in by.persons:
            return one
    if by.is_account:
        return None
    typed = _plain(by.login)
    names = connection.execute(_NAMES, {"persons": persons}).fetchall()
    known: list[tuple[str, str]] = [*((one, one) for one in persons), *names]
    return next((person for person, name in known if _plain(name) == typed), None)


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()
