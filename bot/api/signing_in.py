"""Signing in with the university's identity provider: begun and ended by the same browser, once."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import select

from actions.core.commands import Actor
from actions.core.errors import ConfigurationError, DomainError
from actions.core.tables import Account
from actions.membership.people import find_member
from actions.membership.rules import service_of
from actions.membership.sso import BindBySso, Proof
from bot.api.provider import Attempt
from bot.dialogue.state import State
from bot.gateway import rows
from bot.messages import Address

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.ext.asyncio import AsyncSession
    from starlette.requests import Request
    from starlette.responses import Response

    from actions.core.commands import Context
    from actions.core.tables import WebSession
    from bot.api.provider import Identity
    from bot.api.sessions import Sessions
    from bot.gateway import House

CHANNEL = "web"
#: Senders that the page makes for its visitors; others (officers of the console, people of the demo) are not bound.
VISITOR = "web-"
#: How long a member may take to sign in at the provider.
LIFETIME = timedelta(minutes=10)

_ABOUT = "sso-attempt"


@dataclass(frozen=True, kw_only=True, slots=True)
class Returned:
    """What the provider sent the browser back with."""

    code: str
    state: str
    error: str
    issuer: str


class Vouching(Protocol):
    """Who vouches for people: the university's provider, or a platform on which they are known."""

    @property
    def label(self) -> str:
        """What stands on the button."""
        ...

    @property
    def issuer(self) -> str:
        """What it calls itself when it sends a browser back."""
        ...

    async def authorization_url(self, attempt: Attempt, now: datetime) -> str:
        """Where the browser goes. Raises DomainError."""
        ...

    async def identify(self, code: str, attempt: Attempt, now: datetime) -> Identity:
        """Whom a code stands for. Raises DomainError."""
        ...


class SingleSignOn:
    """The provider, and what of it becomes a session."""

    def __init__(self, provider: Vouching, house: House, clock: Callable[[], datetime], sessions: Sessions) -> None:
        self._provider = provider
        self._house = house
        self._clock = clock
        self._sessions = sessions

    @property
    def label(self) -> str:
        """What stands on the button."""
        return self._provider.label

    async def begin(self) -> tuple[str, str]:
        """Where the browser goes, and the sealed attempt that it keeps meanwhile.

        Raises DomainError: sso_unreachable, sso_untrusted.
        """
        attempt = Attempt(
            state=secrets.token_hex(24), nonce=secrets.token_urlsafe(24), verifier=secrets.token_urlsafe(48)
        )
        now = self._clock()
        kept = {**asdict(attempt), "until": (now + LIFETIME).isoformat()}
        return await self._provider.authorization_url(attempt, now), self._house.vault.seal(kept, about=_ABOUT)

    async def end(self, request: Request, response: Response, sealed: str, returned: Returned) -> None:
        """Binds the account of the browser's session to the member, and gives it a new session.

        Raises DomainError: sso_expired, sso_cancelled, what `Provider.identify` and the command refuse; then nothing
        is bound, and the session stays as it was.
        """
        attempt = self._attempt(sealed)
        # Whoever sends somebody else's browser here does not know what that browser keeps.
        if not hmac.compare_digest(attempt.state.encode(), returned.state.encode()):
            raise DomainError("sso_expired")
        if returned.issuer and returned.issuer != self._provider.issuer:
            raise DomainError("sso_untrusted")
        if returned.error or not returned.code:
            raise DomainError("sso_cancelled" if returned.error == "access_denied" else "sso_refused")
        identity = await self._provider.identify(returned.code, attempt, self._clock())
        await self._enter(request, response, identity)

    def _attempt(self, sealed: str) -> Attempt:
        try:
            kept = self._house.vault.open(sealed, about=_ABOUT)
        except (ConfigurationError, ValueError) as error:
            raise DomainError("sso_expired") from error
        if datetime.fromisoformat(kept.pop("until")) <= self._clock():
            raise DomainError("sso_expired")
        return Attempt(**kept)

    async def _enter(self, request: Request, response: Response, identity: Identity) -> None:
        house, now = self._house, self._clock()
        current = await self._sessions.find(request)
        async with house.database.write() as work:
            sender = await self._sender(house.context(work, Actor(), now), current, identity)
            context = house.context(work, Actor(channel=CHANNEL, sender=sender), now)
            proof = Proof(
                staff_id=identity.staff_id,
                name=identity.name,
                channel=CHANNEL,
                sender=sender,
                conversation=sender,
                until=now + timedelta(minutes=1),
            )
            await house.bus.execute(BindBySso(proof=proof.sealed(house.vault)), context)
            await self._set_aside(context, sender)
            # Whoever knew the visitor's session, or put it into this browser, does not get the member's.
            await self._sessions.close_all(work, sender)
            await self._sessions.close(work, request)
            await self._sessions.open(work, response, sender)

    async def _set_aside(self, context: Context, sender: str) -> None:
        """A form that asks who this is has its answer: it goes, and what waited for it can be taken up again."""
        address = Address(channel=CHANNEL, conversation=sender)
        house = self._house
        row = await rows.conversation_at(context.session, house.database, address, sender, context.now)
        if not row.state:
            return
        state = State.model_validate(house.vault.open(row.state, about="conversation"))
        binding = service_of(house.catalogue)
        waiting = tuple(frame for frame in state.stack if frame.service != binding)
        if len(waiting) < len(state.stack):
            state = state.but(stack=waiting).shelve()
            row.state = house.vault.seal(state.model_dump(mode="json"), about="conversation")

    async def _sender(self, context: Context, current: WebSession | None, identity: Identity) -> str:
        """The visitor's own sender, so that what was begun goes on; a new one where it is somebody else's."""
        if current is not None and current.sender.startswith(VISITOR):
            member = await find_member(context, identity.staff_id)
            owner = await _owner(context.session, current.sender)
            if owner is None or (member is not None and owner == member.id):
                return current.sender
        return VISITOR + secrets.token_hex(16)


async def _owner(session: AsyncSession, sender: str) -> int | None:
    query = select(Account.member_id).where(Account.channel == CHANNEL, Account.account == "", Account.sender == sender)
    return (await session.execute(query)).scalar_one_or_none()
