"""Every platform's samples, and a store that answers for its API."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from jsonschema import Draft202012Validator

from stream_attr.adapters.collector import Adapted
from stream_attr.adapters.connection import Connection
from stream_attr.adapters.registry import ADAPTERS
from stream_attr.codec.encoding import encode_json
from stream_attr.codec.records.chat_event import decode_chat
from stream_attr.codec.records.order_event import decode_order
from stream_attr.contract.records.chat_event import ChatEvent
from stream_attr.contract.records.order_event import OrderEvent
from stream_attr.contract.registry import record_schema

SAMPLES = Path(__file__).parent / "samples"
FOLDERS = {"pinduoduo": "pdd", "xiaohongshu": "xhs"}
"""Where a folder of samples has a shorter name than its platform."""
NOT_PAYLOADS = {"headers.json", "users.json", "refund_get.json"}
NOT_TAKEN = {"legacy_wangwang_chatlog_get.json"}
"""Of an API that is withdrawn."""

CHAT_SCHEMA = Draft202012Validator(record_schema("chat-event"))
ORDER_SCHEMA = Draft202012Validator(record_schema("order-event"))


def sample(platform: str, name: str) -> Any:
    """One sample, parsed again each time."""
    path = SAMPLES / FOLDERS.get(platform, platform) / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8"))


def sample_names(platform: str) -> list[str]:
    folder = SAMPLES / FOLDERS.get(platform, platform)
    return sorted(path.stem for path in folder.glob("*.json") if path.name not in NOT_PAYLOADS | NOT_TAKEN)


def changed(document: Any, **fields: Any) -> Any:
    """A copy with other values at ``a__b``; ``...`` takes a field out."""
    whole = copy.deepcopy(document)
    for place, value in fields.items():
        *parents, last = place.split("__")
        inner = whole
        for name in parents:
            inner = inner[int(name) if name.isdigit() else name]
        if value is ...:
            del inner[last]
        else:
            inner[int(last) if last.isdigit() else last] = value
    return whole


class Store(NamedTuple):
    """Documents that the platform's API gives."""

    documents: Mapping[tuple[str, str], Any]

    def __call__(self, resource: str, key: str) -> Any:
        return self.documents.get((resource, key))


def documents(platform: str) -> dict[tuple[str, str], Any]:
    """What the platform's API gives for the samples, by resource and id."""
    if platform == "shopify":
        return {
            ("order", "5500000000001"): {"order": sample(platform, "orders_paid")},
            ("transactions", "5500000000001"): sample(platform, "order_transactions"),
        }
    if platform == "woocommerce":
        return {("refund", "7001/7009"): sample(platform, "refund_get")}
    if platform == "jd":
        orders = sample(platform, "pop_order_search")["jingdong_pop_order_search_responce"]
        order = orders["searchorderinfo_result"]["orderInfoList"][0]
        return {
            ("order", key): {
                "jingdong_pop_order_get_responce": {
                    "orderDetailInfo": {"orderInfo": {**order, "orderId": key}}
                }
            }
            for key in ("300000000001", "300000000005", "300000000006")
        }
    if platform == "doudian":
        order = sample(platform, "order_orderDetail")
        off = changed(
            order,
            data__shop_order_detail__order_id="6900000000000000002",
            data__shop_order_detail__pay_time=0,
            data__shop_order_detail__order_status=4,
        )
        return {("order", "6900000000000000001"): order, ("order", "6900000000000000002"): off}
    if platform == "taobao":
        single = sample(platform, "trade_fullinfo_single")
        step = sample(platform, "trade_fullinfo_step_deposit_paid")
        name = "trade_fullinfo_get_response__trade__"
        closed = changed(
            single,
            **{
                f"{name}tid": 2600000000000000004,
                f"{name}status": "TRADE_CLOSED_BY_TAOBAO",
                f"{name}pay_time": "",
            },
        )
        refunds = sample(platform, "refunds_receive_get")["refunds_receive_get_response"]["refunds"]["refund"]
        return {
            ("trade", "2600000000000000001"): single,
            ("trade", "2600000000000000003"): step,
            ("trade", "2600000000000000004"): closed,
            **{("refund", one["refund_id"]): {"refund": one} for one in refunds},
        }
    if platform == "wechat_shop":
        order = sample(platform, "order_get")
        off = changed(order, order__order_id="3700000000000000002", order__order_detail__pay_info={})
        return {
            ("order", "3700000000000000001"): order,
            ("order", "3700000000000000002"): off,
            ("aftersale", "4700000000000000001"): sample(platform, "aftersale_get"),
        }
    if platform == "pinduoduo":
        return {("order", "260302-000000000000001"): sample(platform, "order_information_grouped")}
    if platform == "zendesk":
        users = sample(platform, "users")["users"]
        return {("user", str(one["id"])): {"user": one} for one in users}
    if platform == "youzan":
        order = sample(platform, "trade_get")
        name = "data__full_order_info__order_info__"
        off = changed(
            order,
            **{
                f"{name}tid": "E20260302101000000000002",
                f"{name}status": "TRADE_CLOSED",
                f"{name}pay_time": "",
            },
        )
        return {("order", "E20260302101000000000001"): order, ("order", "E20260302101000000000002"): off}
    if platform == "xiaohongshu":
        return {("order", "P700000000000000001"): sample(platform, "order_getOrderDetail")}
    if platform == "kuaishou":
        order = sample(platform, "open_order_detail")
        off = changed(order, data__orderBaseInfo__oid=2500000000000002, data__orderBaseInfo__payTime=0)
        return {
            ("order", "2500000000000001"): order,
            ("order", "2500000000000002"): off,
            ("refund", "2600000000000001"): {"data": {"refundFee": 19900}},
        }
    return {}


def bridge(key: str) -> str | None:
    """Who has an order of Pinduoduo, as the shop knows it."""
    return f"buyer-of-{key}" if key.startswith("260302-") else None


def connection(platform: str, **fields: Any) -> Connection:
    given = {"shop_id": "s1", "with_text": True, "enrich": Store(documents(platform)), "bridge": bridge}
    return Connection(**{**given, **fields})


def adapted(platform: str, payload: Any, received_ts: int | None = None, **fields: Any) -> Adapted:
    """What a payload gives, its events checked against the contract."""
    given = ADAPTERS[platform].adapt(payload, connection(platform, **fields), received_ts)
    check(given)
    return given


def check(given: Adapted) -> None:
    """Every event passes the product's own intake and the published schema; nothing is lost in silence."""
    for event in given.events:
        encoded = encode_json(event)
        if isinstance(event, OrderEvent):
            assert decode_order(encoded) == event
            ORDER_SCHEMA.validate(json.loads(encoded))
        else:
            assert decode_chat(encoded) == event
            CHAT_SCHEMA.validate(json.loads(encoded))
    for waiting in given.waiting:
        whole = {**json.loads(encode_json(waiting.event)), "agent_id": waiting.event.agent_id or "anybody"}
        decode_chat(json.dumps(whole).encode())
        CHAT_SCHEMA.validate(whole)
    assert given.events or given.skipped or given.waiting


def orders(given: Adapted) -> list[OrderEvent]:
    return [event for event in given.events if isinstance(event, OrderEvent)]


def chats(given: Adapted) -> list[ChatEvent]:
    return [event for event in given.events if isinstance(event, ChatEvent)]


def reasons(given: Adapted) -> list[str]:
    return [skip.reason.value for skip in given.skipped]
