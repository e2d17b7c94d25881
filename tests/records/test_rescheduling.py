"""Moving: which time is the record's and which is wanted, what is free then, and what is kept until it is done."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from actions.appointments.commands import Cancel
from actions.appointments.tables import Appointment
from actions.core.errors import DomainError
from actions.core.tables import Offering
from actions.core.zones import local
from tests.records.world import FRIDAY, NOW, THURSDAY, WEDNESDAY, moment, whole, wish

if TYPE_CHECKING:
    from typing import Any

    from tests.records.world import World


def said_once(time: dict[str, Any]) -> dict[str, Any]:
    """What the dialogue makes of a message with one time: it may be the record's, and it may be the wanted one."""
    return {"time_wish": time, "item_hint": {"wish": time}}


async def test_a_free_moment_is_taken(world: World):
    ref = await world.book("林一帆", "何医生", moment(WEDNESDAY, 14))
    resolved = await world.resolve("reschedule", "林一帆", said_once(wish(moment(FRIDAY, 15), text="周五下午三点")))
    assert (resolved.values["item"], resolved.refusals) == (ref, ())
    outcome = await world.run(world.own.commit(world.catalogue["reschedule"], resolved.values), "林一帆")
    assert (outcome.wording, outcome.params["was_at"]) == ("appointments.moved", moment(WEDNESDAY, 14))
    async with world.database.read() as session:
        row = (await session.execute(select(Appointment))).unique().scalar_one()
    assert (local(row.starts_at), row.offering.title) == (moment(FRIDAY, 15), "何医生")


async def test_of_a_day_the_free_times_are_offered(world: World):
    await world.book("林一帆", "何医生", moment(WEDNESDAY, 14))
    await world.book("王敏", "何医生", moment(FRIDAY, 9))
    resolved = await world.resolve("reschedule", "林一帆", said_once(whole(FRIDAY, "周五")))
    assert "time" not in resolved.values
    choices = await world.choices("reschedule", "林一帆", resolved.values, "time")
    assert [choice.label for choice in choices] == [f"11月27日(周五){hour}:00 何医生" for hour in (10, 14, 15, 16, 17)]


async def test_a_moment_that_is_gone_is_refused_and_its_day_offered(world: World):
    await world.book("林一帆", "何医生", moment(WEDNESDAY, 14))
    await world.book("王敏", "何医生", moment(FRIDAY, 15))
    await world.add_person("赵磊")
    await world.book("赵磊", "高老师", moment(FRIDAY, 15))
    resolved = await world.resolve("reschedule", "林一帆", said_once(wish(moment(FRIDAY, 15), text="周五下午三点")))
    assert [(error.code, error.field) for error in resolved.refusals] == [("no_move_then", "time")]
    assert "原来的时间还给您留着" in world.wording.text("errors.no_move_then", resolved.refusals[0].params)
    choices = await world.choices("reschedule", "林一帆", resolved.values, "time")
    assert {choice.label[:10] for choice in choices} == {"11月27日(周五)"}


async def test_with_nothing_on_the_day_the_week_after_is_offered(world: World):
    await world.book("林一帆", "何医生", moment(WEDNESDAY, 14))
    saturday = FRIDAY + timedelta(days=1)
    resolved = await world.resolve("reschedule", "林一帆", said_once(whole(saturday, "周六")))
    assert [error.code for error in resolved.refusals] == ["no_move_then"]
    choices = await world.choices("reschedule", "林一帆", resolved.values, "time")
    assert choices[0].label == "11月30日(周一)09:00 何医生"


async def test_beyond_the_horizon_anything_free_is_offered(world: World):
    await world.book("林一帆", "何医生", moment(WEDNESDAY, 14))
    resolved = await world.resolve("reschedule", "林一帆", said_once(whole(FRIDAY + timedelta(days=90))))
    assert [error.code for error in resolved.refusals] == ["no_move_then"]
    assert await world.choices("reschedule", "林一帆", resolved.values, "time")


async def test_no_other_time_at_all_is_said(world: World):
    await world.add_room("counseling", "新老师", hours=[{"days": ["wed"], "start": "14:00", "end": "15:00"}])
    for title in ("何医生", "高老师"):
        async with world.database.write() as session:
            offering = await session.get(Offering, world.rooms[title])
            assert offering is not None
            offering.state = "closed"
    ref = await world.book("林一帆", "新老师", moment(WEDNESDAY, 14))
    for week in range(1, 4):
        await world.add_person(f"同事{week}")
        await world.book(f"同事{week}", "新老师", moment(WEDNESDAY, 14) + timedelta(weeks=week))
    with pytest.raises(DomainError, match="no_move_left") as refused:
        await world.choices("reschedule", "林一帆", {"item": ref}, "time")
    assert "过几天可以再来问我" in world.wording.text("errors.no_move_left", refused.value.params)


async def test_a_lone_time_that_fits_a_record_is_the_records(world: World):
    await world.book("林一帆", "瑜伽室", moment(THURSDAY, 14))
    ref = await world.book("林一帆", "何医生", moment(WEDNESDAY, 14))
    resolved = await world.resolve("reschedule", "林一帆", said_once(whole(WEDNESDAY, "周三")))
    assert (resolved.values["item"], "time_wish" in resolved.values) == (ref, False)


async def test_a_lone_time_that_fits_none_is_where_to_go(world: World):
    refs = [await world.book("林一帆", "瑜伽室", moment(day, 14)) for day in (WEDNESDAY, THURSDAY)]
    resolved = await world.resolve("reschedule", "林一帆", said_once(whole(FRIDAY, "周五")))
    assert ("item" in resolved.values, resolved.values["time_wish"]["text"], resolved.refusals) == (False, "周五", ())
    offered = await world.choices("reschedule", "林一帆", resolved.values, "item")
    assert [choice.value for choice in offered] == refs


async def test_two_times_are_the_records_and_where_to_go(world: World):
    await world.book("林一帆", "瑜伽室", moment(THURSDAY, 14))
    ref = await world.book("林一帆", "瑜伽室", moment(WEDNESDAY, 14))
    values = {"item_hint": {"wish": whole(WEDNESDAY, "周三")}, "time_wish": wish(moment(FRIDAY, 10), text="周五十点")}
    resolved = await world.resolve("reschedule", "林一帆", values)
    assert (resolved.values["item"], resolved.values["time"].partition("@")[2]) == (
        ref,
        moment(FRIDAY, 10).isoformat(),
    )


async def test_picking_the_record_by_its_label_keeps_the_wish(world: World):
    """The label names the record's own time, which the dialogue reads as a wish."""
    await world.book("林一帆", "瑜伽室", moment(THURSDAY, 14))
    ref = await world.book("林一帆", "瑜伽室", moment(WEDNESDAY, 14))
    opened = await world.resolve("reschedule", "林一帆", said_once(wish(moment(FRIDAY, 10), text="周五十点")))
    label = wish(moment(WEDNESDAY, 14), text="11月25日(周三)14:00")
    picked = {**opened.values, "item": ref, "time_wish": label, "item_hint": {"wish": label}}
    resolved = await world.resolve("reschedule", "林一帆", picked, "item", "time_wish", "item_hint")
    assert (resolved.values["item"], resolved.refusals) == (ref, ())
    assert resolved.values["time"].endswith(moment(FRIDAY, 10).isoformat())


async def test_picking_the_time_by_its_label_is_no_hint(world: World):
    await world.book("林一帆", "瑜伽室", moment(FRIDAY, 10))
    ref = await world.book("林一帆", "瑜伽室", moment(WEDNESDAY, 14))
    values = {"item": ref, "time_of": ref}
    choice = next(c for c in await world.choices("reschedule", "林一帆", values, "time") if "周一" in c.label)
    label = wish(moment(FRIDAY, 10), text=choice.label)
    picked = {**values, "time": choice.value, "item_hint": {"wish": label}}
    resolved = await world.resolve("reschedule", "林一帆", picked, "time", "item_hint")
    assert (resolved.values["item"], resolved.values["time"]) == (ref, choice.value)


async def test_another_record_drops_the_time_and_tries_the_wish_anew(world: World):
    first = await world.book("林一帆", "瑜伽室", moment(WEDNESDAY, 14))
    second = await world.book("林一帆", "何医生", moment(THURSDAY, 14))
    opened = await world.resolve(
        "reschedule", "林一帆", {"item": first, "time_wish": wish(moment(FRIDAY, 15), text="周五三点")}
    )
    assert opened.values["time"].startswith(f"{world.rooms['瑜伽室']}@")
    changed = {**opened.values, "item_hint": {"services": ["counseling"]}}
    resolved = await world.resolve("reschedule", "林一帆", changed, "item_hint")
    assert resolved.values["item"] == second
    assert resolved.values["time"].startswith(f"{world.rooms['何医生']}@")
    picked = {**resolved.values, "item": first, "time": resolved.values["time"]}
    del picked["time_wish"]
    again = await world.resolve("reschedule", "林一帆", picked, "item")
    assert "time" not in again.values


async def test_a_clock_with_no_day_is_on_the_records_own_day(world: World):
    await world.book("林一帆", "瑜伽室", moment(WEDNESDAY, 14))
    said = said_once(wish(moment(NOW.date(), 17), text="五点", day_named=False))
    resolved = await world.resolve("reschedule", "林一帆", said)
    assert resolved.values["time"].endswith(moment(WEDNESDAY, 17).isoformat())


async def test_a_clock_completed_by_the_day_talked_about_stays_there(world: World):
    ref = await world.book("林一帆", "瑜伽室", moment(WEDNESDAY, 14))
    talked = await world.resolve("reschedule", "林一帆", {"item": ref, "time_wish": whole(FRIDAY, "周五")})
    raw = wish(moment(NOW.date(), 17), text="五点", day_named=False)
    completed = {**raw, "start": moment(FRIDAY, 17).isoformat(), "end": moment(FRIDAY, 17).isoformat()}
    values = {**talked.values, "time_wish": completed, "item_hint": {"wish": raw}}
    resolved = await world.resolve("reschedule", "林一帆", values, "time_wish", "item_hint")
    assert resolved.values["time"].endswith(moment(FRIDAY, 17).isoformat())


async def test_a_new_day_keeps_the_clock_where_it_is_free(world: World):
    ref = await world.book("林一帆", "瑜伽室", moment(WEDNESDAY, 14))
    values = {"item": ref, "time_wish": whole(FRIDAY, "周五", clock="15:00")}
    resolved = await world.resolve("reschedule", "林一帆", values)
    assert resolved.values["time"].endswith(moment(FRIDAY, 15).isoformat())


async def test_two_calendars_at_one_moment_are_offered(world: World):
    """The counsellor is taken then, two others are free: whom to see is the member's choice."""
    await world.add_room("counseling", "新老师", hours=[{"start": "14:00", "end": "18:00"}])
    ref = await world.book("林一帆", "何医生", moment(WEDNESDAY, 14))
    await world.book("王敏", "何医生", moment(FRIDAY, 15))
    resolved = await world.resolve(
        "reschedule", "林一帆", {"item": ref, "time_wish": wish(moment(FRIDAY, 15), text="周五三点")}
    )
    assert ("time" in resolved.values, resolved.refusals) == (False, ())
    labels = [choice.label for choice in await world.choices("reschedule", "林一帆", resolved.values, "time")]
    assert labels == ["11月27日(周五)15:00 高老师", "11月27日(周五)15:00 新老师"]


async def test_what_is_too_near_cannot_be_moved(world: World):
    await world.book("林一帆", "何医生", moment(WEDNESDAY, 14))
    late = moment(WEDNESDAY, 13)
    with pytest.raises(DomainError, match="nothing_to_move") as refused:
        await world.begin("reschedule", "林一帆", late)
    assert "心理咨询 11月25日(周三)14:00" in world.wording.text("errors.nothing_to_move", refused.value.params)
    await world.book("林一帆", "瑜伽室", moment(FRIDAY, 14))
    resolved = await world.resolve("reschedule", "林一帆", {"item_hint": {"services": ["counseling"]}}, now=late)
    assert [error.code for error in resolved.refusals] == ["not_movable"]
    assert "现在改不了时间了" in world.wording.text("errors.not_movable", resolved.refusals[0].params)


async def test_nothing_at_all_cannot_be_moved(world: World):
    with pytest.raises(DomainError, match="nothing_to_move") as refused:
        await world.begin("reschedule", "林一帆")
    assert "想约一个，直接说时间就行" in world.wording.text("errors.nothing_to_move", refused.value.params)


async def test_a_time_that_somebody_took_meanwhile_is_asked_for_anew(world: World):
    ref = await world.book("林一帆", "何医生", moment(WEDNESDAY, 14))
    resolved = await world.resolve("reschedule", "林一帆", said_once(wish(moment(FRIDAY, 15), text="周五三点")))
    await world.book("王敏", "何医生", moment(FRIDAY, 15))
    with pytest.raises(DomainError, match="slot_taken"):
        await world.run(world.own.commit(world.catalogue["reschedule"], resolved.values), "林一帆")
    async with world.database.read() as session:
        own = await session.get(Appointment, int(ref.split(":")[1]))
        assert own is not None
        assert (local(own.starts_at), own.state) == (moment(WEDNESDAY, 14), "booked")


async def test_the_read_back_names_record_and_time(world: World):
    await world.book("林一帆", "何医生", moment(WEDNESDAY, 14))
    resolved = await world.resolve("reschedule", "林一帆", said_once(wish(moment(FRIDAY, 15), text="周五三点")))
    async with world.database.write() as session:
        context = world.context(session, await world.actor(session, "林一帆"))
        held = await world.own.hold(context, world.catalogue["reschedule"], resolved.values)
    assert held == {
        "item_label": "心理咨询 11月25日(周三)14:00 何医生",
        "time_label": "11月27日(周五)15:00 何医生",
    }


async def test_a_record_that_went_away_while_the_time_is_asked(world: World):
    ref = await world.book("林一帆", "何医生", moment(WEDNESDAY, 14))
    await world.run(Cancel(appointment_id=int(ref.split(":")[1])), "林一帆")
    with pytest.raises(DomainError, match="item_gone"):
        await world.choices("reschedule", "林一帆", {"item": ref}, "time")
