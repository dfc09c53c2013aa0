"""What a scheme pays, worked out from the description of each kind by other means than the product's.

Takes the JSON of a scheme; numbers are fractions of integers; shares are found among all ways to share.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from itertools import combinations
from typing import Any

from stream_attr.pay.team import Order, Person, Team

Json = dict[str, Any]


def exact(written: Any) -> Fraction:
    """A number of a scheme."""
    if isinstance(written, str) and written.endswith("%"):
        return Fraction(Decimal(written[:-1])) / 100
    return Fraction(Decimal(written))


def half_up(amount: Fraction) -> int:
    """To whole fen, halves away from zero, in integers."""
    number, by = abs(amount.numerator), amount.denominator
    whole = (2 * number + by) // (2 * by)
    return whole if amount > 0 else -whole


def share_out(amount: int, weights: Mapping[Any, Fraction]) -> dict[Any, int]:
    """Of all sets of ids that could get a fen more, the one with the largest remainders and smallest ids."""
    whole = sum(weights.values())
    if whole == 0 or amount == 0:
        return dict.fromkeys(weights, 0)
    if amount < 0:
        return {name: -share for name, share in share_out(-amount, weights).items()}
    quotas = {name: Fraction(amount) * weight / whole for name, weight in weights.items()}
    least = {name: quota.numerator // quota.denominator for name, quota in quotas.items()}
    rest = {name: quotas[name] - least[name] for name in weights}
    left = amount - sum(least.values())
    best = min(
        combinations(sorted(weights), left), key=lambda names: (-sum(rest[name] for name in names), names)
    )
    return {name: least[name] + (name in best) for name in weights}


class Payroll:
    """A scheme's document and a team."""

    def __init__(self, scheme: Json, team: Team) -> None:
        self.scheme = scheme
        self.team = team
        self.components: list[Json] = scheme["components"]
        self.split = next((one for one in self.components if one["kind"] == "split"), None)

    # Orders

    def money(self, order: Order, key: str) -> int:
        """What the month has of an order."""
        of_month = order.paid_day.startswith(self.team.month)
        if key == "sales.orders":
            return 1 if of_month else 0
        money = order.amount if of_month else 0
        if key == "sales.net_amount":
            for day, amount in order.refunds:
                own = (
                    of_month
                    if self.scheme["refund_basis"] == "sale_month"
                    else day.startswith(self.team.month)
                )
                money -= amount if own else 0
        return money

    def parts(self, order: Order, key: str) -> dict[str | None, int]:
        """Who has which part of an order's money; None: nobody."""
        money = self.money(order, key)
        if self.split is None or order.is_ruled:
            return {order.credited: money}
        placing = order.placing if order.placing is not None else order.credited
        payment = order.payment if order.payment is not None else order.credited
        if placing == payment:
            return {placing: money}
        named = {"" if placing is None else placing: exact(self.split["placing"])}
        named["" if payment is None else payment] = exact(self.split["payment"])
        return {name or None: part for name, part in share_out(money, named).items()}

    def bases(self, key: str, person: Person, *, is_split: bool = False) -> dict[tuple[str, str], int]:
        """What each order adds to a figure of a person."""
        found = {}
        for order in self.team.orders or ():
            parts = self.parts(order, key) if is_split else {order.credited: self.money(order, key)}
            if parts.get(person.person_id):
                found[order.shop_id, order.order_id] = parts[person.person_id]
        return found

    # Figures

    def figure(self, key: str, person: Person, *, is_split: bool = False) -> Fraction | None:
        """A person's figure."""
        if key.startswith("score."):
            [one] = [one for one in self.components if f"score.{one['id']}" == key]
            return self.points(one, person)
        if self.team.orders is not None and key in ("sales.amount", "sales.net_amount", "sales.orders"):
            return Fraction(sum(self.bases(key, person, is_split=is_split).values()))
        value = person.figures[key]
        return None if value is None else Fraction(value)

    def points(self, score: Json, person: Person) -> Fraction | None:
        """The score of a person."""
        sums, weights = Fraction(), Fraction()
        for item in score["items"]:
            value = self.figure(item["figure"], person)
            if value is None:
                continue
            weights += exact(item["weight"])
            met = [0]
            for band in item["bands"]:
                bound = exact(band["from"])
                fits = value <= bound if item.get("less_is_better") else max(value, Fraction()) >= bound
                met += [band["points"]] if fits else []
            sums += exact(item["weight"]) * max(met)
        return sums / weights if weights else None

    def has_least(self, component: Json, person: Person) -> bool:
        """Whether what has to be reached is."""
        if "least" not in component:
            return True
        value = self.figure(component["least"]["figure"], person)
        return value is not None and value >= exact(component["least"]["at"])

    # Components

    def pays(self) -> dict[str, dict[str, int]]:
        """Amounts by component and person."""
        found: dict[str, dict[str, int]] = {}
        for one in self.components:
            if one["kind"] == "ranking":
                found[one["id"]] = self.ranking(one)
            elif one["kind"] == "pool":
                found[one["id"]] = self.pool(one)
            elif one["kind"] != "split":
                found[one["id"]] = {
                    person.person_id: half_up(self.exact_of(one, person, found))
                    for person in self.team.persons
                }
        return found

    def exact_of(self, one: Json, person: Person, found: Mapping[str, Mapping[str, int]]) -> Fraction:
        """What a component pays a person, before rounding."""
        if one["kind"] in ("factor", "cap", "floor"):
            return self.change(one, person, found)
        pay = getattr(self, f"_{one['kind']}")(one, person)
        if "probation" in one and person.employed_days:
            usual = person.employed_days - person.probation_days
            pay = pay * (usual + person.probation_days * exact(one["probation"])) / person.employed_days
        return Fraction(pay)

    def _fixed(self, one: Json, person: Person) -> Fraction:
        if "prorate" in one:
            return Fraction(one["amount"] * person.employed_days, self.team.days)
        return Fraction(one["amount"] if person.employed_days else 0)

    def _commission(self, one: Json, person: Person) -> Fraction:
        money = self.figure(one["of"], person, is_split=self.split is not None)
        if money is None or not self.has_least(one, person):
            return Fraction()
        tiers = [(exact(tier["from"]), exact(tier["rate"])) for tier in one["tiers"]]
        if one["mode"] == "marginal":
            # Each tier adds what its rate has over the one before, on all above its beginning.
            pay = money * tiers[0][1] if money < 0 and tiers[0][0] == 0 else Fraction()
            before = Fraction()
            for start, rate in tiers:
                pay += (rate - before) * max(money - start, Fraction())
                before = rate
            return pay
        value = self.figure(one["by"], person) if "by" in one else money
        if value is None:
            return Fraction()
        rates = [rate for start, rate in tiers if max(value, Fraction()) >= start]
        return money * rates[-1] if rates else Fraction()

    def _per_unit(self, one: Json, person: Person) -> Fraction:
        number = self.figure(one["of"], person)
        return Fraction() if number is None else number * one["amount"]

    def _steps(self, one: Json, person: Person) -> Fraction:
        value = self.figure(one["of"], person)
        if value is None:
            return Fraction()
        met = [step["amount"] for step in one["steps"] if max(value, Fraction()) >= exact(step["from"])]
        return Fraction(met[-1] if met else 0)

    def _score(self, one: Json, person: Person) -> Fraction:
        points = self.points(one, person)
        return Fraction() if points is None else one["amount"] * points / 100

    def change(self, one: Json, person: Person, found: Mapping[str, Mapping[str, int]]) -> Fraction:
        """What a factor, cap or floor adds to all that is there of its components by now."""
        on = self.on(one)
        before = 0
        for other in self.components[: self.components.index(one)]:
            if other["id"] not in found:
                continue
            touches = bool(
                on & (self.on(other) if other["kind"] in ("factor", "cap", "floor") else {other["id"]})
            )
            before += found[other["id"]][person.person_id] if touches else 0
        if one["kind"] == "cap":
            return Fraction(min(before, one["amount"]) - before)
        if one["kind"] == "floor":
            if not person.employed_days:
                return Fraction()
            days = Fraction(person.employed_days, self.team.days) if "prorate" in one else Fraction(1)
            return max(Fraction(before), one["amount"] * days) - before
        rate = exact(one["rate"]) if "rate" in one else Fraction(1)
        if "tiers" in one:
            value = self.figure(one["by"], person)
            for tier in one["tiers"]:
                if value is not None and max(value, Fraction()) >= exact(tier["from"]):
                    rate = exact(tier["rate"])
        return before * rate - before

    def on(self, one: Json) -> set[str]:
        """Ids of the components that a factor, cap or floor is on."""
        before = self.components[: self.components.index(one)]
        paying = {other["id"] for other in before if other["kind"] not in ("split", "factor", "cap", "floor")}
        return set(one.get("on", paying))

    def ranked(self, one: Json) -> dict[str, Fraction]:
        """Values of those who are ranked, the greater the better."""
        found = {}
        for person in self.team.persons:
            value = self.figure(one["by"], person)
            if value is not None and person.employed_days and self.has_least(one, person):
                found[person.person_id] = -value if one.get("less_is_better") else value
        return found

    def ranking(self, one: Json) -> dict[str, int]:
        """Prizes of all."""
        values = self.ranked(one)
        found = {person.person_id: 0 for person in self.team.persons}
        for name, value in values.items():
            better = sum(other > value for other in values.values())
            alike = {other: Fraction(1) for other in values if values[other] == value}
            prizes = sum(one["prizes"][better : better + len(alike)])
            found[name] = share_out(prizes, alike)[name]
        return found

    def pool(self, one: Json) -> dict[str, int]:
        """Shares of all."""
        if one["of"] in self.team.figures:
            money = Fraction(self.team.figures[one["of"]] or 0)
        else:
            money = sum(
                (self.figure(one["of"], person) or Fraction() for person in self.team.persons), Fraction()
            )
        pot = half_up(max(money, Fraction()) * exact(one["rate"]))
        weights = {
            person.person_id: max(self.figure(one["by"], person) or Fraction(), Fraction())
            for person in self.team.persons
        }
        return share_out(pot, weights)
