"""How platforms sign what they send, written from their documents apart from the product.

``SECRETS``: of each platform, by the names of their files. A platform without a signature of its own is
asked by somebody who passes on its answers with a bearer token.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import struct
import time
from typing import NamedTuple
from urllib.parse import quote, urlencode

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from stream_attr.adapters.registry import ADAPTERS

AES_KEY = base64.b64encode(bytes(range(32))).decode().rstrip("=")
_WECHAT = {"token": "wx-token", "aes_key": AES_KEY, "receive_id": "wx0123456789abcdef"}
_TOKEN = {"bearer_token": "a-token-of-our-own-0123456789"}
SECRETS = {
    "chatwoot": {"secret": "cw-secret"},
    "doudian": {"app_key": "6839996111111111111", "app_secret": "dd-secret"},
    "easemob": {"secret": "em-secret"},
    "gorgias": _TOKEN,
    "intercom": {"secret": "ic-secret"},
    "jd": _TOKEN,
    "kuaishou": {"message_secret": base64.b64encode(bytes(range(16))).decode()},
    "livechat": {"secret": "lc-secret"},
    "pinduoduo": _TOKEN,
    "shopify": {"secret": "sh-secret"},
    "taobao": _TOKEN,
    "wechat_kf": _WECHAT,
    "wechat_shop": _WECHAT,
    "woocommerce": {"secret": "wc&amp;secret"},
    "xiaohongshu": {"app_key": "xhs-app", "app_secret": "xhs-secret"},
    "youzan": {"client_id": "yz-client", "client_secret": "yz-secret"},
    "zendesk": {"secret": "zd-secret"},
}
assert SECRETS.keys() == ADAPTERS.keys()

REPLIES = {
    "doudian": b'{"code":0,"msg":"success"}',
    "kuaishou": b'{"result":1}',
    "wechat_kf": b"success",
    "wechat_shop": b"success",
    "xiaohongshu": b'{"success":true,"error_code":0}',
    "youzan": b'{"code":0,"msg":"success"}',
}
"""What a platform wants to read, by its documents; of the others the status alone counts."""
TIMED = {"chatwoot", "easemob", "wechat_kf", "wechat_shop", "xiaohongshu", "zendesk"}
"""Platforms that sign when they sent."""


class Sent(NamedTuple):
    """A request as a platform makes it."""

    body: bytes
    headers: dict[str, str]
    query: str = ""


def _sha256(secret: str, *parts: bytes) -> hmac.HMAC:
    return hmac.new(secret.encode(), b"".join(parts), hashlib.sha256)


def _base64(found: hmac.HMAC) -> str:
    return base64.b64encode(found.digest()).decode()


def _padded(plain: bytes, block: int) -> bytes:
    rest = block - len(plain) % block
    return plain + bytes([rest]) * rest


def _encrypted(key: bytes, initial: bytes, padded: bytes) -> str:
    encryptor = Cipher(algorithms.AES(key), modes.CBC(initial)).encryptor()
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()


def wechat_encrypted(plain: bytes) -> str:
    """A message in the frame of WeChat's secure mode."""
    key = base64.b64decode(AES_KEY + "=")
    frame = secrets.token_bytes(16) + struct.pack(">I", len(plain)) + plain + _WECHAT["receive_id"].encode()
    return _encrypted(key, key[:16], _padded(frame, 32))


def sha1_sorted(*parts: str) -> str:
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()


def signed(platform: str, payload: object, path: str, now: float | None = None) -> Sent:
    """A payload as the platform sends it to a path. ``now``: epoch seconds."""
    secret = SECRETS[platform]
    moment = str(int(time.time() if now is None else now))
    body = payload if isinstance(payload, bytes) else json.dumps(payload, ensure_ascii=False).encode()
    if platform == "chatwoot":
        digest = _sha256(secret["secret"], moment.encode(), b".", body).hexdigest()
        return Sent(body, {"X-Chatwoot-Timestamp": moment, "X-Chatwoot-Signature": f"sha256={digest}"})
    if platform == "shopify":
        return Sent(body, {"X-Shopify-Hmac-Sha256": _base64(_sha256(secret["secret"], body))})
    if platform == "woocommerce":
        return Sent(body, {"X-WC-Webhook-Signature": _base64(_sha256("wc&secret", body))})
    if platform == "zendesk":
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(moment)))
        sign = _base64(_sha256(secret["secret"], at.encode(), body))
        return Sent(body, {"X-Zendesk-Webhook-Signature": sign, "X-Zendesk-Webhook-Signature-Timestamp": at})
    if platform == "intercom":
        digest = hmac.new(secret["secret"].encode(), body, hashlib.sha1).hexdigest()
        return Sent(body, {"X-Hub-Signature": f"sha1={digest}"})
    if platform == "livechat":
        return Sent(json.dumps({**json.loads(body), "secret_key": secret["secret"]}).encode(), {})
    if platform == "easemob":
        given = {**json.loads(body), "callId": "sample#app_1", "timestamp": int(moment) * 1000}
        sign = hashlib.md5(f"sample#app_1{secret['secret']}{given['timestamp']}".encode()).hexdigest()
        return Sent(json.dumps({**given, "security": sign}).encode(), {})
    if platform == "doudian":
        sign = hashlib.md5(secret["app_key"].encode() + body + secret["app_secret"].encode()).hexdigest()
        return Sent(body, {"event-sign": sign})
    if platform == "youzan":
        message = quote(body.decode())
        sign = hashlib.md5(f"{secret['client_id']}{message}{secret['client_secret']}".encode()).hexdigest()
        envelope = {
            "client_id": secret["client_id"],
            "type": "TRADE_ORDER_STATE",
            "msg": message,
            "sign": sign,
        }
        return Sent(json.dumps(envelope).encode(), {})
    if platform == "xiaohongshu":
        text = f"{path}?app-key={secret['app_key']}&timestamp={moment}{secret['app_secret']}"
        sign = hashlib.md5(text.encode()).hexdigest()
        return Sent(body, {"app-key": secret["app_key"], "timestamp": moment, "sign": sign})
    if platform == "kuaishou":
        key = base64.b64decode(secret["message_secret"])
        return Sent(_encrypted(key, bytes(16), _padded(body, 16)).encode(), {})
    if platform in {"wechat_shop", "wechat_kf"}:
        encrypted = wechat_encrypted(body)
        query = {
            "timestamp": moment,
            "nonce": "415670741",
            "msg_signature": sha1_sorted(secret["token"], moment, "415670741", encrypted),
        }
        return Sent(json.dumps({"Encrypt": encrypted}).encode(), {}, urlencode(query))
    return Sent(body, {"Authorization": f"Bearer {secret['bearer_token']}"})
