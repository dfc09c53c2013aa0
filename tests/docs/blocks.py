"""The fenced blocks of a document, and following them as a reader would: in order, in one terminal."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import apache_kafka

from stream_attr.kafka.embedded import server

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 30.0
RUN_TIMEOUT_S = 600
_SLOW = re.compile(r"^(?:\w+ [\d,]+ records, |.*\bno answer from \S+ yet: ).*\n", re.MULTILINE)
_IN_BACKGROUND = re.compile(r" > \S+ 2>&1 &\n$")
_FENCE = re.compile(r"^```(\S*) ?(.*)\n((?:.*\n)*?)^```$", re.MULTILINE)


class Block(NamedTuple):
    """One fenced block."""

    kind: str
    notes: str
    """What follows the kind: ``no-run``, ``background``, ``live``."""
    text: str
    line: int

    @property
    def runs(self) -> bool:
        """Whether it is to be executed."""
        return self.kind in {"sh", "console", "python", "java"} and "no-run" not in self.notes


class Step(NamedTuple):
    """A command and what is told to come out, standard error too; a line ``...`` is any number of lines."""

    command: str
    promised: str


class Unavailable(Exception):  # noqa: N818
    """This machine lacks what a block needs."""


def blocks_of(text: str) -> list[Block]:
    """Return the fenced blocks of a Markdown text, in order."""
    return [
        Block(match[1], match[2], match[3], text.count("\n", 0, match.start()) + 1)
        for match in _FENCE.finditer(text)
    ]


def steps_of(console: Block) -> list[Step]:
    """Return the commands of a ``console`` block, each on lines after a ``$``, its output below."""
    steps = []
    for part in re.split(r"^\$ ", console.text, flags=re.MULTILINE)[1:]:
        lines = part.splitlines(keepends=True)
        end = next(i for i, line in enumerate(lines, 1) if not line.endswith("\\\n"))
        steps.append(Step("".join(lines[:end]), "".join(lines[end:])))
    return steps


def fits(promised: str, said: str) -> bool:
    """Whether an output is as promised."""
    parts = [re.escape(part) for part in re.split(r"^\.\.\.\n", promised, flags=re.MULTILINE)]
    return re.fullmatch("(?:.*\n)*?".join(parts), said) is not None


def shows(promised: str, said: str) -> bool:
    """Whether all lines of a live show are there: its numbers vary, and so does their order."""
    there = set(_without_numbers(said))
    return all(line in there for line in _without_numbers(promised) if line != "...")


def as_on_a_quick_machine(said: str) -> str:
    """Leave out the lines by which a command shows after seconds that it goes on, or waits for a broker."""
    return _SLOW.sub("", said)


def _without_numbers(text: str) -> list[str]:
    """Return the lines of a text; numbers, and the spaces that align them, are all alike."""
    return [re.sub(r"\s+", " ", re.sub(r"\d[\d,.]*", "0", line)).rstrip() for line in text.splitlines()]


class Reader:
    """Somebody who follows a README. ``ports``: those that it names to those that are free here."""

    def __init__(self, folder: Path, ports: Mapping[str, int]) -> None:
        self._left = folder / "left"
        """A file that names the folder that the last block ended in."""
        self._folder = folder / "checkout"
        self._folder.mkdir()
        (self._folder / ".venv").symlink_to(sys.prefix)
        self._ports = ports
        self._background: list[subprocess.Popen[bytes]] = []
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("STREAM_ATTR_")},
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "STREAM_ATTR_BROKER": self._here("127.0.0.1:9092"),  # what is the default where 9092 is free
            "COLUMNS": "80",
        }

    def follow(self, block: Block, promised: str | None = None) -> None:
        """Do what a block says; ``promised``: the output that the block below a program shows.

        Without one a program may print anything, and a block of ``sh`` nothing. The folder that such a block
        ends in is where the next one begins, as in one terminal.

        Raises:
            Unavailable: this machine lacks what it needs.
            AssertionError: what came out is not what is told.
        """
        match block.kind:
            case "console":
                for step in steps_of(block):
                    self._check(step, ["bash", "-c", self._command(step.command)], block.notes)
            case "python":
                self._check(Step("python", promised or "...\n"), [sys.executable, "-c", block.text])
            case "java":
                (self._folder / "Push.java").write_text(self._here(block.text), encoding="utf-8")
                self._check(Step("java", promised or "...\n"), ["java", "-cp", _kafka_clients(), "Push.java"])
            case _ if "background" in block.notes:
                self._start(block.text)
            case _:
                self._check(
                    Step(block.text, promised or ""), ["bash", "-ec", f"{block.text}pwd > {self._left}"]
                )
                self._folder = Path(self._left.read_text(encoding="utf-8").strip())

    def leave(self) -> None:
        """End what was started, the last first."""
        for process in reversed(self._background):
            server.stop(process)

    def _here(self, text: str) -> str:
        for told, here in self._ports.items():
            text = text.replace(told, str(here))
        return text

    def _there(self, text: str) -> str:
        for told, here in self._ports.items():
            text = text.replace(str(here), told)
        return text

    def _command(self, command: str) -> str:
        """Return a command as it is run here: ``make`` in the checkout, its set-up taken as done."""
        if not command.startswith("make "):
            return command
        stamps = [
            word for name in (".demo-installed", ".installed") for word in ("-o", f"{sys.prefix}/{name}")
        ]
        make = ["make", "-s", "-C", str(ROOT), f"VENV={sys.prefix}", *stamps]
        return command.replace("make", shlex.join(make), 1)

    def _check(self, step: Step, words: list[str], notes: str = "") -> None:
        as_told = shows if "live" in notes else fits
        said = self._run(words)
        if not as_told(step.promised, said):
            raise AssertionError(f"$ {step.command}said\n{said}\nbut was to say\n{step.promised}")

    def _run(self, words: list[str]) -> str:
        done = subprocess.run(
            [self._here(word) for word in words],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=RUN_TIMEOUT_S,
            check=False,
        )
        said = self._there(done.stdout.decode())
        if said and not said.endswith("\n"):
            said += "\n"
        if done.returncode and words[:2] != ["bash", "-c"]:  # a console shows what it shows
            raise AssertionError(f"status {done.returncode}:\n{said}")
        return as_on_a_quick_machine(said)

    def _start(self, text: str) -> None:
        """Start what goes on running; a broker is waited for, a worker is asked by the README itself."""
        own = {name: self._environment[name] for name in ("PATH", "STREAM_ATTR_BROKER")}
        exports = "".join(f"export {name}={shlex.quote(value)}; " for name, value in own.items())
        command = _IN_BACKGROUND.sub("", self._here(text))
        script = f"cd {shlex.quote(str(self._folder))}; {exports}exec {command}"
        with (self._folder / f"{len(self._background)}.log").open("wb") as log:
            process = server.spawn(["bash", "-c", script], log)
        self._background.append(process)
        if text.startswith("stream-attr broker"):
            assert server.answers(process, self._ports["9092"], PATIENCE_S)


def _kafka_clients() -> str:
    """Return the class path of Kafka's Java client."""
    try:
        return f"{apache_kafka.fetched_jars()}/*"
    except apache_kafka.KafkaUnavailable as reason:
        raise Unavailable(f"no Apache Kafka: {reason}") from reason
