"""The interface over the whole assistant, as another system's back end uses it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from bot.api import create_api
from bot.app import create_api_key
from bot.serving import _api_parts
from tests.api.conftest import client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx

    from tests.conftest import World

LIN, WANG, SUN, OFFICER = "20180312", "20150108", "20210107", "20100903"


@asynccontextmanager
async def portal(world: World, name: str = "portal", **options: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A caller with a key of its own."""
    key = await create_api_key(world.app, name, **options)
    api = create_api(_api_parts(world.app, asyncio.Event(), None))
    async with client(api, headers={"Authorization": f"Bearer {key}"}) as opened:
        yield opened


async def items(caller: httpx.AsyncClient, who: str = LIN) -> list[dict[str, Any]]:
    """What a member has open."""
    answer = await caller.get("/api/v1/items", params={"sender": who})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def booked(world: World, who: str = LIN) -> None:
    """They have booked the yoga room."""
    await world.say("下周三下午三点想订瑜伽室，5个人", who=who)
    await world.say("确认", who=who)


def code(answer: httpx.Response) -> str:
    """Why it was refused."""
    found: str = answer.json()["error"]["code"]
    return found
