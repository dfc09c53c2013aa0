"""A replay in several processes: the outputs of one process, in the same order.

Each process judges the buyers of its share, and has the watermark of all (`SharedReading`). This process
merges their outputs batch by batch, and rolls up what they emit on ``buyer-days``.
"""

from __future__ import annotations

import os
import traceback
from contextlib import ExitStack, closing
from dataclasses import replace
from itertools import chain, combinations
from multiprocessing.connection import Connection, Pipe
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

import msgspec
from msgspec import Struct

from stream_attr.collector import without_collector
from stream_attr.contract.topics import BUYER_DAYS, CLOSINGS
from stream_attr.files.inputs import Inputs
from stream_attr.files.jsonl import STANDARD_INPUT, UnusableFileError
from stream_attr.files.spill_store import SpillStore
from stream_attr.processor import Share, ShopRegistry
from stream_attr.processor.local import LocalPartition
from stream_attr.processor.ports import Batch, Output, Place, Record
from stream_attr.replay.child_process import ChildProcess, ProcessLostError
from stream_attr.replay.shared_reading import PeerLostError, SharedReading
from stream_attr.replay.steps import FilePartition, Plan

__all__ = ["MOST_PROCESSES", "ProcessLostError", "SharedPartition", "sensible_number"]

WORTH_A_PROCESS = 32 << 20
"""Bytes of input that are worth the start of another process."""
MOST_PROCESSES = 24
"""Each has a pipe to every other; and one process writes what all emit, at the pace of some ten of them."""
PACKED = 10
"""How much smaller than its lines a ``.gz`` file is, about."""


class _Step(Struct, tag=True, array_like=True, gc=False):
    """What a process has done: a batch of events, or of closings."""

    taken: int
    """Events read so far."""
    outputs: list[Output]
    places: list[Place]
    """Of each output."""


class _Done(Struct, tag=True, array_like=True, gc=False):
    """A process has finished."""


class _PeerLost(Struct, tag=True, array_like=True, gc=False):
    """Another process has ended, so that this one cannot go on."""

    index: int


class _Failed(Struct, tag=True, array_like=True, gc=False):
    """A process cannot go on."""

    message: str
    unusable: bool
    """The cause is a file, not the program."""


_encode = msgspec.msgpack.Encoder().encode
_decode_message = msgspec.msgpack.Decoder(_Step | _Done | _PeerLost | _Failed).decode
_decode_closings = msgspec.msgpack.Decoder(list[tuple[bytes, bytes]]).decode
_NEXT = _encode([])
"""No closings: go on with the files."""


def sensible_number(inputs: Inputs) -> int:
    """Return how many processes are worth starting for these files.

    At most one for each core, and `MOST_PROCESSES`.
    """
    names = [*inputs.chat, *inputs.orders]
    if STANDARD_INPUT in (*names, *inputs.roster, *inputs.settings, *inputs.rulings):
        return 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, MOST_PROCESSES, sum(_size(Path(name)) for name in names) // WORTH_A_PROCESS))


def _size(path: Path) -> int:
    if not path.is_file():
        return 0
    return path.stat().st_size * (PACKED if path.suffix == ".gz" else 1)


class SharedPartition:
    """The one partition of a replay, its buyers shared by several processes.

    Standard input cannot be shared. Every method may raise UnusableFileError, and ProcessLostError when a
    process dies.
    """

    def __init__(self, plan: Plan, processes: int) -> None:
        self.taken = 0
        """Events read so far."""
        self._plan = plan
        self._processes = processes
        self._waits = False
        """Whether the processes wait for closings, or to go on."""
        self._workers: list[_Worker] = []
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            store = stack.enter_context(SpillStore())
            self._rollup = LocalPartition(ShopRegistry(), store, self._plan.options())
            with ExitStack() as given:  # each pipe has been given to its process
                peers = _peers(self._processes, given)
                for index in range(self._processes):
                    share = Share(index, self._processes, reads_all=False)
                    worker = _Worker(self._plan, share, peers[index])
                    stack.callback(worker.stop)
                    self._workers.append(worker)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def next_batch(self) -> Batch | None:
        """Return what the processes emit for their next chunk, in order; None: they have finished."""
        if self._waits:
            self._send(_NEXT)
        self._waits = self._plan.reports
        return self._receive()

    def process_internal(self, records: list[Record]) -> Batch:
        """See `Partition.process_internal`: buyer-days are rolled up here, closings go to all processes."""
        closings = [(one.key, one.value) for one in records if one.topic == CLOSINGS]
        days = [one for one in records if one.topic == BUYER_DAYS]
        batch = self._rollup.process_internal(days) if days else Batch()
        if closings:
            self._send(_encode(closings))
            answer = self._receive()
            assert answer is not None
            batch = Batch(batch.outputs + answer.outputs)
        return batch

    def _send(self, closings: bytes) -> None:
        for worker in self._workers:
            worker.send(closings)

    def _receive(self) -> Batch | None:
        """Merge the next step of all processes."""
        steps = []
        for worker in self._workers:
            message = worker.receive()
            if isinstance(message, _PeerLost):
                self._raise_loss(message.index)
            if isinstance(message, _Step):
                steps.append(message)
        if not steps:
            return None
        self.taken = steps[0].taken
        placed = chain.from_iterable(zip(step.places, step.outputs, strict=True) for step in steps)
        return Batch([output for _, output in sorted(placed, key=itemgetter(0))])

    def _raise_loss(self, index: int) -> NoReturn:
        """Read on what a process has sent that another one has found ended, until that says why."""
        while True:
            message = self._workers[index].receive()
            if isinstance(message, _PeerLost):
                index = message.index


def _peers(processes: int, stack: ExitStack) -> list[dict[int, Connection]]:
    """Return, for each process, a pipe to each of the others; the stack closes them."""
    peers: list[dict[int, Connection]] = [{} for _ in range(processes)]
    for one, other in combinations(range(processes), 2):
        near, far = Pipe()
        peers[one][other], peers[other][one] = stack.enter_context(near), stack.enter_context(far)
    return peers


class _Worker:
    """One process, and what comes from it."""

    def __init__(self, plan: Plan, share: Share, peers: dict[int, Connection]) -> None:
        name = f"process {share.index + 1} of {share.processors}"
        self._process = ChildProcess(name, _work, replace(plan, share=share), share, peers)

    def receive(self) -> _Step | _Done | _PeerLost:
        """Return its next message."""
        message: _Step | _Done | _PeerLost | _Failed = _decode_message(self._process.receive())
        if isinstance(message, _Failed):
            raise (
                UnusableFileError(message.message) if message.unusable else ProcessLostError(message.message)
            )
        return message

    def send(self, closings: bytes) -> None:
        """Send closings, of which it processes those of its share; none: it goes on with the files."""
        self._process.send(closings)

    def stop(self) -> None:
        """End the process."""
        self._process.stop()


def _work(pipe: Connection, plan: Plan, share: Share, peers: dict[int, Connection]) -> None:
    """Run in a process of its own: judge a share, send each batch, process the closings it leads to."""
    with closing(pipe), without_collector():
        try:
            with FilePartition(plan, SharedReading(share, peers)) as partition:
                while (batch := partition.next_batch()) is not None:
                    _send_step(pipe, partition, batch)
                    while closings := _closings(pipe, partition) if plan.reports else []:
                        _send_step(pipe, partition, partition.process_internal(closings))
            pipe.send_bytes(_encode(_Done()))
        except (BrokenPipeError, EOFError):
            pass  # nobody receives any more
        except PeerLostError as error:
            pipe.send_bytes(_encode(_PeerLost(error.index)))
        except UnusableFileError as error:
            pipe.send_bytes(_encode(_Failed(str(error), unusable=True)))
        except Exception:
            pipe.send_bytes(_encode(_Failed(traceback.format_exc(), unusable=False)))


def _send_step(pipe: Connection, partition: FilePartition, batch: Batch) -> None:
    pipe.send_bytes(_encode(_Step(partition.taken, batch.outputs, batch.places)))


def _closings(pipe: Connection, partition: FilePartition) -> list[Record]:
    """Wait for the closings that follow from a batch; read the next chunk meanwhile."""
    partition.read_ahead()
    return [Record(CLOSINGS, 0, 0, 0, key, value) for key, value in _decode_closings(pipe.recv_bytes())]
