"""Reading somebody's name and telephone number, in whatever shape and order they are sent. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from nlu.entities.persons import persons

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nlu.types import Parse

_PHONE = re.compile(r"(?<!\d)(?:(?:\+?86[\s-]?)?1[3-9]\d(?:[\s-]?\d){8}|0\d{2,3}[\s-]?\d{7,8})(?!\d)")
_NOISE = re.compile(
    r"[\s,，。.:：;；、()（）]|(?:[她他的])?(?:电话|手机|号码|联系方式)号?|紧急|联系人|姓名|名字|就?[叫是写填留]|麻烦|我的?"
)
_NAME = re.compile(r"[\u3400-\u9fff·]{2,8}|[A-Za-z][A-Za-z·-]{1,19}")
_KIN = re.compile(
    r"老公|老婆|爱人|妻子|丈夫|先生|太太|对象|妈妈?|母亲|爸爸?|父亲|儿子|女儿|哥哥?|姐姐?|弟弟?|妹妹?|同事|朋友|闺蜜"
)
_CUE = "联系人："


def contact(parse: Parse) -> tuple[str, str]:
    """Name and telephone number as a message gives them; either may be empty."""
    found = _PHONE.search(parse.text)
    if found is None:
        return _lone_name(parse), ""
    rest = f"{parse.text[: found.start()]} {parse.text[found.end() :]}"
    named = [entity.value for entity in parse.entities if entity.name == "person"]
    name = named[0] if named else _NOISE.sub("", rest)
    return name if _NAME.fullmatch(name) else "", re.sub(r"[\s-]|^\+?86(?=[\s-]?1)", "", found[0])


def _lone_name(parse: Parse) -> str:
    """A name with no number beside it: what is left of the message must look like nothing else."""
    if re.search(r"\d", parse.text):
        return ""
    rest = _KIN.sub("", _NOISE.sub("", parse.text))
    found = next(iter(persons(f"{_CUE}{rest}", ())), None)
    whole = found is not None and (found.start, found.end) == (len(_CUE), len(_CUE) + len(rest))
    return rest if whole else ""


def contact_values(key: str, parse: Parse, known: Mapping[str, Any]) -> dict[str, Any]:
    """What a message gives of a contact: both parts are the field's value, one part is kept until the other comes.

    Args:
        key: the field's.
        parse: the message.
        known: values of the form so far; `<key>_name` and `<key>_phone` are parts that came before.

    """
    name, phone = contact(parse)
    if not name and not phone:
        return {}
    name = name or str(known.get(f"{key}_name", ""))
    phone = phone or str(known.get(f"{key}_phone", ""))
    if name and phone:
        return {key: f"{name} {phone}", f"{key}_name": "", f"{key}_phone": ""}
    return {f"{key}_name": name} if name else {f"{key}_phone": phone}
