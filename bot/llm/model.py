"""The two things that the language model may do, with all that stands before and behind it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import jinja2
import structlog
from pydantic import BaseModel, ConfigDict

from actions.core.yamlfile import YamlFile
from bot.llm.client import LlmError
from bot.llm.grounded import cited, grounded, without_citations

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from actions.core.database import Database
    from bot.llm.client import Client, Reply
    from bot.llm.leaving import Leaving
    from bot.llm.usage import Budget

log = structlog.get_logger(__name__)

_NONE = "none"


@dataclass(frozen=True, kw_only=True, slots=True)
class Passage:
    """A passage that an answer may rest on. `verbatim`: its wording is quoted and never phrased anew."""

    text: str
    verbatim: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Phrased:
    """An answer in the model's words; `passages` are the indexes, from 0, of those that it rests on."""

    text: str
    passages: tuple[int, ...]


class LanguageModel:
    """Proposes and phrases. Whatever goes wrong, the answer is None and the house goes on without it.

    Args:
        client: the server.
        database: where the budget is counted.
        budget: of a day.
        clock: now.
        leaving: what may be shown to it.
        prompts: `propose` and `phrase`, as in data/llm.yml.

    Attributes:
        outcomes: (purpose, how it ended) -> how often, since the start of the process; `tokens` likewise.

    """

    def __init__(
        self,
        client: Client,
        *,
        database: Database,
        budget: Budget,
        clock: Callable[[], datetime],
        leaving: Leaving,
        prompts: Mapping[str, str],
    ) -> None:
        self.client = client
        self.budget = budget
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self.tokens: Counter[str] = Counter()
        self._database = database
        self._clock = clock
        self.leaving = leaving
        self._prompts = prompts

    async def propose(self, text: str, intents: Mapping[str, str]) -> str | None:
        """The intent that a message is likeliest to mean, out of those given with their meaning; None for none.

        Args:
            text: a member's message.
            intents: name -> what it means, in a line.

        """
        try:
            intent = await self._proposed(text, intents)
        except _DroppedError as error:
            self.outcomes["propose", error.why] += 1
            return None
        self.outcomes["propose", "proposed" if intent else "none"] += 1
        return intent

    async def _proposed(self, text: str, intents: Mapping[str, str]) -> str | None:
        if not self.leaving.allows(text):
            raise _DroppedError("kept")
        listed = "\n".join(f"{name}: {meaning}" for name, meaning in intents.items())
        system = jinja2.Template(self._prompts["propose"]).render(intents=listed)
        reply = await self._ask("propose", system, f"<message>{_bare(text)}</message>")
        intent = reply.content.get("intent")
        if intent == _NONE:
            return None
        if not isinstance(intent, str) or intent not in intents:
            raise _DroppedError("invented")
        return intent

    async def phrase(self, question: str, passages: Sequence[Passage]) -> Phrased | None:
        """An answer to a question out of passages; None where it may not be asked, or does not keep to them."""
        try:
            answer = await self._phrased(question, passages)
        except _DroppedError as error:
            self.outcomes["phrase", error.why] += 1
            return None
        self.outcomes["phrase", "phrased"] += 1
        return Phrased(text=without_citations(answer), passages=tuple(number - 1 for number in cited(answer)))

    async def _phrased(self, question: str, passages: Sequence[Passage]) -> str:
        leaving = self.leaving
        kept = any(passage.verbatim or leaving.sensitive(passage.text) for passage in passages)
        if not passages or kept or not leaving.allows(question):
            raise _DroppedError("kept")
        numbered = "\n".join(
            f"<passage>[{number}] {_bare(passage.text)}</passage>" for number, passage in enumerate(passages, start=1)
        )
        user = f"{numbered}\n<question>{_bare(question)}</question>"
        answer = (await self._ask("phrase", self._prompts["phrase"], user)).content.get("answer")
        texts = [passage.text for passage in passages]
        if not isinstance(answer, str) or leaving.sensitive(answer) or not grounded(answer, texts):
            raise _DroppedError("ungrounded")
        return answer

    async def _ask(self, purpose: str, system: str, user: str) -> Reply:
        """One call within the budget. What fails is told without a word of what was said."""
        now = self._clock()
        if self.client.resting:
            raise _DroppedError("resting")
        if not await self.budget.take(self._database, now):
            raise _DroppedError("budget")
        try:
            reply = await self.client.ask(system, user)
        except LlmError as error:
            log.warning("llm_failed", purpose=purpose, reason=str(error))
            raise _DroppedError("failed") from error
        self.tokens.update({"in": reply.tokens_in, "out": reply.tokens_out})
        await self.budget.settle(self._database, now, reply.tokens_in, reply.tokens_out)
        return reply

    async def close(self) -> None:
        """Closes the connections."""
        await self.client.close()


class _DroppedError(Exception):
    """Nothing usable came of it, and why."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def load_prompts(data_dir: Path) -> tuple[frozenset[str], Mapping[str, str]]:
    """The words that keep a text at home, and the prompts, from data/llm.yml. Raises ConfigurationError."""
    file = YamlFile(data_dir / "llm.yml").validate(_File)
    return frozenset((*file.private, *file.political, *file.orders)), {"propose": file.propose, "phrase": file.phrase}


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    private: tuple[str, ...]
    political: tuple[str, ...]
    orders: tuple[str, ...]
    propose: str
    phrase: str


def _bare(text: str) -> str:
    """Text that cannot close the tags around it."""
    return text.replace("<", "〈").replace(">", "〉")
