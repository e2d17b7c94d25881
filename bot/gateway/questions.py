"""Answering a question within a turn: asked of the passages, remembered as the topic, and back to the open form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actions.core.life import Choice
from actions.knowledge import Ask, NoteQuestion, phrased
from bot.dialogue import policy
from bot.dialogue.state import Topic

if TYPE_CHECKING:
    from actions.core.catalogue import Catalogue
    from actions.core.commands import Outcome
    from actions.knowledge import Draft
    from bot.gateway.forms import FormRunner
    from nlu.types import Parse

_LONGEST = 2_000


async def answered(step: policy.Answer, runner: FormRunner, draft: Draft | None = None) -> bool:
    """Answers; False where the step has another one in reserve and the answer is not plain.

    `draft` is the answer in other words, made beforehand of the passages that were found then.
    A question put in the middle of a private form is never kept for officers.
    """
    catalogue, context, parse = runner.registry.catalogue, runner.context, step.parse
    elsewhere = catalogue[step.service].elsewhere if step.service in catalogue else None
    if elsewhere is not None:
        runner.service = step.service
        runner.saying.say("form.elsewhere", elsewhere.model_dump())
        await _back(runner)
        return True
    command = Ask(
        question=parse.text[:_LONGEST],
        service=step.service,
        about=step.about,
        pick=step.pick,
        strict=step.otherwise is not None,
        keep=not _in_private(runner),
        alone=runner.state.top is None,
        names=_names(parse),
        intent=parse.intent,
    )
    async with context.session.begin_nested():
        outcome = await context.bus.execute(command, context)
    if step.otherwise is not None and outcome.data["verdict"] != "sure":
        await _keep_unplaced(step, runner)
        return False
    runner.service = str(outcome.data["service"]) if step.service == "" else step.service
    runner.saying.report(phrased(outcome, draft), context)
    _remember(outcome, runner)
    await _back(runner)
    return True


async def _back(runner: FormRunner) -> None:
    if runner.state.top is not None:
        await runner.ask_again()


def _remember(outcome: Outcome, runner: FormRunner) -> None:
    data = outcome.data
    offered = tuple(Choice(value=ref, label=heading) for ref, heading in data["offered"])
    topic = Topic(service=data["service"], about=data["about"], offered=offered, at=runner.context.now)
    runner.state = runner.state.but(topic=topic)


async def _keep_unplaced(step: policy.Answer, runner: FormRunner) -> None:
    """What nobody could place is kept for officers, where it is said in so many words that nobody could."""
    other = step.otherwise
    lost = isinstance(other, policy.Say) and other.intent == "out_of_scope"
    if not lost or runner.state.top is not None or _in_private(runner):
        return
    command = NoteQuestion(question=step.parse.text[:_LONGEST], names=_names(step.parse))
    async with runner.context.session.begin_nested():
        await runner.context.bus.execute(command, runner.context)


def _in_private(runner: FormRunner) -> bool:
    """Whether a private matter is being talked about, or lies aside."""
    catalogue = runner.registry.catalogue
    frames = (*runner.state.stack, *runner.state.drafts)
    return any(frame.service in catalogue and catalogue[frame.service].private for frame in frames)


def _names(parse: Parse) -> tuple[str, ...]:
    return tuple(parse.text[entity.start : entity.end] for entity in parse.entities if entity.name == "person")


def private_service(step: policy.Answer, catalogue: Catalogue) -> str | None:
    """The question service that must not be spoken of in a group, or None."""
    if step.service in catalogue:
        return step.service if catalogue[step.service].private else None
    other = step.otherwise
    if isinstance(other, policy.Clarify):
        named = (choice.value for choice in other.choices if choice.value in catalogue)
        # Even to ask "did you mean…" would name it.
        return next((service for service in named if catalogue[service].private), None)
    return None
