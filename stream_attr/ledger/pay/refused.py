"""What people ask for and cannot have: a sentence in both languages, for the command line and for screens."""

from __future__ import annotations

from typing import Final

from stream_attr.errors import UnusableError
from stream_attr.ledger.texts import Text

__all__ = [
    "CLOSED",
    "COME_TO",
    "EARLY",
    "FOUR_EYES",
    "NOT_NOW",
    "OWN_PAY",
    "PENDING",
    "READ_NOTHING",
    "SETTLED",
    "STAYS",
    "TWICE",
    "UNTIL",
    "Refused",
]


class Refused(UnusableError):  # noqa: N818 -- an answer, not a mistake
    """Something is not done; ``text`` says why, and what to do."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.english)
        self.text = text


SETTLED: Final = Text(
    "since the run of scheme {scheme} for {month} was drafted, others of its persons were closed ({more}), "
    "and both would settle the same corrections: draft it again",
    "方案 {scheme} 的 {month} 起草之后，其人员的其他发薪已关账（{more}），更正会重复结算：请重新起草",
)
FOUR_EYES: Final = Text(
    "--by {name}: {by} has drafted the run of scheme {scheme} for {month}, and another person has to "
    "approve it",
    "{name}：方案 {scheme} 的 {month} 由 {by} 起草，须由另一人批准",
)
OWN_PAY: Final = Text(
    "{name} is paid by the run of scheme {scheme} for {month}, as {person}: somebody who is not has to "
    "approve it",
    "{name} 即 {person}，由方案 {scheme} 的 {month} 发薪领薪：须由不在其中领薪的人批准",
)
TWICE: Final = Text(
    "{person} is in the run of scheme {other} for {month}, and a person is paid once: if scheme {scheme} is "
    "right, draft that run again, or discard it",
    "{person} 已在方案 {other} 的 {month} 发薪中，一人只发一次："
    "如应按方案 {scheme} 计薪，请重新起草或删除那一次",
)
CLOSED: Final = Text(
    "the run of scheme {scheme} for {month} was closed by {by} and never changes: what has changed since "
    "comes as corrections into the next run",
    "方案 {scheme} 的 {month} 已由 {by} 关账，不再变化：之后的变化作为更正计入下一次发薪",
)
COME_TO: Final = Text("had come to {at}", "只到 {at}")
READ_NOTHING: Final = Text("had read nothing", "尚未读入任何记录")
EARLY: Final = Text(
    "{month} ends {ends}, and the ledger {came} when the run of scheme {scheme} was drafted: draft it again "
    "once the ledger has the whole month",
    "{month} 于 {ends} 结束，而方案 {scheme} 起草时账本{came}：请待账本有整月数据后重新起草",
)
UNTIL: Final = Text(", until {at} at the latest", "，最晚 {at} 定案")
PENDING: Final = Text(
    "{orders} orders and {days} agents' days of {month} could still change when the run of scheme {scheme} "
    "was drafted{until}: draft it again then, or say that it is to be closed as it stands (--as-it-stands)",
    "方案 {scheme} 起草时，{month} 仍有 {orders} 单和 {days} 个客服日报可能变化{until}："
    "请届时重新起草，或确认按现状关账（--as-it-stands）",
)
STAYS: Final = Text(
    "the run of scheme {scheme} for {month} is {state} and never changes",
    "方案 {scheme} 的 {month} 已关账，不再变化",
)
NOT_NOW: Final = Text(
    "the run of scheme {scheme} for {month} is {state}, and cannot be taken to the step {step} now: the next "
    "step is {following}",
    "方案 {scheme} 的 {month} 状态为 {state}，现在不能执行 {step}：下一步是 {following}",
)
