"""``deploy/compose.yaml`` is up: an event goes in, a decision comes out, what is killed comes back."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import uuid
from typing import Any
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

import pytest
from confluent_kafka import Consumer, TopicPartition

from stream_attr.kafka.embedded import server
from tests.containers.installation import until
from tests.deploy.manifests import DEPLOY, document

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.timeout(3600),  # the first run builds the images; each wait has a bound of its own
]

SERVICES = ("kafka", "worker-1", "worker-2", "postgres", "ledger", "console", "prometheus")
WORKERS = {"worker-1": "WORKER_1_PORT", "worker-2": "WORKER_2_PORT"}
MINUTE_MS = 60_000


class Buyer:
    """A buyer of their own for a test, who asks an agent and orders, and the decisions on that order."""

    def __init__(self, installation, folder):
        self._installation = installation
        self._folder = folder
        self._ids = {"shop_id": "jd:1", "buyer_id": f"b-{uuid.uuid4().hex}"}
        self._order = {**self._ids, "order_id": f"o-{uuid.uuid4().hex}", "amount": 12900}
        self._now = int(time.time() * 1000)
        self._broker = f"{server.HOST}:{installation.ports['KAFKA_PORT']}"

    def asks(self, agent):
        message = {**self._ids, "agent_id": agent, "text": "有货吗"}
        self._publish(
            "--chat",
            {**message, "event_id": uuid.uuid4().hex, "ts": self._now - 30 * MINUTE_MS, "sender": "buyer"},
            {**message, "event_id": uuid.uuid4().hex, "ts": self._now - 29 * MINUTE_MS, "sender": "agent"},
        )

    def orders(self, kind, *, minutes_ago):
        event = {"event_id": uuid.uuid4().hex, "ts": self._now - minutes_ago * MINUTE_MS, "type": kind}
        self._publish("--orders", {**self._order, **event})

    def decided(self, count):
        """All decisions on the order, once there are so many."""
        found: list[dict[str, Any]] = []

        def all_there():
            found[:] = self._decisions()
            return len(found) >= count

        until(f"{count} decisions on {self._order['order_id']}", all_there, self._installation.logs)
        return found

    @property
    def order_page(self):
        """The address of the order within the console."""
        return f"/order?{urlencode({'shop': self._order['shop_id'], 'order': self._order['order_id']})}"

    def known_to(self):
        """The workers that know the order, with its page; each asks the other for what it does not hold."""
        path = f"/orders/{self._order['shop_id']}/{self._order['order_id']}"
        return [name for name, port in WORKERS.items() if self._installation.ask(port, path)[0] == 200]

    def _publish(self, option, *records):
        file = self._folder / f"{uuid.uuid4().hex}.jsonl"
        file.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
        words = ["publish", "--broker", self._broker, option, str(file)]
        subprocess.run([sys.executable, "-m", "stream_attr", *words], check=True, stdin=subprocess.DEVNULL)

    def _decisions(self):
        topic = "attribution-decisions"
        consumer = Consumer(
            {"bootstrap.servers": self._broker, "group.id": "reader", "enable.partition.eof": True}
        )
        try:
            partitions = consumer.list_topics(topic, timeout=60).topics[topic].partitions
            consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
            ends, records = 0, []
            while ends < len(partitions):
                message = consumer.poll(60)
                assert message is not None, f"{topic} cannot be read"
                if message.error():
                    ends += 1
                else:
                    records.append(json.loads(message.value()))
        finally:
            consumer.close()
        return [record for record in records if record["order_id"] == self._order["order_id"]]


@pytest.fixture
def buyer(installation, tmp_path):
    return Buyer(installation, tmp_path)


def until_ready(installation):
    for port in WORKERS.values():

        def ready(port=port):
            return installation.ask(port, "/ready")[0] == 200

        until(f"{port} is ready", ready, installation.logs)


def test_an_event_goes_in_and_a_decision_comes_out(installation, buyer):
    until_ready(installation)
    buyer.asks("amy")
    buyer.orders("created", minutes_ago=20)
    [decision] = buyer.decided(1)
    assert (decision["revision"], decision["placing"]["agent_id"]) == (1, "amy")
    assert buyer.known_to() == list(WORKERS)
    assert "0 dead letters" in installation.compose(
        "run", "--rm", "--no-deps", "topics", "dead-letters", "list"
    )


@pytest.fixture
def people(installation):
    """Somebody's browser, whose account was made and whose password was set as the guide says."""
    login = f"boss-{uuid.uuid4().hex[:8]}"
    words = ["console", "user", "add", login, "--name", "Boss", "--role", "admin"]
    said = installation.compose("run", "--rm", "--no-deps", "console", *words)
    [secret] = re.findall(r"/link\?token=(\S+)", said)
    address = f"http://{server.HOST}:{installation.ports['CONSOLE_PORT']}"
    browser = build_opener(HTTPCookieProcessor())
    browser.addheaders = [("Accept-Language", "en"), ("Sec-Fetch-Site", "same-origin")]
    form = urlencode({"token": secret, "password": "correct horse", "again": "correct horse"}).encode()

    def ask(path, data=None):
        try:
            with browser.open(f"{address}{path}", data, timeout=30) as answer:
                return answer.read().decode()
        except OSError:  # a status of an error, too
            return ""

    until("the console is there", lambda: ask("/login"), installation.logs)
    until("the password is set", lambda: "Log out" in ask("/link", form), installation.logs)
    return ask


def test_what_was_decided_shows_on_the_consoles_page_of_the_order(installation, buyer, people):
    until_ready(installation)
    buyer.asks("amy")
    buyer.orders("created", minutes_ago=20)
    buyer.orders("paid", minutes_ago=10)
    buyer.decided(2)

    def shown():
        text = people(buyer.order_page)
        return "amy" in text and "The receipt supports this verdict" in text

    until("the order's page names the agent", shown, installation.logs)
    assert installation.ask("LEDGER_PORT", "/ready")[0] == 200


@pytest.mark.parametrize("killed", [("worker-1", "worker-2"), ("kafka",)], ids=["workers", "kafka"])
def test_what_is_killed_comes_back_with_its_state_and_the_next_event_is_decided(installation, buyer, killed):
    until_ready(installation)
    buyer.asks("amy")
    buyer.orders("created", minutes_ago=20)
    buyer.decided(1)
    before = {service: installation.inspect(service)["RestartCount"] for service in killed}
    for service in killed:
        installation.kill(service)
    for service in killed:

        def started_again(service=service):
            return installation.inspect(service)["RestartCount"] > before[service]

        until(f"{service} is started again", started_again, installation.logs)
    until("Kafka is healthy", lambda: installation.is_healthy("kafka"), installation.logs)
    until_ready(installation)
    buyer.orders("paid", minutes_ago=10)
    decisions = buyer.decided(2)
    assert [decision["revision"] for decision in decisions] == [1, 2]
    assert decisions[1]["credit"]["agent_id"] == "amy"


def test_what_is_removed_and_created_again_goes_on_from_its_volumes(installation, buyer):
    until_ready(installation)
    buyer.asks("amy")
    buyer.orders("created", minutes_ago=20)
    buyer.decided(1)
    installation.stop()
    installation.up()
    until_ready(installation)
    buyer.orders("paid", minutes_ago=10)
    decisions = buyer.decided(2)
    assert [decision["revision"] for decision in decisions] == [1, 2]
    assert decisions[1]["credit"]["agent_id"] == "amy"


@pytest.mark.parametrize("service", SERVICES)
def test_a_container_has_no_rights_that_it_does_not_need(installation, service):
    status = installation.execute(service, "cat", "/proc/1/status")
    facts = dict(line.split(":\t", 1) for line in status.splitlines())
    assert set(facts["Uid"].split()).isdisjoint({"0"})
    assert {int(facts[name], 16) for name in ("CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}
    assert facts["NoNewPrivs"] == "1"
    limits = installation.inspect(service)["HostConfig"]
    assert 0 < limits["Memory"] <= 2 << 30
    assert 0 < limits["PidsLimit"] <= 1024
    assert limits["ReadonlyRootfs"] == (service != "kafka")


def test_workers_pass_the_health_check_of_the_image(installation):
    until_ready(installation)
    assert [name for name in WORKERS if installation.is_healthy(name)] == list(WORKERS)


def test_the_token_is_read_by_those_who_need_it_and_by_nobody_else(installation):
    until_ready(installation)
    assert installation.token_file.stat().st_mode & 0o777 == 0o640
    for port in WORKERS.values():
        assert installation.ask(port, "/metrics")[0] == 200
        assert installation.ask(port, "/metrics", token=False)[0] == 401
    with pytest.raises(AssertionError, match="No such file"):
        installation.execute("kafka", "ls", "/run/secrets/web_token")


def test_prometheus_asks_all_that_run_and_takes_every_alert(installation):
    def targets():
        _, body = installation.ask("PROMETHEUS_PORT", "/api/v1/targets?state=active")
        found = json.loads(body)["data"]["activeTargets"] if body else []
        return {one["labels"]["instance"]: one["health"] for one in found}

    until(
        "Prometheus asks all that run, and none of a profile that does not",
        lambda: targets() == {f"{name}:6066": "up" for name in (*WORKERS, "ledger", "console")},
        installation.logs,
    )
    _, body = installation.ask("PROMETHEUS_PORT", "/api/v1/rules?type=alert")
    taken = {
        group["name"]: [rule["name"] for rule in group["rules"]]
        for group in json.loads(body)["data"]["groups"]
    }
    alerts = document(DEPLOY / "prometheus" / "alerts.yaml")
    assert taken == {group["name"]: [rule["alert"] for rule in group["rules"]] for group in alerts["groups"]}


def test_the_judging_is_compiled_where_that_was_asked_for(installation):
    source = installation.execute(
        "worker-1", "python", "-c", "import stream_attr.rules.buyer.buyer as it; print(it.__file__)"
    )
    assert source.strip().endswith(".so") == (os.environ.get("STREAM_ATTR_COMPILED") == "1")
