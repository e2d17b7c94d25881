"""What a conversation remembers: a stack of frames, drafts put aside, and a question of "did you mean…"."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from actions.core.life import Choice
from nlu.types import Parse

Phase = Literal["filling", "confirming", "revising"]


class Frame(BaseModel):
    """One form being filled. `asked` is the field that waits for an answer, `choices` what was offered for it."""

    model_config = ConfigDict(frozen=True)

    service: str
    values: dict[str, Any] = Field(default_factory=dict)
    facts: dict[str, Any] = Field(default_factory=dict)
    phase: Phase = "filling"
    asked: str = ""
    choices: tuple[Choice, ...] = ()
    misses: int = 0
    touched: datetime

    def but(self, **changes: Any) -> Frame:
        """The frame with some of its parts replaced."""
        return self.model_copy(update=changes)


class State(BaseModel):
    """The state of one conversation. The last frame of the stack is the one being talked about."""

    model_config = ConfigDict(frozen=True)

    stack: tuple[Frame, ...] = ()
    drafts: tuple[Frame, ...] = ()
    clarify: tuple[Choice, ...] = ()
    unclear: Parse | None = None

    @property
    def top(self) -> Frame | None:
        """The frame being talked about."""
        return self.stack[-1] if self.stack else None

    def but(self, **changes: Any) -> State:
        """The state with some of its parts replaced."""
        return self.model_copy(update=changes)

    def with_top(self, frame: Frame) -> State:
        """The top frame replaced."""
        return self.but(stack=(*self.stack[:-1], frame))

    def push(self, frame: Frame) -> State:
        """A frame on top; a form of the same service below it gives way."""
        below = tuple(other for other in self.stack if other.service != frame.service)
        drafts = tuple(draft for draft in self.drafts if draft.service != frame.service)
        return self.but(stack=(*below, frame), drafts=drafts)

    def pop(self) -> State:
        """Without the top frame."""
        return self.but(stack=self.stack[:-1])

    def shelve(self) -> State:
        """All frames put aside as drafts; what was held is no longer theirs."""
        kept = {frame.service: _without_hold(frame) for frame in (*self.drafts, *self.stack)}
        return self.but(stack=(), drafts=tuple(kept.values()), clarify=(), unclear=None)


_HELD = ("offering_id", "picked", "held_until")


def _without_hold(frame: Frame) -> Frame:
    values = {key: value for key, value in frame.values.items() if key not in _HELD}
    return frame.but(values=values, phase="filling", asked="", choices=(), misses=0)


def expire(state: State, now: datetime, *, idle: timedelta, keep: timedelta) -> tuple[State, bool]:
    """Shelves forms that lay idle, forgets old drafts. The flag tells whether a form was shelved just now."""
    drafts = tuple(draft for draft in state.drafts if now - draft.touched < keep)
    state = state.but(drafts=drafts)
    if state.top is None or now - state.top.touched < idle:
        return state, False
    return state.shelve(), True
