"""`bot replay`: dialogues in, one JSON object per dialogue out, in the shape that the contract fixes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Cli

pytestmark = pytest.mark.peer

DIALOGUES = """
- name: 约咨询，到时候提醒
  turns:
    - 下周三下午三点想约何医生的心理咨询，线上
    - 同意
    - 王芳 13912345678
    - 确认
    - {text: 谢谢, after: 2d}
- name: 群里不谈私事
  given: {chat: group, who: 王敏}
  turns:
    - 想约心理咨询
    - {text: 你好, who: 赵磊, chat: private}
- name: 有人撑不下去
  turns: [我不想活了]
"""


@pytest.fixture(scope="module")
def played(shared_bot: Cli, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The dialogues by name."""
    folder = tmp_path_factory.mktemp("replay")
    path = folder / "dialogues.yml"
    path.write_text(DIALOGUES, encoding="utf-8")
    (folder / "tmp").mkdir()
    ended = shared_bot("replay", str(path), "--now", "2026-11-22T09:00+08:00", "--json", TMPDIR=str(folder / "tmp"))
    assert (ended.code, ended.err) == (0, "")
    assert list((folder / "tmp").iterdir()) == []
    return {dialogue["name"]: dialogue for dialogue in ended.lines}


def test_every_dialogue_has_the_shape_of_the_contract(played: dict[str, Any]) -> None:
    assert list(played) == ["约咨询，到时候提醒", "群里不谈私事", "有人撑不下去"]
    for dialogue in played.values():
        assert list(dialogue) == ["name", "turns", "records"]
        for turn in dialogue["turns"]:
            assert list(turn) == ["text", "intent", "service", "replies", "alerts"]
            for reply in turn["replies"]:
                assert list(reply) == ["to", "chat", "text", "options"]
                assert all(set(option) == {"label", "value"} for option in reply["options"])
        for record in dialogue["records"]:
            assert list(record) == ["service", "kind", "state", "member", "fields"]


def test_what_is_said_to_whom(played: dict[str, Any]) -> None:
    first, *_, confirmed, later = played["约咨询，到时候提醒"]["turns"]
    assert (first["intent"], first["service"]) == ("book_counseling", "counseling")
    assert [reply["to"] for reply in confirmed["replies"]] == ["林一帆", "何医生"]
    # What is sent while time passes stands under the next turn.
    assert "明天 15:00" not in confirmed["replies"][0]["text"]
    assert later["text"] == "谢谢"


def test_what_is_left_in_the_database_in_clear(played: dict[str, Any]) -> None:
    (record,) = played["约咨询，到时候提醒"]["records"]
    assert {**record, "fields": {}} == {
        "service": "counseling", "kind": "appointment", "state": "booked", "member": "林一帆", "fields": {},
    }  # fmt: skip
    fields = record["fields"]
    assert (fields["time"], fields["counsellor"], fields["mode"]) == ("2026-11-25T15:00:00+08:00", "何医生", "线上")
    assert fields["contact"] == "王芳 13912345678"


def test_a_group_hears_one_neutral_sentence(played: dict[str, Any]) -> None:
    private, other = played["群里不谈私事"]["turns"]
    in_group = [reply for reply in private["replies"] if reply["chat"] == "group"]
    assert [reply["to"] for reply in in_group] == ["group"]
    assert "心理" not in in_group[0]["text"]
    assert [(reply["to"], reply["chat"]) for reply in private["replies"][1:]] == [("王敏", "private")]
    assert [(reply["to"], reply["chat"]) for reply in other["replies"]] == [("赵磊", "private")]


def test_an_alert_is_told_apart(played: dict[str, Any]) -> None:
    (turn,) = played["有人撑不下去"]["turns"]
    assert turn["intent"] == "crisis"
    assert turn["alerts"]


def test_a_slip_in_the_file_is_told(bot: Cli, tmp_path: Path) -> None:
    path = tmp_path / "broken.yml"
    path.write_text("- name: x\n  turns: [你好]\n  trun: y\n", encoding="utf-8")
    ended = bot("replay", str(path), "--json")
    assert (ended.code, ended.out) == (1, "")
    assert f"{path}:" in ended.err
    assert "trun" in ended.err


def test_a_file_that_is_not_there_is_wrong_usage(bot: Cli, tmp_path: Path) -> None:
    assert bot("replay", str(tmp_path / "nowhere.yml")).code == 2
