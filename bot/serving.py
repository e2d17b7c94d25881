"""`bot serve`: the HTTP interface over the assistant, with delivery and clock beside it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from actions.core.errors import ConfigurationError
from bot.api import ApiParts, Limiter, Metrics, Provider, Sessions, SingleSignOn, callback_url, create_api
from bot.api import serve as serve_http
from bot.console import ConsoleParts, console_router
from bot.demo import is_demo
from bot.dialogue.forms import takes_files
from bot.gateway import calendar_entry
from bot.supervisor import Supervisor, child, taking_in
from bot.wire import Desk
from bot.world import World, load_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from fastapi import APIRouter
    from sqlalchemy.ext.asyncio import AsyncSession

    from actions.core.commands import Actor, Context
    from bot.app import App
    from bot.gateway import Gateway
    from bot.messages import Channel, Event, Inbound, Outbound
    from bot.settings import Settings
    from bot.supervisor import Role

# The demo's people that a visitor may be: those whom the contract names.
_NAMED = 9
#: What a process that opens no database has no need to know.
_NOT_FOR_BRIDGES = frozenset({"NJR_DATABASE__URL", "NJR_VAULT__KEYS"})


async def serve(app: App, *, role: str) -> None:
    """Runs the HTTP interface, delivery, clock and channels (`all`), or a part of them, until told to stop.

    `web` is the HTTP interface with the channels that speak to it, `worker` delivery and clock, and the name of a
    channel that channel with delivery: what it is answered goes out from there at once.
    """
    channels = [channel for channel in app.channels if role in ("all", "web" if channel.over_http else channel.name)]
    metrics = _metrics(app)
    roles = [taking_in(channel, _Counted(app.gateway, metrics)) for channel in channels]
    supervisor = Supervisor([*roles, *_bridges(app.settings, channels)])
    if role not in ("all", "web"):
        if role != "worker" and not channels:
            raise ConfigurationError(f"--role {role}: the settings ask for no such channel here")
        async with app.running(sweeping=role == "worker"), _supervised(supervisor), _following(app):
            await _until_stopped()
        return
    metrics.watch_channels(channels, supervisor)
    stopping = asyncio.Event()
    world = load_world(app.settings.data_dir)
    visitors = world if await is_demo(app.house.database, world) else None
    parts = _api_parts(app, stopping, visitors)
    bridged = next((channel for channel in channels if isinstance(channel, Desk)), None)
    api = create_api(replace(parts, metrics=metrics, channels=channels, supervisor=supervisor, bridge=bridged))
    background = app.running() if role == "all" else contextlib.nullcontext()
    # The first message of a process loads what the NLU looks words up in: better now than while somebody waits.
    warming = asyncio.create_task(app.pipeline.parse("你好", app.clock()))
    async with background, _watching(app), _supervised(supervisor), _following(app, learning=True):
        await serve_http(api, app.settings.http, stopping)
    await warming


@contextlib.asynccontextmanager
async def _watching(app: App) -> AsyncIterator[None]:
    """The pages learn what other processes say, where there may be some."""
    if app.settings.embedded:
        yield
        return
    watching = asyncio.create_task(app.web.watch(app.delivery.heard, app.clock))
    try:
        yield
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching


@contextlib.asynccontextmanager
async def _following(app: App, *, learning: bool = False) -> AsyncIterator[None]:
    """The model that is made the running one is taken; `learning`: where the data have changed, one is trained."""
    if app.embedded is None:
        yield
        return
    from bot.models import follow, learn, models_of  # noqa: PLC0415 - numpy is for those who understand

    models, (name, engine) = models_of(app.settings), app.embedded
    tasks = [asyncio.create_task(follow(models, engine, name))]
    if learning:
        tasks.append(asyncio.create_task(learn(models)))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextlib.asynccontextmanager
async def _supervised(supervisor: Supervisor) -> AsyncIterator[None]:
    """The roles run, for as long as the block lasts."""
    running = asyncio.create_task(supervisor.run())
    try:
        yield
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


class _Counted:
    """The gateway as channels see it; turns are counted and timed."""

    def __init__(self, gateway: Gateway, metrics: Metrics) -> None:
        self._gateway = gateway
        self._metrics = metrics

    async def receive(self, inbound: Inbound) -> tuple[Outbound, ...]:
        """One turn."""
        return await self._metrics.turn(self._gateway.receive, inbound)

    async def notice(self, event: Event) -> None:
        """An event is no turn."""
        await self._gateway.notice(event)


def _webhooks(app: App) -> list[APIRouter]:
    """Where platforms call us."""
    by_name = {channel.name: channel for channel in app.channels if channel.over_http}
    found: list[APIRouter] = []
    if "telegram" in by_name:
        from bot.channels.telegram import TelegramChannel, webhook_router  # noqa: PLC0415 - for those who use it

        found += [webhook_router(channel) for channel in by_name.values() if isinstance(channel, TelegramChannel)]
    if "wecom" in by_name:
        from bot.channels.wecom import WecomChannel, wecom_router  # noqa: PLC0415

        found += [wecom_router(channel) for channel in by_name.values() if isinstance(channel, WecomChannel)]
    return found


def _official_account(app: App, sessions: Sessions) -> list[APIRouter]:
    """The callbacks of 公众号, the way from there to the chat page, and codes that bind."""
    channel = next((each for each in app.channels if each.name == "official_account"), None)
    if channel is None:
        return []
    from bot.api.official_account import entrance_router  # noqa: PLC0415 - for those who use it
    from bot.channels.official_account import OfficialAccountChannel, official_account_router  # noqa: PLC0415

    if not isinstance(channel, OfficialAccountChannel):
        return []
    entrance = entrance_router(channel, app.house, app.clock, sessions, app.settings.http.public_url)
    return [official_account_router(channel), entrance]


def _bridges(settings: Settings, channels: Sequence[Channel]) -> list[Role]:
    """The bridge of WeChat groups as a child process, where the settings want it here. It opens no database."""
    desk = next((channel for channel in channels if isinstance(channel, Desk)), None)
    if desk is None or settings.wechaty.bridge != "here":
        return []
    host = f"[{settings.http.host}]" if ":" in settings.http.host else settings.http.host
    local = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)  # noqa: S104 - compared, not bound
    own = {"NJR_WECHATY__BASE_URL": f"http://{local}:{settings.http.port}", "NJR_WECHATY__KEY": desk.own_key}
    inherited = {name: value for name, value in os.environ.items() if name not in _NOT_FOR_BRIDGES}
    argv = [sys.executable, "-m", "bot", "serve", "--role", "wechaty"]
    return [child("wechaty-bridge", argv, {**inherited, **own})]


async def _until_stopped() -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()


def _api_parts(app: App, stopping: asyncio.Event, visitors: World | None) -> ApiParts:
    settings, house = app.settings, app.house
    secure = settings.http.public_url.startswith("https")
    sessions = Sessions(house.database, app.clock, secure=secure)
    return ApiParts(
        settings=settings,
        database=house.database,
        now=app.clock,
        receive=app.gateway.receive,
        since=app.delivery.since,
        before=app.delivery.before,
        subscribe=app.web.subscribe,
        wake=app.web.wake,
        calendar=lambda token: calendar_entry(house, token, app.clock()),
        ready=app.ready,
        say=house.wording.text,
        sessions=sessions,
        house=house,
        after_commit=app.delivery.wake,
        people=[(person.name, person.staff_id) for person in visitors.members[:_NAMED]] if visitors else [],
        routers=[console_router(_console_parts(app, sessions)), *_webhooks(app), *_official_account(app, sessions)],
        files=app.files,
        takes_files=takes_files(house.catalogue),
        sso=_single_sign_on(app, sessions),
        native=app.native,
        reserve=app.reserve,
        stopping=stopping,
    )


def _metrics(app: App) -> Metrics:
    metrics = Metrics()
    if app.reserve is not None:
        metrics.watch(app.reserve)
    if app.llm is not None:
        metrics.watch_llm(app.llm)
    return metrics


def _single_sign_on(app: App, sessions: Sessions) -> SingleSignOn | None:
    """The university's sign-in, where it is set. Raises ConfigurationError."""
    settings = app.settings
    if not settings.sso.issuer:
        return None
    provider = Provider(settings.sso, callback_url(settings.http.public_url))
    return SingleSignOn(provider, app.house, app.clock, sessions)


def _console_parts(app: App, sessions: Sessions) -> ConsoleParts:
    def context(session: AsyncSession, actor: Actor) -> Context:
        return app.house.context(session, actor, app.clock())

    return ConsoleParts(
        database=app.house.database,
        context=context,
        attempt=Limiter(20, 3600, app.clock).take,
        sessions=sessions,
        say=app.house.wording.text,
    )
