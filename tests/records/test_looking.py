"""My items and how far they have come: what is open, of this member alone, soonest first."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from actions.appointments.commands import Cancel
from actions.core.commands import Actor
from actions.core.errors import DomainError
from actions.core.tables import Audit
from actions.records import ListItems, ListStates
from tests.records.world import FRIDAY, NOW, WEDNESDAY, moment

if TYPE_CHECKING:
    from tests.records.world import World


async def test_items_are_listed_soonest_first_across_services(world: World):
    await world.book("林一帆", "何医生", moment(FRIDAY, 14))
    await world.book("林一帆", "瑜伽室", moment(WEDNESDAY, 18), party=2)
    await world.book("王敏", "高老师", moment(WEDNESDAY, 9))
    outcome = await world.run(ListItems(), "林一帆")
    assert [row["title"] for row in outcome.params["items"]] == [
        "功能室预约 11月25日(周三)18:00 瑜伽室",
        "心理咨询 11月27日(周五)14:00 何医生",
    ]
    assert world.say(outcome) == (
        "您手上有2件事：\n· 功能室预约 11月25日(周三)18:00 瑜伽室\n· 心理咨询 11月27日(周五)14:00 何医生\n"
        "要取消或者改时间，直接跟我说就行。"
    )


async def test_what_is_over_is_not_listed(world: World):
    await world.book("林一帆", "瑜伽室", moment(WEDNESDAY, 18))
    outcome = await world.run(ListItems(), "林一帆", moment(WEDNESDAY, 19))
    assert outcome.wording == "records.nothing"


async def test_who_has_nothing_learns_what_can_be_done(world: World):
    items, states = await world.run(ListItems(), "林一帆"), await world.run(ListStates(), "林一帆")
    assert "直接说就行" in world.say(items)
    assert world.say(states).startswith("您现在没有在办的事")
    assert "0516-0000-0001" in world.say(states)


async def test_a_request_and_a_booking_are_told_in_words(world: World):
    await world.book("林一帆", "多功能室", moment(WEDNESDAY, 10), party=30)
    await world.book("林一帆", "何医生", moment(FRIDAY, 9))
    told = world.say(await world.run(ListStates(), "林一帆"))
    assert "· 功能室预约 11月25日(周三)10:00 多功能室：等工会老师审批" in told
    assert "· 心理咨询 11月27日(周五)09:00 何医生：已约好" in told
    assert "多功能室，等工会老师审批" in world.say(await world.run(ListItems(), "林一帆"))


async def test_waiting_and_an_offer_are_told_in_words(world: World):
    for title in ("何医生", "高老师"):
        for hour in (9, 10, 14, 15, 16, 17):
            person = f"{title}{hour}"
            await world.add_person(person)
            ref = await world.book(person, title, moment(WEDNESDAY, hour))
    await world.wait("林一帆", "counseling", moment(WEDNESDAY, 9), moment(WEDNESDAY, 18))
    waiting = world.say(await world.run(ListStates(), "林一帆"))
    assert "候补中，有空位就告诉您" in waiting
    await world.run(Cancel(appointment_id=int(ref.split(":")[1])), person)
    offered = world.say(await world.run(ListStates(), "林一帆"))
    assert "· 心理咨询 11月25日(周三)17:00 高老师：有空位了，等您答复" in offered
    assert "等您答复" in world.say(await world.run(ListItems(), "林一帆"))


async def test_a_long_list_is_cut_and_says_so(world: World):
    for day in range(2, 18):
        await world.book("林一帆", "瑜伽室", NOW + timedelta(days=day, hours=3))
    outcome = await world.run(ListItems(), "林一帆")
    assert len(outcome.params["items"]) == 12
    assert "您手上有16件事" in world.say(outcome)
    assert "还有4件排在后面" in world.say(outcome)


async def test_somebody_not_bound_is_told_the_way_in(world: World):
    async with world.database.write() as session:
        context = world.context(session, Actor(channel="web", sender="stranger"))
        with pytest.raises(DomainError, match="not_bound"):
            await world.bus.execute(ListItems(), context)


async def test_the_audit_holds_a_pseudonym(world: World):
    await world.run(ListItems(), "林一帆")
    async with world.database.read() as session:
        entry = (await session.execute(select(Audit))).scalar_one()
    assert (entry.command, entry.actor[:2]) == ("records.list", "p-")


@pytest.mark.parametrize("service", ["my_items", "status"])
async def test_looking_needs_no_answer(world: World, service: str):
    declaration = world.catalogue[service]
    assert (await world.begin(service, "林一帆"), declaration.form, declaration.confirm) == ({}, (), False)
    resolved = await world.resolve(service, "林一帆", {})
    outcome = await world.run(world.own.commit(declaration, resolved.values), "林一帆")
    assert outcome.wording in world.wording
