"""What the fault tests share: traffic and what ``replay`` makes of it, an installation, the table's rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from apache_kafka import Cluster

from tests.kafka.reliability import TRIALS, Trial
from tests.kafka.verdicts import inputs, stream_attr

from .installation import DAYS, Installation, installed

EVENTS = 12_000


@pytest.fixture(scope="session")
def traffic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two days of two shops (one judged under a further profile), with late, repeated and bad records."""
    folder = tmp_path_factory.mktemp("fault-traffic")
    stream_attr(
        *("generate", "--seed", "11", "--events", str(EVENTS), "--days", str(DAYS), "--shops", "2"),
        *("--out", str(folder)),
    )
    replay(folder)
    return folder


def replay(folder: Path) -> Path:
    """Replay the files of a folder into its folder ``out``."""
    stream_attr("replay", *inputs(folder), "--out", str(folder / "out"))
    return folder


@pytest.fixture
def installation(cluster: Cluster, topic_prefix: str, tmp_path: Path) -> Iterator[Installation]:
    """Topics on the cluster of three and no worker yet; see ``installed`` for how it is left."""
    if not cluster.nodes:
        pytest.fail("the cluster of three did not come up again after an earlier test", pytrace=False)
    with installed(cluster, topic_prefix, tmp_path) as made:
        yield made


@pytest.fixture
def trial(request: pytest.FixtureRequest) -> Trial:
    """The row of the table that the test makes."""
    marker = request.node.get_closest_marker("fault")
    fault, then = marker.args
    made = Trial(fault, then, request.node.originalname)
    request.config.stash.setdefault(TRIALS, []).append(made)
    return made
