"""What is answered in a turn: notifications and keywords first, then what the dialogue decides."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from actions.core.errors import DomainError
from actions.core.notify import told
from actions.safety import RaiseAlert
from bot.dialogue import forms, policy
from bot.dialogue.state import State, expire
from bot.gateway import choosing, hearing, prompts, questions, rows, threads
from bot.gateway.forms import FormRunner
from bot.gateway.handing_in import HandingIn
from bot.gateway.person import Person
from bot.gateway.saying import Saying
from bot.gateway.shortcuts import shortcut_for
from bot.messages import Address

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from actions.core.commands import Command, Context
    from actions.core.tables import Account, Conversation
    from actions.knowledge import Draft
    from bot.gateway.house import House
    from bot.messages import Inbound
    from nlu.types import Parse

#: Code points of a message; more is not read.
LONGEST = 2_000
SAYS_SOMETHING = re.compile(r"[0-9A-Za-z\u3400-\u9fff\U00020000-\U0003ffff０-９]")


class Answerer:
    """Answers one message within an open transaction."""

    def __init__(  # what a message is, and what became of it on the way here
        self,
        house: House,
        context: Context,
        inbound: Inbound,
        parse: Parse,
        *,
        from_group: bool = False,
        draft: Draft | None = None,
    ) -> None:
        """`from_group`: the message was written in a group, and is answered in the private chat.

        `draft` is the answer to a question in other words, to be said where the very same passage is found.
        """
        self._draft = draft
        self.inbound = inbound
        self.parse = parse
        self._house = house
        self._context = context
        self._registry = house.registry
        self._files = HandingIn(context, inbound)
        self._person = Person(
            house=house,
            context=context,
            inbound=inbound,
            parse=parse,
            unreadable=self._unreadable,
            from_group=from_group,
        )

    async def answer(self, conversation: Conversation, saying: Saying) -> str:
        """Answers in a conversation and keeps its new state; returns the service that was served."""
        house, context = self._house, self._context
        idle, keep = timedelta(minutes=house.idle_minutes), timedelta(days=house.draft_days)
        state, shelved = expire(self._remembered(conversation), context.now, idle=idle, keep=keep)
        if self.parse.crisis is not None and state.offers(self.parse.text):
            self.parse = replace(self.parse, intent="out_of_scope", crisis=None, confidence=0.0, ranking=())
        if shelved:
            saying.say("form.shelved", {"service": house.catalogue[state.drafts[-1].service].short})
        saying.secret = state.top is not None and state.top.asks_in_secret(house.catalogue)
        self._registry = await choosing.knowing(context, house.registry, self.parse)
        runner = FormRunner(context, self._registry, state, saying, files=self._files, idle_minutes=house.idle_minutes)
        if not await self._without_understanding(runner):
            await self._understood(runner)
        await self._files.let_go()
        conversation.state = house.vault.seal(runner.state.model_dump(mode="json"), about="conversation")
        return runner.service

    def _remembered(self, conversation: Conversation) -> State:
        if not conversation.state:
            return State()
        return State.model_validate(self._house.vault.open(conversation.state, about="conversation"))

    # --- what needs no understanding

    async def _without_understanding(self, runner: FormRunner) -> bool:
        """Answers to notifications, what is meant for a person, pictures, empty and endless texts, keywords."""
        if self.parse.crisis is not None:
            await self._person.crisis()
            return False
        private = self._context.actor.private
        if private and (await self._by_code(runner) or await self._person.take(runner)):
            return True
        refused = self._files.tell_refused(runner.saying)
        unreadable = self._unreadable()
        if unreadable == "talk.attachment" and self._files.left:
            return await self._files_alone(runner)
        if unreadable == "talk.attachment" and refused:
            await _ask_again(runner)
            return True
        if unreadable and not runner.registry.words.says("affirm", self.inbound.text):
            runner.saying.say(unreadable)
            await _ask_again(runner)
            return True
        alone = runner.state.top is None
        return private and (
            await self._notification(runner, alone=alone)
            or await self._keyword(runner)
            or await self.heard(runner.saying, alone=alone)
        )

    async def heard(self, saying: Saying, *, alone: bool) -> bool:
        """Exact words that rows decide: a group's keyword, 收到. What a crisis may be in is understood first."""
        if self.parse.crisis is not None or len(self.parse.text) > LONGEST:
            return False
        heard = hearing.heard_of(self._house, self.inbound, self.parse.text)
        return await hearing.listened(self._house, self._context, heard, saying, alone=alone)

    async def _files_alone(self, runner: FormRunner) -> bool:
        """Files and not a word: the form on top takes them, or they wait for one."""
        runner.state, changed = await self._files.put(runner.state, runner.saying)
        if changed and runner.state.top is not None:
            await runner.fill(forms.Taken(frame=runner.state.top, changed=changed, said=changed), self.parse)
            return True
        if self._files.left and forms.takes_files(self._house.catalogue):
            runner.state = self._files.wait(runner.state, runner.saying)
        elif self._files.left:
            runner.saying.say("talk.attachment")
        if runner.state.top is not None:
            await runner.ask_again()
        return True

    async def _understood(self, runner: FormRunner) -> None:
        """Takes the message as the dialogue decides, and the files that came along with it."""
        changed: frozenset[str] = frozenset()
        if self.parse.crisis is None:
            runner.state, changed = await self._files.put(runner.state, runner.saying)
        step = policy.decide(runner.state, self.parse, self._registry, self._context.now)
        if changed and runner.state.top is not None and isinstance(step, policy.Do) and step.what == "missed":
            # 照片来了 says nothing to the form, and the photographs have said it all.
            step = policy.Fill(taken=forms.Taken(frame=runner.state.top, changed=changed, said=changed))
        await self._take(step, runner)
        if not self._files.left or self.parse.crisis is not None:
            return
        if forms.takes_files(self._house.catalogue):
            runner.state = self._files.wait(runner.state, runner.saying)
        else:
            runner.saying.say("files.not_kept")

    def _unreadable(self) -> str:
        if self.inbound.unread is not None:
            return f"channels.unread.{self.inbound.unread}"
        if len(self.parse.text) > LONGEST:
            return "talk.too_long"
        if SAYS_SOMETHING.search(self.parse.text):
            return ""
        if self.inbound.attachments:
            return "talk.attachment"
        return "talk.no_words" if self.parse.text else "talk.empty"

    async def _by_code(self, runner: FormRunner) -> bool:
        """A notification's option with its code counts at any time."""
        return prompts.names_code(self.parse.text) and await self._notification(runner, alone=False)

    async def _notification(self, runner: FormRunner, *, alone: bool) -> bool:
        """The option of a notification; which one, is asked where it is not plain."""
        saying = runner.saying
        try:
            command = await prompts.match(self._context, self.parse.text, alone=alone)
        except prompts.AmbiguousAnswerError as error:
            saying.say("talk.which_one" if len(error.prompts) > 1 else "waiting.this_one", {"label": error.label})
            for prompt in error.prompts:
                saying.parts += [("waiting.code", {"code": prompt.code}), *told(self._context, prompt)[:1]]
            saying.options = error.options
            return True
        except DomainError as error:
            saying.refuse(error)
            return True
        if command is None:
            return False
        await self._run(command, saying)
        return True

    async def _keyword(self, runner: FormRunner) -> bool:
        """An exact keyword of the actor's role."""
        if runner.state.top is not None:
            return False
        shortcut = shortcut_for(self._house.shortcuts, self._context.actor, self.parse.text)
        if shortcut is None:
            return False
        if shortcut.service:
            # A keyword is not guessed at: it says what one of its choices says, and nothing more.
            await runner.open(shortcut.service, replace(self.parse, ranking=(), entities=(), times=()))
            return True
        await self._run(self._context.bus.command(shortcut.command, shortcut.arguments), runner.saying)
        return True

    async def _run(self, command: Command, saying: Saying) -> None:
        try:
            async with self._context.session.begin_nested():
                outcome = await self._context.bus.execute(command, self._context)
            saying.report(outcome, self._context)
        except DomainError as error:
            saying.refuse(error)

    # --- what the dialogue decided

    async def _take(self, step: policy.Step, runner: FormRunner) -> None:
        runner.state = runner.state.but(clarify=(), unclear=None)
        match step:
            case policy.Crisis():
                await self._crisis(step, runner)
            case policy.Open():
                await runner.open(step.service, step.parse, offering=step.offering)
            case policy.Answer():
                if not await questions.answered(step, runner, self._draft):
                    await self._take(step.otherwise or policy.Do(what="missed"), runner)
            case policy.Choose():
                await choosing.choose(step, runner)
            case policy.Fill():
                await runner.fill(step.taken, self.parse)
            case policy.Clarify():
                runner.state = runner.state.but(clarify=step.choices, unclear=step.parse)
                runner.saying.say("talk.clarify", {"choices": [choice.label for choice in step.choices[:-1]]})
                runner.saying.offer(step.choices)
            case policy.Say():
                await self._talk(step, runner)
            case policy.Do():
                await _do(step, runner)

    async def _talk(self, step: policy.Say, runner: FormRunner) -> None:
        if step.intent == "human":
            await self._person.ask(runner)
        else:
            runner.saying.say(step.wording)
            await _ask_again(runner)

    async def _crisis(self, step: policy.Crisis, runner: FormRunner) -> None:
        """The fixed answer and the alert; a form is put aside, nothing else is asked."""
        context = self._context
        runner.state = runner.state.shelve()
        runner.saying.parts.clear()
        chat = "private" if context.actor.private else "group"
        outcome = await context.bus.execute(RaiseAlert(kind=step.kind, chat=chat), context)
        runner.saying.say(outcome.wording, outcome.params)

    # --- from a group to the private chat

    async def answer_in_group(
        self, conversation: Conversation, saying: Saying, account: Account
    ) -> tuple[str, Saying | None]:
        """Answers in a group; a private matter goes on in the sender's private chat.

        Returns the service, and what is said in the private chat.
        """
        self._registry = await choosing.knowing(self._context, self._house.registry, self.parse)
        service = self._private_matter(conversation)
        if service is None:
            return await self.answer(conversation, saying), None
        if account.conversation is None:
            threads.wait(self._context, account, self.parse.text)
            saying.say("talk.come_private")
            return service, None
        saying.say("talk.in_private")
        there = Address(channel=account.channel, account=account.account, conversation=account.conversation)
        context = replace(self._context, actor=replace(self._context.actor, private=True))
        private = await rows.conversation_at(
            context.session, context.database, there, account.conversation, context.now
        )
        aside = Saying(address=there)
        inbound = replace(self.inbound, address=there)
        inner = Answerer(self._house, context, inbound, self.parse, from_group=True)
        await inner.answer(private, aside)
        return service, aside

    def _private_matter(self, conversation: Conversation) -> str | None:
        """The service that a message in a group would open, where it must not be spoken of there; "" is a person."""
        state = self._remembered(conversation)
        step = policy.decide(state, self.parse, self._registry, self._context.now)
        if self._person.wanted(step):
            return ""
        if isinstance(step, policy.Clarify):
            # Even to ask "did you mean…" would name it.
            named = (choice.value for choice in step.choices if choice.value in self._house.catalogue)
            return next((service for service in named if self._house.catalogue[service].private), None)
        if isinstance(step, policy.Answer):
            return questions.private_service(step, self._house.catalogue)
        if not isinstance(step, policy.Open):
            return None
        declaration = self._house.catalogue[step.service]
        unbound = declaration.who.bound and self._context.actor.member is None
        return declaration.id if declaration.private or unbound else None


async def _ask_again(runner: FormRunner) -> None:
    if runner.state.top is not None:
        await runner.ask_again()


async def _do(step: policy.Do, runner: FormRunner) -> None:
    actions: dict[str, Callable[[], Awaitable[Any]]] = {
        "commit": runner.commit_confirmed,
        "drop": runner.drop,
        "revise": lambda: runner.revise(step.field),
        "why": lambda: runner.why(step.field),
        "refuse_consent": runner.refuse_consent,
        "other_time": lambda: runner.other_time(runner.asked),
        "resume": runner.resume,
        "missed": runner.missed,
    }
    await actions[step.what]()
