"""Unbinding, lost accounts, and members who leave."""

from __future__ import annotations

from datetime import timedelta

import pytest

from actions.appointments.commands import Book
from actions.appointments.tables import Appointment
from actions.core.errors import DomainError
from actions.core.offerings import CreateOffering
from actions.core.tables import (
    Account,
    Audit,
    Conversation,
    Credential,
    Outgoing,
    Prompt,
    RoleGrant,
    WebSession,
)
from actions.membership import commands as c
from actions.membership.tables import BindingInvite, BindingRequest
from tests.membership.world import NOW, Sitting, World

LIN = "tg-20180312"


async def second_account(world: World, name: str) -> None:
    member = await world.member(name)
    async with world.database.write() as session:
        session.add(
            Account(
                channel="web",
                account="",
                sender="page",
                conversation="chat-page",
                member_id=member.id,
                bound_at=world.now,
                heard_at=world.now,
            )
        )
        session.add(Conversation(channel="web", key="chat-page", state="sealed form", touched_at=world.now))
        expires = world.now + timedelta(days=1)
        session.add(WebSession(token_hash="t" * 64, sender="page", conversation="chat-page", expires_at=expires))


async def test_a_member_unbinds_the_account_they_write_from(world: World):
    await second_account(world, "林一帆")
    await world.run(c.Unbind(), "林一帆")
    assert await world.bound_to(LIN) == ""
    assert await world.bound_to("page") == "林一帆"
    assert await world.said() == []


async def test_a_member_frees_their_other_accounts(world: World):
    await second_account(world, "林一帆")
    outcome = await world.run(c.Unbind(staff_id="20180312"), "林一帆")
    assert outcome.params["count"] == 1
    assert await world.bound_to(LIN) == "林一帆"
    assert await world.bound_to("page") == ""


@pytest.mark.parametrize("officer", ["陈静", "周涛", "郑管", "operator"])
async def test_an_officer_frees_a_lost_account(world: World, officer: str):
    await second_account(world, "林一帆")
    await world.run(c.Unbind(staff_id="20180312"), officer)
    assert [await world.bound_to(LIN), await world.bound_to("page")] == ["", ""]
    assert await world.rows(WebSession) == []
    assert [row.state for row in await world.rows(Conversation)] == [""]
    assert {one.row.conversation for one in await world.said("notices.unbound")} == {"chat-page", f"chat-{LIN}"}
    assert (await Sitting(world, LIN).try_pair("20180312", "林一帆")) == ["membership.pending"]


@pytest.mark.parametrize(("actor", "staff_id"), [("何馆", "20180312"), ("林一帆", "20110007"), ("林一帆", "99999999")])
async def test_nobody_else_does_and_no_staff_id_is_found_out_by_it(world: World, actor: str, staff_id: str):
    assert await world.refused(c.Unbind(staff_id=staff_id), actor) == "forbidden"


async def test_where_there_is_nothing_to_unbind(world: World):
    assert await world.refused(c.Unbind(staff_id="20210107"), "周涛") == "no_account"
    assert await world.refused(c.Unbind(staff_id="99999999"), "周涛") == "no_such_member"


async def test_who_is_not_bound_is_told_the_way_in(world: World):
    async with world.database.write() as session:
        context = world.context(session, Sitting(world, "new")._actor())
        with pytest.raises(DomainError, match="not_bound"):
            await world.bus.execute(c.Unbind(), context)


async def book(world: World, name: str) -> None:
    """Books a room that 林一帆 answers for."""
    spec = {"hours": [{"start": "08:00", "end": "20:00"}], "works": "daily", "capacity": 10, "place": "一楼"}
    created = await world.run(CreateOffering(service="health_room", title="瑜伽室", owner="20180312", spec=spec))
    start = NOW + timedelta(days=1, hours=1)
    await world.run(Book(service="health_room", offering_id=created.data["offering_id"], starts_at=start), name)


async def test_who_leaves_keeps_nothing_that_opens_a_door(world: World):
    await book(world, "林一帆")
    await world.run(c.CreateAdministrator(staff_id="20180312", full_name="林一帆"))
    await world.run(c.IssueInvites(staff_ids=("20180312",)), "周涛")
    await Sitting(world, "new").try_pair("20180312", "林一帆")
    outcome = await world.run(c.Leave(staff_id="20180312"), "周涛")

    member = await world.member("林一帆")
    assert member.status == "left"
    assert await world.bound_to(LIN) == ""
    assert await world.rows(RoleGrant, RoleGrant.member_id == member.id) == []
    assert await world.rows(Credential) == []
    assert await world.rows(BindingInvite) == []
    assert [row.state for row in await world.rows(BindingRequest)] == ["withdrawn"]
    assert [row.state for row in await world.rows(Appointment)] == ["cancelled"]
    assert await world.rows(Outgoing, Outgoing.member_id == member.id, Outgoing.state == "queued") == []
    assert all(prompt.closed_at for prompt in await world.rows(Prompt))
    assert (outcome.params["withdrawn"], outcome.params["kept"], outcome.params["owned"]) == (1, 0, ["瑜伽室"])
    assert [one.row.conversation for one in await world.said("notices.unbound")] == [f"chat-{LIN}"]
    assert (await Sitting(world, "new").try_pair("20180312", "林一帆"))[0] == "binding_mismatch"


async def test_the_officer_s_own_audit_line_names_them_and_the_withdrawal_names_the_system(world: World):
    await book(world, "林一帆")
    await world.run(c.Leave(staff_id="20180312"), "周涛")
    audit = {row.command: row.actor for row in await world.rows(Audit)}
    assert audit["membership.leave"] == "20100903"
    assert audit["appointments.cancel"] == "system"


async def test_leaving_is_an_officer_s_business_and_once(world: World):
    assert await world.refused(c.Leave(staff_id="20180312"), "陈静") == "forbidden"
    assert await world.refused(c.Leave(staff_id="19990009"), "周涛") == "member_left"
    assert await world.refused(c.Leave(staff_id="1"), "周涛") == "no_such_member"


async def test_the_last_administrator_does_not_leave(world: World):
    assert await world.refused(c.Leave(staff_id="20090001"), "周涛") == "last_administrator"
    assert (await world.member("郑管")).status == "active"
    assert await world.bound_to("tg-20090001") == "郑管"
