"""Persons: who is paid by which scheme, from when to when; and who is not paid by any."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from starlette.responses import RedirectResponse, Response

from stream_attr.console.links import to
from stream_attr.console.pay.scope import ACTING, LOOKING, PayScope, pay_scope, paying
from stream_attr.console.periods import today
from stream_attr.console.screens.pay.looks import looked, reason_of
from stream_attr.console.screens.screen import Screen, shop_page
from stream_attr.console.visit import Visit
from stream_attr.errors import UnusableError
from stream_attr.ledger import audit
from stream_attr.ledger.pay.persons import Accounts, Paid, Persons
from stream_attr.ledger.pay.refused import Refused
from stream_attr.ledger.pay.schemes import Schemes
from stream_attr.ledger.texts import Text
from stream_attr.pay.employment import Employment
from stream_attr.rules.shop.days import day_name

__all__ = ["SCREEN"]

TITLE: Final = Text("Persons", "计薪人员")
_FIELDS: Final = ("person", "name", "scheme", "first_day", "last_day", "probation_until")
_NOT_YOURS: Final = Text(
    "{person} is no agent of your shops alone by the roster: publish it with `person_id` first",
    "按名册，{person} 不是只在您店铺的客服：请先在名册中写明 person_id",
)
_NO_SCHEME: Final = Text(
    "there is no scheme {scheme} of your shops: choose one of the list",
    "您的店铺没有方案 {scheme}：请从列表中选择",
)
_RECENT_DAYS: Final = 62
_IN_ROSTER: Final = (
    "SELECT DISTINCT ON (person_id) person_id, name FROM roster WHERE person_id IS NOT NULL"
    " ORDER BY person_id, effective_from DESC, source_partition DESC, source_offset DESC"
)
_NOBODYS: Final = (
    "SELECT DISTINCT shop_id, agent_id FROM agent_day WHERE day >= %s::date AND agent_id <> '*'"
    " AND (shop_id, agent_id) NOT IN (SELECT shop_id, agent_id FROM roster WHERE person_id IS NOT NULL)"
    " ORDER BY 1, 2"
)


class Listed(NamedTuple):
    """A person who is paid."""

    paid: Paid
    accounts: list[tuple[str, str, str]]
    """Shop, agent and from which day on."""


def show(visit: Visit) -> Response:
    """Show who is paid, whom no scheme pays, agents who are no one's, and the form that enters a person."""
    return _page(visit, None)


def _page(visit: Visit, typed: dict[str, str] | None, wrong: str = "") -> Response:
    with paying(visit) as scope:
        looked(visit, "persons")
        connection, shop_id = visit.connection, visit.shop()
        paid = Persons(connection).all()
        accounts = Accounts(connection, [one.person_id for one in paid])
        listed = [
            Listed(
                one,
                [(its.shop_id, its.agent_id, day_name(its.day)) for its in accounts.of(one.person_id)],
            )
            for one in paid
        ]
        there = {one.person_id for one in paid}
        known: dict[str, str | None] = dict(connection.execute(_IN_ROSTER).fetchall())
        without = {name: known[name] for name in known if name not in there and scope.sees([name])}
        nobodys: list[Any] = []
        if shop_id is not None:
            since = day_name(today(connection, shop_id).day - _RECENT_DAYS)
            nobodys = connection.execute(_NOBODYS, (since,)).fetchall()
        chosen = visit.asked.one("person") or ""
        own = next((one for one in paid if one.person_id == chosen), None)
        return shop_page(
            visit,
            "pay_persons.html",
            TITLE,
            400 if wrong else 200,
            shop_id=shop_id,
            listed=listed,
            without=without,
            nobodys=nobodys,
            schemes=_schemes(visit, scope),
            typed=typed or _of(own, chosen, known),
            wrong=wrong,
            may_act=visit.account.role in ACTING,
        )


def _schemes(visit: Visit, scope: PayScope) -> list[str]:
    names = {one.scheme.scheme_id for one in Schemes(visit.connection).all()}
    return sorted(name for name in names if scope.sees_scheme(name))


def _of(one: Paid | None, chosen: str, known: dict[str, str | None]) -> dict[str, str]:
    """Return what the form begins with."""
    if one is None:
        return {**dict.fromkeys(_FIELDS, ""), "person": chosen, "name": known.get(chosen) or ""}
    days = (one.employment.first_day, one.employment.last_day or "", one.employment.probation_until or "")
    return dict(zip(_FIELDS, (one.person_id, one.name or "", one.scheme_id, *days), strict=True))


def act(visit: Visit) -> Response:
    """Enter a person, in place of what is kept of the same one."""
    typed = {name: visit.form.one(name) or "" for name in _FIELDS}
    scope = pay_scope(visit.connection, visit.account)
    person, scheme_id = typed["person"], typed["scheme"]
    employment = Employment(typed["first_day"], typed["last_day"] or None, typed["probation_until"] or None)
    try:
        _check(scope, person, scheme_id)
        with visit.connection.transaction():
            Persons(visit.connection).put(
                Paid(person, typed["name"] or None, scheme_id, employment), visit.account.login
            )
            about = f"{person}: {scheme_id}, {' '.join(filter(None, employment))}"
            audit.note(visit.connection, visit.account.login, "set paid person", None, about)
    except UnusableError as error:
        return _page(visit, typed, reason_of(visit, error))
    return RedirectResponse(to("/pay/persons"), 303)


def _check(scope: PayScope, person: str, scheme_id: str) -> None:
    if not scope.sees([person]):
        raise Refused(_NOT_YOURS.filled(person=person))
    if not scope.sees_scheme(scheme_id):
        raise Refused(_NO_SCHEME.filled(scheme=scheme_id))


SCREEN: Final = Screen("/pay/persons", TITLE, show, LOOKING, in_menu=False, act=act, acting=ACTING)
