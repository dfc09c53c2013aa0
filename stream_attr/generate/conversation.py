"""Conversations (聊天): who says what to whom, message by message."""

from __future__ import annotations

from typing import Any

from stream_attr.generate import phrases
from stream_attr.generate.chance import Chance
from stream_attr.generate.shops import Product, Shop
from stream_attr.rules.shop.days import HOUR_MS, MINUTE_MS

__all__ = ["Chat"]

ENTRIES = ("product_page",) * 9 + ("shop",) * 6 + ("order_page",) * 2 + ("other",) * 3


class Chat:
    """The chat events of one shop; every method writes a stretch of talk and returns when it ended."""

    def __init__(self, shop: Shop, chance: Chance) -> None:
        self._shop_id = shop.shop_id
        self._withholds_text = shop.withholds_text
        self._chance = chance
        self._count = 0
        self.sent: list[dict[str, Any]] = []
        """Messages since the list was last cleared."""

    def _event(self, buyer: str, agent: str, ts: int) -> dict[str, Any]:
        self._count += 1
        record = {
            "event_id": f"c-{self._count:06x}",
            "shop_id": self._shop_id,
            "buyer_id": buyer,
            "agent_id": agent,
            "ts": ts,
        }
        self.sent.append(record)
        return record

    def say(
        self, buyer: str, agent: str, ts: int, sender: str, text: str, kind: str = "text"
    ) -> dict[str, Any]:
        """One message; returns its record, to be added to."""
        record = self._event(buyer, agent, ts)
        record["sender"] = sender
        if kind != "text":
            record["kind"] = kind
        if self._withholds_text:
            record["text_length"] = len(text)
        elif text:
            record["text"] = text
        return record

    def transfer(self, buyer: str, agent: str, to_agent: str, ts: int) -> int:
        """The agent hands the buyer over (转接)."""
        ts += self._chance.integer(1, 20) * 1_000
        record = self._event(buyer, agent, ts)
        record["type"] = "transfer"
        record["to_agent_id"] = to_agent
        return ts

    def talk(
        self,
        buyer: str,
        agent: str,
        ts: int,
        rounds: int,
        *,
        questions: tuple[str, ...] = phrases.QUESTIONS,
        answers: tuple[str, ...] = phrases.ANSWERS,
        product: Product | None = None,
        arrives: bool = False,
    ) -> int:
        """The buyer asks, the agent answers, for some rounds (回合).

        ``arrives``: the buyer has just opened the chat, from a product's page where ``product`` is given.
        """
        chance = self._chance
        if arrives:
            opening = self.say(buyer, agent, ts, "buyer", chance.pick(phrases.OPENERS))
            opening["entry"] = entry = chance.pick(ENTRIES)
            if product and entry == "product_page":
                opening["product_id"] = product.product_id
            if chance.odds(0.6):
                self._auto_reply(buyer, agent, ts + 1_000)
        for _ in range(rounds):
            ts = self._ask(buyer, agent, ts, questions)
            ts = self._answer(buyer, agent, ts, answers, product)
        if chance.odds(0.5):
            ts += chance.integer(3, 60) * 1_000
            self.say(buyer, agent, ts, "buyer", chance.pick(phrases.THANKS))
        if arrives and chance.odds(0.25):
            ts += chance.integer(2, 30) * 1_000
            self.say(buyer, agent, ts, "agent", chance.pick(phrases.SYSTEM), "system")
            if chance.odds(0.25):
                self._rate(buyer, agent, ts)
        return ts

    def _rate(self, buyer: str, agent: str, ts: int) -> None:
        """The buyer rates the service (满意度评价), soon or a day later; some rate it twice."""
        chance = self._chance
        for _ in range(2 if chance.odds(0.05) else 1):
            later = chance.odds(0.1)
            record = self._event(buyer, agent, ts + chance.early(5_000, 30 * HOUR_MS if later else HOUR_MS))
            record["type"] = "rating"
            record["score"] = 5 if chance.odds(0.7) else chance.integer(1, 6)
            if later:
                record["rated_ts"] = ts

    def answers(self, buyer: str, agent: str, ts: int) -> int:
        """The agent answers what was asked elsewhere, or the day before, in a message or two."""
        for _ in range(self._chance.integer(1, 3)):
            ts += self._chance.early(5_000, 60_000)
            self.say(buyer, agent, ts, "agent", self._chance.pick(phrases.ANSWERS))
        return ts

    def _ask(self, buyer: str, agent: str, ts: int, questions: tuple[str, ...]) -> int:
        chance = self._chance
        ts += chance.early(4, 90) * 1_000 + chance.integer(0, 1_000)
        what = chance.draw()
        if what < 0.04:
            self.say(buyer, agent, ts, "buyer", "", "image")
        elif what < 0.05:
            self.say(buyer, agent, ts, "buyer", " ")
        elif what < 0.055:
            self.say(buyer, agent, ts, "buyer", phrases.CUT_EMOJI)
        else:
            self.say(buyer, agent, ts, "buyer", chance.pick(questions))
        while chance.odds(0.3):
            ts += chance.integer(1_000, 9_000)
            self.say(buyer, agent, ts, "buyer", chance.pick(questions))
        return ts

    def _answer(
        self, buyer: str, agent: str, ts: int, answers: tuple[str, ...], product: Product | None
    ) -> int:
        chance = self._chance
        ts += chance.early(3_000, 60_000) if chance.odds(0.94) else chance.integer(2, 14) * MINUTE_MS
        what = chance.draw()
        if what < 0.06 and product:
            card = self.say(buyer, agent, ts, "agent", "", "card")
            card["product_id"] = product.product_id
        elif what < 0.07:
            self.say(buyer, agent, ts, "agent", phrases.ADVERT)
        elif what < 0.072:
            self.say(buyer, agent, ts, "agent", phrases.INVISIBLE)
        else:
            self.say(buyer, agent, ts, "agent", chance.pick(answers))
        while chance.odds(0.3):
            ts += chance.integer(1_500, 12_000)
            self.say(buyer, agent, ts, "agent", chance.pick(answers + phrases.CLOSINGS))
        return ts

    def _auto_reply(self, buyer: str, agent: str, ts: int) -> None:
        text = self._chance.pick(phrases.AUTO_REPLIES)
        if self._chance.odds(0.7):
            self.say(buyer, agent, ts, "agent", text, "auto_reply")
        else:
            self.say(buyer, agent, ts, "agent", phrases.AUTO_PREFIX + text)

    def broadcast(self, buyer: str, agent: str, ts: int) -> int:
        """One message of a mass mailing (群发); now and then the buyer takes it up."""
        self.say(buyer, agent, ts, "agent", self._chance.pick(phrases.BROADCASTS), "broadcast")
        if self._chance.odds(0.1):
            ts = self.talk(buyer, agent, ts + self._chance.integer(1, 40) * MINUTE_MS, 2)
        return ts

    def nudge(self, buyer: str, agent: str, ts: int, texts: tuple[str, ...] = phrases.NUDGES) -> int:
        """The agent writes first (单口相声 where nobody answers)."""
        for _ in range(self._chance.integer(1, 4)):
            self.say(buyer, agent, ts, "agent", self._chance.pick(texts))
            ts += self._chance.integer(2, 30) * 1_000
        if self._chance.odds(0.3):
            ts += self._chance.early(1, 120) * MINUTE_MS
            self.say(buyer, agent, ts, "buyer", self._chance.pick(phrases.THANKS))
        return ts

    def no_answer(self, buyer: str, agent: str, ts: int) -> int:
        """The buyer writes and nobody answers."""
        for _ in range(self._chance.integer(1, 4)):
            self.say(buyer, agent, ts, "buyer", self._chance.pick(phrases.OPENERS))
            ts += self._chance.integer(5, 90) * 1_000
        return ts

    def one_sentence(self, buyer: str, agent: str, ts: int) -> int:
        """The buyer says one sentence (客户单句), the agent goes on answering."""
        self.say(buyer, agent, ts, "buyer", self._chance.pick(phrases.QUESTIONS))
        for _ in range(self._chance.integer(2, 5)):
            ts += self._chance.integer(5, 60) * 1_000
            self.say(buyer, agent, ts, "agent", self._chance.pick(phrases.ANSWERS))
        return ts
