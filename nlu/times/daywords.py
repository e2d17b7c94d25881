"""Patterns for days; each has a builder that turns its match into a rule, or refuses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlu.times import days
from nlu.times.folding import number, year_digits
from nlu.times.model import Clock

if TYPE_CHECKING:
    import re
    from datetime import date

    from nlu.times.days import Tail, YearOf
    from nlu.times.model import Fragment, Part
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
    r"(?!楼|线|馆|选手|厅|门|院|场(?!次)|桌|机|房|室|窗|柜|位|球(?!赛)|车|教学|教室|公寓|会议室|宿舍|仓|库|区|台|队"
    r"|票|码|文|令|店|铺|座|井|矿|棋|鞋|字|单元|病|床|通道|坑|工|人)"
)
# What stands after a bare 12月20 or 12-10 when it counts something.
MEASURE = rf"(?!{B}(?:[{NUMERAL}\d]|[点:个人月年天名位次元块岁时分场节楼层室周支队组届期米斤张条件万千百倍折度刻%/.-]))"


# --- years and months


def year_of(text: str | None) -> YearOf | None:
    if text is None:
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
    if name[0] in "上下这本当":
        rule = days.this_month(tail, _away(name))
    else:
        month = number(name.rstrip("月份"))
        if month is None or (month > 12 and not match["dom"]):
            return None
        rule = days.month_day(month, tail, year_of(match["year"]))
    return context.found(match, day=rule)


def _bare_month_part(match: re.Match[str], context: Context) -> Fragment | None:
    tail = _tail(match)
    if tail is None or context.inside_number(match.start()) or context.before(match.start()) in _PLACES:
        return None
    first = number(match["dom"]) if match["dom"] else 1
    # Beyond a month's length it is a size or a number far more often than a slip of the pen.
    return None if first is None or first > 39 else context.found(match, day=days.next_month_with(tail))


_PLACES = frozenset("第路街道巷弄栋幢场组座穿码鞋楼室")


def _date(match: re.Match[str], context: Context) -> Fragment | None:
    return context.found(match, day=days.fixed(int(match["y"]), int(match["m"]), int(match["d"])))


def _year_alone(match: re.Match[str], context: Context) -> Fragment | None:
    year, part = year_of(match["year"]), match["part"]
    if year is None:
        if part is None:
            return None
        year = _this_year
    months = {None: (1, 12), "上半年": (1, 6), "下半年": (7, 12), "年初": (1, 1), "年底": (12, 12), "年末": (12, 12)}
    return context.found(match, day=days.whole_year(year, months[part and part.replace("年年", "年")]))


def _this_year(today: date) -> int:
    return today.year


# --- 12/10, 12-10, 12.10


def _slash(match: re.Match[str], context: Context) -> Fragment | None:
    month, first = int(match["m"]), int(match["d"])
    last = int(match["d2"]) if match["d2"] else first
    if not (1 <= month <= 12 and 1 <= first <= last <= 31):
        return None
    return context.found(match, day=days.month_day(month, days.the(first, last)))


def _dashed(match: re.Match[str], context: Context) -> Fragment | None:
    """12-10 and 12.10 are dates, 3-5 and 3.5 are not, unless something that goes with a date follows."""
    month, day = int(match["m"]), int(match["d"])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    dot = match["sign"] == "."
    if dot and len(match["d"]) == 2 and context.after_part(match.start()):
        return None
    plain = len(match["d"]) == 2 and (len(match["m"]) == 2 or (not dot and day > 12) or match["d"][0] == "0")
    if not (plain or match["sure"]):
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
    if rel is None:
        return context.found(match, day=days.next_weekday(first, last), rank="weekday")
    return context.found(match, day=days.of_week(_away(rel), first, last), rank="relative")


def _whole_week(match: re.Match[str], context: Context) -> Fragment | None:
    return context.found(match, day=days.of_week(_away(match["rel"]), 0, 6), rank="relative")


def _no_weekday(match: re.Match[str], context: Context) -> Fragment | None:
    return None if context.inside_number(match.start()) else context.found(match, day=days.never)


# --- days counted from today

_DAYS = {"大前": -3, "前": -2, "昨": -1, "今": 0, "明": 1, "后": 2, "大后": 3, "今明": (0, 1), "明后": (1, 2), "这": (0, 1)}
_OF_DAY: dict[str, Part] = {"早": "上午", "晨": "上午", "晚": "晚上", "夜": "晚上"}


def _relative(match: re.Match[str], context: Context) -> Fragment | None:
    if match["which"] in {"前", "后"} and context.before(match.start()) in {"以", "之", "最", "先", "往", "今"}:
        return None
    away = _DAYS[match["which"]]
    rule = days.relative(away) if isinstance(away, int) else days.relative(*away)
    part = _OF_DAY.get(match["part"] or "")
    return context.found(match, day=rule, clock=Clock(part=part) if part else None, rank="relative")



_DOM = rf"(?P<dom>{N2})(?:{TO}(?P<dom2>{N2}){B}[号日]{NO_DAY}|{B}[号日]{NO_DAY}|{MEASURE})"
_NAMED_MONTH = rf"(?P<month>{UP_DOWN}{B}个?月|[这本]个?月|当月|{N2}{B}月份?)"
_THIRD = r"(?P<third>[上中下]旬|初|[底末]|中(?!午|秋|心|学|文|国|奖|间))"
_NTH = rf"(?P<nth>第{N2}|最后一)个?{WEEK}(?P<nthday>[一二三四五六日天1-6])"
_WD = r"(?:[一二三四五六]|天(?!气)|日(?!程|常|志|记|历)|[1-7](?!\d))"
_NOT_COUNTED = r"(?!个(?!人)|次|遍|回|岁|年)"

RULES: tuple[Rule, ...] = (
    (rf"(?<![\d.])(?P<y>(?:19|20)\d\d){B}[-/.年]{B}(?P<m>\d{{1,2}}){B}[-/.月]{B}(?P<d>\d{{1,2}})(?!\d)(?:{B}[日号])?", _date),
    (
        rf"(?:(?P<year>{YEAR}){B}的?{B})?{_NAMED_MONTH}(?:{B}的?{B}(?:{_DOM}|{_THIRD}|{_NTH}))?",
        _month,
    ),
    (r"(?P<dom>)月(?P<third>初|[底末]|中(?!午|秋|心|学|文|国|奖|间))", _bare_month_part),
    (r"(?P<dom>)(?P<third>[上中下]旬)", _bare_month_part),
    (rf"(?P<dom>{N2})(?:{TO}(?P<dom2>{N2}))?{B}(?:号|日(?!内|后|之|游|前|常|子|租|以))(?!前后){NO_DAY}", _bare_month_part),
    (rf"(?<![\d/.:-])(?P<m>\d{{1,2}})/(?P<d>\d{{1,2}})(?!\d)(?:-(?P<d2>\d{{1,2}})(?![\d/:点.]))?[日号]?{MEASURE}", _slash),
    (
        rf"(?<![\d/.:a-z+¥$-])(?P<m>\d{{1,2}})(?P<sign>[-.])(?P<d>\d{{1,2}})(?!\d)"
        rf"(?:(?P<sure>(?={B}(?:[上中下]午|早上|晚上|傍晚|凌晨|周[一二三四五六日]|\d{{1,2}}(?:点|:\d\d))))|{MEASURE})",
        _dashed,
    ),
    (
        rf"(?:(?P<rel>{UP_DOWN}[个一]?|这个?|本){B}{WEEK}{B}的?{B}{WEEK}?|{WEEK}|(?<!拜)拜){B}"
        rf"(?P<wd>{_WD}|末){_NOT_COUNTED}(?<!周一(?=[起些般共直同块样]))(?:{TO}(?:周(?=.))?(?P<wd2>{_WD})(?!{B}[点号:.个时\d]))?",
        _week,
    ),
    (rf"(?:{WEEK}(?:[八九]|[089](?!\d))|星期零)(?!{B}[点号日月个次人:时位天十])", _no_weekday),
    (rf"(?P<rel>{UP_DOWN}[个一]?|这个?|本){B}{WEEK}(?!老师|主任|书记|院长|教授|处长|医生|同志|边|围|岁|密)", _whole_week),
    (
        r"(?P<which>今)(?P<part>[早晚晨夜])上?|(?P<which2>)"
        if False
        else r"(?P<which>大?后|大?前|今|明|昨)(?:[天日](?!线)|儿个?|个儿?|(?P<part>[早晚晨夜])上?)(?!报|之星|会)",
        _relative,
    ),
    (r"(?P<which>今明|明后|这)(?P<part>)(?:两[天日]|天)", _relative),
    (rf"(?P<year>{YEAR})(?:{B}的?(?P<part>[上下]半年|年[底末初]|(?<=年)[底末初]))?|(?P<part2>)", _year_alone),
)
