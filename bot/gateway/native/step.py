"""One step of a form within an open transaction; the state that it begins with comes from the other engine."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from bot.dialogue import forms
from bot.dialogue.state import State, expire
from bot.gateway import asking, rows
from bot.gateway.answering import Answerer
from bot.gateway.forms import FormRunner
from bot.gateway.handing_in import HandingIn
from bot.gateway.native.calls import REQUESTED, Call, Names, Reaction
from bot.gateway.saying import Saying
from bot.messages import Address, Inbound
from nlu.types import Parse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from datetime import datetime

    from actions.core.catalogue import Declaration, FormField
    from actions.core.commands import Context
    from bot.dialogue.state import Frame
    from bot.gateway.house import House

# What the other engine is told of an answer that is nobody's business, or empty.
_FILLED, _SKIPPED = "已填", "跳过"


@dataclass(frozen=True, kw_only=True, slots=True)
class Memory:
    """What the sealed slot holds.

    Attributes:
        state: the forms, as a conversation of ours would keep them.
        seen: the last message that was taken.
        told: the slots in words, as the engine was told last.
        pending: what is still to be said when the form is called again.

    """

    state: State = field(default_factory=State)
    seen: str = ""
    told: Mapping[str, str] = field(default_factory=dict)
    pending: Mapping[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """For the vault."""
        state = self.state.model_dump(mode="json")
        return {"state": state, "seen": self.seen, "told": dict(self.told), "pending": self.pending}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Memory:
        """From the vault."""
        state = State.model_validate(value["state"])
        return cls(state=state, seen=value["seen"], told=value["told"], pending=value["pending"])


def inbound_of(call: Call) -> Inbound:
    """As a server-side caller's message: the account is the one that the chat interface knows."""
    address = Address(channel="web", conversation=call.sender)
    return Inbound(address=address, event_id=f"rasa:{call.sender}:{call.event}", sender=call.sender, text=call.text)


def about(call: Call) -> str:
    """Where a sealed state belongs: to one sender's conversation, and to no other."""
    return f"native:{call.sender}"


def nothing(text: str) -> Parse:
    """A parse that says nothing."""
    return Parse(text=text, intent="out_of_scope", confidence=0.0)


class _Runner(FormRunner):
    """A form whose confirmation is told to the engine, which then calls for the commit."""

    def __init__(
        self, house: House, context: Context, state: State, saying: Saying, files: HandingIn, *, service: str
    ) -> None:
        super().__init__(context, house.registry, state, saying, files=files, idle_minutes=house.idle_minutes)
        self._native = service
        self._committing = False
        self.ready = False

    async def commit(self) -> bool:
        """Only notes that all is confirmed; forms that came in between (the binding) commit as ever."""
        frame, _ = self._top()
        if frame.service != self._native or self._committing:
            return await super().commit()
        self.ready = True
        return True

    async def give(self, declaration: Declaration, given: Mapping[str, Parse]) -> None:
        """Takes what the engine has filled in, each as an answer to its field, and asks what comes next."""
        frame, changed = self._top()[0], set[str]()
        for key, parse in given.items():
            taken = forms.take(declaration, frame.but(asked=key, choices=()), parse, self.registry.words)
            frame, changed = taken.frame, changed | taken.changed
        await self._release()
        self._set(frame.unheld().but(phase="filling", asked="", choices=()))
        await self.go_on(changed)

    async def finish(self) -> None:
        """Commits what is complete; asks for what is not."""
        self._committing = True
        frame, declaration = self._top()
        if isinstance(forms.advance(declaration, frame), forms.Ask):
            await self.go_on(())
            return
        if declaration.confirm and frame.phase != "confirming":
            await self._read_back(declaration)  # holds what is scarce
            self.saying.parts.clear()
            self.saying.options = []
        await self.commit_confirmed()


class _Answerer(Answerer):
    """Answers a message to a form whose state is somewhere else."""

    async def go(self, runner: FormRunner) -> None:
        """What needs no understanding, then what the dialogue decides."""
        if not await self._without_understanding(runner):
            await self._understood(runner)


class Step:
    """One call of the engine, on one form."""

    def __init__(self, house: House, declaration: Declaration, call: Call, context: Context, memory: Memory) -> None:
        self._house = house
        self._declaration = declaration
        self._call = call
        self._context = context
        self._memory = memory
        self._inbound = inbound_of(call)
        self._saying = Saying(address=self._inbound.address)
        idle, keep = timedelta(minutes=house.idle_minutes), timedelta(days=house.draft_days)
        state, _ = expire(memory.state, context.now, idle=idle, keep=keep)
        files = HandingIn(context, self._inbound)  # none ever come this way
        self._runner = _Runner(house, context, state, self._saying, files, service=declaration.id)

    async def take(self, parse: Parse, given: Mapping[str, Parse], *, unheard: bool) -> None:
        """A message of the form, or what the engine has filled in; a form that is called without either asks again."""
        unheard = unheard and self._call.event != self._memory.seen
        begun = self._frame is not None
        if self._memory.pending is not None:
            self._say_pending(self._memory.pending)
        elif not begun:
            await self._runner.open(self._declaration.id, parse if unheard else nothing(""))
        elif unheard and not given:
            await _Answerer(self._house, self._context, self._inbound, parse).go(self._runner)
        elif not given:
            await self._runner.ask_again()
        if given and self._on_top:
            self._saying.parts.clear()
            await self._runner.give(self._declaration, given)

    async def finish(self, given: Mapping[str, Parse]) -> None:
        """The commit, begun anew where the engine filled everything by itself."""
        if self._frame is None:
            await self._runner.open(self._declaration.id, nothing(""))
        if given and self._on_top:
            await self._runner.give(self._declaration, given)
        if self._on_top:
            self._saying.parts.clear()
            self._saying.options = []
            await self._runner.finish()

    def validated(self) -> Reaction:
        """What the form is told after a message."""
        return Reaction(slots=self._slots(), replies=self._replies())

    def finished(self) -> Reaction:
        """What is told after the commit. Where the form has to go on, it is the form that says so when it is called."""
        if self._frame is None:
            return Reaction(slots=self._slots(), replies=self._replies())
        slots = self._slots(pending=self._saying.content)
        return Reaction(slots=slots, form=Names(service=self._declaration.id).form)

    # --- small things

    @property
    def _frame(self) -> Frame | None:
        """The form's frame, wherever it stands in the stack."""
        stack = self._runner.state.stack
        return next((frame for frame in stack if frame.service == self._declaration.id), None)

    @property
    def _on_top(self) -> bool:
        top = self._runner.state.top
        return top is not None and top.service == self._declaration.id

    def _slots(self, *, pending: Mapping[str, Any] | None = None) -> dict[str, Any]:
        names, frame = Names(service=self._declaration.id), self._frame
        slots: dict[str, Any] = dict.fromkeys((*names.slots(self._declaration), names.state, REQUESTED))
        if frame is None:
            return slots
        told = {
            item.key: _in_words(item, frame)
            for item in self._declaration.form
            if item.key in frame.values and item.applies(frame.values, frame.facts)
        }
        memory = Memory(state=self._runner.state, seen=self._call.event, told=told, pending=pending)
        slots |= {names.slot(key): text for key, text in told.items()}
        slots[names.state] = self._house.vault.seal(memory.to_json(), about=about(self._call))
        if self._runner.ready:
            slots[names.ready] = True
        else:
            asked = frame.asked if self._on_top and frame.phase == "filling" else ""
            slots[REQUESTED] = names.slot(asked) if asked else names.ready
        return slots

    def _say_pending(self, content: Mapping[str, Any]) -> None:
        for wording, params in content["parts"]:
            self._saying.say(wording, params)
        self._saying.options = list(content["options"])

    def _replies(self) -> tuple[Any, ...]:
        if not self._saying.parts:
            return ()
        return (self._house.wording.outbound(self._saying.address, self._saying.content, row_id=0),)


def _in_words(item: FormField, frame: Frame) -> str:
    """An answer as the engine may know it: nothing that is confidential."""
    if item.confidential or item.type in ("consent", "materials"):
        return _FILLED
    return asking.shown(item, frame) or _SKIPPED


@contextlib.asynccontextmanager
async def stepping(
    house: House, declaration: Declaration, call: Call, memory: Memory, now: datetime
) -> AsyncIterator[Step]:
    """A step in a unit of work of its own, on behalf of the sender; commits at the end."""
    inbound = inbound_of(call)
    async with house.database.write() as session:
        account = await rows.account_of(session, inbound, now)
        context = house.context(session, await rows.actor_of(session, inbound, account), now)
        yield Step(house, declaration, call, context, memory)
