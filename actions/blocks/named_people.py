"""Names in a text, as a list of a team is typed: 队员：张三、7号李四，王五 20150108 和我. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_SPLIT = re.compile(r"[、,，;；。\n\r\t /|+＋]+")
# 张三和李四; a name that holds such a character (张和平) is kept whole where it is known.
_AND = re.compile(r"(?<=[\u3400-\u9fff])[和与跟及](?=[\u3400-\u9fff])")
_HEAD = re.compile(
    r"^(?:我们|咱们)?(?:一共|共|总共)?"
    r"(?:队员|名单|成员|搭档|参赛人|运动员|领队|队长|还有|以及|加上|就是|是|有|叫|和|跟|与|及|的)*[:：]?"
)
_TAIL = re.compile(
    r"(?:老师|同志|教授|主任|一起|组队|搭档|搭|双打|两个人?|俩|吧|的|呢|啊|了|来|就行|就好|这几个|这些人?|上场)+$"
)
_NUMBERED = re.compile(
    r"^(?:第?[0-9]{1,2}[.．、)）]\s*)?(?:([0-9]{1,3})\s*号?)?\s*(.*?)\s*(?:[（(]?([0-9]{1,3})\s*号[)）]?)?$"
)
_STAFF_ID = re.compile(r"(?<![0-9])[0-9]{6,12}(?![0-9])")
_PHONE = re.compile(r"(?<![0-9])1[3-9][0-9]{9}(?![0-9])")
_NAME = re.compile(r"[\u3400-\u9fff·]{2,8}|[A-Za-z][A-Za-z .·-]{1,38}")
#: Who speaks.
SELF = ("我", "本人", "我自己", "我本人", "自己")
# Words that stand in a list and name nobody.
_NOBODY = re.compile(
    r"(?:[0-9]+|[一二两三四五六七八九十]+)(?:个|名|位)?人?|大家|替补|首发|男|女|男队|女队|没有了?|完|先|等"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """One of a list. `staff_id` is empty where only a name was given, `name` where only a 工号 was.

    `me` is who speaks; `number` what the player wears.
    """

    name: str = ""
    staff_id: str = ""
    number: int | None = None
    me: bool = False


def named_people(text: str, known: Collection[str] = ()) -> tuple[Named, ...]:
    """The people that a text lists, in its order; words that look like no name are passed over.

    Args:
        text: as it was typed.
        known: names of the roster: none of them is taken apart.

    """
    people: list[Named] = []
    for part in _parts(_PHONE.sub(" ", text), known):
        one = _one(part.strip())
        if one is None:
            continue
        lone_id = one.staff_id and not one.name
        if lone_id and people and people[-1].name and not people[-1].staff_id:
            # 王五 20150108: the number belongs to the name before it.
            people[-1] = Named(name=people[-1].name, staff_id=one.staff_id, number=people[-1].number)
        else:
            people.append(one)
    return tuple(people)


def _parts(text: str, known: Collection[str]) -> Iterator[str]:
    for part in _SPLIT.split(text):
        if any(name in part and _AND.search(name) for name in known):
            yield part
        else:
            yield from _AND.split(part)


def _one(part: str) -> Named | None:
    found = _STAFF_ID.search(part)
    staff_id = found[0] if found else ""
    rest = part.replace(staff_id, "") if staff_id else part
    match = _NUMBERED.match(rest.strip("()（） "))
    if match is None:
        return None
    number = match[1] or match[3]
    worn = int(number) if number else None
    name = _TAIL.sub("", _HEAD.sub("", match[2].strip("()（）: ：")))
    if name in SELF:
        return Named(me=True, number=worn)
    if not _NAME.fullmatch(name) or _NOBODY.fullmatch(name):
        return Named(staff_id=staff_id, number=worn) if staff_id else None
    return Named(name=name, staff_id=staff_id, number=worn)
