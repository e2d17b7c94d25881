"""Binding with a one-time code by e-mail: what fits and what does not look alike."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.core.tables import Outgoing
from actions.membership import codes
from actions.membership import commands as c
from actions.membership.tables import BindingRequest
from tests.membership.world import NOW, Sitting, World

STRANGERS = [("20210107", "孙月"), ("99999999", "孙悦"), ("19990009", "许老"), ("20150001", "吴敏")]


@pytest.fixture
def world(world: World) -> World:
    world.rule(verification="email")
    return world


async def mailed(world: World) -> str:
    """The last code that was mailed."""
    letters = await world.said("mail.binding_code")
    found = re.search(r"\b\d{6}\b", letters[-1].text)
    assert found
    return found[0]


async def test_the_code_binds(world: World):
    sitting = Sitting(world, "new")
    assert await sitting.try_pair("20210107", "孙悦") == ["?code"]
    (letter,) = await world.said()
    assert (letter.row.channel, letter.row.conversation) == ("email", "sun@example.edu.cn")
    assert letter.row.member_id is None
    code = await mailed(world)
    assert await sitting.say(code=f"验证码是 {code[:3]} {code[3:]}") == ["membership.bound"]
    assert await world.bound_to("new") == "孙悦"
    (snapshot,) = await world.snapshots()
    assert (snapshot.state, snapshot.fields["staff_id"]) == ("bound", "20210107")


async def test_a_code_is_used_once(world: World):
    await Sitting(world, "new").try_pair("20210107", "孙悦")
    code = await mailed(world)
    other = Sitting(world, "other")
    await other.try_pair("20210107", "孙悦")
    assert await other.say(code=code) == ["binding_code_wrong", "?code"]


async def test_no_code_stands_in_the_database_in_clear(world: World):
    await Sitting(world, "new").try_pair("20210107", "孙悦")
    code = await mailed(world)
    (request,) = await world.rows(BindingRequest)
    (row,) = await world.rows(Outgoing)
    kept = " ".join(str(value) for value in [*vars(request).values(), *vars(row).values()])
    assert code not in kept


@pytest.mark.parametrize(("staff_id", "name"), STRANGERS)
async def test_what_does_not_match_is_answered_word_for_word_as_what_does(world: World, staff_id: str, name: str):
    """Without the mail nobody can tell the difference, by any of the answers, until the lock."""

    async def talk(sender: str, said_id: str, said_name: str) -> list[list[str]]:
        sitting = Sitting(world, sender)
        lines = [await sitting.try_pair(said_id, said_name)]
        lines += [await sitting.say(code=text) for text in ("什么码", "没收到", "00000")]
        world.later(minutes=2)
        lines.append(await sitting.say(code="重发一下"))
        lines += [await sitting.say(code=f"{number}{number}{number}000") for number in range(2)]
        lines.append(await sitting.say(code="重填"))
        lines.append(await sitting.say(staff_id=said_id, name=said_name))
        world.later(minutes=11)
        lines.append(await sitting.say(code="111222"))
        lines.append([await sitting.begin()])
        lines.append(await sitting.say(staff_id=said_id, name=said_name))
        lines += [await sitting.say(code=f"{number}{number}{number}111") for number in range(3)]
        lines.append([await sitting.begin()])
        world.now = NOW
        return lines

    assert await talk("stranger", staff_id, name) == await talk("owner", "20180312", "林一帆")
    assert await world.bound_to("stranger") == ""


async def test_wrong_codes_lock_the_account_and_the_staff_id(world: World):
    sitting = Sitting(world, "new")
    await sitting.try_pair("20210107", "孙悦")
    code = await mailed(world)
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    for _ in range(4):
        assert await sitting.say(code=wrong) == ["binding_code_wrong", "?code"]
    assert await sitting.say(code=wrong) == ["binding_locked"]
    assert await sitting.begin() == "binding_locked"
    assert await Sitting(world, "other").try_pair("20210107", "孙悦") == ["binding_locked"]
    (request,) = await world.rows(BindingRequest)
    assert (request.state, request.code_hash) == ("withdrawn", "")


async def test_a_code_ends_with_its_time(world: World):
    sitting = Sitting(world, "new")
    await sitting.try_pair("20210107", "孙悦")
    code = await mailed(world)
    world.later(minutes=10)
    assert await sitting.say(code=code) == ["binding_code_expired", "?code"]
    assert await sitting.say(code="重发") == ["binding_code_sent", "?code"]
    assert await sitting.say(code=code) == ["binding_code_wrong", "?code"]
    assert await sitting.say(code=await mailed(world)) == ["membership.bound"]


async def test_one_mail_a_minute_for_a_member_whoever_asks(world: World):
    sitting = Sitting(world, "new")
    await sitting.try_pair("20210107", "孙悦")
    await sitting.say(code="重发")
    await Sitting(world, "other").try_pair("20210107", "孙悦")
    assert len(await world.said("mail.binding_code")) == 1
    world.later(seconds=61)
    await sitting.say(code="重发")
    assert len(await world.said("mail.binding_code")) == 1  # the first, not yet sent, gave way to it
    assert await sitting.say(code=await mailed(world)) == ["membership.bound"]


async def test_a_mailbox_is_not_flooded(world: World):
    for number in range(12):
        await Sitting(world, f"bot-{number}").try_pair("20210107", "孙悦")
        world.later(seconds=61)
    assert len(await world.said("mail.binding_code")) == 5


async def test_who_has_no_mailbox_is_vouched_for_by_an_officer(world: World):
    sitting = Sitting(world, "new")
    assert await sitting.try_pair("20150001", "吴敏") == ["?code"]
    (notice,) = await world.said()
    assert notice.wording == "notices.binding_wanted"
    (request,) = await world.rows(BindingRequest)
    await world.run(c.ApproveBinding(request_id=request.id), "何馆")
    assert await world.bound_to("new") == "吴敏"


async def test_another_pair_takes_the_question_to_the_officer_back(world: World):
    sitting = Sitting(world, "new")
    await sitting.try_pair("20150001", "吴敏")
    await sitting.try_pair("20210107", "孙悦")
    assert [one.wording for one in await world.said()] == ["mail.binding_code"]
    assert {request.state for request in await world.rows(BindingRequest)} == {"withdrawn", "checked"}


async def test_no_word_that_an_undecided_quiet_request_has_ended(world: World):
    await Sitting(world, "new").try_pair("20150001", "吴敏")
    world.later(days=8)
    assert await world.sweep() == 1
    assert [one.wording for one in await world.said() if one.row.conversation == "chat-new"] == []


async def test_who_leaves_between_mail_and_code_is_not_bound(world: World):
    sitting = Sitting(world, "new")
    await sitting.try_pair("20210107", "孙悦")
    code = await mailed(world)
    await world.run(c.Leave(staff_id="20210107"), "周涛")
    assert "membership.bound" not in await sitting.say(code=code)
    assert await world.bound_to("new") == ""


@given(st.integers(0, 999_999), st.sampled_from(["{}", " {} ", "验证码：{}。", "我收到的是{}", "code {}"]))
def test_a_code_is_read_out_of_what_is_typed(number: int, text: str):
    code = f"{number:06d}"
    assert codes.read_code(text.format(code)) == code
    assert codes.read_code(text.format(" ".join(code))) == code
    assert codes.read_code(text.format(code.translate(str.maketrans("0123456789", "０１２３４５６７８９")))) == code


@pytest.mark.parametrize("text", ["", "12345", "1234567", "20210107", "没有"])
def test_what_is_no_code_is_not_read_as_one(text: str):
    assert codes.read_code(text) == ""
