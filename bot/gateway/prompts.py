"""Answers to the options of a notification ("同意 K7M2P"): matched before the NLU, run as a command."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from actions.core.errors import DomainError
from actions.core.notify import ALPHABET, open_prompts
from actions.core.tables import Prompt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actions.core.commands import Command, Context

_CODE = re.compile(rf"([{ALPHABET}]{{5}})(?![0-9A-Za-z])[\s,，:：]*(.*)", re.DOTALL | re.IGNORECASE)
# A label, then a code: 同意 K7M2P.
_NAMED = re.compile(rf"[^0-9A-Za-z]{{1,12}}([{ALPHABET}]{{5}})(?![0-9A-Za-z])", re.IGNORECASE)
_BETWEEN = " ，,：:\n\u3000"


class AmbiguousAnswerError(Exception):
    """Which notification is meant has to be said: several wait for the same answer, or its words must not go astray."""

    def __init__(self, label: str, prompts: Sequence[Prompt], words: str) -> None:
        super().__init__(label)
        self.label = label
        self.prompts = prompts
        self.words = words

    @property
    def options(self) -> list[dict[str, str]]:
        """The answer for each of them, to click; what was said with it is said again."""
        answers = [f"{self.label} {prompt.code}" for prompt in self.prompts]
        return [{"label": answer, "value": f"{answer} {self.words}".strip()} for answer in answers]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Fit:
    """An option that a message may mean; `coded` where it names the notification."""

    prompt: Prompt
    label: str
    option: dict[str, Any]
    words: str
    coded: bool


async def match(context: Context, text: str, *, alone: bool) -> Command | None:
    """The command that a message answers a notification with, or None.

    With a code it always counts; without one only where nothing else is being talked about (`alone`).
    Raises AmbiguousAnswerError where it has to be asked which one is meant, DomainError("prompt_closed") where the
    named one is closed.
    """
    if context.actor.member is None:
        return None
    said = text.strip()
    waiting = await open_prompts(context, context.actor.member.id)
    fitting = [fit for prompt in waiting for fit in _fits(context, prompt, said, alone=alone)]
    if not fitting:
        await _refuse_closed(context, said)
        return None
    first = fitting[0]
    astray = bool(first.option.get("coded") and first.words and not first.coded)
    if len(fitting) > 1 or astray:
        raise AmbiguousAnswerError(first.label, [fit.prompt for fit in fitting], first.words)
    arguments = dict(first.option["arguments"])
    if first.option["asks_reason"]:
        arguments["reason"] = first.words[: first.option.get("longest", 200)]
    return context.bus.command(first.option["command"], arguments)


def names_code(text: str) -> bool:
    """Whether a message may name a notification by its code."""
    return _NAMED.match(text.strip()) is not None


def _fits(context: Context, prompt: Prompt, said: str, *, alone: bool) -> list[_Fit]:
    options: dict[str, Any] = context.vault.open(prompt.options, about="prompt")
    for label, option in sorted(options.items(), key=lambda each: -len(each[0])):
        if not said.startswith(label):
            continue
        behind = said[len(label) :]
        rest = behind.strip(_BETWEEN)
        named = _CODE.match(rest)
        if named and named[1].upper() == prompt.code:
            return [_Fit(prompt=prompt, label=label, option=option, words=named[2].strip(), coded=True)]
        # 回复了吗 is no answer to anybody: words for somebody else stand apart from the label.
        apart = not option.get("coded") or not rest or behind[:1] in _BETWEEN
        if alone and apart and (not rest or option["asks_reason"]) and not _looks_like_code(rest):
            return [_Fit(prompt=prompt, label=label, option=option, words=rest, coded=False)]
    return []


async def _refuse_closed(context: Context, said: str) -> None:
    """A button of a notification that is over is answered, not guessed at. Raises DomainError("prompt_closed")."""
    found = _NAMED.match(said)
    if found is None or context.actor.member is None:
        return
    mine = Prompt.code == found[1].upper(), Prompt.member_id == context.actor.member.id
    prompt = (await context.session.execute(select(Prompt).where(*mine))).scalar_one_or_none()
    labels = context.vault.open(prompt.options, about="prompt") if prompt else ()
    if any(said.startswith(label) for label in labels):
        raise DomainError("prompt_closed")


def _looks_like_code(text: str) -> bool:
    return bool(re.match(rf"[{ALPHABET}]{{5}}(?![0-9A-Za-z])", text))
