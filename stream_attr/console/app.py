"""The console as a web application: routes out of one table of screens, and the doors before them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote

import psycopg
from psycopg import Connection
from psycopg_pool import ConnectionPool, PoolTimeout
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from stream_attr.console.accounts import Account, Accounts
from stream_attr.console.doors import Attempts, Headers, OwnName, check_form, check_origin, form_of
from stream_attr.console.entrance import Entrance
from stream_attr.console.kept import Kept
from stream_attr.console.log_in import LogIn, local_path
from stream_attr.console.metrics import ConsoleMetrics, Measured
from stream_attr.console.oidc_log_in import OidcLogIn
from stream_attr.console.proxy import FromProxy, Network
from stream_attr.console.rendering import FOLDER, Page, render
from stream_attr.console.roles import Role
from stream_attr.console.screens import (
    agent,
    appeal,
    appeals,
    audit,
    buyer,
    figures,
    lab,
    order,
    people,
    reconcile,
    rule_change,
    rule_forms,
    rules,
    today,
)
from stream_attr.console.screens.pay import PAY_SCREENS
from stream_attr.console.screens.reports import REPORT_SCREENS
from stream_attr.console.screens.screen import Screen
from stream_attr.console.unpublished import publishing
from stream_attr.console.visit import LANGUAGE_COOKIE, Asked, Visit, language_of
from stream_attr.errors import UnusableError
from stream_attr.kafka.writer import TopicWriter
from stream_attr.lab.runner import Runner
from stream_attr.ledger.appeals.waiting import to_answer, unseen_answers
from stream_attr.ledger.texts import LANGUAGES

if TYPE_CHECKING:  # an extra
    from stream_attr.console.oidc import Provider

__all__ = ["OIDC_BACK", "SCREENS", "Settings", "application"]

SCREENS: Final[tuple[Screen, ...]] = (
    today.SCREEN,
    REPORT_SCREENS["agents"],
    agent.SCREEN,
    REPORT_SCREENS["orders"],
    *(screen for name, screen in REPORT_SCREENS.items() if name not in ("agents", "orders")),
    reconcile.SCREEN,
    appeals.SCREEN,
    *PAY_SCREENS,
    rules.SCREEN,
    lab.SCREEN,
    people.SCREEN,
    people.ACCOUNT,
    audit.SCREEN,
    rule_forms.SETTINGS_FORM,
    rule_forms.AGENT_FORM,
    rule_change.SCREEN,
    order.SCREEN,
    appeal.SCREEN,
    buyer.SCREEN,
    figures.SCREEN,
)
"""Every page; `screens.menu` has the order of the menu."""
OIDC_BACK: Final = "/oidc/callback"
"""Where a provider sends browsers back to."""
_READY_S: Final = 2.0
"""How long a probe waits for a connection."""


class Settings(NamedTuple):
    """How the console is reached."""

    secure: bool
    """Whether browsers reach it over HTTPS: then its cookie is theirs for that alone."""
    writer: TopicWriter | None = None
    """What records are published with; None: nothing can be published."""
    address: str = "http://127.0.0.1:8080"
    """In people's browsers."""
    proxies: tuple[Network, ...] = ()
    """Whose word counts on who asks."""
    login_header: str | None = None
    """In which they say as whom they have let somebody in."""
    provider: Provider | None = None
    """Where people can log in besides."""
    lab: Runner | None = None
    """What judges trials of rules; None: no events are stored."""


def application(
    pool: ConnectionPool[Connection[Any]], settings: Settings, metrics: ConsoleMetrics | None = None
) -> ASGIApp:
    """Return the application on the ledger of a pool, which must be open."""
    metrics = metrics or ConsoleMetrics()
    attempts = Attempts()
    entrance = Entrance(metrics, secure=settings.secure)
    doors = LogIn(pool, entrance, attempts, settings.provider, f"{settings.address.rstrip('/')}/login?out=1")
    by_provider = []
    if settings.provider is not None:
        oidc = OidcLogIn(pool, settings.provider, entrance, doors, attempts)
        by_provider = [Route("/oidc", oidc.begin), Route(OIDC_BACK, oidc.come_back)]

    def endpoint(screen: Screen) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            answering = partial(_answer, request, screen, pool, entrance, settings)
            if request.method != "POST":
                return await run_in_threadpool(answering, None)
            if screen.largest_file:  # of nobody who may not send it is a file read
                check_origin(request)
                refused = await run_in_threadpool(_may_send, request, screen, pool, entrance)
                if refused is not None:
                    return refused
            form = await form_of(request, screen.largest_file)
            try:
                return await run_in_threadpool(answering, form)
            finally:
                await form.close()

        return answer

    app = Starlette(
        routes=[
            *(
                Route(one.path, endpoint(one), methods=["GET"] if one.act is None else ["GET", "POST"])
                for one in (_HOME, *SCREENS)
            ),
            Route("/login", doors.log_in, methods=["GET", "POST"]),
            Route("/link", doors.link, methods=["GET", "POST"]),
            Route("/logout", doors.log_out, methods=["POST"]),
            *by_provider,
            Route("/language", lambda request: _language(request, secure=settings.secure)),
            Route("/health", _health),
            Route("/ready", lambda _: _ready(pool)),
            Mount("/static", StaticFiles(directory=FOLDER / "static")),
        ],
        exception_handlers={
            HTTPException: _refused,
            psycopg.OperationalError: _away,
            PoolTimeout: _away,
            Exception: _failed,
        },
        lifespan=lambda _: publishing(pool, settings.writer),
    )
    app.state.kept = Kept()
    # Around all, so that the page of an error has them, too.
    named = app if settings.secure else OwnName(app, settings.address)
    guarded = Headers(named, secure=settings.secure)
    measured = Measured(guarded, metrics, {one.path for one in app.routes if isinstance(one, Route)})
    return FromProxy(measured, settings.proxies, settings.login_header)


def _home(visit: Visit) -> Response:
    return RedirectResponse(visit.menu[0][0], 303)


_HOME: Final = Screen("/", today.SCREEN.title, _home, in_menu=False)


def _answer(
    request: Request,
    screen: Screen,
    pool: ConnectionPool[Connection[Any]],
    entrance: Entrance,
    settings: Settings,
    form: FormData | None,
) -> Response:
    """Answer a request of somebody who may see the screen; who is not logged in is led to the log-in.

    ``form``: what was sent; None: the page is asked for.
    """
    with pool.connection() as connection:
        visit = _visit(request, screen, connection, entrance, is_sent=form is not None)
        if not isinstance(visit, Visit):
            return visit
        answering = screen.show if form is None else screen.act
        assert answering is not None
        if form is not None:
            check_form(form.get("csrf_token"), visit.session.csrf_token)
            visit.form = Asked(tuple((key, one) for key, one in form.multi_items() if isinstance(one, str)))
            visit.file = next((one for one in form.values() if isinstance(one, UploadFile)), None)
        visit.writer, visit.lab, visit.address = settings.writer, settings.lab, settings.address
        try:
            answer = answering(visit)
        except UnusableError as error:
            raise HTTPException(400, str(error)) from error
        for write in visit.after:
            write()
        return answer


def _may_send(
    request: Request, screen: Screen, pool: ConnectionPool[Connection[Any]], entrance: Entrance
) -> Response | None:
    """Return what is answered before a form is read; None: it is to be read. Raises HTTPException, 404."""
    with pool.connection() as connection:
        visit = _visit(request, screen, connection, entrance, is_sent=True)
        return None if isinstance(visit, Visit) else visit


def _visit(
    request: Request, screen: Screen, connection: Connection[Any], entrance: Entrance, *, is_sent: bool
) -> Visit | Response:
    """Return the visit of somebody who may see the screen, or send it a form; else the way to the log-in.

    Raises HTTPException, 404, for whoever may not.
    """
    is_part = bool(request.query_params.get("part"))
    session = entrance.session(request, connection, is_used=not is_part)
    if session is None:
        if is_part:
            return Response(status_code=204, headers={"HX-Redirect": "/login"})
        whole = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/login?next={quote(whole, safe='')}", 303)
    account = Accounts(connection).find(session.login)
    if account.role not in (screen.acting if is_sent else screen.roles):
        raise HTTPException(404)
    menu = tuple((one.path, one.title) for one in SCREENS if one.in_menu and account.role in one.roles)
    waiting = {} if is_part else _waiting(connection, account)
    return Visit(request, connection, session, account, language_of(request), menu, waiting)


def _waiting(connection: Connection[Any], account: Account) -> dict[str, int]:
    """Return by shop how many appeals wait for an account."""
    if account.role is Role.REVIEWER:
        return to_answer(connection, {one.shop_id for one in account.duties})
    return unseen_answers(connection, account.login) if account.role is Role.AGENT else {}


def _language(request: Request, *, secure: bool) -> Response:
    """Choose a language, and go back to the page."""
    language = request.query_params.get("to")
    following = local_path(request.query_params.get("next"))
    answer = RedirectResponse(following, 303)
    if language in LANGUAGES:
        answer.set_cookie(
            LANGUAGE_COOKIE,
            language,
            max_age=365 * 24 * 3600,
            secure=secure,
            httponly=True,
            samesite="lax",
        )
    return answer


async def _health(_: Request) -> Response:
    return JSONResponse({"status": "ok"})


def _ready(pool: ConnectionPool[Connection[Any]]) -> Response:
    """Answer whether the ledger can be read."""
    try:
        with pool.connection(timeout=_READY_S) as connection:
            connection.execute("SELECT")
    except (psycopg.Error, PoolTimeout):
        return JSONResponse({"status": "waiting", "reason": "the database cannot be reached"}, 503)
    return JSONResponse({"status": "ready"})


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    page = Page(language_of(request), request.url.path, ())
    detail = "" if error.status_code == 404 else error.detail
    answer = render("error.html", page, error.status_code, status=error.status_code, detail=detail)
    answer.headers.update(error.headers or {})
    return answer


def _away(request: Request, error: Exception) -> Response:
    """Answer when the database is away, or has taken too long."""
    page = Page(language_of(request), request.url.path, ())
    took_too_long = isinstance(error, psycopg.errors.QueryCanceled)
    detail = page.t("took_too_long" if took_too_long else "away")
    return render("error.html", page, 503, status=503, detail=detail)


def _failed(request: Request, error: Exception) -> Response:
    """Answer when something went wrong here; what, the server logs."""
    del error
    page = Page(language_of(request), request.url.path, ())
    return render("error.html", page, 500, status=500, detail="")
