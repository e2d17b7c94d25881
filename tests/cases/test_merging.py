"""并案: two records that say the same go on as one; both authors are credited, and hear of every step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from actions.cases.tables import Case
from actions.core.errors import DomainError
from tests.cases.doing import HU, LIN, ZHOU, do, move

if TYPE_CHECKING:
    from tests.conftest import World


async def _idea(world: World, who: str, content: str) -> int:
    submitted = await do(world, who, "cases.submit", service="idea", fields={"content": content})
    return int(submitted.data["case_id"])


async def _case(world: World, number: int) -> Case:
    async with world.unit_of_work() as context:
        return (await context.session.execute(select(Case).where(Case.id == number))).unique().scalar_one()


async def _two(world: World) -> tuple[int, int]:
    first = await _idea(world, LIN, "南湖到文昌的班车晚上加开一趟")
    second = await _idea(world, HU, "晚上九点以后的班车再多一班")
    return first, second


async def test_one_goes_on_for_both(world: World) -> None:
    first, second = await _two(world)
    await world.sent()
    await move(world, ZHOU, second, "merge", f"并到 {first}")
    other, into = await _case(world, second), await _case(world, first)
    assert (other.state, other.merged_id, into.state) == ("merged", first, "filed")
    assert into.kept["credited"] == ["胡雅琴"]
    told = {message.address.conversation: message.text for message in await world.sent()}
    assert "合并办理了，您署名在案" in told[HU]
    assert "一并署名" in told[LIN]


async def test_both_hear_of_what_comes_after(world: World) -> None:
    first, second = await _two(world)
    await move(world, ZHOU, second, "merge", str(first))
    await world.sent()
    await move(world, ZHOU, first, "accept")
    told = {message.address.conversation for message in await world.sent()}
    assert {LIN, HU} <= told


async def test_a_third_one_comes_along(world: World) -> None:
    """What was merged into the one that is merged now follows it."""
    first, second = await _two(world)
    third = await _idea(world, "20160001", "班车末班太早，能不能再加一班")
    await move(world, ZHOU, third, "merge", str(second))
    await move(world, ZHOU, second, "merge", str(first))
    assert ((await _case(world, third)).merged_id, (await _case(world, second)).merged_id) == (first, first)
    assert len((await _case(world, first)).kept["credited"]) == 2


@pytest.mark.parametrize("into", ["itself", "another service", "one that is over", "nothing"])
async def test_what_cannot_be_merged_stays_as_it_is(world: World, into: str) -> None:
    first, second = await _two(world)
    words = str(second)
    if into == "another service":
        submitted = await do(world, LIN, "cases.submit", service="suggestion", fields={"content": "路灯坏了"})
        words = str(submitted.data["case_id"])
    if into == "one that is over":
        await move(world, LIN, first, "withdraw")
        words = str(first)
    if into == "nothing":
        words = "和上次那件"
    with pytest.raises(DomainError, match="cannot_merge"):
        await move(world, ZHOU, second, "merge", words)
    assert ((await _case(world, second)).state, (await _case(world, second)).merged_id) == ("filed", None)
