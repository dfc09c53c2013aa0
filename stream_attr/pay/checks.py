"""What no type can say of a pay scheme: each violation is one sentence with its path (docs/pay.md)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from fractions import Fraction
from typing import Final, Protocol, assert_never

from iso4217 import Currency
from msgspec import UNSET, UnsetType

from stream_attr.contract.records.pay_numbers import Bound
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
    ScoreItem,
    Split,
    Steps,
)
from stream_attr.errors import UnusableError
from stream_attr.rules.shop.days import day_number

MONEY: Final = "money"
COUNT: Final = "count"
RATE: Final = "rate"
RATIO: Final = "ratio"
SECONDS: Final = "seconds"
UNITS: Final = frozenset({MONEY, COUNT, RATE, RATIO, SECONDS})
"""Units of figures that can be paid by."""
SCORE: Final = "score."
"""Begins the key of a score, which a component's id ends."""
SPLIT_MONEY: Final = ("sales.amount", "sales.net_amount")
"""Figures that a split divides by order."""
MODIFIERS: Final = (Factor, Cap, Floor)


class WrongSchemeError(UnusableError):
    """A scheme cannot be used: ``field`` is the path of what is wrong, None: it is no scheme at all."""

    def __init__(self, message: str, field: str | None) -> None:
        super().__init__("".join(one if one.isprintable() else repr(one)[1:-1] for one in message))
        self.field = field


class _Starts(Protocol):
    @property
    def start(self) -> Bound: ...


def check_scheme(scheme: PayScheme, figures: Mapping[str, str]) -> None:
    """Raise WrongSchemeError unless a scheme can be paid by; ``figures``: the unit of each, by key."""
    _check_head(scheme)
    checker = _Checker(scheme, figures)
    for number, component in enumerate(scheme.components):
        checker.check(component, f"components[{number}]")
    checker.check_split()
    for number, rule in enumerate(scheme.warnings):
        checker.check_warning(rule, f"warnings[{number}]")


def changed_by(scheme: PayScheme) -> dict[str, tuple[str, ...]]:
    """Return, by the id of each factor, cap and floor, the ids of the components that it is on."""
    found: dict[str, tuple[str, ...]] = {}
    before: list[str] = []
    for one in scheme.components:
        if isinstance(one, MODIFIERS):
            found[one.id] = tuple(before) if one.on is UNSET else one.on
        elif not isinstance(one, Split):
            before.append(one.id)
    return found


def _wrong(path: str, problem: str) -> WrongSchemeError:
    return WrongSchemeError(f"`{path}` {problem}", path)


def _check_head(scheme: PayScheme) -> None:
    _check_name(scheme.scheme_id, "scheme_id")
    try:
        day_number(scheme.effective_from)
    except ValueError:
        raise _wrong(
            "effective_from",
            f"is not a date YYYY-MM-DD: {scheme.effective_from[:32]!r}; write the first of a month",
        ) from None
    if not scheme.effective_from.endswith("-01"):
        raise _wrong(
            "effective_from",
            f"is {scheme.effective_from}, and pay is by the month: write the first of one, "
            f"{scheme.effective_from[:8]}01 or that of a later one",
        )
    if scheme.currency not in {one.value for one in Currency}:
        raise _wrong("currency", "is not an ISO 4217 code (three capitals), such as CNY")


def _check_name(name: str, path: str) -> None:
    if not name or not set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-"):
        raise _wrong(path, f"is {name[:64]!r}: write 1 to 64 of a-z 0-9 _ -")


class _Checker:
    """Checks the components of one scheme, in their order."""

    def __init__(self, scheme: PayScheme, figures: Mapping[str, str]) -> None:
        self._scheme = scheme
        self._figures = figures
        self._scores = [one.id for one in scheme.components if isinstance(one, Score)]
        self._seen: dict[str, str] = {}
        """Paths by id."""
        self._payable: list[str] = []
        """Ids of the components so far that a factor, cap or floor may be on."""
        self._changes: list[tuple[str, tuple[str, ...]]] = []
        """Path and components of each factor, cap and floor so far."""

    def check(self, component: AnyComponent, path: str) -> None:
        """Check the next component."""
        _check_name(component.id, f"{path}.id")
        if component.id in self._seen:
            raise _wrong(
                f"{path}.id", f"is {component.id!r}, as that of {self._seen[component.id]}: choose another"
            )
        self._seen[component.id] = path
        match component:
            case Fixed():
                pass
            case Commission():
                self._check_commission(component, path)
            case PerUnit():
                self._check_unit(component.of, f"{path}.of", (COUNT,), "counts things, as sales.orders does")
            case Steps():
                self._check_figure(component.of, f"{path}.of")
                self._check_starts(component.steps, component.of, f"{path}.steps")
            case Score():
                self._check_score(component, path)
            case Ranking():
                self._check_ranking(component, path)
            case Pool():
                self._check_unit(component.of, f"{path}.of", (MONEY,), "is money, as sales.net_amount is")
                self._check_unit(component.by, f"{path}.by", (MONEY, COUNT, RATIO), "adds up over persons")
            case Split():
                if component.placing + component.payment != 1:
                    raise _wrong(
                        f"{path}.payment",
                        f"is {component.payment.written} and `placing` {component.placing.written}: "
                        "both have to add up to 100%",
                    )
            case Factor() | Cap() | Floor():
                self._check_modifier(component, path)
            case _:  # pragma: no cover
                assert_never(component)
        if not isinstance(component, (Split, *MODIFIERS)):
            self._payable.append(component.id)

    def check_split(self) -> None:
        """Check that there is at most one split, and that it feeds a commission."""
        splits = [
            (number, one) for number, one in enumerate(self._scheme.components) if isinstance(one, Split)
        ]
        if len(splits) > 1:
            raise _wrong(
                f"components[{splits[1][0]}].kind",
                "is a second split, and an order's money can be split once: keep "
                f"`{splits[0][1].id}` or this one",
            )
        fed = [
            one for one in self._scheme.components if isinstance(one, Commission) and one.of in SPLIT_MONEY
        ]
        if splits and not fed:
            raise _wrong(
                f"components[{splits[0][0]}].kind",
                f"is a split, which feeds a commission of {' or '.join(SPLIT_MONEY)}: add one, or leave "
                "the split out",
            )

    def check_warning(self, rule: LastRanked | LowScores, path: str) -> None:
        """Check a rule of whom the manager is told."""
        if isinstance(rule, LastRanked):
            self._check_figure(rule.by, f"{path}.by")
            return
        if rule.score not in self._scores:
            raise _wrong(f"{path}.score", self._no_score(rule.score))
        if rule.times > rule.months:
            raise _wrong(
                f"{path}.times", f"is {rule.times}, which {rule.months} months cannot have: raise `months`"
            )

    def _check_commission(self, one: Commission, path: str) -> None:
        self._check_unit(
            one.of, f"{path}.of", (MONEY,), "is money, as sales.net_amount is; for things there is per_unit"
        )
        if one.by is not UNSET and one.mode == "marginal":
            raise _wrong(
                f"{path}.by",
                "picks one tier for all the money, so `mode` has to be whole; leave `by` out with marginal",
            )
        if one.by is not UNSET:
            self._check_figure(one.by, f"{path}.by")
        self._check_starts(one.tiers, one.of if one.by is UNSET else one.by, f"{path}.tiers")
        self._check_least(one.least, f"{path}.least")

    def _check_score(self, one: Score, path: str) -> None:
        for number, item in enumerate(one.items):
            self._check_item(item, f"{path}.items[{number}]")
        whole = sum((item.weight for item in one.items), Fraction())
        if whole != 1:
            raise _wrong(
                f"{path}.items", f"has weights that add up to {_percent(whole)}: they have to make 100%"
            )

    def _check_item(self, item: ScoreItem, path: str) -> None:
        if item.figure.startswith(SCORE):
            raise _wrong(f"{path}.figure", "is a score, and a score is not made of scores: name a figure")
        self._check_figure(item.figure, f"{path}.figure")
        if not item.weight:
            raise _wrong(f"{path}.weight", "is 0%: leave the item out, or give it a weight")
        self._check_starts(item.bands, item.figure, f"{path}.bands", falling=item.less_is_better)
        for number, (one, harder) in enumerate(zip(item.bands, item.bands[1:], strict=False), 1):
            if harder.points <= one.points:
                raise _wrong(
                    f"{path}.bands[{number}].points",
                    f"is {harder.points}, not more than the {one.points} of the band before, which is easier",
                )

    def _check_ranking(self, one: Ranking, path: str) -> None:
        self._check_figure(one.by, f"{path}.by")
        for number, (prize, after) in enumerate(zip(one.prizes, one.prizes[1:], strict=False), 1):
            if after > prize:
                raise _wrong(
                    f"{path}.prizes[{number}]", f"is {after}, more than the {prize} of the place before it"
                )
        self._check_least(one.least, f"{path}.least")

    def _check_modifier(self, one: Factor | Cap | Floor, path: str) -> None:
        on = tuple(self._payable) if one.on is UNSET else one.on
        if not on:
            raise _wrong(f"{path}.kind", "changes the components before it, and there are none: move it down")
        for number, name in enumerate(on):
            if name in self._payable and name not in on[:number]:
                continue
            problem = f"is {name!r}, "
            if name in on[:number]:
                problem += "which is named before: leave it out"
            elif name in self._seen:
                problem += "which is a split, factor, cap or floor: name components of other kinds"
            else:
                problem += (
                    f"which is not a component before this one; there are {_listed(self._payable) or 'none'}"
                )
            raise _wrong(f"{path}.on[{number}]", problem)
        for earlier, others in self._changes:
            both = set(on) & set(others)
            if both and not set(others) <= set(on):
                raise _wrong(
                    f"{path}.on",
                    f"has {_listed(sorted(both))} without {_listed(sorted(set(others) - both))}, which "
                    f"{earlier} changes together: name all of them or none",
                )
        self._changes.append((path, on))
        if isinstance(one, Factor):
            self._check_factor(one, path)

    def _check_factor(self, one: Factor, path: str) -> None:
        if one.rate is not UNSET:
            for name, given in (("by", one.by), ("tiers", one.tiers)):
                if given is not UNSET:
                    raise _wrong(
                        f"{path}.{name}", "does not go with `rate`: keep `rate`, or `by` and `tiers`"
                    )
            return
        if one.by is UNSET or one.tiers is UNSET:
            missing = (
                "rate" if one.by is UNSET and one.tiers is UNSET else "by" if one.by is UNSET else "tiers"
            )
            raise _wrong(f"{path}.{missing}", "is missing: a factor has `rate`, or `by` and `tiers`")
        self._check_figure(one.by, f"{path}.by")
        self._check_starts(one.tiers, one.by, f"{path}.tiers")

    def _check_least(self, least: Least | UnsetType, path: str) -> None:
        if least is not UNSET:
            self._check_figure(least.figure, f"{path}.figure")
            self._check_bound(least.at, least.figure, f"{path}.at")

    def _unit(self, key: str) -> str | None:
        if key.startswith(SCORE):
            return COUNT if key.removeprefix(SCORE) in self._scores else None
        unit = self._figures.get(key)
        return unit if unit in UNITS else None

    def _check_figure(self, key: str, path: str) -> None:
        if self._unit(key) is None:
            if key.startswith(SCORE):
                raise _wrong(path, self._no_score(key.removeprefix(SCORE)))
            near = get_close_matches(key, [one for one in self._figures if self._unit(one)])
            there = f"the nearest are {_listed(near)}" if near else "docs/figures.md has all"
            raise _wrong(path, f"is {key[:64]!r}, which is not a figure to pay by; {there}")

    def _no_score(self, name: str) -> str:
        there = f"there are {_listed(self._scores)}" if self._scores else "the scheme has none"
        return f"is {name[:64]!r}, which is not the id of a component of kind score; {there}"

    def _check_unit(self, key: str, path: str, units: Sequence[str], wanted: str) -> None:
        self._check_figure(key, path)
        unit = self._unit(key)
        if unit not in units:
            raise _wrong(path, f"is {key!r}, a figure of the unit {unit}: name one that {wanted}")

    def _check_starts(
        self, rows: Sequence[_Starts], figure: str, path: str, *, falling: bool = False
    ) -> None:
        beyond: Callable[[Fraction, Fraction], bool] = Fraction.__lt__ if falling else Fraction.__gt__
        for number, row in enumerate(rows):
            self._check_bound(row.start, figure, f"{path}[{number}].from")
            if number and not beyond(row.start, rows[number - 1].start):
                order = "less" if falling else "more"
                raise _wrong(
                    f"{path}[{number}].from",
                    f"is {row.start.written}, not {order} than the {rows[number - 1].start.written} before "
                    f"it: {'the easiest band is the first' if falling else 'write them in ascending order'}",
                )

    def _check_bound(self, bound: Bound, figure: str, path: str) -> None:
        written, unit = bound.written, self._unit(figure)
        if unit == RATE and not str(written).endswith("%"):
            raise _wrong(path, f'is {written!r}, and {figure} is a rate: write a percentage, such as "35%"')
        if unit == RATIO and str(written).endswith("%"):
            raise _wrong(path, f'is {written!r}, and {figure} is a ratio: write a number, such as "1.75"')
        if unit in (MONEY, COUNT, SECONDS) and not isinstance(written, int):
            of = {MONEY: "money: write minor units", COUNT: "a number of things: write it"}.get(
                unit, "a time: write milliseconds"
            )
            raise _wrong(path, f"is {written!r}, and {figure} is {of} as an integer")


def _percent(share: Fraction) -> str:
    return f"{(Decimal(share.numerator * 100) / share.denominator).normalize():f}%"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
