"""The brokers of these tests: the embedded one, Apache Kafka and a cluster of three, or one that is named.

``STREAM_ATTR_TEST_BROKER=host:port``  use that broker instead of the first two.
``STREAM_ATTR_REQUIRE_KAFKA=1``        fail instead of skipping where Apache Kafka cannot be run.
"""

from __future__ import annotations

import itertools
import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import apache_kafka
import pytest
from apache_kafka import Cluster
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from stream_attr.kafka.embedded.broker import EmbeddedBroker, embedded_broker
from tests.conftest import ON_CLUSTER
from tests.kafka.reliability import TRIALS, write
from tests.kafka.worker_process import PATIENCE_S

EXTERNAL = os.environ.get("STREAM_ATTR_TEST_BROKER")
REQUIRED = os.environ.get("STREAM_ATTR_REQUIRE_KAFKA") == "1"

NO_KAFKA = "no Apache Kafka: "
"""How the reason of a skipped test begins."""

HERE = Path(__file__).parent
_RUNNING = pytest.StashKey[dict[Cluster, Callable[[pytest.Item], object]]]()
"""Apache Kafka of this process, and which tests it is for."""


@dataclass(frozen=True)
class Broker:
    """A broker to test against."""

    kind: str
    """``embedded``, ``apache``, ``cluster`` or ``external``."""
    bootstrap: str

    @property
    def has_transactions(self) -> bool:
        """Whether aborted transactions are hidden from ``read_committed``; the embedded broker shows them."""
        return self.kind != "embedded"


KINDS = ["external"] if EXTERNAL else ["embedded", "apache"]
ALL_KINDS = [*KINDS, "cluster"]

any_broker = pytest.mark.parametrize("broker", KINDS[:1], indirect=True, scope="session")
"""For what the worker does alike whatever the broker is: on the first of them alone."""


@pytest.fixture(scope="session", params=KINDS)
def broker(request: pytest.FixtureRequest) -> Broker:
    """Each broker in turn, one process for all tests; see ``topic_prefix`` for how tests keep apart."""
    return broker_of(request)


def broker_of(request: pytest.FixtureRequest) -> Broker:
    """The broker of the kind that is the fixture's parameter."""
    if request.param == "external":
        assert EXTERNAL is not None
        return Broker("external", EXTERNAL)
    running = request.getfixturevalue(request.param)
    return Broker(request.param, running.bootstrap)


@pytest.fixture(scope="session")
def embedded() -> Iterator[EmbeddedBroker]:
    """The embedded broker."""
    with embedded_broker() as running:
        yield running


@pytest.fixture(scope="session")
def apache(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Apache Kafka of one node."""
    for running in apache_of(tmp_path_factory.mktemp("apache-kafka"), brokers=1):
        request.config.stash.setdefault(_RUNNING, {})[running] = lambda item: HERE in item.path.parents
        yield running


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Apache Kafka of three nodes; who kills some of them starts them again."""
    for running in apache_of(tmp_path_factory.mktemp("kafka-cluster"), brokers=3):
        request.config.stash.setdefault(_RUNNING, {})[running] = lambda item: ON_CLUSTER.search(item.nodeid)
        yield running


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Start what has been stopped since the last test of its kind."""
    for running, is_for in item.config.stash.get(_RUNNING, {}).items():
        if is_for(item):
            running.start()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Stop what the next test is not for: a node that has nothing to do costs a twentieth of a core."""
    try:
        yield
    finally:
        for running, is_for in item.config.stash.get(_RUNNING, {}).items():
            if nextitem is None or not is_for(nextitem):
                running.kill()


def apache_of(state: Path, *, brokers: int) -> Iterator[Cluster]:
    """Apache Kafka of so many nodes; skips the test, or fails it (``REQUIRED``), where it cannot be run."""
    try:
        with apache_kafka.cluster(state, brokers=brokers) as running:
            yield running
    except apache_kafka.KafkaUnavailable as error:
        if REQUIRED:
            pytest.fail(f"Apache Kafka is required (STREAM_ATTR_REQUIRE_KAFKA=1): {error}", pytrace=False)
        pytest.skip(f"{NO_KAFKA}{error}")


_counter = itertools.count(1)


@pytest.fixture
def topic_prefix(request: pytest.FixtureRequest) -> Iterator[str]:
    """A prefix for the topics and group ids of this test alone, even on a broker that lives on."""
    prefix = f"t{next(_counter)}-{uuid.uuid4().hex[:8]}-"
    yield prefix
    brokers = {"broker", "apache", "cluster"}.intersection(request.fixturenames)
    for one in map(request.getfixturevalue, sorted(brokers)):
        if isinstance(one, Cluster) or one.kind in ("apache", "cluster"):
            delete_topics(one.bootstrap, prefix)


def delete_topics(bootstrap: str, prefix: str) -> None:
    """Delete a test's topics: nodes ask each other for news of each, and load each when they are started."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    names = [name for name in admin.list_topics(timeout=PATIENCE_S).topics if name.startswith(prefix)]
    for deleted in admin.delete_topics(names).values() if names else ():
        try:
            deleted.result(PATIENCE_S)
        except KafkaException as error:  # a request that is repeated finds what it has deleted before
            if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the table of ``docs/reliability.md``, where that is asked for."""
    file = os.environ.get("STREAM_ATTR_RELIABILITY")
    if file is not None:
        write(session.config.stash.get(TRIALS, []), Path(file))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly what was not tested: without Apache Kafka a green run proves nothing about faults."""
    skipped = {str(report.longrepr) for report in terminalreporter.stats.get("skipped", ())}
    if any(NO_KAFKA in reason for reason in skipped):
        terminalreporter.section("NOT TESTED ON APACHE KAFKA", sep="!", red=True, bold=True)
        terminalreporter.line(
            "Transactions, recovery and faults were tried on the embedded broker alone, which cannot prove "
            "them. Install Java 17 and Maven (the skipped tests say what is missing), or set "
            "STREAM_ATTR_TEST_BROKER=host:port.",
            red=True,
        )
