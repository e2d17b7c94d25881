"""收到, and the 催办表 of those who have not said it."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from openpyxl import load_workbook
from pydantic import ValidationError
from sqlalchemy import select

from actions.announcements import chasing
from actions.announcements import commands as c
from actions.blocks.rosters import Roster
from actions.core.errors import DomainError
from actions.core.tables import Member, Unit
from bot.messages import Address
from tests.announcements.conftest import CHEN, LIN, WANG, ZHOU, announce, run, told
from tests.files.samples import picture

if TYPE_CHECKING:
    from datetime import datetime

    from actions.core.commands import Context
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


async def test_in_chat_the_table_comes_with_its_workbook(world: World) -> None:
    await announce(world, to=TO, text="周四开会", answer_in_days=3, who=ZHOU)
    await world.sent()
    (said,) = await world.say("催办 1", who=ZHOU)
    assert "还有 11 位没回" in said.text
    assert [option.value for option in said.options] == ["发催办 1"]
    (handed,) = [message for message in await world.sent() if message.files]
    (file,) = handed.files
    assert (handed.address.conversation, file.name, file.kind) == (ZHOU, "催办表 周四开会.xlsx", "document")
    kept = await world.app.files.open(_address(ZHOU), ZHOU, file.id)
    assert kept.view.media_type.endswith("spreadsheetml.sheet")
    assert [
        row[0].value for row in load_workbook(BytesIO(kept.path.read_bytes())).worksheets[0].iter_rows(min_row=3)
    ] == [
        "文学院",
        "机电学院",
    ]
    for who in (CHEN, LIN):
        with pytest.raises(DomainError, match="file_gone"):
            await world.app.files.open(_address(who), who, file.id)
    world.clock.move(days=7)
    with pytest.raises(DomainError, match="file_gone"):
        await world.app.files.open(_address(ZHOU), ZHOU, file.id)
    await world.sent()
    assert not kept.path.exists()


async def test_a_table_takes_no_place_among_the_files_of_a_form(world: World) -> None:
    await announce(world, to=TO, text="周四开会", answer_in_days=3, who=ZHOU)
    await world.sent()
    for _ in range(world.app.files.rules.max_count + 1):
        await run(world, c.Chase(announcement_id=1, file=True), ZHOU)
    kept = await world.app.files.keep(_address(ZHOU), ZHOU, "海报.png", BytesIO(picture("PNG")))
    assert kept.kind == "picture"


async def test_after_the_deadline_the_table_is_handed_over_and_sent_on_by_a_click(world: World) -> None:
    await announce(world, to=TO, text="周四开会", answer_by=world.clock() + timedelta(days=3), who=ZHOU)
    await world.sent()
    world.clock.move(days=3, minutes=1)
    (told_author,) = [message for message in await world.sent() if "催办表" in message.text]
    (file,) = told_author.files
    assert await world.app.files.open(_address(ZHOU), ZHOU, file.id)
    (click,) = told_author.options
    assert "1 位分工会干部" in await world.told(click.value, who=ZHOU)
    assert [message.address.conversation for message in await world.sent() if "没回" in message.text] == [CHEN]
    world.clock.move(days=1)
    assert not [message for message in await world.sent() if "催办表" in message.text]


async def test_a_start_long_after_the_deadline_chases_nobody(world: World) -> None:
    await announce(world, to=TO, text="周四开会", answer_by=world.clock() + timedelta(days=3), who=ZHOU)
    await world.sent()
    world.clock.move(days=11)
    assert not [message for message in await world.sent() if "催办表" in message.text]


async def test_chairs_are_not_woken(world: World) -> None:
    await announce(world, to=TO, text="周四开会", answer_in_days=3, who=ZHOU)
    await world.sent()
    world.clock.now = world.clock().replace(hour=23)
    await run(world, c.Chase(announcement_id=1, send=True), ZHOU)
    assert not [message for message in await world.sent() if "没回" in message.text]
    world.clock.move(hours=8, minutes=30)
    assert [message.address.conversation for message in await world.sent() if "没回" in message.text] == [CHEN]


class Duty:
    """As another life has it: everybody of two units is asked something by 周涛, and 林一帆 has answered."""

    kinds = ("duty",)

    def __init__(self, owner_id: int, deadline: datetime, *, private: bool = False) -> None:
        asked = select(Member.id).join(Unit, Unit.id == Member.unit_id).where(Unit.name.in_(("文学院", "机电学院")))
        answered = select(Member.id).where(Member.staff_id == LIN)
        self._roster = Roster(
            ref="duty:7",
            title="值班表",
            asked=asked,
            answered=answered,
            deadline=deadline,
            owner_id=owner_id,
            private=private,
        )

    async def roster(self, context: Context, ref: str) -> Roster | None:
        del context
        return self._roster if ref == "duty:7" else None

    async def due(self, context: Context, low: datetime, high: datetime) -> list[Roster]:
        del context
        deadline = self._roster.deadline
        return [self._roster] if deadline is not None and low <= deadline < high else []


async def _with_duty(world: World, *, owner: str = WANG, private: bool = False) -> None:
    async with world.unit_of_work(owner) as context:
        duty = Duty(context.actor.member_id, world.clock() + timedelta(days=1), private=private)
        announcements: Any = context.lives["announcement"]
        announcements.office.sources.rosters["duty"] = duty


async def test_whatever_has_a_roster_and_a_deadline_is_chased(world: World) -> None:
    await _with_duty(world)
    table = await run(world, c.Chase(ref="duty:7"), WANG)
    assert {row["unit"]: (row["asked"], row["answered"]) for row in table.data["rows"]} == {
        "文学院": (6, 1),
        "机电学院": (5, 0),
    }
    await run(world, c.Chase(ref="duty:7"), ZHOU)
    with pytest.raises(DomainError, match="forbidden"):
        await run(world, c.Chase(ref="duty:7"), CHEN)
    assert "“值班表”催办表" in await world.told("催办 duty:7", who=WANG)
    await announce(world, to="未回复:duty:7 且 单位:文学院", text="请报值班", who=ZHOU)
    assert sum(message.text == "请报值班" for message in await world.sent()) == 5
    world.clock.move(days=1, minutes=1)
    (told_owner,) = [message for message in await world.sent() if "催办表" in message.text]
    assert (told_owner.address.conversation, len(told_owner.files)) == (WANG, 1)
    assert "1 位分工会干部" in await world.told(told_owner.options[0].value, who=WANG)
    world.clock.move(hours=1)
    assert not [message for message in await world.sent() if "催办表" in message.text]


async def test_a_private_roster_is_chased_by_nobody(world: World) -> None:
    await _with_duty(world, private=True)
    for who in (WANG, ZHOU, ""):
        with pytest.raises(DomainError, match="no_roster"):
            await run(world, c.Chase(ref="duty:7"), who)
    world.clock.move(days=1, minutes=1)
    assert not [message for message in await world.sent() if "催办表" in message.text]


@pytest.mark.parametrize("given", [{}, {"announcement_id": 1, "ref": "duty:7"}, {"ref": "duty"}])
def test_one_thing_at_a_time_is_chased(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        c.Chase(**given)


def _address(who: str) -> Address:
    return Address(channel="web", conversation=who)


async def test_again_to_those_who_have_not_answered(world: World) -> None:
    await announce(world, to=TO, text="周四开会", answer_in_days=3, who=ZHOU)
    await world.sent()
    await world.say("收到")
    await announce(world, to="未回复:通知1 且 单位:文学院", text="还没回的老师请回一下", who=ZHOU)
    again = [message for message in await world.sent() if message.text == "还没回的老师请回一下"]
    assert len(again) == 5
    assert LIN not in {message.address.conversation for message in again}
