"""Signatures: published vectors, what a change of one bit does, and what encrypted bodies hold.

Where no vector is published, the expected value is worked out here from the platform's description with other
means than the product's; that proves the order of the parts as we read it, not as the platform does.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import struct

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from stream_attr.adapters.registry import ADAPTERS
from stream_attr.adapters.signatures import (
    Request,
    Signature,
    UnopenedError,
    md5_wrapped,
    opened_by_kuaishou,
    opened_by_wechat,
    pinduoduo_message_path,
    same,
    signed_by_shopify,
    signed_by_wechat,
    signed_by_woocommerce,
    taobao_message_sign,
    wechat_sign,
)

BODY = '{"a":"中文","b":1}'.encode()

WECHAT_ENCRYPTED = (
    "+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJGQqcvZqzD"
    "pVzazhZv6JsXUnnR8XGT740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrfMZuMcp3Fn2Pede2I"
    "uQrKEYwKSqFIZoNqJ4M8EajAsjLY2km32IIjdf8YL/P50F7mStwntrA2cPDrM1kb6mOcfBgRtWygb3VIYnSeOBrebufAlr7F"
    "9mFUPAJGj04="
)
WECOM_ENCRYPTED = "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ=="
WECOM_SECOND = "4ByGGj+sVCYcvGeQYhaKIk1o0pQRNbRjxybjTGblXrBaXlTXeOo1+bXFXDQQb1o6co6Yh9Bv41n7hOchLF6p+Q=="


def wechat_body(encrypted: str) -> bytes:
    return json.dumps({"ToUserName": "gh_sample", "Encrypt": encrypted}).encode()


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


def test_wechat_vectors_of_the_platform():
    assert wechat_sign("AAAAA", "1714036504", "1514711492") == "f464b24fc39322e44b38aa78f5edd27bd1441696"
    assert wechat_sign("AAAAA", "1714037059", "486452656") == "899cf89e464efb63f54ddac96b0a0a235f53aa78"
    query = {
        "timestamp": "1714112445",
        "nonce": "415670741",
        "msg_signature": "046e02f8204d34f8ba5fa3b1db94908f3df2e9b3",
    }
    request = Request(wechat_body(WECHAT_ENCRYPTED), query=query)
    keys = {"token": "AAAAA", "aes_key": "A" * 43, "receive_id": "wxba5fad812f8e6fb9"}
    assert signed_by_wechat(request, keys)
    assert json.loads(opened_by_wechat(request.body, keys))["debug_str"] == "hello world"


@pytest.mark.parametrize(
    ("token", "sent_at", "nonce", "signature", "encrypted", "aes_key", "receiver"),
    [
        (
            "QDG6eK",
            "1409659589",
            "263014780",
            "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3",
            WECOM_ENCRYPTED,
            "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C",
            "wx5823bf96d3bd56c7",
        ),
        (
            "123456",
            "1411443780",
            "437374425",
            "dd6b9c95b495b3f7e2901bfbc76c664930ffdb96",
            WECOM_SECOND,
            "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR",
            "wx49f0ab532d5d035a",
        ),
    ],
)
def test_wecom_vectors(token, sent_at, nonce, signature, encrypted, aes_key, receiver):
    query = {"timestamp": sent_at, "nonce": nonce, "msg_signature": signature}
    body = f"<xml><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>".encode()
    keys = {"token": token, "aes_key": aes_key, "receive_id": receiver}
    assert signed_by_wechat(Request(body, query=query), keys)
    assert opened_by_wechat(body, keys).isdigit()


def test_wechats_plain_signature_proves_nothing_of_the_body():
    query = {"timestamp": "1714036504", "nonce": "1514711492"}
    query["signature"] = "f464b24fc39322e44b38aa78f5edd27bd1441696"
    keys = {"token": "AAAAA", "aes_key": "A" * 43, "receive_id": ""}
    assert not signed_by_wechat(Request(wechat_body(WECHAT_ENCRYPTED), query=query), keys)
    query["msg_signature"] = query["signature"]
    assert not signed_by_wechat(Request(wechat_body(WECHAT_ENCRYPTED), query=query), keys)


@pytest.mark.parametrize(
    "keys",
    [
        {"aes_key": "B" * 43, "receive_id": "wxba5fad812f8e6fb9"},
        {"aes_key": "A" * 43, "receive_id": "wxanother"},
        {"aes_key": "A" * 42, "receive_id": "wxba5fad812f8e6fb9"},
        {"aes_key": "中" * 43, "receive_id": "wxba5fad812f8e6fb9"},
    ],
)
def test_a_body_for_somebody_else_is_not_opened(keys):
    with pytest.raises(UnopenedError):
        opened_by_wechat(wechat_body(WECHAT_ENCRYPTED), {"token": "AAAAA", **keys})


@given(body=st.binary(max_size=300))
def test_what_is_not_encrypted_is_refused_and_never_an_exception_of_the_library(body):
    keys = {"aes_key": "A" * 43, "receive_id": "r", "message_secret": "A" * 22 + "=="}
    for opened, wrapped in (
        (opened_by_wechat, body),
        (opened_by_wechat, wechat_body(base64.b64encode(body).decode())),
        (opened_by_kuaishou, body),
        (opened_by_kuaishou, base64.b64encode(body)),
    ):
        with contextlib.suppress(UnopenedError):
            opened(wrapped, keys)


def aes_cbc(key: bytes, initial: bytes, plain: bytes, block: int) -> str:
    padding = block - len(plain) % block
    encryptor = Cipher(algorithms.AES(key), modes.CBC(initial)).encryptor()
    return base64.b64encode(
        encryptor.update(plain + bytes([padding]) * padding) + encryptor.finalize()
    ).decode()


def test_kuaishou_encrypts_and_signs_nothing_else():
    secret = b"0123456789abcdef"
    body = aes_cbc(secret, bytes(16), BODY, 16).encode()
    keys = {"message_secret": base64.b64encode(secret).decode()}
    signature = signature_of("kuaishou")
    assert signature.opened is not None
    assert signature.opened(body, keys) == BODY
    assert signature.verify(Request(body), keys)
    assert not signature.verify(Request(b"{}"), keys)


@given(message=st.binary(max_size=200), receiver=st.text(st.characters(codec="ascii"), max_size=20))
def test_what_is_encrypted_for_us_is_opened(message, receiver):
    key = hashlib.sha256(b"k").digest()
    frame = b"r" * 16 + struct.pack(">I", len(message)) + message + receiver.encode()
    keys = {"aes_key": base64.b64encode(key).decode().rstrip("="), "receive_id": receiver}
    assert opened_by_wechat(wechat_body(aes_cbc(key, key[:16], frame, 32)), keys) == message


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
NOT_COVERED = {"livechat", "youzan", "xiaohongshu"}
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
    assert signature.sent_at(request._replace(headers=later)) == sent_at + "1"
    assert not signature.verify(request._replace(headers=later), keys)


@given(body=st.binary(max_size=100), value=st.text(max_size=80))
def test_any_request_is_refused_and_none_raises(body, value):
    names = [
        *("X-Shopify-Hmac-SHA256", "X-WC-Webhook-Signature", "X-Chatwoot-Signature"),
        *("X-Chatwoot-Timestamp", "X-Zendesk-Webhook-Signature", "X-Hub-Signature"),
        *("event-sign", "app-key", "timestamp", "sign"),
    ]
    query = dict.fromkeys(("msg_signature", "timestamp", "nonce"), value)
    for platform, adapter in ADAPTERS.items():
        if adapter.signature is None:
            continue
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
