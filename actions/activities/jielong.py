"""接龙 in and out: what an officer pastes is read, gone through and registered; a pack is copied into a group."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field
from sqlalchemy import delete, select

from actions.activities.blocks import Block
from actions.activities.jielong_reading import (
    ABOUT,
    Desk,
    asked_about,
    desk_of,
    entries_of,
    members_in,
    offering_of,
    open_row,
    registration_of,
    titles_of,
)
from actions.activities.jielong_tables import JielongPaste
from actions.activities.notices import offering_facts
from actions.activities.rules import spec_of
from actions.blocks.jielong import named_in
from actions.blocks.jielong_lines import heading_of, lines_of
from actions.blocks.jielong_pack import qr_picture
from actions.blocks.materials_types import PNG
from actions.core.commands import Command, Outcome, Registration, bound
from actions.core.errors import DomainError
from actions.core.notify import Notice, Option, close_prompts, forget_prompts, notify, offer
from actions.core.tables import Offering

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actions.activities.competition import Say
    from actions.blocks.materials_made import Shelf
    from actions.core.commands import Context

#: A pasted text holds telephone numbers: it goes after so many days, whether or not it was registered.
_KEPT = timedelta(days=7)
_LONGEST = 20_000
_SHOWN = 4
_LISTED = 12
_NOBODY = 0


class ReadJielong(Command):
    """Reads a pasted 接龙 for an offering; without one its heading tells which."""

    name: ClassVar[str] = "jielong.read"
    text: str = Field(min_length=1, max_length=_LONGEST)
    offering_id: int | None = None


class _OfPaste(Command):
    paste_id: int


class PickJielong(_OfPaste):
    """Says who is meant by a person of a 接龙 (counted from 0); 0 for nobody of the roster."""

    name: ClassVar[str] = "jielong.pick"
    mention: int = Field(ge=0)
    member_id: int = Field(ge=0)


class RegisterJielong(_OfPaste):
    """Signs up everybody who is sure or was picked; who cannot be in is told with the reason."""

    name: ClassVar[str] = "jielong.register"


class DropJielong(_OfPaste):
    """Registers nobody of it."""

    name: ClassVar[str] = "jielong.drop"


class PackJielong(Command):
    """What to copy into a group: text, heading with an example line, link, and its QR picture.

    Which offering it is of is told by its id, or by words that name it.
    """

    name: ClassVar[str] = "jielong.pack"
    offering_id: int | None = None
    named: str = Field("", max_length=200)


class JielongDesk(Block):
    """接龙 of officers. `link` is where members sign up ("" where that is not known), `say` renders a sentence."""

    rule = "action"

    def __init__(self, say: Say, shelf: Shelf, link: str) -> None:
        self._say = say
        self._shelf = shelf
        self._link = link

    def registrations(self) -> Sequence[Registration[Any]]:
        """The commands of this module; who may is asked again where the offering is known."""
        return (
            Registration(command=ReadJielong, handler=self.read, right=_officer),
            Registration(command=PickJielong, handler=self.pick, right=_officer),
            Registration(command=RegisterJielong, handler=self.register, right=_officer),
            Registration(command=DropJielong, handler=self.drop, right=_officer),
            Registration(command=PackJielong, handler=self.pack, right=_officer),
        )

    # --- in

    async def read(self, command: ReadJielong, context: Context) -> Outcome:
        """Raises DomainError: not_found, jielong_of_another, jielong_of_which, jielong_empty, jielong_of_teams."""
        heading = heading_of(lines_of(command.text))
        titles = await titles_of(context)
        found = list({titles[name].id: titles[name] for name in named_in(heading, titles)}.values())
        if command.offering_id is None:
            if len(found) != 1:
                return await self._which(command, context, found)
            offering = found[0]
        else:
            offering = await offering_of(context, command.offering_id)
            if found and offering not in found:
                raise DomainError("jielong_of_another", title=offering.title, other=found[0].title)
        if spec_of(offering).entry not in ("person", "pair"):
            raise DomainError("jielong_of_teams", title=offering.title)
        row = JielongPaste(
            offering_id=offering.id,
            member_id=context.actor.member_id,
            content=context.vault.seal({"text": command.text, "picks": {}}, about=ABOUT),
            created_at=context.now,
        )
        context.session.add(row)
        await context.session.flush()
        desk = await desk_of(context, row)
        if not desk.read.mentions:
            raise DomainError("jielong_empty")
        return await self._told(context, desk, "jielong.read")

    async def _which(self, command: ReadJielong, context: Context, fitting: Sequence[Offering]) -> Outcome:
        """Asks which activity is meant. Raises DomainError("jielong_of_which") where the heading names none of ours."""
        if not fitting:
            raise DomainError("jielong_of_which")
        options = tuple(
            Option(label=one.title, command=ReadJielong(text=command.text, offering_id=one.id)) for one in fitting[:9]
        )
        notice = Notice(member_id=context.actor.member_id, wording="jielong.which", subject="jielong", options=options)
        return Outcome(wording="jielong.which", options=await offer(context, notice))

    async def pick(self, command: PickJielong, context: Context) -> Outcome:
        """Raises DomainError: not_found, jielong_done, jielong_not_there."""
        row = await open_row(context, command.paste_id)
        desk = await desk_of(context, row)
        if command.mention >= len(desk.read.mentions) or (
            command.member_id != _NOBODY and command.member_id not in desk.roster.people
        ):
            raise DomainError("jielong_not_there")
        content = context.vault.open(row.content, about=ABOUT)
        content["picks"][str(command.mention)] = command.member_id
        row.content = context.vault.seal(content, about=ABOUT)
        await close_prompts(context, row.subject)
        await context.session.flush()
        return await self._told(context, await desk_of(context, row), "jielong.picked")

    async def register(self, command: RegisterJielong, context: Context) -> Outcome:
        """Raises DomainError: not_found, jielong_done. One who cannot be in keeps nobody else out."""
        row = await open_row(context, command.paste_id)
        desk = await desk_of(context, row)
        there = await members_in(context, row.offering_id)
        done: list[str] = []
        refused: list[dict[str, str]] = []
        for members in entries_of(desk, spec_of(row.offering).entry, there):
            names = "、".join(desk.roster.people[one].name for one in members)
            try:
                async with context.session.begin_nested():
                    await context.bus.execute(registration_of(desk, members), context)
            except DomainError as error:
                params = {"command": "", **error.params}
                refused.append({"name": names, "why": self._say(f"errors.{error.code}", params)})
            else:
                done.append(names)
        row.state, row.content = "registered", ""
        await close_prompts(context, row.subject)
        await context.session.flush()
        off = [desk.roster.people[one].name for one, said in desk.last.items() if said.called_off and one in there]
        params = {
            "title": row.offering.title,
            "done": done,
            "refused": refused,
            "already": len([one for one, said in desk.last.items() if one in there and not said.called_off]),
            "called_off": off,
            "strangers": [m.said or m.text for m in desk.read.mentions if m.certainty == "unknown"],
            "open": len(desk.open),
        }
        return Outcome(wording="jielong.registered", params=params, subject=row.subject, data=params)

    async def drop(self, command: DropJielong, context: Context) -> Outcome:
        """Raises DomainError: not_found, jielong_done."""
        row = await open_row(context, command.paste_id)
        row.state, row.content = "dropped", ""
        await close_prompts(context, row.subject)
        return Outcome(wording="jielong.dropped", params={"title": row.offering.title}, subject=row.subject)

    async def _told(self, context: Context, desk: Desk, wording: str) -> Outcome:
        """How a paste stands, with what is to be said about it next."""
        there = await members_in(context, desk.row.offering_id)
        people = desk.roster.people
        coming = [one for one, said in desk.last.items() if not said.called_off]
        rows = [
            {"place": said.place, "name": people[one].name, "unit": people[one].unit, "said": said.said}
            for one, said in desk.last.items()
            if not said.called_off and one not in there
        ]
        params = {
            "title": desk.row.offering.title,
            "rows": rows,
            "already": [people[one].name for one in coming if one in there],
            "called_off": [people[one].name for one, said in desk.last.items() if said.called_off],
            "open": [asked_about(desk, number) for number in desk.open],
            "strangers": [{"place": m.place, "text": m.text} for m in desk.read.mentions if m.certainty == "unknown"],
            "unread": [{"place": place, "text": text} for place, text in desk.read.unread],
            "companions": sum(said.companions for said in desk.last.values() if not said.called_off),
        }
        options = await self._options(context, desk, len(rows)) if context.actor.member else []
        data = {"paste_id": desk.row.id, **params}
        return Outcome(wording=wording, params=params, subject=desk.row.subject, options=options, data=data)

    async def _options(self, context: Context, desk: Desk, count: int) -> list[dict[str, str]]:
        paste, options = desk.row.id, []
        for number in desk.open[:1]:
            asked = asked_about(desk, number)
            for candidate in asked["candidates"][:_SHOWN]:
                label = self._say("jielong.option_is", {**asked, **candidate})
                pick = PickJielong(paste_id=paste, mention=number, member_id=candidate["member_id"])
                options.append(Option(label=label, command=pick))
            pick = PickJielong(paste_id=paste, mention=number, member_id=_NOBODY)
            options.append(Option(label=self._say("jielong.option_nobody", asked), command=pick))
        if count:
            label = self._say("jielong.option_register", {"count": count})
            options.append(Option(label=label, command=RegisterJielong(paste_id=paste)))
        options.append(Option(label=self._say("jielong.option_drop", {}), command=DropJielong(paste_id=paste)))
        member_id, until = context.actor.member_id, context.now + _KEPT
        notice = Notice(
            member_id=member_id, wording="jielong.which", subject=desk.row.subject, options=options, expires=until
        )
        return await offer(context, notice)

    # --- out

    async def pack(self, command: PackJielong, context: Context) -> Outcome:
        """Raises DomainError: not_found, pack_of_which; ForbiddenError."""
        offering = await offering_of(context, command.offering_id or await self._named(context, command.named))
        facts = {**offering_facts(context, offering), "link": self._link, "entry": spec_of(offering).entry}
        if self._link and context.actor.member is not None:
            await self._hand_over(context, offering, facts)
        text, chain = self._say("jielong.pack_text", facts), self._say("jielong.pack_chain", facts)
        return Outcome(
            wording="jielong.pack",
            params={"title": offering.title, "text": text, "chain": chain},
            subject=f"offering:{offering.id}",
            data={"text": text, "chain": chain, "link": self._link},
        )

    async def _named(self, context: Context, words: str) -> int:
        titles = await titles_of(context)
        found = {titles[name].id for name in named_in(words, titles)}
        if len(found) != 1:
            own = dict.fromkeys(one.title for one in titles.values() if one.state == "open")
            raise DomainError("pack_of_which", titles=list(own)[:_LISTED])
        return found.pop()

    async def _hand_over(self, context: Context, offering: Offering, facts: Mapping[str, Any]) -> None:
        """The picture, as a file that only who asked for it can open."""
        subject = f"pack:{offering.id}"
        file = await self._shelf.put(
            context,
            qr_picture(self._link),
            name=self._say("jielong.pack_file", facts),
            kind=PNG,
            subject=subject,
            member_id=context.actor.member_id,
            until=context.now + _KEPT,
        )
        if file is not None:
            params = {"title": offering.title}
            notice = Notice(
                member_id=context.actor.member_id,
                wording="jielong.pack_picture",
                params=params,
                files=(file,),
                subject=subject,
            )
            await notify(context, notice)

    async def sweep(self, context: Context) -> int:
        """Deletes what was pasted a week ago, and the questions about it."""
        old = select(JielongPaste.id).where(JielongPaste.created_at <= context.now - _KEPT)
        ids = list((await context.session.execute(old)).scalars())
        if ids:
            await forget_prompts(context, [f"jielong:{one}" for one in ids])
            await context.session.execute(delete(JielongPaste).where(JielongPaste.id.in_(ids)))
        return len(ids)


async def _officer(_command: Command, context: Context) -> bool:
    """Right: officers of the union or of a unit, and who answers for an offering (a club, a lecture)."""
    if await bound(_command, context) and any(
        grant.role in ("union_officer", "administrator", "unit_officer") for grant in context.actor.grants
    ):
        return True
    query = select(Offering.id).where(Offering.owner_id == context.actor.member_id).limit(1)
    return (await context.session.execute(query)).first() is not None
