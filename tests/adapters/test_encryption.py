"""Encrypted bodies: the vectors of WeChat and WeCom, and what is for somebody else."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_attr.adapters.encryption import UnopenedError, opened_by_kuaishou, opened_by_wechat
from stream_attr.adapters.registry import ADAPTERS
from stream_attr.adapters.signatures import Request, signed_by_wechat, wechat_sign

ciphers = pytest.importorskip("cryptography.hazmat.primitives.ciphers", reason="an extra")

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
    encryptor = ciphers.Cipher(ciphers.algorithms.AES(key), ciphers.modes.CBC(initial)).encryptor()
    return base64.b64encode(
        encryptor.update(plain + bytes([padding]) * padding) + encryptor.finalize()
    ).decode()


def test_kuaishou_encrypts_and_signs_nothing_else():
    secret = b"0123456789abcdef"
    body = aes_cbc(secret, bytes(16), BODY, 16).encode()
    keys = {"message_secret": base64.b64encode(secret).decode()}
    signature = ADAPTERS["kuaishou"].signature
    assert signature is not None
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


@given(body=st.binary(max_size=100), value=st.text(max_size=80))
def test_any_request_is_refused_and_none_raises(body, value):
    query = dict.fromkeys(("msg_signature", "timestamp", "nonce"), value)
    for platform in ("wechat_shop", "wechat_kf", "kuaishou"):
        signature = ADAPTERS[platform].signature
        assert signature is not None
        keys = dict.fromkeys(signature.keys, "A" * 22 + "==")
        assert not signature.verify(Request(body, {}, query), keys)
        assert not signature.verify(Request(wechat_body("x"), {}, query), keys)
