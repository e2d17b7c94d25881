"""Exact words that rows decide: 收到, 通知 12, 讲座的留着; a group's phrase and keywords; being told to be quiet."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlalchemy import select

from actions.announcements import commands as c
from actions.announcements import groups, receipts
from actions.announcements.tables import ChatGroup, GroupWord
from actions.core.hearing import Heard, Hearing
from actions.core.notify import ALPHABET

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession

    from actions.announcements.topics import Topics
    from actions.core.commands import Command, Context

_PHRASE = re.compile(rf"绑群\s*([{ALPHABET}]{{8}})", re.IGNORECASE)
_RECEIPT = re.compile(r"(?:已)?收到(?:了|通知)?[\s#＃]*(\d{1,9})?[。.!！~]*")
_NOTICE = re.compile(r"(?:看|查看)?(?:通知|公告)[\s#＃]*(\d{1,9})")
_CHASE = re.compile(r"(催办|发催办)[\s#＃]*((?:[a-z_]+:)?\d{1,9})")
_UNBIND = re.compile(r"(?:解绑群|群解绑)[\s:：]*(\S{1,30})")
_BIND = re.compile(r"(?:绑群|绑定群)[\s:：]*(\S.{0,29})")
_WELCOME = re.compile(r"群欢迎\s+(\S{1,30})\s*(.{0,500})", re.DOTALL)
_WORD = re.compile(r"群问答\s+(\S{1,30})\s+([^=＝]{2,20})[=＝](.{0,500})", re.DOTALL)
_LIST = re.compile(r"(?:我的)?群列表|有哪些群")
_QUIET = re.compile(
    r"(?:先)?(?:静音|别说话|安静|保持安静|不要说话)(?:(?:一会儿?|一下)|(\d{1,3}|[一两三])\s*(?:个)?小时)?"
)
_SPEAK = re.compile(r"(?:取消静音|解除静音|可以说话了|恢复说话)")
_MARKS = " \t\n,，。.!！~"
#: 一会儿 is an hour.
_HOURS = {"一": 1, "两": 2, "三": 3}
#: What is said in a group and longer is no keyword.
_LONGEST = 40


class AnnouncementListener:
    """The words of this life."""

    def __init__(self, topics: Topics) -> None:
        self._topics = topics

    async def wants(self, session: AsyncSession, heard: Heard, now: datetime) -> bool:
        """In a group: the phrase that binds it, and the words that its officer set."""
        text = heard.text.strip()
        if not heard.group or not text or len(text) > _LONGEST:
            return False
        if _PHRASE.fullmatch(text):
            return True
        query = (
            select(ChatGroup)
            .join(GroupWord, GroupWord.group_id == ChatGroup.id)
            .where(
                ChatGroup.channel == heard.channel,
                ChatGroup.account == heard.account,
                ChatGroup.conversation == heard.conversation,
                GroupWord.word == groups.fold(text),
            )
        )
        group = (await session.execute(query)).scalar_one_or_none()
        return group is not None and not groups.is_muted(group, now)

    async def hears(self, context: Context, heard: Heard, *, alone: bool) -> Hearing | None:
        """Takes what is exact. What many people say by the way (收到) counts only where a row waits for it."""
        if heard.group:
            return await self._in_group(context, heard)
        if not alone or context.actor.member is None:
            return None
        command = await self._private(context, heard.text.strip())
        return None if command is None else Hearing(command=command)

    # --- in a group

    async def _in_group(self, context: Context, heard: Heard) -> Hearing | None:
        text = heard.text.strip(_MARKS)
        if match := _PHRASE.search(text):
            return await self._phrase(context, heard, match[1])
        group = await groups.at(context, heard.channel, heard.account, heard.conversation)
        if group is None:
            return None if heard.addressed else Hearing()
        if heard.addressed and (command := _steered(group, text)) is not None:
            allowed = context.actor.member is not None and await context.bus.allows(command, context)
            return Hearing(command=command) if allowed else Hearing()
        if groups.is_muted(group, context.now):
            return Hearing()
        word = groups.fold(text)
        if await context.session.get(GroupWord, (group.id, word)) is not None:
            return Hearing(command=c.Answer(group_id=group.id, word=word))
        return None if heard.addressed else Hearing()

    async def _phrase(self, context: Context, heard: Heard, phrase: str) -> Hearing:
        """Who was not given the phrase is told nothing: it may be anybody, and the group reads along."""
        if await groups.phrase_of(context, phrase) is None and not heard.addressed:
            return Hearing()
        where = {"channel": heard.channel, "account": heard.account, "conversation": heard.conversation}
        return Hearing(command=c.BindGroup(phrase=phrase.upper(), **where))

    # --- in private

    async def _private(self, context: Context, text: str) -> Command | None:
        if match := _RECEIPT.fullmatch(text):
            return await self._receipt(context, match[1])
        if match := _NOTICE.fullmatch(text):
            return c.ShowAnnouncement(announcement_id=int(match[1]))
        if self._topics.alone(text):
            return c.SetWishes(wishes=self._topics.wishes(text, "none"))
        return _of_officers(text)

    async def _receipt(self, context: Context, number: str | None) -> Command | None:
        if number is not None:
            return c.Acknowledge(announcement_id=int(number))
        waiting = await receipts.waiting(context, context.actor.member_id)
        return c.Acknowledge() if waiting else None


def _of_officers(text: str) -> Command | None:
    """Whether the actor may is the command's to say."""
    if match := _CHASE.fullmatch(text):
        ref = match[2] if ":" in match[2] else f"announcement:{match[2]}"
        send = match[1] == "发催办"
        return c.Chase(ref=ref, send=send, file=not send)
    if match := _WELCOME.fullmatch(text):
        return c.SetWelcome(group=match[1], text=match[2].strip())
    if match := _WORD.fullmatch(text):
        return c.SetWord(group=match[1], word=match[2].strip(), text=match[3].strip())
    if match := _UNBIND.fullmatch(text):
        return c.Unbind(group=match[1])
    if match := _BIND.fullmatch(text):
        return c.IssuePhrase(title=match[1].strip())
    return c.ListGroups() if _LIST.fullmatch(text) else None


def _steered(group: ChatGroup, text: str) -> Command | None:
    if match := _QUIET.fullmatch(text):
        said = match[1] or ("一" if "一" in text else "0")
        return c.Mute(group=str(group.id), hours=_HOURS.get(said) or int(said))
    return c.Unmute(group=str(group.id)) if _SPEAK.fullmatch(text) else None
