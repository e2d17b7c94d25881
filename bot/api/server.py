"""Runs the interface with uvicorn."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from types import FrameType

    from fastapi import FastAPI

    from bot.settings import HttpSettings

_GRACE_SECONDS = 10
# Longer than a proxy's own, so that it is never the server that closes a connection the proxy is about to use.
_KEEP_ALIVE_SECONDS = 75


async def serve(app: FastAPI, http: HttpSettings, stopping: asyncio.Event) -> None:
    """Serves until SIGINT or SIGTERM. `stopping` (ApiParts.stopping) is set then, so that event streams end by
    themselves; requests under way have ten seconds to finish. Raises SystemExit where the port is taken.
    """
    import uvicorn  # noqa: PLC0415 -- only the process that serves needs it

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            # uvicorn's own handler raises the signal again after shutdown, which would skip the clean-up around us.
            del frame
            stopping.set()
            self.force_exit = self.should_exit and sig == signal.SIGINT
            self.should_exit = True

    config = uvicorn.Config(
        app,
        host=http.host,
        port=http.port,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        log_config=None,
    )
    await Server(config).serve()
