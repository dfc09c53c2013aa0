"""Schemes: their versions, what each pays in words, and the form that keeps the next one."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import orjson
from starlette.responses import RedirectResponse, Response

from stream_attr.console.links import to
from stream_attr.console.pay.scope import ACTING, LOOKING, PayScope, pay_scope, paying
from stream_attr.console.periods import month_of, today
from stream_attr.console.roles import Role
from stream_attr.console.screens.pay.looks import looked
from stream_attr.console.screens.screen import Screen, shop_page
from stream_attr.console.visit import Visit, not_found
from stream_attr.contract.records.pay_scheme import PayScheme
from stream_attr.errors import UnusableError
from stream_attr.ledger import audit
from stream_attr.ledger.pay.described import described, warnings_of
from stream_attr.ledger.pay.persons import Persons
from stream_attr.ledger.pay.presets import PRESETS
from stream_attr.ledger.pay.schemes import Schemes, Stored, read
from stream_attr.ledger.pay.sheets import refund_note
from stream_attr.ledger.texts import Text
from stream_attr.pay.reading import encode_scheme
from stream_attr.rules.shop.days import day_name

__all__ = ["EDIT", "LIST", "SCHEME"]

TITLE: Final = Text("Schemes", "薪酬方案")
_LARGEST_FILE: Final = 256 * 1024
EDITED: Final = Text("A scheme's next version", "编辑薪酬方案")


class Listed(NamedTuple):
    """A scheme in the list."""

    latest: PayScheme
    versions: list[Stored]
    persons: int


def show_list(visit: Visit) -> Response:
    """Show the schemes that an account may see, and the presets."""
    with paying(visit) as scope:
        looked(visit, "schemes")
        stored = Schemes(visit.connection).all()
        persons = Persons(visit.connection).all()
        versions: dict[str, list[Stored]] = {}
        for one in stored:
            if scope.sees_scheme(one.scheme.scheme_id):
                versions.setdefault(one.scheme.scheme_id, []).append(one)
        return shop_page(
            visit,
            "pay_schemes.html",
            TITLE,
            shop_id=visit.shop(),
            schemes=[
                Listed(some[-1].scheme, some, sum(one.scheme_id == name for one in persons))
                for name, some in versions.items()
            ],
            presets=list(PRESETS.values()),
            may_act=visit.account.role in ACTING,
        )


def show_scheme(visit: Visit) -> Response:
    """Show a version of a scheme in words; agents see what pays themselves."""
    with paying(visit) as scope:
        found, versions = _asked(visit, scope)
        looked(visit, f"scheme {found.scheme.scheme_id} {found.scheme.version}")
        return shop_page(
            visit,
            "pay_scheme.html",
            TITLE,
            shop_id=visit.shop(),
            stored=found,
            versions=versions,
            document=_document(found.scheme),
            sees_all=visit.account.role in LOOKING,
            may_act=visit.account.role in ACTING,
            **_in_words(found.scheme),
        )


def _in_words(scheme: PayScheme) -> dict[str, Any]:
    return {
        "scheme": scheme,
        "parts": described(scheme),
        "warnings": warnings_of(scheme),
        "refunds": refund_note(scheme).text,
    }


def _document(scheme: PayScheme) -> str:
    """Return a scheme as people edit it."""
    return orjson.dumps(orjson.loads(encode_scheme(scheme)), option=orjson.OPT_INDENT_2).decode()


def _asked(visit: Visit, scope: PayScope) -> tuple[Stored, list[Stored]]:
    """Return the version that is asked for, or the last one, and all versions."""
    name, number = visit.asked.one("scheme"), visit.asked.one("version")
    if name is None or not scope.sees_scheme(name):
        raise not_found()
    versions = Schemes(visit.connection).all(name)
    found = [one for one in versions if number is None or str(one.scheme.version) == number]
    if not found:
        raise not_found()
    return found[-1], versions


def show_form(visit: Visit) -> Response:
    """Show the form with the next version of a scheme, or with a preset."""
    with paying(visit) as scope:
        looked(visit, "scheme form")
        if visit.asked.one("scheme") is not None:
            found, versions = _asked(visit, scope)
            head = {"version": versions[-1].scheme.version + 1}
            document = {**orjson.loads(encode_scheme(found.scheme)), **head}
        else:
            preset = PRESETS.get(visit.asked.one("preset") or next(iter(PRESETS)))
            if preset is None:
                raise not_found()
            document = orjson.loads(preset.document)
        shop_id = visit.shop()
        if shop_id is not None:
            next_month = month_of(month_of(today(visit.connection, shop_id).day).last + 1)
            document["effective_from"] = day_name(next_month.first)
        text = orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()
        return _form(visit, shop_id, text)


def _form(
    visit: Visit, shop_id: str | None, text: str, wrong: str = "", scheme: PayScheme | None = None
) -> Response:
    return shop_page(
        visit,
        "pay_scheme_form.html",
        EDITED,
        400 if wrong else 200,
        shop_id=shop_id,
        text=text,
        wrong=wrong,
        presets=list(PRESETS.values()),
        checked=None if scheme is None else _in_words(scheme),
    )


def act(visit: Visit) -> Response:
    """Check a document, or keep it as a version: errors name the field, and what was written stays."""
    scope = pay_scope(visit.connection, visit.account)
    text, scheme, wrong = visit.form.one("document") or "", None, ""
    try:
        text = _uploaded(visit) or text
        scheme = read(text.encode())
        _refuse_anothers(visit, scope, scheme)
        if visit.form.one("do") == "put":
            with visit.connection.transaction():
                Schemes(visit.connection).put(scheme, visit.account.login)
                about = f"{scheme.scheme_id} {scheme.version}"
                audit.note(visit.connection, visit.account.login, "put scheme", None, about)
            return RedirectResponse(
                to("/pay/scheme", scheme=scheme.scheme_id, version=str(scheme.version)), 303
            )
    except UnusableError as error:
        wrong = str(error)
    with paying(visit):
        return _form(visit, visit.shop(), text, wrong, scheme)


def _uploaded(visit: Visit) -> str | None:
    """Return what a file holds; None: none was chosen. Raises UnusableError where it is not text."""
    if visit.file is None or not visit.file.filename:
        return None
    try:
        return visit.file.file.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnusableError(f"{visit.file.filename} is not text in UTF-8: save it as that") from None


def _refuse_anothers(visit: Visit, scope: PayScope, scheme: PayScheme) -> None:
    """Refuse a version of a scheme that pays persons whom the account may not see."""
    name = scheme.scheme_id
    if not scope.sees_scheme(name) and Schemes(visit.connection).all(name):
        raise UnusableError(f"`scheme_id` is {name}, which pays persons of other shops: choose another")


LIST: Final = Screen("/pay/schemes", TITLE, show_list, LOOKING, in_menu=False)
SCHEME: Final = Screen("/pay/scheme", TITLE, show_scheme, LOOKING | {Role.AGENT}, in_menu=False)
EDIT: Final = Screen(
    "/pay/edit",
    EDITED,
    show_form,
    ACTING,
    in_menu=False,
    act=act,
    acting=ACTING,
    largest_file=_LARGEST_FILE,
)
