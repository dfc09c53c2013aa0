"""A gateway against a bare server of the same kind, and gateway and adapt against what one worker takes."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from engines import WORKER, Traffic, rate
from running import cpu_s
from stream_attr.kafka.admin import create_topics
from stream_attr.kafka.embedded import server
from stream_attr.kafka.embedded.broker import embedded_broker
from table import Row

__all__ = ["run"]

REQUESTS = 4_000
ROUNDS = 3
AT_ONCE = 64
EVENTS = 50_000
DAYS = 15
PREFIX = "bench-gateway-"
SECRET = "a-secret-of-a-shop"
TARGET = 0.2
"""A signature, a record with headers and its acknowledgement cost four bare requests at most."""
PATIENCE_S = 120.0


def run() -> list[Row]:
    """Measure on the embedded broker."""
    with tempfile.TemporaryDirectory() as name, embedded_broker() as broker:
        folder = Path(name)
        create_topics(broker.bootstrap, partitions=4, prefix=PREFIX, platforms=["woocommerce"])
        file = _connections(folder)
        bare, kept = [], []
        for _ in range(ROUNDS):
            bare.append(_requests(_bare))
            kept.append(_requests(lambda port: _gateway(broker.bootstrap, file, port)))
        adapted = _adapted(broker.bootstrap, file)
        worker = rate(
            WORKER, broker.bootstrap, folder, Traffic.generate(folder / "t", EVENTS, DAYS), reports=True
        )
    return _rows(bare, kept, adapted, worker)


def _rows(bare: list[Rate], kept: list[Rate], adapted: float, worker: float) -> list[Row]:
    ratios = [mine.per_second / theirs.per_second for mine, theirs in zip(kept, bare, strict=True)]
    ratio = statistics.median(ratios)
    per_second = statistics.mean(one.per_second for one in kept)
    return [
        Row(
            "gateway against a bare server, embedded broker",
            f"{ratio:.2f} of its requests",
            f"at least {TARGET:g}",
            f"{min(ratios):.2f} to {max(ratios):.2f}",
            f"{per_second:,.0f} requests/s against {statistics.mean(one.per_second for one in bare):,.0f}; "
            f"{_cpu_ms(kept):.2f} ms of CPU each against {_cpu_ms(bare):.2f}; verified, kept, acknowledged",
            met=ratio >= TARGET,
        ),
        Row(
            "webhooks that one gateway takes, beside the events that one worker takes",
            f"{per_second / worker:.2f} of them",
            "",
            "",
            f"{per_second:,.0f} requests/s; worker with all outputs {worker:,.0f} events/s; embedded broker",
        ),
        Row(
            "events that one adapt makes, beside those that one worker takes",
            f"{adapted / worker:.2f} of them",
            "",
            "",
            f"{adapted:,.0f} events/s, two of each order of WooCommerce; embedded broker",
        ),
    ]


class Rate:
    """How fast a server answered."""

    def __init__(self, seconds: float, cpu: float) -> None:
        self.per_second = REQUESTS / seconds
        self.cpu_ms = 1000 * cpu / REQUESTS


def _cpu_ms(rates: list[Rate]) -> float:
    return statistics.mean(one.cpu_ms for one in rates)


def _connections(folder: Path) -> Path:
    (folder / "secret").write_text(SECRET)
    account = {
        "name": "main",
        "platform": "woocommerce",
        "shop_id": "s1",
        "secret_files": {"secret": "secret"},
    }
    file = folder / "connections.json"
    file.write_text(json.dumps({"connections": [account]}))
    return file


def _order(number: int) -> bytes:
    """An order of about two kilobytes, paid: two events."""
    return json.dumps(
        {
            "id": number,
            "status": "processing",
            "currency": "CNY",
            "total": "199.00",
            "customer_id": number % 1000 + 1,
            "date_created_gmt": "2026-03-02T02:10:00",
            "date_paid_gmt": "2026-03-02T02:12:00",
            "payment_method": "card",
            "line_items": [{"product_id": 501, "quantity": 1, "name": "x" * 1500}],
        }
    ).encode()


def _signed(number: int) -> bytes:
    body = _order(number)
    sign = base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode()
    head = (
        "POST /woocommerce/main HTTP/1.1\r\nHost: shop.example\r\nContent-Type: application/json\r\n"
        f"X-WC-Webhook-Signature: {sign}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@contextmanager
def _bare(port: int) -> Iterator[int]:
    script = Path(__file__).parent / "peers" / "bare_web.py"
    with _process([sys.executable, str(script), str(port)], f"http://127.0.0.1:{port}/") as pid:
        yield pid


@contextmanager
def _gateway(bootstrap: str, file: Path, port: int) -> Iterator[int]:
    web = server.free_port()
    words = [
        *(
            sys.executable,
            "-P",
            "-m",
            "stream_attr",
            "gateway",
            f"--connections={file}",
            f"--broker={bootstrap}",
        ),
        *(f"--topic-prefix={PREFIX}", f"--port={port}", f"--web-port={web}", "--rate=100000"),
    ]
    with _process(words, f"http://127.0.0.1:{web}/ready") as pid:
        yield pid


@contextmanager
def _process(words: list[str], ready: str) -> Iterator[int]:
    process = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    try:
        _until(lambda: _asked(ready) is not None)
        yield process.pid
    finally:
        server.stop(process)


def _requests(serve: Callable[[int], AbstractContextManager[int]]) -> Rate:
    port = server.free_port()
    requests = [_signed(number) for number in range(REQUESTS)]
    with serve(port) as pid:
        asyncio.run(_send(port, requests[:AT_ONCE]))  # it has begun
        cpu, begun = cpu_s(pid), time.perf_counter()
        asyncio.run(_send(port, requests))
        return Rate(time.perf_counter() - begun, cpu_s(pid) - cpu)


async def _send(port: int, requests: list[bytes]) -> None:
    """Send all over so many connections that stay open, each waiting for its answer."""
    left = iter(requests)

    async def one_after_the_other() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in left:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
        writer.close()

    await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))


def _adapted(bootstrap: str, file: Path) -> float:
    """Events a second of one adapt over all that was kept."""
    web = server.free_port()
    words = [
        *(sys.executable, "-P", "-m", "stream_attr", "adapt", "woocommerce", f"--connections={file}"),
        *(f"--broker={bootstrap}", f"--topic-prefix={PREFIX}", f"--web-port={web}"),
    ]
    address = f"http://127.0.0.1:{web}"
    expected = ROUNDS * (REQUESTS + AT_ONCE)
    with _process(words, f"{address}/health"):
        _until(lambda: _payloads(address) > 0)
        first, begun = _payloads(address), time.perf_counter()
        _until(lambda: _payloads(address) >= expected)
        return 2 * (expected - first) / (time.perf_counter() - begun)


def _payloads(address: str) -> float:
    lines = (_asked(f"{address}/metrics") or b"").decode().splitlines()
    found = [line for line in lines if line.startswith("stream_attr_adapt_payloads_total{")]
    return sum(float(line.rpartition(" ")[2]) for line in found)


def _asked(address: str) -> bytes | None:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            body: bytes = answer.read()
            return body
    except OSError:
        return None


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.perf_counter() + PATIENCE_S
    while not holds():
        if time.perf_counter() > deadline:
            raise AssertionError("it does not get on")
        time.sleep(0.02)
