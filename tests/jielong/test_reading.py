"""Reading a pasted 接龙: shapes of lines, who is meant, how surely, and what is never guessed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.blocks.jielong import named_in, read_jielong
from actions.blocks.jielong_lines import folded, heading_of, lines_of
from actions.blocks.jielong_pack import qr_picture
from actions.blocks.jielong_roster import Person, Roster, sound
from bench.jielong import figures, load

ROSTER = Roster(
    [
        Person(id=1, name="张伟", unit="机电工程学院", staff_id="20110101", phone="13900010001"),
        Person(id=2, name="张伟", unit="文学院", staff_id="20120102", phone="13900010002"),
        Person(id=3, name="王芳", unit="图书馆", staff_id="20090103", phone="13900010003"),
        Person(id=4, name="欧阳明远", unit="计算机科学与技术学院", staff_id="20160109", phone="13900010009"),
        Person(id=5, name="单晓光", unit="安全工程学院", staff_id="20120143"),
        Person(id=6, name="Tom Baker", unit="外国语言文化学院", staff_id="20230159"),
    ]
)


def _of(line: str) -> list[tuple[str, tuple[int, ...]]]:
    return [(mention.certainty, mention.candidates) for mention in read_jielong(f"#接龙 讲座\n{line}", ROSTER).mentions]


def test_the_evaluation_is_large_and_does_not_get_worse() -> None:
    """Figures of all lines, written before the parser and after it; who is sure is right."""
    roster, cases = load()
    values, faults = figures(cases, roster)
    assert values["entries"] >= 120
    assert values["precision of sure"] == 1.0, faults
    assert values["recall of sure"] >= 0.98, faults
    assert values["offered when unsure"] >= 0.95, faults
    assert values["strangers known as such"] >= 0.9, faults
    assert values["invented"] == 0, faults


@pytest.mark.parametrize(
    "number",
    [
        "1. ",
        "1、",
        "１．",
        "1) ",
        "(1)",
        "（1）",
        "1️⃣ ",
        "🔟",
        "①",
        "❶",
        "⒈",
        "一、",
        "1: ",
        "1：",
        "1-",
        "1 ",
        "1",
        "1号 ",
        "No.1 ",
        "10.1 ",
    ],
)
def test_every_way_to_number_a_line_is_read(number: str) -> None:
    assert _of(f"{number}王芳 图书馆") == [("sure", (3,))]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("1. 张伟", [("unsure", (1, 2))]),
        ("1. 张伟 文学院", [("sure", (2,))]),
        ("1. 张伟 20120102", [("sure", (2,))]),
        ("1. 张伟 尾号0001", [("sure", (1,))]),
        ("1. 20120102", [("sure", (2,))]),
        ("1. 王芳 20120102", [("unsure", (2, 3))]),
        ("1. 王芳 机电", [("unsure", (3,))]),
        ("1. 王方 图书馆", [("unsure", (3,))]),
        ("1. 老王", [("unsure", (3,))]),
        ("1. 单老师", [("unsure", (5,))]),
        ("1. 歐陽明遠", [("sure", (4,))]),
        ("1. tom baker", [("sure", (6,))]),
        ("1. 赵六", [("unknown", ())]),
        ("1. +1", [("unknown", ())]),
        ("1. 王芳、单晓光", [("sure", (3,)), ("sure", (5,))]),
        ("1. 王芳，赵六", [("sure", (3,)), ("unknown", ())]),
    ],
)
def test_who_is_meant(line: str, found: list[tuple[str, tuple[int, ...]]]) -> None:
    assert _of(line) == found


def test_the_last_word_about_somebody_counts() -> None:
    text = "#接龙\n1. 王芳\n2. 单晓光\n3. 王芳 取消\n4. 单晓光 不去了\n5. 单晓光 又能去了"
    final = read_jielong(text, ROSTER).final
    assert {member: mention.called_off for member, mention in final.items()} == {3: True, 5: False}


def test_companions_are_counted_once() -> None:
    read = read_jielong("#接龙\n1. 王芳+2\n2. 单晓光一家三口\n3. 欧阳明远 带家属两人", ROSTER)
    assert [mention.companions for mention in read.mentions] == [2, 2, 2]


def test_heading_example_and_talk_are_no_entries() -> None:
    text = "#接龙\n健康大讲堂 12月3日下午2:30\n例 1. 张三 文学院\n1. 王芳\n收到\n谢谢张伟老师组织\n2. "
    read = read_jielong(text, ROSTER)
    assert [line.kind for line in lines_of(text)] == [
        "heading",
        "heading",
        "example",
        "entry",
        "loose",
        "loose",
        "entry",
    ]
    assert read.heading == "健康大讲堂 12月3日下午2:30"
    assert [mention.place for mention in read.mentions] == [4]
    assert [place for place, _ in read.unread] == [5, 6]


@pytest.mark.parametrize(
    ("heading", "titles", "found"),
    [
        (
            "#接龙 健康大讲堂 科学睡眠 周三下午",
            ["健康大讲堂：科学睡眠", "健康大讲堂：颈肩腰腿保健"],
            "健康大讲堂：科学睡眠",
        ),
        ("羽毛球双打报名", ["羽毛球", "羽毛球双打"], "羽毛球双打"),
        ("羽毛球社团活动", ["羽毛球", "羽毛球双打"], "羽毛球"),
        ("周末爬山", ["羽毛球", "健康大讲堂"], ""),
        ("", ["羽毛球"], ""),
    ],
)
def test_the_heading_tells_which_activity_it_is(heading: str, titles: list[str], found: str) -> None:
    assert (*named_in(heading, titles), "")[0] == found


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_can_be_pasted(text: str) -> None:
    read = read_jielong(text, ROSTER)
    for mention in read.mentions:
        assert (mention.certainty == "unknown") == (not mention.candidates)
        assert mention.certainty != "sure" or len(mention.candidates) == 1
    assert set(read.final) <= set(ROSTER.people)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["王芳", "单晓光", "欧阳明远"]), min_size=1, max_size=12))
def test_a_plain_list_is_read_completely(names: list[str]) -> None:
    text = "#接龙 讲座\n" + "\n".join(f"{number}. {name}" for number, name in enumerate(names, start=1))
    read = read_jielong(text, ROSTER)
    assert [ROSTER.people[mention.candidates[0]].name for mention in read.mentions] == names
    assert {ROSTER.people[one].name for one in read.final} == set(names)


def test_sounds_and_characters() -> None:
    assert sound("陈小燕") == sound("陈晓燕")
    assert sound("单晓光").startswith("shan")
    assert folded("張偉（圖書館）１") == "张伟(图书馆)1"
    assert heading_of(lines_of("【#接龙】\n瑜伽班\n1. 王芳")) == "瑜伽班"


def test_a_qr_picture_is_a_png_and_wants_a_link() -> None:
    assert qr_picture("https://union.example/chat").startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="link"):
        qr_picture("")
