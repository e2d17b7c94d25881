"""Reading an answer: what a message says to one field of a form. Pure; None means it says nothing to it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bot.dialogue.contacts import contact, contact_values
from bot.dialogue.picking import number_said, picked, picked_several
from bot.dialogue.wishes import meant, wish_of
from bot.dialogue.words import bare, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from actions.core.catalogue import FormField
    from actions.core.life import Choice
    from bot.dialogue.words import Words
    from nlu.types import Entity, Parse

_AVOID = re.compile(
    r"(?:不要|不想(?:约|要|见)?|别(?:约|要|是|给我)?|避开|除了|不约|不选|不去|换掉|认识|以外|不是)[^，。,.；;]{0,4}$"
)
_AVOID_AFTER = re.compile(r"^(?:老师|医生)?(?:以外|之外|除外|不行|不要|就算了|我?(?:认识|很?熟))")
_EITHER = re.compile(r"或|还是|和|跟|、|都")
# What people call files, whatever the form calls them.
_MATERIALS = ("照片", "图片", "图", "文件", "附件", "材料")
# Entities that count or point, and name nothing that a record is called by.
_NAMELESS = ("any", "number", "ordinal", "person", "phone", "service", "staff_id", "unit")


def answer(
    field: FormField, choices: Sequence[Choice], parse: Parse, words: Words, known: Mapping[str, Any]
) -> dict[str, Any]:
    """What a message says to the field that was asked; empty where it says nothing to it."""
    if field.optional and skips(field, parse.text, words):
        return {field.key: ""}
    if field.type == "contact":
        return contact_values(field.key, parse, known)
    if field.type == "choices":
        several = picked_several(choices, parse)
        return {field.key: [choice.value for choice in several]} if several else {}
    grave = field.type in ("consent", "yes_no")
    choice = picked(choices, parse, words, whatever=not grave, whole=grave)
    if choice is not None:
        return chosen(field, choice)
    reader = _ANSWERS.get(field.type)
    value = reader(field, parse, words) if reader else None
    return {} if value is None else {field.key: value}


def skips(field: FormField, text: str, words: Words) -> bool:
    """Whether a message passes an optional question over: 没有, 先不传, and with what is asked for: 没有照片."""
    if words.says("skip", text):
        return True
    if field.type != "materials":
        return False
    rest = re.sub("|".join(map(re.escape, (*names_of(field), *_MATERIALS))), "", bare(text))
    return rest != bare(text) and words.says("skip", rest)


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
        return {f"{field.key}_wish": wish_of(meant(parse))} if parse.times else {}
    if field.type in ("offering", "option"):
        return _offering(field, parse)
    if field.type == "record":
        return _record_hint(field, parse)
    reader = _MENTIONS.get(field.type)
    value = reader(field, parse) if reader else None
    return {} if value is None else {field.key: value}


def names_of(field: FormField) -> set[str]:
    """What a field is called: its label, the end of a long one (联系人), and what its prompt asks for (哪位老师)."""
    short = {field.label[2:]} if len(field.label) > 3 else set()
    return {field.label, *field.also, *short, *re.findall(r"哪[位个]([\u4e00-\u9fff]{2})", field.prompt)}


def wants_changed(field: FormField, text: str) -> bool:
    """Whether a message asks to change a field and does not say to what: 换个时间, 人数写错了, 改一下校区."""
    names = "|".join(map(re.escape, names_of(field)))
    before = rf"(?:换|改|修改|更改|重选|重新选|调整)(?:一?[个位下]|一下|掉)?(?:{names})"
    after = rf"(?:{names})(?:要|得|想|需要|这项)?(?:换|改|不对|错|写错|填错|选错|弄错|不行|不合适)"
    return len(bare(text)) <= 12 and re.search(f"{before}|{after}", bare(text)) is not None


def _offering(field: FormField, parse: Parse) -> dict[str, Any]:
    named = [entity for entity in parse.entities if entity.name == field.entity]
    avoided = [entity.value for entity in named if _unwanted(entity, parse.text)]
    wanted = [entity for entity in named if not _unwanted(entity, parse.text)]
    values: dict[str, Any] = {}
    if wanted and not _either(wanted, parse.text):
        values[field.key] = wanted[-1].value
    if avoided and field.avoidable:
        values[f"{field.key}_avoid"] = avoided
    if field.any and not values and any(entity.name == "any" for entity in parse.entities):
        values[field.key] = "any"
    return values


def _unwanted(entity: Entity, text: str) -> bool:
    before, after = text[: entity.start], text[entity.end :]
    return bool(_AVOID.search(before) or _AVOID_AFTER.match(after))


def _either(wanted: Sequence[Entity], text: str) -> bool:
    """Whether several are named side by side (瑜伽室或者乒乓球室): which one has to be asked."""
    if len({entity.value for entity in wanted}) == 1:
        return False
    return _EITHER.search(text[wanted[0].end : wanted[-1].start]) is not None


def _record_hint(field: FormField, parse: Parse) -> dict[str, Any]:
    hint: dict[str, Any] = {}
    services = [entity.value for entity in parse.entities if entity.name == "service"]
    names = [entity.value for entity in parse.entities if entity.name not in _NAMELESS]
    if services:
        hint["services"] = services
    if names:
        hint["names"] = names
    if parse.times:
        hint["wish"] = wish_of(parse.times[0])
    return {f"{field.key}_hint": hint} if hint else {}


def _choice(field: FormField, parse: Parse) -> str | None:
    """The choice named last; where all but one are refused (不要线上), the one that is left."""
    said = bare(parse.text)
    found: list[tuple[int, str]] = []
    refused: set[str] = set()
    for choice in field.choices:
        for text in (choice.value, *choice.also):
            name = re.escape(bare(text))
            if re.search(rf"(?:不要|不想|别|不是|不)(?:去|用|要)?{name}", said):
                refused.add(choice.value)
            elif bare(text) in said:
                found.append((said.rfind(bare(text)), choice.value))
    if found:
        return max(found)[1]
    left = [choice.value for choice in field.choices if choice.value not in refused]
    return left[0] if refused and len(left) == 1 else None


def _counted(field: FormField, parse: Parse) -> int | None:
    """A number said with the field's own unit, which its label names: 人数 counts 人, 周数 counts 周."""
    unit = field.label.removesuffix("数")[-1]
    said = r"[人位名]|个(?!月|星期|礼拜|小时)|老师" if unit == "人" else rf"个?(?:{unit}|星期|礼拜)"
    for entity in parse.entities:
        if entity.name == "number" and re.search(said, parse.text[entity.start : entity.end + 2]):
            return _within(field, entity.value)
    return None


_ALONE = re.compile(
    r"(?:就|只有|只)?(?:我|本人)(?:自己|一个人?|一人)?(?:来|去|用)?|(?:就|只有)?(?:一个人|自己)(?:来|去|用)?"
)


def _number(field: FormField, parse: Parse, _words: Words) -> int | None:
    counted = _counted(field, parse)
    if counted is not None:
        return counted
    if _ALONE.fullmatch(plain(parse.text)):
        return _within(field, "1")
    numbers = [entity for entity in parse.entities if entity.name == "number"]
    if numbers:
        return _within(field, numbers[0].value)
    number = number_said(parse.text)
    return None if number is None else _within(field, str(number))


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
    """Set phrases only: what somebody consents to must not depend on a probability."""
    if words.says("deny", parse.text):
        return False
    return True if words.says("affirm", parse.text) else None


def _contact(_field: FormField, parse: Parse) -> str | None:
    """A contact that nobody asked for yet is taken where both its parts are plain."""
    if not any(entity.name == "person" for entity in parse.entities):
        return None
    name, phone = contact(parse)
    return f"{name} {phone}" if name and phone else None


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
    "staff_id": _staff_id,
    "name": _asked_name,
}
_MENTIONS: dict[str, Callable[[FormField, Parse], Any]] = {
    "choice": _choice,
    "contact": _contact,
    "number": _counted,
    "staff_id": _staff_id,
    "name": _name,
}
