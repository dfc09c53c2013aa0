"""What is easily got wrong, platform by platform: who, whether, how much and when."""

from __future__ import annotations

import json

import pytest

from stream_attr.adapters.shared_inbox import SharedInbox
from tests.adapters.platforms import (
    Store,
    adapted,
    bridge,
    changed,
    chats,
    documents,
    orders,
    reasons,
    sample,
)

CREATED, PAID = 1772417400000, 1772417520000
"""2026-03-02 10:10:00 and 10:12:00 in China."""
HOUR, DAY = 3_600_000, 86_400_000


def by_type(given):
    return {event.type: event for event in orders(given)}


# Guest buyers


def test_a_guest_of_shopify_has_no_event_and_is_counted():
    for guest in (None, {"id": None}, {}):
        given = adapted("shopify", changed(sample("shopify", "orders_paid"), customer=guest))
        assert (orders(given), reasons(given)) == ([], ["no_buyer"])


def test_a_guest_of_woocommerce_is_customer_0_and_no_buyer_of_many_orders():
    for guest in (0, "0", None, ""):
        given = adapted("woocommerce", changed(sample("woocommerce", "order_created"), customer_id=guest))
        assert (orders(given), reasons(given)) == ([], ["no_buyer"])


def test_a_shop_that_knows_its_guests_says_so_by_the_bridge():
    payload = changed(sample("woocommerce", "order_created"), customer_id=0)
    given = adapted("woocommerce", payload, bridge={"7001": "b-77"}.get)
    assert [event.buyer_id for event in orders(given)] == ["b-77"]


def test_pinduoduo_names_no_buyer_at_all():
    given = adapted("pinduoduo", sample("pinduoduo", "order_information_grouped"), bridge=lambda _: None)
    assert (orders(given), reasons(given)) == ([], ["no_buyer"])


def test_a_masked_account_of_jd_is_no_buyer():
    masked = sample("jd", "pop_order_search")
    place = "jingdong_pop_order_search_responce__searchorderinfo_result__orderInfoList__0__"
    masked = changed(masked, **{f"{place}xid_buyer": "", f"{place}open_id_buyer": None})
    given = adapted("jd", masked)
    assert "no_buyer" in reasons(given)
    assert not {event.buyer_id for event in orders(given)} & {"jd_s****e", ""}


# Paid is not one state


@pytest.mark.parametrize("status", ["pending", "authorized", "voided", None])
def test_an_authorization_of_shopify_is_no_payment(status):
    given = adapted("shopify", changed(sample("shopify", "orders_paid"), financial_status=status))
    assert by_type(given).keys() == {"created"}


def test_shopifys_transactions_say_what_was_paid_and_when():
    kinds = [
        ("authorization", "success", "10.00"),
        ("sale", "pending", "20.00"),
        ("sale", "failure", "30.00"),
        ("capture", "success", "40.00"),
        ("sale", "success", "159.00"),
    ]
    transactions = [
        {
            "id": number,
            "kind": kind,
            "status": status,
            "amount": amount,
            "currency": "CNY",
            "created_at": f"2026-03-02T10:1{number}:00+08:00",
        }
        for number, (kind, status, amount) in enumerate(kinds)
    ]
    payload = {**sample("shopify", "orders_paid"), "transactions": transactions}
    given = adapted("shopify", payload)
    paid = [event for event in orders(given) if event.type == "paid"]
    assert [(event.payment_id, event.amount, event.ts) for event in paid] == [
        ("3", 4000, CREATED + 3 * 60_000),
        ("4", 15900, CREATED + 4 * 60_000),
    ]
    assert reasons(given) == ["ignored", "not_yet", "not_money"]


def test_a_free_order_of_shopify_is_paid_without_a_transaction():
    given = adapted("shopify", changed(sample("shopify", "orders_paid"), total_price="0.00"))
    assert by_type(given)["paid"].amount == 0


def test_processing_of_woocommerce_need_not_mean_money():
    waiting = changed(sample("woocommerce", "order_updated_processing"), date_paid_gmt=None)
    assert by_type(adapted("woocommerce", waiting)).keys() == {"created"}


def test_cash_on_delivery_is_paid_when_it_is_placed_and_refunded_when_it_is_called_off():
    """RULEBOOK 2, "Which event of an order counts"."""
    order = changed(
        sample("woocommerce", "order_updated_processing"), payment_method="cod", date_paid_gmt=None
    )
    assert by_type(adapted("woocommerce", order))["paid"].ts == CREATED
    assert by_type(adapted("woocommerce", changed(order, status="pending"))).keys() == {"created"}
    off = changed(order, status="cancelled", date_modified_gmt="2026-03-03T02:00:00")
    refused = by_type(adapted("woocommerce", off, 1772503205000))
    assert (refused["paid"].ts, refused["cancelled"].ts) == (CREATED, 1772503205000)
    assert (refused["refund_completed"].amount, refused["refund_completed"].refund_id) == (19900, "7001.cod")


def jd_order(**fields):
    order = sample("jd", "pop_order_search")["jingdong_pop_order_search_responce"]
    return {**order["searchorderinfo_result"]["orderInfoList"][0], **fields}


@pytest.mark.parametrize(
    "fields",
    [
        {"actualPay": "0.00"},
        {"actualPay": None},
        {"paymentConfirmTime": "0001-01-01 00:00:00"},
        {"paymentConfirmTime": ""},
    ],
)
def test_waiting_to_be_sent_is_not_paid_at_jd_unless_money_and_its_time_are_real(fields):
    assert by_type(adapted("jd", jd_order(**fields))).keys() == {"created"}


def test_cash_on_delivery_at_jd():
    on_delivery = jd_order(payType="1-货到付款", actualPay="0.00", paymentConfirmTime="0001-01-01 00:00:00")
    paid = by_type(adapted("jd", on_delivery))["paid"]
    assert (paid.ts, paid.amount) == (CREATED, 19900)
    later = {**on_delivery, "actualPay": "199.00", "paymentConfirmTime": "2026-03-05 10:00:00"}
    assert by_type(adapted("jd", later))["paid"] == paid, "it says the same when the money has come"
    refused = {**on_delivery, "orderState": "DELIVERY_RETURN", "orderEndTime": "2026-03-05 10:00:00"}
    found = by_type(adapted("jd", refused))
    assert (found["refund_completed"].amount, found["refund_completed"].ts) == (19900, 1772676000000)


def test_a_group_of_pinduoduo_that_is_not_complete_is_not_paid():
    given = adapted("pinduoduo", sample("pinduoduo", "order_information_group_pending"))
    assert (by_type(given).keys(), reasons(given)) == ({"created"}, ["not_yet"])
    checked = changed(
        sample("pinduoduo", "order_information_grouped"),
        order_info_get_response__order_info__risk_control_status=1,
    )
    assert by_type(adapted("pinduoduo", checked)).keys() == {"created"}


def test_pinduoduo_is_paid_when_it_is_confirmed_and_not_before():
    paid = by_type(adapted("pinduoduo", sample("pinduoduo", "order_information_grouped")))["paid"]
    assert paid.ts == PAID + 5000, "confirm_time, not pay_time"


def test_a_held_trade_of_taobao_is_not_paid():
    held = changed(
        sample("taobao", "trade_fullinfo_single"),
        trade_fullinfo_get_response__trade__status="PAID_FORBID_CONSIGN",
    )
    given = adapted("taobao", held)
    assert (by_type(given).keys(), reasons(given)) == ({"created"}, ["not_yet"])


def test_pay_later_of_wechat_is_not_paid():
    later = changed(sample("wechat_shop", "order_get"), order__order_detail__pay_info__payment_method=2)
    given = adapted("wechat_shop", later)
    assert (by_type(given).keys(), reasons(given)) == ({"created"}, ["not_yet"])


# Deposits


def test_a_deposit_is_no_payment_and_the_payment_carries_the_whole_price():
    presale = sample("doudian", "order_orderDetail_presale_phase")
    found = by_type(adapted("doudian", presale))
    assert found.keys() == {"created", "deposit_paid"}
    assert found["deposit_paid"].amount == 5000
    place = "data__shop_order_detail__order_phase_list__1__"
    settled = changed(presale, **{f"{place}phase_pay_time": 1773000000, f"{place}phase_pay_amount": 14900})
    paid = by_type(adapted("doudian", settled))["paid"]
    assert (paid.amount, paid.ts) == (19900, 1773000000000)


def test_a_deposit_of_taobao_has_the_time_of_its_message():
    found = by_type(adapted("taobao", sample("taobao", "tmc_TradeBuyerStepPay")))
    assert (found["deposit_paid"].amount, found["deposit_paid"].ts) == (5000, PAID)


def test_a_balance_of_pinduoduo_is_not_paid_when_its_deposit_is():
    presale = sample("pinduoduo", "order_information_presale")
    place = "order_info_get_response__order_info__"
    assert by_type(adapted("pinduoduo", presale)).keys() == {"created"}
    settled = changed(
        presale,
        **{f"{place}step_order_info__step_trade_status": 2, f"{place}updated_at": "2026-03-20 10:00:00"},
    )
    assert reasons(adapted("pinduoduo", settled)) == ["no_time"]
    assert by_type(adapted("pinduoduo", settled, 1773972060000))["paid"].ts == 1773972060000


def test_a_presale_of_jd():
    presale = sample("jd", "presale_getPresaleOrderByPage")
    found = by_type(adapted("jd", presale))
    assert found.keys() == {"created", "deposit_paid"}
    assert (found["created"].amount, found["deposit_paid"].amount) == (19900, 5000)
    settled = changed(
        presale,
        PresaleOrderVO__0__payBalanceReal="149.00",
        PresaleOrderVO__0__balanceTime="2026-03-12 10:00:00",
    )
    paid = by_type(adapted("jd", settled))["paid"]
    assert (paid.amount, paid.ts) == (19900, 1773280800000)


# Closed is not always cancelled


def test_taobaos_trade_closed_is_a_refund_and_trade_closed_by_taobao_is_a_cancellation():
    message = sample("taobao", "tmc_TradeClose")
    assert by_type(adapted("taobao", message)).keys() == {"cancelled"}
    content = {**json.loads(message["content"]), "status": "TRADE_CLOSED"}
    given = adapted("taobao", {**message, "content": json.dumps(content)})
    assert (orders(given), reasons(given)) == ([], ["ignored"])
    trade = changed(
        sample("taobao", "trade_fullinfo_single"), trade_fullinfo_get_response__trade__status="TRADE_CLOSED"
    )
    assert "cancelled" not in by_type(adapted("taobao", trade, PAID + 1000))


def test_wechats_cancel_type_3_is_a_refund():
    event = sample("wechat_shop", "event_order_cancel")
    assert by_type(adapted("wechat_shop", event)).keys() == {"cancelled"}
    for kind in (3, "3"):
        given = adapted("wechat_shop", changed(event, order_info__cancel_type=kind))
        assert (orders(given), reasons(given)) == ([], ["ignored"])


def test_youzans_and_xiaohongshus_and_kuaishous_closed_orders_are_cancelled_only_if_unpaid():
    closed = sample("youzan", "push_TRADE_ORDER_STATE_closed")
    assert by_type(adapted("youzan", closed)).keys() == {"cancelled"}
    paid = {**closed, "msg": closed["msg"].replace("000000000002", "000000000001")}
    assert (orders(adapted("youzan", paid)), reasons(adapted("youzan", paid))) == ([], ["ignored"])
    push = sample("xiaohongshu", "push_repeat_status4")[0]
    off = {**push, "data": json.dumps({**json.loads(push["data"]), "orderStatus": 9})}
    assert reasons(adapted("xiaohongshu", [off])) == ["ignored"]
    unpaid = changed(sample("xiaohongshu", "order_getOrderDetail"), data__paidTime=0)
    store = Store({("order", "P700000000000000001"): unpaid})
    assert by_type(adapted("xiaohongshu", [off], enrich=store)).keys() == {"cancelled"}
    fail = sample("kuaishou", "msg_orderFail")
    assert by_type(adapted("kuaishou", fail)).keys() == {"cancelled"}
    of_paid = {**fail, "info": fail["info"].replace("000002", "000001")}
    assert reasons(adapted("kuaishou", of_paid)) == ["ignored"]


def test_a_failed_payment_of_woocommerce_may_be_tried_again():
    failed = changed(sample("woocommerce", "order_updated_cancelled"), status="failed")
    assert by_type(adapted("woocommerce", failed, 1772503205000)).keys() == {"created"}


# A refund that succeeds without money


@pytest.mark.parametrize("kind", ["TMALL_EXCHANGE", "REPAIR", "RESHIPPING"])
def test_an_exchange_or_repair_of_taobao_is_no_money(kind):
    refund = sample("taobao", "refunds_receive_get")["refunds_receive_get_response"]["refunds"]["refund"][0]
    known = {**documents("taobao"), ("refund", refund["refund_id"]): {**refund, "dispute_type": kind}}
    given = adapted("taobao", sample("taobao", "tmc_RefundSuccess"), enrich=Store(known))
    assert (orders(given), reasons(given)) == ([], ["not_money"])


def test_a_refund_of_taobao_that_may_be_an_exchange_is_not_taken_for_money():
    without = {key: one for key, one in documents("taobao").items() if key[0] != "refund"}
    given = adapted("taobao", sample("taobao", "tmc_RefundSuccess"), enrich=Store(without))
    assert (orders(given), reasons(given)) == ([], ["needs_detail"])


def test_a_restock_of_shopify_is_no_money():
    given = adapted("shopify", changed(sample("shopify", "refunds_create"), transactions=[]))
    assert (orders(given), reasons(given)) == ([], ["not_money"])


def test_two_cards_are_two_refunds_of_shopify_and_one_that_is_pending_is_none():
    refund = sample("shopify", "refunds_create")
    one = refund["transactions"][0]
    refund["transactions"] = [
        {**one, "id": 2, "amount": "150.00"},
        {**one, "id": 3, "amount": "49.00"},
        {**one, "id": 4, "status": "pending"},
        {**one, "id": 5, "kind": "void"},
    ]
    given = adapted("shopify", refund)
    assert [(event.refund_id, event.amount) for event in orders(given)] == [
        ("4400000000001.2", 15000),
        ("4400000000001.3", 4900),
    ]
    assert reasons(given) == ["not_yet"]


@pytest.mark.parametrize("way", [3, 4, 5])
def test_exchanges_and_repairs_of_kuaishou_are_no_money(way):
    push = sample("kuaishou", "msg_updateRefund")
    info = {**json.loads(push["info"]), "handlingWay": way}
    assert reasons(adapted("kuaishou", {**push, "info": json.dumps(info)})) == ["not_money"]


def test_exchanges_of_xiaohongshu_and_wechat_and_pinduoduo_are_no_money():
    push = sample("xiaohongshu", "push_aftersale")[1]
    data = {**json.loads(push["data"]), "returnType": 2}
    assert reasons(adapted("xiaohongshu", [{**push, "data": json.dumps(data)}])) == ["not_money"]
    refund = changed(sample("wechat_shop", "aftersale_get"), after_sale_order__type="EXCHANGE")
    assert reasons(adapted("wechat_shop", refund)) == ["not_money"]
    page = changed(
        sample("pinduoduo", "refund_list_increment_get"),
        refund_increment_get_response__refund_list__0__after_sales_type=4,
    )
    assert reasons(adapted("pinduoduo", page)) == ["not_money"]


def test_an_agreement_of_pinduoduo_is_no_refund_yet():
    given = adapted("pinduoduo", sample("pinduoduo", "pmc_RefundAgreeAgreement"))
    assert (orders(given), reasons(given)) == ([], ["ignored"])


def test_an_audit_of_jd_moves_no_money():
    given = adapted("jd", sample("jd", "afs_refundapply_queryPageList"))
    assert by_type(given).keys() == {"refund_requested"}


# Mixed units


def test_one_refund_of_pinduoduo_in_its_three_forms_is_one_amount():
    message = adapted("pinduoduo", sample("pinduoduo", "pmc_RefundCreated"))
    page = adapted("pinduoduo", sample("pinduoduo", "refund_list_increment_get"))
    order = adapted("pinduoduo", sample("pinduoduo", "order_information_grouped"))
    assert {event.amount for given in (message, page, order) for event in orders(given)} == {19900}
    assert orders(message)[0] == orders(page)[0]


def test_jds_refund_request_is_fen_and_its_order_yuan():
    refund = by_type(adapted("jd", sample("jd", "afs_refundapply_queryPageList")))["refund_requested"]
    assert refund.amount == by_type(adapted("jd", jd_order()))["paid"].amount == 19900


def test_xiaohongshus_order_is_fen_and_its_refund_yuan():
    refund = orders(adapted("xiaohongshu", sample("xiaohongshu", "push_aftersale")))[1]
    paid = by_type(adapted("xiaohongshu", sample("xiaohongshu", "order_getOrderDetail")))["paid"]
    assert refund.amount == paid.amount == 19900


@pytest.mark.parametrize(
    ("currency", "price", "amount"),
    [("CNY", "199.99", 19999), ("JPY", "19900", 19900), ("JPY", "19900.00", 19900), ("KWD", "1.234", 1234)],
)
def test_a_currency_has_its_own_digits(currency, price, amount):
    payload = changed(sample("woocommerce", "order_updated_processing"), currency=currency, total=price)
    assert {event.amount for event in orders(adapted("woocommerce", payload))} == {amount}


@pytest.mark.parametrize(("currency", "price"), [("JPY", "199.50"), ("CNY", "1.005"), ("KWD", "1.2345")])
def test_what_a_currency_cannot_hold_is_refused_and_never_rounded(currency, price):
    payload = changed(sample("shopify", "orders_create"), currency=currency, total_price=price)
    given = adapted("shopify", payload)
    assert (orders(given), reasons(given)) == ([], ["bad_amount"])


def test_what_the_platform_pays_for_the_buyer_is_not_the_buyers_money_at_doudian():
    order = changed(sample("doudian", "order_orderDetail"), data__shop_order_detail__promotion_pay_amount=500)
    assert by_type(adapted("doudian", order))["paid"].amount == 19400


def test_after_a_refund_the_payment_of_a_trade_is_less_than_was_paid_that_day():
    place = "trade_fullinfo_get_response__trade__orders__order__0__refund_status"
    late = changed(sample("taobao", "trade_fullinfo_single"), **{place: "SUCCESS"})
    given = adapted("taobao", late)
    assert (by_type(given).keys(), reasons(given)) == ({"created"}, ["bad_amount"])


# Times


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Shanghai", "Pacific/Auckland"])
def test_naive_times_do_not_follow_the_zone_of_the_machine(zone, monkeypatch):
    import time  # noqa: PLC0415

    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert by_type(adapted("jd", jd_order()))["created"].ts == CREATED
        assert (
            by_type(adapted("woocommerce", sample("woocommerce", "order_created")))["created"].ts == CREATED
        )
        assert by_type(adapted("taobao", sample("taobao", "tmc_TradeCreate")))["created"].ts == CREATED
    finally:
        monkeypatch.undo()
        time.tzset()


def test_woocommerces_site_time_is_not_read():
    wrong = changed(
        sample("woocommerce", "order_updated_processing"), date_created="2020-01-01T00:00:00", date_paid="x"
    )
    found = by_type(adapted("woocommerce", wrong))
    assert (found["created"].ts, found["paid"].ts) == (CREATED, PAID)


def test_a_time_without_its_offset_is_refused_where_the_platform_always_sends_one():
    given = adapted("shopify", changed(sample("shopify", "orders_create"), created_at="2026-03-02T10:10:00"))
    assert (orders(given), reasons(given)) == ([], ["bad_time"])


def test_seconds_and_milliseconds_are_not_taken_for_each_other():
    order = sample("doudian", "order_orderDetail")
    given = adapted("doudian", changed(order, data__shop_order_detail__create_time=CREATED))
    assert reasons(given) == ["bad_time"]
    push = sample("xiaohongshu", "order_getOrderDetail")
    assert reasons(adapted("xiaohongshu", changed(push, data__createdTime=CREATED // 1000))) == ["bad_time"]


# Duplicates with a later modified time

TRADE = "trade_fullinfo_get_response__trade__"
PDD_ORDER = "order_info_get_response__order_info__"


@pytest.mark.parametrize(
    ("platform", "name", "field", "later"),
    [
        ("shopify", "orders_paid", "updated_at", "2026-03-03T10:12:00+08:00"),
        ("woocommerce", "order_updated_processing", "date_modified_gmt", "2026-03-03T02:12:00"),
        ("taobao", "trade_fullinfo_single", f"{TRADE}modified", "2026-03-03 10:12:00"),
        ("doudian", "order_orderDetail", "data__shop_order_detail__update_time", 1772503920),
        ("wechat_shop", "order_get", "order__update_time", 1772503920),
        ("pinduoduo", "order_information_grouped", f"{PDD_ORDER}updated_at", "2026-03-03 10:12:00"),
        ("youzan", "trade_get", "data__full_order_info__order_info__update_time", "2026-03-03 10:12:00"),
        ("xiaohongshu", "order_getOrderDetail", "data__updateTime", 1772503920000),
    ],
)  # fmt: skip
def test_an_order_that_was_edited_later_says_the_same(platform, name, field, later):
    payload = sample(platform, name)
    assert adapted(platform, changed(payload, **{field: later})).events == adapted(platform, payload).events


def test_a_second_delivery_has_the_ids_of_the_first():
    for platform, name in (
        ("doudian", "webhook_batch"),
        ("pinduoduo", "pmc_TradeConfirmed"),
        ("kuaishou", "msg_addOrder"),
    ):
        payload = sample(platform, name)
        again = json.loads(json.dumps(payload).replace("m100:sample", "m999:sample"))
        if isinstance(again, dict):
            again = {**again, "id": 9199, "msgId": "again", "sendTime": 1772999999999}
        assert adapted(platform, again).events == adapted(platform, payload).events


def test_state_4_of_xiaohongshu_comes_twice_and_is_one_payment():
    first = orders(adapted("xiaohongshu", sample("xiaohongshu", "push_batch")))[1]
    assert orders(adapted("xiaohongshu", sample("xiaohongshu", "push_repeat_status4"))) == [first]


def test_a_cancellation_of_woocommerce_is_timed_by_its_first_delivery_or_not_at_all():
    order = sample("woocommerce", "order_updated_cancelled")
    modified = 1772503200000
    for received, expected in (
        (modified - 1, None),
        (modified, 0),
        (modified + 900_000, 0),
        (modified + 900_001, None),
    ):
        found = by_type(adapted("woocommerce", order, received)).get("cancelled")
        assert (found and found.ts) == (None if expected is None else received)


# Orders of several parts


def test_a_trade_of_two_parts_is_one_order():
    given = by_type(adapted("taobao", sample("taobao", "trade_fullinfo_two_suborders")))
    paid = given["paid"]
    assert (paid.order_id, paid.quantity, paid.amount) == ("2600000000000000011", 3, 20900)
    assert paid.product_ids == ("700000000001", "700000000002")


def test_of_a_split_order_of_jd_the_parts_count_and_not_the_whole():
    given = adapted("jd", jd_order(orderId="300000000007", parentOrderId="300000000006"))
    found = [(event.order_id, event.type) for event in orders(given)]
    assert found == [
        ("300000000007", "created"),
        ("300000000007", "paid"),
        ("300000000006", "created"),
        ("300000000006", "excluded"),
    ]
    alone = adapted("jd", jd_order(orderId="300000000007", parentOrderId="300000000099"))
    assert orders(alone)[-1].type == "excluded"
    assert reasons(alone) == ["needs_detail"]


def test_goods_that_are_sent_once_more_are_no_sale():
    again = changed(sample("xiaohongshu", "order_getOrderDetail"), data__orderType=5)
    assert reasons(adapted("xiaohongshu", again)) == ["not_a_sale"]


def test_a_test_order_is_no_sale():
    given = adapted("shopify", changed(sample("shopify", "orders_paid"), test=True))
    assert (orders(given), reasons(given)) == ([], ["not_a_sale"])
    assert reasons(adapted("kuaishou", changed(sample("kuaishou", "msg_addOrder"), test=True))) == [
        "not_a_sale"
    ]


def test_the_detail_of_another_order_is_not_taken_for_this_one():
    wrong = sample("doudian", "order_orderDetail_presale_phase")
    given = adapted(
        "doudian", sample("doudian", "webhook_batch"), enrich=Store({("order", "6900000000000000001"): wrong})
    )
    assert (orders(given), reasons(given)) == ([], ["bad_id", "bad_id"])


# Ids above 2^53


@pytest.mark.parametrize("number", [2**53 + 1, 6900000000000000001, 2**63 - 1, 10**30 + 1])
def test_long_ids_keep_every_digit(number):
    order = changed(sample("wechat_shop", "order_get"), order__order_id=number)
    assert {event.order_id for event in orders(adapted("wechat_shop", json.dumps(order)))} == {str(number)}


@pytest.mark.parametrize(
    "damaged", ["2.6E+18", "2.6e18", 2.6e18, "2,6E+18", "a|b", "\x00", "x" * 129, "\ud83d"]
)
def test_an_id_that_lost_its_digits_or_is_none_is_refused(damaged):
    given = adapted("wechat_shop", changed(sample("wechat_shop", "order_get"), order__order_id=damaged))
    assert (orders(given), reasons(given)) == ([], ["bad_id"])


def test_what_becomes_too_long_or_too_large_by_what_is_added_to_it_is_refused():
    robot = changed(sample("chatwoot", "message_created_agent_bot"), sender__id="x" * 128)
    assert reasons(adapted("chatwoot", robot)) == ["bad_id"]
    message = changed(sample("chatwoot", "message_created_outgoing"), id="x" * 128)
    assert reasons(adapted("chatwoot", message)) == ["bad_id"]
    presale = sample("doudian", "order_orderDetail_presale_phase")
    place = "data__shop_order_detail__order_phase_list__1__"
    huge = changed(presale, **{f"{place}phase_pay_time": 1773000000, f"{place}phase_pay_amount": 2**53 - 1})
    assert reasons(adapted("doudian", huge)) == ["bad_amount"]


def test_nobody_is_the_agent_who_stands_for_all():
    everybody = changed(sample("chatwoot", "message_created_outgoing"), sender__id="*")
    assert reasons(adapted("chatwoot", everybody)) == ["bad_id"]


def test_a_number_and_its_text_are_one_id():
    event = sample("wechat_shop", "event_order_new")
    as_text = changed(event, order_info__order_id=str(event["order_info"]["order_id"]))
    assert adapted("wechat_shop", as_text).events == adapted("wechat_shop", event).events


# Who really spoke


def test_a_robot_of_chatwoot_is_an_account_of_its_own():
    given = adapted("chatwoot", sample("chatwoot", "message_created_agent_bot"))
    assert [(event.agent_id, event.kind) for event in chats(given)] == [("chatwoot-robot-2", "auto_reply")]
    assert given.robots == (("s1", "chatwoot-robot-2"),)
    assert given.answers == (), "what a robot says answers nothing"


@pytest.mark.parametrize("flag", ["from_ai_agent", "is_ai_answer"])
def test_an_ai_agent_of_intercom_is_a_robot_in_whoevers_name(flag):
    place = "data__item__conversation_parts__conversation_parts__0__author__"
    given = adapted(
        "intercom", changed(sample("intercom", "conversation_admin_replied"), **{place + flag: True})
    )
    assert [(event.agent_id, event.kind) for event in chats(given)] == [("intercom-robot-701", "auto_reply")]
    assert given.answers == ()


def test_a_rule_of_gorgias_answers_nothing():
    given = adapted("gorgias", sample("gorgias", "ticket_messages"))
    assert [answer.agent_id for answer in given.answers] == ["11"]


def test_a_note_among_agents_is_private():
    for platform, name in (
        ("chatwoot", "message_created_private_note"),
        ("gorgias", "ticket_messages"),
        ("zendesk", "ticket_audits"),
    ):
        assert "private" in reasons(adapted(platform, sample(platform, name)))
    place = "data__item__conversation_parts__conversation_parts__0__part_type"
    note = changed(sample("intercom", "conversation_admin_replied"), **{place: "note"})
    assert reasons(adapted("intercom", note)) == ["private"]
    inside = changed(sample("livechat", "incoming_event_agent"), payload__event__recipients="agents")
    assert reasons(adapted("livechat", inside)) == ["private"]


def test_a_message_that_was_not_sent_is_none():
    messages = sample("gorgias", "ticket_messages")["data"]
    assert reasons(adapted("gorgias", changed(messages[1], sent_datetime=None))) == ["not_sent"]
    assert reasons(adapted("gorgias", changed(messages[1], failed_datetime="2026-03-02T02:00:21+00:00"))) == [
        "not_sent"
    ]
    revoked = changed(sample("jd", "dongdong_chat_logs"), list__0__revokeFlag=1)
    assert reasons(adapted("jd", revoked)) == ["not_sent"]


def test_a_campaign_of_chatwoot_is_sent_to_many_and_answers_nothing():
    many = changed(sample("chatwoot", "message_created_outgoing"), additional_attributes={"campaign_id": 5})
    given = adapted("chatwoot", many)
    assert ([event.kind for event in chats(given)], given.answers) == (["broadcast"], ())


def test_an_order_of_jd_without_its_price_is_not_given_another():
    given = adapted("jd", jd_order(shouldPay=None))
    assert (orders(given), reasons(given)) == ([], ["missing_field"])


def test_the_other_message_in_a_conversation_of_chatwoot_is_not_read():
    given = adapted("chatwoot", sample("chatwoot", "message_created_outgoing"))
    assert "ANOTHER" not in str(given)


def test_a_robot_among_the_participants_of_livechat_is_not_the_buyer():
    event = changed(
        sample("livechat", "incoming_event_customer"),
        payload__event__author_id="5c9871d5372c824cbf22d860a707a578",
        additional_data__chat_presence_user_ids=["buyer-lc-501", "5c9871d5372c824cbf22d860a707a578"],
    )
    assert reasons(adapted("livechat", event)) == ["needs_detail"]
    chat = {
        "users": [
            {"id": "5c9871d5372c824cbf22d860a707a578", "type": "agent"},
            {"id": "buyer-lc-501", "type": "customer"},
        ]
    }
    given = adapted("livechat", event, enrich=Store({("chat", "PJSAMPLE01"): chat}))
    assert [(one.buyer_id, one.agent_id, one.kind) for one in chats(given)] == [
        ("buyer-lc-501", "livechat-robot-5c9871d5372c824cbf22d860a707a578", "auto_reply")
    ]


def test_the_first_message_of_a_chat_of_livechat_comes_with_the_chat():
    """Without it its answer would be one that nobody asked for."""
    event = sample("livechat", "incoming_event_customer")
    users = [{"id": "agent11@example.invalid", "type": "agent"}, {"id": "buyer-lc-501", "type": "customer"}]
    thread = {"id": "K6SAMPLE01", "events": [event["payload"]["event"]]}
    chat = {"id": "PJSAMPLE01", "users": users, "thread": thread}
    started = {**event, "action": "incoming_chat", "payload": {"chat": chat}}
    assert adapted("livechat", started).waiting == adapted("livechat", event).waiting != ()


def test_a_time_of_an_older_chatwoot_names_its_zone():
    older = changed(sample("chatwoot", "message_created_outgoing"), created_at="2026-03-02 02:00:20 UTC")
    assert [event.ts for event in chats(adapted("chatwoot", older))] == [1772416820000]


def test_somebody_in_copy_on_a_ticket_is_neither_buyer_nor_agent():
    audits = changed(sample("zendesk", "ticket_audits"), audits__1__events__0__author_id=602)
    known = {**documents("zendesk"), ("user", "602"): {"user": {"id": 602, "role": "end-user"}}}
    given = adapted("zendesk", audits, enrich=Store(known))
    assert "ignored" in reasons(given)
    assert not [event for event in chats(given) if event.type == "message"]


def test_an_author_of_whom_nothing_is_known_is_not_guessed():
    without = {key: one for key, one in documents("zendesk").items() if key != ("user", "701")}
    given = adapted("zendesk", sample("zendesk", "ticket_audits"), enrich=Store(without))
    assert "needs_detail" in reasons(given)
    assert given.answers == ()


# Shared inboxes


def test_a_helpdesks_message_is_of_the_one_who_answers_next():
    inbox = SharedInbox()
    question = sample("chatwoot", "message_created_incoming")
    assert inbox.take(adapted("chatwoot", question)).events == ()
    robot = inbox.take(adapted("chatwoot", sample("chatwoot", "message_created_agent_bot")))
    assert [event.sender for event in chats(robot)] == ["agent"]
    answer = changed(sample("chatwoot", "message_created_outgoing"), sender__id=77)
    given = chats(inbox.take(adapted("chatwoot", answer)))
    assert [(event.sender, event.agent_id) for event in given] == [("buyer", "77"), ("agent", "77")]


def test_a_comment_and_a_handover_of_one_audit_come_in_that_order():
    given = adapted("zendesk", sample("zendesk", "ticket_audits"))
    change = {
        "id": 98,
        "type": "Change",
        "field_name": "assignee_id",
        "previous_value": "701",
        "value": "702",
    }
    audits = sample("zendesk", "ticket_audits")
    audits["audits"][1]["events"].insert(0, change)
    del audits["audits"][2]["events"][0]
    both = adapted("zendesk", audits)
    assert (
        [event.type for event in chats(both)]
        == [event.type for event in chats(given)]
        == ["message", "transfer"]
    )


# Ratings


def test_ratings_where_the_platform_sends_them():
    survey = changed(
        sample("chatwoot", "message_created_template"),
        event="message_updated",
        content_attributes={"submitted_values": {"csat_survey_response": {"rating": 4}}},
    )
    rated = chats(adapted("chatwoot", survey))
    assert [(one.type, one.agent_id, one.score) for one in rated] == [("rating", "11", 4)]
    notice = sample("intercom", "conversation_admin_replied")
    notice["topic"] = "conversation.rating.added"
    notice["data"]["item"]["conversation_parts"] = {"conversation_parts": []}
    notice["data"]["item"]["conversation_rating"] = {
        "rating": 2,
        "created_at": 1772417100,
        "teammate": {"type": "admin", "id": 701},
    }
    rated = chats(adapted("intercom", notice))
    assert [(one.agent_id, one.score, one.ts) for one in rated] == [("701", 2, 1772417100000)]
    audits = sample("zendesk", "ticket_audits")
    scored = {
        "id": 99,
        "type": "Change",
        "field_name": "satisfaction_score",
        "previous_value": "offered",
        "value": "bad",
    }
    audits["audits"][3]["events"] = [scored]
    rated = [one for one in chats(adapted("zendesk", audits)) if one.type == "rating"]
    assert [(one.agent_id, one.score) for one in rated] == [("702", 1)]


# Personal data


def test_what_was_written_is_passed_on_only_where_that_is_asked_for():
    payload = sample("chatwoot", "message_created_outgoing")
    (event,) = chats(adapted("chatwoot", payload, with_text=False))
    assert '"text":' not in str(event)
    assert (event.text_length, "ships" in str(event)) == (len("Yes, ships today"), False)
    (blank,) = chats(adapted("chatwoot", changed(payload, content=" \u200b\n"), with_text=False))
    assert blank.text_length == 0, "RULEBOOK 4: it shows nothing, so it is no answer"


def test_names_and_addresses_of_people_are_in_no_event():
    for platform, name in (
        ("chatwoot", "message_created_incoming"),
        ("shopify", "orders_paid"),
        ("jd", "pop_order_search"),
    ):
        given = str(adapted(platform, sample(platform, name)))
        for personal in ("example.invalid", "Sample Buyer", "jd_s****e"):
            assert personal not in given


# Several shops in one application


def test_an_application_of_several_shops_tells_them_apart():
    push = sample("kuaishou", "msg_addOrder")
    shops = {"440001": "ks:1"}
    assert {one.shop_id for one in orders(adapted("kuaishou", push, shops=shops))} == {"ks:1"}
    other = changed(push, userId=440002)
    assert reasons(adapted("kuaishou", other, shops=shops)) == ["unknown_shop"]


def test_the_bridge_of_the_tests_knows_no_other_platform():
    assert bridge("31") is None
