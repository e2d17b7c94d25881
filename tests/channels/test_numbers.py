"""A bare number on a channel without buttons: the option of what was said last, and nothing older."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.channels.fake import faked

if TYPE_CHECKING:
    from tests.channels.contract import Ground

LIN, ZHOU, SUN = "20180312", "20100903", "20210107"


async def test_a_number_is_an_option_of_a_notification(ground: Ground) -> None:
    async with faked(ground, buttons=False) as channel:
        for text in ("绑定工号", "20210107 孙悦"):
            await channel.say(SUN, text)
        await channel.app.delivery.flush()
        await channel.say(ZHOU, "1")
        await channel.app.delivery.flush()
        assert "绑好了" in "\n".join(await channel.read(SUN))


async def test_a_number_that_answers_a_question_stays_a_number(ground: Ground) -> None:
    async with faked(ground, buttons=False) as channel:
        await channel.say(LIN, "约瑜伽室 周五下午三点")
        await channel.app.delivery.flush()
        await channel.read(LIN)
        await channel.say(LIN, "2")
        await channel.app.delivery.flush()
        assert "人数：2" in "\n".join(await channel.read(LIN))


async def test_where_there_are_buttons_nothing_is_made_of_a_number(ground: Ground) -> None:
    async with faked(ground) as channel:
        for text in ("绑定工号", "20210107 孙悦"):
            await channel.say(SUN, text)
        await channel.app.delivery.flush()
        await channel.say(ZHOU, "1")
        await channel.app.delivery.flush()
        assert "绑好了" not in "\n".join(await channel.read(SUN))
