"""Orders whose id a spreadsheet has changed, and agents as sheets name them."""

from __future__ import annotations

import pytest

from stream_attr.ledger.reports.reconcile.lost_ids import pairs_of
from stream_attr.ledger.reports.reconcile.names import AgentNames
from stream_attr.ledger.reports.scope import Member
from stream_attr.sheets.statuses import State, state_of


@pytest.mark.parametrize(
    ("theirs", "ours", "pairs"),
    [
        (["12345"], ["0012345"], {"12345": "0012345"}),
        (["2600000000000000000"], ["2600000000000000123"], {"2600000000000000000": "2600000000000000123"}),
        (["12345"], ["0012345", "012345"], {}),
        (["2600000000000000000"], ["2600000000000000123", "2600000000000000124"], {}),
        (["2600000000000000000"], ["26000000000000001230"], {}),
        (["2600000000000001000"], ["2600000000000000123"], {}),
        (["12345"], ["12346"], {}),
        (["x12345"], ["0x12345"], {}),
        (["12345", "7"], ["0012345", "07"], {"12345": "0012345", "7": "07"}),
        ([], ["0012345"], {}),
    ],
)
def test_a_pair_is_found_only_where_no_other_can_be_meant(
    theirs: list[str], ours: list[str], pairs: dict[str, str]
) -> None:
    assert pairs_of(theirs, ours) == pairs


def test_agents_are_found_by_id_by_name_and_behind_a_colon() -> None:
    names = AgentNames(
        [Member("kf-1", "阿莲"), Member("kf-2", "小北"), Member("kf-3", "小北"), Member("阿莲2", "kf-2")]
    )
    assert [names.find(one) for one in ("kf-1", "阿莲", "示例店:阿莲", "示例店：kf-1", "kf-2", "阿莲2")] == [
        "kf-1", "kf-1", "kf-1", "kf-1", "kf-2", "阿莲2",
    ]  # fmt: skip
    assert [names.find(one) for one in ("小北", "店:小北", "nobody", "阿")] == [None] * 4
    assert [names.is_of_several(one) for one in ("小北", "店:小北", "阿莲", "nobody")] == [
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("买家已付款，等待卖家发货", State.PAID),
        ("等待买家付款", State.UNPAID),
        ("待付款", State.UNPAID),
        ("交易关闭", State.CLOSED),
        ("已付款，退款成功", State.CLOSED),
        ("交易成功", State.PAID),
        ("Unpaid", State.UNPAID),
        ("Paid", State.PAID),
        ("Cancelled", State.CLOSED),
        ("风控中", None),
    ],
)
def test_statuses_of_platforms(status: str, state: State | None) -> None:
    assert state_of(status) is state
