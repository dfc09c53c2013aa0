"""The forms of a settings record and of a roster record: what is entered is checked, and kept as a draft."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import orjson
from starlette.responses import RedirectResponse, Response

from stream_attr.console.changes.checks import Refusal, refusals
from stream_attr.console.changes.drafts import Change, Drafts, State
from stream_attr.console.changes.fields import FormField, Kind, find, value_text
from stream_attr.console.changes.forms import document_of, texts_of
from stream_attr.console.changes.history import FIELDS, held_on
from stream_attr.console.links import to
from stream_attr.console.roles import CHANGES_RULES
from stream_attr.console.screens.screen import Screen, shop_page
from stream_attr.console.shop_records import basis_of, history_of, roster_of, settings_of
from stream_attr.console.visit import Visit, not_found
from stream_attr.contract.topics import ROSTER, SETTINGS
from stream_attr.explain.shop_rules import values_by_name
from stream_attr.ledger.periods import shop_zone
from stream_attr.ledger.texts import Text
from stream_attr.processor.ports import Record
from stream_attr.rules.shop.days import day_name
from stream_attr.rules.shop.settings import DEFAULT_SETTINGS, PRESETS
from stream_attr.rules.vocabulary import CODES, Role
from stream_attr.wall_clock import wall_clock_ms

__all__ = ["AGENT_FORM", "SETTINGS_FORM"]

TITLES: Final = {
    SETTINGS: Text("Change the rules", "修改规则"),
    ROSTER: Text("Change the roster", "修改名册"),
}
_SPARE_ROWS: Final = 2
"""Empty rows behind those that are filled in."""
_DROP: Final = "drop-profile:"
_RULES: Final = next(one for one in FIELDS[SETTINGS] if one.kind is Kind.RECORDS).fields


class _Basis(NamedTuple):
    """What the ledger has when a form is shown or sent."""

    shop_id: str
    agent_id: str | None
    is_of_agent: bool
    """Whether the page is of this agent alone; else who it is is entered."""
    tomorrow: str
    history: list[Record]
    digest: str
    """See `basis_of`: of the settings, or of the agent."""
    documents: list[Mapping[str, Any]]
    """The accepted records of the settings, or of the agent."""
    change: Change | None
    """The draft that is edited; None: a new one."""

    @property
    def draft(self) -> str | None:
        """What names the content of the draft."""
        return None if self.change is None else self.change.digest


def _read(visit: Visit, topic: str, entered: object = None) -> _Basis | None:
    """Return what a form rests on, in one snapshot; None: there is no shop.

    ``entered``: the agent, where the page is of none.

    Raises HTTPException, 404, for another's shop, and for a draft that there is not.
    """
    with visit.reading() as connection:
        shop_id = visit.shop()
        if shop_id is None:
            return None
        change, agent_id = None, visit.asked.one("agent") if topic == ROSTER else None
        if (number := visit.asked.one("draft")) is not None:
            change = Drafts(connection, shop_id).named(number)
            if change is None or change.topic != topic or change.state is not State.DRAFT:
                raise not_found()
            agent_id = change.agent_id
        is_of_agent = agent_id is not None
        if agent_id is None and isinstance(entered, str):
            agent_id = entered
        reader = settings_of if topic == SETTINGS else roster_of
        digest = basis_of(topic, shop_id, agent_id, reader(connection, shop_id))
        history = history_of(connection, shop_id)
        documents = [orjson.loads(one.value or b"") for one in history if one.topic == topic]
        if topic == ROSTER:
            documents = [one for one in documents if one["agent_id"] == agent_id]
        tomorrow = day_name(shop_zone(connection, shop_id).day_of(wall_clock_ms()) + 1)
        return _Basis(shop_id, agent_id, is_of_agent, tomorrow, history, digest, documents, change)


def _show(topic: str) -> Callable[[Visit], Response]:
    """Return what shows a form: of a draft, else what holds tomorrow unless it is changed."""

    def show(visit: Visit) -> Response:
        basis = _read(visit, topic)
        if basis is None:
            return shop_page(visit, "no_shop.html", TITLES[topic])
        if basis.change is not None:
            document = basis.change.document
        else:
            held = held_on(basis.documents, basis.tomorrow) or {}
            document = {"shop_id": basis.shop_id, **held, "effective_from": basis.tomorrow}
            if basis.agent_id is not None:
                document["agent_id"] = basis.agent_id
            if topic == ROSTER and visit.asked.one("role") in [*Role]:
                document["role"] = visit.asked.one("role")
        return _form(visit, topic, basis, document)

    return show


def _act(topic: str) -> Callable[[Visit], Response]:
    """Return what takes a form: it is shown again with what is wrong, or kept as a draft."""

    def act(visit: Visit) -> Response:
        entered = document_of(FIELDS[topic], visit.form.pairs)
        basis = _read(visit, topic, entered.get("agent_id"))
        if basis is None:
            raise not_found()
        document = {**entered, "shop_id": basis.shop_id}
        if topic == ROSTER and basis.agent_id is not None:
            document["agent_id"] = basis.agent_id
        do = visit.form.one("do")
        if do == "add-profile":
            return _form(visit, topic, basis, *_with_profile(document, visit.form.one("new-profile") or ""))
        if do is not None and do.startswith(_DROP):
            document.get("profiles", {}).pop(do.removeprefix(_DROP), None)
            return _form(visit, topic, basis, document)
        if do == "more-rows":
            return _form(visit, topic, basis, document)
        if visit.form.one("basis") != basis.digest or visit.form.one("draft") != basis.draft:
            return _form(visit, topic, basis, document, is_changed=True, status=409)
        refused = refusals(topic, document, basis.history, wall_clock_ms())
        if refused:
            return _form(visit, topic, basis, document, refused, status=400)
        number = Drafts(visit.connection, basis.shop_id).save(
            None if basis.change is None else basis.change.number,
            topic,
            document,
            held_on(basis.documents, document["effective_from"]),
            basis.digest,
            visit.account.login,
        )
        if number is None:
            raise not_found()
        return RedirectResponse(to("/rules/change", shop=basis.shop_id, number=str(number)), 303)

    return act


def _with_profile(document: dict[str, Any], name: str) -> tuple[dict[str, Any], list[Refusal]]:
    """Return a document with one profile more, which begins with the official rules; or why it has not."""
    profiles = document.get("profiles", {})
    names = {one.name for one in _RULES}
    rules = {key: value for key, value in document.items() if key in names}
    tried = {"shop_id": "-", "effective_from": "2099-12-31", "profiles": {name: {}}}
    refused = [one for one in refusals(SETTINGS, tried, (), wall_clock_ms()) if one.path == "profiles"]
    if name in profiles:
        refused = [Refusal("profiles", "bad_value", f"there is a profile {name!r} already")]
    if refused:
        return document, refused
    return {**document, "profiles": {**profiles, name: rules}}, []


def _form(
    visit: Visit,
    topic: str,
    basis: _Basis,
    document: Mapping[str, Any],
    refused: Sequence[Refusal] = (),
    *,
    is_changed: bool = False,
    status: int = 200,
) -> Response:
    placed = set(_paths(FIELDS[topic], document, ""))
    errors: dict[str, list[tuple[Text, str]]] = {}
    for one in refused:
        path = one.path
        while path and path not in placed:
            path = path.rpartition(".")[0]
        title = Text(one.code.replace("_", " "), CODES.chinese_of(one.code))
        errors.setdefault(path, []).append((title, one.message))
    later = [one["effective_from"] for one in basis.documents if one["effective_from"] > basis.tomorrow]
    return shop_page(
        visit,
        "rule_form.html",
        TITLES[topic],
        status,
        shop_id=basis.shop_id,
        topic=topic,
        fields=FIELDS[topic],
        document=document,
        texts=texts_of(FIELDS[topic], document),
        otherwise=_otherwise(document) if topic == SETTINGS else {},
        errors=errors,
        spare_rows=_SPARE_ROWS,
        opened=visit.form.one("new-profile"),
        value_text=value_text,
        basis=basis,
        is_first=topic == SETTINGS and not basis.documents,
        is_changed=is_changed,
        later=sorted(later),
    )


def _paths(fields: Iterable[FormField], document: Any, prefix: str) -> Iterator[str]:
    """Yield the paths of all that a form of a document shows."""
    given = document if isinstance(document, Mapping) else {}
    for one in fields:
        path, value = prefix + one.name, given.get(one.name)
        yield path
        if one.kind is Kind.GROUP:
            yield from _paths(one.fields, value, f"{path}.")
        elif one.kind is Kind.RECORDS and isinstance(value, Mapping):
            for name, inner in value.items():
                yield from _paths(one.fields, inner, f"{path}.{name}.")
        elif one.kind is Kind.ROWS and isinstance(value, list):
            for number, row in enumerate(value):
                yield from _paths(one.fields, row, f"{path}.{number}.")


def _otherwise(document: Mapping[str, Any]) -> dict[str, Text]:
    """Return by path what holds where a form's field is left empty: the preset's, which may be chosen."""
    found = _of_preset(document.get("preset"), "")
    for name, rules in document.get("profiles", {}).items():
        found |= _of_preset(rules.get("preset"), f"profiles.{name}.")
    return found


def _of_preset(name: object, prefix: str) -> dict[str, Text]:
    values = values_by_name(PRESETS.get(str(name), DEFAULT_SETTINGS))
    values |= {f"validity.{unit}": number for unit, number in values.pop("validity").items()}
    found = {}
    for path, value in values.items():
        *_, field = [None, *find(FIELDS[SETTINGS], path)]
        found[prefix + path] = value_text(value, field)
    return found


SETTINGS_FORM: Final = Screen(
    "/rules/settings", TITLES[SETTINGS], _show(SETTINGS), CHANGES_RULES, False, _act(SETTINGS), CHANGES_RULES
)
AGENT_FORM: Final = Screen(
    "/rules/agent", TITLES[ROSTER], _show(ROSTER), CHANGES_RULES, False, _act(ROSTER), CHANGES_RULES
)
