"""Every scenario through the real worker: all published to one broker, one worker, the decisions compared.

Each scenario has a shop of its own. The events of all are merged by time, as one partition has one watermark,
and the ticks of single scenarios are left out: what is decided last does not depend on them. A scenario that
ends before the end of time (``until``) is held against the last decisions emitted up to that watermark.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from stream_attr.contract.topics import COMPARISONS, DEAD_LETTERS, DECISIONS, ROSTER, SETTINGS
from stream_attr.testing import Scenario, in_time_order, not_as_expected, read_scenarios
from tests.kafka.conftest import Broker
from tests.kafka.verdicts import BY_EMISSION, RealWorker, decisions, pass_time, stream_attr
from tests.kafka.worker_process import LONGEST_S, configure_topics, read, until

SCENARIOS = read_scenarios(Path(__file__).parents[1] / "scenarios")
PARTITIONS = 2
SENT_FIRST_MS = 1_767_225_600_000
"""2026-01-01: Kafka timestamp of settings and roster, so that none of them changes the past."""
FINAL = "2027-03-01T00:00:00Z", 1_803_859_200


def in_shop_of_its_own(scenario: Scenario, number: int) -> Scenario:
    def moved(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [record | {"shop_id": f"jd:{1000 + number}"} for record in records]

    expect = [{name: one[name] for name in one if name not in BY_EMISSION} for one in scenario.expect]
    return replace(
        scenario,
        settings=moved(scenario.settings),
        roster=moved(scenario.roster),
        chat=moved(scenario.chat),
        orders=moved(scenario.orders),
        rulings=moved(scenario.rulings),
        expect=moved(expect),
    )


def allow_history(bootstrap: str, prefix: str) -> None:
    """Keep the sender's timestamps of settings and roster: by the broker's, all would be changes of today."""
    topics = [prefix + topic for topic in (SETTINGS, ROSTER)]
    configure_topics(bootstrap, topics, "message.timestamp.type", "CreateTime")
    producer = Producer({"bootstrap.servers": bootstrap})
    record = {"shop_id": "jd:1", "effective_from": "2098-01-01"}
    for topic, key, value in (
        (SETTINGS, "jd:1", record),
        (ROSTER, "jd:1|A", record | {"agent_id": "A", "role": "presale"}),
    ):
        kept: list[bool] = []
        while not any(kept):  # the broker follows a change of settings a little later
            producer.produce(
                prefix + topic,
                json.dumps(value),
                key,
                timestamp=SENT_FIRST_MS,
                on_delivery=lambda _, sent, kept=kept: kept.append(sent.timestamp()[1] == SENT_FIRST_MS),
            )
            assert producer.flush(LONGEST_S) == 0


def publish(producer: Producer, prefix: str, scenarios: list[Scenario]) -> None:
    """Send settings and roster, then the events of all scenarios, merged by time."""
    for scenario in scenarios:
        for topic, records, names in (
            (SETTINGS, scenario.settings, ("shop_id",)),
            (ROSTER, scenario.roster, ("shop_id", "agent_id")),
        ):
            for record in records:
                key = "|".join(record[name] for name in names)
                producer.produce(prefix + topic, json.dumps(record), key, timestamp=SENT_FIRST_MS)
    assert producer.flush(LONGEST_S) == 0
    in_order = [
        in_time_order(scenario.chat, scenario.orders, rulings=scenario.rulings) for scenario in scenarios
    ]
    timed = []  # each scenario keeps its own order: it may hold events that come late
    for events in in_order:
        at = 0
        for event in events:
            at = max(at, event.ts)
            timed.append((at, event))
    for _, event in sorted(timed, key=lambda one: one[0]):
        producer.produce(prefix + event.topic, json.dumps(event.value), event.key)
    assert producer.flush(LONGEST_S) == 0


@pytest.mark.kafka
def test_the_worker_decides_every_scenario_as_expected(
    broker: Broker, topic_prefix: str, tmp_path: Path
) -> None:
    scenarios = [in_shop_of_its_own(scenario, number) for number, scenario in enumerate(SCENARIOS)]
    target = ("--broker", broker.bootstrap, "--topic-prefix", topic_prefix)
    stream_attr("topics", "create", *target, "--partitions", str(PARTITIONS))
    if broker.kind != "embedded":  # which keeps a sender's timestamps anyway
        allow_history(broker.bootstrap, topic_prefix)
    publish(Producer({"bootstrap.servers": broker.bootstrap}), topic_prefix, scenarios)
    events = sum(len(scenario.chat) + len(scenario.orders) + len(scenario.rulings) for scenario in scenarios)
    worker = RealWorker(
        broker.bootstrap, topic_prefix, tmp_path / "worker", ("--clock", "events", "--accept-future")
    ).start()
    try:
        until(lambda: worker.metric("stream_attr_records_total") >= events, worker)
        pass_time(worker, PARTITIONS, FINAL)
        emitted = [
            decision
            for topic in (DECISIONS, COMPARISONS)
            for decision in decisions(broker.bootstrap, topic_prefix + topic)
        ]
    finally:
        worker.kill()
    letters = [json.loads(value or b"") for _, value in read(broker.bootstrap, topic_prefix + DEAD_LETTERS)]
    assert {letter["code"] for letter in letters} <= {"incomplete_order"}, letters
    found = {}
    for scenario in scenarios:
        shop_id = (scenario.orders or scenario.rulings)[0]["shop_id"]
        mine = [
            one
            for one in emitted
            if one["shop_id"] == shop_id and (scenario.until is None or one["watermark"] <= scenario.until)
        ]
        if lines := not_as_expected(scenario, mine):
            found[scenario.name] = lines
    assert found == {}
