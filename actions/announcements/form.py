"""The forms of this life: an officer's 帮我群发个通知, and a member's 别再推了."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from actions.announcements import commands as c
from actions.announcements import rights, segment_text
from actions.announcements.audience import count
from actions.announcements.composing import allowed, due_at, needs_approval
from actions.announcements.greetings.days import add_working_days
from actions.announcements.meaning import KnownNames, meant, text_behind
from actions.announcements.rules import Office, broadcast_rules, rules_of
from actions.announcements.tables import Announcement, ChatGroup
from actions.core.errors import DomainError, ForbiddenError
from actions.core.life import Choice
from actions.core.tables import Member, Offering, Unit
from actions.core.zones import at, local, spoken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actions.core.catalogue import Declaration
    from actions.core.commands import Context

NOW = "now"
_MORNING, _EVENING = time(9), time(17)
_DAY = timedelta(days=1)
#: What tells that a time in the request is when to send, and not what the notice is about.
_SENDING = ("定时", "再发", "时候发", "点发", "时发", "发出", "推送")


async def known_names(context: Context) -> KnownNames:
    """The names that an officer may say."""
    clubs = {service.id for service in context.catalogue.opened_by("join_club")}
    units = (await context.session.execute(select(Unit.name))).scalars().all()
    groups = (await context.session.execute(select(ChatGroup.title))).scalars().all()
    rows = (await context.session.execute(select(Offering.title, Offering.service))).all()
    titles = [title for title, service in rows if service not in clubs and not context.catalogue[service].private]
    tags = sorted({tag for each in (await context.session.execute(select(Member.tags))).scalars() for tag in each})
    short = {"代表": "教代会代表"} if "教代会代表" in tags else {}
    return KnownNames(
        units=units,
        groups=groups,
        tags=tags,
        offerings=titles,
        clubs=[title for title, service in rows if service in clubs],
        short_tags=short,
    )


async def latest_with_receipt(context: Context) -> int | None:
    """The announcement that 没回执的 means where none is named: the actor's last one that asks for 收到."""
    member = context.actor.member
    query = select(Announcement.id).where(
        Announcement.author_id == (member.id if member else None),
        Announcement.state == "sent",
        Announcement.answer_by.is_not(None),
    )
    return (await context.session.execute(query.order_by(Announcement.id.desc()).limit(1))).scalar_one_or_none()


class BroadcastForm:
    """One form of a notice: fields are known by their types and by what the rules name."""

    def __init__(self, office: Office, service: Declaration, values: Mapping[str, Any]) -> None:
        self._office = office
        self.rules = rules_of(service)
        self.values = dict(values)

    async def resolve(self, context: Context, changed: set[str]) -> list[DomainError]:
        """Turns what was said into a segment, a topic and a time; what cannot be is dropped and told."""
        refusals: list[DomainError] = []
        for step in (self._opening, self._audience, self._time, self._link, self._receipt):
            try:
                await step(context, changed)
            except DomainError as error:
                refusals.append(error)
        if self.values["time"] == NOW:
            self.values["time_label"] = self._office.render("announcements.at_once", {})
        if "text" in changed and "topic" not in changed and self.values.get("text"):
            self.values["topic"] = self._office.topics.about_what(self.values["text"])
        if "topic" in self.values:
            self.values["topic_label"] = self._office.topics.title(self.values["topic"])
        return refusals

    async def _opening(self, context: Context, changed: set[str]) -> None:
        """What the request itself already says: to whom, when, and behind a colon the notice."""
        request = self.values.pop("audience_hint", None)
        if request is None:
            return
        text = text_behind(request)
        if text:
            self.values["text"] = text
            changed.add("text")
        before = request.removesuffix(text) if text else request
        if not any(word in before for word in _SENDING):
            self.values.pop("time_wish", None)
        segment = meant(before, await known_names(context), latest=await latest_with_receipt(context))
        if segment is not None:
            self.values["audience"] = segment_text.write(segment)
            changed.add("audience")

    async def _audience(self, context: Context, changed: set[str]) -> None:
        said = self.values.get("audience")
        if "audience" not in changed or not said:
            return
        self.values.pop("audience_label", None)
        segment = meant(said, await known_names(context), latest=await latest_with_receipt(context))
        if segment is None:
            del self.values["audience"]
            raise DomainError("segment_unclear", field="audience", text=said[:20])
        reach = await rights.reach_of(context, broadcast_rules(context.catalogue)[0])
        segment = rights.narrowed(reach, segment)
        if not await rights.covers(context, self._office.sources, reach, segment):
            del self.values["audience"]
            raise ForbiddenError("not_your_audience", units=list(reach.units))
        self.values["audience"] = segment_text.write(segment)

    async def _time(self, context: Context, changed: set[str]) -> None:
        wish = self.values.get("time_wish")
        if wish is not None and ("time_wish" in changed or "time" not in self.values):
            self.values["time"] = _moment(wish, context.now).isoformat()
        value = self.values.setdefault("time", NOW)
        self.values.pop("time_label", None)
        if value == NOW:
            return
        try:
            due_at(context, self.rules, datetime.fromisoformat(value))
        except DomainError:
            self.values["time"] = NOW
            self.values.pop("time_wish", None)
            raise

    async def _link(self, context: Context, changed: set[str]) -> None:
        del context
        link = self.values.get("link")
        if "link" in changed and link and not link.startswith(("http://", "https://")):
            del self.values["link"]
            raise DomainError("bad_link", field="link")

    async def _receipt(self, context: Context, changed: set[str]) -> None:
        del context, changed
        if self.values.get("receipt") not in (None, *self.rules.receipt_days):
            del self.values["receipt"]

    async def hold(self, context: Context) -> dict[str, Any]:
        """Counts whom it is for, for the read-back. Raises as `allowed`, and audience_empty."""
        segment = segment_text.read(self.values["audience"])
        counted = await count(context, await allowed(context, self._office, segment))
        if not counted.members and not counted.groups:
            raise DomainError("audience_empty", field="audience", to=self.values["audience"])
        params = {
            "to": self.values["audience"],
            "members": counted.members,
            "reachable": counted.reachable,
            "groups": counted.groups,
            "approval": await needs_approval(context, self.rules, segment, counted),
        }
        return {"audience_label": self._office.render("announcements.audience_label", params)}

    def times(self, now: datetime) -> tuple[Choice, ...]:
        """Times to choose from: at once, this evening, the next working mornings."""
        today = local(now).date()
        moments = [at(today, _EVENING), at(add_working_days(today + _DAY, 0), _MORNING)]
        later = [Choice(value=moment.isoformat(), label=spoken(moment)) for moment in moments if moment > now]
        return (Choice(value=NOW, label=self._office.render("announcements.at_once", {})), *later)

    def commit(self) -> c.Announce:
        """The command of a confirmed form."""
        values = self.values
        value = values.get("time", NOW)
        moment = None if value == NOW else datetime.fromisoformat(value)
        return c.Announce(
            to=values["audience"],
            text=values["text"],
            link=values.get("link") or "",
            files=tuple(values.get("picture") or ()),
            topic=values.get("topic") or "",
            at=moment,
            answer_in_days=self.rules.receipt_days.get(values.get("receipt") or ""),
        )


def _moment(wish: Mapping[str, Any], now: datetime) -> datetime:
    """When a notice is sent that is wanted then: a whole day means nine o'clock, a part of it its beginning."""
    start, end = datetime.fromisoformat(wish["start"]), datetime.fromisoformat(wish["end"])
    if wish["kind"] == "point":
        return start
    if end - start >= _DAY:
        start = at(local(start).date(), _MORNING)
    return max(start, now) if end > now else start


async def refuse_others(context: Context, service: Declaration) -> None:
    """Raises ForbiddenError("not_for_you") for who may tell nobody."""
    reach = await rights.reach_of(context, service.id)
    if reach.everybody or reach.units:
        return
    member = context.actor.member
    query = select(Offering.id).where(Offering.owner_id == (member.id if member else None), Offering.state != "draft")
    rows = (await context.session.execute(query.limit(1))).first()
    if rows is None or member is None or member.status == "left":
        raise ForbiddenError("not_for_you", service=service.short)
