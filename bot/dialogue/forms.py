"""Forms: what a message fills or corrects, and what comes next. Pure functions of a declaration and a frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.dialogue import reading
from bot.dialogue.wishes import chosen_start, day_of, with_known
from bot.dialogue.words import bare, plain

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from actions.core.catalogue import Declaration, FormField
    from bot.dialogue.state import Frame
    from bot.dialogue.words import Words
    from nlu.types import Parse

# What is said to these fields is meant for them alone: a time in a message to the counsellor is no new time.
_WHOLE = ("text", "contact", "consent", "yes_no")
_NEVER_MENTIONED = ("text", "consent", "yes_no")
#: Code points beside what a message names that still leave it an answer: 那就…吧, 改成….
FEW = 4
# How sure the engine must be that a message is about something else before a time in it is not read.
_FOREIGN = 0.55


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """A frame after a message.

    `changed` are the keys that the message changed, `said` those that it spoke to, changed or not, and `closed` the
    labels of fields that it named and that are not open to this member.
    """

    frame: Frame
    changed: frozenset[str]
    said: frozenset[str] = frozenset()
    closed: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """The next question."""

    field: FormField


@dataclass(frozen=True, kw_only=True, slots=True)
class Confirm:
    """All is there: read back."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Commit:
    """All is there, and this form needs no read-back."""


def take(declaration: Declaration, frame: Frame, parse: Parse, words: Words) -> Taken:
    """Fills and corrects: the asked field first, then every field that the message names plainly."""
    said = _said(declaration, frame, parse, words)
    values = dict(frame.values)
    for key, value in said.items():
        values[key] = with_known(key, value, frame.values) if key.endswith("_wish") else value
    changed = frozenset(key for key in said if frame.values.get(key) != values[key])
    for key in changed:
        if key.endswith("_wish"):
            values.pop(key.removesuffix("_wish"), None)
    taken = frame.but(values=values, before=None) if changed else frame
    return Taken(frame=taken, changed=changed, said=frozenset(said), closed=_closed(declaration, frame, parse))


def _said(declaration: Declaration, frame: Frame, parse: Parse, words: Words) -> dict[str, Any]:
    asked = declaration.field(frame.asked) if frame.asked else None
    direct = reading.answer(asked, frame.choices, parse, words, frame.values) if asked else {}
    if asked and asked.only_asked:
        return direct
    if asked and direct and (asked.type in _WHOLE or not _names_something(parse, asked)):
        return direct
    if asked and asked.type in _WHOLE and asked.type != "contact":
        return {}
    if not direct and _foreign(parse) and not any(field.label in parse.text for field in declaration.form):
        return {}
    mentioned = _mentioned(declaration, frame, parse)
    if asked and direct:
        mentioned.pop(f"{asked.key}_wish", None)
    return {**mentioned, **direct}


def _mentioned(declaration: Declaration, frame: Frame, parse: Parse) -> dict[str, Any]:
    mentioned: dict[str, Any] = {}
    opens = not frame.values and not frame.asked
    for field in declaration.form:
        if field.opening and opens:
            mentioned[f"{field.key}_hint"] = parse.text
            if field.type == "record":
                continue  # the life reads which one is meant
        if field.type in _NEVER_MENTIONED or field.only_asked:
            continue
        if field.applies({**frame.values, **mentioned}, frame.facts):
            mentioned |= reading.mention(field, parse)
        elif condition := _condition(declaration, field, {**frame.values, **mentioned}):
            # Whoever names a campus wants to come to it: the condition of the question is met by its answer.
            answered = reading.mention(field, parse)
            mentioned |= {**condition, **answered} if answered else {}
    return mentioned


def _condition(declaration: Declaration, field: FormField, values: dict[str, Any]) -> dict[str, Any]:
    """What a field asks other fields of the form to be, where they have no answer yet; empty where they cannot be."""
    keys = {item.key for item in declaration.form}
    possible = all(key in keys and isinstance(value, str) and key not in values for key, value in field.when.items())
    return dict(field.when) if possible else {}


def _closed(declaration: Declaration, frame: Frame, parse: Parse) -> tuple[str, ...]:
    """Labels of fields that a message names and that the facts about this member keep closed."""
    return tuple(
        field.label
        for field in declaration.form
        if field.when
        and not field.applies(frame.values, frame.facts)
        and all(key in frame.facts for key in field.when)
        and field.type not in _WHOLE
        and reading.mention(field, parse)
    )


def _names_something(parse: Parse, asked: FormField) -> bool:
    """Whether the answer names more than the choice: 何医生，线上吧 does, 第二个 does not."""
    counting = {"ordinal", "number", "any"} if asked.type != "number" else {"ordinal", "any"}
    return any(entity.name not in counting for entity in parse.entities) or bool(parse.times) or len(parse.text) > FEW


def _foreign(parse: Parse) -> bool:
    """Whether a message is surely about something else: 今天天气怎么样 names a day and wishes for none."""
    sure = bool(parse.ranking) and parse.ranking[0].intent == "out_of_scope"
    return sure and parse.ranking[0].confidence >= _FOREIGN and beside(parse) >= FEW


def beside(parse: Parse) -> int:
    """How many code points a message says beside the times and things that it names."""
    named = sum(len(time.text) for time in parse.times) + sum(e.end - e.start for e in parse.entities)
    return len(bare(parse.text)) - named


def advance(declaration: Declaration, frame: Frame) -> Ask | Confirm | Commit:
    """What comes next: the first question that applies and has no answer, the read-back, or the commit."""
    for field in declaration.form:
        if field.ask == "always" and field.key not in frame.values and field.applies(frame.values, frame.facts):
            return Ask(field=field)
    return Confirm() if declaration.confirm else Commit()


def takes_files(declarations: Iterable[Declaration]) -> bool:
    """Whether any form asks for files."""
    return any(field.type == "materials" for declaration in declarations for field in declaration.form)


def materials_fields(declaration: Declaration, frame: Frame) -> tuple[FormField, ...]:
    """The fields that take files: the one that is asked, then the others that apply."""
    fields = [
        field for field in declaration.form if field.type == "materials" and field.applies(frame.values, frame.facts)
    ]
    return tuple(sorted(fields, key=lambda field: field.key != frame.asked))


def files_of(declaration: Declaration, frame: Frame) -> tuple[str, ...]:
    """Ids of all files that were handed in for a form."""
    keys = [field.key for field in declaration.form if field.type == "materials"]
    return tuple(file for key in keys for file in frame.values.get(key) or ())


def offered_at_confirmation(declaration: Declaration, frame: Frame) -> tuple[FormField, ...]:
    """Questions that are only asked on request and have no answer yet: offered with the read-back."""
    return tuple(
        field
        for field in declaration.form
        if field.ask == "on_request" and not frame.values.get(field.key) and field.applies(frame.values, frame.facts)
    )


def asked_for(declaration: Declaration, frame: Frame, text: str) -> FormField | None:
    """The question offered with the read-back that a message names, by whatever name: 留言 is 给咨询师的话.

    One that has an answer already is named to be changed.
    """
    if frame.phase != "confirming":
        return None
    said = plain(text)
    offered = [field for field in declaration.form if field.ask == "on_request"]
    named = [field for field in offered if said in map(bare, (field.label, *field.also))]
    return next((field for field in named if field.applies(frame.values, frame.facts)), None)


def revisable(declaration: Declaration, frame: Frame) -> tuple[FormField, ...]:
    """Fields that have an answer which can be changed."""
    return tuple(
        field
        for field in declaration.form
        if field.type != "consent" and field.key in frame.values and field.applies(frame.values, frame.facts)
    )


def told(declaration: Declaration, frame: Frame) -> tuple[FormField, ...]:
    """Fields that are read back: those with an answer, but for the consent, which was a question of its own.

    What somebody says in secret is not repeated either.
    """
    return tuple(field for field in revisable(declaration, frame) if frame.values[field.key] and not field.unsaid)


def holding(declaration: Declaration, changed: Collection[str]) -> bool:
    """Whether what is held can stay: only what the slot does not depend on (a note, a contact) was changed."""
    loose = {field.key for field in declaration.form if field.type in (*_WHOLE, "materials")}
    return all(key in loose or key.rpartition("_")[0] in loose for key in changed)


def without(frame: Frame, key: str) -> Frame:
    """The frame with a field's answer taken back, and asked anew."""
    gone = {f"{key}{part}" for part in ("", "_wish", "_avoid", "_label", "_hint", "_name", "_phone")}
    values = {name: value for name, value in frame.values.items() if name not in gone}
    return frame.but(values=values, phase="filling", asked="", choices=(), misses=0)


def revising(frame: Frame, field: FormField) -> Frame:
    """The frame with a field asked anew; of a time the day stays wished for, so that its other times are offered."""
    fresh = without(frame, field.key)
    start = chosen_start(frame.values.get(field.key)) if field.type == "slot" else None
    if start is not None:
        fresh = fresh.but(values={**fresh.values, f"{field.key}_wish": day_of(start)})
    return fresh.but(before=frame.values)


def restored(frame: Frame) -> Frame:
    """The frame as it was before a change that the member thought better of."""
    return frame.but(values=frame.before or frame.values, before=None, phase="filling", asked="", choices=(), misses=0)


def unsettled(frame: Frame) -> frozenset[str]:
    """What has to be resolved anew when a form is taken up again: all but the wishes that were fulfilled."""
    return frozenset(
        key for key in frame.values if not (key.endswith("_wish") and key.removesuffix("_wish") in frame.values)
    )
