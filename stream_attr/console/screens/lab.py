"""The lab: rule sets tried over a period of stored events, in the background."""

from __future__ import annotations

from typing import Final, NamedTuple

import orjson
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from stream_attr.console.changes.drafts import Drafts
from stream_attr.console.changes.history import held_on
from stream_attr.console.links import to
from stream_attr.console.pay.scope import LOOKING, PayScope, paying
from stream_attr.console.periods import chosen, month_of, today
from stream_attr.console.roles import CHANGES_RULES, WHOLE_SHOP
from stream_attr.console.screens.lab_trial import STATES, TITLE, live, trial_page
from stream_attr.console.screens.screen import Screen, shop_page
from stream_attr.console.shop_records import basis_of, history_of, settings_of
from stream_attr.console.texts import TEXTS
from stream_attr.console.visit import Asked, Visit, not_found
from stream_attr.contract.topics import SETTINGS
from stream_attr.errors import UnusableError
from stream_attr.lab.rule_sets import AS_IT_STOOD, RuleSet, bare_rules, preset, read_rules
from stream_attr.lab.trials import State, Trial, Trials
from stream_attr.ledger import audit
from stream_attr.ledger.pay.schemes import Schemes
from stream_attr.ledger.periods import Period, period, shop_zone
from stream_attr.ledger.texts import Text
from stream_attr.rules.shop.days import day_name
from stream_attr.rules.shop.settings import PRESETS
from stream_attr.rules.vocabulary import PRESET_NAMES
from stream_attr.wall_clock import wall_clock_ms

__all__ = ["SCREEN"]

_LISTED: Final = 50
_MOST_OPEN: Final = 5
"""Trials of a shop that wait or run at one time."""


class _Entered(NamedTuple):
    """What the form holds."""

    sets: tuple[str, ...]
    """The current rules and presets that are chosen."""
    name: str
    rules: str
    """A rule set of one's own, as it is written."""
    scheme: str = ""
    """By which pay is calculated; empty: none is."""


def show(visit: Visit) -> Response:
    """Show the form and the trials of a shop, or a trial."""
    with paying(visit) as scope:
        connection, shop_id = visit.connection, visit.shop()
        if shop_id is None:
            return shop_page(visit, "no_shop.html", TITLE)
        name = visit.asked.one("trial")
        if name is None:
            own = visit.asked.one("rules") or ""
            return _form(visit, scope, shop_id, _Entered((AS_IT_STOOD.name,), "", own), "")
        trials = Trials(connection)
        trial = trials.find(shop_id, name)
        if trial is None:
            raise not_found()
        return trial_page(visit, trial, trials.result(trial))


def act(visit: Visit) -> Response:
    """Begin a trial, cancel one, or prepare its rules as the shop's."""
    with paying(visit) as scope:
        shop_id = visit.shop()
        if shop_id is None:
            raise not_found()
        do, name = visit.form.one("do"), visit.form.one("trial")
        if do == "try":
            return _begin(visit, scope, shop_id)
        trial = None if name is None else Trials(visit.connection).find(shop_id, name)
        if trial is None:
            raise not_found()
    if do == "schedule":
        return _scheduled(visit, trial)
    if do != "cancel":
        raise HTTPException(400, f"do={do}: write try, cancel or schedule")
    if Trials(visit.connection).end(trial, State.CANCELLED):
        audit.note(visit.connection, visit.account.login, "cancel trial of rules", shop_id, trial.trial_id)
    return RedirectResponse(to("/lab", shop=shop_id), 303)


def _begin(visit: Visit, scope: PayScope, shop_id: str) -> Response:
    """Have a trial made once the page's snapshot is left, or say why it cannot be."""
    form, lab = visit.form, visit.lab
    entered = _Entered(
        form.all("set"), form.one("name") or "", form.one("rules") or "", form.one("scheme") or ""
    )
    if lab is None:
        return _form(visit, scope, shop_id, entered, TEXTS["lab_no_events"].of(visit.language), 400)
    if sum(one.is_open for one in Trials(visit.connection).latest(shop_id, _LISTED)) >= _MOST_OPEN:
        return _form(visit, scope, shop_id, entered, TEXTS["lab_many"].of(visit.language), 400)
    try:
        days = chosen(form, month_of(today(visit.connection, shop_id).day))
        rule_sets = _rule_sets(entered)
        lab.check(shop_id, rule_sets)
        scheme_id = _scheme(visit, scope, entered.scheme, days)
    except UnusableError as error:
        return _form(visit, scope, shop_id, entered, str(error), 400)

    def ask() -> None:
        about = f"{days.name} {', '.join(one.name for one in rule_sets)}"
        Trials(visit.connection).ask(shop_id, rule_sets, days, visit.account.login, scheme_id=scheme_id)
        audit.note(visit.connection, visit.account.login, "try rules", shop_id, about)
        lab.look()

    visit.after.append(ask)
    return RedirectResponse(to("/lab", shop=shop_id), 303)


def _scheduled(visit: Visit, trial: Trial) -> Response:
    """Prepare a rule set as the shop's settings from tomorrow on: a draft of a change of rules."""
    name = visit.form.one("set")
    rules = next((one.rules for one in trial.rule_sets if one.name == name), None)
    if rules is None:
        raise not_found()
    shop_id = trial.shop_id
    with visit.reading() as connection:
        history = history_of(connection, shop_id)
        basis = basis_of(SETTINGS, shop_id, None, settings_of(connection, shop_id))
        tomorrow = day_name(shop_zone(connection, shop_id).day_of(wall_clock_ms()) + 1)
    documents = [orjson.loads(one.value or b"") for one in history if one.topic == SETTINGS]
    held = held_on(documents, tomorrow) or {}
    kept = {field: value for field, value in held.items() if field not in bare_rules(held)}
    document = {**kept, **bare_rules(rules), "shop_id": shop_id, "effective_from": tomorrow}
    number = Drafts(visit.connection, shop_id).save(
        None, SETTINGS, document, held or None, basis, visit.account.login
    )
    return RedirectResponse(to("/rules/change", shop=shop_id, number=str(number)), 303)


def _rule_sets(entered: _Entered) -> list[RuleSet]:
    """Return what is to be judged by. Raises UnusableError."""
    found = [AS_IT_STOOD if one == AS_IT_STOOD.name else preset(one) for one in entered.sets]
    if entered.rules:
        found.append(read_rules(entered.rules.encode(), entered.name))
    return found


def _scheme(visit: Visit, scope: PayScope, asked: str, of: Period) -> str | None:
    """Return the scheme by which pay is calculated; None: none is. Raises UnusableError."""
    if not asked:
        return None
    if asked not in _schemes(visit, scope):
        raise UnusableError(f"there is no scheme {asked!r}: choose one of the list")
    month = day_name(of.first)[:7]
    if of != period(month, None):
        raise UnusableError(TEXTS["lab_month"].of(visit.language))
    Schemes(visit.connection).held(asked, month)
    return asked


def _schemes(visit: Visit, scope: PayScope) -> list[str]:
    """Return the schemes by which an account may have pay calculated."""
    if visit.account.role not in LOOKING:
        return []
    stored = {one.scheme.scheme_id for one in Schemes(visit.connection).all()}
    return sorted(one for one in stored if scope.sees_scheme(one))


def _form(
    visit: Visit, scope: PayScope, shop_id: str, entered: _Entered, wrong: str, status: int = 200
) -> Response:
    now = today(visit.connection, shop_id)
    asked: Asked = visit.form if visit.form.pairs else visit.asked
    last_month = now.whole_month
    try:
        days = chosen(asked, last_month)
    except UnusableError:
        days = last_month
    trials = Trials(visit.connection).latest(shop_id, _LISTED)
    stored = visit.lab is not None and shop_id in visit.lab.shops
    return shop_page(
        visit,
        "lab.html",
        TITLE,
        status,
        shop_id=shop_id,
        can_try=stored and visit.account.role in CHANGES_RULES,
        may_act=visit.account.role in CHANGES_RULES,
        is_stored=stored,
        current=AS_IT_STOOD.name,
        presets={one: Text(PRESET_NAMES[one].meaning, PRESET_NAMES[one].chinese) for one in PRESETS},
        entered=entered,
        schemes=_schemes(visit, scope),
        wrong=wrong,
        first=day_name(days.first),
        last=day_name(days.last),
        trials=trials,
        states=STATES,
        zone=now.zone.name,
        live=live(visit, trials),
        is_part=visit.is_part,
    )


SCREEN: Final = Screen("/lab", TITLE, show, WHOLE_SHOP, act=act, acting=CHANGES_RULES)
