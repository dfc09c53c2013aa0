"""``adapt`` on a broker: what was kept becomes events once, whatever happens to it or to who is asked."""

from __future__ import annotations

import collections
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from confluent_kafka import Producer

from stream_attr.contract.raw_topics import RAW_DEAD_LETTERS, raw_topic
from stream_attr.contract.topics import CHAT, ORDERS
from stream_attr.kafka.admin import create_topics
from tests.adapters.platforms import changed, documents, sample
from tests.gateway.platform_api import KEY, PlatformApi, platform_api
from tests.kafka.gateway_process import AdaptProcess, connections_file
from tests.kafka.worker_process import LONGEST_S, configure_topics, messages, read_json, until

PLACED = 1772417400000
PARTITIONS = 3


class Trial:
    """Raw topics of some platforms, their API, and who adapts."""

    def __init__(self, bootstrap, prefix, folder, api: PlatformApi) -> None:
        self.bootstrap, self.prefix, self.folder, self.api = bootstrap, prefix, folder, api
        self.platforms = ["chatwoot", "doudian", "woocommerce"]
        create_topics(bootstrap, partitions=PARTITIONS, prefix=prefix, platforms=self.platforms)
        raw = [prefix + raw_topic(platform) for platform in self.platforms]
        configure_topics(bootstrap, raw, "retention.ms", "-1")  # what is kept here came months ago
        self.processes: list[AdaptProcess] = []

    def adapt(self, platform: str, *args: str, **more) -> AdaptProcess:
        folder = self.folder / f"accounts{len(self.processes)}"
        folder.mkdir()
        (folder / "key").write_text(KEY)
        order = {"url": f"{self.api.url}/order/{{id}}", "header_files": {"X-Key": "key"}}
        if platform == "doudian":
            more = {"enrich": {"order": order}, **more}
        file = connections_file(folder, [platform], **more)
        words = (platform, f"--connections={file}", *args)
        place = self.folder / f"adapt{len(self.processes)}"
        self.processes.append(AdaptProcess(self.bootstrap, self.prefix, place, words))
        return self.processes[-1].start()

    def keep(self, platform: str, *payloads, connection: str = "main", ts: int = PLACED) -> None:
        producer = Producer({"bootstrap.servers": self.bootstrap, "batch.num.messages": 1})
        for payload in payloads:
            body = json.dumps(payload)
            producer.produce(self.prefix + raw_topic(platform), body, connection, timestamp=ts)
        assert producer.flush(LONGEST_S) == 0

    def records(self, topic: str) -> list[dict]:
        return [value for _, value in read_json(self.bootstrap, self.prefix + topic)]

    def until_events(self, count: int, process: AdaptProcess) -> None:
        until(lambda: len(self.ids(ORDERS)) >= count, process)

    def ids(self, topic: str) -> collections.Counter[str]:
        return collections.Counter(one["event_id"] for one in self.records(topic))


@pytest.fixture
def trial(broker, topic_prefix, tmp_path) -> Iterator[Trial]:
    with platform_api(documents("doudian")) as api:
        made = Trial(broker.bootstrap, topic_prefix, tmp_path, api)
        yield made
        for process in made.processes:
            if process.runs():
                process.kill()


def woocommerce_order(number: int) -> dict:
    """One that is paid: two events."""
    return changed(sample("woocommerce", "order_updated_processing"), id=number)


def test_it_goes_on_where_it_was_and_shares_the_partitions(trial):
    trial.keep("woocommerce", *map(woocommerce_order, range(100, 110)))
    first = trial.adapt("woocommerce").until_ready()
    until(lambda: len(trial.ids(ORDERS)) == 20, first)
    first.until_done()
    assert first.stop() == 0
    assert "Traceback" not in first.output()
    trial.keep("woocommerce", *map(woocommerce_order, range(110, 120)))
    second = trial.adapt("woocommerce")
    third = trial.adapt("woocommerce")
    until(lambda: len(trial.ids(ORDERS)) == 40, second, third)
    second.until_ready()
    assert set(trial.ids(ORDERS).values()) == {1}, "nothing was done again"
    paid = [one for one in trial.records(ORDERS) if one["event_id"] == "woocommerce:115:paid"]
    assert [(one["amount"], one["ts"], one["order_id"]) for one in paid] == [(19900, PLACED + 120_000, "115")]
    keys = {message.key() for message in messages(trial.bootstrap, trial.prefix + ORDERS)}
    assert keys == {b"s1|31"}
    assert [process.stop() for process in (second, third)] == [0, 0]


def test_killed_anywhere_it_loses_nothing_and_repeats_change_nothing(trial):
    numbers = range(1000, 4000)
    trial.keep("woocommerce", *map(woocommerce_order, numbers))
    process = trial.adapt("woocommerce")
    for share in (300, 2500):
        trial.until_events(share, process)
        process.kill()
        process.start()
    expected = {f"woocommerce:{number}:{kind}" for number in numbers for kind in ("created", "paid")}
    until(lambda: trial.ids(ORDERS).keys() >= expected, process)
    assert trial.ids(ORDERS).keys() == expected
    contents = {json.dumps(one, sort_keys=True) for one in trial.records(ORDERS)}
    assert len(contents) == len(expected), "what is repeated says the same"
    process.until_done()


def test_a_document_that_cannot_be_had_is_waited_for(trial):
    trial.api.away = True
    trial.keep("doudian", sample("doudian", "webhook_batch"), sample("doudian", "webhook_refund"))
    process = trial.adapt("doudian")
    until(lambda: b"status 503" in process.get("/ready")[1], process)
    assert process.metric("stream_attr_adapt_waiting") == 1
    assert "`enrich.order` of connection main of doudian answers with status 503" in process.output()
    trial.keep("doudian", sample("doudian", "webhook_cancel"))
    time.sleep(2)
    assert trial.records(ORDERS) == []
    trial.api.away = False
    until(lambda: len(trial.ids(ORDERS)) == 5, process)
    process.until_done()
    assert process.metric("stream_attr_adapt_waiting") == 0
    assert process.metric("stream_attr_adapt_payloads_total") == 3
    assert process.metric("stream_attr_adapt_dead_letters_total") == 0
    assert trial.records(RAW_DEAD_LETTERS) == []
    assert trial.ids(ORDERS) == {
        "doudian:6900000000000000001:created": 1,
        "doudian:6900000000000000001:paid": 1,
        "doudian:r7800000000000000001:refund_requested": 1,
        "doudian:r7800000000000000001:refund_completed": 1,
        "doudian:6900000000000000002:cancelled": 1,
    }
    trial.api.away = True
    trial.keep("doudian", sample("doudian", "webhook_batch"), ts=time.time_ns() // 1_000_000 + 60_000)
    until(lambda: b"status 503" in process.get("/ready")[1], process)
    assert process.stop() == 0, "also while it waits"


def test_what_gives_no_event_is_counted_and_what_is_wrong_is_told_and_can_be_mended(trial):
    guest = changed(woocommerce_order(1), customer_id=0)
    broken = changed(woocommerce_order(2), total="12.345")
    trial.keep("woocommerce", guest, broken)
    trial.keep("woocommerce", woocommerce_order(3), connection="second")
    process = trial.adapt("woocommerce")
    until(lambda: len(trial.records(RAW_DEAD_LETTERS)) >= 2, process)
    process.until_done()
    letters = {one["connection"]: one for one in trial.records(RAW_DEAD_LETTERS)}
    assert (letters["second"]["reason"], letters["second"]["about"]) == ("unknown_shop", "connection")
    assert letters["main"]["reason"] == "bad_amount"
    [place] = [
        message
        for message in messages(trial.bootstrap, trial.prefix + raw_topic("woocommerce"))
        if message.key() == b"second"
    ]
    assert letters["second"]["topic"] == "raw.woocommerce"
    assert (letters["second"]["partition"], letters["second"]["offset"]) == (
        place.partition(),
        place.offset(),
    )
    assert b'reason="no_buyer"} 1.0' in process.get("/metrics")[1]
    assert process.stop() == 0
    again = trial.adapt("woocommerce", "--since=1772417400000", name="second")
    until(lambda: "woocommerce:3:paid" in trial.ids(ORDERS), again)
    again.until_done()
    assert again.stop() == 0


def test_a_message_waits_for_its_answer_across_a_stop(trial):
    at = time.time_ns() // 1_000_000 - 60_000
    asked, answered = (
        datetime.fromtimestamp((at + later_ms) / 1000, UTC).isoformat() for later_ms in (0, 20_000)
    )
    trial.keep(
        "chatwoot", changed(sample("chatwoot", "message_created_incoming"), created_at=asked), ts=at + 1_000
    )
    process = trial.adapt("chatwoot")
    process.until_adapted(1)
    process.until_done()
    assert process.stop() == 0
    answer = changed(sample("chatwoot", "message_created_outgoing"), sender__id=77, created_at=answered)
    trial.keep("chatwoot", answer, ts=at + 21_000)
    again = trial.adapt("chatwoot")
    until(lambda: len(trial.ids(CHAT)) == 2, again)
    again.until_done()
    assert sorted((one["sender"], one["agent_id"]) for one in trial.records(CHAT)) == [
        ("agent", "77"),
        ("buyer", "77"),
    ]
    assert again.metric("stream_attr_adapt_payloads_total") == 1, "the first was read again and not counted"
    assert again.stop() == 0
