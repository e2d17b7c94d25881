"""The books tell what is wrong: what the tests that kill rely on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from tests.kill.books import faults
from tests.peers.server import Store

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import World

#: What somebody does to the database behind our back, and what the books say.
DAMAGE = {
    "delete from outgoing where turn_id is not null": "replies",
    "update appointment set state = 'held'": "reply to a booking too many",
    "update appointment set starts_at = '2026-11-26 07:00:00'": "reply to a booking missing",
    "delete from appointment_seat": "seat missing",
    "delete from outgoing where subject like 'appointment:%'": "reminder missing",
    "insert into outgoing (channel, account, conversation, content, subject, due_at, state, attempts, reason, chat, "
    "routed, kind, lane, topic, fingerprint, worker, doubts) "
    "select channel, account, conversation, content, subject, due_at, 'queued', 0, '', chat, routed, kind, lane, "
    "topic, fingerprint, worker, doubts from outgoing "
    "where subject like 'appointment:%' limit 1": "reminder too many",
    "delete from outgoing where turn_id is null and subject not like 'appointment:%'": "word to the owner missing",
    "delete from audit": "audit entry missing",
}


@pytest.fixture
async def booked(world: World, tmp_path: Path) -> Store:
    """A store in which one member has booked a time with a counsellor."""
    for said in ("下周三下午三点想约心理咨询", "何医生", "线上", "同意", "王芳 13912345678", "确认"):
        last = await world.told(said)
    assert "约好了" in last
    return Store(var=tmp_path / "var")


def test_a_booking_that_is_whole_has_no_fault(booked: Store) -> None:
    assert faults(booked) == []


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_is_half_done_or_done_twice_is_told(booked: Store, damage: str) -> None:
    with booked.session() as session:
        session.execute(text(damage))
        session.commit()
    assert DAMAGE[damage] in " ".join(faults(booked))
