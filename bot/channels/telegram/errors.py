"""What the Bot API refuses, as delivery understands it. No reason names anybody, or says what was written.

The library's own messages are not handed on: that of `InvalidToken` holds the token.
"""

from __future__ import annotations

from datetime import timedelta

from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from bot.messages import SendError

#: Said about a chat that is not there, or not there any more.
_NOWHERE = ("chat not found", "user not found", "peer_id_invalid", "chat_id_invalid", "group chat was deactivated")


def send_error(error: TelegramError, *, group: bool) -> SendError:
    """The error as delivery takes it. Asked to wait in private, the whole channel waits; in a group, that group.

    https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
    """
    if isinstance(error, RetryAfter):
        return SendError("429", retry_after=seconds_of(error), everybody=not group)
    if isinstance(error, Forbidden):
        return SendError("blocked, or not in the group", permanent=True)
    # TimedOut is a NetworkError, and BadRequest is one too.
    if isinstance(error, BadRequest):
        nowhere = any(words in error.message.lower() for words in _NOWHERE)
        return SendError("no such chat" if nowhere else "bad request", permanent=True)
    plain = {InvalidToken: "unauthorized", TimedOut: "no answer in time", ChatMigrated: "another id"}
    return SendError(plain.get(type(error), type(error).__name__))


def seconds_of(error: RetryAfter) -> float:
    """How long the platform asks to wait, in seconds; the library gives a number or a duration, as it is set up."""
    given = error.retry_after
    return given.total_seconds() if isinstance(given, timedelta) else float(given)


def state_of(error: TelegramError) -> str:
    """What went wrong with taking messages in, in a word or two for the operator."""
    match error:
        case InvalidToken():
            return "unauthorized"
        case Conflict():
            return "conflict: another process polls"
        case RetryAfter():
            return "told to wait"
        case _:
            return "away"
