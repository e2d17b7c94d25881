"""Forms: what a message fills or corrects, and what comes next. Pure functions of a declaration and a frame."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from bot.dialogue import reading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actions.core.catalogue import Declaration, FormField
    from bot.dialogue.state import Frame
    from bot.dialogue.words import Words
    from nlu.types import Parse

# What is said to these fields is meant for them alone: a time in a message to the counsellor is no new time.
_WHOLE = ("text", "contact", "consent", "yes_no")


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """A frame after a message, and the keys that the message changed."""

    frame: Frame
    changed: frozenset[str]


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
        values[key] = _with_known(key, value, frame.values) if key.endswith("_wish") else value
    changed = frozenset(key for key in said if frame.values.get(key) != values[key])
    if not changed:
        return Taken(frame=frame, changed=changed)
    for key in changed:
        if key.endswith("_wish"):
            values.pop(key.removesuffix("_wish"), None)
    return Taken(frame=frame.but(values=values), changed=changed)


def _said(declaration: Declaration, frame: Frame, parse: Parse, words: Words) -> dict[str, Any]:
    asked = declaration.field(frame.asked) if frame.asked else None
    direct = reading.answer(asked, frame.choices, parse, words) if asked else {}
    if asked and direct and (asked.type in _WHOLE or not _names_something(parse, asked)):
        return direct
    if asked and asked.type in _WHOLE and asked.type != "contact":
        return {}
    mentioned: dict[str, Any] = {}
    for field in declaration.form:
        if field.type not in _WHOLE and field.applies({**frame.values, **mentioned}, frame.facts):
            mentioned |= reading.mention(field, parse)
    if asked and direct:
        mentioned.pop(f"{asked.key}_wish", None)
    return {**mentioned, **direct}


def _names_something(parse: Parse, asked: FormField) -> bool:
    """Whether the answer names more than the choice: 何医生，线上吧 does, 第二个 does not."""
    counting = {"ordinal", "number", "any"} if asked.type != "number" else {"ordinal", "any"}
    return any(entity.name not in counting for entity in parse.entities) or bool(parse.times) or len(parse.text) > 4


def _with_known(key: str, wish: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Completes a corrected time by what was known: 改成周四 keeps the hour, 改成四点 keeps the day."""
    known = _known_start(key, values)
    if known is None:
        return dict(wish)
    start, end = datetime.fromisoformat(wish["start"]), datetime.fromisoformat(wish["end"])
    if not wish["day_named"]:
        shift = known.date() - start.date()
        return {**wish, "start": (start + shift).isoformat(), "end": (end + shift).isoformat()}
    resolved = values.get(key.removesuffix("_wish"))
    if end - start == timedelta(days=1) and resolved and resolved == known.isoformat():
        return {**wish, "clock": f"{known:%H:%M}"}
    return dict(wish)


def _known_start(key: str, values: Mapping[str, Any]) -> datetime | None:
    """The time chosen before, or the one day that was wished for."""
    chosen = values.get(key.removesuffix("_wish"))
    if isinstance(chosen, str) and chosen[:1].isdigit() and "@" not in chosen:
        return datetime.fromisoformat(chosen)
    wish = values.get(key)
    if not wish:
        return None
    start, end = datetime.fromisoformat(wish["start"]), datetime.fromisoformat(wish["end"])
    return start if end - start <= timedelta(days=1) else None


def advance(declaration: Declaration, frame: Frame) -> Ask | Confirm | Commit:
    """What comes next: the first question that applies and has no answer, the read-back, or the commit."""
    for field in declaration.form:
        if field.ask == "always" and field.key not in frame.values and field.applies(frame.values, frame.facts):
            return Ask(field=field)
    return Confirm() if declaration.confirm else Commit()


def offered_at_confirmation(declaration: Declaration, frame: Frame) -> tuple[FormField, ...]:
    """Questions that are only asked on request and have no answer yet: offered with the read-back."""
    return tuple(
        field
        for field in declaration.form
        if field.ask == "on_request" and not frame.values.get(field.key) and field.applies(frame.values, frame.facts)
    )


def revisable(declaration: Declaration, frame: Frame) -> tuple[FormField, ...]:
    """Fields that can be changed at the read-back."""
    return tuple(
        field
        for field in declaration.form
        if field.type != "consent" and field.key in frame.values and field.applies(frame.values, frame.facts)
    )


def without(frame: Frame, key: str) -> Frame:
    """The frame with a field's answer taken back, and asked anew."""
    gone = {key, f"{key}_wish", f"{key}_avoid", f"{key}_label", f"{key}_hint", "offering_id", "picked", "held_until"}
    values = {name: value for name, value in frame.values.items() if name not in gone}
    return frame.but(values=values, phase="filling", asked="", choices=(), misses=0)
