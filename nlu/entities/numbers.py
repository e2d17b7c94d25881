"""Rules for numbers: amounts with a unit, telephone numbers, staff numbers, ordinals; and for "any"."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nlu.entities.hits import Hit
from nlu.times.folding import number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_N = r"(?:\d+(?:\.\d+)?|[零一二两三四五六七八九十百千]+)"
_UNIT = (
    r"(?:个(?:半)?小时|小时|个(?:半)?钟头|钟头|分钟|个人|人(?![工文民事才生口们大员类家力])|位|名(?![字单])|个月|个"
    r"|次|天|周(?!年)|年(?!级|轻|会|底|初|前|度)"
    r"|岁|元|块钱?|张|份|套|件|支|队|组|场|节课?|课时|米|公里|公斤|斤|盒|箱|间|桌|%)"
)
_COUNTED = re.compile(
    rf"(?<![\d.a-z第几数好零一二两三四五六七八九十百千])(?P<n>{_N})(?P<wan>万)?(?:多|来|余)? {{0,2}}(?P<unit>{_UNIT})"
)
_HALF = re.compile(r"(?<![\d一二两三四五六七八九十个])半个?(?:小时|钟头|天)")
_LONE = re.compile(r"(?:(?<=[选要就订报约共填 ,;:，；：、])|^)(\d{1,4})(?=$|[ ,;!?，。；！？、吧了呢啊哈])")
_MESSAGE = re.compile(rf"[\s.,。，!！]*(?:选|要)?({_N})[\s.,。，!！、]*(?:吧|了|啊|呀)?[\s.,。，!！]*")
# 一个, 一次, 换一天 seldom count; one hour, one person and a week's delay do.
_ONE_OF = frozenset(
    ("个人", "人", "个小时", "小时", "个半小时", "个钟头", "个半钟头", "钟头", "个月", "岁", "元", "块", "块钱")
)
_ONE_PERIOD = frozenset(("天", "周", "年"))
_NOT_PERIOD = frozenset("换哪那这有改每某同")
_SCALE = {"十": 10, "百": 100, "千": 1000}


def _integer(text: str) -> int | None:
    """Read a Chinese numeral below ten thousand (两百三十); None where it is none."""
    if "百" not in text and "千" not in text:
        return number(text)
    total, last, left = 0, 10000, text
    while left:
        match = re.match(r"零?([一二两三四五六七八九])?([千百十])?", left)
        if match is None or not match.group() or match.group() == "零":
            return None
        digit = number(match[1]) if match[1] else 1
        # 两千五 is 2500, 两千零五 is 2005.
        scale = _SCALE[match[2]] if match[2] else (1 if left[0] == "零" or last == 10 else last // 10)
        if scale >= last:
            return None
        total, last, left = total + (digit or 0) * scale, scale, left[match.end() :]
        if match[2] is None and left:
            return None
    return total


def _amount(match: re.Match[str]) -> str | None:
    text = match["n"]
    if text[0].isdecimal() and text.isascii():
        value = float(text)
    else:
        whole = _integer(text)
        if whole is None:
            return None
        value = float(whole)
    value = value * (10000 if match["wan"] else 1) + (0.5 if match["unit"].startswith("个半") else 0)
    return (
        text if text.isascii() and value == float(text) and "." in text else f"{value:.12g}" if value < 1e12 else None
    )


def _counts_one(match: re.Match[str], text: str) -> bool:
    unit, before = match["unit"], text[max(0, match.start() - 1) : match.start()]
    if unit in _ONE_OF or (unit in _ONE_PERIOD and before not in _NOT_PERIOD):
        return True
    return len(text) < 16 and text.strip(" .,。，!！吧\n") == match[0]


def numbers(text: str, _hits: Sequence[Hit]) -> Iterator[Hit]:
    """Yield amounts with a unit (8个人, 两个半小时), and digits that stand alone."""
    for match in _COUNTED.finditer(text):
        value = _amount(match)
        if value is not None and (match["n"] != "一" or _counts_one(match, text)):
            yield Hit("number", value, match.start(), match.end())
    for match in _HALF.finditer(text):
        yield Hit("number", "0.5", match.start(), match.end())
    for match in _LONE.finditer(text):
        yield Hit("number", str(int(match[1])), match.start(1), match.end(1))
    whole = _MESSAGE.fullmatch(text) if len(text) < 32 else None
    if whole is not None and len(whole[1]) < 5:
        value = whole[1] if "." in whole[1] else str(_integer(whole[1]))
        if value != "None":
            yield Hit("number", value, whole.start(1), whole.end(1))


_DIGITS = re.compile(r"(?<!\d)[+(]?\d[\d()+ -]{3,24}\d(?![\dx])")
_MOBILE = re.compile(r"(?<!\d)(?:(?:\+|00)?86[ -]?)?(1[3-9]\d(?:[ -]?\d){8})(?!\d)")
_LANDLINE = re.compile(r"(?<!\d)\(?0\d{2,3}\)?[ -]?[2-9]\d{2,3}[ -]?\d{4}(?!\d)")
_LOCAL = re.compile(r"[2-9]\d{2,3}[ -]?\d{4}")
_STAFF = re.compile(r"(?<!\d)\d{5,12}(?!\d)")
_STAFF_WITH_CUE = re.compile(r"(?:工号|职工号|教工号|职工编号)(?:是|为)?[:： ]{0,3}(\d[\d -]{3,15}\d)(?![\d])")
_PHONE_CUE = re.compile(r"(?:电话|手机|座机|号码|联系方式|拨打?|打)(?:号码?)?(?:是|为)?[:： ]{0,3}$")
_OTHER_CUE = re.compile(
    r"(?:身份证|卡号?|账号|账户|订单|邮编|微信号?|qq号?|验证码|会议号?|房间号?|热线|密码|生日|出生|车牌|发票|税号)"
    r"(?:号码?)?(?:是|为)?[:： ]{0,3}$"
)
_LATIN_BEFORE = re.compile("[a-z]$")
_AMOUNT_AFTER = re.compile(r" {0,2}(?:元|块|万|人|个|名|位|米|字|%|年|月|点)")


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def long_numbers(text: str, _hits: Sequence[Hit]) -> Iterator[Hit]:
    """Yield telephone numbers and staff numbers (five to twelve digits), digits only; a wrong length is neither."""
    for match in _STAFF_WITH_CUE.finditer(text):
        value = _digits(match[1])
        if 5 <= len(value) <= 12 and not _MOBILE.fullmatch(match[1]):
            yield Hit("staff_id", value, match.start(1), match.end(1))
    for match in _DIGITS.finditer(text):
        yield from _phones_and_ids(match[0], match.start(), text)


def _phones_and_ids(run: str, at: int, text: str) -> Iterator[Hit]:
    """Tell the numbers in a run of digits and separators apart."""
    for kind in (_MOBILE, _LANDLINE):
        for match in kind.finditer(run):
            yield Hit("phone", _digits(match[1] if kind is _MOBILE else match[0]), at + match.start(), at + match.end())
            run = run[: match.start()] + " " * (match.end() - match.start()) + run[match.end() :]
    for match in _STAFF.finditer(run):
        start, end = at + match.start(), at + match.end()
        before = text[max(0, start - 12) : start]
        if _LATIN_BEFORE.search(before) or _OTHER_CUE.search(before):
            continue
        if _PHONE_CUE.search(before):
            if _LOCAL.fullmatch(match[0]):
                yield Hit("phone", match[0], start, end)
        elif not (_AMOUNT_AFTER.match(text, end) or before.endswith((".", "-")) or text[end : end + 1] == "-"):
            yield Hit("staff_id", match[0], start, end)


_ORDINAL = re.compile(
    r"(?P<numbered>\d|[一二三四五六七八九])号(?:线路|路线|线(?=$|[^路上下])|方案|套餐)|(?P<from_end>倒数)?第(?P<n>\d{1,3}|[一二三四五六七八九十]{1,3})"
    r"(?:[个项条种款套组场期位档路行类批份]|号(?!楼|馆|线)|(?= {0,2}(?:$|[,.;:!?，。；：！？、吧呢啊]))) {0,1}"
    r"|(?P<last>最后(?:一[个项条种款套组场期位档]|那个|的?那[个场种]|个)|[后末]一?[个项](?=$|[^\w]|吧|也|更|好|可|比|行|呢)|后一个|后者|[后下][面边]那?个)"
    r"|(?P<first>[前头首]一个|前者|[上前][面边]那?个)"
)
_NOT_ANY = r"(?![吗么能怕爱信动业]|不行|不可|参加|报名|申请|申报|来吗|去吗|用吗|预约|享受|领|办|加入)"
_ANY = re.compile(
    r"随[便意](?![问看聊说逛写翻])|任意(?!球)|任何一[个位种]都?(?:行|可以)?|无所谓|不限(?![时量于制流速])|不挑|不讲究|没(?:有|什么|啥)?(?:要求|讲究)"
    r"|(?:你|您)?看着(?:办|安排|来|定)|(?:你|您)(?:来|们)?(?:定(?!的)|决定|安排)(?:吧|就[行好]|都行)?|听[你您]的|均可|皆可"
    rf"|(?:谁|哪(?:一?[个位天种家间款]|里|边|儿)?|什么|怎么|怎样|啥)?(?:时间|时候|地方)?都(?:行|可以|成(?!了|为|功|立|员|绩)|可(?!以)|ok){_NOT_ANY}"
)


def ordinals(text: str, _hits: Sequence[Hit]) -> Iterator[Hit]:
    """Yield places in a list: "1", "2"…, and "-1" for the last one."""
    for match in _ORDINAL.finditer(text):
        end = match.start() + len(match[0].rstrip())
        if match["n"] or match["numbered"]:
            value = number(match["n"] or match["numbered"])
            if value:
                yield Hit("ordinal", f"-{value}" if match["from_end"] else str(value), match.start(), end)
        else:
            yield Hit("ordinal", "-1" if match["last"] else "1", match.start(), end)


def anys(text: str, _hits: Sequence[Hit]) -> Iterator[Hit]:
    """Yield the words for "whichever you like"."""
    for match in _ANY.finditer(text):
        yield Hit("any", "any", match.start(), match.end())
