"""The university's identity provider (OpenID Connect Core 1.0, authorization code with PKCE): asked, and not believed
without proof. Every request has a time limit, and every answer a size.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import structlog

from actions.core.errors import ConfigurationError, DomainError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import httpx

    from bot.settings import SsoSettings

log = structlog.get_logger(__name__)

CALLBACK = "/api/v1/sso/callback"

# Signatures that only the provider can make; with HS256 the client's secret would do, and "none" needs nothing.
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
_LEEWAY_SECONDS = 60
_MOST_BYTES = 256 * 1024
_REMEMBERED = timedelta(hours=1)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One sign-in under way. Only the browser that began it can end it: it keeps these, sealed, in a cookie."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """Whom the provider vouches for; `name` is empty where none is asked for."""

    staff_id: str
    name: str


def callback_url(public_url: str) -> str:
    """Where the provider sends the browser back to. Raises ConfigurationError without `http.public_url`."""
    if not public_url:
        message = "http.public_url: must be set where sso.issuer is, the provider sends members back to it"
        raise ConfigurationError(message)
    return public_url.rstrip("/") + CALLBACK


class Provider:
    """The provider of the settings. What it publishes about itself is remembered for an hour."""

    def __init__(self, settings: SsoSettings, callback: str) -> None:
        """`callback` is the registered redirect URI. Raises ConfigurationError."""
        _require_safe(settings.issuer)
        if not settings.client_id:
            raise ConfigurationError("sso.client_id: must be set where sso.issuer is")
        self.settings = settings
        self._callback = callback
        self._metadata: Mapping[str, Any] = {}
        self._keys: Mapping[str, Any] = {}
        self._asked_at: datetime | None = None

    @property
    def label(self) -> str:
        """What stands on the button."""
        return self.settings.label

    @property
    def issuer(self) -> str:
        """What it calls itself."""
        return self.settings.issuer

    async def authorization_url(self, attempt: Attempt, now: datetime) -> str:
        """Where the browser signs in. Raises DomainError: sso_unreachable, sso_untrusted."""
        from authlib.oauth2.rfc6749.parameters import prepare_grant_uri  # type: ignore[import-untyped] # noqa: PLC0415
        from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped] # noqa: PLC0415

        metadata = await self._discovered(now)
        url: str = prepare_grant_uri(
            self._endpoint(metadata, "authorization_endpoint"),
            client_id=self.settings.client_id,
            response_type="code",
            redirect_uri=self._callback,
            scope=self.settings.scope,
            state=attempt.state,
            nonce=attempt.nonce,
            code_challenge=create_s256_code_challenge(attempt.verifier),
            code_challenge_method="S256",
        )
        return url

    async def identify(self, code: str, attempt: Attempt, now: datetime) -> Identity:
        """Whom a code stands for.

        Raises DomainError: sso_unreachable, sso_refused (the provider does not take the code), sso_untrusted (what it
        says is not proved, or is not for us, or is too old), sso_no_staff_id.
        """
        metadata = await self._discovered(now)
        token = await self._token(metadata, code, attempt)
        claims = await self._verified(metadata, token, attempt, now)
        staff_id, name = (str(claims.get(claim) or "").strip() for claim in self._claims)
        if not staff_id:
            raise DomainError("sso_no_staff_id")
        return Identity(staff_id=staff_id, name=name)

    @property
    def _claims(self) -> tuple[str, str]:
        return self.settings.staff_claim, self.settings.name_claim

    # --- what it says of itself

    async def _discovered(self, now: datetime) -> Mapping[str, Any]:
        if self._asked_at is None or now - self._asked_at > _REMEMBERED:
            metadata = await self._ask("GET", f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration")
            if metadata.get("issuer") != self.settings.issuer:
                raise _untrusted("another issuer")
            self._keys = await self._ask("GET", self._endpoint(metadata, "jwks_uri"))
            self._metadata, self._asked_at = metadata, now
        return self._metadata

    def _endpoint(self, metadata: Mapping[str, Any], name: str) -> str:
        url = metadata.get(name)
        if not isinstance(url, str) or urlsplit(url).scheme != urlsplit(self.settings.issuer).scheme:
            raise _untrusted(f"no {name}")
        return url

    # --- what it says of somebody

    async def _token(self, metadata: Mapping[str, Any], code: str, attempt: Attempt) -> Mapping[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._callback,
            "code_verifier": attempt.verifier,
        }
        name, secret = self.settings.client_id, self.settings.client_secret.get_secret_value()
        methods = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        basic = None
        if secret and "client_secret_basic" in methods:
            # RFC 6749, 2.3.1: both are form-encoded before they are joined.
            basic = quote(name, safe=""), quote(secret, safe="")
        else:
            form |= {"client_id": name} | ({"client_secret": secret} if secret else {})
        return await self._ask("POST", self._endpoint(metadata, "token_endpoint"), data=form, auth=basic)

    async def _verified(
        self, metadata: Mapping[str, Any], token: Mapping[str, Any], attempt: Attempt, now: datetime
    ) -> Mapping[str, Any]:
        from joserfc.errors import InvalidKeyIdError, JoseError  # noqa: PLC0415 - only who signs in needs them

        try:
            try:
                return self._checked(token, attempt, now)
            except InvalidKeyIdError:
                # A key that was not there an hour ago: providers change theirs.
                self._keys = await self._ask("GET", self._endpoint(metadata, "jwks_uri"))
                return self._checked(token, attempt, now)
        except (JoseError, KeyError, TypeError, ValueError) as error:
            raise _untrusted(type(error).__name__) from error

    def _checked(self, token: Mapping[str, Any], attempt: Attempt, now: datetime) -> Mapping[str, Any]:
        """The claims of the id_token (OpenID Connect Core 1.0, 3.1.3.7)."""
        from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped] # noqa: PLC0415
        from joserfc import jwt  # noqa: PLC0415
        from joserfc.jwk import KeySet  # noqa: PLC0415

        keys = KeySet.import_key_set(dict(self._keys))  # type: ignore[arg-type] # checked as it is read
        decoded = jwt.decode(token["id_token"], keys, algorithms=_ALGORITHMS)
        claims: CodeIDToken = CodeIDToken(
            decoded.claims,
            decoded.header,
            options={
                "iss": {"essential": True, "value": self.settings.issuer},
                "aud": {"essential": True, "value": self.settings.client_id},
            },
            params={
                "nonce": attempt.nonce,
                "client_id": self.settings.client_id,
                "access_token": token.get("access_token"),
            },
        )
        claims.validate(now=int(now.timestamp()), leeway=_LEEWAY_SECONDS)
        return dict(claims)

    # --- requests

    async def _ask(
        self, method: str, url: str, *, data: Mapping[str, str] | None = None, auth: tuple[str, str] | None = None
    ) -> Mapping[str, Any]:
        import httpx  # noqa: PLC0415 - 60 ms that a house without single sign-on need not pay

        try:
            async with asyncio.timeout(self.settings.seconds), httpx.AsyncClient() as client:
                request = client.build_request(method, url, data=data, headers={"Accept": "application/json"})
                response = await client.send(request, auth=auth, stream=True)
                try:
                    body = await _read(response)
                finally:
                    await response.aclose()
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            log.warning("sso_unreachable", reason=type(error).__name__)
            raise DomainError("sso_unreachable") from error
        return _answer(method, response.status_code, body)


async def _read(response: httpx.Response) -> bytes:
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > _MOST_BYTES:
            raise _untrusted("an endless answer")
    return body


def _answer(method: str, status: int, body: bytes) -> Mapping[str, Any]:
    if method == "POST" and 400 <= status < 500:
        log.warning("sso_refused", status=status)
        raise DomainError("sso_refused")
    if status != 200:
        log.warning("sso_unreachable", status=status)
        raise DomainError("sso_unreachable")
    try:
        answer = json.loads(body)
    except ValueError as error:
        raise _untrusted("no JSON") from error
    if not isinstance(answer, dict):
        raise _untrusted("no object")
    return answer


def _untrusted(reason: str) -> DomainError:
    log.warning("sso_untrusted", reason=reason)
    return DomainError("sso_untrusted")


def _require_safe(issuer: str) -> None:
    parts = urlsplit(issuer)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        return
    raise ConfigurationError("sso.issuer: must be an https address")
