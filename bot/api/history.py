"""`GET /api/v1/history`: what was said in a conversation, for somebody who comes back."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from bot.api.callers import Caller, Conversation, called_for
from bot.api.chat import ChatReply
from bot.api.errors import REFUSALS
from bot.api.parts import Api
from bot.messages import Address

router = APIRouter(tags=["对话"])

_LAST = 2**63 - 1
_PAGE = 30


class History(BaseModel):
    """A piece of the conversation, oldest first."""

    messages: list[ChatReply]
    earlier: bool = Field(description="更早的还有没有")


@router.get("/api/v1/history", summary="看以前说过的", responses=REFUSALS, response_model_exclude_none=True)
async def history(
    caller: Annotated[Caller, Depends(called_for("events"))],
    api: Api,
    conversation: Conversation = "",
    before: Annotated[int, Query(ge=0, le=_LAST, description="这个位置之前的；省略时是最近的")] = _LAST,
) -> History:
    """只有助手说的话：会员的原话不保存，文字保存多久由 privacy.text_hours 定。持密钥的要给 `conversation`。"""
    address = Address(channel="web", conversation=caller.within(conversation))
    base = "" if caller.key is None else api.parts.settings.http.public_url
    said = await api.parts.before(address, before, _PAGE + 1)
    messages = [ChatReply.of(message, base, own=True) for message in said[-_PAGE:]]
    return History(messages=messages, earlier=len(said) > _PAGE)
