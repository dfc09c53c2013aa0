"""Records as a sender's mistakes and malice would have them: valid ones, and what can be made of these."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from stream_attr.codec.decoding import MAX_RECORD_BYTES
from stream_attr.contract.topics import CHAT, ORDERS, ROSTER, RULINGS, SETTINGS, TICKS

__all__ = ["ACCEPTED", "Sent", "spoilt"]

ACCEPTED = frozenset({"accepted"})
ANYTHING: frozenset[str] = frozenset()

REQUIRED = {
    CHAT: (b"event_id", b"shop_id", b"buyer_id", b"agent_id", b"ts"),
    ORDERS: (b"event_id", b"shop_id", b"buyer_id", b"order_id", b"ts", b"type"),
    RULINGS: (b"event_id", b"shop_id", b"buyer_id", b"order_id", b"ts", b"type", b"ruled_by"),
    TICKS: (b"ts",),
    ROSTER: (b"shop_id", b"agent_id", b"role", b"effective_from"),
    SETTINGS: (b"shop_id", b"effective_from"),
}

_DIGITS = b"9" * 400
_LONG = b'"' + b"x" * 129 + b'"'
TOKENS: tuple[bytes, ...] = (
    *(b"null", b"true", b"false", b"0", b"-0", b"1", b"-1", b"0.0", b"1.5", b"1e3", b"-1e-3", b"1E400"),
    *(b"1e999", b"-1e999", b"1e-999", b"1.7935e12", b"1793500000000.0", b"01", b"+1", b".5", b"1.", b"0x1"),
    *(b"9007199254740991", b"9007199254740992", b"9223372036854775807", b"9223372036854775808"),
    *(b"18446744073709551615", b"18446744073709551616", b"-9223372036854775809", _DIGITS, b"-" + _DIGITS),
    *(b"946684799999", b"946684800000", b"4102444799999", b"4102444800000", b"1793500000"),
    *(b"NaN", b"Infinity", b"-Infinity", b"nan", b"undefined", b"None", b"'x'", b"", b"-", b"tru"),
    *(b'""', b'" "', b'"*"', b'"|"', b'"a|b"', b'"null"', b'"0"', b'"-1"', b'"NaN"', b'"true"', b'"\'"'),
    *(rb'"\u0000"', rb'"a\u0000b"', b'"\x00"', b'"\n"', rb'"\u001f"', b'"\x7f"', rb'"\u0085"', rb'"\u2028"'),
    *(rb'"\ud800"', rb'"\udc00\ud800"', rb'"\ud83d\ude00"', rb'"\u202e"', rb'"\ufeff"', rb'"\x"', rb'"\u12"'),
    *(b'"\xff"', b'"\xc0\xaf"', b'"\xed\xa0\x80"', b'"\xf4\x90\x80\x80"', b'"\xe4\xbd"', b'"', b'"\\'),
    *(_LONG, b'"' + "😀".encode() * 128 + b'"', b'"' + "́".encode() * 128 + b'"', b'"' + b"y" * 128 + b'"'),
    *(b"[]", b"{}", b"[null]", b"[[]]", b'{"a":1}', b'{"":{}}', b'["a","a"]', b'[""]', b"[1e999]", b"[,]"),
    *(b"[" * 150 + b"]" * 150, b"[" * 250 + b"]" * 250, b'{"a":' * 250 + b"1" + b"}" * 250, b"[" * 5000),
    *(b'"message"', b'"transfer"', b'"buyer"', b'"AGENT"', b'"agent"', b'"system"', b'"auto_reply"'),
    *(
        b'"paid"',
        b'"created"',
        b'"cancelled"',
        b'"refund_completed"',
        b'"withdrawn"',
        b'"presale"',
        b'"frozen"',
    ),
    *(b'"2026-02-30"', b'"0000-01-01"', b'"0001-01-01"', b'"9999-12-31"', b'"2026-1-1"', b'"2026-11-01 "'),
    *(
        '"２０２６-11-01"'.encode(),
        b'"CNY"',
        b'"cny"',
        '"ＣＮＹ"'.encode(),
        b'"XXX"',
        b'"jd_cloud"',
        b'"pdd"',
    ),
    *(
        b'"UTC"',
        b'"Asia/Shanghai"',
        b'"Asia"',
        b'"../UTC"',
        b'"/etc/passwd"',
        b'"localtime"',
        b'"."',
        b'"a/"',
    ),
    *(
        b'{"hours":24}',
        b'{"hours":24,"natural_days":1}',
        b'{"hours":1e9}',
        b'{"minutes":1}',
        b'{"enabled":1}',
    ),
    *(b'{"advert":{"enabled":true}}', b'{"advert":{"phrase":""}}', b'{"empty":{"enabled":false}}'),
    *(b'{"official":{}}', b'{"x":{"profiles":{}}}', b'{"x":null}', b'{"x":{"preset":"?"}}', b'{"duty":[{}]}'),
)
"""What may stand in place of a value; many are no JSON at all."""


@dataclass(frozen=True)
class Sent:
    """A record on its way to a topic."""

    topic: str
    key: bytes | None
    value: bytes | None
    expected: frozenset[str] = ANYTHING
    """Codes that it may be refused with, or `ACCEPTED`; empty: nothing is foretold."""
    timestamp: int = 0
    """Kafka's."""

    @classmethod
    def of(cls, topic: str, value: dict[str, Any], timestamp: int = 0) -> Sent:
        """A record as it should be."""
        parts = {
            CHAT: ("shop_id", "buyer_id"),
            ORDERS: ("shop_id", "buyer_id"),
            RULINGS: ("shop_id", "buyer_id"),
            ROSTER: ("shop_id", "agent_id"),
            SETTINGS: ("shop_id",),
            TICKS: (),
        }[topic]
        key = "|".join(str(value[part]) for part in parts).encode() if parts else None
        expected = ACCEPTED if topic in (CHAT, ORDERS, RULINGS, TICKS) else ANYTHING
        text = json.dumps(value, ensure_ascii=False)
        raw = text.encode(errors="backslashreplace")  # a lone surrogate has no other spelling
        return cls(topic, key, raw, expected, timestamp)


Fields = list[tuple[bytes, bytes]]


def spoilt(chance: Random, good: Sent) -> Sent:
    """Make something of a valid record that its topic was not made for; a few such are valid still."""
    if chance.random() < 0.65:
        fields = _fields(good)
        changes = 1 if chance.random() < 0.8 else chance.randint(2, 4)
        expected = ANYTHING
        for _ in range(min(changes, len(fields))):
            expected = chance.choice(_OF_FIELDS)(chance, good.topic, fields)
        value = b"{" + b",".join(b'"%s":%s' % field for field in fields) + b"}"
        if changes > 1 or (expected == ACCEPTED and good.expected != ACCEPTED):
            expected = ANYTHING
        return replace(good, value=value, expected=expected)
    if chance.random() < 0.75:
        assert good.value is not None
        value = chance.choice(_OF_BYTES)(chance, good.value)
        return replace(good, value=value, expected=ANYTHING)
    return chance.choice(_OF_RECORDS)(chance, good)


def _fields(good: Sent) -> Fields:
    assert good.value is not None
    return [
        (name.encode(), json.dumps(value, ensure_ascii=False).encode(errors="backslashreplace"))
        for name, value in json.loads(good.value).items()
    ]


# Of fields: each changes them in place, and returns what may become of the record


def _leave_out(chance: Random, topic: str, fields: Fields) -> frozenset[str]:
    name, _ = fields.pop(chance.randrange(len(fields)))
    return frozenset({"missing_field"}) if name in REQUIRED[topic] else ANYTHING


def _retype(chance: Random, topic: str, fields: Fields) -> frozenset[str]:
    at = chance.randrange(len(fields))
    name, value = fields[at]
    wrong = chance.choice([token for token in (b"true", b"[]", b"{}", b"1.5") if token[:1] != value[:1]])
    fields[at] = name, wrong
    return frozenset({"bad_type", "bad_value"}) if name in REQUIRED[topic] else ANYTHING


def _replace(chance: Random, _topic: str, fields: Fields) -> frozenset[str]:
    at = chance.randrange(len(fields))
    fields[at] = fields[at][0], chance.choice(TOKENS)
    return ANYTHING


def _repeat(chance: Random, _topic: str, fields: Fields) -> frozenset[str]:
    name, value = chance.choice(fields)
    again = value if chance.random() < 0.3 else chance.choice(TOKENS)
    fields.insert(chance.randint(0, len(fields)), (name, again))
    return ANYTHING


def _add(chance: Random, _topic: str, fields: Fields) -> frozenset[str]:
    name = chance.choice(
        (
            *(b"x", b"", rb"\u0000", rb"\ud800", b"\xff", b"ts ", b"TS", b"__proto__", b"*", b"a.b", b"`ts`"),
            *(b"type", b"kind", b"text", b"text_length", b"product_id", b"entry", b"created_ts", b"amount"),
            *(b"quantity", b"product_ids", b"currency", b"to_agent_id", b"buyer_is_subaccount", b"timezone"),
            *(b"preset", b"validity", b"filters", b"profiles", b"tasks", b"official_accounts", b"auto_reply"),
            *(b"name", b"group", b"max_wait_minutes", b"silent_followup", b"n" * 5000, rb"\u0074s"),
        )
    )
    fields.insert(chance.randint(0, len(fields)), (name, chance.choice(TOKENS)))
    return ANYTHING


def _rename(chance: Random, topic: str, fields: Fields) -> frozenset[str]:
    at = chance.randrange(len(fields))
    name, value = fields[at]
    fields[at] = chance.choice((name.upper(), name + b" ", b" " + name, rb"\u0000" + name)), value
    if name not in REQUIRED[topic]:
        return ANYTHING
    # of settings every field is known, or else the record is refused for it
    return frozenset({"missing_field", "bad_value"} if topic == SETTINGS else {"missing_field"})


def _exchange(chance: Random, _topic: str, fields: Fields) -> frozenset[str]:
    one, other = chance.choices(range(len(fields)), k=2)
    (name, value), (other_name, other_value) = fields[one], fields[other]
    fields[one], fields[other] = (name, other_value), (other_name, value)
    return ANYTHING


def _shuffle(chance: Random, topic: str, fields: Fields) -> frozenset[str]:
    chance.shuffle(fields)
    return ACCEPTED if topic == CHAT else ANYTHING


_OF_FIELDS: tuple[Callable[[Random, str, Fields], frozenset[str]], ...] = (
    *(_leave_out, _retype, _replace, _replace, _replace, _replace),
    *(_repeat, _add, _add, _rename, _exchange, _shuffle),
)

# Of bytes


def _cut(chance: Random, value: bytes) -> bytes:
    return value[: chance.randrange(len(value))]


def _flip(chance: Random, value: bytes) -> bytes:
    changed = bytearray(value)
    for _ in range(chance.choice((1, 1, 2, 8))):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _insert(chance: Random, value: bytes) -> bytes:
    at = chance.randint(0, len(value))
    return value[:at] + chance.choice((chance.randbytes(chance.randint(1, 9)), *TOKENS)) + value[at:]


def _remove(chance: Random, value: bytes) -> bytes:
    at = chance.randrange(len(value))
    return value[:at] + value[at + chance.randint(1, 20) :]


def _double(chance: Random, value: bytes) -> bytes:
    begin, end = sorted((chance.randint(0, len(value)), chance.randint(0, len(value))))
    return value[:end] + value[begin:]


def _wrap(chance: Random, value: bytes) -> bytes:
    before, after = chance.choice(
        (
            *((b"[", b"]"), (b'{"a":', b"}"), (b'"', b'"'), (b" \t\r\n", b"\n\n"), (b"\xef\xbb\xbf", b"")),
            *((b"", b"\x00"), (b"\x00", b""), (b"", b","), (b"", b"}"), (b"//x\n", b""), (b"", value)),
            *(
                (b"", b"\n" + value),
                (b"[" * 300, b"]" * 300),
                (b"", b"garbage"),
                (b"{", b"}"),
                (b"\x1f\x8b", b""),
            ),
        )
    )
    return before + value + after


def _transcode(chance: Random, value: bytes) -> bytes:
    text = value.decode()
    return text.encode(chance.choice(("utf-16", "utf-16-be", "utf-32", "gb18030", "utf-7")))


def _nonsense(chance: Random, _value: bytes) -> bytes:
    return chance.choice((chance.randbytes(chance.choice((0, 1, 7, 300))), chance.choice(TOKENS)))


_OF_BYTES: tuple[Callable[[Random, bytes], bytes], ...] = (
    *(_cut, _cut, _flip, _flip, _insert, _remove, _double, _wrap, _wrap, _transcode, _nonsense),
)

# Of whole records


def _tombstone(_chance: Random, good: Sent) -> Sent:
    return replace(good, value=None, expected=frozenset({"not_json"}))


def _empty(_chance: Random, good: Sent) -> Sent:
    return replace(good, value=b"", expected=frozenset({"not_json"}))


def _rekey(chance: Random, good: Sent) -> Sent:
    key = good.key or b""
    others = (
        *(
            None,
            b"",
            b"|",
            key + b" ",
            key[:-1],
            b" " + key,
            key.upper() + b"'",
            b"jd:1",
            b"\x00",
            b"\xff|\xff",
        ),
        *(b'"' + key + b'"', key + b"|", b"jd:9|b-9", b"k" * 2000, chance.randbytes(9), b"\x00progress"),
    )
    expected = ANYTHING if good.topic in (TICKS, SETTINGS, ROSTER) else frozenset({"key_mismatch"})
    return replace(good, key=chance.choice(others), expected=expected)


def _elsewhere(chance: Random, good: Sent) -> Sent:
    """It goes to a topic that is not its own."""
    topic = chance.choice((CHAT, ORDERS, RULINGS, TICKS))
    return replace(good, topic=topic, expected=good.expected if topic == good.topic else ANYTHING)


def _grow(chance: Random, good: Sent) -> Sent:
    """One time in ten it is about as large as a record may be, or its key is."""
    assert good.value is not None
    if chance.random() < 0.9:
        return _tombstone(chance, good)
    where = chance.randrange(3)
    if where == 0:
        size = MAX_RECORD_BYTES + chance.choice((-1, 0, 1, 500_000))
        value = good.value + b" " * (size - len(good.value))
        refused = frozenset({"too_large"})
        return replace(good, value=value, expected=refused if size > MAX_RECORD_BYTES else good.expected)
    if where == 1:
        return replace(good, key=b"k" * chance.choice((100_000, 900_000)), expected=ANYTHING)
    deep = b'{"%s":1,%s' % (b"n" * 250_000, good.value[1:])
    return replace(good, value=deep, expected=ANYTHING)


_OF_RECORDS: tuple[Callable[[Random, Sent], Sent], ...] = (
    _tombstone,
    _empty,
    _rekey,
    _rekey,
    _elsewhere,
    _grow,
)
