"""Whom a name in a 接龙 may mean: exact names, the same sound, nicknames; and units by their short names. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from actions.blocks.jielong_lines import folded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

#: Titles that stand behind a surname or name.
TITLES = (
    "副教授|副主任|副院长|副书记|副处长|副主席|副馆长|老师|教授|主任|处长|院长|书记|主席|馆长|部长|科长|校长|医生|大夫|师傅|"
    "同志|同学|女士|先生|博士|辅导员|秘书|护士|会计|工|总|姐|哥|妈|爸"
)
_COMPOUND = (
    "欧阳|司马|上官|诸葛|东方|皇甫|尉迟|公孙|慕容|令狐|宇文|长孙|司徒|夏侯|轩辕|端木|百里|独孤|南宫|西门|澹台|闻人|呼延"
)
_SURNAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖萧田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金"
    "石廖贾夏韦付傅方白邹孟熊秦邱江尹薛闫阎段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁"
    "岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳欧管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤"
    "阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖"
    "巩明佘池查麻苑迟邝官封谈匡鞠惠荆乐冀郁胥南班储原栗燕楚鄢劳谌奚皮粟冼蔺楼盘满闻位厉伊仝区郜海阚花权强帅屠豆朴盖练廉禹井祖漆巴丰"
    "支卿国狄平计索宣晋相初门云容敬来扈晁芮都普阙浦戈伏鹿薄邸雍辜羊阿母裘亓修邰赫杭况那宿鲜印逯隆茹诺战慕危玉银亢嵇公哈湛宾戎勾茅利尧"
)
# First characters of names whose sound as a surname differs.
_AS_SURNAME = {
    "单": "shan",
    "解": "xie",
    "曾": "zeng",
    "仇": "qiu",
    "任": "ren",
    "查": "zha",
    "区": "ou",
    "朴": "piao",
    "盖": "ge",
}
_HAN = r"\u3400-\u9fff"
_TITLED = re.compile(rf"^(?P<name>[{_HAN}]{{1,3}}?)(?:{TITLES})$")
_FAMILIAR = re.compile(rf"^(?:老|小|大|阿)(?P<name>[{_HAN}])$")


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """A member on the roster, as far as a 接龙 can name them."""

    id: int
    name: str
    unit: str = ""
    staff_id: str = ""
    phone: str = ""


@lru_cache(maxsize=65536)
def sound(name: str) -> str:
    """How a name sounds, without tones: "陈小燕" and "陈晓燕" are equal."""
    from pypinyin import lazy_pinyin  # noqa: PLC0415 - its tables are for those who paste a 接龙

    first = _AS_SURNAME.get(name[:1])
    return " ".join([first, *lazy_pinyin(name[1:])] if first else lazy_pinyin(name))


def surname(name: str) -> str:
    """The surname a Chinese name begins with, "" where it begins with none."""
    compound = re.match(_COMPOUND, name)
    if compound:
        return compound[0]
    return name[:1] if name[:1] in _SURNAMES else ""


def looks_like_a_name(token: str) -> bool:
    """Two to four characters with a surname in front, or a surname with a title or 老, 小 before it."""
    if re.fullmatch(rf"[{_HAN}]{{2,4}}", token) and surname(token) not in ("", token):
        return True
    return nickname(token) != "" or bool(re.fullmatch(rf"[{_HAN}]{{2,}}·[{_HAN}·]{{2,}}", token))


def nickname(token: str) -> str:
    """What of a name stands in a familiar way of calling: 老王 and 王老师 -> 王, 晓燕老师 -> 晓燕; "" for others."""
    found = _TITLED.match(token) or _FAMILIAR.match(token)
    if found is None:
        return ""
    name = found["name"]
    return "" if len(name) == 1 and name not in _SURNAMES else name


class Roster:
    """Members by all that a 接龙 may name them with."""

    def __init__(self, people: Iterable[Person]) -> None:
        self.people = {person.id: person for person in people}
        self._names: dict[str, list[Person]] = defaultdict(list)
        self._ids: dict[str, Person] = {}
        self._phones: dict[str, list[Person]] = defaultdict(list)
        self._plain = {person.id: folded(person.name) for person in self.people.values()}
        for person in self.people.values():
            name = self._plain[person.id].replace(" ", "").lower()
            self._names[name].append(person)
            self._ids[person.staff_id.upper()] = person
            if person.phone:
                self._phones[person.phone].append(person)
        self._units = tuple(dict.fromkeys(person.unit for person in self.people.values() if person.unit))
        self._longest = max((len(name) for name in self._names), default=0)

    def named(self, name: str) -> list[Person]:
        """Those of exactly this name (folded)."""
        return self._names.get(name.replace(" ", "").lower(), [])

    def prefix(self, run: str, start: int) -> str:
        """The longest name of the roster that stands at a place of a text, "" for none."""
        for length in range(min(self._longest, len(run) - start), 1, -1):
            if run[start : start + length].lower() in self._names:
                return run[start : start + length]
        return ""

    def sounding(self, name: str) -> list[Person]:
        """Those whose name sounds the same and is written otherwise."""
        return [person for person in self._sounds.get(sound(name), ()) if self._plain[person.id] != name]

    @cached_property
    def _sounds(self) -> Mapping[str, list[Person]]:
        """By sound: worked out when a name is met that nobody has."""
        found: dict[str, list[Person]] = defaultdict(list)
        for person in self.people.values():
            found[sound(self._plain[person.id].replace(" ", ""))].append(person)
        return found

    def by_staff_id(self, text: str) -> Person | None:
        """Whose 工号 a text is."""
        return self._ids.get(text.upper()) if text else None

    def by_phone(self, text: str) -> list[Person]:
        """Whose telephone number a text is."""
        return self._phones.get(text, [])

    def familiar(self, token: str) -> list[Person]:
        """Who may be called so: 老王, 王老师, 晓燕, 晓燕老师, the first part of a long name."""
        name = nickname(token) or token
        if len(name) == 1:
            return self._fitting(lambda full: surname(full) == name)
        return self._fitting(lambda full: _called(full, name))

    def alike(self, name: str, unit: str) -> list[Person]:
        """Those of a unit whose name differs in one character of three or more."""
        if len(name) < 3 or not unit:
            return []
        return [person for person in self._fitting(lambda full: _one_off(full, name)) if person.unit == unit]

    def _fitting(self, fits: Callable[[str], bool]) -> list[Person]:
        return [self.people[ref] for ref, full in self._plain.items() if fits(full)]

    def units(self, token: str) -> tuple[str, ...]:
        """Units that a short name may mean: 机电 -> 机电工程学院, 马院 -> 马克思主义学院; none for other words."""
        plain = token.removesuffix("的")
        if plain in self._units:
            return (plain,)
        return tuple(unit for unit in self._units if _short_for(plain, unit))


def _called(full: str, name: str) -> bool:
    if full.endswith(name) and full[: -len(name)] == surname(full):
        return True
    if full.startswith(name):
        return full != name
    return not full.isalpha() and name.lower() in full.lower().replace("·", " ").split()


def _one_off(full: str, name: str) -> bool:
    return len(full) == len(name) and sum(a != b for a, b in zip(full, name, strict=True)) == 1


_PLACES = ("学院", "院", "处", "部", "馆", "中心", "工会", "系", "所")


def _short_for(token: str, unit: str) -> bool:
    if len(token) < 2 or token[0] != unit[0]:
        return False
    if unit.startswith(token):
        return True
    ends = any(token.endswith(place) and unit.endswith(place) for place in _PLACES)
    return ends and _within(token, unit)


def _within(token: str, unit: str) -> bool:
    """Whether the characters of a token stand in a unit's name, in their order."""
    rest = iter(unit)
    return all(character in rest for character in token)


def narrowed(found: Sequence[Person], units: Sequence[str], tail: str = "") -> list[Person]:
    """Those of the units said, and with the last digits said of a number; all where that leaves nobody."""
    here = [person for person in found if not units or person.unit in units] or list(found)
    if not tail:
        return here
    return [person for person in here if person.phone.endswith(tail) or person.staff_id.endswith(tail)] or here
