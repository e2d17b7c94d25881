"""Reading a pasted 接龙: who stands in it, and whom of the roster they are. Pure; nothing is registered by reading.

    read = read_jielong(text, Roster(people))
    read.heading            # tells whether it belongs to this activity, see `named_in`
    read.mentions           # one for each person of each line: sure, unsure with candidates, or unknown
    read.final              # the last word about each person who is sure: who is in, who has called off

Sure is only what the text itself leaves no doubt of: the full name of one member, or the 工号 or telephone number with
a name that agrees. A name that only sounds the same, a nickname, a namesake, a unit that does not fit: officers pick.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from actions.blocks.jielong_lines import folded, heading_of, lines_of
from actions.blocks.jielong_roster import TITLES, looks_like_a_name, narrowed, nickname

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from actions.blocks.jielong_lines import Line
    from actions.blocks.jielong_roster import Person, Roster

Certainty = Literal["sure", "unsure", "unknown"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Mention:
    """A person in a line.

    `said` is the name as it was understood, "" where a line names nobody ("+1"). `candidates` are ids of members, most
    likely first: one where it is sure, none where it is unknown. `companions` counts who comes along.
    """

    place: int
    text: str
    said: str
    certainty: Certainty
    candidates: tuple[int, ...] = ()
    companions: int = 0
    called_off: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Jielong:
    """A 接龙 as it was read. `unread` are lines that were taken for talk: (place, text)."""

    heading: str
    mentions: tuple[Mention, ...]
    unread: tuple[tuple[int, str], ...] = ()

    @property
    def final(self) -> dict[int, Mention]:
        """The last word about each member who is sure, by id: who stands there twice is there once."""
        return {mention.candidates[0]: mention for mention in self.mentions if mention.certainty == "sure"}


def read_jielong(text: str, roster: Roster) -> Jielong:
    """Reads a pasted text (any length; blank lines are nothing) against a roster."""
    lines = lines_of(text)
    mentions: list[Mention] = []
    unread: list[tuple[int, str]] = []
    for line in lines:
        if line.kind in ("heading", "example"):
            continue
        found = _mentions(line, roster)
        if found:
            mentions += found
        elif line.said:
            unread.append((line.place, line.text))
    return Jielong(heading=heading_of(lines), mentions=tuple(mentions), unread=tuple(unread))


_CALLED_OFF = re.compile(
    r"取消|不去了|不来了|不报了|不参加|去不了|来不了|参加不了|退出|退赛|退了|放弃|请假|划掉|删除|删掉|撤销|弃权|改天吧"
)
_HAN_NUMBERS = {"一": 1, "二": 2, "两": 2, "俩": 2, "三": 3, "四": 4, "五": 5, "六": 6}
_N = r"(\d{1,2}|[一二两俩三四五六])"
_ALONG = (
    re.compile(rf"\+\s*{_N}\s*(?:人|位|个|名|家属|孩子|大|小)?(?![\d:.])"),
    re.compile(rf"(?:带|家属|孩子|同行|随行)[^\d,，、;()]{{0,4}}?{_N}\s*(?:人|位|个|名)"),
)
_TOGETHER = re.compile(
    rf"(?:共|一共|合计|一家)?\s*(?<![\d:.+]){_N}\s*(?:(?:人|位)(?!票)|口(?:人|之家)?|大\s*{_N}\s*小)"
)
_PHONE = re.compile(r"(?<!\d)(?:\+?86[- ]?)?(1[3-9]\d)[- ]?(\d{4})[- ]?(\d{4})(?!\d)")
_TAIL = re.compile(r"(?:尾号|后四位|尾数)\s*:?\s*(\d{3,6})")
_CODE = re.compile(r"(?<![0-9A-Za-z])[0-9A-Za-z][0-9A-Za-z-]{3,19}(?![0-9A-Za-z])")
_LABELS = re.compile(r"(?:姓名|名字|单位|部门|学院|电话|手机号?|联系方式|工号|职工号|性别)\s*:")
_BRACKETS = re.compile(r"[(\[]([^()\[\]]*)[)\]]?")
_JOINTS = r"[、,/&+;|\s:。!?~*\"'“”]|——|--|(?<=[\u3400-\u9fff])[-—–](?=[\u3400-\u9fff])"
_PAIRED = ("、", "/", "&", "+", ",", "和", "与", "跟", "及", "搭档")
_RELATED = ("同事", "家属", "队友", "搭档")
_HAN_RUN = re.compile(r"[\u3400-\u9fff·]+")
_LATIN = re.compile(r"[A-Za-z]{3,}(?:[ .][A-Za-z]+)*")

# Words that may stand right at a name without making it another one.
_AROUND = re.compile(
    rf"和|与|跟|及|搭档|(?:{TITLES})|队长|领队|教练|组长|女|男|我|也|同意|参加|报名|报|要|想|能|会|可以|已|去|来|带|在|共|第|路线"
    r"|线路|套餐|是|的|不|素食|清真|两|一|二|三|四|五|六|全家|稍|迟|因|请|晚到|早|上午|下午|全程|到|吧|啦|了|哦|哈"
)
# Words behind which a name is not who signs up.
_BESIDE = re.compile(r"(?:代领人?|联系人|介绍人|推荐人?|不是|@)$")
# Words that leave it open who of the two signs up.
_FOR = re.compile(r"[替帮]|代(?!领|表)")


@dataclass(slots=True)
class _Said:
    """What one line says, taken apart."""

    names: list[str]
    instead: list[str]
    units: list[str]
    strange_unit: bool = False


def _mentions(line: Line, roster: Roster) -> list[Mention]:
    """The people of a line; a line without a number must begin with a member's name or 工号 to count."""
    text = line.said
    called_off = line.struck or bool(_CALLED_OFF.search(text))
    text = _CALLED_OFF.sub(" ", text)
    text, along, party = _companions(text)
    text, known, tail = _numbers(text, roster)
    said = _apart(text, roster)
    if line.kind == "loose" and not (known or _begins_with_one(text, said, roster)):
        return []
    units = tuple(unit for token in said.units for unit in roster.units(token))
    companions = along or max(0, party - max(1, len(said.names)))
    blank = Mention(
        place=line.place, text=line.text, said="", certainty="unknown", companions=companions, called_off=called_off
    )
    found = [_match(blank, name, units, said, (known, tail), roster) for name in said.names]
    if not found:
        found = _by_number(blank, known) or ([blank] if text.strip(" ,.、-") or companions else [])
    return [found[0], *(replace(mention, companions=0) for mention in found[1:])] if found else []


def _begins_with_one(text: str, said: _Said, roster: Roster) -> bool:
    """Whether a member's full name comes first, but for a unit."""
    if not said.names or not roster.named(said.names[0]):
        return False
    before = text.partition(said.names[0])[0].strip(" ,.:、-")
    return not before or bool(roster.units(before))


def _companions(text: str) -> tuple[str, int, int]:
    """The text without "+1", "带家属两人", "2大1小", how many come along, and how many they are together."""
    for pattern in _ALONG:
        found = pattern.search(text)
        if found is not None:
            return pattern.sub(" ", text), _number(found[1]), 0
    found = _TOGETHER.search(text)
    if found is None:
        return text, 0, 0
    return _TOGETHER.sub(" ", text), 0, sum(_number(number) for number in found.groups() if number)


def _number(text: str) -> int:
    return _HAN_NUMBERS.get(text) or int(text)


def _numbers(text: str, roster: Roster) -> tuple[str, list[Person], str]:
    """The text without telephone numbers and 工号, whose they are, and the last digits of one."""
    known: list[Person] = []
    for found in _PHONE.finditer(text):
        known += roster.by_phone("".join(found.groups()))
    text = _PHONE.sub(" ", text)
    tail = _TAIL.search(text)
    text = _TAIL.sub(" ", text)
    for found in _CODE.finditer(text):
        person = roster.by_staff_id(found[0])
        if person is not None:
            known.append(person)
            text = text.replace(found[0], " ")
    return _LABELS.sub(" ", re.sub(r"\d{5,}", " ", text)), list(dict.fromkeys(known)), tail[1] if tail else ""


def _apart(text: str, roster: Roster) -> _Said:
    """Names, units and the rest of a line. What stands in brackets tells units; names only where none stand outside."""
    said = _Said(names=[], instead=[], units=[])
    inside = _BRACKETS.findall(text)
    _read_part(_BRACKETS.sub(" ", text), said, roster)
    for part in inside:
        if _FOR.search(part):
            said.instead += [name for name, _ in _names_in(part, roster)]
            continue
        inner = _Said(names=[], instead=[], units=[])
        _read_part(part, inner, roster)
        said.units += inner.units
        said.names += [] if said.names else inner.names
    return said


def _read_part(text: str, said: _Said, roster: Roster) -> None:
    """Adds what a part of a line says to `said`."""
    joined = False
    for token in re.split(f"({_JOINTS})", _closed_up(text, roster)):
        if not token or re.fullmatch(_JOINTS, token):
            joined = (joined and not token.strip()) or token in _PAIRED if token else joined
        elif token in _PAIRED:
            joined = True
        else:
            _read_token(token, said, roster, joined=joined)
            joined = joined and token in _RELATED
    if not said.names:
        said.names += [name for name in _LATIN.findall(text) if roster.named(name) or roster.familiar(name)][:1]


def _closed_up(text: str, roster: Roster) -> str:
    """The text with "张 伟" written as one, where that is a member."""

    def close(found: re.Match[str]) -> str:
        name = found[1] + found[2]
        return name if roster.named(name) else found[0]

    return re.sub(r"(?<![\u3400-\u9fff])([\u3400-\u9fff])\s+([\u3400-\u9fff]{1,2})(?![\u3400-\u9fff])", close, text)


def _read_token(token: str, said: _Said, roster: Roster, *, joined: bool) -> None:
    for run in _HAN_RUN.findall(token):
        if roster.units(run) and not roster.named(run):
            said.units.append(run)
            continue
        names, rest = _segment(run, roster)
        if names:
            said.units += [piece for piece in rest if roster.units(piece)]
            _sort_names(run, names, said, roster)
        elif re.search(r"(?:学院|中心|医院|处|馆|系)$", run):
            said.strange_unit = True
        else:
            _guess(run, said, roster, joined=joined)


def _sort_names(run: str, names: list[str], said: _Said, roster: Roster) -> None:
    """Names that a run holds are entries, unless the words around them say otherwise."""
    first = run.index(names[0])
    before, after = run[:first], run[first + len(names[0]) :]
    if _FOR.search(before) and not _BESIDE.search(before):
        said.instead += names
    elif before and (_BESIDE.search(before) or not _harmless(before, roster)):
        return
    elif _FOR.match(after) or _BESIDE.search(after[:2]):
        said.names += names[:1]
        said.instead += names[1:] if _FOR.match(after) else []
    elif len(names) == 1 and _may_go_on(names[0], after) and not _harmless(after, roster):
        said.names.append(run if len(run) <= 4 else names[0] + "…")
    else:
        said.names += names


def _may_go_on(name: str, after: str) -> bool:
    """Whether what follows a member's name may belong to a longer one: 张伟明 is not 张伟."""
    return bool(after) and (len(name) < 3 or len(after) < 2)


def _harmless(piece: str, roster: Roster) -> bool:
    return bool(roster.units(piece)) or _AROUND.match(piece) is not None


def _names_in(text: str, roster: Roster) -> list[tuple[str, int]]:
    found = []
    at = 0
    while at < len(text):
        name = roster.prefix(text, at)
        if name:
            found.append((name, at))
        at += len(name) or 1
    return found


def _segment(run: str, roster: Roster) -> tuple[list[str], list[str]]:
    """The roster's names in a run of characters, and the pieces between them."""
    names, rest, at = [], [], 0
    for name, start in _names_in(run, roster):
        if start > at:
            rest.append(run[at:start])
        names.append(name)
        at = start + len(name)
    if at < len(run):
        rest.append(run[at:])
    return names, rest


def _guess(run: str, said: _Said, roster: Roster, *, joined: bool) -> None:
    """A run without a member's full name: a name all the same where it stands first, or is joined to one."""
    if said.names and not joined:
        return
    unit = next((run[:length] for length in range(len(run) - 2, 1, -1) if roster.units(run[:length])), "")
    if unit:
        said.units.append(unit)
        run = run.removeprefix(unit)
    for piece in re.split(r"和|与|跟|及", run) if not looks_like_a_name(run) else [run]:
        if looks_like_a_name(piece) or (2 <= len(piece) <= 4 and roster.familiar(piece)):
            said.names.append(piece)


def _by_number(blank: Mention, known: Sequence[Person]) -> list[Mention]:
    """Who is known by a number alone."""
    if not known:
        return []
    certainty: Certainty = "sure" if len(known) == 1 else "unsure"
    ids = tuple(person.id for person in known)
    return [replace(blank, said=known[0].name, certainty=certainty, candidates=ids)]


def _match(
    blank: Mention,
    name: str,
    units: Sequence[str],
    said: _Said,
    numbers: tuple[Sequence[Person], str],
    roster: Roster,
) -> Mention:
    known, tail = numbers
    exact = roster.named(name)
    mine = [person for person in known if person in exact] or (list(known) if len(said.names) == 1 else [])
    if mine:
        agrees = len(mine) == 1 and (mine[0] in exact or _may_be(mine[0], name, roster))
        ids = [person.id for person in (mine if agrees else [*mine, *exact])]
        return replace(blank, said=name, certainty="sure" if agrees else "unsure", candidates=_once(ids))
    fits = narrowed(exact, units, tail)
    strange = (units and all(person.unit not in units for person in fits)) or (said.strange_unit and not units)
    others = _others(name, units, roster) if not fits or strange else []
    proxies = [person for other in said.instead for person in roster.named(other)] if said.instead else []
    candidates = _once(person.id for person in (*(others if strange else ()), *fits, *others, *proxies))
    if not candidates:
        return replace(blank, said=name)
    sure = len(candidates) == 1 and len(fits) == 1 and not strange
    return replace(blank, said=name, certainty="sure" if sure else "unsure", candidates=candidates)


def _may_be(person: Person, name: str, roster: Roster) -> bool:
    return person in roster.sounding(name) or person in roster.familiar(name)


def _others(name: str, units: Sequence[str], roster: Roster) -> list[Person]:
    """Who may be meant though the name is another: the same sound, a nickname, one character off; of the unit said."""
    plain = name.rstrip("…")
    called = nickname(plain)
    found = [*roster.sounding(plain), *roster.familiar(plain)]
    if len(called) > 1:
        found += [*roster.named(called), *roster.sounding(called)]
    found += roster.named(plain) if plain != name else []
    found += [person for length in (2, 3) if len(plain) > length for person in roster.named(plain[:length])]
    found += [person for unit in units for person in roster.alike(plain, unit)]
    return narrowed(list(dict.fromkeys(found)), units)


def _once(ids: Iterable[int]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(ids))


def named_in(heading: str, titles: Iterable[str]) -> tuple[str, ...]:
    """Which of the titles of activities a heading speaks of, the longest likeness first; none where it names no one.

    Titles that stand there whole come alone, but for what is a part of another one (羽毛球 in 羽毛球双打). Else a title
    counts where half of its two-character pieces (at least two) stand in the heading, or the whole heading in it.
    """
    there = _pieces(heading)
    pieces = {title: _pieces(title) for title in dict.fromkeys(titles)}
    common = {title: len(own & there) for title, own in pieces.items() if own}
    whole = [title for title, count in common.items() if count == len(pieces[title])]
    if whole:
        found = [title for title in whole if not any(pieces[title] < pieces[other] for other in whole)]
    else:
        enough = {title: min(len(pieces[title]) / 2, len(there)) for title in common}
        found = [title for title, count in common.items() if count >= max(2, enough[title])]
    return tuple(sorted(found, key=lambda title: (-common[title] / len(pieces[title]), -common[title], title)))


def _pieces(text: str) -> set[str]:
    plain = re.sub(r"[^\u3400-\u9fffa-z0-9×]", "", folded(text).lower())
    return {plain[at : at + 2] for at in range(len(plain) - 1)}
