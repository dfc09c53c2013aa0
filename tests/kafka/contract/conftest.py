"""Everything that the worker needs of a broker: on the embedded one, on Apache Kafka, and on three of it."""

from __future__ import annotations

import pytest

from tests.kafka.conftest import ALL_KINDS, Broker, broker_of


@pytest.fixture(scope="session", params=ALL_KINDS)
def broker(request: pytest.FixtureRequest) -> Broker:
    """Each kind of broker in turn."""
    return broker_of(request)
