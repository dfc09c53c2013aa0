"""Accounts, with a password that the person sets through a one-time link."""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final, LiteralString, NamedTuple

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from argon2.low_level import ARGON2_VERSION
from psycopg import Connection

from stream_attr.console.roles import ROLE_NAMES, Role
from stream_attr.errors import StreamAttrError, UnusableError
from stream_attr.ledger.texts import Text
from stream_attr.wall_clock import wall_clock_ms

__all__ = [
    "LINK_MS",
    "Account",
    "AccountError",
    "Accounts",
    "Busy",
    "Duty",
    "hash_of",
    "hashed",
    "matches",
]

LINK_MS: Final = 24 * 60 * 60 * 1000
"""How long a link can be used."""
SHORTEST: Final = 10
"""Characters of a password."""
LONGEST: Final = 1024
_AT_ONCE: Final = threading.BoundedSemaphore(2)
"""Argon2 takes 64 MiB and a core for some 50 ms: many log-ins at once must not take the machine."""
_WAIT_S: Final = 2.0
"""How long one waits for its turn."""
_HASHER: Final = PasswordHasher()  # argon2id, with the parameters of RFC 9106's low-memory profile


def _hash_of_nothing(hasher: PasswordHasher) -> str:
    """A hash of no password, made without hashing: to compare with it takes as long as with another."""
    salt, digest = (
        base64.b64encode(secrets.token_bytes(size)).decode().rstrip("=")
        for size in (hasher.salt_len, hasher.hash_len)
    )
    cost = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v={ARGON2_VERSION}${cost}${salt}${digest}"


_NOBODY: Final = _hash_of_nothing(_HASHER)
"""What a password is compared with where there is no account: so that time does not tell which there are."""

_NO_LOGIN: Final = Text(
    "{login} cannot be a login: write a word without blanks around it",
    "{login} 不能作账号：请填写一个前后没有空格的词",
)
_NO_NAME: Final = Text("an account needs the person's name", "账号需要填写姓名")
_NEEDS_SHOPS: Final = Text(
    "role {role} sees the shops that it is given: name at least one (--shop)",
    "角色 {role} 只能查看指定的店铺：请至少填写一个（--shop）",
)
_SEES_ALL: Final = Text(
    "role {role} sees all shops: name none (leave --shop out)",
    "角色 {role} 可查看全部店铺：请不要填写店铺（--shop）",
)
_NOT_SO: Final = Text(
    "{shop}: role agent takes SHOP=AGENT, who the person is there; other roles take SHOP",
    "{shop}：角色“客服”写作 店铺=客服，即其在该店的客服账号；其他角色只写店铺",
)
_THERE: Final = Text(
    "there is an account {login} already: see stream-attr console user list",
    "账号 {login} 已存在",
)
_NONE: Final = Text("there is no account {login}: see stream-attr console user list", "没有账号 {login}")
_BLOCKED: Final = Text(
    "account {login} may not log in: enable it first (stream-attr console user enable {login})",
    "账号 {login} 已停用：请先启用",
)


class AccountError(UnusableError):
    """Something of an account cannot be done; ``text`` says why, in both languages."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.english)
        self.text = text


class Busy(StreamAttrError):  # noqa: N818 -- a state, not a mistake
    """Too many people log in at once."""


class Duty(NamedTuple):
    """A shop that an account may see."""

    shop_id: str
    agent_id: str | None = None
    """Who the person is there, where the account is an agent's."""


class Account(NamedTuple):
    """Who may log in."""

    login: str
    name: str
    role: Role
    active: bool
    has_password: bool
    duties: tuple[Duty, ...] = ()
    """By shop; of no meaning for roles that see all shops."""
    person_id: str | None = None
    """Who it is, as the roster has persons; None: not set."""


def hash_of(secret: str) -> bytes:
    """Return what is kept of a random secret of a link or a cookie."""
    return hashlib.sha256(secret.encode()).digest()


class Accounts:
    """Those of a ledger. The connection commits by itself."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection

    def add(
        self, login: str, name: str, role: Role, duties: Iterable[Duty], person_id: str | None = None
    ) -> Account:
        """Make an account, without a password. ``person_id``: who it is, as the roster has persons.

        Raises AccountError where there is one of this login, or the role and the shops do not go together.
        """
        found = _checked(role, duties)
        if not login.strip() or login != login.strip():
            raise AccountError(_NO_LOGIN.filled(login=repr(login)))
        if not name.strip():
            raise AccountError(_NO_NAME)
        with self._connection.transaction():
            made = self._connection.execute(
                "INSERT INTO account (login, name, role, created_ts, person_id) VALUES (%s, %s, %s, %s, %s)"
                " ON CONFLICT DO NOTHING",
                (login, name, role, wall_clock_ms(), person_id),
            ).rowcount
            if not made:
                raise AccountError(_THERE.filled(login=repr(login)))
            self._set_duties(login, found)
        return self.find(login)

    def set_role(self, login: str, role: Role, duties: Iterable[Duty]) -> None:
        """Change what an account is for, and its shops; its sessions end.

        Raises AccountError where there is none, or the role and the shops do not go together.
        """
        found = _checked(role, duties)
        with self._connection.transaction():
            self.find(login)
            self._connection.execute("UPDATE account SET role = %s WHERE login = %s", (role, login))
            shops, agents = [one.shop_id for one in found], [one.agent_id or "" for one in found]
            self._connection.execute(
                "DELETE FROM account_shop WHERE login = %s AND (shop_id, agent_id) NOT IN"
                " (SELECT * FROM unnest(%s::text[], %s::text[]))",
                (login, shops, agents),
            )
            self._set_duties(login, found)
            self._connection.execute("DELETE FROM session WHERE login = %s", (login,))

    def _set_duties(self, login: str, duties: Iterable[Duty]) -> None:
        for one in duties:
            self._connection.execute(
                "INSERT INTO account_shop VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                (login, one.shop_id, one.agent_id or ""),
            )

    def all(self) -> list[Account]:
        """Return all accounts, by login."""
        return self._read("", ())

    def find(self, login: str) -> Account:
        """Return an account. Raises AccountError where there is none."""
        found = self._read("WHERE login = %s", (login,))
        if not found:
            raise AccountError(_NONE.filled(login=repr(login)))
        return found[0]

    def may_log_in(self, login: str) -> bool:
        """Whether there is an account of exactly this login, and it is active."""
        query = "SELECT FROM account WHERE login = %s AND active"
        return self._connection.execute(query, (login,)).fetchone() is not None

    def _read(self, where: LiteralString, bound: tuple[str, ...]) -> list[Account]:
        rows = self._connection.execute(
            "SELECT login, name, role, active, password_hash IS NOT NULL,"
            " array_remove(array_agg(shop_id ORDER BY shop_id, agent_id), NULL),"
            " array_remove(array_agg(agent_id ORDER BY shop_id, agent_id), NULL), person_id"
            f" FROM account LEFT JOIN account_shop USING (login) {where} GROUP BY login ORDER BY login",
            bound,
        )
        return [
            Account(
                login,
                name,
                Role(role),
                active,
                has_password,
                tuple(Duty(shop, agent or None) for shop, agent in zip(shops, agents, strict=True)),
                person_id,
            )
            for login, name, role, active, has_password, shops, agents, person_id in rows
        ]

    def set_person(self, login: str, person_id: str | None) -> None:
        """Say who an account is, as the roster has persons. Raises AccountError where there is none."""
        with self._connection.transaction():
            self.find(login)
            self._connection.execute("UPDATE account SET person_id = %s WHERE login = %s", (person_id, login))

    def set_active(self, login: str, *, active: bool) -> None:
        """Let an account log in, or not any more: its sessions end with it.

        Raises AccountError where there is none.
        """
        with self._connection.transaction():
            self.find(login)
            if not active:  # links, account, sessions: as `set_password`, or each could wait for the other
                self._connection.execute("DELETE FROM account_link WHERE login = %s", (login,))
            self._connection.execute("UPDATE account SET active = %s WHERE login = %s", (active, login))
            if not active:
                self._connection.execute("DELETE FROM session WHERE login = %s", (login,))

    def link(self, login: str) -> str:
        """Return the secret of a link with which an account sets its password, once, within a day.

        Earlier ones can be used no more.

        Raises AccountError where there is no such account, or it may not log in.
        """
        if not self.find(login).active:
            raise AccountError(_BLOCKED.filled(login=login))
        secret = secrets.token_urlsafe(32)
        with self._connection.transaction():
            self._connection.execute(
                "DELETE FROM account_link WHERE login = %s OR expires_ts <= %s", (login, wall_clock_ms())
            )
            self._connection.execute(
                "INSERT INTO account_link VALUES (%s, %s, %s)",
                (hash_of(secret), login, wall_clock_ms() + LINK_MS),
            )
        return secret

    def of_link(self, secret: str) -> str | None:
        """Return whose a link is; None: it is used, too old or none."""
        row = self._connection.execute(
            "SELECT login FROM account_link JOIN account USING (login)"
            " WHERE token_hash = %s AND expires_ts > %s AND active",
            (hash_of(secret), wall_clock_ms()),
        ).fetchone()
        return None if row is None else str(row[0])

    def set_password(self, secret: str, hashed: str) -> str | None:
        """Set a password (`hashed`) through a link; all links and sessions of the account end with it.

        Returns the login; None: the link is used, too old or none.
        """
        with self._connection.transaction():
            login = self.of_link(secret)
            if login is None:
                return None
            used = self._connection.execute(
                "DELETE FROM account_link WHERE token_hash = %s", (hash_of(secret),)
            ).rowcount
            if not used:  # by another request meanwhile
                return None
            self._connection.execute("DELETE FROM account_link WHERE login = %s", (login,))
            self._connection.execute(
                "UPDATE account SET password_hash = %s WHERE login = %s", (hashed, login)
            )
            self._connection.execute("DELETE FROM session WHERE login = %s", (login,))
        return login

    def password_hash(self, login: str) -> str | None:
        """Return what `matches` compares with; None: there is no such account, or it may not log in."""
        row = self._connection.execute(
            "SELECT password_hash FROM account WHERE login = %s AND active", (login,)
        ).fetchone()
        return None if row is None else row[0]


def _checked(role: Role, duties: Iterable[Duty]) -> tuple[Duty, ...]:
    """Return the shops of an account, each once. Raises AccountError where they do not go with the role."""
    found = tuple(dict.fromkeys(duties))
    name = Text(role, ROLE_NAMES[role].chinese)
    if not role.sees_all_shops and not found:
        raise AccountError(_NEEDS_SHOPS.filled(role=name))
    if role.sees_all_shops and found:
        raise AccountError(_SEES_ALL.filled(role=name))
    for one in found:
        if not one.shop_id or (role is Role.AGENT) != (one.agent_id is not None):
            raise AccountError(_NOT_SO.filled(shop=one.shop_id or repr("")))
    return found


@contextmanager
def _turn() -> Iterator[None]:
    """Wait for a turn to hash; hold no connection meanwhile. Raises Busy."""
    if not _AT_ONCE.acquire(timeout=_WAIT_S):
        raise Busy
    try:
        yield
    finally:
        _AT_ONCE.release()


def hashed(password: str) -> str:
    """Return what is kept of a password.

    Raises:
        UnusableError: it is too short or too long.
        Busy: too many people log in.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise UnusableError(f"a password has at least {SHORTEST} characters and at most {LONGEST:,}")
    with _turn():
        return _HASHER.hash(password)


def matches(known: str | None, password: str) -> bool:
    """Whether a password is the one of a hash; takes as long where there is none.

    Raises:
        Busy: too many people log in.
    """
    with _turn():
        try:
            _HASHER.verify(_NOBODY if known is None else known, password[:LONGEST])
        except (VerifyMismatchError, InvalidHashError):
            return False
    return known is not None
