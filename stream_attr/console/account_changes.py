"""What may be changed of accounts, and by whom: each change with its line in the audit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from psycopg import Connection

from stream_attr.console.accounts import Account, AccountError, Accounts, Duty
from stream_attr.console.roles import Role
from stream_attr.console.sessions import Sessions
from stream_attr.ledger import audit
from stream_attr.ledger.texts import Text

__all__ = ["OPERATOR", "AccountChanges", "duties_of", "in_words", "shops_in_words"]

OPERATOR: Final = "(command line)"
"""Who it was, for the audit, where nobody has logged in."""
_LOCK: Final = 0x61_6363_6F75_6E74
"""An advisory lock of PostgreSQL: one changes accounts at a time."""
_NO_ADMIN: Final = Text(
    "{by} may change no accounts: only an active administrator may",
    "{by} 不能更改账号：只有已启用的管理员可以",
)
_OWN: Final = Text(
    "nobody changes the own role, shops, person or right to log in: ask another administrator",
    "不能更改自己的角色、店铺、本人或登录权限：请由其他管理员操作",
)
_LAST: Final = Text(
    "{login} is the last administrator who may log in: make another one first",
    "{login} 是最后一个可登录的管理员：请先添加另一个管理员",
)


def duties_of(words: Iterable[str]) -> list[Duty]:
    """Return the shops that people write as ``SHOP`` or, for an agent, ``SHOP=AGENT``."""
    parts = [one.partition("=") for one in words if one.strip()]
    return [Duty(shop.strip(), agent.strip() or None) for shop, _, agent in parts]


def shops_in_words(account: Account) -> list[str]:
    """Return the shops of an account as people write them."""
    return [
        one.shop_id if one.agent_id is None else f"{one.shop_id}={one.agent_id}" for one in account.duties
    ]


def in_words(account: Account) -> str:
    """Return role, shops and person of an account as they are written, for the audit."""
    person = [] if account.person_id is None else [f"person {account.person_id}"]
    return " ".join([account.role, *shops_in_words(account), *person])


class AccountChanges:
    """Changes of the accounts of a ledger, whose connection commits by itself.

    A change and its line in the audit are one transaction, one change after the other. All raise AccountError
    where there is no such account, or who asks may not: an administrator who is one no more, who would change
    oneself, or would leave no administrator.
    """

    def __init__(self, connection: Connection[Any], by: str | None) -> None:
        """``by``: the account that asks; None: whoever has the database, on the command line."""
        self._connection = connection
        self._accounts = Accounts(connection)
        self._by = by

    def add(
        self, login: str, name: str, role: Role, duties: Iterable[Duty], person_id: str | None = None
    ) -> str:
        """Make an account, and return the secret of its link. Raises as `Accounts.add`, too."""
        with self._changing():
            made = self._accounts.add(login, name, role, duties, person_id)
            self._note("add account", login, after=in_words(made))
            return self._accounts.link(login)

    def link(self, login: str) -> str:
        """Return the secret of another link. Raises AccountError where the account may not log in, too."""
        with self._changing():
            secret = self._accounts.link(login)
            self._note("link", login)
            return secret

    def set_role(self, login: str, role: Role, duties: Iterable[Duty]) -> None:
        """Change what an account is for, and its shops; its sessions end. Raises as `Accounts.add`, too."""
        with self._changing_rights(login) as before:
            self._accounts.set_role(login, role, duties)
            self._keep_an_admin(before)
            self._note_change("change role", before)

    def set_person(self, login: str, person_id: str | None) -> None:
        """Say who an account is, as the roster has persons; None: as its agents."""
        with self._changing_rights(login) as before:
            self._accounts.set_person(login, person_id)
            self._note_change("set person", before)

    def set_active(self, login: str, *, active: bool) -> None:
        """Let an account log in, or not any more: sessions and links end with it."""
        with self._changing_rights(login) as before:
            self._accounts.set_active(login, active=active)
            self._keep_an_admin(before)
            self._note("enable account" if active else "disable account", login)

    def end_session(self, login: str, number: int) -> None:
        """End a session of an account; it may have ended already."""
        with self._changing():
            self._accounts.find(login)
            if Sessions(self._connection).end_of(login, number):
                self._note("end session", login)

    def end_sessions(self, login: str) -> None:
        """End all sessions of an account."""
        with self._changing():
            self._accounts.find(login)
            if Sessions(self._connection).end_of(login):
                self._note("end sessions", login)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Let the block change accounts of which nobody else changes any meanwhile."""
        with self._connection.transaction():
            self._connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            if self._by is not None:
                asking = self._accounts.find(self._by)
                if not (asking.active and asking.role is Role.ADMIN):
                    raise AccountError(_NO_ADMIN.filled(by=self._by))
            yield

    @contextmanager
    def _changing_rights(self, login: str) -> Iterator[Account]:
        """Let the block change what an account may, which nobody does to oneself; yield it as it was."""
        with self._changing():
            before = self._accounts.find(login)
            if login == self._by:
                raise AccountError(_OWN)
            yield before

    def _keep_an_admin(self, before: Account) -> None:
        if before.role is not Role.ADMIN or not before.active:
            return
        if not any(one.active and one.role is Role.ADMIN for one in self._accounts.all()):
            raise AccountError(_LAST.filled(login=before.login))

    def _note_change(self, action: str, before: Account) -> None:
        after = self._accounts.find(before.login)
        self._note(action, before.login, before=in_words(before), after=in_words(after))

    def _note(self, action: str, login: str, **change: str) -> None:
        audit.note(self._connection, self._by or OPERATOR, action, None, login, **change)
