"""What a scheme pays, in words of both languages: for those who are paid by it and never see its document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final, NamedTuple, assert_never

from msgspec import UNSET, UnsetType

from stream_attr.contract.records.pay_numbers import Share
from stream_attr.contract.records.pay_scheme import (
    AnyComponent,
    Cap,
    Commission,
    Factor,
    Fixed,
    Floor,
    LastRanked,
    Least,
    LowScores,
    PayScheme,
    PerUnit,
    Pool,
    Ranking,
    Score,
    Split,
    Steps,
)
from stream_attr.ledger.formulas import Kind
from stream_attr.ledger.pay.sheets import name_of
from stream_attr.ledger.pay.words import Words, kind_of, percent
from stream_attr.ledger.texts import Text
from stream_attr.pay.checks import changed_by
from stream_attr.pay.figures import Starts

__all__ = ["Part", "described", "warnings_of"]

KINDS: Final[dict[type, Text]] = {
    Fixed: Text("base pay", "底薪"),
    Commission: Text("commission", "分段提成"),
    PerUnit: Text("for each", "计件"),
    Steps: Text("bonus for what is reached", "达标奖"),
    Score: Text("KPI points", "KPI 积分"),
    Ranking: Text("prizes", "排名奖"),
    Pool: Text("team's pot", "奖金池"),
    Split: Text("double allocation", "双重分配"),
    Factor: Text("factor", "系数"),
    Cap: Text("at most", "封顶"),
    Floor: Text("at least", "保底"),
}
_MONTHLY: Final = Text("{amount} a month", "每月 {amount}")
_PRORATED: Final = Text("{text}, by the days of employment", "{text}，按在职天数折算")
_PROBATION: Final = Text("Of days on probation {rate} of it is paid.", "试用期内按 {rate} 计发。")
_LEAST: Final = Text("Nothing unless {figure} is at least {at}.", "{figure} 未达到 {at} 则不计。")
_MARGINAL: Final = Text(
    "A share of {figure}: each rate is of the part between its tier and the next.",
    "按 {figure} 分段提成：每一档的比例只用于该档与下一档之间的部分。",
)
_WHOLE: Final = Text(
    "A share of {figure}: the rate of the tier that is reached is of all of it.",
    "按 {figure} 提成：达到哪一档，全部按该档比例。",
)
_PICKED: Final = Text("The tier is picked by {figure}.", "档位由 {figure} 决定。")
_EACH: Final = Text("{amount} for each of {figure}.", "{figure}每个 {amount}。")
_STEPS: Final = Text("By {figure}, the last step that is reached.", "按 {figure}，取达到的最高一档。")
_SCORE: Final = Text(
    "{amount} for 100 points; the points are the mean by weight of:",
    "100 分为 {amount}；得分为以下各项的加权平均：",
)
_ITEM: Final = Text("{weight} {figure}", "{figure}，权重 {weight}")
_POINTS: Final = Text("{points} points", "{points} 分")
_FROM: Final = Text("from {start}", "{start} 起")
_UP_TO: Final = Text("at most {start}", "不超过 {start}")
_RANKED: Final = Text(
    "By {figure}, the greatest first; who are tied share their places' prizes.",
    "按 {figure} 从高到低排名；并列者平分所占名次的奖金。",
)
_RANKED_LEAST: Final = Text(
    "By {figure}, the smallest first; who are tied share their places' prizes.",
    "按 {figure} 从低到高排名；并列者平分所占名次的奖金。",
)
_PLACE: Final = Text("place {place}", "第 {place} 名")
_UNRANKED: Final = Text(
    "Who has less than {at} of {figure} is not ranked.", "{figure} 未达到 {at} 者不参与排名。"
)
_POOL: Final = Text(
    "{rate} of the team's {money}, shared by {figure}.", "团队 {money} 的 {rate}，按 {figure} 分配。"
)
_SPLIT: Final = Text(
    "In commissions each order counts {placing} for its placing agent and {payment} for its payment agent; a "
    "part without agent is the credited agent's, and what a person ruled is not split.",
    "提成中每单的 {placing} 计给落实下单客服，{payment} 计给落实付款客服；"
    "无人的部分归业绩所属客服，人工裁定的订单不拆分。",
)
_TIMES: Final = Text("{parts} × {rate}.", "{parts} × {rate}。")
_TIMES_BY: Final = Text(
    "{parts} × a factor by {figure}; 100% below the first.",
    "{parts} × 系数，按 {figure} 定档；低于第一档为 100%。",
)
_MOST: Final = Text("{parts} together at most {amount}.", "{parts} 合计不超过 {amount}。")
_LEAST_PAID: Final = Text("{parts} together at least {amount}", "{parts} 合计不少于 {amount}")
_LAST: Final = Text(
    "The last {share} by {figure} are named to the manager.", "按 {figure} 排名末位 {share} 者告知主管。"
)
_LOW: Final = Text(
    "Who has fewer than {points} points of {name} in {times} of the last {months} months is named to the "
    "manager.",
    "最近 {months} 个月中有 {times} 个月 {name}低于 {points} 分者告知主管。",
)


class Part(NamedTuple):
    """A component in words."""

    name: Text
    kind: Text
    says: tuple[Text, ...]
    rows: tuple[tuple[Text, Text], ...] = ()
    """Tiers, steps, prizes, items: from what on, and what then."""


def described(scheme: PayScheme) -> list[Part]:
    """Return what a scheme pays, component by component."""
    words = Words(scheme.currency, {one.id: name_of(scheme, one.id) for one in scheme.components})
    changes = changed_by(scheme)
    found = []
    for one in scheme.components:
        names = [name_of(scheme, each) for each in changes.get(one.id, ())]
        parts = Text(*(" + ".join(each[number] for each in names) for number in range(2)))
        if len(names) > 1:
            parts = Text(f"({parts.english})", f"（{parts.chinese}）")
        says, rows = _described(one, words, parts)
        found.append(Part(name_of(scheme, one.id), KINDS[type(one)], tuple(says), tuple(rows)))
    return found


def warnings_of(scheme: PayScheme) -> list[Text]:
    """Return whom a scheme's warnings name to the manager; nothing follows by itself."""
    words = Words(scheme.currency, {one.id: name_of(scheme, one.id) for one in scheme.components})
    found = []
    for one in scheme.warnings:
        match one:
            case LastRanked():
                found.append(_LAST.filled(share=percent(one.share), figure=words.figure(one.by)))
            case LowScores():
                name = name_of(scheme, one.score)
                found.append(_LOW.filled(points=one.points, name=name, times=one.times, months=one.months))
            case _:  # pragma: no cover
                assert_never(one)
    return found


_Described = tuple[Sequence[Text], Sequence[tuple[Text, Text]]]


def _described(one: AnyComponent, words: Words, parts: Text) -> _Described:
    """Return the sentences of a component, and its rows; ``parts``: the components that it is on."""
    match one:
        case Fixed():
            monthly = _prorated(_MONTHLY.filled(amount=words.money(one.amount)), one.prorate)
            return [monthly, *_probation(one.probation)], ()
        case Commission():
            key = one.of if isinstance(one.by, UnsetType) else one.by
            head = (_MARGINAL if one.mode == "marginal" else _WHOLE).filled(figure=words.figure(one.of))
            picked = [] if key == one.of else [_PICKED.filled(figure=words.figure(key))]
            rows = [(_start(words, key, tier), _same(percent(tier.rate))) for tier in one.tiers]
            return [head, *picked, *_least(words, one.least), *_probation(one.probation)], rows
        case PerUnit():
            head = _EACH.filled(amount=words.money(one.amount), figure=words.figure(one.of))
            return [head, *_probation(one.probation)], ()
        case Steps():
            rows = [(_start(words, one.of, step), _same(words.money(step.amount))) for step in one.steps]
            return [_STEPS.filled(figure=words.figure(one.of)), *_probation(one.probation)], rows
        case Score():
            head = _SCORE.filled(amount=words.money(one.amount))
            return [*_probation(one.probation), head], list(_items(words, one))
        case Ranking():
            head = (_RANKED_LEAST if one.less_is_better else _RANKED).filled(figure=words.figure(one.by))
            prizes = enumerate(one.prizes, 1)
            rows = [(_PLACE.filled(place=place), _same(words.money(prize))) for place, prize in prizes]
            return [head, *_least(words, one.least, _UNRANKED)], rows
        case Pool():
            money, figure = words.figure(one.of), words.figure(one.by)
            return [_POOL.filled(rate=percent(one.rate), money=money, figure=figure)], ()
        case Split():
            return [_SPLIT.filled(placing=percent(one.placing), payment=percent(one.payment))], ()
        case Factor() | Cap() | Floor():
            return _modifier(one, words, parts)
        case _:  # pragma: no cover
            assert_never(one)


def _modifier(one: Factor | Cap | Floor, words: Words, parts: Text) -> _Described:
    match one:
        case Factor():
            if not isinstance(one.rate, UnsetType):
                return [_TIMES.filled(parts=parts, rate=percent(one.rate))], ()
            key = str(one.by)
            tiers = () if isinstance(one.tiers, UnsetType) else one.tiers
            rows = [(_start(words, key, tier), _same(percent(tier.rate))) for tier in tiers]
            return [_TIMES_BY.filled(parts=parts, figure=words.figure(key))], rows
        case Cap():
            return [_MOST.filled(parts=parts, amount=words.money(one.amount))], ()
        case Floor():
            text = _LEAST_PAID.filled(parts=parts, amount=words.money(one.amount))
            return [_prorated(text, one.prorate)], ()
        case _:  # pragma: no cover
            assert_never(one)


def _items(words: Words, one: Score) -> Iterator[tuple[Text, Text]]:
    for item in one.items:
        bands = [
            (
                _start(words, item.figure, band, _UP_TO if item.less_is_better else _FROM),
                _POINTS.filled(points=band.points),
            )
            for band in item.bands
        ]
        texts = (
            ("; ", "；")[number].join(f"{start[number]}: {points[number]}" for start, points in bands)
            for number in range(2)
        )
        yield _ITEM.filled(weight=percent(item.weight), figure=words.figure(item.figure)), Text(*texts)


def _start(words: Words, key: str, one: Starts, text: Text = _FROM) -> Text:
    unit = " s" if kind_of(key) is Kind.SECONDS else ""
    return text.filled(start=f"{words.value(key, Fraction(one.start))}{unit}")


def _least(words: Words, one: Least | UnsetType, text: Text = _LEAST) -> list[Text]:
    if isinstance(one, UnsetType):
        return []
    at = words.value(one.figure, Fraction(one.at))
    return [text.filled(figure=words.figure(one.figure), at=at)]


def _prorated(text: Text, prorate: object) -> Text:
    found = text if prorate is UNSET else _PRORATED.filled(text=text)
    return Text(f"{found.english}.", f"{found.chinese}。")


def _probation(rate: Share | UnsetType) -> list[Text]:
    return [] if isinstance(rate, UnsetType) else [_PROBATION.filled(rate=percent(rate))]


def _same(text: str) -> Text:
    return Text(text, text)
