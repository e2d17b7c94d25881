"""The client of a Rasa server: its parse as a ranking of intents, and what answers while it is away."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from typing import TYPE_CHECKING, Final, Protocol

import httpx

from nlu.data import read
from nlu.rasa.breaker import Breaker
from nlu.rasa.server import token_in
from nlu.text import normalise
from nlu.types import Ranked

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from nlu.pipeline import Engine

log = logging.getLogger(__name__)

#: How the FallbackClassifier says that it is not sure.
FALLBACK: Final = "nlu_fallback"
OUT_OF_SCOPE: Final = "out_of_scope"
#: Of the FallbackClassifier in config.yml (a test holds it).
THRESHOLD: Final = 0.2

# A message of which the model has met less than this share says nothing to it, whatever it answers. In a trial,
# messages made only of unseen signs came back as `affirm` at 0.94.
_KNOWN_ENOUGH: Final = 0.5


class RasaError(RuntimeError):
    """Rasa did not answer, or not as it should. The message never holds what a member wrote."""


class RasaEngine:
    """Ranks intents by asking a Rasa server (`POST /model/parse`).

    Args:
        url: where the server listens, without a path.
        known: the letters, digits and characters that occur in the training data, normalised (`known_signs`).
        token: of `rasa run --auth-token`; empty for none.
        seconds: the most that one answer may take.
        breaker: opens when it fails again and again.
        threshold: that of the FallbackClassifier in config.yml: below it Rasa itself is not sure.

    """

    def __init__(
        self,
        url: str,
        *,
        known: frozenset[str],
        token: str = "",
        seconds: float = 2.0,
        breaker: Breaker | None = None,
        threshold: float = THRESHOLD,
    ) -> None:
        self.url = url.rstrip("/")
        self.breaker = breaker or Breaker(failures=3, pause=15.0, clock=time.monotonic)
        self._known = known
        self.threshold = threshold
        self._seconds = seconds
        self._params = {"token": token} if token else {}
        self._client: httpx.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def classify(self, text: str) -> tuple[Ranked, ...]:
        """Every intent that Rasa ranks, best first; `nlu_fallback` is out_of_scope. Nothing for unseen words.

        Args:
            text: normalised (`nlu.text.normalise`).

        Raises:
            RasaError: no answer in time, the breaker is open, or an answer that is no parse.

        """
        share = known_share(text, self._known)
        if share < _KNOWN_ENOUGH:
            return ()
        if not self.breaker.allows():
            raise RasaError("left alone for a while, since it failed again and again")
        try:
            ranking = _ranking(await self._ask(text), self.threshold)
        except RasaError:
            self.breaker.failed()
            raise
        except asyncio.CancelledError:
            self.breaker.failed()  # whoever waited has given up: that is too late, too
            raise
        self.breaker.succeeded()
        return ranking

    async def _ask(self, text: str) -> object:
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._http().post("/model/parse", json={"text": text}, params=self._params)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise RasaError(f"no answer within {self._seconds:g} s") from error
        except httpx.HTTPError as error:
            raise RasaError(type(error).__name__) from error
        if answer.status_code != httpx.codes.OK:
            raise RasaError(f"HTTP {answer.status_code}")
        try:
            return answer.json()
        except (ValueError, RecursionError) as error:  # a RecursionError: one that nests without end
            raise RasaError("its answer is no JSON") from error

    def _http(self) -> httpx.AsyncClient:
        """The connections, which belong to an event loop."""
        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:
            # No proxy of the environment: what members write goes to this server and nowhere else.
            self._client = httpx.AsyncClient(base_url=self.url, timeout=self._seconds, trust_env=False)
            self._loop = loop
        return self._client

    async def close(self) -> None:
        """Closes the connections; a later call opens new ones."""
        client, self._client = self._client, None
        if client is not None and self._loop is asyncio.get_running_loop():
            await client.aclose()


def connect(  # noqa: PLR0913 -- a connection is what it is
    url: str, *, token: str, seconds: float, failures: int, pause: float, data: Path, folder: Path
) -> RasaEngine:
    """A client as the settings want it.

    Args:
        url: where the server listens.
        token: of its HTTP interface; empty for the one in `folder` that server and assistant share.
        seconds: the most that one answer may take.
        failures: how many calls in a row must fail before it is left alone.
        pause: for how many seconds.
        data: the training data, whose signs the model may know.
        folder: var/rasa.

    Raises:
        DataError: the training data cannot be read.
        OSError: the token cannot be written or read.

    """
    return RasaEngine(
        url,
        known=known_signs(example.text for example in read(data)),
        token=token or token_in(folder),
        seconds=seconds,
        breaker=Breaker(failures=failures, pause=pause, clock=time.monotonic),
    )


def _ranking(answer: object, threshold: float) -> tuple[Ranked, ...]:
    """The ranking of a parse. Raises RasaError where it is none: another server, or a model that knows no intents."""
    try:
        rows = answer["intent_ranking"] or [answer["intent"]]  # type: ignore[index]
        pairs = [(str(row["name"]), min(1.0, max(0.0, float(row["confidence"])))) for row in rows if row["name"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RasaError("its answer is no parse") from error
    if not pairs:
        raise RasaError("it has no model, or one that knows no intents")
    if len(pairs) > 1 and pairs[0][0] == FALLBACK and pairs[1][1] < threshold:
        pairs = pairs[1:]  # that none is sure shows in the figures, and what was nearly meant can be asked about
    ranked: dict[str, float] = {}
    for name, confidence in pairs:
        # Where Rasa is unsure for another reason, the fallback stays first, and so nothing is acted upon.
        ranked.setdefault(OUT_OF_SCOPE if name == FALLBACK else name, confidence)
    return tuple(Ranked(intent=name, confidence=confidence) for name, confidence in ranked.items())


def known_signs(texts: Iterable[str]) -> frozenset[str]:
    """The letters, digits and characters that occur in training data."""
    return frozenset(sign for text in texts for sign in normalise(text) if sign.isalnum())


def known_share(text: str, known: frozenset[str]) -> float:
    """How much of a normalised message the training data has, 0 to 1; runs of digits and letters count as one."""
    signs = [sign for sign in text if sign.isalnum() and not sign.isdigit()]
    if not signs:
        return 1.0 if any(map(str.isdigit, text)) else 0.0
    return sum(sign in known for sign in signs) / len(signs)


class Counts:
    """How many messages each engine has ranked, and why Rasa did not."""

    def __init__(self) -> None:
        self.ranked: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()


class Closing(Protocol):
    """An engine that holds connections."""

    breaker: Breaker
    threshold: float

    async def classify(self, text: str) -> tuple[Ranked, ...]:
        """See `Engine.classify`."""
        ...

    async def close(self) -> None:
        """Gives the connections up."""
        ...


class Reserve:
    """Asks Rasa, and the embedded engine where Rasa does not answer: a member never waits for a repair.

    The confidences of both are told on the scale of the second, which the dialogue's own thresholds are made for.

    Args:
        first: asked where it can be.
        second: always there, ready to answer.

    """

    def __init__(self, first: Closing, second: Engine) -> None:
        self._first = first
        self._second = second
        self.counts = Counts()

    @property
    def name(self) -> str:
        """Who answers now: rasa or embedded."""
        return "rasa" if self._first.breaker.closed else "embedded"

    @property
    def threshold(self) -> float:
        """See `Engine.threshold`."""
        return self._second.threshold

    async def classify(self, text: str) -> tuple[Ranked, ...]:
        """See `Engine.classify`."""
        try:
            ranking = await self._first.classify(text)
        except RasaError as error:
            self.counts.failures[str(error)] += 1
            log.warning("Rasa did not rank a message, the embedded engine does: %s", error)
        else:
            self.counts.ranked["rasa"] += 1
            return rescaled(ranking, self._first.threshold, self._second.threshold)
        self.counts.ranked["embedded"] += 1
        return await self._second.classify(text)

    async def close(self) -> None:
        """Gives the connections to Rasa up."""
        await self._first.close()


def rescaled(ranking: tuple[Ranked, ...], low: float, to: float) -> tuple[Ranked, ...]:
    """Confidences with the threshold `low` moved to `to`; 0 and 1 stay, and what is between is stretched evenly."""

    def moved(share: float) -> float:
        return share * to / low if share < low else to + (share - low) * (1 - to) / (1 - low)

    return tuple(Ranked(intent=each.intent, confidence=moved(each.confidence)) for each in ranking)
