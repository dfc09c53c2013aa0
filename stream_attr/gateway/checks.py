"""Whether a request is the platform's, and of now. Pure functions."""

from __future__ import annotations

import hmac
import re
from datetime import datetime
from enum import StrEnum
from typing import Final

from stream_attr.adapters.signatures import Request
from stream_attr.gateway.connections import OWN_TOKEN, ConnectedAccount

__all__ = ["AHEAD_MS", "Result", "has_token", "refusal", "signed_at"]

AHEAD_MS: Final = 5 * 60_000
"""How far the clock of a platform may be ahead of ours."""
_SECONDS: Final = re.compile(r"\d{1,11}", re.ASCII)
_MILLISECONDS: Final = re.compile(r"\d{12,14}", re.ASCII)


class Result(StrEnum):
    """What became of a request."""

    KEPT = "kept"
    HANDSHAKE = "handshake"
    UNKNOWN = "unknown"
    TOO_LARGE = "too_large"
    TOO_SLOW = "too_slow"
    UNSIGNED = "unsigned"
    TOO_OLD = "too_old"
    TOO_MANY = "too_many"
    UNAVAILABLE = "unavailable"


def refusal(account: ConnectedAccount, request: Request, now_ms: int, max_age_ms: int) -> Result | None:
    """Return why a request is refused: it is not signed, or not of now. None: it is the platform's."""
    signature = account.adapter.signature
    keys = account.revealed()
    if OWN_TOKEN in keys and has_token(request, keys[OWN_TOKEN]):
        return None
    if signature is None or not signature.verify(request, keys):
        return Result.UNSIGNED
    if signature.sent_at is None:
        return None
    sent_ms = signed_at(signature.sent_at(request))
    if sent_ms is None or not now_ms - max_age_ms <= sent_ms <= now_ms + AHEAD_MS:
        return Result.TOO_OLD
    return None


def has_token(request: Request, token: str) -> bool:
    """Whether a request has a bearer token; compared in constant time."""
    scheme, _, given = request.header("Authorization").partition(" ")
    right = hmac.compare_digest(given.strip().encode(errors="replace"), token.encode())
    return right and scheme.lower() == "bearer"


def signed_at(text: str) -> int | None:
    """Return a time of seconds, milliseconds or ISO 8601 with an offset in epoch milliseconds; or None."""
    if _SECONDS.fullmatch(text):
        return int(text) * 1000
    if _MILLISECONDS.fullmatch(text):
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if moment.tzinfo is None else round(moment.timestamp() * 1000)
