"""A month's runs: drafted, checked, approved by another person, closed."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from stream_attr.console.links import to
from stream_attr.console.pay.scope import ACTING, LOOKING, PayScope, pay_scope, paying
from stream_attr.console.periods import month_of, today
from stream_attr.console.reading import as_owner
from stream_attr.console.roles import Role
from stream_attr.console.screens.exports import EXPORTS
from stream_attr.console.screens.pay.looks import (
    TITLE,
    asked_run,
    exported,
    linked,
    looked,
    reason_of,
    statement_address,
)
from stream_attr.console.screens.screen import Screen, shop_page
from stream_attr.console.visit import Visit, not_found
from stream_attr.errors import StreamAttrError, UnusableError
from stream_attr.ledger import audit
from stream_attr.ledger.acting import acting
from stream_attr.ledger.pay.comparison import comparison
from stream_attr.ledger.pay.drafts import draft
from stream_attr.ledger.pay.own_pay import paid_as
from stream_attr.ledger.pay.runs import Paid, Run, RunId, Runs, Summary, month_asked
from stream_attr.ledger.pay.schemes import Schemes
from stream_attr.ledger.pay.sheets import STATES, name_of, run_report
from stream_attr.ledger.reports.report import Money
from stream_attr.ledger.texts import Text
from stream_attr.rules.shop.days import day_name

__all__ = ["LIST", "RUN"]

_STEPS: Final = {
    "draft": ("check", Text("Say that it was checked", "确认已核对")),
    "checked": ("approve", Text("Approve", "批准")),
    "approved": ("close", Text("Close", "关账")),
}
"""By state the next step."""
_OF_ALL: Final = frozenset({"draft", "discard", "close"})
"""What payroll and administrators do alone; checking and approving is a manager's, too."""
CHECKING: Final = ACTING | {Role.MANAGER}


class Listed(NamedTuple):
    """A run in the list."""

    run: Summary
    total: Money
    link: str


class Own(NamedTuple):
    """A statement in an agent's list."""

    paid: Paid
    total: Money
    true_up: Money
    link: str


def show_list(visit: Visit) -> Response:
    """Show the runs that an account may see, or an agent's own closed statements."""
    return _list(visit)


def _list(visit: Visit, wrong: str = "", drafted: RunId | None = None) -> Response:
    with paying(visit) as scope:
        shop_id = visit.shop()
        if shop_id is None:
            return shop_page(visit, "no_shop.html", TITLE)
        now = today(visit.connection, shop_id)
        currencies = {
            (one.scheme.scheme_id, one.scheme.version): one.scheme.currency
            for one in Schemes(visit.connection).all()
        }
        values: dict[str, Any] = {"shop_id": shop_id, "month": day_name(now.day)[:7], "own": scope.own}
        if visit.account.role is Role.AGENT:
            looked(visit, "own statements")
            return shop_page(
                visit, "pay_own.html", TITLE, statements=_own(visit, scope, currencies), **values
            )
        looked(visit, "runs")
        found = [one for one in reversed(Runs(visit.connection).all()) if scope.sees(one.persons)]
        runs = [
            Listed(
                one,
                Money(one.total, currencies[one.id.scheme_id, one.version]),
                to("/pay/run", scheme=one.id.scheme_id, month=one.id.month),
            )
            for one in found
        ]
        last_month = day_name(month_of(month_of(now.day).first - 1).first)[:7]
        return shop_page(
            visit,
            "pay.html",
            TITLE,
            400 if wrong else 200,
            runs=runs,
            schemes=sorted({scheme for scheme, _ in currencies if scope.sees_scheme(scheme)}),
            drafted=drafted or RunId("", last_month),
            wrong=wrong,
            states=STATES,
            may_act=visit.account.role in ACTING,
            **values,
        )


def _own(visit: Visit, scope: PayScope, currencies: dict[tuple[str, int], str]) -> list[Own]:
    if scope.own is None:
        return []
    closed = [one for one in Runs(visit.connection).of_person(scope.own) if one.state == "closed"]
    found = []
    for one in closed:
        currency = currencies[one.run.scheme_id, one.version]
        link = statement_address(scope.own, one.run.month)
        found.append(Own(one, Money(one.total, currency), Money(one.true_up, currency), link))
    return found


def show_run(visit: Visit) -> Response:
    """Show a run: each person's components, what is not in it, and the persons beside each other."""
    return _run(visit)


def _run(visit: Visit, wrong: str = "") -> Response:
    with paying(visit) as scope:
        run = asked_run(visit, scope)
        what = "comparison" if visit.asked.one("what") == "comparison" else "run"
        report = (comparison if what == "comparison" else run_report)(visit.connection, run.id)
        if (file := exported(visit, report, run.id.month)) is not None:
            return file
        looked(visit, f"run {run.id.scheme_id} {run.id.month}")

        def statement_of(person: str) -> str:
            return statement_address(person, run.id.month)

        whole = run_report(visit.connection, run.id)
        beside = comparison(visit.connection, run.id)
        scheme = Schemes(visit.connection).version(run.id.scheme_id, run.version)
        left = run.basis.read.open
        return shop_page(
            visit,
            "pay_run.html",
            TITLE,
            400 if wrong else 200,
            shop_id=visit.shop(),
            run=run,
            state=STATES[run.state],
            scheme=scheme,
            report=whole,
            rows=linked(visit, whole, list(whole.rows), statement_of),
            totals=linked(visit, whole, list(whole.totals)),
            beside=beside,
            beside_rows=linked(visit, beside, list(beside.rows), statement_of),
            beside_totals=linked(visit, beside, list(beside.totals)),
            unshared=[(name_of(scheme, one), pot) for one, pot in run.basis.unshared.items()],
            wrong=wrong,
            step=_STEPS.get(run.state),
            may_step=_may(visit, _STEPS[run.state][0]) if run.state in _STEPS else False,
            is_own_draft=run.state == "checked" and _is_drafted_by(run, visit.account.login),
            paid_as=_paid_as(visit, run) if run.state == "checked" else None,
            is_open=bool(left.orders or left.agent_days),
            may_act=visit.account.role in ACTING and run.state != "closed",
            exports=list(EXPORTS),
        )


def _is_drafted_by(run: Run, login: str) -> bool:
    return run.signed[0][1].lower() == login.lower()


def _paid_as(visit: Visit, run: Run) -> str | None:
    """Return who of the run the account is; None: nobody."""
    with as_owner(visit.connection):
        who = acting(visit.connection, visit.account.login, is_account=True)
    return paid_as(visit.connection, run.id.scheme_id, run.id.first_day, who)


def _may(visit: Visit, step: str) -> bool:
    return visit.account.role in (ACTING if step in _OF_ALL else CHECKING)


def act(visit: Visit) -> Response:
    """Draft, check, approve, close or discard a run, and show it."""
    form = visit.form
    step = form.one("do") or ""
    scheme_id = form.one("scheme") or visit.asked.one("scheme")
    if scheme_id is None or step not in (*_OF_ALL, "check", "approve"):
        raise not_found()
    if not _may(visit, step):
        raise HTTPException(403, f"role {visit.account.role} cannot {step} a run")
    run = RunId(scheme_id, month_asked(form.one("month") or visit.asked.one("month") or ""))
    scope = pay_scope(visit.connection, visit.account)
    found = Runs(visit.connection).find(run)
    persons = [] if found is None else [one.person_id for one in found.basis.terms]
    if not scope.sees(persons) or not scope.sees_scheme(scheme_id) or (found is None and step != "draft"):
        raise not_found()
    try:
        _do(visit, found, run, step)
    except UnusableError as error:
        wrong = reason_of(visit, error)
        return _list(visit, wrong, run) if visit.asked.one("month") is None else _run(visit, wrong)
    where = to("/pay") if step == "discard" else to("/pay/run", scheme=scheme_id, month=run.month)
    return RedirectResponse(where, 303)


def _do(visit: Visit, found: Run | None, run: RunId, step: str) -> None:
    """Do a step, and have the audit say so. Raises UnusableError where it cannot be done."""
    connection, by = visit.connection, visit.account.login
    as_it_stands = visit.form.one("as_it_stands") is not None
    about = f"{run.scheme_id} {run.month}"
    if as_it_stands and found is not None:
        about += f" as it stands, {found.basis.read.open.orders:,} orders pending"
    if step == "draft":
        try:
            draft(connection, run, by, lambda: audit.note(connection, by, "draft pay run", None, about))
        except UnusableError:
            raise
        except StreamAttrError as error:
            raise UnusableError(str(error)) from error
        return
    with connection.transaction():
        if step == "discard":
            Runs(connection).discard(run)
        else:
            who = acting(connection, by, is_account=True)
            Runs(connection).step(run, step, who, as_it_stands=as_it_stands)
        audit.note(connection, by, f"{step} pay run", None, about)


LIST: Final = Screen("/pay", TITLE, show_list, LOOKING | {Role.AGENT})
RUN: Final = Screen("/pay/run", TITLE, show_run, LOOKING, in_menu=False, act=act, acting=CHECKING)
