"""What a line is made of, in words of both languages: the same numbers as its data."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Final, assert_never

from stream_attr.codec.money import decimal_amount
from stream_attr.ledger.figures import FIGURES
from stream_attr.ledger.formats.cells import as_text
from stream_attr.ledger.formulas import Kind
from stream_attr.ledger.pay.schemes import ATTAINMENT
from stream_attr.ledger.texts import Text
from stream_attr.pay.figures import SCORE
from stream_attr.pay.lines import (
    AnyWhy,
    CapWhy,
    CommissionWhy,
    FactorWhy,
    FigureValue,
    FixedWhy,
    FloorWhy,
    PerUnitWhy,
    PoolWhy,
    RankingWhy,
    Reached,
    ScoreWhy,
    StepsWhy,
)
from stream_attr.pay.sharing import rounded

__all__ = ["Words", "kind_of", "percent"]

_UNITS: Final = Text("{figure} {number} × {amount}", "{figure} {number} × {amount}")
_ATTAINED: Final = Text("{figure} attained", "{figure}完成率")
_POINTS: Final = Text("{name}, points", "{name}得分")
_NO_VALUE: Final = Text("no value", "无数值")
_DAYS: Final = Text("{amount} × {employed} / {month} days", "{amount} × {employed} / {month} 天")
_SHORT: Final = Text("nothing: {figure} {value} is less than {at}", "不计：{figure} {value}，未达到 {at}")
_SUM: Final = Text("{figure} {value}: {sum}", "{figure} {value}：{sum}")
_NO_TIER: Final = Text("{figure} {value}: no tier is reached", "{figure} {value}：未达到任何一档")
_NOTHING: Final = Text("{figure} {value}: nothing", "{figure} {value}：无")
_BY: Final = Text("{reason}, by {figure} {value}", "{reason}，按 {figure} {value} 定档")
_NEXT: Final = Text("{text}; the next tier from {start}", "{text}；下一档从 {start} 起")
_SPLIT: Final = Text(
    "{text}; each order {placing} placing, {payment} payment", "{text}；每单下单 {placing}、付款 {payment}"
)
_STEP: Final = Text("{figure} {value}: from {start}", "{figure} {value}：达到 {start}")
_SCORE: Final = Text("{amount} × {points} / 100 points: {sum}", "{amount} × {points} / 100 分：{sum}")
_PLACE: Final = Text(
    "{figure} {value}: place {place}, {tied} tied, prizes {prizes}",
    "{figure} {value}：第 {place} 名，并列 {tied} 人，奖金 {prizes}",
)
_UNRANKED: Final = Text("{figure} {value}: not ranked", "{figure} {value}：不参与排名")
_POOL: Final = Text(
    "{pot} × {value} / {of_all} ({figure}); the pot is {rate} of {money}",
    "{pot} × {value} / {of_all}（{figure}）；奖金池为 {money} 的 {rate}",
)
_CAP: Final = Text("{before}, at most {limit}", "{before}，封顶 {limit}")
_FLOOR: Final = Text("{before}, at least {limit}", "{before}，保底 {limit}")
_PROBATION: Final = Text(
    "{text}; {rate} on {days} of {employed} days", "{text}；{employed} 天中试用期 {days} 天按 {rate}"
)


def kind_of(key: str) -> Kind:
    """Return how a figure's values are shown."""
    if key.startswith(ATTAINMENT):
        return Kind.RATE
    return FIGURES[key].kind if key in FIGURES else Kind.COUNT


class Words:
    """Words for the lines of one scheme."""

    def __init__(self, currency: str, names: Mapping[str, Text]) -> None:
        """``names``: of components, by id."""
        self._currency, self._names = currency, names

    def money(self, amount: Fraction | int) -> str:
        """Return an amount, rounded to the minor unit where it is not whole."""
        return decimal_amount(rounded(Fraction(amount)), self._currency, grouped=True)

    def figure(self, key: str) -> Text:
        """Return the name of a figure, score or attainment."""
        if key.startswith(SCORE):
            return _POINTS.filled(name=self._names[key.removeprefix(SCORE)])
        if key.startswith(ATTAINMENT):
            return _ATTAINED.filled(figure=FIGURES[key.removeprefix(ATTAINMENT)].name)
        return FIGURES[key].name

    def value(self, key: str, value: Fraction | None) -> str | Text:
        """Return a figure's value as it is shown."""
        if value is None:
            return _NO_VALUE
        kind = kind_of(key)
        if kind is Kind.MONEY:
            return self.money(value)
        if kind is Kind.RATE:
            return percent(value)
        if kind is Kind.SECONDS:
            return as_text(int(value), kind, "en", grouped=True)
        return _plain(value)

    def how(self, why: AnyWhy) -> Text:
        """Return what a line is made of."""
        text = self._how(why)
        if why.probation is not None:
            its = why.probation
            text = _PROBATION.filled(
                text=text, rate=percent(its.rate), days=its.days, employed=its.employed_days
            )
        return text

    def _how(self, why: AnyWhy) -> Text:
        match why:
            case FixedWhy():
                return self._prorated(why.amount, why.employed_days, why.month_days)
            case CommissionWhy():
                return self._commission(why)
            case PerUnitWhy():
                number = _plain(why.figure.value or Fraction())
                return _UNITS.filled(
                    figure=self.figure(why.figure.key), number=number, amount=self.money(why.amount)
                )
            case StepsWhy():
                text = self._filled(_NO_TIER if why.start is None else _STEP, why.figure, why.start)
                return self._next(text, why.figure.key, why.next_from)
            case ScoreWhy():
                return self._score(why)
            case RankingWhy():
                return self._ranking(why)
            case PoolWhy():
                return self._filled(
                    _POOL,
                    why.figure,
                    pot=self.money(why.pot),
                    of_all=self.value(why.figure.key, why.of_all),
                    rate=percent(why.rate),
                    money=self.value(why.money.key, why.money.value),
                )
            case FactorWhy():
                return self._factor(why)
            case CapWhy():
                return _CAP.filled(before=self.money(why.before), limit=self.money(why.limit))
            case FloorWhy():
                limit = self._prorated(why.amount, why.employed_days, why.month_days)
                return _FLOOR.filled(before=self.money(why.before), limit=limit)
            case _:  # pragma: no cover
                assert_never(why)

    def _commission(self, why: CommissionWhy) -> Text:
        if why.least is not None and not why.least.is_reached:
            return self._short(why.least)
        if why.parts:
            parts = " + ".join(f"{self.money(one.base)} × {percent(one.rate)}" for one in why.parts)
            text = self._filled(_SUM, why.figure, sum=parts)
        else:
            text = self._filled(_NOTHING, why.picked_by)
        if why.parts and why.picked_by.key != why.figure.key:
            text = self._filled(_BY, why.picked_by, reason=text)
        if why.split is not None:
            placing, payment = map(percent, why.split)
            text = _SPLIT.filled(text=text, placing=placing, payment=payment)
        return self._next(text, why.picked_by.key, why.next_from)

    def _score(self, why: ScoreWhy) -> Text:
        parts = [
            self._filled(
                Text("{weight} × {points} ({figure} {value})", "{weight} × {points}（{figure} {value}）"),
                one.figure,
                weight=percent(one.weight),
                points=_NO_VALUE if one.points is None else one.points,
            )
            for one in why.items
        ]
        joined = Text(*(" + ".join(one[number] for one in parts) for number in range(2)))
        points = _NO_VALUE if why.score is None else _plain(why.score)
        return _SCORE.filled(amount=self.money(why.amount), points=points, sum=joined)

    def _ranking(self, why: RankingWhy) -> Text:
        if why.least is not None and not why.least.is_reached:
            return self._short(why.least)
        if why.place is None:
            return self._filled(_UNRANKED, why.figure)
        prizes = " + ".join(map(self.money, why.prizes)) or "0"
        return self._filled(_PLACE, why.figure, place=why.place, tied=why.tied, prizes=prizes)

    def _factor(self, why: FactorWhy) -> Text:
        plain = f"{self.money(why.before)} × ({percent(why.rate)} − 100%)"
        text = Text(plain, plain)
        if why.picked_by is None:
            return text
        text = self._filled(_BY, why.picked_by, reason=text)
        return self._next(text, why.picked_by.key, why.next_from)

    def _short(self, least: Reached) -> Text:
        return self._filled(_SHORT, least.figure, at=self.value(least.figure.key, least.at))

    def _next(self, text: Text, key: str, start: Fraction | None) -> Text:
        return text if start is None else _NEXT.filled(text=text, start=self.value(key, start))

    def _prorated(self, amount: int, employed: int, month: int | None) -> Text:
        if month is None or employed == month:
            return Text(self.money(amount), self.money(amount))
        return _DAYS.filled(amount=self.money(amount), employed=employed, month=month)

    def _filled(
        self, text: Text, figure: FigureValue, start: Fraction | None = None, **others: object
    ) -> Text:
        return text.filled(
            figure=self.figure(figure.key),
            value=self.value(figure.key, figure.value),
            start=None if start is None else self.value(figure.key, start),
            **others,
        )


def percent(rate: Fraction) -> str:
    """Return a rate in percent, with the decimals it has: six at most."""
    return f"{_plain(rate * 100)}%"


def _plain(value: Fraction) -> str:
    """Return a number with the decimals it has, six at most."""
    number = round(Decimal(value.numerator) / value.denominator, 6)
    whole, _, digits = f"{number:,f}".partition(".")
    digits = digits.rstrip("0")
    return f"{whole}.{digits}" if digits else whole
