"""Who saw a confidential record is noted, whichever way they saw it, and told to the person whom it concerns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from actions.cases.tables import CaseLook
from actions.core.errors import DomainError, ForbiddenError
from actions.core.tables import Audit, RoleGrant
from bot.messages import Address
from tests.cases.doing import CHEN, HU, LIN, ZHANG, ZHOU, aid, do, photo

if TYPE_CHECKING:
    from tests.conftest import World

ASKED = "谁看过我的申请"


async def _noted(world: World) -> list[tuple[int, str]]:
    async with world.unit_of_work() as context:
        rows = (await context.session.execute(select(CaseLook).order_by(CaseLook.id))).scalars()
        return [(row.case_id, row.what) for row in rows]


async def _open(world: World, who: str, key: str) -> None:
    await world.app.files.open(Address(channel="web", conversation=who), who, key)


async def test_she_asks_and_hears_who_when_and_what(world: World) -> None:
    number = await aid(world)
    assert "还没有人打开看过" in await world.told(ASKED)
    await do(world, CHEN, "cases.look", case_id=number)
    world.clock.move(days=1)
    await do(world, ZHOU, "cases.print", case_id=number)
    await do(world, ZHOU, "cases.export", service="aid")
    told = await world.told(ASKED)
    assert f"{number} 爱心扶助金，11月22日(周日)9:00，文学院陈静老师（本单位工会），看了内容" in told.replace(
        "09:00", "9:00"
    )
    assert "校工会周涛老师（指定的老师），打印" in told
    assert "校工会周涛老师（指定的老师），导出名单" in told


async def test_a_file_that_is_opened_is_a_look(world: World) -> None:
    key = await photo(world)
    given = {"service": "aid", "confidential": {"kind": "其他困难", "situation": "家里有事"}, "consent": True}
    number = (await do(world, LIN, "cases.submit", **given, fields={"papers": [key]})).data["case_id"]
    await _open(world, LIN, key)
    assert await _noted(world) == []
    with pytest.raises(DomainError, match="file_gone"):
        await _open(world, ZHANG, key)
    assert await _noted(world) == []
    await _open(world, HU, key)
    assert await _noted(world) == [(number, "file")]
    assert "胡雅琴老师（指定的老师），打开材料" in await world.told(ASKED)


async def test_what_was_seen_often_on_a_day_is_one_line(world: World) -> None:
    number = await aid(world)
    for _ in range(3):
        await do(world, ZHOU, "cases.look", case_id=number)
    world.clock.move(days=1)
    await do(world, ZHOU, "cases.look", case_id=number)
    assert len(await _noted(world)) == 4
    assert (await do(world, LIN, "cases.looks")).params["total"] == 2


async def test_a_long_log_tells_how_much_more_there_is(world: World) -> None:
    number = await aid(world)
    for _ in range(14):
        await do(world, ZHOU, "cases.look", case_id=number)
        world.clock.move(days=1)
    assert "更早的还有 2 条" in await world.told(ASKED)


async def test_others_records_and_open_ones_are_not_in_it(world: World) -> None:
    number = await aid(world)
    await do(world, ZHOU, "cases.look", case_id=number)
    suggestion = await do(world, ZHANG, "cases.submit", service="suggestion", fields={"content": "路灯坏了"})
    await do(world, ZHOU, "cases.look", case_id=suggestion.data["case_id"])
    await do(world, LIN, "cases.look", case_id=number)
    assert await _noted(world) == [(number, "look")]
    assert "没有需要保密的申请" in await world.told(ASKED, who=ZHANG)


async def test_whom_a_colleague_reported_may_know_it_too(world: World) -> None:
    secret = {"kind": "住院", "person": "张建国", "note": "骨折"}
    given = {"service": "condolence", "confidential": secret, "fields": {"whom": "替同事"}}
    number = (await do(world, LIN, "cases.submit", **given)).data["case_id"]
    await do(world, CHEN, "cases.look", case_id=number)
    assert "陈静老师" in await world.told(ASKED, who=ZHANG)


async def test_nobody_at_the_machine_exports_what_is_private(world: World) -> None:
    await aid(world)
    with pytest.raises(ForbiddenError):
        await do(world, "", "cases.export", service="aid")


async def test_who_holds_the_post_no_more_is_named_all_the_same(world: World) -> None:
    number = await aid(world)
    await do(world, HU, "cases.look", case_id=number)
    async with world.unit_of_work() as context:
        for grant in (await context.session.execute(select(RoleGrant).where(RoleGrant.service == "aid"))).scalars():
            await context.session.delete(grant)
    assert "校工会胡雅琴老师，看了内容" in await world.told(ASKED)


async def test_in_a_group_it_is_not_answered_and_the_audit_names_nobody(world: World) -> None:
    number = await aid(world)
    await do(world, ZHOU, "cases.look", case_id=number)
    assert "周涛" not in await world.told(ASKED, group="group-1")
    assert any("周涛" in sent.text and sent.address.chat == "private" for sent in await world.sent())
    async with world.unit_of_work() as context:
        rows = (await context.session.execute(select(Audit).where(Audit.command == "cases.looks"))).scalars().all()
    assert [row.actor[:2] for row in rows] == ["p-"]
