"""`bot …` as an operator runs it: a child process, with a var/ of the test's own."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.peers.server import environment, new_var, run_bot

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[Any]:
        """What it printed, a JSON value on each line."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True, kw_only=True, slots=True)
class Cli:
    """The command line over one var/ folder."""

    var: Path
    settings: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str, stdin: str | bytes = b"", **settings: str) -> Ended:
        """Runs `bot …` to its end. It must never show a stack trace."""
        given = stdin.encode() if isinstance(stdin, str) else stdin
        done = run_bot(*arguments, env=environment(self.var, **self.settings, **settings), stdin=given)
        ended = Ended(code=done.returncode, out=done.stdout.decode(), err=done.stderr.decode())
        assert "Traceback" not in ended.err, ended.err
        return ended


@pytest.fixture
def bot(tmp_path: Path) -> Cli:
    """A command line over an empty var/."""
    return Cli(var=new_var(tmp_path))


@pytest.fixture(scope="module")
def shared_bot(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """One that the tests of a module share."""
    return Cli(var=new_var(tmp_path_factory.mktemp("shared")))
