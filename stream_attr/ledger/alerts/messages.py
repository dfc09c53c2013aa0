"""What an alert says, in both languages: figures and ids of shops, nothing of a buyer."""

from __future__ import annotations

import shlex
from fractions import Fraction
from typing import Final, NamedTuple

from stream_attr.ledger.alerts.judge import ALL_SHOPS, Judged
from stream_attr.ledger.formats.cells import as_text
from stream_attr.ledger.formulas import Kind
from stream_attr.ledger.reports.report import Moment
from stream_attr.ledger.texts import Text

__all__ = ["Message", "line_of", "message_of"]

_BEGINS: Final = Text("{shop}: {rule}", "{shop}：{rule}")
_ENDS: Final = Text("{shop}: {rule} has ended", "{shop}：{rule} 已恢复")
_ALL: Final = Text("all shops", "全部店铺")
_BODY: Final = Text(
    "{figure}: {value}, the limit is {limit}.{usual}\n"
    "From {start} to {end} ({zone}), {cases} cases.\nThe rows: {rows}",
    "{figure}：{value}，界限 {limit}。{usual}\n{start} 至 {end}（{zone}），共 {cases} 例。\n明细：{rows}",
)
_USUAL: Final = Text(" In these hours of the four weeks before it was {usual}.", "前四周同一时段为 {usual}。")
_LIMITS: Final = {
    "above": Text("at most {limit}", "不高于 {limit}"),
    "below": Text("at least {limit}", "不低于 {limit}"),
    "above_usual": Text("{limit} above usual", "比平时高 {limit}"),
    "below_usual": Text("{limit} below usual", "比平时低 {limit}"),
}
_LINE: Final = Text(
    "{shop} {rule}: {figure} {value}{usual}: {verdict}", "{shop} {rule}：{figure} {value}{usual}：{verdict}"
)
_BESIDE: Final = Text(" (usual {usual})", "（平时 {usual}）")
_VERDICTS: Final = {
    True: Text("holds", "成立"),
    False: Text("does not hold", "不成立"),
    None: Text("too little to judge by", "数据不足，不作判断"),
}


class Message(NamedTuple):
    """One message, the same for every channel."""

    title: str
    body: str


def message_of(judged: Judged, language: str) -> Message:
    """Return what is sent as an alert begins or, where the rule does not hold, ends."""
    which, limit = judged.rule.limit
    kind = Kind.RATE if which.endswith("_usual") else judged.figure.kind
    start, end = (
        Text(*(as_text(Moment(ts, judged.zone.name), Kind.MOMENT, one, grouped=True) for one in ("en", "zh")))
        for ts in (judged.start, judged.end)
    )
    first, last = judged.days
    usual = (
        Text("", "")
        if judged.usual is None
        else _USUAL.filled(usual=_shown(judged.usual, judged.figure.kind))
    )
    body = _BODY.filled(
        figure=judged.figure.name,
        value=_shown(judged.value, judged.figure.kind),
        limit=_LIMITS[which].filled(limit=_shown(limit, kind)),
        usual=usual,
        start=start,
        end=end,
        zone=judged.zone.name,
        cases=f"{judged.sums.cases:,}",
        rows=judged.figure.rows.format(shop=shlex.quote(judged.shop_id), first=first, last=last),
    )
    title = (_BEGINS if judged.holds else _ENDS).filled(shop=_shop(judged), rule=judged.rule.name)
    return Message(title.of(language), body.of(language))


def line_of(judged: Judged, language: str) -> str:
    """Return in one line what a rule comes to."""
    usual = Text("", "")
    if judged.usual is not None:
        usual = _BESIDE.filled(usual=_shown(judged.usual, judged.figure.kind))
    line = _LINE.filled(
        shop=_shop(judged),
        rule=judged.rule.name,
        figure=judged.figure.name,
        value=_shown(judged.value, judged.figure.kind),
        usual=usual,
        verdict=_VERDICTS[judged.holds],
    )
    return line.of(language)


def _shop(judged: Judged) -> Text:
    return _ALL if judged.shop_id == ALL_SHOPS else Text(judged.shop_id, judged.shop_id)


def _shown(value: Fraction | None, kind: Kind) -> str:
    if value is None:
        return "–"
    if kind is Kind.RATE:
        return f"{float(value * 100):.2f}%"
    if kind is Kind.SECONDS:
        return f"{float(value):,.1f} s"
    return f"{float(value):,.1f}".removesuffix(".0")
