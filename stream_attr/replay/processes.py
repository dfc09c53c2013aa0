"""A replay shared by several processes, by buyer: the same outputs, in the very order of one process.

Each process reads all files, so that all follow one watermark, and judges the buyers of its share; what they
say is put in order step by step.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import traceback
from collections.abc import Generator
from contextlib import closing, suppress
from dataclasses import replace
from itertools import chain
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from operator import itemgetter
from pathlib import Path

import msgspec
from msgspec import Struct

from stream_attr.errors import StreamAttrError
from stream_attr.files.inputs import Inputs
from stream_attr.files.jsonl import STANDARD_INPUT, UnusableFileError
from stream_attr.processor import Share
from stream_attr.processor.ports import Output
from stream_attr.replay.steps import Ahead, Plan, Step, steps, without_collector

__all__ = ["ProcessLostError", "sensible_number", "shared_steps"]

WORTH_A_PROCESS = 32 << 20
"""Bytes of input that are worth the start of another process."""
PACKED = 10
"""How much smaller than its lines a ``.gz`` file is, about."""


class _Told(Struct, tag=True, array_like=True, gc=False):
    """What a process sends: a step; or, without one, that it has done its work."""

    step: Step | None


class _Failed(Struct, tag=True, array_like=True, gc=False):
    """What a process sends when it cannot go on."""

    said: str
    unusable: bool
    """A file is, so nothing is wrong with the program."""


_encode = msgspec.msgpack.Encoder().encode
_decode_told = msgspec.msgpack.Decoder(_Told | _Failed).decode
_decode_answer = msgspec.msgpack.Decoder(list[Output]).decode


class ProcessLostError(StreamAttrError):
    """A process of the replay has ended before its work was done; the message says which and why."""


def sensible_number(inputs: Inputs) -> int:
    """Return how many processes a replay of these files is worth, the cores at hand considered."""
    names = [*inputs.chat, *inputs.orders]
    if STANDARD_INPUT in (*names, *inputs.roster, *inputs.settings):
        return 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, sum(_size(Path(name)) for name in names) // WORTH_A_PROCESS))


def _size(path: Path) -> int:
    if not path.is_file():
        return 0
    return path.stat().st_size * (PACKED if path.suffix == ".gz" else 1)


def shared_steps(plan: Plan, processes: int) -> Generator[Step, list[Output], None]:
    """Judge files in several processes: the steps that one process would yield, without places.

    Standard input cannot be shared. Raises UnusableFileError, and ProcessLostError when a process dies.
    """
    workers = [_Worker(plan, Share(index, processes)) for index in range(processes)]
    try:
        while True:
            parts = [part for worker in workers if (part := worker.receive()) is not None]
            if not parts:
                return
            placed = chain.from_iterable(zip(part.places, part.outputs, strict=True) for part in parts)
            closings = yield Step(
                parts[0].taken, [output for _, output in sorted(placed, key=itemgetter(0))], []
            )
            if plan.reports:
                answer = _encode(closings)
                for worker in workers:
                    worker.send(answer)
    finally:
        for worker in workers:
            worker.stop()


class _Worker:
    """One process, and what comes from it."""

    def __init__(self, plan: Plan, share: Share) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._name = f"process {share.index + 1} of {share.processors}"
        self._process: SpawnProcess = context.Process(
            target=_work, args=(replace(plan, share=share), theirs), daemon=True
        )
        resource_tracker.ensure_running()  # else it is started below, and lets SIGINT through again
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._process.start()  # inherits the mask: Ctrl-C is the parent's, which ends its processes
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()

    def receive(self) -> Step | None:
        """Return its next step; None: it has done its work."""
        try:
            told: _Told | _Failed = _decode_told(self._pipe.recv_bytes())
        except EOFError:
            self._process.join()
            raise ProcessLostError(
                f"{self._name} ended with exit code {self._process.exitcode} before its work was done"
            ) from None
        if isinstance(told, _Failed):
            raise UnusableFileError(told.said) if told.unusable else ProcessLostError(told.said)
        return told.step

    def send(self, answer: bytes) -> None:
        """Answer a step with closings, of which it takes those of its share."""
        with suppress(BrokenPipeError):  # it has failed: the next thing that comes from it says why
            self._pipe.send_bytes(answer)

    def stop(self) -> None:
        self._pipe.close()
        self._process.terminate()
        self._process.join()


def _work(plan: Plan, pipe: Connection) -> None:
    """Run in a process of its own: judge a share, send the steps, hear what answers them."""
    with closing(pipe), without_collector():
        ahead = Ahead()
        judging = steps(plan, ahead)
        try:
            step = next(judging)
            while True:
                pipe.send_bytes(_encode(_Told(step)))
                step = judging.send(_answer(pipe, ahead) if plan.reports else [])
        except StopIteration:
            pipe.send_bytes(_encode(_Told(None)))
        except (BrokenPipeError, EOFError):
            pass  # nobody is there to listen any more
        except UnusableFileError as error:
            pipe.send_bytes(_encode(_Failed(str(error), unusable=True)))
        except Exception:
            pipe.send_bytes(_encode(_Failed(traceback.format_exc(), unusable=False)))


def _answer(pipe: Connection, ahead: Ahead) -> list[Output]:
    """Wait for the closings that answer a step, and read on meanwhile."""
    ahead.look()
    return _decode_answer(pipe.recv_bytes())
