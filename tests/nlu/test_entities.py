"""Given the names that the records know, when a member writes, then these entities stand at these places."""

from datetime import datetime
from itertools import combinations
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlu import times
from nlu.entities import Extractor

NOW = datetime(2026, 11, 25, 10, 0, tzinfo=ZoneInfo("Asia/Shanghai"))


def same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


GAZETTEER = {
    "service": {"心理咨询": "counseling", "咨询": "counseling"},
    "activity": same("元旦福利", "读书会", "疗休养"),
    "item": {**same("男子100米", "羽毛球双打", "篮球", "拔河"), "4×100接力": "relay", "羽毛球": "badminton"},
    "club": {"羽毛球协会": "badminton", "羽毛球": "badminton", "摄影": "photo", "声乐": "choir"},
    "room": same("瑜伽室", "乒乓球室", "多功能室"),
    "unit": {"文学院": "文学院", "图书馆": "图书馆", "PE部": "pe"},
    "counsellor": same("何医生", "高老师"),
    "person": same("王敏", "陈静", "刘洋"),
}
EXTRACTOR = Extractor(GAZETTEER)


def found(text: str) -> list[tuple[str, str, str]]:
    """Name, value and the piece of the text, in order."""
    entities = EXTRACTOR.extract(text, times.parse(text, NOW))
    return [(entity.name, entity.value, text[entity.start : entity.end]) for entity in entities]


# text, then name=value=piece for each; the piece may be left out where it is the value
TABLE: list[tuple[str, ...]] = [
    # --- names, as they are written
    ("想约何医生的心理咨询", "counsellor=何医生", "service=counseling=心理咨询"),
    ("想約何醫生的心理諮詢", "counsellor=何医生=何醫生", "service=counseling=心理諮詢"),
    ("报名男子100米和4x100接力", "item=男子100米", "item=relay=4x100接力"),
    ("报名男子１００米", "item=男子100米=男子１００米"),
    ("羽毛球双打", "item=羽毛球双打"),
    ("明天下午三点多功能室", "room=多功能室"),
    ("加入羽毛球协会", "club=badminton=羽毛球协会"),
    ("打羽毛球", "club=badminton=羽毛球", "item=badminton=羽毛球"),
    ("领元旦福利", "activity=元旦福利"),
    ("PE部和pe部", "unit=pe=PE部", "unit=pe=pe部"),
    ("TYPE部",),
    # --- names, by their sound
    ("我要约喝医生", "counsellor=何医生=喝医生"),
    ("预约于家室", "room=瑜伽室=于家室"),
    ("预约瑜珈室", "room=瑜伽室=瑜珈室"),
    ("预约心里资询", "service=counseling=心里资询"),
    ("聊休养报名", "activity=疗休养=聊休养"),
    ("篮求赛", "item=篮球=篮求"),
    ("找王民", "person=王敏=王民"),
    ("喝医生和何医生", "counsellor=何医生=喝医生", "counsellor=何医生"),
    # ... and words of their own that only sound like one
    ("关于家事的法律问题",),
    ("沉静下来",),
    ("留洋归来",),
    ("升月",),
    # --- numbers
    ("2", "number=2"),
    ("２", "number=2=２"),
    ("②", "number=2=②"),
    ("二", "number=2=二"),
    ("选2", "number=2"),
    ("8个人", "number=8=8个人"),
    ("一共十二人", "number=12=十二人"),
    ("三位", "number=3=三位"),
    ("两个半小时", "number=2.5=两个半小时"),
    ("1.5小时", "number=1.5=1.5小时"),
    ("半小时", "number=0.5=半小时"),
    ("用2小时，8个人", "number=2=2小时", "number=8=8个人"),
    ("两千五百元", "number=2500=两千五百元"),
    ("两千零五元", "number=2005=两千零五元"),
    ("３万元", "number=30000=３万元"),
    ("50000元", "number=50000=50000元"),
    ("三十来个人", "number=30=三十来个人"),
    ("一个人", "number=1=一个人"),
    ("一个", "number=1=一个"),
    ("推迟一周", "number=1=一周"),
    ("给我换一个", ),
    ("换一天",),
    ("几个人",),
    ("下午2点，2小时", "number=2=2小时"),
    ("三天后",),
    ("2-4点",),
    # --- ordinals
    ("第二个", "ordinal=2=第二个"),
    ("第2个吧", "ordinal=2=第2个"),
    ("选第三套", "ordinal=3=第三套"),
    ("第二", "ordinal=2=第二"),
    ("二号线", "ordinal=2=二号线"),
    ("后一个", "ordinal=-1=后一个"),
    ("最后一个", "ordinal=-1=最后一个"),
    ("最后那个预约", "ordinal=-1=最后那个"),
    ("倒数第二个", "ordinal=-2=倒数第二个"),
    ("前一个", "ordinal=1=前一个"),
    ("头一个", "ordinal=1=头一个"),
    ("上面那个", "ordinal=1=上面那个"),
    ("第二课堂",),
    ("第二食堂",),
    ("第二天",),
    # --- telephone and staff numbers
    ("13800000001", "phone=13800000001"),
    ("手机 138 0000 0001", "phone=13800000001=138 0000 0001"),
    ("+86 138-0000-0001", "phone=13800000001=+86 138-0000-0001"),
    ("１３８００００００01", "phone=13800000001=１３８００００００01"),
    ("0516-83591234", "phone=051683591234=0516-83591234"),
    ("（0516）83591234", "phone=051683591234=（0516）83591234"),
    ("电话83591234", "phone=83591234"),
    ("工号20180312", "staff_id=20180312"),
    ("工号 2018-0312", "staff_id=20180312=2018-0312"),
    ("20180312", "staff_id=20180312"),
    ("工号20180312，手机13800000001", "staff_id=20180312", "phone=13800000001"),
    ("20180312 13800000001", "staff_id=20180312", "phone=13800000001"),
    ("手机1380000000",),
    ("身份证320303198001011234",),
    ("1234567890123456789",),
    ("2026-12-01",),
    ("会议号12345678",),
    ("热线12356",),
    ("1234", "number=1234"),
    # --- any
    ("随便", "any=any=随便"),
    ("都行", "any=any=都行"),
    ("哪个都可以", "any=any=哪个都可以"),
    ("谁都行", "any=any=谁都行"),
    ("无所谓", "any=any=无所谓"),
    ("你看着办", "any=any=你看着办"),
    ("您定吧", "any=any=您定吧"),
    ("不限", "any=any=不限"),
    ("咨询师任意", "service=counseling=咨询", "any=any=任意"),
    ("教职工都可以参加吗",),
    ("随便问问",),
    ("不限时",),
    # --- persons
    ("我叫孙悦", "person=孙悦"),
    ("我叫孙悦，图书馆的", "person=孙悦", "unit=图书馆"),
    ("我叫孙悦图书馆的", "person=孙悦", "unit=图书馆"),
    ("我是孙悦", "person=孙悦"),
    ("我是王民", "person=王敏=王民"),
    ("姓名：孙悦", "person=孙悦"),
    ("姓名 欧阳修", "person=欧阳修"),
    ("我叫李有才。", "person=李有才"),
    ("孙悦，20210107", "person=孙悦", "staff_id=20210107"),
    ("20210107 孙悦", "staff_id=20210107", "person=孙悦"),
    ("孙悦 工号20210107", "person=孙悦", "staff_id=20210107"),
    ("队员：王敏、赵磊、孙小悦", "person=王敏", "person=赵磊", "person=孙小悦"),
    ("想找李小明老师", "person=李小明"),
    ("陈静老师", "person=陈静"),
    ("我是陈静老师的学生", "person=陈静"),
    ("我是老师",),
    ("我是新来的",),
    ("我是想问一下",),
    ("我是高级工程师",),
    ("我是任课老师",),
    ("我是程序员",),
    ("我是马上要退休的",),
    ("我是文学院的", "unit=文学院"),
    ("能安排老师接待吗",),
    ("王老师",),
    ("各位老师好",),
    ("我叫不上名字",),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), [(row[0], row[1:]) for row in TABLE])
def test_named_entities(text: str, expected: tuple[str, ...]) -> None:
    wanted = [tuple(words.split("=")) for words in expected]
    assert found(text) == [(w[0], w[1], w[-1]) for w in wanted]


def test_places_count_code_points_of_the_original() -> None:
    text = "😀約 何醫生，８個人"
    (doctor, people) = EXTRACTOR.extract(text, ())
    assert (doctor.start, doctor.end) == (3, 6)
    assert (people.value, people.start, people.end) == ("8", 7, 10)


def test_what_lies_in_a_time_is_no_entity() -> None:
    text = "周三下午2点到4点"
    assert EXTRACTOR.extract(text, times.parse(text, NOW)) == ()
    festival = Extractor({"activity": {"国庆": "g", "国庆晚会": "gala"}})
    assert festival.extract("国庆", times.parse("国庆", NOW)) == ()
    (gala,) = festival.extract("国庆晚会", times.parse("国庆晚会", NOW))
    assert (gala.value, gala.start, gala.end) == ("gala", 0, 4)


def test_a_new_gazetteer_needs_no_training_and_leaves_the_old_one_as_it_was() -> None:
    names = {"club": {"书法": "calligraphy"}}
    before = Extractor(names)
    names["club"]["围棋"] = "go"
    after = Extractor(names)
    assert [entity.value for entity in before.extract("书法和围棋", ())] == ["calligraphy"]
    assert [entity.value for entity in after.extract("书法和围棋", ())] == ["calligraphy", "go"]


def test_an_empty_gazetteer_still_finds_what_rules_find() -> None:
    (people,) = Extractor({}).extract("8个人", ())
    assert people.value == "8"
    assert Extractor({"club": {"": "none", " ": "none"}}).extract(" ", ()) == ()


def words(text: str) -> list[str]:
    return text.split()


PIECES = words(
    """
    何医生 喝医生 瑜伽室 羽毛球 协会 羽毛球双打 王敏 我叫 我是 孙悦 老师 、 ， 工号
    20180312 13800000001 电话 0516- 83591234 第 二 个 最后 一 两
    半 8 人 小时 随便 都行 周三 下午 2点 元旦 福利 男子100米 姓名： 队员： ② １２ x
    a 😀
    """
)
# The first message loads the pinyin of every character.
unhurried = settings(deadline=None)
wild = st.text(max_size=60) | st.lists(st.sampled_from([*PIECES, " ", "\n"]), max_size=14).map("".join)


@unhurried
@given(wild)
def test_entities_are_pieces_of_the_text_and_those_of_one_name_lie_apart(text: str) -> None:
    mentions = times.parse(text, NOW)
    entities = EXTRACTOR.extract(text, mentions)
    for entity in entities:
        assert 0 <= entity.start < entity.end <= len(text)
        assert entity.value
        for mention in mentions:
            assert not mention.offset <= entity.start < entity.end <= mention.offset + len(mention.text)
        if entity.name in {"phone", "staff_id"}:
            assert entity.value.isascii()
            assert entity.value.isdigit()
    for one, other in combinations(entities, 2):
        assert one.name != other.name or one.end <= other.start or other.end <= one.start


names = st.text(st.sampled_from("瑜伽乒乓球室羽毛摄影王敏何医生ab1"), min_size=1, max_size=5)


@unhurried
@given(st.dictionaries(names, st.just("v"), min_size=1, max_size=6), st.data())
def test_every_surface_is_found_where_it_stands_alone(values: dict[str, str], data: st.DataObject) -> None:
    surface = data.draw(st.sampled_from(sorted(values)))
    entities = Extractor({"club": values}).extract(f"，{surface}。", ())
    assert [(e.start, e.end) for e in entities if e.name == "club"] == [(1, 1 + len(surface))]


@unhurried
@given(st.integers(0, 9999), st.sampled_from(["个人", "小时", "元", "次", "张"]))
def test_amounts_read_back(value: int, unit: str) -> None:
    (entity,) = EXTRACTOR.extract(f"要{value}{unit}", ())
    assert (entity.name, entity.value) == ("number", str(value))


@pytest.mark.parametrize(
    "piece",
    [
        "王敏",
        "王",
        "1",
        "1 ",
        "13800000001",
        "一",
        "第",
        "我叫王",
        "队员王敏、",
        "都",
        "老师",
        "喝医生",
        "(0516)",
        "1-",
        "何",
    ],
)
def test_a_long_message_is_read_to_its_end(piece: str) -> None:
    text = (piece * 10_000)[:10_000] + "，约多功能室"
    assert EXTRACTOR.extract(text, ())[-1].value == "多功能室"
