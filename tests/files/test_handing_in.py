"""Files in a conversation: taken by the form that asks for them, not kept where none does."""

from __future__ import annotations

import asyncio
import io
import shutil
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from actions.blocks.materials import readers_of
from actions.core.tables import Account, Conversation
from bot.api import create_api
from bot.app import build, prepare
from bot.dialogue.state import State
from bot.messages import Address, Attachment, Inbound
from bot.serving import _api_parts
from bot.world import load_world
from tests.conftest import MovableClock, World, _settings
from tests.files.conftest import FILES, LIN, LIN_ID, Filing, filing, kept
from tests.files.samples import pdf, picture

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

    from nlu.pipeline import Pipeline

PHOTOS = {
    "key": "photos",
    "type": "materials",
    "label": "照片",
    "prompt": "发两张照片吧。",
    "why": "看看是什么样的活动。",
    "kinds": ["picture"],
    "max_count": 3,
}


PAPERS = {"key": "papers", "label": "说明", "prompt": "有说明也发来。", "kinds": ["document"], "max_count": 2}


@dataclass
class Talk:
    """林一帆 in front of the page."""

    files: Filing
    browser: httpx.AsyncClient
    said: list[str] = field(default_factory=list)

    async def say(self, text: str = "", *keys: str, message_id: str = "") -> str:
        self.said.append(text)
        sent = {"message_id": message_id or str(len(self.said)), "text": text, "attachments": list(keys)}
        answer = await self.browser.post("/api/v1/chat", json=sent)
        assert answer.status_code == 200, answer.text
        return "\n".join(reply["text"] for reply in answer.json()["replies"])

    async def photo(self, name: str = "a.jpg") -> str:
        key: str = (await kept(self.browser, picture(), name))["id"]
        return key

    async def document(self, name: str = "a.pdf") -> str:
        key: str = (await kept(self.browser, pdf(), name))["id"]
        return key

    async def booked(self) -> Talk:
        """A room, for which a file was handed in."""
        await _asked(self)
        await self.say("", await self.photo())
        assert "约好了" in await self.say("确认")
        return self

    async def left(self) -> list[str]:
        """Ids of what is still kept once all that is over is swept away."""
        await self.files.sweep()
        keys = [row.key for row in await self.files.rows()]
        assert {name.partition("-")[0] for name in self.files.folder} == set(keys)
        return keys

    async def values(self) -> dict[str, Any]:
        async with self.files.world.unit_of_work() as context:
            row = await context.session.get(Conversation, 1)
            assert row is not None
            state = State.model_validate(context.vault.open(row.state, about="conversation"))
        return state.top.values if state.top else {}


@asynccontextmanager
async def _house(
    tmp_path: Path, demo_template: Path, pipeline: Pipeline, *fields: dict[str, Any]
) -> AsyncIterator[Talk]:
    """A house in which a room is booked with these fields beside its own."""
    var, data = tmp_path / "var", tmp_path / "data"
    shutil.copytree(demo_template, var)
    settings = _settings(var)
    shutil.copytree(settings.data_dir, data)
    for service in (data / "services").glob("*.yml"):
        declared = yaml.safe_load(service.read_text(encoding="utf-8"))
        declared["form"] = [field for field in declared.get("form", ()) if field["type"] != "materials"]
        if service.stem == "health_room":
            declared["retention_days"] = 365
            declared["form"] += fields
        service.write_text(yaml.safe_dump(declared, allow_unicode=True), encoding="utf-8")
    app = build(settings.model_copy(update={"data_dir": data}), pipeline=pipeline, clock=MovableClock())
    await prepare(app, demo=False)
    files = filing(World(app, app.clock), readers=readers_of(app.house.records))  # type: ignore[arg-type]
    async with files.browser(LIN) as browser:
        yield Talk(files, browser)
    await app.house.database.close()


@pytest.fixture
async def talk(tmp_path: Path, demo_template: Path, pipeline: Pipeline) -> AsyncIterator[Talk]:
    """A room is booked with photographs."""
    async with _house(tmp_path, demo_template, pipeline, PHOTOS) as talk:
        yield talk


@pytest.fixture
async def free(tmp_path: Path, demo_template: Path, pipeline: Pipeline) -> AsyncIterator[Talk]:
    """A room is booked with photographs and papers, if one likes."""
    photos, papers = {**PHOTOS, "optional": True}, {**PHOTOS, **PAPERS, "optional": True}
    async with _house(tmp_path, demo_template, pipeline, photos, papers) as talk:
        yield talk


@pytest.fixture
async def bare(tmp_path: Path, demo_template: Path, pipeline: Pipeline) -> AsyncIterator[Talk]:
    """Nothing in this house is done with files."""
    async with _house(tmp_path, demo_template, pipeline) as talk:
        yield talk


async def _asked(talk: Talk) -> str:
    await talk.say("周五下午三点约瑜伽室")
    return await talk.say("2人")


async def test_a_photograph_answers_the_question_and_more_can_follow(talk: Talk) -> None:
    assert "发两张照片吧" in await _asked(talk)
    first, second = await talk.photo("一.jpg"), await talk.photo("二.jpg")
    told = await talk.say("", first)
    assert "一共 1 份" in told
    assert "照片：一.jpg" in told
    told = await talk.say("", second)
    assert "一共 2 份" in told
    assert "照片：一.jpg、二.jpg" in told
    assert (await talk.values())["photos"] == [first, second]


async def test_several_come_at_once_and_with_words(talk: Talk) -> None:
    await _asked(talk)
    keys = [await talk.photo(f"{number}.jpg") for number in range(2)]
    told = await talk.say("照片来了", *keys)
    assert "一共 2 份" in told
    assert "照片：0.jpg、1.jpg" in told
    assert "没太明白" not in told
    assert (await talk.values())["photos"] == keys


async def test_words_beside_the_photographs_are_heard(talk: Talk) -> None:
    await _asked(talk)
    told = await talk.say("改成8个人", await talk.photo())
    assert "人数：8" in told
    assert "照片：a.jpg" in told
    assert "什么都没提交" in await talk.say("不办了", await talk.photo())
    assert await talk.left() == []


async def test_photographs_may_come_with_the_first_message(talk: Talk) -> None:
    key = await talk.photo()
    told = await talk.say("周五下午三点约瑜伽室", key)
    assert "一共 1 份" in told
    assert "照片：a.jpg" in await talk.say("2人")
    assert (await talk.values())["photos"] == [key]


async def test_words_are_no_photographs(talk: Talk) -> None:
    await _asked(talk)
    assert "直接发过来就行" in await talk.say("我想想啊")


@pytest.mark.parametrize("text", ["", "2人"])
async def test_what_the_form_does_not_want_is_refused(talk: Talk, text: str) -> None:
    await _asked(talk)
    paper = (await kept(talk.browser, pdf(), "a.pdf"))["id"]
    assert "这里只收照片" in await talk.say(text, paper)
    too_many = [await talk.photo() for _ in range(4)]
    assert "最多放 3 份" in await talk.say(text, *too_many)
    assert "photos" not in await talk.values()


async def test_nobody_hands_in_what_is_not_theirs(talk: Talk) -> None:
    await _asked(talk)
    async with talk.files.browser("王敏") as other:
        foreign = (await kept(other, picture()))["id"]
    for key in (foreign, "0" * 32):
        told = await talk.say("", key)
        assert "不是您的" in told
        assert "发两张照片吧" in told
    assert "photos" not in await talk.values()
    assert foreign in talk.files.folder


async def test_what_comes_before_the_form_waits_for_it(talk: Talk) -> None:
    key, other = await talk.photo("一.jpg"), await talk.photo("二.jpg")
    assert "一共 1 份。是办哪件事要用的" in await talk.say("", key)
    assert "一共 2 份。是办哪件事要用的" in await talk.say("你好", other)
    told = await talk.say("周五下午三点约瑜伽室")
    assert "收到了，一共 2 份" in told
    assert told.index("大概几个人") > told.index("。")
    assert "照片：一.jpg、二.jpg" in await talk.say("2人")
    assert "约好了" in await talk.say("确认")
    assert await talk.left() == [key, other]


async def test_what_waits_is_forgotten_when_no_form_comes(talk: Talk) -> None:
    await talk.say("", await talk.photo())
    talk.files.world.clock.move(hours=1)
    assert "一共" not in await talk.say("周五下午三点约瑜伽室")
    talk.files.world.clock.move(hours=24)
    assert await talk.left() == []


async def test_what_waits_may_be_of_the_wrong_kind(talk: Talk) -> None:
    assert "哪件事" in await talk.say("", await talk.document())
    told = await talk.say("周五下午三点约瑜伽室")
    assert "这里只收照片" in told
    assert told.index("大概几个人") > told.index("。")
    assert await talk.left() == []


async def test_where_nothing_is_done_with_files_none_is_kept(bare: Talk) -> None:
    key, other = await bare.photo(), await bare.photo()
    assert "看不了" in await bare.say("", key)
    assert "没有留" in await bare.say("你好", other)
    assert await bare.left() == []


async def test_the_page_offers_files_where_something_is_done_with_them(world: World) -> None:
    async with filing(world).browser() as browser:
        assert (await browser.get("/api/v1/session")).json()["files"] is True


async def test_the_page_offers_no_files_where_nothing_is_done_with_them(bare: Talk) -> None:
    assert (await bare.browser.get("/api/v1/session")).json()["files"] is False


@pytest.mark.parametrize("text", ["没有", "先不传", "跳过", "没有照片", "照片先不传了", "没图"])
async def test_optional_photographs_are_passed_over(free: Talk, text: str) -> None:
    assert "发两张照片吧" in await _asked(free)
    assert "有说明也发来" in await free.say(text)
    told = await free.say("没有材料")
    assert "帮您核对" in told
    assert "照片" not in told
    assert "约好了" in await free.say("确认")


@pytest.mark.parametrize("text", ["没有", "先不传"])
async def test_photographs_that_are_needed_are_not_passed_over(talk: Talk, text: str) -> None:
    await _asked(talk)
    assert "发两张照片吧" in await talk.say(text)
    assert "photos" not in await talk.values()


async def test_each_file_goes_to_the_question_that_takes_its_kind(free: Talk) -> None:
    await _asked(free)
    told = await free.say("", await free.document("方案.pdf"), await free.photo())
    assert "收到了，一共 2 份" in told
    assert "照片：a.jpg\n说明：方案.pdf" in told


async def test_photographs_are_changed_and_the_change_is_thought_better_of(talk: Talk) -> None:
    await _asked(talk)
    old, new = await talk.photo("旧.jpg"), await talk.photo("新.jpg")
    await talk.say("", old)
    await talk.say("改一下")
    assert "发两张照片吧" in await talk.say("照片")
    assert "照片：旧.jpg" in await talk.say("不改了")
    assert "发两张照片吧" in await talk.say("换照片")
    told = await talk.say("", new)
    assert "照片：新.jpg" in told
    assert "旧.jpg" not in told
    assert (await talk.values())["photos"] == [new]


async def test_more_is_sent_at_the_read_back_and_the_held_time_stays(talk: Talk) -> None:
    await _asked(talk)
    assert "给您留到 09:10" in await talk.say("", await talk.photo("一.jpg"))
    talk.files.world.clock.move(minutes=3)
    told = await talk.say("", await talk.photo("二.jpg"))
    assert "照片：一.jpg、二.jpg" in told
    assert "给您留到 09:10" in told


async def test_what_was_handed_in_goes_with_the_booking(talk: Talk) -> None:
    await talk.booked()
    (key,) = await talk.left()
    (row,) = await talk.files.rows()
    assert (row.subject, row.expires_at) == ("appointment:1", None)
    async with talk.files.browser("王敏") as other, talk.files.browser("周涛") as officer:
        assert (await talk.browser.get(f"{FILES}/{key}")).status_code == 200
        assert (await officer.get(f"{FILES}/{key}")).status_code == 200
        assert (await other.get(f"{FILES}/{key}")).status_code == 404


async def test_the_files_of_a_booking_go_when_it_is_forgotten(talk: Talk) -> None:
    await talk.booked()
    talk.files.world.clock.move(days=2_000)
    await talk.files.world.app.sweep()
    assert await talk.left() == []


async def test_a_draft_outlives_its_files_which_are_asked_for_anew(talk: Talk) -> None:
    await _asked(talk)
    await talk.say("", await talk.photo())
    talk.files.world.clock.move(hours=25)
    assert await talk.left() == []
    assert "照片：a.jpg" in await talk.say("继续")
    told = await talk.say("确认")
    assert "已经不在了" in told
    assert "发两张照片吧" in told
    assert "照片：b.jpg" in await talk.say("", await talk.photo("b.jpg"))
    assert "约好了" in await talk.say("确认")


async def test_who_waits_hands_in_and_takes_away(talk: Talk) -> None:
    async with talk.files.browser("王敏") as browser:
        await Talk(talk.files, browser).booked()
    taken = await talk.left()
    await talk.say("周五下午三点约瑜伽室")
    await talk.say("排候补")
    await talk.say("2人")
    key = await talk.photo("候补.jpg")
    await talk.say("", key)
    await talk.say("确认")
    rows = {row.key: row.subject for row in await talk.files.rows()}
    assert rows[key] == "waiting:1"
    await talk.say("取消候补")
    assert "候补帮您退了" in await talk.say("是的")
    assert await talk.left() == taken


async def test_the_same_message_again_is_answered_the_same(talk: Talk) -> None:
    key = await talk.photo()
    first = await talk.say("", key, message_id="same")
    await talk.files.sweep()
    assert await talk.say("", key, message_id="same") == first


async def test_a_form_that_is_given_up_keeps_no_photograph(talk: Talk) -> None:
    await _asked(talk)
    await talk.say("", await talk.photo())
    await talk.say("不办了")
    assert await talk.left() == []


async def test_a_channel_that_kept_nothing_is_answered_as_before(world: World) -> None:
    inbound = Inbound(
        address=Address(channel="web", conversation=LIN_ID),
        event_id="1",
        sender=LIN_ID,
        text="",
        attachments=(Attachment(kind="picture"),),
    )
    (reply,) = await world.app.gateway.receive(inbound)
    assert "看不了" in reply.text


async def test_odd_ids_are_no_ids(world: World) -> None:
    parts = _api_parts(world.app, asyncio.Event(), load_world(world.app.settings.data_dir))
    files = replace(filing(world), api=create_api(parts))
    async with files.browser() as browser:
        for odd in ("../x", "A" * 32, "0" * 31):
            sent = {"message_id": odd, "text": "", "attachments": [odd]}
            assert (await browser.post("/api/v1/chat", json=sent)).status_code == 422
    assert FILES


async def test_another_channel_hands_in_by_the_same_way(talk: Talk) -> None:
    """A file that another channel has fetched from its own servers: kept by the desk, named by the message."""
    world, desk = talk.files.world, talk.files.desk
    address = Address(channel="telegram", account="union", conversation="77")
    async with world.unit_of_work(LIN_ID) as context:
        account = Account(channel="telegram", account="union", sender="77", conversation="77")
        account.member_id, account.bound_at, account.heard_at = context.actor.member_id, context.now, context.now
        context.session.add(account)
    said = []
    for number, text in enumerate(("周五下午三点约瑜伽室", "2人", "", "确认")):
        handed: tuple[Attachment, ...] = ()
        if not text:
            view = await desk.keep(address, "77", "a.jpg", io.BytesIO(picture()))
            handed = (Attachment(kind="picture", id=view.id),)
        inbound = Inbound(address=address, event_id=str(number), sender="77", text=text, attachments=handed)
        said.append((await world.app.gateway.receive(inbound))[0].text)
    assert "发两张照片吧" in said[1]
    assert "照片：a.jpg" in said[2]
    assert "约好了" in said[3]
    assert [row.subject for row in await talk.files.rows()] == ["appointment:1"]


async def test_the_plan_of_a_large_group_comes_to_who_decides(world: World) -> None:
    """As shipped: who books for many may hand in a plan, and the officer opens it from the request."""
    files = filing(world, readers=readers_of(world.app.house.records))
    async with files.browser() as browser, files.browser("周涛") as officer:
        talk = Talk(files, browser)
        plan = await talk.document("方案.pdf")
        assert "哪件事" in await talk.say("", plan)
        assert "一共" not in await talk.say("周五下午三点约多功能室，2人")
        assert "收到了，一共 1 份" in await talk.say("改成30人")
        assert "活动方案：方案.pdf" in await talk.say("南湖")
        assert "请工会老师" in await talk.say("确认")
        await world.sent()
        (asked,) = [m for m in (await officer.get("/api/v1/history")).json()["messages"] if "活动方案" in m["text"]]
        assert asked["files"] == [{"id": plan, "name": "方案.pdf"}]
        assert (await officer.get(f"{FILES}/{plan}")).content == pdf()
