"""What the platforms' error codes mean for us: ask for a token anew, wait, give this message up, or tell the operator.

https://developer.work.weixin.qq.com/document/path/90313
https://developers.weixin.qq.com/doc/offiaccount/Getting_Started/Global_Return_Code.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bot.messages import SendError

Kind = Literal["token", "wait", "give_up", "tell", "closed", "gone"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Meaning:
    """What a code asks for; `seconds` are how long to wait, `words` what an operator reads."""

    kind: Kind
    words: str
    seconds: float = 0


def _table(kind: Kind, codes: dict[int, str], seconds: float = 0) -> dict[int, Meaning]:
    return {code: Meaning(kind=kind, words=words, seconds=seconds) for code, words in codes.items()}


#: An operator has something to set right, and what waits is tried again after so long.
_TELL_SECONDS = 600.0
CODES: dict[int, Meaning] = {
    **_table("token", {40001: "token refused", 40014: "token refused", 41001: "no token", 42001: "token expired"}),
    **_table("wait", {-1: "platform busy", 45033: "too many calls at a time"}, 5),
    **_table("wait", {45011: "too many calls in a minute"}, 60),
    **_table("wait", {45009: "quota of calls used up"}, 300),
    # Only once they have written again: the window of 48 hours, and the messages within it.
    **_table(
        "closed", {45015: "outside the 48 hours", 45047: "too many messages unanswered", 95001: "too many messages"}
    ),
    **_table("gone", {43004: "not a follower", 81013: "nobody of these", 60111: "no such person"}),
    **_table(
        "give_up",
        {
            40003: "no such person",
            40007: "no such media",
            40058: "bad request",
            43101: "did not subscribe",
            45002: "too long",
            45008: "too long",
            47001: "bad request",
            47003: "fields of the template do not fit",
            60110: "no such person",
        },
    ),
    **_table(
        "tell",
        {
            40013: "wrong corpid or appid",
            40037: "wrong template",
            40056: "wrong agentid",
            40125: "wrong secret",
            40164: "this server's address is not allowed",
            48001: "no right to this call",
            48002: "calls are forbidden",
            50001: "no right to this call",
            60011: "outside what the application may see",
            60020: "this server's address is not allowed",
            93000: "wrong address of a group robot",
            301002: "no right to this application",
        },
        _TELL_SECONDS,
    ),
}
_UNKNOWN = Meaning(kind="give_up", words="refused")


class PlatformError(Exception):
    """The platform refused a call. It says the code alone: what the platform writes may hold ids and texts."""

    def __init__(self, code: int) -> None:
        super().__init__(f"errcode {code}")
        self.code = code

    @property
    def meaning(self) -> Meaning:
        """What the code asks for."""
        return CODES.get(self.code, _UNKNOWN)


def send_error(error: PlatformError) -> SendError:
    """The error as delivery takes it; a `token` code that came twice is the operator's matter."""
    meaning, reason = error.meaning, f"{error.code} {error.meaning.words}"
    if meaning.kind == "wait":
        return SendError(reason, retry_after=meaning.seconds, everybody=True)
    if meaning.kind in ("tell", "token"):
        return SendError(reason, retry_after=_TELL_SECONDS, everybody=True)
    return SendError(reason, permanent=True)
