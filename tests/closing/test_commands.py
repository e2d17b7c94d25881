"""Closing an activity: papers that only who asked can open, prizes within their share, everything in one archive."""

import io
import zipfile
from typing import Any

import docx
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from actions.activities.tables import Attendance, Entry
from actions.blocks.closing import prizes_allowed
from actions.core.commands import Outcome
from actions.core.errors import DomainError, ForbiddenError
from actions.core.tables import Member
from bot.messages import Address
from tests.conftest import World
from tests.fixtures_draws.teams import OFFICER, do, enter_teams, offering_of

SEASON = {
    "first": "2026-12-28",
    "last": "2027-01-08",
    "venues": ["东 1", "东 2"],
    "windows": [{"day": "workday", "start": "17:30", "end": "20:30"}],
}


def _content(world: World, outcome: Outcome, number: int = 0) -> bytes:
    folder = world.app.settings.files_dir
    found = [path for path in folder.rglob(f"{outcome.data['files'][number]['id']}*") if path.is_file()]
    return found[0].read_bytes()


async def _refused(world: World, command: str, **arguments: Any) -> DomainError:
    with pytest.raises(DomainError) as error:
        await do(world, command, **arguments)
    world.app.house.wording.text(f"errors.{error.value.code}", error.value.params)
    return error.value


async def _attend(world: World, offering_id: int, count: int) -> None:
    async with world.unit_of_work() as context:
        query = select(Entry).where(Entry.offering_id == offering_id).order_by(Entry.id)
        entries = (await context.session.execute(query)).unique().scalars().all()
        people = [(entry, person) for entry in entries for person in entry.people][:count]
        context.session.add_all(
            Attendance(
                offering_id=offering_id, session=0, member_id=person.member_id, entry_id=entry.id, at=context.now
            )
            for entry, person in people
        )


async def test_an_attendance_list_is_made_as_word_and_excel_for_who_asks(world: World) -> None:
    offering_id = await offering_of(world, "气排球")
    await enter_teams(world, "气排球")
    await _attend(world, offering_id, 1)
    outcome = await do(world, "closing.paper", offering_id=offering_id, paper="attendance")
    made = docx.Document(io.BytesIO(_content(world, outcome)))
    rows = [[cell.text for cell in row.cells] for row in made.tables[0].rows]
    assert rows[0] == ["序号", "姓名", "单位", "签到", "签名"]
    assert len(rows) == 9
    assert [row[3] for row in rows[1:]].count("已签到") == 1
    assert [paragraph.text for paragraph in made.paragraphs if paragraph.text][-2:] == ["校工会", "2026年11月22日"]
    book = openpyxl.load_workbook(io.BytesIO(_content(world, outcome, 1)))
    assert book.worksheets[0]["A1"].value == "气排球签到表"
    told = await world.sent()
    assert any("签到表好了" in message.text and len(message.files) == 2 for message in told)


async def test_nobody_else_opens_a_paper_or_has_one_made(world: World) -> None:
    offering_id = await offering_of(world, "气排球")
    await enter_teams(world, "气排球")
    outcome = await do(world, "closing.paper", offering_id=offering_id, paper="roster")
    key = outcome.data["files"][0]["id"]
    address = Address(channel="web", conversation="20180312")
    with pytest.raises(DomainError) as gone:
        await world.app.files.open(address, "20180312", key)
    assert gone.value.code == "file_gone"
    own = await world.app.files.open(Address(channel="web", conversation=OFFICER), OFFICER, key)
    assert own.view.name == "气排球名单.docx"
    with pytest.raises(ForbiddenError):
        await do(world, "closing.archive", who="20180312", offering_id=offering_id)


async def test_everything_of_a_tournament_is_one_archive(world: World) -> None:
    offering_id = await offering_of(world, "气排球")
    entries = await enter_teams(world, "气排球")
    form = {"kind": "groups", "groups": 2, "advance": 1}
    await do(world, "draws.make", offering_id=offering_id, sport="气排球", format=form, seed="8f3a")
    await do(world, "draws.arrange", offering_id=offering_id, season=SEASON)
    await do(world, "draws.result", offering_id=offering_id, game="1", result={"home": 2, "away": 0})
    await do(world, "closing.prizes", offering_id=offering_id, prizes={entries["图书馆"]: "一等奖"})
    outcome = await do(world, "closing.archive", offering_id=offering_id)
    made = zipfile.ZipFile(io.BytesIO(_content(world, outcome)))
    assert made.testzip() is None
    names = made.namelist()
    assert names == [
        "01 气排球名单.docx",
        "02 气排球签到表.docx",
        "03 气排球奖品签收表.docx",
        "04 气排球秩序册.docx",
        "05 气排球成绩.docx",
        "气排球.xlsx",
    ]
    book = docx.Document(io.BytesIO(made.read("04 气排球秩序册.docx")))
    text = "\n".join(paragraph.text for paragraph in book.paragraphs)
    assert "抽签种子：8f3a" in text
    assert "积分相同时依次比较" in text
    timetable = [[cell.text for cell in row.cells] for row in book.tables[-1].rows]
    assert timetable[0][:4] == ["场次", "轮次", "主队", "客队"]
    assert [row[1] for row in timetable[1:]] == ["A 组第 1 轮", "B 组第 1 轮", "决赛"]
    assert timetable[-1][2:4] == ["A 组第 1", "B 组第 1"] or "A 组第 1" not in timetable[-1][2]
    assert "2 : 0" in [row[-1] for row in timetable]
    assert "一等奖" in "".join(
        cell.text for row in docx.Document(io.BytesIO(made.read(names[2]))).tables[0].rows for cell in row.cells
    )


async def test_prizes_stay_within_their_share(world: World) -> None:
    """Four teams of two; two thirds of eight are five: two teams, not three."""
    offering_id = await offering_of(world, "气排球")
    entries = await enter_teams(world, "气排球")
    three = dict.fromkeys(list(entries.values())[:3], "二等奖")
    error = await _refused(world, "closing.prizes", offering_id=offering_id, prizes=three)
    assert (error.code, error.params["most"], error.params["people"]) == ("prizes_too_many", 5, 6)
    async with world.app.house.database.read() as session:
        kept = (await session.execute(select(Entry.fields).where(Entry.offering_id == offering_id))).scalars()
        assert not any("prize" in fields for fields in kept)
    two = dict.fromkeys(list(entries.values())[:2], "一等奖")
    done = await do(world, "closing.prizes", offering_id=offering_id, prizes=two)
    assert (done.params["count"], done.params["people"]) == (2, 4)
    await _attend(world, offering_id, 3)
    error = await _refused(world, "closing.prizes", offering_id=offering_id, prizes={entries["文学院"]: "一等奖"})
    assert (error.params["taking_part"], error.params["most"]) == (3, 2)
    assert (
        await _refused(world, "closing.prizes", offering_id=offering_id, prizes={10**6: "一等奖"})
    ).code == "not_found"


async def test_a_festival_has_one_order_book_for_all_its_events(world: World) -> None:
    first = await offering_of(world, "拔河")
    await enter_teams(world, "拔河")
    await enter_teams(world, "4×100接力")
    outcome = await do(world, "closing.paper", offering_id=first, paper="order_book")
    made = docx.Document(io.BytesIO(_content(world, outcome)))
    headings = [paragraph.text for paragraph in made.paragraphs if paragraph.text]
    assert headings[0] == "体育文化节秩序册"
    assert {"拔河", "4×100接力"} <= set(headings)


async def test_what_cannot_be_made_is_told(world: World) -> None:
    offering_id = await offering_of(world, "气排球")
    nothing = await _refused(world, "closing.paper", offering_id=offering_id, paper="attendance")
    assert nothing.code == "closing_nothing"
    await enter_teams(world, "气排球")
    early = await _refused(world, "closing.paper", offering_id=offering_id, paper="results")
    assert early.code == "closing_not_drawn"


async def test_a_formula_in_a_name_stays_a_name(world: World) -> None:
    offering_id = await offering_of(world, "气排球")
    entries = await enter_teams(world, "气排球")
    async with world.unit_of_work() as context:
        entry = await context.session.get(Entry, entries["图书馆"])
        assert entry is not None
        member = await context.session.get(Member, entry.member_id)
        assert member is not None
        member.name = '=HYPERLINK("http://x","领奖")'
    outcome = await do(world, "closing.paper", offering_id=offering_id, paper="attendance")
    book = openpyxl.load_workbook(io.BytesIO(_content(world, outcome, 1)))
    cells = [cell for row in book.worksheets[0].iter_rows() for cell in row]
    assert all(cell.data_type != "f" for cell in cells)
    assert any(cell.value == '=HYPERLINK("http://x","领奖")' and cell.quotePrefix for cell in cells)


@settings(deadline=None)
@given(st.integers(0, 5000), st.integers(1, 20), st.integers(1, 20))
def test_a_share_is_rounded_down(people: int, numerator: int, denominator: int) -> None:
    if numerator > denominator:
        with pytest.raises(ValueError, match="between"):
            prizes_allowed(people, f"{numerator}/{denominator}")
        return
    most = prizes_allowed(people, f"{numerator}/{denominator}")
    assert most * denominator <= people * numerator < (most + 1) * denominator


def test_shares_are_written_as_people_write_them() -> None:
    assert [prizes_allowed(10, share) for share in ("2/3", "0.5", ".25", "1")] == [6, 5, 2, 10]
    with pytest.raises(ValueError, match="no fraction"):
        prizes_allowed(10, "1/0")
