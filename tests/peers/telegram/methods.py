"""The methods of the Bot API that the assistant calls, with the limits and refusals of the documentation."""

from __future__ import annotations

import json
import re
import secrets
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

from starlette.datastructures import UploadFile

from tests.peers.telegram.people import Shown, entities_of, units

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from tests.peers.telegram.server import BotApi

_LONGEST_TEXT, _LONGEST_CAPTION = 4096, 1024
_LONGEST_DATA = 64
_MOST_FETCHED = 20 * 2**20
_MOST_PHOTO, _MOST_DOCUMENT = 10 * 2**20, 50 * 2**20
_COMMAND = re.compile(r"[a-z0-9_]{1,32}")
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_TAGS = {"b", "strong", "i", "em", "u", "s", "a", "code", "pre", "blockquote"}


class RefusedError(Exception):
    """An answer that is not ok. https://core.telegram.org/bots/api#making-requests"""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters


def bad(description: str, **parameters: int) -> RefusedError:
    return RefusedError(400, f"Bad Request: {description}", **parameters)


Given = dict[str, Any]


async def get_me(api: BotApi, given: Given) -> Any:
    return {
        **api.me,
        "can_join_groups": True,
        "can_read_all_group_messages": not api.privacy,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


async def set_my_commands(api: BotApi, given: Given) -> Any:
    commands = given.get("commands") or []
    if len(commands) > 100 or any(not _COMMAND.fullmatch(each["command"]) for each in commands):
        raise bad("BOT_COMMAND_INVALID")
    if any(not 1 <= len(each["description"]) <= 256 for each in commands):
        raise bad("BOT_COMMAND_DESCRIPTION_INVALID")
    api.commands = {each["command"]: each["description"] for each in commands}
    return True


async def set_webhook(api: BotApi, given: Given) -> Any:
    url, secret = str(given.get("url", "")), given.get("secret_token")
    if url and not url.startswith(("https://", "http://127.0.0.1:")):
        raise bad("bad webhook: An HTTPS URL must be provided for webhook")
    if secret is not None and not _SECRET.fullmatch(str(secret)):
        raise bad("secret token contains unallowed characters")
    api.allow(given)
    api.hook_to(url, str(secret or ""))
    return True


async def delete_webhook(api: BotApi, given: Given) -> Any:
    if given.get("drop_pending_updates"):
        api.waiting.clear()
    api.hook_to("", "")
    return True


async def get_webhook_info(api: BotApi, given: Given) -> Any:
    return {"url": api.hook, "has_custom_certificate": False, "pending_update_count": len(api.waiting)}


async def get_updates(api: BotApi, given: Given) -> Any:
    if api.hook:
        raise RefusedError(
            409,
            "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook "
            "first",
        )
    api.allow(given)
    return await api.poll(
        int(given.get("offset") or 0), int(given.get("limit") or 100), float(given.get("timeout") or 0)
    )


# --- messages


async def send_message(api: BotApi, given: Given) -> Any:
    text = str(given.get("text", ""))
    if not text.strip():
        raise bad("message text is empty")
    if units(text) > _LONGEST_TEXT:
        raise bad("message is too long")
    _refuse_markup(given, text)
    return _shown(api, given, text=text, entities=given.get("entities") or entities_of(text))


def _refuse_markup(given: Given, text: str) -> None:
    if str(given.get("parse_mode", "")).lower() != "html":
        return
    parser = _Html()
    parser.feed(text)
    if parser.fault or parser.open:
        raise bad(f"can't parse entities: {parser.fault or 'unclosed start tag at byte offset 0'}")


class _Html(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fault = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in _TAGS:
            self.fault = f'unsupported start tag "{tag}" at byte offset 0'
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.fault = "unexpected end tag at byte offset 0"


async def send_photo(api: BotApi, given: Given) -> Any:
    _, content = await _upload(given, "photo")
    if len(content) > _MOST_PHOTO:
        raise bad("file is too big")
    if not content.startswith((b"\xff\xd8", b"\x89PNG", b"RIFF")):
        raise bad("IMAGE_PROCESS_FAILED")
    key = api.keep(content, "photos/file_{}.jpg")
    sizes = [{"width": 90, "height": 90}, {"width": 800, "height": 800}]
    photo = [{"file_id": key, "file_unique_id": key[:12], "file_size": len(content), **size} for size in sizes]
    return _shown(api, given, content=content, photo=photo, **_caption(given))


async def send_document(api: BotApi, given: Given) -> Any:
    name, content = await _upload(given, "document")
    if len(content) > _MOST_DOCUMENT:
        raise bad("file is too big")
    key = api.keep(content, "documents/file_{}")
    document = {"file_id": key, "file_unique_id": key[:12], "file_size": len(content), "file_name": name}
    return _shown(api, given, content=content, document=document, **_caption(given))


def _caption(given: Given) -> Given:
    caption = str(given.get("caption", ""))
    if units(caption) > _LONGEST_CAPTION:
        raise bad("message caption is too long")
    return {"caption": caption, "caption_entities": entities_of(caption)} if caption else {}


async def _upload(given: Given, field: str) -> tuple[str, bytes]:
    sent = given.get(field)
    if isinstance(sent, str) and sent.startswith("attach://"):
        sent = given.get(sent.removeprefix("attach://"))
    if not isinstance(sent, UploadFile):
        raise bad(f"there is no {field} in the request")
    content = await sent.read()
    if not content:
        raise bad("file must be non-empty")
    return sent.filename or "file", content


def _shown(api: BotApi, given: Given, *, content: bytes = b"", **fields: Any) -> Any:
    chat = api.chat_for_sending(given)
    markup = given.get("reply_markup")
    if markup is not None:
        _refuse_keyboard(markup)
        fields["reply_markup"] = markup
    if given.get("message_thread_id"):
        fields.update({"message_thread_id": int(given["message_thread_id"]), "is_topic_message": True})
    raw = {"message_id": api.chats.next_id(), "date": api.now(), "chat": chat, "from": api.me, **fields}
    api.show(Shown(raw=raw, content=content, from_bot=True))
    return raw


def _refuse_keyboard(markup: Mapping[str, Any]) -> None:
    """https://core.telegram.org/bots/api#inlinekeyboardbutton"""
    for row in markup.get("inline_keyboard", []):
        for button in row:
            kinds = [key for key in button if key != "text"]
            if not button.get("text") or len(kinds) != 1:
                raise bad("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
            data = button.get("callback_data")
            if data is not None and not 1 <= len(data.encode()) <= _LONGEST_DATA:
                raise bad("BUTTON_DATA_INVALID")
            if "url" in button and not button["url"].startswith(("http://", "https://", "tg://")):
                raise bad(f"inline keyboard button URL '{button['url']}' is invalid: Wrong HTTP URL")


async def edit_message_text(api: BotApi, given: Given) -> Any:
    chat = api.chat_for_sending(given)
    shown = api.chats.find(chat["id"], int(given.get("message_id") or 0))
    if shown is None or not shown.from_bot:
        raise bad("message to edit not found")
    text = str(given.get("text", ""))
    if not text.strip():
        raise bad("message text is empty")
    if text == shown.text and given.get("reply_markup") == shown.raw.get("reply_markup"):
        raise bad(
            "message is not modified: specified new message content and reply markup are exactly the same as a current "
            "content and reply markup of the message"
        )
    shown.raw.update({"text": text, "edit_date": api.now()})
    shown.raw.pop("reply_markup", None)
    if given.get("reply_markup"):
        _refuse_keyboard(given["reply_markup"])
        shown.raw["reply_markup"] = given["reply_markup"]
    return shown.raw


async def delete_message(api: BotApi, given: Given) -> Any:
    chat = api.chat_for_sending(given)
    shown = api.chats.find(chat["id"], int(given.get("message_id") or 0))
    if shown is None:
        raise bad("message to delete not found")
    # A bot may delete what is less than 48 hours old.
    if not shown.from_bot or api.now() - shown.raw["date"] > 48 * 3600:
        raise bad("message can't be deleted")
    shown.gone = True
    return True


async def answer_callback_query(api: BotApi, given: Given) -> Any:
    key = str(given.get("callback_query_id"))
    if key not in api.clicks:
        raise bad("query is too old and response timeout expired or query ID is invalid")
    if len(str(given.get("text", ""))) > 200:
        raise bad("MESSAGE_TOO_LONG")
    api.clicks[key] = given.get("text") or ""
    return True


async def get_file(api: BotApi, given: Given) -> Any:
    key = str(given.get("file_id"))
    path = api.paths.get(key)
    if path is None:
        raise bad("wrong file_id or the file is temporarily unavailable")
    content = api.files[path]
    if len(content) > _MOST_FETCHED:
        raise bad("file is too big")
    return {"file_id": key, "file_unique_id": key[:12], "file_size": len(content), "file_path": path}


METHODS: dict[str, Callable[[BotApi, Given], Awaitable[Any]]] = {
    "getme": get_me,
    "getupdates": get_updates,
    "setwebhook": set_webhook,
    "deletewebhook": delete_webhook,
    "getwebhookinfo": get_webhook_info,
    "setmycommands": set_my_commands,
    "sendmessage": send_message,
    "sendphoto": send_photo,
    "senddocument": send_document,
    "editmessagetext": edit_message_text,
    "deletemessage": delete_message,
    "answercallbackquery": answer_callback_query,
    "getfile": get_file,
}

#: Parameters that are written as JSON in forms.
_JSON = ("commands", "entities", "caption_entities", "reply_markup", "allowed_updates", "link_preview_options", "scope")


def parsed(given: Mapping[str, Any]) -> Given:
    """Parameters as the methods read them, however they were sent."""
    found = dict(given)
    for name in _JSON:
        if isinstance(found.get(name), str):
            try:
                found[name] = json.loads(found[name])
            except ValueError as error:
                raise bad(f"can't parse {name} JSON object") from error
    return found


def new_key() -> str:
    return secrets.token_urlsafe(24)
