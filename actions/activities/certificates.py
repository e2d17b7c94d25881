"""A certificate of attendance, as Word, for who was there and asks."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field
from sqlalchemy import select

from actions.activities.blocks import Block
from actions.activities.rules import rules_of, spec_of
from actions.activities.tables import Attendance
from actions.blocks.documents import Paper, Part, SignOff
from actions.blocks.documents_word import word
from actions.blocks.materials_made import Draft
from actions.blocks.materials_types import DOCX
from actions.core.commands import Command, Outcome, Registration, bound
from actions.core.errors import DomainError
from actions.core.hearing import Hearing, InPrivate
from actions.core.notify import Notice
from actions.core.tables import Member, Offering
from actions.core.zones import local, spoken_day

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actions.activities.competition import Say
    from actions.blocks.materials_made import Shelf
    from actions.core.commands import Context
    from actions.core.hearing import Heard

_KEPT = timedelta(days=7)
_SAID = re.compile(r"(?:我要|开|打印|要)?(?:一份|个)?(?:听课|听讲|参加|参会|培训)证明(?:\s*[:：]?\s*(\S.{0,60}))?")


class MakeCertificate(Command):
    """The actor's own certificate of what they were at: of the last one, or of the one that is named."""

    name: ClassVar[str] = "activities.certificate"
    title: str = Field("", max_length=80)


class Certificates(Block):
    """Certificates, for services with that rule. `say` renders a sentence of data/responses."""

    rule = "certificate"

    def __init__(self, say: Say, shelf: Shelf) -> None:
        self._say = say
        self._shelf = shelf

    def registrations(self) -> Sequence[Registration[Any]]:
        """For the member, in private."""
        return (Registration(command=MakeCertificate, handler=self._make, right=bound, private=lambda *_: True),)

    async def _make(self, command: MakeCertificate, context: Context) -> Outcome:
        """Raises DomainError: not_attended, not_over, file_no_account."""
        offering, sessions = await _attended(context, command.title.strip())
        me = await context.session.get_one(Member, context.actor.member_id)
        spec = spec_of(offering)
        there = [spec.sessions[number] for number in sessions if number < len(spec.sessions)]
        # Doors open before it begins: what is still going on was not attended yet.
        over = [session for session in there if session.ends_at <= context.now]
        if there and not over:
            raise DomainError("not_over", title=offering.title, ends_at=min(session.ends_at for session in there))
        there = over
        facts = {
            "title": offering.title,
            "name": me.name,
            "unit": me.unit.name if me.unit else "",
            "days": [spoken_day(session.starts_at) for session in there],
            "year": local(there[0].starts_at).year if there else local(context.now).year,
            "place": next((session.place for session in there if session.place), spec.place),
            "hours": sum((session.ends_at - session.starts_at).total_seconds() for session in there) / 3600,
        }
        title = self._say("certificates.title", facts)
        paper = Paper(
            title=title,
            parts=(Part(lines=(self._say("certificates.text", facts),)),),
            sign_off=SignOff(name=self._say("closing.sign_off", {}), day=local(context.now).date()),
        )
        name = self._say("certificates.file", facts)
        notice = Notice(
            member_id=me.id,
            wording="certificates.ready",
            params={"title": offering.title, "days": _KEPT.days},
            subject=f"certificate:{offering.id}:{me.id}",
            expires=context.now + _KEPT,
        )
        draft = Draft(name=name, kind=DOCX, build=partial(word, paper))
        data = {"files": await self._shelf.make(context, [draft], notice)}
        return Outcome(wording="certificates.made", params={"title": offering.title}, subject="certificate", data=data)


async def _attended(context: Context, title: str) -> tuple[Offering, list[int]]:
    """What the actor was at, with the numbers of its sessions. Raises DomainError("not_attended")."""
    services = [s.id for s in context.catalogue if s.life == "activity" and rules_of(s).certificate]
    query = (
        select(Attendance, Offering)
        .join(Offering, Offering.id == Attendance.offering_id)
        .where(Attendance.member_id == context.actor.member_id, Offering.service.in_(services))
        .order_by(Attendance.at.desc())
    )
    rows = (await context.session.execute(query)).all()
    found = next((o for _row, o in rows if not title or title in (o.title, *spec_of(o).also)), None)
    if found is None:
        raise DomainError("not_attended", title=title)
    return found, sorted(row.session for row, offering in rows if offering.id == found.id)


class CertificateListener(InPrivate):
    """Hears 听课证明, with or without what it is of."""

    async def hears(self, context: Context, heard: Heard, *, alone: bool) -> Hearing | None:
        """Takes a message that is nothing but such words."""
        match = _SAID.fullmatch(heard.text.strip(" 。.？?")) if alone and not heard.group else None
        if match is None or context.actor.member is None:
            return None
        return Hearing(command=MakeCertificate(title=match[1] or ""))
