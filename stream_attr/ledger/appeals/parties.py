"""Whom an appeal concerns, so that nobody answers one about oneself: by account, agent and person."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from psycopg import Connection

from stream_attr.ledger.acting import Acting, persons_of
from stream_attr.ledger.appeals.words import AppealError
from stream_attr.ledger.texts import Text

__all__ = ["known_agent", "refuse_concerned"]

_CONCERNED: Final = Text(
    "{who} cannot decide this: it concerns {whom}, who is the same person",
    "{who} 不能处理此申诉：它涉及 {whom}，为同一人",
)
_OPENED: Final = Text(
    "{who} has opened this appeal, and another person has to answer it", "{who} 是申诉人，须由他人处理"
)
_UNKNOWN: Final = Text(
    "there is no agent {agent!r} in shop {shop}: neither the roster nor a chat names one; check the id, or "
    "publish a roster record first",
    "店铺 {shop} 没有客服 {agent!r}：名册和聊天中均无此账号，请核对，或先发布名册记录",
)
_NAMES: Final = (
    "SELECT DISTINCT name, agent_id FROM roster WHERE shop_id = %s AND agent_id = ANY(%s)"
    " AND name IS NOT NULL ORDER BY agent_id, name"
)
_KNOWN: Final = (
    "SELECT EXISTS (SELECT FROM roster WHERE shop_id = %(shop)s AND agent_id = %(agent)s)"
    " OR EXISTS (SELECT FROM agent_day WHERE shop_id = %(shop)s AND agent_id = %(agent)s)"
    " OR EXISTS (SELECT FROM reception WHERE shop_id = %(shop)s AND agent_id = %(agent)s)"
    " OR EXISTS (SELECT FROM decision WHERE shop_id = %(shop)s AND agent_id = %(agent)s"
    " AND profile = 'official')"
)


def refuse_concerned(
    connection: Connection[Any],
    who: Acting,
    shop_id: str,
    agents: Iterable[str | None],
    opened_by: str | None = None,
) -> None:
    """Refuse who would decide about oneself.

    ``agents``: all whom it concerns in a shop: who appeals, who has the sale, who is to have it.
    ``opened_by``: the account of the appeal.

    Raises AppealError where the account is one of them, is the same person by the roster's ``person_id`` (of
    any day) or the account's, or has opened it. A name that somebody has typed is compared with their ids
    and names as well.
    """
    if opened_by is not None and opened_by.casefold() == who.login.casefold():
        raise AppealError(_OPENED.filled(who=who.login))
    concerned = sorted({one for one in agents if one is not None})
    whom = next((one for one in concerned if (shop_id, one) in who.agents), None)
    persons = persons_of(connection, shop_id, concerned)
    if whom is None:
        whom = next((agent for person, agent in persons if person in who.persons), None)
    if whom is None and not who.is_account:
        names = [*persons, *connection.execute(_NAMES, (shop_id, concerned)), *((a, a) for a in concerned)]
        whom = next((agent for name, agent in names if name.casefold() == who.login.casefold()), None)
    if whom is not None:
        raise AppealError(_CONCERNED.filled(who=who.login, whom=whom))


def known_agent(connection: Connection[Any], shop_id: str, agent_id: str) -> None:
    """Refuse an agent of whom neither the roster nor a chat knows. Raises AppealError."""
    row = connection.execute(_KNOWN, {"shop": shop_id, "agent": agent_id}).fetchone()
    if row is None or not row[0]:
        raise AppealError(_UNKNOWN.filled(agent=agent_id, shop=shop_id))
