"""A replay's state on disk: nothing of it stays."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from stream_attr.files import spill_store
from stream_attr.files.spill_store import SpillStore


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    monkeypatch.setattr(spill_store, "TemporaryDirectory", lambda prefix: _Folder(tmp_path, prefix))
    return tmp_path


class _Folder(TemporaryDirectory):
    def __init__(self, parent: Path, prefix: str) -> None:
        super().__init__(prefix=prefix, dir=parent)


def test_what_is_written_is_read_and_takes_a_folder_only_then(folders):
    with SpillStore() as store:
        store.apply({b"s|a": None})
        assert store.get(b"s|a") is None
        assert list(store.items()) == []
        assert not list(folders.iterdir())
        store.apply({b"s|a": b"1", b"s|b": b"2"})
        store.apply({b"s|a": None, b"s|b": b"new", b"s|never": None})
        assert store.get(b"s|a") is None
        assert list(store.items()) == [(b"s|b", b"new")]
        assert list(folders.iterdir())
    assert not list(folders.iterdir())


def test_the_folder_goes_when_the_replay_fails(folders):
    def fail():
        with SpillStore() as store:
            store.apply({b"s|a": b"1"})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert not list(folders.iterdir())


def test_rows_without_a_value_are_kept_too():
    with SpillStore() as store:
        store.write_derived({b"\x05a": b"", b"\x05b": b""})
        store.write_derived({b"\x05a": None})
        assert list(store.items(b"\x05", b"\x06")) == [(b"\x05b", b"")]
