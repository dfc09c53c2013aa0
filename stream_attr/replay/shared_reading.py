"""Files read by several processes: each decodes the lines of its share, and learns of the others their times.

Reading and decoding is a third of a replay's work. Were every process to decode every line, no number of
processes could do more than three times what one does.

Every process reads every line, and finds out whose it is by the buyer's id, looked up without decoding. It
decodes its own, and sends the others what they need of them to have the same watermark: when each is merged,
which ones are refused, and of a rating the time that it is of. A line whose buyer cannot be found so, or is
found wrongly (an escape, another object's ``buyer_id``), goes whole to all; that of its buyer judges it.
"""

from __future__ import annotations

import re
from array import array
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing.connection import Connection, wait
from queue import SimpleQueue
from threading import Thread
from typing import Final, NamedTuple
from zlib import crc32

import msgspec
from msgspec import Struct

from stream_attr.errors import StreamAttrError
from stream_attr.processor import Share
from stream_attr.processor.ports import AnyRecord, ForeignRecord, Record
from stream_attr.replay.sources import AT_ONCE, Block, Event, File, decode_line, foreign

__all__ = ["PeerLostError", "SharedReading"]

_find_buyer: Final = re.compile(rb'"buyer_id"\s*:\s*"([^"\\]+)"').search


class PeerLostError(StreamAttrError):
    """Another of the processes has ended; ``index`` says which."""

    def __init__(self, index: int) -> None:
        super().__init__(f"process {index + 1} has ended")
        self.index = index


class _Times(Struct, array_like=True, gc=False):
    """What a process sends of a block of lines, of those that it has decoded."""

    file: int
    """The number of the file; its blocks come in their order."""
    times: bytes = b""
    """An array of 64-bit integers: see `Block.times`."""
    refused: list[int] = []
    """Which of them their process refuses, counted from 0."""
    rated: list[tuple[int, int]] = []
    """Which of them are ratings of service at a time of its own, and that time."""
    strays: list[tuple[int, bytes]] = []
    """Which of them are of another share, and their lines."""


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(_Times).decode


class _Lines(NamedTuple):
    """A block of lines: the own ones decoded, the others waiting for their times."""

    numbers: Sequence[int]
    """Of each, in its file."""
    places: list[list[int]]
    """Which of them each process decodes, counted from 0."""
    times: list[int]
    records: list[AnyRecord]
    """See `Block`; until its time is known, the record of another process is refused."""


class SharedReading:
    """What one process does of the reading; a `Decoding`.

    Raises:
        PeerLostError: while it waits for another process.
    """

    def __init__(self, share: Share, peers: Mapping[int, Connection]) -> None:
        """``peers``: a pipe to each of the other processes."""
        self.share = share
        self._peers = peers
        self._inboxes: dict[int, SimpleQueue[_Times | None]] = {index: SimpleQueue() for index in peers}
        """What has come from each, in its order; None: it has ended."""
        self._early: defaultdict[tuple[int, int], deque[_Times]] = defaultdict(deque)
        """Of these, by process and file, what was taken while that of another file was waited for."""
        Thread(target=self._receive, daemon=True).start()  # none waits for another to read before it can send

    def __call__(self, file: File, latest: int) -> Iterator[Block]:
        """See `Decoding`; a block is sent before the one ahead of it is waited for."""
        ahead: _Lines | None = None
        for number, lines in file.lines.blocks(file.block):
            now, ahead = ahead, self._read(file, number, lines, latest)
            if now is not None:
                yield self._filled(now, file, latest)
        if ahead is not None:
            yield self._filled(ahead, file, latest)

    def _read(self, file: File, number: int, lines: list[bytes], latest: int) -> _Lines:
        """Decode what is of this share of a block, and send its times."""
        own, processes = self.share.index, self.share.processors
        numbers: Sequence[int] = range(number, number + len(lines))
        buyers = list(map(_find_buyer, lines))
        if None in buyers:
            numbers = [number for number, line in enumerate(lines, number) if not line.isspace()]
            lines = [line for line in lines if not line.isspace()]
            buyers = list(map(_find_buyer, lines))
        places: list[list[int]] = [[] for _ in range(processes)]
        for place, buyer in enumerate(buyers):
            places[crc32(lines[place] if buyer is None else buyer[1]) % processes].append(place)
        times = [AT_ONCE] * len(lines)
        records: list[AnyRecord] = [ForeignRecord(file.topic, None)] * len(lines)
        sent, message = array("q"), _Times(file.number)
        for place in places[own]:
            ts, record = decode_line(file, numbers[place], lines[place], latest)
            times[place], records[place] = ts, record
            event = record.event
            if event is None or ts == AT_ONCE:
                message.refused.append(len(sent))
            elif (
                (buyer := buyers[place]) is None
                or event.buyer_id.encode() != buyer[1]
                or event.type == "rating"
            ):
                records[place] = self._described(message, len(sent), record, event)
            sent.append(ts)
        message.times = sent.tobytes()
        encoded = _encode(message)
        for index, pipe in self._peers.items():
            try:
                pipe.send_bytes(encoded)
            except OSError:
                raise PeerLostError(index) from None
        return _Lines(numbers, places, times, records)

    def _described(self, message: _Times, place: int, record: Record, event: Event) -> AnyRecord:
        """Add to the message what is rare of a record; return the record, or what stays of a stray."""
        others = foreign(record.topic, event)
        if others.rated_ts is not None:
            message.rated.append((place, others.rated_ts))
        if self.share.has_buyer(event.buyer_id):
            return record
        assert record.value is not None
        message.strays.append((place, record.value))
        return others

    def _filled(self, block: _Lines, file: File, latest: int) -> Block:
        """Return a block with all its times."""
        for index in self._peers:
            self._fill(block, file, index, latest)
        return Block(block.times, block.records)

    def _fill(self, block: _Lines, file: File, index: int, latest: int) -> None:
        """Fill in what another process has sent of a block."""
        sent = self._next_of(index, file.number)
        topic, places = file.topic, block.places[index]
        times, records = block.times, block.records
        for place, ts in zip(places, memoryview(sent.times).cast("q"), strict=True):
            times[place] = ts
            records[place] = ForeignRecord(topic, ts)
        for number in sent.refused:
            records[places[number]] = ForeignRecord(topic, None)
        for number, rated_ts in sent.rated:
            place = places[number]
            records[place] = ForeignRecord(topic, times[place], rated_ts)
        for number, value in sent.strays:
            place = places[number]
            _, record = decode_line(file, block.numbers[place], value, latest)
            assert record.event is not None
            if self.share.has_buyer(record.event.buyer_id):
                records[place] = record

    def _next_of(self, index: int, file: int) -> _Times:
        """Return what a process has sent of its next block of a file."""
        early = self._early[index, file]
        while not early:
            message = self._inboxes[index].get()
            if message is None:
                raise PeerLostError(index)
            self._early[index, message.file].append(message)
        return early.popleft()

    def _receive(self) -> None:
        """Take what the others send, as it comes."""
        live = {pipe: index for index, pipe in self._peers.items()}
        while live:
            try:
                ready = wait(list(live))
            except (OSError, ValueError):  # closed on this side: nobody reads any more
                return
            for pipe in ready:
                assert isinstance(pipe, Connection)
                inbox = self._inboxes[live[pipe]]
                try:
                    inbox.put(_decode(pipe.recv_bytes()))
                except (EOFError, OSError):
                    del live[pipe]
                    inbox.put(None)
