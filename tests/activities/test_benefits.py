"""Sets of a benefit: chosen, changed, defaulted, bought, and handed out for a code that works once."""

from __future__ import annotations

import asyncio
import re
from datetime import date, timedelta
from typing import TYPE_CHECKING

from actions.activities import commands as c
from actions.activities.asked import roster_of
from actions.activities.choice_tables import Share
from actions.activities.handing_out import Collect, CollectForUnit, Purchase, ShowCodes
from actions.activities.tables import Entry
from actions.core.commands import SYSTEM
from actions.core.errors import DomainError
from actions.core.tables import Firing, Member, Offering
from tests.activities.world import CHOICE_ENDS, OFFICER, OWNER, PEOPLE, UNIT_OFFICER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.activities.world import Field

TITLE = "元旦福利"
PICKUP = CHOICE_ENDS + timedelta(days=3, hours=1)


def _wants(set_: str, campus: str = "南湖校区") -> Mapping[str, Mapping[str, str]]:
    return {"fields": {"set": set_, "campus": campus}}


async def _choose(field: Field, who: str, set_: str, campus: str = "南湖校区") -> int:
    return await field.enrol(who, TITLE, **_wants(set_, campus))


async def _shares(field: Field) -> Sequence[Share]:
    return await field.all(Share)


async def _code(field: Field, who: str) -> str:
    entries = {entry.id: entry.member.name for entry in await field.all(Entry)}
    return next(str(share.code) for share in await _shares(field) if entries[share.entry_id] == who)


async def test_a_choice_is_changed_until_the_end_and_keeps_its_code(field: Field) -> None:
    first = await _choose(field, "林一帆", "牛奶")
    code = re.search(r"领取码：(\w{10})", field.reply)
    assert code is not None
    assert "以前想改" in field.reply
    assert await _choose(field, "林一帆", "坚果", "文昌校区") == first
    assert "改好了" in field.reply
    assert code[1] in field.reply
    assert [(share.option, share.number) for share in await _shares(field)] == [("坚果", 1)]
    field.now = CHOICE_ENDS
    assert await field.refused(field.enrolment(TITLE, **_wants("牛奶")), "林一帆") == "answers_closed"
    assert await field.refused(c.Withdraw(entry_id=first), "林一帆") == "answers_closed"


async def test_a_set_that_is_gone_is_there_again_when_its_holder_takes_another(field: Field) -> None:
    await _choose(field, "林一帆", "坚果")
    assert await field.refused(field.enrolment(TITLE, **_wants("坚果")), "王敏") == "set_gone"
    assert "换一套" in field.reply
    await _choose(field, "林一帆", "坚果", "文昌校区")
    await _choose(field, "林一帆", "牛奶")
    await _choose(field, "王敏", "坚果")
    await field.run(c.Withdraw(entry_id=2), "王敏")
    await _choose(field, "李秀芳", "坚果")
    assert [(share.option, share.number) for share in await _shares(field)] == [("牛奶", None), ("坚果", 1)]


async def test_who_has_not_chosen_is_given_the_default_once(field: Field) -> None:
    await _choose(field, "林一帆", "牛奶")
    dropped = await _choose(field, "王敏", "牛奶")
    await field.run(c.Withdraw(entry_id=dropped), "王敏")
    async with field.database.write() as session:
        (await session.get_one(Member, field.people["刘志强"])).enrolled_on = date(2026, 11, 2)
        (await session.get_one(Member, field.people["李秀芳"])).enrolled_on = date(2026, 11, 1)
        (await session.get_one(Member, field.people["朱思远"])).status = "left"
    await field.sweep()
    assert len(await _shares(field)) == 1, "the choice is not over yet"
    field.now = CHOICE_ENDS
    await field.sweep()
    defaulted = {share.entry.member.name: share for share in await _shares(field) if share.defaulted}
    out = {"林一帆", "王敏", "刘志强", "朱思远"}
    assert defaulted.keys() == PEOPLE.keys() - out, "who took it back, joined late or left gets nothing"
    assert {share.option for share in defaulted.values()} == {"粮油"}
    assert {share.entry.fields["campus"] for share in defaulted.values()} == {"南湖校区"}
    (text,) = await field.texts("李秀芳", "benefits.")
    assert str(defaulted["李秀芳"].code) in text
    await field.sweep()
    assert len(await _shares(field)) == len(defaulted) + 1
    assert len(await field.texts("李秀芳", "benefits.")) == 1
    assert len(await field.all(Firing)) == 1


async def test_counts_for_the_purchase_hold_who_is_silent(field: Field) -> None:
    await _choose(field, "林一帆", "牛奶", "文昌校区")
    await _choose(field, "王敏", "坚果")
    command = Purchase(offering_id=field.things[TITLE])
    assert await field.refused(command, "林一帆") == "forbidden"
    before = await field.run(command, OWNER)
    assert before.data["total"] == len(PEOPLE)
    assert before.data["silent"] == len(PEOPLE) - 2
    field.now = CHOICE_ENDS
    await field.sweep()
    after = await field.run(command, OFFICER)
    assert after.data["rows"] == before.data["rows"]
    assert f"粮油，南湖校区：{len(PEOPLE) - 2} 份（没选的 {len(PEOPLE) - 2}）" in field.reply


async def test_a_code_works_once_and_not_before_its_day(field: Field) -> None:
    await _choose(field, "林一帆", "牛奶")
    code = await _code(field, "林一帆")
    assert await field.refused(Collect(code=code), OWNER) == "pickup_not_yet"
    field.now = PICKUP
    assert await field.refused(Collect(code=code), "林一帆") == "forbidden"
    assert await field.refused(Collect(code="ABCDEFGHJK"), OWNER) == "pickup_unknown"
    await field.run(Collect(code=code.lower()), OWNER)
    assert "领走了：林一帆老师" in field.reply
    assert await field.refused(Collect(code=code), OWNER) == "pickup_used"
    assert await field.refused(c.Withdraw(entry_id=1), OFFICER) == "collected_already"
    await field.run(ShowCodes(), "林一帆")
    assert code not in field.reply


async def test_a_colleague_may_carry_it_and_its_owner_is_told(field: Field) -> None:
    await _choose(field, "林一帆", "牛奶")
    code = await _code(field, "林一帆")
    field.now = PICKUP
    assert await field.refused(Collect(code=code, by="查无此人"), OWNER) == "not_on_roster"
    await field.run(Collect(code=code, by="张建国"), OWNER)
    assert "张建国老师代领" in field.reply
    assert "张建国老师替您领了" in (await field.texts("林一帆", "benefits.collected"))[0]
    (share,) = await _shares(field)
    assert (share.collected_by, share.noted_by) == (field.people["张建国"], field.people[OWNER])


async def test_a_unit_fetches_what_its_people_have_not(field: Field) -> None:
    for who, set_ in (("林一帆", "牛奶"), ("张建国", "牛奶"), ("朱思远", "坚果"), ("王敏", "牛奶")):
        await _choose(field, who, set_)
    field.now = PICKUP
    await field.run(Collect(code=await _code(field, "林一帆")), OWNER)
    fetch = CollectForUnit(offering_id=field.things[TITLE], unit="文学院", by=UNIT_OFFICER)
    wrong = CollectForUnit(offering_id=field.things[TITLE], unit="文学院", by="王敏")
    assert await field.refused(wrong, OWNER) == "carrier_of_another_unit"
    assert await field.refused(fetch, UNIT_OFFICER) == "forbidden"
    await field.run(fetch, OWNER)
    assert "牛奶 1 份" in field.reply
    assert "坚果 1 份" in field.reply
    left = [share.entry.member.name for share in await _shares(field) if share.collected_at is None]
    assert left == ["王敏"]
    assert await field.refused(fetch, OWNER) == "nothing_to_collect"


async def test_the_last_set_is_given_to_one_and_a_code_works_once(racing: Field) -> None:
    async def tries(who: str) -> str:
        try:
            await racing.run(racing.enrolment(TITLE, **_wants("坚果")), who)
        except DomainError as error:
            return error.code
        return "got it"

    async def collects() -> str:
        try:
            await racing.run(Collect(code=code), OWNER)
        except DomainError as error:
            return error.code
        return "got it"

    told = await asyncio.gather(*(tries(who) for who in ("林一帆", "王敏", "李秀芳", "刘志强")))
    assert sorted(told) == ["got it", "set_gone", "set_gone", "set_gone"]
    (share,) = await _shares(racing)
    code = str(share.code)
    racing.now = PICKUP
    told = await asyncio.gather(*(collects() for _ in range(4)))
    assert sorted(told) == ["got it", "pickup_used", "pickup_used", "pickup_used"]


async def test_what_is_forgotten_leaves_nothing(field: Field) -> None:
    await _choose(field, "林一帆", "牛奶")
    field.now = CHOICE_ENDS
    await field.run(c.Withdraw(entry_id=1), OWNER)
    assert not await _shares(field)
    field.now += timedelta(days=1)
    await field.sweep()
    assert await _shares(field)
    async with field.database.write() as session:
        offering = await session.get_one(Offering, field.things[TITLE])
        offering.spec = {**offering.spec, "sessions": [_past()]}
    field.now += timedelta(days=1_200)
    await field.sweep()
    assert not await _shares(field)


def _past() -> dict[str, str]:
    return {"starts_at": CHOICE_ENDS.isoformat(), "ends_at": (CHOICE_ENDS + timedelta(hours=1)).isoformat()}


async def test_the_roster_knows_who_has_not_chosen(field: Field) -> None:
    await _choose(field, "林一帆", "牛奶")
    async with field.database.read() as session:
        context = field.context(session, SYSTEM)
        offering = await session.get_one(Offering, field.things[TITLE])
        roster = roster_of(context, offering)
        assert roster is not None
        asked = set((await session.execute(roster.asked)).scalars())
        answered = set((await session.execute(roster.answered)).scalars())
    assert asked == set(field.people.values())
    assert answered == {field.people["林一帆"]}
    assert roster.deadline == CHOICE_ENDS
