"""Patterns for days; each has a builder that turns its match into a rule, or refuses it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from nlu.times import days
from nlu.times.folding import number, year_digits
from nlu.times.model import Clock

if TYPE_CHECKING:
    import re
    from collections.abc import Callable

    from nlu.times.days import Tail, YearOf
    from nlu.times.model import DayRule, Fragment, Part
    from nlu.times.scanner import Context, Rule

B = r" {0,2}"
NUMERAL = "零一二两三四五六七八九十廿卅"
N2 = rf"(?:\d{{1,2}}(?!\d)|[{NUMERAL}]{{1,3}})"
TO = rf"{B}(?:到|至|-{{1,2}}){B}"
WEEK = r"(?:周|星期|礼拜)"
# 线上, 楼下, 晚上 and the like are no "last" and "next".
UP_DOWN = r"(?:(?<![线网路早晚马身手地楼车桌会班街加以如赶追跟送天底乡桥脚])[上下]|(?<=[上下])[上下]){1,3}"
YEAR = (
    rf"(?:(?:19|20)\d\d{B}年|[零一二三四五六七八九]{{4}}{B}年|[今明后去前]年"
    rf"|(?<!\d)\d\d{B}年(?={B}(?:\d{{1,2}}|[{NUMERAL}]{{1,3}}){B}月))"
)
# What stands after 3号 when it is the number of a thing.
NO_DAY = (
    r"(?!楼|线|馆|选手|厅|门|院|场(?!次)|桌|机(?!电)|房|室|窗|柜|位|球(?!赛)|车|教学|教室|公寓|会议室|宿舍|仓|库|区|台|队"
    r"|票|码|文(?![化学体昌])|令|店|铺|座|井|矿|棋|鞋|字|单元|病|床|通道|坑)"
)
# What stands after a bare 12/10 or 12月20 when it counts something.
MEASURE = (
    rf"(?!{B}(?:[点:个人月年天名位次元块岁分节楼层室支队组届米斤张条件万千百倍折度刻%]|的人|时(?!间)|场(?!地)|期(?!间)"
    r"|周(?![一二三四五六日天末])|小时)|/|\.\d|-\d+(?![\d./月-]))"
)


# --- years and months


def year_of(text: str | None) -> YearOf | None:
    """Read the name of a year (明年, 2026年, 二零二六年); None where there is none."""
    if not text:
        return None
    digits = text.rstrip("年 ")
    away = {"今": 0, "明": 1, "后": 2, "去": -1, "前": -2}.get(digits)
    if away is not None:
        return lambda today: today.year + away
    if digits.isdecimal() and digits.isascii():
        value = int(digits) + (2000 if len(digits) == 2 else 0)
    else:
        value = year_digits(digits) or 0
    return lambda _today: value


def _away(text: str) -> int:
    """How many weeks or months from this one: 下下 is 2, 上 is -1, 这 and 本 are 0."""
    return text.count("下") - text.count("上")


def _tail(match: re.Match[str]) -> Tail | None:
    """The part of the month that a match names; None where its number is none."""
    found = match.groupdict()
    if found.get("third"):
        return days.third(found["third"])
    if found.get("nthday"):
        nth = -1 if found["nth"] == "最后一" else number(found["nth"].removeprefix("第"))
        return None if nth is None else days.nth_weekday(nth, _weekday(found["nthday"]))
    if found.get("dom"):
        first = number(found["dom"])
        last = number(found["dom2"]) if found.get("dom2") else first
        return None if not first or not last or last < first else days.the(first, last)
    return days.third("")


def _month(match: re.Match[str], context: Context) -> Fragment | None:
    tail = _tail(match)
    name = match["month"].replace(" ", "")
    if tail is None or context.inside_number(match.start()):
        return None
    make: Callable[[Tail], DayRule]
    if name[0] in "上下这本当":
        make = partial(days.this_month, shift=_away(name))
    else:
        month = number(name.rstrip("月份"))
        if month is None or (month > 12 and not match["dom"]):
            return None
        make = partial(days.month_day, month, year=year_of(match["year"]))
    found = context.found(match, day=make(tail))
    return replace(found, series="day", again=lambda day: make(days.the(day))) if match["dom"] else found


def _bare_month_part(match: re.Match[str], context: Context) -> Fragment | None:
    tail = _tail(match)
    if tail is None or context.inside_number(match.start()) or context.before(match.start()) in _PLACES:
        return None
    first = number(match["dom"]) if match["dom"] else 1
    # Beyond a month's length it is a size or a number far more often than a slip of the pen.
    if first is None or first > 39:
        return None
    listed = context.listed(match.start(), "day") if match["dom"] and not match["dom2"] else None
    if listed is not None and listed.again is not None:
        return replace(context.found(match, day=listed.again(first)), series="day", again=listed.again)
    return context.found(match, day=days.next_month_with(tail))


_PLACES = frozenset("第路街道巷弄栋幢场组座穿码鞋楼室")


def _date(match: re.Match[str], context: Context) -> Fragment | None:
    return context.found(match, day=days.fixed(int(match["y"]), int(match["m"]), int(match["d"])))


def _year_alone(match: re.Match[str], context: Context) -> Fragment | None:
    year = year_of(match["year"]) or (lambda today: today.year)
    return context.found(match, day=days.whole_year(year, _OF_YEAR[(match["part"] or "")[:2].removeprefix("年")]))


_OF_YEAR = {"": (1, 12), "上半": (1, 6), "下半": (7, 12), "初": (1, 1), "底": (12, 12), "末": (12, 12)}


# --- 12/10, 12-10, 12.10


_HYPHEN = frozenset("-")


def _slash(match: re.Match[str], context: Context) -> Fragment | None:
    month, first = int(match["m"]), int(match["d"])
    last = int(match["d2"]) if match["d2"] else first
    if not (1 <= month <= 12 and 1 <= first <= last <= 31) or context.before(match.start()) in _HYPHEN:
        return None
    return context.found(match, day=days.month_day(month, days.the(first, last)))


def _dashed(match: re.Match[str], context: Context) -> Fragment | None:
    """12-10 and 12.10 are dates, 3-5 and 3.5 are not, unless something that goes with a date follows."""
    month, day = int(match["m"]), int(match["d"])
    if not (1 <= month <= 12 and 1 <= day <= 31) or context.before(match.start()) in _HYPHEN:
        return None
    dot = match["sign"] == "."
    # 上午9.30 and 周三10-12 are hours.
    if context.after_part(match.start()) or (not dot and context.after_day(match.start())):
        return None
    plain = len(match["d"]) == 2 and (len(match["m"]) == 2 or (not dot and day > 12) or match["d"][0] == "0")
    if not plain and match["sure"] is None:
        return None
    return context.found(match, day=days.month_day(month, days.the(day)))


# --- weeks


def _weekday(text: str) -> int:
    return "一二三四五六".find(text) if text in "一二三四五六" else "123456".find(text) if text in "123456" else 6


def _week(match: re.Match[str], context: Context) -> Fragment | None:
    if context.inside_number(match.start()):
        return None
    rel, name, until = match["rel"], match["wd"], match["wd2"]
    if name == "末":
        return context.found(match, day=days.of_week(_away(rel or ""), 5, 6), rank="relative")
    first = _weekday(name)
    last = None if until is None else _weekday(until)
    listed = context.listed(match.start(), "weekday") if rel is None and last is None else None
    if listed is not None and listed.again is not None:
        return replace(
            context.found(match, day=listed.again(first)), series="weekday", again=listed.again, rank=listed.rank
        )
    if rel is None:
        found = context.found(match, day=days.next_weekday(first, last), rank="weekday")
        return replace(found, series="weekday", again=days.next_weekday)
    again = partial(days.of_week, _away(rel))
    return replace(context.found(match, day=again(first, last), rank="relative"), series="weekday", again=again)


def _next_in_list(match: re.Match[str], context: Context) -> Fragment | None:
    """三 and 五 in 周一、三、五."""
    name = match["wd"] or match["wd2"]
    begin = match.end() - len(name)
    listed = context.listed(begin, "weekday")
    if listed is None or listed.again is None or context.last is not listed:
        return None
    return replace(listed, start=begin, end=match.end(), day=listed.again(_weekday(name)))


def _whole_week(match: re.Match[str], context: Context) -> Fragment | None:
    return context.found(match, day=days.of_week(_away(match["rel"]), 0, 6), rank="relative")


def _no_weekday(match: re.Match[str], context: Context) -> Fragment | None:
    return None if context.inside_number(match.start()) else context.found(match, day=days.never)


# --- days counted from today

_DAYS: dict[str, tuple[int, int]] = {
    "大前": (-3, -3), "前": (-2, -2), "昨": (-1, -1), "今": (0, 0), "明": (1, 1), "后": (2, 2), "大后": (3, 3),
    "今明": (0, 1), "明后": (1, 2), "这": (0, 1),
}  # fmt: skip
_OF_DAY: dict[str, Part] = {"早": "上午", "晨": "上午", "晚": "晚上", "夜": "晚上"}


_NOT_BEFORE = frozenset("以之最先往今目空")


def _relative(match: re.Match[str], context: Context) -> Fragment | None:
    if match["which"] in {"前", "后"} and context.before(match.start()) in _NOT_BEFORE:
        return None
    rule = days.relative(*_DAYS[match["which"]])
    part = _OF_DAY.get(match["part"] or "")
    return context.found(match, day=rule, clock=Clock(part=part) if part else None, rank="relative")


_DIGIT_END = rf"(?:(?<=\d)|(?![{NUMERAL}])){MEASURE}"
_DOM = rf"(?P<dom>{N2})(?:{TO}(?P<dom2>{N2}))?(?:{B}[号日]{NO_DAY}|(?= {{1,2}}\d{{1,2}}{B}(?:点|:\d))|{_DIGIT_END})"
_NAMED_MONTH = rf"(?P<month>{UP_DOWN}{B}个?月|[这本]个?月|当月|{N2}{B}月份?)"
_THIRD = r"(?P<third>[上中下]旬|初|[底末]|中(?!午|秋|心|学|文|国|奖|间))"
_NTH = rf"(?P<nth>第{N2}|最后一)个?{WEEK}(?P<nthday>[一二三四五六日天1-6])"
_WD = r"(?:一(?![些般共直同块样]|起[去来吃爬打参看约玩做学跑])|[二三四五六]|天(?!气)|日(?![程常志记历])|[1-7](?!\d))"
_NOT_COUNTED = r"(?!个(?!人)|次|遍|回|岁|年)"
# What may follow 四 in 周二四, and what may not follow it in 周二、四.
_GOES_ON = r"(?=[二三四五六日]{0,3}(?:$|[ ,.;!?，。；！？、]|[上中下]午|早上|晚上|傍晚|[都也吧可行有]))"
_THING = rf"(?!{B}[点号:.个时楼位人名月年次种样起直定些下边份条张支家场项天日周会早大整程常志记历\d{NUMERAL}])"
_UNTIL = rf"(?:{TO}|(?<=六)、?(?=[日天]))(?P<wd2>{_WD})(?!{B}[点号:.个时楼\d{NUMERAL}])"
_WEEKS_AWAY = rf"(?P<rel>{UP_DOWN}[个一]?|这个?|本)"
_PERSON = r"老师|主任|书记|院长|教授|处长|医生|同志"

RULES: tuple[Rule, ...] = (
    (
        rf"(?<![\d.])(?P<y>(?:19|20)\d\d){B}[-/.年]{B}(?P<m>\d{{1,2}}){B}[-/.月]{B}(?P<d>\d{{1,2}})(?!\d)(?:{B}[日号])?",
        _date,
    ),
    (rf"(?:(?P<year>{YEAR}){B}的?{B})?{_NAMED_MONTH}(?:{B}的?{B}(?:{_DOM}|{_THIRD}|{_NTH}))?", _month),
    (r"(?P<dom>)(?P<third>[上中下]旬)", _bare_month_part),
    (r"(?P<dom>)月(?P<third>初|[底末]|中(?!午|秋|心|学|文|国|奖|间))", _bare_month_part),
    (
        (
            rf"(?P<dom>{N2})(?:{TO}(?P<dom2>{N2}))?{B}"
            rf"(?:(?=、{N2}[号日]{NO_DAY})|号|日(?!内|后|之(?!前)|以(?!前)|游|常|子|租|三餐|不见|为)){NO_DAY}"
        ),
        _bare_month_part,
    ),
    (
        rf"(?<![\d/.:])(?P<m>\d{{1,2}})/(?P<d>\d{{1,2}})(?!\d)(?:-(?P<d2>\d{{1,2}})(?![\d/:点.]))?[日号]?{MEASURE}",
        _slash,
    ),
    (
        (
            rf"(?<![\d/.:a-z+¥$])(?P<m>\d{{1,2}})(?P<sign>[-.])(?P<d>\d{{1,2}})(?!\d)(?:(?P<sure>(?={B}(?:[上中下]午"
            rf"|早上|晚上|傍晚|凌晨|周[一二三四五六日]|[日号]|[\d{NUMERAL}]{{1,3}}(?:点|:\d\d))))|{MEASURE})"
        ),
        _dashed,
    ),
    (
        rf"(?:{_WEEKS_AWAY}{B}{WEEK}{B}的?{B}{WEEK}?|{WEEK}|(?<!拜)拜){B}(?P<wd>{_WD}|末){_NOT_COUNTED}(?:{_UNTIL})?",
        _week,
    ),
    (
        rf"(?:(?:[、/]|或者?|和|及|还是)(?P<wd>[一二三四五六日]){_THING}|(?P<wd2>[一二三四五六]){_GOES_ON})",
        _next_in_list,
    ),
    (rf"(?:{WEEK}(?:[八九]|[089](?!\d))|星期零)(?!{B}[点号日月个次人:时位天十])", _no_weekday),
    (rf"{_WEEKS_AWAY}{B}{WEEK}(?!{_PERSON}|边|围|岁|密)", _whole_week),
    (r"(?P<which>今明|明后|这)(?P<part>)(?:两[天日]|(?<!这)天)", _relative),
    (
        (
            r"(?P<which>大后|大前|[今明昨前后])"
            r"(?:[天日]|儿个?|(?<=[今明昨])个(?!月|人)儿?|(?P<part>[早晚晨夜])(?:上(?![海课班线台网]))?)"
        ),
        _relative,
    ),
    (rf"(?P<year>{YEAR})(?:{B}的?{B}(?P<part>[上下]半年|年?[底末]|年?初(?![{NUMERAL}])))?", _year_alone),
    (rf"(?P<year>)(?P<part>[上下]半年|年[底末]|年初(?![{NUMERAL}]))", _year_alone),
)
