"""Withdrawing: the right one is found by what was said of it, and goes through the command of its own life."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from actions.appointments.commands import Cancel
from actions.appointments.tables import Appointment, Seat, Waiting
from actions.core.errors import DomainError
from tests.records.world import FRIDAY, THURSDAY, WEDNESDAY, moment, whole, wish

if TYPE_CHECKING:
    from tests.records.world import World


async def test_the_only_one_is_found_by_itself_and_cancelled(world: World):
    ref = await world.book("林一帆", "何医生", moment(WEDNESDAY, 14))
    resolved = await world.resolve("withdraw", "林一帆", {})
    assert resolved.values == {"item": ref}
    outcome = await world.run(world.own.commit(world.catalogue["withdraw"], resolved.values), "林一帆")
    assert outcome.wording == "appointments.cancelled"
    async with world.database.read() as session:
        assert (await session.execute(select(Appointment.state))).scalar_one() == "cancelled"
        assert (await session.execute(select(Seat))).first() is None


async def test_the_service_that_was_named_decides(world: World):
    await world.book("林一帆", "瑜伽室", moment(WEDNESDAY, 14))
    ref = await world.book("林一帆", "何医生", moment(WEDNESDAY, 16))
    resolved = await world.resolve("withdraw", "林一帆", {"item_hint": {"services": ["counseling"]}})
    assert (resolved.values, resolved.refusals) == ({"item": ref}, ())


@pytest.mark.parametrize(
    "said",
    [
        whole(WEDNESDAY, "周三"),
        wish(moment(WEDNESDAY, 12), moment(WEDNESDAY, 18), "周三下午"),
        wish(moment(WEDNESDAY, 16), text="周三下午四点"),
        wish(moment(FRIDAY, 16), text="四点", day_named=False),
        wish(moment(FRIDAY, 12), moment(FRIDAY, 18), "下午", day_named=False),
    ],
    ids=lambda said: said["text"],
)
async def test_the_time_that_was_named_decides(world: World, said: dict[str, object]):
    await world.book("林一帆", "瑜伽室", moment(THURSDAY, 9))
    ref = await world.book("林一帆", "瑜伽室", moment(WEDNESDAY, 16))
    resolved = await world.resolve("withdraw", "林一帆", {"item_hint": {"wish": said}})
    assert resolved.values["item"] == ref


async def test_a_name_in_the_title_decides(world: World):
    await world.book("林一帆", "多功能室", moment(THURSDAY, 9))
    ref = await world.book("林一帆", "瑜伽室", moment(WEDNESDAY, 16))
    resolved = await world.resolve("withdraw", "林一帆", {"item_hint": {"names": ["瑜伽室"]}})
    assert resolved.values["item"] == ref


async def test_of_several_that_fit_these_are_offered(world: World):
    await world.book("林一帆", "何医生", moment(WEDNESDAY, 10))
    first = await world.book("林一帆", "瑜伽室", moment(WEDNESDAY, 14))
    second = await world.book("林一帆", "多功能室", moment(THURSDAY, 14))
    resolved = await world.resolve("withdraw", "林一帆", {"item_hint": {"services": ["health_room"]}})
    assert "item" not in resolved.values
    choices = await world.choices("withdraw", "林一帆", resolved.values, "item")
    assert [choice.value for choice in choices] == [first, second]
    assert choices[0].label == "功能室预约 11月25日(周三)14:00 瑜伽室"


async def test_what_is_not_there_is_said_and_the_rest_is_offered(world: World):
    refs = [await world.book("林一帆", "瑜伽室", moment(day, 14)) for day in (WEDNESDAY, THURSDAY)]
    resolved = await world.resolve("withdraw", "林一帆", {"item_hint": {"wish": whole(FRIDAY)}})
    assert [error.code for error in resolved.refusals] == ["no_such_item"]
    choices = await world.choices("withdraw", "林一帆", resolved.values, "item")
    assert [choice.value for choice in choices] == refs


async def test_another_one_named_later_takes_its_place(world: World):
    first = await world.book("林一帆", "瑜伽室", moment(WEDNESDAY, 14))
    second = await world.book("林一帆", "何医生", moment(THURSDAY, 14))
    values = {"item": first, "item_hint": {"services": ["counseling"]}}
    assert (await world.resolve("withdraw", "林一帆", values, "item_hint")).values["item"] == second


async def test_after_one_was_found_all_are_offered_to_whoever_wants_another(world: World):
    refs = [await world.book("林一帆", "瑜伽室", moment(day, 14)) for day in (WEDNESDAY, THURSDAY)]
    resolved = await world.resolve("withdraw", "林一帆", {"item_hint": {"wish": whole(THURSDAY)}})
    values = {key: value for key, value in resolved.values.items() if key != "item"}
    assert [choice.value for choice in await world.choices("withdraw", "林一帆", values, "item")] == refs


async def test_too_late_is_listed_and_refused_by_the_command(world: World):
    await world.book("林一帆", "何医生", moment(WEDNESDAY, 14))
    late = moment(WEDNESDAY, 13)
    assert await world.begin("withdraw", "林一帆", late) == {}
    resolved = await world.resolve("withdraw", "林一帆", {}, now=late)
    with pytest.raises(DomainError, match="too_late_to_cancel"):
        await world.run(world.own.commit(world.catalogue["withdraw"], resolved.values), "林一帆", late)


async def test_a_place_on_the_waitlist_is_given_up(world: World):
    await world.book("王敏", "瑜伽室", moment(WEDNESDAY, 8))
    ref = await world.wait("林一帆", "health_room", moment(WEDNESDAY, 8), titles=["瑜伽室"])
    resolved = await world.resolve("withdraw", "林一帆", {})
    assert resolved.values["item"] == ref
    await world.run(world.own.commit(world.catalogue["withdraw"], resolved.values), "林一帆")
    async with world.database.read() as session:
        assert (await session.execute(select(Waiting.state))).unique().scalar_one() == "left"


async def test_with_nothing_to_withdraw_the_form_does_not_begin(world: World):
    await world.book("王敏", "何医生", moment(WEDNESDAY, 14))
    with pytest.raises(DomainError, match="nothing_to_withdraw") as refused:
        await world.begin("withdraw", "林一帆")
    said = world.wording.text("errors.nothing_to_withdraw", refused.value.params)
    assert said == "您现在没有可以取消的预约或报名。想看看手上有什么，说“我的预约”就行。"


async def test_an_offer_is_answered_and_not_withdrawn(world: World):
    taken = await world.book("王敏", "瑜伽室", moment(WEDNESDAY, 14))
    await world.wait("林一帆", "health_room", moment(WEDNESDAY, 14), titles=["瑜伽室"])
    await world.run(Cancel(appointment_id=int(taken.split(":")[1])), "王敏")
    with pytest.raises(DomainError, match="nothing_to_withdraw") as refused:
        await world.begin("withdraw", "林一帆")
    assert "“接受”或“放弃”" in world.wording.text("errors.nothing_to_withdraw", refused.value.params)
    await world.book("林一帆", "何医生", moment(THURSDAY, 14))
    resolved = await world.resolve("withdraw", "林一帆", {"item_hint": {"services": ["health_room"]}})
    assert [error.code for error in resolved.refusals] == ["not_withdrawable"]
    assert world.wording.text("errors.not_withdrawable", resolved.refusals[0].params)


async def test_what_went_away_meanwhile_is_dropped(world: World):
    gone = await world.book("林一帆", "瑜伽室", moment(WEDNESDAY, 14))
    for day in (THURSDAY, FRIDAY):
        await world.book("林一帆", "瑜伽室", moment(day, 14))
    await world.run(Cancel(appointment_id=int(gone.split(":")[1])), "林一帆")
    resolved = await world.resolve("withdraw", "林一帆", {"item": gone})
    assert ("item" in resolved.values, [error.code for error in resolved.refusals]) == (False, ["item_gone"])


async def test_nobody_reaches_the_records_of_others(world: World):
    theirs = await world.book("王敏", "瑜伽室", moment(WEDNESDAY, 14))
    await world.book("林一帆", "瑜伽室", moment(THURSDAY, 14))
    resolved = await world.resolve("withdraw", "林一帆", {"item": theirs})
    assert [error.code for error in resolved.refusals] == ["item_gone"]
    with pytest.raises(DomainError, match="forbidden"):
        await world.run(world.own.commit(world.catalogue["withdraw"], {"item": theirs}), "林一帆")


async def test_the_read_back_names_the_record(world: World):
    ref = await world.book("林一帆", "瑜伽室", moment(WEDNESDAY, 14))
    async with world.database.write() as session:
        context = world.context(session, await world.actor(session, "林一帆"))
        held = await world.own.hold(context, world.catalogue["withdraw"], {"item": ref})
        with pytest.raises(DomainError, match="item_gone"):
            await world.own.hold(context, world.catalogue["withdraw"], {"item": "appointment:99"})
    assert held == {"item_label": "功能室预约 11月25日(周三)14:00 瑜伽室"}


async def test_a_ref_of_no_life_is_refused(world: World):
    with pytest.raises(DomainError, match="item_gone"):
        world.own.commit(world.catalogue["withdraw"], {"item": "ghost:1"})
