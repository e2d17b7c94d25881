"""Reading and writing the records of this life, and who is who to a record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from actions.blocks.moves import AUTHOR, CLOCK, HANDLER, HELPER
from actions.cases.form import rules_of
from actions.cases.rules import CallSpec
from actions.cases.tables import Case, CaseHandler, CaseStep
from actions.core.commands import holders
from actions.core.errors import DomainError, ForbiddenError
from actions.core.tables import Member, Offering, RoleGrant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actions.blocks.moves import Move
    from actions.core.catalogue import Declaration
    from actions.core.commands import Context

_ABOUT = "case"
#: What the session of a unit of work knows once a private record was at hand in it.
PRIVATE = "private_case"


def declared(context: Context, service: str) -> Declaration:
    """The declaration of a service of this life. Raises DomainError("unknown_service")."""
    if service not in context.catalogue or context.catalogue[service].life != "case":
        raise DomainError("unknown_service", service=service)
    return context.catalogue[service]


async def find(context: Context, case_id: int) -> Case:
    """A record, for those who are going to change it: locked until the transaction ends. Raises DomainError."""
    case = await context.database.lock(context.session, Case, case_id)
    if case is None:
        raise DomainError("case_gone")
    if private(context, case):
        context.session.info[PRIVATE] = True
    return case


def spec_of(offering: Offering) -> CallSpec:
    """What an offering of this life holds."""
    return CallSpec.model_validate(offering.spec)


def sealed(context: Context, case: Case) -> dict[str, Any]:
    """What is confidential of a record, in clear."""
    return dict(context.vault.open(case.confidential, about=_ABOUT)) if case.confidential else {}


def values(context: Context, case: Case) -> dict[str, Any]:
    """All answers of a record, and what is sealed along with them, in clear."""
    return {**case.fields, **sealed(context, case)}


def seal(context: Context, secret: dict[str, Any]) -> str:
    """The other way round; nothing is sealed of nothing."""
    return context.vault.seal(secret, about=_ABOUT) if secret else ""


def private(context: Context, case: Case) -> bool:
    """Whether the service of a record must not be spoken of before others."""
    return context.catalogue[case.service].private


# --- who is who


def concerned(case: Case) -> frozenset[int]:
    """Members whom a record concerns, and who withdrew from it: they do not review it (回避)."""
    return frozenset({case.member_id, *case.kept.get("concerned", ()), *case.kept.get("recused", ())})


async def handlers(context: Context, case: Case) -> dict[str, list[int]]:
    """Ids of who was given a record, by part."""
    query = select(CaseHandler.part, CaseHandler.member_id).where(CaseHandler.case_id == case.id)
    found: dict[str, list[int]] = {HANDLER: [], HELPER: []}
    for part, member in (await context.session.execute(query.order_by(CaseHandler.id))).all():
        found[part].append(member)
    return found


async def may(context: Context, case: Case, move: Move) -> bool:
    """Whether the actor may make a move, apart from the state. Nobody decides what concerns them."""
    actor = context.actor
    if actor.system:
        return True
    if actor.member is None or actor.member.status == "left":
        return False
    given = await handlers(context, case)
    return any(_is(context, case, who, given) for who in move.by)


def _is(context: Context, case: Case, who: str, given: dict[str, list[int]]) -> bool:
    actor = context.actor
    member = actor.member_id
    if who == AUTHOR:
        return case.member_id == member
    if who in given:
        return member in given[who]
    if who == CLOCK or member in concerned(case):
        return False
    return actor.holds(who, service=case.service, unit_id=case.unit_id)


async def people(context: Context, case: Case, who: str) -> list[int]:
    """Ids of the members whom a word of `by` means for a record, without those whom it concerns."""
    if who == AUTHOR:
        return [case.member_id]
    if who in (HANDLER, HELPER):
        return (await handlers(context, case))[who]
    if who == CLOCK:
        return []
    found = [member.id for member in await _holders(context, case, who)]
    return [member for member in found if member not in concerned(case)]


async def _holders(context: Context, case: Case, role: str) -> Sequence[Member]:
    if role != "unit_officer":
        return await holders(context.session, role, service=case.service)
    query = (
        select(Member)
        .join(RoleGrant, RoleGrant.member_id == Member.id)
        .where(
            RoleGrant.role == role,
            RoleGrant.service.in_(("", case.service)),
            RoleGrant.unit_id == case.unit_id,
            Member.status != "left",
        )
        .order_by(RoleGrant.id)
    )
    return list((await context.session.execute(query)).scalars().unique())


async def may_read(context: Context, case: Case) -> bool:
    """Whether the actor may read a record: its author, who was given it, and whoever has a move of the service.

    Of a private service nobody at the machine reads it, nor those whom it concerns otherwise.
    """
    service = context.catalogue[case.service]
    actor = context.actor
    if actor.member is None:
        return actor.system and not service.private
    if case.member_id == actor.member.id:
        return True
    moves = rules_of(service).moves.values()
    return any([await may(context, case, move) for move in moves])


async def require_officer(context: Context, case: Case) -> None:
    """Raises ForbiddenError unless the actor has a move of the record that is no author's."""
    moves = rules_of(context.catalogue[case.service]).moves.values()
    for move in moves:
        others = tuple(who for who in move.by if who != AUTHOR)
        if others and await may(context, case, move.model_copy(update={"by": others})):
            return
    raise ForbiddenError


async def member_named(context: Context, text: str) -> Member:
    """The member of a 工号 or a name. Raises DomainError: no_such_person, which_person."""
    query = select(Member).where((Member.staff_id == text) | (Member.name == text), Member.status != "left")
    found = list((await context.session.execute(query)).scalars().unique())
    if not found:
        raise DomainError("no_such_person", name=text)
    if len(found) > 1:
        units = [member.unit.name if member.unit else "" for member in found]
        raise DomainError("which_person", name=text, units=units, numbers=[member.staff_id for member in found])
    return found[0]


# --- calls


async def open_calls(context: Context, service: Declaration) -> list[Offering]:
    """Offerings of a service that take submissions now, in the order of their making."""
    query = select(Offering).where(Offering.service == service.id, Offering.state == "open").order_by(Offering.id)
    rows = (await context.session.execute(query)).scalars().all()
    return [row for row in rows if _takes(spec_of(row), context)]


def _takes(spec: CallSpec, context: Context) -> bool:
    begun = spec.opens_at is None or spec.opens_at <= context.now
    return begun and (spec.closes_at is None or context.now < spec.closes_at)


async def taken(context: Context, offering: Offering, unit_id: int | None = None) -> int:
    """How many places of a call or allotment are taken, in all or by one unit; what was withdrawn gives its back."""
    query = select(func.count()).where(Case.offering_id == offering.id, Case.counted)
    if unit_id is not None:
        query = query.where(Case.unit_id == unit_id)
    return int((await context.session.execute(query)).scalar_one())


# --- what happened


async def note(context: Context, case: Case, move: str, words: str = "", **more: Any) -> CaseStep:
    """Writes down what happened to a record; of a private one the words are sealed."""
    member = context.actor.member
    kept = context.vault.seal(words, about=_ABOUT) if words and private(context, case) else words
    step = CaseStep(
        case_id=case.id, at=context.now, actor_id=member.id if member else None, move=move, words=kept, **more
    )
    context.session.add(step)
    await context.session.flush()
    return step


def words_of(context: Context, case: Case, step: CaseStep) -> str:
    """The words of a step in clear."""
    if step.words and private(context, case):
        return str(context.vault.open(step.words, about=_ABOUT))
    return step.words


async def steps(context: Context, case: Case) -> Sequence[CaseStep]:
    """What happened to a record, in order."""
    query = select(CaseStep).where(CaseStep.case_id == case.id).order_by(CaseStep.id)
    return (await context.session.execute(query)).scalars().all()
