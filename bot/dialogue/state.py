"""What a conversation remembers: a stack of frames, drafts put aside, and a question of "did you mean…"."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from actions.core.catalogue import FormField
from actions.core.life import Choice
from nlu.types import Parse

if TYPE_CHECKING:
    from actions.core.catalogue import Catalogue, Declaration

Phase = Literal["filling", "confirming", "revising"]

#: Values of a form that speak of what is held for it.
HELD = ("offering_id", "picked", "held_until")


class Frame(BaseModel):
    """One form being filled.

    `asked` is the field that waits for an answer, `choices` what was offered for it. `before` are the values as they
    were when a change was begun, so that whoever thinks better of it gets them back. `hinted`: the member has been
    told when the form will be put aside. `further` are the questions of what was chosen, beside the declared ones.
    """

    model_config = ConfigDict(frozen=True)

    service: str
    values: dict[str, Any] = Field(default_factory=dict)
    facts: dict[str, Any] = Field(default_factory=dict)
    phase: Phase = "filling"
    asked: str = ""
    choices: tuple[Choice, ...] = ()
    misses: int = 0
    before: dict[str, Any] | None = None
    hinted: bool = False
    further: tuple[FormField, ...] = ()
    touched: datetime

    def but(self, **changes: Any) -> Frame:
        """The frame with some of its parts replaced."""
        return self.model_copy(update=changes)

    def declared(self, catalogue: Catalogue) -> Declaration:
        """The declaration of its service, with the further questions."""
        return catalogue[self.service].asking(self.further)

    def asks_in_secret(self, catalogue: Catalogue) -> bool:
        """Whether the open question is one whose answer is repeated nowhere."""
        return bool(self.asked) and self.declared(catalogue).field(self.asked).unsaid

    def holds(self, now: datetime) -> bool:
        """Whether something is still held for the form."""
        until = str(self.values.get("held_until", ""))
        return bool(until) and datetime.fromisoformat(until) > now

    def unheld(self) -> Frame:
        """The frame without what was held for it."""
        return self.but(values={key: value for key, value in self.values.items() if key not in HELD})

    def aside(self) -> Frame:
        """The frame as a draft: what was filled in stays, where it stood does not."""
        return self.but(phase="filling", asked="", choices=(), misses=0, before=None, hinted=False)


class Topic(BaseModel):
    """What was asked last: the service, what a question that follows is understood by, and candidates on offer."""

    model_config = ConfigDict(frozen=True)

    service: str
    about: str
    offered: tuple[Choice, ...] = ()
    at: datetime


class State(BaseModel):
    """The state of one conversation. The last frame of the stack is the one being talked about.

    `shelved` tells that the forms were put aside just now, because they lay idle. `files` came before any form that
    takes some, the last of them at `files_at`.
    """

    model_config = ConfigDict(frozen=True)

    stack: tuple[Frame, ...] = ()
    drafts: tuple[Frame, ...] = ()
    clarify: tuple[Choice, ...] = ()
    unclear: Parse | None = None
    shelved: bool = False
    files: tuple[str, ...] = ()
    files_at: datetime | None = None
    topic: Topic | None = None

    @property
    def top(self) -> Frame | None:
        """The frame being talked about."""
        return self.stack[-1] if self.stack else None

    def offers(self, text: str) -> bool:
        """Whether a text is, word for word, an answer that is offered just now: a click says no more than its label."""
        choices = (*self.clarify, *(self.top.choices if self.top is not None else ()))
        return any(text.strip() in (choice.label, choice.value) for choice in choices)

    def but(self, **changes: Any) -> State:
        """The state with some of its parts replaced."""
        return self.model_copy(update=changes)

    def with_top(self, frame: Frame) -> State:
        """The top frame replaced."""
        return self.but(stack=(*self.stack[:-1], frame))

    def parked(self, service: str) -> Frame | None:
        """The frame of a service below the top."""
        return next((frame for frame in self.stack[:-1] if frame.service == service), None)

    def push(self, frame: Frame) -> State:
        """A frame on top; a form or draft of the same service gives way."""
        below = tuple(other for other in self.stack if other.service != frame.service)
        drafts = tuple(draft for draft in self.drafts if draft.service != frame.service)
        return self.but(stack=(*below, frame), drafts=drafts)

    def pop(self) -> State:
        """Without the top frame."""
        return self.but(stack=self.stack[:-1])

    def shelve(self) -> State:
        """All frames put aside as drafts."""
        kept = {frame.service: frame.aside() for frame in (*self.drafts, *self.stack)}
        return self.but(stack=(), drafts=tuple(kept.values()), clarify=(), unclear=None)


def expire(state: State, now: datetime, *, idle: timedelta, keep: timedelta) -> tuple[State, bool]:
    """Shelves forms that lay idle, forgets old drafts, files that no form came for, and what was asked long ago.

    The flag tells whether a form was shelved just now.
    """
    if state.files_at is not None and now - state.files_at >= idle:
        state = state.but(files=(), files_at=None)
    if state.topic is not None and now - state.topic.at >= idle:
        state = state.but(topic=None)
    shelved = state.top is not None and now - state.top.touched >= idle
    if shelved:
        state = state.shelve()
    drafts = tuple(draft for draft in state.drafts if now - draft.touched < keep)
    shelved = shelved and bool(drafts)
    return state.but(drafts=drafts, shelved=shelved), shelved
