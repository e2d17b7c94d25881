"""What the first message of a form says beside asking for it: 提个建议：食堂晚上多开一个窗口. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

#: Code points that are the least to be taken for what somebody has to say.
_LEAST = 10
_HEAD = re.compile(r"^([^：:，,。！!？?\n]{1,24})[：:，,。！!\n]\s*(.+)$", re.DOTALL)
_SAYS = re.compile(r"^(?:我)?(?:建议|希望|提议|想建议|想反映|反映)(?!怎么|如何|在哪|箱|一下怎么)[^？?]*$", re.DOTALL)
_ASKS = re.compile(r"怎么|如何|在哪|哪里|什么时候|能不能提|可以提|吗[？?]?$|[？?]$")
_ABOUT = re.compile(r"关于([^，,。：:]{2,30}?)的?(?:教代会)?(?:提案|建议|意见|金点子|点子|稿子|报道)")
_CAUSE = re.compile(r"(?:案由|题目|标题)(?:是|为|叫)?[：:]?\s*[“\"《]?([^，,。；;”\"》\n]{2,60})")


def content(text: str, asked_for: Collection[str]) -> str:
    """What a message has to say, or nothing where it only asks for the form.

    Args:
        text: the first message.
        asked_for: names of the service: what stands before a comma or colon and holds one of them is the request.

    """
    text = text.strip()
    if _SAYS.match(text) and len(text) >= _LEAST:
        return text
    split = _HEAD.match(text)
    if split is None:
        return ""
    head, rest = split[1], split[2].strip()
    if any(name in head for name in asked_for) and len(rest) >= _LEAST and not _ASKS.search(rest):
        return rest
    tail = _HEAD.match(text[::-1])
    if tail is not None and any(name in text[-len(tail[1]) :] for name in asked_for) and len(head) >= _LEAST:
        return text[: len(text) - len(tail[1])].strip(" ，,。：:")
    return ""


def title(text: str) -> str:
    """The title that a message names: 关于停车难的提案, 案由是食堂卫生; or nothing."""
    named = _CAUSE.search(text)
    if named:
        return named[1].strip()
    about = _ABOUT.search(text)
    return f"关于{about[1]}" if about else ""
