"""``make kafka-up`` and ``make kafka-down``: a cluster that outlives the command, and keeps its data."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import apache_kafka
import pytest

from stream_attr.kafka.admin import create_topics, partition_counts
from stream_attr.kafka.embedded.server import free_port

SCRIPT = Path(apache_kafka.__file__)
needs_kafka = pytest.mark.skipif(apache_kafka.why_not() is not None, reason=str(apache_kafka.why_not()))


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)


@pytest.mark.kafka
@needs_kafka
def test_data_survives_down_and_up(tmp_path):
    port = free_port()
    up = ("up", "--port", str(port), "--state", str(tmp_path))
    down = ("down", "--state", str(tmp_path))
    try:
        first = run(*up)
        assert (first.returncode, first.stdout) == (0, f"127.0.0.1:{port}\n"), first.stderr
        create_topics(first.stdout.strip(), partitions=1)
        again = run(*up)
        assert (again.returncode, "runs already" in again.stderr) == (1, True)
        assert "stopped 1 node" in run(*down).stderr
        assert run(*up).returncode == 0
        assert partition_counts(first.stdout.strip(), ["chat-events"]) == {"chat-events": 1}
    finally:
        run(*down)
    assert apache_kafka.running(tmp_path) == []


@pytest.mark.kafka
@needs_kafka
def test_a_taken_port_is_named(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run("up", "--port", str(port), "--state", str(tmp_path))
    assert (done.returncode, f"port {port} on 127.0.0.1 cannot be used" in done.stderr) == (1, True)


def test_down_without_up_is_no_error(tmp_path):
    done = run("down", "--state", str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "it was not running\n")


def test_a_pid_that_was_reused_is_not_ours(tmp_path):
    (tmp_path / "nodes.json").write_text(f'[{{"id": 1, "port": 9092, "pid": {os.getpid()}}}]')
    assert apache_kafka.running(tmp_path) == []
    assert apache_kafka.down(tmp_path) == []


@pytest.mark.kafka
@needs_kafka
@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="asked of Linux")
def test_a_node_reads_its_classes_from_the_archive(apache):
    mapped = Path(f"/proc/{apache.nodes[0].pid}/maps").read_text()
    assert f"{apache_kafka.fetched_jars()}." in mapped
