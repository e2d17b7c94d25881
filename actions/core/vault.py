"""What core asks of the vault; the encryption itself is actions/blocks/vault.py."""

from __future__ import annotations

from typing import Any, Protocol


class Vault(Protocol):
    """Seals what must not be read in the database."""

    def seal(self, value: Any, *, about: str) -> str:
        """Encrypts a JSON value; `about` binds it to its place, so that it cannot be moved elsewhere."""
        ...

    def open(self, sealed: str, *, about: str) -> Any:
        """The value again. Raises ConfigurationError where the key is missing or the text was tampered with."""
        ...

    def pseudonym(self, identity: str) -> str:
        """A short stable name that does not tell who is meant."""
        ...
