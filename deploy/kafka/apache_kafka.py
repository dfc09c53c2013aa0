"""Apache Kafka on the loopback interface, from its Maven artifacts: for ``make kafka-up`` and for the tests.

    python deploy/kafka/apache_kafka.py up [--port 9092] [--brokers N] [--state .cache/kafka]
    python deploy/kafka/apache_kafka.py down [--state .cache/kafka]

Each node is one JVM, broker and KRaft controller at once. Needs Java 17 and, the first time, Maven; the jars
go to ``$XDG_CACHE_HOME/stream-attr/kafka`` (``~/.cache`` where that is not set) and serve every checkout.
Data lies in the state folder and survives ``down`` and ``up``. For trials and tests: small heap, quick joins.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import fcntl
import functools
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from stream_attr.kafka.embedded import server
from stream_attr.kafka.embedded.stall import Stall

HERE = Path(__file__).resolve().parent
READY_PATIENCE_S = 60.0
"""How long a node that comes up may do nothing: neither write into its log nor use the processor."""
STOP_TIMEOUT_S = 20.0
ARCHIVE_TIMEOUT_S = 300.0
"""A node that stops writes its classes first: 5 s of processor."""
MAVEN_ATTEMPTS = 4
LAST_PORT = 65_535
MOST_BROKERS = 9


class KafkaUnavailable(Exception):  # noqa: N818
    """Apache Kafka cannot be had or started here; the message says what is missing."""


@dataclass(frozen=True)
class Node:
    """One JVM of the cluster."""

    id: int
    port: int
    pid: int


@dataclass(frozen=True)
class Guard:
    """Two more listeners of every node, through which nobody may do what no access rule allows him.

    Users, and the rules, are made through the plain listener, where everybody may do everything: nodes talk
    to each other there, and tests set the scene. For tests on the loopback interface alone.
    """

    login_ports: Sequence[int]
    """Per node: TLS and a log-in by SCRAM, or PLAIN (SASL_SSL)."""
    certificate_ports: Sequence[int]
    """Per node: TLS with a certificate of the client (SSL), whose subject is the user."""
    keystore: Path
    """PEM: the nodes' key and certificate."""
    authority: Path
    """PEM: who must have signed a client's certificate."""
    plain_users: Mapping[str, str]
    """Passwords of those who log in by PLAIN."""

    def properties(self, number: int) -> dict[str, object]:
        """What the properties of a node have beside or instead of the plain ones."""
        login, certificate = (ports[number - 1] for ports in (self.login_ports, self.certificate_ports))
        scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        known = "".join(f' user_{user}="{password}"' for user, password in self.plain_users.items())
        return {
            "listeners": f"LOGIN://{server.HOST}:{login},CERTIFICATE://{server.HOST}:{certificate}",
            "advertised.listeners": f"LOGIN://{server.HOST}:{login},CERTIFICATE://{server.HOST}:{certificate}",
            "listener.security.protocol.map": "LOGIN:SASL_SSL,CERTIFICATE:SSL",
            "sasl.enabled.mechanisms": "SCRAM-SHA-256,SCRAM-SHA-512,PLAIN",
            "listener.name.login.scram-sha-256.sasl.jaas.config": scram,
            "listener.name.login.scram-sha-512.sasl.jaas.config": scram,
            "listener.name.login.plain.sasl.jaas.config": (
                f"org.apache.kafka.common.security.plain.PlainLoginModule required{known};"
            ),
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": self.keystore,
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": self.authority,
            "listener.name.certificate.ssl.client.auth": "required",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
        }


def why_not() -> str | None:
    """What this machine lacks to run Apache Kafka; None when it lacks nothing."""
    java = shutil.which("java")
    if java is None:
        return "no java on the PATH; Java 17 or newer is needed"
    output = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(?:1\.)?(\d+)', output)
    if version is None or int(version[1]) < 17:
        return f"Java 17 or newer is needed, {java} is {output.splitlines()[0] if output else 'unknown'}"
    if not _jars().is_dir() and shutil.which("mvn") is None:
        return "no mvn on the PATH; Maven is needed to fetch Kafka the first time"
    return None


class Cluster:
    """Nodes on this machine, each of which may be ended and started again by itself; their data stays."""

    def __init__(
        self,
        state: Path,
        ports: Sequence[int],
        *,
        outlive_us: bool = False,
        guard: Guard | None = None,
        options: Sequence[str] = (),
    ) -> None:
        """Lay out the state folder for one node per client port; nothing runs yet.

        ``options``: more of the JVM's, for the nodes.

        Raises:
            KafkaUnavailable: something is missing.
        """
        self._jars = fetched_jars()
        self._state = state
        self._ports = dict(enumerate(ports, 1))
        self._outlive_us = outlive_us
        self._options = options
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        state.mkdir(parents=True, exist_ok=True)
        controllers = [server.free_port() for _ in ports]
        for number, port in self._ports.items():
            properties = _properties(state, number, port, controllers, guard)
            self._file(number, "properties").write_text(properties, encoding="utf-8")
        self._format()

    @property
    def bootstrap(self) -> str:
        """Address for clients: every node, running or not."""
        return ",".join(f"{server.HOST}:{port}" for port in self._ports.values())

    @property
    def nodes(self) -> list[Node]:
        """Those that run."""
        return [
            Node(number, self._ports[number], process.pid)
            for number, process in sorted(self._processes.items())
            if process.poll() is None
        ]

    def start(self, *numbers: int) -> None:
        """Start those of these nodes (none named: all) that do not run; wait until each answers and sees all.

        Raises:
            KafkaUnavailable: one of them does not come up; none of those that were started is left then.
        """
        running = {node.id for node in self.nodes}
        stopped = [number for number in numbers or self._ports if number not in running]
        try:
            for number in stopped:
                with self._file(number, "log").open("ab") as log:
                    self._processes[number] = server.spawn(
                        _java(
                            self._jars,
                            *self._options,
                            "kafka.Kafka",
                            str(self._file(number, "properties")),
                            short_lived=not self._outlive_us,
                        ),
                        log,
                        outlive_parent=self._outlive_us,
                    )
            for number in stopped:
                self._require_answer(number)
        except BaseException:
            for number in self._processes.keys() & stopped:
                self.kill(number)
            raise

    def kill(self, *numbers: int) -> None:
        """End these nodes (none named: all) without warning."""
        chosen = [self._processes.pop(number) for number in numbers or list(self._processes)]
        for process in chosen:
            process.kill()
        for process in chosen:
            process.wait()

    def stop(self, patience_s: float = STOP_TIMEOUT_S) -> None:
        """End all nodes in an orderly way, then by force."""
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            server.stop(process, patience_s)
        self._processes.clear()

    def data(self, number: int) -> Path:
        """Where a node keeps its data."""
        return self._state / f"node-{number}"

    def reset(self) -> None:
        """Kill all nodes and throw their data away: ``start`` begins with empty ones.

        Raises:
            KafkaUnavailable: the new data folders cannot be made.
        """
        self.kill()
        for number in self._ports:
            shutil.rmtree(self.data(number))
        self._format()

    def _format(self) -> None:
        data = {self.data(number): self._file(number, "properties") for number in self._ports}
        _format_all(self._jars, data, _cluster_id(self._state))

    def _require_answer(self, number: int) -> None:
        process, port = self._processes[number], self._ports[number]
        log = self._file(number, "log")

        def logged() -> int:
            return log.stat().st_size

        if server.answers(process, port, READY_PATIENCE_S, logged):
            admin = AdminClient({"bootstrap.servers": f"{server.HOST}:{port}", "log_level": 0})
            stall = Stall(READY_PATIENCE_S, [process.pid], logged)
            while process.poll() is None and not stall.has_come():
                with contextlib.suppress(KafkaException):
                    if len(admin.list_topics(timeout=5).brokers) >= len(self.nodes):
                        return
                time.sleep(0.05)
        last = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
        raise KafkaUnavailable(f"Kafka node {number} did not come up; the end of {log}:\n{last}")

    def _file(self, number: int, kind: str) -> Path:
        return self._state / f"node-{number}.{kind}"


@contextlib.contextmanager
def cluster(state: Path, *, brokers: int = 1, guard: Guard | None = None) -> Iterator[Cluster]:
    """Run a cluster on free ports for as long as the context lasts; on entry every node answers.

    It is for trials whose data nobody wants: at the end its nodes are killed.

    Raises:
        KafkaUnavailable: something is missing, or the cluster does not come up.
    """
    _archive_classes(fetched_jars())
    made = Cluster(state, [server.free_port() for _ in range(brokers)], guard=guard)
    made.start()
    try:
        yield made
    finally:
        made.kill()


def up(state: Path, *, port: int, brokers: int = 1) -> list[Node]:
    """Start a cluster that outlives us and wait until every node answers; ports count up from ``port``.

    A state folder used before keeps its data, if it is started with the same number of brokers.

    Raises:
        KafkaUnavailable: something is missing, a port is taken, the cluster runs already or does not come up.
    """
    if running(state):
        raise KafkaUnavailable(f"the cluster of {state} runs already")
    try:
        ports = [server.require_free_port(port + i) for i in range(brokers)]
    except server.PortTaken as error:
        raise KafkaUnavailable(str(error)) from error
    made = Cluster(state, ports, outlive_us=True)
    made.start()
    nodes = made.nodes
    (state / "nodes.json").write_text(json.dumps([vars(node) for node in nodes]), encoding="utf-8")
    return nodes


def down(state: Path) -> list[Node]:
    """Stop the nodes of a state folder, in an orderly way, then by force; return those that ran."""
    nodes = running(state)
    for node in nodes:
        os.kill(node.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while running(state) and time.monotonic() < deadline:
        time.sleep(0.1)
    for node in running(state):
        os.kill(node.pid, signal.SIGKILL)
    (state / "nodes.json").unlink(missing_ok=True)
    return nodes


def running(state: Path) -> list[Node]:
    """The nodes of a state folder whose process is alive and really ours (a pid may be used again)."""
    file = state / "nodes.json"
    if not file.exists():
        return []
    return [node for node in (Node(**n) for n in json.loads(file.read_text())) if _is_ours(state, node)]


def bootstrap(nodes: list[Node]) -> str:
    """Address for clients."""
    return ",".join(f"{server.HOST}:{node.port}" for node in nodes)


def _is_ours(state: Path, node: Node) -> bool:
    output = subprocess.run(
        ["ps", "-ww", "-o", "args=", "-p", str(node.pid)], capture_output=True, text=True, check=False
    ).stdout
    return str(state / f"node-{node.id}.properties") in output


def _jars() -> Path:
    """Where the jars of this very pom belong."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    digest = hashlib.sha256((HERE / "pom.xml").read_bytes()).hexdigest()[:12]
    return cache / "stream-attr" / "kafka" / digest


def fetched_jars() -> Path:
    """The folder of Kafka's jars, its Java client among them; Maven resolves them the first time.

    Raises:
        KafkaUnavailable: something is missing.
    """
    if reason := why_not():
        raise KafkaUnavailable(reason)
    jars = _jars()
    with _lock(jars.with_suffix(".lock")):
        if jars.is_dir():
            return jars
        fetched = jars.with_suffix(".part")
        shutil.rmtree(fetched, ignore_errors=True)
        print("fetching Apache Kafka with Maven", file=sys.stderr, flush=True)
        where = f"-DoutputDirectory={fetched}"
        maven(HERE / "pom.xml", "dependency:copy-dependencies", "-DincludeScope=runtime", where)
        fetched.rename(jars)
        return jars


def maven(pom: Path, *words: str) -> None:
    """Have Maven do something with a pom. Repositories fail now and then, so it is tried again.

    Raises:
        KafkaUnavailable: there is no Maven, or it failed each time.
    """
    if shutil.which("mvn") is None:
        raise KafkaUnavailable(f"no mvn on the PATH; Maven is needed for {pom}")
    for attempt in range(1, MAVEN_ATTEMPTS + 1):
        done = subprocess.run(
            ["mvn", "-B", "-ntp", "-q", "-U", "-f", str(pom), *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0:
            return
        print(f"Maven failed (attempt {attempt} of {MAVEN_ATTEMPTS})", file=sys.stderr, flush=True)
        time.sleep(5 * attempt)
    raise KafkaUnavailable(f"Maven failed on {pom}:\n{done.stdout.strip()[-2000:]}")


@functools.cache
def _archive(jars: Path) -> Path:
    """Where the classes of a node are kept as this very JVM has them once they are loaded."""
    release = subprocess.run(["java", "-version"], capture_output=True, check=False).stderr
    return jars.with_suffix(f".{hashlib.sha256(release).hexdigest()[:12]}.jsa")


def _archive_classes(jars: Path) -> None:
    """Run a node once that archives its classes in the end: each later start costs 40 % less.

    See https://docs.oracle.com/en/java/javase/17/vm/class-data-sharing.html.

    Raises:
        KafkaUnavailable: the node does not come up.
    """
    archive = _archive(jars)
    with _lock(archive.with_suffix(".lock")), tempfile.TemporaryDirectory() as folder:
        if archive.exists():
            return
        made = archive.with_suffix(".part")
        option = f"-XX:ArchiveClassesAtExit={made}"
        node = Cluster(Path(folder), [server.free_port()], options=[option, "-Xlog:cds=off"])
        node.start()
        node.stop(ARCHIVE_TIMEOUT_S)
        if made.exists():
            made.rename(archive)


@contextlib.contextmanager
def _lock(file: Path) -> Iterator[None]:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _java(jars: Path, *command: str, short_lived: bool) -> list[str]:
    options = ["-Xmx512m", "-XX:+UseSerialGC", f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}"]
    if short_lived:  # the second compiler never earns back what it costs: 40 % of a start
        options.append("-XX:TieredStopAtLevel=1")
    if (archive := _archive(jars)).exists():
        options += [f"-XX:SharedArchiveFile={archive}", "-Xlog:cds=off", "-Xlog:cds+dynamic=off"]
    return ["java", *options, "-cp", f"{jars}/*", *command]


def _cluster_id(state: Path) -> str:
    """A random id in Kafka's form, kept with the data."""
    file = state / "cluster.id"
    if not file.exists():
        file.write_text(base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("="), encoding="ascii")
    return file.read_text(encoding="ascii")


def _format_all(jars: Path, nodes: Mapping[Path, Path], cluster_id: str) -> None:
    """Format the data folders that are not formatted yet, given with their properties; all at one time."""
    tool = ("kafka.tools.StorageTool", "format", f"--cluster-id={cluster_id}", "-c")  # it may begin with -
    running = {
        data: subprocess.Popen(
            _java(jars, *tool, str(properties), short_lived=True),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for data, properties in nodes.items()
        if not (data / "meta.properties").exists()
    }
    outputs = {data: process.communicate()[0] for data, process in running.items()}
    for data, process in running.items():
        if process.returncode != 0:
            raise KafkaUnavailable(f"Kafka cannot format {data}:\n{outputs[data]}")


def _properties(
    state: Path, number: int, port: int, controllers: list[int], guard: Guard | None = None
) -> str:
    copies = min(3, len(controllers))
    voters = ",".join(f"{i}@{server.HOST}:{c}" for i, c in enumerate(controllers, 1))
    settings: dict[str, object] = {
        "process.roles": "broker,controller",
        "node.id": number,
        "listeners": f"CLIENT://{server.HOST}:{port},CONTROLLER://{server.HOST}:{controllers[number - 1]}",
        "advertised.listeners": f"CLIENT://{server.HOST}:{port}",
        "listener.security.protocol.map": "CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "CLIENT",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.voters": voters,
        "log.dirs": state / f"node-{number}",
        "auto.create.topics.enable": "false",
        "default.replication.factor": copies,
        "min.insync.replicas": max(1, copies - 1),
        # A dead node is known for dead soon: partitions that it led stand still until then.
        "broker.session.timeout.ms": 4000,
        "broker.heartbeat.interval.ms": 500,
        # Less to do for a node that has nothing to do: ten times as seldom a record that says nothing.
        "metadata.max.idle.interval.ms": 5000,
        # Quick joins and small internal topics: nobody waits for 50 partitions to load.
        "group.initial.rebalance.delay.ms": 0,
        "group.min.session.timeout.ms": 1000,
        "offsets.topic.num.partitions": 4,
        "offsets.topic.replication.factor": copies,
        "transaction.state.log.num.partitions": 4,
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": max(1, copies - 1),
        "share.coordinator.state.topic.num.partitions": 1,
        "share.coordinator.state.topic.replication.factor": copies,
        "share.coordinator.state.topic.min.isr": max(1, copies - 1),
        # Small buffers and few threads, for a small heap.
        "log.cleaner.dedupe.buffer.size": 8 * 1024 * 1024,
        "num.network.threads": 2,
        "num.io.threads": 4,
        "background.threads": 2,
    }
    for name, value in guard.properties(number).items() if guard is not None else ():
        settings[name] = f"{settings[name]},{value}" if name in settings else value
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def _number(least: int, most: int) -> Callable[[str], int]:
    """What argparse calls to read a whole number within bounds."""

    def read(text: str) -> int:
        if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} to {most}")
        return int(text)

    return read


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description="Apache Kafka on the loopback interface, for trials and tests."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    start = commands.add_parser("up", help="start it and wait until it answers")
    start.add_argument(
        "--port",
        type=_number(1, LAST_PORT),
        default=9092,
        help="client port of the first broker (default 9092)",
    )
    start.add_argument(
        "--brokers", type=_number(1, MOST_BROKERS), default=1, help="number of brokers (default 1)"
    )
    for command in (start, commands.add_parser("down", help="stop it; its data stays")):
        command.add_argument(
            "--state", type=Path, default=Path(".cache/kafka"), help="(default .cache/kafka)"
        )
    asked = parser.parse_args(words)
    if asked.command == "up" and asked.port + asked.brokers - 1 > LAST_PORT:
        start.error(f"--port {asked.port}: {asked.brokers} ports from there on go beyond {LAST_PORT}")
    state = asked.state.resolve()
    try:
        if asked.command == "down":
            stopped = down(state)
            print(f"stopped {len(stopped)} node(s)" if stopped else "it was not running", file=sys.stderr)
            return 0
        print(bootstrap(up(state, port=asked.port, brokers=asked.brokers)))
    except KafkaUnavailable as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
