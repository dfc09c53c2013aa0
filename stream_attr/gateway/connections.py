"""The file of connections: which accounts of which platforms are connected, and what they need.

Secrets are not in it: it names files. A relative name is one beside the file of connections.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, NamedTuple
from urllib.parse import urlsplit

import msgspec

from stream_attr.adapters.adapter import Adapter
from stream_attr.adapters.registry import ADAPTERS
from stream_attr.errors import UnusableError
from stream_attr.gateway.platform_client import ConnectedApi, SecretFile
from stream_attr.kafka.secret import Secret, checked_token, read_secret_file

__all__ = ["OWN_TOKEN", "ConnectedAccount", "Lookup", "UnusableConnectionsError", "read_connections"]

OWN_TOKEN: Final = "bearer_token"
"""The secret of whoever passes on what a platform gives when it is asked, sent as a bearer token.

The only one of a platform that signs nothing; otherwise beside its own, if it is named.
"""
_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_HEADER: Final = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)


class UnusableConnectionsError(UnusableError):
    """The file of connections, or one of its secrets, cannot be used; the message names the field."""


class _Lookup(msgspec.Struct, forbid_unknown_fields=True):
    url: str
    header_files: dict[str, str] = {}
    keep_s: Annotated[int, msgspec.Meta(ge=0, le=86_400 * 365)] = 0


class _Api(msgspec.Struct, forbid_unknown_fields=True):
    secret_files: dict[str, str]
    url: str | None = None
    per_second: Annotated[float, msgspec.Meta(ge=0.1, le=100)] = 5
    pull: list[str] | None = None
    buyer: str | None = None


class _Account(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    platform: str
    secret_files: dict[str, str] = {}
    shop_id: str | None = None
    shops: dict[str, str] = {}
    with_text: bool = False
    enrich: dict[str, _Lookup] = {}
    bridge: _Lookup | None = None
    api: _Api | None = None


class _File(msgspec.Struct, forbid_unknown_fields=True):
    connections: list[_Account]


class Lookup(NamedTuple):
    """An HTTP call that gives a document."""

    url: str
    """With ``{id}`` where the id goes."""
    headers: Mapping[str, Secret]
    keep_s: int
    """How long an answer may be used for payloads that came after it. Seconds."""


class ConnectedAccount(NamedTuple):
    """One account of a platform."""

    name: str
    adapter: Adapter
    keys: Mapping[str, Secret]
    """The secrets by which its requests are verified, by the names that the platform gives them.

    None: everything is asked for, and no request is taken.
    """
    shop_id: str | None
    shops: Mapping[str, str]
    with_text: bool
    enrich: Mapping[str, Lookup]
    """By the name of the resource (``Adapter.details``)."""
    bridge: Lookup | None
    api: ConnectedApi | None = None

    def revealed(self) -> dict[str, str]:
        """Return the secrets themselves, for a comparison."""
        return {name: secret.reveal() for name, secret in self.keys.items()}


def read_connections(file: Path) -> list[ConnectedAccount]:
    """Return the connections of a file, with their secrets.

    Raises:
        UnusableConnectionsError: it cannot be used; the message names the connection and the field.
        UnusableSecretError: a file with a secret cannot be used.
    """
    try:
        found = msgspec.json.decode(file.read_bytes(), type=_File).connections
    except OSError as error:
        raise UnusableConnectionsError(f"{file} cannot be read: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnusableConnectionsError(f"{file}: {error}") from error
    accounts = [_checked(one, f"{file}: connection {one.name!r}", file.parent) for one in found]
    seen: set[tuple[str, str]] = set()
    for account in accounts:
        key = account.adapter.platform, account.name
        if key in seen:
            raise UnusableConnectionsError(
                f"{file}: two connections {account.name!r} of {key[0]}: rename one"
            )
        seen.add(key)
    if not accounts:
        raise UnusableConnectionsError(f"{file}: `connections` is empty")
    return accounts


def _checked(one: _Account, where: str, folder: Path) -> ConnectedAccount:
    if not _NAME.fullmatch(one.name):
        raise UnusableConnectionsError(f"{where}: a name has 1 to 64 of A-Z a-z 0-9 . _ -")
    adapter = ADAPTERS.get(one.platform)
    if adapter is None:
        raise UnusableConnectionsError(
            f"{where}: no platform {one.platform!r}; there are {', '.join(sorted(ADAPTERS))}"
        )
    if one.shop_id is None and not one.shops:
        raise UnusableConnectionsError(f"{where}: it needs `shop_id`, or `shops`")
    wanted = {OWN_TOKEN} if adapter.signature is None else set(adapter.signature.keys)
    takes_none = not one.secret_files and one.api is not None
    if wanted != one.secret_files.keys() - ({OWN_TOKEN} - wanted) and not takes_none:
        raise UnusableConnectionsError(
            f"{where}: `secret_files` of {one.platform} names files of {', '.join(sorted(wanted))}, "
            f"not of {', '.join(sorted(one.secret_files)) or 'nothing'}"
        )
    keys = {
        name: read_secret_file(folder / path, f"{where}: `secret_files.{name}`")
        for name, path in one.secret_files.items()
    }
    if OWN_TOKEN in keys:
        checked_token(keys[OWN_TOKEN], f"{where}: `bearer_token`")
    details = dict(adapter.details).keys()
    if unknown := one.enrich.keys() - details:
        raise UnusableConnectionsError(
            f"{where}: `enrich` of {one.platform} takes {', '.join(sorted(details)) or 'nothing'}, "
            f"not {', '.join(sorted(unknown))}"
        )
    return ConnectedAccount(
        one.name,
        adapter,
        keys,
        one.shop_id,
        one.shops,
        one.with_text,
        {name: _lookup(lookup, f"{where}: `enrich.{name}`", folder) for name, lookup in one.enrich.items()},
        None if one.bridge is None else _lookup(one.bridge, f"{where}: `bridge`", folder),
        None if one.api is None else _api(one.api, adapter, f"{where}: `api`", folder),
    )


def _api(one: _Api, adapter: Adapter, where: str, folder: Path) -> ConnectedApi:
    api = adapter.api
    if api is None:
        others = ", ".join(sorted(name for name, adapter in ADAPTERS.items() if adapter.api is not None))
        raise UnusableConnectionsError(
            f"{where}: calls are made to {others}, not to {adapter.platform}: use `enrich`"
        )
    if set(api.keys) != one.secret_files.keys():
        raise UnusableConnectionsError(
            f"{where}: `secret_files` names files of {', '.join(api.keys)}, "
            f"not of {', '.join(sorted(one.secret_files)) or 'nothing'}"
        )
    if one.url is not None and not (_is_address(one.url) and "?" not in one.url):
        raise UnusableConnectionsError(
            f"{where}: `url` is a web address without user, password and query, like {api.url}"
        )
    able = api.pulled()
    pulled = [name for name in able if api.queue is None or name != api.queue.name]
    pulled = pulled if one.pull is None else one.pull
    if unknown := set(pulled) - set(able):
        raise UnusableConnectionsError(
            f"{where}: `pull` takes {', '.join(able) or 'nothing'}, not {', '.join(sorted(unknown))}"
        )
    if one.buyer is not None and one.buyer not in api.buyers:
        raise UnusableConnectionsError(
            f"{where}: `buyer` takes {', '.join(api.buyers) or 'nothing'}, not {one.buyer}"
        )
    buyer = None if one.buyer is None else api.buyers[one.buyer]
    secrets = {
        name: SecretFile(folder / path, f"{where}: `secret_files.{name}`")
        for name, path in one.secret_files.items()
    }
    return ConnectedApi(api, (one.url or api.url).rstrip("/"), secrets, one.per_second, tuple(pulled), buyer)


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return usable and "@" not in url and url.isascii()


def _lookup(one: _Lookup, where: str, folder: Path) -> Lookup:
    if not _is_address(one.url) or one.url.count("{id}") != 1:
        raise UnusableConnectionsError(
            f"{where}: `url` is a web address with {{id}} once, without user and password, "
            "like https://api.example/orders/{id}"
        )
    for name in one.header_files:
        if not _HEADER.fullmatch(name):
            raise UnusableConnectionsError(f"{where}: {name!r} is not the name of a header")
    headers = {
        name: read_secret_file(folder / path, f"{where}: `header_files.{name}`")
        for name, path in one.header_files.items()
    }
    for name, secret in headers.items():
        if not (secret.reveal().isascii() and secret.reveal().isprintable()):
            raise UnusableConnectionsError(
                f"{where}: `header_files.{name}` has characters that a header cannot have"
            )
    return Lookup(one.url, headers, one.keep_s)
