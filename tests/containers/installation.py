"""``deploy/compose.yaml`` brought up by podman-compose, from a copy of what the image is built of."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from stream_attr.kafka.embedded import server
from tests.containers import stand_ins
from tests.deploy.manifests import ROOT

PATIENCE_S = 900.0
"""Far longer than a start takes on a busy machine: what is not up by then never comes up."""
MOST = 16_384
"""Limit of descriptors and of processes: enough for every service, and what most machines allow."""
PORTS = (
    "KAFKA_PORT",
    "WORKER_1_PORT",
    "WORKER_2_PORT",
    "POSTGRES_PORT",
    "LEDGER_PORT",
    "CONSOLE_PORT",
    "GATEWAY_PORT",
    "PROMETHEUS_PORT",
    "GRAFANA_PORT",
)


def environment(folder: Path) -> dict[str, str]:
    """The environment in which podman runs here: with runc, and no limit higher than this process may set."""
    limits = {"nofile": resource.RLIMIT_NOFILE, "nproc": resource.RLIMIT_NPROC}
    hard = {name: resource.getrlimit(limit)[1] for name, limit in limits.items()}
    allowed = {
        name: MOST if most == resource.RLIM_INFINITY else min(MOST, most) for name, most in hard.items()
    }
    ulimits = ", ".join(f'"{name}={number}:{number}"' for name, number in allowed.items())
    config = folder / "containers.conf"
    config.write_text(
        "[containers]\n"
        f"default_ulimits = [{ulimits}]\n"
        '[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n'
        '[network]\nnetwork_backend = "netavark"\n',
        encoding="utf-8",
    )
    return os.environ | {
        "CONTAINERS_CONF": str(config),
        "BUILDAH_FORMAT": "docker",
        "BUILDAH_ISOLATION": "chroot",
    }


class Installation:
    """The services of the Compose file as a project of its own, on ports that are free."""

    def __init__(self, folder: Path) -> None:
        """Copy the files and make the secrets as the head of the Compose file says; nothing runs yet."""
        self.ports = {name: server.free_port() for name in PORTS}
        self.project = f"stream-attr-check-{uuid.uuid4().hex[:8]}"
        self._ours = f"label=com.docker.compose.project={self.project}"
        self._folder = folder
        self._source = folder / "source"
        self._source.mkdir()
        for name in ("pyproject.toml", "README.md", "LICENSE", "schemas", "stream_attr", "deploy"):
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, self._source / name)
        self._environment = environment(folder)
        head = (self._source / "deploy" / "compose.yaml").read_text("utf-8")
        for command in re.findall(r"^#   (?:sudo )?(.*\S) +once$", head, re.MULTILINE):
            subprocess.run(["sh", "-c", command], check=True, cwd=self._source)
        self.token_file = self._source / "deploy" / "web.token"

    def build(self) -> None:
        """Build the stand-ins that are not there yet, and the image of ``deploy/Dockerfile`` from them."""
        images = stand_ins.built(self._environment)
        self._environment |= {f"{name.upper()}_IMAGE": images[name] for name in stand_ins.NAMES}
        self._environment |= {name: str(port) for name, port in self.ports.items()}
        self._environment["CONSOLE_URL"] = f"http://{server.HOST}:{self.ports['CONSOLE_PORT']}"
        self._environment["STREAM_ATTR_IMAGE"] = "localhost/stream-attr-check/stream-attr"
        self._environment.setdefault("STREAM_ATTR_COMPILED", "0")
        mounts = " ".join(stand_ins.network_mounts(self._folder))
        self.compose("--podman-build-args", mounts, "build", "topics")
        # What earlier builds left; the layers of this one serve the next.
        label = "label=org.opencontainers.image.title=stream-attr"
        self._run("podman", "image", "prune", "--force", "--filter", label, "--filter", "until=24h")

    def up(self) -> None:
        """Start everything but Grafana, of which there is no image here, in the order of ``depends_on``.

        The order is kept here: Debian's podman (4.3) neither waits for a health check nor starts a container
        whose dependency depends on another, and without systemd nobody runs health checks.
        """
        self._start("kafka")
        until("Kafka is healthy", lambda: self.is_healthy("kafka"), self.logs)
        self._start("topics")
        self._run("podman", "wait", self.container("topics"))
        assert self.inspect("topics")["State"]["ExitCode"] == 0, self.logs()
        self._start("postgres")
        until("PostgreSQL is healthy", lambda: self.is_healthy("postgres"), self.logs)
        self._start("worker-1", "worker-2", "ledger", "console", "prometheus")

    def stop(self) -> None:
        """End all containers in an orderly way, and remove them; named volumes stay."""
        self.compose("stop")
        self._remove_containers()

    def down(self) -> None:
        """Remove containers, volumes and network, whatever state they are in; images stay."""
        self._remove_containers()
        for kind in ("volume", "network"):
            if left := self._run("podman", kind, "ls", "--quiet", "--filter", self._ours).split():
                self._run("podman", kind, "rm", "--force", *left)

    def _remove_containers(self) -> None:
        if left := self._run("podman", "ps", "--all", "--quiet", "--filter", self._ours).split():
            self._run("podman", "rm", "--force", "--time", "0", "--volumes", *left)

    def _start(self, *services: str) -> None:
        self.compose("up", "--detach", "--no-deps", *services)

    def compose(self, *words: str) -> str:
        """Run podman-compose to its end; returns its standard output.

        Raises:
            AssertionError: it failed; the message has what it said.
        """
        file = str(self._source / "deploy" / "compose.yaml")
        return self._run(sys.executable, "-m", "podman_compose", "-p", self.project, "-f", file, *words)

    def container(self, service: str) -> str:
        """The id of a service's container."""
        return self._run(
            *("podman", "ps", "--all", "--quiet", "--no-trunc"),
            *("--filter", self._ours),
            *("--filter", f"label=com.docker.compose.service={service}"),
        ).strip()

    def inspect(self, service: str) -> dict[str, Any]:
        """What podman knows of a service's container."""
        [found] = json.loads(self._run("podman", "container", "inspect", self.container(service)))
        return dict(found)

    def execute(self, service: str, *words: str) -> str:
        """Run a command within a service's container, as its user."""
        return self._run("podman", "exec", self.container(service), *words)

    def is_healthy(self, service: str) -> bool:
        """Whether the health check of a service passes now."""
        check = ["podman", "healthcheck", "run", self.container(service)]
        return self._try(check).returncode == 0

    def kill(self, service: str) -> None:
        """End the container's first process as a crash would; its restart policy is left to act."""
        os.kill(self.inspect(service)["State"]["Pid"], signal.SIGKILL)

    def ask(self, port: str, path: str, *, token: bool = True) -> tuple[int, str]:
        """Status and body of what a published port answers; status 0 where nobody answers."""
        headers = {"Authorization": f"Bearer {self.token_file.read_text('ascii').strip()}"} if token else {}
        request = urllib.request.Request(f"http://{server.HOST}:{self.ports[port]}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def logs(self) -> str:
        """The end of what each container has said, for the message of a failure."""
        listed = self._run(
            *("podman", "ps", "--all", "--format", "{{.ID}} {{.Names}} {{.Status}}"),
            *("--filter", self._ours),
        )
        tails = [
            f"--- {line}\n{self._try(['podman', 'logs', '--tail', '30', line.split()[0]]).stdout}"
            for line in listed.splitlines()
        ]
        return "\n".join(tails)

    def _run(self, *command: str) -> str:
        done = self._try(command)
        assert done.returncode == 0, (
            f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-5000:]}"
        )
        return done.stdout

    def _try(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )


def until(what: str, is_so: Callable[[], bool], logs: Callable[[], str]) -> None:
    """Wait until it is so.

    Raises:
        AssertionError: it never was; the message names what was waited for, and the logs.
    """
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline, f"not within {PATIENCE_S:.0f} s: {what}\n{logs()}"
        time.sleep(0.5)
