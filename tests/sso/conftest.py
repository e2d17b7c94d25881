"""A real server, a real provider, and a browser that goes from one to the other as browsers do."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import pytest
import uvicorn
from sqlalchemy import func, select

from actions.core.tables import Account, Member, WebSession
from bot.api import create_api
from bot.serving import _api_parts
from bot.settings import HttpSettings, SsoSettings
from tests.peers.oidc import CLIENT, SECRET, Provider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from fastapi import FastAPI

    from bot.api import SingleSignOn
    from tests.conftest import World

SESSION, START, CALLBACK = "/api/v1/session", "/api/v1/sso/start", "/api/v1/sso/callback"
LIN = "20180312"


@dataclass
class Campus:
    """The assistant at `url`, and the provider that it believes."""

    world: World
    url: str
    provider: Provider
    sso: SingleSignOn

    @asynccontextmanager
    async def browser(self, *, visits: bool = True) -> AsyncIterator[Browser]:
        async with httpx.AsyncClient(base_url=self.url, timeout=20) as client:
            browser = Browser(self, client)
            if visits:
                assert (await client.post(SESSION, json={})).status_code == 200
            yield browser

    @contextmanager
    def patience(self, seconds: float) -> Iterator[None]:
        """How long the assistant waits for the provider, within the block."""
        asking: Any = self.sso._provider
        usual = asking.settings
        asking.settings = usual.model_copy(update={"seconds": seconds})
        yield
        asking.settings = usual

    async def bound(self) -> dict[str, str]:
        """Visitors' accounts that are bound: sender -> 工号."""
        query = (
            select(Account.sender, Member.staff_id)
            .join(Member, Member.id == Account.member_id)
            .where(Account.channel == "web", Account.sender.startswith("web-"))
        )
        async with self.world.app.house.database.read() as session:
            return {row.sender: row.staff_id for row in (await session.execute(query)).all()}

    async def sessions(self) -> int:
        async with self.world.app.house.database.read() as session:
            return (await session.execute(select(func.count()).select_from(WebSession))).scalar_one()


@dataclass
class Browser:
    """Follows no redirect by itself, so that each can be looked at; keeps cookies."""

    campus: Campus
    client: httpx.AsyncClient

    @property
    def token(self) -> str:
        return self.client.cookies.get("njr_session") or ""

    async def start(self) -> httpx.Response:
        return await self.client.get(START)

    async def authorized(self) -> str:
        """Goes to the provider and signs in there; where the provider sends it back to."""
        begun = await self.start()
        assert begun.status_code == 303, begun.text
        async with httpx.AsyncClient() as elsewhere:  # the provider gets none of our cookies
            answer = await elsewhere.get(begun.headers["location"])
        assert answer.status_code == 302, answer.text
        return str(answer.headers["location"])

    async def sign_in(self) -> httpx.Response:
        """The whole way, up to what the callback answers."""
        return await self.client.get(await self.authorized())


@asynccontextmanager
async def served(app: FastAPI, listening: socket.socket) -> AsyncIterator[None]:
    """The application under uvicorn in this process."""
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    running = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:  # noqa: ASYNC110 - uvicorn has a flag and no event
        await asyncio.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        await running


@pytest.fixture
def provider(world: World) -> Iterator[Provider]:
    with Provider(world.clock) as running:
        yield running


@pytest.fixture
def sso_settings() -> dict[str, Any]:
    """What a test sets beside the issuer."""
    return {}


@pytest.fixture
async def campus(
    world: World, provider: Provider, sso_settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Campus]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    provider.redirect_uris = {url + CALLBACK}
    given = {"issuer": provider.issuer, "client_id": CLIENT, "client_secret": SECRET, **sso_settings}
    settings = world.app.settings.model_copy(update={"http": HttpSettings(public_url=url), "sso": SsoSettings(**given)})
    app = replace(world.app, settings=settings)
    parts = _api_parts(app, asyncio.Event(), None)
    assert parts.sso is not None
    async with served(create_api(parts), listening):
        yield Campus(world, url, provider, parts.sso)


def path(answer: httpx.Response) -> str:
    return urlsplit(answer.headers["location"]).path
