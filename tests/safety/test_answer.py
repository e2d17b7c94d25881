"""What somebody in distress reads: calm, true, at once, and the very words that the counsellor gets."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, text

from actions.core.tables import Account, Audit, Base, Outgoing, Prompt
from actions.safety import RaiseAlert
from tests.records.world import DATA, NOW
from tests.safety.duty import alerts, call, told

if TYPE_CHECKING:
    from actions.safety import Kind
    from tests.records.world import World

NIGHT = NOW + timedelta(hours=14)
KINDS: tuple[Kind, ...] = ("despair", "danger_now", "violence_at_home")
NUMBERS = {
    "despair": ["12356", "0516-0000-0000"],
    "danger_now": ["110", "120"],
    "violence_at_home": ["110", "12338"],
}


@pytest.mark.parametrize("kind", KINDS)
async def test_the_numbers_of_each_kind_come_first(world: World, kind: Kind):
    said = world.say(await call(world, "林一帆", kind=kind))
    places = [said.index(number) for number in NUMBERS[kind]]
    assert places == sorted(places)
    assert said.index(NUMBERS[kind][0]) < said.index("值班")


@pytest.mark.parametrize("kind", KINDS)
async def test_the_person_reads_the_very_words_that_the_counsellor_gets(world: World, kind: Kind):
    outcome = await call(world, "林一帆", kind=kind)
    [(name, text)] = await told(world)
    assert name == "何医生"
    assert text.startswith(outcome.params["told"])
    assert f"“{outcome.params['told']}”" in world.say(outcome)
    for needed in ("林一帆", "文学院", "13800000001"):
        assert needed in outcome.params["told"]


async def test_who_is_not_bound_learns_that_nobody_can_find_them(world: World):
    outcome = await call(world, "stranger")
    assert outcome.params["told"].startswith("有人刚才在聊天里说到")
    assert "没有联系方式" in outcome.params["told"]
    assert "老师不知道您是谁" in world.say(outcome)
    assert (await alerts(world))[0].member_id is None
    assert [name for name, _ in await told(world)] == ["何医生"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("who", ["林一帆", "stranger"])
async def test_off_hours_nobody_is_promised(world: World, kind: Kind, who: str):
    outcome = await call(world, who, NIGHT, kind=kind)
    said = world.say(outcome)
    assert outcome.params["on_duty"] is False
    assert "先打" in said
    assert not re.search(r"马上(?:来|到|联系)|会(?:尽快)?(?:联系您|来找您|赶来)|在路上", said)
    assert [name for name, _ in await told(world)] == ["何医生"]


@pytest.mark.parametrize("kind", KINDS)
async def test_with_nobody_on_duty_no_alert_is_claimed(empty: World, kind: Kind):
    outcome = await call(empty, "林一帆", kind=kind)
    said = empty.say(outcome)
    assert "值班" not in said
    assert "老师" not in said
    assert all(number in said for number in NUMBERS[kind])
    assert (await alerts(empty))[0].state == "unheard"
    [(name, text)] = await told(empty)
    assert (name, "林一帆" in text) == ("管理员", False)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_group_learns_nothing_and_the_answer_comes_in_private(world: World, kind: Kind):
    outcome = await call(world, "林一帆", kind=kind, chat="group")
    said = world.say(outcome)
    assert outcome.wording == "safety.group"
    assert not re.search(r"自杀|轻生|自伤|暴力|伤害|心理|咨询|12356|12338|林一帆", said)
    assert "私下给您发了消息" in said
    assert ("110 或 120" in said) == (kind == "danger_now")
    own = [text for name, text in await told(world) if name == "林一帆"]
    assert len(own) == 1
    assert NUMBERS[kind][0] in own[0]


async def test_who_is_not_bound_is_asked_to_write_in_private(world: World):
    said = world.say(await call(world, "stranger", chat="group"))
    assert said == "我在。请您私下给我发个消息，我们单独说。"
    assert [name for name, _ in await told(world)] == ["何医生"]


@pytest.mark.parametrize("who", ["stranger", "林一帆"])
async def test_the_private_chat_of_the_account_that_spoke_is_taken(world: World, who: str):
    async with world.database.write() as session:
        account = Account(
            channel="telegram",
            account="bot",
            sender="tg-1",
            conversation="chat-1",
            member_id=world.people.get(who),
            heard_at=NOW,
        )
        session.add(account)
    command = RaiseAlert(kind="despair", chat="group")
    outcome = await world.run(command, who, channel="telegram", account="bot", sender="tg-1")
    assert "私下给您发了消息" in world.say(outcome)
    async with world.database.read() as session:
        rows = (await session.execute(select(Outgoing).where(Outgoing.conversation == "chat-1"))).scalars().all()
    assert [(row.channel, row.account) for row in rows] == [("telegram", "bot")]
    [(key, params)] = world.vault.open(rows[0].content, about="outgoing")["parts"]
    assert "12356" in world.wording.text(key, params)


async def test_a_member_with_no_private_chat_there_is_told_where_they_have_one(world: World):
    command = RaiseAlert(kind="despair", chat="group")
    outcome = await world.run(command, "林一帆", channel="telegram", sender="tg-1")
    assert "私下给您发了消息" in world.say(outcome)
    assert [name for name, _ in await told(world)] == ["何医生", "林一帆"]


async def test_the_tone_is_calm(world: World):
    lines = (DATA / "responses" / "safety.yml").read_text(encoding="utf-8").splitlines()
    source = "\n".join(line for line in lines if not line.startswith("#"))
    assert not re.search(r"[！!]|恭喜|祝|亲[，,]|用户|患者|诊断|治疗|[\U0001F300-\U0001FAFF\u2600-\u27bf]", source)
    for kind in KINDS:
        for who in ("林一帆", "stranger"):
            said = world.say(await call(world, who, kind=kind))
            assert "？" not in said
            assert "您或您身边的人" in said


async def test_a_member_with_no_unit_and_phone_is_still_named(world: World):
    await world.add_person("孙悦")
    assert (await call(world, "孙悦")).params["told"].startswith("孙悦（没有登记单位和电话）刚才")


async def test_the_audit_and_the_alert_hold_pseudonyms(world: World):
    await call(world, "林一帆")
    await call(world, "stranger")
    async with world.database.read() as session:
        actors = list((await session.execute(select(Audit.actor))).scalars())
    assert all(actor.startswith("p-") for actor in actors)
    assert all(alert.person.startswith("p-") for alert in await alerts(world))
    assert len({alert.person for alert in await alerts(world)}) == 2


async def test_names_and_telephone_numbers_are_nowhere_in_clear(world: World):
    """Beside the roster itself; what is sent is sealed."""
    await call(world, "林一帆")
    async with world.database.read() as session:
        for table in Base.metadata.sorted_tables:
            if table.name in ("member", "account"):
                continue
            rows = (await session.execute(text(f'SELECT * FROM "{table.name}"'))).all()
            assert not any("林一帆" in str(row) or "13800000001" in str(row) for row in rows), table.name


async def test_the_alert_carries_one_option(world: World):
    await call(world, "林一帆")
    async with world.database.read() as session:
        prompt = (await session.execute(select(Prompt))).scalar_one()
    options = world.vault.open(prompt.options, about="prompt")
    assert list(options) == ["收到"]
    assert options["收到"]["command"] == "safety.acknowledge"
    assert prompt.member_id == world.people["何医生"]
