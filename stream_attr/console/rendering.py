"""Pages out of templates: texts in the reader's language, cells as text, links."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from stream_attr.console.links import changed, to
from stream_attr.console.refusals import refusal
from stream_attr.console.roles import ROLE_NAMES, Role
from stream_attr.console.texts import TEXTS
from stream_attr.ledger.appeals.words import ANSWERS, REASONS
from stream_attr.ledger.formats.cells import as_text
from stream_attr.ledger.formulas import Kind
from stream_attr.ledger.reports.report import AsOf, Cell, Column, Moment, Money
from stream_attr.ledger.texts import Text

__all__ = ["FOLDER", "NUMERIC", "Page", "render", "shown", "unit_of"]

FOLDER: Final = Path(__file__).parent
NUMERIC: Final = frozenset(Kind) - {Kind.TEXT, Kind.DAY, Kind.MOMENT}
_DASH: Final = "–"


def shown(value: Cell, kind: Kind, language: str, *, has_currency: bool = False, signed: bool = False) -> str:
    """Return a cell as people read it: a rate that does not exist as a dash, an amount with its currency.

    ``has_currency``: a column beside it has the currency. ``signed``: what is above 0 has a sign, too.
    """
    if value is None:
        return _DASH if kind in NUMERIC else ""
    text = as_text(value, kind, language, grouped=True)
    if kind in NUMERIC and text.startswith("-"):
        text = "\N{MINUS SIGN}" + text[1:]
    elif signed and isinstance(value, int | float) and value > 0:
        text = f"+{text}"
    if isinstance(value, Money) and value.currency and not has_currency:
        return f"{text} {value.currency}"
    return text


def unit_of(column: Column, language: str) -> str:
    """Return the unit that stands beside a duration; other numbers say theirs by themselves."""
    return column.unit.of(language) if column.unit and column.kind is Kind.SECONDS else ""


def _time(ts: int, zone: str, language: str) -> str:
    return as_text(Moment(ts, zone), Kind.MOMENT, language, grouped=True)


def known_until(as_of: AsOf, language: str) -> str:
    """Return the earliest watermark of the topics that a report rests on, by the clocks of the shop."""
    known = [one.watermark for one in as_of.topics if one.watermark is not None]
    return _time(min(known), as_of.zone, language) if known else _DASH


def slowest_until(as_of: AsOf, language: str) -> str:
    """Return up to when the workers have judged the partition of the inputs that has come least far."""
    slowest = as_of.slowest
    known = None if slowest is None else slowest.watermark
    return _DASH if known is None else _time(known, as_of.zone, language)


_BESIDE: Final = re.compile(r"\s*[（(]stream-attr [^）)]*[）)]")
_IN_THE_END: Final = re.compile(r"([:：])[^:：]*stream-attr .*$")


def on_screen(note: str) -> str:
    """Return a note of a report without what is for a command line; empty: it is for that alone."""
    if "stream-attr explain" in note:
        return ""
    text = _BESIDE.sub("", note)
    return _IN_THE_END.sub(lambda found: "。" if found[1] == "：" else ".", text)


def _untils(*tables: Iterable[Sequence[Any]]) -> dict[int, str]:
    """Return by number of a column the last day with which a cell of it is final; of those that are not."""
    found: dict[int, str] = {}
    for row in (row for rows in tables for row in rows):
        for number, cell in enumerate(row):
            if cell.until:
                found[number] = max(found.get(number, ""), cell.until)
    return found


def _environment() -> Environment:
    found = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals.update(
        to=to,
        changed=changed,
        Kind=Kind,
        NUMERIC=NUMERIC,
        ROLE_NAMES=ROLE_NAMES,
        Role=Role,
        APPEAL_REASONS=REASONS,
        APPEAL_ANSWERS=ANSWERS,
        untils=_untils,
    )
    found.tests["startswith"] = str.startswith
    found.filters.update(
        shown=shown,
        clock=_time,
        known_until=known_until,
        slowest_until=slowest_until,
        on_screen=on_screen,
        refusal=refusal,
    )
    return found


_TEMPLATES: Final = _environment()


class Page:
    """What every template gets beside its own values."""

    def __init__(self, language: str, path: str, pairs: Sequence[tuple[str, str]]) -> None:
        self.language = language
        self.path = path
        self.pairs = tuple(pairs)

    def t(self, key: str, **values: object) -> str:
        """Return a text of `TEXTS`."""
        return self.of(TEXTS[key].filled(**values))

    def of(self, text: Text) -> str:
        """Return a text in the reader's language."""
        return text.of(self.language)

    def with_(self, **changes: str | None) -> str:
        """Return this page's address with some of its values replaced."""
        return changed(self.path, self.pairs, **changes)


def render(template: str, page: Page, status_code: int = 200, **values: Any) -> HTMLResponse:
    """Return a page."""
    text = _TEMPLATES.get_template(template).render(
        page=page, t=page.t, of=page.of, language=page.language, **values
    )
    return HTMLResponse(text, status_code=status_code)
