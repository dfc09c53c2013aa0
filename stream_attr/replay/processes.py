"""A replay in several processes: the outputs of one process, in the same order.

Each process judges the buyers of its share, and has the watermark of all (`SharedReading`). This process
merges their outputs batch by batch, and rolls up what they emit on ``buyer-days``.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import replace
from itertools import chain
from multiprocessing.connection import Connection
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

import msgspec
from msgspec import Struct

from stream_attr.contract.topics import BUYER_DAYS, CLOSINGS
from stream_attr.files.inputs import Inputs
from stream_attr.files.jsonl import STANDARD_INPUT
from stream_attr.files.spill_store import SpillStore
from stream_attr.processor import ShopRegistry
from stream_attr.processor.local import LocalPartition
from stream_attr.processor.ports import Batch, Output, Place, Record
from stream_attr.replay.child_process import ChildProcess, ProcessLostError
from stream_attr.replay.share_process import Failed, PeerLost, share_processes
from stream_attr.replay.shared_reading import SharedReading
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


_encode = msgspec.msgpack.Encoder().encode
_decode_message = msgspec.msgpack.Decoder(_Step | _Done | PeerLost | Failed).decode
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
        self._children: list[ChildProcess] = []
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            store = stack.enter_context(SpillStore())
            self._rollup = LocalPartition(ShopRegistry(), store, self._plan.options())
            self._children = share_processes(stack, self._processes, _work, self._plan)
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
        for child in self._children:
            child.send(closings)

    def _receive(self) -> Batch | None:
        """Merge the next step of all processes."""
        steps = []
        for child in self._children:
            message = _received(child)
            if isinstance(message, PeerLost):
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
            message = _received(self._children[index])
            if isinstance(message, PeerLost):
                index = message.index


def _received(child: ChildProcess) -> _Step | _Done | PeerLost:
    """Return the next message of a process."""
    message: _Step | _Done | PeerLost | Failed = _decode_message(child.receive())
    if isinstance(message, Failed):
        raise message.error()
    return message


def _work(pipe: Connection, plan: Plan, reading: SharedReading) -> None:
    """Judge a share, send each batch, process the closings it leads to."""
    with FilePartition(replace(plan, share=reading.share), reading) as partition:
        while (batch := partition.next_batch()) is not None:
            _send_step(pipe, partition, batch)
            while closings := _closings(pipe, partition) if plan.reports else []:
                _send_step(pipe, partition, partition.process_internal(closings))
    pipe.send_bytes(_encode(_Done()))


def _send_step(pipe: Connection, partition: FilePartition, batch: Batch) -> None:
    pipe.send_bytes(_encode(_Step(partition.taken, batch.outputs, batch.places)))


def _closings(pipe: Connection, partition: FilePartition) -> list[Record]:
    """Wait for the closings that follow from a batch; read the next chunk meanwhile."""
    partition.read_ahead()
    return [Record(CLOSINGS, 0, 0, 0, key, value) for key, value in _decode_closings(pipe.recv_bytes())]
