"""A message while a form is open: it steers, answers or corrects it, begins something else, or is talk. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.dialogue import forms, naming, reading
from bot.dialogue.picking import labelled, picked, position
from bot.dialogue.questions import asks, is_question, opening
from bot.dialogue.steps import SURE, TALK, Choose, Do, Fill, Open, Registry, Say, Step
from bot.dialogue.words import bare

if TYPE_CHECKING:
    from actions.core.catalogue import Declaration, FormField
    from bot.dialogue.forms import Taken
    from bot.dialogue.state import Frame
    from nlu.types import Parse

# Yes in other words than the set phrases counts at the read-back only where nothing in it hesitates.
_LONGEST_YES = 12
# Shorter words at a read-back are no more of a text, and a question is none either.
_LEAST_MORE = 6
_QUESTION = re.compile(r"[?？吗呢]\s*$|怎么|如何|多久|什么时候|在哪|为什么")
_HESITATES = "不没吗么？?但改换别等想先再能"


def step(frame: Frame, declaration: Declaration, parse: Parse, registry: Registry) -> Step:
    """The step that answers a message within a form."""
    if registry.words.says("why", parse.text):
        return Do(what="why", field=frame.asked)
    turn = _Turn(frame, declaration, parse, registry)
    return turn.left() or turn.chosen() or turn.revised() or turn.elsewhere() or turn.taken() or turn.untaken()


class _Turn:
    """One message held against one form; each method is one way to take it, or None."""

    def __init__(self, frame: Frame, declaration: Declaration, parse: Parse, registry: Registry) -> None:
        self._frame = frame
        self._declaration = declaration
        self._parse = parse
        self._registry = registry
        self._words = registry.words
        self._asked: FormField | None = declaration.field(frame.asked) if frame.asked else None
        self._taken: Taken = forms.take(declaration, frame, parse, registry.words)

    def _says(self, kind: str) -> bool:
        return self._words.says(kind, self._parse.text)

    def left(self) -> Step | None:
        """Given up; or a change was thought better of."""
        asked = self._asked
        # 先不传 says of files that are needed no more than that they are not at hand.
        passed = asked is not None and (asked.optional or asked.type == "materials")
        skipped = passed and asked is not None and reading.skips(asked, self._parse.text, self._words)
        if skipped or labelled(self._frame.choices, self._parse.text, whole=True) is not None:
            return None
        return self._kept() or self._dropped()

    def _kept(self) -> Step | None:
        changing = self._frame.phase == "revising" or self._frame.before is not None
        if changing and self._says("keep"):
            return Fill(taken=forms.Taken(frame=forms.restored(self._frame), changed=frozenset()))
        if self._says("keep") and not self._says("cancel"):
            return Say(wording="form.unchanged")
        return Do(what="commit") if self._repeated() else None

    def _dropped(self) -> Step | None:
        if self._says("cancel") or (self._declaration.named and self._says("cancel_this")):
            return Do(what="drop")
        sure = self._parse.intent == "cancel" and self._parse.confidence >= SURE
        free_text = self._asked is not None and self._asked.type == "text"
        return Do(what="drop") if sure and not (free_text or self._taken.said) else None

    def _repeated(self) -> bool:
        """Whether what is read back is asked for once more: 取消 at the read-back of 取消 means yes."""
        if self._frame.phase != "confirming" or self._declaration.named or self._taken.changed:
            return False
        if any(field.type == "slot" for field in self._declaration.form):
            return False
        again = self._parse.intent in self._declaration.triggers.intents and self._parse.confidence >= SURE
        return again or bare(self._parse.text) == bare(self._declaration.short)

    def chosen(self) -> Step | None:
        """An answer to the read-back, or to which field shall be changed."""
        if self._frame.phase == "revising":
            choice = picked(self._frame.choices, self._parse, self._words, whatever=False)
            return Do(what="revise", field=choice.value) if choice else None
        if self._frame.phase != "confirming":
            return None
        choice = picked(self._frame.choices, self._parse, self._words, whole=True)
        if choice is not None:
            return _at_read_back(choice.value)
        named = forms.asked_for(self._declaration, self._frame, self._parse.text)
        if named is not None:
            return Do(what="revise", field=named.key)
        agreed = self._says("affirm") or (self._agrees() and not self._taken.changed)
        return Do(what="commit") if agreed else None

    def _agrees(self) -> bool:
        """Yes in the member's own words. A set phrase needs no engine; this needs both, and nothing that hesitates."""
        said = bare(self._parse.text)
        sure = self._parse.intent == "affirm" and self._parse.confidence >= SURE
        return sure and len(said) <= _LONGEST_YES and not any(sign in self._parse.text for sign in _HESITATES)

    def revised(self) -> Step | None:
        """Something filled in shall be changed, and to what is not said."""
        if self._taken.changed or (self._asked is not None and self._asked.type == "text"):
            return None
        for field in self._declaration.form:
            if reading.wants_changed(field, self._parse.text):
                return self._anew(field)
        moving = self._parse.intent == "reschedule" and self._parse.confidence >= SURE and not self._parse.entities
        slots = [field for field in self._declaration.form if field.type == "slot"]
        if moving and slots and self._frame.phase == "filling":
            return self._anew(slots[0])
        if self._frame.phase == "confirming" and (moving or self._says("deny") or self._denies()):
            return Do(what="revise")
        return None

    def _denies(self) -> bool:
        return self._parse.intent == "deny" and self._parse.confidence >= SURE

    def _anew(self, field: FormField) -> Step | None:
        if field.key in self._frame.values:
            return Do(what="revise", field=field.key)
        if field.key == self._frame.asked and field.type == "slot" and self._frame.choices:
            return Do(what="other_time")
        return None

    def elsewhere(self) -> Step | None:
        """Another service that the message is sure to ask for, unless it is an answer and little else."""
        # One of the offered answers, word for word, asks for nothing else.
        answer = labelled(self._frame.choices, self._parse.text, whole=True) is not None
        if answer or self._parse.confidence < SURE or (self._asked is not None and self._asked.verbatim):
            return None
        opened = self._registry.catalogue.opened_by(self._parse.intent)
        meant = naming.named(opened, self._parse, self._registry) if opened else ()
        if len(meant) == 1 and len(opened) > 1 and meant[0].id != self._declaration.id:
            return Open(service=meant[0].id, parse=self._parse)
        if any(service.id == self._declaration.id for service in opened):
            return None
        if len(opened) > 1 and all(map(naming.offers, opened)):
            ids = tuple(service.id for service in meant or opened)
            return None if self._is_answer() else Choose(services=ids, parse=self._parse)
        other = next((service for service in opened if service.id != self._declaration.id), None)
        if other is None or self._stays(other):
            return None
        return opening(other, self._parse)

    def _stays(self, other: Declaration) -> bool:
        """Whether a message that could ask for another service is meant for this one."""
        # 还是周三下午两点吧 changes the form, whatever it reminds the engine of: who has a question asks it.
        if self._taken.changed and is_question(other) and not asks(self._parse.text):
            return True
        return self._is_answer() and not _names_own(other, self._declaration, self._parse)

    def _is_answer(self) -> bool:
        if not self._taken.changed:
            return False
        if self._asked is not None and self._asked.type in ("text", "contact"):
            return True
        return forms.beside(self._parse) <= forms.FEW

    def taken(self) -> Step | None:
        """An answer or a correction; a refused consent ends the form."""
        consent = self._asked is not None and self._asked.type == "consent"
        if consent and self._taken.frame.values.get(self._frame.asked) is False:
            return Do(what="refuse_consent")
        return Fill(taken=self._taken) if self._taken.changed else None

    def untaken(self) -> Step:
        """Nothing was said to the form: something near an answer, talk, or a message that has to be asked again."""
        if self._parse.impossible:
            return Say(wording="talk.no_such_time")
        return self._more() or self._near_a_choice() or self._talk() or Do(what="missed")

    def _more(self) -> Step | None:
        """What is said at the read-back and says nothing else is more of the text that is being handed in."""
        frame, text = self._frame, self._parse.text.strip()
        field = next((each for each in self._declaration.form if each.grows and frame.values.get(each.key)), None)
        if frame.phase != "confirming" or field is None or len(bare(text)) < _LEAST_MORE or _QUESTION.search(text):
            return None
        if self._registry.kinds.get(self._parse.intent) == "talk" and self._parse.intent != "out_of_scope":
            return None
        whole = f"{frame.values[field.key]}\n{text}"
        if len(whole) > field.max_length or self._taken.said:
            return None
        grown = frame.but(values={**frame.values, field.key: whole})
        return Fill(taken=forms.Taken(frame=grown, changed=frozenset((field.key,)), said=frozenset((field.key,))))

    def _near_a_choice(self) -> Step | None:
        """Yes, no, or a number that none of the offered choices has."""
        choices, asked = self._frame.choices, self._asked
        if not choices or asked is None:
            return None
        if position(self._parse) is not None:
            return Say(wording="form.no_such_choice")
        if self._says("affirm"):
            if len(choices) > 1:
                return Say(wording="form.pick_one")
            values = {**self._frame.values, **reading.chosen(asked, choices[0])}
            return Fill(taken=forms.Taken(frame=self._frame.but(values=values), changed=frozenset((asked.key,))))
        if self._says("deny") or self._denies():
            return Do(what="other_time") if asked.type == "slot" else Say(wording="form.only_these")
        return Say(wording="form.pick_one") if self._taken.said else None

    def _talk(self) -> Step | None:
        intent, confidence = self._parse.intent, self._parse.confidence
        if intent in self._declaration.triggers.intents and confidence >= SURE:
            return Say(wording="form.in_it")
        naming = self._asked is not None and self._asked.type in ("name", "contact")
        if intent in TALK and confidence >= SURE and not (intent == "greet" and naming):
            midway = intent in ("greet", "goodbye", "help")
            return Say(wording=f"talk.{intent}_midway" if midway else f"talk.{intent}", intent=intent)
        if self._registry.kinds.get(intent) == "ask" and confidence >= self._registry.open_confidence:
            services = self._registry.catalogue.opened_by(intent)
            return opening(services[0], self._parse) if services else Say(wording="talk.not_yet", intent=intent)
        return None


def _at_read_back(value: str) -> Step | None:
    if value.startswith("field:"):
        return Do(what="revise", field=value.removeprefix("field:"))
    if value == "commit":
        return Do(what="commit")
    return Do(what="drop") if value == "drop" else Do(what="revise")


def _names_own(other: Declaration, declaration: Declaration, parse: Parse) -> bool:
    """Whether a message names a thing that only the other service has (瑜伽室 while counselling is being booked)."""
    if any(field.type == "record" for field in declaration.form):
        return False  # a record may be called by anything that it is about
    own = {field.entity for field in declaration.form if field.entity}
    theirs = {field.entity for field in other.form if field.entity} - own
    return any(e.name in theirs or (e.name == "service" and e.value == other.id) for e in parse.entities)
