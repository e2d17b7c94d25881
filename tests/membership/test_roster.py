"""Reading a roster from Excel: every good row, and what is wrong with every other."""

from __future__ import annotations

import zipfile
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook
from pydantic import ValidationError

from actions.core.errors import DomainError
from actions.membership import cells, read_roster, roster
from actions.membership.people import fold_name, fold_staff_id
from actions.membership.roster import RosterRow

if TYPE_CHECKING:
    from pathlib import Path

    from openpyxl.cell.cell import Cell

    from bot.wording import Wording

HEADER = ["工号", "姓名", "性别", "单位", "手机", "邮箱", "出生日期", "状态", "标签"]
TODAY = date(2026, 11, 23)


def write(folder: Path, *rows: list[Any], header: list[Any] | None = None) -> Path:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (header or HEADER, *rows):
        sheet.append(row)
    path = folder / "roster.xlsx"
    book.save(path)
    return path


def faults(path: Path) -> list[tuple[int, str, str]]:
    return [(fault.row, fault.column, fault.problem) for fault in read_roster(path, today=TODAY).faults]


def test_a_good_row_is_read_whole(tmp_path: Path):
    born = datetime(1985, 3, 12)  # noqa: DTZ001 - so Excel keeps a date
    row = ["20180312", "林一帆", "男", "文学院", "138 0000 0001", "lin@example.edu.cn", born, "在职", "单身、青年"]
    found = read_roster(write(tmp_path, row), today=TODAY)
    assert found.faults == ()
    assert found.rows == (
        RosterRow(
            staff_id="20180312",
            name="林一帆",
            sex="男",
            unit="文学院",
            phone="13800000001",
            email="lin@example.edu.cn",
            birthday=date(1985, 3, 12),
            status="active",
            tags=("单身", "青年"),
        ),
    )


def test_columns_may_stand_in_any_order_and_what_is_not_there_is_not_said(tmp_path: Path):
    header = ["序号", "邮　箱", "姓 名*", "备注", "工号（必填）"]
    found = read_roster(write(tmp_path, [1, "a@b.cn", "孙悦", "x", 20210107], header=header))
    (row,) = found.rows
    assert (row.staff_id, row.name, row.email) == ("20210107", "孙悦", "a@b.cn")
    assert (row.unit, row.sex, row.phone, row.birthday, row.status, row.tags) == (None,) * 6


def test_a_merged_title_above_the_header_is_passed_over(tmp_path: Path):
    book = Workbook()
    book.create_sheet("说明", 0)["A1"] = "请填下一张表"
    sheet = book.worksheets[1]
    sheet.append(["工会会员名册（2026 年）"])
    sheet.merge_cells("A1:I1")
    sheet.append([])
    sheet.append(HEADER)
    sheet.append(["20180312", "林一帆"])
    sheet.append(["", "无号"])
    book.save(tmp_path / "roster.xlsx")
    found = read_roster(tmp_path / "roster.xlsx")
    assert [row.name for row in found.rows] == ["林一帆"]
    assert [(fault.row, fault.problem) for fault in found.faults] == [(5, "missing_staff_id")]


def test_a_unit_merged_beside_its_members_is_the_unit_of_all(tmp_path: Path):
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["单位", "工号", "姓名"])
    for number in range(3):
        sheet.append(["文学院" if number == 0 else None, f"2018000{number}", f"张{number}"])
    sheet.merge_cells("A2:A4")
    book.save(tmp_path / "roster.xlsx")
    assert [row.unit for row in read_roster(tmp_path / "roster.xlsx").rows] == ["文学院"] * 3


@pytest.mark.parametrize(
    "value", [20180312, 20180312.0, "20180312", " 20180312 ", "２０１８０３１２", "2018 0312", "20180312\n"]
)
def test_a_staff_id_however_excel_keeps_it(tmp_path: Path, value: Any):
    assert read_roster(write(tmp_path, [value, "林一帆"])).rows[0].staff_id == "20180312"


@pytest.mark.parametrize(
    "value",
    ["1985-03-12", "1985/3/12", "1985.3.12", "1985年3月12日", "19850312", 19850312, 19850312.0, date(1985, 3, 12)],
)
def test_a_birthday_however_it_is_written(tmp_path: Path, value: Any):
    row = read_roster(write(tmp_path, ["1", "林一帆", "", "", "", "", value])).rows[0]
    assert row.birthday == date(1985, 3, 12)


BAD = [
    ("工号", None, "missing_staff_id"),
    ("工号", "  ", "missing_staff_id"),
    ("工号", "2018/0312", "bad_staff_id"),
    ("工号", 20180312.5, "bad_staff_id"),
    ("工号", "1" * 21, "bad_staff_id"),
    ("工号", True, "wrong_kind"),
    ("工号", date(2018, 3, 12), "wrong_kind"),
    ("工号", "=A1", "formula_cell"),
    ("工号", "#N/A", "error_cell"),
    ("姓名", "　", "missing_name"),
    ("姓名", '=HYPERLINK("http://x","林")', "formula_cell"),
    ("姓名", "林\n一帆", "control_characters"),
    ("姓名", "林\u202e一帆", "control_characters"),
    ("姓名", "林" * 41, "too_long"),
    ("性别", "男男", "unknown_sex"),
    ("性别", 1, "unknown_sex"),
    ("单位", "学" * 81, "too_long"),
    ("手机", "call me", "bad_phone"),
    ("手机", "=1+1", "formula_cell"),
    ("邮箱", "lin.example.edu.cn", "bad_email"),
    ("邮箱", "a@b.cn\r\nBcc: c@d.cn", "control_characters"),
    ("邮箱", "a@b.cn,c@d.cn", "bad_email"),
    ("出生日期", "1985-02-30", "bad_date"),
    ("出生日期", "八五年", "bad_date"),
    ("出生日期", 31119, "bad_date"),
    ("出生日期", "2085-01-01", "bad_date"),
    ("出生日期", "1885-01-01", "bad_date"),
    ("出生日期", True, "wrong_kind"),
    ("状态", "请假", "unknown_status"),
    ("标签", "很" * 21, "too_long"),
]


@pytest.mark.parametrize(("column", "value", "problem"), BAD)
def test_a_bad_cell_is_told_by_row_and_column_and_the_other_rows_are_read(
    tmp_path: Path, wording: Wording, column: str, value: Any, problem: str
):
    row: list[Any] = ["20180312", "林一帆", "男", "文学院", "13800000001", "a@b.cn", "1985-03-12", "在职", ""]
    row[HEADER.index(column)] = value
    found = read_roster(write(tmp_path, ["1", "前"], row, ["2", "后"]), today=TODAY)
    (fault,) = found.faults
    assert (fault.row, fault.column, fault.problem) == (3, column, problem)
    assert [good.name for good in found.rows] == ["前", "后"]
    assert found.bad == 1
    text = wording.text(fault.wording, fault.params)
    assert "第 3 行" in text
    assert not cells.has_hidden(text)


def test_one_row_may_have_many_faults_and_counts_once(tmp_path: Path):
    path = write(tmp_path, [None, "", "x", "", "y", "z", "w", "v"])
    assert [fault[2] for fault in faults(path)] == [
        "missing_staff_id",
        "missing_name",
        "unknown_sex",
        "bad_phone",
        "bad_email",
        "bad_date",
        "unknown_status",
    ]
    assert read_roster(path).bad == 1


def test_of_a_doubled_staff_id_the_first_row_counts(tmp_path: Path):
    path = write(tmp_path, ["1", "林一帆"], ["2", "孙悦"], [1.0, "林一帆"], ["１", "林一帆"])
    assert faults(path) == [(4, "工号", "doubled"), (5, "工号", "doubled")]
    assert [row.staff_id for row in read_roster(path).rows] == ["1", "2"]


def test_where_the_names_differ_nobody_can_tell_who_is_meant(tmp_path: Path):
    path = write(tmp_path, ["1", "林一帆"], ["2", "孙悦"], ["1", "林二帆"])
    assert faults(path) == [(2, "工号", "doubled"), (4, "工号", "doubled")]
    assert [row.staff_id for row in read_roster(path).rows] == ["2"]


def test_blank_rows_are_no_faults(tmp_path: Path):
    path = write(tmp_path, ["1", "林一帆"], [], [None, "  ", ""], ["2", "孙悦"])
    assert faults(path) == []
    assert len(read_roster(path).rows) == 2


HOSTILE = ["<script>alert(1)</script>", "Robert'); DROP TABLE member;--", "@SUM(1+1)", "-2+3", "+cmd|' /C calc'!A0"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_a_name(tmp_path: Path, name: str):
    assert read_roster(write(tmp_path, ["1", name])).rows[0].name == name


def test_a_name_that_excel_keeps_as_text_is_no_formula(tmp_path: Path):
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["工号", "姓名"])
    sheet["A2"] = "1"
    sheet["B2"].value = "=1+1"
    sheet["B2"].data_type = "s"
    book.save(tmp_path / "roster.xlsx")
    assert read_roster(tmp_path / "roster.xlsx").rows[0].name == "=1+1"


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "roster_unreadable"), (b"\xd0\xcf\x11\xe0old", "roster_unreadable"), (b"PK\x03\x04", "roster_unreadable")],
)
def test_what_is_no_excel_file(tmp_path: Path, wording: Wording, content: bytes, code: str):
    path = tmp_path / "roster.xlsx"
    path.write_bytes(content)
    with pytest.raises(DomainError) as caught:
        read_roster(path)
    assert caught.value.code == code
    assert "roster.xlsx" in wording.text(f"errors.{code}", caught.value.params)


def test_a_zip_of_something_else(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "roster.xlsx", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(DomainError, match="roster_unreadable"):
        read_roster(tmp_path / "roster.xlsx")


def test_a_file_that_swells_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(roster, "_MOST_UNPACKED", 1_000_000)
    with zipfile.ZipFile(tmp_path / "roster.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"\0" * 1_000_001)
    with pytest.raises(DomainError, match="roster_too_large"):
        read_roster(tmp_path / "roster.xlsx")


def test_a_file_that_is_not_there(tmp_path: Path):
    with pytest.raises(DomainError, match="roster_unreadable"):
        read_roster(tmp_path / "nowhere.xlsx")


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (["编号", "姓名"], "roster_no_header"),
        (["工号"], "roster_no_header"),
        (["工号", "姓名", "职工号"], "roster_double_column"),
    ],
)
def test_a_header_that_is_none(tmp_path: Path, wording: Wording, header: list[str], code: str):
    with pytest.raises(DomainError) as caught:
        read_roster(write(tmp_path, ["1", "林一帆", "2"], header=header))
    assert caught.value.code == code
    assert wording.text(f"errors.{code}", caught.value.params)


@pytest.mark.parametrize("values", [{"name": "a\x07b"}, {"name": ""}, {"email": "x" * 121}, {"staff_id": "a b"}])
def test_rows_that_do_not_come_from_a_file_are_held_to_the_same(values: dict[str, str]):
    with pytest.raises(ValidationError):
        RosterRow(**{"staff_id": "1", "name": "林一帆", **values})


def _cell(value: str) -> Cell:
    sheet = Workbook().active
    assert sheet is not None
    cell = sheet.cell(1, 1, value)
    cell.data_type = "s"
    return cell


@given(st.text(alphabet=st.characters(blacklist_categories=["Cc", "Cf", "Cs", "Co"]), max_size=40))
def test_whatever_can_be_seen_is_read_as_it_stands(text: str):
    assert cells.text(_cell(text), longest=40) == text.strip()


@given(st.text(min_size=1))
def test_folding_twice_is_folding_once(text: str):
    assert fold_name(fold_name(text)) == fold_name(text)
    assert fold_staff_id(fold_staff_id(text)) == fold_staff_id(text)


@given(st.text())
def test_what_is_shown_steers_no_terminal(text: str):
    assert not cells.has_hidden(cells.shown(text))
    assert len(cells.shown(text)) <= 40
