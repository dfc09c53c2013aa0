"""A database that nobody runs yet."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from stream_attr.ledger.database.embedded import EmbeddedPostgres


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a server that has been stopped, to be copied: that is cheaper than to make one."""
    folder = tmp_path_factory.mktemp("made")
    with EmbeddedPostgres(folder):
        return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """The test's own folder with a database in it, which no server runs."""
    return shutil.copytree(made, tmp_path / "ledger")
