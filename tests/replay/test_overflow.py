"""A replay's state: the same in memory and on disk, and nothing of it stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream_attr.replay import overflow
from stream_attr.replay.overflow import OverflowStore


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    monkeypatch.setattr(overflow, "TemporaryDirectory", lambda prefix: _Folder(tmp_path, prefix))
    return tmp_path


class _Folder(overflow.TemporaryDirectory):
    def __init__(self, parent: Path, prefix: str) -> None:
        super().__init__(prefix=prefix, dir=parent)


def test_state_moves_to_disk_when_it_outgrows_memory_and_nothing_is_lost(folders):
    with OverflowStore(kept_bytes=20) as store:
        store.apply({b"s|a": b"0123456789", b"s|b": b"0123456789"})
        assert not store.on_disk
        store.apply({b"s|c": b"x"})
        assert store.on_disk
        assert sorted(store.items()) == [(b"s|a", b"0123456789"), (b"s|b", b"0123456789"), (b"s|c", b"x")]
        store.apply({b"s|a": None, b"s|b": b"new", b"s|never": None})
        assert store.get(b"s|a") is None
        assert store.get(b"s|b") == b"new"
        assert list(folders.iterdir())
    assert not list(folders.iterdir())


def test_what_is_replaced_or_deleted_takes_no_room():
    with OverflowStore(kept_bytes=20) as store:
        for _ in range(5):
            store.apply({b"s|a": b"0123456789"})
            store.apply({b"s|b": b"0123456789"})
            store.apply({b"s|b": None})
        assert not store.on_disk


def test_the_folder_goes_when_the_replay_fails(folders):
    def fail():
        with OverflowStore(kept_bytes=0) as store:
            store.apply({b"s|a": b"1"})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert not list(folders.iterdir())
