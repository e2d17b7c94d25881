"""Questions without an answer: grouped by likeness, answered, labelled for training, let go, forgotten."""

import json

import pytest
from sqlalchemy import select

from actions.core.errors import DomainError
from actions.core.tables import Outgoing
from actions.knowledge.commands import Ask
from actions.knowledge.tables import OpenQuestion
from bot.learning import evaluate
from bot.settings import ROOT
from nlu.data import read
from tests.conftest import NOW, World
from tests.knowledge.conftest import Office

FIRST, LIKE_IT, OTHER = "羽毛球协会用什么牌子的球", "羽毛球协会用哪个牌子的球", "摄影协会会长是谁"


async def _asked(world: World) -> None:
    await world.say(FIRST)
    await world.say(LIKE_IT, who="20150108")
    await world.say(OTHER, who="20130517")


async def _states(world: World) -> list[str]:
    async with world.app.house.database.read() as session:
        return list((await session.execute(select(OpenQuestion.state).order_by(OpenQuestion.id))).scalars())


async def test_questions_alike_stand_together(office: Office) -> None:
    assert await office.do("unanswered.list") == "没有等着答的问题。"
    await _asked(office.world)
    groups = (await office.data("unanswered.list"))["groups"]
    assert [(group["count"], group["texts"]) for group in groups] == [
        (2, [FIRST, LIKE_IT]),
        (1, [OTHER]),
    ]


async def test_an_answer_reaches_everybody_who_asked_and_nobody_else(office: Office) -> None:
    world = office.world
    await _asked(world)
    said = await office.do("unanswered.answer", question_id=1, reason="可以退，找社团负责人。")
    assert said == "好，已告诉问的 2 位老师。"
    told = {message.address.conversation: message.text for message in await world.sent()}
    assert set(told) == {"20180312", "20150108"}
    assert told["20180312"] == f"您问过“{FIRST}”，工会的老师答复：\n\n可以退，找社团负责人。"
    assert await _states(world) == ["answered", "answered", "open"]
    with pytest.raises(DomainError, match="question_settled"):
        await office.do("unanswered.answer", question_id=1, reason="再答一次")


async def test_somebody_not_bound_is_told_too(office: Office) -> None:
    await office.world.say(FIRST, who="guest-1")
    assert "已告诉问的 1 位" in await office.do("unanswered.answer", question_id=1, reason="可以。")
    assert [message.address.conversation for message in await office.world.sent()] == ["guest-1"]


async def test_an_answer_may_become_a_passage(office: Office) -> None:
    world = office.world
    await world.say(FIRST)
    said = await office.do(
        "unanswered.answer", question_id=1, reason="用协会统一买的球。", as_passage=True, service="club_info"
    )
    assert "这条答复以后也会引用" in said
    again = await world.told(LIKE_IT, who="20150108")
    assert "用协会统一买的球。" in again
    assert "校工会答复，2026年11月22日起" in again
    assert await _states(world) == ["answered"]


async def test_an_officer_answers_in_the_chat(office: Office) -> None:
    world = office.world
    await _asked(world)
    (listed,) = await world.say("没答上来", who=office.officer)
    assert f"1. {FIRST}／{LIKE_IT}（2 个" in listed.text
    values = [option.value for option in listed.options]
    answer, dismiss = values[0], values[2]
    assert "还没写要说的话" in await world.told(answer, who=office.officer)
    assert "已告诉问的 2 位" in await world.told(f"{answer} 可以退。", who=office.officer)
    assert "处理过了" in (late := await world.told(dismiss, who=office.officer)) or "结束" in late
    assert await _states(world) == ["answered", "answered", "open"]


async def test_a_label_becomes_training_data_for_review_and_nothing_else(office: Office) -> None:
    world = office.world
    await _asked(world)
    assert "归到" in await office.do("unanswered.label", question_id=1, reason="ask_club")
    before = {path: path.stat().st_mtime_ns for path in (ROOT / "data" / "nlu").glob("*.yml")}
    exported = await office.data("unanswered.export")
    path = world.app.settings.var_dir / "review" / "labelled.jsonl"
    assert (exported["count"], exported["path"]) == (2, str(path))
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert rows == [{"text": FIRST, "intent": "ask_club"}, {"text": LIKE_IT, "intent": "ask_club"}]
    assert [example.intent for example in read(path)] == ["ask_club", "ask_club"]
    assert {path: path.stat().st_mtime_ns for path in (ROOT / "data" / "nlu").glob("*.yml")} == before
    evaluation = await evaluate(world.app.pipeline, path, NOW)  # type: ignore[arg-type]
    assert len(evaluation.judged) == 2


async def test_a_label_must_be_an_intent(office: Office) -> None:
    await _asked(office.world)
    with pytest.raises(DomainError, match="no_such_intent"):
        await office.do("unanswered.label", question_id=1, reason="社团")


async def test_what_needs_no_answer_is_dismissed_in_silence(office: Office) -> None:
    await _asked(office.world)
    assert "2 个问题不用答了" in await office.do("unanswered.dismiss", question_id=1)
    assert await office.world.sent() == []
    assert await _states(office.world) == ["dismissed", "dismissed", "open"]


@pytest.mark.parametrize("number", [0, 99])
async def test_a_question_that_is_not_there_is_settled_already(office: Office, number: int) -> None:
    with pytest.raises(DomainError, match="question_settled"):
        await office.do("unanswered.dismiss", question_id=number)


async def test_questions_are_forgotten_after_their_time(office: Office) -> None:
    await _asked(office.world)
    office.world.clock.move(days=179)
    await office.world.app.sweep()
    assert len(await _states(office.world)) == 3
    office.world.clock.move(days=2)
    await office.world.app.sweep()
    assert await _states(office.world) == []


async def test_nothing_that_is_written_down_names_the_asker(office: Office) -> None:
    asked = Ask(question=f"{FIRST}，我是林一帆，电话13800000001", service="club_info")
    async with office.world.unit_of_work("20180312") as context:
        assert (await context.bus.execute(asked, context)).data["verdict"] == "nothing"
    async with office.world.app.house.database.read() as session:
        (row,) = (await session.execute(select(OpenQuestion))).scalars()
        kept = " ".join(str(getattr(row, column.key)) for column in OpenQuestion.__table__.columns)
        outgoing = (await session.execute(select(Outgoing.content))).scalars().all()
    assert [word for word in ("林一帆", "13800000001", "20180312", "羽毛球") if word in kept] == []
    assert all("林一帆" not in content for content in outgoing)
    listed = await office.do("unanswered.list")
    assert "〔姓名〕" in listed
    assert "林一帆" not in listed
