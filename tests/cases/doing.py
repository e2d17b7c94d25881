"""What the tests of confidential cases have in common: commands of people, and cases brought to their end."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from actions.cases import Cases
from bot.messages import Address
from tests.files.samples import picture

if TYPE_CHECKING:
    from actions.core.commands import Outcome
    from tests.conftest import World

LIN, ZHOU, CHEN, HU, ZHANG = "20180312", "20100903", "20130517", "20160008", "20160001"
SECRET = {"kind": "本人患病", "situation": "上个月查出甲状腺结节要做手术"}


async def do(world: World, who: str, command: str, **arguments: Any) -> Outcome:
    """A command of a member (the operator at the machine where `who` is empty), in a unit of work of its own."""
    async with world.unit_of_work(who) as context:
        return await context.bus.execute(context.bus.command(command, arguments), context)


async def move(world: World, who: str, number: int, name: str, reason: str = "") -> Outcome:
    """One move of a record."""
    return await do(world, who, "cases.move", case_id=number, move=name, reason=reason)


async def aid(world: World, who: str = LIN, **secret: str) -> int:
    """Somebody asks for aid; returns the record's number."""
    given = {**SECRET, **secret}
    submitted = await do(world, who, "cases.submit", service="aid", confidential=given, consent=True)
    return int(submitted.data["case_id"])


async def paid(world: World, number: int) -> None:
    """A case of aid goes all its way."""
    await move(world, CHEN, number, "verify", "情况属实")
    await move(world, ZHOU, number, "grant", "按办法三档")
    await move(world, ZHOU, number, "pay")


async def swept(world: World) -> int:
    """What falls due of the cases by itself; returns how much was done."""
    async with world.unit_of_work() as context:
        cases = world.app.house.lives["case"]
        assert isinstance(cases, Cases)
        return await cases.sweep(context)


async def photo(world: World, who: str = LIN, name: str = "诊断证明.jpg") -> str:
    """Somebody hands a picture over; returns what a form names it by."""
    address = Address(channel="web", conversation=who)
    return (await world.app.files.keep(address, who, name, io.BytesIO(picture()))).id
