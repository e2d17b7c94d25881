"""What is handed in for a contest: with the sign-up or later, read by who answers for it, gone with a withdrawal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from actions.activities.tables import Entry
from actions.core.errors import DomainError
from actions.core.tables import Offering
from bot.messages import Address
from tests.cases.doing import CHEN, LIN, ZHANG, ZHOU, do, photo

if TYPE_CHECKING:
    from tests.conftest import World

CONTEST = "青年教师教学竞赛选拔"


async def hand_in(world: World, *papers: str) -> int:
    """林一帆 signs up, or changes what they signed up with; returns the entry's id."""
    async with world.unit_of_work() as context:
        query = select(Offering.id).where(Offering.title == CONTEST)
        offering_id = (await context.session.execute(query)).scalar_one()
    fields = {"topic": "大学语文", "papers": list(papers)}
    done = await do(world, LIN, "activities.register", service="contests", offering_id=offering_id, fields=fields)
    return int(done.data["entry_id"])


async def opened(world: World, who: str, key: str) -> str:
    """The name of a file that somebody opens."""
    return (await world.app.files.open(Address(channel="web", conversation=who), who, key)).view.name


async def test_materials_come_later_and_reach_who_answers_for_the_contest(world: World) -> None:
    number = await hand_in(world)
    first, second = await photo(world, name="教案.jpg"), await photo(world, name="课件.jpg")
    assert await hand_in(world, first, second) == number, "who hands in more changes their entry"
    await do(world, CHEN, "activities.file", entry_id=number)
    assert "材料 2 份，发给您了" in await world.told("参赛材料 青教赛 林一帆", who=ZHOU)
    (message,) = [each for each in await world.sent() if each.files]
    assert (message.address.conversation, len(message.files)) == (ZHOU, 2)
    assert await opened(world, ZHOU, first) == "教案.jpg"
    assert await opened(world, CHEN, second) == "课件.jpg", "the unit reads what it nominates with"
    with pytest.raises(DomainError, match="file_gone"):
        await opened(world, ZHANG, first)


async def test_materials_go_with_a_withdrawal(world: World) -> None:
    key = await photo(world)
    number = await hand_in(world, key)
    await do(world, LIN, "activities.withdraw", entry_id=number)
    async with world.unit_of_work() as context:
        assert (await context.session.get_one(Entry, number)).state == "withdrawn"
    with pytest.raises(DomainError, match="file_gone"):
        await opened(world, ZHOU, key)
