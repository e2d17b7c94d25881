"""Runs the interface with uvicorn."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from types import FrameType

    from fastapi import FastAPI

    from bot.settings import HttpSettings

_GRACE_SECONDS = 10


async def serve(app: FastAPI, http: HttpSettings, stopping: asyncio.Event) -> None:
    """Serves until SIGINT or SIGTERM. `stopping` (ApiParts.stopping) is set then, so that event streams end by
    themselves; requests under way have ten seconds to finish. Raises SystemExit where the port is taken.
    """
    import uvicorn  # noqa: PLC0415 -- only the process that serves needs it

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            stopping.set()
            super().handle_exit(sig, frame)

    config = uvicorn.Config(
        app,
        host=http.host,
        port=http.port,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        log_config=None,
    )
    await Server(config).serve()
