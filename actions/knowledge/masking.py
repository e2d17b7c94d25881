"""Taking personal data out of a question before anybody keeps it. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_NAME, _NUMBER, _PLACE = "〔姓名〕", "〔号码〕", "〔地址〕"

_FULL_WIDTH = str.maketrans("０１２３４５６７８９ＸｘＡＢ", "0123456789XxAB")
# Mail, accounts of messengers, number plates, then every run of digits that is long enough to name somebody: phones,
# 工号, identity cards, bank cards, with the spaces and dashes that people put between.
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"[A-Za-z0-9_.+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"), "〔邮箱〕"),
    (re.compile(r"((?:微信|QQ|qq|抖音|账号|帐号)号?(?:是|为|[:：])?\s*)[A-Za-z0-9_\-]{5,}"), rf"\1{_NUMBER}"),
    (re.compile(r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][A-Z0-9]{5,6}"), "〔车牌〕"),
    (re.compile(r"[A-Za-z]{0,3}\d(?:[ \-－—]?\d){4,}[Xx]?"), _NUMBER),
    (re.compile(r"\d+\s*(?:号楼|栋|幢|单元|室(?!内|外|友))(?:\s*\d+(?:单元|室|号)?)*"), _PLACE),
)
_SURNAMES = (
    "李王张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
    "余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
)
# 张三老师, 王建国主任, 我叫李四: names that nobody else has found.
_TITLED = re.compile(rf"[{_SURNAMES}][\u4e00-\u9fff]{{0,2}}(?=老师|主任|书记|院长|处长|教授|同志|师傅|医生|大夫)")
_CALLED = re.compile(
    rf"((?:我叫|我是|名叫|姓名(?:是|[:：])?|本人)\s*)[{_SURNAMES}][\u4e00-\u9fff]{{1,2}}(?=$|[^\u4e00-\u9fff])"
)
# Words before a title that only look like a name.
_NO_NAMES = frozenset(("高级", "高校", "任课", "文学", "方向", "金牌", "万能", "常务", "安全", "程序", "石油", "马上"))


def matter(text: str) -> str:
    """What a masked question is about: without the clauses that only say who asks, where anything else is left."""
    clauses = re.split(r"[，,。；;！!\n]+", text)
    told = "，".join(clause for clause in clauses if "〔" not in clause and clause.strip())
    return told or text


def masked(text: str, names: Iterable[str] = ()) -> str:
    """The text without names, numbers, mail addresses and addresses that could tell who is meant.

    Args:
        text: what was said.
        names: persons known to stand in it (of the roster, of the parse).

    """
    plain = text.translate(_FULL_WIDTH)
    for name in sorted({name for name in names if len(name) > 1}, key=len, reverse=True):
        plain = plain.replace(name, _NAME)
    for pattern, put in _PATTERNS:
        plain = pattern.sub(put, plain)
    plain = _CALLED.sub(rf"\1{_NAME}", plain)
    return _TITLED.sub(lambda found: found[0] if found[0] in _NO_NAMES else _NAME, plain)
