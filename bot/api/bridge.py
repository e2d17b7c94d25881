"""`/api/v1/bridge/wechaty/…`: what the bridge of WeChat groups and the assistant say to one another (`bot.wire`)."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.responses import FileResponse
from pydantic import ValidationError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from bot.api.callers import BY_KEY, check_key
from bot.api.errors import LISTED, REFUSALS, ApiError
from bot.api.parts import Api
from bot.wire import HAPPENING, PREFIX, Asked, BridgeTakenError, Desk, Happening, Jobs, Report

FILES = f"{PREFIX}/files"

router = APIRouter(prefix=PREFIX, tags=["微信桥"])

_JobKey = Annotated[str, Path(pattern=r"^[0-9A-Za-z_-]{1,80}$")]
_FileKey = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
_BUSY: dict[int | str, dict[str, Any]] = {**REFUSALS, 409: {"description": "另一个微信桥正在工作"}}
_FORM = {
    "multipart/form-data": {
        "schema": {
            "type": "object",
            "required": ["happening", "file"],
            "properties": {
                "happening": {"type": "string", "description": "happenings 的 JSON"},
                "file": {"type": "string", "format": "binary"},
            },
        }
    }
}
_CLOSED: dict[int | str, dict[str, Any]] = {**REFUSALS, 503: {"description": "助手此刻不接收消息，稍后再来"}}


async def _keyed(request: Request, api: Api, _bearer: Any = BY_KEY) -> Desk:
    """The desk, for a bridge with a key: the one that this process gave it, or one of `bot keys`. Raises ApiError."""
    desk = api.parts.bridge
    if desk is None:
        raise ApiError(404, "not_found")
    authorization = request.headers.get("authorization", "")
    if not desk.knows(authorization.removeprefix("Bearer ")):
        await check_key(api, authorization, "bridge")
    return desk


_Desk = Annotated[Desk, Depends(_keyed)]


@router.post("/happenings", summary="微信里发生了一件事", status_code=204, responses=_CLOSED)
async def happened(happening: Happening, desk: _Desk) -> None:
    """一句话、一位新好友、有人进群、群换了编号。同一件事再说一遍，只算一次。"""
    await _take(desk, happening)


@router.post(
    "/files",
    summary="微信里的一句话，带着文件",
    status_code=204,
    responses=_CLOSED,
    openapi_extra={"requestBody": {"required": True, "content": _FORM}},
)
async def with_file(request: Request, desk: _Desk) -> None:
    """multipart：`happening` 是那句话（JSON），`file` 是文件本身。"""
    async with _form(request) as (happening, file):
        await _take(desk, happening, file)


@router.post("/outbox", summary="有什么要发", responses=_BUSY)
async def outbox(asked: Asked, request: Request, desk: _Desk, api: Api) -> Jobs:
    """没有要发的就等一会儿。已经拿在手里的（`has`）不再给。"""
    asking = asyncio.ensure_future(desk.hand_out(asked))
    gone = asyncio.ensure_future(_hangs_up(request))
    stopping = asyncio.ensure_future(api.parts.stopping.wait())
    try:
        await asyncio.wait((asking, gone, stopping), return_when=asyncio.FIRST_COMPLETED)
        if gone.done() and not asking.done():
            desk.hung_up(asked.bridge)
        return Jobs(jobs=tuple(asking.result()) if asking.done() else ())
    except BridgeTakenError as error:
        raise ApiError(409, "bridge_taken") from error
    finally:
        for task in (asking, gone, stopping):
            task.cancel()
        await asyncio.gather(asking, gone, stopping, return_exceptions=True)


@router.post("/report", summary="发得怎样，登录没有", status_code=204, responses=_BUSY)
async def report(report: Report, desk: _Desk) -> None:
    """状态一变、一条发完就说。"""
    try:
        desk.reported(report)
    except BridgeTakenError as error:
        raise ApiError(409, "bridge_taken") from error


@router.get("/jobs/{job}/files/{file}", summary="取要发的文件", response_class=FileResponse, responses=LISTED)
async def enclosure(job: _JobKey, file: _FileKey, desk: _Desk) -> Response:
    """只在这件事还没办完的时候。"""
    path = await desk.enclosure(job, file)
    if path is None:
        raise ApiError(404, "not_found")
    return FileResponse(path, media_type="application/octet-stream")


async def _take(desk: Desk, happening: Any, file: UploadFile | None = None) -> None:
    if not await desk.take(happening, None if file is None else file.file):
        raise ApiError(503, "closed")


async def _hangs_up(request: Request) -> None:
    """Ends when the bridge has cut its question off."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


@contextlib.asynccontextmanager
async def _form(request: Request) -> AsyncIterator[tuple[Any, UploadFile]]:
    """What is said, and the file, on the disk as soon as it has more than a megabyte. Raises ApiError."""
    try:
        async with request.form(max_files=1, max_fields=2, max_part_size=256 * 1024) as form:
            said, file = form.get("happening"), form.get("file")
            if not isinstance(said, str) or not isinstance(file, UploadFile):
                raise ApiError(422, "invalid", fields="multipart")
            yield HAPPENING.validate_json(said), file
    except ValidationError as error:
        raise ApiError(422, "invalid", fields="happening") from error
    except HTTPException as error:
        if isinstance(error, ApiError):
            raise
        raise ApiError(422, "invalid", fields="multipart") from error
