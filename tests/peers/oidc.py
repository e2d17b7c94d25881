"""An identity provider of the tests' own: a real HTTP server on loopback that speaks OpenID Connect.

Discovery, keys, authorization code with PKCE (S256), tokens signed with RS256. Faults are set on it while it runs.

with Provider(clock) as provider:
    provider.person = {"sub": "20180312", "name": "林一帆"}
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

CLIENT = "niangjiaren"
SECRET = "a secret: with signs & blanks"


@dataclass
class Faults:
    """What the provider does wrong. `claims` are laid over those of the id_token, None takes one out."""

    down: str = ""  # the path that answers 503
    hangs: str = ""  # the path that answers nothing until the provider is closed
    endless: str = ""  # the path that answers with more than anybody wants
    not_json: str = ""  # the path that answers with a page
    claims: dict[str, Any] = field(default_factory=dict)
    foreign_key: bool = False  # signed with a key that is not published
    algorithm: str = "RS256"
    unsigned: bool = False
    metadata: dict[str, Any] = field(default_factory=dict)


class Provider:
    """The provider, running for as long as the block lasts. `person` are the claims of whoever signs in."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.person: dict[str, Any] = {"sub": "20180312"}
        self.faults = Faults()
        self.asked: list[str] = []
        self.key = _key()
        self.redirect_uris: set[str] = set()
        self._codes: dict[str, dict[str, str]] = {}
        self._closing = threading.Event()
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider._serve(self, {})

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                provider._serve(self, {name: values[0] for name, values in parse_qs(body).items()})

            def log_message(self, *_: object) -> None:
                """Nothing on stderr."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends it; once is enough, and more does no harm."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def renew_key(self) -> None:
        """The provider changes its key, as they do."""
        self.key = _key()

    # --- what it answers

    def _serve(self, request: BaseHTTPRequestHandler, form: dict[str, str]) -> None:
        path = urlsplit(request.path).path
        self.asked.append(path)
        if path == self.faults.hangs:
            self._closing.wait()
            return
        if path == self.faults.down:
            _answer(request, 503, {"error": "temporarily_unavailable"})
        elif path == self.faults.not_json:
            _answer(request, 200, None, body=b"<html>maintenance</html>")
        elif path == self.faults.endless:
            _answer(request, 200, None, body=b'{"a":"' + b"x" * 2**20)
        elif path == "/.well-known/openid-configuration":
            _answer(request, 200, self._metadata())
        elif path == "/keys":
            _answer(request, 200, {"keys": [self.key.as_dict(private=False)]})
        elif path == "/authorize":
            self._authorize(request)
        elif path == "/token":
            self._token(request, form)
        else:
            _answer(request, 404, {})

    def _metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            **self.faults.metadata,
        }

    def _authorize(self, request: BaseHTTPRequestHandler) -> None:
        """Whoever comes is signed in at once, as with a session at the provider."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(request.path).query).items()}
        fits = (
            asked.get("client_id") == CLIENT
            and asked.get("response_type") == "code"
            and asked.get("redirect_uri") in self.redirect_uris
            and asked.get("code_challenge_method") == "S256"
            and "openid" in asked.get("scope", "").split()
        )
        if not fits:
            _answer(request, 400, {"error": "invalid_request"})
            return
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        query = urlencode({"code": code, "state": asked["state"], "iss": self.issuer})
        request.send_response(302)
        request.send_header("Location", f"{asked['redirect_uri']}?{query}")
        request.end_headers()

    def _token(self, request: BaseHTTPRequestHandler, form: dict[str, str]) -> None:
        """A code is good once, for the client, the redirect and the browser that it was made for."""
        asked = self._codes.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        fits = (
            asked is not None
            and self._client(request, form) == (CLIENT, SECRET)
            and form.get("grant_type") == "authorization_code"
            and form.get("redirect_uri") == asked["redirect_uri"]
            and challenge.decode().rstrip("=") == asked["code_challenge"]
        )
        if asked is None or not fits:
            _answer(request, 400, {"error": "invalid_grant"})
            return
        _answer(request, 200, {"access_token": "a", "token_type": "Bearer", "id_token": self._id_token(asked)})

    def _client(self, request: BaseHTTPRequestHandler, form: dict[str, str]) -> tuple[str, str]:
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Basic":
            return form.get("client_id", ""), form.get("client_secret", "")
        name, _, secret = base64.b64decode(value).decode().partition(":")
        return unquote(name), unquote(secret)

    def _id_token(self, asked: dict[str, str]) -> str:
        now = int(self.clock().timestamp())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            **self.person,
            **self.faults.claims,
        }
        told = {name: value for name, value in claims.items() if value is not None}
        if self.faults.unsigned:
            parts = ({"alg": "none", "typ": "JWT"}, told)
            encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
            return ".".join([*encoded, ""])
        if self.faults.algorithm == "HS256":
            return self._signed_with_the_public_key(told)
        key = _key() if self.faults.foreign_key else self.key
        header = {"alg": self.faults.algorithm, "kid": self.key.kid}
        return jwt.encode(header, told, key, algorithms=[self.faults.algorithm])

    def _signed_with_the_public_key(self, told: dict[str, Any]) -> str:
        """The old trick: the published key, which everybody has, as the secret of a symmetric signature."""
        parts = ({"alg": "HS256", "typ": "JWT", "kid": self.key.kid}, told)
        encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts]
        signature = hmac.new(self.key.as_pem(private=False), b".".join(encoded), hashlib.sha256).digest()
        return b".".join([*encoded, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


def _key() -> RSAKey:
    return RSAKey.generate_key(2048, parameters={"use": "sig", "alg": "RS256", "kid": secrets.token_hex(4)})


def _answer(request: BaseHTTPRequestHandler, status: int, told: object, *, body: bytes = b"") -> None:
    sent = body or json.dumps(told).encode()
    request.send_response(status)
    request.send_header("Content-Type", "application/json")
    request.send_header("Content-Length", str(len(sent)))
    request.end_headers()
    request.wfile.write(sent)
