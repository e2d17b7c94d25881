"""Filling a form: what is resolved, asked, read back, held and committed, with the life's help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actions.core.commands import not_for
from actions.core.errors import DomainError
from actions.core.life import Choice
from bot.dialogue import forms, reading
from bot.gateway import asking

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import Any

    from actions.core.catalogue import Declaration, FormField
    from actions.core.commands import Context
    from actions.core.life import Life
    from bot.dialogue.policy import Registry
    from bot.dialogue.state import Frame, State
    from bot.gateway.handing_in import HandingIn
    from bot.gateway.saying import Saying

# Fields whose only choice is taken without a question.
_SELF_EVIDENT = ("offering", "option", "choice", "record")


class FormFilling:
    """The form on top of a conversation's stack, as far as it can go on in this turn."""

    def __init__(
        self,
        context: Context,
        registry: Registry,
        state: State,
        saying: Saying,
        *,
        files: HandingIn,
        idle_minutes: int,
    ) -> None:
        self.context = context
        self.registry = registry
        self.state = state
        self.saying = saying
        self.files = files
        self.idle_minutes = idle_minutes
        self.service = ""
        self._reasked: set[str] = set()
        self._refused_one = False

    async def go_on(self, changed: Collection[str], *, noted: Collection[str] = ()) -> None:
        """Resolves what was said, then asks the next question, reads back, or commits.

        `noted` are keys of what was said beside the open question: they are repeated, so that nobody wonders.
        """
        _, declaration = self._top()
        self.service = declaration.id
        self._set(await self._resolved(declaration, self._top()[0].values, changed))
        _, declaration = self._top()
        # What the records say may have opened the question that files wait for.
        self.state, _ = await self.files.put(self.state, self.saying)
        asking.say_noted(self.saying, declaration, self._top()[0], noted)
        # Each round answers a field by itself or ends the loop: there cannot be more rounds than fields, twice.
        for _round in range(2 * len(declaration.form) + 2):
            if await self._step(self._top()[1]):
                return

    async def _resolved(self, declaration: Declaration, values: Mapping[str, Any], changed: Collection[str]) -> Frame:
        """The frame with values held against the records; what does not hold is said."""
        resolved = await self._life(declaration).resolve(self.context, declaration, values, changed)
        for refusal in resolved.refusals:
            self.saying.refuse(refusal)
            self._refused_one = True
        return self._top()[0].but(values=dict(resolved.values), further=resolved.further)

    async def _step(self, declaration: Declaration) -> bool:
        """One step of the form; True where the turn has said what it had to."""
        frame, _ = self._top()
        following = forms.advance(declaration, frame)
        try:
            if isinstance(following, forms.Ask):
                return await self._ask(declaration, following.field)
            if isinstance(following, forms.Confirm):
                return await self._read_back(declaration)
            return await self.commit()
        except DomainError as error:
            return await self._refused(declaration, error)

    async def _ask(self, declaration: Declaration, field: FormField) -> bool:
        frame, _ = self._top()
        choices = await self._choices(declaration, field)
        # Whoever was just refused what they named has not asked for the one that is left.
        instead = field.type == "offering" and self._refused_one
        if len(choices) == 1 and field.type in _SELF_EVIDENT and not instead:
            values = {**frame.values, **reading.chosen(field, choices[0])}
            self._set(await self._resolved(declaration, values, {field.key}))
            return False
        again = frame.asked == field.key
        frame = frame.but(asked=field.key, choices=choices, phase="filling")
        self._set(frame)
        asking.say_question(self.saying, field, frame, again=again)
        self._hint(declaration)
        return True

    def _hint(self, declaration: Declaration) -> None:
        """Tells once when what is being filled in will be put aside."""
        frame, _ = self._top()
        if declaration.confirm and not any(other.hinted for other in self.state.stack):
            self.saying.say("form.idle_hint", {"minutes": self.idle_minutes})
            self._set(frame.but(hinted=True))

    async def _choices(self, declaration: Declaration, field: FormField) -> tuple[Choice, ...]:
        if field.type in ("consent", "yes_no"):
            return (Choice(value="true", label="同意"), Choice(value="false", label="不同意"))
        if field.type not in ("slot", "offering", "option", "choice", "choices", "record"):
            return ()
        frame, _ = self._top()
        return await self._life(declaration).choices(self.context, declaration, frame.values, field.key)

    async def _read_back(self, declaration: Declaration) -> bool:
        frame, _ = self._top()
        if not frame.holds(self.context.now):
            async with self.context.session.begin_nested():
                held = await self._life(declaration).hold(self.context, declaration, frame.values)
            frame = frame.but(values={**frame.values, **held})
        choices = asking.read_back_choices(declaration, frame)
        frame = frame.but(phase="confirming", asked="", choices=choices, before=None)
        self._set(frame)
        asking.say_read_back(self.saying, declaration, frame)
        return True

    async def commit(self) -> bool:
        """Sends the form's command; what is parked below goes on."""
        frame, declaration = self._top()
        command = self._life(declaration).commit(declaration, frame.values)
        async with self.context.session.begin_nested():
            outcome = await self.context.bus.execute(command, self.context)
        self.state = self.state.pop()
        self.saying.options = []
        self.saying.report(outcome, self.context)
        await self._take_up_parked()
        return True

    async def _refused(self, declaration: Declaration, error: DomainError) -> bool:
        """Says why; the field that is at fault is asked anew, once, else the form ends."""
        self.saying.refuse(error)
        frame, _ = self._top()
        key = _key_of(declaration, error.field)
        await self._release()
        if not key or key in self._reasked:
            self.state = self.state.pop()
            self.saying.options = []
            await self._take_up_parked()
            return True
        self._reasked.add(key)
        wish = frame.values.get(f"{key}_wish")
        frame = forms.without(frame.unheld(), key)
        if wish:
            # What was wished for stays, so that the nearest times can be offered.
            frame = frame.but(values={**frame.values, f"{key}_wish": wish})
        self._set(frame)
        return False

    async def _take_up_parked(self) -> None:
        """Goes on with the form below; one that still lacks a bound member becomes a draft."""
        frame = self.state.top
        if frame is None:
            return
        declaration = frame.declared(self.registry.catalogue)
        if declaration.who.bound and self.context.actor.member is None:
            self.state = self.state.shelve()
            self.saying.say("form.waits_for_binding", {"service": declaration.short})
            return
        self.saying.say("form.back_to", {"service": declaration.short})
        if frame.asked or frame.phase != "filling":
            await self.ask_again()
            return
        try:
            facts = frame.facts or await self._facts(declaration)
        except DomainError as error:
            self.saying.refuse(error)
            self.state = self.state.pop()
            return
        self._set(frame.but(facts=facts))
        await self.go_on(forms.unsettled(frame))

    async def ask_again(self) -> None:
        """The open question once more, with its options."""
        frame, declaration = self._top()
        self.service = declaration.id
        self._set(frame)
        if frame.phase == "filling" and frame.asked:
            asking.say_question(self.saying, declaration.field(frame.asked), frame, again=True)
        elif frame.phase == "revising":
            self.saying.say("form.what_to_change")
            self.saying.offer(frame.choices)
        elif frame.phase == "confirming" and ("held_until" not in frame.values or frame.holds(self.context.now)):
            self.saying.say("form.still_to_confirm", {"held_until": frame.values.get("held_until", "")})
            self.saying.offer(frame.choices)
        else:
            await self.go_on(())

    async def _facts(self, declaration: Declaration) -> dict[str, Any]:
        """What the life knows of the member before the form begins. Raises DomainError where it is not for them."""
        refused = not_for(self.context.actor, declaration)
        if refused is not None:
            raise refused
        return dict(await self._life(declaration).begin(self.context, declaration))

    async def _release(self) -> None:
        frame, declaration = self._top()
        await self._life(declaration).release(self.context, declaration, frame.values)

    def _top(self) -> tuple[Frame, Declaration]:
        frame = self.state.top
        if frame is None:
            message = "no form is open"
            raise RuntimeError(message)
        return frame, frame.declared(self.registry.catalogue)

    def _set(self, frame: Frame) -> None:
        self.state = self.state.with_top(frame.but(touched=self.context.now))

    def _life(self, declaration: Declaration) -> Life:
        return self.context.lives[declaration.life]


def _key_of(declaration: Declaration, field: str | None) -> str:
    """A refusal names a field by its key or by its type."""
    for item in declaration.form:
        if field in (item.key, item.type):
            return item.key
    return ""
