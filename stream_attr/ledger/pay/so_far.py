"""What a month that is not over pays so far: for sure, and if all that is pending stays as it stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from msgspec import UNSET
from psycopg import Connection

from stream_attr.codec.money import format_money
from stream_attr.contract.records.pay_scheme import PayScheme, Pool, Ranking
from stream_attr.errors import UnusableError
from stream_attr.ledger.formats.cells import as_text
from stream_attr.ledger.formulas import Kind
from stream_attr.ledger.pay.drafts import begun
from stream_attr.ledger.pay.facts import read_with_pending
from stream_attr.ledger.pay.persons import Accounts, Persons
from stream_attr.ledger.pay.records import Open, team_of
from stream_attr.ledger.pay.runs import RunId
from stream_attr.ledger.pay.schemes import Schemes
from stream_attr.ledger.pay.sheets import name_of, refund_note
from stream_attr.ledger.pay.simulator import needed
from stream_attr.ledger.pay.words import Words
from stream_attr.ledger.reports.report import Column, Moment, Money, Note, Report, Row
from stream_attr.ledger.texts import Text
from stream_attr.pay.calculator import calculate
from stream_attr.pay.lines import Line

__all__ = ["pay_so_far"]

_TITLE: Final = Text("Pay so far", "本月至今薪酬")
_PERSON: Final = Text("person", "人员")
_SCHEME: Final = Text("scheme", "方案")
_MONTH: Final = Text("month", "月份")
_TOTAL: Final = Text("total", "合计")
_PROVISIONAL: Final = Text(
    "Provisional: what is paid is what the run of the month says once it is closed. Corrections of closed "
    "months are left out.",
    "仅供参考：以该月关账的发薪为准，不含往月更正。",
)
_OPEN: Final = Text(
    "{orders} orders of {amount} and {days} agents' days are pending, until {until} at the latest.",
    "待定 {orders} 单共 {amount}，客服日报 {days} 个，最晚 {until} 定案。",
)


def pay_so_far(connection: Connection[Any], person_id: str, month: str) -> Report:
    """Return what each line of a person's month comes to now, and what the next tier needs.

    Raises UnusableError where nobody is paid as this person in the month.
    """
    paid = next((one for one in Persons(connection).all() if one.person_id == person_id), None)
    if paid is None:
        raise UnusableError(f"nobody is paid as {person_id!r}: see stream-attr pay person list")
    run = RunId(paid.scheme_id, month)
    scheme = Schemes(connection).held(*run)
    terms, accounts, _, known = begun(connection, scheme, run)
    is_alone = not any(isinstance(one, Ranking | Pool) for one in scheme.components)
    if is_alone:
        terms = tuple(one for one in terms if one.person_id == person_id)
        accounts = Accounts(connection, [person_id])
    if person_id not in {one.person_id for one in terms}:
        raise UnusableError(f"{person_id} is employed after {month}: name a later month")
    sure, whole = read_with_pending(connection, scheme, month, terms, accounts, is_alone=is_alone)
    now, then = (
        next(
            one.lines
            for one in calculate(scheme, team_of(month, terms, read)).statements
            if one.person_id == person_id
        )
        for read in (sure, whole)
    )
    unit = Text(scheme.currency, scheme.currency)
    rows = list(_rows(now, then, scheme))
    sums = [Money(sum(line.amount for line in lines), scheme.currency) for lines in (now, then)]
    title = scheme.scheme_id if scheme.name is UNSET else f"{scheme.scheme_id} {scheme.name}"
    return Report(
        "pay-so-far",
        _TITLE,
        [
            Column("line", Text("line", "项目")),
            Column("sure", Text("for sure", "已定"), Kind.MONEY, unit),
            Column("then", Text("with all pending", "含全部待定"), Kind.MONEY, unit),
            Column("how", Text("how", "计算")),
            Column("next", Text("for the next tier", "距下一档")),
        ],
        rows,
        known,
        [(_TOTAL, *sums, None, None)],
        [Note(_PROVISIONAL), *_notes(sure.open, scheme, known.zone), refund_note(scheme)],
        [(_PERSON, person_id), (_SCHEME, title), (_MONTH, month)],
    )


def _rows(now: Sequence[Line], then: Sequence[Line], scheme: PayScheme) -> Iterator[Row]:
    words = Words(scheme.currency, {one.id: name_of(scheme, one.id) for one in scheme.components})
    for sure, whole in zip(now, then, strict=True):
        amounts = [Money(one.amount, scheme.currency) for one in (sure, whole)]
        yield (name_of(scheme, sure.component), *amounts, words.how(sure.why), needed(words, sure))


def _notes(left: Open, scheme: PayScheme, zone: str) -> Iterator[Note]:
    if left.orders or left.agent_days:
        moment = None if left.until is None else Moment(left.until, zone)
        until = Text(
            *(as_text(moment, Kind.MOMENT, language, grouped=True) or "–" for language in ("en", "zh"))
        )
        yield Note(
            _OPEN.filled(
                orders=f"{left.orders:,}",
                amount=format_money(left.amount, scheme.currency),
                days=f"{left.agent_days:,}",
                until=until,
            )
        )
