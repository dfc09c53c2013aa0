"""Producers of every client at hand; each sends batches of records, compressed as asked for."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import apache_kafka
import pytest
from aiokafka import AIOKafkaProducer
from confluent_kafka import Producer
from kafka import KafkaProducer

HERE = Path(__file__).resolve().parent
CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
TIMEOUT_S = 120


class Sent(NamedTuple):
    """A record to be sent."""

    codec: str
    topic: str
    key: str
    value: str


def java(bootstrap: str, records: Iterable[Sent]) -> None:
    """Kafka's own client."""
    try:
        jars = apache_kafka.fetched_jars()
    except apache_kafka.KafkaUnavailable as error:
        pytest.skip(f"no Java client: {error}")
    _run(["java", "-cp", f"{jars}/*", str(HERE / "Send.java"), bootstrap], records)


def kafkajs(bootstrap: str, records: Iterable[Sent]) -> None:
    """KafkaJS, with packages that compress for it."""
    _run(["node", str(_installed() / "send.js"), bootstrap], records)


def librdkafka(bootstrap: str, records: Iterable[Sent]) -> None:
    """The client of confluent-kafka and of most languages that are neither Java nor JavaScript."""
    for codec, batch in _by_codec(records):
        producer = Producer(
            {"bootstrap.servers": bootstrap, "compression.type": codec, "partitioner": "murmur2_random"}
        )
        for record in batch:
            producer.produce(record.topic, record.value, record.key)
        assert producer.flush(TIMEOUT_S) == 0


def kafka_python(bootstrap: str, records: Iterable[Sent]) -> None:
    """kafka-python."""
    for codec, batch in _by_codec(records):
        producer = KafkaProducer(
            bootstrap_servers=bootstrap, compression_type=None if codec == "none" else codec, linger_ms=1000
        )
        sent = [
            producer.send(record.topic, key=record.key.encode(), value=record.value.encode())
            for record in batch
        ]
        producer.flush()
        for one in sent:
            one.get(TIMEOUT_S)
        producer.close()


def aiokafka(bootstrap: str, records: Iterable[Sent]) -> None:
    """aiokafka."""

    async def send() -> None:
        for codec, batch in _by_codec(records):
            kind = None if codec == "none" else codec
            async with AIOKafkaProducer(
                bootstrap_servers=bootstrap, compression_type=kind, linger_ms=1000
            ) as producer:
                sent = [
                    await producer.send(record.topic, record.value.encode(), record.key.encode())
                    for record in batch
                ]
                await asyncio.gather(*sent)

    asyncio.run(send())


CLIENTS: tuple[Callable[[str, Iterable[Sent]], None], ...] = (
    java,
    librdkafka,
    kafka_python,
    aiokafka,
    kafkajs,
)


def _by_codec(records: Iterable[Sent]) -> Iterator[tuple[str, list[Sent]]]:
    for codec, batch in groupby(records, lambda record: record.codec):
        yield codec, list(batch)


def _run(command: list[str], records: Iterable[Sent]) -> None:
    lines = "".join("\t".join(record) + "\n" for record in records)
    done = subprocess.run(
        command, input=lines, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    assert done.returncode == 0, done.stderr


def _installed() -> Path:
    """Folder with ``send.js`` and what it needs, which npm fetches the first time."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("no KafkaJS: node and npm are not installed")
    wanted = (HERE / "package.json").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "stream-attr"
    folder = cache / "kafkajs" / hashlib.sha256(wanted).hexdigest()[:12]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "installed").exists():
            (folder / "package.json").write_bytes(wanted)
            npm = subprocess.run(
                ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"],
                cwd=folder, capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
            )  # fmt: skip
            if npm.returncode != 0:
                pytest.skip(f"no KafkaJS: npm cannot fetch it: {npm.stderr.strip()[-500:]}")
            (folder / "installed").touch()
        shutil.copy(HERE / "send.js", folder)
    return folder
