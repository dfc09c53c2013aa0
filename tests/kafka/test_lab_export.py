"""Events of topics as stored events: each record once, whatever happens, and judged as it was sent."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
from confluent_kafka import OFFSET_END, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from msgspec.structs import replace

from stream_attr.errors import UnusableError
from stream_attr.files.inputs import Inputs
from stream_attr.kafka.admin import create_topics
from stream_attr.kafka.clients import QUIET
from stream_attr.kafka.security import UNSECURED
from stream_attr.kafka.sender import TopicsMissingError
from stream_attr.lab import export as exporting
from stream_attr.lab.event_folder import STATE, EventFolder, folder_name
from stream_attr.lab.export import Broker, Exported, export
from stream_attr.lab.judge import judge
from stream_attr.lab.rule_sets import AS_IT_STOOD, preset
from stream_attr.ledger.periods import period
from tests.lab.files import written
from tests.reference.shorthand import DAY_MS, MINUTE_MS, NOON, chat_of, order, shop_settings

SHOP = "jd:1"
KINDS = {
    "chat": "chat-events",
    "orders": "order-events",
    "rulings": "rulings",
    "settings": "shop-settings",
    "roster": "agent-roster",
}


def world(begin: int) -> dict[str, list[dict[str, Any]]]:
    """A few days of two shops, with a record of each kind."""
    chat, orders = [], []
    for day in range(begin, begin + 3):
        at = NOON + day * DAY_MS
        for number in range(6):
            buyer = f"b-{number}"
            chat += chat_of("AB"[number % 2], at - (number + 3) * MINUTE_MS, buyer)
            chat += chat_of("BA"[number % 2], at + 2 * MINUTE_MS, buyer)
            orders.append(order("created", at, f"o-{day}-{number}", buyer))
            orders.append(order("paid", at + 10 * MINUTE_MS, f"o-{day}-{number}", buyer))
    chat.append({**chat_of("A", NOON + begin * DAY_MS)[0], "shop_id": "tb:2", "text": "问\n"})
    return {"chat": chat, "orders": orders}


class Topics:
    """The topics of a test, and what was sent to them."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self.broker = Broker(bootstrap, UNSECURED, prefix)
        self._producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 20, **QUIET})
        create_topics(bootstrap, partitions=3, prefix=prefix)

    def send(self, kind: str, records: list[dict[str, Any]]) -> None:
        for one in records:
            key = f"{one['shop_id']}|{one.get('buyer_id', one.get('agent_id'))}"
            self.send_raw(kind, one["shop_id"] if kind == "settings" else key, json.dumps(one, indent=1))
        self.flush()

    def send_raw(self, kind: str, key: str, value: str | None) -> None:
        self._producer.produce(self.broker.prefix + KINDS[kind], value, key)

    def flush(self) -> None:
        assert self._producer.flush(60) == 0


@pytest.fixture
def topics(broker: Any, topic_prefix: str) -> Topics:
    return Topics(broker.bootstrap, topic_prefix)


def lines(folder: Path, shop_id: str = SHOP) -> dict[str, list[dict[str, Any]]]:
    """By topic and file: the records that are stored of a shop, in their order."""
    own = folder / "shops" / folder_name(shop_id)
    return {
        str(file.relative_to(own)): [json.loads(line) for line in file.read_bytes().splitlines()]
        for file in sorted(own.rglob("*.jsonl"))
    }


def test_what_was_sent_is_stored_by_shop_and_day_and_judged_alike(topics: Topics, tmp_path: Path) -> None:
    sent = world(0)
    settings, roster = (
        shop_settings(credit_rule="order"),
        [{"shop_id": SHOP, "agent_id": "B", "effective_from": "2026-01-01", "role": "frozen"}],
    )
    for kind, records in {**sent, "settings": settings, "roster": roster}.items():
        topics.send(kind, records)
    ruling = {"shop_id": SHOP, "buyer_id": "b-1", "order_id": "o-1-1", "ts": NOON + DAY_MS, "event_id": "r"}
    rulings = [{**ruling, "type": "credit", "agent_id": "C", "ruled_by": "m"}]
    topics.send("rulings", rulings)
    done = export(topics.broker, tmp_path / "events")
    assert done.records == {
        "chat-events": 73,
        "order-events": 36,
        "rulings": 1,
        "shop-settings": 1,
        "agent-roster": 1,
    }
    assert (done.refused, done.problems) == (Counter(), [])
    assert EventFolder(tmp_path / "events").shops == [SHOP, "tb:2"]
    found = lines(tmp_path / "events")
    assert list(found) == [
        "agent-roster.jsonl",
        "chat-events/2026-11-01.jsonl",
        "chat-events/2026-11-02.jsonl",
        "chat-events/2026-11-03.jsonl",
        "order-events/2026-11.jsonl",
        "rulings.jsonl",
        "shop-settings.jsonl",
    ]
    for records in found.values():
        assert records == sorted(records, key=lambda one: one.get("ts", 0))
    assert found["chat-events/2026-11-02.jsonl"][0]["ts"] == NOON + DAY_MS - 8 * MINUTE_MS
    [of_other] = lines(tmp_path / "events", "tb:2")["chat-events/2026-11-01.jsonl"]
    assert of_other["text"] == "问\n"
    files = written(tmp_path, **sent, settings=settings, roster=roster, rulings=rulings)
    rule_sets = (AS_IT_STOOD, preset("jd_cloud"))
    days = period("2026-11-01", "2026-11-03")
    from_topics = judge(tmp_path / "events", SHOP, rule_sets, days)
    from_files = judge(files, SHOP, rule_sets, days)
    assert (from_topics.money, from_topics.orders) == (from_files.money, from_files.orders)
    assert {one.agent_id for one in from_topics.money} == {"A", "C", None}


def test_the_next_run_goes_on_where_this_one_stopped(topics: Topics, tmp_path: Path) -> None:
    folder = tmp_path / "events"
    assert export(topics.broker, folder) == Exported(Counter(), Counter(), [])
    topics.send("chat", world(0)["chat"])
    assert export(topics.broker, folder).records == {"chat-events": 73}
    before = lines(folder)
    assert export(topics.broker, folder).records == {}
    assert lines(folder) == before
    topics.send("chat", world(2)["chat"])
    topics.send("settings", shop_settings())
    assert export(topics.broker, folder).records == {"chat-events": 73, "shop-settings": 1}
    assert export(topics.broker, folder).records == {"shop-settings": 1}  # all of them, each time
    after = lines(folder)
    assert sum(len(one) for name, one in after.items() if name.startswith("chat")) == 2 * 72
    assert after["chat-events/2026-11-01.jsonl"] == before["chat-events/2026-11-01.jsonl"]


def test_what_cannot_be_used_is_counted_and_not_stored(topics: Topics, tmp_path: Path) -> None:
    good = chat_of("A", NOON)[0]
    topics.send("chat", [good])
    topics.send_raw("chat", "jd:1|another", json.dumps({**good, "event_id": "2"}))
    topics.send_raw("chat", "jd:1|b-1", "{")
    topics.send_raw("chat", "jd:1|b-1", None)
    topics.send_raw("orders", "jd:1|b-1", json.dumps({**order("paid", NOON), "amount": -1}))
    topics.flush()
    topics.send("settings", [*shop_settings(), {"shop_id": SHOP, "effective_from": "2020-01-01"}])
    done = export(topics.broker, tmp_path)
    assert done.records == {"chat-events": 1, "shop-settings": 1}
    assert done.refused == {"key_mismatch": 1, "not_json": 2, "bad_value": 2}
    assert lines(tmp_path)["chat-events/2026-11-01.jsonl"] == [good]
    assert lines(tmp_path)["shop-settings.jsonl"] == shop_settings()  # the past was not changed


@pytest.mark.parametrize("written_before", [0, 1, 2, 3])
def test_a_run_that_is_killed_leaves_nothing_twice_and_loses_nothing(
    topics: Topics, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written_before: int
) -> None:
    folder = tmp_path / "events"
    topics.send("chat", world(0)["chat"])
    export(topics.broker, folder)
    for kind, records in world(2).items():
        topics.send(kind, records)
    whole = tmp_path / "whole"
    shutil.copytree(folder, whole)
    export(topics.broker, whole)
    states = 0
    replace = exporting._replace

    def dies(file: Path, content: bytes) -> None:
        nonlocal states
        if file.name == STATE:
            if states == written_before:
                raise KeyboardInterrupt
            states += 1
        replace(file, content)

    monkeypatch.setattr(exporting, "BATCH_BYTES", 4_000)
    monkeypatch.setattr(exporting, "_replace", dies)
    with pytest.raises(KeyboardInterrupt):
        export(topics.broker, folder)
    monkeypatch.undo()
    export(topics.broker, folder)
    for name, records in lines(whole).items():
        assert Counter(map(json.dumps, lines(folder)[name])) == Counter(map(json.dumps, records))
    assert lines(folder).keys() == lines(whole).keys()


def test_a_folder_in_use_or_of_other_topics_or_cut_short_is_refused(topics: Topics, tmp_path: Path) -> None:
    topics.send("chat", world(0)["chat"])
    with exporting._alone(tmp_path), pytest.raises(UnusableError, match="in use by another"):
        export(topics.broker, tmp_path)
    export(topics.broker, tmp_path)
    other = topics.broker._replace(prefix=f"{topics.broker.prefix}other-")
    with pytest.raises(TopicsMissingError):
        export(other, tmp_path)
    create_topics(other.bootstrap, partitions=1, prefix=other.prefix)
    with pytest.raises(UnusableError, match="is another topic than the one whose events"):
        export(other, tmp_path)
    file = next((tmp_path / "shops").rglob("2026-11-01.jsonl"))
    file.write_bytes(b"")
    with pytest.raises(UnusableError, match="is shorter than it was"):
        export(topics.broker, tmp_path)


def test_inputs_of_the_folder_are_files_that_replay_reads(topics: Topics, tmp_path: Path) -> None:
    topics.send("chat", world(0)["chat"])
    export(topics.broker, tmp_path)
    found = EventFolder(tmp_path).shop(SHOP).bearing_on(NOON, NOON + DAY_MS, ())
    assert isinstance(found.inputs, Inputs)
    assert all(Path(name).is_file() for name in found.inputs.chat)


@pytest.fixture
def of_kafka(apache: Any, topic_prefix: str) -> Topics:
    """On Apache Kafka alone: the embedded broker refuses no offset, and deletes no records on demand."""
    return Topics(apache.bootstrap, topic_prefix)


def test_a_partition_that_ends_before_what_is_stored_stops_the_run(of_kafka: Topics, tmp_path: Path) -> None:
    topics = of_kafka
    topics.send("chat", world(0)["chat"])
    export(topics.broker, tmp_path)
    state = EventFolder(tmp_path).state
    reached = state.topics["chat-events"]
    ahead = replace(reached, offsets={number: next_ + 1_000 for number, next_ in reached.offsets.items()})
    changed = replace(state, topics={**state.topics, "chat-events": ahead})
    (tmp_path / STATE).write_bytes(msgspec.json.encode(changed))
    before = lines(tmp_path)
    with pytest.raises(UnusableError, match="the broker has lost records; export again into another folder"):
        export(topics.broker, tmp_path)
    assert lines(tmp_path) == before


def test_records_that_were_deleted_before_they_were_stored_are_told_of(
    of_kafka: Topics, tmp_path: Path
) -> None:
    topics = of_kafka
    first, second, third = world(0)["chat"][:24], world(0)["chat"][24:48], world(0)["chat"][48:72]
    topics.send("chat", first)
    export(topics.broker, tmp_path)
    topics.send("chat", second)
    name = f"{topics.broker.prefix}chat-events"
    admin = AdminClient({"bootstrap.servers": topics.broker.bootstrap, **QUIET})
    ends = [TopicPartition(name, number, OFFSET_END) for number in range(3)]
    for one in admin.delete_records(ends).values():
        one.result()
    topics.send("chat", third)
    done = export(topics.broker, tmp_path)
    assert done.records == {"chat-events": 24}
    assert 1 <= len(done.problems) <= 3
    assert all("were deleted before they were stored" in one for one in done.problems)
    assert export(topics.broker, tmp_path).problems == []
    stored_ids = [one["event_id"] for name, some in lines(tmp_path).items() if "chat" in name for one in some]
    assert sorted(stored_ids) == sorted(one["event_id"] for one in (*first, *third))
