"""The gateway on a broker: what was answered with 200 is kept, byte for byte, whatever happens."""

from __future__ import annotations

import itertools
import json
import socket
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlencode

import apache_kafka
import pytest

from stream_attr.adapters.registry import ADAPTERS
from stream_attr.contract.raw_topics import raw_topic
from stream_attr.gateway.receiver import MAX_BODY
from stream_attr.kafka.admin import create_topics
from tests.gateway.signing import REPLIES, SECRETS, TIMED, Sent, sha1_sorted, signed, wechat_encrypted
from tests.kafka.conftest import REQUIRED
from tests.kafka.gateway_process import GatewayProcess, connections_file
from tests.kafka.worker_process import messages, until

BY_TOKEN = {"gorgias", "jd", "pinduoduo", "taobao"}
"""They sign nothing."""
NOT_OF_THE_BODY = {"easemob", "kuaishou", "livechat", "xiaohongshu"}
"""Their signature says nothing of the body, or of parts of it."""
BIG = ["jd", "taobao", "pinduoduo", "doudian"]


@pytest.fixture
def gateway(broker, topic_prefix, tmp_path) -> Iterator[GatewayProcess]:
    create_topics(broker.bootstrap, partitions=2, prefix=topic_prefix, platforms=ADAPTERS)
    file = connections_file(tmp_path / "accounts", ADAPTERS)
    made = GatewayProcess(broker.bootstrap, topic_prefix, tmp_path / "gateway", (f"--connections={file}",))
    made.start().until_ready()
    yield made
    if made.runs():
        made.kill()


def test_every_platform_is_verified_kept_as_it_came_and_answered_as_it_expects(gateway):
    for platform in ADAPTERS:
        path = f"/{platform}/main"
        sent = signed(platform, {"text": "中文", "n": 2600000000000000001}, path)
        before = time.time_ns() // 1_000_000
        answer = gateway.post(path, sent)
        assert (answer.status, answer.body) == (200, REPLIES.get(platform, b"")), platform
        [record] = messages(gateway.bootstrap, gateway.prefix + raw_topic(platform))
        assert record.value() == sent.body
        assert record.key() == b"main"
        assert before <= record.timestamp()[1] <= time.time_ns() // 1_000_000
        kept = dict(record.headers())
        assert kept[":by"] == (b"token" if platform in BY_TOKEN else b"signature")
        assert kept[":path"].decode() == (f"{path}?{sent.query}" if sent.query else path)
        signs = {name.lower(): value.encode() for name, value in sent.headers.items()}
        assert (signs.items() <= kept.items()) is (platform not in BY_TOKEN)
        assert "authorization" not in kept
    assert gateway.metric("stream_attr_gateway_requests_total") == len(ADAPTERS)
    assert gateway.stop() == 0
    assert "Traceback" not in gateway.output()
    for secret in SECRETS.values():
        for value in secret.values():
            assert value not in gateway.log.read_text()


def forged(platform: str, path: str) -> Iterator[Sent]:
    """Requests that somebody else makes."""
    right = signed(platform, {"a": 1}, path)
    yield Sent(right.body if right.headers or right.query else b'{"a":1}', {})
    yield right._replace(
        headers={name: f"{value}x" for name, value in right.headers.items()}, query="x=1", body=b"{}"
    )
    if platform not in BY_TOKEN | NOT_OF_THE_BODY:
        place = {"wechat_shop": b'"Encrypt": "', "wechat_kf": b'"Encrypt": "', "youzan": b'"msg": "'}
        signed_from = place.get(platform, b"{")
        yield right._replace(body=right.body.replace(signed_from, signed_from + b" ", 1))


def test_what_is_not_the_platforms_is_refused_and_not_kept(gateway):
    for platform in ADAPTERS:
        for sent in forged(platform, f"/{platform}/main"):
            answer = gateway.post(f"/{platform}/main", sent)
            assert answer.status == 401, (platform, sent)
            assert b"missing or wrong" in answer.body
        assert gateway.kept(platform) == []
    assert gateway.post("/shopify/other", signed("shopify", {}, "")).status == 404
    assert gateway.post("/amazon/main", Sent(b"{}", {})).status == 404
    assert gateway.post("/shopify/main", Sent(b"", {}), "PUT").status == 405
    assert gateway.post("/shopify/main", Sent(b"", {}), "GET").status == 401
    assert gateway.post("/intercom/main", Sent(b"", {}), "HEAD").status == 200


@pytest.mark.parametrize("platform", sorted(TIMED))
def test_what_was_signed_too_long_ago_or_ahead_is_refused(gateway, platform):
    path, now = f"/{platform}/main", time.time()
    for away_s, status in ((-86_400 - 30, 401), (-86_400 + 30, 200), (240, 200), (330, 401)):
        answer = gateway.post(path, signed(platform, {"a": 1}, path, now + away_s))
        assert answer.status == status, (away_s, answer)
        assert (b"too old" in answer.body) is (status == 401)
    assert len(gateway.kept(platform)) == 2


def test_what_is_too_large_is_refused_before_and_while_it_comes(gateway):
    path = "/shopify/main"
    most, more = (signed("shopify", b"x" * size, path) for size in (MAX_BODY, MAX_BODY + 1))
    assert gateway.post(path, most).status == 200
    assert gateway.post(path, more).status == 413
    chunked = signed("shopify", b"x" * (MAX_BODY + 1), path)
    with socket.create_connection(("127.0.0.1", gateway.public)) as connection:
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
        connection.sendall(head.encode() + b"\r\n")
        for start in range(0, len(chunked.body), 100_000):
            part = chunked.body[start : start + 100_000]
            try:
                connection.sendall(f"{len(part):x}\r\n".encode() + part + b"\r\n")
            except OSError:
                break
        assert connection.recv(100).startswith(b"HTTP/1.1 413")
    assert [len(body) for body in gateway.kept("shopify")] == [MAX_BODY]


def test_platforms_that_ask_before_they_send_are_answered_and_nothing_is_kept(gateway):
    token, moment = SECRETS["wechat_shop"]["token"], str(int(time.time()))
    sign = sha1_sorted(token, moment, "7")
    query = f"signature={sign}&timestamp={moment}&nonce=7&echostr=5838479218127813673"
    answer = gateway.post("/wechat_shop/main", Sent(b"", {}, query), "GET")
    assert (answer.status, answer.body) == (200, b"5838479218127813673")
    assert (
        gateway.post("/wechat_shop/main", Sent(b"", {}, query.replace(sign, sign[::-1])), "GET").status == 401
    )
    echo = wechat_encrypted(b"1616140317555161061")
    sign = sha1_sorted(token, moment, "7", echo)
    query = urlencode({"msg_signature": sign, "timestamp": moment, "nonce": "7", "echostr": echo})
    answer = gateway.post("/wechat_kf/main", Sent(b"", {}, query), "GET")
    assert (answer.status, answer.body) == (200, b"1616140317555161061")
    assert (
        gateway.post("/wechat_kf/main", Sent(b"", {}, query.replace("nonce=7", "nonce=8")), "GET").status
        == 401
    )
    assert gateway.post("/woocommerce/main", Sent(b"webhook_id=7", {})).status == 200
    assert gateway.post("/woocommerce/main", Sent(b"webhook_id=7&a=1", {})).status == 401
    for platform in ("wechat_shop", "wechat_kf", "woocommerce"):
        assert gateway.kept(platform) == []
    assert b'platform="woocommerce",result="handshake"} 1.0' in gateway.get("/metrics")[1]


def test_beyond_the_rate_a_connection_waits_and_others_do_not(broker, topic_prefix, tmp_path):
    create_topics(broker.bootstrap, partitions=2, prefix=topic_prefix, platforms=["jd", "shopify"])
    file = connections_file(tmp_path / "accounts", ["jd", "shopify"])
    args = (f"--connections={file}", "--rate=1")
    gateway = GatewayProcess(broker.bootstrap, topic_prefix, tmp_path / "gateway", args).start()
    try:
        gateway.until_ready()
        answers = [gateway.send("jd", {"n": n}) for n in range(20)]
        assert {answer.status for answer in answers} == {200, 429}
        assert {answer.headers.get("retry-after") for answer in answers if answer.status == 429} == {"5"}
        assert gateway.send("shopify", {}).status == 200
        assert len(gateway.kept("jd")) == sum(answer.status == 200 for answer in answers)
    finally:
        gateway.kill()


@pytest.fixture
def kafka(tmp_path):
    """An Apache Kafka of one's own, which may be killed."""
    if (missing := apache_kafka.why_not()) is not None and not REQUIRED:
        pytest.skip(f"no Apache Kafka: {missing}")
    with apache_kafka.cluster(tmp_path / "kafka") as running:
        create_topics(running.bootstrap, partitions=2, platforms=BIG)
        yield running


@pytest.mark.kafka
def test_while_the_broker_is_away_platforms_are_told_to_retry(kafka, tmp_path):
    file = connections_file(tmp_path / "accounts", BIG)
    gateway = GatewayProcess(kafka.bootstrap, "", tmp_path / "gateway", (f"--connections={file}",)).start()
    try:
        gateway.until_ready()
        assert gateway.send("doudian", [{"n": 1}]).status == 200
        kafka.kill()
        answer = gateway.send("doudian", [{"n": 2}])
        assert (answer.status, answer.headers["retry-after"]) == (503, "5")
        until(lambda: gateway.get("/ready")[0] == 503, gateway)
        assert gateway.metric("stream_attr_gateway_broker_away") == 1
        kafka.start()
        gateway.deliver("doudian", [{"n": 2}])
        gateway.until_ready()
        assert gateway.metric("stream_attr_gateway_broker_away") == 0
        assert {json.loads(body)[0]["n"] for body in gateway.kept("doudian")} == {1, 2}
        assert gateway.stop() == 0
    finally:
        if gateway.runs():
            gateway.kill()


class Platforms:
    """The big ones at once: each numbers what it sends, repeats it, and notes what was answered."""

    def __init__(self, gateway: GatewayProcess) -> None:
        self.gateway = gateway
        self.answered: dict[str, set[bytes]] = {platform: set() for platform in BIG}
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._send, args=(one,)) for one in BIG for _ in range(2)]
        self._numbers = itertools.count()
        for thread in self._threads:
            thread.start()

    def _send(self, platform: str) -> None:
        while not self._stop.is_set():
            sent = signed(platform, [{"n": next(self._numbers)}], "")
            while self.gateway.post(f"/{platform}/main", sent).status != 200:
                if self._stop.is_set():
                    return
                time.sleep(0.02)
            self.answered[platform].add(sent.body)

    def until_more(self, count: int = 40) -> None:
        """Wait until each has had so many answers more."""
        before = {platform: len(answered) for platform, answered in self.answered.items()}
        until(
            lambda: all(len(self.answered[one]) >= before[one] + count for one in BIG),
            *([self.gateway] if self.gateway.runs() else []),
        )

    def end(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


@pytest.mark.parametrize("killed", [True, False], ids=["SIGKILL", "SIGTERM"])
def test_nothing_that_was_answered_is_lost(apache, topic_prefix, tmp_path, killed):
    create_topics(apache.bootstrap, partitions=2, prefix=topic_prefix, platforms=BIG)
    file = connections_file(tmp_path / "accounts", BIG)
    args = (f"--connections={file}", "--rate=10000")
    gateway = GatewayProcess(apache.bootstrap, topic_prefix, tmp_path / "gateway", args).start().until_ready()
    platforms = Platforms(gateway)
    try:
        for _ in range(3):
            platforms.until_more()
            if killed:
                gateway.kill()
            else:
                assert gateway.stop() == 0
            gateway.start()
        platforms.until_more()
    finally:
        platforms.end()
        gateway.kill()
    for platform in BIG:
        assert platforms.answered[platform]
        assert platforms.answered[platform] <= set(gateway.kept(platform))
