"""A person at the other end: messages of a chat that was handed over, and an officer's words for a member."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from actions.core.errors import DomainError
from actions.handover import GiveBack, Leave, Reply, Request, Say, armed_in, disarm, live_in
from bot.dialogue import forms, policy
from bot.dialogue.state import State
from bot.dialogue.words import bare

if TYPE_CHECKING:
    from collections.abc import Callable

    from actions.core.commands import Command, Context, Outcome
    from actions.handover import Handover
    from bot.gateway.forms import FormRunner
    from bot.gateway.house import House
    from bot.messages import Inbound
    from nlu.types import Parse


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """What a message in a private chat has to do with a person.

    `unreadable` names the sentence for what cannot be read. `from_group`: it was written where others read along.
    """

    house: House
    context: Context
    inbound: Inbound
    parse: Parse
    unreadable: Callable[[], str]
    from_group: bool = False

    async def take(self, runner: FormRunner) -> bool:
        """Hands on what is meant for a person, and takes the exact words that ask for one; False for anything else."""
        conversation, said = self.inbound.address.conversation, bare(self.parse.text)
        armed = None if self.from_group else await armed_in(self.context, conversation)
        if armed is not None:
            await self._answer_member(armed, runner)
            return True
        live = await live_in(self.context, conversation)
        if live is not None:
            await self._to_person(live, said, runner)
            return True
        if said in self.house.person_words.ask or (self.from_group and self.parse.intent == "human"):
            await self.ask(runner)
            return True
        if said in self.house.person_words.leave and not self._of_form(runner):
            await self._open(Leave(parked=runner.state.top is not None), runner)
            return True
        return False

    def _of_form(self, runner: FormRunner) -> bool:
        """Whether the form that is read back takes a message of its own: 留言 is then for the counsellor."""
        frame = runner.state.top
        if frame is None:
            return False
        return forms.asked_for(frame.declared(self.house.catalogue), frame, self.parse.text) is not None

    def wanted(self, step: policy.Step) -> bool:
        """Whether a message in a group asks for a person: that goes on in private."""
        words, said = self.house.person_words, bare(self.parse.text)
        asked = said in words.ask or said in words.leave or (isinstance(step, policy.Say) and step.intent == "human")
        return asked and self.parse.crisis is None

    async def ask(self, runner: FormRunner) -> None:
        """人工: a form is put aside, and what was typed into it stays unseen."""
        await self._open(Request(parked=runner.state.top is not None), runner)

    async def crisis(self) -> None:
        """Nothing that follows a call for help is sent on by an option that was clicked before it."""
        if self.context.actor.private:
            await disarm(self.context)

    async def _open(self, command: Command, runner: FormRunner) -> None:
        outcome = await self._run(command, runner)
        if outcome is not None and outcome.data.get("live"):
            runner.state = runner.state.shelve()
        elif runner.state.top is not None:
            await runner.ask_again()

    # --- the member's words

    async def _to_person(self, live: Handover, said: str, runner: FormRunner) -> None:
        words, saying = self.house.person_words, runner.saying
        if self.from_group:
            saying.say("handover.with_person")
            return
        given_up = live.state == "leaving" and runner.registry.words.says("cancel", self.parse.text)
        if said in words.back or given_up:
            await self._run(GiveBack(handover_id=live.id), runner)
            return
        if live.state == "waiting" and said in words.ask:
            saying.say("handover.still_waiting")
            return
        if fault := self._cannot_be_sent():
            saying.say(fault)
            return
        sure, text = self._without_prefix()
        service = "" if sure or live.sure else self._private_service()
        if service:
            saying.say("handover.held", {"service": service, "sure": words.sure[0]})
            tell = {"label": words.sure[0], "value": f"{words.sure[0]}：{text}"}
            saying.options = [tell, {"label": "回来", "value": "回来"}]
            return
        await self._run(Say(handover_id=live.id, text=text, sure=sure), runner)
        if self.inbound.attachments:
            saying.say("handover.words_only")

    def _cannot_be_sent(self) -> str:
        """A sentence for what cannot be handed on: pictures, emptiness, endless texts; an emoji can."""
        fault = self.unreadable()
        if fault == "talk.no_words":
            return ""
        return {"talk.attachment": "handover.words_only", "talk.too_long": "handover.too_long"}.get(fault, fault)

    def _without_prefix(self) -> tuple[bool, str]:
        """Whether the member insists that the person read it (告诉老师：…), and what is to be read."""
        text = self.parse.text
        for prefix in self.house.person_words.sure:
            rest = text.removeprefix(prefix).strip(" ，,：:\n")
            if text.startswith(prefix) and rest:
                return True, rest
        return False, text

    def _private_service(self) -> str:
        """The private service that a message asks for: who types on as if to the assistant gives nothing away."""
        step = policy.decide(State(), self.parse, self.house.registry, self.context.now)
        if not isinstance(step, policy.Open):
            return ""
        declaration = self.house.catalogue[step.service]
        return declaration.short if declaration.private and declaration.named else ""

    # --- the officer's words

    async def _answer_member(self, handover_id: int, runner: FormRunner) -> None:
        """The officer clicked 回复 a moment ago: these are the words, unless they think better of it."""
        if runner.registry.words.says("cancel", self.parse.text):
            await disarm(self.context)
            runner.saying.say("handover.disarmed")
        elif fault := self._cannot_be_sent():
            runner.saying.say(fault)
        else:
            await self._run(Reply(handover_id=handover_id, reason=self.parse.text), runner)

    async def _run(self, command: Command, runner: FormRunner) -> Outcome | None:
        try:
            async with self.context.session.begin_nested():
                outcome = await self.context.bus.execute(command, self.context)
        except DomainError as error:
            runner.saying.refuse(error)
            return None
        if not outcome.data.get("silent"):
            runner.saying.report(outcome, self.context)
        return outcome
