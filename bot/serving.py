"""`bot serve`: the HTTP interface over the assistant, with delivery and clock beside it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import TYPE_CHECKING

from bot.api import ApiParts, Limiter, Metrics, Provider, Sessions, SingleSignOn, callback_url, create_api
from bot.api import serve as serve_http
from bot.console import ConsoleParts, console_router
from bot.demo import World, is_demo, load_world
from bot.dialogue.forms import takes_files
from bot.gateway import calendar_entry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy.ext.asyncio import AsyncSession

    from actions.core.commands import Actor, Context
    from bot.app import App

# The demo's people that a visitor may be: those whom the contract names.
_NAMED = 9


async def serve(app: App, *, role: str) -> None:
    """Runs the HTTP interface, delivery and clock (`all`), or one half of them (`web`, `worker`) until told to stop."""
    if role == "worker":
        async with app.running():
            await _until_stopped()
        return
    stopping = asyncio.Event()
    world = load_world(app.settings.data_dir)
    visitors = world if await is_demo(app.house.database, world) else None
    api = create_api(_api_parts(app, stopping, visitors))
    background = app.running() if role == "all" else contextlib.nullcontext()
    # The first message of a process loads what the NLU looks words up in: better now than while somebody waits.
    warming = asyncio.create_task(app.pipeline.parse("你好", app.clock()))
    async with background, _watching(app):
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
        people=[(person.name, person.staff_id) for person in visitors.members[:_NAMED]] if visitors else [],
        routers=[console_router(_console_parts(app, sessions))],
        files=app.files,
        takes_files=takes_files(house.catalogue),
        sso=_single_sign_on(app, sessions),
        native=app.native,
        reserve=app.reserve,
        metrics=_metrics(app),
        stopping=stopping,
    )


def _metrics(app: App) -> Metrics:
    metrics = Metrics()
    if app.reserve is not None:
        metrics.watch(app.reserve)
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
