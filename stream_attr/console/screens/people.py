"""People: accounts, their roles and shops, and who is logged in; an administrator adds and changes them."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from stream_attr.console.account_changes import AccountChanges, duties_of, shops_in_words
from stream_attr.console.accounts import Account, AccountError, Accounts
from stream_attr.console.links import to
from stream_attr.console.roles import Role
from stream_attr.console.screens.screen import Screen, shop_page
from stream_attr.console.sessions import Sessions, Way
from stream_attr.console.visit import Visit, not_found
from stream_attr.ledger.texts import Text
from stream_attr.rules.shop.settings import DEFAULT_TIMEZONE

__all__ = ["ACCOUNT", "SCREEN"]

TITLE: Final = Text("People", "人员")
_ACCOUNT: Final = Text("Account", "账号")
_SEEING: Final = frozenset({Role.ADMIN, Role.AUDITOR})
_CHANGING: Final = frozenset({Role.ADMIN})
_WAYS: Final = {
    Way.PASSWORD: Text("password", "密码"),
    Way.OIDC: Text("company account", "公司账号"),
    Way.PROXY: Text("proxy", "代理"),
}
_DIGITS: Final = 18
"""Of the number of a session."""


class Typed(NamedTuple):
    """What stands in a form."""

    login: str = ""
    name: str = ""
    role: str = Role.AGENT
    shops: str = ""
    person: str = ""


def show(visit: Visit) -> Response:
    """Show who may log in, and who is logged in."""
    return _people(visit, Typed())


def _people(visit: Visit, typed: Typed, wrong: str = "") -> Response:
    accounts = Accounts(visit.connection).all()
    sessions = Sessions(visit.connection).all()
    return _page(
        visit,
        "people.html",
        TITLE,
        400 if wrong else 200,
        accounts=accounts,
        sessions=sessions,
        typed=typed,
        wrong=wrong,
    )


def add(visit: Visit) -> Response:
    """Add an account, and show its link."""
    form = visit.form
    typed = Typed(*(form.one(name) or "" for name in Typed._fields))
    changes = AccountChanges(visit.connection, visit.account.login)
    duties = duties_of(typed.shops.splitlines())
    try:
        secret = changes.add(typed.login, typed.name, _role(typed.role), duties, typed.person or None)
    except AccountError as error:
        return _people(visit, typed, error.text.of(visit.language))
    return _account(visit, Accounts(visit.connection).find(typed.login), secret=secret)


def show_account(visit: Visit) -> Response:
    """Show one account and its sessions."""
    return _account(visit, _asked(visit))


def _asked(visit: Visit) -> Account:
    """Return the account that is asked for. Raises HTTPException, 404, where there is none."""
    try:
        return Accounts(visit.connection).find(visit.asked.one("login") or "")
    except AccountError:
        raise not_found() from None


def _account(visit: Visit, one: Account, *, secret: str | None = None, wrong: str = "") -> Response:
    shops = "\n".join(shops_in_words(one))
    typed = Typed(one.login, one.name, one.role, shops, one.person_id or "")
    if wrong and visit.form.one("do") == "role":
        typed = typed._replace(role=visit.form.one("role") or "", shops=visit.form.one("shops") or "")
    return _page(
        visit,
        "account.html",
        _ACCOUNT,
        400 if wrong else 200,
        one=one,
        typed=typed,
        sessions=Sessions(visit.connection).all(one.login),
        link=None if secret is None else f"{visit.address.rstrip('/')}/link?token={secret}",
        is_own=one.login == visit.account.login,
        wrong=wrong,
    )


def change(visit: Visit) -> Response:
    """Change an account, end sessions of it, or make a link; where that cannot be, show it again with why."""
    one, form = _asked(visit), visit.form
    changes = AccountChanges(visit.connection, visit.account.login)
    try:
        match form.one("do"):
            case "role":
                shops = (form.one("shops") or "").splitlines()
                changes.set_role(one.login, _role(form.one("role")), duties_of(shops))
            case "person":
                changes.set_person(one.login, form.one("person"))
            case "block":
                changes.set_active(one.login, active=False)
            case "unblock":
                changes.set_active(one.login, active=True)
            case "end":
                changes.end_session(one.login, _session(form.one("session")))
            case "end_all":
                changes.end_sessions(one.login)
            case "link":
                return _account(visit, one, secret=changes.link(one.login))
            case other:
                raise HTTPException(400, f"do={other}: it is no change of an account")
    except AccountError as error:
        return _account(
            visit, Accounts(visit.connection).find(one.login), wrong=error.text.of(visit.language)
        )
    return RedirectResponse(to("/people/account", login=one.login), 303)


def _role(word: str | None) -> Role:
    """Return a role. Raises HTTPException, 400, for what is none."""
    if word not in list(Role):
        raise HTTPException(400, f"role={word}: it is none of {', '.join(Role)}")
    return Role(word)


def _session(text: str | None) -> int:
    """Return the number of a session. Raises HTTPException, 400, for what is none."""
    if text is None or not text.isascii() or not text.isdecimal() or len(text) > _DIGITS:
        raise HTTPException(400, f"session={text}: it is the number of a session")
    return int(text)


def _page(visit: Visit, template: str, title: Text, status_code: int, **values: Any) -> Response:
    with visit.reading():
        return shop_page(
            visit,
            template,
            title,
            status_code,
            shop_id=visit.shop(),
            ways=_WAYS,
            zone=DEFAULT_TIMEZONE,
            may_change=visit.account.role in _CHANGING,
            **values,
        )


SCREEN: Final = Screen("/people", TITLE, show, _SEEING, act=add, acting=_CHANGING)
ACCOUNT: Final = Screen(
    "/people/account", _ACCOUNT, show_account, _SEEING, in_menu=False, act=change, acting=_CHANGING
)
