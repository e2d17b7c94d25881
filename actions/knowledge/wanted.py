"""What kind of thing a question asks for: a price, an hour, a telephone number. A passage without one is no answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from actions.knowledge.passages import Passage

_NUMBER = r"[0-9〇零一二三四五六七八九十百千两半]"

#: kind -> (how it is asked for, what it looks like in a passage)
_KINDS: dict[str, tuple[re.Pattern[str], re.Pattern[str]]] = {
    "money": (
        re.compile(
            r"多少钱|多少元|几块|几元|几百|几千|什么价|给多少|交多少|赔多少|报销多少|拨多少|补多少|奖多少|多少经费"
        ),
        re.compile(rf"{_NUMBER}\s*(?:元|块)|‰|%|百分之|不报数"),
    ),
    "clock": (
        re.compile(r"几点|周几|星期几|几号(?!楼|场)|哪天|哪一天|几月|截止|周末.{0,3}(?:开|有人)"),
        re.compile(rf"{_NUMBER}\s*[点月]|\d{{1,2}}:\d\d|(?:周|星期)[一二三四五六日]|截止前|锁定日"),
    ),
    "phone": (
        re.compile(r"手机号|电话|微信号|二维码|联系方式|座机|网址|公众号叫"),
        re.compile(r"电话|\d{5,}|https?:"),
    ),
    "person": (
        re.compile(r"是谁|都有谁|有谁[?？]?$|谁是|叫什么|叫啥|姓什么|哪几位|会长|哪个大学毕业|什么背景"),
        re.compile(r"负责人是|主席是|会长"),
    ),
    "place": (
        re.compile(
            r"门牌|几零几|哪栋|几楼|哪层|停车|哪家|哪个(?:教室|馆|礼堂|房间|校区|影院|店|医院)|几号(?:楼|场)|哪条路|下载"
        ),
        re.compile(r"\d+\s*(?:号楼|室|层|号馆)|地址是|下载"),
    ),
    "count": (
        re.compile(
            r"几天|多少天|几年|多少人|几个人|几位|几次|多少次|多久|多长时间|几项|多少周年|几届|多大比例|占多少|多少个"
        ),
        re.compile(
            rf"{_NUMBER}\s*(?:天|年|人|位|次|项|分钟|小时|个|周年|届|‰)|百分之|%|季度|当次通知|不限|上限|人数|期限|那一项|章程为准|实施细则"
        ),
    ),
}


def wanted(text: str) -> frozenset[str]:
    """The kinds of things that a question asks for; empty where it asks for an explanation."""
    return frozenset(kind for kind, (asked, _) in _KINDS.items() if asked.search(text))


def gives(kinds: Collection[str], passage: Passage) -> bool:
    """Whether a passage holds something of each kind."""
    told = f"{passage.heading}\n{passage.text}"
    return all(_KINDS[kind][1].search(told) for kind in kinds)
