"""A member's own records of this life, and what a replay reads of all of them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import or_, select

from actions.blocks.moves import moves_from
from actions.cases import commands as c
from actions.cases import looks, notices, store
from actions.cases.form import key_of, rules_of
from actions.cases.tables import Case, CaseSecond
from actions.core.life import Item, Snapshot
from actions.core.zones import spoken_day

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actions.core.commands import Command, Context
    from actions.core.life import Choice

#: How long a record that is over is still listed: its author may ask what became of it.
_SHOWN = timedelta(days=30)
_WITHDRAW = "withdraw"


class CaseRecords:
    """Records of the life case."""

    kinds = ("case", "second")

    async def items(self, context: Context, member_id: int) -> Sequence[Item]:
        """What the member submitted, and what they seconded as long as it can be taken back."""
        recent = or_(Case.ended_at.is_(None), Case.ended_at > context.now - _SHOWN)
        own = select(Case).where(Case.member_id == member_id, Case.counted, recent).order_by(Case.id)
        cases = (await context.session.execute(own)).unique().scalars().all()
        mine = select(CaseSecond).where(CaseSecond.member_id == member_id, CaseSecond.state == "seconded")
        seconds = (await context.session.execute(mine.order_by(CaseSecond.id))).unique().scalars().all()
        given = [_second_item(context, row) for row in seconds if _in_time(context, row)]
        return [*(_item(context, case) for case in cases), *given]

    async def item(self, context: Context, ref: str) -> Item | None:
        """One of the actor's own records."""
        own = await self.items(context, context.actor.member_id)
        return next((item for item in own if item.ref == ref), None)

    async def may_read(self, context: Context, subject: str) -> bool:
        """Files of a record: for whoever may read it."""
        kind, number = subject.split(":")
        case = await context.session.get(Case, int(number)) if kind == "case" else None
        return case is not None and await store.may_read(context, case)

    async def opened(self, context: Context, subject: str) -> None:
        """A file of a confidential record is opened by somebody else: that is a look."""
        await looks.opened(context, subject)

    def withdrawal(self, ref: str) -> Command:
        """Take the record, or one's seconding, back."""
        kind, number = ref.split(":")
        if kind == "second":
            return c.Second(second_id=int(number), withdrawn=True)
        return c.Move(case_id=int(number), move=_WITHDRAW)

    async def moves(self, context: Context, ref: str, wanted: Mapping[str, Any] | None) -> tuple[Choice, ...]:
        """None: no record of this life is at a time that its author could move."""
        del context, ref, wanted
        return ()

    def move(self, ref: str, value: str) -> Command:
        """Comments instead: whoever answers the record reads what is wanted."""
        return c.Comment(case_id=int(ref.split(":")[1]), reason=value)

    async def snapshots(self, context: Context) -> Sequence[Snapshot]:
        """Everything that is left in the database, for a replay."""
        cases = (await context.session.execute(select(Case).order_by(Case.id))).unique().scalars().all()
        seconds = (await context.session.execute(select(CaseSecond).order_by(CaseSecond.id))).unique().scalars().all()
        return [*(_snapshot(context, case) for case in cases), *(_second_snapshot(context, row) for row in seconds)]


def _item(context: Context, case: Case) -> Item:
    service = context.catalogue[case.service]
    known = notices.facts(context, case)
    named = "" if service.private or case.title == service.short else f"“{case.title}”"
    return Item(
        ref=case.subject,
        service=case.service,
        title=f"{service.short}{named}（{spoken_day(case.created_at)}交）",
        state=case.state,
        withdrawable=_WITHDRAW in moves_from(rules_of(service).moves, case.state),
        params={**known, "state_text": known["state_title"]},
    )


def _second_item(context: Context, row: CaseSecond) -> Item:
    service = context.catalogue[row.case.service]
    return Item(
        ref=row.subject,
        service=_seconding(context, row),
        title=f"附议{service.short}“{row.case.title}”",
        state="seconded",
        withdrawable=True,
        params={"state_text": "已附议"},
    )


def _seconding(context: Context, row: CaseSecond) -> str:
    """The service in which records of this one are seconded."""
    services = (each for each in context.catalogue if getattr(each.rules, "seconds", "") == row.case.service)
    return next((each.id for each in services), row.case.service)


def _in_time(context: Context, row: CaseSecond) -> bool:
    rule = rules_of(context.catalogue[row.case.service]).seconding
    return rule is not None and row.case.state in rule.at


def _snapshot(context: Context, case: Case) -> Snapshot:
    fields = {key: value for key, value in case.fields.items() if not key.endswith("_text")}
    service = context.catalogue[case.service]
    call = key_of(service, "offering")
    if call and case.offering is not None:
        fields[call] = case.offering.title
    return Snapshot(
        service=case.service,
        kind="case",
        state=case.state,
        member=case.member.name,
        fields={**fields, **store.sealed(context, case)},
    )


def _second_snapshot(context: Context, row: CaseSecond) -> Snapshot:
    key = next(
        (
            key_of(each, "record")
            for each in context.catalogue
            if getattr(each.rules, "seconds", "") == row.case.service
        ),
        "record",
    )
    return Snapshot(
        service=row.case.service, kind="second", state=row.state, member=row.member.name, fields={key: row.case.title}
    )
