"""The bridge's way to the assistant: its HTTP interface, with a bearer key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from bot.wire import LONGEST_WAIT, PREFIX, Jobs

if TYPE_CHECKING:
    from bot.wire import Asked, Job, Report, Wired

_SECONDS = 30.0
#: Not taken as it is, and never will be.
_REFUSED = frozenset({400, 404, 413, 415, 422})


class LinkError(Exception):
    """The assistant is away, or does not let us in; the reason names no address and no text."""


class Unwelcome(Exception):  # noqa: N818 - says what the assistant said
    """The assistant does not take what was told, and never will."""


class Link:
    """Everything that the bridge says to the assistant. Raises LinkError."""

    def __init__(self, base_url: str, key: str) -> None:
        """Opens nothing yet: connections are made as they are needed."""
        self._client = httpx.AsyncClient(
            base_url=base_url.rstrip("/") + PREFIX,
            headers={"Authorization": f"Bearer {key}"},
            timeout=_SECONDS,
            trust_env=False,
        )

    async def close(self) -> None:
        """Hangs up."""
        await self._client.aclose()

    async def tell(self, happening: Wired, content: bytes | None = None) -> None:
        """Tells what happened, with the file that came along. Raises Unwelcome, too."""
        body = happening.model_dump_json()
        if content is None:
            await self._post("/happenings", content=body, headers={"Content-Type": "application/json"})
        else:
            await self._post("/files", data={"happening": body}, files={"file": ("file", content)})

    async def report(self, report: Report) -> None:
        """Tells how the bridge is, and what it has done."""
        await self._post("/report", content=report.model_dump_json(), headers={"Content-Type": "application/json"})

    async def ask(self, asked: Asked) -> tuple[Job, ...]:
        """What is to be done; waits for it as long as `asked.wait`."""
        answer = await self._post(
            "/outbox",
            content=asked.model_dump_json(),
            headers={"Content-Type": "application/json"},
            timeout=LONGEST_WAIT + _SECONDS,
        )
        try:
            return Jobs.model_validate_json(answer.content).jobs
        except ValueError as error:
            raise LinkError("the answer is no list of jobs") from error

    async def fetch(self, key: str, file: str) -> bytes:
        """A file of a job. Raises Unwelcome where it is gone."""
        return (await self._send("GET", f"/jobs/{key}/files/{file}")).content

    async def _post(self, path: str, **what: object) -> httpx.Response:
        return await self._send("POST", path, **what)

    async def _send(self, method: str, path: str, **what: object) -> httpx.Response:
        try:
            answer = await self._client.request(method, path, **what)  # type: ignore[arg-type]
        except httpx.HTTPError as error:
            raise LinkError(type(error).__name__) from error
        if answer.status_code in _REFUSED:
            raise Unwelcome(f"status {answer.status_code}")
        if answer.is_error or answer.is_redirect:
            raise LinkError(f"status {answer.status_code}")
        return answer
