"""Pictures of an announcement: seen by who agrees and by who is told, opened by nobody else."""

from __future__ import annotations

import io
from datetime import time, timedelta
from typing import TYPE_CHECKING

import pytest

from actions.announcements import commands as c
from actions.core.errors import DomainError
from actions.core.zones import at, local
from bot.messages import Address, Attachment, Inbound
from tests.announcements.conftest import CHEN, HU, LIN, WANG, ZHOU, announce, run
from tests.files.samples import picture

if TYPE_CHECKING:
    from bot.messages import Outbound
    from tests.conftest import World

POSTER = "海报.png"


def _address(who: str) -> Address:
    return Address(channel="web", conversation=who)


async def _poster(world: World, who: str = ZHOU) -> str:
    """A picture that an officer has handed over; its id."""
    kept = await world.app.files.keep(_address(who), who, POSTER, io.BytesIO(picture("PNG")))
    return kept.id


async def _opens(world: World, who: str, key: str) -> bool:
    try:
        kept = await world.app.files.open(_address(who), who, key)
    except DomainError:
        return False
    return kept.path.read_bytes().startswith(b"\x89PNG")


def _shown(sent: list[Outbound], key: str) -> set[str]:
    """Who was shown the picture."""
    return {message.address.conversation for message in sent if key in [file.id for file in message.files]}


async def test_in_chat_a_picture_goes_along_with_the_text(either_world: World) -> None:
    world = either_world
    for line in ("给文学院的老师发个通知", "周五下午义诊，见海报。"):
        await world.say(line, who=ZHOU)
    key = await _poster(world)
    handed = Inbound(
        address=_address(ZHOU),
        event_id="poster",
        sender=ZHOU,
        text="",
        attachments=(Attachment(kind="picture", name=POSTER, id=key),),
    )
    replies = await world.app.gateway.receive(handed)
    assert POSTER in "\n".join(reply.text for reply in replies)
    assert not await _opens(world, LIN, key)  # nobody's yet
    assert "开始发了" in await world.told("确认", who=ZHOU)
    sent = await world.sent()
    told = [message for message in sent if message.text == "周五下午义诊，见海报。"]
    assert len(told) == 6
    assert all([(file.id, file.name, file.kind) for file in each.files] == [(key, POSTER, "picture")] for each in told)
    assert [await _opens(world, who, key) for who in (LIN, ZHOU, WANG)] == [True, True, False]


async def test_who_agrees_sees_it_first(world: World) -> None:
    key = await _poster(world)
    number = await announce(world, who=ZHOU, text="见图", files=(key,))
    assert _shown(await world.sent(), key) == {HU}
    assert [await _opens(world, who, key) for who in (HU, LIN)] == [True, False]
    await run(world, c.Approve(announcement_id=number), HU)
    shown = _shown(await world.sent(), key)
    assert len(shown) == 38
    assert LIN in shown
    assert await _opens(world, LIN, key)


async def test_a_group_sees_it_too(world: World) -> None:
    said = await world.told("绑群 文学院教工群", who=CHEN)
    await world.say(said[-11:], who=CHEN, group="room")
    key = await _poster(world, CHEN)
    await announce(world, to="群:文学院教工群", who=CHEN, text="见图", files=(key,))
    assert _shown(await world.sent(), key) == {"room"}


async def test_what_is_set_right_keeps_its_picture(world: World) -> None:
    """Who has read the wrong text and who has not are shown it with the right one, and both can open it."""
    key = await _poster(world)
    number = await announce(world, to="单位:文学院", who=ZHOU, text="周五三点", files=(key,))
    assert len(_shown(await world.sent(), key)) == 6
    await run(world, c.Correct(announcement_id=number, reason="周五四点"), ZHOU)
    corrected = [message for message in await world.sent() if "周五四点" in message.text]
    assert len(corrected) == 6
    assert len(_shown(corrected, key)) == 6
    assert [await _opens(world, who, key) for who in (LIN, WANG)] == [True, False]


async def test_it_is_there_when_the_notice_is_read_again(world: World) -> None:
    key = await _poster(world)
    await announce(world, to="单位:文学院", who=ZHOU, text="见图", files=(key,))
    await world.sent()
    assert "有 1 张图，回“通知 1”看" in await world.told("最近有什么通知")
    assert "见图" in await world.told("通知 1")
    assert _shown(await world.sent(), key) == {LIN}
    assert "没有第 1 号" in await world.told("通知 1", who=WANG)
    assert _shown(await world.sent(), key) == set()


async def test_the_digest_shows_it(world: World) -> None:
    await world.say("一周汇总一次就行")
    key = await _poster(world)
    await announce(world, to="单位:文学院", who=ZHOU, text="见图", files=(key,))
    assert LIN not in _shown(await world.sent(), key)
    world.clock.now = at(local(world.clock()).date() + timedelta(days=5), time(16, 1))
    assert _shown(await world.sent(), key) == {LIN}
    assert await _opens(world, LIN, key)


async def test_a_correction_for_everyone_shows_it_to_who_agrees(world: World) -> None:
    key = await _poster(world)
    number = await announce(world, who=ZHOU, text="错的", files=(key,))
    await run(world, c.Approve(announcement_id=number), HU)
    await run(world, c.Correct(announcement_id=number, reason="对的"), ZHOU)
    asked = [message for message in await world.sent() if "对的" in message.text]
    assert _shown(asked, key) == {HU}
    await run(world, c.Refuse(announcement_id=number + 1), HU)
    # Sent back: the earlier one has its picture still, and goes on with it.
    await run(world, c.Resume(announcement_id=number), ZHOU)
    assert len(_shown(await world.sent(), key)) == 38


@pytest.mark.parametrize(
    ("owner", "pictures", "days", "code"),
    [(WANG, 1, 0, "file_gone"), (ZHOU, 1, 2, "file_gone"), (ZHOU, 10, 0, "files_too_many")],
)
async def test_only_ones_own_pictures_are_sent(world: World, owner: str, pictures: int, days: int, code: str) -> None:
    keys = tuple([await _poster(world, owner) for _ in range(pictures)])
    world.clock.move(days=days)
    # As a channel that checks nothing would hand it over.
    command = c.Announce.model_construct(to="单位:文学院", text="见图", files=keys)
    with pytest.raises(DomainError) as refused:
        await run(world, command, ZHOU)
    assert refused.value.code == code
    assert not [message for message in await world.sent() if message.text == "见图"]
