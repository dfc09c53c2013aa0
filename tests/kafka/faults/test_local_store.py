"""Local stores that are gone, damaged, older than the changelog, or on a disk that is full."""

from __future__ import annotations

import shutil

import pytest

from tests.kafka.small_disk import fill, mounted
from tests.kafka.verdicts import EVENTS, inputs, parts_of
from tests.kafka.worker_process import until


def judge_all(installation, worker, folder=None):
    """Start a worker and have it judge everything; it is stopped then."""
    if folder is not None:
        installation.publish(*inputs(folder, *EVENTS))
    worker.start()
    until(lambda: not installation.not_judged(), worker)
    assert worker.stop() == 0


def stores(worker):
    """The folders of its partitions."""
    return sorted(entry for entry in worker.data_dir.iterdir() if entry.is_dir())


def spoil(folder, pattern, place):
    """Turn 64 bytes round in the biggest file of that name; ``place`` is a part of its length."""
    file = max(folder.glob(pattern), key=lambda found: found.stat().st_size)
    content = bytearray(file.read_bytes())
    begin = int(len(content) * place)
    content[begin : begin + 64] = bytes(byte ^ 0xFF for byte in content[begin : begin + 64])
    file.write_bytes(content)


def spoil_blocks(folder):
    spoil(folder, "*.sst", 0.5)


def spoil_end(folder):
    spoil(folder, "*.sst", 0.999)


def spoil_manifest(folder):
    spoil(folder, "MANIFEST-*", 0.5)


def empty_all_files(folder):
    for file in folder.iterdir():
        file.write_bytes(b"")


def delete(folder):
    shutil.rmtree(folder)


HARMS = (delete, spoil_blocks, spoil_end, spoil_manifest, empty_all_files)


@pytest.mark.fault(
    "the local store deleted, or corrupted (blocks, footer, manifest, all files)",
    "it discards what it cannot read, logs that, and restores the store from the changelog",
)
def test_a_store_is_deleted_or_corrupted(installation, traffic, trial, tmp_path):
    worker = installation.worker()
    installation.publish(*inputs(traffic, "roster", "settings"))
    first, *parts = parts_of(traffic, tmp_path, 1 + len(HARMS))
    judge_all(installation, worker, first)
    for harm, part in zip(HARMS, parts, strict=True):
        for folder in stores(worker):
            harm(folder)
        judge_all(installation, worker, part)
        trial.tried += 1
    worker.start()
    installation.finish(worker)
    trial.compare(worker, traffic)
    assert worker.stop() == 0


@pytest.mark.fault(
    "the local store corrupted under a worker that runs", "it restores it, and judges the batch again"
)
def test_a_store_is_corrupted_under_a_running_worker(installation, traffic, trial, tmp_path):
    worker = installation.worker()
    installation.publish(*inputs(traffic, "roster", "settings"))
    first, second = parts_of(traffic, tmp_path, 2)
    judge_all(installation, worker, first)
    worker.start().until_ready()
    for folder in stores(worker):
        spoil_blocks(folder)
        trial.tried += 1
    installation.publish(*inputs(second, *EVENTS))
    installation.finish(worker)
    trial.compare(worker, traffic)
    assert worker.stop() == 0


@pytest.mark.fault(
    "the local store older than the changelog (a copy of it restored)",
    "it reads the changelog on from where the store stands",
)
def test_a_store_is_older_than_the_changelog(installation, traffic, trial, tmp_path):
    worker = installation.worker()
    installation.publish(*inputs(traffic, "roster", "settings"))
    first, second, third = parts_of(traffic, tmp_path, 3)
    judge_all(installation, worker, first)
    shutil.copytree(worker.data_dir, tmp_path / "copy")
    judge_all(installation, worker, second)
    shutil.rmtree(worker.data_dir)
    shutil.copytree(tmp_path / "copy", worker.data_dir)
    trial.tried += len(stores(worker))
    judge_all(installation, worker, third)
    assert "local state discarded" not in worker.log.read_text()
    worker.start()
    installation.finish(worker)
    trial.compare(worker, traffic)
    assert worker.stop() == 0


@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own."""
    with mounted(tmp_path / "disk", mebibytes=8) as folder:
        yield folder


@pytest.mark.fault(
    "a full disk under the data directory, met while judging and met at the start",
    "it ends with one sentence that names the directory; started again with room, it reads the changelog on",
)
def test_the_disk_is_full(installation, traffic, trial, tmp_path, small_disk):
    worker = installation.worker()
    worker.data_dir = small_disk / "data"
    installation.publish(*inputs(traffic, "roster", "settings"))
    first, second, third = parts_of(traffic, tmp_path, 3)
    judge_all(installation, worker, first)
    worker.start().until_ready()
    filling = fill(small_disk)
    installation.publish(*inputs(second, *EVENTS))
    for _ in range(2):
        assert worker.wait() == 1
        said = worker.log.read_text()
        assert f"the local state in {worker.data_dir}" in said
        assert "No space left on device" in said
        assert "Traceback" not in said
        trial.tried += 1
        worker.log.write_bytes(b"")
        worker.start()
    worker.wait()
    filling.unlink()
    judge_all(installation, worker, third)
    worker.start()
    installation.finish(worker)
    trial.compare(worker, traffic)
    assert worker.stop() == 0
