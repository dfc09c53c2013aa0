"""The brokers of these tests: the embedded one and a real Apache Kafka, or one that the environment names.

``STREAM_ATTR_TEST_BROKER=host:port``  use that broker instead of both.
``STREAM_ATTR_REQUIRE_KAFKA=1``        fail instead of skipping where Apache Kafka cannot be run.
"""

from __future__ import annotations

import itertools
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import apache_kafka
import pytest

from stream_attr.broker.embedded import embedded_broker

EXTERNAL = os.environ.get("STREAM_ATTR_TEST_BROKER")
REQUIRED = os.environ.get("STREAM_ATTR_REQUIRE_KAFKA") == "1"

SKIPPED_BECAUSE = pytest.StashKey[str]()


@dataclass(frozen=True)
class Broker:
    """A broker to test against."""

    kind: str
    """``embedded``, ``apache`` or ``external``."""
    bootstrap: str

    @property
    def has_transactions(self) -> bool:
        """Whether aborted transactions are hidden from ``read_committed``; the embedded broker shows them."""
        return self.kind != "embedded"


@pytest.fixture(scope="session", params=["external"] if EXTERNAL else ["embedded", "apache"])
def broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Each broker in turn, one process for all tests; see ``topic_prefix`` for how tests keep apart."""
    if request.param == "external":
        assert EXTERNAL is not None
        yield Broker("external", EXTERNAL)
    elif request.param == "embedded":
        with embedded_broker() as running:
            yield Broker("embedded", running.bootstrap)
    else:
        yield from _apache(request.config, tmp_path_factory.mktemp("apache-kafka"))


def _apache(config: pytest.Config, state: Path) -> Iterator[Broker]:
    try:
        with apache_kafka.cluster(state) as nodes:
            yield Broker("apache", apache_kafka.bootstrap(nodes))
    except apache_kafka.KafkaUnavailable as error:
        if REQUIRED:
            pytest.fail(f"Apache Kafka is required (STREAM_ATTR_REQUIRE_KAFKA=1): {error}", pytrace=False)
        config.stash[SKIPPED_BECAUSE] = str(error)
        pytest.skip(f"no Apache Kafka: {error}")


_counter = itertools.count(1)


@pytest.fixture
def topic_prefix() -> str:
    """A prefix for the topics and group ids of this test alone, even on a broker that lives on."""
    return f"t{next(_counter)}-{uuid.uuid4().hex[:8]}-"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say loudly what was not tested: without Apache Kafka a green run proves nothing about faults."""
    reason = config.stash.get(SKIPPED_BECAUSE, None)
    if reason is not None:
        terminalreporter.section("NOT TESTED ON APACHE KAFKA", sep="!", red=True, bold=True)
        terminalreporter.line(reason, red=True)
        terminalreporter.line(
            "Transactions, recovery and faults were tried on the embedded broker alone, "
            "which cannot prove them. Install Java 17 and Maven, or set STREAM_ATTR_TEST_BROKER=host:port.",
            red=True,
        )
