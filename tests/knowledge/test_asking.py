"""A member asks: the answer with its source, candidates, or plainly nothing; in private, in a group, within a form."""

import json
import shutil
from pathlib import Path

import pytest
from sqlalchemy import func, select

from actions.core.tables import Audit
from actions.knowledge.asking import told
from actions.knowledge.commands import Ask
from actions.knowledge.phrasing import Draft, drafted, phrased
from actions.knowledge.tables import OpenQuestion
from bot.app import build
from bot.settings import Settings, VaultSettings
from nlu.pipeline import Pipeline
from tests.conftest import NOW, VAULT_KEY, MovableClock, World


async def _kept(world: World) -> list[OpenQuestion]:
    async with world.app.house.database.read() as session:
        return list((await session.execute(select(OpenQuestion).order_by(OpenQuestion.id))).scalars())


async def test_the_clause_is_quoted_with_where_it_stands_and_since_when(either_world: World) -> None:
    said = await either_world.told("生孩子工会有慰问吗")
    assert "工会会员结婚生育时，可以给予一定金额的慰问品。" in said
    assert "《基层工会经费收支管理办法》（总工办发〔2017〕32号），中华全国总工会办公厅，2017年12月15日起" in said
    assert "示例" not in said


async def test_what_is_not_confirmed_is_said_to_be_an_example(world: World) -> None:
    assert "示例：这一条工会还没有确认" in await world.told("成立新社团要什么条件")


async def test_what_is_past_its_date_says_so(world: World) -> None:
    said = await world.told("爱心扶助金管理办法要修订吗")
    assert "修订《中国矿业大学教职工爱心扶助金管理办法》" in said
    assert "管到2025年12月31日，已经过了时间" in said


async def test_what_follows_is_about_the_same_matter(world: World) -> None:
    await world.say("产假有几天")
    assert "生育多胞胎的，每多生育1个婴儿，增加产假15天" in await world.told("那双胞胎呢")
    assert "增加产假15天" in await world.told("难产呢")


async def test_what_was_asked_before_alone_is_no_answer(world: World) -> None:
    await world.say("生孩子工会有慰问吗")
    assert "结婚生育时" not in await world.told("那停车呢")


async def test_a_topic_is_forgotten_after_a_while(world: World) -> None:
    await world.say("产假有几天")
    world.clock.move(hours=1)
    assert "产假" not in await world.told("那难产呢")


async def test_candidates_are_offered_and_picked_by_number_or_by_name(world: World) -> None:
    (offered,) = await world.say("疗休养的费用谁来出")
    labels = [option.label for option in offered.options]
    assert 3 <= len(labels) <= 4
    assert labels[-1] == "都不是"
    assert "您想问的是哪一条" in offered.text
    by_number = await world.told("2")
    await world.say("疗休养的费用谁来出")
    assert await world.told(labels[1]) == by_number


async def test_where_no_candidate_will_do_the_question_is_kept(world: World) -> None:
    await world.say("疗休养的费用谁来出")
    assert "问题记下来了" in await world.told("都不是")
    (row,) = await _kept(world)
    assert world.app.house.vault.open(row.text, about="question") == "疗休养的费用谁来出"


async def test_nothing_found_is_said_plainly_and_kept_masked(either_world: World) -> None:
    said = await either_world.told("摄影协会的会长是王敏吗")
    assert "没有查到有依据的说法" in said
    assert "问题记下来了" in said
    (row,) = await _kept(either_world)
    vault = either_world.app.house.vault
    assert vault.open(row.text, about="question") == "摄影协会的会长是〔姓名〕吗"
    assert "摄影" not in row.text
    assert row.service == "club_info"


async def test_the_same_question_of_the_same_person_is_kept_once(world: World) -> None:
    for _ in range(3):
        await world.say("羽毛球协会用什么牌子的球")
    await world.say("羽毛球协会用什么牌子的球", who="20150108")
    assert len({row.asker_key for row in await _kept(world)}) == len(await _kept(world)) == 2


@pytest.mark.parametrize("kept", [True, False])
async def test_what_nobody_can_place_is_kept_where_the_settings_want_it(world: World, kept: bool) -> None:
    desk = world.app.house.lives["question"]._answers  # type: ignore[attr-defined]
    object.__setattr__(desk.rules, "keep_unplaced", kept)
    assert "没听明白" in await world.told("学校班车几点发车")
    assert len(await _kept(world)) == int(kept)


async def test_chat_that_asks_nothing_is_never_kept(world: World) -> None:
    await world.say("今天天气真好啊")
    await world.say("哈哈哈哈")
    assert await _kept(world) == []


async def test_nothing_is_kept_of_a_crisis(world: World) -> None:
    said = await world.told("我不想活了，工会能管吗")
    assert "12356" in said
    assert await _kept(world) == []


async def test_a_question_within_a_private_form_is_answered_and_not_kept(world: World) -> None:
    await world.say("约心理咨询")
    said = await world.told("咨询收费吗")
    assert "公告为准" in said
    assert "想约什么时候" in said
    unknown = await world.told("心理中心门口能停车吗，有停车位没有")
    assert "想约什么时候" in unknown
    assert "记下来" not in unknown
    assert await _kept(world) == []


async def test_a_question_does_not_lose_the_form(world: World) -> None:
    await world.say("约瑜伽室")
    said = await world.told("产假一共有多少天")
    assert "98天" in said
    assert "什么时候用" in said
    assert "先放一放" not in said


async def test_in_a_group_a_question_is_answered_unless_it_is_private(world: World) -> None:
    await world.say("你好")
    assert "5‰" in await world.told("会费交多少", group="同事群")
    said = await world.told("咨询会保密吗", group="同事群")
    assert said == "这件事咱们私聊说，我已经在私聊里找您了。"
    (private,) = [message for message in await world.sent() if message.address.conversation == "20180312"]
    assert "保守秘密" in private.text


async def test_what_nobody_placed_is_not_answered_out_of_a_private_service_in_a_group(world: World) -> None:
    async with world.unit_of_work("20180312") as context:
        actor = context.actor.__class__(member=context.actor.member, private=False)
        group = context.acting_as(actor)
        outcome = await group.bus.execute(Ask(question="咨询师能不能诊断、开药", strict=True), group)
    assert outcome.data["verdict"] == "nothing"


async def test_somebody_who_is_not_bound_may_ask(world: World) -> None:
    assert "98天" in await world.told("产假一共有多少天", who="nobody-yet")


async def test_who_asks_is_a_pseudonym_in_the_audit(world: World) -> None:
    await world.say("会费交多少")
    async with world.app.house.database.read() as session:
        entry = (await session.execute(select(Audit).where(Audit.command == "knowledge.ask"))).scalar_one()
        kept = (await session.execute(select(func.count()).select_from(OpenQuestion))).scalar_one()
    assert entry.actor.startswith("p-")
    assert kept == 0


async def test_a_service_that_is_kept_elsewhere_is_not_answered_here(
    tmp_path: Path, demo_template: Path, pipeline: Pipeline
) -> None:
    shutil.copytree(demo_template, tmp_path / "var")
    elsewhere = {"union_info": {"elsewhere": {"text": "请看工会网站。"}}}
    settings = Settings(var_dir=tmp_path / "var", vault=VaultSettings(keys=VAULT_KEY), services=elsewhere)
    world = World(app := build(settings, pipeline=pipeline, clock=MovableClock()), MovableClock())
    said = await world.told("会费交多少")
    await app.house.database.close()
    assert "请看工会网站" in said
    assert "5‰" not in said


# --- where a language model may come in


async def _one(text: str, passages: object) -> str:
    return f"短一点：{text}"


async def test_a_draft_is_said_only_for_the_passage_that_it_was_made_of(world: World) -> None:
    questions = world.app.house.lives["question"]
    sources = questions.sources("会费交多少", NOW, service="union_info")  # type: ignore[attr-defined]
    draft = await drafted(_one, "会费交多少", sources)
    assert draft is not None
    async with world.unit_of_work("20180312") as context:
        same = await context.bus.execute(Ask(question="会费交多少", service="union_info"), context)
        other = await context.bus.execute(Ask(question="产假有几天", service="welfare"), context)
    assert phrased(same, draft).params["text"] == "短一点：会费交多少"
    assert phrased(same, draft).params["source"] == told(sources[0], NOW.date())["source"]
    assert phrased(other, draft) == other
    assert phrased(same, None) == same
    assert phrased(same, Draft(text="x", refs=draft.refs, quoted="an older text")) == same


async def test_a_text_that_is_quoted_word_for_word_is_never_given_out(world: World) -> None:
    questions = world.app.house.lives["question"]
    sources = questions.sources("九个坚持是什么", NOW, service="union_info")  # type: ignore[attr-defined]
    assert sources[0].verbatim
    assert await drafted(_one, "九个坚持是什么", sources) is None
    assert await drafted(_one, "红烧肉怎么做", ()) is None


def test_outcomes_can_be_kept_as_json() -> None:
    assert json.dumps(Ask(question="会费交多少").model_dump(mode="json"))
