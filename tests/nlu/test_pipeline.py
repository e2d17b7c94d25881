"""From a message to a parse: the rules around the engine, whatever the engine says."""

import json
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nlu.pipeline import Embedded, Pipeline, refuses, to_json
from nlu.text import normalise
from nlu.types import Entity, Parse, Ranked, TimeMention

SHANGHAI = ZoneInfo("Asia/Shanghai")
#: A Monday.
NOW = datetime(2025, 10, 13, 10, 0, tzinfo=SHANGHAI)
GAZETTEER = {"room": {"瑜伽室": "瑜伽室"}, "counsellor": {"何医生": "何医生"}}


class Says:
    """An engine that always ranks the same: what is under test are the rules around it."""

    threshold = 0.25

    def __init__(self, **shares: float) -> None:
        self.ranking = tuple(Ranked(intent=intent, confidence=share) for intent, share in shares.items())
        self.heard: list[str] = []

    async def classify(self, text: str) -> tuple[Ranked, ...]:
        self.heard.append(text)
        return self.ranking


class Away:
    threshold = 0.25

    async def classify(self, text: str) -> tuple[Ranked, ...]:
        raise ConnectionError("no such host: " + text)


@pytest.fixture(scope="session")
def pipeline(model):
    return Pipeline(Embedded(model), gazetteer=GAZETTEER)


async def intent(pipeline: Pipeline, text: str) -> str:
    return (await pipeline.parse(text, NOW)).intent


async def test_one_message_gives_intent_times_and_entities(pipeline):
    parse = await pipeline.parse("下周三下午想约心理咨询，何医生", NOW)
    assert parse.intent == "book_counseling"
    assert [t.text for t in parse.times] == ["下周三下午"]
    assert parse.times[0].start == datetime(2025, 10, 22, 12, 0, tzinfo=SHANGHAI)
    assert ("counsellor", "何医生") in {(e.name, e.value) for e in parse.entities}
    assert len(parse.ranking) == 5
    assert parse.crisis is None


async def test_a_time_that_cannot_be_is_told(pipeline):
    assert (await pipeline.parse("约2月30日的瑜伽室", NOW)).impossible == ("2月30日",)


async def test_other_names_are_known_from_the_next_message_on(model):
    pipeline = Pipeline(Embedded(model), gazetteer=GAZETTEER)
    text = "约一下静思阁"
    assert not any(e.value == "静思阁" for e in (await pipeline.parse(text, NOW)).entities)
    pipeline.update_gazetteer({"room": {"静思阁": "静思阁"}})
    assert any((e.name, e.value) == ("room", "静思阁") for e in (await pipeline.parse(text, NOW)).entities)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("我不想活了", "despair"),
        ("下周三约咨询，不然我真的撑不下去了", "despair"),
        ("我刚吞了一瓶安眠药", "danger_now"),
        ("老公又打我", "violence_at_home"),
    ],
)
async def test_crisis_outranks_whatever_the_engine_says(text, kind):
    parse = await Pipeline(Says(book_counseling=0.99, crisis=0.005)).parse(text, NOW)
    assert (parse.intent, parse.crisis, parse.confidence) == ("crisis", kind, 1.0)
    assert [r.intent for r in parse.ranking] == ["crisis", "book_counseling"]


async def test_crisis_is_heard_while_the_engine_is_away(caplog):
    pipeline = Pipeline(Away())
    assert (await pipeline.parse("我不想活了", NOW)).crisis == "despair"
    parse = await pipeline.parse("我想约咨询", NOW)
    assert (parse.intent, parse.confidence, parse.ranking) == ("out_of_scope", 0.0, ())
    assert "ConnectionError" in caplog.text
    assert "咨询" not in caplog.text


async def test_the_engine_may_see_a_crisis_that_no_rule_names():
    sure = await Pipeline(Says(crisis=0.9, out_of_scope=0.05)).parse("睡着了就不疼了吧", NOW)
    assert (sure.intent, sure.crisis) == ("crisis", "despair")
    blow = await Pipeline(Says(crisis=0.9)).parse("他那种暴力伤人你们想不到", NOW)
    assert blow.crisis == "violence_at_home"
    unsure = await Pipeline(Says(crisis=0.15, out_of_scope=0.3)).parse("睡着了就不疼了吧", NOW)
    assert (unsure.intent, unsure.crisis) == ("out_of_scope", None)


@pytest.mark.parametrize(("share", "heard"), [(0.35, False), (0.5, True)])
async def test_without_a_word_of_danger_the_engine_must_be_surer(share, heard):
    parse = await Pipeline(Says(crisis=share)).parse("挑好日子了，就清明", NOW)
    assert (parse.intent == "crisis") is heard


async def test_an_idiom_is_no_crisis_unless_the_engine_is_certain():
    parse = await Pipeline(Says(crisis=0.85)).parse("他打我电话没接到", NOW)
    assert (parse.intent, parse.crisis) == ("out_of_scope", None)


async def test_what_is_not_sure_is_out_of_scope_and_still_ranked():
    parse = await Pipeline(Says(book_room=0.2, out_of_scope=0.15)).parse("房间", NOW)
    assert (parse.intent, parse.confidence) == ("out_of_scope", 0.15)
    assert parse.ranking[0] == Ranked(intent="book_room", confidence=0.2)
    engine = Says(book_room=0.2)
    engine.threshold = 0.1
    assert (await Pipeline(engine).parse("房间", NOW)).intent == "book_room"


async def test_of_another_teams_intents_no_rule_of_ours_is_asked():
    parse = await Pipeline(Says(affirm=0.9, crisis=0.05), ours=False).parse("我不想活了", NOW)
    assert (parse.intent, parse.confidence, parse.crisis) == ("affirm", 0.9, None)


@pytest.mark.parametrize("text", ["躞蹀", "ኣማርኛ", "qwxz", "鑫淼焱垚", "😀😀", "", "   ", "？？？", "[微笑]", "\ud83d"])
async def test_unseen_words_are_never_a_yes(pipeline, text):
    parse = await pipeline.parse(text, NOW)
    assert parse.intent == "out_of_scope"


@pytest.mark.parametrize("text", ["", "😀", "👌🏻", "[强][强]", "……"])
async def test_what_holds_no_word_is_not_ranked(pipeline, text):
    parse = await pipeline.parse(text, NOW)
    assert (parse.confidence, parse.ranking) == (0.0, ())


@pytest.mark.parametrize(
    "text", ["他躺平", "xyz", "不对", "不是", "没有", "不要", "好饿", "大家好", "好望角", "对账单", "可以吗"]
)
async def test_a_yes_must_be_said(text):
    assert await intent(Pipeline(Says(affirm=0.94)), text) == "out_of_scope"


@pytest.mark.parametrize(
    "text",
    [
        "好",
        "好的",
        "嗯",
        "是的",
        "可以",
        "没错",
        "不错",
        "ok",
        "確認",
        "[OK]",
        "没问题",
        "就它了",
        "可以，那天我正好没课",
    ],
)
async def test_a_yes_that_is_said_stands(text, pipeline):
    assert await intent(Pipeline(Says(affirm=0.94)), text) == "affirm"
    assert await intent(pipeline, text) == "affirm"


@pytest.mark.parametrize("text", ["嚎的", "剔交吧", "没文题"])
async def test_a_yes_is_heard_by_its_sound(text):
    assert await intent(Pipeline(Says(affirm=0.94)), text) == "affirm"


async def test_a_no_must_be_said():
    assert await intent(Pipeline(Says(deny=0.9)), "躺平") == "out_of_scope"
    assert await intent(Pipeline(Says(deny=0.9)), "不对") == "deny"


@pytest.mark.parametrize(
    "text",
    [
        "我不想预约了",
        "先不约了",
        "不报名了",
        "不想约咨询了",
        "暂时不报名",
        "瑜伽室先不订了",
        "这个讲座我不去了",
        "没时间参加了",
    ],
)
async def test_who_refuses_is_not_booked(pipeline, text):
    for wish in ("book_counseling", "register_activity", "affirm"):
        assert await intent(Pipeline(Says(**{wish: 0.9, "withdraw": 0.06, "cancel": 0.04})), text) == "withdraw"
        assert await intent(Pipeline(Says(**{wish: 0.9, "cancel": 0.1})), text) == "cancel"
    assert await intent(pipeline, text) in {"cancel", "withdraw", "deny"}


async def test_a_refusal_moves_what_was_wished_to_the_top():
    parse = await Pipeline(Says(book_room=0.7, register_sports=0.1, withdraw=0.15)).parse("不约了", NOW)
    assert parse.ranking[0].intent == "withdraw"
    assert parse.ranking[0].confidence == pytest.approx(0.95)
    assert [r.confidence for r in parse.ranking[1:]] == [0.0, 0.0]


@pytest.mark.parametrize(
    "text",
    [
        "能不能约了",
        "要不约周四吧",
        "为什么不让报名了",
        "怎么约不了了",
        "不想约何医生了，换成高老师",
        "不约周三了，约周四吧",
        "不知道怎么预约",
        "是不是不能报名了",
        "不是不想报名，是没找到入口",
        "还没报名",
        "报名不成功",
        "不去了吗",
        "预约不上",
    ],
)
def test_a_question_or_an_amendment_refuses_nothing(text):
    assert not refuses(normalise(text))


async def test_the_engine_hears_the_normalised_message():
    engine = Says(greet=0.9)
    await Pipeline(engine).parse("　妳好\u202e！！", NOW)
    assert engine.heard == ["你好!"]


def test_the_json_shape_is_the_contracts():
    span = TimeMention(
        text="下周三下午",
        start=datetime(2025, 10, 22, 4, tzinfo=ZoneInfo("UTC")),
        end=datetime(2025, 10, 22, 10, tzinfo=ZoneInfo("UTC")),
        kind="span",
    )
    parse = Parse(
        text="t",
        intent="affirm",
        confidence=0.5,
        ranking=tuple(Ranked(intent=str(i), confidence=0.1) for i in range(7)),
        entities=(Entity(name="room", value="瑜伽室", start=0, end=3),),
        times=(span,),
    )
    shape = to_json(parse)
    assert list(shape) == ["text", "intent", "confidence", "ranking", "entities", "times"]
    assert shape["ranking"] == [{"intent": str(i), "confidence": 0.1} for i in range(5)]
    assert shape["entities"] == [{"entity": "room", "value": "瑜伽室", "start": 0, "end": 3}]
    assert shape["times"] == [
        {
            "text": "下周三下午",
            "start": "2025-10-22T12:00:00+08:00",
            "end": "2025-10-22T18:00:00+08:00",
            "kind": "span",
        }
    ]


AWKWARD = st.one_of(
    st.text(max_size=80),
    st.text(st.characters(), max_size=80),  # lone surrogates and control characters among them
    st.text("0123456789年月日号点分半上下周一三五天前后到至-:：.约不想活了好的取消", max_size=60),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(AWKWARD)
async def test_any_text_is_parsed(pipeline, text):
    parse = await pipeline.parse(text, NOW)
    assert parse.text == text
    assert (parse.crisis is not None) == (parse.intent == "crisis")
    assert 0 <= parse.confidence <= 1
    assert all(text[e.start : e.end] for e in parse.entities)
    json.dumps(to_json(parse))


@pytest.mark.parametrize(
    "text",
    [
        "约" * 10_000,
        "周三下午" * 2_500,
        "\x00\x1f" * 5_000,
        "\ud800" * 10_000,
        "1" * 10_000,
        "不想" * 5_000,
        "(" * 10_000,
    ],
    ids=["word", "times", "control", "surrogates", "digits", "almost", "brackets"],
)
async def test_a_huge_message_is_parsed(pipeline, text):
    assert (await pipeline.parse(text, NOW)).text == text
