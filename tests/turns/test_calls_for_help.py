"""A call for help through the whole assistant: whatever is said, in private, in a group, in the middle of any form."""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from actions.core.tables import Conversation
from actions.safety import Alert
from bot.dialogue.state import State
from bot.replay import TurnSpec
from bot.settings import ROOT
from bot.world import load_world
from tests.conversations.catalogue import catalogue, dialogues, shown_by

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import World

CALLS = [json.loads(line) for line in (ROOT / "data/evaluation/crisis.jsonl").read_text(encoding="utf-8").splitlines()]
NUMBERS = ("12356", "12338", "110", "120")
MATTERS = ("12356", "12338", "自杀", "轻生", "家暴", "伤害", "心理", "咨询", "热线")
DEMO = load_world(ROOT / "data")
SHOWN = shown_by(dialogues())
#: Services with a question that the opening message does not answer by itself.
FORMS = sorted(service.id for service in catalogue() if not all(field.opening for field in service.form))


async def _alerts(world: World) -> int:
    async with world.app.house.database.read() as session:
        return (await session.execute(select(func.count()).select_from(Alert))).scalar_one()


async def test_every_call_of_the_set_is_answered_in_private(world: World) -> None:
    for number, call in enumerate(CALLS, 1):
        (answer,) = await world.say(call["text"], who=f"somebody-{number}")
        assert any(each in answer.text for each in NUMBERS), call["text"]
        assert answer.options == (), call["text"]
        assert await _alerts(world) == number, call["text"]


async def test_every_call_of_the_set_is_answered_in_a_group_without_naming_the_matter(world: World) -> None:
    for number, call in enumerate(CALLS, 1):
        replies = await world.say(call["text"], who=f"somebody-{number}", group="教工群")
        answers = [reply for reply in replies if reply.address.chat == "group"]
        assert len(answers) == 1, call["text"]
        assert "私下" in answers[0].text, call["text"]
        assert not any(matter in answers[0].text for matter in MATTERS), call["text"]
        assert await _alerts(world) == number, call["text"]


# --- in the middle of every form


def _turns(service: str) -> Iterator[TurnSpec]:
    """What is said in the conversations that show a service, the shortest first."""
    for dialogue in SHOWN[service]:
        for turn in dialogue.turns:
            said = turn if isinstance(turn, TurnSpec) else TurnSpec(text=turn)
            who, chat = said.who or dialogue.given.who or DEMO.default, said.chat or dialogue.given.chat
            yield said.model_copy(update={"who": DEMO.sender(who), "chat": chat})


async def _said(world: World, turn: TurnSpec) -> None:
    if turn.pause:
        world.clock.now += turn.pause
        await world.sent()
    await world.say(turn.text, who=turn.who, group="群聊" if turn.chat == "group" else "")


async def _state(world: World, who: str) -> State:
    async with world.app.house.database.read() as session:
        kept = (await session.execute(select(Conversation).where(Conversation.key == who))).scalar_one_or_none()
    if kept is None or not kept.state:
        return State()
    return State.model_validate(world.app.house.vault.open(kept.state, about="conversation"))


@pytest.mark.parametrize("service", FORMS)
async def test_in_the_middle_of_a_form(service: str, world: World) -> None:
    """At each question: the answer, one alert, the form put aside, and taken up again with all that was filled in."""
    call = CALLS[zlib.crc32(service.encode()) % len(CALLS)]["text"]
    asked = 0
    for turn in _turns(service):
        await _said(world, turn)
        before = (await _state(world, turn.who)).top
        if before is None or before.service != service:
            if asked:
                break
            continue
        asked += 1
        alerts = await _alerts(world)
        answer, *more = await world.say(call, who=turn.who)
        assert any(each in answer.text for each in NUMBERS)
        assert (answer.options, more) == ((), [])
        assert await _alerts(world) == alerts + (asked == 1)
        aside = await _state(world, turn.who)
        assert aside.top is None
        assert aside.drafts[-1].service == service
        await world.say("接着填", who=turn.who)
        again = (await _state(world, turn.who)).top
        assert again is not None
        assert again.service == service
        assert {key: again.values.get(key) for key in before.values} == before.values
    assert asked
