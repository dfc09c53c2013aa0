"""Gateways as processes of their own, and platforms that send to them until they are answered with 200."""

from __future__ import annotations

import http.client
import json
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from stream_attr.contract.raw_topics import raw_topic
from stream_attr.kafka.embedded import server
from tests.gateway.signing import SECRETS, Sent, signed
from tests.kafka.worker_process import LONGEST_S, WorkerProcess, messages, until


def connections_file(folder: Path, platforms: Iterable[str], **more: Any) -> Path:
    """A connection ``main`` of each platform; ``more``: fields of all of them."""
    folder.mkdir(exist_ok=True)
    accounts = []
    for platform in platforms:
        files = {}
        for name, secret in SECRETS[platform].items():
            (folder / f"{platform}.{name}").write_text(secret + "\n")
            files[name] = f"{platform}.{name}"
        accounts.append(
            {"name": "main", "platform": platform, "secret_files": files, "shop_id": "s1", **more}
        )
    file = folder / "connections.json"
    file.write_text(json.dumps({"connections": accounts}))
    return file


class Answer(NamedTuple):
    """What came back."""

    status: int
    body: bytes
    headers: dict[str, str]


@dataclass
class GatewayProcess(WorkerProcess):
    """``stream-attr gateway`` on a broker; ``args``: more of its options."""

    public: int = field(default_factory=server.free_port)

    def command(self) -> list[str]:
        return [
            *(sys.executable, "-m", "stream_attr", "gateway"),
            f"--broker={self.bootstrap}",
            f"--topic-prefix={self.prefix}",
            f"--web-port={self.port}",
            f"--port={self.public}",
            *self.args,
        ]

    def post(self, path: str, sent: Sent, method: str = "POST") -> Answer:
        """Send a request; status 0 where nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.public, timeout=LONGEST_S)
        try:
            where = f"{path}?{sent.query}" if sent.query else path
            connection.request(method, where, sent.body, sent.headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.read(), dict(answer.getheaders()))
        except (OSError, http.client.HTTPException):
            return Answer(0, b"", {})
        finally:
            connection.close()

    def send(self, platform: str, payload: object) -> Answer:
        """Send what a platform sends, signed now, to its connection."""
        path = f"/{platform}/main"
        return self.post(path, signed(platform, payload, path))

    def deliver(self, platform: str, payload: object) -> None:
        """Send it again and again, as platforms do, until it is answered with 200."""
        deadline = time.monotonic() + LONGEST_S
        while self.send(platform, payload).status != 200:
            assert time.monotonic() < deadline, self.output()
            time.sleep(0.2)

    def kept(self, platform: str) -> list[bytes]:
        """The bodies on the platform's topic."""
        return [message.value() for message in messages(self.bootstrap, self.prefix + raw_topic(platform))]


@dataclass
class AdaptProcess(WorkerProcess):
    """``stream-attr adapt PLATFORM`` on a broker; ``args``: the platform, and more options."""

    def command(self) -> list[str]:
        return [
            *(sys.executable, "-m", "stream_attr", "adapt", *self.args),
            f"--broker={self.bootstrap}",
            f"--topic-prefix={self.prefix}",
            f"--web-port={self.port}",
        ]

    def until_adapted(self, payloads: int) -> None:
        """Wait until it has read so many."""
        until(lambda: self.metric("stream_attr_adapt_payloads_total") == payloads, self)

    def until_done(self) -> None:
        """Wait until nothing waits on the raw topic."""
        until(
            lambda: (
                (lags := self.samples("stream_attr_adapt_lag_records"))
                and sum(lags) == 0
                and self.until_ready()
            ),
            self,
        )
