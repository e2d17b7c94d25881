"""收到, and the 催办表 of those who have not said it."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from openpyxl import load_workbook

from actions.announcements import chasing
from actions.announcements import commands as c
from actions.core.errors import DomainError
from tests.announcements.conftest import CHEN, LIN, WANG, ZHOU, announce, run, told

if TYPE_CHECKING:
    from tests.conftest import World

TO = "单位:文学院,机电学院"


async def test_a_receipt_is_said_in_a_word(either_world: World) -> None:
    world = either_world
    await announce(world, to=TO, text="周四开会", answer_in_days=3)
    sent = await world.sent()
    assert {option.value for message in sent for option in message.options} == {"收到 1"}
    assert "记下您收到了" in await world.told("收到")
    assert "记下您收到了" in await world.told("收到 1", who=WANG)
    assert "记下您收到了" in await world.told("收到1", who=WANG)  # twice is once
    table = await run(world, c.Chase(announcement_id=1))
    assert {row["unit"]: (row["asked"], row["answered"]) for row in table.data["rows"]} == {
        "文学院": (6, 1),
        "机电学院": (5, 1),
    }
    assert "林一帆" not in table.data["rows"][0]["names"]


async def test_which_of_two_is_asked(world: World) -> None:
    for text in ("一", "二"):
        await announce(world, to=TO, text=text, answer_in_days=3)
    await world.sent()
    assert "收到 2（二）" in await world.told("收到")


async def test_what_asks_for_nothing_takes_no_receipt(world: World) -> None:
    await announce(world, to=TO, text="不要回执")
    await world.sent()
    assert "记下" not in await world.told("收到")
    with pytest.raises(DomainError, match="nothing_to_acknowledge"):
        await run(world, c.Acknowledge(announcement_id=1), LIN)
    with pytest.raises(DomainError, match="no_roster"):
        await run(world, c.Chase(announcement_id=1))


async def test_who_was_not_asked_answers_nothing(world: World) -> None:
    await announce(world, to="单位:机电学院", text="给机电", answer_in_days=3)
    await world.sent()
    with pytest.raises(DomainError, match="nothing_to_acknowledge"):
        await run(world, c.Acknowledge(announcement_id=1), LIN)


async def test_each_chair_reads_of_their_own_people_alone_and_once_a_day(world: World) -> None:
    await announce(world, to=TO, text="周四开会", answer_in_days=3, who=ZHOU)
    await world.sent()
    for line in ("收到", "收到 1"):
        await world.say(line)
    world.clock.move(minutes=5)
    await world.sent()
    sent = await run(world, c.Chase(announcement_id=1, send=True), ZHOU)
    assert sent.params["told"] == 1
    assert sent.params["without"] == ["机电学院"]
    await run(world, c.Chase(announcement_id=1, send=True), ZHOU)
    await world.sent()
    texts = [text for _at, text in await told(world, CHEN) if "没回" in text]
    assert len(texts) == 1
    assert "文学院" in texts[0]
    assert "张建国" in texts[0]
    assert "王敏" not in texts[0]
    assert "林一帆" not in texts[0]
    with pytest.raises(DomainError, match="forbidden"):
        await run(world, c.Chase(announcement_id=1), CHEN)


async def test_who_has_not_answered_is_reminded_before_and_told_to_the_author_after(world: World) -> None:
    await announce(world, to=TO, text="周四开会", answer_by=world.clock() + timedelta(days=3), who=ZHOU)
    await world.sent()
    await world.say("收到")
    world.clock.move(days=2, hours=1)
    reminded = [message for message in await world.sent() if "等您回" in message.text]
    assert len(reminded) == 10
    assert LIN not in {message.address.conversation for message in reminded}
    world.clock.move(hours=1)
    assert await world.sent() == []  # once
    world.clock.move(days=1)
    tables = [message for message in await world.sent() if "催办表" in message.text]
    assert [message.address.conversation for message in tables] == [ZHOU]
    assert "记下您收到了" in await world.told("收到 1", who=WANG)  # late is better than never


async def test_what_was_taken_back_reminds_nobody(world: World) -> None:
    await announce(world, to=TO, text="周四开会", answer_by=world.clock() + timedelta(days=3), who=ZHOU)
    await run(world, c.Withdraw(announcement_id=1), ZHOU)
    for _ in range(5):
        world.clock.move(days=1)
        assert await world.sent() == []


async def test_the_table_as_a_workbook(world: World) -> None:
    await announce(world, to=TO, text="=1+1 开会", answer_in_days=3)
    await world.sent()
    await world.say("收到")
    table = await run(world, c.Chase(announcement_id=1))
    book = load_workbook(BytesIO(chasing.workbook(world.app.house.wording.text, table.data)))
    units, people = book.worksheets
    rows = [[cell.value for cell in row] for row in units.iter_rows(min_row=2)]
    assert rows[0] == ["单位", "应回", "已回", "未回", "未回的老师", "分工会干部", "可以直接转发的话"]
    assert [row[:4] for row in rows[1:]] == [["文学院", 6, 1, 5], ["机电学院", 5, 0, 5]]
    assert rows[1][5] == "陈静"
    assert "还有 5 位没回" in str(rows[1][6])
    assert people.max_row == 1 + 10
    assert all(cell.data_type != "f" for sheet in book.worksheets for row in sheet.iter_rows() for cell in row)


async def test_again_to_those_who_have_not_answered(world: World) -> None:
    await announce(world, to=TO, text="周四开会", answer_in_days=3, who=ZHOU)
    await world.sent()
    await world.say("收到")
    await announce(world, to="未回复:通知1 且 单位:文学院", text="还没回的老师请回一下", who=ZHOU)
    again = [message for message in await world.sent() if message.text == "还没回的老师请回一下"]
    assert len(again) == 5
    assert LIN not in {message.address.conversation for message in again}
