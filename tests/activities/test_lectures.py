"""A lecture in chat from the code in the room to the certificate; what a certificate says."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from typing import TYPE_CHECKING

import docx
from sqlalchemy import select

from actions.blocks.materials import Material
from tests.activities.test_chat import OFFICER, OWNER, begin

if TYPE_CHECKING:
    from tests.conftest import World

LIN = "20180312"


async def attend(world: World) -> None:
    """林一帆 registers, and says the code that the room shows."""
    await world.say("报名科学睡眠讲座")
    await world.say("确认")
    await begin(world, "健康大讲堂：科学睡眠")
    told = await world.told("现场码 科学睡眠", who=OWNER)
    code = re.search(r"现场签到码：(\w{10})", told)
    assert code is not None
    pictures = [message for message in await world.sent() if message.files]
    assert [message.address.conversation for message in pictures] == [OWNER]
    assert "林一帆老师签到了：健康大讲堂：科学睡眠" in await world.told(f"签到 {code[1]}", who=LIN)
    assert "已经签过到了" in await world.told(f"签到 {code[1]}", who=LIN)
    assert "名单里还没有您" in await world.told(f"签到 {code[1]}", who="20150108")


async def test_who_was_there_has_a_certificate(world: World) -> None:
    await attend(world)
    assert "还没结束" in await world.told("听课证明 科学睡眠", who=LIN)
    world.clock.move(hours=4)
    assert "给您开好了" in await world.told("听课证明 科学睡眠", who=LIN)
    (message,) = [message for message in await world.sent() if message.files]
    assert (message.address.conversation, message.files[0].name) == (LIN, "健康大讲堂：科学睡眠参加证明.docx")
    async with world.unit_of_work() as context:
        rows = (await context.session.execute(select(Material).order_by(Material.id.desc()))).scalars()
        key = next(row.key for row in rows if row.subject.startswith("certificate:"))
    (path,) = (path for path in world.app.settings.files_dir.rglob(f"{key}*") if path.is_file())
    text = "\n".join(paragraph.text for paragraph in docx.Document(io.BytesIO(path.read_bytes())).paragraphs)
    assert "林一帆老师（文学院）于2026年12月1日(周二)参加了“健康大讲堂：科学睡眠”" in text
    assert "共 2 小时。特此证明。" in text
    assert "校工会" in text


async def test_who_was_not_there_has_none(world: World) -> None:
    await attend(world)
    world.clock.move(hours=4)
    assert "没有查到您的签到" in await world.told("参加证明 科学睡眠", who="20150108")
    assert "没有查到您签过到的" in await world.told("听课证明", who=OFFICER)
    assert "给您开好了" in await world.told("开一份听课证明", who=LIN)


async def test_a_certificate_goes_by_what_was_signed_off(world: World) -> None:
    """Taken back by hand, there is nothing to certify."""
    await attend(world)
    async with world.unit_of_work(OWNER) as context:
        bus = context.bus
        entries = await bus.execute(bus.command("activities.entries", {"offering_id": 1}), context)
        number = entries.data["rows"][0]["id"]
        await bus.execute(bus.command("activities.mark", {"entry_id": number, "attended": False}), context)
    world.clock.now += timedelta(hours=4)
    assert "没有查到您的签到" in await world.told("听课证明 科学睡眠", who=LIN)
