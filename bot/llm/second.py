"""How a turn uses the language model: to ask what may have been meant, and to say a found passage more shortly."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from actions.knowledge import LIFE, drafted
from bot.llm.model import Passage
from nlu.types import Ranked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from actions.core.catalogue import Catalogue
    from actions.knowledge import Draft
    from actions.knowledge import Passage as Found
    from bot.llm.model import LanguageModel
    from bot.settings import LlmSettings
    from nlu.types import Parse

_UNSURE = "out_of_scope"
#: A private service that is this likely is not even hinted at, 0 to 1.
_HINT = 0.05


class SecondOpinion:
    """What the language model adds to a turn, where the settings let it.

    Args:
        model: the language model.
        settings: what it may do.
        catalogue: the services; private ones, and what officers do, are never proposed.
        meanings: intent -> what it means, in a line.
        confidence: 0 to 1, at which the dialogue asks "did you mean".
        sources: the passages that a question would be answered with: (text, now, service) -> passages.

    """

    def __init__(  # the parts that a turn brings together
        self,
        model: LanguageModel,
        settings: LlmSettings,
        *,
        catalogue: Catalogue,
        meanings: Mapping[str, str],
        confidence: float,
        sources: Callable[[str, datetime, str], Sequence[Found]],
    ) -> None:
        self._model = model
        self._settings = settings
        self._catalogue = catalogue
        self._confidence = confidence
        self._sources = sources
        opened = {intent: catalogue.opened_by(intent) for intent in meanings}
        self._private = {intent for intent, services in opened.items() if any(each.private for each in services)}
        self._open = {
            intent: meanings[intent]
            for intent, services in opened.items()
            if services and not any(each.private or each.who.roles for each in services)
        }

    def wanted(self, parse: Parse) -> bool:
        """Whether a message may be asked about: nobody is in danger, and it is not likely to be a private matter."""
        likely = {each.intent for each in parse.ranking if each.confidence >= _HINT}
        unsure = parse.intent == _UNSURE and parse.crisis is None
        return self._settings.proposes and unsure and not likely & {"crisis", *self._private}

    async def on(self, parse: Parse) -> Parse:
        """The parse with the model's proposal first in its ranking, where there is one."""
        proposed = await self._model.propose(parse.text, self._open)
        if proposed is None:
            return parse
        others = (each for each in parse.ranking if each.intent not in (proposed, _UNSURE))
        return replace(parse, ranking=(Ranked(intent=proposed, confidence=self._confidence), *others))

    async def draft(self, parse: Parse, now: datetime) -> Draft | None:
        """The answer to a plain question in other words; None for anything else, and where there is none in time."""
        services = self._catalogue.opened_by(parse.intent)
        if not self._settings.phrases or not services or parse.crisis is not None:
            return None
        service = services[0]
        if service.life != LIFE or service.private:
            return None
        return await drafted(self._phrase, parse.text, self._sources(parse.text, now, service.id))

    async def _phrase(self, question: str, passages: Sequence[Found]) -> str | None:
        shown = [Passage(text=f"{each.heading}。{each.text}", verbatim=each.verbatim) for each in passages]
        phrased = await self._model.phrase(question, shown)
        return None if phrased is None else phrased.text
