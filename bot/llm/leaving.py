"""What may leave the house: pure rules over a text. Whoever is in doubt keeps it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nlu.text import normalise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

LONGEST = 120

_DIGIT = re.compile(r"\d")
# 幺三八零零一三八零零零: a number that is spelled; 一下 and 二胎 are none.
_SPELLED = re.compile(r"[零〇○一二三四五六七八九十两幺壹贰叁肆伍陆柒捌玖拾百千万]{3,}")
_FOREIGN = re.compile(r"[a-z]{5,}|[@_/\\]|www|\bv ?[x信]|微信号|qq号?")
# 小王, 老李, 王老师, 我叫…: a name is hinted at where the tagger sees none.
_HINTED = re.compile(
    r"(?:^|[^\w]|[和跟给找问帮替让叫是])[小老阿][^\W\da-z](?![\w]{0,1}[师年时人家板公婆])"
    r"|[我他她](?:叫|的名字|姓)|名叫|姓[^\W\da-z]的|工号"
    r"|(?<![各位哪个有的是])[^\W\da-z](?:老师|主任|院长|处长|校长|教授|医生|大夫|师傅|主席|书记|科长|部长|同志|女士|先生)"
)
_TITLE_ALONE = re.compile(r"(?:各位|哪位|有|的|是|找|问|女|男|新|全体|请问|谢谢|好|位|个|名|当|对|和|给|让|向)$")


@dataclass(frozen=True, kw_only=True, slots=True)
class Leaving:
    """Decides over texts.

    `words` are those of private and of political matters; `names` gives the names that a tagger sees in a text;
    `roster` are the names of the members.
    """

    words: frozenset[str]
    names: Callable[[str], Iterable[str]]
    roster: frozenset[str] = frozenset()

    def allows(self, text: str) -> bool:
        """Whether a member's text may be shown: short, no number, no name, nothing private or political."""
        plain = normalise(text)
        if not 0 < len(plain) <= LONGEST:
            return False
        if _DIGIT.search(plain) or _SPELLED.search(plain) or _FOREIGN.search(plain):
            return False
        return not (self._named(plain) or self.sensitive(plain))

    def sensitive(self, text: str) -> bool:
        """Whether a text touches a private or a political matter."""
        plain = normalise(text)
        return any(word in plain for word in self.words)

    def _named(self, plain: str) -> bool:
        if any(True for _name in self.names(plain)) or _hinted(plain):
            return True
        windows = (plain[at : at + size] for size in (2, 3, 4) for at in range(len(plain) - size + 1))
        return any(window in self.roster for window in windows)


def _hinted(plain: str) -> bool:
    """Whether the words around tell of a name (王老师, 小李), which 有老师 and 请问老师 do not."""
    for found in _HINTED.finditer(plain):
        title = re.search(r"老师|同志|先生|女士", found.group())
        if title is None or not _TITLE_ALONE.search(plain[: found.start() + title.start()]):
            return True
    return False


def tagged_names(text: str) -> Iterator[str]:
    """Persons' names as the tagger of the segmenter sees them."""
    import rjieba  # noqa: PLC0415 - its dictionary is for those who ask a language model

    return (word for word, kind in rjieba.tag(text) if kind.startswith("nr"))
