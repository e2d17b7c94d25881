"""待办: what waits for the actor's answer, with the options once more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from actions.core.commands import Command, Context, Outcome, Registration, bound
from actions.core.notify import buttons, open_prompts, told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actions.core.tables import Prompt

# What fits into one message of a chat.
_MOST = 8


class ListPrompts(Command):
    """What waits for the actor."""

    name: ClassVar[str] = "prompts.list"


def registrations() -> Sequence[Registration[Any]]:
    """The command of this module."""
    return (Registration(command=ListPrompts, handler=list_prompts, right=bound),)


async def list_prompts(_command: ListPrompts, context: Context) -> Outcome:
    """The oldest first; what the actor may no longer decide is left out, as its text is no longer theirs to read."""
    mine = await open_prompts(context, context.actor.member_id)
    waiting = [prompt for prompt in mine if await _may_answer(context, prompt)]
    if not waiting:
        return Outcome(wording="waiting.none")
    shown = waiting[:_MOST]
    sentences: list[tuple[str, dict[str, Any]]] = []
    options: list[dict[str, str]] = []
    for number, prompt in enumerate(shown, 1):
        sentences += [("waiting.item", {"number": number, "code": prompt.code}), *told(context, prompt)]
        options += options_of(context, prompt, several=len(shown) > 1)
    params = {"count": len(waiting), "shown": len(shown)}
    return Outcome(wording="waiting.list", params=params, more=sentences, options=options)


async def _may_answer(context: Context, prompt: Prompt) -> bool:
    """Whether one of the options is still the actor's to choose."""
    options = context.vault.open(prompt.options, about="prompt").values()
    commands = [context.bus.command(option["command"], option["arguments"]) for option in options]
    return any([await context.bus.allows(command, context) for command in commands])


def options_of(context: Context, prompt: Prompt, *, several: bool) -> list[dict[str, str]]:
    """The answers of a prompt to click, told apart by their code where there are several prompts."""
    found = buttons(context, prompt)
    return [{"label": option["value"], "value": option["value"]} for option in found] if several else found
