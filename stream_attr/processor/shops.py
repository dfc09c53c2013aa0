"""The registry of shops: settings and roster with their history (RULEBOOK 2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stream_attr.codec.decoding import check_key
from stream_attr.codec.records.roster import decode_roster
from stream_attr.codec.records.shop_settings import decode_settings
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.contract.topics import ROSTER, SETTINGS
from stream_attr.processor.dead_letter import dead_letter
from stream_attr.processor.ports import Output, Record
from stream_attr.rules.shop.days import MIDNIGHT, MINUTE_MS
from stream_attr.rules.shop.settings import DEFAULT_TIMEZONE
from stream_attr.rules.shop.shop import Shop
from stream_attr.rules.vocabulary import Code

QUARTER: Final = 15
"""Minutes between the times at which days without a day cut may begin, in all time zones."""


class ShopRegistry:
    """Settings and roster of all shops; shared by the processors of a worker.

    ``files``: the names of the files that records come from, by topic; their ``partition`` is an index into
    them. Records from files are taken as they stand; records of a topic must not change the past.
    """

    def __init__(self, files: Mapping[str, tuple[str, ...]] | None = None) -> None:
        self._shops: dict[str, Shop] = {}
        self._files = files
        self.day_starts = {0}
        """How long after a quarter of an hour the days of shops begin, milliseconds."""

    def shop(self, shop_id: str) -> Shop:
        """Return a shop; an unknown one has default settings."""
        shop = self._shops.get(shop_id)
        if shop is None:
            shop = self._shops[shop_id] = Shop(shop_id)
        return shop

    def apply(self, record: Record) -> Output | None:
        """Take a record of ``shop-settings`` or ``agent-roster``; return its dead letter if it is refused."""
        try:
            check_key(record.key)
            if record.topic == SETTINGS:
                self._settings(record)
            elif record.topic == ROSTER:
                self._roster(record)
            else:
                raise ValueError(f"{record.topic} is not a topic of shops")
        except RefusedRecord as refusal:
            return dead_letter(refusal, record, self._files)
        return None

    def _settings(self, record: Record) -> None:
        given = decode_settings(record.value)
        shop = self.shop(given.shop_id)
        text_from = given.first_day
        if shop.is_set:
            for name, named, known in (
                ("timezone", given.timezone, shop.zone.name),
                ("day_cut", given.day_cut, shop.zone.day_cut),
            ):
                if named is not None and named != known:
                    raise RefusedRecord(
                        Code.BAD_VALUE,
                        f"`{name}` is {known} since the shop's first record and cannot change",
                        name,
                    )
            if self._files is None:
                today = self._not_past(given.first_day, shop, record)
                if given.first_day == today:
                    text_from = today + 1
        timezone, day_cut = given.timezone or DEFAULT_TIMEZONE, given.day_cut or MIDNIGHT
        shop.add_settings(given.record(text_from), timezone, day_cut)
        self.day_starts.add(int(shop.zone.day_cut[-2:]) % QUARTER * MINUTE_MS)

    def _roster(self, record: Record) -> None:
        given = decode_roster(record.value)
        shop = self.shop(given.shop_id)
        if self._files is None and shop.lists(given.agent_id):
            self._not_past(given.first_day, shop, record)
        shop.add_role(given.agent_id, given.first_day, given.role)

    @staticmethod
    def _not_past(first_day: int, shop: Shop, record: Record) -> int:
        """Return the day on which a record was sent; refuse one that takes effect before it."""
        today = shop.zone.day_of(record.timestamp)
        if first_day < today:
            raise RefusedRecord(
                Code.BAD_VALUE,
                "`effective_from` lies before the day on which the record was sent: "
                "a change holds from today at the earliest",
                "effective_from",
            )
        return today
