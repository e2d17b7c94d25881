"""One form for the many ways to write the same: full width, traditional characters, Chinese numerals."""

from __future__ import annotations

import re

_TRADITIONAL = str.maketrans(
    "週點號後個兩鐘鍾時間這過現馬會農曆陰臘節國慶聖誕陽勞動婦師兒幾來開從與還館樓線選門場碼邊歲當頭內約員學"
    "處區廳車機隊剛淩禮種題見議條雙晝",
    "周点号后个两钟钟时间这过现马会农历阴腊节国庆圣诞阳劳动妇师儿几来开从与还馆楼线选门场码边岁当头内约员学"
    "处区厅车机队刚凌礼种题见议条双昼",
)
_FORMS = {
    **{chr(wide): chr(wide - 0xFEE0) for wide in range(0xFF01, 0xFF5F)},
    **dict.fromkeys("—–―─‐‑−〜∼", "-"),
    **dict.fromkeys("\u3000\u00a0\t", " "),
    **dict.fromkeys("〇○", "零"),
    **{circled: str(n) for n, circled in enumerate("①②③④⑤⑥⑦⑧⑨", 1)},
    "俩": "两",
    "×": "x",
    "∶": ":",
    "﹕": ":",
}
_WIDTH = str.maketrans(_FORMS)
_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ~", "abcdefghijklmnopqrstuvwxyz-")

_DIGITS = {numeral: value for value, numeral in enumerate("零一二三四五六七八九")} | {"两": 2}
_TENS = re.compile(
    r"([一二三四五六七八九]?)十([一二三四五六七八九]?)|([廿卅])([一二三四五六七八九]?)|零?([零一二两三四五六七八九])"
)


def fold(text: str) -> str:
    """Rewrite `text` for matching; the answer has exactly as many code points, so offsets hold for both."""
    return text.translate(_TRADITIONAL).translate(_WIDTH).translate(_LOWER)


def number(text: str) -> int | None:
    """Read digits, or a Chinese numeral below one hundred; None where it is no well-formed number."""
    if text.isascii() and text.isdecimal():
        return int(text)
    match = _TENS.fullmatch(text)
    if match is None:
        return None
    tens, ones, score, rest, single = match.groups()
    if single:
        return _DIGITS[single]
    if score:
        return {"廿": 20, "卅": 30}[score] + _DIGITS.get(rest, 0)
    return 10 * _DIGITS.get(tens, 1) + _DIGITS.get(ones, 0)


def year_digits(text: str) -> int | None:
    """Read a year said digit by digit (二零二六); None where there is anything else in it."""
    if not text or any(numeral not in _DIGITS for numeral in text):
        return None
    return int("".join(str(_DIGITS[numeral]) for numeral in text))
