"""Webhooks of Shopify, WooCommerce and Chatwoot by clients that share no code with us.

OpenSSL's program signs, curl sends: each twice and in any order. It ends as one decision of a worker for each
order.
"""

from __future__ import annotations

import base64
import html
import json
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from stream_attr.contract.raw_topics import RAW_DEAD_LETTERS
from stream_attr.contract.topics import DECISIONS, ORDERS
from stream_attr.kafka.admin import create_topics
from tests.adapters.platforms import changed, documents, sample
from tests.adapters.test_decisions import PLACED, ROBOT, SETTINGS, conversation
from tests.gateway.platform_api import KEY, platform_api
from tests.gateway.signing import SECRETS
from tests.kafka.conftest import any_broker
from tests.kafka.gateway_process import AdaptProcess, GatewayProcess, connections_file
from tests.kafka.worker_process import WorkerProcess, read_json, until

pytestmark = pytest.mark.skipif(
    shutil.which("openssl") is None or shutil.which("curl") is None, reason="openssl and curl are needed"
)
WEBHOOKS = [
    *(("shopify", sample("shopify", name)) for name in ("orders_create", "orders_paid")),
    *(("woocommerce", sample("woocommerce", name)) for name in ("order_created", "order_updated_processing")),
    *conversation("6600000000001"),
    *(
        (platform, changed(payload, id=payload["id"] + 100, conversation__id=43))
        for platform, payload in conversation("31")
    ),
]
"""Two buyers ask the same agent, a robot and then the agent answer; one orders at Shopify, one at
WooCommerce."""


def openssl_hmac(secret: str, data: bytes) -> bytes:
    """HMAC-SHA256 as the platforms' own programs have it from OpenSSL."""
    key = f"hexkey:{secret.encode().hex()}"
    return subprocess.run(
        ["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", key, "-binary"],
        input=data,
        capture_output=True,
        check=True,
    ).stdout


def headers_of(platform: str, body: bytes) -> dict[str, str]:
    """The headers of a platform, signed as it publishes that it does.

    Shopify: shopify.dev, "Deliver webhooks through HTTPS". WooCommerce: ``generate_signature`` of
    class-wc-webhook.php. Chatwoot: lib/webhooks.
    """
    names: dict[str, str] = sample(platform, "headers")
    if platform == "chatwoot":
        sent = str(int(time.time()))
        digest = openssl_hmac(SECRETS[platform]["secret"], f"{sent}.".encode() + body).hex()
        return {**names, "X-Chatwoot-Timestamp": sent, "X-Chatwoot-Signature": f"sha256={digest}"}
    name = {"shopify": "X-Shopify-Hmac-SHA256", "woocommerce": "X-WC-Webhook-Signature"}[platform]
    secret = SECRETS[platform]["secret"]
    if platform == "woocommerce":  # the stored secret goes through wp_specialchars_decode
        secret = html.unescape(secret)
    return {**names, name: base64.b64encode(openssl_hmac(secret, body)).decode()}


def curl(url: str, headers: dict[str, str], body: Path) -> int:
    """Post a file; the status."""
    given = [f"{name}: {value}" for name, value in {**headers, "Content-Type": "application/json"}.items()]
    options = [word for one in given for word in ("--header", one)]
    shown = ["--silent", "--output", "/dev/null", "--write-out", "%{http_code}"]
    command = ["curl", *shown, *options, "--data-binary", f"@{body}", url]
    return int(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)


@dataclass
class Worker(WorkerProcess):
    """``stream-attr worker`` itself."""

    def command(self) -> list[str]:
        return [
            *(sys.executable, "-m", "stream_attr", "worker", "--clock=events"),
            f"--broker={self.bootstrap}",
            f"--topic-prefix={self.prefix}",
            f"--data-dir={self.data_dir}",
            f"--web-port={self.port}",
        ]


@pytest.fixture
def started() -> Iterator[list[Any]]:
    processes: list[Any] = []
    yield processes
    for process in processes:
        if process.runs():
            process.kill()


def publish(bootstrap: str, prefix: str, folder: Path, topic: str, record: object, *options: str) -> None:
    file = folder / f"{topic}.jsonl"
    file.write_text(json.dumps(record) + "\n")
    command = ["publish", f"--broker={bootstrap}", f"--topic-prefix={prefix}", f"--{topic}={file}", *options]
    subprocess.run([sys.executable, "-m", "stream_attr", *command], check=True, timeout=60)


@any_broker
def test_signed_by_openssl_sent_by_curl_twice_in_any_order_each_order_is_decided_once(
    broker, topic_prefix, tmp_path, started
):
    bootstrap, prefix = broker.bootstrap, topic_prefix
    platforms = ["chatwoot", "shopify", "woocommerce"]
    create_topics(bootstrap, partitions=2, prefix=prefix, platforms=platforms)
    publish(bootstrap, prefix, tmp_path, "settings", SETTINGS)
    publish(bootstrap, prefix, tmp_path, "roster", ROBOT)
    accounts = connections_file(tmp_path / "gateway-accounts", platforms)
    gateway = GatewayProcess(bootstrap, prefix, tmp_path / "gateway", (f"--connections={accounts}",))
    started.append(gateway.start().until_ready())
    deliveries = WEBHOOKS * 2
    random.Random(17).shuffle(deliveries)
    for number, (platform, payload) in enumerate(deliveries):
        body = tmp_path / f"{number}.json"
        body.write_text(json.dumps(payload, ensure_ascii=False), encoding="utf-8")
        url = f"http://127.0.0.1:{gateway.public}/{platform}/main"
        signed = headers_of(platform, body.read_bytes())
        assert curl(url, signed, body) == 200, platform
        body.write_bytes(body.read_bytes().replace(b"2026", b"2025", 1))
        assert curl(url, signed, body) == 401, "another body by the same signature"

    (tmp_path / "key").write_text(KEY)
    with platform_api(documents("shopify")) as api:
        for platform in platforms:
            more = {}
            if platform == "shopify":
                lookup = {
                    name: {
                        "url": f"{api.url}/{name}/{{id}}",
                        "header_files": {"X-Key": str(tmp_path / "key")},
                    }
                    for name in ("order", "transactions")
                }
                more = {"enrich": lookup}
            file = connections_file(tmp_path / platform, [platform], **more)
            process = AdaptProcess(
                bootstrap, prefix, tmp_path / f"adapt-{platform}", (platform, f"--connections={file}")
            )
            started.append(process.start())
            process.until_adapted(sum(one == platform for one, _ in deliveries))
            process.until_done()
            assert process.stop() == 0
    assert [value for _, value in read_json(bootstrap, prefix + RAW_DEAD_LETTERS)] == []

    worker = Worker(bootstrap, prefix, tmp_path / "worker")
    started.append(worker.start())
    expected = {"5500000000001": PLACED + 120_000, "7001": PLACED + 120_000}

    def credited() -> dict[str, Any]:
        last = {one["order_id"]: one for _, one in read_json(bootstrap, prefix + DECISIONS)}
        return {order: one for order, one in last.items() if one["paid_ts"] and one["credit"]}

    until(lambda: credited().keys() == expected.keys(), worker)
    for order, decision in credited().items():
        assert decision["credit"]["agent_id"] == "11"
        assert (decision["amount"], decision["paid_ts"]) == (19900, expected[order])
    events = [event["event_id"] for _, event in read_json(bootstrap, prefix + ORDERS)]
    assert len(events) > len(set(events)) == 4, "repeats came, and changed nothing"
    made = [decision["decision_id"] for _, decision in read_json(bootstrap, prefix + DECISIONS)]
    assert len(made) == len(set(made))
    assert worker.stop() == 0
