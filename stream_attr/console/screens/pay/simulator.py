"""What would be with another figure, an order more, another scheme; and what a month pays so far."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from starlette.responses import Response

from stream_attr.console.pay.scope import LOOKING, PayScope, of_whole_team, paying
from stream_attr.console.periods import today
from stream_attr.console.roles import Role
from stream_attr.console.screens.exports import EXPORTS
from stream_attr.console.screens.pay.looks import exported, linked, looked
from stream_attr.console.screens.screen import Screen, shop_page
from stream_attr.console.visit import Visit, not_found
from stream_attr.contract.records.pay_scheme import PayScheme
from stream_attr.errors import StreamAttrError, UnusableError
from stream_attr.ledger.formulas import Kind
from stream_attr.ledger.pay.facts import keys_of
from stream_attr.ledger.pay.persons import Paid, Persons
from stream_attr.ledger.pay.runs import Runs, month_asked
from stream_attr.ledger.pay.schemes import Schemes
from stream_attr.ledger.pay.sheets import name_of
from stream_attr.ledger.pay.simulator import WhatIf, simulation
from stream_attr.ledger.pay.so_far import pay_so_far
from stream_attr.ledger.pay.words import Words, kind_of
from stream_attr.ledger.reports.report import Report
from stream_attr.ledger.texts import Text
from stream_attr.pay.figures import SCORE
from stream_attr.rules.shop.days import day_name

__all__ = ["SIMULATOR", "SO_FAR"]

TITLE: Final = Text("What would I earn if …", "薪酬试算")
SO_FAR_TITLE: Final = Text("Pay so far", "本月至今薪酬")
_FIGURE: Final = "figure:"
"""Begins the name of a field that has a figure's value."""
_WRITTEN: Final = {
    Kind.MONEY: "pay_unit_money",
    Kind.COUNT: "pay_unit_count",
    Kind.RATE: "pay_unit_rate",
    Kind.RATIO: "pay_unit_ratio",
    Kind.SECONDS: "pay_unit_seconds",
}
"""By kind of a figure the text that says how a value is written."""


class Field(NamedTuple):
    """A figure that can be assumed."""

    name: str
    text: Text
    written: str
    """The key of the text that says how it is written."""
    value: str


class Asked(NamedTuple):
    """Whose month is asked for."""

    shop_id: str | None
    person: Paid | None
    """None: nobody is paid whom the account may see, or nobody was chosen."""
    month: str
    persons: list[Paid]


def _asked(visit: Visit, scope: PayScope) -> Asked:
    """Return whose month is asked for: of an agent its own, else the first there is."""
    shop_id = visit.shop()
    paid = Persons(visit.connection).all()
    chosen = visit.asked.one("person") or scope.own
    if chosen is None and paid and visit.account.role is not Role.AGENT:
        chosen = paid[0].person_id
    found = next((one for one in paid if one.person_id == chosen), None)
    if found is None and visit.asked.one("person") is not None:
        raise not_found()
    month = visit.asked.one("month")
    if month is None:
        month = day_name(today(visit.connection, shop_id).day)[:7] if shop_id is not None else "1970-01"
    return Asked(shop_id, found, month_asked(month), paid)


def show_simulator(visit: Visit) -> Response:
    """Show a person's lines as they are, as they would be, and what the next tier needs."""
    with paying(visit) as scope:
        asked = _asked(visit, scope)
        if asked.person is None:
            return _nobody(visit, asked, TITLE)
        person = asked.person.person_id
        looked(visit, f"what would be of {person} {asked.month}")
        scheme, other, wrong, report = None, None, "", None
        try:
            scheme = Schemes(visit.connection).held(asked.person.scheme_id, asked.month)
            other = _other(visit, scope)
            orders = tuple((visit.asked.one("orders") or "").replace("，", " ").split())
            figures = {
                name.removeprefix(_FIGURE): text.strip()
                for name, text in visit.asked.pairs
                if name.startswith(_FIGURE) and text.strip()
            }
            with of_whole_team(visit.connection):
                report = simulation(visit.connection, WhatIf(person, asked.month, figures, orders, other))
            if (file := exported(visit, report, asked.month)) is not None:
                return file
        except StreamAttrError as error:
            wrong = str(error).removeprefix("--figure ").removeprefix("--order: ")
        return _page(
            visit,
            asked,
            TITLE,
            "pay_simulator.html",
            report,
            wrong,
            fields=[] if scheme is None else _fields(visit, other or scheme),
            orders=visit.asked.one("orders") or "",
            schemes=_schemes(visit, scope),
            other="" if other is None else f"{other.scheme_id} {other.version}",
            is_own=visit.account.role is Role.AGENT,
        )


def _other(visit: Visit, scope: PayScope) -> PayScheme | None:
    """Return the other scheme that is asked for. Raises UnusableError where there is none."""
    asked = visit.asked.one("other")
    if asked is None:
        return None
    name, _, number = asked.partition(" ")
    for one in Schemes(visit.connection).all(name):
        if str(one.scheme.version) == number and scope.sees_scheme(name):
            return one.scheme
    raise UnusableError(f"there is no scheme {asked!r}: choose one of the list")


def _schemes(visit: Visit, scope: PayScope) -> list[str]:
    stored = (one.scheme for one in Schemes(visit.connection).all())
    return [f"{one.scheme_id} {one.version}" for one in stored if scope.sees_scheme(one.scheme_id)]


def _fields(visit: Visit, scheme: PayScheme) -> list[Field]:
    """Return the figures that a scheme pays by and a person has."""
    words = Words(scheme.currency, {one.id: name_of(scheme, one.id) for one in scheme.components})
    keys = sorted(key for key in keys_of(scheme) if not key.startswith((SCORE, "silent.")))
    return [
        Field(
            f"{_FIGURE}{key}",
            words.figure(key),
            _WRITTEN[kind_of(key)],
            visit.asked.one(f"{_FIGURE}{key}") or "",
        )
        for key in keys
    ]


def show_so_far(visit: Visit) -> Response:
    """Show what a person's month pays so far: for sure, and with all that is pending."""
    with paying(visit) as scope:
        asked = _asked(visit, scope)
        if asked.person is None:
            return _nobody(visit, asked, SO_FAR_TITLE)
        looked(visit, f"pay so far of {asked.person.person_id} {asked.month}")
        wrong, report = "", None
        try:
            with of_whole_team(visit.connection):
                report = pay_so_far(visit.connection, asked.person.person_id, asked.month)
            if (file := exported(visit, report, asked.month)) is not None:
                return file
        except StreamAttrError as error:
            wrong = str(error)
        closed = any(
            one.state == "closed" and one.run.month == asked.month
            for one in Runs(visit.connection).of_person(asked.person.person_id)
        )
        template = "pay_so_far_part.html" if visit.asked.one("inline") else "pay_so_far.html"
        return _page(visit, asked, SO_FAR_TITLE, template, report, wrong, is_closed=closed)


def _nobody(visit: Visit, asked: Asked, title: Text) -> Response:
    return shop_page(visit, "pay_nobody.html", title, shop_id=asked.shop_id)


def _page(
    visit: Visit, asked: Asked, title: Text, template: str, report: Report | None, wrong: str, **more: Any
) -> Response:
    return shop_page(
        visit,
        template,
        title,
        400 if wrong else 200,
        shop_id=asked.shop_id,
        asked=asked,
        person=asked.person,
        month=asked.month,
        persons=asked.persons if visit.account.role in LOOKING else [],
        report=report,
        rows=[] if report is None else linked(visit, report, list(report.rows)),
        totals=[] if report is None else linked(visit, report, list(report.totals)),
        wrong=wrong,
        exports=list(EXPORTS),
        **more,
    )


_ROLES: Final = LOOKING | {Role.AGENT}
SIMULATOR: Final = Screen("/pay/simulator", TITLE, show_simulator, _ROLES, in_menu=False)
SO_FAR: Final = Screen("/pay/so-far", SO_FAR_TITLE, show_so_far, _ROLES, in_menu=False)
