"""One buyer's journey through a shop: what is asked, of whom, and what is bought.

A shop-day is some thousand journeys, each begun by the day's curve and then left to run: into the next
shift, the next day, and for refunds the next week.
"""

from __future__ import annotations

from stream_attr.generate import phrases
from stream_attr.generate.chance import Chance
from stream_attr.generate.conversation import Chat
from stream_attr.generate.orders import Orders
from stream_attr.generate.rhythm import DayCurve
from stream_attr.generate.rulings import Rulings
from stream_attr.generate.shops import OFFICIAL_ACCOUNT, Agents, Product, Shop, products
from stream_attr.rules.shop.days import DAY_MS, HOUR_MS, MINUTE_MS

__all__ = ["Journeys"]

RECENT = 2_000
"""How many buyers a shop remembers as recent; those come back more often than others."""


class Journeys:
    """The journeys of one shop's buyers; each fills ``chat.sent``, ``orders.happened``, ``rulings.given``."""

    def __init__(self, shop: Shop, agents: Agents, buyers: int, chance: Chance) -> None:
        self._chance = chance
        self._zone = shop.zone
        self._agents = agents
        self._buyers = buyers
        self._products = products(chance)
        self._recent: list[str] = []
        self._customers: list[str] = []
        self.chat = Chat(shop, chance)
        self.orders = Orders(shop, chance)
        self.rulings = Rulings(shop, agents, chance)

    def begin(self, day: DayCurve) -> None:
        """Let one buyer turn up on this day, and write all that comes of it."""
        chance = self._chance
        ts = day.arrival(chance)
        what = chance.draw()
        if what < 0.61:
            self._asks(day, ts)
        elif what < 0.875:
            self._silent(day, ts)
        elif what < 0.92:
            self._after_sales(ts)
        elif what < 0.957:
            self.chat.broadcast(self._buyer(), self._agent(day, ts), ts)
        elif what < 0.975:
            self.chat.nudge(self._buyer(), self._agent(day, ts), ts)
        elif what < 0.977:
            self._at_midnight(day, ts)
        elif what < 0.983:
            self.chat.no_answer(self._buyer(), self._agent(day, ts), ts)
        elif what < 0.994:
            self.chat.one_sentence(self._buyer(), self._agent(day, ts), ts)
        else:
            self._odd(day, ts)

    def _buyer(self) -> str:
        chance = self._chance
        if self._recent and chance.odds(0.3):
            return chance.pick(self._recent)
        buyer = f"b-{chance.integer(0, self._buyers):05x}"
        _remember(self._recent, buyer, chance)
        return buyer

    def _agent(self, day: DayCurve, ts: int) -> str:
        if self._agents.trainee and self._chance.odds(0.02):
            return self._agents.trainee
        return self._chance.pick(self._agents.on_duty(day.hour(ts)))

    def _asks(self, day: DayCurve, ts: int) -> None:
        """A buyer asks before buying (售前咨询): transfers, second visits, and often an order."""
        chance, chat = self._chance, self.chat
        buyer, agent = self._buyer(), self._agent(day, ts)
        product = chance.pick(self._products)
        rounds = chance.early(3, 9)
        if chance.odds(0.05):
            ts = self._from_robot(buyer, agent, ts)
        elif chance.odds(0.12):
            ts = self._handed_over(day, buyer, agent, ts, product, rounds)
        else:
            ts = chat.talk(buyer, agent, ts, rounds, product=product, arrives=True)
        if chance.odds(0.18):
            ts += chance.early(20 * MINUTE_MS, 40 * HOUR_MS)
            ts = chat.talk(
                buyer, self._agent(day, ts), ts, chance.early(1, 5), product=product, arrives=chance.odds(0.7)
            )
        if chance.odds(0.38):
            basket = [product] if chance.odds(0.8) else [product, chance.pick(self._products)]
            self._buys(day, buyer, ts + chance.early(20 * 1_000, 50 * MINUTE_MS), basket)
        elif chance.odds(0.1):
            # Thinks it over, for longer than some shops' validity.
            self._buys(day, buyer, ts + chance.early(12 * HOUR_MS, 6 * DAY_MS), [product])

    def _handed_over(
        self, day: DayCurve, buyer: str, agent: str, ts: int, product: Product, rounds: int
    ) -> int:
        chance, chat = self._chance, self.chat
        if chance.odds(0.35):
            # Passed on at once, with one sentence or none (转发).
            ts = chat.no_answer(buyer, agent, ts)
            if chance.odds(0.5):
                chat.say(buyer, agent, ts, "agent", chance.pick(phrases.HANDOVERS))
        else:
            ts = chat.talk(buyer, agent, ts, max(1, rounds // 2), product=product, arrives=True)
            ts += chance.integer(5, 60) * 1_000
            chat.say(buyer, agent, ts, "agent", chance.pick(phrases.HANDOVERS))
        heirs = self._agents.aftersale if chance.odds(0.15) else self._agents.on_duty(day.hour(ts))
        heir = chance.pick(heirs)
        if heir == agent:
            return ts
        ts = chat.transfer(buyer, agent, heir, ts)
        return chat.talk(buyer, heir, ts, max(1, rounds // 2), product=product)

    def _from_robot(self, buyer: str, agent: str, ts: int) -> int:
        """The robot takes the question and hands the buyer over; often nothing is asked again (转接)."""
        chance, chat, robot = self._chance, self.chat, self._agents.robot
        chat.say(buyer, robot, ts, "buyer", chance.pick(phrases.OPENERS))
        chat.say(buyer, robot, ts + 1_000, "agent", chance.pick(phrases.AUTO_REPLIES), "auto_reply")
        ts = chat.transfer(buyer, robot, agent, ts + chance.integer(5, 60) * 1_000)
        if chance.odds(0.05):
            return ts  # and there nobody answers
        if chance.odds(0.5):
            return chat.talk(buyer, agent, ts, 2)
        return chat.answers(buyer, agent, ts)

    def _at_midnight(self, day: DayCurve, ts: int) -> None:
        """A question of the last minute of a day, answered on the next, and an order on it (跨天)."""
        chance = self._chance
        ts = self._zone.end_of_day(ts) - chance.integer(1, 60) * 1_000
        buyer, agent = self._buyer(), self._agent(day, ts)
        self.chat.say(buyer, agent, ts, "buyer", chance.pick(phrases.QUESTIONS))
        ts = self.chat.answers(buyer, agent, ts + 60_000)
        if chance.odds(0.6):
            self._buys(
                day, buyer, ts + chance.early(20 * 1_000, 10 * MINUTE_MS), [chance.pick(self._products)]
            )

    def _silent(self, day: DayCurve, ts: int) -> None:
        """A buyer orders without having asked (静默下单)."""
        self._buys(day, self._buyer(), ts, [self._chance.pick(self._products)])

    def _buys(self, day: DayCurve, buyer: str, ts: int, basket: list[Product]) -> None:
        """An order, and the talk around it: before payment, just after it, and when it comes back."""
        chance, chat = self._chance, self.chat
        purchase = self.orders.place(buyer, ts, basket)
        _remember(self._customers, buyer, chance)
        pays = purchase.paid_ts
        gap = 12 * HOUR_MS if pays is None else pays - ts
        if gap > 3 * MINUTE_MS and chance.odds(0.4):
            at = ts + chance.early(MINUTE_MS, gap)
            agent = self._agent(day, at)
            if chance.odds(0.5):
                at = chat.nudge(buyer, agent, at, phrases.URGES)
            chat.talk(buyer, agent, at, 1, questions=phrases.ADDRESS)
        if pays is not None and chance.odds(0.07):
            at = pays + chance.early(10 * 1_000, 25 * MINUTE_MS)
            rounds = chance.integer(1, 3)
            chat.talk(
                buyer, self._agent(day, at), at, rounds, questions=phrases.ADDRESS, arrives=chance.odds(0.5)
            )
        self.rulings.complain(purchase)
        complains = self.orders.settle(purchase)
        if complains is not None and chance.odds(0.7):
            self._complaint(buyer, complains)

    def _after_sales(self, ts: int) -> None:
        """A customer with a grievance about an order of some days ago (售后咨询)."""
        buyer = self._chance.pick(self._customers) if self._customers else self._buyer()
        self._complaint(buyer, ts)

    def _complaint(self, buyer: str, ts: int) -> None:
        self.chat.talk(
            buyer,
            self._chance.pick(self._agents.aftersale),
            ts,
            self._chance.early(2, 7),
            questions=phrases.AFTERSALE_QUESTIONS,
            answers=phrases.AFTERSALE_ANSWERS,
            arrives=True,
        )

    def _odd(self, day: DayCurve, ts: int) -> None:
        """Buyers who are none: a colleague, the platform, a customer's sub-account."""
        chance = self._chance
        agent = self._agent(day, ts)
        who = chance.draw()
        if who < 0.35:
            self.chat.talk(chance.pick(self._agents.aftersale), agent, ts, 2, arrives=True)
        elif who < 0.6:
            self.chat.talk(OFFICIAL_ACCOUNT, agent, ts, 2, arrives=True)
        else:
            buyer = self._buyer()
            before = len(self.chat.sent)
            self.chat.talk(buyer, agent, ts, 2, arrives=True)
            for record in self.chat.sent[before:]:
                if record.get("sender") == "buyer":
                    record["buyer_is_subaccount"] = True


def _remember(ring: list[str], buyer: str, chance: Chance) -> None:
    """Keep a buyer among the recent ones, in the place of somebody else where these are full."""
    if len(ring) < RECENT:
        ring.append(buyer)
    else:
        ring[chance.integer(0, RECENT)] = buyer
