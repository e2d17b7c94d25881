"""Binding with an officer's word: the default."""

from __future__ import annotations

import pytest
from sqlalchemy import func

from actions.core.errors import DomainError
from actions.core.tables import Account, Audit, Outgoing, Prompt
from actions.membership import commands as c
from actions.membership.tables import BindingCounter, BindingRequest
from tests.membership.world import Sitting, World

WRONG = [
    ("20210107", "孙月"),
    ("20180312", "孙悦"),
    ("99999999", "孙悦"),
    ("19990009", "许老"),
    ("", "孙悦"),
    ("20210107' OR '1'='1", "孙悦"),
]


async def asked(world: World) -> int:
    request: BindingRequest = (await world.rows(BindingRequest, BindingRequest.state == "pending"))[0]
    return request.id


async def test_a_match_waits_for_the_officer_of_the_members_own_unit(world: World):
    sitting = Sitting(world, "new")
    assert await sitting.try_pair("20210107", "孙悦") == ["membership.pending"]
    assert await world.bound_to("new") == ""
    (notice,) = await world.said()
    assert notice.wording == "notices.binding_wanted"
    assert notice.row.member_id == (await world.member("何馆")).id
    assert notice.labels == ["同意", "退回"]
    assert "孙悦" in notice.text
    assert "图书馆" in notice.text
    (snapshot,) = await world.snapshots()
    assert (snapshot.kind, snapshot.state, snapshot.service, snapshot.member) == (
        "binding",
        "pending",
        "membership",
        "孙悦",
    )
    assert snapshot.fields == {"staff_id": "20210107", "name": "孙悦", "channel": "telegram"}


async def test_who_was_bound_in_another_way_is_in_no_snapshot(world: World):
    assert await world.snapshots() == []


async def test_an_approval_binds_and_the_account_is_told(world: World):
    await Sitting(world, "new").try_pair("20210107", "孙悦")
    await world.run(c.ApproveBinding(request_id=await asked(world)), "何馆")
    assert await world.bound_to("new") == "孙悦"
    (notice,) = await world.said()
    assert notice.wording == "notices.binding_approved"
    assert (notice.row.channel, notice.row.conversation) == ("telegram", "chat-new")
    assert [snapshot.state for snapshot in await world.snapshots()] == ["bound"]
    assert all(prompt.closed_at for prompt in await world.rows(Prompt))


async def test_a_refusal_reaches_the_account_that_is_not_bound(world: World):
    await Sitting(world, "new").try_pair("20210107", "孙悦")
    await world.run(c.RefuseBinding(request_id=await asked(world), reason="请带证件来一趟"), "何馆")
    assert await world.bound_to("new") == ""
    (notice,) = await world.said()
    assert notice.row.member_id is None
    assert (notice.row.channel, notice.row.conversation) == ("telegram", "chat-new")
    assert "请带证件来一趟" in notice.text
    assert await world.snapshots() == []
    assert await Sitting(world, "new").try_pair("20210107", "孙悦") == ["membership.pending"]


async def test_it_is_decided_once(world: World):
    await Sitting(world, "new").try_pair("20210107", "孙悦")
    number = await asked(world)
    await world.run(c.RefuseBinding(request_id=number), "何馆")
    assert await world.refused(c.ApproveBinding(request_id=number), "何馆") == "binding_decided"
    assert await world.bound_to("new") == ""


@pytest.mark.parametrize("name", ["林一帆", "陈静"])
async def test_nobody_else_decides(world: World, name: str):
    await Sitting(world, "new").try_pair("20210107", "孙悦")
    assert await world.refused(c.ApproveBinding(request_id=await asked(world)), name) == "forbidden"


async def test_an_officer_does_not_approve_their_own_second_account(world: World):
    await Sitting(world, "new").try_pair("20110007", "何馆")
    assert [one.row.member_id for one in await world.said()] == [(await world.member("周涛")).id]
    assert await world.refused(c.ApproveBinding(request_id=await asked(world)), "何馆") == "forbidden"
    await world.run(c.ApproveBinding(request_id=await asked(world)), "周涛")
    (old,) = await world.said("notices.bound_elsewhere")
    assert old.row.conversation == "chat-tg-20110007"


@pytest.mark.parametrize(("staff_id", "name"), WRONG)
async def test_every_kind_of_mismatch_is_told_alike_and_counted(world: World, staff_id: str, name: str):
    sitting = Sitting(world, "new")
    await sitting.begin()
    lines = await sitting.say(staff_id=staff_id or " ", name=name)
    assert lines == ["binding_mismatch", "?staff_id"]
    assert sitting.values == {}
    assert await world.rows(Outgoing) == []
    assert await world.rows(BindingRequest) == []
    assert {row.tries for row in await world.rows(BindingCounter)} == {1}


@pytest.mark.parametrize(
    ("staff_id", "name"), [("２０２１０１０７", "孙 悦"), (" 2021 0107 ", "　孙　悦 "), ("20210107", "孙悦")]
)
async def test_width_and_blanks_do_not_matter(world: World, staff_id: str, name: str):
    assert await Sitting(world, "new").try_pair(staff_id, name) == ["membership.pending"]


async def test_after_five_tries_an_account_is_locked_for_an_hour_whatever_it_tries(world: World):
    sitting = Sitting(world, "new")
    for number in range(4):
        assert (await sitting.try_pair(f"2000000{number}", "孙悦"))[0] == "binding_mismatch"
    assert await sitting.try_pair("20000005", "孙悦") == ["binding_locked"]
    assert await sitting.try_pair("20210107", "孙悦") == ["binding_locked"]
    world.later(minutes=61)
    assert await sitting.try_pair("20210107", "孙悦") == ["membership.pending"]


async def test_many_accounts_do_not_help_against_one_staff_id(world: World):
    for number in range(5):
        await Sitting(world, f"bot-{number}").try_pair("20210107", f"孙{number}")
    assert await Sitting(world, "bot-6").try_pair("20210107", "孙悦") == ["binding_locked"]
    assert await Sitting(world, "bot-7").try_pair("20150001", "吴敏") == ["membership.pending"]


async def test_a_staff_id_that_does_not_exist_is_locked_just_the_same(world: World):
    for number in range(5):
        await Sitting(world, f"bot-{number}").try_pair("88888888", f"孙{number}")
    assert await Sitting(world, "bot-6").try_pair("88888888", "孙悦") == ["binding_locked"]


async def test_a_match_does_not_give_tries_back(world: World):
    sitting = Sitting(world, "new")
    for number in range(4):
        await sitting.try_pair(f"2000000{number}", "孙悦")
    assert await sitting.try_pair("20210107", "孙悦") == ["membership.pending"]
    await world.run(c.RefuseBinding(request_id=await asked(world)), "何馆")
    assert await sitting.try_pair("20000009", "孙悦") == ["binding_locked"]


async def test_the_command_alone_proves_nothing(world: World):
    async with world.database.write() as session:
        actor = Sitting(world, "new")._actor()
        context = world.context(session, actor)
        with pytest.raises(DomainError, match="binding_stale"):
            await world.bus.execute(c.Bind(staff_id="20210107"), context)
    assert await world.rows(BindingRequest) == []


async def test_who_waits_does_not_ask_again(world: World):
    sitting = Sitting(world, "new")
    await sitting.try_pair("20210107", "孙悦")
    assert await sitting.begin() == "binding_waiting"


async def test_who_is_bound_does_not_bind(world: World):
    async with world.database.write() as session:
        context = world.context(session, await world.actor(session, "林一帆"))
        with pytest.raises(DomainError, match="already_bound"):
            await world.life.begin(context, world.service)
    assert await world.refused(c.Bind(staff_id="20210107"), "林一帆") == "already_bound"


async def test_two_accounts_that_wait_for_the_same_member_are_told_of_each_other(world: World):
    await Sitting(world, "first").try_pair("20210107", "孙悦")
    await Sitting(world, "second").try_pair("20210107", "孙悦")
    first, second = await world.rows(BindingRequest)
    await world.run(c.ApproveBinding(request_id=first.id), "何馆")
    await world.run(c.ApproveBinding(request_id=second.id), "何馆")
    (told,) = await world.said("notices.bound_elsewhere")
    assert told.row.conversation == "chat-first"
    assert await world.bound_to("second") == "孙悦"


async def test_a_request_that_nobody_decides_ends_and_the_account_is_told(world: World):
    await Sitting(world, "new").try_pair("20210107", "孙悦")
    number = await asked(world)
    world.later(days=7, minutes=1)
    assert await world.refused(c.ApproveBinding(request_id=number), "何馆") == "binding_decided"
    assert await world.sweep() == 1
    (notice,) = await world.said()
    assert (notice.wording, notice.row.conversation) == ("notices.binding_expired", "chat-new")
    assert await Sitting(world, "new").try_pair("20210107", "孙悦") == ["membership.pending"]


async def test_the_audit_names_no_member(world: World):
    await Sitting(world, "new").try_pair("20210107", "孙悦")
    await world.run(c.ApproveBinding(request_id=await asked(world)), "何馆")
    audit = await world.rows(Audit)
    assert [row.command for row in audit] == ["membership.bind", "membership.approve_binding"]
    assert all(row.actor.startswith("p-") for row in audit)
    assert {row.subject for row in audit} == {f"binding:{row.id}" for row in await world.rows(BindingRequest)}


async def test_nothing_of_what_failed_is_kept_for_long(world: World):
    await Sitting(world, "new").try_pair("20210107", "孙悦")
    await world.run(c.RefuseBinding(request_id=await asked(world)), "何馆")
    world.later(minutes=61)
    await world.sweep()
    assert await world.rows(BindingRequest) == []
    assert await world.rows(BindingCounter) == []


async def test_no_account_belongs_to_two(world: World):
    await Sitting(world, "new").try_pair("20210107", "孙悦")
    await world.run(c.ApproveBinding(request_id=await asked(world)), "何馆")
    assert len(await world.rows(Account, func.lower(Account.sender) == "new")) == 1
