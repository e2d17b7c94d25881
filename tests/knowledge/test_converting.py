"""Files of officers: Word, PDF, Markdown; parted into passages."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.core.errors import DomainError
from actions.knowledge.converting import parted, rejoined, to_markdown
from actions.knowledge.passages import LONGEST, fault_of
from tests.knowledge.papers import pdf, word


def test_word_keeps_headings_and_tables() -> None:
    markdown = to_markdown(word([("会费", "会费按月交。"), ("退费", "不退。")], [["项目", "次数"], ["瑜伽", "两次"]]))
    parts = dict(parted(markdown))
    assert parts["会费"] == "会费按月交。"
    assert "| 瑜伽 | 两次 |" in parts["退费"]


def test_a_pdf_is_parted_by_its_articles_and_its_lines_are_joined() -> None:
    markdown = to_markdown(pdf(["第一条 疗休养每年安排一次，由校", "工会统一组织。", "第二条 名额按单位分。"]))
    assert parted(markdown) == [
        ("第一条 疗休养每年安排一次", "第一条 疗休养每年安排一次，由校工会统一组织。"),
        ("第二条 名额按单位分", "第二条 名额按单位分。"),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_plain_text_is_read_in_the_usual_encodings(encoding: str) -> None:
    assert parted(to_markdown("## 会费\n按月交。".encode(encoding))) == [("会费", "按月交。")]


def test_chapters_part_articles_and_are_none_themselves() -> None:
    text = "第一章 总则\n\n第一条 为了做好工作，制定本办法。\n\n第二章 申请\n\n第二条 本人申请。\n\n（一）填表。"
    assert parted(text) == [
        ("第一条 为了做好工作", "第一条 为了做好工作，制定本办法。"),
        ("第二条 本人申请", "第二条 本人申请。\n\n（一）填表。"),
    ]


def test_a_line_in_bold_is_a_heading() -> None:
    assert parted("**怎么报名**\n\n找分工会。\n\n**名额**\n\n十个。") == [
        ("怎么报名", "找分工会。"),
        ("名额", "十个。"),
    ]


def test_a_notice_without_headings_needs_a_name() -> None:
    assert parted("周五下午停用。") == []
    assert parted("周五下午停用。", heading="瑜伽室停用") == [("瑜伽室停用", "周五下午停用。")]


def test_what_is_too_long_is_parted_between_paragraphs() -> None:
    paragraphs = [f"{number}" + "长" * 700 for number in range(4)]
    parts = parted("## 规定\n" + "\n\n".join(paragraphs))
    assert [name for name, _ in parts] == ["规定", "规定（2）"]
    assert "\n\n".join(text for _, text in parts) == "\n\n".join(paragraphs)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"PK\x03\x04 broken", "knowledge_file_broken"),
        (b"%PDF-1.4 broken", "knowledge_file_broken"),
        (b"\x00\x01\x02", "knowledge_file_unknown"),
        (b"\xff\xfe\xfa\xff\xff", "knowledge_file_unknown"),
        (b"  \n ", "knowledge_file_empty"),
        (b"", "knowledge_file_empty"),
    ],
)
def test_what_cannot_be_read_is_refused(content: bytes, code: str) -> None:
    with pytest.raises(DomainError) as refused:
        to_markdown(content)
    assert refused.value.code == code


def test_a_document_that_unpacks_without_end_is_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(6):
            archive.writestr(f"word/{number}.xml", b" " * (20 * 2**20))
    with pytest.raises(DomainError) as refused:
        to_markdown(file.getvalue())
    assert refused.value.code == "knowledge_file_broken"


def test_a_scan_has_no_text() -> None:
    with pytest.raises(DomainError) as refused:
        to_markdown(pdf([]))
    assert refused.value.code == "knowledge_file_empty"


@given(
    st.lists(
        st.sampled_from(["第一条 办法。", "## 标题", "正文" * 300, "", "**粗体**", "一、总则", "第一条 办法。"]),
        max_size=30,
    )
)
def test_every_part_may_be_a_passage(lines: list[str]) -> None:
    parts = parted("\n".join(lines), heading="整份")
    assert len({name for name, _ in parts}) == len(parts)
    assert [fault_of(name, text) for name, text in parts if fault_of(name, text)] == []
    assert all(len(text) <= LONGEST for _, text in parts)


@given(st.text(alphabet="第一条二章、。，文字 \n\r", max_size=200))
def test_joining_lines_loses_no_character(text: str) -> None:
    def bare(each: str) -> str:
        return "".join(each.split())

    assert bare(rejoined(text)) == bare(text)
