"""Where a language model may come in: between finding a passage and saying it.

    passages = questions.sources(text, now, service=service)      # before the turn's transaction begins
    draft = await drafted(phraser, text, passages)                # takes as long as the model does
    outcome = phrased(outcome, draft)                             # within the turn, after `Ask` has been run

A draft is said only where `Ask` has quoted the very passage that it was made of, with the source and the date that
the passage has then; else the passage is quoted as ever. Texts that are quoted word for word are never given out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actions.core.commands import Outcome
    from actions.knowledge.passages import Passage


class Phraser(Protocol):
    """Puts passages into other words."""

    async def __call__(self, question: str, passages: Sequence[Passage], /) -> str | None:
        """The answer, held against the passages by whoever made it; None where there is none in time. Never raises."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """An answer in other words, and the passages (their refs and texts) that it rests on."""

    text: str
    refs: tuple[str, ...]
    quoted: str


async def drafted(phraser: Phraser, question: str, passages: Sequence[Passage]) -> Draft | None:
    """A draft out of passages; None where there are none, or one of them must be quoted word for word."""
    if not passages or any(passage.verbatim for passage in passages):
        return None
    text = await phraser(question, passages)
    if not text:
        return None
    return Draft(text=text, refs=tuple(each.ref for each in passages), quoted=passages[0].text)


def phrased(outcome: Outcome, draft: Draft | None) -> Outcome:
    """The outcome of `Ask` in the draft's words, where both rest on the same passage as it stands now."""
    same = (
        draft is not None
        and outcome.data.get("verdict") == "sure"
        and tuple(outcome.data["refs"]) == draft.refs
        and outcome.params["text"] == draft.quoted
    )
    return replace(outcome, params={**outcome.params, "text": draft.text}) if draft is not None and same else outcome
