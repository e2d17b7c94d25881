"""Exact words around an offering: 领取 and a code, 领取码, and of who answers for it: 通知, 催办, 采购数, 答复情况."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from actions.activities import store
from actions.activities.asked import asking_offerings
from actions.activities.asking import Answers, Call
from actions.activities.commands import Register
from actions.activities.handing_out import Collect, CollectForUnit, Purchase, ShowCodes
from actions.activities.matching import Like, Matches, Unlike
from actions.activities.rules import rules_of, spec_of
from actions.blocks.tickets import LENGTH
from actions.core.hearing import Hearing, InPrivate

if TYPE_CHECKING:
    from actions.core.commands import Command, Context
    from actions.core.hearing import Heard
    from actions.core.tables import Offering

_CODE = re.compile(
    rf"领取\s*[:：]?\s*((?:[0-9A-Za-z]\s?){{{LENGTH}}})(?:[\s,，]*(?:代领|由)?\s*([^\s代领]\S{{1,19}}?)(?:代领)?)?"
)
_CODES = ("领取码", "我的领取码", "提货码", "福利领取码", "領取碼")
_LIKES = re.compile(r"(愿意联系|不联系)\s*[:：]?\s*(\S{1,20})(?:[\s,，]+(\S.{0,59}))?")
_NEWS = ("看好消息", "我的好消息")
_OF_UNIT = re.compile(r"整单位领取\s*(\S{1,60})\s+(\S{1,40})\s+(\S{1,40})")
_OFFICERS = re.compile(r"(通知|提醒|发催办|催办|采购数|采购统计|答复情况|回执情况|选品情况)\s*[:：]?\s*(\S.{0,60})")


class AskingListener(InPrivate):
    """Hears these words in a private chat; what names no offering of the actor's is left to be understood."""

    async def hears(self, context: Context, heard: Heard, *, alone: bool) -> Hearing | None:
        """Takes a message that is nothing but such words."""
        if heard.group or context.actor.member is None:
            return None
        text = heard.text.strip(" 。.？?！!")
        if (match := _CODE.fullmatch(text)) is not None:
            return Hearing(command=Collect(code=match[1], by=match[2] or ""))
        command = await _bare(context, text) if alone else None
        return None if command is None else Hearing(command=command)


async def _bare(context: Context, text: str) -> Command | None:
    """What counts only where no form is open."""
    if text in _CODES:
        return ShowCodes()
    return await _answer(context, text) or _liking(text) or await _of_officers(context, text)


async def _answer(context: Context, text: str) -> Register | None:
    """An answer in one line, as an invitation offers it: 参加 全委会; 请假 全委会 出差."""
    said, _, rest = text.partition(" ")
    if not rest or said not in _leave_answers(context):
        return None
    for offering in reversed(await asking_offerings(context)):
        service, spec = context.catalogue[offering.service], spec_of(offering)
        leave = rules_of(service).leave
        if leave is None or said not in {choice.value for choice in service.field(leave.field).choices}:
            continue
        title = next((name for name in (offering.title, *spec.also) if rest.partition(" ")[0] == name), None)
        if title is None:
            continue
        reason = {leave.reason_field: rest.removeprefix(title).strip()} if leave.reason_field else {}
        wanted = reason if said == leave.value else {}
        hidden = bool(leave.reason_field) and service.field(leave.reason_field).confidential
        return Register(
            service=service.id,
            offering_id=offering.id,
            fields={leave.field: said, **({} if hidden else wanted)},
            confidential=wanted if hidden else {},
        )
    return None


def _leave_answers(context: Context) -> frozenset[str]:
    """What may be answered where leave can be asked for: 参加, 请假. Most messages begin with none of them."""
    services = [service for service in context.catalogue if service.life == "activity"]
    leaves = [(service, rules_of(service).leave) for service in services]
    return frozenset(
        choice.value for service, leave in leaves if leave is not None for choice in service.field(leave.field).choices
    )


def _liking(text: str) -> Command | None:
    if text in _NEWS:
        return Matches()
    match = _LIKES.fullmatch(text)
    if match is None:
        return None
    return Like(who=match[2], contact=match[3] or "") if match[1] == "愿意联系" else Unlike(who=match[2])


async def _of_officers(context: Context, text: str) -> Command | None:
    if (match := _OF_UNIT.fullmatch(text)) is not None:
        offering = await _named(context, match[1])
        if offering is None:
            return None
        return CollectForUnit(offering_id=offering.id, unit=match[2], by=match[3])
    match = _OFFICERS.fullmatch(text)
    offering = await _named(context, match[2].strip()) if match is not None else None
    return None if match is None or offering is None else _about(context, match[1], offering)


def _about(context: Context, word: str, offering: Offering) -> Command | None:
    if "催办" in word:
        send = word == "发催办"
        arguments = {"ref": f"offering:{offering.id}", "send": send, "file": not send}
        return context.bus.command("announcements.chase", arguments)
    if word in ("通知", "提醒"):
        return Call(offering_id=offering.id)
    if "采购" not in word:
        return Answers(offering_id=offering.id)
    chosen = rules_of(context.catalogue[offering.service]).choice is not None
    return Purchase(offering_id=offering.id) if chosen else None


async def _named(context: Context, title: str) -> Offering | None:
    """The latest offering of that name which the actor answers for."""
    for offering in reversed(await asking_offerings(context)):
        names = (offering.title, *spec_of(offering).also)
        if title in names and store.answers_for(context, offering):
            return offering
    return None
