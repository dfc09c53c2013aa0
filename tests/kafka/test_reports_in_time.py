"""A worker that has caught up emits facts a minute after they changed, and agents' days at most two."""

from __future__ import annotations

import json

import pytest
from confluent_kafka import Producer

from stream_attr.contract.topics import AGENT_DAILY, CHAT, FACTS
from stream_attr.kafka.admin import create_topics
from tests.kafka.conftest import any_broker
from tests.kafka.faults.installation import HookedWorker
from tests.kafka.verdicts import decisions, until_at_rest
from tests.kafka.worker_process import until

pytestmark = any_broker

T = 1_793_498_400_000
"""2026-11-01 10:00 in Shanghai."""
MINUTE_MS = 60_000


class Shop:
    """One worker on topics of one partition, and the wall clock that it reads."""

    def __init__(self, broker, prefix, folder, clock):
        create_topics(broker.bootstrap, partitions=1, prefix=prefix)
        self._clock = folder / "clock"
        self.at(T)
        hooks = (f"--clock-file={self._clock}", "--idle-tick-ms=1000")
        self.worker = HookedWorker(
            broker.bootstrap, prefix, folder / "worker", ("--clock", clock), hooks=hooks
        )
        self._producer = Producer({"bootstrap.servers": broker.bootstrap})

    def at(self, ts):
        """Set the wall clock."""
        new = self._clock.with_suffix(".new")
        new.write_text(str(ts))
        new.replace(self._clock)

    def chat(self, buyer, ts):
        """Send a message, and wait until it is judged and all that follows from it."""
        ids = {"event_id": f"m-{ts}", "shop_id": "jd:1", "buyer_id": buyer, "agent_id": "anna"}
        value = json.dumps({**ids, "ts": ts, "sender": "buyer"})
        self._producer.produce(self.worker.prefix + CHAT, value, key=f"jd:1|{buyer}")
        assert self._producer.flush(30) == 0
        until_at_rest(self.worker)

    def facts(self):
        """Buyers of whom facts were emitted."""
        return [one["buyer_id"] for one in decisions(self.worker.bootstrap, self.worker.prefix + FACTS)]

    def consults(self):
        """The agent's consults, in each revision of the day."""
        days = decisions(self.worker.bootstrap, self.worker.prefix + AGENT_DAILY)
        return [one["workload"]["consults"] for one in days if one["agent_id"] == "anna"]


@pytest.fixture
def shop(broker, topic_prefix, tmp_path, request):
    one = Shop(broker, topic_prefix, tmp_path, request.param)
    one.worker.start().until_ready()
    yield one
    if one.worker.runs():
        one.worker.kill()


@pytest.mark.parametrize("shop", ["events"], indirect=True)
def test_events_bring_out_what_changed_a_minute_before(shop):
    shop.at(T + 10 * MINUTE_MS)
    shop.chat("b-1", T)
    shop.chat("b-2", T + MINUTE_MS - 1)
    assert shop.facts() == []
    shop.chat("b-3", T + MINUTE_MS)
    assert (shop.facts(), shop.consults()) == (["b-1"], [1])
    shop.chat("b-4", T + 2 * MINUTE_MS)
    assert (sorted(shop.facts()), shop.consults()) == (["b-1", "b-2", "b-3"], [1, 3])
    assert shop.worker.stop() == 0


@pytest.mark.parametrize("shop", ["wall"], indirect=True)
def test_ticks_bring_out_what_changed_on_a_partition_that_is_idle(shop):
    shop.chat("b-1", T)
    assert shop.facts() == []
    shop.at(T + MINUTE_MS)
    until(lambda: shop.facts() == ["b-1"] and shop.consults() == [1], shop.worker)
    shop.chat("b-2", T + MINUTE_MS)
    assert shop.facts() == ["b-1"]
    shop.at(T + 2 * MINUTE_MS)
    until(lambda: shop.facts() == ["b-1", "b-2"] and shop.consults() == [1, 2], shop.worker)
    assert shop.worker.stop() == 0
