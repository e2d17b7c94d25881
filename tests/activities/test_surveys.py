"""Surveys: one answer each, by name or without it; counted once after the end, and small counts never shown."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
from pydantic import ValidationError
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError

from actions.activities.asked import roster_of
from actions.activities.asking import Answers
from actions.activities.commands import Register
from actions.activities.counting import ShowResults, _paper, tables
from actions.activities.rules import ActivitySpec, rules_of
from actions.activities.survey_tables import Dropped, Urn
from actions.activities.surveys import Drop
from actions.activities.tables import Entry
from actions.blocks.documents_excel import workbook
from actions.blocks.questionnaire import Question
from actions.core.commands import SYSTEM
from actions.core.errors import DomainError
from actions.core.offerings import CancelOffering, CloseOffering, CreateOffering, EditOffering
from actions.core.tables import Audit, Conversation, Offering, Outgoing
from tests.activities.world import CHOICE_ENDS, OFFICER, OWNER, PEOPLE, catalogue, wording

if TYPE_CHECKING:
    from pathlib import Path

    from tests.activities.world import Field
    from tests.conftest import World

QUESTIONS = [
    {"kind": "scale", "title": "满意度", "text": "满意吗？", "low": "差", "high": "好"},
    {"kind": "one", "title": "去处", "text": "去哪儿？", "options": ["山", "海"]},
    {"kind": "several", "title": "项目", "text": "玩什么？", "options": ["球", "棋", "歌"], "optional": True},
    {"kind": "text", "title": "的话", "text": "还想说什么？", "optional": True},
]
ANSWER = {"满意度": "4", "去处": "山", "项目": ["球", "歌"], "的话": "食堂晚上多开一小时"}
TITLE = "问卷"


async def _open(field: Field, **spec: Any) -> None:
    whole = {"questions": QUESTIONS, "anonymous": True, "closes_at": CHOICE_ENDS.isoformat(), **spec}
    create = CreateOffering(service="survey", title=TITLE, owner=field.staff[OWNER], spec=whole)
    outcome = await field.run(create, OFFICER)
    field.things[TITLE] = int(outcome.subject.partition(":")[2])


def _drop(field: Field, **answers: Any) -> Drop:
    return Drop(service="survey", offering_id=field.things[TITLE], answers={**ANSWER, **answers})


def _by_name(field: Field, **answers: Any) -> Register:
    return Register(service="survey", offering_id=field.things[TITLE], confidential={**ANSWER, **answers})


def _results(field: Field) -> ShowResults:
    return ShowResults(offering_id=field.things[TITLE])


async def test_what_is_said_without_a_name_is_joined_with_nobody(field: Field) -> None:
    await _open(field)
    for who in ("林一帆", "王敏", "张建国"):
        await field.run(_drop(field), who)
    assert [row.member_id for row in await field.all(Dropped)] == sorted(
        field.people[who] for who in ("林一帆", "王敏", "张建国")
    )
    assert not await field.all(Entry)
    assert set(Dropped.__table__.columns.keys()) == {"offering_id", "member_id"}, "no time, no order"
    async with field.database.read() as session:
        with pytest.raises(OperationalError, match="no such column: rowid"):
            await session.execute(text("SELECT rowid FROM activity_dropped"))
    (urn,) = await field.all(Urn)
    assert "食堂" not in urn.answers, "sealed"
    lying = field.vault.open(urn.answers, about="activity")
    assert len(lying) == 3
    assert all(each.keys() == {"unit", "answers"} for each in lying)
    names = {name for name in PEOPLE if name in str(lying)} | {row for row in field.staff.values() if row in str(lying)}
    assert not names
    audited = await field.all(Audit, Audit.command == "surveys.drop")
    assert not {row.actor for row in audited} & set(field.staff.values())


async def test_the_order_in_the_urn_is_drawn(field: Field) -> None:
    """Of seven texts the chance to lie as they came is one in 5040, four times in a row nothing to wait for."""
    await _open(field)
    said = [f"第{number}句" for number in range(7)]
    for who, words in zip(PEOPLE, said, strict=False):
        await field.run(_drop(field, 的话=words), who)
    orders = set()
    for _ in range(4):
        async with field.database.write() as session:
            urn = await session.get_one(Urn, field.things[TITLE])
            lying = [each["answers"]["的话"] for each in field.vault.open(urn.answers, about="activity")]
            orders.add(tuple(lying))
            assert sorted(lying) == said
        who = list(PEOPLE)[6 + len(orders)]
        await field.refused(_drop(field, 的话="再一句"), who)
        said = sorted([*said, "再一句"])
    assert any(list(order)[:7] != sorted(order)[:7] for order in orders)


async def test_a_unit_of_few_is_not_written_down(field: Field) -> None:
    """文学院 has five members who are asked, 机电学院 four."""
    await _open(field)
    for who in ("林一帆", "王敏"):
        await field.run(_drop(field), who)
    (urn,) = await field.all(Urn)
    assert sorted(each["unit"] for each in field.vault.open(urn.answers, about="activity")) == ["", "文学院"]


async def test_one_answer_each_whichever_way(field: Field) -> None:
    await _open(field)
    await field.run(_drop(field), "林一帆")
    assert await field.refused(_drop(field), "林一帆") == "dropped_already"
    assert await field.refused(_by_name(field), "林一帆") == "dropped_already"
    await field.run(_by_name(field), "王敏")
    await field.run(_by_name(field, 满意度="1"), "王敏")
    assert await field.refused(_drop(field), "王敏") == "already_in"
    assert len(await field.all(Dropped)) == 1
    (entry,) = await field.all(Entry)
    assert field.vault.open(entry.confidential, about="activity")["满意度"] == "1"


async def test_who_races_with_himself_answers_once(racing: Field) -> None:
    await _open(racing)

    async def tries() -> str:
        try:
            await racing.run(_drop(racing), "林一帆")
        except DomainError as error:
            return error.code
        return "taken"

    told = await asyncio.gather(*(tries() for _ in range(4)))
    assert sorted(told) == ["dropped_already"] * 3 + ["taken"]
    (urn,) = await racing.all(Urn)
    assert len(racing.vault.open(urn.answers, about="activity")) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"满意度": "6"},
        {"满意度": None},
        {"去处": ["山"]},
        {"项目": ["球", "球"]},
        {"项目": []},
        {"的话": " "},
        {"别的": "1"},
    ],
)
async def test_an_answer_must_be_one(field: Field, wrong: dict[str, Any]) -> None:
    await _open(field)
    answers = {key: value for key, value in {**ANSWER, **wrong}.items() if value is not None}
    command = Drop(service="survey", offering_id=field.things[TITLE], answers=answers)
    assert await field.refused(command, "林一帆") == "answer_missing"
    named = Register(service="survey", offering_id=field.things[TITLE], confidential=answers)
    assert await field.refused(named, "林一帆") == "answer_missing"
    assert not await field.all(Dropped)


async def test_who_is_asked_and_when(field: Field) -> None:
    await _open(field, eligibility={"units": ["文学院"]})
    assert await field.refused(_drop(field), "王敏") == "may_not_join"
    assert await field.refused(_by_name(field), "王敏") == "may_not_join"
    elsewhere = Register(
        service="survey", offering_id=field.things[TITLE], people=(field.staff["林一帆"],), confidential=ANSWER
    )
    assert await field.refused(elsewhere, OFFICER) == "answer_yourself"
    field.now = CHOICE_ENDS
    assert await field.refused(_drop(field), "林一帆") == "signup_over"
    await _open_named(field)
    assert await field.refused(_drop(field), "林一帆") == "not_found", "this one leaves no choice"


async def _open_named(field: Field) -> None:
    spec = {"questions": QUESTIONS, "closes_at": (CHOICE_ENDS + timedelta(days=9)).isoformat()}
    outcome = await field.run(CreateOffering(service="survey", title="记名问卷", spec=spec), OFFICER)
    field.things[TITLE] = int(outcome.subject.partition(":")[2])


async def test_who_has_not_answered_is_known_of_both_kinds(field: Field) -> None:
    await _open(field)
    await field.run(_drop(field), "林一帆")
    await field.run(_by_name(field), "王敏")
    await field.run(Answers(offering_id=field.things[TITLE]), OWNER)
    assert f"已答复 2 位，还差 {len(PEOPLE) - 2} 位" in field.reply
    assert "山" not in field.reply
    async with field.database.read() as session:
        roster = roster_of(field.context(session, SYSTEM), await session.get_one(Offering, field.things[TITLE]))
        assert roster is not None
        answered = set((await session.execute(roster.answered)).scalars())
    assert answered == {field.people["林一帆"], field.people["王敏"]}


async def test_it_is_counted_once_and_never_again(field: Field) -> None:
    await _open(field)
    people = list(PEOPLE)
    for number, who in enumerate(people[:10]):
        answer = {"去处": "山" if number < 5 else "海", "的话": f"话{number}"}
        await field.run(_drop(field, **answer) if number % 2 else _by_name(field, **answer), who)
    assert await field.refused(_results(field), OWNER) == "results_not_yet"
    assert await field.refused(_results(field), "林一帆") == "forbidden"
    await field.run(CloseOffering(offering_id=field.things[TITLE]), OFFICER)
    outcome = await field.run(_results(field), OWNER)
    results = outcome.data["results"]
    assert results["answers"] == 10
    assert next(one for one in results["questions"] if one["title"] == "去处")["rows"] == [["山", 5], ["海", 5]]
    assert all(count is None for _label, count in results["questions"][0]["rows"]), "ten marks on five are too few"
    assert sorted(results["texts"][0]["texts"]) == [f"话{number}" for number in range(10)]
    (urn,) = await field.all(Urn)
    assert urn.answers == "", "what was answered is not needed any more"
    await field.run(EditOffering(offering_id=field.things[TITLE], spec={"note": "延长"}), OFFICER)
    field.now += timedelta(hours=1)
    for late in (_drop(field), _by_name(field)):
        assert await field.refused(late, people[10]) in ("survey_counted", "signup_over")
    async with field.database.write() as session:
        (await session.get_one(Offering, field.things[TITLE])).state = "open"
    assert await field.refused(_drop(field), people[10]) == "survey_counted"
    assert await field.refused(_by_name(field), people[10]) == "survey_counted"
    again = await field.run(_results(field), OWNER)
    assert again.data["results"] == results


async def test_of_fewer_than_five_nothing_is_told(field: Field) -> None:
    await _open(field)
    for who in list(PEOPLE)[:4]:
        await field.run(_drop(field), who)
    field.now = CHOICE_ENDS
    outcome = await field.run(_results(field), OWNER)
    assert outcome.data["results"] == {"answers": None, "least": 5, "questions": [], "texts": []}
    assert "不到 5 份" in field.reply
    assert "食堂" not in field.reply


async def test_questions_stay_as_they_were_answered(field: Field) -> None:
    await _open(field)
    change = EditOffering(offering_id=field.things[TITLE], spec={"questions": QUESTIONS[:1]})
    later = EditOffering(
        offering_id=field.things[TITLE], spec={"closes_at": (CHOICE_ENDS + timedelta(days=1)).isoformat()}
    )
    await field.run(_drop(field), "林一帆")
    assert await field.refused(change, OFFICER) == "questions_answered"
    await field.run(later, OFFICER)


async def test_answers_go_when_their_time_is_over_or_nobody_wants_them(field: Field) -> None:
    await _open(field)
    await field.run(_drop(field), "林一帆")
    await field.run(_by_name(field), "王敏")
    field.now = CHOICE_ENDS + timedelta(days=729)
    await field.sweep()
    assert await field.all(Dropped)
    assert await field.all(Entry, Entry.service == "survey")
    field.now += timedelta(days=2)
    await field.sweep()
    assert not await field.all(Dropped)
    assert not await field.all(Urn)
    assert not await field.all(Entry, Entry.service == "survey")


async def test_a_survey_that_is_cancelled_keeps_no_answer(field: Field) -> None:
    await _open(field)
    await field.run(_drop(field), "林一帆")
    await field.run(CancelOffering(offering_id=field.things[TITLE]), OFFICER)
    await field.sweep()
    assert not await field.all(Urn)
    assert not await field.all(Dropped)


def test_the_workbook_shows_no_more_than_the_chat() -> None:
    rules = rules_of(catalogue()["survey"]).questionnaire
    assert rules is not None
    questions = [Question.model_validate(question) for question in QUESTIONS]
    every = [
        {
            "unit": "文学院" if number < 40 else "图书馆",
            "answers": {"满意度": "5" if number % 3 else "4", "去处": "海" if number % 3 else "山", "的话": "=1+1"},
        }
        for number in range(62)
    ]
    results = tables(questions, every, rules)
    book = openpyxl.load_workbook(_file(results))
    assert book.sheetnames == ["满意度", "去处", "去处 分单位", "项目", "的话"]
    marks = {row[0].value: row[1].value for row in book["满意度"].iter_rows() if len(row) > 1}
    assert [marks[mark] for mark in "12345"] == ["—", "—", "—", "—", 41]
    assert {row[0].value: [cell.value for cell in row[1:]] for row in book["去处 分单位"].iter_rows()}["图书馆"] == [
        7,
        15,
    ]
    said = [cell for row in book["的话"].iter_rows() for cell in row if cell.value == "=1+1"]
    assert len(said) == 62
    assert all(cell.data_type == "s" for cell in said)


def _file(results: dict[str, Any]) -> Any:
    import io  # noqa: PLC0415

    return io.BytesIO(workbook([_paper(lambda key, params: wording().text(key, params), TITLE, results)]))


@pytest.mark.parametrize(
    "spec",
    [
        {"questions": QUESTIONS},
        {"questions": [QUESTIONS[0], QUESTIONS[0]], "closes_at": CHOICE_ENDS.isoformat()},
        {"questions": [{"kind": "one", "title": "问", "text": "问", "options": ["一"]}], "closes_at": CHOICE_ENDS},
        {
            "questions": [{"kind": "text", "title": "问", "text": "问", "options": ["一", "二"]}],
            "closes_at": CHOICE_ENDS,
        },
    ],
)
def test_a_questionnaire_that_cannot_be_counted_is_refused(spec: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ActivitySpec.model_validate(spec)


async def test_the_chat_forgets_what_was_answered_without_a_name(world: World, tmp_path: Path) -> None:
    words = "图书馆三楼的灯太暗"
    for said in ("填问卷工会服务满意度调查", "不记名", "2", "还没用过", "跳过", words, "确认"):
        told = await world.told(said)
    assert "没有记您的名字" in told
    house = world.app.house
    async with house.database.read() as session:
        states = (await session.execute(select(Conversation.state))).scalars().all()
        texts = (await session.execute(select(Outgoing.content))).scalars().all()
    kept = [house.vault.open(state, about="conversation") for state in states if state]
    kept += [house.vault.open(content, about="outgoing") for content in texts if content]
    assert kept
    assert words not in str(kept)
    assert "question_" not in str(kept), "no answer waits in a form"
    assert not any(words.encode() in written for written in _databases(tmp_path))


def _databases(folder: Path) -> list[bytes]:
    """The bytes of the database and of what lies beside it."""
    found = [path.read_bytes() for path in folder.rglob("*.db*") if path.is_file()]
    assert found
    return found
