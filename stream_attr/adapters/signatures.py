"""Whether a platform sent a request: its signature over the raw bytes, compared in constant time.

Pure functions. What a platform signs is its own choice: the body alone, or with a time, a path or a key.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple
from urllib.parse import quote

from stream_attr.adapters.encryption import UnopenedError, encrypted_part, opened_by_kuaishou

__all__ = ["Keys", "Request", "Signature", "md5_wrapped", "same"]

Keys = Mapping[str, str]
"""The secrets of a connection, by the names that ``Signature.keys`` lists; none is empty."""


class Request(NamedTuple):
    """What came over HTTP."""

    body: bytes
    """As it came, before anything has parsed it."""
    headers: Mapping[str, str] = {}
    query: Mapping[str, str] = {}
    path: str = ""

    def header(self, name: str) -> str:
        """Return a header; "" where there is none."""
        wanted = name.lower()
        return next((value for key, value in self.headers.items() if key.lower() == wanted), "")


class Signature(NamedTuple):
    """How a platform signs what it sends."""

    keys: tuple[str, ...]
    """The names of the secrets that it takes."""
    verify: Callable[[Request, Keys], bool]
    sent_at: Callable[[Request], str] | None = None
    """The time that is signed with it, in seconds since 1970 or ISO 8601, to refuse what is too old.

    None: none is signed.
    """
    opened: Callable[[bytes, Keys], bytes] | None = None
    """Decrypts a body; None: it is plain."""
    reply: bytes = b""
    """What the platform wants to read."""
    handshake: Callable[[Request, Keys], bytes | None] | None = None
    """Answers a request that only asks whether the address is ours; None for every other request."""


def same(given: str, expected: str) -> bool:
    """Whether a signature is the expected one, without telling by the time taken how much of it is."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())


def _base64_sha256(secret: str, *parts: bytes) -> str:
    return base64.b64encode(_hmac(secret, hashlib.sha256, *parts)).decode()


def _hmac(secret: str, algorithm: Callable[[bytes], object], *parts: bytes) -> bytes:
    return hmac.new(secret.encode(), b"".join(parts), algorithm).digest()  # type: ignore[arg-type]


def _md5(*parts: str | bytes) -> str:
    joined = b"".join(part.encode() if isinstance(part, str) else part for part in parts)
    return hashlib.md5(joined, usedforsecurity=False).hexdigest()


def md5_wrapped(secret: str, fields: Mapping[str, str]) -> str:
    """Return what Taobao, JD and Pinduoduo put on a call: MD5 of the sorted fields between two secrets."""
    return _md5(secret, *(name + fields[name] for name in sorted(fields)), secret).upper()


def pinduoduo_message_path(client_id: str, secret: str, now_ms: int) -> str:
    """Return the path of Pinduoduo's message connection: it signs the connection, not the messages."""
    digest = base64.b64encode(_md5(f"{client_id}{now_ms}{secret}").encode()).decode()
    return f"/message/{client_id}/{now_ms}/{quote(digest, safe='')}"


def taobao_message_sign(app_key: str, secret: str, group: str, now_ms: int) -> str:
    """Return the sign in the handshake of Taobao's message connection."""
    return md5_wrapped(secret, {"app_key": app_key, "group_name": group, "timestamp": str(now_ms)})


def signed_by_shopify(request: Request, keys: Keys) -> bool:
    """``X-Shopify-Hmac-SHA256``: Base64 of HMAC-SHA256 over the body."""
    return same(request.header("X-Shopify-Hmac-SHA256"), _base64_sha256(keys["secret"], request.body))


_WORDPRESS_ENTITIES: Final = (
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&quot;", '"'),
    ("&#039;", "'"),
    ("&#39;", "'"),
    ("&#x27;", "'"),
    ("&amp;", "&"),
)


def signed_by_woocommerce(request: Request, keys: Keys) -> bool:
    """``X-WC-Webhook-Signature``: as Shopify's, with WordPress's entities in the secret decoded."""
    secret = keys["secret"]
    for entity, char in _WORDPRESS_ENTITIES:
        secret = secret.replace(entity, char)
    return same(request.header("X-WC-Webhook-Signature"), _base64_sha256(secret, request.body))


def signed_by_chatwoot(request: Request, keys: Keys) -> bool:
    """``X-Chatwoot-Signature``: ``sha256=`` and hex of HMAC-SHA256 over time, a dot and the body."""
    sent_at = request.header("X-Chatwoot-Timestamp").encode("utf-8", "surrogatepass")
    digest = _hmac(keys["secret"], hashlib.sha256, sent_at, b".", request.body).hex()
    return bool(sent_at) and same(request.header("X-Chatwoot-Signature"), f"sha256={digest}")


def signed_by_zendesk(request: Request, keys: Keys) -> bool:
    """``X-Zendesk-Webhook-Signature``: Base64 of HMAC-SHA256 over time and body."""
    sent_at = request.header("X-Zendesk-Webhook-Signature-Timestamp").encode("utf-8", "surrogatepass")
    expected = _base64_sha256(keys["secret"], sent_at, request.body)
    return bool(sent_at) and same(request.header("X-Zendesk-Webhook-Signature"), expected)


def signed_by_intercom(request: Request, keys: Keys) -> bool:
    """``X-Hub-Signature``: ``sha1=`` and hex of HMAC-SHA1 over the body."""
    return same(
        request.header("X-Hub-Signature"), f"sha1={_hmac(keys['secret'], hashlib.sha1, request.body).hex()}"
    )


def signed_by_livechat(request: Request, keys: Keys) -> bool:
    """A shared secret in the body, ``secret_key``."""
    given = _object(request.body).get("secret_key")
    return isinstance(given, str) and bool(keys["secret"]) and same(given, keys["secret"])


def signed_by_doudian(request: Request, keys: Keys) -> bool:
    """``event-sign``: hex of MD5 over the app's key, the body and its secret."""
    return same(request.header("event-sign").lower(), _md5(keys["app_key"], request.body, keys["app_secret"]))


def signed_by_youzan(request: Request, keys: Keys) -> bool:
    """``sign`` in the body: hex of MD5 over the client's id, ``msg`` still encoded, and the secret."""
    body = _object(request.body)
    sign, msg, client_id = (body.get(name) for name in ("sign", "msg", "client_id"))
    if not (isinstance(sign, str) and isinstance(msg, str) and client_id == keys["client_id"]):
        return False
    try:
        expected = _md5(keys["client_id"], msg, keys["client_secret"])
    except UnicodeEncodeError:  # lone surrogates, which an encoded text has not
        return False
    return same(sign.lower(), expected)


def signed_by_xiaohongshu(request: Request, keys: Keys) -> bool:
    """``sign``: hex of MD5 over path, sorted fields (query, ``app-key``, ``timestamp``) and the secret."""
    fields = {
        **request.query,
        "app-key": request.header("app-key"),
        "timestamp": request.header("timestamp"),
    }
    if fields["app-key"] != keys["app_key"]:
        return False
    joined = "&".join(f"{name}={fields[name]}" for name in sorted(fields))
    return same(request.header("sign").lower(), _md5(f"{request.path}?{joined}", keys["app_secret"]))


def signed_by_easemob(request: Request, keys: Keys) -> bool:
    """``security`` in the body: hex of MD5 over ``callId``, the secret and ``timestamp``."""
    body = _object(request.body)
    call, sign, sent_at = body.get("callId"), body.get("security"), body.get("timestamp")
    if not (isinstance(call, str) and isinstance(sign, str) and type(sent_at) is int):
        return False
    try:
        expected = _md5(call, keys["secret"], str(sent_at))
    except (UnicodeEncodeError, ValueError):  # lone surrogates; more digits than are converted
        return False
    return same(sign.lower(), expected)


def sent_by_easemob_at(request: Request) -> str:
    """Return the time that Easemob signs; "" where there is none."""
    sent_at = _object(request.body).get("timestamp")
    return str(sent_at) if type(sent_at) is int and 0 < sent_at < 10**14 else ""


def _object(body: bytes) -> dict[str, object]:
    """Return a body of JSON that is an object; an empty one where it is not."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def wechat_sign(*parts: str) -> str:
    """Return SHA-1 of the sorted parts: token, timestamp and nonce, in secure mode also what is encrypted."""
    joined = "".join(sorted(parts)).encode("utf-8", "surrogatepass")
    return hashlib.sha1(joined, usedforsecurity=False).hexdigest()


def signed_by_wechat(request: Request, keys: Keys) -> bool:
    """``msg_signature`` in the query, over token, timestamp, nonce and the encrypted body (secure mode).

    ``signature``, which stands beside it, does not cover the body and proves nothing of it.
    """
    encrypted = encrypted_part(request.body)
    if encrypted is None:
        return False
    query = request.query
    expected = wechat_sign(keys["token"], query.get("timestamp", ""), query.get("nonce", ""), encrypted)
    return same(query.get("msg_signature", ""), expected)


def encrypted_by_kuaishou(request: Request, keys: Keys) -> bool:
    """Whether a body of Kuaishou can be decrypted: the platform signs nothing else."""
    try:
        opened_by_kuaishou(request.body, keys)
    except UnopenedError:
        return False
    return True
