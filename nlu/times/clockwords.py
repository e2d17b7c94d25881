"""Patterns for hours and parts of the day."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nlu.times.daywords import N2, NUMERAL, TO, B
from nlu.times.folding import number
from nlu.times.model import Clock

if TYPE_CHECKING:
    from nlu.times.model import Fragment, Part
    from nlu.times.scanner import Context, Rule


# --- hours

_NOUNS = (
    r"建议|意见|要求|看法|想法|理由|原因|说明|问题|体会|感受|感想|希望|疑问|疑惑|内容|提示|注意|补充|不足|启示|收获|经验|心得"
    r"|好处|优点|缺点|诉求|困难|需求|思考|事|小事|办法|措施|思路|方面|改进|不满|要说|想说|要讲"
)
_NOT_HOUR = re.compile(rf"{B}(?:个人|小|主要|重要|不成熟|具体)?的?(?:{_NOUNS})|一线|式|水|红|点|儿|钱|也|都不|没")
_DECIMAL = re.compile(
    rf"{B}[\d{NUMERAL}]+(?:个?小时|个?钟头|万|千|亿|倍|元|块|折|米|公里|斤|吨|度|%|岁|$|[,.;!?，。；！？、的吧])"
)
_LISTING = frozenset("提谈讲列这共")
# 一点 is an hour where a person can only mean one: 一点钟, 约一点, 一点吧.
_ONE_BEFORE = frozenset("约在改就是那选要到从于周 \n,.;:!?，。；：！？、")
_ONE_AFTER = re.compile(
    rf"{B}(?:$|[,.;!?，。；！？、\n~-]|吧|行|可以|前|后|之前|以前|左右|开始|到|至|有|见|来|去|的|场|呢|吗)"
)
_QUARTERS = {"一": 1, "1": 1, "二": 2, "两": 2, "2": 2, "三": 3, "3": 3}


def _minute(match: re.Match[str]) -> int | None:
    """Minutes past the hour, below zero for 差五分; None where the words are no number."""
    found = match.groupdict()
    lack = found["lack"] or found["lack2"]
    if lack is not None:
        value = 15 * _QUARTERS[lack[0]] if lack.endswith("刻") else number(lack)
        return None if value is None else -value
    if found["half"]:
        return 30
    if found["quarter"]:
        return 15 * _QUARTERS[found["quarter"]]
    text = found["m"] or found["m2"]
    return number(text) if text else 0


def _pair(text: str) -> tuple[int, int] | None:
    """Read 三四 in 三四点 as three to four."""
    ends = [number(numeral) for numeral in text]
    if len(ends) == 2 and ends[0] and ends[1] == ends[0] + 1:
        return ends[0], ends[1]
    return None


def _refused(match: re.Match[str], context: Context) -> bool:
    """Whether 三点 is a count of points, a decimal, or part of a longer number."""
    start, end = match.start(), match.end("core")
    if context.inside_number(start):
        return True
    if match["exact"] or match["from"] or match["lack"]:
        return False
    counted = _NOT_HOUR.match(context.text, end) or _DECIMAL.match(context.text, end)
    if counted or context.before(start) in _LISTING or (number(match["h"]) or 0) > 30:
        return True
    if context.after_part(start) or context.after_day(start) or _follows_range(context, start):
        return False
    if match["unit"] == "时":
        return not match["h"].isdecimal()
    return match["h"] == "一" and not _surely_one(match, context)


def _surely_one(match: re.Match[str], context: Context) -> bool:
    before = context.before(match.start())
    return (not before or before in _ONE_BEFORE) and _ONE_AFTER.match(context.text, match.end("core")) is not None


def _follows_range(context: Context, start: int) -> bool:
    last = context.last
    return last is not None and last.clock is not None and context.before(start) == ""


def _hour(match: re.Match[str], context: Context) -> Fragment | None:
    minute = _minute(match)
    if minute is None or _refused(match, context):
        return None
    hour = number(match["h"])
    if hour is None:
        pair = _pair(match["h"])
        if pair is None or minute:
            return None
        return context.found(match, clock=Clock(hour=pair[0], to=Clock(hour=pair[1])))
    if minute < 0 and hour == 0:
        hour = 24
    return _ranged(match, context, Clock(hour=hour, minute=minute))


def _listed_hour(match: re.Match[str], context: Context) -> Fragment | None:
    """7 in 7、8点."""
    hour = number(match["h"])
    if hour is None or context.inside_number(match.start()):
        return None
    return context.found(match, clock=Clock(hour=hour))


def _ranged(match: re.Match[str], context: Context, clock: Clock) -> Fragment | None:
    """Put the first hour of 2-4点 before the second."""
    if match["from"] is None:
        return context.found(match, clock=clock)
    begin = number(match["from"])
    return None if begin is None else context.found(match, clock=Clock(hour=begin, to=clock))


def _colon(match: re.Match[str], context: Context) -> Fragment | None:
    hour, half = match["h"], match["ap"]
    part: Part | None = "下午" if half == "p" else None
    literal = half == "a" or (half is None and hour[0] == "0" and len(hour) == 2)
    value = int(hour) % 12 if half == "a" and int(hour) == 12 else int(hour)
    return _ranged(match, context, Clock(part=part, hour=value, minute=int(match["m"] or 0), literal=literal))


def _bare_range(match: re.Match[str], context: Context) -> Fragment | None:
    """下午2-4: with the part of the day before them, two numbers are hours."""
    if not context.after_part(match.start()):
        return None
    return context.found(match, clock=Clock(hour=int(match["from"]), to=Clock(hour=int(match["h"]))))


def _dotted(match: re.Match[str], context: Context) -> Fragment | None:
    if not context.after_part(match.start()):
        return None
    return context.found(match, clock=Clock(hour=int(match["h"]), minute=int(match["m"])))


# --- parts of the day

_PARTS: dict[Part, str] = {
    "凌晨": "凌晨|后半夜|拂晓",
    "上午": "上午|早上|早晨|大清早|清早|清晨|一大早|一早(?!就)|早间|上半天",
    "中午": "中午|正午|晌午|午间",
    "下午": "下午(?!茶)|午后|下半天",
    "傍晚": "傍晚|黄昏",
    "晚上": "晚上|晚间|夜里|夜晚|夜间|深夜|半夜",
}


def _part(match: re.Match[str], context: Context) -> Fragment | None:
    part = next(part for part, words in _PARTS.items() if re.fullmatch(words, match[0]))
    return context.found(match, clock=Clock(part=part))


def _short_part(match: re.Match[str], context: Context) -> Fragment | None:
    if match["hour"] is None and not context.after_day(match.start()):
        return None
    return context.found(match, clock=Clock(part="上午" if match[0] == "早" else "晚上"))


# --- patterns

_AM_PM = rf"{B}(?P<ap>[ap])\.?m\.?(?![a-z])"
_LACK = rf"(?:[一三]刻|{N2})"
_MINUTES = rf"(?:\d\d(?!\d)|[零十二三四五][{NUMERAL}]{{1,2}}|十)(?!{B}(?:[个人元块万倍米年月天日号名位楼折度岁]|小时))"

RULES: tuple[Rule, ...] = (
    (
        rf"(?<![\d.:+])(?:(?P<from>\d{{1,2}}){TO})?(?P<h>\d{{1,2}}){B}:{B}(?P<m>\d\d)(?::\d\d)?(?![\d:])(?:{_AM_PM})?",
        _colon,
    ),
    (rf"(?<![\d.:+])(?:(?P<from>\d{{1,2}}){TO})?(?P<h>\d{{1,2}})(?P<m>){_AM_PM}", _colon),
    (rf"(?P<h>{N2})(?=、{N2}点)", _listed_hour),
    (r"(?P<h>\d{1,2})\.(?P<m>[0-5]\d)(?![\d.])", _dotted),
    (rf"(?P<from>\d{{1,2}}){TO}(?P<h>\d{{1,2}})(?![\d:.个人]|{B}[点时])", _bare_range),
    (
        (
            rf"(?:差{B}(?P<lack>{_LACK}){B}(?:分钟?)?{B})?(?:(?P<from>{N2}){TO})?(?P<core>(?P<h>{N2}){B}"
            rf"(?P<unit>点|时(?![间候段长代期常而机光效差刻])))(?P<exact>钟|整|{B}(?P<half>半)钟?|{B}(?P<quarter>[一二三13])刻钟?"
            rf"|{B}差{B}(?P<lack2>{_LACK})分?|{B}(?P<m>\d{{1,2}}|[{NUMERAL}]{{1,3}}){B}分(?![享之会别组为成])|{B}(?P<m2>{_MINUTES}))?"
            rf"(?:{B}(?:来钟|多钟|多(?![功媒])|左右|前后|许|的样子))?"
        ),
        _hour,
    ),
    ("|".join(_PARTS.values()), _part),
    (
        rf"[早晚](?:(?P<hour>(?={B}{N2}{B}[点:]))|(?![餐饭会宴安点些于到退期报操读教起茶场就已有一]|自习))|夜(?![班宵校])|当晚",
        _short_part,
    ),
)
