"""A small file system of a test's own, to be filled up."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kafka.conftest import REQUIRED


@contextmanager
def mounted(folder: Path, *, mebibytes: int) -> Iterator[Path]:
    """Mount one on a new folder; where that is forbidden the test is skipped, or fails (``REQUIRED``)."""
    folder.mkdir()
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    options = f"size={mebibytes}m,uid={os.geteuid()}"
    mount = [*sudo, "mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        (pytest.fail if REQUIRED else pytest.skip)(f"no file system can be mounted: {done.stderr}")
    yield folder
    subprocess.run([*sudo, "umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Leave no room on a disk; returns the file that takes it."""
    file = folder / "something else"
    with file.open("wb", buffering=0) as filling:
        try:
            while True:
                filling.write(bytes(4096))
        except OSError:
            return file
