"""Signatures: published vectors, and what a change of one bit does.

Where no vector is published, the expected value is worked out here from the platform's description with other
means than the product's; that proves the order of the parts as we read it, not as the platform does.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_attr.adapters.registry import ADAPTERS
from stream_attr.adapters.signatures import (
    Request,
    Signature,
    md5_wrapped,
    pinduoduo_message_path,
    same,
    signed_by_shopify,
    signed_by_woocommerce,
    taobao_message_sign,
)

BODY = '{"a":"中文","b":1}'.encode()


def test_pinduoduo_and_jd_print_a_signed_call():
    assert (
        md5_wrapped(
            "testSecret",
            {
                "access_token": "asd78172s8ds9a921j9qqwda12312w1w21211",
                "client_id": "1",
                "data_type": "XML",
                "order_status": "1",
                "page": "1",
                "page_size": "10",
                "timestamp": "1480411125",
                "type": "pdd.order.number.list.get",
            },
        )
        == "E4DE3ED21002510DED352819E7AE6775"
    )
    assert (
        md5_wrapped(
            "yourappSecret",
            {
                "360buy_param_json": '{"end_date":null,"optional_fields":null,"order_state":'
                '"WAIT_SELLER_STOCK_OUT","page":"1","page_size":"200","start_date":null}',
                "access_token": "yourtoken",
                "app_key": "yourappkey",
                "method": "jingdong.pop.order.search",
                "timestamp": "2021-05-07 09:20:39.683+0800",
                "v": "2.0",
            },
        )
        == "D70825340F4084360B9362B60DFD7930"
    )


def test_message_connections_are_signed_when_they_open():
    assert (
        pinduoduo_message_path("app", "secret", 1700000000000)
        == "/message/app/1700000000000/OTgxODMwNDI2NWZiN2NiNzA2NzIxOTI0ZjJlMDMxMjE%3D"
    )
    by_hand = hashlib.md5(b"s" + b"app_keyk" + b"group_namedefault" + b"timestamp1700000000000" + b"s")
    assert taobao_message_sign("k", "s", "default", 1700000000000) == by_hand.hexdigest().upper()


def test_shopify_vector_of_a_third_party():
    body = b'{"id":1234567890,"email":"customer@example.com","total_price":"123.45"}'
    headers = {"x-shopify-hmac-sha256": "QNyObTlKbMx2qDlPF/ZOZcBqg5OgPg+2oky3zldc0Gw="}
    assert signed_by_shopify(Request(body, headers), {"secret": "test-webhook-secret"})
    assert not signed_by_shopify(Request(body + b" ", headers), {"secret": "test-webhook-secret"})


def signature_of(platform: str) -> Signature:
    signature = ADAPTERS[platform].signature
    assert signature is not None
    return signature


def hexed(secret: str, algorithm: str, *parts: bytes) -> str:
    return hmac.new(secret.encode(), b"".join(parts), algorithm).hexdigest()


def based(secret: str, *parts: bytes) -> str:
    return base64.b64encode(bytes.fromhex(hexed(secret, "sha256", *parts))).decode()


def md5(*parts: bytes) -> str:
    return hashlib.md5(b"".join(parts)).hexdigest()


MESSAGE = "%7B%22tid%22%3A%22E1%22%7D"
XHS_SIGN = md5(b"/cb?a=1&app-key=k&timestamp=1772416800", b"secret")
SIGNED = {
    "chatwoot": (
        Request(
            BODY,
            {
                "X-Chatwoot-Timestamp": "1772416800",
                "X-Chatwoot-Signature": "sha256=" + hexed("s", "sha256", b"1772416800.", BODY),
            },
        ),
        {"secret": "s"},
    ),
    "shopify": (Request(BODY, {"X-Shopify-Hmac-SHA256": based("s", BODY)}), {"secret": "s"}),
    "woocommerce": (
        Request(BODY, {"X-WC-Webhook-Signature": based("a&b<c>'\"", BODY)}),
        {"secret": "a&amp;b&lt;c&gt;&#039;&quot;"},
    ),
    "doudian": (
        Request(BODY, {"event-sign": md5(b"key", BODY, b"secret")}),
        {"app_key": "key", "app_secret": "secret"},
    ),
    "zendesk": (
        Request(
            BODY,
            {
                "X-Zendesk-Webhook-Signature-Timestamp": "2026-03-02T02:00:00Z",
                "X-Zendesk-Webhook-Signature": based(
                    "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ==", b"2026-03-02T02:00:00Z", BODY
                ),
            },
        ),
        {"secret": "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="},
    ),
    "intercom": (Request(BODY, {"X-Hub-Signature": "sha1=" + hexed("s", "sha1", BODY)}), {"secret": "s"}),
    "livechat": (Request(b'{"secret_key":"sample","a":1}'), {"secret": "sample"}),
    "easemob": (
        Request(
            json.dumps(
                {
                    "callId": "app#one_7",
                    "timestamp": 1772416820000,
                    "security": md5(b"app#one_7", b"secret", b"1772416820000"),
                }
            ).encode()
        ),
        {"secret": "secret"},
    ),
    "youzan": (
        Request(
            json.dumps(
                {"client_id": "c", "msg": MESSAGE, "sign": md5(b"c", MESSAGE.encode(), b"secret")}
            ).encode()
        ),
        {"client_id": "c", "client_secret": "secret"},
    ),
    "xiaohongshu": (
        Request(
            BODY,
            {
                "app-key": "k",
                "timestamp": "1772416800",
                "sign": XHS_SIGN,
            },
            {"a": "1"},
            "/cb",
        ),
        {"app_key": "k", "app_secret": "secret"},
    ),
}
NOT_COVERED = {"easemob", "livechat", "youzan", "xiaohongshu"}
"""Platforms whose signature does not cover the whole body."""


@pytest.mark.parametrize("platform", SIGNED)
def test_a_signed_request_passes_and_another_secret_does_not(platform):
    request, keys = SIGNED[platform]
    signature = signature_of(platform)
    assert tuple(sorted(keys)) == tuple(sorted(signature.keys))
    assert signature.verify(request, keys)
    for name in keys:
        assert not signature.verify(request, {**keys, name: keys[name] + "x"})
    assert not signature.verify(Request(b"{}"), keys), "unsigned"
    if platform not in NOT_COVERED:
        for body in (request.body + b" ", request.body[:-1], json.dumps(json.loads(request.body)).encode()):
            assert not signature.verify(request._replace(body=body), keys), "the raw bytes are signed"


@pytest.mark.parametrize("platform", [one for one in SIGNED if signature_of(one).sent_at])
def test_the_time_is_signed_too(platform):
    request, keys = SIGNED[platform]
    signature = signature_of(platform)
    assert signature.sent_at is not None
    sent_at = signature.sent_at(request)
    assert sent_at
    later = {name: value.replace(sent_at, sent_at + "1") for name, value in request.headers.items()}
    in_body = sent_at.encode()  # where Easemob has it
    moved = request._replace(headers=later, body=request.body.replace(in_body, in_body[:-1] + b"7"))
    assert signature.sent_at(moved) not in {sent_at, ""}
    assert not signature.verify(moved, keys)


@given(body=st.binary(max_size=100), value=st.text(max_size=80))
def test_any_request_is_refused_and_none_raises(body, value):
    names = [
        *("X-Shopify-Hmac-SHA256", "X-WC-Webhook-Signature", "X-Chatwoot-Signature"),
        *("X-Chatwoot-Timestamp", "X-Zendesk-Webhook-Signature", "X-Hub-Signature"),
        *("event-sign", "app-key", "timestamp", "sign"),
    ]
    query = dict.fromkeys(("msg_signature", "timestamp", "nonce"), value)
    for platform, adapter in ADAPTERS.items():
        if adapter.signature is None or adapter.signature.opened is not None:
            continue  # test_encryption.py has those
        keys = dict.fromkeys(adapter.signature.keys, "AAAAAAAAAAAAAAAAAAAAAA==")
        request = Request(body, dict.fromkeys(names, value), query, "/")
        assert not adapter.signature.verify(request, keys), platform


@given(given_text=st.text(max_size=20), expected=st.text(st.characters(codec="ascii"), max_size=20))
def test_same_is_equality(given_text, expected):
    assert same(given_text, expected) is (given_text == expected)


def test_a_woocommerce_secret_with_entities_is_decoded_once():
    assert signed_by_woocommerce(
        Request(BODY, {"X-WC-Webhook-Signature": based("&lt;", BODY)}), {"secret": "&amp;lt;"}
    )
