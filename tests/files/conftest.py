"""Files through the real interface, over the real assistant with the demo world in it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from sqlalchemy import select

from actions.blocks.materials import Material, MaterialRules
from actions.blocks.materials_intake import Materials
from bot.api import create_api
from bot.files import FileDesk, FolderStore
from bot.messages import Address
from bot.serving import _api_parts
from bot.world import load_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from fastapi import FastAPI

    from actions.blocks.materials import MayRead
    from actions.core.commands import Context
    from tests.conftest import World

FILES = "/api/v1/files"
LIN, WANG, LIU = "林一帆", "王敏", "刘洋"
LIN_ID = "20180312"


@dataclass
class Reading:
    """The files of a record of the kind `case` may be read by whoever is named here, by 工号."""

    readers: set[str] = field(default_factory=set)
    kinds: tuple[str, ...] = ("case",)

    async def may_read(self, context: Context, subject: str) -> bool:
        assert subject.startswith("case:")
        return context.actor.member is not None and context.actor.member.staff_id in self.readers


@dataclass
class Filing:
    """The interface with a desk of its own, and what is left on the disk and in the database."""

    world: World
    api: FastAPI
    store: FolderStore
    materials: Materials
    desk: FileDesk
    reading: Reading

    @asynccontextmanager
    async def browser(self, person: str = LIN) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(self.api, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://union.test") as opened:
            assert (await opened.post("/api/v1/session", json={"person": person})).status_code == 200
            yield opened

    @staticmethod
    def address(sender: str = LIN_ID) -> Address:
        return Address(channel="web", conversation=sender)

    async def rows(self) -> list[Material]:
        async with self.world.app.house.database.read() as session:
            return list((await session.execute(select(Material).order_by(Material.id))).scalars())

    @property
    def folder(self) -> list[str]:
        """Names of all files on the disk."""
        root = self.world.app.settings.var_dir / "files"
        return sorted(file.name for file in root.rglob("*") if file.is_file())

    async def sweep(self) -> None:
        """A process that has just started looks for everything."""
        async with self.world.unit_of_work() as context:
            await Materials(self.store, self.materials.rules).sweep(context)


def filing(
    world: World, rules: MaterialRules | None = None, *, readers: Mapping[str, MayRead] | None = None, **given: Any
) -> Filing:
    reading = Reading()
    store = FolderStore(world.app.settings.var_dir / "files")
    all_readers = {"case": reading.may_read, **(readers or {})}
    materials = Materials(store, rules or MaterialRules(), readers=all_readers, **given)
    desk = FileDesk(world.app.house, materials, world.clock)
    parts = _api_parts(world.app, asyncio.Event(), load_world(world.app.settings.data_dir))
    return Filing(world, create_api(replace(parts, files=desk)), store, materials, desk, reading)


@pytest.fixture
def files(world: World) -> Filing:
    return filing(world)


async def upload(browser: httpx.AsyncClient, content: bytes, name: str = "photo.jpg", **form: str) -> httpx.Response:
    return await browser.post(FILES, files={"file": (name, content, "image/jpeg")}, data=form)


async def kept(browser: httpx.AsyncClient, content: bytes, name: str = "photo.jpg") -> dict[str, Any]:
    """A file that is taken."""
    answer = await upload(browser, content, name)
    assert answer.status_code == 201, answer.text
    view: dict[str, Any] = answer.json()
    return view
