"""`/api/v1/rasa/…`: an action server for a Rasa dialogue, in the protocol of rasa-sdk.

https://rasa.com/docs/rasa/action-server/events: one call for each custom action, with the tracker; events and
responses back.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from bot.api.callers import BY_KEY, Caller, check_key
from bot.api.errors import REFUSALS, ApiError, Responses
from bot.api.parts import Api
from bot.gateway.native import Call, NativeForms, Reaction

PATH = "/api/v1/rasa/webhook"
#: A tracker carries everything that was said since the session began.
MAX_BODY = 4 * 2**20

# What Rasa runs by itself between a message and a form answers nobody.
_SILENT = frozenset({"action_listen", "action_extract_slots", "action_validate_slot_mappings", "action_session_start"})

_EXAMPLE: dict[str, Any] = {
    "next_action": "validate_counseling_form",
    "sender_id": "20180312",
    "tracker": {
        "sender_id": "20180312",
        "slots": {"counseling_time": None},
        "latest_message": {"text": "下周三下午想约心理咨询", "message_id": "3f1c0c9e"},
        "events": [],
    },
}


_TOLD: dict[str, Any] = {
    "events": [{"event": "slot", "name": "counseling_time", "value": "2026-11-25T14:00:00+08:00", "timestamp": None}],
    "responses": [{"text": "线上还是线下？", "buttons": [{"title": "线下", "payload": "线下"}]}],
}
_NAMES: Responses = {200: {"content": {"application/json": {"example": [{"name": "validate_counseling_form"}]}}}}


class LatestMessage(BaseModel):
    """What was said last."""

    text: str | None = None
    message_id: str | None = None


class Tracker(BaseModel):
    """What Rasa remembers of a conversation; of its many parts we read these."""

    slots: dict[str, Any] = Field(default_factory=dict, description="槽位")
    latest_message: LatestMessage | None = Field(None, description="最后一句话")
    events: list[dict[str, Any]] | None = Field(None, description="会话里发生过的")


class ActionCall(BaseModel):
    """One call of Rasa."""

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})

    next_action: str = Field(min_length=1, max_length=200, description="要执行的动作")
    sender_id: Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*$")] = Field(
        min_length=1, max_length=120, description="发言人编号，由持密钥的调用方担保；与对话接口的 sender 是同一个"
    )
    tracker: Tracker


class ActionAnswer(BaseModel):
    """What Rasa is told."""

    model_config = ConfigDict(json_schema_extra={"example": _TOLD})

    events: list[dict[str, Any]]
    responses: list[dict[str, Any]]


async def _keyed(request: Request, api: Api, _bearer: Any = BY_KEY) -> Caller:
    """A caller with a key. Raises ApiError."""
    return Caller(key=await check_key(api, request.headers.get("authorization", ""), "rasa"))


Keyed = Annotated[Caller, Depends(_keyed)]


async def _native(api: Api, _caller: Keyed) -> NativeForms:
    """The forms, for those who may know of them. Raises ApiError."""
    if api.parts.native is None:
        raise ApiError(404, "not_found")
    return api.parts.native


Forms = Annotated[NativeForms, Depends(_native)]

router = APIRouter(tags=["Rasa"])


@router.post(
    PATH,
    summary="Rasa 的动作服务器：执行一个动作",
    response_model=ActionAnswer,
    responses={**REFUSALS, 404: {"description": "没有这个动作（rasa-sdk 的形状：error、action_name）"}},
)
async def webhook(call: ActionCall, forms: Forms, caller: Keyed) -> ActionAnswer | JSONResponse:
    """rasa-sdk 的协议：`endpoints.yml` 的 `action_endpoint` 指向这里，带 `Authorization: Bearer 密钥`。"""
    if call.next_action not in forms.actions:
        told = {"error": f"No registered action found for name '{call.next_action}'.", "action_name": call.next_action}
        return JSONResponse(told, status_code=404)
    caller.speaking(call.sender_id)
    reaction = await forms.run(call.next_action, _call(call))
    return _answer(reaction)


@router.get("/api/v1/rasa/actions", summary="有哪些动作", responses={**REFUSALS, **_NAMES})
async def actions(forms: Forms) -> list[dict[str, str]]:
    """每项有表单的服务：`validate_X_form` 收一句话，`action_X_commit` 办理；`action_assistant` 答其余一切。"""
    return [{"name": name} for name in forms.actions]


def _call(call: ActionCall) -> Call:
    events, message = call.tracker.events or [], call.tracker.latest_message or LatestMessage()
    last = next((place for place in range(len(events) - 1, -1, -1) if events[place].get("event") == "user"), None)
    said = events[last] if last is not None else {}
    own = call.next_action.removeprefix("validate_")
    after = (each.get("name") for each in events[last or 0 :] if each.get("event") == "action")
    text = message.text if message.text is not None else said.get("text")
    return Call(
        sender=call.sender_id,
        text=str(text or "").encode("utf-8", "ignore").decode().replace("\x00", ""),
        event=str(message.message_id or said.get("message_id") or said.get("timestamp") or ""),
        unheard=all(name in _SILENT or name == own for name in after),
        slots=call.tracker.slots,
    )


def _answer(reaction: Reaction) -> ActionAnswer:
    events: list[dict[str, Any]] = []
    if reaction.form:
        events.append({"event": "active_loop", "name": reaction.form, "timestamp": None})
    events += [
        {"event": "slot", "name": name, "value": value, "timestamp": None} for name, value in reaction.slots.items()
    ]
    responses = [
        {
            "text": "\n".join(filter(None, (reply.text, reply.link))),
            "buttons": [{"title": option.label, "payload": option.value} for option in reply.options],
        }
        for reply in reaction.replies
    ]
    return ActionAnswer(events=events, responses=responses)
