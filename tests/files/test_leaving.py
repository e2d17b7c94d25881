"""Files go with their record, with their time, and with a process that died; nothing else goes."""

from __future__ import annotations

import io
import os
import signal
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from sqlalchemy import select

from actions.blocks import materials
from actions.blocks.materials import Material
from actions.core.errors import DomainError
from bot.app import build
from tests.conftest import MovableClock, World, _settings
from tests.files.conftest import FILES, LIN_ID, Filing, filing
from tests.files.samples import pdf, picture
from tests.peers.server import sqlite_store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from actions.blocks.materials import MaterialView
    from tests.peers.server import Server


async def _kept(files: Filing, content: bytes = b"") -> MaterialView:
    return await files.desk.keep(files.address(), LIN_ID, "a", io.BytesIO(content or pdf()))


async def _attach(files: Filing, view: MaterialView, subject: str) -> None:
    async with files.world.unit_of_work(LIN_ID) as context:
        await materials.attach(context, [view.id], subject)


def _old(files: Filing) -> None:
    """What lies in the store was put there on the day before the test's."""
    for file in (files.world.app.settings.var_dir / "files").rglob("*"):
        os.utime(file, (files.world.clock().timestamp() - 86_400,) * 2)


async def test_files_go_with_their_record_and_no_others_do(either_world: World) -> None:
    files = filing(either_world)
    going, staying, waiting = [await _kept(files, picture()) for _ in range(3)]
    await _attach(files, going, "case:1")
    await _attach(files, staying, "case:12")
    async with files.world.unit_of_work() as context:
        await materials.drop(context, "case:1")
    with pytest.raises(DomainError, match="file_gone"):
        await files.desk.open(files.address(), LIN_ID, going.id)
    await files.sweep()
    assert [row.key for row in await files.rows()] == [staying.id, waiting.id]
    assert len(files.folder) == 4
    assert not any(name.startswith(going.id) for name in files.folder)


async def _remove_and_fail(files: Filing, subject: str) -> None:
    async with files.world.unit_of_work() as context:
        await materials.drop(context, subject)
        raise DomainError("not_found")


async def test_a_record_that_was_not_removed_after_all_keeps_its_files(files: Filing) -> None:
    view = await _kept(files)
    await _attach(files, view, "case:1")
    with pytest.raises(DomainError):
        await _remove_and_fail(files, "case:1")
    await files.sweep()
    assert (await files.desk.open(files.address(), LIN_ID, view.id)).view == view


async def test_what_no_record_takes_goes_after_a_day(files: Filing) -> None:
    waiting, taken = await _kept(files), await _kept(files)
    await _attach(files, taken, "case:1")
    files.world.clock.move(hours=23, minutes=59)
    await files.sweep()
    assert len(await files.rows()) == 2
    files.world.clock.move(minutes=1)
    with pytest.raises(DomainError, match="file_gone"):
        await files.desk.open(files.address(), LIN_ID, waiting.id)
    async with files.world.unit_of_work(LIN_ID) as context:
        with pytest.raises(DomainError, match="file_gone"):
            await materials.attach(context, [waiting.id], "case:2")
    await files.sweep()
    assert [row.key for row in await files.rows()] == files.folder == [taken.id]


async def test_the_running_house_sweeps(world: World) -> None:
    view = await world.app.files.keep(Filing.address(), LIN_ID, "a.pdf", io.BytesIO(pdf()))
    path = (await world.app.files.open(Filing.address(), LIN_ID, view.id)).path
    world.clock.move(hours=25)
    await world.app.sweep()
    assert not path.exists()


async def test_files_of_rows_that_were_deleted_otherwise_are_found(files: Filing) -> None:
    views = [await _kept(files, picture()) for _ in range(2)]
    async with files.world.unit_of_work() as context:
        row = (await context.session.execute(select(Material).where(Material.key == views[0].id))).scalar_one()
        await context.session.delete(row)
    await files.sweep()
    assert len(files.folder) == 4  # an upload that is just being made looks the same
    _old(files)
    await files.sweep()
    assert files.folder == [views[1].id, f"{views[1].id}-thumbnail"]


async def test_a_row_that_cannot_be_written_leaves_no_file(files: Filing, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: object) -> None:
        raise RuntimeError("the database went away")

    monkeypatch.setattr(files.materials, "receive", fails)
    with pytest.raises(RuntimeError, match="went away"):
        await _kept(files, picture())
    assert (await files.rows(), files.folder) == ([], [])


async def test_a_sweep_that_dies_half_way_is_done_again(files: Filing) -> None:
    view = await _kept(files)
    files.world.clock.move(hours=25)
    files.store.delete(view.id)
    await files.sweep()
    assert (await files.rows(), files.folder) == ([], [])


@pytest.mark.peer
async def test_a_process_that_dies_between_file_and_row_leaves_what_the_sweep_finds(tmp_path: Path) -> None:
    store = sqlite_store(tmp_path)
    with store.serving(NJR_FAULT="files.stored") as server:
        async with _visiting(server) as browser:
            with pytest.raises(httpx.TransportError):
                await browser.post(FILES, files={"file": ("a.jpg", picture())})
        assert server.died() == -signal.SIGKILL
    left = [file for file in (store.var / "files").rglob("*") if file.is_file()]
    assert len([file for file in left if file.parent.name != "incoming"]) == 2
    with store.session() as session:
        assert session.scalars(select(Material)).all() == []
    app = build(_settings(store.var), clock=MovableClock())
    for file in left:
        os.utime(file, (app.clock().timestamp() - 3_700,) * 2)
    await app.sweep()
    await app.house.database.close()
    assert [file for file in (store.var / "files").rglob("*") if file.is_file()] == []


@pytest.mark.peer
async def test_fifty_megabytes_do_not_sit_in_memory(tmp_path: Path) -> None:
    store = sqlite_store(tmp_path)
    with store.serving() as server:
        async with _visiting(server) as browser:
            assert (await browser.post(FILES, files={"file": ("a.pdf", pdf())})).status_code == 201
            before = _peak_megabytes(server.process.pid)
            answer = await browser.post(FILES, files={"file": ("a.pdf", b"%PDF-1.4\n" + b"\0" * 50 * 2**20)})
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "file_too_large")
        assert _peak_megabytes(server.process.pid) - before < 20
        assert len([file for file in (store.var / "files").rglob("*") if file.is_file()]) == 1


@asynccontextmanager
async def _visiting(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as browser:
        await browser.post("/api/v1/session", json={"person": "林一帆"})
        yield browser


def _peak_megabytes(process: int) -> float:
    """The most memory that a process has had so far."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
