"""What an officer gets to read, and what not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from actions.core.tables import Audit, Outgoing, Prompt
from actions.handover import Handover
from tests.handover.office import HE, LIN, SUNDAY, ZHOU

if TYPE_CHECKING:
    from tests.handover.office import Office


async def test_a_form_is_put_aside_unseen_and_goes_on_afterwards(office: Office):
    for text in ("下周三下午三点想约心理咨询", "何医生", "线上"):
        await office.says(LIN, text)
    told = await office.says(LIN, "人工")
    assert "手头这件先替您放着" in told
    await office.says(LIN, "在吗")
    await office.clicks(ZHOU, "接手")
    seen = "\n".join(office.news(ZHOU))
    assert not any(word in seen for word in ("心理", "咨询", "何医生", "线上", "三点"))
    assert "回“继续”接着办" in await office.says(LIN, "回来")
    assert "接着办心理咨询" in await office.says(LIN, "继续")


async def test_asked_for_in_the_middle_of_a_form_by_an_exact_word(office: Office):
    """人工 is no answer to the open question, whatever that asks for."""
    for text in ("下周三下午三点想约心理咨询", "何医生", "线上", "同意"):
        await office.says(LIN, text)
    assert "我去请值班老师" in await office.says(LIN, "人工")


async def test_a_private_service_asked_for_out_of_habit_is_held_back(talk: Office):
    told = await talk.says(LIN, "下周三下午想约心理咨询")
    assert "我没有转给老师" in told
    assert talk.news(ZHOU) == []
    await talk.clicks(LIN, "告诉老师")
    assert talk.news(ZHOU) == ["林一帆（文学院）：下周三下午想约心理咨询"]
    assert await talk.says(LIN, "那约周四的心理咨询呢") == ""
    assert talk.news(ZHOU) == ["林一帆（文学院）：那约周四的心理咨询呢"]


async def test_what_was_held_back_can_be_done_with_the_assistant(talk: Office):
    await talk.says(LIN, "下周三下午想约心理咨询")
    await talk.clicks(LIN, "回来")
    assert "选哪个" in await talk.says(LIN, "下周三下午想约心理咨询")
    assert "心理" not in "\n".join(talk.news(ZHOU))


async def test_a_private_matter_in_a_group_is_not_sent_to_the_officer(talk: Office):
    await talk.says(LIN, "@娘家人 下周三下午想约心理咨询", group="工会群")
    assert "这句我没有转" in "\n".join(talk.news(LIN))
    assert talk.news(ZHOU) == []


async def test_a_crisis_is_answered_and_alerted_and_not_sent_on(talk: Office):
    told = await talk.says(LIN, "我真的不想活了")
    assert "12356" in told
    assert talk.news(ZHOU) == []
    assert "林一帆" in talk.news(HE)[0]
    assert await talk.says(LIN, "老师你还在吗") == ""
    assert talk.news(ZHOU) == ["林一帆（文学院）：老师你还在吗"]


async def test_a_crisis_of_the_officer_is_not_sent_to_the_member(talk: Office):
    await talk.clicks(ZHOU, "回复")
    assert "12356" in await talk.says(ZHOU, "我真的不想活了")
    await talk.says(ZHOU, "没有人帮我")
    assert talk.news(LIN) == []


async def test_no_word_lies_open_in_the_database_or_in_the_audit(talk: Office):
    await talk.says(LIN, "我的存折丢了")
    await talk.clicks(ZHOU, "回复", "先去挂失")
    async with talk.world.app.house.database.read() as session:
        texts = [row.content for row in (await session.execute(select(Outgoing))).scalars()]
        for prompt in (await session.execute(select(Prompt))).scalars():
            texts += [prompt.notice, prompt.options]
        texts += [row.words for row in (await session.execute(select(Handover))).scalars()]
        audit = list((await session.execute(select(Audit).where(Audit.command.like("handover.%")))).scalars())
    assert texts
    assert not any(word in text for text in texts for word in ("存折", "挂失", "林一帆"))
    assert {row.command for row in audit} == {"handover.request", "handover.take", "handover.say", "handover.reply"}
    assert not any("存折" in f"{row.detail}{row.result}" for row in audit)
    assert all(row.actor.startswith("p-") for row in audit if row.command in ("handover.request", "handover.say"))


async def test_the_words_are_emptied_when_it_is_over(talk: Office):
    await talk.says(LIN, "我的存折丢了")
    await talk.clicks(ZHOU, "结束")
    async with talk.world.app.house.database.read() as session:
        about = select(Prompt.notice).where(Prompt.subject.startswith("handover"))
        assert list((await session.execute(about)).scalars()) == [""]
    await talk.later(hours=25)
    await talk.world.app.delivery.forget()
    async with talk.world.app.house.database.read() as session:
        assert all(not row.content for row in (await session.execute(select(Outgoing))).scalars())


async def test_a_message_left_off_hours_is_sealed_and_then_gone(office: Office):
    office.world.clock.now = SUNDAY
    await office.says(LIN, "人工")
    await office.says(LIN, "留言")
    await office.says(LIN, "我的存折丢了")
    (row,) = await office.handovers()
    assert row.words
    assert "存折" not in row.words
    await office.later(days=1)
    (row,) = await office.handovers()
    assert (row.words, row.state) == ("", "listed")


async def test_a_form_that_lay_idle_is_not_seen_either(office: Office):
    await office.says(LIN, "下周三下午三点想约心理咨询")
    await office.later(minutes=40)
    await office.says(LIN, "人工")
    await office.says(LIN, "在吗")
    assert "心理" not in "\n".join(office.news(ZHOU))
