"""Processes that share files: each reads with all the others, and says to this one why it cannot go on."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from contextlib import ExitStack, closing
from itertools import combinations
from multiprocessing.connection import Connection, Pipe
from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from stream_attr.collector import without_collector
from stream_attr.files.jsonl import UnusableFileError
from stream_attr.processor import Share
from stream_attr.replay.child_process import ChildProcess, ProcessLostError
from stream_attr.replay.shared_reading import PeerLostError, SharedReading

__all__ = ["Failed", "PeerLost", "connected_shares", "share_processes"]

_T = TypeVar("_T")


class Failed(Struct, tag=True, array_like=True, gc=False):
    """A process cannot go on."""

    message: str
    unusable: bool
    """The cause is a file, not the program."""

    def error(self) -> UnusableFileError | ProcessLostError:
        """Return what to raise here."""
        return (UnusableFileError if self.unusable else ProcessLostError)(self.message)


class PeerLost(Struct, tag=True, array_like=True, gc=False):
    """Another process has ended, so that this one cannot go on; that one says why."""

    index: int


_encode: Final = msgspec.msgpack.Encoder().encode


def share_processes(
    stack: ExitStack, number: int, work: Callable[[Connection, _T, SharedReading], None], task: _T
) -> list[ChildProcess]:
    """Start ``work(pipe, task, reading)`` in so many processes, each for its share; the stack ends them.

    What ``work`` raises reaches this process as a `Failed` or a `PeerLost`. Standard input cannot be shared.
    """
    children: list[ChildProcess] = []
    with ExitStack() as given:  # each pipe has been given to its process
        for share, peers in connected_shares(number, given):
            name = f"process {share.index + 1} of {number}"
            children.append(ChildProcess(name, _run, work, task, share, peers))
            stack.callback(children[-1].stop)
    return children


def connected_shares(number: int, stack: ExitStack) -> list[tuple[Share, dict[int, Connection]]]:
    """Return all shares, each with a pipe to each of the others; the stack closes them."""
    peers: list[dict[int, Connection]] = [{} for _ in range(number)]
    for one, other in combinations(range(number), 2):
        near, far = Pipe()
        peers[one][other], peers[other][one] = stack.enter_context(near), stack.enter_context(far)
    return [(Share(index, number), peers[index]) for index in range(number)]


def _run(
    pipe: Connection,
    work: Callable[[Connection, _T, SharedReading], None],
    task: _T,
    share: Share,
    peers: dict[int, Connection],
) -> None:
    """Run in a process of its own: do the work; where it cannot go on, send why."""
    with closing(pipe), without_collector():
        try:
            work(pipe, task, SharedReading(share, peers))
        except (BrokenPipeError, EOFError):
            pass  # nobody receives any more
        except PeerLostError as error:
            pipe.send_bytes(_encode(PeerLost(error.index)))
        except UnusableFileError as error:
            pipe.send_bytes(_encode(Failed(str(error), unusable=True)))
        except Exception:
            pipe.send_bytes(_encode(Failed(traceback.format_exc(), unusable=False)))
