"""As whom the embedded PostgreSQL runs: it refuses root, and needs a user that has a name."""

from __future__ import annotations

import ctypes
import os
import pwd
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from stream_attr.errors import UnusableError

__all__ = ["Identity", "identity_for"]

_CLONE_NEWUSER = 0x1000_0000
_NOBODY = 65534
_NAMES = ("postgres", "daemon", "bin", "nobody")


@dataclass(frozen=True, slots=True)
class Identity:
    """A user as whom PostgreSQL can run."""

    uid: int
    """Owns its files, as this process sees them."""
    gid: int
    become: Callable[[], None] | None
    """To be called in the child before PostgreSQL starts; None: it runs as this process does."""


def identity_for(folder: Path, program: Path, owner: int | None) -> Identity:
    """Return as whom ``program`` can run and use ``folder``.

    As this user, unless that is root or has no name. Then in a user namespace, where the same user has
    another number: to the file system it stays who it was, so that folders which only root can enter need
    no change. Where the system forbids that, root takes the user to whom the folder belongs, ``postgres`` or
    ``nobody``. ``owner``: to whom the database's files belong, if there are any: nobody else will do.

    Raises:
        UnusableError: nobody will do; or the files belong to another user.
    """
    mine = os.geteuid()
    if owner is not None and owner != mine and (mine != 0 or not _has_name(owner)):
        raise UnusableError(
            f"the database in {folder} belongs to {_name(owner)}, not to {_name(mine)}: run as that user"
        )
    if mine != 0 and _has_name(mine):
        return Identity(mine, os.getegid(), None)
    for candidate in _candidates(folder):
        if owner in (None, candidate.uid) and _can(candidate, folder, program):
            return candidate
    if mine != 0:
        raise UnusableError(
            f"PostgreSQL cannot run as user {mine}, who has no name, and user namespaces are not allowed: "
            "give the user a line in /etc/passwd, or name a database with --database"
        )
    raise UnusableError(
        f"PostgreSQL cannot run as root, and no other user can use {folder} and {program.parent}: run as "
        "another user than root, allow user namespaces, or name a database with --database"
    )


def _candidates(folder: Path) -> Iterator[Identity]:
    mine, group = os.geteuid(), os.getegid()
    if sys.platform == "linux" and (inner := _ordinary()) is not None:
        yield Identity(mine, group, _map_to(inner.pw_uid, inner.pw_gid))
    if mine != 0:
        return
    status = folder.stat()
    if status.st_uid != 0 and _has_name(status.st_uid):
        yield Identity(status.st_uid, status.st_gid, _drop_to(status.st_uid, status.st_gid))
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        yield Identity(user.pw_uid, user.pw_gid, _drop_to(user.pw_uid, user.pw_gid))


def _can(identity: Identity, folder: Path, program: Path) -> bool:
    """Whether the user can become one, enter the folder and run the program."""
    become = identity.become
    assert become is not None

    def enter() -> None:
        become()
        os.chdir(folder)

    if identity.uid != os.geteuid():
        _let_through(folder)
    try:
        done = subprocess.run(
            [program, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            preexec_fn=enter,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def _let_through(folder: Path) -> None:
    """Let another user reach what it owns within the folder, which keeps hiding what else it holds."""
    mode = folder.stat().st_mode & 0o7777
    if not mode & 0o001:
        folder.chmod(mode | 0o011)


def _map_to(uid: int, gid: int) -> Callable[[], None]:
    """Enter a user namespace in which this user is ``uid``; no rights beyond the user's own remain."""
    libc = ctypes.CDLL(None, use_errno=True)
    writes = [
        (b"/proc/self/setgroups", b"deny"),
        (b"/proc/self/uid_map", b"%d %d 1" % (uid, os.geteuid())),
        (b"/proc/self/gid_map", b"%d %d 1" % (gid, os.getegid())),
    ]

    def become() -> None:
        if libc.unshare(_CLONE_NEWUSER) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        for path, content in writes:
            file = os.open(path, os.O_WRONLY)
            os.write(file, content)
            os.close(file)

    return become


def _drop_to(uid: int, gid: int) -> Callable[[], None]:
    def become() -> None:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)

    return become


def _ordinary() -> pwd.struct_passwd | None:
    """Some user of this machine who is not root; rather not the one for whom nobody else stands."""
    for name in _NAMES:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        if user.pw_uid not in (0, _NOBODY):
            return user
    others = [user for user in pwd.getpwall() if user.pw_uid != 0]
    return min(others, key=lambda user: (user.pw_uid == _NOBODY, user.pw_uid), default=None)


def _has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _name(uid: int) -> str:
    return pwd.getpwuid(uid).pw_name if _has_name(uid) else f"user {uid}"
