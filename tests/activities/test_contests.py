"""Contests: the unit nominates, rounds go by scores that people give, who withdraws leaves a place to the next."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from actions.activities import commands as c
from actions.activities.contest_tables import ClosedRound, Mark
from actions.activities.contests import CloseRound, Promote, SetMarks, ShowRound
from actions.activities.tables import Entry
from actions.core.tables import Prompt
from tests.activities.world import FESTIVAL_AT, OFFICER, OWNER, UNIT_OFFICER

if TYPE_CHECKING:
    from tests.activities.world import Field

TITLE = "辅导员赛"
FOUR = ("林一帆", "张建国", "朱思远", "王敏")


async def entered(field: Field) -> dict[str, int]:
    """Four are nominated; entries by name."""
    return {name: await field.enrol(OFFICER, TITLE, name) for name in FOUR}


def marks(field: Field, words: str = "", **more: Any) -> SetMarks:
    return SetMarks(offering_id=field.things[TITLE], words=words, **more)


def close(field: Field, chosen: str = "") -> CloseRound:
    return CloseRound(offering_id=field.things[TITLE], chosen=chosen, sure=True)


async def first_round(field: Field) -> dict[str, int]:
    """The first round is over: 林一帆 and 王敏 go on."""
    entries = await entered(field)
    field.now = FESTIVAL_AT + timedelta(hours=3)
    await field.run(marks(field, "林一帆 92.5，张建国 80；朱思远 75\n王敏：88分"), OWNER)
    await field.run(close(field), OWNER)
    return entries


async def test_a_wish_goes_to_the_unit_which_nominates(field: Field) -> None:
    number = await field.enrol("林一帆", TITLE)
    assert await field.state(number) == "wished"
    assert await field.refused(marks(field, "林一帆 90"), OWNER) == "not_in_round"
    await field.run(c.File(entry_id=number), UNIT_OFFICER)
    assert await field.state(number) == "registered"
    await field.run(marks(field, "林一帆 90"), OWNER)
    assert "林一帆 文学院 90 分" in field.reply


async def test_a_round_is_closed_and_everybody_is_told_in_plain_words(field: Field) -> None:
    entries = await first_round(field)
    assert "2 位进复审，2 位止步" in field.reply
    assert "第 1 名（92.5 分），进复审了。12月12日(周六)08:30开始" in (await field.texts("林一帆", "contests."))[0]
    assert "第 3 名（80 分），这次没有进复审" in (await field.texts("张建国", "contests."))[0]
    results = {row.id: row.fields["result"] for row in await field.all(Entry, Entry.offering_id == field.things[TITLE])}
    assert results[entries["王敏"]] == "初赛第2名，进复审"
    assert results[entries["朱思远"]] == "初赛第4名"
    assert await names_on(field) == ["林一帆", "王敏"]


async def test_the_last_round_is_by_passing_and_names_who_is_recommended(field: Field) -> None:
    await first_round(field)
    await field.run(marks(field, "林一帆 通过，王敏 不通过"), OWNER)
    await field.run(close(field), OWNER)
    assert "为拟推荐人选。接下来还要按程序审定" in (await field.texts("林一帆", "contests."))[-1]
    assert "这次没有入选" in (await field.texts("王敏", "contests."))[-1]
    assert await field.refused(close(field), OWNER) == "rounds_over"
    await field.run(ShowRound(offering_id=field.things[TITLE]), OWNER)
    assert "复审的结果" in field.reply
    assert "林一帆 文学院，入选" in field.reply
    assert len(await field.all(ClosedRound)) == 2


@pytest.mark.parametrize(
    ("words", "code"),
    [("林一帆 101", "bad_mark"), ("林一帆 通过", "bad_mark"), ("林一帆", "bad_mark"), ("李秀芳 90", "not_in_round")],
)
async def test_what_is_no_mark_changes_nothing(field: Field, words: str, code: str) -> None:
    await entered(field)
    assert await field.refused(marks(field, f"张建国 70，{words}"), OWNER) == code
    assert await field.all(Mark) == []


async def test_a_round_is_not_closed_before_all_are_marked(field: Field) -> None:
    await entered(field)
    assert await field.refused(close(field), OWNER) == "unmarked"
    assert "还有 4 位没记：林一帆" in field.reply


async def test_a_tie_is_for_people_to_settle(field: Field) -> None:
    await entered(field)
    await field.run(marks(field, "林一帆 90，张建国 80，朱思远 80，王敏 70"), OWNER)
    assert await field.refused(close(field), OWNER) == "round_tied"
    assert "张建国、朱思远并列，只能进 1 位" in field.reply
    assert await field.refused(close(field, "王敏"), OWNER) == "round_tied"
    await field.run(close(field, "朱思远"), OWNER)
    gone_on = [row.entry_id for row in await field.all(Mark, Mark.through.is_(True))]
    assert len(gone_on) == 2
    assert "进复审了" in (await field.texts("朱思远", "contests."))[0]


async def test_only_who_answers_for_it_gives_marks(field: Field) -> None:
    await entered(field)
    assert await field.refused(marks(field, "林一帆 90"), "林一帆") == "forbidden"
    assert await field.refused(ShowRound(offering_id=field.things[TITLE]), UNIT_OFFICER) == "forbidden"
    assert await field.refused(ShowRound(offering_id=field.things["讲座"]), OWNER) == "not_found"


async def test_who_withdraws_between_rounds_leaves_the_place_to_the_next(field: Field) -> None:
    entries = await first_round(field)
    await field.run(c.Withdraw(entry_id=entries["王敏"]), "王敏")
    assert "下一位是张建国老师" in (await field.texts(OWNER, "contests.withdrew"))[0]
    assert await field.refused(Promote(entry_id=entries["朱思远"]), OWNER) == "already_decided"
    await field.run(Promote(entry_id=entries["张建国"]), OWNER)
    assert "您递补进复审了" in (await field.texts("张建国", "contests.promoted"))[0]
    assert await names_on(field) == ["张建国", "林一帆"]
    assert [row.closed_at is None for row in await field.all(Prompt, Prompt.member_id == field.people[OWNER])] == [
        False
    ]
    kept = (await field.all(Mark, Mark.entry_id == entries["王敏"]))[0]
    assert (kept.score, kept.place, kept.through) == (88, 2, True), "what the round was stays on record"


async def test_two_who_withdraw_leave_two_places_and_no_third(field: Field) -> None:
    entries = await first_round(field)
    for name in ("王敏", "林一帆"):
        await field.run(c.Withdraw(entry_id=entries[name]), name)
    await field.run(Promote(entry_id=entries["张建国"]), OWNER)
    assert "还空着 1 位，下一位是朱思远老师" in (await field.texts(OWNER, "contests.still_free"))[0]
    await field.run(Promote(entry_id=entries["朱思远"]), OWNER)
    assert await names_on(field) == ["张建国", "朱思远"]


async def test_without_a_free_place_nobody_is_promoted(field: Field) -> None:
    entries = await first_round(field)
    assert await field.refused(Promote(entry_id=entries["张建国"]), OWNER) == "already_decided"
    assert await names_on(field) == ["林一帆", "王敏"]


async def test_nobody_is_promoted_once_the_next_round_has_begun(field: Field) -> None:
    entries = await first_round(field)
    await field.run(marks(field, "林一帆 通过"), OWNER)
    await field.run(c.Withdraw(entry_id=entries["王敏"]), "王敏")
    assert "这一轮就少一位" in (await field.texts(OWNER, "contests.withdrew"))[0]
    assert await field.refused(Promote(entry_id=entries["张建国"]), OWNER) == "already_decided"
    await field.run(close(field), OWNER)


async def test_too_late_is_counted_to_the_next_round(field: Field) -> None:
    entries = await first_round(field)
    field.now = FESTIVAL_AT + timedelta(days=7, hours=-1)
    assert await field.refused(c.Withdraw(entry_id=entries["王敏"]), "王敏") == "too_late_to_withdraw"


async def test_marks_go_with_entries_whose_time_is_over(field: Field) -> None:
    await first_round(field)
    field.now = FESTIVAL_AT + timedelta(days=1900)
    await field.sweep()
    assert await field.all(Mark) == []


async def test_nobody_decides_in_a_round_of_their_own(field: Field) -> None:
    entries = await entered(field)
    await field.enrol(OFFICER, TITLE, OWNER)
    for command in (marks(field, "林一帆 90"), close(field)):
        assert await field.refused(command, OWNER) == "about_yourself"
    await field.run(marks(field, f"林一帆 92，张建国 80，朱思远 75，王敏 88，{OWNER} 70"), OFFICER)
    assert len(await field.all(Mark)) == len(entries) + 1


async def test_what_was_shown_before_a_mark_changed_is_asked_no_more(field: Field) -> None:
    await entered(field)
    await field.run(marks(field, "林一帆 92，张建国 80，朱思远 75，王敏 88"), OWNER)
    await field.run(CloseRound(offering_id=field.things[TITLE]), OWNER)
    asked = await field.all(Prompt, Prompt.member_id == field.people[OWNER])
    assert [row.closed_at for row in asked] == [None]
    await field.run(marks(field, "张建国 99"), OWNER)
    asked = await field.all(Prompt, Prompt.member_id == field.people[OWNER])
    assert all(row.closed_at is not None for row in asked)


async def names_on(field: Field) -> list[str]:
    """Who is on, sorted."""
    outcome = await field.run(ShowRound(offering_id=field.things[TITLE]), OWNER)
    return sorted(row["name"] for row in outcome.data["rows"])
