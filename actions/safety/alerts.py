"""The fixed answer, and the alert that goes down the duty list until somebody says 收到."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import delete, or_, select
from sqlalchemy.exc import IntegrityError

from actions.core.commands import Context, Outcome, Registration, anyone, bound
from actions.core.errors import DomainError, ForbiddenError
from actions.core.notify import Notice, Option, cancel_notices, forget_prompts, notify
from actions.core.tables import Member
from actions.safety import people
from actions.safety.checking import ask_back, check_at, checked_back
from actions.safety.commands import Acknowledge, CheckedBack, Kind, RaiseAlert
from actions.safety.tables import Alert, AlertNotice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actions.safety.rules import SafetyRules

#: Renders a sentence of data/responses: (key, parameters) -> text. The composition root gives the real one.
Render: TypeAlias = Callable[[str, Mapping[str, Any]], str]

_WHO = ("name", "unit", "phone")


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
            Registration(command=CheckedBack, handler=checked_back, right=bound),
        )

    # --- the call

    async def raise_alert(self, command: RaiseAlert, context: Context) -> Outcome:
        """Answers at once. In a group the answer names nothing, and the full one goes to the person in private."""
        alert = await self._alert(command.kind, context)
        wording = f"safety.{command.kind}"
        params = {
            "hotline": self._rules.hotline,
            "campus_line": self._rules.campus_line,
            "on_duty": self._rules.on_duty(context.now),
            "known": context.actor.member is not None,
            "told": "" if alert.state == "unheard" else await self._text(context, alert),
        }
        if command.chat == "private":
            return Outcome(wording=wording, params=params, subject=alert.subject)
        sent = await people.say_in_private(context, wording, params)
        return Outcome(
            wording="safety.group",
            params={"sent": sent, "urgent": command.kind == "danger_now"},
            subject=alert.subject,
        )

    async def _alert(self, kind: Kind, context: Context) -> Alert:
        """The person's alert: a new one, or the one that their earlier message raised."""
        person = people.pseudonym(context)
        member_id = context.actor.member.id if context.actor.member else None
        duty = await people.duty_list(context, self._rules.counselling, but=member_id)
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
        locked.acknowledged_by = locked.acknowledged_at = locked.check_at = None
        if helper is not None:
            await self._tell(context, locked, [helper])

    # --- who is told

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
                kind="alert",
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
        for member in await people.administrators(context, but=member_id):
            await notify(context, Notice(member_id=member.id, wording="notices.safety_nobody_on_duty", kind="alert"))

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
        alert.check_at = check_at(context.now, self._rules)
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
        return member_id in {
            member.id for member in await people.duty_list(context, self._rules.counselling, but=alert.member_id)
        }

    # --- what falls due

    async def sweep(self, context: Context) -> int:
        """Unheard alerts go to the next on the list, the check-back is asked for, what is too old is deleted."""
        due = select(Alert.id).where(Alert.state == "open", Alert.next_at <= context.now).order_by(Alert.id)
        done = 0
        for alert_id in (await context.session.execute(due)).scalars().all():
            alert = await context.database.lock(context.session, Alert, alert_id)
            # Another process may have been quicker while this one waited for the lock.
            if alert and alert.state == "open" and alert.next_at is not None and alert.next_at <= context.now:
                await self._escalate(context, alert)
                done += 1
        return done + await ask_back(context, self._rules) + await self._forget(context)

    async def _escalate(self, context: Context, alert: Alert) -> None:
        """The next on the list; after the last round every administrator, once."""
        duty = await people.duty_list(context, self._rules.counselling, but=alert.member_id)
        alert.level += 1
        if alert.level < self._rules.rounds * len(duty):
            alert.next_at = context.now + self._patience
            await self._tell(context, alert, [duty[alert.level % len(duty)]])
            return
        # It stays open for whoever acknowledges it late, and no longer keeps a new call from raising an alert.
        alert.next_at, alert.open_key = None, None
        administrators = await people.administrators(context, but=alert.member_id)
        await self._tell(context, alert, administrators, "notices.safety_unanswered")

    async def _forget(self, context: Context) -> int:
        limit = context.now - timedelta(days=self._rules.retention_days)
        old = list((await context.session.execute(select(Alert.id).where(Alert.raised_at < limit))).scalars())
        if old:
            await forget_prompts(context, [f"{name}:{alert_id}" for alert_id in old for name in ("alert", "check")])
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
