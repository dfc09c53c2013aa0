"""Where the ledger is: a PostgreSQL by its address, or the embedded one in a folder."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import psycopg
from psycopg import conninfo, errors, sql
from psycopg_pool import ConnectionPool

from stream_attr.errors import StreamAttrError, UnusableError
from stream_attr.kafka.secret import Secret
from stream_attr.ledger.database.embedded import (
    USER,
    AlreadyRunning,
    EmbeddedPostgres,
    EmbeddedPostgresError,
    holds_database,
    running_in,
)
from stream_attr.ledger.database.schema import NO_LEDGER, SCHEMA, SchemaError

__all__ = ["EMBEDDED_NAME", "Connection", "Database", "DatabaseAway", "DatabaseError"]

logger = logging.getLogger(__name__)

Connection = psycopg.Connection[tuple[Any, ...]]

EMBEDDED_NAME: Final = "stream_attr"
"""The ledger's database in the embedded server."""

_OLDEST: Final = 15
_CONNECTION: Final = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
"""Unless the address says otherwise: a server that vanished without a word is noticed within a minute."""
_RECONNECT_S: Final = 5.0
"""How long a pool tries by itself, ever more seldom; then whoever needs a connection tries again."""
_ATTACH_S: Final = 60.0
_ADDRESS: Final = (
    "write postgresql://USER@HOST:PORT/DATABASE, with the password in PGPASSWORD or ~/.pgpass, or in the "
    "address with its special characters percent-encoded"
)
_REMEDIES: Final = (
    ("password", "check the password: --database-password-file, PGPASSWORD, ~/.pgpass or the address"),
    ("role", "check the user in the address"),
    ("pg_hba.conf", "have its administrator allow this user and host in pg_hba.conf"),
    ("database", "have its administrator create the database, or check its name in the address"),
)
"""A word of the reason, and what to do; the first that fits."""
_LOST: Final = ("08", "57P")
"""Classes of SQLSTATE that end a connection."""
_PASSING: Final = ("the database system is", "too many", "connection slots")
"""Reasons that pass by themselves."""


class DatabaseError(UnusableError):
    """The database cannot be used: its address, the user's rights, its version."""


class DatabaseAway(DatabaseError):  # noqa: N818 -- a state, not a mistake
    """The database cannot be reached now; later it may."""


class Database:
    """The ledger's database, for as long as the context lasts.

    Without an address it is the embedded one, run by this process or, if another one runs it in the same
    folder, shared with that.
    """

    def __init__(
        self,
        address: str | None,
        folder: Path,
        password: Secret | None = None,
        *,
        embedded_settings: Mapping[str, str] | None = None,
        create: bool = True,
    ) -> None:
        """Say where the database is; nothing is opened yet.

        ``address``: what libpq takes, ``postgresql://…`` or ``host=… dbname=…``; None: the embedded one in
        ``folder``. ``password``: with an address that has none. ``embedded_settings``: PostgreSQL's, of the
        embedded one. ``create``: make it where there is none.

        Raises:
            DatabaseError: the address cannot be one, or has a password too.
        """
        self._folder = folder
        self._embedded_settings = embedded_settings
        self._may_create = create
        self._server: EmbeddedPostgres | None = None
        self._is_embedded = False
        self._parameters = None if address is None else _parsed(address)
        if self._parameters is not None and password is not None:
            if "password" in self._parameters:
                raise DatabaseError("--database and --database-password-file both have a password: keep one")
            self._parameters["password"] = password.reveal()

    @property
    def name(self) -> str:
        """Where it is, for messages: never with a password."""
        if self._parameters is None or self._is_embedded:
            return f"the embedded database in {self._folder}"
        host = self._parameters.get("host") or self._parameters.get("hostaddr") or "this machine"
        port = self._parameters.get("port")
        return f"database {self._parameters.get('dbname', '')!r} on {host}{f':{port}' if port else ''}"

    @property
    def address(self) -> str:
        """What libpq takes, the password included if one was given; for programs such as ``psql``."""
        return conninfo.make_conninfo("", **self._open_parameters())

    def __enter__(self) -> Self:
        """Start the embedded server, or find the one that runs.

        Raises:
            EmbeddedPostgresError: it cannot run there.
            SchemaError: there is none, and it is not to be made.
        """
        if self._parameters is None:
            if not self._may_create and not holds_database(self._folder):
                raise SchemaError(NO_LEDGER.format(self._folder))
            self._start()
            self._is_embedded = True
            if self._server is not None:
                self._create()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        if self._is_embedded:
            self._parameters, self._is_embedded = None, False

    def revive(self) -> None:
        """Start the embedded server again if it has ended, whoever ran it; it lives as long as this thread.

        Raises:
            DatabaseAway: it does not start now.
        """
        if not self._is_embedded:
            return
        if self._server is not None:
            ended = self._server.ended()
            if ended is None:
                return
            logger.warning("%s; it is started again", ended)
            self._server.close()
            self._server = None
        try:
            self._start()
        except EmbeddedPostgresError as error:
            raise DatabaseAway(str(error)) from error

    def connect(self, *, autocommit: bool = False, application: str = "stream-attr") -> Connection:
        """Return a new connection whose search path is the ledger's; a ``with`` block closes it in the end.

        Raises:
            DatabaseAway: it cannot be reached.
            DatabaseError: it is there, and cannot be used.
        """
        parameters = {**_CONNECTION, **self._open_parameters()}
        parameters.setdefault("application_name", application)
        try:
            connection = psycopg.connect("", autocommit=True, **parameters)
        except psycopg.OperationalError as error:
            raise self._refused(error) from error
        try:
            with self.explaining():
                self._prepare(connection)
                connection.autocommit = autocommit
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def connection(
        self, *, autocommit: bool = False, application: str = "stream-attr"
    ) -> Iterator[Connection]:
        """Yield a connection; commit at the end, or roll back if the block raises, and close it.

        Raises:
            DatabaseAway: it cannot be reached, or was lost.
            DatabaseError: it cannot be used: rights, a full disk.
        """
        with (
            self.explaining(),
            self.connect(autocommit=autocommit, application=application) as connection,
        ):
            yield connection

    def pool(
        self,
        *,
        most: int = 8,
        autocommit: bool = False,
        application: str = "stream-attr",
        wait_s: float = 30.0,
    ) -> ConnectionPool[Connection]:
        """Return a pool of connections as ``connect`` makes them; a ``with`` block opens and closes it.

        ``wait_s``: how long one waits for a connection. An embedded server that was revived is found again.
        """

        def configure(connection: Connection) -> None:
            connection.autocommit = True
            self._prepare(connection)
            connection.autocommit = autocommit

        def address() -> str:
            parameters = {**_CONNECTION, "application_name": application, **self._open_parameters()}
            return conninfo.make_conninfo("", **parameters)

        return ConnectionPool(
            address,
            min_size=1,
            max_size=most,
            open=False,
            configure=configure,
            check=ConnectionPool.check_connection,
            timeout=wait_s,
            reconnect_timeout=_RECONNECT_S,
        )

    @contextmanager
    def explaining(self) -> Iterator[None]:
        """Raise what a user can do about an error of the database in its place, if there is anything."""
        try:
            yield
        except psycopg.Error as error:
            explained = self.explained(error)
            if explained is None:
                raise
            raise explained from error

    def explained(self, error: psycopg.Error) -> StreamAttrError | None:
        """Return what a user can do about an error of the database; None: the program is wrong."""
        if self._server is not None and (ended := self._server.ended()) is not None:
            return DatabaseAway(ended)
        reason = _first_line(error.diag.message_primary or str(error))
        if isinstance(error, errors.InsufficientPrivilege):
            return DatabaseError(
                f"{self.name}: {reason}: use the user that made the ledger, or have that granted"
            )
        if isinstance(error, errors.DiskFull):
            return DatabaseAway(f"{self.name}: {reason}: make room on its disk")
        if isinstance(error, errors.ReadOnlySqlTransaction):
            return DatabaseError(f"{self.name} cannot be written to, a replica perhaps: name the primary")
        if not isinstance(error, psycopg.OperationalError):
            return None
        if error.sqlstate is None or error.sqlstate.startswith(_LOST):
            return DatabaseAway(f"the connection to {self.name} was lost: {reason}")
        return DatabaseAway(f"{self.name}: {reason}: try again")

    def _open_parameters(self) -> dict[str, Any]:
        assert self._parameters is not None, "the context has not been entered"
        return dict(self._parameters)

    def _start(self) -> None:
        until = time.monotonic() + _ATTACH_S
        while True:
            server = EmbeddedPostgres(self._folder, self._embedded_settings)
            try:
                server.start()
            except AlreadyRunning:
                socket = running_in(self._folder)
                if socket is None and time.monotonic() < until:  # it is starting, or stopping
                    time.sleep(0.1)
                    continue
                if socket is None:
                    raise
            else:
                self._server, socket = server, server.socket
            self._parameters = {"host": str(socket), "user": USER, "dbname": EMBEDDED_NAME}
            return

    def _create(self) -> None:
        """Create the ledger's database in the embedded server, if it is not there."""
        parameters = {**self._open_parameters(), "dbname": "postgres"}
        try:
            with (
                self.explaining(),
                psycopg.connect("", autocommit=True, **parameters) as connection,
            ):
                query = "SELECT FROM pg_database WHERE datname = %s"
                if connection.execute(query, [EMBEDDED_NAME]).fetchone() is None:
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(EMBEDDED_NAME)))
        except (psycopg.Error, StreamAttrError):
            self.__exit__(None, None, None)
            raise

    def _prepare(self, connection: Connection) -> None:
        version = connection.info.server_version
        if version < _OLDEST * 10_000:
            raise DatabaseError(
                f"{self.name} is PostgreSQL {version // 10_000}, and the ledger needs {_OLDEST} or newer: "
                "upgrade it, or name another one with --database"
            )
        connection.execute(f"SET search_path TO {SCHEMA}")

    def _refused(self, error: psycopg.OperationalError) -> DatabaseError:
        if self._server is not None and (ended := self._server.ended()) is not None:
            return DatabaseAway(ended)
        text = str(error)
        fatal = re.search(r"FATAL: +(.+)", text)
        reason = fatal[1] if fatal else _first_line(text).rpartition(" failed: ")[2]
        if "password" not in reason and (fatal is None or any(word in reason for word in _PASSING)):
            return DatabaseAway(
                f"{self.name} cannot be reached ({reason}): check that it runs and that --database names it"
            )
        remedy = next((remedy for word, remedy in _REMEDIES if word in reason), "check --database")
        return DatabaseError(f"{self.name} refuses the connection ({reason}): {remedy}")


def _parsed(address: str) -> dict[str, Any]:
    """Return the parameters of an address; a message must not show what may be a password."""
    try:
        parameters = conninfo.conninfo_to_dict(address)
    except psycopg.ProgrammingError:
        raise DatabaseError(f"--database is not the address of a PostgreSQL: {_ADDRESS}") from None
    ports = str(parameters.get("port") or 1).split(",")
    cut_at_sign = any("@" in str(parameters.get(name) or "") for name in ("host", "dbname"))
    if cut_at_sign or not address.strip() or not all(port.isdecimal() for port in ports):
        raise DatabaseError(f"--database is not the address of a PostgreSQL: {_ADDRESS}")
    return dict(parameters)


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0].rstrip(".")
