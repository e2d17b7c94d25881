"""`/api/v1/files`: pictures and documents of a form, handed over before the message that speaks of them."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from actions.blocks.materials import MaterialView
from actions.blocks.materials_pictures import THUMBNAIL_TYPE
from actions.core.errors import DomainError
from bot.api.callers import Caller, Sender, called_for
from bot.api.chat import FILES, thumbnail_of
from bot.api.errors import DONE, LISTED, ApiError, ErrorBody, Responses, refusal
from bot.api.once import Named, apart_once, once
from bot.api.parts import Api, State
from bot.files import FileDesk, Kept
from bot.messages import Address

router = APIRouter(prefix=FILES, tags=["材料"])

_STATUS = {"not_bound": 403, "file_gone": 404, "file_too_large": 413, "files_too_many": 409, "file_scan_failed": 503}

# Whatever is in a file, a browser that shows it runs nothing of it and loads nothing for it.
_OWN_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-store",
}

_FORM = {
    "multipart/form-data": {
        "schema": {
            "type": "object",
            "required": ["file"],
            "properties": {
                "file": {"type": "string", "format": "binary"},
                "sender": {"type": "string", "description": "持密钥的调用方给出，网页会话不必给"},
                "conversation": {"type": "string", "description": "同上"},
            },
        }
    }
}

_BYTES = {"schema": {"type": "string", "format": "binary"}}
_GIVEN: Responses = {
    **LISTED,
    200: {"description": "文件本身", "content": {"application/octet-stream": _BYTES, "image/*": _BYTES}},
}

_Key = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", description="文件编号")]


_VIEW: dict[str, Any] = {"id": "0f3c9a5d0b4a7e10f3c9a5d0b4a7e1aa", "name": "证明.jpg", "kind": "picture", "size": 48213}


class FileView(BaseModel):
    """A file that was kept."""

    model_config = ConfigDict(json_schema_extra={"example": _VIEW})

    id: str = Field(description="编号；发消息时放进 attachments")
    name: str = Field(description="文件名，扩展名按内容定")
    kind: str = Field(description="picture 或 document")
    size: int = Field(description="字节数")
    thumbnail: str | None = Field(None, description="缩略图的地址，只有图片有")


_Caller = Annotated[Caller, Depends(called_for("files"))]
_Handing = Annotated[Caller, Depends(called_for("files", limited=True))]


@router.post(
    "",
    summary="交一份材料",
    status_code=201,
    response_model=FileView,
    responses={**DONE, 503: {"model": ErrorBody, "description": "查毒的程序此刻不在，稍后再交"}},
    openapi_extra={"requestBody": {"required": True, "content": _FORM}},
)
async def keep(request: Request, caller: _Handing, api: Api, named: Named = "") -> Response:
    """先交文件，再发一条带 `attachments` 的消息。类型只看内容；没用上的过一段时间就删。"""
    async with _form(request) as form:
        upload = form.get("file")
        sender = caller.sender or _text(form, "sender")
        conversation = caller.conversation or _text(form, "conversation")
        given = {"file": isinstance(upload, UploadFile), "sender": sender, "conversation": conversation}
        missing = [name for name, value in given.items() if not value]
        if missing or not isinstance(upload, UploadFile):
            raise ApiError(422, "invalid", fields="、".join(missing))
        sender, conversation = caller.speaking(sender), caller.within(conversation)
        address = Address(channel="web", conversation=conversation)

        async def work() -> JSONResponse:
            try:
                view = await _desk(api).keep(address, sender, upload.filename or "", upload.file)
            except DomainError as error:
                raise refused(error) from error
            return JSONResponse(_view(view).model_dump(exclude_none=True), status_code=201)

        name, whole = upload.filename or "", await run_in_threadpool(_digest, upload)
        return await apart_once(api, once(caller, sender, named, FILES, conversation, name, whole), work)


def _digest(upload: UploadFile) -> str:
    whole = hashlib.sha256()
    while piece := upload.file.read(2**16):
        whole.update(piece)
    upload.file.seek(0)
    return whole.hexdigest()


@router.get("/{key}", summary="取一份材料", response_class=FileResponse, responses=_GIVEN)
async def fetch(key: _Key, caller: _Caller, api: Api, sender: Sender = "") -> Response:
    """只给交它的人，和对那条记录有权的人。"""
    kept = await _open(api, caller, sender, key, thumbnail=False)
    how = "inline" if kept.view.kind == "picture" else "attachment"
    return _file(kept, kept.view.media_type, f"{how}; filename*=UTF-8''{quote(kept.view.name, safe='')}")


@router.get("/{key}/thumbnail", summary="取图片的缩略图", response_class=FileResponse, responses=_GIVEN)
async def thumbnail(key: _Key, caller: _Caller, api: Api, sender: Sender = "") -> Response:
    """WebP，长边 320 像素。"""
    kept = await _open(api, caller, sender, key, thumbnail=True)
    return _file(kept, THUMBNAIL_TYPE.media_type, "inline")


@router.delete("/{key}", summary="撤回一份还没用上的材料", status_code=204, responses=DONE)
async def discard(key: _Key, caller: _Caller, api: Api, sender: Sender = "") -> None:
    """已经放进表里的，随那条记录走。"""
    who = caller.speaking(sender)
    try:
        await _desk(api).discard(Address(channel="web", conversation=who), who, key)
    except DomainError as error:
        raise refused(error) from error


def refused(error: DomainError) -> ApiError:
    """The answer that tells why a file is not taken, or not given."""
    return refusal(error, _STATUS.get(error.code, 422))


async def _open(api: State, caller: Caller, sender: str, key: str, *, thumbnail: bool) -> Kept:
    who = caller.speaking(sender)
    try:
        return await _desk(api).open(Address(channel="web", conversation=who), who, key, thumbnail=thumbnail)
    except DomainError as error:
        raise refused(error) from error


def _desk(api: State) -> FileDesk:
    if api.parts.files is None:
        raise ApiError(404, "not_found")
    return api.parts.files


@asynccontextmanager
async def _form(request: Request) -> AsyncIterator[FormData]:
    """The form, its file on the disk as soon as it has more than a megabyte.

    Read here and not by the framework, which would take everything in before it knows who asks.
    """
    try:
        async with request.form(max_files=1, max_fields=8, max_part_size=4096) as form:
            yield form
    except HTTPException as error:
        if isinstance(error, ApiError):
            raise
        raise ApiError(422, "invalid", fields="multipart") from error


def _text(form: FormData, name: str) -> str:
    value: Any = form.get(name)
    return value if isinstance(value, str) and len(value) <= 120 and value.isprintable() else ""


def _file(kept: Kept, media_type: str, disposition: str) -> FileResponse:
    headers = {**_OWN_HEADERS, "Content-Disposition": disposition}
    return FileResponse(kept.path, media_type=media_type, headers=headers)


def _view(view: MaterialView) -> FileView:
    small = thumbnail_of(view.id, view.kind)
    return FileView(id=view.id, name=view.name, kind=view.kind, size=view.size, thumbnail=small)
