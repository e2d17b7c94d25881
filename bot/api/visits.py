"""`/api/v1/session`: the browser's own session, and in the demo who the visitor is."""

import secrets

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from actions.core.tables import WebSession
from bot.api.errors import REFUSALS, ApiError, too_many
from bot.api.parts import Api, State
from bot.api.sso import START
from bot.keys import digest

router = APIRouter(prefix="/api/v1/session", tags=["网页会话"])


class SessionRequest(BaseModel):
    """What a new session asks for."""

    model_config = ConfigDict(json_schema_extra={"example": {"person": "林一帆"}})

    person: str | None = Field(None, description="示例世界里扮演谁；省略时沿用现有会话，没有就用第一位")


class SsoView(BaseModel):
    """The way to the university's sign-in."""

    label: str = Field(description="按钮上的字")
    url: str


class SessionView(BaseModel):
    """What the page needs to know of its session."""

    demo: bool = Field(description="是否示例世界")
    person: str = Field(description="示例世界里扮演的人；其他情况为空")
    people: list[str] = Field(description="示例世界里可以扮演的人")
    officer: bool = Field(description="是否从工作台登录的工会干部")
    key: str = Field(description="同一个会话总是相同：页面据此分辨自己记着的话属于谁")
    files: bool = Field(description="能不能交材料")
    welcome: str = Field(description="第一次来时说的话")
    examples: list[str] = Field(description="可以照着说的几句")
    sso: SsoView | None = Field(description="学校统一身份认证；没有启用时为空")


@router.post("", summary="开始网页会话", responses=REFUSALS)
async def start(request: Request, response: Response, api: Api, wanted: SessionRequest | None = None) -> SessionView:
    """会话只认 HttpOnly cookie，30 天有效；已有会话且没有换人时沿用。"""
    person = wanted.person if wanted else None
    current = await api.parts.sessions.find(request)
    if current is not None and person is None:
        return _view(api, current)
    sender = _sender(api, person)
    if wait := api.new_sessions.take(request.client.host if request.client else ""):
        raise too_many(wait)
    async with api.parts.database.write() as work:
        await api.parts.sessions.close(work, request)
        return _view(api, await api.parts.sessions.open(work, response, sender))


@router.get("", summary="当前网页会话", responses=REFUSALS)
async def show(request: Request, api: Api) -> SessionView:
    """没有会话时是 401。"""
    session = await api.parts.sessions.find(request)
    if session is None:
        raise ApiError(401, "no_session")
    return _view(api, session)


def _sender(api: State, person: str | None) -> str:
    people = dict(api.parts.people)
    if person is not None and person not in people:
        raise ApiError(422, "unknown_person")
    if people:
        return people[person or next(iter(people))]
    return f"web-{secrets.token_hex(16)}"


def _view(api: State, session: WebSession) -> SessionView:
    names = {sender: name for name, sender in api.parts.people}
    say = api.parts.say
    return SessionView(
        demo=bool(names),
        person=names.get(session.sender, ""),
        people=list(names.values()),
        officer=session.sender.startswith("officer-"),
        key=digest(f"page\x1f{session.conversation}")[:16],
        welcome=say("page.welcome", {}),
        examples=[say(f"page.say.{which}", {}) for which in ("first", "second", "third")],
        files=api.parts.files is not None and api.parts.takes_files,
        sso=SsoView(label=api.parts.sso.label, url=START) if api.parts.sso else None,
    )
