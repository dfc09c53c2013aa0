"""``.ci/chromium``: installs a browser where it may, and says why where it may not; never waits for long."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci" / "chromium"
NEEDED = ("bash", "env", "timeout", "sleep")
LOUD = "!!! NO CHROMIUM: ALL TESTS IN A BROWSER ARE SKIPPED !!!"


class Machine:
    """A folder of programs, which are all that the script finds; Debian's are written for the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in NEEDED:
            found = shutil.which(name)
            assert found is not None
            (folder / name).symlink_to(found)
        self.asked = folder / "asked"
        self.has("id", "echo 0")
        self.has("dpkg-query", f'[ -e "{folder}/installed" ] && echo -n installed')
        self.has(
            "apt-get",
            f'echo "$*" >> "{self.asked}"\ncase "$*" in *--no-download*) :> "{folder}/installed";; esac',
        )

    def has(self, name: str, script: str) -> None:
        """Give the machine a program."""
        file = self.folder / name
        file.write_text(f"#!/bin/bash\n{script}\n")
        file.chmod(0o700)

    def run(self, **variables: str) -> tuple[int, str, list[str]]:
        """Run the script; its status, what it says, and what apt-get was asked for."""
        environment = {
            key: value for key, value in os.environ.items() if key != "STREAM_ATTR_REQUIRE_BROWSER"
        }
        done = subprocess.run(
            [self.folder / "bash", SCRIPT],
            env={**environment, "PATH": str(self.folder), **variables},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        asked = self.asked.read_text().splitlines() if self.asked.exists() else []
        words = [[one for one in line.split() if one.isalpha() or one.startswith("--no-d")] for line in asked]
        return done.returncode, done.stdout + done.stderr, [" ".join(one) for one in words]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_what_is_missing_is_downloaded_and_then_unpacked(machine):
    status, said, asked = machine.run()
    assert (status, LOUD in said) == (0, False)
    assert asked == ["install chromium", "install --no-download chromium"]
    assert "fonts-noto-cjk" in machine.asked.read_text()


def test_what_is_there_is_not_installed(machine):
    (machine.folder / "installed").touch()
    assert machine.run() == (0, "", [])


def test_a_list_of_packages_that_is_missing_is_fetched(machine):
    machine.has(
        "apt-get",
        f'echo "$*" >> "{machine.asked}"\n'
        f'case "$*" in *update*) :> "{machine.folder}/list";; esac\n[ -e "{machine.folder}/list" ]',
    )
    status, _, asked = machine.run()
    assert status == 0
    assert asked == ["install chromium", "update", "install chromium", "install --no-download chromium"]


@pytest.mark.parametrize(("required", "status"), [("", 0), ("0", 0), ("1", 1)])
def test_without_any_way_it_says_so_and_fails_where_a_browser_is_required(machine, required, status):
    machine.has("apt-get", "exit 100")
    found, said, _ = machine.run(STREAM_ATTR_REQUIRE_BROWSER=required)
    assert (found, LOUD in said) == (status, True)
    assert "could not be downloaded" in said


def test_who_may_not_install_does_not_try(machine):
    machine.has("id", "echo 1000")
    status, said, asked = machine.run()
    assert (status, asked, LOUD in said) == (0, [], True)
    assert "root alone" in said


def test_who_may_become_root_without_a_password_does(machine):
    machine.has("id", "echo 1000")
    machine.has("sudo", f'echo sudo >> "{machine.folder}/became"\nshift\nexec "$@"')
    machine.has("true", "exit 0")
    status, _, asked = machine.run()
    assert (status, asked) == (0, ["install chromium", "install --no-download chromium"])
    assert len((machine.folder / "became").read_text().splitlines()) == 3


def test_another_system_than_debian_is_left_alone(machine):
    (machine.folder / "apt-get").unlink()
    status, said, _ = machine.run()
    assert (status, LOUD in said) == (0, True)
    machine.has("chromium", "exit 0")
    status, said, _ = machine.run(STREAM_ATTR_REQUIRE_BROWSER="1")
    assert (status, LOUD in said) == (0, False)


def test_a_mirror_that_hangs_is_not_waited_for(machine, tmp_path):
    machine.has("apt-get", "sleep 50")
    short = tmp_path / "short"
    short.write_text(SCRIPT.read_text().replace("DOWNLOAD_S=100", "DOWNLOAD_S=2"))
    began = time.monotonic()
    done = subprocess.run(
        [machine.folder / "bash", short],
        env={"PATH": str(machine.folder)},
        capture_output=True,
        text=True,
        timeout=45,
        check=False,
    )
    assert (done.returncode, "within 2 seconds" in done.stderr, LOUD in done.stderr) == (0, True, True)
    assert time.monotonic() - began < 40
