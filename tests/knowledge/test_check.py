"""`bot check` holds data/knowledge against its schema and against the catalogue."""

import shutil
from pathlib import Path

import pytest

from bot.checks import faults
from bot.settings import ROOT


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "data"
    shutil.copytree(ROOT / "data", folder)
    monkeypatch.setenv("NJR_DATA_DIR", str(folder))
    return folder / "knowledge"


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


async def test_faults_of_the_passages_name_file_and_line(data: Path) -> None:
    _edit(data / "union-funds.md", "owner: 校工会财务", "owners: 校工会财务")
    _edit(data / "welfare-funds.md", "## 生日慰问", "## 结婚慰问、生育慰问")
    found = "\n".join(await faults())
    assert "union-funds.md:7: owners: Extra inputs are not permitted" in found
    assert "union-funds.md:1: owner: Field required" in found
    assert "welfare-funds.md:19: the heading '结婚慰问、生育慰问' is there twice" in found


async def test_a_passage_must_belong_to_a_question_service(data: Path) -> None:
    _edit(data / "union-funds.md", "service: union_info", "service: counseling")
    found = "\n".join(await faults())
    assert "union-funds.md:3: service: no question service 'counseling'" in found


async def test_faults_of_the_words_name_their_line(data: Path) -> None:
    (data / "words.yml").write_text("stop: [的]\nsome: [的]\n", encoding="utf-8")
    assert any("words.yml:2: some" in fault for fault in await faults())
