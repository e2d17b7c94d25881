"""In a crisis: a fixed, calm answer, and an alert that goes down the duty list until somebody says 收到.

What was said is never stored, and no more is told than helping takes. Source: the catalogue's rules on safety
(精神卫生法 art. 23; numbers are the settings').
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

from sqlalchemy import ForeignKey, String, delete, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from actions.core.commands import Command, Context, Outcome, Registration, anyone, bound, holders
from actions.core.errors import ConfigurationError, DomainError, ForbiddenError
from actions.core.notify import Notice, Option, cancel_notices, notify
from actions.core.tables import Account, Base, Member, RoleGrant
from actions.core.zones import local

if TYPE_CHECKING:
    from collections.abc import Sequence

Kind: TypeAlias = Literal["despair", "danger_now", "violence_at_home"]

#: Renders a sentence of data/responses: (key, parameters) -> text. The composition root gives the real one.
Render: TypeAlias = Callable[[str, Mapping[str, Any]], str]

# Grants that name this service put union officers on the duty list.
_DUTY = "safety"


@dataclass(frozen=True, kw_only=True, slots=True)
class SafetyRules:
    """Who helps and when. `opens` and `closes` are clock times in Shanghai, "HH:MM"; equal ones mean day and night.

    An alert goes on after `acknowledge_minutes`, `rounds` times down the list. Within `repeat_minutes` the same
    person raises one alert. `counselling` is the service whose counsellors are on duty.
    """

    hotline: str = "12356"
    campus_line: str
    acknowledge_minutes: int = 10
    opens: str = "08:00"
    closes: str = "21:00"
    repeat_minutes: int = 60
    rounds: int = 3
    retention_days: int = 180
    counselling: str = "counseling"

    def __post_init__(self) -> None:
        """Raises ConfigurationError for hours that are no clock times."""
        for name in ("opens", "closes"):
            try:
                time.fromisoformat(getattr(self, name))
            except ValueError as error:
                raise ConfigurationError(f'safety.{name}: expected a clock time, as in "08:00"') from error

    def on_duty(self, now: datetime) -> bool:
        """Whether it is duty time; hours that close before they open go past midnight."""
        opens, closes, clock = time.fromisoformat(self.opens), time.fromisoformat(self.closes), local(now).time()
        return opens <= clock < closes if opens < closes else clock >= opens or clock < closes


class Alert(Base):
    """One call for help. `person` is a pseudonym; `level` counts down the duty list, round after round.

    `state`: open -> acknowledged; unheard where nobody was on the duty list. `open_key` is the person while the alert
    goes down the list, and unique, so that two messages at once raise one alert.
    """

    __tablename__ = "alert"

    id: Mapped[int] = mapped_column(primary_key=True)
    raised_at: Mapped[datetime] = mapped_column(index=True)
    kind: Mapped[str] = mapped_column(String(20))
    member_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    person: Mapped[str] = mapped_column(String(40), index=True)
    state: Mapped[str] = mapped_column(String(12))
    level: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime | None]
    acknowledged_by: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    acknowledged_at: Mapped[datetime | None]
    open_key: Mapped[str | None] = mapped_column(String(40), unique=True)

    @property
    def subject(self) -> str:
        """How notices and the audit name the alert."""
        return f"alert:{self.id}"


class AlertNotice(Base):
    """Who was told of an alert, and when."""

    __tablename__ = "alert_notice"

    id: Mapped[int] = mapped_column(primary_key=True)
    alert_id: Mapped[int] = mapped_column(ForeignKey("alert.id"), index=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    at: Mapped[datetime]


class RaiseAlert(Command):
    """Answers a call for help and alerts who is on duty. The words of the person are no argument, on purpose."""

    name: ClassVar[str] = "safety.raise_alert"
    kind: Kind
    chat: Literal["private", "group"] = "private"


class Acknowledge(Command):
    """收到: the actor sees to it, and nobody else is prompted."""

    name: ClassVar[str] = "safety.acknowledge"
    alert_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """An alert as it was told: `to` are names, `text` is what they read. `id` is the latest notice it covers."""

    id: int
    kind: str
    to: tuple[str, ...]
    text: str


class Safety:
    """Crisis answers and their alerts."""

    def __init__(self, rules: SafetyRules, render: Render) -> None:
        """`render` says what the alert tells, so that the person reads the very words that the counsellor does."""
        self._rules = rules
        self._render = render

    def registrations(self) -> Sequence[Registration[Any]]:
        """The commands of this module."""
        return (
            Registration(command=RaiseAlert, handler=self.raise_alert, right=anyone, private=lambda _c, _x: True),
            Registration(command=Acknowledge, handler=self.acknowledge, right=bound),
        )

    # --- the call

    async def raise_alert(self, command: RaiseAlert, context: Context) -> Outcome:
        """Answers at once. In a group the answer names nothing, and who is bound gets the full one in private.

        For the others `data["private"]` holds it as {"wording", "params"}, to be said as soon as they write in private.
        """
        alert = await self._alert(command.kind, context)
        wording = f"safety.{command.kind}"
        member = context.actor.member
        params = {
            "hotline": self._rules.hotline,
            "campus_line": self._rules.campus_line,
            "on_duty": self._rules.on_duty(context.now),
            "known": member is not None,
            "told": "" if alert.state == "unheard" else await self._text(context, alert),
        }
        if command.chat == "private":
            return Outcome(wording=wording, params=params, subject=alert.subject)
        if member is not None:
            await notify(context, Notice(member_id=member.id, wording=wording, params=params))
        return Outcome(
            wording="safety.group",
            params={"sent": member is not None, "urgent": command.kind == "danger_now"},
            subject=alert.subject,
            data={} if member is not None else {"private": {"wording": wording, "params": params}},
        )

    async def _alert(self, kind: Kind, context: Context) -> Alert:
        """The person's alert: a new one, or the one that their earlier message raised."""
        person = _person(context)
        member_id = context.actor.member.id if context.actor.member else None
        duty = await self.duty_list(context, but=member_id)
        known = await self._known(context, person)
        if known is not None and (known.state != "unheard" or not duty):
            await self._worsen(context, known, kind)
            return known
        alert = Alert(
            raised_at=context.now,
            kind=kind,
            member_id=member_id,
            person=person,
            state="open" if duty else "unheard",
            level=0,
            next_at=context.now + self._patience if duty else None,
            open_key=person if duty else None,
        )
        try:
            async with context.session.begin_nested():
                context.session.add(alert)
        except IntegrityError:
            other = await self._known(context, person)
            if other is None:
                raise
            return other
        if duty:
            await self._tell(context, alert, duty[:1])
        else:
            await self._tell_of_gap(context, member_id)
        return alert

    @property
    def _patience(self) -> timedelta:
        return timedelta(minutes=self._rules.acknowledge_minutes)

    async def _known(self, context: Context, person: str) -> Alert | None:
        """The person's alert that goes down the list, or was raised a short while ago."""
        since = context.now - timedelta(minutes=self._rules.repeat_minutes)
        query = select(Alert).where(
            or_(Alert.open_key == person, (Alert.person == person) & (Alert.raised_at > since)),
        )
        return (await context.session.execute(query.order_by(Alert.id.desc()).limit(1))).scalar_one_or_none()

    async def _worsen(self, context: Context, alert: Alert, kind: Kind) -> None:
        """Life is at risk now, and was not before: who sees to it, or was told last, is told so and asked again."""
        locked = await context.database.lock(context.session, Alert, alert.id)
        if locked is None or kind != "danger_now" or locked.kind == kind or locked.state == "unheard":
            return
        locked.kind, locked.state, locked.open_key = kind, "open", locked.person
        locked.next_at = context.now + self._patience
        query = select(AlertNotice.member_id).where(AlertNotice.alert_id == locked.id).order_by(AlertNotice.id.desc())
        last = (await context.session.execute(query.limit(1))).scalar_one()
        helper = await context.session.get(Member, locked.acknowledged_by or last)
        locked.acknowledged_by = locked.acknowledged_at = None
        if helper is not None:
            await self._tell(context, locked, [helper])

    # --- who is told

    async def duty_list(self, context: Context, *, but: int | None = None) -> list[Member]:
        """Counsellors, then union officers named for this duty, in the order of their grants.

        Only who has an account can be reached, so only they count. `but` is who asks for help: nobody is their own
        helper.
        """
        counsellors = await holders(context.session, "counsellor", service=self._rules.counselling)
        officers = (
            select(Member)
            .join(RoleGrant, RoleGrant.member_id == Member.id)
            .where(RoleGrant.role == "union_officer", RoleGrant.service == _DUTY, Member.status != "left")
            .order_by(RoleGrant.id)
        )
        everyone = [*counsellors, *(await context.session.execute(officers)).scalars().unique()]
        return await _reachable(context, everyone, but=but)

    async def _tell(
        self, context: Context, alert: Alert, members: Sequence[Member], wording: str = "notices.safety_alert"
    ) -> None:
        text = await self._text(context, alert)
        option = Option(label="收到", command=Acknowledge(alert_id=alert.id))
        for member in members:
            notice = Notice(
                member_id=member.id,
                wording=wording,
                params={"text": text, "minutes": self._rules.acknowledge_minutes},
                subject=alert.subject,
                options=(option,),
            )
            await notify(context, notice)
            context.session.add(AlertNotice(alert_id=alert.id, member_id=member.id, at=context.now))
        await context.session.flush()

    async def _text(self, context: Context, alert: Alert) -> str:
        member = None if alert.member_id is None else await context.session.get(Member, alert.member_id)
        unit = member.unit.name if member and member.unit else ""
        who = {"name": member.name, "unit": unit, "phone": member.phone} if member else dict.fromkeys(_WHO, "")
        return self._render("safety.told", {"kind": alert.kind, **who})

    async def _tell_of_gap(self, context: Context, member_id: int | None) -> None:
        """Nobody is on the duty list: administrators learn that, and not who asked for help."""
        for member in await self._administrators(context, but=member_id):
            await notify(context, Notice(member_id=member.id, wording="notices.safety_nobody_on_duty"))

    async def _administrators(self, context: Context, *, but: int | None) -> list[Member]:
        return await _reachable(context, await holders(context.session, "administrator", service=_DUTY), but=but)

    # --- 收到

    async def acknowledge(self, command: Acknowledge, context: Context) -> Outcome:
        """Raises DomainError: not_found, already_acknowledged; ForbiddenError for who is not on the duty list."""
        alert = await context.database.lock(context.session, Alert, command.alert_id)
        if alert is None:
            raise DomainError("not_found")
        if not await self._may_acknowledge(context, alert):
            raise ForbiddenError
        if alert.state != "open":
            by = await context.session.get(Member, alert.acknowledged_by or 0)
            raise DomainError("already_acknowledged", by=by.name if by else "")
        alert.state, alert.next_at, alert.open_key = "acknowledged", None, None
        alert.acknowledged_at = context.now
        alert.acknowledged_by = context.actor.member.id if context.actor.member else None
        await cancel_notices(context, alert.subject)
        return Outcome(
            wording="safety.acknowledged",
            params={"text": await self._text(context, alert)},
            subject=alert.subject,
        )

    async def _may_acknowledge(self, context: Context, alert: Alert) -> bool:
        """Who was told of it, or is on the list; never the person it is about."""
        if context.actor.system:
            return True
        member_id = context.actor.member_id
        told = select(AlertNotice.id).where(AlertNotice.alert_id == alert.id, AlertNotice.member_id == member_id)
        if (await context.session.execute(told.limit(1))).first() is not None:
            return True
        return member_id in {member.id for member in await self.duty_list(context, but=alert.member_id)}

    # --- what falls due

    async def sweep(self, context: Context) -> int:
        """Alerts that nobody acknowledged go to the next on the list; what is older than the retention is deleted."""
        due = select(Alert.id).where(Alert.state == "open", Alert.next_at <= context.now).order_by(Alert.id)
        done = 0
        for alert_id in (await context.session.execute(due)).scalars().all():
            alert = await context.database.lock(context.session, Alert, alert_id)
            # Another process may have been quicker while this one waited for the lock.
            if alert and alert.state == "open" and alert.next_at is not None and alert.next_at <= context.now:
                await self._escalate(context, alert)
                done += 1
        return done + await self._forget(context)

    async def _escalate(self, context: Context, alert: Alert) -> None:
        """The next on the list; after the last round every administrator, once."""
        duty = await self.duty_list(context, but=alert.member_id)
        alert.level += 1
        if alert.level < self._rules.rounds * len(duty):
            alert.next_at = context.now + self._patience
            await self._tell(context, alert, [duty[alert.level % len(duty)]])
            return
        # It stays open for whoever acknowledges it late, and no longer keeps a new call from raising an alert.
        alert.next_at, alert.open_key = None, None
        administrators = await self._administrators(context, but=alert.member_id)
        await self._tell(context, alert, administrators, "notices.safety_unanswered")

    async def _forget(self, context: Context) -> int:
        limit = context.now - timedelta(days=self._rules.retention_days)
        old = list((await context.session.execute(select(Alert.id).where(Alert.raised_at < limit))).scalars())
        if old:
            await context.session.execute(delete(AlertNotice).where(AlertNotice.alert_id.in_(old)))
            await context.session.execute(delete(Alert).where(Alert.id.in_(old)))
        return len(old)

    # --- for a replay

    async def alerts_since(self, context: Context, notice_id: int = 0) -> list[Told]:
        """What was told after a notice (0: from the beginning), oldest first; what was told at once is one entry."""
        query = (
            select(AlertNotice, Alert, Member.name)
            .join(Alert, Alert.id == AlertNotice.alert_id)
            .join(Member, Member.id == AlertNotice.member_id)
            .where(AlertNotice.id > notice_id)
            .order_by(AlertNotice.id)
        )
        groups: dict[tuple[int, datetime], Told] = {}
        for notice, alert, name in (await context.session.execute(query)).all():
            key = (alert.id, notice.at)
            before = groups[key].to if key in groups else ()
            text = await self._text(context, alert)
            groups[key] = Told(id=notice.id, kind=alert.kind, to=(*before, name), text=text)
        return list(groups.values())


_WHO = ("name", "unit", "phone")


def _person(context: Context) -> str:
    """The same pseudonym for a member on every channel; for the others, for a sender."""
    actor = context.actor
    if actor.member is not None:
        return context.vault.pseudonym(f"member:{actor.member.id}")
    return context.vault.pseudonym(f"{actor.channel}:{actor.account}:{actor.sender}")


async def _reachable(context: Context, members: Sequence[Member], *, but: int | None) -> list[Member]:
    by_id = {member.id: member for member in members if member.id != but}
    query = select(Account.member_id).where(Account.member_id.in_(by_id))
    accounts = set((await context.session.execute(query)).scalars())
    return [member for member in by_id.values() if member.id in accounts]
