"""What no type can say of a pay scheme: each violation is one sentence with its path (docs/pay.md)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Final, assert_never

from iso4217 import Currency
from msgspec import UNSET, UnsetType

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
from stream_attr.pay.figures import COUNT, MONEY, RATIO, SCORE, Figures, listed, wrong
from stream_attr.pay.team import NET, SOLD
from stream_attr.rules.shop.days import day_number

SPLIT_MONEY: Final = frozenset({SOLD, NET})
"""Figures that a split divides by order."""
MODIFIERS: Final = (Factor, Cap, Floor)


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


def _check_head(scheme: PayScheme) -> None:
    _check_name(scheme.scheme_id, "scheme_id")
    try:
        day_number(scheme.effective_from)
    except ValueError:
        raise wrong(
            "effective_from",
            f"is not a date YYYY-MM-DD: {scheme.effective_from[:32]!r}; write the first of a month",
        ) from None
    if not scheme.effective_from.endswith("-01"):
        raise wrong(
            "effective_from",
            f"is {scheme.effective_from}, and pay is by the month: write the first of one, "
            f"{scheme.effective_from[:8]}01 or that of a later one",
        )
    if scheme.currency not in {one.value for one in Currency}:
        raise wrong("currency", "is not an ISO 4217 code (three capitals), such as CNY")


def _check_name(name: str, path: str) -> None:
    if not name or not set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-"):
        raise wrong(path, f"is {name[:64]!r}: write 1 to 64 of a-z 0-9 _ -")


class _Checker:
    """Checks the components of one scheme, in their order."""

    def __init__(self, scheme: PayScheme, figures: Mapping[str, str]) -> None:
        self._scheme = scheme
        self._scores = [one.id for one in scheme.components if isinstance(one, Score)]
        self._figures = Figures(figures, self._scores)
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
            raise wrong(
                f"{path}.id", f"is {component.id!r}, as that of {self._seen[component.id]}: choose another"
            )
        self._seen[component.id] = path
        match component:
            case Fixed():
                pass
            case Commission():
                self._check_commission(component, path)
            case PerUnit():
                self._figures.check_unit(
                    component.of, f"{path}.of", (COUNT,), "counts things, as sales.orders does"
                )
            case Steps():
                self._figures.check(component.of, f"{path}.of")
                self._figures.check_starts(component.steps, component.of, f"{path}.steps")
            case Score():
                self._check_score(component, path)
            case Ranking():
                self._check_ranking(component, path)
            case Pool():
                self._figures.check_unit(
                    component.of, f"{path}.of", (MONEY,), "is money, as sales.net_amount is"
                )
                self._figures.check_unit(
                    component.by, f"{path}.by", (MONEY, COUNT, RATIO), "adds up over persons"
                )
            case Split():
                if component.placing + component.payment != 1:
                    raise wrong(
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
            raise wrong(
                f"components[{splits[1][0]}].kind",
                "is a second split, and an order's money can be split once: keep "
                f"`{splits[0][1].id}` or this one",
            )
        fed = {one.of for one in self._scheme.components if isinstance(one, Commission)}
        if splits and not fed & SPLIT_MONEY:
            raise wrong(
                f"components[{splits[0][0]}].kind",
                f"is a split, which feeds a commission of {SOLD} or {NET}: add one, or leave the split out",
            )

    def check_warning(self, rule: LastRanked | LowScores, path: str) -> None:
        """Check a rule of whom the manager is notified of."""
        if isinstance(rule, LastRanked):
            self._figures.check(rule.by, f"{path}.by")
            return
        if rule.score not in self._scores:
            raise wrong(f"{path}.score", self._figures.no_score(rule.score))
        if rule.times > rule.months:
            raise wrong(
                f"{path}.times", f"is {rule.times}, which {rule.months} months cannot have: raise `months`"
            )

    def _check_commission(self, one: Commission, path: str) -> None:
        self._figures.check_unit(
            one.of, f"{path}.of", (MONEY,), "is money, as sales.net_amount is; for things there is per_unit"
        )
        if one.by is not UNSET and one.mode == "marginal":
            raise wrong(
                f"{path}.by",
                "picks one tier for all the money, so `mode` has to be whole; leave `by` out with marginal",
            )
        if one.by is not UNSET:
            self._figures.check(one.by, f"{path}.by")
        self._figures.check_starts(one.tiers, one.of if one.by is UNSET else one.by, f"{path}.tiers")
        self._check_least(one.least, f"{path}.least")

    def _check_score(self, one: Score, path: str) -> None:
        for number, item in enumerate(one.items):
            self._check_item(item, f"{path}.items[{number}]")
        whole = sum((item.weight for item in one.items), Fraction())
        if whole != 1:
            raise wrong(
                f"{path}.items", f"has weights that add up to {_percent(whole)}: they have to make 100%"
            )

    def _check_item(self, item: ScoreItem, path: str) -> None:
        if item.figure.startswith(SCORE):
            raise wrong(f"{path}.figure", "is a score, and a score is not made of scores: name a figure")
        self._figures.check(item.figure, f"{path}.figure")
        if not item.weight:
            raise wrong(f"{path}.weight", "is 0%: leave the item out, or give it a weight")
        self._figures.check_starts(item.bands, item.figure, f"{path}.bands", falling=item.less_is_better)
        for number, (one, harder) in enumerate(zip(item.bands, item.bands[1:], strict=False), 1):
            if harder.points <= one.points:
                raise wrong(
                    f"{path}.bands[{number}].points",
                    f"is {harder.points}, not more than the {one.points} of the band before, which is easier",
                )

    def _check_ranking(self, one: Ranking, path: str) -> None:
        self._figures.check(one.by, f"{path}.by")
        for number, (prize, after) in enumerate(zip(one.prizes, one.prizes[1:], strict=False), 1):
            if after > prize:
                raise wrong(
                    f"{path}.prizes[{number}]", f"is {after}, more than the {prize} of the place before it"
                )
        self._check_least(one.least, f"{path}.least")

    def _check_modifier(self, one: Factor | Cap | Floor, path: str) -> None:
        on = tuple(self._payable) if one.on is UNSET else one.on
        if not on:
            raise wrong(f"{path}.kind", "changes the components before it, and there are none: move it down")
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
                    f"which is not a component before this one; there are {listed(self._payable) or 'none'}"
                )
            raise wrong(f"{path}.on[{number}]", problem)
        for earlier, others in self._changes:
            both = set(on) & set(others)
            if both and not set(others) <= set(on):
                raise wrong(
                    f"{path}.on",
                    f"has {listed(sorted(both))} without {listed(sorted(set(others) - both))}, which "
                    f"{earlier} changes together: name all of them or none",
                )
        self._changes.append((path, on))
        if isinstance(one, Factor):
            self._check_factor(one, path)

    def _check_factor(self, one: Factor, path: str) -> None:
        if one.rate is not UNSET:
            for name, given in (("by", one.by), ("tiers", one.tiers)):
                if given is not UNSET:
                    raise wrong(f"{path}.{name}", "does not go with `rate`: keep `rate`, or `by` and `tiers`")
            return
        if one.by is UNSET or one.tiers is UNSET:
            missing = (
                "rate" if one.by is UNSET and one.tiers is UNSET else "by" if one.by is UNSET else "tiers"
            )
            raise wrong(f"{path}.{missing}", "is missing: a factor has `rate`, or `by` and `tiers`")
        self._figures.check(one.by, f"{path}.by")
        self._figures.check_starts(one.tiers, one.by, f"{path}.tiers")

    def _check_least(self, least: Least | UnsetType, path: str) -> None:
        if least is not UNSET:
            self._figures.check(least.figure, f"{path}.figure")
            self._figures.check_bound(least.at, least.figure, f"{path}.at")


def _percent(share: Fraction) -> str:
    return f"{(Decimal(share.numerator * 100) / share.denominator).normalize():f}%"
