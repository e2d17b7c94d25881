"""What is over for three years is gone, with all that hung on it; nothing is before, and nothing that is still open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select, text

from actions.blocks.consent import Consent
from actions.blocks.materials import Material
from actions.cases.tables import Case, CaseHandler, CaseLook, CaseObjection, CaseSecond, CaseStep
from actions.core.errors import DomainError, ForbiddenError
from actions.core.tables import Audit, Outgoing, Prompt
from tests.cases.doing import CHEN, LIN, ZHANG, ZHOU, aid, do, move, paid, photo, swept

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from tests.conftest import World

DAYS = 1095
_OF_A_CASE = (CaseStep, CaseHandler, CaseSecond, CaseLook, CaseObjection)


async def _with_paper(world: World) -> int:
    key = await photo(world)
    secret = {"kind": "本人患病", "situation": "要做手术"}
    given = {"service": "aid", "confidential": secret, "fields": {"papers": [key]}, "consent": True}
    return int((await do(world, LIN, "cases.submit", **given)).data["case_id"])


async def _left(world: World, number: int) -> dict[str, int]:
    """How many rows of each kind still speak of a record."""
    subjects = (f"case:{number}", f"case_task:{number}")
    async with world.unit_of_work() as context:

        async def count(table: type, *where: ColumnElement[bool]) -> int:
            query = select(func.count()).select_from(table).where(*where)
            return int((await context.session.execute(query)).scalar_one())

        found = {part.__tablename__: await count(part, part.case_id == number) for part in _OF_A_CASE}
        found["case"] = await count(Case, Case.id == number)
        found |= {t.__tablename__: await count(t, t.subject.in_(subjects)) for t in (Outgoing, Prompt, Material)}
        found["consent"] = await count(Consent, Consent.purpose == "aid")
    return found


async def test_it_counts_and_deletes_nothing_unless_told_to(world: World) -> None:
    number = await _with_paper(world)
    await paid(world, number)
    world.clock.move(days=DAYS, hours=1)
    told = await do(world, ZHOU, "cases.retention")
    assert told.params == {"rows": [{"service": "爱心扶助金", "count": 1}], "total": 1, "dry": True}
    assert "这次只数，没有删" in world.app.house.wording.text(told.wording, told.params)
    assert (await _left(world, number))["case"] == 1


async def test_when_its_time_is_over_nothing_is_left(either_world: World) -> None:
    world = either_world
    number = await _with_paper(world)
    await do(world, ZHOU, "cases.look", case_id=number)
    await paid(world, number)
    before = await _left(world, number)
    assert all(before[kind] for kind in ("case", "case_step", "case_look", "outgoing", "prompt", "material", "consent"))
    world.clock.move(days=DAYS - 1)
    await swept(world)
    assert (await _left(world, number))["case"] == 1
    world.clock.move(days=1)
    await swept(world)
    await world.app.sweep()
    assert set((await _left(world, number)).values()) == {0}
    folder = world.app.settings.files_dir
    assert [file for file in folder.rglob("*") if file.is_file()] == []
    async with world.unit_of_work() as context:
        audit = (await context.session.execute(select(Audit).where(Audit.command == "cases.retention"))).scalars().all()
    assert [(row.actor, row.subject) for row in audit] == [("system", "retention")]


async def test_the_file_of_the_database_forgets_as_well(world: World) -> None:
    number = await aid(world)
    await paid(world, number)
    async with world.unit_of_work() as context:
        case = await context.session.get(Case, number)
        assert case is not None
        sealed = case.confidential.encode()
    file = world.app.settings.var_dir / "niangjiaren.db"
    await _written_back(world)
    assert sealed in file.read_bytes()
    world.clock.move(days=DAYS)
    await swept(world)
    await _written_back(world)
    assert sealed not in file.read_bytes()


async def _written_back(world: World) -> None:
    async with world.app.house.database.engine.connect() as connection:
        await connection.rollback()
        raw = await connection.get_raw_connection()
        assert raw.driver_connection is not None
        cursor = await raw.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        await cursor.close()


async def test_what_is_still_open_stays_however_old(world: World) -> None:
    number = await aid(world)
    world.clock.move(days=3 * DAYS)
    await do(world, ZHOU, "cases.retention", dry=False)
    assert (await _left(world, number))["case"] == 1


async def test_a_consent_stays_as_long_as_a_record_needs_it(world: World) -> None:
    old = await aid(world)
    await paid(world, old)
    world.clock.move(days=DAYS - 10)
    await do(world, ZHOU, "offerings.create", service="aid", title="三年后的一轮", spec={}, open=True)
    fresh = await aid(world)
    world.clock.move(days=10)
    await do(world, ZHOU, "cases.retention", dry=False)
    assert (await _left(world, old))["case"] == 0
    assert (await _left(world, fresh))["case"] == 1
    assert (await _left(world, fresh))["consent"] == 1


async def test_one_service_at_a_time(world: World) -> None:
    number = await aid(world)
    await paid(world, number)
    world.clock.move(days=DAYS)
    assert (await do(world, ZHOU, "cases.retention", service="condolence", dry=False)).params["total"] == 0
    assert (await do(world, ZHOU, "cases.retention", service="aid", dry=False)).params["total"] == 1
    with pytest.raises(DomainError, match="unknown_service"):
        await do(world, ZHOU, "cases.retention", service="counseling")


@pytest.mark.parametrize("who", [LIN, CHEN, ZHANG])
async def test_only_administrators_may(world: World, who: str) -> None:
    with pytest.raises(ForbiddenError):
        await do(world, who, "cases.retention")


async def test_a_withdrawn_one_goes_too_and_others_of_its_kind_stay(world: World) -> None:
    withdrawn, other = await aid(world), await aid(world, ZHANG)
    await move(world, LIN, withdrawn, "withdraw")
    world.clock.move(days=DAYS)
    await swept(world)
    assert (await _left(world, withdrawn))["case"] == 0
    assert (await _left(world, other))["case"] == 1


async def test_once_a_day_is_enough(world: World) -> None:
    await swept(world)
    async with world.unit_of_work() as context:
        rows = (
            await context.session.execute(text("SELECT count(*) FROM firing WHERE schedule = 'cases.retention'"))
        ).scalar_one()
    await swept(world)
    async with world.unit_of_work() as context:
        again = (
            await context.session.execute(text("SELECT count(*) FROM firing WHERE schedule = 'cases.retention'"))
        ).scalar_one()
    assert rows == again > 0
