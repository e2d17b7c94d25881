"""Putting a form into words: the question, what was noted, the read-back. Everything is said through a `Saying`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from actions.core.life import Choice
from actions.core.zones import spoken
from bot.dialogue import forms
from bot.dialogue.wishes import chosen_start

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from actions.core.catalogue import Declaration, FormField
    from bot.dialogue.state import Frame
    from bot.gateway.saying import Saying

#: What is added to a miss, by the type of the field that was asked.
_MISSED = {
    "contact": "form.missed_contact",
    "materials": "files.missed",
    "name": "form.missed_name",
    "number": "form.missed_number",
    "slot": "form.missed_slot",
    "staff_id": "form.missed_staff_id",
}


def say_question(saying: Saying, field: FormField, frame: Frame, *, again: bool = False) -> None:
    """The question that a field asks, with its options. `again` leaves out what was said the first time."""
    name, phone = frame.values.get(f"{field.key}_name"), frame.values.get(f"{field.key}_phone")
    if field.type == "consent" and again:
        saying.say("form.consent_again")
    elif field.type == "contact" and name:
        saying.say("form.contact_phone", {"name": name})
    elif field.type == "contact" and phone:
        saying.say("form.contact_name", {"phone": phone})
    elif field.type == "slot" and frame.choices:
        _say_times(saying, field, frame)
    else:
        saying.say("form.question", {"prompt": field.prompt, "hint": "" if again else field.hint})
    skip = (Choice(value="", label="跳过"),) if field.optional else ()
    saying.offer((*frame.choices, *skip))


def _say_times(saying: Saying, field: FormField, frame: Frame) -> None:
    """How times are offered: those that fit the wish, those nearest to it, or some to begin with."""
    wish = frame.values.get(f"{field.key}_wish")
    # What was just said leads up to the times: why not another one, or which one is chosen now.
    led_up = any(key.startswith("errors.") or key == "form.current_time" for key, _params in saying.parts)
    if led_up:
        saying.say("form.or_another")
    elif wish is None:
        saying.say("form.question", {"prompt": field.prompt, "hint": field.hint})
    elif wish["kind"] == "span" and _fit(frame.choices, wish):
        saying.say("form.times_then", {"text": wish["text"], "count": len(frame.choices)})
    else:
        saying.say("form.times_near", {"text": wish["text"]})


def _fit(choices: Collection[Choice], wish: Mapping[str, Any]) -> bool:
    low, high = datetime.fromisoformat(wish["start"]), datetime.fromisoformat(wish["end"])
    starts = [chosen_start(choice.value) for choice in choices]
    return all(start is not None and (low <= start < high or start == low) for start in starts)


def say_missed(saying: Saying, field: FormField | None, frame: Frame) -> None:
    """That a message was not understood, what an answer looks like, and from the second time on how to get out."""
    begun = field is not None and any(frame.values.get(f"{field.key}_{part}") for part in ("name", "phone"))
    wording = "" if field is None or frame.choices or begun else _MISSED.get(field.type, "")
    if frame.misses == 0 and wording:
        saying.say(wording)
    elif frame.misses == 0:
        saying.say("form.missed")
    else:
        saying.say("form.missed_again", {"choices": bool(frame.choices)})


def say_noted(saying: Saying, declaration: Declaration, frame: Frame, changed: Collection[str]) -> None:
    """What a message filled in beside the question that stays open."""
    noted = [_noted(field, frame) for field in declaration.form if {field.key, f"{field.key}_wish"} & set(changed)]
    avoided = [
        title
        for field in declaration.form
        if f"{field.key}_avoid" in changed
        for title in frame.values.get(f"{field.key}_avoid", ())
    ]
    items = [item for item in noted if item]
    if items or avoided:
        saying.say("form.noted", {"items": items, "avoided": avoided})


def _noted(field: FormField, frame: Frame) -> str:
    value = frame.values.get(field.key)
    if field.unsaid:
        return ""
    if field.type == "number" and value:
        return f"{field.label} {value}"
    if field.type == "slot" and not value:
        wish = frame.values.get(f"{field.key}_wish")
        return str(wish["text"]) if wish else ""
    return shown(field, frame) if value and field.type not in ("consent", "record", "materials") else ""


def shown(field: FormField, frame: Frame) -> str:
    """An answer as it is read back."""
    value = frame.values.get(field.key, "")
    label = frame.values.get(f"{field.key}_label")
    if label:
        return str(label)
    if field.type == "slot":
        start = chosen_start(value)
        wish = frame.values.get(f"{field.key}_wish") or {}
        return spoken(start) if start is not None else f"{wish.get('text', '')}（排候补）"
    if field.type == "offering":
        return str(frame.values.get("picked") or (field.any if value == "any" else value))
    if field.type == "choices":
        return "、".join(value)
    return str(value)


def say_read_back(saying: Saying, declaration: Declaration, frame: Frame) -> None:
    """Everything that was filled in, to be confirmed."""
    rows = [[field.label, shown(field, frame)] for field in forms.told(declaration, frame)]
    service = declaration.short if declaration.named else ""
    until = frame.values.get("held_until", "")
    saying.say("form.read_back", {"service": service, "rows": rows, "held_until": until})
    saying.offer(frame.choices)


def read_back_choices(declaration: Declaration, frame: Frame) -> tuple[Choice, ...]:
    """What can be answered to a read-back: yes, a change, the questions that are only asked on request, and no."""
    extra = tuple(
        Choice(value=f"field:{field.key}", label=field.label)
        for field in forms.offered_at_confirmation(declaration, frame)
    )
    return (
        Choice(value="commit", label="确认"),
        Choice(value="revise", label="改一下"),
        *extra,
        Choice(value="drop", label="不办了"),
    )
