"""Errors of the HTTP interface: `{"error": {"code", "message"}}`, the message in Chinese, from data/responses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

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
    async def refused(_request: Request, error: HTTPException) -> JSONResponse:
        if isinstance(error, ApiError):
            return told(say, error)
        code = _CODES.get(error.status_code, "refused")
        return error_response(say, error.status_code, code, headers=error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        return error_response(
            say, 422, "invalid", fields="、".join(sorted({_place(fault) for fault in error.errors()}))
        )


def _place(fault: Mapping[str, Any]) -> str:
    # Only where it is wrong: what was sent may be private.
    if fault["type"] == "json_invalid":
        return "JSON"
    return ".".join(map(str, fault["loc"][1:])) or "JSON"


#: Refusals for the OpenAPI description.
REFUSALS: dict[int | str, dict[str, object]] = {
    401: {"model": ErrorBody, "description": "密钥无效或已停用，或没有会话"},
    413: {"model": ErrorBody, "description": "请求体超过 256 kB"},
    422: {"model": ErrorBody, "description": "请求的字段不对"},
    429: {"model": ErrorBody, "description": "太频繁；Retry-After 给出要等的秒数"},
}
