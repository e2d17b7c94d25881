"""The commands of "我的数据" and "删除我的数据": for the bound member alone, and in private."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from actions.core.commands import Command, Outcome, Registration, bound
from actions.core.errors import DomainError
from actions.core.notify import Notice, Option, close_prompts, offer
from actions.held.erasing import erase, fates, refuse_open
from actions.held.exporting import export

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import MetaData

    from actions.blocks.materials_made import Shelf
    from actions.core.commands import Context
    from actions.held.erasing import Fate
    from actions.held.kinds import Kind

#: How long the question waits for its answer.
_ASKED = timedelta(minutes=10)


class Export(Command):
    """Everything that is held about the actor, as a file."""

    name: ClassVar[str] = "own.export"


class AskErase(Command):
    """Tells what would be deleted, what stays and why, and asks whether to do it."""

    name: ClassVar[str] = "own.ask_erase"


class Erase(Command):
    """Deletes what can go of what is held about the actor."""

    name: ClassVar[str] = "own.erase"


class KeepAll(Command):
    """Thinks better of it."""

    name: ClassVar[str] = "own.keep"


class HeldData:
    """What is held about members; `kinds` classify the tables of `metadata`."""

    def __init__(self, kinds: Sequence[Kind], metadata: MetaData, shelf: Shelf) -> None:
        self._kinds = kinds
        self._metadata = metadata
        self._shelf = shelf

    def registrations(self) -> Sequence[Registration[Any]]:
        """The commands. Their audit is pseudonymous: it would tell who has something to hide."""
        return (
            Registration(command=Export, handler=self._export, right=_alone, private=_hidden),
            Registration(command=AskErase, handler=self._ask, right=_alone, private=_hidden),
            Registration(command=Erase, handler=self._erase, right=_alone, private=_hidden),
            Registration(command=KeepAll, handler=self._keep, right=_alone, private=_hidden),
        )

    async def _export(self, _command: Export, context: Context) -> Outcome:
        return await export(context, self._metadata, self._kinds, self._shelf)

    async def _ask(self, _command: AskErase, context: Context) -> Outcome:
        """Raises DomainError("held_open") where something has to be withdrawn first."""
        member_id = context.actor.member_id
        await refuse_open(context, self._metadata, self._kinds, member_id)
        params = _told(await fates(context, self._metadata, self._kinds, member_id))
        if not params["going"]:
            return Outcome(wording="held.nothing", params=params, subject="held")
        subject = f"held:{member_id}"
        await close_prompts(context, subject)
        notice = Notice(
            member_id=member_id,
            wording="held.ask",
            params=params,
            subject=subject,
            expires=context.now + _ASKED,
            options=(Option(label="确认删除", command=Erase()), Option(label="先不删", command=KeepAll())),
        )
        return Outcome(wording="held.ask", params=params, subject="held", options=await offer(context, notice))

    async def _erase(self, _command: Erase, context: Context) -> Outcome:
        """Raises DomainError("held_open"): since it was asked, something was booked."""
        member_id = context.actor.member_id
        await refuse_open(context, self._metadata, self._kinds, member_id)
        await close_prompts(context, f"held:{member_id}")
        count = await erase(context, self._metadata, self._kinds, member_id)
        return Outcome(wording="held.erased", params={"count": count}, subject="held", data={"count": count})

    async def _keep(self, _command: KeepAll, context: Context) -> Outcome:
        await close_prompts(context, f"held:{context.actor.member_id}")
        return Outcome(wording="held.left", subject="held")


async def _alone(command: Command, context: Context) -> bool:
    """A bound member, where nobody reads along. Raises DomainError: not_bound, held_private."""
    if not context.actor.private:
        raise DomainError("held_private")
    return await bound(command, context)


def _hidden(_command: Command, _context: Context) -> bool:
    return True


def _told(found: Sequence[Fate]) -> dict[str, Any]:
    going = [{"title": fate.kind.title, "count": fate.going} for fate in found if fate.going]
    staying = [
        {"title": fate.kind.title, "count": fate.staying, "reason": fate.kind.reason} for fate in found if fate.staying
    ]
    return {"going": going, "staying": staying}
