"""Patterns for what is counted from now (三天后, 半小时后), and for phrases that only look like a time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from nlu.times import days
from nlu.times.daywords import N2, NUMERAL, TO, B
from nlu.times.folding import number

if TYPE_CHECKING:
    import re
    from datetime import datetime

    from nlu.times.model import Fragment
    from nlu.times.scanner import Context, Rule


# Months, days, minutes.
_UNITS: dict[str, tuple[int, int, int]] = {
    "天": (0, 1, 0), "日": (0, 1, 0), "周": (0, 7, 0), "星期": (0, 7, 0), "礼拜": (0, 7, 0), "月": (1, 0, 0),
    "年": (12, 0, 0), "小时": (0, 0, 60), "钟头": (0, 0, 60), "刻钟": (0, 0, 15), "分钟": (0, 0, 1),
}  # fmt: skip
_HALVES = {(0, 1, 0): None, (0, 7, 0): None, (1, 0, 0): (0, 15, 0), (12, 0, 0): (6, 0, 0)}


def _amount(match: re.Match[str]) -> tuple[int, int, float] | None:
    """Months, days and minutes of 一个半小时, 三天, 半年; None where the amount is none."""
    if match["u"] == "月" and match["ge"] is None:
        return None
    months, day_count, minute_count = _UNITS[match["u"]]
    half = match["n"] == "半" or bool(match["half"] or match["half2"])
    whole = 0.0 if match["n"] == "半" else _decimal(match["n"])
    if whole is None:
        return None
    if minute_count:
        return 0, 0, minute_count * (whole + 0.5 * half)
    if whole != int(whole):
        return None
    extra = _HALVES[months, day_count, 0] if half else (0, 0, 0)
    if extra is None:
        return None
    return months * int(whole) + extra[0], day_count * int(whole) + extra[1], 0


def _decimal(text: str) -> float | None:
    return float(text) if "." in text else number(text)


def _counted(match: re.Match[str], context: Context) -> Fragment | None:
    amount = _amount(match)
    if amount is None or context.inside_number(match.start()):
        return None
    if match[0][0] == "过" and context.before(match.start()) in _THROUGH:
        return None
    months, day_count, minute_count = amount
    direction = match["dir"] or "后"
    inside, back = "内" in direction, "前" in direction
    if not minute_count:
        if inside:
            return None if months else context.found(match, day=days.relative(0, day_count))
        sign = -1 if back else 1
        return context.found(match, day=days.months_away(sign * months, sign * day_count), rank="relative")
    delta = timedelta(minutes=-minute_count if back else minute_count)

    def moment(now: datetime) -> tuple[datetime, datetime]:
        return (now if inside else now + delta), now + delta

    return context.found(match, moment=moment)


_THROUGH = frozenset("通经超度渡越路透")


def _coming(match: re.Match[str], context: Context) -> Fragment | None:
    count = number(match["n"])
    day_count = 0 if count is None else count * _UNITS[match["u"]][1]
    return context.found(match, day=days.relative(0, day_count - 1)) if day_count else None


def _now(match: re.Match[str], context: Context) -> Fragment:
    return context.found(match, moment=lambda now: (now, now))


def _passed_over(match: re.Match[str], context: Context) -> Fragment | None:
    """Phrases with the shape of a time that name none: recurring days, 早一点, 晚上好, 过两天."""
    return None if context.inside_number(match.start()) else context.found(match)


_NUMBER = rf"(?:\d{{1,4}}(?:\.\d)?(?!\d)|[{NUMERAL}]{{1,3}})"
_AFTER = r"之后|以后|过后|后(?![面台勤续悔边])"
_AGO = r"之前|以前|前(?![面台往])"
_UNIT = r"(?P<u>小时|钟头|刻钟|分钟|天|周|星期|礼拜|月|年)"
_COUNT = rf"(?P<n>半|{_NUMBER}){B}(?P<ge>个)?(?P<half>半)?{B}{_UNIT}{B}(?P<half2>半)?{B}"

_WD = r"(?:[一二三四五六日天末]|[1-7](?!\d))"
_DAYS_AGAIN = (
    rf"每逢?个?(?:周|星期|礼拜)(?:{_WD}(?:(?:{TO}|[、,和及]){{0,1}}(?:周|星期|礼拜)?{_WD}(?![点个:])){{0,4}})?"
    rf"|隔周{_WD}?|每[天日晚早]|每个?月(?:{N2}[号日])?|每年(?:{N2}月(?:{N2}[号日])?)?"
)
# What is said of the hour recurs as well: 每周五下午两点到四点.
_PART_AGAIN = rf"(?:{B}的?{B}(?:凌晨|清晨|早上|早晨|上午|中午|下午|午后|傍晚|晚上|夜里|[早晚](?={B}{N2}{B}[点:])))"
_HOUR_AGAIN = rf"{B}{N2}{B}(?:点(?:半|钟|整|[一三]刻|{N2}分?)?|:\d\d)"
_RECURRING = rf"(?:{_DAYS_AGAIN}){_PART_AGAIN}?(?:{_HOUR_AGAIN}(?:{TO}{_PART_AGAIN}?{_HOUR_AGAIN})?)?"
_NO_TIMES = (
    r"[早晚快慢]一?点儿?(?![钟半整\d])|(?:早上|上午|中午|下午|晚上)好(?![吗么不的了像几多])|[三八]点档|过[两几]天"
)

RULES: tuple[Rule, ...] = (
    (f"{_RECURRING}|{_NO_TIMES}", _passed_over),
    (r"现在|马上|这会儿?|此刻|立刻|立马|即刻|眼下", _now),
    (rf"再?过{B}{_COUNT}(?P<dir>{_AFTER})?", _counted),
    (rf"{_COUNT}(?P<dir>{_AFTER}|{_AGO}|之内|以内|内)", _counted),
    (rf"(?P<n>{_NUMBER}){B}(?P<ge>)(?P<half>)(?P<half2>)(?P<u>日)(?P<dir>之后|以后|后|之内|以内|内)", _counted),
    (rf"(?:未来|接下来|今后|往后){B}的?(?P<n>{N2}){B}个?(?P<u>天|日|周|星期|礼拜)", _coming),
)
