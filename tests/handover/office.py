"""The union's office in the tests: who says what, and what each of them reads."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import select

from actions.core.tables import Account, Member, RoleGrant
from actions.core.zones import SHANGHAI
from actions.handover import Handover, HandoverTaker

if TYPE_CHECKING:
    from bot.messages import Outbound
    from tests.conftest import World

LIN, ZHOU, HU, SUN, HE = "20180312", "20100903", "20160008", "20210107", "20110415"
MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=SHANGHAI)
SUNDAY = datetime(2026, 11, 22, 9, 0, tzinfo=SHANGHAI)
EVENING = datetime(2026, 11, 23, 18, 0, tzinfo=SHANGHAI)


@dataclass
class Office:
    """The running assistant. `read` holds what each person was sent and has not looked at yet."""

    world: World
    read: dict[str, list[Outbound]] = field(default_factory=lambda: defaultdict(list))
    buttons: dict[tuple[str, str], str] = field(default_factory=dict)

    async def says(self, who: str, text: str, *, group: str = "") -> str:
        """One message; what its sender reads as the answer ("" is silence). What it sends to others is delivered."""
        replies = await self.world.say(text, who=who, group=group)
        self._note(who, replies)
        await self.delivered()
        return "\n".join(reply.text for reply in replies)

    async def clicks(self, who: str, label: str, words: str = "") -> str:
        """The button of that label that was shown last, with words behind it."""
        return await self.says(who, f"{self.buttons[who, label]} {words}".strip())

    async def delivered(self) -> None:
        """What is due is sent."""
        for message in await self.world.sent():
            self.read[message.address.conversation].append(message)
            self._note(message.address.conversation, [message])

    def _note(self, who: str, messages: list[Outbound]) -> None:
        for message in messages:
            self.buttons.update({(who, option.label): option.value for option in message.options})

    def news(self, who: str) -> list[str]:
        """What a person was sent since they looked last."""
        return [message.text for message in self.read.pop(who, [])]

    async def later(self, **duration: float) -> None:
        """Time passes, and what falls due is done."""
        self.world.clock.move(**duration)
        await self.delivered()

    async def appoint(self, who: str, service: str = "", *, role: str = "union_officer") -> None:
        """One more officer."""
        async with self.world.app.house.database.write() as session:
            member = (await session.execute(select(Member.id).where(Member.staff_id == who))).scalar_one()
            session.add(RoleGrant(member_id=member, role=role, service=service))

    async def dismiss(self, who: str) -> None:
        """Whoever it is has no role any more."""
        async with self.world.app.house.database.write() as session:
            member = (await session.execute(select(Member.id).where(Member.staff_id == who))).scalar_one()
            for grant in (await session.execute(select(RoleGrant).where(RoleGrant.member_id == member))).scalars():
                await session.delete(grant)

    async def unreachable(self, who: str) -> None:
        """Nobody has ever written to them in private."""
        async with self.world.app.house.database.write() as session:
            for account in (await session.execute(select(Account).where(Account.sender == who))).scalars():
                account.conversation = None

    async def handovers(self) -> list[Handover]:
        """All of them, oldest first."""
        async with self.world.app.house.database.read() as session:
            return list((await session.execute(select(Handover).order_by(Handover.id))).scalars())

    async def states(self) -> list[str]:
        """Where they stand, oldest first."""
        return [row.state for row in await self.handovers()]

    async def takers(self) -> list[str]:
        """Who has them, oldest first."""
        query = (
            select(Member.staff_id)
            .join(HandoverTaker, HandoverTaker.member_id == Member.id)
            .order_by(HandoverTaker.handover_id)
        )
        async with self.world.app.house.database.read() as session:
            return list((await session.execute(query)).scalars())
