"""Log-in at an OpenID Connect provider: whom it says somebody is, by a code and a signed token.

Authorization code flow with PKCE, state and nonce (OpenID Connect Core 1.0, RFC 7636, RFC 9207).
"""

from __future__ import annotations

import hmac
import logging
import secrets
import threading
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from stream_attr.console.oidc_answers import Begun, NotProven, ProviderAway
from stream_attr.errors import UnusableError
from stream_attr.kafka.secret import Secret
from stream_attr.worker.startup.host_check import is_this_machine

__all__ = ["Provider"]

logger = logging.getLogger(__name__)

_ALGORITHMS: Final = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
)
"""By a key of the provider's alone: never ``none``, nor one that a shared secret signs."""
_KINDS: Final = ("RSA", "EC", "OKP")
_SCOPE: Final = "openid profile email"
_TIMEOUT_S: Final = 10.0
_LEEWAY_S: Final = 60
"""By how much clocks may differ."""
_KEEP_S: Final = 3_600.0
"""How long what the provider says of itself is kept."""
_KEYS_AGAIN_S: Final = 60.0
"""Keys are asked for again, for one that is not known, no more often."""


class Provider:
    """One provider, of which this console is a client. Threads may share it."""

    def __init__(
        self, issuer: str, client_id: str, secret: Secret | None, claim: str, redirect_uri: str
    ) -> None:
        """Say which; nothing is asked yet.

        ``secret``: None: a public client. ``claim``: the one that holds the login of an account.

        Raises:
            UnusableError: the issuer is not reached by HTTPS, nor on this machine.
        """
        _require_safe(issuer, "--oidc-issuer")
        self.claim = claim
        self._issuer = issuer
        self._client_id = client_id
        self._secret = secret
        self._redirect_uri = redirect_uri
        self._lock = threading.Lock()
        self._metadata: Mapping[str, Any] | None = None
        self._metadata_until = 0.0
        self._keys: KeySet | None = None
        self._keys_ts = 0.0

    @property
    def issuer(self) -> str:
        """Who it is, as its tokens say."""
        return self._issuer

    def begin(self) -> Begun:
        """Return where to send a browser, and what its return is checked by. Raises ProviderAway."""
        endpoint = self._endpoint("authorization_endpoint")
        verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
        with self._client() as client:
            address, state = client.create_authorization_url(
                endpoint, state=secrets.token_urlsafe(24), code_verifier=verifier, nonce=nonce
            )
        return Begun(address, state, nonce, verifier)

    def check_answer(self, iss: str | None) -> None:
        """Refuse an answer that names another issuer, or none where this one names itself (RFC 9207).

        Raises:
            ProviderAway, NotProven: it cannot be asked whether it does; it is another's.
        """
        names_itself = self._about().get("authorization_response_iss_parameter_supported") is True
        if iss != self._issuer and (iss is not None or names_itself):
            raise NotProven("the answer is of another provider")

    def login_of(self, code: str, nonce: str, code_verifier: str) -> str:
        """Return the login that the provider vouches for, by the code with which a browser came back.

        Raises:
            ProviderAway: it cannot be asked.
            NotProven: it does not take the code, its token is not right, or has no login.
        """
        endpoint = self._endpoint("token_endpoint")
        with self._client() as client:
            try:
                token = client.fetch_token(
                    endpoint,
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=code_verifier,
                    allow_redirects=False,
                )
            except AuthlibBaseError as error:
                raise NotProven(f"the provider does not take the code: {error.error}") from error
            except (requests.RequestException, ValueError) as error:
                raise _away(endpoint, error) from error
            claims = self._checked(token, nonce)
            found = claims if self.claim in claims else {**claims, **self._user_info(client, claims)}
        return _login(found, self.claim)

    def log_out_address(self, back: str) -> str | None:
        """Return where somebody logs out of the provider; None: it has no such page that we know of."""
        endpoint = (self._metadata or {}).get("end_session_endpoint")
        if not isinstance(endpoint, str) or not _is_safe(endpoint):
            return None
        query = urlencode({"client_id": self._client_id, "post_logout_redirect_uri": back})
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{query}"

    def _client(self) -> Any:
        methods = self._about().get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        method = "client_secret_basic" if "client_secret_basic" in methods else "client_secret_post"
        return OAuth2Session(
            self._client_id,
            self._secret.reveal() if self._secret else None,
            token_endpoint_auth_method=method if self._secret else "none",
            scope=_SCOPE,
            redirect_uri=self._redirect_uri,
            code_challenge_method="S256",
            default_timeout=_TIMEOUT_S,
        )

    def _about(self) -> Mapping[str, Any]:
        """Return what the provider says of itself (OpenID Connect Discovery 1.0)."""
        with self._lock:
            if self._metadata is not None and time.monotonic() < self._metadata_until:
                return self._metadata
        address = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        found = _fetched(address)
        if found.get("issuer") != self._issuer:
            raise _away(address, "it is of another issuer than --oidc-issuer: write it as the provider does")
        with self._lock:
            self._metadata, self._metadata_until = found, time.monotonic() + _KEEP_S
        return found

    def _endpoint(self, name: str) -> str:
        found = self._about().get(name)
        if not isinstance(found, str) or not _is_safe(found):
            raise _away(self._issuer, f"it names no {name} by HTTPS")
        return found

    def _key_set(self, *, again: bool = False) -> KeySet:
        with self._lock:
            keys, age = self._keys, time.monotonic() - self._keys_ts
        if keys is not None and age < (_KEYS_AGAIN_S if again else _KEEP_S):
            return keys
        address = self._endpoint("jwks_uri")
        found = _fetched(address).get("keys")
        signing = [
            one
            for one in (found if isinstance(found, list) else [])
            if isinstance(one, dict) and one.get("kty") in _KINDS and one.get("use") != "enc"
        ]
        try:
            keys = KeySet.import_key_set({"keys": signing})
        except (JoseError, ValueError) as error:
            raise _away(address, "its keys cannot be read") from error
        with self._lock:
            self._keys, self._keys_ts = keys, time.monotonic()
        return keys

    def _checked(self, token: Mapping[str, Any], nonce: str) -> CodeIDToken:
        """Return the claims of a token that is the provider's, for us, of this log-in and of now."""
        text = token.get("id_token")
        if not isinstance(text, str):
            raise NotProven("the provider gave no id_token")
        try:
            try:
                decoded = jwt.decode(text, self._key_set(), algorithms=_ALGORITHMS)
            except InvalidKeyIdError:
                decoded = jwt.decode(text, self._key_set(again=True), algorithms=_ALGORITHMS)
            claims = CodeIDToken(
                decoded.claims,
                decoded.header,
                {
                    "iss": {"essential": True, "value": self._issuer},
                    "aud": {"essential": True, "value": self._client_id},
                },
                {"nonce": nonce, "client_id": self._client_id, "access_token": token.get("access_token")},
            )
            claims.validate(leeway=_LEEWAY_S)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise NotProven(f"the provider's token is not right: {_kind(error)}") from error
        return claims

    def _user_info(self, client: Any, claims: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what the provider tells of the person beside the token; it has to be the same person."""
        if not isinstance(self._about().get("userinfo_endpoint"), str):
            return {}
        address = self._endpoint("userinfo_endpoint")
        try:
            found = _object_of(client.get(address, allow_redirects=False))
        except (requests.RequestException, AuthlibBaseError, ValueError) as error:
            raise _away(address, error) from error
        if not hmac.compare_digest(str(found.get("sub")).encode(), str(claims["sub"]).encode()):
            raise NotProven("what the provider tells of the person is of another one")
        return found


def _login(claims: Mapping[str, Any], claim: str) -> str:
    found = claims.get(claim)
    if not isinstance(found, str) or not found.strip() or "\0" in found:
        raise NotProven(f"the provider names no {claim}")
    if claim == "email" and claims.get("email_verified") is not True:
        raise NotProven("the provider has not verified the e-mail address")
    return found


def _fetched(address: str) -> Mapping[str, Any]:
    try:
        return _object_of(requests.get(address, timeout=_TIMEOUT_S, allow_redirects=False))
    except (requests.RequestException, ValueError) as error:
        raise _away(address, error) from error


def _object_of(answer: requests.Response) -> Mapping[str, Any]:
    if answer.status_code != requests.codes.ok:
        raise ValueError(f"status {answer.status_code}")
    found = answer.json()
    if not isinstance(found, dict):
        raise ValueError("no JSON object")  # noqa: TRY004 -- an answer is wrong, not an argument
    return found


def _away(address: str, why: Exception | str) -> ProviderAway:
    """Return and log that the provider cannot be asked: its host, and the kind of error."""
    host = urlsplit(address).netloc.rpartition("@")[2]
    reason = why if isinstance(why, str) else _kind(why)
    logger.warning("the OpenID Connect provider at %s cannot be asked: %s", host, reason)
    return ProviderAway(f"the provider at {host} cannot be asked: {reason}")


def _kind(error: Exception) -> str:
    """Return the kind of an error; a message may quote a token."""
    claim = getattr(error, "claim", None)
    return f"{type(error).__name__}{f' ({claim})' if isinstance(claim, str) else ''}"


def _is_safe(address: str) -> bool:
    """Whether nobody on the way can read or change what goes there."""
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and is_this_machine(parts.hostname))


def _require_safe(address: str, option: str) -> None:
    if not _is_safe(address):
        raise UnusableError(f"{option} {address} is not https://…: who listens on the way could log in")
