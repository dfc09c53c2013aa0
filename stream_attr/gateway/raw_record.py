"""A record of ``raw.<platform>``: value the body as it came, key the connection, timestamp when it came.

Its headers are those of the HTTP request, and two of ours, which no HTTP header can be named like.
"""

from __future__ import annotations

from typing import Final

__all__ = ["BY", "BY_SIGNATURE", "BY_TOKEN", "PATH"]

PATH: Final = ":path"
"""Path and query of the request."""
BY: Final = ":by"
"""How it was verified."""
BY_SIGNATURE: Final = "signature"
"""The platform sent it: the body may be encrypted."""
BY_TOKEN: Final = "token"
"""Somebody passed on what the platform gave when it was asked; so is what has no such header."""
