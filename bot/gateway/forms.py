"""The forms of a conversation within a turn: begun, filled, parked, resumed, changed and given up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actions.blocks import materials
from actions.core.errors import DomainError
from actions.core.life import Choice
from bot.dialogue import forms
from bot.dialogue.state import Frame
from bot.gateway import asking
from bot.gateway.filling import FormFilling

if TYPE_CHECKING:
    from actions.core.catalogue import Declaration
    from nlu.types import Parse


class FormRunner(FormFilling):
    """The forms of one conversation during one turn. `state` is what the conversation remembers afterwards."""

    # --- the ways into a form

    async def open(self, service: str, parse: Parse, *, offering: str = "") -> None:
        """Begins a service with what the message already says, or takes up the form of it that was parked.

        `offering` is what was picked of the service before it began.
        """
        declaration = self.registry.catalogue[service]
        self.service = service
        if declaration.elsewhere is not None:
            self.saying.say("form.elsewhere", declaration.elsewhere.model_dump())
            return
        if self.state.parked(service) is not None:
            await self._lift(declaration, parse)
            return
        parked = self.state.top
        self._take_back_shelved(service)
        frame = await self._begun(declaration, parse)
        if frame is None:
            await self._take_up_parked()
            return
        if offering:
            key = next(field.key for field in declaration.form if field.type == "offering")
            frame = frame.but(values={**frame.values, key: offering})
            self._set(frame)
        self._say_impossible(parse)
        if parked is not None and declaration.form and not frame.facts.get("binding_first"):
            self.saying.say("form.parked", {"service": self.registry.catalogue[parked.service].short})
        await self.go_on(frozenset(frame.values))

    async def _lift(self, declaration: Declaration, parse: Parse) -> None:
        """Goes on with a parked form; the one that was being talked about waits below it."""
        frame = self.state.parked(declaration.id)
        if frame is None:
            return
        self.state = self.state.push(frame.but(phase="filling", asked="", choices=()))
        self.saying.say("form.back_to", {"service": declaration.short})
        taken = forms.take(declaration, self._top()[0], parse, self.registry.words)
        if taken.changed:
            await self.fill(taken, parse)
        else:
            await self.go_on(forms.unsettled(taken.frame))

    def _take_back_shelved(self, service: str) -> None:
        """A form that was put aside just now and is begun anew need not be told of."""
        if self.state.shelved and self.state.drafts[-1].service == service:
            self.saying.parts.clear()  # nothing else has been said yet

    async def _begun(self, declaration: Declaration, parse: Parse) -> Frame | None:
        """The frame on the stack with what the message says, or None where the member may not use it now."""
        frame = Frame(service=declaration.id, touched=self.context.now)
        if declaration.who.bound and self.context.actor.member is None:
            self.state = self.state.push(forms.take(declaration, frame, parse, self.registry.words).frame)
            return await self._binding(declaration, parse)
        try:
            facts = await self._facts(declaration)
        except DomainError as error:
            self.saying.refuse(error)
            return None
        taken = forms.take(declaration, frame.but(facts=facts), parse, self.registry.words)
        self._say_closed(taken)
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
        self.saying.say("form.bind_first", {"service": declaration.short if declaration.named else ""})
        frame = Frame(service=binding.id, facts={**facts, "binding_first": True}, touched=self.context.now)
        frame = forms.take(binding, frame, parse, self.registry.words).frame
        self.state = self.state.push(frame)
        self.service = binding.id
        return frame

    async def fill(self, taken: forms.Taken, parse: Parse) -> None:
        """Goes on with what was answered or corrected."""
        frame, declaration = self._top()
        self._say_impossible(parse)
        self._say_closed(taken)
        if not taken.changed:
            self.saying.say("form.unchanged")
        following = taken.frame.but(phase="filling", misses=0)
        if not forms.holding(declaration, taken.changed):
            await self._release()
            following = following.unheld()
        self._set(following)
        answered = not frame.asked or bool({frame.asked, f"{frame.asked}_wish"} & taken.changed)
        await self.go_on(taken.changed, noted=frozenset() if answered else taken.changed)

    async def resume(self) -> None:
        """Takes up the open question, or the latest draft."""
        if self.state.top is not None:
            await self.ask_again()
            return
        if not self.state.drafts:
            self.saying.say("form.nothing_to_resume")
            return
        draft = self.state.drafts[-1]
        declaration = self.registry.catalogue[draft.service]
        self.service = draft.service
        if self.state.shelved:
            self.saying.parts.clear()  # whoever says 继续 need not be told that they may
        if declaration.who.bound and self.context.actor.member is None:
            self.saying.say("form.waits_for_binding", {"service": declaration.short})
            return
        self.state = self.state.but(drafts=self.state.drafts[:-1])
        try:
            facts = await self._facts(declaration)
        except DomainError as error:
            self.saying.refuse(error)
            return
        self.saying.say("form.resumed", {"service": declaration.short})
        held = draft.holds(self.context.now)
        frame = draft if held else draft.unheld()
        self.state = self.state.push(frame.but(facts=facts, touched=self.context.now))
        # What is still held is settled: to look for it anew would be to find it taken, by this very form.
        await self.go_on(frozenset() if held else forms.unsettled(frame))

    # --- what steers a form

    async def drop(self) -> None:
        """Gives the form up; nothing was written, and its files are not kept."""
        _, declaration = self._top()
        await self._give_up()
        of_record = any(field.type == "record" for field in declaration.form)
        self.saying.say("form.left_alone" if of_record else "form.dropped", {"service": declaration.short})
        await self._take_up_parked()

    async def _give_up(self) -> None:
        frame, declaration = self._top()
        self.service = declaration.id
        await self._release()
        await materials.discard(self.context, forms.files_of(declaration, frame))
        self.state = self.state.pop()

    async def revise(self, key: str) -> None:
        """Asks which field to change, or asks that field anew."""
        frame, declaration = self._top()
        self.service = declaration.id
        fields = forms.revisable(declaration, frame)
        if not key and len(fields) != 1:
            choices = tuple(Choice(value=field.key, label=field.label) for field in fields)
            self._set(frame.but(phase="revising", asked="", choices=choices))
            await self.ask_again()
            return
        field = declaration.field(key) if key else fields[0]
        if not forms.holding(declaration, {field.key}):
            await self._release()
            frame = frame.unheld()
        self._set(forms.revising(frame, field))
        if field.type == "slot" and frame.values.get(field.key):
            self.saying.say("form.current_time", {"text": asking.shown(field, frame)})
        try:
            done = await self._ask(declaration, field)
        except DomainError as error:
            done = await self._refused(declaration, error)
        if not done:
            await self.go_on(())

    async def why(self, key: str) -> None:
        """Why a field is asked, then the question again."""
        _, declaration = self._top()
        if key:
            self.saying.say("form.why", {"why": declaration.field(key).why})
        else:
            self.saying.say("form.why_confirm")
        await self.ask_again()

    async def missed(self) -> None:
        """Nothing was understood: say so, and how to get out, then ask again."""
        frame = self.state.top
        if frame is None:
            return
        declaration = frame.declared(self.registry.catalogue)
        asking.say_missed(self.saying, declaration.field(frame.asked) if frame.asked else None, frame)
        self._set(frame.but(misses=frame.misses + 1))
        await self.ask_again()

    async def other_time(self, key: str) -> None:
        """None of the offered times will do: ask for another day."""
        frame, declaration = self._top()
        self.service = declaration.id
        field = declaration.field(key)
        self._set(forms.without(frame, key).but(asked=key, before=frame.before))
        self.saying.say("form.other_time", {"prompt": field.prompt})

    async def refuse_consent(self) -> None:
        """Without consent there is no booking; nothing is kept."""
        frame, declaration = self._top()
        told = declaration.field(frame.asked).refused if frame.asked else ""
        await self._give_up()
        self.saying.say("form.no_consent", {"service": declaration.short, "told": told})
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

    def _say_closed(self, taken: forms.Taken) -> None:
        if taken.closed:
            self.saying.say("form.closed", {"labels": list(taken.closed)})

    @property
    def asked(self) -> str:
        """Key of the field that waits for an answer."""
        return self._top()[0].asked
