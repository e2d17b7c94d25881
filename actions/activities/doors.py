"""Checking in: everybody's own code as text and as a QR picture, and who was there."""

from __future__ import annotations

import re
from datetime import timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field
from sqlalchemy import select

from actions.activities import notices, store
from actions.activities.attendance import note, session_now, take_back
from actions.activities.blocks import Block
from actions.activities.competition import answered
from actions.activities.room import ROOM, arrive, new_room_code
from actions.activities.rules import rules_of, spec_of
from actions.activities.tables import Entry, Person
from actions.blocks.materials_types import PNG
from actions.blocks.tickets import LENGTH, genuine, new_code
from actions.core.commands import Command, Context, Outcome, Registration, bound
from actions.core.errors import DomainError, ForbiddenError
from actions.core.hearing import Hearing, InPrivate
from actions.core.notify import Notice, notify

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actions.blocks.materials_made import Shelf
    from actions.core.hearing import Heard

#: What a code is signed for.
CHECK_IN = "check-in"
#: How long a picture of a code can be opened.
_PICTURE_KEPT = timedelta(days=2)
_SAID = re.compile(rf"(?:签到|簽到|验码|核销)\s*[:：]?\s*((?:[0-9A-Za-z]\s?){{{LENGTH}}})")
_ROOM = re.compile(r"(?:现场签到码|现场码|现场签到|会场码|大屏码)\s*[:：]?\s*(\S.{0,60})")
_ASKED = ("签到码", "我的签到码", "二维码", "我的二维码", "入场码", "簽到碼")


class CheckIn(Command):
    """Notes that who holds a code was there; a code counts once for each session."""

    name: ClassVar[str] = "activities.check_in"
    code: str = Field(min_length=4, max_length=80)


class ShowTickets(Command):
    """The actor's own codes, of what is still to come, as text and as QR pictures."""

    name: ClassVar[str] = "activities.tickets"


class ShowRoom(Command):
    """A code for the room in which an offering is on, as text and as a QR picture; the last one counts no more."""

    name: ClassVar[str] = "activities.room"
    offering_id: int


class Mark(Command):
    """Notes by hand whether somebody was at a session."""

    name: ClassVar[str] = "activities.mark"
    entry_id: int
    staff_id: str = ""
    session: int = Field(0, ge=0)
    attended: bool = True


class Doors(Block):
    """Gives everybody in an entry a code, and checks them in with it."""

    rule = "check_in"

    def __init__(self, shelf: Shelf | None = None) -> None:
        """Without a shelf codes are text alone."""
        self._shelf = shelf

    def registrations(self) -> Sequence[Registration[Any]]:
        """Commands around a door. Whom somebody may check in is looked up where the entry is known."""
        return (
            Registration(command=CheckIn, handler=check_in, right=bound),
            Registration(command=Mark, handler=mark, right=bound),
            Registration(command=ShowTickets, handler=self._show, right=bound, private=lambda *_: True),
            Registration(command=ShowRoom, handler=self._room, right=bound),
        )

    async def entered(self, context: Context, entry: Entry) -> None:
        """Codes for everybody who has none yet."""
        for person in entry.people:
            person.ticket = person.ticket or new_code(context.vault, CHECK_IN)
        await context.session.flush()

    async def told(self, context: Context, entry: Entry) -> Sequence[tuple[str, Mapping[str, Any]]]:
        """One's own code, to nobody else."""
        actor = context.actor.member
        own = next((p for p in entry.people if actor is not None and p.member_id == actor.id), None)
        if entry.state != "registered" or own is None or not own.ticket:
            return ()
        return (("activities.ticket", {"ticket": own.ticket}),)

    async def _show(self, _command: ShowTickets, context: Context) -> Outcome:
        query = (
            select(Person, Entry)
            .join(Entry, Entry.id == Person.entry_id)
            .where(Person.member_id == context.actor.member_id, Person.ticket.is_not(None), Entry.state == "registered")
        )
        rows = []
        for person, entry in (await context.session.execute(query)).unique().all():
            ends_at = spec_of(entry.offering).ends_at
            if ends_at is None or ends_at > context.now:
                facts = notices.facts(context, entry)
                rows.append({"title": facts["title"], "starts_at": facts["starts_at"], "ticket": person.ticket})
                await self._picture(context, entry, str(person.ticket))
        return Outcome(wording="activities.tickets", params={"rows": rows})

    async def _room(self, command: ShowRoom, context: Context) -> Outcome:
        """Raises DomainError: not_found, no_session_now; ForbiddenError."""
        offering = await answered(context, command.offering_id)
        if not rules_of(context.catalogue[offering.service]).check_in:
            raise DomainError("not_found")
        session, code = await new_room_code(context, offering)
        if self._shelf is not None:
            member_id = context.actor.member_id
            file = await self._shelf.put(
                context,
                picture(code),
                name=f"现场签到码{offering.id}.png",
                kind=PNG,
                subject=f"room:{offering.id}",
                member_id=member_id,
                until=context.now + _PICTURE_KEPT,
            )
            if file is not None:
                about = {"title": offering.title}
                notice = Notice(member_id=member_id, wording="activities.room_picture", params=about, files=(file,))
                await notify(context, notice)
        params = {"title": offering.title, "session": session + 1, "code": code}
        return Outcome(wording="activities.room", params=params, subject=f"offering:{offering.id}", data=params)

    async def _picture(self, context: Context, entry: Entry, code: str) -> None:
        """The code as a picture, in a message of its own: it says nothing that the code does not."""
        if self._shelf is None:
            return
        member_id = context.actor.member_id
        name, until = f"签到码{entry.id}.png", context.now + _PICTURE_KEPT
        file = await self._shelf.put(
            context, picture(code), name=name, kind=PNG, subject=entry.subject, member_id=member_id, until=until
        )
        if file is not None:
            params = {"title": notices.pushed(context, entry)["title"]}
            notice = Notice(member_id=member_id, wording="activities.ticket_picture", params=params, files=(file,))
            await notify(context, notice)


def picture(code: str) -> bytes:
    """A QR picture of a code: what is read from it is the code alone."""
    import segno  # noqa: PLC0415 - for those who ask for a picture

    file = BytesIO()
    segno.make_qr(f"签到 {code}", error="m").save(file, kind="png", scale=8, border=4)
    return file.getvalue()


class DoorListener(InPrivate):
    """Hears 签到 and a code, 签到码 from who wants to come in, 现场码 from who answers for an offering."""

    async def hears(self, context: Context, heard: Heard, *, alone: bool) -> Hearing | None:
        """Takes a message that is nothing but such words."""
        if heard.group or context.actor.member is None:
            return None
        said = _SAID.fullmatch(heard.text.strip())
        if said is not None:
            return Hearing(command=CheckIn(code=said[1]))
        text = heard.text.strip(" 。.？?")
        if alone and (wanted := _ROOM.fullmatch(text)) is not None:
            services = [s.id for s in context.catalogue if s.life == "activity" and rules_of(s).check_in]
            offering = await store.own_by_title(context, services, wanted[1])
            return None if offering is None else Hearing(command=ShowRoom(offering_id=offering.id))
        return Hearing(command=ShowTickets()) if alone and text in _ASKED else None


async def check_in(command: CheckIn, context: Context) -> Outcome:
    """Raises DomainError: ticket_unknown, ticket_used, no_session_now, not_in_here; ForbiddenError.

    The code of a room is said by who comes in, a person's own by who stands at the door. Of a code that is none of
    ours nothing is looked up, and whose it is, is told to who may know alone.
    """
    if room := genuine(context.vault, ROOM, command.code):
        return await arrive(context, room)
    code = genuine(context.vault, CHECK_IN, command.code)
    query = select(Person, Entry).join(Entry, Entry.id == Person.entry_id).where(Person.ticket == code)
    found = (await context.session.execute(query)).unique().first() if code else None
    if found is None:
        raise DomainError("ticket_unknown")
    person, entry = found
    if not store.answers_for(context, entry.offering):
        raise ForbiddenError
    session = session_now(context, spec_of(entry.offering))
    if not await note(context, entry, person.member_id, session):
        raise DomainError("ticket_used", name=person.member.name, title=entry.offering.title)
    return Outcome(
        wording="activities.checked_in",
        params={"name": person.member.name, "title": entry.offering.title, "session": session + 1},
        subject=entry.subject,
    )


async def mark(command: Mark, context: Context) -> Outcome:
    """Raises DomainError: not_found, no_such_session; ForbiddenError."""
    entry = await store.find(context, command.entry_id)
    if not store.answers_for(context, entry.offering):
        raise ForbiddenError
    if command.session >= max(len(spec_of(entry.offering).sessions), 1):
        raise DomainError("no_such_session", session=command.session)
    wanted = [p for p in entry.people if command.staff_id in ("", p.member.staff_id)]
    if entry.state != "registered" or not wanted:
        raise DomainError("not_found")
    for person in wanted:
        if command.attended:
            await note(context, entry, person.member_id, command.session)
        else:
            await take_back(context, entry, person.member_id, command.session)
    names = [person.member.name for person in wanted]
    params = {"names": names, "title": entry.offering.title, "attended": command.attended}
    return Outcome(wording="activities.marked", params=params, subject=entry.subject)
