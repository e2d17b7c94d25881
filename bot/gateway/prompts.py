"""Answers to the options of a notification ("同意 K7M2P"): matched before the NLU, run as a command."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from actions.core.notify import open_prompts

if TYPE_CHECKING:
    from actions.core.commands import Command, Context
    from actions.core.tables import Prompt


class AmbiguousAnswerError(Exception):
    """Several notifications wait for the same answer: the member has to say which one."""

    def __init__(self, label: str, codes: list[str]) -> None:
        super().__init__(label)
        self.label = label
        self.codes = codes


async def match(context: Context, text: str, *, alone: bool) -> Command | None:
    """The command that a message answers a notification with, or None.

    With a code it always counts; without one only where nothing else is being talked about (`alone`).
    Raises AmbiguousAnswerError where several would fit, DomainError where the named one is closed.
    """
    if context.actor.member is None:
        return None
    waiting = await open_prompts(context, context.actor.member.id)
    if not waiting:
        return None
    fitting = [
        (prompt, option, rest) for prompt in waiting for option, rest in _fits(context, prompt, text, alone=alone)
    ]
    if len(fitting) > 1:
        raise AmbiguousAnswerError(text.split(maxsplit=1)[0], [prompt.code for prompt, _option, _rest in fitting])
    if not fitting:
        return None
    _prompt, option, rest = fitting[0]
    arguments = dict(option["arguments"])
    if option["asks_reason"]:
        arguments["reason"] = rest[:200]
    return context.bus.command(option["command"], arguments)


def _fits(context: Context, prompt: Prompt, text: str, *, alone: bool) -> list[tuple[dict[str, Any], str]]:
    options: dict[str, Any] = context.vault.open(prompt.options, about="prompt")
    for label, option in options.items():
        if not text.strip().startswith(label):
            continue
        rest = text.strip()[len(label) :].strip(" ，,：:\n")
        code, _, reason = rest.partition(" ")
        if code.upper() == prompt.code:
            return [(option, reason.strip())]
        if alone and (not rest or option["asks_reason"]) and not _looks_like_code(code):
            return [(option, rest)]
    return []


def _looks_like_code(text: str) -> bool:
    return bool(re.fullmatch(r"[2-9A-HJ-NP-Z]{5}", text))
