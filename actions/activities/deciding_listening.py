"""Exact words around what is counted and decided: 问卷结果, 候选, 推荐, 审定…; and a number for the insurance."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import select

from actions.activities import allotment_commands as c
from actions.activities import people, store
from actions.activities.counting import ShowResults
from actions.activities.rules import rules_of, spec_of
from actions.blocks import identity
from actions.core.errors import DomainError
from actions.core.hearing import Hearing
from actions.core.tables import Offering
from actions.core.zones import local

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession

    from actions.core.commands import Command, Context
    from actions.core.hearing import Heard

_RESULTS = re.compile(r"(?:问卷|调查|调研)结果\s*[:：]?\s*(\S.{0,60})")
_WORDS = re.compile(
    r"(候选|推荐|分配方案|审定|公示名单|撤下|定下来|点名|保险名单|保险办好)\s*[:：]?\s*(\S{1,60})(?:\s+(\S.*))?",
    re.DOTALL,
)
_DAY = re.compile(r"(?:(\d{4})\s*年)?\s*(\d{1,2})\s*月\s*(\d{1,2})\s*[日号]")
_NUMBER = re.compile(r"(?:我的)?(?:身份证号?码?)?(?:是|为)?\s*[:：,，]?\s*([0-9０-９Xxｘ\s]{15,24})")
_LOOKS = re.compile(r"谁(?:看过|查过|看了)我的身份证(?:号码?)?(?:了|吗)?")
#: What an answer that could not be read should have looked like, behind the word and the title.
_EXAMPLES = {
    "推荐": "林一帆、张建国 11月20日 分工会委员会研究",
    "审定": "11月25日 校工会常委会研究",
    "撤下": "林一帆 公示期反映不符合条件",
    "点名": "林一帆 黄山线",
}
_PLAIN: dict[str, Callable[[int], Command]] = {
    "候选": lambda offering_id: c.Candidates(offering_id=offering_id),
    "分配方案": lambda offering_id: c.ShowPlan(offering_id=offering_id),
    "公示名单": lambda offering_id: c.ShowList(offering_id=offering_id),
    "定下来": lambda offering_id: c.Settle(offering_id=offering_id),
    "保险名单": lambda offering_id: c.InsuranceList(offering_id=offering_id),
    "保险办好": lambda offering_id: c.Insured(offering_id=offering_id),
}


class DecidingListener:
    """Hears these words in a private chat; what names nothing that is counted or allotted is left to be understood."""

    async def wants(self, session: AsyncSession, heard: Heard, now: datetime) -> bool:
        """Nothing in groups."""
        del session, heard, now
        return False

    async def hears(self, context: Context, heard: Heard, *, alone: bool) -> Hearing | None:
        """Takes a message that is nothing but such words; a number is taken at any time, and refused in a group."""
        text = heard.text.strip(" 。.？?！!")
        number = identity.said(text)
        if heard.group and number is not None:
            raise DomainError("identity_in_private")
        if context.actor.member is None:
            return None
        today = local(context.now).date()
        if _NUMBER.fullmatch(text) or (number is not None and identity.genuine(number, today)):
            return Hearing(command=c.GiveIdentity(number=number or text[-40:]))
        if heard.group or not alone:
            return None
        if _LOOKS.fullmatch(text):
            return Hearing(command=c.IdentityLooks())
        command = await _of_surveys(context, text) or await _of_allotments(context, text)
        return None if command is None else Hearing(command=command)


async def _of_surveys(context: Context, text: str) -> Command | None:
    match = _RESULTS.fullmatch(text)
    offering = await _named(context, match[1].strip(), "questionnaire") if match is not None else None
    return None if offering is None else ShowResults(offering_id=offering.id)


async def _of_allotments(context: Context, text: str) -> Command | None:
    match = _WORDS.fullmatch(text)
    offering = await _named(context, match[2], "allotment") if match is not None else None
    if match is None or offering is None:
        return None
    word, rest = match[1], (match[3] or "").strip()
    if word in _PLAIN:
        return None if rest else _PLAIN[word](offering.id)
    readers: dict[str, Callable[[Context, int, str], Awaitable[Command | None]]] = {
        "推荐": _recommended,
        "审定": _approved,
        "撤下": _struck,
        "点名": _named_person,
    }
    command = await readers[word](context, offering.id, rest)
    if command is None and not _decides(context, offering):
        return None
    if command is None:
        raise DomainError("decision_unread", example=f"{word} {match[2]} {_EXAMPLES[word]}")
    return command


def _decides(context: Context, offering: Offering) -> bool:
    """Whether the actor may decide anything here: to others such words are just words."""
    member = context.actor.member
    filing = member is not None and store.files_for(context, offering.service, member.unit_id)
    return filing or store.answers_for(context, offering)


async def _recommended(context: Context, offering_id: int, text: str) -> Command | None:
    dated = _DAY.search(text)
    day = _day(context, dated) if dated is not None else None
    how = text[dated.end() :].strip(" ，,") if dated is not None else ""
    if dated is None or day is None or len(how) < 2 or not text[: dated.start()].strip():
        return None
    listed = await people.listed(context, text[: dated.start()].strip(" ，,"), field="")
    staff_ids = tuple(one.member.staff_id for one in listed)
    return c.Recommend(offering_id=offering_id, people=staff_ids, decided_on=day, how=how[:200])


async def _approved(context: Context, offering_id: int, text: str) -> Command | None:
    dated = _DAY.match(text)
    day = _day(context, dated) if dated is not None else None
    how = text[dated.end() :].strip(" ，,") if dated is not None else ""
    return None if day is None or len(how) < 2 else c.ApproveAll(offering_id=offering_id, decided_on=day, how=how[:200])


async def _struck(context: Context, offering_id: int, text: str) -> Command | None:
    name, _, reason = text.partition(" ")
    if len(reason.strip()) < 2:
        return None
    named = await people.listed(context, name, field="")
    if len(named) != 1:
        return None
    return c.Strike(offering_id=offering_id, staff_id=named[0].member.staff_id, reason=reason.strip()[:200])


async def _named_person(context: Context, offering_id: int, text: str) -> Command | None:
    name, _, option = text.partition(" ")
    offering = await context.session.get_one(Offering, offering_id)
    options = spec_of(offering).options
    wanted = next((each.title for each in options if option.strip() in (each.title, *each.also)), None)
    if wanted is None:
        return None
    named = await people.listed(context, name, field="")
    if len(named) != 1:
        return None
    return c.NamePerson(offering_id=offering_id, staff_id=named[0].member.staff_id, option=wanted)


def _day(context: Context, match: re.Match[str]) -> date | None:
    """The day that is meant; without a year the last one of that name, as decisions are of the past."""
    today = local(context.now).date()
    year = int(match[1] or today.year)
    try:
        day = date(year, int(match[2]), int(match[3]))
        return day if match[1] or day <= today else day.replace(year=year - 1)
    except ValueError:
        return None


async def _named(context: Context, title: str, rule: str) -> Offering | None:
    """The latest offering of that name, of a service with such a rule. Who may do what is the command's to say."""
    services = [
        service.id for service in context.catalogue if service.life == "activity" and getattr(rules_of(service), rule)
    ]
    query = select(Offering).where(Offering.service.in_(services), Offering.state.in_(("open", "closed")))
    for offering in (await context.session.execute(query.order_by(Offering.id.desc()))).scalars():
        if title in (offering.title, *spec_of(offering).also):
            return offering
    return None
