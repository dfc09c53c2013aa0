"""What comes of asking an OpenID Connect provider."""

from __future__ import annotations

from typing import NamedTuple

from stream_attr.errors import StreamAttrError

__all__ = ["Begun", "NotProven", "ProviderAway"]


class ProviderAway(StreamAttrError):  # noqa: N818 -- a state, not a mistake
    """The provider cannot be asked now; the message says why."""


class NotProven(StreamAttrError):  # noqa: N818 -- about somebody, not about the program
    """What came does not prove who somebody is; the message says why, and quotes no token."""


class Begun(NamedTuple):
    """A log-in that is under way at the provider."""

    address: str
    """Where the browser is sent."""
    state: str
    """Comes back with it."""
    nonce: str
    """Is in the token."""
    code_verifier: str
    """Is shown with the code, so that nobody else can use that."""
