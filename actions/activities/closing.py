"""Commands that close an activity: papers to sign, prizes within their share, everything as one archive."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field
from sqlalchemy import select

from actions.activities import store
from actions.activities.blocks import Block
from actions.activities.competition import answered, read
from actions.activities.draw_tables import DrawRecord
from actions.activities.papers import Event, Papers
from actions.activities.rules import rules_of, spec_of
from actions.activities.tables import Attendance, Entry
from actions.blocks.closing import prizes_allowed
from actions.blocks.documents_archive import archive
from actions.blocks.documents_excel import workbook
from actions.blocks.documents_word import word
from actions.blocks.materials_made import Draft
from actions.blocks.materials_types import DOCX, XLSX, FileType
from actions.core.commands import Command, Outcome, Registration, bound
from actions.core.errors import DomainError
from actions.core.notify import Notice
from actions.core.tables import Offering

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actions.activities.competition import Say
    from actions.blocks.documents import Paper
    from actions.blocks.materials_made import Shelf
    from actions.core.commands import Context
    from actions.fixtures.sports import Sport

PaperKind = Literal["attendance", "prizes", "pickup", "roster", "order_book", "results"]
ZIP = FileType(kind="document", media_type="application/zip", extension="zip")
#: A paper holds names: it can be made anew, and need not lie about.
_KEPT = timedelta(days=7)


class MakePaper(Command):
    """One paper of an offering, as Word and as Excel, for who asks. An order book is that of the whole festival."""

    name: ClassVar[str] = "closing.paper"
    offering_id: int
    paper: PaperKind


class Archive(Command):
    """All papers of an offering in one file."""

    name: ClassVar[str] = "closing.archive"
    offering_id: int


class SetPrizes(Command):
    """Who has which prize, by entry; "" takes one back. Those not named keep theirs."""

    name: ClassVar[str] = "closing.prizes"
    offering_id: int
    prizes: dict[int, str] = Field(min_length=1)


class Closing(Block):
    """Papers, prizes, archives. `sports` are the rules of each sport, `say` renders a sentence of data/responses."""

    rule = "closing"

    def __init__(self, sports: Mapping[str, Sport], say: Say, shelf: Shelf) -> None:
        self._sports = sports
        self._say = say
        self._shelf = shelf

    def registrations(self) -> Sequence[Registration[Any]]:
        """The commands of this module; each asks for who answers for the offering."""
        return (
            Registration(command=MakePaper, handler=self.paper, right=bound),
            Registration(command=Archive, handler=self.archive, right=bound),
            Registration(command=SetPrizes, handler=self.prizes, right=bound),
        )

    async def paper(self, command: MakePaper, context: Context) -> Outcome:
        """Raises DomainError: not_found, closing_nothing, closing_not_drawn, file_no_account; ForbiddenError."""
        event = await self._event(context, await answered(context, command.offering_id))
        made = await self._made(context, event, command.paper)
        drafts = (
            Draft(name=made.title, kind=DOCX, build=partial(word, made)),
            Draft(name=made.title, kind=XLSX, build=partial(workbook, [made])),
        )
        return await self._hand_over(context, event.offering, command.paper, drafts)

    async def archive(self, command: Archive, context: Context) -> Outcome:
        """Raises DomainError: not_found, closing_nothing, file_no_account; ForbiddenError."""
        event = await self._event(context, await answered(context, command.offering_id))
        kinds: list[PaperKind] = ["roster", "attendance"]
        kinds += ["prizes"] if any(entry.fields.get("prize") for entry in event.entries) else []
        kinds += ["pickup"] if event.columns else []
        kinds += ["order_book"] if event.competition is not None else []
        kinds += ["results"] if event.competition is not None and event.competition.draw.games else []
        papers = [await self._made(context, event, kind) for kind in kinds]
        name = self._say("closing.archive_name", {"title": event.offering.title})
        build = partial(archive, event.offering.title, papers, context.now)
        return await self._hand_over(context, event.offering, "archive", [Draft(name=name, kind=ZIP, build=build)])

    async def prizes(self, command: SetPrizes, context: Context) -> Outcome:
        """Raises DomainError: not_found, prizes_too_many; ForbiddenError.

        Those taking part are who was checked in, or, where nobody was, all who are registered.
        """
        offering = await answered(context, command.offering_id)
        await store.alone(context)
        event = await self._event(context, offering)
        entries = {entry.id: entry for entry in event.entries}
        if not command.prizes.keys() <= entries.keys():
            raise DomainError("not_found")
        after = {ref: str(entry.fields.get("prize") or "") for ref, entry in entries.items()} | command.prizes
        with_prize = [entries[ref] for ref, prize in after.items() if prize]
        people = sum(_players(entry) for entry in with_prize)
        present = frozenset[int]().union(*event.present.values())
        taking_part = len(present) or sum(_players(entry) for entry in event.entries)
        share = rules_of(context.catalogue[offering.service]).closing.prize_share
        most = prizes_allowed(taking_part, share)
        facts: dict[str, Any] = {"title": offering.title, "taking_part": taking_part, "most": most, "people": people}
        if people > most:
            raise DomainError("prizes_too_many", share=share, **facts)
        for ref in command.prizes:
            kept = {key: value for key, value in entries[ref].fields.items() if key != "prize"}
            entries[ref].fields = {**kept, "prize": after[ref]} if after[ref] else kept
        await context.session.flush()
        params = {**facts, "count": len(with_prize)}
        return Outcome(wording="closing.prizes_set", params=params, subject=f"offering:{offering.id}", data=params)

    async def _event(self, context: Context, offering: Offering) -> Event:
        """Raises DomainError("closing_nothing")."""
        query = select(Entry).where(Entry.offering_id == offering.id, Entry.state == "registered", Entry.kind != "wish")
        entries = await store.rows(context, query.order_by(Entry.id))
        if not entries:
            raise DomainError("closing_nothing", title=offering.title)
        there = select(Attendance.session, Attendance.member_id).where(Attendance.offering_id == offering.id)
        present: dict[int, set[int]] = {}
        for session, member_id in (await context.session.execute(there)).all():
            present.setdefault(session, set()).add(member_id)
        record = await context.session.get(DrawRecord, offering.id)
        service = context.catalogue[offering.service]
        chosen = [field for field in service.form if field.type in ("choice", "option") and not field.confidential]
        picks = any(field.type == "option" for field in chosen)
        return Event(
            offering=offering,
            spec=spec_of(offering),
            entries=entries,
            present={session: frozenset(members) for session, members in present.items()},
            columns=tuple((field.key, field.label) for field in chosen) if picks else (),
            split=rules_of(service).closing.split_field,
            competition=read(record, self._sports) if record is not None else None,
        )

    async def _made(self, context: Context, event: Event, kind: PaperKind) -> Paper:
        papers = Papers(self._say, context.now)
        if kind == "order_book":
            events, title = await self._festival(context, event)
            return papers.order_book(events, title)
        if kind == "results":
            if event.competition is None or not event.competition.draw.games:
                raise DomainError("closing_not_drawn", title=event.offering.title)
            return papers.results(event, event.competition)
        makers = {
            "attendance": papers.attendance,
            "prizes": papers.prizes,
            "pickup": papers.pickup,
            "roster": papers.roster,
        }
        return makers[kind](event)

    async def _festival(self, context: Context, event: Event) -> tuple[list[Event], str]:
        """All events of a festival that somebody is in; an event without one stands alone."""
        if not event.spec.group:
            return [event], event.offering.title
        query = select(Offering).where(Offering.service == event.offering.service, Offering.state != "cancelled")
        events = []
        for offering in (await context.session.execute(query.order_by(Offering.id))).scalars().all():
            if spec_of(offering).group != event.spec.group or not store.answers_for(context, offering):
                continue
            try:
                events.append(await self._event(context, offering))
            except DomainError:
                continue  # nobody has signed up for that one
        return events, event.spec.group

    async def _hand_over(
        self, context: Context, offering: Offering, what: PaperKind | Literal["archive"], drafts: Sequence[Draft]
    ) -> Outcome:
        """Has files made for who asks, and tells them; nobody else can open them."""
        facts = {"title": offering.title, "what": self._say(f"closing.what.{what}", {}), "days": _KEPT.days}
        notice = Notice(
            member_id=context.actor.member_id,
            wording="closing.ready",
            params=facts,
            subject=f"papers:{offering.id}",
            expires=context.now + _KEPT,
        )
        data = {"files": await self._shelf.make(context, drafts, notice)}
        return Outcome(wording="closing.made", params=facts, subject=f"offering:{offering.id}", data=data)


def _players(entry: Entry) -> int:
    return sum(1 for person in entry.people if person.role != "leader")
