"""`bot check`: nothing to say of the checkout; each fault in what people edit is named with its file and line."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from bot.checks import faults
from bot.settings import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Cli

#: File of data/ -> what is there, what somebody writes instead, and what they are told.
SLIPS = {
    "a rule's name": ("services/counseling.yml", "  minutes: 50", "  minuets: 50", "rules.minuets"),
    "a rule's value": ("services/counseling.yml", "  minutes: 50", "  minutes: fifty", "rules.minutes"),
    "an intent": ("services/counseling.yml", "[book_counseling]", "[book_councelling]", "book_councelling"),
    "a life": ("services/counseling.yml", "life: appointment", "life: appointments", "appointments"),
    "a reminder": ("services/counseling.yml", "notices.remind_day}", "notices.remind_dya}", "notices.remind_dya"),
    "YAML": ("services/health_room.yml", "form:", "form: [", ""),
    "a filter": ("responses/appointments.yml", "starts_at | when", "starts_at | whenever", "whenever"),
    "a sentence twice": ("responses/form.yml", "  missed: ", "  dropped: x\n  missed: ", "dropped"),
    "a keyword's command": ("responses/shortcuts.yml", "appointments.agenda", "appointments.agneda", "agneda"),
    "an example's intent": ("nlu/greet.yml", "intent: greet", "intent: greeting", "greeting"),
    "who speaks in the demo": ("demo/world.yml", "default: 林一帆", "default: 林一凡", "林一凡"),
    "a unit of the demo": ("demo/world.yml", "unit: 机电学院, phone", "unit: 机电系, phone", "机电系"),
    "a calendar of the demo": ("demo/offerings/appointments.yml", "capacity: 20", "capactiy: 20", "spec.capactiy"),
}


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of data/ that the settings of the environment point to."""
    copy = tmp_path / "data"
    shutil.copytree(ROOT / "data", copy)
    monkeypatch.setenv("NJR_DATA_DIR", str(copy))
    monkeypatch.setenv("NJR_VAR_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("NJR_SETTINGS", str(tmp_path / "settings.yml"))
    return copy


@pytest.mark.parametrize("slip", SLIPS)
async def test_a_slip_is_told_with_its_file_and_line(data: Path, slip: str) -> None:
    name, right, wrong, told = SLIPS[slip]
    path = data / name
    text = path.read_text(encoding="utf-8")
    before, found, after = text.partition(right)
    assert found, "the test edits what is not there"
    path.write_text(before + wrong + after, encoding="utf-8")
    first, *_ = await faults()
    place, _, rest = first.partition(": ")
    assert place.startswith(f"{path}:")
    line = int(place.removeprefix(f"{path}:"))
    # The line itself, or for what only shows later or in a whole, one near it.
    assert abs(line - before.count("\n") - 1) <= 4
    assert told in rest


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("http:\n  prot: 8081\n", 2, "http.prot"),
        ("services:\n  counseling:\n    minuets: 40\n", 3, "minuets"),
        ("services:\n  counselling:\n    minutes: 40\n", 2, "counselling"),
        ("http: [\n", 2, ""),
    ],
)
async def test_a_slip_in_the_settings_is_told_too(data: Path, text: str, line: int, told: str) -> None:
    path = data.parent / "settings.yml"
    path.write_text(text, encoding="utf-8")
    (fault,) = await faults()
    assert fault.startswith(f"{path}:{line}: ")
    assert told in fault


async def test_all_faults_of_a_kind_are_told_at_once(data: Path) -> None:
    for name in ("counseling", "health_room"):
        path = data / "services" / f"{name}.yml"
        path.write_text(path.read_text(encoding="utf-8").replace("rules:\n", "rules:\n  nonsense: 1\n"))
    assert len(await faults()) == 2


async def test_nothing_is_written_beside_the_check(data: Path) -> None:
    assert await faults() == []
    assert sorted(path.name for path in data.parent.iterdir()) == ["data"]


@pytest.mark.peer
def test_the_checkout_has_no_fault(bot: Cli) -> None:
    ended = bot("check")
    assert (ended.code, ended.err) == (0, "")


@pytest.mark.peer
def test_a_fault_is_exit_code_1(bot: Cli, data: Path) -> None:
    path = data / "services" / "counseling.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("minutes: 50", "minutes: -1"), encoding="utf-8")
    ended = bot("check", NJR_DATA_DIR=str(data))
    assert ended.code == 1
    assert f"{path}:" in ended.err
