"""Days and contributions as the roll-up stores them."""

from __future__ import annotations

import msgspec
import pytest

from stream_attr.codec.internal.day_state import DayState, decode_day, encode_day
from stream_attr.codec.internal.records import BuyerDay, decode_buyer_day, encode_internal
from stream_attr.rules.reports.contribution import Contribution, Ends
from stream_attr.rules.reports.conversion import Inquiries
from stream_attr.rules.reports.deals import Deals
from stream_attr.rules.reports.workload import Workload

ENDS = Ends(1, 2, 3, 4, 5)


def decoded(value: bytes) -> BuyerDay:
    """A buyer's day, which the value is one of."""
    day = decode_buyer_day(value)
    assert isinstance(day, BuyerDay)
    return day


@pytest.mark.parametrize("unloaded", [None, True])
def test_a_day_keeps_whether_it_is_unloaded(unloaded):
    known = DayState("jd:1", 20_000, "Asia/Shanghai", ENDS, unloaded=unloaded)
    assert decode_day(encode_day(known), b"\x02jd:1|20000").unloaded == unloaded


def test_a_contribution_may_have_zeros_in_place_of_what_it_lacks():
    contribution = Contribution(Workload(consults=1, receptions=1), spoke_ts=7)
    zeros = [
        [1, 1, *[0] * 10],
        [0] * len(msgspec.structs.fields(Inquiries)),
        [0] * len(msgspec.structs.fields(Deals)),
    ]
    stored = [1, "jd:1", "b-1", 20_000, 0, "Asia/Shanghai", ENDS, {"A": [*zeros, [], [], 7, False, None]}]
    read = decoded(msgspec.msgpack.encode([*stored, "chat"]))
    assert read.contributions == {"A": contribution.with_zeros()}
    lacking = BuyerDay("jd:1", "b-1", 20_000, 0, "Asia/Shanghai", ENDS, {"A": contribution})
    assert decoded(encode_internal(lacking)).contributions == {"A": contribution}
