"""One call of an OpenAI-compatible server: bounded in time and size, nothing of it in a log."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from nlu.rasa.breaker import Breaker

if TYPE_CHECKING:
    from collections.abc import Mapping

_LARGEST = 64 * 1024
_MOST_TOKENS = 400
_FAILURES, _PAUSE = 3, 30.0


class LlmError(Exception):
    """No usable answer; the reason names neither what was asked nor what was answered."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What a model wrote, read as a JSON object, and the tokens that it is charged for."""

    content: Mapping[str, Any]
    tokens_in: int
    tokens_out: int


class Client:
    """Asks `POST <url>/chat/completions`.

    Args:
        url: up to the version, as providers give it (https://api.deepseek.com/v1).
        model: its name there.
        key: the bearer key; empty where a local server wants none.
        seconds: the most that one answer may take, from the first byte sent to the last one read.

    """

    def __init__(self, *, url: str, model: str, key: str, seconds: float) -> None:
        self._url = url.rstrip("/") + "/chat/completions"
        self._model = model
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._seconds = seconds
        self._breaker = Breaker(failures=_FAILURES, pause=_PAUSE, clock=time.monotonic)
        self._http: httpx.AsyncClient | None = None

    @property
    def resting(self) -> bool:
        """Whether it has failed so often that it is left alone now."""
        return not self._breaker.allows()

    async def ask(self, system: str, user: str) -> Reply:
        """One answer to one message. Raises LlmError where there is none in time that is a JSON object."""
        try:
            reply = _reply(await self._post(system, user))
        except LlmError:
            self._breaker.failed()
            raise
        self._breaker.succeeded()
        return reply

    async def _post(self, system: str, user: str) -> bytes:
        body = {
            "model": self._model,
            "messages": [{"role": "system", "content": system}, {"role": "user", "content": user}],
            "temperature": 0,
            "max_tokens": _MOST_TOKENS,
            "response_format": {"type": "json_object"},
            "stream": False,
        }
        try:
            async with (
                asyncio.timeout(self._seconds),
                self._connections().stream("POST", self._url, json=body, headers=self._headers) as answer,
            ):
                if answer.status_code != httpx.codes.OK:
                    raise LlmError(f"HTTP {answer.status_code}")
                return await _bounded(answer)
        except TimeoutError as error:
            raise LlmError(f"no answer within {self._seconds:g} s") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise LlmError(type(error).__name__) from error

    def _connections(self) -> httpx.AsyncClient:
        if self._http is None:
            # No proxy of the environment and no redirect: what is asked goes to the address of the settings alone.
            self._http = httpx.AsyncClient(timeout=self._seconds, trust_env=False, follow_redirects=False)
        return self._http

    async def close(self) -> None:
        """Closes the connections; a later call opens new ones."""
        connections, self._http = self._http, None
        if connections is not None:
            await connections.aclose()


async def _bounded(answer: httpx.Response) -> bytes:
    """A body that ends: a server that streams for ever is cut off."""
    body = bytearray()
    async for chunk in answer.aiter_bytes():
        body += chunk
        if len(body) > _LARGEST:
            raise LlmError("its answer does not end")
    return bytes(body)


def _reply(body: bytes) -> Reply:
    """The model's text and its price. A text that is no JSON object holds nothing, and is paid for all the same."""
    try:
        answer = json.loads(body)
        text = str(answer["choices"][0]["message"]["content"])
        usage = answer.get("usage") or {}
        tokens_in, tokens_out = (max(0, int(usage.get(f"{part}_tokens") or 0)) for part in ("prompt", "completion"))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise LlmError("its answer is no completion") from error
    return Reply(content=_object(text), tokens_in=min(tokens_in, _LARGEST), tokens_out=min(tokens_out, _LARGEST))


def _object(text: str) -> Mapping[str, Any]:
    """A JSON object, with or without a Markdown fence around it; empty for anything else."""
    try:
        content = json.loads(text.strip().removeprefix("```json").removeprefix("```").removesuffix("```"))
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
