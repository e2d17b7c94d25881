"""Reading an answer: what a message says to one field of a form. Pure; None means it says nothing to it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from actions.core.zones import local
from bot.dialogue.words import bare

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actions.core.catalogue import FormField
    from actions.core.life import Choice
    from bot.dialogue.words import Words
    from nlu.types import Parse, TimeMention

_NUMBER = re.compile(r"^(?:选|第|要)?\s*([0-9０-９]{1,2}|[一二两三四五六七八九十]{1,2})\s*(?:个|号|项|、|\.)?$")
_DIGITS = {"一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10}
_AVOID = re.compile(
    r"(?:不要|不想(?:约|要|见)?|别(?:约|要|是|给我)?|避开|除了|不约|不选|换掉|认识|以外|不是)[^，。,.；;]{0,4}$"
)
_AVOID_AFTER = re.compile(r"^(?:老师|医生)?(?:以外|之外|除外|不行|不要|就算了|我认识|我熟)")
_CONTACT_NOISE = re.compile(r"[\s,，。:：;；、]|电话|手机号?|号码|联系人|紧急|姓名|叫|是|我的?")
_PHONE = re.compile(r"(?:\+?86[\s-]?)?1[3-9]\d(?:[\s-]?\d){8}|0\d{2,3}[\s-]?\d{7,8}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What was read: values to set by key (a field's own key, its `_wish` or its `_avoid`)."""

    values: dict[str, Any]


def picked(choices: Sequence[Choice], parse: Parse, words: Words) -> Choice | None:
    """The offered choice that a message picks: by number, ordinal, label, or "whatever"."""
    if not choices:
        return None
    by_label = _by_label(choices, parse.text)
    if by_label is not None:
        return by_label
    position = _position(parse)
    if position is not None:
        index = position - 1 if position > 0 else position
        return choices[index] if -len(choices) <= index < len(choices) else None
    if words.says("any", parse.text) or any(entity.name == "any" for entity in parse.entities):
        return next((choice for choice in choices if choice.value == "any"), choices[0])
    return None


def _by_label(choices: Sequence[Choice], text: str) -> Choice | None:
    said = bare(text)
    exact = [choice for choice in choices if said in (bare(choice.label), bare(choice.value))]
    if exact:
        return exact[0]
    contained = [choice for choice in choices if bare(choice.label) in said]
    return contained[0] if len(contained) == 1 and not _NEGATED.search(text) else None


_NEGATED = re.compile(r"不要|不想|别|除了|避开|不是|不去|不约")


def _position(parse: Parse) -> int | None:
    match = _NUMBER.match(parse.text.strip())
    if match:
        return _to_int(match[1])
    ordinals = [entity for entity in parse.entities if entity.name == "ordinal"]
    return int(ordinals[0].value) if len(ordinals) == 1 and _is_int(ordinals[0].value) else None


def _is_int(text: str) -> bool:
    return text.lstrip("-").isdecimal()


def _to_int(text: str) -> int:
    if text.isdecimal():
        return int(text)
    if len(text) == 2:
        return 10 + _DIGITS.get(text[1], 0) if text[0] == "十" else _DIGITS.get(text[0], 0) * 10
    return _DIGITS[text]


def answer(field: FormField, choices: Sequence[Choice], parse: Parse, words: Words) -> dict[str, Any]:
    """What a message says to the field that was asked; empty where it says nothing to it."""
    if field.optional and words.says("skip", parse.text):
        return {field.key: ""}
    choice = picked(choices, parse, words)
    if choice is not None:
        return chosen(field, choice)
    reader = _ANSWERS.get(field.type)
    value = reader(field, parse, words) if reader else None
    return {} if value is None else {field.key: value}


def chosen(field: FormField, choice: Choice) -> dict[str, Any]:
    """The values that a picked choice gives; a record keeps its label, since its value says nothing to a member."""
    if field.type in ("consent", "yes_no"):
        return {field.key: choice.value == "true"}
    if field.type == "record":
        return {field.key: choice.value, f"{field.key}_label": choice.label}
    return {field.key: choice.value}


def mention(field: FormField, parse: Parse) -> dict[str, Any]:
    """What a message says to a field that was not asked: only what it names plainly."""
    if field.type == "slot":
        return _slot(field, parse)
    if field.type == "offering":
        return _offering(field, parse)
    if field.type == "record":
        return _record_hint(field, parse)
    return _named(field, parse)


def _named(field: FormField, parse: Parse) -> dict[str, Any]:
    reader = _MENTIONS.get(field.type)
    value = reader(field, parse) if reader else None
    return {} if value is None else {field.key: value}


def _slot(field: FormField, parse: Parse) -> dict[str, Any]:
    if not parse.times:
        return {}
    return {f"{field.key}_wish": wish_of(_meant(parse))}


def _meant(parse: Parse) -> TimeMention:
    """Of several times the one that is wanted: the last, as in 周三不行，周四吧; a day and a clock apart are joined."""
    last = parse.times[-1]
    if len(parse.times) > 1 and not _rejected(parse, parse.times[0]):
        first = parse.times[0]
        if first.day_named and not first.clock_named and not last.day_named and last.clock_named:
            return _joined(first, last)
        return first
    return last


def _rejected(parse: Parse, time: TimeMention) -> bool:
    after = parse.text[time.offset + len(time.text) :][:6]
    before = parse.text[max(0, time.offset - 3) : time.offset]
    return bool(re.match(r"\s*(?:不|没|有课|有事|去不了|来不了)", after)) or bool(re.search(r"不要|不是|别|把", before))


def _joined(day: TimeMention, clock: TimeMention) -> TimeMention:
    start = local(clock.start)
    base = local(day.start)
    moved = start.replace(year=base.year, month=base.month, day=base.day)
    return type(clock)(
        text=clock.text,
        start=moved,
        end=moved + (clock.end - clock.start),
        kind=clock.kind,
        offset=clock.offset,
        day_named=True,
        clock_named=True,
    )


def wish_of(time: TimeMention) -> dict[str, Any]:
    """A time mention as the JSON that lives read."""
    return {
        "start": local(time.start).isoformat(),
        "end": local(time.end).isoformat(),
        "kind": time.kind,
        "text": time.text,
        "day_named": time.day_named,
        "clock_named": time.clock_named,
    }


def _offering(field: FormField, parse: Parse) -> dict[str, Any]:
    wanted: list[str] = []
    avoided: list[str] = []
    for entity in parse.entities:
        if entity.name != field.entity:
            continue
        before, after = parse.text[: entity.start], parse.text[entity.end :]
        unwanted = field.avoidable and (_AVOID.search(before) or _AVOID_AFTER.match(after))
        (avoided if unwanted else wanted).append(entity.value)
    values: dict[str, Any] = {}
    if wanted:
        values[field.key] = wanted[-1]
    if avoided:
        values[f"{field.key}_avoid"] = avoided
    if field.any and not values and any(entity.name == "any" for entity in parse.entities):
        values[field.key] = "any"
    return values


def _record_hint(field: FormField, parse: Parse) -> dict[str, Any]:
    hint: dict[str, Any] = {}
    services = [entity.value for entity in parse.entities if entity.name == "service"]
    if services:
        hint["services"] = services
    if parse.times:
        hint["wish"] = wish_of(parse.times[0])
    return {f"{field.key}_hint": hint} if hint else {}


def _choice(field: FormField, parse: Parse) -> str | None:
    said = bare(parse.text)
    found = [
        (said.rfind(bare(text)), choice.value)
        for choice in field.choices
        for text in (choice.value, *choice.also)
        if bare(text) in said and not re.search(rf"(?:不要|不想|别|不)(?:去|用)?{re.escape(bare(text))}", said)
    ]
    return max(found)[1] if found else None


def _people(field: FormField, parse: Parse) -> int | None:
    """A number said with a unit of people; a bare number is only an answer to the question."""
    for entity in parse.entities:
        if entity.name == "number" and re.search(r"[人位名个]", parse.text[entity.start : entity.end + 2]):
            return _within(field, entity.value)
    return None


def _number(field: FormField, parse: Parse, _words: Words) -> int | None:
    numbers = [entity for entity in parse.entities if entity.name == "number"]
    if numbers:
        return _within(field, numbers[0].value)
    match = _NUMBER.match(parse.text.strip())
    return _within(field, str(_to_int(match[1]))) if match else None


def _within(field: FormField, text: str) -> int | None:
    try:
        number = int(float(text))
    except ValueError:
        return None
    return number if field.minimum <= number <= field.maximum else None


def _text(field: FormField, parse: Parse, _words: Words) -> str | None:
    said = parse.text.strip()
    return said if 0 < len(said) <= field.max_length else None


def _yes(_field: FormField, parse: Parse, words: Words) -> bool | None:
    if words.says("deny", parse.text) or parse.intent == "deny":
        return False
    if words.says("affirm", parse.text) or parse.intent == "affirm":
        return True
    return None


def _contact(_field: FormField, parse: Parse, _words: Words | None = None) -> str | None:
    match = _PHONE.search(parse.text)
    if match is None:
        return None
    rest = parse.text[: match.start()] + parse.text[match.end() :]
    persons = [entity.value for entity in parse.entities if entity.name == "person"]
    name = persons[0] if persons else _CONTACT_NOISE.sub("", rest)[:20]
    phone = re.sub(r"[\s-]", "", match[0])
    return f"{name} {phone}".strip()


def _staff_id(_field: FormField, parse: Parse, _words: Words | None = None) -> str | None:
    found = [entity.value for entity in parse.entities if entity.name == "staff_id"]
    return found[0] if found else None


def _name(_field: FormField, parse: Parse) -> str | None:
    found = [entity.value for entity in parse.entities if entity.name == "person"]
    return found[0] if found else None


_HAN_NAME = re.compile(r"^(?:我叫|我是|叫|姓名)?[:：]?\s*([\u3400-\u9fff·]{2,12}|[A-Za-z][A-Za-z .·-]{1,38})$")


def _asked_name(field: FormField, parse: Parse, _words: Words) -> str | None:
    named = _name(field, parse)
    if named:
        return named
    match = _HAN_NAME.match(parse.text.strip())
    return match[1] if match else None


_ANSWERS: dict[str, Callable[[FormField, Parse, Words], Any]] = {
    "text": _text,
    "number": _number,
    "yes_no": _yes,
    "consent": _yes,
    "contact": _contact,
    "staff_id": _staff_id,
    "name": _asked_name,
}
_MENTIONS: dict[str, Callable[[FormField, Parse], Any]] = {
    "choice": _choice,
    "number": _people,
    "staff_id": _staff_id,
    "name": _name,
}
