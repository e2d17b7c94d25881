"""Rounds of a contest: officers note how each did and close the round; everybody in it is told what became of them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field
from sqlalchemy import delete

from actions.activities import notices, store
from actions.activities.blocks import Block
from actions.activities.competition import answered
from actions.activities.contest_tables import ClosedRound, Mark
from actions.activities.rules import spec_of
from actions.activities.sheets import hand_over
from actions.activities.standing import (
    by_place,
    closed,
    marks_of,
    next_in_line,
    ranked_rows,
    rounds_of,
    row,
    standing,
)
from actions.activities.tables import Entry
from actions.blocks import materials
from actions.blocks.documents import Column, Table
from actions.blocks.rounds import places, settled
from actions.core.commands import Command, Outcome, Registration, bound
from actions.core.errors import DomainError
from actions.core.notify import Notice, Option, cancel_notices, close_prompts, notify, offer
from actions.core.zones import local

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from actions.activities.competition import Say
    from actions.activities.standing import Standing
    from actions.blocks.materials_made import Shelf
    from actions.core.commands import Context
    from actions.core.tables import Offering

#: How long the question waits whether to tell the result.
_ASKED = timedelta(days=1)
#: Names in one message of a chat.
_MOST = 40


class ShowRound(Command):
    """Which round is on, who is in it, and how each did; with `file` as Excel too."""

    name: ClassVar[str] = "contests.round"
    offering_id: int
    file: bool = False


class SetMarks(Command):
    """Notes scores, or who passed, in the round that is on: by entry, or in words (林一帆 92.5，王敏 88)."""

    name: ClassVar[str] = "contests.mark"
    offering_id: int
    marks: dict[int, float | bool] = Field(default_factory=dict, max_length=200)
    words: str = Field("", max_length=4000)


class CloseRound(Command):
    """Closes the round that is on and tells everybody in it. Without `sure` it shows first what would be told.

    `chosen` names who goes on of those who share the last place.
    """

    name: ClassVar[str] = "contests.close"
    offering_id: int
    chosen: str = Field("", max_length=400)
    sure: bool = False


class LeaveRound(Command):
    """Thinks better of it: the round stays on."""

    name: ClassVar[str] = "contests.leave"
    offering_id: int


class Promote(Command):
    """Somebody who was not through takes the place of who has withdrawn."""

    name: ClassVar[str] = "contests.promote"
    entry_id: int


class ShowMaterials(Command):
    """The files of somebody in the contest, for who answers for it."""

    name: ClassVar[str] = "contests.materials"
    offering_id: int
    who: str = Field(min_length=1, max_length=40)


class Rounds(Block):
    """Rounds, for services with that rule. `say` renders a sentence of data/responses, `shelf` takes lists."""

    rule = "rounds"

    def __init__(self, say: Say, shelf: Shelf) -> None:
        self._say = say
        self._shelf = shelf

    def registrations(self) -> Sequence[Registration[Any]]:
        """Commands of who answers for the offering."""
        return (
            Registration(command=ShowRound, handler=self._show, right=bound),
            Registration(command=SetMarks, handler=_mark, right=bound),
            Registration(command=CloseRound, handler=self._close, right=bound),
            Registration(command=LeaveRound, handler=_leave, right=bound),
            Registration(command=Promote, handler=self._promote, right=bound),
            Registration(command=ShowMaterials, handler=_materials, right=bound),
        )

    async def forget(self, context: Context, entry_ids: Sequence[int]) -> None:
        """Marks go with their entries."""
        await context.session.execute(delete(Mark).where(Mark.entry_id.in_(entry_ids)))

    async def ended(self, context: Context, entry: Entry, state: str) -> None:
        """Who answers for the contest learns of a withdrawal after a round, and may let the next one go on."""
        if state != "withdrawn" or entry.state != "registered" or rounds_of(context, entry.offering) is None:
            return
        # What was shown before the result is told is so no more.
        await close_prompts(context, _closing(entry.offering_id))
        before = await closed(context, entry.offering_id)
        now = await standing(context, entry.offering)
        if not before or now.number >= len(now.rounds) or entry.id not in {one.id for one in now.on}:
            return
        heir = await next_in_line(context, entry.offering, before - 1) if not now.marks else None
        await _offer_heir(context, now, heir, "contests.withdrew", name=row(entry, None)["name"])

    # --- looking

    async def _show(self, command: ShowRound, context: Context) -> Outcome:
        """Raises DomainError: not_found, rounds_over, file_no_account; ForbiddenError."""
        offering = await answered(context, command.offering_id)
        found = await standing(context, offering)
        if found.number >= len(found.rounds):
            return await self._over(context, found, file=command.file)
        rows = ranked_rows(found)
        if command.file:
            await self._sheet(context, offering, found.round.title, rows)
        return _told(found, rows)

    async def _over(self, context: Context, found: Standing, *, file: bool) -> Outcome:
        """All rounds are over: the last one as it ended."""
        last, offering = len(found.rounds) - 1, found.offering
        marks = await marks_of(context, offering.id, last)
        entries = [await context.session.get_one(Entry, ref) for ref in marks]
        rows = sorted((row(entry, marks[entry.id]) for entry in entries), key=by_place)
        if file:
            await self._sheet(context, offering, found.rounds[last].title, rows)
        params = {"title": offering.title, "round": found.rounds[last].title, "rows": rows[:_MOST]}
        return Outcome(wording="contests.over", params=params, subject=f"offering:{offering.id}", data={"rows": rows})

    async def _sheet(self, context: Context, offering: Offering, round_: str, rows: Sequence[dict[str, Any]]) -> None:
        keys = (("number", 2.0), ("name", 4.0), ("unit", 6.0), ("topic", 9.0), ("mark", 3.0), ("place", 3.0))
        columns = [Column(title=self._say(f"contests.column.{key}", {}), width=width) for key, width in keys]
        columns.append(Column(title=self._say("contests.column.through", {}), width=4.0))
        cells = tuple(
            (
                number,
                told["name"],
                told["unit"],
                "；".join(told["topic"]),
                self._say("contests.mark", told),
                told["place"] or "",
                self._say("contests.goes_on", told),
            )
            for number, told in enumerate(rows, start=1)
        )
        title = self._say("contests.sheet", {"title": offering.title, "round": round_})
        table = Table(columns=tuple(columns), rows=cells)
        await hand_over(context, self._shelf, self._say, offering=offering, title=title, table=table)

    # --- closing a round

    async def _close(self, command: CloseRound, context: Context) -> Outcome:
        """Raises DomainError: not_found, rounds_over, about_yourself, nobody_on, unmarked, round_tied.

        ForbiddenError for who does not answer for it.
        """
        offering = await answered(context, command.offering_id)
        await store.alone(context)
        found = await standing(context, offering)
        _refuse_own(context, found.on)
        through = _through(found, command.chosen)
        ranked = places(found.scores) if found.round.by == "score" else {}
        rows = [
            {**row(entry, found.marks[entry.id]), "place": ranked.get(entry.id), "through": entry.id in through}
            for entry in found.on
        ]
        rows.sort(key=by_place)
        params = {**_facts(found), "rows": rows[:_MOST], "going": len(through), "staying": len(rows) - len(through)}
        if not command.sure:
            return await _ask(context, command, params)
        context.session.add(
            ClosedRound(
                offering_id=offering.id, round=found.number, closed_at=context.now, closed_by=_actor_id(context)
            )
        )
        await close_prompts(context, _closing(offering.id))
        await close_prompts(context, _heirs(offering.id))
        for entry in found.on:
            mark = found.marks[entry.id]
            mark.place, mark.through = ranked.get(entry.id), entry.id in through
            await self._tell(context, found, entry, mark)
        await context.session.flush()
        return Outcome(wording="contests.closed", params=params, subject=f"offering:{offering.id}", data=params)

    async def _tell(self, context: Context, found: Standing, entry: Entry, mark: Mark) -> None:
        """What became of an entry: kept with it, and told to its people."""
        facts = {**_facts(found), **row(entry, mark), "next_at": _next_time(context, found)}
        result = self._say("contests.result", facts)
        entry.fields = {**entry.fields, "result": result}
        own = {person.member_id for person in entry.people} | {entry.member_id}
        unit = await notices.unit_officers(context, entry.service, entry.unit_id)
        unit |= {entry.filed_by} if entry.filed_by is not None else set()
        wording = "contests.through" if mark.through else "contests.out"
        for member_id in sorted(own):
            await notify(context, Notice(member_id=member_id, wording=wording, params=facts))
        for member_id in sorted(unit - own - {_actor_id(context) or 0}):
            params = {**facts, "result": result}
            await notify(context, Notice(member_id=member_id, wording="contests.of_unit", params=params))

    async def _promote(self, command: Promote, context: Context) -> Outcome:
        """Raises DomainError: not_found, about_yourself, already_decided (the next round has begun); ForbiddenError."""
        entry = await store.find(context, command.entry_id)
        offering = await answered(context, entry.offering_id)
        await store.alone(context)
        found = await standing(context, offering)
        _refuse_own(context, [*found.on, entry])
        heir = await next_in_line(context, offering, found.number - 1) if found.number else None
        free = _free(found)
        if heir is None or heir.id != entry.id or found.marks or free < 1:
            raise DomainError("already_decided")
        before = await marks_of(context, offering.id, found.number - 1)
        before[entry.id].through = True
        await close_prompts(context, _heirs(offering.id))
        facts = {**_facts(found), "next_at": _next_time(context, found)}
        entry.fields = {**entry.fields, "result": self._say("contests.promoted_result", facts)}
        await context.session.flush()
        await notices.tell_people(context, entry, "contests.promoted", **facts)
        after = await next_in_line(context, offering, found.number - 1) if free > 1 else None
        if after is not None:
            await _offer_heir(context, found, after, "contests.still_free", free=free - 1)
        params = {**facts, "name": row(entry, None)["name"]}
        return Outcome(wording="contests.promoted_done", params=params, subject=entry.subject)


def _free(found: Standing) -> int:
    """How many of those who went through the round before have left since."""
    if not 0 < found.number < len(found.rounds):
        return 0
    return (found.rounds[found.number - 1].through or 0) - len(found.on)


async def _offer_heir(context: Context, found: Standing, heir: Entry | None, wording: str, **more: Any) -> None:
    """Asks who answers for the contest whether the next in line goes on."""
    params = {"title": found.offering.title, "round": found.round.title, "heir": "", **more}
    options: tuple[Option, ...] = ()
    if heir is not None:
        params["heir"] = row(heir, None)["name"]
        options = (Option(label="递补", command=Promote(entry_id=heir.id)),)
    for member_id in sorted(await notices.responsible(context, found.offering)):
        subject = _heirs(found.offering.id)
        notice = Notice(member_id=member_id, wording=wording, params=params, subject=subject, options=options)
        await notify(context, notice)


def _refuse_own(context: Context, entries: Iterable[Entry]) -> None:
    """Nobody decides in a round that they are in themselves (回避)."""
    if _actor_id(context) in {person.member_id for entry in entries for person in entry.people}:
        raise DomainError("about_yourself")


async def _mark(command: SetMarks, context: Context) -> Outcome:
    """Raises DomainError: not_found, rounds_over, about_yourself, not_in_round, several_called, bad_mark;
    ForbiddenError.
    """
    offering = await answered(context, command.offering_id)
    await store.alone(context)
    found = await standing(context, offering)
    _refuse_own(context, found.on)
    # Who has seen what the result would be has seen another one.
    await close_prompts(context, _closing(offering.id))
    given = {**command.marks, **found.read(command.words)}
    on = {entry.id: entry for entry in found.on}
    for ref, said in given.items():
        if ref not in on:
            raise DomainError("not_in_round", name=str(ref), round=found.round.title, title=offering.title)
        _write(context, found, ref, said)
    await context.session.flush()
    found = await standing(context, offering)
    return _told(found, ranked_rows(found), noted=len(given))


def _write(context: Context, found: Standing, ref: int, said: float | bool) -> None:
    """Raises DomainError("bad_mark") for a score out of its limits, or of the wrong kind."""
    by_score = found.round.by == "score"
    if by_score == isinstance(said, bool) or (by_score and not found.rules.lowest <= said <= found.rules.highest):
        raise found.bad(said)
    mark = found.marks.get(ref)
    if mark is None:
        mark = Mark(entry_id=ref, round=found.number, offering_id=found.offering.id)
        context.session.add(mark)
    mark.score, mark.passed = (float(said), None) if by_score else (None, bool(said))
    mark.at, mark.noted_by = context.now, _actor_id(context)


def _through(found: Standing, chosen: str) -> frozenset[int]:
    """Raises DomainError: rounds_over, nobody_on, unmarked, round_tied."""
    if not found.on and found.round:
        raise DomainError("nobody_on", title=found.offering.title, round=found.round.title)
    if found.unmarked:
        names = [row(entry, None)["name"] for entry in found.unmarked]
        raise DomainError("unmarked", round=found.round.title, names=names[:_MOST], title=found.offering.title)
    sought = found.cut()
    picked = [
        found.entry(name).id for name in chosen.replace("，", "、").replace(",", "、").split("、") if name.strip()
    ]
    through = settled(sought, picked)
    if through is None:
        names = [row(entry, None)["name"] for entry in found.on if entry.id in sought.tied]
        raise DomainError(
            "round_tied", names=names, left=sought.left, title=found.offering.title, round=found.round.title
        )
    return through


async def _ask(context: Context, command: CloseRound, params: dict[str, Any]) -> Outcome:
    """What would be told, and whether to."""
    subject = _closing(command.offering_id)
    await close_prompts(context, subject)
    sure = command.model_copy(update={"sure": True})
    leave = LeaveRound(offering_id=command.offering_id)
    notice = Notice(
        member_id=context.actor.member_id,
        wording="contests.preview",
        params=params,
        subject=subject,
        expires=context.now + _ASKED,
        options=(Option(label="确认公布", command=sure), Option(label="先不公布", command=leave)),
    )
    options = await offer(context, notice)
    return Outcome(wording="contests.preview", params=params, options=options, data=params)


async def _leave(command: LeaveRound, context: Context) -> Outcome:
    """Raises DomainError("not_found"), ForbiddenError."""
    offering = await answered(context, command.offering_id)
    await close_prompts(context, _closing(offering.id))
    return Outcome(wording="contests.left", params={"title": offering.title}, subject=f"offering:{offering.id}")


async def _materials(command: ShowMaterials, context: Context) -> Outcome:
    """Raises DomainError: not_found, rounds_over, not_in_round, several_called; ForbiddenError."""
    offering = await answered(context, command.offering_id)
    entry = (await standing(context, offering)).entry(command.who)
    files = await materials.attached(context, entry.subject)
    params = {"title": offering.title, **row(entry, None), "count": len(files)}
    if files:
        member_id = context.actor.member_id
        await cancel_notices(context, f"contest_files:{member_id}")
        notice = Notice(
            member_id=member_id,
            wording="contests.files",
            params=params,
            files=files,
            subject=f"contest_files:{member_id}",
        )
        await notify(context, notice)
    return Outcome(wording="contests.materials", params=params, subject=entry.subject)


def _told(found: Standing, rows: list[dict[str, Any]], *, noted: int = 0) -> Outcome:
    params = {**_facts(found), "rows": rows[:_MOST], "missing": len(found.unmarked), "noted": noted}
    return Outcome(
        wording="contests.round", params=params, subject=f"offering:{found.offering.id}", data={**params, "rows": rows}
    )


def _facts(found: Standing) -> dict[str, Any]:
    following = "" if found.last else found.rounds[found.number + 1].title
    return {
        "title": found.offering.title,
        "round": found.round.title,
        "by": found.round.by,
        "most": found.round.through,
        "on": len(found.on),
        "next_round": following,
        "honour": found.round.honour,
    }


def _next_time(context: Context, found: Standing) -> Any:
    times = [session.starts_at for session in spec_of(found.offering).sessions if session.starts_at > context.now]
    return local(min(times)).isoformat() if times else None


def _actor_id(context: Context) -> int | None:
    return context.actor.member.id if context.actor.member else None


def _closing(offering_id: int) -> str:
    return f"contest_round:{offering_id}"


def _heirs(offering_id: int) -> str:
    return f"contest_heirs:{offering_id}"
