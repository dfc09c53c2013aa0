"""What earlier versions stored of days and of what buyers add to them is read."""

from __future__ import annotations

import msgspec
import pytest

from stream_attr.codec.internal.day_state import DayState, decode_day, encode_day
from stream_attr.codec.internal.records import BuyerDay, decode_buyer_day, encode_internal
from stream_attr.rules.reports.contribution import Contribution, Deals, Ends, Inquiries, Workload

ENDS = Ends(1, 2, 3, 4, 5)


@pytest.mark.parametrize("put_away", [None, True, [], ["b-1", "b-2"]])
def test_a_day_says_whether_it_is_put_away_as_it_did_or_by_a_list_of_buyers(put_away):
    known = DayState("jd:1", 20_000, "Asia/Shanghai", ENDS, put_away=put_away)
    assert decode_day(encode_day(known), b"\x02jd:1|20000").put_away == put_away


def test_a_part_with_zeros_is_the_one_that_lacks_them_spelt_out():
    part = Contribution(Workload(consults=1, receptions=1), spoke_ts=7)
    zeros = [
        [1, 1, *[0] * 10],
        [0] * len(msgspec.structs.fields(Inquiries)),
        [0] * len(msgspec.structs.fields(Deals)),
    ]
    stored = [1, "jd:1", "b-1", 20_000, 0, "Asia/Shanghai", ENDS, {"A": [*zeros, [], [], 7, False, None]}]
    told = decode_buyer_day(msgspec.msgpack.encode([*stored, "chat"]))
    assert told.contributions == {"A": part.spelt_out()}
    lacking = BuyerDay("jd:1", "b-1", 20_000, 0, "Asia/Shanghai", ENDS, {"A": part})
    assert decode_buyer_day(encode_internal(lacking)).contributions == {"A": part}
