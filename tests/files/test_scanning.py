"""The virus scanner: real child processes that find something, find nothing, fail, hang."""

from __future__ import annotations

import asyncio
import io
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from actions.core.errors import ConfigurationError, DomainError
from bot.app import build
from bot.files import scanner
from bot.settings import FileSettings
from bot.understanding import NO_NLU
from tests.files.conftest import LIN_ID, Filing, filing, upload
from tests.files.samples import pdf, picture

if TYPE_CHECKING:
    from tests.conftest import World

VIRUS = pdf() + b"X5O!P%@AP-TEST\n%%EOF\n"

#: Looks for the mark on its standard input, or in the file that its argument names.
LOOKS = """
import sys
source = open(sys.argv[1], "rb") if len(sys.argv) > 1 else sys.stdin.buffer
sys.exit(1 if b"X5O!P" in source.read() else 0)
"""
#: Starts a child of its own, writes down who that is, and neither of the two comes to an end.
HANGS = "sleep 600 & echo $! > {note}; wait"
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
    files = filing(world, scan=scanner(shlex.join(["sh", "-c", HANGS.format(note=note)]), 1))
    with pytest.raises(DomainError, match="file_scan_failed"):
        await files.desk.keep(files.address(), LIN_ID, "a.pdf", io.BytesIO(pdf()))
    assert (await files.rows(), files.folder) == ([], [])
    while _runs(int(note.read_text())):  # noqa: ASYNC110 - another process tells nobody when it ends
        await asyncio.sleep(0.01)


def _runs(process: int) -> bool:
    """Whether a process still does anything; one that only waits to be noticed does not."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    except FileNotFoundError:
        return False
    return "\nState:\tZ" not in status


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


async def test_the_settings_reach_the_house(world: World, tmp_path: Path) -> None:
    given = FileSettings(max_mb=1, kinds=("document",), max_per_form=2, scan_command=script(tmp_path, LOOKS))
    app = build(world.app.settings.model_copy(update={"files": given}), pipeline=NO_NLU, clock=world.clock)
    try:
        assert (app.files.rules.max_bytes, app.files.rules.max_count) == (2**20, 2)
        with pytest.raises(DomainError, match="file_infected"):
            await app.files.keep(Filing.address(), LIN_ID, "a.pdf", io.BytesIO(VIRUS))
        with pytest.raises(DomainError, match="file_kind"):
            await app.files.keep(Filing.address(), LIN_ID, "a.jpg", io.BytesIO(picture()))
    finally:
        await app.house.database.close()
