"""Files are made when the unit of work is over: nobody waits for a workbook to write."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete

from actions.blocks.materials_made import Draft, Shelf
from actions.blocks.materials_types import XLSX
from actions.core.errors import DomainError
from actions.core.notify import Notice
from actions.core.tables import Account
from bot.files import FolderStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import World

LIN = "20180312"


async def _make(world: World, build: Callable[[], bytes]) -> None:
    """A member asks for a file; it is handed over as a list."""
    shelf = Shelf(FolderStore(world.app.settings.files_dir))
    async with world.unit_of_work(LIN) as context:
        params = {"title": "跳绳", "what": "名单", "days": 7}
        notice = Notice(member_id=context.actor.member_id, wording="closing.ready", params=params, subject="papers:1")
        made = await shelf.make(context, [Draft(name="名单", kind=XLSX, build=build)], notice)
        assert [each["name"] for each in made] == ["名单.xlsx"]


async def _told(world: World) -> list[tuple[str, int]]:
    return [(message.text, len(message.files)) for message in await world.sent()]


async def test_while_a_file_is_made_others_write(world: World) -> None:
    await world.say("你好")
    path = str(world.app.house.database.url.database)

    def build() -> bytes:
        other = sqlite3.connect(path, timeout=0, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")
        other.close()
        return b"a workbook"

    await _make(world, build)
    assert [(text.split("，")[0], files) for text, files in await _told(world)] == [("“跳绳”的名单好了", 1)]


async def test_who_waits_for_a_file_that_cannot_be_made_is_told(world: World) -> None:
    await world.say("你好")

    def build() -> bytes:
        raise ValueError("a broken font")

    await _make(world, build)
    assert [(text.split("，")[0], files) for text, files in await _told(world)] == [("您要的文件没做成", 0)]


async def test_who_has_no_account_is_refused_before_anything_is_made(world: World) -> None:
    shelf = Shelf(FolderStore(world.app.settings.files_dir))
    async with world.unit_of_work(LIN) as context:
        await context.session.execute(delete(Account).where(Account.member_id == context.actor.member_id))
        notice = Notice(member_id=context.actor.member_id, wording="closing.ready")
        with pytest.raises(DomainError, match="file_no_account"):
            await shelf.make(context, [Draft(name="名单", kind=XLSX, build=bytes)], notice)
