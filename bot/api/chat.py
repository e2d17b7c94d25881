"""`POST /api/v1/chat`: one message in, its replies out."""

from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from bot.api.calendar import PREFIX
from bot.api.callers import Caller, called_for, require_json
from bot.api.errors import REFUSALS, ApiError
from bot.api.once import Named, once_of, same_request
from bot.api.parts import Api
from bot.keys import digest
from bot.messages import Address, Attachment, Card, File, Inbound, Outbound

router = APIRouter(tags=["对话"])

FILES = "/api/v1/files"

_EXAMPLE: dict[str, Any] = {
    "conversation": "web-20180312",
    "sender": "web-20180312",
    "message_id": "3f1c0c9e5d0b4a7e",
    "text": "下周三下午想约心理咨询",
    "chat": "private",
}

_REPLY: dict[str, Any] = {
    "text": "下周三下午这几个时间有空，您看哪个方便？",
    "options": [{"label": "11月25日(周三)14:00", "value": "11月25日(周三)14:00"}],
}

# Names go into the database: no control characters and no halves of characters, which it cannot keep.
_Name = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*$")]

_FileId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class ChatRequest(BaseModel):
    """One message."""

    model_config = ConfigDict(coerce_numbers_to_str=True, json_schema_extra={"example": _EXAMPLE})

    conversation: _Name = Field("", max_length=160, description="会话编号；网页会话不必给，以 cookie 为准")
    sender: _Name = Field("", max_length=120, description="发言人编号，由持密钥的调用方担保；网页会话以 cookie 为准")
    message_id: _Name = Field(
        min_length=1, max_length=200, description="消息编号；同一编号重发，回答相同，事情只办一次（断网后可放心重试）"
    )
    text: str = Field(description="原话；点选项时发它的 value")
    chat: Literal["private", "group"] = Field("private", description="私聊或群聊")
    mentioned: bool = Field(default=False, description="群聊里是否点了名")
    attachments: list[_FileId] = Field(
        default_factory=list, max_length=50, description="随这句话交的材料：先 POST /api/v1/files，再把 id 放在这里"
    )


class ChatOption(BaseModel):
    """An answer to click."""

    label: str = Field(description="按钮上的字")
    value: str = Field(description="点了以后作为 text 发回")


class ChatCard(BaseModel):
    """A booking at a glance."""

    title: str
    rows: list[tuple[str, str]] = Field(description="每行：名目、内容")
    ics: str = Field(description="日历文件的地址")
    qr: str = Field(description="这个地址的二维码（SVG）")

    @classmethod
    def of(cls, card: Card, base: str) -> Self:
        """As it goes over the wire; `base` comes before the addresses."""
        address = f"{base.rstrip('/')}{PREFIX}/{card.token}"
        return cls(title=card.title, rows=list(card.rows), ics=f"{address}.ics", qr=f"{address}.svg")


class ChatFile(BaseModel):
    """A file to open."""

    id: str = Field(description="编号；地址是 /api/v1/files/{id}，只给有权看的人")
    name: str
    thumbnail: str | None = Field(None, description="缩略图的地址，只有图片有")

    @classmethod
    def of(cls, file: File) -> Self:
        """As it goes over the wire."""
        return cls(id=file.id, name=file.name, thumbnail=thumbnail_of(file.id, file.kind))


class ChatReply(BaseModel):
    """One thing said."""

    model_config = ConfigDict(json_schema_extra={"example": _REPLY})

    text: str
    options: list[ChatOption] = Field(default_factory=list)
    link: str | None = Field(None, description="附带的链接，没有就省略；有卡片时是日历文件")
    card: ChatCard | None = Field(None, description="约好的事，没有就省略")
    files: list[ChatFile] | None = Field(None, description="附的材料，没有就省略")
    id: str | None = Field(None, description="在会话里的位置，只给聊天页：同一条从两路来时只显示一次")
    reply: bool | None = Field(None, description="是不是对某句话的回答，只给聊天页")

    @classmethod
    def of(cls, message: Outbound, base: str = "", *, own: bool = False) -> Self:
        """As it goes over the wire; `base` comes before addresses, `own` adds what the chat page needs."""
        card = ChatCard.of(message.card, base) if message.card else None
        reply = cls(
            text=message.text,
            options=[ChatOption(label=option.label, value=option.value) for option in message.options],
            link=message.link or (card.ics if card else None),
            card=card,
            files=[ChatFile.of(file) for file in message.files] or None,
        )
        if own and message.id:
            reply.id, reply.reply = str(message.id), message.reply
        return reply


class ChatResponse(BaseModel):
    """The replies, in order; empty where there is nothing to say."""

    replies: list[ChatReply]


def thumbnail_of(key: str, kind: str) -> str | None:
    """Where the small picture of a file is; a document has none."""
    return f"{FILES}/{key}/thumbnail" if kind == "picture" else None


async def _caller(request: Request, caller: Annotated[Caller, Depends(called_for("chat", limited=True))]) -> Caller:
    if caller.key is None:
        require_json(request)
    return caller


@router.post(
    "/api/v1/chat",
    summary="说一句话，得到回答",
    responses={**REFUSALS, 415: {"description": "不是 JSON"}},
    response_model_exclude_none=True,
)
async def chat(
    message: ChatRequest, request: Request, caller: Annotated[Caller, Depends(_caller)], api: Api, named: Named = ""
) -> ChatResponse:
    """服务端用 `Authorization: Bearer 密钥` 调用，并为 `sender` 担保；聊天页用自己的 cookie 会话。

    `message_id` 本身就管着“只办一次”；再带 `Idempotency-Key`，同一个名字换了内容会被拒绝。
    """
    inbound = _inbound(message, caller)
    await same_request(api, await once_of(request, caller, inbound.sender, named))
    replies = await api.parts.metrics.turn(api.parts.receive, inbound)
    # The conversation's other pages read the replies from the database.
    api.parts.wake(inbound.address)
    # The page asks where it was opened, whatever name the server has for others.
    own = bool(caller.conversation)
    base = "" if own else api.parts.settings.http.public_url
    return ChatResponse(replies=[ChatReply.of(reply, base, own=own) for reply in replies])


def _inbound(message: ChatRequest, caller: Caller) -> Inbound:
    given = {"conversation": caller.conversation or message.conversation, "sender": caller.sender or message.sender}
    if missing := [name for name, value in given.items() if not value]:
        raise ApiError(422, "invalid", fields="、".join(missing))
    sender, conversation = caller.speaking(message.sender), caller.within(message.conversation)
    return Inbound(
        address=Address(
            channel="web", conversation=conversation, chat="private" if caller.conversation else message.chat
        ),
        # Ids are the callers' own: two conversations may use the same one, and must not read each other's answers.
        event_id=digest(f"{conversation}\x1f{sender}\x1f{message.message_id}"),
        sender=sender,
        text=message.text.encode("utf-8", "ignore").decode().replace("\x00", ""),
        mentioned=message.mentioned,
        # Whose they are and what they are, the turn looks up: there a repeated message is answered as before.
        attachments=tuple(Attachment(kind="file", id=key) for key in message.attachments),
    )
