"""A place that is free again goes on to who is next; and who may not take part again yet."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from actions.activities import allotment_store as allotted
from actions.activities import notices
from actions.activities.allotment_tables import Publicity
from actions.activities.commands import AcceptOffer, DeclineOffer
from actions.activities.rules import rules_of, spec_of
from actions.blocks.allotment import may_again, moved_up
from actions.core.errors import DomainError
from actions.core.notify import Notice, Option, notify
from actions.core.tables import Member
from actions.core.zones import local

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from actions.activities.tables import Entry
    from actions.blocks.allotment import Move
    from actions.core.commands import Context
    from actions.core.tables import Offering


async def too_soon(context: Context, offering: Offering, member_id: int) -> DomainError | None:
    """Why somebody may not take part again yet; None where they may."""
    spec, rules = spec_of(offering), rules_of(context.catalogue[offering.service]).allotment
    if rules is None:
        return None
    years = rules.again_after_years if spec.again_after_years is None else spec.again_after_years
    last = (await allotted.last_years(context, offering.service, [member_id])).get(member_id)
    this_year = local(spec.starts_at or context.now).year
    if may_again(last, this_year, years):
        return None
    own = context.actor.member is not None and context.actor.member.id == member_id
    name = "" if own else (await context.session.get_one(Member, member_id)).name
    return DomainError("again_too_soon", field="offering", title=offering.title, years=years, last=last, name=name)


async def move_up(context: Context, offering: Offering, *, gone: int = 0) -> int:
    """Gives places that are free to who is next, for those who are alone; returns how many came to another one.

    Who is in the line is asked, and has a while to answer; who is on the public list and likes the place better than
    theirs just gets it. Nothing moves before there is a list, nor once the first journey has begun.
    """
    spec, rules = spec_of(offering), rules_of(context.catalogue[offering.service]).allotment
    public = await context.session.get(Publicity, offering.id)
    if rules is None or public is None or (spec.starts_at is not None and context.now >= spec.starts_at):
        return 0
    every = await allotted.entries(context, offering, "publicised", "standby", "registered", "offered")
    rows = [row for row in every if row.id != gone and not allotted.named(row)]
    people = await allotted.applicants(context, rules, rows)
    fixed = frozenset(row.member.staff_id for row in rows if row.state in ("registered", "offered"))
    room = await allotted.room_left_by_named(context, offering, {one.unit for one in people})
    moves = moved_up(allotted.standing_plan(rows, people), room, fixed=fixed)
    by_key = {row.member.staff_id: row for row in rows}
    for move in moves:
        await allotted.unseat(context, by_key[move.key])
    for move in moves:
        await _move(context, by_key[move.key], move)
    return len(moves)


async def _move(context: Context, entry: Entry, move: Move) -> None:
    await allotted.seat(context, entry, move.option, of_unit=True)
    params = {**notices.facts(context, entry), **allotted.facts(entry), "before": move.before}
    if move.before:
        notice = Notice(member_id=entry.member_id, wording="retreat.moved", params=params, subject=entry.subject)
        await notify(context, notice)
        return
    entry.state, entry.expires_at = "offered", until(context, entry.offering)
    await context.session.flush()
    await offer(context, entry, "retreat.offer", params)


def until(context: Context, offering: Offering) -> datetime:
    """How long an offer stands that is made now."""
    starts_at = spec_of(offering).starts_at
    end = context.now + timedelta(hours=rules_of(context.catalogue[offering.service]).offer_hours)
    return end if starts_at is None else min(end, starts_at)


async def offer(context: Context, entry: Entry, wording: str, params: Mapping[str, Any]) -> None:
    """Asks somebody whether they take the place that is kept for them."""
    options = (
        Option(label="接受", command=AcceptOffer(entry_id=entry.id)),
        Option(label="放弃", command=DeclineOffer(entry_id=entry.id)),
    )
    notice = Notice(
        member_id=entry.member_id,
        wording=wording,
        params={**params, "until": entry.expires_at},
        subject=entry.subject,
        expires=entry.expires_at,
        options=options,
    )
    await notify(context, notice)
