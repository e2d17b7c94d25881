"""Encrypted fields: AES-256-GCM with key ids, and pseudonyms by HMAC.

A sealed text is `v1.<key id>.<base64url(nonce + ciphertext)>`. The place it belongs to ("conversation", "appointment")
is authenticated with it, so a sealed text copied to another column does not open.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from actions.core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

_NONCE_BYTES = 12


class AesVault:
    """Keys by id; the last one, `current`, seals, all of them open. Every sealed text begins with the `mark`."""

    mark = "v1."

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        """`keys` maps key id -> 32 bytes. Raises ConfigurationError for none, or one of another length."""
        if not keys or any(len(key) != 32 for key in keys.values()):
            message = "vault keys: each must be 32 bytes, base64url; make one with `bot keys vault`"
            raise ConfigurationError(message)
        if any(not name or "." in name for name in keys):
            message = "vault keys: a key needs a name, without a full stop"
            raise ConfigurationError(message)
        self._ciphers = {name: AESGCM(key) for name, key in keys.items()}
        self.names = tuple(keys)
        self.current = self.names[-1]
        # The first key stays for pseudonyms, so that they remain the same when a new key is added.
        self._pseudonym_key = hashlib.sha256(b"pseudonym" + next(iter(keys.values()))).digest()

    def seal(self, value: Any, *, about: str) -> str:
        """Encrypts a JSON value for the place `about`."""
        nonce = os.urandom(_NONCE_BYTES)
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain).encode()
        sealed = nonce + self._ciphers[self.current].encrypt(nonce, text, about.encode())
        return f"{self.mark}{self.current}.{base64.urlsafe_b64encode(sealed).decode()}"

    def open(self, sealed: str, *, about: str) -> Any:
        """The value again. Raises ConfigurationError where the key is unknown or the text does not fit."""
        version, _, rest = sealed.partition(".")
        name, _, body = rest.partition(".")
        if version != "v1":
            message = f"vault: a text for {about!r} is not sealed as it should be"
            raise ConfigurationError(message)
        cipher = self._ciphers.get(name)
        if cipher is None:
            message = f"vault keys: key {name!r} is missing, records sealed with it cannot be read (NJR_VAULT__KEYS)"
            raise ConfigurationError(message)
        try:
            raw = base64.b64decode(body, altchars=b"-_", validate=True)
            text = cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], about.encode())
        except (InvalidTag, ValueError) as error:
            message = f"vault keys: a text sealed for {about!r} does not open with key {name!r}"
            raise ConfigurationError(message) from error
        return json.loads(text)

    def pseudonym(self, identity: str) -> str:
        """Sixteen hexadecimal digits that stay the same for an identity and tell nothing of it."""
        return "p-" + hmac.new(self._pseudonym_key, identity.encode(), hashlib.sha256).hexdigest()[:16]


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    message = f"{type(value).__name__} is no JSON value"
    raise TypeError(message)


def new_key() -> str:
    """A fresh key as base64url text."""
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


def parse_keys(text: str) -> dict[str, bytes]:
    """Keys from `id:base64url[,id:base64url…]`, oldest first. Raises ConfigurationError for another shape."""
    keys: dict[str, bytes] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, encoded = part.partition(":")
        try:
            key = base64.b64decode(encoded, altchars=b"-_", validate=True)
        except ValueError as error:
            message = "vault keys: expected id:base64url[,id:base64url…] in NJR_VAULT__KEYS"
            raise ConfigurationError(message) from error
        if name in keys:
            message = f"vault keys: the name {name!r} is there twice in NJR_VAULT__KEYS"
            raise ConfigurationError(message)
        keys[name] = key
    return keys
