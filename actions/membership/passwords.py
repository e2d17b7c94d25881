"""Passwords of the console: Argon2 hashes, a temporary one first, and a pause after five wrong ones."""

from __future__ import annotations

import asyncio
import secrets
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from actions.core.commands import Context, Outcome
from actions.core.errors import DomainError
from actions.core.tables import Credential
from actions.membership.codes import ALPHABET
from actions.membership.people import find_member

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from actions.core.tables import Member
    from actions.membership.commands import SetPassword

    T = TypeVar("T")

SHORTEST = 10
LONGEST = 128
MOST_FAILURES = 5
PAUSE = timedelta(minutes=15)

_HASHER = PasswordHasher()
# One Argon2 takes 64 MiB: two at a time is what a small machine bears, however many log in. No thread starts yet.
_WORKERS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")


async def _apart(work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(_WORKERS, work)


def _folded(password: str) -> str:
    """The same password from every keyboard: half width and composed."""
    return unicodedata.normalize("NFKC", password)


async def _hash(password: str) -> str:
    return await _apart(lambda: _HASHER.hash(_folded(password)))


async def _fits(hashed: str, password: str) -> bool:
    def verify() -> bool:
        try:
            return _HASHER.verify(hashed, _folded(password))
        except (VerificationError, InvalidHashError):
            return False

    return await _apart(verify)


@lru_cache(maxsize=1)
def _nobody() -> str:
    """A hash that no password fits, for a 工号 that has none: it takes as long."""
    return _HASHER.hash(secrets.token_hex())


def new_password() -> str:
    """A temporary password, eighty bits, that can be read aloud."""
    groups = ("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(4))
    return "-".join(groups)


async def give_temporary(context: Context, member_id: int) -> str:
    """Sets a generated password that must be changed at first use, and returns it, this once."""
    password = new_password()
    await _store(context, member_id, await _hash(password), temporary=True)
    return password


async def _store(context: Context, member_id: int, hashed: str, *, temporary: bool) -> None:
    credential = await context.database.lock(context.session, Credential, member_id)
    if credential is None:
        credential = Credential(member_id=member_id)
        context.session.add(credential)
    credential.password_hash, credential.temporary = hashed, temporary
    credential.failures, credential.locked_until = 0, None
    await context.session.flush()


async def set_password(command: SetPassword, context: Context) -> Outcome:
    """One's own. Raises DomainError: no_password (only who was given one may change it), password_short,
    password_same, password_plain (it holds the 工号, or is one character over and over).
    """
    member_id = context.actor.member_id
    credential = await context.database.lock(context.session, Credential, member_id)
    if credential is None:
        raise DomainError("no_password")
    password = _folded(command.password.get_secret_value())
    if len(password) < SHORTEST:
        raise DomainError("password_short", shortest=SHORTEST)
    staff_id = context.actor.member.staff_id if context.actor.member else ""
    if len(set(password)) < 4 or (staff_id and staff_id in password.upper()):
        raise DomainError("password_plain")
    if await _fits(credential.password_hash, password):
        raise DomainError("password_same")
    await _store(context, member_id, await _hash(password), temporary=False)
    return Outcome(wording="membership.password_set", subject=f"member:{member_id}")


async def verify_password(context: Context, staff_id: str, password: str) -> Member | None:
    """The member whose password it is, or None: unknown 工号, wrong password, left, or within the pause.

    As much work in every case. A wrong one is counted, so it belongs in a unit of work that commits; five in a row
    make a pause of fifteen minutes, in which the right one does not open either.
    """
    member = await find_member(context, staff_id)
    credential = await context.database.lock(context.session, Credential, member.id if member else 0)
    nobody = await _apart(_nobody)
    known = credential is not None and len(password) <= LONGEST
    fits = await _fits(credential.password_hash if credential and known else nobody, password[:LONGEST])
    if member is None or credential is None:
        return None
    if credential.locked_until is not None and credential.locked_until > context.now:
        return None
    if fits and known and member.status != "left":
        credential.failures, credential.locked_until = 0, None
        return member
    credential.failures += 1
    if credential.failures >= MOST_FAILURES:
        credential.failures, credential.locked_until = 0, context.now + PAUSE
    return None
