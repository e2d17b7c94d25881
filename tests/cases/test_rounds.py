"""A round of aid, a quarter's meeting: who is called, what they declare, what they decide, each or all."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from actions.cases.rules import CaseRules
from actions.cases.tables import Case, CaseLook
from actions.core.errors import DomainError, ForbiddenError
from actions.core.tables import Offering
from actions.core.zones import SHANGHAI
from tests.cases.doing import CHEN, HU, LIN, ZHANG, ZHOU, aid, do, move, swept

if TYPE_CHECKING:
    from tests.conftest import World

WANG, UNDO = "20150108", ("20160009", "20160017")


async def _state(world: World, number: int) -> str:
    async with world.unit_of_work() as context:
        case = await context.session.get(Case, number)
        assert case is not None
        return case.state


async def _verified(world: World, *people: str) -> list[int]:
    """Aid that was asked for, and verified by a reviewer."""
    numbers = [await aid(world, who) for who in people]
    for number in numbers:
        await move(world, HU, number, "verify")
    return numbers


async def _declared(world: World, who: str = ZHOU) -> None:
    await do(world, who, "cases.declare", service="aid", none=True)


async def _called(world: World) -> list[tuple[str, str]]:
    await swept(world)
    sent = await world.app.delivery.flush()
    return [(message.address.conversation, message.text) for message in sent if "可以上会了" in message.text]


async def test_a_round_is_decided_at_once(world: World) -> None:
    numbers = await _verified(world, LIN, ZHANG, WANG)
    told = await world.told("上会名单", who=ZHOU)
    assert "爱心扶助金 3 件" in told
    listed = await world.told("爱心扶助金名单", who=ZHOU)
    assert "文学院林一帆，本人患病（本季度爱心扶助金）" in listed
    assert "先申报回避" in listed
    assert "全部通过" in await world.told("无需回避", who=ZHOU)
    assert "记好了 3 件" in await world.told("全部通过 按办法三档", who=ZHOU)
    assert {await _state(world, number) for number in numbers} == {"decided"}
    assert "没有等您定的" in await _refused(world, ZHOU, "grant")


async def _refused(world: World, who: str, name: str) -> str:
    with pytest.raises(DomainError) as raised:
        await do(world, who, "cases.decide", service="aid", move=name, every=True)
    return world.app.house.wording.text(f"errors.{raised.value.code}", raised.value.params)


async def test_some_are_granted_others_sent_back_or_not(world: World) -> None:
    first, second, third, fourth = await _verified(world, LIN, ZHANG, WANG, UNDO[0])
    await _declared(world)
    await do(world, ZHOU, "cases.decide", service="aid", move="grant", reason=f"{first}、{second} 二档")
    left = await do(world, ZHOU, "cases.decide", service="aid", move="ask_more", reason=f"{third} 请补医药费单据")
    assert left.params["left"] == 1
    await do(world, ZHOU, "cases.decide", service="aid", move="not_grant", reason=f"{fourth} 不在范围")
    states = [await _state(world, number) for number in (first, second, third, fourth)]
    assert states == ["decided", "decided", "rework", "not_granted"]
    assert "二档" in str((await do(world, LIN, "cases.look", case_id=first)).params["history"])


async def test_nothing_is_decided_before_it_was_declared(world: World) -> None:
    (number,) = await _verified(world, LIN)
    assert "先申报回避" in await _refused(world, ZHOU, "grant")
    await _declared(world)
    (later,) = await _verified(world, ZHANG)
    assert "先申报回避" in await _refused(world, ZHOU, "grant"), "what came later has not been declared"
    await _declared(world)
    await do(world, ZHOU, "cases.decide", service="aid", move="grant", every=True)
    assert [await _state(world, each) for each in (number, later)] == ["decided", "decided"]


async def test_what_concerns_a_reviewer_is_decided_by_another(world: World) -> None:
    first, second = await _verified(world, LIN, ZHANG)
    declared = await do(world, ZHOU, "cases.declare", service="aid", reason=f"{second} 是我爱人")
    assert [row["id"] for row in declared.params["rows"]] == [first]
    assert declared.params["recused"] == 1
    await do(world, ZHOU, "cases.decide", service="aid", move="grant", every=True)
    assert await _state(world, second) == "verified"
    with pytest.raises(DomainError, match="no_such_numbers"):
        await do(world, ZHOU, "cases.declare", service="aid", reason="是我爱人")
    await _declared(world, HU)
    await do(world, HU, "cases.decide", service="aid", move="grant", every=True)
    assert await _state(world, second) == "decided"


async def test_ones_own_is_not_on_ones_list(world: World) -> None:
    number = await aid(world, HU)
    await move(world, ZHOU, number, "verify")
    listed = await do(world, HU, "cases.round", service="aid")
    assert (listed.params["rows"], listed.params["recused"]) == ([], 1)
    assert "没有等您定的" in await _refused(world, HU, "grant")


async def test_words_that_are_needed_are_asked_for_and_nothing_changes(world: World) -> None:
    first, second = await _verified(world, LIN, ZHANG)
    await _declared(world)
    with pytest.raises(DomainError, match="words_needed"):
        await do(world, ZHOU, "cases.decide", service="aid", move="not_grant", reason=f"{first}、{second}")
    assert [await _state(world, each) for each in (first, second)] == ["verified", "verified"]
    with pytest.raises(DomainError, match="no_such_numbers"):
        await do(world, ZHOU, "cases.decide", service="aid", move="grant", reason="99999")
    with pytest.raises(DomainError, match="no_such_move"):
        await do(world, ZHOU, "cases.decide", service="aid", move="pay", every=True)


async def test_a_sum_behind_the_numbers_is_no_number(world: World) -> None:
    first, second = await _verified(world, LIN, ZHANG)
    await _declared(world)
    done = await do(world, ZHOU, "cases.decide", service="aid", move="grant", reason=f"{first} 3000 元")
    assert done.params["numbers"] == [first]
    assert await _state(world, second) == "verified"


@pytest.mark.parametrize("who", [LIN, CHEN, ""])
async def test_who_does_not_sit_there_sees_nothing(world: World, who: str) -> None:
    await _verified(world, ZHANG)
    for command, more in (("round", {}), ("declare", {"none": True}), ("decide", {"move": "grant", "every": True})):
        with pytest.raises(ForbiddenError):
            await do(world, who, f"cases.{command}", service="aid", **more)


async def test_the_list_is_a_look(world: World) -> None:
    (number,) = await _verified(world, LIN)
    await do(world, ZHOU, "cases.round", service="aid")
    async with world.unit_of_work() as context:
        rows = (await context.session.execute(select(CaseLook.case_id, CaseLook.what))).all()
    assert [tuple(row) for row in rows] == [(number, "list")]
    assert "看了上会名单" in await world.told("谁看过我的申请")


async def test_the_body_is_called_the_morning_after_the_round_and_once(world: World) -> None:
    await _verified(world, LIN)
    await aid(world, ZHANG)
    async with world.unit_of_work() as context:
        query = select(Offering).where(Offering.service == "aid")
        closes = datetime.fromisoformat((await context.session.execute(query)).scalar_one().spec["closes_at"])
    world.clock.now = closes
    assert await _called(world) == []
    world.clock.now = closes.astimezone(SHANGHAI).replace(hour=9, minute=0) + timedelta(days=1)
    called = await _called(world)
    assert sorted(who for who, _ in called) == sorted([ZHOU, HU])
    assert all("已核实 1 件，还有 1 件在核实或补充" in text and "扶助" not in text for _, text in called)
    assert await _called(world) == []
    with pytest.raises(DomainError, match="call_closed"):
        await aid(world, WANG)


async def test_the_quarterly_meeting_is_called_on_the_first_of_its_month(world: World) -> None:
    secret = {"kind": "意外事故", "situation": "家里进水"}
    given = {"service": "temporary_aid", "confidential": secret, "fields": {"urgency": "不急"}}
    number = (await do(world, LIN, "cases.submit", **given, consent=True)).data["case_id"]
    await move(world, CHEN, number, "verify")
    assert await _called(world) == []
    world.clock.now = datetime(2026, 12, 1, 9, 0, tzinfo=SHANGHAI)
    assert [who for who, _ in await _called(world)] == [ZHOU, HU]
    assert "临时困难补助" in await world.told("上会名单", who=HU)
    await do(world, HU, "cases.declare", service="temporary_aid", none=True)
    await do(world, HU, "cases.decide", service="temporary_aid", move="grant", every=True)
    assert await _state(world, number) == "decided"


async def test_condolences_are_decided_by_the_union(world: World) -> None:
    given = {"service": "condolence", "confidential": {"kind": "生育"}, "fields": {"whom": "本人"}}
    number = (await do(world, LIN, "cases.submit", **given)).data["case_id"]
    await move(world, CHEN, number, "verify")
    await do(world, ZHOU, "cases.declare", service="condolence", none=True)
    done = await do(world, ZHOU, "cases.decide", service="condolence", move="deliver", every=True)
    assert done.params["numbers"] == [number]
    assert await _state(world, number) == "delivered"


async def test_outside_a_round_it_is_said_what_to_do(world: World) -> None:
    async with world.unit_of_work() as context:
        offering = (await context.session.execute(select(Offering).where(Offering.service == "aid"))).scalar_one()
    await do(world, ZHOU, "offerings.close", offering_id=offering.id)
    told = await world.told("申请爱心扶助金")
    assert "下一轮开始会有通知" in told
    assert "意见建议" not in told


def test_a_meeting_decides_only_what_can_be_moved_there() -> None:
    machine = {
        "start": "filed",
        "states": {"filed": {"title": "收"}, "done": {"title": "办", "ends": True}},
        "moves": {"grant": {"label": "通过", "at": ["filed"], "to": "done", "by": ["reviewer"]}},
    }
    meeting = {"body": "小组", "at": "filed", "by": "reviewer", "moves": ["grant"]}
    assert CaseRules.model_validate({**machine, "meeting": meeting}).meeting is not None
    for wrong in ({"at": "nowhere"}, {"moves": ["pay"]}):
        with pytest.raises(ValueError, match=r"meeting|no state"):
            CaseRules.model_validate({**machine, "meeting": {**meeting, **wrong}})
