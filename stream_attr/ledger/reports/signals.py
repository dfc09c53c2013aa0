"""异常行为: what is worth a look, each with the rows behind it; never a reason to punish by itself."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final, NamedTuple, TypeAlias

from psycopg import Connection

from stream_attr.contract.topics import DECISIONS, FACTS, INQUIRIES
from stream_attr.errors import UnusableError
from stream_attr.ledger.formulas import Kind
from stream_attr.ledger.reports.report import Cell, Column, Moment, Money, Note, Report, Row
from stream_attr.ledger.reports.scope import Options, ShopScope, as_of, asked_for, scope
from stream_attr.ledger.roll_up.days import Day, Part
from stream_attr.ledger.roll_up.kept import kept_days
from stream_attr.ledger.texts import Text
from stream_attr.rules.shop.days import MINUTE_MS, day_name
from stream_attr.rules.vocabulary import INQUIRY_RESULTS

__all__ = ["SIGNALS", "report"]

_SHORTLY_MS: Final = 5 * MINUTE_MS
_LOST_LEAST: Final = 5
_ERRORS: Final = 2
"""Standard errors by which an agent's share of short losses is above that of the peers."""

SIGNALS: Final = {
    "late_words": Text("words shortly before payment", "付款前才发言"),
    "to_and_fro": Text("transferred to and fro", "来回转接"),
    "single_sentence": Text("one sentence, no question", "单句无提问"),
    "templates": Text("templates only", "疑似只发模板"),
    "short_losses": Text("losses short beyond peers'", "流失接待过短"),
}
_MEANINGS: Final = {
    "late_words": Text(
        "the payment agent, where another has placed the order, and all words with the buyer fell within 5 "
        "minutes before the payment",
        "他人落实下单的订单，落实付款客服与买家的全部聊天都在付款前 5 分钟内",
    ),
    "to_and_fro": Text(
        "days of a buyer on which two agents and more each handed the buyer over and were handed the buyer "
        "(with carried_questions off there are none)",
        "同一买家当天有两名及以上客服既转出又被转入（关闭 carried_questions 时没有）",
    ),
    "single_sentence": Text(
        "inquiries that the agent began, in which the buyer said one sentence, and no colleague handed a "
        "question over; the text is not kept",
        "客服主动发起、买家只说了一句、也没有转接来的提问的询单；聊天内容不保存",
    ),
    "templates": Text(
        "receptions of a day, 5 at least and four fifths of an agent's, with the same number of effective "
        "messages and of characters; the text is not kept",
        "某客服当天至少 5 次且占五分之四的接待，有效消息数和字数完全相同；聊天内容不保存",
    ),
    "short_losses": Text(
        "lost inquiries of less than 30 seconds, of agents with 5 lost inquiries and more, whose share of "
        "such is more than two standard errors above that of the shop's others",
        "少于 30 秒的流失询单；客服至少有 5 条流失询单，且其中此类占比高于本店其他客服两个标准误以上",
    ),
}

_LATE_WORDS: Final = """
    SELECT decision.payment_agent_id, order_id, buyer_id, (one->'payment'->>'first_ts')::bigint, paid_ts,
        placing_agent_id, decision.agent_id, amount, currency
    FROM decision CROSS JOIN LATERAL json_array_elements(record->'candidates') AS one
    WHERE shop_id = %(shop)s AND profile = 'official' AND outcome IN ('credited', 'silent')
        AND counted_ts >= %(start)s AND counted_ts < %(end)s AND placing_agent_id <> payment_agent_id
        AND one->>'agent_id' = payment_agent_id
        AND (one->'payment'->>'first_ts')::bigint >= paid_ts - %(shortly)s
"""

_COLUMNS: Final = (
    Column("signal", Text("signal", "信号")),
    Column("agent", Text("agent", "客服")),
    Column("name", Text("name", "姓名")),
    Column("day", Text("day", "日期"), Kind.DAY),
    Column("at", Text("first words", "首条消息"), Kind.MOMENT),
    Column("buyer", Text("buyer", "买家")),
    Column("order", Text("order", "订单")),
    Column("amount", Text("amount", "金额"), Kind.MONEY),
    Column("why", Text("why", "说明")),
)
_SHOP: Final = Column("shop", Text("shop", "店铺"))
_TITLE: Final = Text("What is worth a look", "异常行为")
_NEVER: Final = Text(
    "To look at, never to punish by: each of these can have a good reason, which the rows behind it or the "
    "agent can tell. No pay and no ranking follows from them.",
    "仅供查看，绝不可据此处罚：每一条都可能有正当理由，请看对应明细并询问客服。工资和排名均不以此为依据。",
)
_COUNT: Final = Text(
    "{signal}: {rows} ({agents}). It is {meaning}.", "{signal}：{rows} 条（{agents}）。指{meaning}。"
)
_NO_ROWS: Final = Text("{signal}: none. It is {meaning}.", "{signal}：无。指{meaning}。")
_WHY_LATE: Final = Text(
    "{seconds} s before the payment; placed by {placing}, credited to {credit}",
    "付款前 {seconds} 秒；落实下单 {placing}，业绩归属 {credit}",
)
_NOBODY: Final = Text("nobody", "无")
_WHY_FRO: Final = Text("that day both ways: {agents}", "当天既转出又被转入：{agents}")
_WHY_SINGLE: Final = Text("inquiry {outcome}", "询单结果 {outcome}")
_WHY_ALIKE: Final = Text(
    "{messages} messages of {characters} characters, like {alike} of {every} that day",
    "{messages} 条消息共 {characters} 字，当天 {every} 次接待中有 {alike} 次相同",
)
_WHY_SHORT: Final = Text(
    "{seconds} s; {short} of {lost} lost are so short, of the others' {peers} of {all}",
    "{seconds} 秒；{lost} 条流失中 {short} 条如此短，其他客服为 {all} 条中 {peers} 条",
)


class _Row(NamedTuple):
    agent_id: str
    day: int
    first_ts: int
    buyer_id: str
    why: Text
    order_id: str | None = None
    amount: Money | None = None


def report(connection: Connection[Any], options: Options) -> Report:
    """Return the rows behind each signal of a period; ``options.kinds``: of these signals alone.

    Raises UnusableError for a shop, agent, group, person or signal that does not exist.
    """
    kinds = options.kinds or tuple(SIGNALS)
    for one in kinds:
        if one not in SIGNALS:
            raise UnusableError(f"there is no signal {one!r}; there are {', '.join(SIGNALS)}")
    shops = scope(connection, options)
    several = len(shops) > 1
    rows: list[Row] = []
    agents: dict[str, Counter[str]] = defaultdict(Counter)
    for shop in shops:
        days = kept_days(connection, shop.shop_id, shop.zone, options.period, Part.LOOKS, Part.COUNTS)
        for kind in (one for one in SIGNALS if one in kinds):
            of_kind = _late_words(connection, options, shop) if kind == "late_words" else _FINDERS[kind](days)
            for found in sorted(of_kind, key=_turn):
                if shop.chosen is None or found.agent_id in shop.chosen:
                    agents[kind][found.agent_id] += 1
                    row = _cells(shop, kind, found)
                    rows.append((shop.shop_id, *row) if several else row)
    return Report(
        "signals",
        _TITLE,
        [*([_SHOP] if several else []), *_COLUMNS],
        rows,
        as_of(connection, shops[0].zone, (DECISIONS, INQUIRIES, FACTS)),
        (),
        [Note(_NEVER), *(_note(kind, agents[kind]) for kind in SIGNALS if kind in kinds)],
        asked_for(options, shops),
    )


def _turn(row: _Row) -> tuple[object, ...]:
    return (*row[:4], row.order_id or "")


def _note(kind: str, agents: Counter[str]) -> Note:
    """Say what a signal is, and of whom there are how many."""
    if not agents:
        return Note(_NO_ROWS.filled(signal=SIGNALS[kind], meaning=_MEANINGS[kind]))
    listed = ", ".join(f"{agent} {number}" for agent, number in agents.most_common())
    text = _COUNT.filled(
        signal=SIGNALS[kind], rows=f"{agents.total():,}", agents=listed, meaning=_MEANINGS[kind]
    )
    return Note(text)


def _cells(shop: ShopScope, kind: str, found: _Row) -> Row:
    cells: Sequence[Cell] = (
        SIGNALS[kind],
        found.agent_id,
        shop.member(found.agent_id).name,
        day_name(found.day),
        Moment(found.first_ts, shop.zone.name),
        found.buyer_id,
        found.order_id,
        found.amount,
        found.why,
    )
    return tuple(cells)


_Days: TypeAlias = Mapping[int, Day]


def _late_words(connection: Connection[Any], options: Options, shop: ShopScope) -> Iterator[_Row]:
    bound = {**shop.bounds(options.period), "shortly": _SHORTLY_MS}
    for (
        agent_id,
        order_id,
        buyer_id,
        first_ts,
        paid_ts,
        placing,
        credit,
        amount,
        currency,
    ) in connection.execute(_LATE_WORDS, bound):
        why = _WHY_LATE.filled(
            seconds=f"{(paid_ts - first_ts) / 1000:.3f}", placing=placing, credit=credit or _NOBODY
        )
        day = shop.zone.day_of(paid_ts)
        yield _Row(agent_id, day, first_ts, buyer_id, why, order_id, Money(amount, currency))


def _to_and_fro(days: _Days) -> Iterator[_Row]:
    for number, day in days.items():
        for agent_id, first_ts, buyer_id, agents in day.looks.both_ways:
            yield _Row(agent_id, number, first_ts, buyer_id, _WHY_FRO.filled(agents=agents))


def _single(days: _Days) -> Iterator[_Row]:
    for number, day in days.items():
        for agent_id, first_ts, buyer_id, outcome in day.looks.single:
            words = Text(outcome, INQUIRY_RESULTS.chinese_of(outcome))
            yield _Row(agent_id, number, first_ts, buyer_id, _WHY_SINGLE.filled(outcome=words))


def _templates(days: _Days) -> Iterator[_Row]:
    for number, day in days.items():
        for agent_id, first_ts, buyer_id, messages, characters, alike, every in day.looks.alike:
            why = _WHY_ALIKE.filled(messages=messages, characters=characters, alike=alike, every=every)
            yield _Row(agent_id, number, first_ts, buyer_id, why)


def _short_losses(days: _Days) -> Iterator[_Row]:
    lost: Counter[str] = Counter()
    short: Counter[str] = Counter()
    for day in days.values():
        lost.update({agent_id: counts.lost for agent_id, counts in day.agents.items()})
        short.update(one.agent_id for one in day.looks.short)
    for agent_id in short:
        peers = (short.total() - short[agent_id], lost.total() - lost[agent_id])
        if not _is_beyond((short[agent_id], lost[agent_id]), peers):
            continue
        for number, day in days.items():
            for one in day.looks.short:
                if one.agent_id == agent_id:
                    why = _WHY_SHORT.filled(
                        seconds=f"{one.duration_ms / 1000:.3f}",
                        short=short[agent_id],
                        lost=lost[agent_id],
                        peers=peers[0],
                        all=peers[1],
                    )
                    yield _Row(agent_id, number, one.first_ts, one.buyer_id, why)


def _is_beyond(own: tuple[int, int], peers: tuple[int, int]) -> bool:
    """Whether a share is more than `_ERRORS` standard errors above the peers', by the pooled share."""
    (part, whole), (peer_part, peer_whole) = own, peers
    if whole < _LOST_LEAST or not peer_whole:
        return False
    gap = Fraction(part, whole) - Fraction(peer_part, peer_whole)
    pooled = Fraction(part + peer_part, whole + peer_whole)
    variance = pooled * (1 - pooled) * (Fraction(1, whole) + Fraction(1, peer_whole))
    return gap > 0 and gap * gap > _ERRORS**2 * variance


_FINDERS: Final[Mapping[str, Callable[[_Days], Iterable[_Row]]]] = {
    "to_and_fro": _to_and_fro,
    "single_sentence": _single,
    "templates": _templates,
    "short_losses": _short_losses,
}
