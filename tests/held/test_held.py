"""我的数据 and 删除我的数据, over the demo world: what is shown, what goes, what stays, and to whom."""

from __future__ import annotations

import io
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import func, insert, select

from actions.activities.matching_tables import Liking
from actions.activities.tables import Entry, Person, Place
from actions.appointments.tables import Appointment, Seat
from actions.blocks.consent import Consent
from actions.blocks.materials import Material
from actions.cases.tables import Case, CaseStep
from actions.core.errors import DomainError
from actions.core.tables import Audit, Base, Member, Outgoing
from bot.messages import Address
from tests.cases.doing import CHEN, LIN, ZHANG, ZHOU, aid, do, move, paid, photo

if TYPE_CHECKING:
    from openpyxl import Workbook

    from tests.conftest import World

WANG = "20150108"
EXPORT, ERASE = "我的数据", "删除我的数据"


async def _book(world: World, contact: str = "王芳 13912345678") -> None:
    for text in ("下周三下午三点想约心理咨询", "何医生", "线上", "同意", contact, "确认"):
        await world.say(text)


async def _exported(world: World, who: str = LIN) -> Workbook:
    made = await do(world, who, "own.export")
    kept = await world.app.files.open(Address(channel="web", conversation=who), who, made.data["file"])
    return load_workbook(io.BytesIO(kept.path.read_bytes()))


def _texts(book: Workbook, sheet: str = "") -> str:
    pages = [book[sheet]] if sheet else book.worksheets
    return "\n".join(str(c.value) for page in pages for row in page.iter_rows() for c in row if c.value is not None)


async def _count(world: World, table: Any, *where: Any) -> int:
    async with world.unit_of_work() as context:
        query = select(func.count()).select_from(table).where(*where)
        return int((await context.session.execute(query)).scalar_one())


async def _idea(world: World, content: str = "走廊装感应灯") -> int:
    return int((await do(world, LIN, "cases.submit", service="idea", fields={"content": content})).data["case_id"])


# --- 我的数据


async def test_everything_is_there_opened_and_in_words(world: World) -> None:
    await _book(world)
    number = await aid(world)
    await move(world, CHEN, number, "verify", "情况属实")
    book = await _exported(world)
    assert {"总览", "名册", "预约", "提交的事", "提交的事的经过", "单独同意"} <= set(book.sheetnames)
    assert "困难类型：本人患病" in _texts(book, "提交的事")
    assert "爱心扶助金申请" in _texts(book, "提交的事")
    assert "已核实，等会议研究" in _texts(book, "提交的事")
    assert "情况属实" in _texts(book, "提交的事的经过")
    assert "王芳" in _texts(book, "单独同意")
    assert "2026-11-25 15:00" in _texts(book, "预约")
    assert "v1." not in _texts(book), "nothing stays sealed"


async def test_nobody_elses_is_among_it(world: World) -> None:
    await aid(world, ZHANG, situation="只有张老师知道的事")
    await do(world, LIN, "cases.submit", service="suggestion", fields={"content": "食堂添微波炉"})
    told = _texts(await _exported(world))
    assert "食堂添微波炉" in told
    assert "只有张老师知道的事" not in told
    assert "张建国" not in told


async def test_what_officers_said_among_themselves_is_not_shown(world: World) -> None:
    number = await aid(world)
    await do(world, ZHOU, "cases.comment", case_id=number, reason="材料有疑点")
    await do(world, ZHOU, "cases.comment", case_id=number, reason="请补一张清单", shown=True)
    told = _texts(await _exported(world))
    assert "请补一张清单" in told
    assert "材料有疑点" not in told


@pytest.mark.parametrize("said", ["=1+1", "+86", "-5", "@cmd", '=HYPERLINK("http://x","y")'])
async def test_a_formula_stays_text(world: World, said: str) -> None:
    async with world.unit_of_work(LIN) as context:
        member = await context.session.get(Member, context.actor.member_id)
        assert member is not None
        member.email = said
    cells = [c for row in (await _exported(world))["名册"].iter_rows() for c in row if c.value == said]
    assert [(cell.data_type, cell.quotePrefix) for cell in cells] == [("s", True)]


async def test_asked_for_in_words_it_comes_as_a_file_of_ones_own(world: World) -> None:
    assert "您的数据整理好了" in await world.told(EXPORT)
    sent = [message for message in await world.sent() if message.files]
    assert [message.address.conversation for message in sent] == [LIN]
    key = sent[0].files[0].id
    for other in (ZHOU, CHEN):
        with pytest.raises(DomainError, match="file_gone"):
            await world.app.files.open(Address(channel="web", conversation=other), other, key)
    world.clock.move(days=1, minutes=1)
    with pytest.raises(DomainError, match="file_gone"):
        await world.app.files.open(Address(channel="web", conversation=LIN), LIN, key)


async def test_once_an_hour(world: World) -> None:
    await do(world, LIN, "own.export")
    assert "刚整理过一份" in await world.told(EXPORT)
    world.clock.move(hours=1)
    assert "您的数据整理好了" in await world.told(EXPORT)


async def test_who_is_not_bound_and_who_is_in_a_group_gets_nothing(world: World) -> None:
    assert "整理好了" not in await world.told(EXPORT, who="nobody")
    assert "整理好了" not in await world.told(EXPORT, group="group-1")


# --- 删除我的数据


async def test_it_is_told_what_goes_and_what_stays_before_anything_is_done(world: World) -> None:
    number = await _idea(world)
    await move(world, LIN, number, "withdraw")
    await paid(world, await aid(world))
    told = await world.told(ERASE)
    assert "· 提交的事 1 条\n" in told
    assert "· 提交的事 1 条：困难帮扶和慰问按规定的期限保存" in told
    assert "· 名册 1 条：名册是工会的" in told
    assert await _count(world, Case, Case.id == number) == 1
    assert "什么都没删" in await world.told("先不删")
    assert await _count(world, Case, Case.id == number) == 1


async def test_confirmed_it_is_gone_with_all_that_hung_on_it(either_world: World) -> None:
    world = either_world
    number = await _idea(world)
    await move(world, LIN, number, "withdraw")
    kept = await aid(world)
    await paid(world, kept)
    waiting = await photo(world)
    await world.say(ERASE)
    assert "删好了" in await world.told("确认删除")
    assert await _count(world, Case, Case.id == number) == 0
    assert await _count(world, CaseStep, CaseStep.case_id == number) == 0
    assert await _count(world, Outgoing, Outgoing.subject.in_((f"case:{number}", f"case_task:{number}"))) == 0
    assert await _count(world, Case, Case.id == kept) == 1
    assert await _count(world, Consent, Consent.purpose == "aid") == 1
    await world.app.sweep()
    assert await _count(world, Material, Material.key == waiting) == 0


async def test_a_counselling_that_is_over_goes_with_the_contact(world: World) -> None:
    await _book(world)
    told = await world.told(ERASE)
    assert "先取消才能删" in told
    assert "11月25日" in told
    assert await _count(world, Appointment) == 1
    world.clock.move(days=5)
    await world.app.sweep()
    await world.say(ERASE)
    await world.say("确认删除")
    assert [await _count(world, table) for table in (Appointment, Seat, Consent)] == [0, 0, 0]


async def test_what_was_booked_meanwhile_stops_it(world: World) -> None:
    number = await _idea(world)
    await move(world, LIN, number, "withdraw")
    await do(world, LIN, "own.ask_erase")
    await _book(world)
    with pytest.raises(DomainError, match="held_open"):
        await do(world, LIN, "own.erase")
    assert await _count(world, Case, Case.id == number) == 1


async def test_an_open_registration_is_withdrawn_first_and_one_that_is_over_goes(world: World) -> None:
    for text in ("报名科学睡眠讲座", "确认"):
        await world.say(text)
    assert "先取消才能删" in await world.told(ERASE)
    assert await _count(world, Entry) == 1
    world.clock.move(days=12)
    await world.say(ERASE)
    assert "删好了" in await world.told("确认删除")
    assert [await _count(world, table) for table in (Entry, Person, Place)] == [0, 0, 0]


async def test_whom_one_liked_and_who_liked_one_goes_with_the_entry(either_world: World) -> None:
    """The rows hold pseudonyms and a sealed contact: nothing points to the entry, and still they are about people."""
    world = either_world
    for who in (LIN, WANG, ZHANG):
        for text in ("我想报名单身联谊", "同意", "确认"):
            await world.say(text, who=who)
    world.clock.now = datetime.fromisoformat("2026-12-12T20:00+08:00")
    assert "记下了" in await world.told("愿意联系 王敏 微信 lin2026", who=LIN)
    assert "记下了" in await world.told("愿意联系 林一帆 微信 zhang2026", who=ZHANG)
    assert "记下了" in await world.told("愿意联系 王敏 微信 zhang2026", who=ZHANG)
    assert await _count(world, Liking) == 3
    await world.say(ERASE)
    assert "删好了" in await world.told("确认删除")
    assert await _count(world, Entry, Entry.service == "singles") == 2
    assert await _count(world, Liking) == 1, "what two others have between them stays"


async def test_what_a_draw_speaks_of_stays(world: World) -> None:
    for text in ("报名科学睡眠讲座", "确认"):
        await world.say(text)
    async with world.unit_of_work() as context:
        entry = (await context.session.execute(select(Entry))).unique().scalar_one()
        drawn = {"sport": "乒乓球", "draw": {}, "times": 1, "season": {}, "rest": {}, "slots": [], "results": {}}
        drawn |= {"withdrawn": [], "drawn_at": context.now, "drawn_by": entry.member_id}
        await context.session.execute(
            insert(Base.metadata.tables["activity_draw"]), {"offering_id": entry.offering_id, **drawn}
        )
    world.clock.move(days=12)
    assert "抽过签的比赛留作成绩" in await world.told(ERASE)
    await do(world, LIN, "own.erase")
    assert await _count(world, Entry) == 1


async def test_others_keep_theirs(world: World) -> None:
    theirs = int(
        (await do(world, ZHANG, "cases.submit", service="suggestion", fields={"content": "路灯"})).data["case_id"]
    )
    mine = await _idea(world)
    await move(world, LIN, mine, "withdraw")
    members = await _count(world, Member)
    await do(world, LIN, "own.erase")
    assert await _count(world, Case, Case.id == theirs) == 1
    assert await _count(world, Member) == members


async def test_where_nothing_can_go_it_says_so(world: World) -> None:
    told = await world.told(ERASE)
    assert "现在没有可以删的" in told
    assert "名册是工会的" in told


async def test_the_audit_tells_that_it_was_done_and_not_by_whom(world: World) -> None:
    number = await _idea(world)
    await move(world, LIN, number, "withdraw")
    await do(world, LIN, "own.erase")
    async with world.unit_of_work() as context:
        rows = (await context.session.execute(select(Audit).where(Audit.command == "own.erase"))).scalars().all()
    assert [(row.actor[:2], row.subject, row.result) for row in rows] == [("p-", "held", "held.erased")]


async def test_after_the_question_has_lapsed_its_answer_does_nothing(world: World) -> None:
    number = await _idea(world)
    await move(world, LIN, number, "withdraw")
    await world.say(ERASE)
    world.clock.move(minutes=11)
    assert "删好了" not in await world.told("确认删除")
    assert await _count(world, Case, Case.id == number) == 1
