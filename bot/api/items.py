"""`/api/v1/items`: a member's own records: looked at, withdrawn and moved, by the commands of chat."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from actions.core.commands import Command, Context
from actions.core.entries import card_content
from actions.core.errors import DomainError
from actions.core.life import Item
from actions.core.zones import local
from actions.records import OwnRecords
from bot.api.calendar import PREFIX as CALENDAR
from bot.api.callers import Acting, Caller, Listing, Sender, actor_of
from bot.api.errors import DONE, LISTED, ApiError, refusal
from bot.api.lists import Limit, Offset, Page, page_of
from bot.api.once import Named, command_once, once_of
from bot.api.parts import Api, State, house_of

router = APIRouter(prefix="/api/v1/items", tags=["我的事"])

_STATUS = {"not_bound": 403, "forbidden": 403, "item_gone": 404, "not_found": 404}
Ref = Annotated[str, Path(pattern=r"^[a-z]{1,20}:[0-9]{1,9}$", description="这件事的编号", examples=["appointment:12"])]

_ITEM: dict[str, Any] = {
    "ref": "appointment:12",
    "service": "counseling",
    "title": "心理咨询 11月25日(周三)14:00 何医生",
    "state": "booked",
    "starts_at": "2026-11-25T14:00:00+08:00",
    "private": True,
    "actions": ["cancel", "move"],
    "ics": "https://gh.example.edu.cn/api/v1/calendar/v1.k1.abc.ics",
    "example": True,
}


_DONE: dict[str, Any] = {"said": "11月25日(周三)14:00的心理咨询已经取消。"}


class ItemView(BaseModel):
    """A record of the member's own."""

    model_config = ConfigDict(json_schema_extra={"example": _ITEM})

    ref: str
    service: str
    title: str = Field(description="给本人看的名字")
    state: str = Field(description="booked 约好、registered 报上、pending 等审批、waiting 候补、offered 等答复……")
    state_text: str | None = Field(None, description="办到哪一步，能直接显示；没有就省略")
    starts_at: datetime | None = Field(None, description="什么时候，+08:00；没有时间的事省略")
    private: bool = Field(description="私密的事：不要写进群、通知栏和锁屏")
    actions: list[Literal["cancel", "move"]] = Field(description="现在能做的：取消、改期。等答复的在对话里答")
    ics: str | None = Field(None, description="日历文件的地址，约定了才有；知道地址的人就能看，别发给别人")
    example: bool = Field(description="示例数据")


class MoveView(BaseModel):
    """A time that a record can be moved to."""

    value: str = Field(description="改期时发回", examples=["3@2026-11-26T15:00:00+08:00"])
    label: str = Field(examples=["11月26日(周四)15:00 何医生"])


class Moving(BaseModel):
    """Where to."""

    value: str = Field(
        pattern=r"^[0-9]{1,9}@20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?\+08:00$",
        description="/moves 给出的一个 value",
        examples=["3@2026-11-26T15:00:00+08:00"],
    )


class Done(BaseModel):
    """What was done."""

    model_config = ConfigDict(json_schema_extra={"example": _DONE})

    said: str = Field(description="办成了什么，可以直接给老师看")


@router.get("", summary="我的事", responses=LISTED, response_model_exclude_none=True)
async def items(
    caller: Listing, api: Api, sender: Sender = "", limit: Limit = 20, offset: Offset = 0
) -> Page[ItemView]:
    """本人的预约、报名、候补和交上去的，近的在前；和对话里“我约了什么”同一份。没绑定工号是 403。"""
    house, who = house_of(api), caller.speaking(sender)
    async with house.database.read() as session:
        context = house.context(session, await actor_of(session, who), api.parts.now())
        try:
            own = await _records(api).items(context)
        except DomainError as error:
            raise refusal(error, _STATUS.get(error.code, 409)) from error
    return page_of([_view(api, context, item, by_key=caller.key is not None) for item in own], offset, limit)


@router.get("/{ref}/moves", summary="能改到什么时候", responses=LISTED, response_model_exclude_none=True)
async def moves(ref: Ref, caller: Listing, api: Api, sender: Sender = "") -> Page[MoveView]:
    """最近的几个空位。不能改期的是空的；不是本人的是 404。"""
    house, who = house_of(api), caller.speaking(sender)
    async with house.database.read() as session:
        context = house.context(session, await actor_of(session, who), api.parts.now())
        try:
            item = await _own(api, context, ref)
            found = await _records(api).owner(ref).moves(context, ref, None) if item.movable else ()
        except DomainError as error:
            raise refusal(error, _STATUS.get(error.code, 409)) from error
    return page_of([MoveView(value=choice.value, label=choice.label) for choice in found], 0, len(found) or 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    """A request that changes something: who calls, for whom, and its name."""

    request: Request
    caller: Caller
    who: str
    named: str


async def _asked(request: Request, caller: Acting, sender: Sender = "", named: Named = "") -> _Asked:
    return _Asked(request=request, caller=caller, who=caller.speaking(sender), named=named)


_Asking = Annotated[_Asked, Depends(_asked)]


@router.post("/{ref}/cancel", summary="取消一件事", response_model=Done, responses=DONE)
async def cancel(ref: Ref, asked: _Asking, api: Api) -> Response:
    """和对话里取消是同一个命令：名额、候补、提醒一起办。不能取消的是 409，`message` 说为什么。"""
    return await _act(api, asked, ref)


@router.post("/{ref}/move", summary="改期", response_model=Done, responses=DONE)
async def move(ref: Ref, moving: Moving, asked: _Asking, api: Api) -> Response:
    """原来的时间先留着，新的占上了才放。刚被别人占了是 409。"""
    return await _act(api, asked, ref, moving.value)


async def _act(api: State, asked: _Asked, ref: str, value: str = "") -> Response:
    house = house_of(api)

    async def work(session: AsyncSession) -> Done:
        context = house.context(session, await actor_of(session, asked.who), api.parts.now())
        item = await _own(api, context, ref)
        outcome = await context.bus.execute(await _command(api, context, item, value), context)
        parts = [(outcome.wording, outcome.params), *outcome.more]
        return Done(said="\n".join(api.parts.say(key, params) for key, params in parts))

    this = await once_of(asked.request, asked.caller, asked.who, asked.named)
    answer = await command_once(api, this, work, _STATUS)
    api.parts.after_commit()
    return answer


async def _command(api: State, context: Context, item: Item, value: str) -> Command:
    """What cancels an item, or moves it where the value is one of those that chat offers. Raises DomainError."""
    owner = _records(api).owner(item.ref)
    if not value:
        if not item.withdrawable:
            raise DomainError("not_withdrawable", title=item.title, state=item.state)
        return owner.withdrawal(item.ref)
    if not item.movable:
        raise DomainError("not_movable", title=item.title, state=item.state)
    start = value.partition("@")[2]
    try:
        moment = datetime.fromisoformat(start).isoformat()
    except ValueError as error:
        raise ApiError(422, "invalid", fields="value") from error
    wish = {"start": moment, "end": moment, "kind": "point", "text": start}
    if value not in {choice.value for choice in await owner.moves(context, item.ref, wish)}:
        raise DomainError("no_move_then", text=start, title=item.title)
    return owner.move(item.ref, value)


async def _own(api: State, context: Context, ref: str) -> Item:
    """One of the actor's own. Raises DomainError: not_bound, item_gone (of others' too: nobody learns of them)."""
    _ = context.actor.member_id
    item = await _records(api).owner(ref).item(context, ref)
    if item is None:
        raise DomainError("item_gone")
    return item


def _records(api: State) -> OwnRecords:
    records = house_of(api).lives[OwnRecords.name]
    assert isinstance(records, OwnRecords)  # noqa: S101 - so it is composed
    return records


def _view(api: State, context: Context, item: Item, *, by_key: bool) -> ItemView:
    able: list[tuple[Literal["cancel", "move"], bool]] = [("cancel", item.withdrawable), ("move", item.movable)]
    ics = None
    if item.calendar is not None:
        # The page asks where it was opened, whatever name the server has for others.
        base = api.parts.settings.http.public_url.rstrip("/") if by_key else ""
        ics = f"{base}{CALENDAR}/{card_content(context.vault, item.calendar)['token']}.ics"
    return ItemView(
        ref=item.ref,
        service=item.service,
        title=item.title,
        state=item.state,
        state_text=str(item.params.get("state_text") or "") or None,
        starts_at=None if item.starts_at is None else local(item.starts_at),
        private=context.catalogue[item.service].private,
        actions=[name for name, can in able if can],
        ics=ics,
        example=bool(item.params.get("example")),
    )
