"""A platform's sheet of agents against the ledger: each figure of each agent (LEDGER 3)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from psycopg import Connection

from stream_attr.contract.topics import AGENT_DAILY, DECISIONS
from stream_attr.errors import UnusableError
from stream_attr.ledger.asked import asked, measures_of
from stream_attr.ledger.figures import FIGURES
from stream_attr.ledger.formulas import Kind, Measures, Total, difference_kind, value
from stream_attr.ledger.reports.reconcile.names import AgentNames
from stream_attr.ledger.reports.reconcile.notes import on_causes, on_sheet
from stream_attr.ledger.reports.reconcile.our_agents import (
    AgentDays,
    OtherDefinitions,
    agent_days,
    rows_behind,
    without_presale,
)
from stream_attr.ledger.reports.reconcile.sheet import TheirSheet
from stream_attr.ledger.reports.reconcile.their_agents import SheetFigure, TheirAgent, read_agents
from stream_attr.ledger.reports.reconcile.words import CAUSES, RESULTS, Cause, Finding, Result
from stream_attr.ledger.reports.report import Cell, Column, Money, Note, Number, Report, Row
from stream_attr.ledger.reports.scope import Options, ShopScope, agents_of, as_of, asked_for
from stream_attr.ledger.texts import Text
from stream_attr.sheets.exports import AGENT

__all__ = ["report"]

_CURRENCIES: Final = (
    "SELECT DISTINCT currency FROM decision WHERE shop_id = %s AND profile = 'official' ORDER BY 1 LIMIT 2"
)
_ALWAYS_READ: Final = (
    "workload.consults", "workload.receptions", "inquiries.open", "sales.amount", "refunds.requested",
    "refunds.completed",
)  # fmt: skip
"""Measures that other definitions and causes rest on."""
_OF_PRESALE: Final = frozenset({"sales", "placed", "paid", "inquiries", "payments"})
"""Groups in which an agent who is not in pre-sales has nothing."""
_OF_DAYS: Final = frozenset({"workload", "inquiries", "payments"})
"""Groups that rest on the chats of these days alone."""
_FRACTIONS: Final = (Kind.RATE, Kind.POINTS, Kind.RATIO)
_COLUMNS: Final = (
    Column("result", Text("result", "结果")),
    Column("row", Text("row", "行"), Kind.COUNT),
    Column("agent", Text("agent", "客服")),
    Column("ours_agent", Text("agent here", "本系统客服")),
    Column("figure", Text("figure", "指标")),
    Column("theirs", Text("theirs", "平台"), Kind.FIGURE),
    Column("ours", Text("ours", "本系统"), Kind.FIGURE),
    Column("difference", Text("difference", "差额"), Kind.FIGURE),
    Column("unit", Text("unit", "单位")),
    Column("cause", Text("cause", "原因")),
    Column("behind", Text("rows behind ours", "本系统明细数"), Kind.COUNT),
    Column("detail", Text("detail", "说明")),
)
_TITLE: Final = Text("Figures of agents of a sheet against the ledger", "客服绩效对账")
_TOTAL: Final = Text("total", "合计")
_NOT_HERE: Final = Text("the ledger knows no agent {agent}", "账本中没有客服 {agent}")
_SEVERAL_AGENTS: Final = Text("several agents here are called {agent}", "有多位客服名为 {agent}")
_NO_CHAT: Final = Text("no chat of these days has come", "未收到这些日期的聊天")
_ROLE: Final = Text("in pre-sales on none of these days", "这些日期内岗位均非售前")
_SEVERAL: Final = Text("several would explain it: {reasons}", "有多种解释：{reasons}")
_PENDING: Final = Text("some of these days are pending", "其中有待定的日期")
_AGREE: Final = Text("Totals agree: {figures}.", "合计一致：{figures}。")
_DIFFER: Final = Text("Totals differ: {figures}.", "合计不一致：{figures}。")
_UNREAD: Final = Text("No figure of ours is compared with: {heads}.", "本系统无对应指标：{heads}。")
_BEHIND: Final = Text(
    "Rows behind ours: stream-attr report orders --shop {shop} --from {first} --to {last} --agent AGENT "
    "--behind {groups}. Of workload they are receptions, of inquiries and payments inquiries.",
    "本系统明细：stream-attr report orders --shop {shop} --from {first} --to {last} --agent AGENT "
    "--behind {groups}。接待类指标的明细为接待，询单与付款类为询单。",
)
_DIGITS: Final = Text(
    "Rates and durations are the same where they differ by less than the last digit that the sheet has.",
    "比率与时长相差不足平台表末位者视为一致。",
)


@dataclass(slots=True)
class _Sums:
    results: Counter[Result] = field(default_factory=Counter)
    causes: Counter[Cause] = field(default_factory=Counter)
    theirs: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    ours: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))


def report(connection: Connection[Any], options: Options, shop: ShopScope, sheet: TheirSheet) -> Report:
    """Return the figures of a sheet's agents beside the ledger's; see `words` for results and causes.

    Raises SheetError for a cell that cannot be read, UnusableError for money of several currencies.
    """
    figures = [key for key in sheet.positions if key != AGENT]
    currency = _currency(connection, shop, figures)
    theirs = read_agents(sheet, currency)
    keys = measures_of((*asked(figures), *asked(_ALWAYS_READ)))
    ours = agent_days(connection, shop, options.period, keys)
    run = _Run(connection, options, shop, figures, currency, ours)
    rows = list(run.rows(theirs.agents))
    wanted = set(options.results or (Result.DIFFERS, Result.ONLY_THERE, Result.ONLY_HERE))
    return Report(
        "reconcile",
        _TITLE,
        _COLUMNS,
        [row for result, row in rows if result in wanted],
        as_of(connection, shop.zone, (AGENT_DAILY, DECISIONS)),
        list(run.totals()),
        [
            *on_sheet(sheet, theirs.dropped, len(theirs.agents), shop.zone.name),
            *run.notes(sheet),
            *on_causes(run.sums.causes),
        ],
        asked_for(options, (shop,)),
    )


def _currency(connection: Connection[Any], shop: ShopScope, figures: Sequence[str]) -> str:
    currencies = [one for (one,) in connection.execute(_CURRENCIES, (shop.shop_id,))]
    has_money = any(FIGURES[key].kind is Kind.MONEY for key in figures)
    if has_money and len(currencies) > 1:
        raise UnusableError(
            f"shop {shop.shop_id} has several currencies, and agents' days add them up: "
            "compare a sheet of orders"
        )
    return currencies[0] if currencies else "CNY"


class _Run:
    """One comparison."""

    def __init__(
        self,
        connection: Connection[Any],
        options: Options,
        shop: ShopScope,
        figures: Sequence[str],
        currency: str,
        ours: AgentDays,
    ) -> None:
        self._options, self._shop, self._figures = options, shop, figures
        self._currency, self._ours = currency, ours
        self._names = AgentNames(agents_of(connection, shop).values())
        self._other = OtherDefinitions(connection, shop, options.period, ours)
        self._not_presale = without_presale(connection, shop, options.period)
        groups = {FIGURES[key].group for key in figures}
        self._behind = {one: rows_behind(connection, shop, options.period, one) for one in groups}
        self.sums = _Sums()

    def rows(self, agents: Sequence[TheirAgent]) -> Iterator[tuple[Result, Row]]:
        """Yield a row for each figure of each agent of the sheet, then of agents that are only here."""
        seen = set()
        for agent in agents:
            agent_id = self._names.find(agent.name)
            seen.add(agent_id)
            if self._shop.chosen is not None and agent_id not in self._shop.chosen:
                continue
            for key in self._figures:
                yield self._row(agent, agent_id, key)
        for agent_id in sorted(self._ours.keys() - seen):
            if self._shop.chosen is not None and agent_id not in self._shop.chosen:
                continue
            for key in self._figures:
                if self._number(agent_id, key):
                    yield self._row(None, agent_id, key)

    def _number(self, agent_id: str | None, key: str) -> Decimal:
        """Return a figure of ours; 0 where there is none."""
        measures: Measures = {} if agent_id not in self._ours else self._ours[agent_id][1]
        number = value(FIGURES[key].formula, measures)
        return Decimal(0) if number is None else Decimal(str(number))

    def _row(self, agent: TheirAgent | None, agent_id: str | None, key: str) -> tuple[Result, Row]:
        figure = FIGURES[key]
        given = None if agent is None else agent.figures[key]
        there, here = Decimal(0) if given is None else given.number, self._number(agent_id, key)
        self.sums.theirs[key] += there
        self.sums.ours[key] += here
        is_same = (given or SheetFigure(Decimal(0), None)).is_like(here)
        if agent is None:
            result = Result.ONLY_HERE
        elif is_same:
            result = Result.MATCHED
        else:
            result = Result.ONLY_THERE if agent_id is None else Result.DIFFERS
        self.sums.results[result] += 1
        finding = None
        if result is not Result.MATCHED:
            finding = (
                Finding(Cause.UNKNOWN) if agent is None else self._why(agent, agent_id, key, there, here)
            )
            self.sums.causes[finding.cause] += 1
        is_known = agent_id is not None
        return result, (
            RESULTS[result],
            None if agent is None else agent.row,
            None if agent is None else agent.name,
            agent_id,
            figure.name,
            None if given is None else self._cell(key, there),
            self._cell(key, here) if is_known else None,
            None if is_same else self._cell(key, there - here, differs=True),
            self._unit(key),
            None if finding is None else CAUSES[finding.cause],
            self._behind[figure.group].get(agent_id, 0) if agent_id is not None else None,
            None if finding is None else finding.detail,
        )

    def _why(
        self, agent: TheirAgent, agent_id: str | None, key: str, there: Decimal, here: Decimal
    ) -> Finding:
        """Return why a figure differs, where the ledger can tell."""
        if agent_id is None:
            if self._names.is_of_several(agent.name):
                return Finding(Cause.UNKNOWN, _SEVERAL_AGENTS.filled(agent=agent.name))
            return Finding(Cause.NOT_SENT, _NOT_HERE.filled(agent=agent.name))
        group = FIGURES[key].group
        is_pending, measures = self._ours.get(agent_id, (False, {}))
        if not here and group in _OF_PRESALE and agent_id in self._not_presale:
            return Finding(Cause.ROLE, _ROLE)
        if not here and group in _OF_DAYS and not measures.get("workload.consults"):
            return Finding(Cause.NOT_SENT, _NO_CHAT)
        found = self._other.why(key, agent_id, int(there)) if there == int(there) else ()
        if len({one.cause for one in found}) == 1:
            return found[0]
        if found:
            details = [one.detail for one in found if one.detail is not None]
            reasons = Text(
                "; ".join(one.english for one in details), "；".join(one.chinese for one in details)
            )
            return Finding(Cause.UNKNOWN, _SEVERAL.filled(reasons=reasons))
        return Finding(Cause.UNKNOWN, _PENDING if is_pending else None)

    def _cell(self, key: str, number: Decimal, *, differs: bool = False) -> Cell:
        """Return a figure, or by how much two of its values differ, as a cell that says its kind."""
        kind = difference_kind(FIGURES[key].kind) if differs else FIGURES[key].kind
        if kind is Kind.MONEY:
            return Money(int(number), self._currency)
        return Number(float(number) if kind in _FRACTIONS else int(number), kind)

    def _unit(self, key: str) -> Text | None:
        kind = FIGURES[key].kind
        if kind is Kind.MONEY:
            return Text(self._currency, self._currency)
        return FIGURES[key].unit if kind is Kind.SECONDS else None

    def totals(self) -> Iterator[Row]:
        """Yield the sums of the figures that add up."""
        for key in self._added:
            theirs, ours = self.sums.theirs[key], self.sums.ours[key]
            cells: dict[str, Cell] = {
                "result": _TOTAL,
                "figure": FIGURES[key].name,
                "theirs": self._cell(key, theirs),
                "ours": self._cell(key, ours),
                "difference": self._cell(key, theirs - ours, differs=True),
                "unit": self._unit(key),
            }
            yield tuple(cells.get(column.key) for column in _COLUMNS)

    @property
    def _added(self) -> list[str]:
        return [key for key in self._figures if isinstance(FIGURES[key].formula, Total)]

    def notes(self, sheet: TheirSheet) -> Iterator[Note]:
        """Yield what is compared, whether totals agree, and where the rows behind ours are."""
        if sheet.unread:
            yield Note(_UNREAD.filled(heads="、".join(sheet.unread)))
        if any(FIGURES[key].kind not in (Kind.MONEY, Kind.COUNT) for key in self._figures):
            yield Note(_DIGITS)
        results = [(RESULTS[one], self.sums.results[one]) for one in Result if self.sums.results[one]]
        yield Note(
            Text(
                f"Figures: {', '.join(f'{name.english} {number:,}' for name, number in results)}.",
                f"指标：{'、'.join(f'{name.chinese} {number:,}' for name, number in results)}。",
            )
        )
        for text, keys in (
            (_AGREE, [key for key in self._added if self.sums.theirs[key] == self.sums.ours[key]]),
            (_DIFFER, [key for key in self._added if self.sums.theirs[key] != self.sums.ours[key]]),
        ):
            if keys:
                names = [FIGURES[key].name for key in keys]
                listed = Text(
                    ", ".join(one.english for one in names), "、".join(one.chinese for one in names)
                )
                yield Note(text.filled(figures=listed))
        groups = sorted(
            {FIGURES[key].group for key in self._figures} & {"sales", "placed", "paid", "refunds"}
        )
        if groups:
            first, _, last = self._options.period.name.partition(" – ")
            yield Note(
                _BEHIND.filled(
                    shop=self._shop.shop_id, first=first, last=last or first, groups="|".join(groups)
                )
            )
