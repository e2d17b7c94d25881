"""Consent: given once for one purpose, renewed, read back, forgotten."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from actions.blocks import consent
from actions.blocks.consent import Consent
from actions.core.commands import SYSTEM
from actions.core.tables import Member
from tests.appointments.world import open_hall

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.appointments.world import Hall


@pytest.fixture
async def hall() -> AsyncIterator[Hall]:
    made = await open_hall()
    yield made
    await made.database.close()


async def give(hall: Hall, who: str, purpose: str = "counseling", **details: str) -> None:
    async with hall.database.write() as session:
        await consent.give(hall.context(session, SYSTEM), hall.people[who], purpose, details)


async def test_it_is_given_once_and_renewed(hall: Hall):
    await give(hall, "林一帆", contact="林母 13900000001")
    hall.pass_time(days=30)
    await give(hall, "林一帆", contact="林父 13900000002")
    (row,) = await hall.all(Consent)
    async with hall.database.read() as session:
        context = hall.context(session, SYSTEM)
        assert consent.details(context, row) == {"contact": "林父 13900000002"}
        assert row.given_at == hall.now - timedelta(days=30)
        assert await consent.find(context, hall.people["王敏"], "counseling") is None
        assert await consent.find(context, hall.people["林一帆"], "aid") is None


async def test_what_is_entrusted_is_sealed(hall: Hall):
    await give(hall, "林一帆", contact="林母 13900000001")
    async with hall.database.read() as session:
        stored = (await session.execute(select(Consent.details))).scalar_one()
    assert "139" not in stored


async def test_old_ones_are_forgotten_but_for_those_who_came(hall: Hall):
    for who in ("林一帆", "王敏", "陈静"):
        await give(hall, who)
    await give(hall, "林一帆", purpose="aid")
    hall.pass_time(days=400)
    await give(hall, "孙悦")
    await hall.change(Member, hall.people["陈静"], status="left")
    async with hall.database.write() as session:
        came = select(Member.id).where(Member.name.in_(["王敏", "陈静"]))
        before = hall.now - timedelta(days=365)
        await consent.forget(hall.context(session, SYSTEM), "counseling", before=before, but=came)
    kept = {(row.member_id, row.purpose) for row in await hall.all(Consent)}
    assert kept == {
        (hall.people["王敏"], "counseling"),
        (hall.people["孙悦"], "counseling"),
        (hall.people["林一帆"], "aid"),
    }
