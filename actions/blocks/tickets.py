"""Codes that are shown at a door or a counter: random, signed, and telling nothing of whom or what they are for.

A code is drawn, not counted, so that none is guessed from another; its last characters are a signature, so that a
slip or a guess is refused before any record is looked at. That it counts once is the key of the row which its use
writes.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from actions.core.notify import ALPHABET

if TYPE_CHECKING:
    from actions.core.vault import Vault

_DRAWN, _SIGNED = 7, 3
#: Characters of a code.
LENGTH = _DRAWN + _SIGNED


def new_code(vault: Vault, purpose: str) -> str:
    """A new code for a purpose ("check-in", "pickup"), of ten letters and digits that are not mistaken for others."""
    drawn = "".join(secrets.choice(ALPHABET) for _ in range(_DRAWN))
    return drawn + _signature(vault, purpose, drawn)


def genuine(vault: Vault, purpose: str, code: str) -> str:
    """The code as it was given out, or nothing where it is none of this purpose: blanks and case do not matter."""
    plain = "".join(code.split()).upper()
    if len(plain) != LENGTH or any(char not in ALPHABET for char in plain):
        return ""
    drawn, signed = plain[:_DRAWN], plain[_DRAWN:]
    return plain if secrets.compare_digest(signed, _signature(vault, purpose, drawn)) else ""


def _signature(vault: Vault, purpose: str, drawn: str) -> str:
    number = int(vault.pseudonym(f"ticket:{purpose}:{drawn}").removeprefix("p-"), 16)
    signed = ""
    for _ in range(_SIGNED):
        number, rest = divmod(number, len(ALPHABET))
        signed += ALPHABET[rest]
    return signed
