"""An officer pastes a 接龙: it is read, gone through with options, and registered; nothing before they say so."""

from typing import Any

import pytest
from sqlalchemy import func, select

from actions.activities.jielong_tables import JielongPaste
from actions.activities.tables import Entry
from actions.core.commands import Outcome
from actions.core.errors import DomainError, ForbiddenError
from tests.conftest import World
from tests.fixtures_draws.teams import OFFICER, do, offering_of

LECTURE = "健康大讲堂：科学睡眠"
PASTED = f"""#接龙
{LECTURE} 周三下午
例 1. 张三 文学院
1. 林一帆
2、张建国 文学院
3. 老杨 图书馆
4. 王敏、朱思远
5. 钱多多 体育部
6. 郑凯文 不去了
7. 张建国
收到
"""


async def _read(world: World, text: str = PASTED, **more: Any) -> Outcome:
    return await do(world, "jielong.read", text=text, **more)


async def _members(world: World, offering_id: int) -> list[str]:
    async with world.app.house.database.read() as session:
        query = select(Entry).where(Entry.offering_id == offering_id, Entry.state == "registered").order_by(Entry.id)
        return [entry.member.name for entry in (await session.execute(query)).unique().scalars()]


async def _refused(world: World, command: str, **arguments: Any) -> str:
    with pytest.raises(DomainError) as error:
        await do(world, command, **arguments)
    world.app.house.wording.text(f"errors.{error.value.code}", {"command": "", **error.value.params})
    return error.value.code


async def test_reading_registers_nobody_and_shows_who_is_meant(world: World) -> None:
    offering_id = await offering_of(world, LECTURE)
    outcome = await _read(world)
    said = world.app.house.wording.text(outcome.wording, outcome.params)
    assert [row["name"] for row in outcome.data["rows"]] == ["林一帆", "张建国", "王敏", "朱思远"]
    assert outcome.data["called_off"] == ["郑凯文"]
    assert [asked["candidates"][0]["name"] for asked in outcome.data["open"]] == ["杨文静"]
    assert "“5. 钱多多 体育部”" in said
    assert "“收到”" in said
    assert await _members(world, offering_id) == []
    labels = [option["label"] for option in outcome.options]
    assert labels == ["杨文静（图书馆）", "都不是", "登记这 4 位", "先不登记"]


async def test_the_unsure_one_is_picked_and_all_are_registered_once(either_world: World) -> None:
    world = either_world
    offering_id = await offering_of(world, LECTURE)
    paste = (await _read(world)).data["paste_id"]
    yang = (await do(world, "jielong.read", text=PASTED)).data["open"][0]
    picked = await do(
        world, "jielong.pick", paste_id=paste, mention=yang["mention"], member_id=yang["candidates"][0]["member_id"]
    )
    assert picked.data["open"] == []
    done = await do(world, "jielong.register", paste_id=paste)
    assert await _members(world, offering_id) == ["林一帆", "张建国", "杨文静", "王敏", "朱思远"]
    assert done.data["strangers"] == ["钱多多"]
    assert await _refused(world, "jielong.register", paste_id=paste) == "jielong_done"
    again = await _read(world)
    assert again.data["rows"] == []
    assert len(again.data["already"]) == 4
    told = [message.text for message in await world.sent()]
    assert sum("科学睡眠" in text for text in told) >= 4


async def test_one_who_cannot_be_in_keeps_nobody_else_out(world: World) -> None:
    """Of the course for women a man is refused with the reason, and the women are in."""
    title = "女教职工插花体验"
    offering_id = await offering_of(world, title)
    outcome = await _read(world, f"接龙 {title}\n1. 张建国\n2. 李秀芳\n3. 杨文静")
    done = await do(world, "jielong.register", paste_id=outcome.data["paste_id"])
    assert await _members(world, offering_id) == ["李秀芳", "杨文静"]
    assert [row["name"] for row in done.data["refused"]] == ["张建国"]
    assert done.data["refused"][0]["why"]


async def test_pairs_of_one_line_sign_up_together(world: World) -> None:
    offering_id = await offering_of(world, "羽毛球双打")
    outcome = await _read(world, "#接龙 羽毛球双打\n1、张建国、朱思远\n2、程宏伟")
    done = await do(world, "jielong.register", paste_id=outcome.data["paste_id"])
    async with world.app.house.database.read() as session:
        query = select(Entry).where(Entry.offering_id == offering_id, Entry.kind == "pair")
        pairs = [[p.member.name for p in entry.people] for entry in (await session.execute(query)).unique().scalars()]
    assert pairs == [["张建国", "朱思远"]]
    assert [row["name"] for row in done.data["refused"]] == ["程宏伟"]


async def test_a_jielong_of_another_activity_is_noticed(world: World) -> None:
    reading = await offering_of(world, "健康大讲堂：颈肩腰腿保健")
    assert await _refused(world, "jielong.read", text=PASTED, offering_id=reading) == "jielong_of_another"
    assert await _refused(world, "jielong.read", text="#接龙 周末爬山\n1. 林一帆") == "jielong_of_which"
    assert await _refused(world, "jielong.read", text=f"#接龙 {LECTURE}\n谢谢") == "jielong_empty"
    assert await _refused(world, "jielong.read", text="#接龙 拔河\n1. 林一帆") == "jielong_of_teams"
    which = await _read(world, "#接龙 健康大讲堂\n1. 林一帆")
    assert {option["label"] for option in which.options} == {LECTURE, "健康大讲堂：颈肩腰腿保健"}


async def test_only_officers_read_and_only_their_own(world: World) -> None:
    with pytest.raises(ForbiddenError):
        await do(world, "jielong.read", who="20180312", text=PASTED)
    paste = (await _read(world)).data["paste_id"]
    with pytest.raises(DomainError) as other:
        await do(world, "jielong.register", who="20130517", paste_id=paste)
    assert other.value.code == "not_found"
    assert await _refused(world, "jielong.pick", paste_id=paste, mention=99, member_id=0) == "jielong_not_there"
    assert await _refused(world, "jielong.pick", paste_id=paste, mention=0, member_id=10**6) == "jielong_not_there"
    await do(world, "jielong.drop", paste_id=paste)
    assert await _refused(world, "jielong.register", paste_id=paste) == "jielong_done"


async def test_what_was_pasted_is_sealed_and_goes_after_a_week(world: World) -> None:
    await _read(world)
    async with world.app.house.database.read() as session:
        (content,) = (await session.execute(select(JielongPaste.content))).scalars()
    assert "林一帆" not in content
    world.clock.move(days=8)
    await world.app.sweep()
    async with world.app.house.database.read() as session:
        assert (await session.execute(select(func.count()).select_from(JielongPaste))).scalar_one() == 0


async def test_it_is_pasted_in_the_chat_and_confirmed_by_options(world: World) -> None:
    offering_id = await offering_of(world, LECTURE)
    (reply,) = await world.say(PASTED, who=OFFICER)
    assert "能对上的 4 位" in reply.text
    press = {option.label: option.value for option in reply.options}
    (reply,) = await world.say(press["杨文静（图书馆）"], who=OFFICER)
    assert "都认完了" in reply.text
    press = {option.label: option.value for option in reply.options}
    (reply,) = await world.say(press["登记这 5 位"], who=OFFICER)
    assert "登记好了 5 个" in reply.text
    assert len(await _members(world, offering_id)) == 5


async def test_a_member_who_pastes_one_is_no_officer(world: World) -> None:
    offering_id = await offering_of(world, LECTURE)
    await world.say(PASTED)
    assert await _members(world, offering_id) == []
    async with world.app.house.database.read() as session:
        assert (await session.execute(select(func.count()).select_from(JielongPaste))).scalar_one() == 0


async def test_a_pack_for_a_group_without_a_bot(world: World) -> None:
    offering_id = await offering_of(world, LECTURE)
    outcome = await do(world, "jielong.pack", offering_id=offering_id)
    assert LECTURE in outcome.data["text"]
    assert outcome.data["chain"].splitlines()[0] == "#接龙"
    assert "例 张三 文学院" in outcome.data["chain"]
    assert outcome.data["chain"].rstrip().endswith("1.")
    with pytest.raises(ForbiddenError):
        await do(world, "jielong.pack", who="20180312", offering_id=offering_id)
