"""The language model at the table: it is asked about what nobody understood, and the member decides."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from bot.app import build, prepare, refresh_names
from bot.llm.usage import LlmUsage
from bot.settings import LlmSettings, Settings, VaultSettings
from tests.conftest import VAULT_KEY, MovableClock, World
from tests.llm.server import Server, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime
    from pathlib import Path

    from nlu.pipeline import Pipeline
    from nlu.types import Parse

#: Nobody but a person who knows yoga would guess that a room is meant; nor does the NLU here, however much it learns.
ODD = "拉伸一下筋骨的垫子有没有地儿铺开"


@dataclass
class Puzzled:
    """The NLU, at a loss about one message."""

    pipeline: Pipeline

    async def parse(self, text: str, now: datetime) -> Parse:
        parse = await self.pipeline.parse(text, now)
        if "垫子" not in text:
            return parse
        return replace(parse, intent="out_of_scope", confidence=0.1, ranking=(), entities=(), times=())


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as peer:
        peer.says({"intent": "book_room"})
        yield peer


@pytest.fixture
async def helped(tmp_path: Path, demo_template: Path, pipeline: Pipeline, server: Server) -> AsyncIterator[World]:
    """The demo world with a language model."""
    var, clock = tmp_path / "var", MovableClock()
    shutil.copytree(demo_template, var)
    llm = LlmSettings(url=server.url, model="m", seconds=2)
    app = build(
        Settings(var_dir=var, vault=VaultSettings(keys=VAULT_KEY), llm=llm), pipeline=Puzzled(pipeline), clock=clock
    )
    await prepare(app, demo=False)
    yield World(app=app, clock=clock)
    assert app.llm is not None
    await app.llm.close()
    await app.house.database.close()


async def test_what_nobody_understood_is_asked_about(helped: World, server: Server) -> None:
    (reply,) = await helped.say(ODD)
    assert "功能室预约" in [option.label for option in reply.options]
    assert "都不是" in [option.label for option in reply.options]
    assert len(server.heard) == 1
    assert "想约哪个房间" in await helped.told("功能室预约")


async def test_what_was_understood_is_not_shown(helped: World, server: Server) -> None:
    for text in ("你好", "我想约乒乓球室", "不办了", "我不想活了", "想约心理咨询"):
        await helped.say(text)
    assert server.heard == []


async def test_what_is_typed_into_a_form_is_not_shown(helped: World, server: Server) -> None:
    await helped.say("我想约功能室")
    await helped.say(ODD)
    assert server.heard == []


async def test_what_is_meant_for_a_person_is_not_shown(helped: World, server: Server) -> None:
    helped.clock.move(days=1, hours=1)
    await helped.say("人工")
    await helped.say(ODD)
    assert server.heard == []


async def test_private_services_are_never_proposed(helped: World, server: Server) -> None:
    server.says({"intent": "book_counseling"})
    (reply,) = await helped.say(ODD)
    assert reply.options == ()
    (asked,) = server.heard
    assert "book_counseling" not in asked["messages"][0]["content"]
    assert "apply_aid" not in asked["messages"][0]["content"]


async def test_a_member_of_the_roster_is_not_named(helped: World, server: Server) -> None:
    await refresh_names(helped.app)
    await helped.say("傅明月那边铺垫子的地儿借我行不")
    assert server.heard == []


async def test_a_server_that_is_away_changes_nothing(helped: World, server: Server) -> None:
    server.status = 503
    (reply,) = await helped.say(ODD)
    assert reply.options == ()


async def test_the_budget_is_in_the_database(helped: World) -> None:
    await helped.say(ODD)
    async with helped.app.house.database.read() as session:
        row = await session.get(LlmUsage, helped.clock().date())
    assert row is not None
    assert (row.calls, row.tokens_in, row.tokens_out) == (1, 100, 20)


QUESTION = "女职工产假一共多少天"
QUOTED = "女职工生育享受98天产假"


async def test_a_found_answer_is_said_in_other_words_with_its_source(helped: World, server: Server) -> None:
    server.says({"answer": "女职工生育享受98天产假，其中产前可以休假15天[1]。"})
    said = await helped.told(QUESTION)
    assert "其中产前可以休假15天。" in said
    assert "难产的" not in said
    assert "《女职工劳动保护特别规定》" in said
    (asked,) = server.heard
    assert "难产的" in asked["messages"][1]["content"]


@pytest.mark.parametrize("answer", ["女职工生育享受158天产假[1]。", "女职工生育享受98天产假。", "", None])
async def test_what_does_not_keep_to_the_passage_is_not_said(helped: World, server: Server, answer: object) -> None:
    server.says({"answer": answer})
    said = await helped.told(QUESTION)
    assert QUOTED in said
    assert "难产的" in said
    assert "158" not in said


async def test_what_is_quoted_word_for_word_is_never_given_out(helped: World, server: Server) -> None:
    await helped.told("今年工会工作要点里福利怎么改")
    assert server.heard == []
