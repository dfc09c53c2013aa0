"""Why an order differs, out of the ledger's own records; what they do not say is unknown (LEDGER 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from psycopg import Connection

from stream_attr.ledger.formats.cells import as_text
from stream_attr.ledger.formulas import Kind
from stream_attr.ledger.reports.reconcile.names import AgentNames
from stream_attr.ledger.reports.reconcile.our_orders import OurOrder, receipt, refunded_between
from stream_attr.ledger.reports.reconcile.words import Cause, Finding
from stream_attr.ledger.reports.report import Moment
from stream_attr.ledger.reports.scope import ShopScope
from stream_attr.ledger.texts import Text
from stream_attr.rules.vocabulary import (
    CODES,
    CREDIT_RULES,
    DISCARD_REASONS,
    NOTICES,
    PENDING,
    PICK_RULES,
)

__all__ = ["OrderCauses"]

_REFUSED: Final = Text("refused: {code} ({place})", "被拒收：{code}（{place}）")
_NOT_READ: Final = Text("the ledger has come to {at} only", "账本只读到 {at}")
_NEVER: Final = Text("no decision and no refused record of it", "无判定，也无被拒收的记录")
_NO_PAYMENT: Final = Text("no payment of it has come", "未收到其付款")
_NO_REFUND: Final = Text("no refund of it counts here", "本系统无其退款")
_NOT_COMPLETED: Final = Text("no completed refund of it has come", "未收到其完成退款")
_NO_CLOSING: Final = Text("neither a refund nor a cancellation of it counts here", "本系统无其退款或取消")
_OPEN: Final = Text("not final here until {at}", "{at} 前待定")
_EXCLUDED: Final = Text("excluded here by an event", "本系统已按事件排除该订单")
_HERE: Final = Text("at {at}: that day begins at {cut}", "{at}：当日自 {cut} 起算")
_NET: Final = Text("theirs is less the refunds completed", "平台金额已减完成退款")
_LESS_REQUESTED: Final = Text("theirs is less the refunds requested", "平台金额已减申请退款")
_AS_REQUESTED: Final = Text("theirs are the refunds requested", "平台为申请退款")
_OF_THE_DAYS: Final = Text(
    "theirs are the refunds completed in these days alone", "平台仅计这些日期内完成的退款"
)
_NOTED: Final = Text("notices: {notices}", "提示：{notices}")
_REFUNDED: Final = Text("refunded in full", "已全额退款")
_RULED: Final = Text("ruled by {by}", "由 {by} 裁定")
_FOLLOWED: Final = Text("silent, credited here by follow-up", "全静默，本系统按跟进归属")
_SEMI: Final = Text(
    "no placing agent; here it is the payment agent's", "无落实下单客服，本系统归落实付款客服"
)
_CANDIDATE: Final = Text("a candidate here, not picked: {rules}", "本系统候选，未选中：{rules}")
_DISCARDED: Final = Text("{agent} on {day}: {reason}", "{agent} {day}：{reason}")
_OUTSIDE: Final = Text(
    "{agent}'s chat with the buyer lies outside of the interval", "{agent} 与买家的聊天在有效时长之外"
)
_NO_CHAT: Final = Text("no chat of {agent} with this buyer has come", "未收到 {agent} 与该买家的聊天")
_NOBODY: Final = Text("the ledger knows no agent {agent}", "账本中没有客服 {agent}")
_SEVERAL: Final = Text("several agents here are called {agent}", "有多位客服名为 {agent}")
_ROLES: Final = frozenset({"role_aftersale", "role_frozen"})
_FOLLOWUP: Final = frozenset({"followup_one_sided", "followup_not_admitted"})
_RULE: Final = frozenset({"other_product", "no_effective_message"})
_CHATS: Final = "SELECT count(*) FROM reception WHERE shop_id = %s AND buyer_id = %s AND agent_id = %s"


@dataclass(frozen=True, slots=True)
class OrderCauses:
    """What decides causes for the orders of one shop and period."""

    connection: Connection[Any]
    shop: ShopScope
    own: tuple[int, int]
    """The instants of the period by the shop's days."""
    natural: tuple[int, int]
    """Likewise by days that begin at midnight."""
    watermark: int | None
    names: AgentNames
    refused: dict[str, tuple[str, str]]
    """By order, code and place of the first record that was refused."""

    def _at(self, ts: int) -> Text:
        moment = Moment(ts, self.shop.zone.name)
        return Text(*(as_text(moment, Kind.MOMENT, language, grouped=True) for language in ("en", "zh")))

    def not_here(self, order_id: str, ts: int | None, what: Text) -> Finding:
        """Return why something of an order has not come, that happened at ``ts`` by the sheet."""
        refused = self._refused(order_id)
        if refused is not None:
            return Finding(Cause.NOT_SENT, refused)
        if ts is not None and self.watermark is not None and self.watermark < ts:
            return Finding(Cause.PENDING, _NOT_READ.filled(at=self._at(self.watermark)))
        return Finding(Cause.NOT_SENT, what)

    def _refused(self, order_id: str) -> Text | None:
        if order_id not in self.refused:
            return None
        code, place = self.refused[order_id]
        return _REFUSED.filled(code=Text(code, CODES.chinese_of(code)), place=place)

    def only_there(self, order_id: str, ts: int | None) -> Finding:
        """Return why the ledger has no decision of an order."""
        return self.not_here(order_id, ts, _NEVER)

    def only_here(self, ours: OurOrder, ts: int) -> Finding:
        """Return why the sheet does not have an order that counts in the period."""
        if not self.natural[0] <= ts < self.natural[1]:
            return self.day(ts)
        if ours.amount and ours.refund_completed >= ours.amount:
            return Finding(Cause.UNKNOWN, _REFUNDED)
        return self._unknown(ours)

    def day(self, ts: int) -> Finding:
        """Return that an order counts in other days, as the shop's do not begin at midnight."""
        return Finding(Cause.DAY_CUT, _HERE.filled(at=self._at(ts), cut=self.shop.zone.day_cut))

    def paid(self, ours: OurOrder, theirs_ts: int | None) -> Finding:
        """Return why times of payment differ."""
        if ours.paid_ts is None:
            return self.not_here(ours.order_id, theirs_ts, _NO_PAYMENT)
        return self._unknown(ours)

    def amount(self, ours: OurOrder, theirs: int) -> Finding:
        """Return why amounts differ."""
        if ours.refund_completed and theirs == ours.amount - ours.refund_completed:
            return Finding(Cause.REFUND_BASIS, _NET)
        if ours.refund_requested and theirs == ours.amount - ours.refund_requested:
            return Finding(Cause.REFUND_BASIS, _LESS_REQUESTED)
        return self._unknown(ours)

    def refund(self, ours: OurOrder, theirs: int) -> Finding:
        """Return why refunds differ; ours are those completed."""
        if theirs == ours.refund_requested:
            return Finding(Cause.REFUND_BASIS, _AS_REQUESTED)
        if theirs and not ours.refund_requested and not ours.refund_completed:
            return self.not_here(ours.order_id, None, _NO_REFUND)
        for instants in (self.own, self.natural):
            if theirs == refunded_between(self.connection, self.shop.shop_id, ours.order_id, instants):
                return Finding(Cause.REFUND_BASIS, _OF_THE_DAYS)
        return self._unknown(ours)

    def refunded_there(self, ours: OurOrder) -> Finding:
        """Return why an order is refunded there, which does not say how much, and not here."""
        return self.not_here(ours.order_id, None, _NOT_COMPLETED)

    def excluded(self) -> Finding:
        """Return why an order that is sold there does not count here."""
        return Finding(Cause.RULE, _EXCLUDED)

    def not_closed(self, ours: OurOrder, *, was_paid: bool) -> Finding:
        """Return why an order is closed there and not here."""
        if ours.outcome == "awaiting_payment":
            return Finding(Cause.PENDING, _OPEN.filled(at=self._at(ours.final_at)))
        if was_paid:
            return self.not_here(ours.order_id, None, _NO_CLOSING)
        return self._unknown(ours)

    def _unknown(self, ours: OurOrder) -> Finding:
        """Return that the records do not say why, with what stands out in them."""
        refused = self._refused(ours.order_id)
        if refused is not None:
            return Finding(Cause.UNKNOWN, refused)
        if ours.notices:
            chinese = "、".join(map(NOTICES.chinese_of, ours.notices))
            return Finding(Cause.UNKNOWN, _NOTED.filled(notices=Text(", ".join(ours.notices), chinese)))
        return Finding(Cause.UNKNOWN)

    def agent(self, ours: OurOrder, theirs: str) -> Finding:
        """Return why an order is another agent's there; ``theirs``: as the sheet names it, or nobody."""
        decision = receipt(self.connection, self.shop.shop_id, ours.order_id)
        if decision["ruling"] is not None:
            return Finding(Cause.RULE, _RULED.filled(by=decision["ruling"]["ruled_by"]))
        if not theirs:
            return self._silent_there(ours)
        agent_id = self.names.find(theirs)
        if agent_id is None:
            if self.names.is_of_several(theirs):
                return Finding(Cause.UNKNOWN, _SEVERAL.filled(agent=theirs))
            return Finding(Cause.NOT_SENT, _NOBODY.filled(agent=theirs))
        return self._why_not(ours, decision, agent_id)

    def _silent_there(self, ours: OurOrder) -> Finding:
        if ours.basis == "followup":
            return Finding(Cause.SILENT, _FOLLOWED)
        return Finding(Cause.SILENT, _SEMI) if ours.silence == "semi" else self._unknown(ours)

    def _why_not(self, ours: OurOrder, decision: dict[str, Any], agent_id: str) -> Finding:
        """Return why an order is not an agent's, out of its receipt."""
        if any(one["agent_id"] == agent_id for one in decision["candidates"]):
            rules = _rules_of(decision)
            found = Finding(Cause.RULE, _CANDIDATE.filled(rules=rules))
        else:
            found = self._discarded(ours, decision, agent_id)
        if ours.status == PENDING:
            return Finding(Cause.PENDING, _OPEN.filled(at=self._at(ours.final_at)))
        return found

    def _discarded(self, ours: OurOrder, decision: dict[str, Any], agent_id: str) -> Finding:
        own = [one for one in decision["discarded"] if one["agent_id"] == agent_id]
        if own:
            last = own[-1]
            reason = last["reason"]
            detail = _DISCARDED.filled(
                agent=agent_id, day=last["day"], reason=Text(reason, DISCARD_REASONS.chinese_of(reason))
            )
            causes = {_cause_of(one["reason"]) for one in own}
            return Finding(causes.pop() if len(causes) == 1 else _cause_of(reason), detail)
        ((chats,),) = self.connection.execute(_CHATS, (self.shop.shop_id, ours.buyer_id, agent_id))
        text = _OUTSIDE if chats else _NO_CHAT
        return Finding(Cause.WINDOW if chats else Cause.NOT_SENT, text.filled(agent=agent_id))


def _rules_of(decision: dict[str, Any]) -> Text:
    """Return who was picked by which rule, and by which credit rule."""
    english, chinese = [], []
    for part, name in (("placing", "落实下单"), ("payment", "落实付款")):
        picked = decision[part]
        if picked is not None:
            english.append(f"{part} {picked['rule']} → {picked['agent_id']}")
            chinese.append(f"{name}{PICK_RULES.chinese_of(picked['rule'])} → {picked['agent_id']}")
    credit = decision["credit"]
    if credit is not None:
        english.append(f"credit {credit['rule']}")
        chinese.append(f"业绩归属{CREDIT_RULES.chinese_of(credit['rule'])}")
    return Text(", ".join(english), "，".join(chinese))


def _cause_of(reason: str) -> Cause:
    """Return the cause that a reason of a discarded reception is."""
    if reason in _ROLES:
        return Cause.ROLE
    if reason in _FOLLOWUP:
        return Cause.SILENT
    return Cause.RULE if reason in _RULE else Cause.FILTER
