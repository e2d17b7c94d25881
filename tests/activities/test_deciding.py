"""From an application to the journey: people decide, the list is public, who withdraws makes room for the next."""

from __future__ import annotations

import asyncio
from datetime import date, time, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from actions.activities import allotment_commands as c
from actions.activities.allotment_tables import Decision, Identity, IdentityLook, Publicity, Seat, Trip
from actions.activities.commands import AcceptOffer, DeclineOffer, File, Register, SendBack, Withdraw
from actions.activities.tables import Entry
from actions.core.errors import DomainError
from actions.core.offerings import CancelOffering, CreateOffering
from actions.core.tables import Member, Offering
from actions.core.zones import at
from tests.activities.world import OFFICER, OWNER, UNIT_OFFICER

if TYPE_CHECKING:
    from pathlib import Path

    from tests.activities.world import Field
    from tests.conftest import World

TITLE = "疗休养"
CLOSES = at(date(2026, 12, 1), time(17))
STARTS = at(date(2027, 1, 18), time(8))
TODAY = date(2026, 12, 2)
HOW = "委员会集体研究"
NUMBER = "11010519491231002X"


async def _open(field: Field, **spec: Any) -> None:
    whole = {
        "closes_at": CLOSES.isoformat(),
        "quota": {"unit": 2},
        "options": [{"title": "山", "stock": 2}, {"title": "海", "stock": 1}],
        "sessions": [
            {"title": "山", "starts_at": STARTS.isoformat(), "ends_at": (STARTS + timedelta(days=5)).isoformat()},
            {"title": "海", "starts_at": STARTS.isoformat(), "ends_at": (STARTS + timedelta(days=7)).isoformat()},
        ],
        **spec,
    }
    create = CreateOffering(service="retreat", title=TITLE, owner=field.staff[OWNER], spec=whole)
    outcome = await field.run(create, OFFICER)
    field.things[TITLE] = int(outcome.subject.partition(":")[2])


def _wishes(*wishes: str) -> dict[str, Any]:
    return {"fields": dict(zip(("route", "second"), wishes, strict=False))}


def _application(field: Field, **more: Any) -> Register:
    return Register(service="retreat", offering_id=field.things[TITLE], **more)


async def _apply(field: Field, who: str, *wishes: str) -> int:
    outcome = await field.run(_application(field, **_wishes(*wishes)), who)
    return int(outcome.subject.partition(":")[2])


def _recommend(field: Field, *people: str, day: date = TODAY) -> c.Recommend:
    staff = tuple(field.staff[name] for name in people)
    return c.Recommend(offering_id=field.things[TITLE], people=staff, decided_on=day, how=HOW)


def _approve(field: Field) -> c.ApproveAll:
    return c.ApproveAll(offering_id=field.things[TITLE], decided_on=TODAY, how="常委会")


def _named(field: Field, who: str, option: str) -> c.NamePerson:
    return c.NamePerson(offering_id=field.things[TITLE], staff_id=field.staff[who], option=option)


async def _public(field: Field) -> dict[str, int]:
    """Two units have applied and recommended, the union has decided; ids of entries by name."""
    await _open(field)
    ids = {
        "林一帆": await _apply(field, "林一帆", "山", "海"),
        "张建国": await _apply(field, "张建国", "山", "海"),
        "朱思远": await _apply(field, "朱思远", "海"),
        "王敏": await _apply(field, "王敏", "山", "海"),
        "刘志强": await _apply(field, "刘志强", "山"),
    }
    field.now = at(TODAY, time(10))
    await field.run(_recommend(field, "林一帆", "张建国"), UNIT_OFFICER)
    await field.run(_recommend(field, "王敏", "刘志强"), OFFICER)
    await field.run(_approve(field), OFFICER)
    return ids


async def _states(field: Field, ids: dict[str, int]) -> dict[str, tuple[str, Any]]:
    rows = {row.id: row for row in await field.all(Entry)}
    return {name: (rows[number].state, rows[number].fields.get("allotted")) for name, number in ids.items()}


async def test_the_unit_decides_together_and_the_union_on_the_whole(field: Field) -> None:
    ids = await _public(field)
    assert await _states(field, ids) == {
        "林一帆": ("publicised", "山"),
        "王敏": ("publicised", "山"),
        "张建国": ("publicised", "海"),
        "刘志强": ("standby", None),
        "朱思远": ("sent_back", None),
    }
    told = [(row.unit_id is None, row.decided_on, row.how) for row in await field.all(Decision)]
    assert told == [(False, TODAY, HOW), (False, TODAY, HOW), (True, TODAY, "常委会")]
    assert "没有推荐您" in (await field.texts("朱思远", "retreat."))[0]
    assert "候补第 1 位" in (await field.texts("刘志强", "retreat."))[-1]
    (public,) = await field.all(Publicity)
    assert public.until == at(date(2026, 12, 9), time(17, 30)), "five working days after the 2nd"
    await field.run(c.ShowList(offering_id=field.things[TITLE]), "李秀芳")
    assert "1. 林一帆 文学院 山" in field.reply
    assert "候补按先后：刘志强（机电学院）" in field.reply


async def test_it_is_final_when_somebody_says_so_after_its_time(field: Field) -> None:
    ids = await _public(field)
    settle = c.Settle(offering_id=field.things[TITLE])
    assert await field.refused(settle, OFFICER) == "publicity_running"
    assert await field.refused(c.GiveIdentity(number=NUMBER), "林一帆") == "identity_not_wanted"
    field.now = at(date(2026, 12, 9), time(17, 31))
    await field.sweep()
    await field.sweep()
    assert await _states(field, ids) | {"林一帆": ("publicised", "山")} == await _states(field, ids)
    assert len([text for text in await field.texts(OFFICER, "retreat.") if "公示到期" in text]) == 1
    await field.run(settle, OFFICER)
    assert (await _states(field, ids))["林一帆"] == ("registered", "山")
    assert "身份证号" in (await field.texts("林一帆", "retreat."))[-1]
    assert await field.refused(settle, OFFICER) == "no_list"


async def test_a_withdrawal_moves_the_list_and_asks_who_is_next(field: Field) -> None:
    ids = await _public(field)
    await field.run(Withdraw(entry_id=ids["林一帆"]), "林一帆")
    after = await _states(field, ids)
    assert after["张建国"] == ("publicised", "山"), "who liked it better just gets it"
    assert after["刘志强"] == ("standby", None), "he does not wish for the sea"
    assert "换到了志愿更靠前的山" in (await field.texts("张建国", "retreat."))[-1]
    await field.run(Withdraw(entry_id=ids["王敏"]), "王敏")
    assert (await _states(field, ids))["刘志强"] == ("offered", "山")
    assert await field.refused(AcceptOffer(entry_id=ids["刘志强"]), "朱思远") == "forbidden"
    accepted = await field.run(AcceptOffer(entry_id=ids["刘志强"]), "刘志强")
    assert accepted.wording == "retreat.on_the_list"
    assert (await _states(field, ids))["刘志强"] == ("publicised", "山"), "nobody is in before the list is final"
    assert len(await field.all(Seat)) == 2
    listed = await field.run(c.ShowList(offering_id=field.things[TITLE]), "林一帆")
    assert "刘志强" in {row["name"] for row in listed.data["rows"]}
    assert not await field.texts("刘志强", "retreat.identity_wanted")


async def test_who_was_asked_can_be_struck_like_all_on_the_list(field: Field) -> None:
    ids = await _public(field)
    for name in ("林一帆", "王敏"):
        await field.run(Withdraw(entry_id=ids[name]), name)
    assert (await _states(field, ids))["刘志强"][0] == "offered"
    await field.run(c.Strike(offering_id=field.things[TITLE], staff_id=field.staff["刘志强"], reason="有意见"), OFFICER)
    assert (await _states(field, ids))["刘志强"][0] == "refused"


async def test_an_offer_that_nobody_answers_goes_on(field: Field) -> None:
    await _open(field, options=[{"title": "山", "stock": 1}])
    ids = {name: await _apply(field, name, "山") for name in ("林一帆", "张建国", "王敏")}
    field.now = at(TODAY, time(10))
    await field.run(_recommend(field, "林一帆", "张建国"), UNIT_OFFICER)
    await field.run(_recommend(field, "王敏"), OFFICER)
    await field.run(_approve(field), OFFICER)
    await field.run(Withdraw(entry_id=ids["林一帆"]), "林一帆")
    assert (await _states(field, ids))["王敏"][0] == "offered"
    field.now += timedelta(hours=49)
    await field.sweep()
    assert (await _states(field, ids))["王敏"][0] == "expired"
    assert (await _states(field, ids))["张建国"] == ("offered", "山")
    await field.run(DeclineOffer(entry_id=ids["张建国"]), "张建国")
    assert await field.all(Seat) == []


async def test_an_objection_takes_somebody_off_and_the_next_comes_up(field: Field) -> None:
    ids = await _public(field)
    strike = c.Strike(offering_id=field.things[TITLE], staff_id=field.staff["王敏"], reason="反映情况属实")
    assert await field.refused(strike, UNIT_OFFICER) == "forbidden"
    await field.run(strike, OFFICER)
    after = await _states(field, ids)
    assert after["王敏"] == ("refused", "山")
    assert after["张建国"] == ("publicised", "山")
    assert "没有通过：反映情况属实" in (await field.texts("王敏", "retreat."))[-1]
    assert await field.refused(strike, OFFICER) == "not_on_list"


async def test_named_from_above_takes_no_share_of_the_unit(field: Field) -> None:
    await _open(field, quota={"unit": 1})
    entry = int((await field.run(_named(field, "张建国", "山"), OFFICER)).subject.partition(":")[2])
    assert await field.refused(_named(field, "张建国", "山"), OFFICER) == "in_another"
    assert await field.refused(_named(field, "李秀芳", "湖"), OFFICER) == "no_such_offering"
    assert await field.refused(_named(field, OFFICER, "海"), OFFICER) == "about_yourself"
    assert await field.refused(_named(field, "李秀芳", "海"), UNIT_OFFICER) == "forbidden"
    await field.run(AcceptOffer(entry_id=entry), "张建国")
    assert await field.state(entry) == "registered"
    mine = await _apply(field, "林一帆", "山")
    assert await field.refused(_named(field, "林一帆", "山"), OFFICER) == "applied_already"
    field.now = at(TODAY, time(10))
    await field.run(_recommend(field, "林一帆"), UNIT_OFFICER)
    await field.run(_approve(field), OFFICER)
    assert await field.state(mine) == "publicised"
    assert sorted((seat.option, seat.number, seat.unit_number) for seat in await field.all(Seat)) == [
        ("山", 1, None),
        ("山", 2, 1),
    ]


async def test_the_last_place_is_named_to_one(racing: Field) -> None:
    await _open(racing, options=[{"title": "山", "stock": 1}])

    async def tries(who: str) -> str:
        try:
            await racing.run(_named(racing, who, "山"), OFFICER)
        except DomainError as error:
            return error.code
        return "named"

    told = await asyncio.gather(*(tries(who) for who in ("林一帆", "王敏", "李秀芳")))
    assert sorted(told) == ["named", "option_full", "option_full"]


async def test_who_was_there_lately_waits_some_years(field: Field) -> None:
    await _open(field)
    enter = c.EnterTrips(service="retreat", year=2024, people=(field.staff["林一帆"], field.staff["王敏"]))
    assert await field.refused(enter, UNIT_OFFICER) == "forbidden"
    await field.run(enter, OFFICER)
    assert await field.refused(_application(field, **_wishes("山")), "林一帆") == "again_too_soon"
    assert "2024 年去过" in field.reply
    assert await field.refused(_named(field, "王敏", "山"), OFFICER) == "again_too_soon"
    async with field.database.write() as session:
        (await session.get_one(Member, field.people["张建国"])).status = "retired"
    assert await field.refused(_application(field, **_wishes("山")), "张建国") == "may_not_join"
    async with field.database.write() as session:
        offering = await session.get_one(Offering, field.things[TITLE])
        offering.spec = {**offering.spec, "again_after_years": 2}
    await _apply(field, "林一帆", "山")


async def test_rotation_ranks_and_shows_the_own_unit_alone(field: Field) -> None:
    await _open(field)
    await field.run(c.EnterTrips(service="retreat", year=2019, people=(field.staff["林一帆"],)), OFFICER)
    for who in ("林一帆", "张建国", "王敏"):
        await _apply(field, who, "山")
    show = c.Candidates(offering_id=field.things[TITLE])
    outcome = await field.run(show, UNIT_OFFICER)
    assert [(row["name"], row["last"]) for row in outcome.data["rows"]] == [("张建国", None), ("林一帆", 2019)]
    assert len((await field.run(show, OFFICER)).data["rows"]) == 3
    assert await field.refused(show, "林一帆") == "forbidden"


async def test_what_is_decided_is_decided_by_those_who_may(field: Field) -> None:
    await _open(field)
    entry, own = await _apply(field, "林一帆", "山"), await _apply(field, UNIT_OFFICER, "山")
    other = await _apply(field, "王敏", "山")
    assert await field.state(own) == "wished", "an officer's own application is decided on like any other"
    assert await field.refused(File(entry_id=entry), UNIT_OFFICER) == "decide_together"
    assert await field.refused(_recommend(field, "林一帆", day=date(2026, 11, 24)), UNIT_OFFICER) == "decided_later"
    day = date(2026, 11, 20)
    assert await field.refused(_recommend(field, "王敏", day=day), UNIT_OFFICER) == "forbidden"
    assert await field.refused(_recommend(field, "林一帆", "王敏", day=day), OFFICER) == "of_several_units"
    assert await field.refused(_recommend(field, "林一帆", "朱思远", day=day), UNIT_OFFICER) == "not_applied"
    assert await field.refused(_recommend(field, "林一帆", UNIT_OFFICER, day=day), UNIT_OFFICER) == "about_yourself"
    await field.run(_recommend(field, "林一帆", UNIT_OFFICER, day=day), OFFICER)
    await field.run(_recommend(field, "林一帆", day=day), UNIT_OFFICER)
    assert await field.state(own) == "wished", "the last decision counts"
    assert await field.refused(_application(field, **_wishes("海")), "林一帆") == "allotted_already"
    plan = c.ShowPlan(offering_id=field.things[TITLE])
    assert await field.refused(plan, UNIT_OFFICER) == "forbidden"
    await field.run(plan, OFFICER)
    assert await field.state(entry) == "recommended", "a plan decides nothing"
    await field.run(SendBack(entry_id=other, reason="名额有限"), OFFICER)
    assert await field.state(other) == "sent_back"
    early = c.ApproveAll(offering_id=field.things[TITLE], decided_on=day, how="常委会")
    assert await field.refused(early, OFFICER) == "signup_still_open"
    assert await field.refused(early, UNIT_OFFICER) == "forbidden"


@pytest.mark.parametrize(
    ("wishes", "companions", "code"),
    [
        (("湖",), "", "no_such_offering"),
        (("",), "", "no_such_offering"),
        (("山",), "王芳", "companions"),
        (("山",), "王芳（配偶）、王小明（儿子）", "companions"),
        (("山", "只去第一志愿"), "王芳（配偶）", ""),
    ],
)
async def test_an_application_is_held_against_the_rules(
    field: Field, wishes: tuple[str, ...], companions: str, code: str
) -> None:
    await _open(field)
    command = _application(field, **_wishes(*wishes), confidential={"companions": companions})
    assert await field.refused(command, "林一帆") == code
    assert not code or not await field.all(Entry, Entry.service == "retreat")


async def _settled(field: Field) -> dict[str, int]:
    ids = await _public(field)
    field.now = at(date(2026, 12, 10), time(9))
    await field.run(c.Settle(offering_id=field.things[TITLE]), OFFICER)
    return ids


async def test_numbers_are_sealed_checked_and_gone_in_time(field: Field) -> None:
    ids = await _settled(field)
    assert await field.refused(c.GiveIdentity(number="110105194912310021"), "林一帆") == "identity_wrong"
    for who in ("林一帆", "王敏", "张建国"):
        await field.run(c.GiveIdentity(number=f"身份证 {NUMBER}"), who)
        assert "1949" not in field.reply
    assert await field.refused(c.GiveIdentity(number=NUMBER), "刘志强") == "identity_not_wanted"
    kept = await field.all(Identity)
    assert len(kept) == 3
    assert all("1949" not in row.number for row in kept)
    await field.run(Withdraw(entry_id=ids["王敏"]), "王敏")
    assert len(await field.all(Identity)) == 2, "who withdraws leaves none behind"
    field.now = STARTS + timedelta(days=7 + 7, minutes=-1)
    await field.sweep()
    assert len(await field.all(Identity)) == 2
    field.now += timedelta(minutes=1)
    await field.sweep()
    assert await field.all(Identity) == []


async def test_insured_is_insured(field: Field) -> None:
    await _settled(field)
    await field.run(c.GiveIdentity(number=NUMBER), "林一帆")
    done = c.Insured(offering_id=field.things[TITLE])
    assert await field.refused(done, UNIT_OFFICER) == "forbidden"
    await field.run(done, OWNER)
    assert await field.all(Identity) == []


async def test_a_journey_is_noted_when_it_is_over_and_the_line_ends_with_its_beginning(field: Field) -> None:
    ids = await _settled(field)
    field.now = STARTS
    await field.sweep()
    assert (await _states(field, ids))["刘志强"][0] == "expired"
    assert await field.all(Trip) == []
    await field.run(Withdraw(entry_id=ids["林一帆"]), OFFICER)
    assert (await _states(field, ids))["张建国"] == ("registered", "海"), "nobody is moved on the way"
    field.now = STARTS + timedelta(days=8)
    await field.sweep()
    await field.sweep()
    assert sorted((row.member_id, row.year) for row in await field.all(Trip)) == sorted(
        (field.people[name], 2027) for name in ("王敏", "张建国")
    )


async def test_nothing_goes_on_when_all_is_cancelled(field: Field) -> None:
    ids = await _public(field)
    await field.run(CancelOffering(offering_id=field.things[TITLE]), OFFICER)
    assert {state for state, _option in (await _states(field, ids)).values()} == {"cancelled", "sent_back"}
    assert await field.all(Seat) == []


async def test_no_file_of_the_database_holds_a_number(world: World, tmp_path: Path) -> None:
    """Said, refused, kept, listed, deleted: whatever is written to the disk, the number is not in it."""
    officer, member = "20100903", "20180312"
    await world.say("点名 疗休养 林一帆 黄山线", who=officer)
    await world.sent()
    assert "定下来了" in await world.told("接受", who=member)
    assert "收到了" in await world.told(f"我的身份证号发您，{NUMBER}，麻烦了", who=member)
    assert "别在群里发" in await world.told(f"我的身份证 {NUMBER}", who=member, group="g")
    assert "保险名单做好了" in await world.told("保险名单 疗休养", who=officer)
    house = world.app.house
    async with house.database.read() as session:
        assert len((await session.execute(select(Identity))).scalars().all()) == 1
        (look,) = (await session.execute(select(IdentityLook))).scalars()
        assert (await session.get_one(Member, look.member_id)).staff_id == officer
    files = [file for message in await world.sent() for file in message.files]
    assert [file.name.rpartition(".")[2] for file in files] == ["xlsx"]
    _hold_nothing(tmp_path)
    assert "周涛做了" in await world.told("谁看过我的身份证号", who=member)
    assert "照这个样子发" in await world.told("撤下 疗休养 林一帆、张建国 有意见", who=officer)
    assert "照这个样子发" not in await world.told("推荐 疗休养", who=member)
    await world.say("算了", who=member)
    assert "1 个身份证号都删了" in await world.told("保险办好 疗休养", who=officer)
    assert "周涛做了" in await world.told("谁看过我的身份证号", who=member)
    world.clock.move(hours=2)
    await world.sent()
    async with house.database.read() as session:
        assert not (await session.execute(select(Identity))).scalars().all()
    _hold_nothing(tmp_path)


def _hold_nothing(folder: Path) -> None:
    written = [path for path in folder.rglob("*") if path.is_file() and ".db" in path.name]
    assert written
    for path in written:
        content = path.read_bytes()
        assert NUMBER.encode() not in content
        assert b"19491231" not in content
