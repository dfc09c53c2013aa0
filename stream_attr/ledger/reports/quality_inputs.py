"""What data health says of the inputs themselves: partitions that are behind, partitioners, repeated ids.

Of all shops together, from what the workers have noticed (`stream_attr.ledger.sink.inputs`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, Final, NamedTuple

from psycopg import Connection

from stream_attr.ledger.formats.cells import as_text
from stream_attr.ledger.formulas import Kind
from stream_attr.ledger.reports.report import AsOf, Moment, Note
from stream_attr.ledger.texts import LANGUAGES, Text

__all__ = ["counted", "input_notes"]

_SEEN: Final = """
    SELECT topic, max(keys), sum(keys)::bigint, sum(murmur2_keys)::bigint, sum(other_content)::bigint
    FROM input_partition WHERE keys IS NOT NULL GROUP BY topic ORDER BY topic
"""
_PARTITION_BEHIND: Final = Text(
    "All shops: partition {partition} of the inputs is judged up to {watermark} only, another up to "
    "{furthest} ({offsets}): what its buyers did since is missing here, unless nothing came.",
    "全部店铺：输入分区 {partition} 只判定到 {watermark}，最快的分区已到 {furthest}（{offsets}）："
    "其中买家此后的数据不在此处，除非没有新数据。",
)
_PARTITIONED: Final = Text(
    "All shops: keys that lie where murmur2 puts them, of those that the workers looked at last: {topics}.",
    "全部店铺：worker 最近查看的键中，位于 murmur2 所指分区的占比：{topics}。",
)
_APART: Final = Text(
    "All shops: the topics are partitioned differently, so what a buyer says and orders is judged apart: "
    "have all senders use murmur2.",
    "全部店铺：各主题的分区方式不同，同一买家的聊天和订单会被分开判定：请让所有发送方使用 murmur2。",
)
_OTHER_CONTENT: Final = Text(
    "All shops, of any day: events that repeat an id with other content, of which the first counts: {topics} "
    "(stream-attr check names them in files).",
    "全部店铺（不限日期）：编号重复而内容不同的事件，以先到的为准：{topics}"
    "（stream-attr check 可在文件中逐条指出）。",
)
_UP_TO: Final = Text("{topic} up to offset {offset}", "{topic} 读到位点 {offset}")
_NOWHERE: Final = Text("no time yet", "尚无")


_ENOUGH_KEYS: Final = 50
"""A share of fewer says nothing: they may lie there by chance."""
_AGREES: Final = 0.99


class _Seen(NamedTuple):
    """What the workers have noticed of a topic, their partitions together."""

    topic: str
    looked_at: int
    """How many keys a worker has looked at, at most."""
    keys: int
    """How many they have looked at together, once for each of their partitions."""
    murmur2_keys: int
    other_content: int

    @property
    def agrees(self) -> bool:
        """Whether its keys lie where murmur2 puts them."""
        return self.murmur2_keys >= _AGREES * self.keys


def input_notes(connection: Connection[Any], at: AsOf) -> Iterator[Note]:
    """Yield which partitions are behind, how topics are partitioned, and ids that name several events."""
    yield from _behind(at)
    yield from _noticed(connection)


def _behind(at: AsOf) -> Iterator[Note]:
    """Yield which partitions of the inputs are behind the one that has come furthest."""
    for _, some in groupby(at.behind, key=lambda one: one.partition):
        topics = list(some)
        assert at.furthest is not None
        watermarks = (_moment(one.watermark, at.zone) for one in (topics[0], at.furthest))
        named = [_UP_TO.filled(topic=one.topic, offset=f"{one.offset:,}") for one in topics]
        offsets = Text(", ".join(one.english for one in named), "、".join(one.chinese for one in named))
        text = _PARTITION_BEHIND.filled(
            partition=topics[0].partition,
            **dict(zip(("watermark", "furthest"), watermarks, strict=True)),
            offsets=offsets,
        )
        yield Note(text)


def _noticed(connection: Connection[Any]) -> Iterator[Note]:
    """Yield what the workers have noticed of the inputs: how they are partitioned, and repeated ids."""
    seen = [_Seen(*row) for row in connection.execute(_SEEN)]
    known = [one for one in seen if one.looked_at >= _ENOUGH_KEYS]
    if known:
        shares = [as_text(one.murmur2_keys / one.keys, Kind.RATE, "en", grouped=True) for one in known]
        listed = [f"{one.topic} {share}" for one, share in zip(known, shares, strict=True)]
        yield Note(_PARTITIONED.filled(topics=Text(", ".join(listed), "、".join(listed))))
        if len({one.agrees for one in known}) > 1:
            yield Note(_APART, is_warning=True)
    if repeated := [one for one in seen if one.other_content]:
        counts = [(Text(one.topic, one.topic), one.other_content) for one in repeated]
        yield Note(_OTHER_CONTENT.filled(topics=counted(counts)))


def _moment(ts: int | None, zone: str) -> Text:
    if ts is None:
        return _NOWHERE
    return Text(*(as_text(Moment(ts, zone), Kind.MOMENT, one, grouped=True) for one in LANGUAGES))


def counted(items: Sequence[tuple[Text, int]]) -> Text:
    """Return what there is, with how many of each."""
    return Text(
        ", ".join(f"{count:,} {one.english}" for one, count in items),
        "、".join(f"{one.chinese} {count:,}" for one, count in items),
    )
