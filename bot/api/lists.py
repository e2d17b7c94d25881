"""`/api/v1/services` and `/api/v1/offerings`: what chat knows as text, as lists that a program can draw."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from actions.core.catalogue import Declaration, FormField
from actions.core.commands import Context, not_for
from actions.core.errors import DomainError
from actions.core.life import Opening, Opens
from actions.core.zones import local
from bot.api.callers import Listing, Sender, actor_of
from bot.api.errors import LISTED, ApiError, Problem
from bot.api.parts import Api, State, house_of

router = APIRouter(prefix="/api/v1", tags=["列表"])

_MOST = 100
Limit = Annotated[int, Query(ge=1, le=_MOST, description="最多几条", examples=[20])]
Offset = Annotated[int, Query(ge=0, le=10_000, description="跳过前面几条，照上一页的 next 给", examples=[0])]
_ServiceId = Annotated[str, Path(pattern=r"^[a-z][a-z_]{0,39}$", description="服务编号", examples=["counseling"])]

T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    """One page of a list."""

    items: list[T]
    total: int = Field(description="一共几条")
    next: int | None = Field(None, description="下一页的 offset；没有下一页就省略")


def page_of(rows: Sequence[T], offset: int, limit: int) -> Page[T]:
    """Rows from `offset` on, at most `limit`."""
    following = offset + limit
    return Page(items=list(rows[offset:following]), total=len(rows), next=following if following < len(rows) else None)


class FieldView(BaseModel):
    """A question of a form."""

    key: str
    type: str = Field(description="slot 时间、offering 选一项、choice 选择、text 文字、number 数字、contact 联系人……")
    label: str
    prompt: str = Field(description="对话里怎么问")
    choices: list[str] = Field(default_factory=list, description="固定的几个答案；没有就是空的")
    optional: bool = Field(description="可以不答")


_SERVICE: dict[str, Any] = {
    "id": "counseling",
    "title": "“师海心舟”心理咨询",
    "short": "心理咨询",
    "kind": "appointment",
    "private": True,
    "available": True,
    "say": "心理咨询",
    "form": [
        {
            "key": "time",
            "type": "slot",
            "label": "时间",
            "prompt": "想约什么时候？可以直接说，比如“下周三下午”。",
            "choices": [],
            "optional": False,
        }
    ],
}


class ServiceView(BaseModel):
    """One service, and whether this member may use it."""

    model_config = ConfigDict(json_schema_extra={"example": _SERVICE})

    id: str
    title: str
    short: str
    kind: str = Field(
        description="appointment 预约、activity 报名、case 申请和建言、question 问答、records 我的事、"
        "membership 绑定、announcement 通知"
    )
    private: bool = Field(description="私密的服务：不要写进群、通知栏和锁屏")
    available: bool = Field(description="这位会员能不能用；没绑定工号的只能用不要求绑定的")
    reason: Problem | None = Field(None, description="为什么不能用，可以直接给老师看")
    say: str = Field(description="把它当一句话发给对话接口，就开始办")
    form: list[FieldView] = Field(description="对话里会问的几样")
    link: str | None = Field(None, description="在别的系统里办的，这是那边的地址")


_OFFERING: dict[str, Any] = {
    "id": 31,
    "service": "lectures",
    "title": "健康大讲堂：颈椎养护",
    "label": "健康大讲堂：颈椎养护 11月27日(周五)15:00",
    "campus": "南湖校区",
    "starts_at": "2026-11-27T15:00:00+08:00",
    "left": 42,
    "available": True,
    "example": True,
    "say": "报名健康大讲堂：颈椎养护",
}


class OfferingView(BaseModel):
    """Something that is open now."""

    model_config = ConfigDict(json_schema_extra={"example": _OFFERING})

    id: int
    service: str = Field(description="属于哪项服务")
    title: str
    label: str = Field(description="带校区和时间的名字，显示用")
    campus: str | None = None
    about: str | None = Field(None, description="简介")
    starts_at: datetime | None = Field(None, description="第一场什么时候开始，+08:00")
    closes_at: datetime | None = Field(None, description="报名截止")
    next_at: datetime | None = Field(None, description="预约类：最近的空位")
    left: int | None = Field(None, description="还有几个名额（预约类是几个空的时间）；不限就省略。本单位名额满了也是 0")
    available: bool = Field(description="这位会员现在能不能报；满了可能还能候补，去对话里问")
    reason: Problem | None = Field(None, description="为什么不能报，可以直接给老师看")
    example: bool = Field(description="示例数据")
    say: str = Field(description="把它当一句话发给对话接口，就开始报")


@router.get("/services", summary="有哪些服务", responses=LISTED, response_model_exclude_none=True)
async def services(
    caller: Listing, api: Api, sender: Sender = "", limit: Limit = 50, offset: Offset = 0
) -> Page[ServiceView]:
    """服务目录，和这位会员能不能用、为什么不能。办理都走对话接口：把 `say` 当一句话发过去。"""
    house, who = house_of(api), caller.speaking(sender)
    async with house.database.read() as session:
        actor = await actor_of(session, who)
    found = [
        _service(api, each, not_for(actor, each))
        for each in house.catalogue
        if not each.part_of and each.triggers.intents
    ]
    return page_of(found, offset, limit)


@router.get("/services/{service}", summary="一项服务", responses=LISTED, response_model_exclude_none=True)
async def one_service(service: _ServiceId, caller: Listing, api: Api, sender: Sender = "") -> ServiceView:
    """和列表里的一条同形。"""
    house, who = house_of(api), caller.speaking(sender)
    if service not in house.catalogue:
        raise ApiError(404, "not_found")
    async with house.database.read() as session:
        actor = await actor_of(session, who)
    return _service(api, house.catalogue[service], not_for(actor, house.catalogue[service]))


@router.get("/offerings", summary="正在开放的，还有几个名额", responses=LISTED, response_model_exclude_none=True)
async def offerings(
    caller: Listing,
    api: Api,
    sender: Sender = "",
    service: Annotated[
        str, Query(pattern=r"^([a-z][a-z_]{0,39})?$", description="只看一项服务", examples=["lectures"])
    ] = "",
    limit: Limit = 20,
    offset: Offset = 0,
) -> Page[OfferingView]:
    """活动、讲座、社团、征集，和可以预约的咨询师、功能室。名额是此刻的；真正占上要等对话里报完。"""
    house, who = house_of(api), caller.speaking(sender)
    if service and service not in house.catalogue:
        raise ApiError(404, "not_found")
    found: list[OfferingView] = []
    async with house.database.read() as session:
        context = house.context(session, await actor_of(session, who), api.parts.now())
        for each in house.catalogue:
            if service in ("", each.id):
                found += [_offering(api, each, opening) for opening in await _open(context, each)]
    return page_of(found, offset, limit)


async def _open(context: Context, service: Declaration) -> Sequence[Opening]:
    """What is open of a service; of one that is for certain roles, nothing for others."""
    life = context.lives[service.life]
    refused = not_for(context.actor, service)
    others = refused is not None and (refused.code != "not_bound" or bool(service.who.roles))
    if not isinstance(life, Opens) or service.elsewhere is not None or others:
        return ()
    return await life.openings(context, service)


def _service(api: State, service: Declaration, refused: DomainError | None) -> ServiceView:
    return ServiceView(
        id=service.id,
        title=service.title,
        short=service.short,
        kind=service.life,
        private=service.private,
        available=refused is None,
        reason=_reason(api, refused),
        say=service.short if service.named else service.title,
        form=[_field(field) for field in service.form if field.ask == "always"],
        link=service.elsewhere.link if service.elsewhere and service.elsewhere.link else None,
    )


def _field(field: FormField) -> FieldView:
    return FieldView(
        key=field.key,
        type=field.type,
        label=field.label,
        prompt=field.prompt,
        choices=[choice.value for choice in field.choices],
        optional=field.optional,
    )


def _offering(api: State, service: Declaration, opening: Opening) -> OfferingView:
    refused = opening.refusal
    verb = {"activity": "报名", "appointment": "约"}.get(service.life, "")
    return OfferingView(
        id=opening.offering_id,
        service=service.id,
        title=opening.title,
        label=opening.label,
        campus=opening.campus or None,
        about=opening.about or None,
        starts_at=_local(opening.starts_at),
        closes_at=_local(opening.closes_at),
        next_at=_local(opening.next_at),
        left=opening.left,
        available=refused is None,
        reason=_reason(api, refused),
        example=opening.example,
        say=f"{verb}{opening.title}" if verb else service.short,
    )


def _reason(api: State, refused: DomainError | None) -> Problem | None:
    if refused is None:
        return None
    return Problem(code=refused.code, message=api.parts.say(f"errors.{refused.code}", refused.params))


def _local(moment: datetime | None) -> datetime | None:
    return None if moment is None else local(moment)
