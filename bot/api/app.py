"""Puts the HTTP interface together."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.responses import FileResponse
from starlette.staticfiles import StaticFiles

from bot.api import actions, bridge, calendar, chat, events, files, history, items, lists, sso, status, visits, vouching
from bot.api.errors import install_handlers
from bot.api.guards import BodyLimit, Envelope, SameOrigin
from bot.api.parts import State

if TYPE_CHECKING:
    from starlette.responses import Response

    from bot.api.parts import ApiParts

STATIC = Path(__file__).with_name("static")

_DESCRIPTION = (
    "校工会聊天助手的 HTTP 接口。服务端调用用 `Authorization: Bearer 密钥`（`bot keys create` 发放）；"
    "出错时一律是 `{error: {code, message}}`。"
)


def create_api(parts: ApiParts) -> FastAPI:
    """The application: chat, sessions, events, the page, health and metrics, and the routers that the parts bring."""
    app = FastAPI(
        title="娘家人",
        version=version("niangjiaren"),
        description=_DESCRIPTION,
        # The usual documentation pages load scripts from a third party.
        docs_url=None,
        redoc_url=None,
    )
    app.state.api = State.of(parts)
    install_handlers(app, parts.say)
    for router in (
        chat.router,
        visits.router,
        events.router,
        history.router,
        calendar.router,
        status.router,
        *([lists.router, items.router, vouching.router] if parts.house else []),
        *([files.router] if parts.files else []),
        *([sso.router] if parts.sso else []),
        *([actions.router] if parts.native else []),
        *([bridge.router] if parts.bridge else []),
        *parts.routers,
    ):
        app.include_router(router)
    app.mount("/static", _Static(directory=STATIC))
    app.add_api_route("/", _page, include_in_schema=False)
    # The one added last is the outermost.
    app.add_middleware(BodyLimit, parts=parts)
    app.add_middleware(SameOrigin, parts=parts)
    app.add_middleware(Envelope, parts=parts)
    return app


class _Static(StaticFiles):
    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = "no-cache"
        return response


async def _page() -> FileResponse:
    # no-cache: asked anew each time, and answered "not modified" by the ETag.
    return FileResponse(STATIC / "index.html", headers={"Cache-Control": "no-cache"})
