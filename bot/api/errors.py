"""Errors of the HTTP interface: `{"error": {"code", "message"}}`, the message in Chinese, from data/responses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.routing import Match, Mount

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fastapi import FastAPI, Request

    from actions.core.errors import DomainError

    Say = Callable[[str, Mapping[str, Any]], str]

_CODES = {404: "not_found", 405: "wrong_method", 413: "too_large", 415: "not_json", 422: "invalid"}


class Problem(BaseModel):
    """What went wrong: a code for programs, a sentence for people."""

    code: str
    message: str


class ErrorBody(BaseModel):
    """Body of every answer from 400 on."""

    error: Problem


class ApiError(HTTPException):
    """A request that is refused: `code` names the sentence `http.<code>`, `params` fill it.

    `group` is where the sentence stands: "errors" for a refusal by the union's own rules.
    """

    def __init__(
        self, status: int, code: str, *, headers: Mapping[str, str] | None = None, group: str = "http", **params: object
    ) -> None:
        super().__init__(status, code, headers=dict(headers or {}))
        self.code = code
        self.group = group
        self.params = params


def too_many(seconds: int) -> ApiError:
    """Refused for now: 429, with the seconds to wait."""
    return ApiError(429, "too_many", headers={"Retry-After": str(seconds)}, seconds=seconds)


def refusal(error: DomainError, status: int) -> ApiError:
    """What a rule refused, as an answer of the interface."""
    return ApiError(status, error.code, group="errors", **error.params)


def told(say: Say, error: ApiError) -> JSONResponse:
    """The answer that tells of an error."""
    problem = Problem(code=error.code, message=say(f"{error.group}.{error.code}", error.params))
    body = ErrorBody(error=problem).model_dump()
    return JSONResponse(body, status_code=error.status_code, headers=dict(error.headers or {}))


def error_response(
    say: Say, status: int, code: str, *, headers: Mapping[str, str] | None = None, **params: object
) -> JSONResponse:
    """As `told`, for an error that was not raised."""
    error = ApiError(status, code, headers=headers)
    error.params = params
    return told(say, error)


def install_handlers(app: FastAPI, say: Say) -> None:
    """Tells every refusal of the framework in the same shape."""

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> JSONResponse:
        if isinstance(error, ApiError):
            return told(say, error)
        if error.status_code == 400:
            # A body that is no text at all: the framework tells it apart from one that is no JSON.
            return error_response(say, 422, "invalid", fields="JSON")
        headers = {"Allow": _allowed(request)} if error.status_code == 405 else error.headers
        return error_response(say, error.status_code, _CODES.get(error.status_code, "refused"), headers=headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        return error_response(
            say, 422, "invalid", fields="、".join(sorted({_place(fault) for fault in error.errors()}))
        )


def _allowed(request: Request) -> str:
    """The methods of an address: its routes are several, and the framework names those of the first alone."""
    routes = [route for route in request.app.routes if not isinstance(route, Mount)]
    return ", ".join(
        method
        for method in ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    )


def _place(fault: Mapping[str, Any]) -> str:
    # Only where it is wrong: what was sent may be private.
    if fault["type"] == "json_invalid":
        return "JSON"
    return ".".join(map(str, fault["loc"][1:])) or "JSON"


Responses = dict[int | str, dict[str, Any]]


def _refused(description: str, code: str, message: str) -> dict[str, Any]:
    example = {"error": {"code": code, "message": message}}
    return {"model": ErrorBody, "description": description, "content": {"application/json": {"example": example}}}


_NOT_FOUND: Responses = {404: _refused("没有这个地址，或者不是本人的", "not_found", "没有这个地址，请检查链接。")}
_CONFLICT: Responses = {409: _refused("现在办不了，`message` 说为什么", "under_way", "这件事还在办，请过几秒再发。")}

#: Refusals for the OpenAPI description.
REFUSALS: Responses = {
    401: _refused("密钥无效、过期或已停用，或没有会话", "bad_key", "密钥不对或已停用。"),
    403: _refused("密钥没有这项权限，或不能替这个人说话", "no_scope", "这把密钥没有这项权限（act）。"),
    413: _refused("请求体超过 256 kB", "too_large", "内容太长了，请分成几次发送。"),
    422: _refused("请求的字段不对", "invalid", "请求的内容不完整或格式不对，请检查：sender。"),
    429: _refused("太频繁；Retry-After 给出要等的秒数", "too_many", "发得有点快，请过 12 秒再试。"),
}
#: Of lists, and of what is done to what is on them.
LISTED: Responses = {**REFUSALS, **_NOT_FOUND}
DONE: Responses = {**LISTED, **_CONFLICT}
