"""A real application over a real database; only the turn itself is a small one, written here."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from actions.core.database import Database
from actions.core.errors import DomainError
from actions.core.tables import ApiKey, Base
from actions.core.zones import SHANGHAI
from bot.api import ApiParts, Pace, Sessions, create_api
from bot.channels.web import WebChannel
from bot.keys import digest
from bot.messages import Address, Inbound, Option, Outbound
from bot.settings import Settings
from bot.wording import Wording, load_wording

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from fastapi import FastAPI

    from actions.core.entries import CalendarEntry

PEOPLE = (("林一帆", "demo-lin"), ("何医生", "demo-he"))
KEY = "njr_a-key-for-tests"


@dataclass
class Union:
    """What stands behind the interface: it echoes with options, remembers what it heard, and has things to say."""

    clock: datetime = datetime(2026, 11, 18, 10, 0, tzinfo=SHANGHAI)
    heard: list[Inbound] = field(default_factory=list)
    answers: dict[str, tuple[Outbound, ...]] = field(default_factory=dict)
    said: list[Outbound] = field(default_factory=list)
    checks: dict[str, bool] = field(default_factory=lambda: {"database": True})
    web: WebChannel = field(default_factory=WebChannel)
    entries: dict[str, CalendarEntry | None] = field(default_factory=dict)

    def now(self) -> datetime:
        return self.clock

    def passes(self, **duration: float) -> None:
        self.clock += timedelta(**duration)

    async def receive(self, inbound: Inbound) -> tuple[Outbound, ...]:
        if inbound.event_id in self.answers:
            return self.answers[inbound.event_id]
        if inbound.text == "坏了":
            raise RuntimeError("the secret behind the fault")
        self.heard.append(inbound)
        await asyncio.sleep(0)
        if inbound.address.chat == "group" and not inbound.mentioned:
            return ()
        options = (Option(label="好", value="好"), Option(label="换个时间", value="换个时间 A2B3C"))
        text = f"{len(self.heard)}：{inbound.text}"
        link = "/files/form.docx" if inbound.text == "要表格" else ""
        self.answers[inbound.event_id] = (Outbound(address=inbound.address, text=text, options=options, link=link),)
        return self.answers[inbound.event_id]

    async def say(self, conversation: str, text: str, *options: Option) -> None:
        """Something is said by the union's own accord: the row, then the wake."""
        address = Address(channel="web", conversation=conversation)
        self.said.append(Outbound(address=address, text=text, options=options, id=len(self.said) + 1))
        await self.web.send(self.said[-1])

    async def since(self, address: Address, after: int, limit: int) -> list[Outbound]:
        await asyncio.sleep(0)
        found = [one for one in self.said if one.address.conversation == address.conversation and one.id > after]
        return found[:limit]

    async def before(self, address: Address, position: int, limit: int) -> list[Outbound]:
        await asyncio.sleep(0)
        found = [one for one in self.said if one.address.conversation == address.conversation and one.id < position]
        return found[-limit:]

    async def calendar(self, token: str) -> CalendarEntry | None:
        if token not in self.entries:
            raise DomainError("not_found")
        return self.entries[token]

    async def ready(self) -> dict[str, bool]:
        return self.checks


@pytest.fixture
def union() -> Union:
    return Union()


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'test.db'}")
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield database
    await database.close()


@pytest.fixture
def settings() -> Settings:
    return Settings()


@pytest.fixture(scope="session")
def wording() -> Wording:
    settings = Settings()
    return load_wording(settings.data_dir / "responses", {"union": settings.union})


@pytest.fixture
def parts(union: Union, database: Database, settings: Settings, wording: Wording) -> ApiParts:
    secure = settings.http.public_url.startswith("https:")
    return ApiParts(
        settings=settings,
        database=database,
        now=union.now,
        receive=union.receive,
        since=union.since,
        before=union.before,
        subscribe=union.web.subscribe,
        wake=union.web.wake,
        calendar=union.calendar,
        ready=union.ready,
        say=wording.text,
        sessions=Sessions(database, union.now, secure=secure),
        pace=Pace(poll=0.05, heartbeat=20, settle=0.01),
    )


@pytest.fixture
def demo(parts: ApiParts) -> ApiParts:
    return replace(parts, people=PEOPLE)


def client(app: FastAPI, **kwargs: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://union.test", **kwargs)


@pytest.fixture
async def browser(parts: ApiParts) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that has opened the page."""
    async with client(create_api(parts)) as opened:
        assert (await opened.post("/api/v1/session", json={})).status_code == 200
        yield opened


@pytest.fixture
async def server(parts: ApiParts, database: Database, union: Union) -> AsyncIterator[httpx.AsyncClient]:
    """A server-side caller with a key."""
    async with database.write() as work:
        work.add(ApiKey(name="portal", key_hash=digest(KEY), created_at=union.now()))
    async with client(create_api(parts), headers={"Authorization": f"Bearer {KEY}"}) as opened:
        yield opened


def message(text: str = "你好", **fields: Any) -> dict[str, Any]:
    return {"conversation": "c1", "sender": "u1", "message_id": "m1", "text": text, "chat": "private", **fields}
