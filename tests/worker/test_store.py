"""Local stores: one contract for both kinds, and what RocksDB's survives."""

from __future__ import annotations

import pytest
import rocksdict

from stream_attr.processor.ports import PROGRESS_KEY
from stream_attr.worker.config import StoreKind
from stream_attr.worker.state import store as store_module
from stream_attr.worker.state.memory_budget import Memory
from stream_attr.worker.state.store import (
    GLOBAL_TABLES_KEY,
    Checkpoint,
    RocksStore,
    StoreBusy,
    StoreDamagedError,
    StoreUnusableError,
    open_store,
)

TOPIC = "topic-id"
NOW = 1_793_500_000_000
MEMORY = Memory(16)


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    monkeypatch.setattr(store_module, "wall_clock_ms", lambda: NOW)


@pytest.fixture(params=list(StoreKind))
def store(request, tmp_path):
    opened = open_store(request.param, tmp_path, 3, MEMORY)
    yield opened
    opened.close()


def test_a_new_store_is_empty_and_stands_nowhere(store):
    assert list(store.items()) == []
    assert store.get(b"jd:1|b") is None
    assert store.checkpoint(TOPIC) is None


def test_it_holds_what_was_written_and_where_it_stands(store):
    store.write([(b"jd:1|a", b"1"), (b"jd:1|b", b"2")], TOPIC, 17)
    store.write([(b"jd:1|a", None), (b"jd:1|b", b"3"), (b"jd:1|none", None)], TOPIC, 20)
    assert dict(store.items()) == {b"jd:1|b": b"3"}
    assert store.get(b"jd:1|a") is None
    assert store.checkpoint(TOPIC) == Checkpoint(20, NOW)


def test_the_last_of_several_changes_of_a_key_holds(store):
    store.write([(b"jd:1|a", b"1"), (b"jd:1|a", None), (b"jd:1|a", b"2")], TOPIC, 3)
    assert dict(store.items()) == {b"jd:1|a": b"2"}


def test_the_workers_own_records_are_no_buyers(store):
    store.write([(PROGRESS_KEY, b"p"), (GLOBAL_TABLES_KEY, b"k"), ("京东|b".encode(), b"1")], TOPIC, 3)
    assert dict(store.items()) == {"京东|b".encode(): b"1"}
    assert store.get(PROGRESS_KEY) == b"p"
    assert store.get(GLOBAL_TABLES_KEY) == b"k"


def test_a_stretch_of_keys_comes_by_key_without_its_end(store):
    store.write([(key, key * 2) for key in (b"d", b"b", b"a", b"c", b"cc")], TOPIC, 1)
    assert list(store.items(b"b", b"cc")) == [(b"b", b"bb"), (b"c", b"cc")]
    assert [key for key, _ in store.items(b"c")] == [b"c", b"cc", b"d"]


def test_what_is_derived_is_stored_beside_the_state_and_moves_no_offset(store):
    store.write([(b"a", b"1")], TOPIC, 7)
    store.write_derived({b"\x05b": b"", b"\x05c": b""})
    seen = []
    for key, _ in store.items(b"\x05", b"\x06"):
        seen.append(key)
        store.write_derived({b"\x05b": None, b"\x05bb": b""})
    assert seen == [b"\x05b", b"\x05c"]
    assert [key for key, _ in store.items()] == [b"\x05bb", b"\x05c", b"a"]
    assert store.checkpoint(TOPIC).offset == 7


def test_partitions_share_what_may_be_kept_decoded():
    memory = Memory(512)
    assert memory.facts(1) == 256 * 1024 * 1024 // 512
    assert memory.facts(4) == memory.facts(1) // 4
    assert memory.facts(0) == memory.facts(1)


def test_of_another_changelog_it_stands_nowhere(store):
    store.write([(b"jd:1|a", b"1")], TOPIC, 3)
    assert store.checkpoint("another") is None


def test_cleared_it_is_new(store):
    store.write([(b"jd:1|a", b"1"), (PROGRESS_KEY, b"p")], TOPIC, 3)
    store.clear()
    assert list(store.items()) == []
    assert store.get(PROGRESS_KEY) is None
    assert store.checkpoint(TOPIC) is None
    store.write([(b"jd:1|a", b"2")], TOPIC, 1)
    assert dict(store.items()) == {b"jd:1|a": b"2"}


def test_its_size_grows_with_what_it_holds(store):
    before = store.size()
    store.write([(b"jd:1|%d" % n, b"x" * 1000) for n in range(5000)], TOPIC, 1)
    assert store.size() >= before + 2_000_000


def test_rocksdb_keeps_everything_over_a_restart(tmp_path):
    first = RocksStore(tmp_path / "0", MEMORY)
    first.write([(b"jd:1|a", b"1"), (PROGRESS_KEY, b"p")], TOPIC, 3)
    first.close()
    second = RocksStore(tmp_path / "0", MEMORY)
    assert dict(second.items()) == {b"jd:1|a": b"1"}
    assert second.get(PROGRESS_KEY) == b"p"
    assert second.checkpoint(TOPIC) == Checkpoint(3, NOW)
    second.close()


def test_rocksdb_gives_up_what_it_cannot_read(tmp_path):
    store = RocksStore(tmp_path / "0", MEMORY)
    store.write([(b"jd:1|a", b"1")], TOPIC, 3)
    store.close()
    for file in (tmp_path / "0").glob("MANIFEST*"):
        file.write_bytes(b"damaged")
    rebuilt = RocksStore(tmp_path / "0", MEMORY)
    assert list(rebuilt.items()) == []
    assert rebuilt.checkpoint(TOPIC) is None
    rebuilt.close()


def filled(path):
    store = RocksStore(path, MEMORY)
    store.write([(b"jd:1|%04d" % n, b"%04d" % n * 100) for n in range(1000)], TOPIC, 3)
    store.close()
    [file] = path.glob("*.sst")
    return file


def spoil(file, at):
    """Turn some bits of a file round."""
    content = bytearray(file.read_bytes())
    content[at] ^= 0xFF
    file.write_bytes(content)


def test_a_damaged_block_is_an_error_and_not_the_end(tmp_path):
    file = filled(tmp_path / "0")
    spoil(file, file.stat().st_size // 2)
    store = RocksStore(tmp_path / "0", MEMORY)
    with pytest.raises(StoreDamagedError, match="Corruption"):
        list(store.items())
    with pytest.raises(StoreDamagedError, match="Corruption"):
        [store.get(b"jd:1|%04d" % n) for n in range(1000)]
    store.clear()
    assert list(store.items()) == []
    store.close()


def test_a_damaged_index_block_is_no_lock_of_somebody_else(tmp_path):
    file = filled(tmp_path / "0")
    spoil(file, file.stat().st_size - 5)
    rebuilt = RocksStore(tmp_path / "0", MEMORY)
    assert list(rebuilt.items()) == []
    rebuilt.close()


def test_where_the_disk_refuses_nothing_is_thrown_away(tmp_path, monkeypatch):
    file = filled(tmp_path / "0")

    def refuse(*_, **__):
        raise Exception(f"IO error: No space left on device: While appending to file: {file}")  # noqa: TRY002

    with monkeypatch.context() as full:
        full.setattr(rocksdict, "Rdict", refuse)
        with pytest.raises(StoreUnusableError, match="No space left on device"):
            RocksStore(tmp_path / "0", MEMORY)
    store = RocksStore(tmp_path / "0", MEMORY)
    assert len(list(store.items())) == 1000
    store.close()


def test_one_directory_has_one_owner(tmp_path, monkeypatch):
    monkeypatch.setattr(store_module, "_OPEN_TIMEOUT_S", 0.2)
    owner = RocksStore(tmp_path / "0", MEMORY)
    with pytest.raises(StoreBusy, match="need a --data-dir each"):
        RocksStore(tmp_path / "0", MEMORY)
    owner.close()
    RocksStore(tmp_path / "0", MEMORY).close()


def test_a_machine_out_of_descriptors_says_so_and_keeps_what_is_there(tmp_path, no_file_descriptors):
    store = RocksStore(tmp_path, MEMORY)
    store.write([(b"jd:1|b", b"1")], TOPIC, 7)
    store.close()
    with no_file_descriptors, pytest.raises(StoreUnusableError, match=r"limit of open files \(ulimit -Hn\)"):
        RocksStore(tmp_path, MEMORY)
    store = RocksStore(tmp_path, MEMORY)
    assert store.get(b"jd:1|b") == b"1"
    store.close()
