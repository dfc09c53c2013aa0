"""Brokers that answer, and advertise an address at which they cannot be reached: said in one sentence."""

from __future__ import annotations

import contextlib
import logging
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import copy_inputs
import pytest
from click.testing import CliRunner
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, BrokerMetadata

from stream_attr.cli import main
from stream_attr.kafka import connection
from stream_attr.kafka.admin import create_topics
from stream_attr.kafka.connection import BrokerUnreachable, connect, unreachable
from stream_attr.kafka.dead_letters import LettersOfTopic
from stream_attr.kafka.embedded import broker, server
from stream_attr.kafka.security import UNSECURED

pytestmark = pytest.mark.kafka


class Proxy:
    """A listener of the loopback interface that passes all on to a broker, until it is closed."""

    def __init__(self) -> None:
        self._listener = socket.create_server((server.HOST, 0))
        self.address = f"{server.HOST}:{self._listener.getsockname()[1]}"
        self._open: list[socket.socket] = [self._listener]

    def start(self, port: int) -> None:
        threading.Thread(target=self._accept, args=(port,), daemon=True).start()

    def close(self) -> None:
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self, port: int) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                broker = socket.create_connection((server.HOST, port))
                self._open += [client, broker]
                for one, other in ((client, broker), (broker, client)):
                    threading.Thread(target=_pump, args=(one, other), daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)


@pytest.fixture(scope="module")
def wrong() -> Iterator[tuple[str, str]]:
    """A broker with all topics, by the address that answers and by the one it advertises, which does not."""
    proxy, port = Proxy(), server.free_port()
    with tempfile.TemporaryFile() as log:
        process = server.spawn(
            [
                broker._find_binary(),
                "--silent",
                f"--cluster-id={broker.CLUSTER_ID}",
                f"--listener-url=tcp://{server.HOST}:{port}",
                f"--advertised-listener-url=tcp://{proxy.address}",
                "--storage-engine=memory://tansu/",
            ],
            log,
        )
        try:
            assert server.answers(process, port, 60)
            proxy.start(port)
            create_topics(f"{server.HOST}:{port}", partitions=1)
            proxy.close()
            yield f"{server.HOST}:{port}", proxy.address
        finally:
            proxy.close()
            process.kill()
            process.wait()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_NOBODY_THERE_S", 0)


def names_it(said: str, wrong: tuple[str, str]) -> bool:
    """Whether one line names both addresses and the setting."""
    lines = [line for line in said.splitlines() if not line.startswith("Nothing was sent to ")]
    return (
        len(lines) == 1
        and f"of {wrong[0]} advertises {wrong[1]}, which cannot be reached from here: " in lines[0]
        and "Connection refused; set its advertised.listeners" in lines[0]
    )


@pytest.mark.parametrize(
    "words",
    [
        ["topics", "create"],
        ["publish", "--until", "2026-11-01T00:00:00Z"],
        ["dead-letters", "list"],
        ["dead-letters", "replay"],
    ],
)
def test_every_command_names_an_advertised_address_that_is_not_reached(
    wrong: tuple[str, str], words: list[str]
) -> None:
    result = CliRunner().invoke(main, [*words, "--broker", wrong[0]])
    assert result.exit_code == 2
    assert result.stdout == ""
    assert names_it(result.stderr, wrong), result.stderr


REFUSED = "10.0.0.7:9092 failed: Connection refused"


class Unanswered:
    """Stands for a client that learns which brokers there are, and gets no further in its time."""

    def __init__(self, config: dict[str, Any]) -> None:
        self._record = config["error_cb"]

    def list_topics(self, timeout: float) -> NoReturn:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT, f"after {timeout} s"))

    def poll(self, _: float) -> None:
        refused = f"sasl_ssl://10.0.0.7:9092/111: Connect to ipv4#{REFUSED} (after 0ms in state CONNECT)"
        self._record(KafkaError(KafkaError._TRANSPORT, refused))
        self._record(KafkaError(KafkaError._ALL_BROKERS_DOWN, "1/1 brokers are down"))


def test_it_is_named_too_where_the_client_finds_out_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "AdminClient", Unanswered)
    monkeypatch.setattr(connection, "BROKER_TIMEOUT_S", 0)
    with pytest.raises(BrokerUnreachable) as refused:
        connect("kafka.example:9092", UNSECURED)
    assert str(refused.value).startswith(
        "broker 111 of kafka.example:9092 advertises 10.0.0.7:9092, which cannot be reached from here: "
        f"Connect to ipv4#{REFUSED}; set its advertised.listeners"
    )
    with pytest.raises(BrokerUnreachable, match=r"no Kafka broker answers at 10\.0\.0\.7:9092"):
        connect("10.0.0.7:9092", UNSECURED)


def test_a_worker_names_an_advertised_address_that_is_not_reached(
    wrong: tuple[str, str], tmp_path: Path
) -> None:
    words = ["worker", "--broker", wrong[0], "--data-dir", tmp_path, "--web-port", server.free_port()]
    command = [sys.executable, "-m", "stream_attr", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 2
    assert names_it(done.stderr, wrong), done.stderr


def test_the_copying_names_an_advertised_address_that_is_not_reached(
    wrong: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert copy_inputs.main(["--broker", wrong[0], "--from", "a.", "--to", "b."]) == 2
    assert names_it(capsys.readouterr().err, wrong)


def test_dead_letters_whose_leader_is_lost_while_they_are_read_are_not_none(
    wrong: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_require_advertised", lambda *_: None)  # it was right when we began
    monkeypatch.setattr("stream_attr.kafka.to_end._SILENCE_S", 0.5)
    with pytest.raises(BrokerUnreachable, match=f"dead-letters cannot be read: .* advertises {wrong[1]}"):
        list(LettersOfTopic(wrong[0]))
    listed = CliRunner().invoke(main, ["dead-letters", "list", "--broker", wrong[0]])
    assert (listed.exit_code, "0 dead letters" in listed.stderr) == (2, False)


def _broker(number: int, address: str) -> BrokerMetadata:
    broker = BrokerMetadata()
    broker.id, broker.host, broker.port = number, *address.split(":")
    return broker


def test_one_of_several_brokers_that_is_not_reached_is_a_warning(
    wrong: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    cluster = AdminClient({"bootstrap.servers": wrong[0]}).list_topics(timeout=30)
    cluster.brokers = {
        1: _broker(1, wrong[0]),
        2: _broker(2, wrong[1]),
        3: _broker(3, "kafka\x1b[31m\n.invalid:9092"),
    }
    with caplog.at_level(logging.WARNING, logger=connection.__name__):
        connection._require_advertised(cluster, wrong[0], UNSECURED)
    assert [message.partition(", which cannot be reached from here: ")[0] for message in caplog.messages] == [
        f"broker 2 of {wrong[0]} advertises {wrong[1]}",
        f"broker 3 of {wrong[0]} advertises kafka\\x1b[31m\\n.invalid:9092",
    ]


def test_a_broker_of_another_cluster_at_the_advertised_address_is_named(wrong: tuple[str, str]) -> None:
    brokers = [_broker(1, wrong[0])]
    assert unreachable(brokers, broker.CLUSTER_ID, wrong[0], UNSECURED) == []
    [problem] = unreachable(brokers, "another", wrong[0], UNSECURED)
    assert "where another cluster answers; set its advertised.listeners" in problem
