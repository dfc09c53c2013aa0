"""A small OpenID Connect provider on the loopback interface; its tokens are signed by PyJWT.

It is strict about what the console sends it, and can be told to give wrong things back.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CLIENT, SECRET = "console-of-tests", "a-secret-of-the-client"


def new_key() -> rsa.RSAPrivateKey:
    """A key of 2048 bits."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class SmallProvider:
    """``preferred_username`` of whoever comes is ``person``."""

    def __init__(self, redirect_uri: str) -> None:
        self.person = "li"
        self.redirect_uri = redirect_uri
        self.key, self.kid = new_key(), "first"
        self.claims: Callable[[dict[str, Any]], dict[str, Any]] = lambda claims: claims
        self.sign: Callable[[dict[str, Any]], str] = self.signed
        self.about: dict[str, Any] = {}
        self.user_info: dict[str, Any] | None = None
        self.answer: dict[str, str] = {}
        """Further fields of what a browser comes back with."""
        self.away = False
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @contextmanager
    def serving(self) -> Iterator[SmallProvider]:
        thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def signed(self, claims: dict[str, Any]) -> str:
        """By its key, as its set of keys says."""
        return jwt.encode(claims, self.key, algorithm="RS256", headers={"kid": self.kid})

    def public_pem(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def configuration(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/me",
            "end_session_endpoint": f"{self.issuer}/out",
            **self.about,
        }

    def keys(self) -> dict[str, Any]:
        own = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        kinds = [{"kty": "oct", "k": "c2VjcmV0", "kid": "shared"}, {"kty": "of-tomorrow", "kid": "new"}]
        return {"keys": [*kinds, {**own, "kid": self.kid, "use": "sig"}]}

    def authorized(self, query: dict[str, str]) -> str:
        """Where a browser is sent back to, once the person has agreed."""
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT
        assert query["redirect_uri"] == self.redirect_uri
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        return f"{self.redirect_uri}?{urlencode({'code': code, 'state': query['state'], **self.answer})}"

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """What is given for a code: once, to the client that shows what the challenge was made of."""
        known = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if authorization != f"Basic {known}":
            return 401, {"error": "invalid_client"}
        begun = self.codes.pop(form["code"], None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if begun is None or begun["code_challenge"] != challenge or form["redirect_uri"] != self.redirect_uri:
            return 400, {"error": "invalid_grant", "error_description": "a detail of the provider's"}
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": f"id-of-{self.person}",
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": begun["nonce"],
            "preferred_username": self.person,
        }
        token = self.sign(self.claims(claims))
        return 200, {"access_token": "an-access-token", "token_type": "Bearer", "id_token": token}


def _handler(provider: SmallProvider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            provider.asked.append(url.path)
            if provider.away:
                self.send_error(503)
            elif url.path == "/.well-known/openid-configuration":
                self._answer(200, provider.configuration())
            elif url.path == "/keys":
                self._answer(200, provider.keys())
            elif url.path == "/me" and self.headers["Authorization"] == "Bearer an-access-token":
                self._answer(200, provider.user_info or {})
            elif url.path == "/authorize":
                self.send_response(302)
                self.send_header("Location", provider.authorized(dict(parse_qsl(url.query))))
                self.end_headers()
            else:
                self.send_error(404)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self._answer(*provider.token(form, self.headers.get("Authorization", "")))

        def _answer(self, status: int, document: dict[str, Any]) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
