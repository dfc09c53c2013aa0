"""Which figures the team's page shows: chosen, put in order, and kept by a name."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final, NamedTuple

from starlette.responses import RedirectResponse, Response

from stream_attr.console.links import changed, to
from stream_attr.console.visit import Visit, not_found
from stream_attr.errors import UnusableError
from stream_attr.ledger import audit
from stream_attr.ledger.asked import Way, asked
from stream_attr.ledger.figures import FIGURES
from stream_attr.ledger.formulas import Total
from stream_attr.ledger.periods import Period
from stream_attr.ledger.reports.agents import DEFAULT
from stream_attr.ledger.saved import Saved, SavedReports, check_name
from stream_attr.ledger.texts import Text
from stream_attr.rules.shop.days import day_name

__all__ = ["FigureChoice", "KeptReport", "added", "choice", "delete", "kept_reports", "save"]

_REPORT: Final = "agents"
_FILTERS: Final = ("by", "agent", "group", "person")
"""What is kept beside the figures, by its name in the query string and as an option."""


class ChosenFigure(NamedTuple):
    """A figure that is shown, and where its buttons lead; None: there is none."""

    name: Text
    earlier: str | None
    later: str | None
    without: str | None


class FigureChoice(NamedTuple):
    """The figures that are shown, in their order, and all that can be added."""

    chosen: list[ChosenFigure]
    keys: str
    """As the query string has them."""
    groups: list[tuple[str, list[tuple[str, Text]]]]
    """Of figures that are not shown: key and name, by group."""
    is_default: bool


class KeptReport(NamedTuple):
    """A report that is kept by a name, and where it leads."""

    name: str
    address: str


def choice(visit: Visit) -> FigureChoice:
    """Return what is chosen, and what can be."""
    figures = asked(_keys(visit) or DEFAULT)
    keys = [one.key for one in figures]
    chosen = [
        ChosenFigure(
            one.name,
            _address(visit, _swapped(keys, index, index - 1)) if index else None,
            _address(visit, _swapped(keys, index, index + 1)) if index + 1 < len(keys) else None,
            _address(visit, [*keys[:index], *keys[index + 1 :]]) if len(keys) > 1 else None,
        )
        for index, one in enumerate(figures)
    ]
    others = []
    for group, some in groupby(FIGURES.values(), key=lambda one: one.group):
        left = []
        for one in some:
            left += [(one.key, one.name)] if one.key not in keys else []
            share = asked([f"{one.key}:{Way.SHARE}"])[0] if isinstance(one.formula, Total) else None
            left += [(share.key, share.name)] if share is not None and share.key not in keys else []
        others.append((group, left))
    return FigureChoice(chosen, ",".join(keys), others, not _keys(visit))


def added(visit: Visit) -> Response | None:
    """Return the way to the page with the figure that is asked to be added; None: none is."""
    more = visit.asked.one("add")
    if more is None:
        return None
    keys = [one.key for one in asked([*(_keys(visit) or DEFAULT), more])]
    kept = [(name, value) for name, value in visit.asked.pairs if name != "add"]
    address = changed(visit.request.url.path, kept, figures=",".join(dict.fromkeys(keys)))
    return RedirectResponse(address, 303)


def kept_reports(visit: Visit) -> dict[str, list[KeptReport]]:
    """Return by shop the reports that are kept of it; before ``visit.reading``, which cannot see them."""
    found: dict[str, list[KeptReport]] = {}
    for one in SavedReports(visit.connection).all():
        shops = one.options.get("--shop", [])
        if one.report == _REPORT and len(shops) == 1:
            figures = one.options.get("--figures")
            kept = {name: one.options.get(f"--{name}") for name in _FILTERS}
            address = to("/team", shop=shops[0], figures=figures, **kept)
            found.setdefault(shops[0], []).append(KeptReport(one.name, address))
    return found


def save(visit: Visit, shop_id: str, period: Period, name: str) -> None:
    """Keep the figures and filters of the page by a name, in place of what is kept of this shop by that name.

    Raises UnusableError for what is no name, or another shop's.
    """
    check_name(name)
    figures = ",".join(one.key for one in asked(_keys(visit) or DEFAULT))
    options = {"--shop": [shop_id], "--from": [day_name(period.first)], "--to": [day_name(period.last)]}
    options["--figures"] = [figures]
    options |= {f"--{one}": list(values) for one in _FILTERS if (values := visit.asked.all(one))}
    saved = SavedReports(visit.connection)
    with visit.connection.transaction():
        before = next((one for one in saved.all() if one.name == name), None)
        if before is not None and not _is_of(before, shop_id):
            raise UnusableError(f"{name!r} is the name of another report: take another one")
        saved.save(Saved(name, _REPORT, options))
        audit.note(visit.connection, visit.account.login, "save report", shop_id, name)


def delete(visit: Visit, shop_id: str, name: str) -> None:
    """Delete what is kept of a shop by a name. Raises HTTPException, 404, where there is none."""
    saved = SavedReports(visit.connection)
    with visit.connection.transaction():
        if not any(one.name == name and _is_of(one, shop_id) for one in saved.all()):
            raise not_found()
        saved.delete(name)
        audit.note(visit.connection, visit.account.login, "delete report", shop_id, name)


def _is_of(one: Saved, shop_id: str) -> bool:
    return one.report == _REPORT and one.options.get("--shop") == [shop_id]


def _keys(visit: Visit) -> list[str]:
    """Return the figures that the query string names."""
    return [text.strip() for one in visit.asked.all("figures") for text in one.split(",") if text.strip()]


def _swapped(keys: Sequence[str], one: int, other: int) -> list[str]:
    found = list(keys)
    found[one], found[other] = found[other], found[one]
    return found


def _address(visit: Visit, keys: Sequence[str]) -> str:
    return changed(visit.request.url.path, visit.asked.pairs, figures=",".join(keys), add=None, page=None)
