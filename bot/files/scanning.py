"""The virus scanner: a program of the operator's, run for each file as a child process, never through a shell."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
from typing import TYPE_CHECKING

import structlog

from actions.blocks.materials_intake import no_scan
from actions.core.errors import ConfigurationError, DomainError

if TYPE_CHECKING:
    from pathlib import Path

    from actions.blocks.materials_intake import Scan

log = structlog.get_logger(__name__)

# Where the command holds this word the file's path stands in its place, else the file is its standard input.
_PATH = "{path}"
_CLEAN, _INFECTED = 0, 1


def scanner(command: str, seconds: float) -> Scan:
    """The scanner of `files.scan_command`; none where it is empty.

    It exits with 0 for a clean file and 1 for an infected one (as clamscan and clamdscan do); anything else, and more
    than `seconds`, is a scan that failed: the file is refused, to be sent again later. Raises ConfigurationError for
    a command that cannot be read.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise ConfigurationError(f"files.scan_command: {error}") from error
    return _Scanner(words, seconds) if words else no_scan


class _Scanner:
    def __init__(self, words: list[str], seconds: float) -> None:
        self._words = words
        self._seconds = seconds

    async def __call__(self, file: Path) -> None:
        try:
            status = await self._run(file)
        except (OSError, TimeoutError) as error:
            log.exception("scan_failed", program=self._words[0])
            raise DomainError("file_scan_failed") from error
        if status == _INFECTED:
            log.warning("file_infected")
            raise DomainError("file_infected")
        if status != _CLEAN:
            log.error("scan_failed", program=self._words[0], status=status)
            raise DomainError("file_scan_failed")

    async def _run(self, file: Path) -> int:
        words = [word.replace(_PATH, str(file)) for word in self._words]
        with file.open("rb") as source:
            child = await asyncio.create_subprocess_exec(
                *words,
                stdin=source if words == self._words else asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                # The assistant's secrets are in its environment, and are no business of a scanner.
                env={name: value for name, value in os.environ.items() if not name.startswith("NJR_")},
                start_new_session=True,
            )
        try:
            async with asyncio.timeout(self._seconds):
                return await child.wait()
        finally:
            # With its own children, whatever it started: it leads a process group.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            await child.wait()
