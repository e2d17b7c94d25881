"""`/api/v1/sso`: the way to the university's sign-in, and back. A fault is a page that says what to do."""

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from html import escape
from typing import Annotated, Any

from fastapi import APIRouter, Cookie, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.responses import Response

from actions.core.errors import DomainError
from bot.api.errors import ApiError
from bot.api.parts import Api, State
from bot.api.signing_in import LIFETIME, Returned, SingleSignOn

PREFIX = "/api/v1/sso"
START = f"{PREFIX}/start"
COOKIE = "njr_sso"

router = APIRouter(prefix=PREFIX, tags=["网页会话"])

_STATUS = {
    "sso_unreachable": 502,
    "sso_untrusted": 502,
    "sso_unknown": 403,
    "sso_left": 403,
    "sso_name": 403,
    "oa_not_bound": 403,
}

_Text = Annotated[str, Query(max_length=4096)]
_Attempt = Annotated[str, Cookie(alias=COOKIE, max_length=4096)]


@router.get("/start", summary="去学校统一身份认证登录", response_class=RedirectResponse, status_code=303)
async def start(request: Request, api: Api) -> Response:
    """回来以后，网页会话就是这位会员的。不接受任何跳转地址：登录完总是回到聊天页。"""
    if api.new_sessions.take(request.client.host if request.client else ""):
        return page(api, "sso.too_many", {}, 429)
    try:
        url, attempt = await _sso(api).begin()
    except DomainError as error:
        return failed(api, error)
    response = RedirectResponse(url, status_code=303)
    seconds = int(LIFETIME.total_seconds())
    response.set_cookie(
        COOKIE, attempt, max_age=seconds, path=PREFIX, secure=secure(api), httponly=True, samesite="lax"
    )
    return response


def _returned(code: _Text = "", state: _Text = "", error: _Text = "", iss: _Text = "") -> Returned:
    return Returned(code=code, state=state, error=error, issuer=iss)


@router.get("/callback", summary="从统一身份认证回来", response_class=RedirectResponse, status_code=303)
async def callback(
    request: Request, api: Api, returned: Annotated[Returned, Depends(_returned)], njr_sso: _Attempt = ""
) -> Response:
    """只有开始登录的那个浏览器、在十分钟以内、一次有效。"""
    response: Response = RedirectResponse("/", status_code=303)
    try:
        await _sso(api).end(request, response, njr_sso, returned)
    except DomainError as refused:
        response = failed(api, refused)
    response.delete_cookie(COOKIE, path=PREFIX, secure=secure(api), httponly=True, samesite="lax")
    return response


def _sso(api: State) -> SingleSignOn:
    if api.parts.sso is None:
        raise ApiError(404, "not_found")
    return api.parts.sso


def secure(api: State) -> bool:
    """Whether members come by https."""
    return api.parts.settings.http.public_url.startswith("https")


def failed(api: State, error: DomainError, start: str = START) -> HTMLResponse:
    """A page that tells what was refused; `start` is where one tries again."""
    return page(api, f"errors.{error.code}", error.params, _STATUS.get(error.code, 400), start)


_STYLE = (
    "body{font:1.1rem/1.7 sans-serif;max-width:32rem;margin:15vh auto;padding:0 1.25rem;color-scheme:light dark}"
    "a{display:inline-block;margin:.5rem 1.5rem .5rem 0;padding:.4rem 0}"
)


@cache
def _policy() -> str:
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )


def page(api: State, key: str, params: Mapping[str, Any], status: int, start: str = START) -> HTMLResponse:
    """A page with one sentence, and the ways on: again, or back to the chat."""
    say = api.parts.say
    title, again, back = (escape(say(f"sso.{name}", {})) for name in ("title", "again", "back"))
    html = (
        f'<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>'
        f"<body><main><h1>{title}</h1><p>{escape(say(key, params))}</p>"
        f'<p><a href="{start}">{again}</a><a href="/">{back}</a></p></main></body></html>'
    )
    return HTMLResponse(html, status_code=status, headers={"Content-Security-Policy": _policy()})
