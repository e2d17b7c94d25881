"""Patterns for festivals and for days of the lunar calendar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlu.times.daywords import N2, NUMERAL, YEAR, B, year_of
from nlu.times.festivals import LUNAR, SOLAR, SUNDAYS, TERMS, festival, lunar_day
from nlu.times.folding import number

if TYPE_CHECKING:
    import re

    from nlu.times.model import Fragment
    from nlu.times.scanner import Context, Rule

_NUMERIC = ("三八", "五一", "五四", "六一", "七一", "八一")
# These are words of other meanings too: only with 节 are they a day.
_WITH_JIE = (
    *("情人", "妇女", "女神", "女生", "植树", "愚人", "劳动", "青年", "护士", "儿童", "建党", "建军", "教师", "记者"),
    *("光棍", "中元", *SUNDAYS),
)
_FREE = tuple(name for name in (*SOLAR, *LUNAR, *TERMS) if name not in {*_NUMERIC, *_WITH_JIE, "十一", "小年"})
_ALIASES = {"大年三十": "除夕", "大年夜": "除夕", "年三十": "除夕", "双11": "双十一"}
# A given name, not the day: 李国庆, 张立春.
_SURNAMES = frozenset(
    "李王张刘陈杨赵黄吴徐孙胡朱郭罗宋郑谢韩唐冯董程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏汪田姜范"
)
# 五一劳动奖章, 三八红旗手, 六一中学 and plain numbers.
_NOT_FEAST = (
    r"(?!劳动奖|青年奖|奖|先锋|巾帼|红旗|集体|运动|精神|路|街|广场|大道|中学|小学|班|楼"
    rf"|[{NUMERAL}\d百千万点月个号日名位人元块次分秒])"
)


def _festival(match: re.Match[str], context: Context) -> Fragment | None:
    name = match["numeric"] or match["with"] or match["free"]
    if context.inside_number(match.start()):
        return None
    full = match["year"] or match["free"] is None or match["jie"]
    if not full and context.before(match.start()) in _SURNAMES:
        return None
    return context.found(match, day=festival(_ALIASES.get(name, name), year_of(match["year"])))


def _lunar(match: re.Match[str], context: Context) -> Fragment | None:
    name, text = match["month"] or match["new"], match["day"]
    month = 1 if name in {"正", "大年"} else {"冬": 11, "腊": 12}.get(name) or number(name)
    day = number(text.removeprefix("初"))
    sure = match["lunar"] or text[0] == "初" or name in {"正", "冬", "腊", "大年"}
    if not (sure and month and day) or context.inside_number(match.start()):
        return None
    return context.found(match, day=lunar_day(month, day, year_of(match["year"])))


RULES: tuple[Rule, ...] = (
    (
        (
            rf"(?P<lunar>(?:农历|阴历|旧历){B})?(?:(?P<year>{YEAR}){B}的?{B})?(?:(?P<month>[正冬腊]|{N2}){B}月{B}"
            rf"|(?P<new>大年)(?=初))(?P<day>初[一二三四五六七八九十]|{N2})[日号]?"
        ),
        _lunar,
    ),
    (
        (
            rf"(?:(?P<year>{YEAR}){B}的?{B})?(?:国际)?(?:"
            rf"(?P<numeric>{'|'.join(_NUMERIC)})(?:(?:国际)?(?:妇女|劳动|青年|儿童|建党|建军)?节|{_NOT_FEAST})"
            rf"|(?P<with>十一(?=长假|假期|放假|黄金周|期间|当天|那天|前一天)|十一(?=国?庆?节)|(?:{'|'.join(_WITH_JIE)})(?=节))节?"
            rf"|(?P<free>{'|'.join(_FREE)}|除夕|大年三十|大年夜|(?<![今明去后前全半每整几])年三十|小年(?![轻龄级人份糕]))"
            r"(?P<jie>节)?)"
        ),
        _festival,
    ),
)
