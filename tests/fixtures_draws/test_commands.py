"""A tournament in the records: drawn, laid out, played, put off, left; and what members are told who ask."""

from datetime import datetime
from typing import Any

import pytest

from actions.activities.draw_tables import DrawRecord
from actions.activities.sports_facts import SportsFacts
from actions.core.errors import DomainError, ForbiddenError
from actions.core.facts import Asked
from actions.core.zones import SHANGHAI
from actions.fixtures.sports import load_sports
from bot.settings import ROOT
from tests.conftest import World
from tests.fixtures_draws.teams import UNITS, do, enter_teams, offering_of

SEASON = {
    "first": "2026-12-28",
    "last": "2027-01-08",
    "venues": ["东 1", "东 2"],
    "windows": [{"day": "workday", "start": "17:30", "end": "20:30"}],
}


async def _drawn(
    world: World, title: str = "气排球", form: dict[str, Any] | None = None, **more: Any
) -> tuple[int, dict[str, int]]:
    offering_id = await offering_of(world, title)
    entries = await enter_teams(world, title)
    arguments = {"sport": "气排球", "format": form or {"kind": "round_robin"}, "seed": "8f3a", **more}
    await do(world, "draws.make", offering_id=offering_id, **arguments)
    return offering_id, entries


async def _record(world: World, offering_id: int) -> DrawRecord:
    async with world.app.house.database.read() as session:
        found = await session.get(DrawRecord, offering_id)
        assert found is not None
        return found


async def _refused(world: World, command: str, **arguments: Any) -> str:
    with pytest.raises(DomainError) as error:
        await do(world, command, **arguments)
    assert f"errors.{error.value.code}" in world.app.house.wording
    world.app.house.wording.text(f"errors.{error.value.code}", {"command": "", **error.value.params})
    return error.value.code


def _said(world: World, outcome: Any) -> str:
    return world.app.house.wording.text(outcome.wording, outcome.params)


async def test_a_draw_is_recorded_with_its_seed_and_comes_out_again(world: World) -> None:
    offering_id, _ = await _drawn(world, form={"kind": "knockout"}, seeds={"图书馆": 1})
    first = (await _record(world, offering_id)).draw
    assert first["seed"] == "8f3a"
    assert first["entrants"][0]["name"] == "图书馆"
    assert (
        await _refused(world, "draws.make", offering_id=offering_id, sport="气排球", format={"kind": "knockout"})
        == "draw_there"
    )
    again: dict[str, Any] = {
        "sport": "air_volleyball",
        "format": {"kind": "knockout"},
        "seeds": {"图书馆": 1},
        "seed": "8f3a",
        "again": True,
    }
    outcome = await do(world, "draws.make", offering_id=offering_id, **again)
    assert (await _record(world, offering_id)).draw == first
    assert outcome.data["times"] == 2
    assert "种子是 8f3a" in _said(world, outcome)


async def test_only_who_answers_for_it_draws(world: World) -> None:
    offering_id = await offering_of(world, "气排球")
    with pytest.raises(ForbiddenError):
        await do(
            world, "draws.make", who="20180312", offering_id=offering_id, sport="气排球", format={"kind": "knockout"}
        )
    lecture = {"offering_id": 10**6, "sport": "气排球", "format": {"kind": "knockout"}}
    assert await _refused(world, "draws.make", **lecture) == "not_found"
    few = {"offering_id": offering_id, "format": {"kind": "knockout"}}
    assert await _refused(world, "draws.make", sport="气排球", **few) == "draw_too_few"
    assert await _refused(world, "draws.make", sport="冰球", **few) == "no_such_sport"
    assert await _refused(world, "draws.make", sport="气排球", seeds={"体育部": 1}, **few) == "no_such_entrant"
    assert await _refused(world, "draws.result", offering_id=offering_id, game="1", result={"home": 2}) == "no_draw"


async def test_games_are_laid_over_working_days_and_one_is_put_off(world: World) -> None:
    offering_id, _ = await _drawn(world)
    arguments: dict[str, Any] = {"season": SEASON, "rest": {"minutes": 60, "per_day": 1}}
    outcome = await do(world, "draws.arrange", offering_id=offering_id, **arguments)
    assert (outcome.params["placed"], outcome.params["left"]) == (6, 0)
    before = (await _record(world, offering_id)).slots
    days = {datetime.fromisoformat(slot["start"]).date().isoformat() for slot in before.values()}
    assert days == {"2026-12-28", "2026-12-29", "2026-12-30"}
    free = await do(world, "draws.openings", offering_id=offering_id, game="1")
    assert free.data["openings"]
    start = datetime(2027, 1, 5, 18, 30, tzinfo=SHANGHAI)
    moved = await do(world, "draws.postpone", offering_id=offering_id, game="1", start=start, venue="东 2")
    after = (await _record(world, offering_id)).slots
    changed = [ref for ref in before if before[ref] != after[ref]]
    assert changed == [moved.data["game"]]
    assert "1月5日(周二)18:30" in _said(world, moved)
    told = [message.text for message in await world.sent()]
    # Two of each team, but for who has no account.
    assert sum("改到 1月5日(周二)18:30" in text for text in told) in (3, 4)
    taken = after[next(ref for ref in after if ref not in changed)]
    args = {"offering_id": offering_id, "game": "1", "start": taken["start"], "venue": taken["venue"]}
    assert await _refused(world, "draws.postpone", **args) == "game_slot_taken"
    past = datetime(2026, 11, 1, 18, tzinfo=SHANGHAI)
    assert (
        await _refused(world, "draws.postpone", offering_id=offering_id, game="1", start=past, venue="东 1")
        == "game_past"
    )
    holiday = {
        **SEASON,
        "first": "2027-01-01",
        "last": "2027-01-01",
        "windows": [{"day": "weekend", "start": "09:00", "end": "12:00"}],
    }
    assert await _refused(world, "draws.arrange", offering_id=offering_id, season=holiday) == "no_slots"


async def test_results_make_the_table_and_members_who_ask_are_told(world: World) -> None:
    offering_id, _ = await _drawn(world)
    await do(world, "draws.arrange", offering_id=offering_id, season=SEASON)
    for number in range(1, 7):
        result = {"home": 2, "away": number % 2, "periods": [[21, 10], [21, 12]]}
        await do(world, "draws.result", offering_id=offering_id, game=str(number), result=result)
    assert (
        await _refused(world, "draws.result", offering_id=offering_id, game="99", result={"home": 2}) == "no_such_game"
    )
    assert (
        await _refused(world, "draws.result", offering_id=offering_id, game="1", result={"home": 1, "away": 1})
        == "result_level"
    )
    assert (
        await _refused(
            world, "draws.postpone", offering_id=offering_id, game="1", start="2027-01-05T18:30:00+08:00", venue="东 1"
        )
        == "game_over"
    )
    facts = SportsFacts(load_sports(ROOT / "data"), world.app.house.wording.text)
    async with world.unit_of_work("20180312") as context:
        table = await facts.answer(context, Asked(text="气排球现在积分怎么样", names={"item": ["气排球"]}))
        own = await facts.answer(context, Asked(text="文学院气排球的成绩", names={}))
        rules = await facts.answer(context, Asked(text="气排球积分相同怎么排", names={}))
        when = await facts.answer(context, Asked(text="跳绳什么时候比", names={}))
        none = await facts.answer(context, Asked(text="气排球有什么好处", names={}))
        only = await facts.answer(context, Asked(text="下一场什么时候打", names={}))
        other = await facts.answer(context, Asked(text="弃权了怎么办", names={}))
        two = await facts.answer(context, Asked(text="男子100米和女子100米什么时候", names={}))
    said = _said(world, table)
    assert said.startswith("“气排球”成绩")
    assert all(f"{place}. " in said for place in range(1, 5))
    assert _said(world, own).count("文学院") >= 4
    assert "积分相同时依次比较：得失比、小分得失比、相互间积分" in _said(world, rules)
    assert when is not None
    assert when.wording == "sports.sessions"
    assert none is None
    assert other is None
    assert only is not None
    assert (only.wording, only.params["title"]) == ("sports.schedule", "气排球")
    assert two is not None
    assert [option["label"] for option in two.options] == ["男子100米", "女子100米"]
    assert two.options[0]["value"] == "男子100米什么时候比？"


async def test_a_schedule_is_told_for_a_team(world: World) -> None:
    offering_id, _ = await _drawn(world, form={"kind": "knockout"})
    await do(world, "draws.arrange", offering_id=offering_id, season=SEASON)
    facts = SportsFacts(load_sports(ROOT / "data"), world.app.house.wording.text)
    async with world.unit_of_work("20180312") as context:
        every = await facts.answer(context, Asked(text="气排球赛程", names={}))
        own = await facts.answer(context, Asked(text="气排球图书馆什么时候打", names={}))
    text = _said(world, every)
    assert "半决赛" in text
    assert "第 1 场负者 对 第 2 场负者" in text
    assert "决赛 第 1 场胜者 对 第 2 场胜者" in text
    assert "12月28日(周一)17:30" in text
    assert _said(world, own).count("\n") == 1


async def test_who_withdraws_is_out_and_nothing_else_moves(either_world: World) -> None:
    world = either_world
    offering_id, entries = await _drawn(world)
    await do(world, "draws.arrange", offering_id=offering_id, season=SEASON)
    before = await _record(world, offering_id)
    async with world.unit_of_work("20100903") as context:
        await context.bus.execute(context.bus.command("activities.withdraw", {"entry_id": entries["文学院"]}), context)
    after = await _record(world, offering_id)
    assert after.withdrawn == [f"e{entries['文学院']}"]
    assert (after.draw, after.slots, after.results) == (before.draw, before.slots, before.results)
    outcome = await do(world, "draws.withdraw", offering_id=offering_id, entry_id=entries["图书馆"])
    assert outcome.params["touched"] == 2
    assert await _refused(world, "draws.withdraw", offering_id=offering_id, entry_id=entries["图书馆"]) == "already_out"
    assert await _refused(world, "draws.withdraw", offering_id=offering_id, entry_id=10**6) == "no_such_entrant"
    gone = {f"e{entries[name]}" for name in ("文学院", "图书馆")}
    games = [
        number
        for number, game in enumerate(after.draw["games"], 1)
        if {game["home"]["entrant"], game["away"]["entrant"]} & gone
    ]
    assert len(games) == 5
    assert (
        await _refused(world, "draws.result", offering_id=offering_id, game=str(games[0]), result={"home": 2})
        == "game_annulled"
    )


async def test_a_result_that_later_games_rest_on_stays(world: World) -> None:
    offering_id, _ = await _drawn(world, form={"kind": "knockout"})
    final = {"offering_id": offering_id, "game": "K2-1", "result": {"home": 2}}
    assert await _refused(world, "draws.result", **final) == "game_waits"
    for game in ("K4-1", "K4-2", "K2-1"):
        await do(world, "draws.result", offering_id=offering_id, game=game, result={"home": 2, "away": 0})
    change = {"offering_id": offering_id, "game": "K4-1", "result": {"home": 0, "away": 2}}
    assert await _refused(world, "draws.result", **change) == "game_built_on"
    await do(world, "draws.result", offering_id=offering_id, game="K2-1", result={"absent": "home"})
    assert (
        await _refused(
            world, "draws.make", offering_id=offering_id, sport="气排球", format={"kind": "knockout"}, again=True
        )
        == "draw_there"
    )


async def test_units_with_two_teams_are_told_apart(world: World) -> None:
    offering_id = await offering_of(world, "气排球")
    await enter_teams(world, "气排球", UNITS)
    outcome = await do(world, "draws.make", offering_id=offering_id, sport="气排球", format={"kind": "round_robin"})
    assert len(outcome.data["seed"]) == 16
    names = [entrant["name"] for entrant in outcome.data["draw"]["entrants"]]
    assert sorted(names) == sorted(UNITS)


async def test_a_race_is_drawn_into_heats_and_its_results_are_told(world: World) -> None:
    offering_id = await offering_of(world, "4×100接力")
    entries = await enter_teams(world, "4×100接力")
    form = {"kind": "heats", "lanes": 3}
    outcome = await do(world, "draws.make", offering_id=offering_id, sport="田径", format=form, seed="1")
    assert [len(group["entrants"]) for group in outcome.params["groups"]] == [2, 2]
    assert "1 组：" in _said(world, outcome)
    laid = await do(world, "draws.arrange", offering_id=offering_id, season=SEASON)
    assert "没有排上一场" in _said(world, laid)
    facts = SportsFacts(load_sports(ROOT / "data"), world.app.house.wording.text)
    async with world.unit_of_work("20180312") as context:
        assert await facts.answer(context, Asked(text="4×100接力成绩", names={})) is None
    await do(world, "activities.set_result", entry_id=entries["文学院"], result="第一名 48秒6")
    async with world.unit_of_work("20180312") as context:
        told = await facts.answer(context, Asked(text="4×100接力成绩", names={}))
        when = await facts.answer(context, Asked(text="4×100接力什么时候", names={}))
    assert "文学院：第一名 48秒6" in _said(world, told)
    assert when is not None
    assert when.wording == "sports.sessions"
    paper = await do(world, "closing.paper", offering_id=offering_id, paper="order_book")
    assert len(paper.data["files"]) == 2


async def test_a_member_asks_in_the_chat_and_the_records_answer(world: World) -> None:
    offering_id, _ = await _drawn(world, form={"kind": "knockout"})
    await do(world, "draws.arrange", offering_id=offering_id, season=SEASON)
    assert "半决赛" in await world.told("气排球比赛的赛程是怎么安排的？")
    assert "还没有打出成绩" in await world.told("气排球比赛结果怎么样？")
    assert "跳绳" in await world.told("跳绳比赛什么时候开始比？")
