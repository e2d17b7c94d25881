"""A year gone through by moving the clock: the right days, decent hours, nothing twice, nothing that was cancelled."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from actions.announcements import commands as c
from actions.appointments import Appointments
from actions.core.tables import Batch, Firing, Member, Outgoing
from actions.core.zones import at, local
from tests.announcements.conftest import CHEN, LIN, WANG, ZHOU, announce, run, told

if TYPE_CHECKING:
    from tests.conftest import World

BEGIN, END = date(2026, 11, 1), date(2027, 12, 31)
#: What is said to everybody within that time, as the calendars of 2026 and 2027 have it.
DAYS = {
    "立冬": ["2026-11-07", "2027-11-07"], "冬至": ["2026-12-22", "2027-12-22"], "元旦": ["2027-01-01"],
    "立春": ["2027-02-04"], "除夕": ["2027-02-05"], "春节": ["2027-02-06"], "元宵节": ["2027-02-20"],
    "春分": ["2027-03-21"], "清明": ["2027-04-05"], "五一国际劳动节": ["2027-05-01"], "立夏": ["2027-05-06"],
    "端午节": ["2027-06-09"], "夏至": ["2027-06-21"], "立秋": ["2027-08-08"], "教师节": ["2027-09-10"],
    "中秋节": ["2027-09-15"], "秋分": ["2027-09-23"], "国庆节": ["2027-10-01"],
}  # fmt: skip
_WOMEN, _OLD = "2027-03-08", "2027-10-08"
_DIGEST = "20160003"


async def test_a_year(world: World) -> None:
    world.clock.now = at(BEGIN, time(8))
    async with world.unit_of_work() as context:
        people = {m.staff_id: m for m in (await context.session.execute(select(Member))).unique().scalars()}
        people[LIN].birthday, people[WANG].birthday = date(1985, 5, 20), date(1984, 2, 29)
        people["20160012"].status = "retired"  # 郭振华
    await world.say("别再推了", who=CHEN)
    await world.say("生日祝福不用发了", who=WANG)
    await world.say("节日祝福一周汇总一次", who=_DIGEST)
    planned = await _plan(world)
    await _go_through(world)

    await _greetings_fell_on_their_days(world)
    await _everybody_was_told_at_a_decent_hour_and_once(world)
    # She wants no news; what is hers to pick up is none.
    (benefit,) = [text for _at, text in await told(world, CHEN)]
    assert benefit.startswith("元旦福利给您按默认的准备了")
    assert not [text for _at, text in await told(world, WANG) if "生日" in text]
    birthdays = [moment.date().isoformat() for moment, text in await told(world, LIN) if "生日" in text]
    assert birthdays == ["2027-05-20"]
    assert not [text for _at, text in await told(world, _DIGEST) if "冬至" in text or "攒的" in text]
    said = [(moment, text) for moment, text in await told(world, LIN) if "计划" in text or "等您回" in text]
    assert [(moment.strftime("%Y-%m-%d %H:%M"), text.split("，")[0]) for moment, text in said] == planned
    warned = {moment.date().isoformat() for moment, text in await told(world, ZHOU) if "放假安排" in text}
    assert {"2026-11-20", "2026-12-01", "2026-12-15", "2027-01-01", "2027-11-20"} <= warned
    await _who_comes_was_reminded_and_who_does_not_was_not(world)


async def _plan(world: World) -> list[tuple[str, str]]:
    """Announcements through the year, some taken back; returns what 林一帆 is to be told of them."""
    to = "单位:文学院"
    await announce(world, to=to, text="计划一，白天发", at=at(date(2027, 3, 10), time(10)))
    await announce(world, to=to, text="计划二，夜里写的早上发", at=at(date(2027, 4, 10), time(23, 30)))
    gone = await announce(world, to=to, text="计划三，撤回了", at=at(date(2027, 6, 10), time(10)))
    await run(world, c.Withdraw(announcement_id=gone))
    asks = at(date(2027, 7, 5), time(17))
    kept = await announce(world, to=to, text="计划四，要回执", at=at(date(2027, 7, 1), time(10)), answer_by=asks)
    also = await announce(world, to=to, text="计划五，要回执又撤回", at=at(date(2027, 7, 1), time(10)), answer_by=asks)
    await run(world, c.Withdraw(announcement_id=also))
    assert (kept, also) == (4, 5)
    return [
        ("2027-03-10 10:00", "计划一"),
        ("2027-04-11 07:30", "计划二"),
        ("2027-07-01 10:00", "计划四"),
        ("2027-07-04 17:00", "这条通知等您回“收到 4”"),
    ]


#: What people say in the year: 林一帆 books a room and comes; 王敏 books one and cancels it after the first reminder.
HAPPENINGS = {
    at(date(2027, 3, 1), time(10)): (
        (LIN, ("周三下午三点约瑜伽室", "5个人", "确认")),
        (WANG, ("周四下午三点约瑜伽室", "5个人", "确认")),
    ),
    at(date(2027, 3, 3), time(16)): ((WANG, ("取消瑜伽室预约", "确认")),),
}
_REMINDED = {
    LIN: ["2027-03-02 15:00", "2027-03-03 13:00"],
    WANG: ["2027-03-03 15:00"],  # and not two hours before what was cancelled
}


async def _go_through(world: World) -> None:
    """Once a day at the greetings' hour, hour by hour through some days, and at the moments that were planned.

    Calendars of rooms are looked after by their life's own tests.
    """
    sweepers = [each for each in world.app.sweepers if not isinstance(each, Appointments)]
    for moment in _moments():
        world.clock.now = moment
        for who, lines in HAPPENINGS.get(moment, ()):
            for line in lines:
                await world.say(line, who=who)
        for sweeper in sweepers:
            async with world.unit_of_work() as context:
                await sweeper.sweep(context)
        await world.app.delivery.flush()


def _moments() -> list[datetime]:
    moments = []
    day = BEGIN
    while day <= END:
        moments.append(at(day, time(9, 31)))
        day += timedelta(days=1)
    moments += [at(date(2027, 2, 5), time(hour)) for hour in range(24)]
    moments += [at(date(2027, 3, number), time(hour)) for number in (1, 2, 3, 4) for hour in range(9, 18)]
    moments += [at(date(2027, 3, 10), time(10)), at(date(2027, 7, 1), time(10)), at(date(2027, 7, 4), time(17))]
    moments += [at(date(2027, 4, 10), time(23, 30)), at(date(2027, 4, 11), time(3)), at(date(2027, 4, 11), time(7, 30))]
    fridays = [moment for moment in moments if moment.weekday() == 4 and moment.time() == time(9, 31)]
    return sorted({*moments, *(moment.replace(hour=16, minute=1) for moment in fridays[:4])})


async def _who_comes_was_reminded_and_who_does_not_was_not(world: World) -> None:
    for who, moments in _REMINDED.items():
        told_so = [moment for moment, text in await told(world, who) if text.startswith("温馨提醒")]
        assert [moment.strftime("%Y-%m-%d %H:%M") for moment in told_so] == moments, who
    async with world.app.house.database.read() as session:
        taken_back = select(Outgoing.due_at).where(Outgoing.state == "cancelled", Outgoing.kind == "reminder")
        rows = (await session.execute(taken_back.where(Outgoing.batch_id.is_(None)))).scalars().all()
    assert [local(due).strftime("%Y-%m-%d %H:%M") for due in rows] == ["2027-03-04 13:00"]


async def _greetings_fell_on_their_days(world: World) -> None:
    async with world.app.house.database.read() as session:
        rows = (await session.execute(select(Batch.title, Batch.due_at).where(Batch.subject.like("greeting:%")))).all()
        doubled = select(Firing.schedule).group_by(Firing.schedule, Firing.due_at).having(func.count() > 1)
        assert (await session.execute(doubled)).all() == []
    by_title: dict[str, list[str]] = {}
    for title, due in sorted(rows, key=lambda row: row.due_at):
        by_title.setdefault(title, []).append(local(due).date().isoformat())
    assert by_title.pop("三八国际妇女节") == [_WOMEN]
    assert by_title.pop("重阳节") == [_OLD]
    assert by_title.pop("生日") == ["2027-02-28", "2027-05-20"]
    assert by_title == DAYS
    men = [text for _at, text in await told(world, "20160001") if "三八" in text]
    women = [text for _at, text in await told(world, "20160002") if "三八" in text]
    assert (len(men), len(women)) == (0, 1)
    assert len([text for _at, text in await told(world, "20160012") if "重阳" in text]) == 1


async def _everybody_was_told_at_a_decent_hour_and_once(world: World) -> None:
    async with world.app.house.database.read() as session:
        query = (
            select(Outgoing.member_id, Batch.subject, Outgoing.sent_at, Outgoing.state)
            .join(Batch, Batch.id == Outgoing.batch_id)
            .where(Outgoing.state.in_(("sent", "accepted")))
        )
        rows = (await session.execute(query)).all()
    assert len(rows) > 20 * 30
    counted = Counter((row.member_id, row.subject) for row in rows)
    assert max(counted.values()) == 1
    async with world.app.house.database.read() as session:
        unasked = Outgoing.kind.in_(("news", "reminder")), Outgoing.state.in_(("sent", "accepted"))
        moments = (await session.execute(select(Outgoing.sent_at).where(*unasked))).scalars().all()
    assert all(moment is not None and time(7, 30) <= local(moment).time() < time(22) for moment in moments)
