"""Running a form within a turn: what the pure dialogue decides is done with the life's help, and said."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from actions.core.errors import DomainError, ForbiddenError
from actions.core.life import Choice
from actions.core.zones import spoken
from bot.dialogue import forms, reading
from bot.dialogue.state import Frame, State

if TYPE_CHECKING:
    from collections.abc import Collection

    from actions.core.catalogue import Declaration, FormField
    from actions.core.commands import Context
    from actions.core.life import Life
    from bot.dialogue.policy import Registry
    from bot.gateway.saying import Saying
    from nlu.types import Parse

# Fields whose only choice is taken without a question.
_SELF_EVIDENT = ("offering", "choice", "record")
_HELD = ("offering_id", "picked", "held_until")


class FormRunner:
    """The forms of one conversation during one turn. `state` is what the conversation remembers afterwards."""

    def __init__(self, context: Context, registry: Registry, state: State, saying: Saying, idle_minutes: int) -> None:
        self.context = context
        self.registry = registry
        self.state = state
        self.saying = saying
        self.idle_minutes = idle_minutes
        self.service = ""
        self._reasked: set[str] = set()

    # --- the ways into a form

    async def open(self, service: str, parse: Parse) -> None:
        """Begins a service with what the message already says."""
        declaration = self.registry.catalogue[service]
        self.service = service
        if declaration.elsewhere is not None:
            self.saying.say("form.elsewhere", declaration.elsewhere.model_dump())
            return
        parked = self.state.top
        frame = await self._begun(declaration, parse)
        if frame is None:
            await self._take_up_parked()
            return
        self._say_impossible(parse)
        if (
            parked is not None
            and parked.service != service
            and declaration.form
            and not frame.facts.get("binding_first")
        ):
            self.saying.say("form.parked", {"service": self.registry.catalogue[parked.service].short})
        await self.go_on(frozenset(frame.values))

    async def _begun(self, declaration: Declaration, parse: Parse) -> Frame | None:
        """The frame on the stack with what the message says, or None where the member may not use it now."""
        frame = Frame(service=declaration.id, touched=self.context.now)
        if declaration.who.bound and self.context.actor.member is None:
            self.state = self.state.push(forms.take(declaration, frame, parse, self.registry.words).frame)
            return await self._binding(declaration, parse)
        try:
            self._check_who(declaration)
            facts = await self._life(declaration).begin(self.context, declaration)
        except DomainError as error:
            self.saying.refuse(error)
            return None
        taken = forms.take(declaration, frame.but(facts=dict(facts)), parse, self.registry.words)
        self.state = self.state.push(taken.frame)
        return taken.frame

    async def _binding(self, declaration: Declaration, parse: Parse) -> Frame | None:
        """Binding comes first; what was wanted waits below it."""
        binding = self.registry.catalogue.opened_by("bind")[0]
        try:
            facts = await self._life(binding).begin(self.context, binding)
        except DomainError as error:
            self.state = self.state.shelve()
            self.saying.refuse(error)
            return None
        self.saying.say("form.bind_first", {"service": declaration.short})
        frame = Frame(service=binding.id, facts={**facts, "binding_first": True}, touched=self.context.now)
        frame = forms.take(binding, frame, parse, self.registry.words).frame
        self.state = self.state.push(frame)
        self.service = binding.id
        return frame

    def _check_who(self, declaration: Declaration) -> None:
        member = self.context.actor.member
        if declaration.who.bound and (member is None or member.status not in declaration.who.status):
            raise ForbiddenError("not_for_you", service=declaration.short)
        roles = declaration.who.roles
        if roles and not any(self.context.actor.holds(role, service=declaration.id) for role in roles):
            raise ForbiddenError("not_for_you", service=declaration.short)

    async def fill(self, taken: forms.Taken, parse: Parse) -> None:
        """Goes on with what was answered or corrected."""
        self._say_impossible(parse)
        await self._release()
        frame = taken.frame
        values = {key: value for key, value in frame.values.items() if key not in _HELD}
        self._set(frame.but(values=values, phase="filling", misses=0))
        await self.go_on(taken.changed)

    async def resume(self) -> None:
        """Takes up the open question, or the latest draft."""
        if self.state.top is not None:
            await self.ask_again()
            return
        if not self.state.drafts:
            self.saying.say("form.nothing_to_resume")
            return
        draft = self.state.drafts[-1]
        self.state = self.state.but(drafts=self.state.drafts[:-1])
        declaration = self.registry.catalogue[draft.service]
        self.service = draft.service
        try:
            self._check_who(declaration)
            facts = await self._life(declaration).begin(self.context, declaration)
        except DomainError as error:
            self.saying.refuse(error)
            return
        self.saying.say("form.resumed", {"service": declaration.short})
        self.state = self.state.push(draft.but(facts=dict(facts), touched=self.context.now))
        await self.go_on(_unsettled(draft))

    # --- going on

    async def go_on(self, changed: Collection[str]) -> None:
        """Resolves what was said, then asks the next question, reads back, or commits."""
        frame, declaration = self._top()
        self.service = declaration.id
        resolved = await self._life(declaration).resolve(self.context, declaration, frame.values, changed)
        for refusal in resolved.refusals:
            self.saying.refuse(refusal)
        self._set(frame.but(values=dict(resolved.values)))
        # Each round answers a field by itself or ends the loop: there cannot be more rounds than fields, twice.
        for _round in range(2 * len(declaration.form) + 2):
            if await self._step(declaration):
                return

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
        if len(choices) == 1 and field.type in _SELF_EVIDENT:
            await self._answer_itself(declaration, field, choices[0])
            return False
        first = not frame.asked and frame.phase == "filling" and frame.misses == 0 and len(self.state.stack) == 1
        self._set(frame.but(asked=field.key, choices=choices, phase="filling", touched=self.context.now))
        self._say_question(field, choices)
        if first and declaration.confirm:
            self.saying.say("form.idle_hint", {"minutes": self.idle_minutes})
        return True

    async def _answer_itself(self, declaration: Declaration, field: FormField, choice: Choice) -> None:
        frame, _ = self._top()
        values = {**frame.values, **reading.chosen(field, choice)}
        resolved = await self._life(declaration).resolve(self.context, declaration, values, {field.key})
        for refusal in resolved.refusals:
            self.saying.refuse(refusal)
        self._set(frame.but(values=dict(resolved.values)))

    async def _choices(self, declaration: Declaration, field: FormField) -> tuple[Choice, ...]:
        if field.type in ("consent", "yes_no"):
            return (Choice(value="true", label="同意"), Choice(value="false", label="不同意"))
        if field.type not in ("slot", "offering", "choice", "record"):
            return ()
        frame, _ = self._top()
        return await self._life(declaration).choices(self.context, declaration, frame.values, field.key)

    def _say_question(self, field: FormField, choices: tuple[Choice, ...]) -> None:
        self.saying.say("form.question", {"prompt": field.prompt, "hint": field.hint})
        skip = (Choice(value="", label="跳过"),) if field.optional else ()
        self.saying.offer((*choices, *skip))

    async def _read_back(self, declaration: Declaration) -> bool:
        frame, _ = self._top()
        if not self._still_held(frame):
            async with self.context.session.begin_nested():
                held = await self._life(declaration).hold(self.context, declaration, frame.values)
            frame = frame.but(values={**frame.values, **held})
        extra = tuple(
            Choice(value=f"field:{field.key}", label=field.label)
            for field in forms.offered_at_confirmation(declaration, frame)
        )
        choices = (
            Choice(value="commit", label="确认"),
            Choice(value="revise", label="改一下"),
            *extra,
            Choice(value="drop", label="不办了"),
        )
        self._set(frame.but(phase="confirming", asked="", choices=choices))
        rows = [[field.label, self._shown(field, frame)] for field in _told(declaration, frame)]
        until = frame.values.get("held_until", "")
        self.saying.say("form.read_back", {"service": declaration.short, "rows": rows, "held_until": until})
        self.saying.offer(choices)
        return True

    def _still_held(self, frame: Frame) -> bool:
        until = str(frame.values.get("held_until", ""))
        return bool(until) and datetime.fromisoformat(until) > self.context.now

    def _shown(self, field: FormField, frame: Frame) -> str:
        value = frame.values.get(field.key, "")
        label = frame.values.get(f"{field.key}_label")
        if label:
            return str(label)
        if field.type == "slot" and isinstance(value, str) and value[:1].isdigit():
            return spoken(datetime.fromisoformat(value.rsplit("@", maxsplit=1)[-1]))
        if field.type == "slot":
            wish = frame.values.get(f"{field.key}_wish") or {}
            return f"{wish.get('text', '')}（排候补）"
        if field.type == "offering":
            return str(frame.values.get("picked") or (field.any if value == "any" else value))
        return str(value)

    async def commit(self) -> bool:
        """Sends the form's command; what is parked below goes on."""
        frame, declaration = self._top()
        command = self._life(declaration).commit(declaration, frame.values)
        async with self.context.session.begin_nested():
            outcome = await self.context.bus.execute(command, self.context)
        self.state = self.state.pop()
        self.saying.options = []
        self.saying.say(outcome.wording, outcome.params)
        await self._take_up_parked()
        return True

    async def _refused(self, declaration: Declaration, error: DomainError) -> bool:
        """Says why; the field that is at fault is asked anew, once, else the form ends."""
        self.saying.refuse(error)
        frame, _ = self._top()
        key = _key_of(declaration, error.field)
        if not key or key in self._reasked:
            await self._release()
            self.state = self.state.pop()
            self.saying.options = []
            await self._take_up_parked()
            return True
        self._reasked.add(key)
        wish = frame.values.get(f"{key}_wish")
        frame = forms.without(frame, key)
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
        declaration = self.registry.catalogue[frame.service]
        if declaration.who.bound and self.context.actor.member is None:
            self.state = self.state.shelve()
            self.saying.say("form.waits_for_binding", {"service": declaration.short})
            return
        if frame.asked or frame.phase != "filling":
            # Somebody only looked something up: the question stands as it was.
            await self.ask_again()
            return
        self.saying.say("form.back_to", {"service": declaration.short})
        if not frame.facts:
            try:
                facts = await self._life(declaration).begin(self.context, declaration)
            except DomainError as error:
                self.saying.refuse(error)
                self.state = self.state.pop()
                return
            self._set(frame.but(facts=dict(facts)))
        await self.go_on(_unsettled(frame))

    # --- what steers a form

    async def drop(self) -> None:
        """Gives the form up; nothing was written."""
        _, declaration = self._top()
        self.service = declaration.id
        await self._release()
        self.state = self.state.pop()
        self.saying.say("form.dropped", {"service": declaration.short})
        await self._take_up_parked()

    async def revise(self, key: str) -> None:
        """Asks which field to change, or asks that field anew."""
        frame, declaration = self._top()
        if not key:
            choices = tuple(Choice(value=field.key, label=field.label) for field in forms.revisable(declaration, frame))
            self._set(frame.but(phase="revising", asked="", choices=choices))
            self.saying.say("form.what_to_change")
            self.saying.offer(choices)
            return
        await self._release()
        field = declaration.field(key)
        self._set(forms.without(frame, key))
        if field.type == "slot":
            self.saying.say("form.current_time", {"text": self._shown(field, frame)})
        try:
            await self._ask(declaration, field)
        except DomainError as error:
            await self._refused(declaration, error)

    async def why(self, key: str) -> None:
        """Why a field is asked, then the question again."""
        _, declaration = self._top()
        if key:
            self.saying.say("form.why", {"why": declaration.field(key).why})
        else:
            self.saying.say("form.why_confirm")
        await self.ask_again()

    async def ask_again(self) -> None:
        """The open question once more, with its options."""
        frame, declaration = self._top()
        self.service = declaration.id
        if frame.phase == "filling" and frame.asked:
            self._say_question(declaration.field(frame.asked), frame.choices)
        elif frame.phase == "revising":
            self.saying.say("form.what_to_change")
            self.saying.offer(frame.choices)
        else:
            await self.go_on(())

    async def missed(self) -> None:
        """Nothing was understood: say so, and how to get out, then ask again."""
        frame, _ = self._top()
        self._set(frame.but(misses=frame.misses + 1))
        self.saying.say("form.missed" if frame.misses == 0 else "form.missed_again")
        await self.ask_again()

    async def other_time(self, key: str) -> None:
        """None of the offered times will do: ask for another day."""
        frame, declaration = self._top()
        field = declaration.field(key)
        self._set(forms.without(frame, key).but(asked=key))
        self.saying.say("form.other_time", {"prompt": field.prompt})

    async def refuse_consent(self) -> None:
        """Without consent there is no booking; nothing is kept."""
        _, declaration = self._top()
        await self._release()
        self.state = self.state.pop()
        self.saying.say("form.no_consent", {"service": declaration.short})
        await self._take_up_parked()

    async def commit_confirmed(self) -> None:
        """The member confirmed the read-back."""
        _, declaration = self._top()
        self.service = declaration.id
        try:
            await self.commit()
        except DomainError as error:
            if not await self._refused(declaration, error):
                await self.go_on(())

    # --- small things

    def _say_impossible(self, parse: Parse) -> None:
        if parse.impossible and not parse.times:
            self.saying.say("talk.no_such_time")

    @property
    def asked(self) -> str:
        """Key of the field that waits for an answer."""
        return self._top()[0].asked

    async def _release(self) -> None:
        frame, declaration = self._top()
        await self._life(declaration).release(self.context, declaration, frame.values)

    def _top(self) -> tuple[Frame, Declaration]:
        frame = self.state.top
        if frame is None:
            message = "no form is open"
            raise RuntimeError(message)
        return frame, self.registry.catalogue[frame.service]

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


def _unsettled(frame: Frame) -> frozenset[str]:
    """What has to be resolved anew when a form is taken up again: all but the wishes that were fulfilled."""
    return frozenset(
        key for key in frame.values if not (key.endswith("_wish") and key.removesuffix("_wish") in frame.values)
    )


def _told(declaration: Declaration, frame: Frame) -> list[Any]:
    return [
        field
        for field in declaration.form
        if field.type != "consent" and frame.values.get(field.key) and field.applies(frame.values, frame.facts)
    ]
