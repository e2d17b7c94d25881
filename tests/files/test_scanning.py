"""The virus scanner: real child processes that find something, find nothing, fail, hang."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING

import pytest

from actions.core.errors import ConfigurationError, DomainError
from bot.files import scanner
from tests.files.conftest import FILES, LIN_ID, filing, upload
from tests.files.samples import pdf

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import World

VIRUS = pdf() + b"X5O!P%@AP-TEST\n%%EOF\n"

#: Looks for the mark on its standard input, or in the file that its argument names.
LOOKS = """
import sys
source = open(sys.argv[1], "rb") if len(sys.argv) > 1 else sys.stdin.buffer
sys.exit(1 if b"X5O!P" in source.read() else 0)
"""
#: Starts a child of its own, writes down who that is, and neither of the two comes to an end.
HANGS = """
import pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
pathlib.Path(sys.argv[1]).write_text(str(child.pid))
time.sleep(600)
"""
TELLS = """
import os, pathlib, sys
pathlib.Path(sys.argv[1]).write_text("\\n".join(os.environ))
"""


def script(folder: Path, text: str, *arguments: str) -> str:
    file = folder / "scan tool.py"
    file.write_text(text, encoding="utf-8")
    return " ".join(f"'{word}'" for word in (sys.executable, str(file), *arguments))


@pytest.mark.parametrize("arguments", [(), ("{path}",)], ids=["on its input", "by its path"])
async def test_what_is_clean_is_taken_and_what_is_infected_is_not(
    world: World, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    files = filing(world, scan=scanner(script(tmp_path, LOOKS, *arguments), 30))
    await files.desk.keep(files.address(), LIN_ID, "a.pdf", io.BytesIO(pdf()))
    with pytest.raises(DomainError, match="file_infected"):
        await files.desk.keep(files.address(), LIN_ID, "a.pdf", io.BytesIO(VIRUS))
    assert [row.key for row in await files.rows()] == files.folder


async def test_a_scanner_that_hangs_is_ended_with_its_children(world: World, tmp_path: Path) -> None:
    note = tmp_path / "child"
    files = filing(world, scan=scanner(script(tmp_path, HANGS, str(note)), 1.5))
    with pytest.raises(DomainError, match="file_scan_failed"):
        await files.desk.keep(files.address(), LIN_ID, "a.pdf", io.BytesIO(pdf()))
    assert (await files.rows(), files.folder) == ([], [])
    with pytest.raises(ProcessLookupError):
        while True:  # the system takes a moment to forget it
            os.kill(int(note.read_text()), 0)
            os.waitid(os.P_PID, 0, os.WNOHANG) if False else os.sched_yield()


@pytest.mark.parametrize("command", ["/no/such/scanner -", f"'{sys.executable}' -c 'raise SystemExit(2)'"])
async def test_a_scan_that_fails_refuses_for_now(world: World, command: str) -> None:
    files = filing(world, scan=scanner(command, 30))
    async with files.browser() as browser:
        answer = await upload(browser, pdf(), "a.pdf")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "file_scan_failed")
    assert "稍后再试" in answer.json()["error"]["message"]
    assert (await files.rows(), files.folder) == ([], [])


async def test_the_scanner_sees_none_of_our_secrets(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NJR_VAULT__KEYS", "secret")
    note = tmp_path / "environment"
    files = filing(world, scan=scanner(script(tmp_path, TELLS, str(note)), 30))
    await files.desk.keep(files.address(), LIN_ID, "a.pdf", io.BytesIO(pdf()))
    assert "PATH" in note.read_text().split()
    assert "NJR_VAULT__KEYS" not in note.read_text()


def test_a_command_that_cannot_be_read_is_the_operators_to_mend() -> None:
    with pytest.raises(ConfigurationError, match=r"files\.scan_command"):
        scanner("clamdscan 'unfinished", 30)


async def test_the_setting_reaches_the_house(world: World) -> None:
    assert FILES
    async with filing(world).browser() as browser:
        assert (await upload(browser, pdf(), "a.pdf")).status_code == 201
