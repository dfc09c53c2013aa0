"""The words of appeals in both languages, and what an appeal or an answer is refused with."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from stream_attr.errors import UnusableError
from stream_attr.ledger.texts import Text

__all__ = ["ANSWERS", "LONGEST", "NOBODY", "REASONS", "STATES", "Answer", "AppealError", "Reason", "State"]

LONGEST: Final = 1_000
"""Characters of what somebody says to an appeal."""
NOBODY: Final = Text("nobody", "无人")


class Reason(StrEnum):
    """Why somebody appeals."""

    SERVED_BUYER = "served_buyer"
    FILTERED = "filtered"
    OUTSIDE_CHAT = "outside_chat"
    HANDED_OVER = "handed_over"
    AGREED = "agreed"
    NOT_MINE = "not_mine"
    WRONG_DATA = "wrong_data"
    OTHER = "other"


REASONS: Final = {
    Reason.SERVED_BUYER: Text("served the buyer and was not counted", "接待了买家但未计入"),
    Reason.FILTERED: Text("the reception was filtered wrongly", "接待被误过滤"),
    Reason.OUTSIDE_CHAT: Text("served by phone or elsewhere", "通过电话等其他渠道服务"),
    Reason.HANDED_OVER: Text("the buyer was handed over", "买家由同事转接"),
    Reason.AGREED: Text("agreed among colleagues", "与同事另有约定"),
    Reason.NOT_MINE: Text("the sale is not mine", "业绩不属于我"),
    Reason.WRONG_DATA: Text("a record is missing or wrong", "数据缺失或有误"),
    Reason.OTHER: Text("another reason", "其他原因"),
}


class State(StrEnum):
    """Where an appeal stands."""

    OPEN = "open"
    ANSWERED = "answered"
    WITHDRAWN = "withdrawn"


STATES: Final = {
    State.OPEN: Text("open", "待处理"),
    State.ANSWERED: Text("answered", "已答复"),
    State.WITHDRAWN: Text("withdrawn", "已撤回"),
}


class Answer(StrEnum):
    """How an appeal is answered."""

    GRANTED = "granted"
    """The sale goes to whom the appeal expects."""
    GRANTED_IN_PART = "granted_in_part"
    """It goes to somebody else, or to nobody."""
    REFUSED = "refused"
    """The decision is upheld."""


ANSWERS: Final = {
    Answer.GRANTED: Text("granted", "支持"),
    Answer.GRANTED_IN_PART: Text("granted in part", "部分支持"),
    Answer.REFUSED: Text("refused, the decision is upheld", "驳回，维持原归属"),
}


class AppealError(UnusableError):
    """What somebody wants to do with an appeal cannot be done; ``text`` says why, in both languages."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.english)
        self.text = text
