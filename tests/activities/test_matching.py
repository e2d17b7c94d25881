"""Singles: contacts change hands when both have said yes, and at no other time; nothing of it can be read."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actions.activities import commands as c
from actions.activities.doors import Mark
from actions.activities.matching import Like, Matches, Unlike
from actions.activities.matching_tables import Liking
from actions.blocks.matching import both, room, wish
from actions.core.tables import Audit, Member
from tests.activities.world import LECTURE_AT, OWNER, open_field

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.activities.world import Field

TITLE = "联谊"
GUESTS = ("林一帆", "王敏", "李秀芳", "张建国", "刘志强")
AFTER = LECTURE_AT + timedelta(hours=3)


async def _held(field: Field, guests: Sequence[str] = GUESTS) -> dict[str, int]:
    """The evening is over; everybody has a telephone."""
    entries = {who: await field.enrol(who, TITLE, fields={"consent": True}) for who in guests}
    async with field.database.write() as session:
        for number, who in enumerate(guests):
            (await session.get_one(Member, field.people[who])).phone = f"1380000000{number}"
    field.now = AFTER
    return entries


async def test_contacts_change_hands_when_both_say_yes(field: Field) -> None:
    await _held(field)
    await field.run(Like(who="王敏老师"), "林一帆")
    assert "记下了，只有您和我知道" in field.reply
    assert "13800000001" not in field.reply
    assert not await field.texts("王敏", "singles."), "nobody learns of a wish that stands alone"
    await field.run(Matches(), "王敏")
    assert "还没有双方都愿意的" in field.reply
    await field.run(Like(who="林一帆", contact="微信 wm2026"), "王敏")
    assert "林一帆老师也愿意和您联系：13800000000" in field.reply
    (news,) = await field.texts("林一帆", "singles.")
    assert "联谊" not in news, "it may be seen on a locked screen"
    assert "王敏" not in news
    assert "wm2026" not in news
    await field.run(Matches(), "林一帆")
    assert "王敏老师愿意和您联系：微信 wm2026" in field.reply
    assert await field.refused(Unlike(who="王敏"), "林一帆") == "met_already"


async def test_who_thinks_better_of_it_is_never_told_of(field: Field) -> None:
    await _held(field)
    await field.run(Like(who="王敏"), "林一帆")
    await field.run(Unlike(who="王敏"), "林一帆")
    await field.run(Like(who="林一帆"), "王敏")
    assert "记下了" in field.reply
    assert not await field.texts("林一帆", "singles.")


async def test_nobody_says_yes_to_all(field: Field) -> None:
    await _held(field)
    for other in ("王敏", "李秀芳", "张建国", "张建国"):
        await field.run(Like(who=other), "林一帆")
    assert await field.refused(Like(who="刘志强"), "林一帆") == "likes_all"
    await field.run(Unlike(who="张建国"), "林一帆")
    await field.run(Like(who="刘志强"), "林一帆")


async def test_who_did_not_come_cannot_be_found(field: Field) -> None:
    entries = await _held(field)
    field.now = LECTURE_AT
    for who in ("林一帆", "王敏"):
        await field.run(Mark(entry_id=entries[who]), OWNER)
    field.now = AFTER
    assert await field.refused(Like(who="张建国"), "林一帆") == "not_there", "registered, and did not come"
    there = field.reply
    assert await field.refused(Like(who="朱思远"), "林一帆") == "not_there", "never registered"
    assert field.reply.replace("朱思远", "张建国") == there
    assert await field.refused(Like(who="林一帆"), "张建国") == "nobody_to_like"
    await field.run(Like(who="王敏"), "林一帆")


async def test_wishes_have_their_time_and_leave_nothing(field: Field) -> None:
    await _held(field)
    field.now = LECTURE_AT
    assert await field.refused(Like(who="王敏"), "林一帆") == "nobody_to_like"
    field.now = AFTER
    await field.run(Like(who="王敏"), "林一帆")
    await field.run(Like(who="林一帆"), "王敏")
    rows = await field.all(Liking)
    assert len(rows) == 2
    said = str([(row.key, row.of, row.contact) for row in rows])
    assert not any(word in said for word in ("138", str(field.staff["王敏"]), "王敏"))
    audited = [row for row in await field.all(Audit) if row.command.startswith("matching.")]
    assert {row.actor[:2] for row in audited} == {"p-"}
    field.now = AFTER + timedelta(days=8)
    await field.sweep()
    assert not await field.all(Liking)
    assert await field.refused(Matches(), "林一帆") == "nobody_to_like"


async def test_who_withdraws_leaves_nothing(field: Field) -> None:
    entries = await _held(field)
    await field.run(Like(who="王敏"), "林一帆")
    await field.run(Like(who="王敏"), "李秀芳")
    await field.run(Like(who="林一帆"), "张建国")
    await field.run(c.Withdraw(entry_id=entries["林一帆"]), OWNER)
    assert len(await field.all(Liking)) == 1


async def test_without_a_number_a_contact_is_asked_for(field: Field) -> None:
    await _held(field)
    async with field.database.write() as session:
        (await session.get_one(Member, field.people["林一帆"])).phone = ""
    assert await field.refused(Like(who="王敏"), "林一帆") == "no_contact"
    await field.run(Like(who="王敏", contact="微信 lyf"), "林一帆")


async def test_two_who_say_yes_at_once_meet(racing: Field) -> None:
    await _held(racing, ("林一帆", "王敏"))
    told = await asyncio.gather(racing.run(Like(who="王敏"), "林一帆"), racing.run(Like(who="林一帆"), "王敏"))
    assert sorted(outcome.wording for outcome in told) == ["singles.matched", "singles.noted"]


SAID = st.lists(st.tuples(st.sampled_from(GUESTS[:3]), st.sampled_from(GUESTS[:3]), st.booleans()), max_size=12)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(said=SAID)
def test_only_those_meet_who_both_said_yes(said: list[tuple[str, str, bool]]) -> None:
    asyncio.run(_play([(one, other, yes) for one, other, yes in said if one != other]))


async def _play(said: list[tuple[str, str, bool]]) -> None:
    field = await open_field()
    await _held(field, GUESTS[:3])
    wishes: set[tuple[str, str]] = set()
    met: set[frozenset[str]] = set()
    for one, other, yes in said:
        pair = frozenset((one, other))
        code = await field.refused(Like(who=other) if yes else Unlike(who=other), one)
        assert code == ("met_already" if pair in met and not yes else "")
        if yes:
            wishes.add((one, other))
            met |= {pair} if (other, one) in wishes else set()
            number = f"1380000000{GUESTS.index(other)}"
            assert (number in field.reply) == (pair in met)
        elif pair not in met:
            wishes.discard((one, other))
    for one in GUESTS[:3]:
        await field.run(Matches(), one)
        for other in GUESTS[:3]:
            assert (f"1380000000{GUESTS.index(other)}" in field.reply) == (frozenset((one, other)) in met)
    await field.database.close()


@given(wishes=st.sets(st.tuples(st.integers(1, 4), st.integers(1, 4))), one=st.integers(1, 4), other=st.integers(1, 4))
def test_a_wish_has_a_direction(wishes: set[tuple[int, int]], one: int, other: int) -> None:
    named = {wish(*pair) for pair in wishes}
    assert both(one, other, named) == both(other, one, named) == ((one, other) in wishes and (other, one) in wishes)
    assert room(len(wishes), 3) == (len(wishes) <= 2)
