"""The actions that another dialogue engine may call: each form's messages, its commit, and the whole assistant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actions.core.errors import ConfigurationError
from bot.gateway.answering import LONGEST, SAYS_SOMETHING
from bot.gateway.native.calls import ASSISTANT, Call, Names, Reaction, offered
from bot.gateway.native.step import Memory, about, inbound_of, nothing, stepping
from bot.gateway.turn import clean

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from actions.core.catalogue import Declaration
    from bot.gateway.house import House
    from bot.gateway.turn import Understanding
    from bot.messages import Inbound, Outbound
    from nlu.types import Parse


class NativeForms:
    """The forms of the catalogue, for another engine to run.

    Args:
        house: the fixed parts.
        pipeline: reads messages and slots.
        clock: now.
        receive: a whole turn of the assistant, for what is no form.
        after_commit: wakes the delivery.

    """

    def __init__(
        self,
        house: House,
        pipeline: Understanding,
        clock: Callable[[], datetime],
        receive: Callable[[Inbound], Awaitable[tuple[Outbound, ...]]],
        after_commit: Callable[[], None] = lambda: None,
    ) -> None:
        self._house = house
        self._pipeline = pipeline
        self._clock = clock
        self._receive = receive
        self._after_commit = after_commit
        self._actions: dict[str, Callable[[Call], Awaitable[Reaction]]] = {ASSISTANT: self._assistant}
        for declaration in offered(house.catalogue).values():
            names = Names(service=declaration.id)
            self._actions[names.validate] = _bound(self._validate, declaration)
            self._actions[names.commit] = _bound(self._commit, declaration)

    @property
    def actions(self) -> tuple[str, ...]:
        """Names of all actions, sorted."""
        return tuple(sorted(self._actions))

    async def run(self, action: str, call: Call) -> Reaction:
        """Runs an action. Raises KeyError where there is none of that name."""
        reaction = await self._actions[action](call)
        self._after_commit()
        return reaction

    async def _assistant(self, call: Call) -> Reaction:
        return Reaction(slots={}, replies=await self._receive(inbound_of(call)))

    async def _validate(self, declaration: Declaration, call: Call) -> Reaction:
        """One message of a form: taken, held against the records, and the next question asked."""
        memory, parse = self._memory(declaration, call), await self._parse(call.text)
        given = await self._given(declaration, call, memory)
        async with stepping(self._house, declaration, call, memory, self._clock()) as step:
            await step.take(parse, given, unheard=call.unheard)
            return step.validated()

    async def _commit(self, declaration: Declaration, call: Call) -> Reaction:
        """Does what was confirmed; what is missing or refused is asked, and the form goes on."""
        names = Names(service=declaration.id)
        if not any(call.slots.get(name) for name in (names.state, *names.slots(declaration))):
            return Reaction(slots={})  # the form ended of itself: given up, refused, or a crisis
        memory = self._memory(declaration, call)
        given = await self._given(declaration, call, memory)
        async with stepping(self._house, declaration, call, memory, self._clock()) as step:
            await step.finish(given)
            return step.finished()

    async def _parse(self, text: str) -> Parse:
        said = clean(text)
        if len(said) > LONGEST or not SAYS_SOMETHING.search(said):
            return nothing(said)
        return await self._pipeline.parse(said, self._clock())

    async def _given(self, declaration: Declaration, call: Call, memory: Memory) -> dict[str, Parse]:
        """What the engine has filled by itself: the fields whose slot differs from what it was told, parsed."""
        names = Names(service=declaration.id)
        slots = {item.key: call.slots.get(names.slot(item.key)) for item in declaration.form}
        own = {key: str(value) for key, value in slots.items() if value is not None and value != memory.told.get(key)}
        return {key: await self._parse(text) for key, text in own.items()}

    def _memory(self, declaration: Declaration, call: Call) -> Memory:
        sealed = call.slots.get(Names(service=declaration.id).state)
        if not isinstance(sealed, str) or not sealed:
            return Memory()
        try:
            return Memory.from_json(self._house.vault.open(sealed, about=about(call)))
        except ConfigurationError:
            return Memory()  # another person's, made up, or sealed with a key that is no more: begun anew


def _bound(
    method: Callable[[Declaration, Call], Awaitable[Reaction]], declaration: Declaration
) -> Callable[[Call], Awaitable[Reaction]]:
    return lambda call: method(declaration, call)
