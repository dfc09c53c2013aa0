"""A fault test that fails leaves a whole cluster behind, so that no other fails in its wake."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from apache_kafka import Cluster

from stream_attr.kafka.admin import partition_counts
from tests.kafka.conftest import apache_of

from .installation import installed

pytestmark = pytest.mark.kafka


@pytest.fixture
def single(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A node of one's own, which may be spoilt."""
    yield from apache_of(tmp_path_factory.mktemp("single"), brokers=1)


def fail_amid(fault, cluster, prefix, folder):
    """Do as a test does that brings a fault about and fails then."""
    folder.mkdir()
    with installed(cluster, prefix, folder) as made:
        made.worker().start()
        fault()
        raise ZeroDivisionError


def spoil(cluster):
    """Kill all nodes and leave nothing whole of what they have stored."""
    cluster.kill()
    for file in cluster.data(1).rglob("*"):
        if file.is_file():
            file.write_bytes(b"spoilt")


def test_whatever_happens_in_a_test_the_next_one_finds_all_nodes(single, tmp_path):
    first, second = "first-chat-events", "second-chat-events"
    with pytest.raises(ZeroDivisionError):
        fail_amid(single.kill, single, "first-", tmp_path / "first")
    assert partition_counts(single.bootstrap, [first]).keys() == {first}
    with pytest.raises(ZeroDivisionError):
        fail_amid(lambda: spoil(single), single, "second-", tmp_path / "second")
    assert len(single.nodes) == 1
    assert partition_counts(single.bootstrap, [first, second]) == {}, "it was begun again"
