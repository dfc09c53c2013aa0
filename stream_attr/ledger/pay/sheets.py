"""Runs as tables: each person's components, and the notes of the run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from msgspec import UNSET
from psycopg import Connection

from stream_attr.codec.money import format_money
from stream_attr.contract.records.pay_scheme import PayScheme, Split
from stream_attr.ledger.formats.cells import as_text
from stream_attr.ledger.formulas import Kind
from stream_attr.ledger.pay.runs import Run, RunId, Runs
from stream_attr.ledger.pay.schemes import Schemes
from stream_attr.ledger.reports.report import Cell, Column, Moment, Money, Note, Report, Row
from stream_attr.ledger.texts import Text

__all__ = ["STATES", "filters_of", "name_of", "refund_note", "run_report", "signatures"]

_TITLE: Final = Text("Pay", "薪酬")
_PERSON: Final = Column("person", Text("person", "人员"))
_NAME: Final = Column("name", Text("name", "姓名"))
_PAY: Final = Text("pay", "本月薪酬")
_TRUE_UP: Final = Text("corrections", "往月更正")
_OWED: Final = Text("still owed", "尚欠")
_TOTAL: Final = Text("total", "合计")
_SCHEME: Final = Text("scheme", "方案")
_MONTH: Final = Text("month", "月份")
_STATE: Final = Text("state", "状态")
STATES: Final = {
    "draft": Text("draft", "草稿"),
    "checked": Text("checked", "已核对"),
    "approved": Text("approved", "已批准"),
    "closed": Text("closed", "已关账"),
}
_SIGNED: Final = {
    "drafted": Text("Drafted by {by}, {at}.", "{by} 于 {at} 起草。"),
    "checked": Text("Checked by {by}, {at}.", "{by} 于 {at} 核对。"),
    "approved": Text("Approved by {by}, {at}.", "{by} 于 {at} 批准。"),
    "closed": Text("Closed by {by}, {at}.", "{by} 于 {at} 关账。"),
}
_BASIS: Final = {
    "sale_month": Text(
        "Net money is the month's sales less what was known to be refunded of them.",
        "净额 = 本月销售额 − 起草时已知的这些订单的退款。",
    ),
    "refund_month": Text(
        "Net money is the month's sales less the month's refunds, of whichever sales.",
        "净额 = 本月销售额 − 本月发生的退款（不论何时销售）。",
    ),
}
_OPEN: Final = Text(
    "Not in it: {orders} orders of {amount} that are pending, until {until} at the latest; they come as "
    "corrections into a later run.",
    "未计入：{orders} 单待定订单，共 {amount}，最晚 {until} 定案；定案后作为更正计入以后的月份。",
)
_OPEN_DAYS: Final = Text(
    "Not in it: {days} agents' days that are pending; their figures come as corrections into a later run.",
    "未计入：{days} 个待定的客服日报；其指标作为更正计入以后的月份。",
)
_UNKNOWN: Final = Text(
    "Nobody is paid for {orders} orders of agent {agent}: by the roster no person is this agent.",
    "客服 {agent} 的 {orders} 单没有人计薪：名册未写明该客服是谁。",
)
_WITHOUT_SCHEME: Final = Text(
    "No scheme pays {person}, an agent of these shops in the month, with {orders} orders: enter the person, "
    "or say in the roster that it is nobody's agent any more.",
    "没有方案为 {person} 计薪，其当月是这些店铺的客服，名下 {orders} 单：请登记该人员，或在名册中更正。",
)
_UNSHARED: Final = Text(
    "Nobody has a share in the pot {component} of {amount}.", "奖金池 {component} 的 {amount} 无人可分。"
)
_LAST: Final = Text(
    "For the manager: {person} is place {place} of {among} by {figure}. Nothing follows by itself.",
    "仅告知主管：{person} 按 {figure} 排第 {place}/{among} 名。不会自动产生任何后果。",
)
_LOW: Final = Text(
    "For the manager: {person} has few points ({figure}), in {among} of the months looked at. Nothing "
    "follows by itself.",
    "仅告知主管：{person} 的 {figure} 偏低，所看月份中有 {among} 个月如此。不会自动产生任何后果。",
)


def name_of(scheme: PayScheme, component: str) -> Text:
    """Return what a component is called for people."""
    names = {one.id: one.name for one in scheme.components if one.name is not UNSET}
    return Text(names.get(component, component), names.get(component, component))


def run_report(connection: Connection[Any], run_id: RunId) -> Report:
    """Return a run: a row for each person, a column for each component.

    Raises UnusableError where there is no such run.
    """
    runs = Runs(connection)
    run = runs.get(run_id)
    scheme = Schemes(connection).version(run_id.scheme_id, run.version)
    kept = runs.statements(run_id)
    components = [one.id for one in scheme.components if not isinstance(one, Split)]
    names = {one.person_id: one.name for one in run.basis.terms}
    rows: list[Row] = []
    sums = dict.fromkeys((*components, "pay", "true_up", "total", "owed"), 0)
    for person, one in kept.items():
        amounts = {line.component: line.amount for line in one.statement.lines}
        amounts |= {"pay": one.statement.total, "true_up": one.true_up, "total": one.total}
        amounts["owed"] = sum(correction.true_up.owed for correction in one.corrections)
        sums = {key: sums[key] + amounts[key] for key in sums}
        rows.append((person, names[person], *(Money(amounts[key], scheme.currency) for key in sums)))
    unit = Text(scheme.currency, scheme.currency)
    texts = [*(name_of(scheme, one) for one in components), _PAY, _TRUE_UP, _TOTAL, _OWED]
    total: list[Cell] = [_TOTAL, None, *(Money(amount, scheme.currency) for amount in sums.values())]
    return Report(
        "pay",
        _TITLE,
        [
            _PERSON,
            _NAME,
            *(Column(key, text, Kind.MONEY, unit) for key, text in zip(sums, texts, strict=True)),
        ],
        rows,
        run.basis.as_of,
        [tuple(total)],
        [*signatures(run), refund_note(scheme), *_notes_on_open(run, scheme), *_notes(run, scheme)],
        filters_of(run, scheme),
    )


def filters_of(run: Run, scheme: PayScheme) -> list[tuple[Text, str]]:
    """Return which run it is, to stand above it."""
    name = "" if scheme.name is UNSET else f" {scheme.name}"
    state = STATES[run.state]
    return [
        (_SCHEME, f"{scheme.scheme_id}{name}, {scheme.version}"),
        (_MONTH, run.id.month),
        (_STATE, " ".join(dict.fromkeys((state.english, state.chinese)))),
    ]


def signatures(run: Run) -> Iterator[Note]:
    """Yield who drafted, checked, approved and closed a run."""
    zone = run.basis.as_of.zone
    for what, by, ts in run.signed:
        yield Note(_SIGNED[what].filled(by=by, at=_at(ts, zone)))


def refund_note(scheme: PayScheme) -> Note:
    """Return what net money is."""
    return Note(_BASIS[scheme.refund_basis])


def _notes_on_open(run: Run, scheme: PayScheme) -> Iterator[Note]:
    """Yield what a run does not have yet."""
    left = run.basis.read.open
    if left.until is not None:
        yield Note(
            _OPEN.filled(
                orders=f"{left.orders:,}",
                amount=format_money(left.amount, scheme.currency),
                until=_at(left.until, run.basis.as_of.zone),
            )
        )
    if left.agent_days:
        yield Note(_OPEN_DAYS.filled(days=f"{left.agent_days:,}"))


def _notes(run: Run, scheme: PayScheme) -> Iterator[Note]:
    """Yield what those who make the run should know of it."""
    for agent, orders in run.basis.read.open.unknown_agents.items():
        yield Note(_UNKNOWN.filled(agent=agent, orders=f"{orders:,}"), is_warning=True)
    for person, orders in run.basis.read.open.without_scheme.items():
        yield Note(_WITHOUT_SCHEME.filled(person=person, orders=f"{orders:,}"), is_warning=True)
    for component, pot in run.basis.unshared.items():
        yield Note(_UNSHARED.filled(component=component, amount=format_money(pot, scheme.currency)))
    for one in run.basis.warnings:
        text = _LAST if one.place else _LOW
        yield Note(text.filled(person=one.person_id, place=one.place, among=one.among, figure=one.figure.key))


def _at(ts: int, zone: str) -> Text:
    moment = Moment(ts, zone)
    return Text(*(as_text(moment, Kind.MOMENT, language, grouped=True) for language in ("en", "zh")))
