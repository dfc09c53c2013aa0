"""Bodies that a platform encrypts: WeChat, WeCom, Kuaishou. Pure functions; AES is the library's.

Raises :class:`UnopenedError` for what is not encrypted by the key that is given, or for somebody else.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import struct
from collections.abc import Mapping

from stream_attr.errors import UnusableError

__all__ = ["UnopenedError", "encrypted_part", "opened_by_kuaishou", "opened_by_wechat"]


def encrypted_part(body: bytes) -> str | None:
    """Return what is encrypted in a body of JSON, or in the XML that WeCom sends."""
    if body.lstrip().startswith(b"<"):
        start, end = body.find(b"<Encrypt><![CDATA["), body.find(b"]]></Encrypt>")
        if not 0 <= start < end:
            return None
        found: object = body[start + len(b"<Encrypt><![CDATA[") : end].decode(errors="replace")
    else:
        try:
            whole = json.loads(body)
        except (ValueError, RecursionError):
            return None
        found = whole.get("Encrypt") if isinstance(whole, dict) else None
    return found if isinstance(found, str) else None


class UnopenedError(UnusableError):
    """A body cannot be decrypted: by this key, or at all."""


def opened_by_wechat(body: bytes, keys: Mapping[str, str]) -> bytes:
    """Return what a body in secure mode holds.

    AES-256-CBC; the frame is 16 random bytes, the length, the message, and for whom it is.

    Raises:
        UnopenedError: not encrypted by this key, or not for this receiver.
    """
    encrypted = encrypted_part(body)
    if encrypted is None:
        raise UnopenedError("the body has no `Encrypt`: switch the callback to secure mode (安全模式)")
    key = _unbase64(keys["aes_key"] + "=")
    frame = _aes_cbc(key, key[:16], _unbase64(encrypted), block=32)
    (length,) = struct.unpack(">I", frame[16:20].rjust(4, b"\0"))
    message, receiver = frame[20 : 20 + length], frame[20 + length :]
    if len(message) != length or not hmac.compare_digest(receiver, keys["receive_id"].encode()):
        raise UnopenedError(
            "the decrypted body is for another receiver: check `receive_id` (appid or corpid) and `aes_key`"
        )
    return message


def opened_by_kuaishou(body: bytes, keys: Mapping[str, str]) -> bytes:
    """Return what a body holds: Base64 of AES-CBC by the message secret, its initial vector all zeros.

    One third party's implementation says so.

    Raises:
        UnopenedError: not encrypted by this key.
    """
    return _aes_cbc(_unbase64(keys["message_secret"]), bytes(16), _unbase64(body), block=16)


def _unbase64(text: str | bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise UnopenedError(
            "not Base64: check the key, and that the body is as the platform sent it"
        ) from None


def _aes_cbc(key: bytes, initial: bytes, encrypted: bytes, *, block: int) -> bytes:
    try:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # noqa: PLC0415
    except ImportError:
        raise UnusableError(
            "bodies of this platform are encrypted: pip install 'stream-attr[adapters]'"
        ) from None
    try:
        decryptor = Cipher(algorithms.AES(key), modes.CBC(initial)).decryptor()
        padded: bytes = decryptor.update(encrypted) + decryptor.finalize()
    except ValueError:
        raise UnopenedError("the body cannot be decrypted by this key") from None
    padding = padded[-1] if padded else 0
    if not 1 <= padding <= block or padded[-padding:] != bytes([padding]) * padding:
        raise UnopenedError("the body was not encrypted by this key")
    return padded[:-padding]
