"""Pages of lists that are asked for: each of their orders and refunds says what it says by itself."""

from __future__ import annotations

import pytest

from tests.adapters.platforms import adapted, changed, chats, orders, reasons, sample

LISTS = {
    ("taobao", "trades_sold_increment_get"): ("trade_fullinfo_single", "trade_fullinfo_two_suborders"),
    ("taobao", "tmc_messages_consume"): ("tmc_TradeCreate", "tmc_TradeBuyerPay"),
    ("pinduoduo", "order_number_list_increment_get"): ("order_information_grouped",),
    ("doudian", "order_searchList"): ("order_orderDetail",),
}
UPDATED = 1772589600000


@pytest.mark.parametrize(("platform", "name"), LISTS)
def test_a_page_gives_what_its_members_give(platform, name):
    alone = [
        event for one in LISTS[platform, name] for event in orders(adapted(platform, sample(platform, one)))
    ]
    assert alone
    assert orders(adapted(platform, sample(platform, name))) == alone


def test_a_member_that_cannot_be_read_takes_no_other_with_it():
    place = "trades_sold_increment_get_response__trades__trade__0__created"
    given = adapted("taobao", changed(sample("taobao", "trades_sold_increment_get"), **{place: "yesterday"}))
    assert reasons(given) == ["bad_time"]
    assert {event.order_id for event in orders(given)} == {"2600000000000000011"}


def refund(**fields):
    inner = {f"data__items__0__aftersale_info__{name}": value for name, value in fields.items()}
    return changed(sample("doudian", "afterSale_List"), **inner)


@pytest.mark.parametrize(
    ("fields", "received_ts", "types"),
    [
        ({}, UPDATED + 1, ["refund_requested", "refund_completed"]),
        ({}, UPDATED + 15 * 60_000 + 1, ["refund_requested"]),
        ({"refund_status": 2}, UPDATED + 1, ["refund_requested"]),
        ({"refund_status": 4, "aftersale_status": 28}, UPDATED + 1, ["refund_requested", "refund_closed"]),
        ({"aftersale_type": 3}, UPDATED + 1, []),
        ({"aftersale_type": 7}, UPDATED + 1, []),
        ({"refund_amount": 0}, UPDATED + 1, []),
    ],
)
def test_a_refund_of_doudian_is_money_when_it_has_gone_back(fields, received_ts, types):
    given = orders(adapted("doudian", refund(**fields), received_ts))
    assert [event.type for event in given] == types
    assert [event.ts for event in given] == [1772503200000, received_ts][: len(types)]
    assert {event.refund_id for event in given} <= {"7800000000000000001"}
    assert {event.amount for event in given if event.type != "refund_closed"} <= {19900}


def test_a_refund_of_another_order_than_was_asked_for_is_refused():
    other = changed(
        sample("doudian", "afterSale_List"), data__items__0__order_info__shop_order_id="6900000000000000002"
    )
    store = {("order", "6900000000000000002"): sample("doudian", "order_orderDetail")}
    given = adapted("doudian", other, enrich=lambda *key: store.get(key))
    assert reasons(given) == ["bad_id"]


def test_chats_of_jd_come_alike_in_each_form_of_a_reply():
    """A list of messages, the same under the name that JD's documents give it, and with their session."""
    messages, sessions = sample("jd", "dongdong_chat_logs"), sample("jd", "dongdong_sessions")
    told = {event.event_id: event for one in (messages, sessions) for event in chats(adapted("jd", one))}
    named = {"success": True, "data": messages["list"]}
    assert {event.event_id for event in chats(adapted("jd", named))} <= told.keys()
    single = {"success": True, "data": messages["list"][0]}
    assert [event.event_id for event in chats(adapted("jd", single))] == ["jd:mu-1"]
    details = chats(adapted("jd", sample("jd", "dongdong_chat_details")))
    assert [event.event_id for event in details] == ["jd:mu-1", "jd:mu-2", "jd:sSIDsample0001:transfer"]
    assert all(told[event.event_id] == event for event in details)


def test_an_account_of_jd_that_is_masked_is_no_buyer_and_a_bridge_may_know_it():
    details = sample("jd", "dongdong_chat_details")
    place = "data__0__dongdongSession__xidBuyer"
    masked = adapted("jd", changed(details, **{place: None}))
    assert (chats(masked), set(reasons(masked))) == ([], {"no_buyer"})
    known = adapted("jd", changed(details, **{place: None}), bridge={"jd_s****e": "b-7"}.get)
    assert {event.buyer_id for event in chats(known)} == {"b-7"}


def test_an_account_that_the_older_chats_of_jd_mask_is_no_buyer():
    place = "jingdong_im_pop_chatlog_get_responce__ChatLogPage__chatLogList__0__customer"
    given = adapted("jd", changed(sample("jd", "im_pop_chatlog_get_legacy"), **{place: "jd_s****e"}))
    assert reasons(given) == ["no_buyer"]
    assert {event.buyer_id for event in chats(given)} == {"jd_sample_buyer"}
