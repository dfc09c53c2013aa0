"""One record in a hundred that cannot be used, in ways that the rulebook lists and in others."""

from __future__ import annotations

import random
import shutil

import orjson
import pytest

from tests.kafka.verdicts import EVENTS, inputs

from .conftest import replay

MISSING = object()
WRONG = (
    *[("event_id", value) for value in (MISSING, None, 7, "", [], "x" * 70_000)],
    *[("ts", value) for value in (MISSING, None, "soon", 1.5, True, -1, 10**400, {})],
    *[("type", value) for value in (MISSING, None, "unheard of", 3)],
    *[("shop_id", value) for value in (MISSING, None, "", 5, "a|b", "\x00")],
    *[("buyer_id", value) for value in (MISSING, None, "", ["b"], "\x00")],
)
BYTES = (
    b"\xff\xfe\x00\x01",
    b"[" * 5_000,
    b'{"ts": NaN}',
    b'{"ts": 1e999}',
    b"null",
    b"[]",
    b'"text"',
    b"\x00",
    b'{"event_id": "\xed\xa0\x80"}',
    b'{"ts": 1, "ts": 2}',
)


def spoilt(line: bytes, chance: random.Random) -> bytes:
    """A record of which no use can be made, after a good one."""
    way = chance.randrange(4)
    if way == 0:
        return chance.choice(BYTES)
    if way == 1:
        return line[: chance.randrange(1, len(line) - 2)]
    if way == 2:  # a byte that no UTF-8 has, within a name
        return line.replace(b'"ts"', b'"\xfft"', 1)
    record = orjson.loads(line)
    record["event_id"] += "-spoilt"
    name, value = chance.choice(WRONG)
    if value is MISSING:
        del record[name]
        return orjson.dumps(record)
    text = str(value).encode() if isinstance(value, int) and value > 2**64 else orjson.dumps(value)
    record[name] = "here"
    return orjson.dumps(record).replace(b'"here"', text, 1)


@pytest.mark.fault(
    "1 % of the records bad: not JSON, not UTF-8, cut off, nested 5,000 deep, NaN, numbers without end, null "
    "bytes, keys twice, fields missing, of another type, empty, too long",
    "a dead letter for each; the others are judged as if it had not been there",
)
def test_one_record_in_a_hundred_is_bad(installation, traffic, trial, tmp_path):
    chance = random.Random(13)
    folder = tmp_path / "input"
    folder.mkdir()
    for kind in ("roster", "settings"):
        shutil.copy(traffic / f"{kind}.jsonl", folder)
    for kind in EVENTS:
        lines = []
        for line in (traffic / f"{kind}.jsonl").read_bytes().splitlines():
            lines.append(line)
            if chance.random() < 0.01 and line.startswith(b"{") and line.endswith(b"}"):
                lines.append(spoilt(line, chance))
                trial.tried += 1
        (folder / f"{kind}.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    replay(folder)
    worker = installation.worker()
    installation.publish(*inputs(folder))
    worker.start()
    installation.finish(worker)
    trial.compare(worker, folder)
    assert worker.stop() == 0
