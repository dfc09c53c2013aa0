"""Against an Apache Kafka with TLS, SCRAM and access rules: those of ``docs/security.md``, and no others.

One worker judges there; what it leaves behind, wherever, holds no secret and no word of what was said.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

import apache_kafka
import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from stream_attr.contract.raw_topics import RAW_DEAD_LETTERS, raw_topic
from stream_attr.contract.registry import topic_definitions
from stream_attr.contract.topics import ROSTER, RULINGS, SETTINGS
from stream_attr.kafka.admin import create_topics
from stream_attr.kafka.connection import connect
from stream_attr.kafka.embedded import server
from stream_attr.kafka.secret import Secret
from stream_attr.kafka.security import Protocol, Security
from stream_attr.kafka.shop_records import read_shop_records
from stream_attr.kafka.topic_settings import check_settings
from stream_attr.kafka.writer import TopicWriter
from stream_attr.worker.state.memory_budget import Memory
from stream_attr.worker.state.store import RocksStore
from tests.docs.blocks import as_on_a_quick_machine
from tests.kafka.conftest import REQUIRED
from tests.kafka.gateway_process import AdaptProcess, GatewayProcess, connections_file
from tests.kafka.guarded import PLAIN_USER, ROLES, guarded_kafka, make_files, rules
from tests.kafka.verdicts import (
    EXPIRED,
    RealWorker,
    decisions,
    inputs,
    last,
    last_of_file,
    stream_attr,
    until_at_rest,
)
from tests.kafka.worker_process import LONGEST_S, read, read_json, until

pytestmark = pytest.mark.kafka

DECISIONS = "attribution-decisions"
PREFIX = "eu."
PARTITIONS = 2
MARKER = "marker-5d0c-of-what-was-said"
TOKEN = "token-93b1f0c2a4d8e6"


class GuardedWorker(RealWorker):
    """A worker whose web port asks for a token."""

    token = TOKEN

    def get(self, path, timeout_s=LONGEST_S):
        return self.ask(path, {"Authorization": f"Bearer {self.token}"}, timeout_s)

    def ask(self, path, headers, timeout_s=LONGEST_S):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=timeout_s) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()
        except (OSError, HTTPException):
            return 0, b""


@dataclass
class Evidence:
    """What a worker has left behind after a day's traffic was judged."""

    answers: dict[str, tuple[int, bytes]]
    answers_without_token: dict[str, int]
    process_line: bytes
    files: dict[str, bytes]
    """Of its data directory, while it ran."""
    state: list[tuple[bytes, bytes]]
    """What these files hold, as the worker itself reads them."""
    topics: dict[str, list[tuple[bytes, bytes | None]]]
    log: str
    replayed: Path
    a_buyer: bytes


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    if (missing := apache_kafka.why_not()) is not None and not REQUIRED:
        pytest.skip(f"no Apache Kafka: {missing}")
    return make_files(tmp_path_factory.mktemp("guarded"))


@pytest.fixture(scope="module")
def kafka(files):
    with guarded_kafka(files, server.free_port(), server.free_port()) as kafka:
        kafka.make_users()
        kafka.allow(PREFIX, rules())
        stream_attr("topics", "create", *kafka.as_user("operator", PREFIX), "--partitions", str(PARTITIONS))
        yield kafka


@pytest.fixture(scope="module")
def traffic(tmp_path_factory):
    """A day of a shop in which every message is the marker, some of them in records that cannot be used."""
    folder = tmp_path_factory.mktemp("traffic")
    stream_attr("generate", "--seed", "5", "--events", "3000", "--days", "1", "--out", str(folder))
    lines = []
    for line in (folder / "chat.jsonl").read_bytes().splitlines():
        try:
            said = json.loads(line)
        except ValueError:
            continue
        if isinstance(said, dict) and "text" in said and len(line) < 10_000:
            lines.append(json.dumps({**said, "text": MARKER}))
    useless = json.loads(lines[0])
    lines += [
        json.dumps({**useless, "event_id": "bad-1", "text": [MARKER]}),
        json.dumps({**useless, "event_id": "bad-2", "sender": MARKER}),
        f'{{"text": "{MARKER}"',
    ]
    (folder / "chat.jsonl").write_text("\n".join(lines))
    stream_attr("replay", *inputs(folder), "--out", str(folder / "out"))
    return folder


@pytest.fixture(scope="module")
def evidence(kafka, traffic, tmp_path_factory):
    folder = tmp_path_factory.mktemp("worker")
    token_file = folder / "token"
    token_file.write_text(TOKEN + "\n")
    options = (
        *kafka.as_user("worker", PREFIX),
        "--clock",
        "events",
        "--accept-future",
        "--web-token-file",
        str(token_file),
    )
    worker = GuardedWorker(kafka.login, PREFIX, folder / "data", options)
    worker.own_interpreter = True  # its command line is looked at
    try:
        worker.start()
        stream_attr(
            "publish", *kafka.as_user("administration", PREFIX), *inputs(traffic, "roster", "settings")
        )
        stream_attr("publish", *kafka.as_user("supervisor", PREFIX), *inputs(traffic, "rulings"))
        stream_attr("publish", *kafka.as_user("integrator", PREFIX), *inputs(traffic, "chat", "orders"))
        until_at_rest(worker)
        [(_, order), *_] = read_json(kafka.plain, PREFIX + DECISIONS)
        paths = ("/health", "/ready", "/metrics", f"/orders/{order['shop_id']}/{order['order_id']}", "/")
        answers = {path: worker.get(path) for path in paths}
        without = {path: worker.ask(path, {})[0] for path in paths}
        process_line = Path(f"/proc/{worker.pid}/cmdline").read_bytes()
        found = {str(path): path.read_bytes() for path in worker.data_dir.rglob("*") if path.is_file()}
        assert worker.stop() == 0
        state = [pair for number in range(PARTITIONS) for pair in all_of(worker.data_dir / str(number))]
        worker.start()
        stream_attr("publish", *kafka.as_user("operator", PREFIX), "--until", EXPIRED[0])
        worker.until_ready()
        until(lambda: worker.metric("stream_attr_watermark_seconds") == PARTITIONS * EXPIRED[1], worker)
        assert worker.stop() == 0
    finally:
        if worker.runs():
            worker.kill()
    topics = {name: read(kafka.plain, PREFIX + name) for name in topic_definitions()}
    return Evidence(
        answers,
        without,
        process_line,
        found,
        state,
        topics,
        worker.log.read_text(),
        traffic / "out",
        order["buyer_id"].encode(),
    )


def all_of(folder):
    store = RocksStore(folder, Memory(16))
    try:
        return list(store.items())
    finally:
        store.close()


def spellings(text):
    """A text as it may stand in bytes: as it is, in UTF-16, and within base64 at each of three places."""
    raw = text.encode()
    yield raw
    yield text.encode("utf-16-le")
    for place in range(3):
        coded = base64.b64encode(b"x" * place + raw)
        yield coded[4 if place else 0 : -4]


def holds(text, data):
    return any(spelling in data for spelling in spellings(text))


def in_topic(text, records):
    return any(holds(text, key) or holds(text, value or b"") for key, value in records)


def run(*words):
    """Run a command that fails; returns its status and what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "stream_attr", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=LONGEST_S,
    )
    return done.returncode, as_on_a_quick_machine(done.stderr)


def test_the_verdicts_are_those_of_the_replay(evidence):
    told = last(json.loads(value) for _, value in evidence.topics["attribution-decisions"])
    assert told
    assert told == last_of_file(evidence.replayed / "attribution-decisions.jsonl")


def test_chat_text_is_in_the_input_and_the_dead_letters_and_nowhere_else(evidence):
    with_it = {name for name, records in evidence.topics.items() if in_topic(MARKER, records)}
    assert with_it == {"chat-events", "dead-letters"}
    letters = [json.loads(value) for _, value in evidence.topics["dead-letters"]]
    with_it_whole = [holds(MARKER, base64.b64decode(one.pop("value_base64") or "")) for one in letters]
    assert sum(with_it_whole) >= 3
    assert not [name for name, content in evidence.files.items() if holds(MARKER, content)]
    assert not in_topic(MARKER, evidence.state)
    assert not holds(MARKER, evidence.log.encode())
    assert not [path for path, (_, body) in evidence.answers.items() if holds(MARKER, body)]


def test_the_search_finds_what_is_there(evidence):
    """A buyer is in the state: so nothing hides from the search, by compression or otherwise."""
    assert any(evidence.a_buyer in content for content in evidence.files.values())
    assert any(evidence.a_buyer in key for key, _ in evidence.state)
    assert "dead letter" in evidence.log
    assert all(holds(MARKER, base64.b64encode(b"y" * place + MARKER.encode())) for place in range(6))


def test_no_secret_is_shown_anywhere(evidence, kafka):
    secrets = [TOKEN, *(kafka.password(role) for role in ROLES)]
    places = {
        "log": evidence.log.encode(),
        "process line": evidence.process_line,
        **evidence.files,
        **{path: body for path, (_, body) in evidence.answers.items()},
    }
    assert b"--sasl-password-file" in evidence.process_line
    for secret in secrets:
        assert not [place for place, content in places.items() if holds(secret, content)]
        assert not [name for name, records in evidence.topics.items() if in_topic(secret, records)]
        assert not in_topic(secret, evidence.state)


def test_the_web_port_asks_for_the_token_but_for_probes(evidence):
    health, ready, metrics, order, unknown = evidence.answers_without_token.values()
    assert (health, ready, metrics, order, unknown) == (200, 200, 401, 401, 401)
    assert [status for status, _ in evidence.answers.values()][:4] == [200, 200, 200, 200]


def test_workers_ask_each_other_with_the_token(kafka, traffic, tmp_path):
    prefix = "two."
    kafka.allow(prefix, rules())
    create_topics(kafka.plain, partitions=2, prefix=prefix)
    token_file = tmp_path / "token"
    token_file.write_text(TOKEN)
    options = (
        *kafka.as_user("worker", prefix),
        "--clock",
        "events",
        "--accept-future",
        "--web-token-file",
        str(token_file),
    )
    both = [GuardedWorker(kafka.login, prefix, tmp_path / f"worker{i}", options) for i in range(2)]
    try:
        for worker in both:
            worker.start()
        until(lambda: all(len(worker.held()) == 1 for worker in both), *both)
        stream_attr(
            "publish", *kafka.as_user("administration", prefix), *inputs(traffic, "roster", "settings")
        )
        stream_attr("publish", *kafka.as_user("supervisor", prefix), *inputs(traffic, "rulings"))
        stream_attr("publish", *kafka.as_user("integrator", prefix), *inputs(traffic, "chat", "orders"))
        until_at_rest(*both)
        orders = {tuple(key.split("|")[:2]) for key in last(decisions(kafka.plain, prefix + DECISIONS))}
        paths = [f"/orders/{shop_id}/{order_id}" for shop_id, order_id in sorted(orders)[:20]]
        assert paths
        held = [{path for path in paths if worker.get(f"{path}?local")[0] == 200} for worker in both]
        assert all(held), "each holds some of them"
        assert not held[0] & held[1]
        assert all(worker.get(path)[0] == 200 for worker in both for path in paths)
    finally:
        for worker in both:
            if worker.runs():
                worker.kill()


@pytest.mark.parametrize(
    "command", [["worker"], ["publish", "--until", "2026-01-01T00:00:00Z"], ["topics", "create"]]
)
def test_a_wrong_password_is_one_sentence(kafka, tmp_path, command):
    wrong = tmp_path / "password"
    wrong.write_text("wrong-a1b2c3")
    options = kafka.as_user("worker", PREFIX)
    options[options.index("--sasl-password-file") + 1] = str(wrong)
    status, said = run(*command, *options)
    lines = [line for line in said.splitlines() if line != f"Nothing was sent to {kafka.login}."]
    assert (status, len(lines)) == (2, 1), said
    assert f"broker {kafka.login} refuses user worker: " in said
    assert "invalid credentials" in said
    assert "wrong-a1b2c3" not in said


def test_a_broker_that_another_authority_vouches_for_is_not_talked_to(kafka, files):
    options = kafka.as_user("worker", PREFIX)
    options[options.index("--tls-ca-file") + 1] = str(files.stranger)
    status, said = run("worker", *options)
    assert status == 2
    assert f"no SASL_SSL connection to broker {kafka.login}: " in said
    assert "certificate verify failed" in said
    assert "Traceback" not in said


def test_a_broker_under_another_name_is_not_talked_to_unless_it_may_have_any(kafka):
    options = [word.replace("127.0.0.1:", "localhost:") for word in kafka.as_user("operator", PREFIX)]
    command = ("topics", "create", *options, "--partitions", str(PARTITIONS))
    status, said = run(*command)
    assert (status, "certificate verify failed" in said) == (2, True), said
    assert run(*command, "--tls-any-hostname") == (0, "")


def test_a_user_who_may_not_describe_settings_is_warned_that_they_are_not_checked(kafka, evidence):
    security = Security(
        protocol=Protocol.SASL_SSL,
        user="integrator",
        password=Secret(kafka.password("integrator")),
        ca_file=kafka.files.authority,
    )
    [warning] = check_settings(*connect(kafka.login, security), prefix=PREFIX, user=security.user).warnings
    assert warning.startswith("the settings of eu.chat-events, eu.order-events cannot be checked: ")
    assert warning.endswith("; user integrator needs DescribeConfigs (docs/security.md)")
    assert "cannot be checked" not in evidence.log


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "scram-sha-512"])
def test_either_scram_will_do(kafka, mechanism):
    options = (*kafka.as_user("operator", PREFIX), "--sasl-mechanism", mechanism)
    assert run("topics", "create", *options, "--partitions", str(PARTITIONS)) == (0, "")


def test_plain_logs_in_and_a_missing_right_is_named(kafka):
    options = (*kafka.as_user(PLAIN_USER, PREFIX), "--sasl-mechanism", "PLAIN")
    status, said = run("topics", "create", *options)
    assert (status, said) == (
        2,
        f"Error: topic {PREFIX}chat-events cannot be created: Authorization failed.\n",
    )


def test_a_log_in_in_the_clear_is_an_error_with_the_remedy(kafka):
    status, said = run("topics", "create", "--broker", kafka.login)
    assert status == 2
    assert f"no Kafka broker answers at {kafka.login}: " in said
    assert "--security-protocol" in said


def test_a_certificate_of_our_own_is_a_log_in_too(kafka, tmp_path):
    prefix = "certificate."
    kafka.allow(prefix, rules())
    stream_attr("topics", "create", *kafka.with_certificate("operator", prefix), "--partitions", "1")
    worker = RealWorker(
        kafka.certificate, prefix, tmp_path / "w", tuple(kafka.with_certificate("worker", prefix))
    )
    try:
        worker.start().until_ready()
        assert worker.stop() == 0
    finally:
        if worker.runs():
            worker.kill()
    options = kafka.with_certificate("operator", prefix)
    del options[options.index("--tls-cert-file") :]
    status, said = run("topics", "create", *options)
    assert (status, f"no SSL connection to broker {kafka.certificate}" in said) == (2, True), said


@pytest.mark.parametrize(
    ("kind", "name", "operation", "problem"),
    [
        ("topic", "ticks", "Read", "the broker does not allow this user to read topic {prefix}ticks"),
        ("topic", "buyer-state-changelog", "Read", "partitions cannot be taken over: "),
        ("transactional-id", "stream-attr-*", "Write", "Transactional Id authorization failed"),
        ("group", "stream-attr", "Read", "the consumer group cannot be joined: "),
        ("topic", "dead-letters", "Write", "{prefix}dead-letters is missing"),
    ],
)
def test_a_worker_that_lacks_a_right_says_so(kafka, tmp_path, kind, name, operation, problem):
    prefix = f"lacks-{kind}-{name.removesuffix('*')}."
    wanted = [rule for rule in rules() if (rule.kind, rule.name, rule.operation) != (kind, name, operation)]
    assert len(wanted) < len(rules())
    kafka.allow(prefix, wanted)
    create_topics(kafka.plain, partitions=1, prefix=prefix)
    worker = RealWorker(kafka.login, prefix, tmp_path / "worker", tuple(kafka.as_user("worker", prefix)))
    try:
        assert worker.start().wait() in (1, 2)
    finally:
        if worker.runs():
            worker.kill()
    assert problem.format(prefix=prefix) in worker.output()
    assert "Traceback" not in worker.output()


@pytest.mark.parametrize(
    ("role", "topic"),
    [
        ("integrator", "attribution-decisions"),
        ("integrator", "shop-settings"),
        ("integrator", "rulings"),
        ("supervisor", "chat-events"),
        ("supervisor", "order-events"),
        ("integrator", "buyer-state-changelog"),
        ("administration", "chat-events"),
        ("administration", "attribution-decisions"),
        ("worker", "chat-events"),
        ("worker", "shop-settings"),
        ("payroll", "attribution-decisions"),
        ("payroll", "chat-events"),
        ("operator", "attribution-decisions"),
        ("operator", "shop-settings"),
        ("gateway", "order-events"),
        ("gateway", "rulings"),
        ("adapt", "rulings"),
        ("adapt", "shop-settings"),
        ("adapt", "attribution-decisions"),
        ("console", "chat-events"),
        ("console", "order-events"),
        ("console", "attribution-decisions"),
    ],
)
@pytest.mark.usefixtures("evidence")
def test_who_may_not_write_a_topic_cannot(kafka, role, topic):
    assert errors_of_writing(kafka, role, topic) == [KafkaError.TOPIC_AUTHORIZATION_FAILED]


def errors_of_writing(kafka, role, topic, prefix=PREFIX):
    """Why a record was not taken."""
    errors = []
    producer = Producer({**kafka.client(role), "log_level": 0})
    producer.produce(prefix + topic, b"{}", partition=0, on_delivery=lambda error, _: errors.append(error))
    assert producer.flush(LONGEST_S) == 0
    return [error.code() for error in errors]


@pytest.mark.parametrize(
    ("role", "topic"),
    [
        ("integrator", "chat-events"),
        ("integrator", "attribution-decisions"),
        ("administration", "chat-events"),
        ("payroll", "chat-events"),
        ("payroll", "dead-letters"),
        ("operator", "chat-events"),
        ("operator", "buyer-state-changelog"),
        ("gateway", "chat-events"),
        ("adapt", "chat-events"),
        ("adapt", "attribution-decisions"),
        ("console", "chat-events"),
        ("console", "rulings"),
        ("console", "attribution-decisions"),
    ],
)
@pytest.mark.usefixtures("evidence")
def test_who_may_not_read_a_topic_cannot(kafka, role, topic):
    assert errors_of_reading(kafka, role, topic) == KafkaError.TOPIC_AUTHORIZATION_FAILED


def errors_of_reading(kafka, role, topic, prefix=PREFIX):
    """The first error but for those of the group, of which reading has no need; None: records come.

    Of a topic that a user may not even see the broker names no leader, so there is nothing to read from.
    """
    consumer = Consumer({**kafka.client(role), "group.id": f"{PREFIX}payroll", "log_level": 0})
    consumer.assign([TopicPartition(prefix + topic, 0, 0)])
    deadline = time.monotonic() + LONGEST_S
    try:
        seen = consumer.list_topics(prefix + topic, timeout=LONGEST_S).topics[prefix + topic]
        if seen.error is not None:
            return seen.error.code()
        while time.monotonic() < deadline:
            if (message := consumer.poll(0.5)) is None:
                continue
            if message.error() is None:
                return None
            if message.error().code() != KafkaError.GROUP_AUTHORIZATION_FAILED:
                return message.error().code()
    finally:
        consumer.close()
    raise AssertionError("neither a record nor an error")


@pytest.mark.usefixtures("evidence")
def test_payroll_reads_decisions_and_the_operator_dead_letters(kafka):
    assert errors_of_reading(kafka, "payroll", "attribution-decisions") is None
    assert errors_of_reading(kafka, "operator", "dead-letters") is None


ORDER = {
    "id": 5500000000001,
    "created_at": "2026-03-02T10:10:00+08:00",
    "currency": "CNY",
    "total_price": "199.00",
    "financial_status": "pending",
    "customer": {"id": 6600000000001},
    "line_items": [],
}


def test_a_webhook_becomes_an_event_by_these_rights_and_nobody_else_reads_what_was_kept(kafka, tmp_path):
    prefix = "platforms."
    kafka.allow(prefix, rules())
    operator = kafka.as_user("operator", prefix)
    stream_attr("topics", "create", *operator, "--partitions", "1", "--raw", "shopify")
    connections = f"--connections={connections_file(tmp_path / 'accounts', ['shopify'])}"
    gateway = GatewayProcess(
        kafka.login, prefix, tmp_path / "gateway", (*kafka.as_user("gateway", prefix), connections)
    )
    adapt = AdaptProcess(
        kafka.login, prefix, tmp_path / "adapt", ("shopify", *kafka.as_user("adapt", prefix), connections)
    )
    try:
        gateway.start().until_ready()
        adapt.start()
        gateway.deliver("shopify", ORDER)
        gateway.deliver("shopify", {"id": 1})
        adapt.until_adapted(2)
        until(lambda: len(read_json(kafka.plain, f"{prefix}order-events")) == 1, adapt, gateway)
        until(lambda: len(read_json(kafka.plain, prefix + RAW_DEAD_LETTERS)) >= 1, adapt, gateway)
        assert (gateway.stop(), adapt.stop()) == (0, 0)
    finally:
        for process in (gateway, adapt):
            if process.runs():
                process.kill()
    raw = raw_topic("shopify")
    for role in (
        "integrator",
        "administration",
        "worker",
        "ledger",
        "gateway",
        "console",
        "payroll",
        "operator",
    ):
        refused = errors_of_reading(kafka, role, raw, prefix)
        assert refused == KafkaError.TOPIC_AUTHORIZATION_FAILED, role
        if role != "gateway":
            assert errors_of_writing(kafka, role, raw, prefix) == [KafkaError.TOPIC_AUTHORIZATION_FAILED], (
                role
            )


def test_the_console_publishes_and_reads_by_its_rights(kafka):
    prefix = "console."
    kafka.allow(prefix, rules())
    create_topics(kafka.plain, partitions=1, prefix=prefix)
    security = Security(
        protocol=Protocol.SASL_SSL,
        user="console",
        password=Secret(kafka.password("console")),
        ca_file=kafka.files.authority,
    )
    writer = TopicWriter(kafka.login, security, prefix)
    for topic in (RULINGS, SETTINGS, ROSTER):
        with writer.opened(topic) as write:
            assert write("jd:1", b"{}").offset == 0
    assert {one.topic for one in read_shop_records(kafka.login, prefix, security)} == {SETTINGS, ROSTER}


def test_nobody_else_can_fence_a_worker(kafka):
    producer = Producer(
        {**kafka.client("integrator"), "transactional.id": f"{PREFIX}stream-attr-0", "log_level": 0}
    )
    with pytest.raises(KafkaException) as refused:
        producer.init_transactions(LONGEST_S)
    assert refused.value.args[0].code() == KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED


def test_a_password_that_is_changed_under_a_worker_is_logged_and_the_worker_waits(tmp_path):
    if (missing := apache_kafka.why_not()) is not None and not REQUIRED:
        pytest.skip(f"no Apache Kafka: {missing}")
    files, ports = make_files(tmp_path), (server.free_port(), server.free_port())
    with guarded_kafka(files, *ports) as kafka:
        kafka.make_users()
        kafka.allow("", rules())
        create_topics(kafka.plain, partitions=1)
        worker = RealWorker(kafka.login, "", tmp_path / "worker", tuple(kafka.as_user("worker")))
        worker.start().until_ready()
        kafka.set_password("worker", "another-one")
    try:
        with guarded_kafka(files, *ports) as kafka:
            until(lambda: b"it refuses user worker" in worker.get("/ready")[1], worker)
            kafka.set_password("worker", kafka.password("worker"))
            worker.until_ready()
            assert worker.stop() == 0
    finally:
        if worker.runs():
            worker.kill()
    assert "Traceback" not in worker.output()
