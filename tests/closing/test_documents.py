"""Papers as Word and Excel, and the archive: what was typed stays text, and nothing leaves its folder."""

import io
import zipfile
from datetime import UTC, date, datetime
from typing import Any

import docx
import openpyxl
import pytest
from docx.shared import Cm, Length
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.blocks.documents import Column, Paper, Part, SignOff, Table, file_name
from actions.blocks.documents_archive import archive
from actions.blocks.documents_excel import workbook
from actions.blocks.documents_word import word

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
COLUMNS = (Column(title="序号", width=2), Column(title="姓名"), Column(title="签名", width=6))


def _paper(*rows: tuple[Any, ...], **more: Any) -> Paper:
    table = Table(columns=COLUMNS, rows=rows, tall=True)
    return Paper(title="签到表", parts=(Part(heading="名单", lines=("南湖校区",), table=table),), **more)


def _millimetres(*lengths: Length | None) -> tuple[int, ...]:
    return tuple(round((length or Cm(0)) / Cm(0.1)) for length in lengths)


def _book(content: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(content))


def test_a_paper_is_a4_with_its_table_and_its_sign_off() -> None:
    paper = _paper(
        (1, "张三", ""), (2, "李四", ""), closing=("负责人：",), sign_off=SignOff(name="校工会", day=date(2026, 3, 8))
    )
    made = docx.Document(io.BytesIO(word(paper)))
    section = made.sections[0]
    assert _millimetres(section.page_width, section.page_height) == (210, 297)
    assert [row.cells[1].text for row in made.tables[0].rows] == ["姓名", "张三", "李四"]
    texts = [paragraph.text for paragraph in made.paragraphs if paragraph.text]
    assert texts == ["签到表", "名单", "南湖校区", "负责人：", "校工会", "2026年3月8日"]
    assert all(row.height is not None and row.height >= Cm(0.9) for row in made.tables[0].rows)
    assert "tblHeader" in made.tables[0].rows[0]._tr.xml
    assert "eastAsia" in made.paragraphs[0]._p.xml


def test_a_wide_paper_lies_on_its_side() -> None:
    made = docx.Document(io.BytesIO(word(_paper(landscape=True))))
    assert _millimetres(made.sections[0].page_width, made.sections[0].page_height) == (297, 210)
    sheet = _book(workbook([_paper((1, "张三", ""), landscape=True)])).worksheets[0]
    assert sheet.page_setup.orientation == "landscape"


@pytest.mark.parametrize(
    "name", ["=1+1", '=HYPERLINK("http://x","点我")', "+86", "-张三", "@SUM(A1)", "\t=1", " =2", "＝1＋1"]
)
def test_what_looks_like_a_formula_is_text(name: str) -> None:
    sheet = _book(workbook([_paper((1, name, ""))])).worksheets[0]
    cell = sheet.cell(4, 2)
    assert (cell.data_type, cell.quotePrefix) == ("s", True)
    assert str(cell.value).strip() == name.strip()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=30), min_size=1, max_size=5))
def test_whatever_people_typed_can_be_written_and_is_no_formula(names: list[str]) -> None:
    paper = _paper(*((number, name, "") for number, name in enumerate(names)))
    sheet = _book(workbook([paper])).worksheets[0]
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    assert len(docx.Document(io.BytesIO(word(paper))).tables[0].rows) == len(names) + 1


def test_every_table_has_a_sheet_of_its_own_that_prints_on_a4() -> None:
    book = _book(workbook([_paper((1, "甲", "")), _paper((1, "乙", ""))]))
    assert book.sheetnames == ["名单", "名单 2"]
    for sheet in book.worksheets:
        assert (int(sheet.page_setup.paperSize or 0), sheet.print_title_rows) == (9, "$3:$3")
        assert sheet.sheet_properties.pageSetUpPr is not None
        assert sheet.sheet_properties.pageSetUpPr.fitToPage


def test_a_row_that_does_not_fit_its_columns_is_a_fault() -> None:
    with pytest.raises(ValueError, match="2 cells for 3 columns"):
        _paper((1, "张三"))


def test_an_archive_holds_word_and_excel_and_what_goes_with_them() -> None:
    made = zipfile.ZipFile(
        io.BytesIO(archive("气排球", [_paper((1, "甲", "")), _paper((2, "乙", ""))], NOW, {"二维码.png": b"x"}))
    )
    assert made.testzip() is None
    assert made.namelist() == ["01 签到表.docx", "02 签到表.docx", "气排球.xlsx", "二维码.png"]
    assert made.getinfo("气排球.xlsx").date_time == (2026, 11, 22, 9, 0, 0)
    assert _book(made.read("气排球.xlsx")).sheetnames == ["名单", "名单 2"]


@settings(deadline=None)
@given(
    st.lists(st.one_of(st.text(), st.sampled_from(["../../a", "/etc/x.png", "..", "a\\b", ".", "con.png"])), max_size=6)
)
def test_no_name_leads_out_of_the_folder_or_over_another(names: list[str]) -> None:
    made = zipfile.ZipFile(io.BytesIO(archive("甲", [], NOW, dict.fromkeys(names, b""))))
    found = made.namelist()
    assert len({name.casefold() for name in found}) == len(found) == len(set(names))
    for name in found:
        assert "/" not in name
        assert "\\" not in name
        assert name.strip(".") != ""


@settings(deadline=None)
@given(st.text())
def test_a_file_name_is_short_and_never_empty(text: str) -> None:
    assert 0 < len(file_name(text, 31)) <= 31
