"""What a report is asked for on its screen: the query string as options, and the choices of its form."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, NamedTuple

from starlette.exceptions import HTTPException

from stream_attr.console.visit import Asked
from stream_attr.ledger.by import BY, TIMES, WHO
from stream_attr.ledger.reports import losses, receptions, signals
from stream_attr.ledger.reports.orders import BASKETS, BEHIND
from stream_attr.ledger.reports.scope import Member
from stream_attr.ledger.texts import Text
from stream_attr.rules.vocabulary import BASES, NOTICES, OUTCOMES, REASONS, STATUSES, Vocabulary

__all__ = ["BEHIND_NAMES", "KINDS", "WORDS", "Choice", "choices", "known", "options_of"]

WORDS: Final[Mapping[str, Vocabulary]] = {
    "status": STATUSES,
    "outcome": OUTCOMES,
    "basis": BASES,
    "reason": REASONS,
    "notice": NOTICES,
}
KINDS: Final[Mapping[str, Mapping[str, Text]]] = {
    "losses": losses.KINDS,
    "receptions": receptions.KINDS,
    "signals": dict(signals.SIGNALS),
}
BEHIND_NAMES: Final[Mapping[str, Text]] = {
    "sales": Text("sales", "销售"),
    "silent": Text("silent sales", "静默销售"),
    "placed": Text("orders with a placing agent", "有落实下单客服的订单"),
    "paid": Text("paid orders with a payment agent", "有落实付款客服的已付款订单"),
    "refunds": Text("refunds of these days", "这些日期内的退款"),
}
assert set(BEHIND_NAMES) == set(BEHIND)
_AGENT: Final = Text("agent", "客服")
_PRODUCT: Final = Text("product alone", "仅含商品")
_BASKET: Final = Text("products", "商品数")
_BY: Final = Text("rows by", "每行按")
_BY_TIME: Final = Text("and by", "时间按")
_KIND: Final = Text("kind", "类型")
_WEEKDAY: Final = Text("weekday", "星期")
_HOUR: Final = Text("hour", "时段")
_BY_NAMES: Final = {
    "agent": _AGENT,
    "person": Text("person", "人员"),
    "group": Text("group", "分组"),
    "month": Text("month", "月份"),
    "week": Text("week", "周"),
    "day": Text("day", "日期"),
    "hour": _HOUR,
}
"""All of `BY` but for the shop, which a screen is of."""
assert set(_BY_NAMES) == set(BY) - {"shop"}


class Choice(NamedTuple):
    """A filter with the values that it can have, of which any number is chosen."""

    name: str
    """In the query string."""
    title: Text
    values: tuple[tuple[str, Text], ...]
    chosen: tuple[str, ...]
    is_single: bool = False
    """Whether one of them at most can be chosen."""

    @property
    def chosen_names(self) -> list[Text]:
        """Return what is chosen, as people read it."""
        names = dict(self.values)
        return [names.get(one, Text(one, one)) for one in self.chosen]


def choices(name: str, asked: Asked, agents: Iterable[Member], *, takes_by: bool) -> list[Choice]:
    """Return the filters of a report's form."""
    people = {one.agent_id: _name_of(one) for one in sorted(agents, key=lambda one: one.agent_id)}
    found = []
    if people:
        people |= {one: Text(one, one) for one in asked.all("agent") if one not in people}  # by name
        found.append(Choice("agent", _AGENT, tuple(people.items()), asked.all("agent")))
    if takes_by:
        without = () if name in ("sales", "pending") else ("hour",)
        for what, keys, is_single in ((_BY, WHO, True), (_BY_TIME, TIMES, False)):
            names = tuple((one, _BY_NAMES[one]) for one in keys if one in _BY_NAMES and one not in without)
            chosen = tuple(one for one in asked.all("by") if one in keys)
            found.append(Choice("by", what, names, chosen, is_single))
    if name == "orders":
        for key, words in WORDS.items():
            rows = tuple((word, Text(word.replace("_", " "), row.chinese)) for word, row in words.items())
            title = Text(words.title, words.chinese)
            found.append(Choice(key, title, rows, asked.all(key)))
        if products := asked.all("product"):
            found.append(
                Choice("product", _PRODUCT, tuple((one, Text(one, one)) for one in products), products)
            )
        baskets = tuple((key, text) for key, (text, _) in BASKETS.items())
        found.append(Choice("basket", _BASKET, baskets, asked.all("basket")))
    if name in KINDS:
        found.append(Choice("kind", _KIND, tuple(KINDS[name].items()), asked.all("kind")))
    if name == "receptions":
        hours = tuple((one, Text(one, one)) for one in receptions.HOURS)
        for key, title, values in (
            ("weekday", _WEEKDAY, tuple(receptions.WEEKDAYS.items())),
            ("hour", _HOUR, hours),
        ):
            found.append(Choice(key, title, values, asked.all(key)))
    return found


def options_of(name: str, asked: Asked, *, takes_by: bool) -> dict[str, Any]:
    """Return what the query string asks a report for, beside shop and days. Raises HTTPException, 400."""
    found: dict[str, Any] = {
        "agents": asked.all("agent"),
        "groups": asked.all("group"),
        "persons": asked.all("person"),
    }
    if takes_by:
        found["by"] = known("by", asked.all("by"), BY)
    if name in KINDS:
        found["kinds"] = known("kind", asked.all("kind"), KINDS[name])
    if name == "receptions":
        found["weekdays"] = known("weekday", asked.all("weekday"), receptions.WEEKDAYS)
        found["hours"] = known("hour", asked.all("hour"), receptions.HOURS)
    if name == "orders":
        found.update(
            statuses=known("status", asked.all("status"), STATUSES),
            outcomes=known("outcome", asked.all("outcome"), OUTCOMES),
            bases=known("basis", asked.all("basis"), BASES),
            reasons=known("reason", asked.all("reason"), REASONS),
            notices=known("notice", asked.all("notice"), NOTICES),
            products=asked.all("product"),
            baskets=known("basket", asked.all("basket"), BASKETS),
            behind=(known("behind", asked.all("behind")[-1:], BEHIND) or (None,))[0],
        )
    if name in ("orders", "compare"):
        found["profile"] = asked.one("profile")
    if name == "agents":
        found["figures"] = tuple(
            text.strip() for one in asked.all("figures") for text in one.split(",") if text.strip()
        )
    return found


def known(name: str, values: tuple[str, ...], words: Collection[str]) -> tuple[str, ...]:
    """Return values that are all of some words. Raises HTTPException, 400."""
    for one in values:
        if one not in words:
            raise HTTPException(400, f"{name}={one}: write one of {', '.join(words)}")
    return values


def _name_of(one: Member) -> Text:
    text = one.agent_id if one.name is None else f"{one.agent_id} {one.name}"
    return Text(text, text)
