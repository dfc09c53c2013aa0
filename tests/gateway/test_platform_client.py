"""Signed calls: accepted by a platform that checks them, within its rate, with secrets that are renewed."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_attr.adapters.calls import Call
from stream_attr.adapters.registry import ADAPTERS
from stream_attr.adapters.skips import SkippedError
from stream_attr.gateway.http_calls import CallFailedError, Http
from stream_attr.gateway.platform_client import ConnectedApi, PlatformClient, SecretFile
from tests.adapters.platforms import documents
from tests.adapters.test_fuzz import anything
from tests.gateway.signed_api import SECRETS, signed_api

APIS = {platform: adapter.api for platform, adapter in ADAPTERS.items() if adapter.api is not None}
NAMES = [
    *("error_response", "gw_err_resp", "data", "code", "errcode", "success", "has_more", "next_cursor"),
    *("messages", "msg_list", "total_results", "total_count", "queryResult", "searchorderinfo_result"),
    "a_response",
]
DETAILS = {
    "taobao": ("trade", "2600000000000000001", "taobao.trade.fullinfo.get"),
    "jd": ("order", "300000000001", "jingdong.pop.order.get"),
    "pinduoduo": ("order", "260302-000000000000001", "pdd.order.information.get"),
    "doudian": ("order", "6900000000000000001", "order.orderDetail"),
    "wechat_shop": ("order", "3700000000000000001", "channels/ec/order/get"),
    "xiaohongshu": ("order", "P700000000000000001", "order.getOrderDetail"),
    "youzan": ("order", "E20260302101000000000001", "youzan.trade.get/4.0.2"),
}


@pytest.fixture
def api():
    with signed_api() as running:
        yield running


@pytest.fixture
def client(api, tmp_path):
    opened = []

    def of(platform, per_second=100.0, **more):
        for name, secret in SECRETS[platform].items():
            (tmp_path / f"{platform}.{name}").write_text(secret)
        files = {name: SecretFile(tmp_path / f"{platform}.{name}", name) for name in SECRETS[platform]}
        opened.append(Http(5))
        connected = ConnectedApi(APIS[platform], api.url(platform), files, per_second, ())
        return PlatformClient(connected, opened[-1], **more)

    yield of
    for http in opened:
        http.close()


@pytest.mark.parametrize("platform", DETAILS)
def test_a_document_is_asked_for_as_the_platform_demands(platform, api, client):
    resource, key, method = DETAILS[platform]
    document = documents(platform)[resource, key]
    api.documents[method, key] = document
    answer = client(platform).ask(APIS[platform].details[resource](key))
    given = json.loads(answer.body)
    assert {name: given[name] for name in document} == document
    assert api.refused == []


@pytest.mark.parametrize(
    ("platform", "code"),
    [
        ("taobao", 27),
        ("jd", "19"),
        ("pinduoduo", 10019),
        ("doudian", 30002),
        ("wechat_shop", 40001),
        ("xiaohongshu", -1003),
        ("youzan", 4203),
    ],
)
def test_a_token_that_has_run_out_is_told_and_the_renewed_one_is_used(platform, code, api, client, tmp_path):
    resource, key, method = DETAILS[platform]
    api.documents[method, key] = documents(platform)[resource, key]
    asking, call = client(platform), APIS[platform].details[resource](key)
    api.tokens[platform] = "a-new-token"
    with pytest.raises(CallFailedError, match=rf"^{method} says {code} ") as caught:
        asking.ask(call)
    for secret in SECRETS[platform].values():
        assert secret not in str(caught.value)
    (tmp_path / f"{platform}.access_token").unlink()
    with pytest.raises(CallFailedError):
        asking.ask(call)
    (tmp_path / f"{platform}.access_token").write_text("a-new-token\n")
    assert asking.ask(call) is not None


@pytest.mark.parametrize(
    "platform", [one for one in DETAILS if any("secret" in name for name in SECRETS[one])]
)
def test_a_wrong_secret_is_refused(platform, api, client, tmp_path):
    resource, key, method = DETAILS[platform]
    api.documents[method, key] = documents(platform)[resource, key]
    asking = client(platform)
    (secret,) = tmp_path.glob(f"{platform}.*_secret")
    secret.write_text("another")
    with pytest.raises(CallFailedError, match="says"):
        asking.ask(APIS[platform].details[resource](key))
    assert api.refused in ([25], ["12"], [20004], [30001], [-1001])


def test_what_taobao_says_there_is_not_is_none_and_what_it_cannot_say_now_is_waited_for(api, client):
    asking, trade = client("taobao"), APIS["taobao"].details["trade"]
    assert asking.ask(trade("1")) is None
    api.failing = 1
    with pytest.raises(CallFailedError, match="says 7 refused"):
        asking.ask(trade("1"))
    assert asking.ask(trade("1")) is None


@pytest.mark.parametrize("reply", [b"<html>", b"[]", b'{"error_response": 7}', b"\xff"])
def test_a_reply_that_is_none_is_waited_for(reply, api, client, monkeypatch):
    monkeypatch.setattr(api, "answer", lambda *_: None)
    monkeypatch.setattr("json.dumps", lambda *_args, **_more: reply.decode("latin-1"))
    with pytest.raises(CallFailedError):
        client("taobao").ask(Call("taobao.trade.fullinfo.get", {"tid": "1"}))


def test_calls_keep_the_rate(client):
    waited: list[float] = []
    now = [100.0]

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        now[0] += seconds

    asking = client("taobao", per_second=4, clock=lambda: now[0], sleep=sleep)
    for _ in range(3):
        asking.ask(APIS["taobao"].details["trade"]("1"))
    now[0] += 10
    asking.ask(APIS["taobao"].details["trade"]("1"))
    assert waited == [0, 0.25, 0.25, 0]


def test_nobody_there_is_told(api, client):
    api.server.shutdown()
    api.server.server_close()
    with pytest.raises(CallFailedError, match=r"^taobao\.trade\.fullinfo\.get does not answer"):
        client("taobao").ask(APIS["taobao"].details["trade"]("1"))


@given(reply=st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=5), anything, max_size=4))
def test_any_reply_is_an_answer_or_a_problem_or_cannot_be_read(reply):
    for api in APIS.values():
        asked: list[Callable[[Any], object]] = [api.failed, *(listing.total for listing in api.lists)]
        asked += [api.queue.ids] if api.queue is not None else []
        asked += [api.cursor.after, api.cursor.has_any] if api.cursor is not None else []
        for ask in asked:
            with contextlib.suppress(SkippedError):
                ask(reply)


def test_published_vectors_of_signed_calls():
    """Printed by the platforms (open.pinduoduo.com, open.jd.com); the fields of a call are theirs."""
    jd = APIS["jd"]
    call = Call(
        "jingdong.pop.order.search",
        {
            "end_date": None,
            "optional_fields": None,
            "order_state": "WAIT_SELLER_STOCK_OUT",
            "page": "1",
            "page_size": "200",
            "start_date": None,
        },
    )
    keys = {"app_key": "yourappkey", "app_secret": "yourappSecret", "access_token": "yourtoken"}
    asked = jd.signed(call, keys, 1620350379683)  # 2021-05-07 09:19:39.683 in China
    fields = dict(parse_qsl(asked.body.decode()))
    assert fields["timestamp"] == "2021-05-07 09:19:39.683+0800"
    later = dict(parse_qsl(jd.signed(call, keys, 1620350439683).body.decode()))
    assert later["timestamp"].startswith("2021-05-07 09:20:39.683")
    assert later["sign"] == "D70825340F4084360B9362B60DFD7930"
    pinduoduo = APIS["pinduoduo"]
    asked = pinduoduo.signed(
        Call(
            "pdd.order.number.list.get",
            {"order_status": "1", "page": "1", "page_size": "10", "data_type": "XML"},
        ),
        {
            "client_id": "1",
            "client_secret": "testSecret",
            "access_token": "asd78172s8ds9a921j9qqwda12312w1w21211",
        },
        1480411125_000,
    )
    assert dict(parse_qsl(asked.body.decode()))["sign"] == "E4DE3ED21002510DED352819E7AE6775"


def test_doudian_signs_with_sorted_fields_and_chinese_as_it_is():
    keys = {"app_key": "k", "app_secret": "s", "access_token": "t"}
    asked = APIS["doudian"].signed(
        Call("order.searchList", {"b": "<中&文>", "a": 1}), keys, 1_772_000_000_999
    )
    assert asked.body == '{"a":1,"b":"<中&文>"}'.encode()
    text = 'sapp_keykmethodorder.searchListparam_json{"a":1,"b":"<中&文>"}timestamp1772000000v2s'
    sign = hmac.new(b"s", text.encode(), hashlib.sha256).hexdigest()
    assert asked.path == (
        f"/order/searchList?app_key=k&method=order.searchList&timestamp=1772000000&v=2"
        f"&sign_method=hmac-sha256&sign={sign}&access_token=t"
    )


def test_a_secret_file_is_read_again_when_it_changes(tmp_path):
    file = tmp_path / "token"
    file.write_text("one\n")
    secret = SecretFile(file, "`token`")
    assert secret.reveal() == "one"
    file.write_text("")
    assert secret.reveal() == "one", "it is being written"
    time.sleep(0.01)
    file.write_text("two\n")
    assert secret.reveal() == "two"
