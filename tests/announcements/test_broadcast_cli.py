"""`bot broadcast` and `bot chase`: the ledger's counts, a bar for people, JSON for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result
from openpyxl import load_workbook

from bot.__main__ import main
from bot.settings import ROOT
from tests.files.samples import picture

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def var(tmp_path: Path, demo_template: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The demo world, as the command line finds it."""
    import shutil  # noqa: PLC0415 - here alone

    folder = tmp_path / "var"
    shutil.copytree(demo_template, folder)
    monkeypatch.setenv("NJR_VAR_DIR", str(folder))
    monkeypatch.setenv("NJR_SETTINGS", str(tmp_path / "none.yml"))
    monkeypatch.setenv("NJR_VAULT__KEYS", "t1:" + "A" * 43 + "=")
    # The machine's clock may stand in the quiet hours.
    monkeypatch.setenv("NJR_DELIVERY__QUIET_FROM", "00:00")
    monkeypatch.setenv("NJR_DELIVERY__QUIET_UNTIL", "00:00")
    return folder


def _bot(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def test_the_counts_are_the_ledgers(var: Path) -> None:
    told = _bot("broadcast", "--to", "全体", "--text", "示例通知", "--wait", "--json")
    assert told.exit_code == 0, told.output
    counts = json.loads(told.stdout)
    assert {key: counts[key] for key in ("state", "total", "told", "failed", "waiting")} == {
        "state": "sent",
        "total": 39,
        "told": 38,
        "failed": 1,
        "waiting": 0,
    }
    assert counts["reasons"] == [{"state": "failed", "reason": "nobody is bound", "count": 1}]


def test_a_bar_is_shown_and_the_rest_waits_for_its_time(var: Path) -> None:
    told = _bot("broadcast", "--to", "单位:文学院", "--text", "示例通知", "--wait")
    assert told.exit_code == 0, told.output
    assert "100% 6/6" in told.stderr
    assert "共 6，发到 6" in told.stdout
    later = _bot(
        "broadcast", "--to", '{"kind": "units", "names": ["文学院"]}', "--text", "以后", "--at", "2099-01-01T09:00"
    )
    assert later.exit_code == 1
    assert "最多提前" in later.output


def test_a_preview_counts_and_shows_and_sends_nothing(var: Path) -> None:
    shown = _bot("broadcast", "--to", "单位:文学院", "--text", "一字不改", "--preview", "--as", "20100903")
    assert shown.exit_code == 0, shown.output
    assert "单位:文学院：6 位，其中 6 位收得到。\n\n一字不改" in shown.stdout
    counted = _bot("broadcast", "--to", "全体", "--text", "x", "--preview", "--as", "20100903", "--json")
    data = json.loads(counted.stdout)
    assert {key: data[key] for key in ("members", "reachable", "approval")} == {
        "members": 39,
        "reachable": 38,
        "approval": True,
    }
    sent = _bot("broadcast", "--to", "单位:文学院", "--text", "x", "--json")
    assert json.loads(sent.stdout)["announcement_id"] == 1  # the previews left none


def test_pictures_and_a_receipt_go_along(var: Path, tmp_path: Path) -> None:
    poster = tmp_path / "海报.png"
    poster.write_bytes(picture("PNG"))
    arguments = ("broadcast", "--to", "单位:文学院", "--text", "见图", "--picture", str(poster), "--receipt", "3")
    refused = _bot(*arguments)
    assert refused.exit_code == 2
    assert "--as" in refused.output
    told = _bot(*arguments, "--as", "20100903", "--wait", "--json")
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["told"] == 6
    assert "6 位没回" in _bot("chase", "announcement:1").output
    no_picture = tmp_path / "不是图.png"
    no_picture.write_bytes(b"<html>")
    wrong = _bot("broadcast", "--to", "单位:文学院", "--text", "x", "--picture", str(no_picture), "--as", "20100903")
    assert wrong.exit_code == 1
    assert "Traceback" not in wrong.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--to", "单位:美术学院"], "没有找到“美术学院”这个单位"),
        (["--to", "全体", "--as", "20130517"], "您可以发给本单位（文学院）"),
        (["--to", "全体", "--as", "1"], "1"),
        (["--to", "{不是", "--text", "x"], "--to"),
        (["--to", "全体", "--at", "明天"], "--at"),
    ],
)
def test_what_is_refused_is_told_in_words(var: Path, arguments: list[str], told: str) -> None:
    refused = _bot("broadcast", "--text", "示例", *arguments)
    assert refused.exit_code in (1, 2)
    assert told in refused.output
    assert "Traceback" not in refused.output


def test_the_table_is_written_as_excel(var: Path, tmp_path: Path) -> None:
    asked = _bot(
        "do", "announcements.announce", "--as", "20100903", "--json",
        json.dumps({"to": "单位:文学院", "text": "要回执", "answer_in_days": 3}),
    )  # fmt: skip
    assert asked.exit_code == 0, asked.output
    out = tmp_path / "催办.xlsx"
    told = _bot("chase", "1", "--out", str(out))
    assert told.exit_code == 0, told.output
    assert "6 位没回" in told.output
    assert [row[0].value for row in load_workbook(out).worksheets[0].iter_rows(min_row=3)] == ["文学院"]


def test_what_the_document_names_is_there() -> None:
    text = (ROOT / "docs" / "announcements.md").read_text(encoding="utf-8")
    for command in ("bot broadcast", "bot chase", "--wait", "data/greetings.yml", "data/topics.yml"):
        assert command in text
