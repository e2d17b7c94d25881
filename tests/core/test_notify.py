"""What is to be said later: rows that wait, questions that can be answered once, and what is taken back."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from actions.appointments.commands import Approve, Refuse
from actions.core.commands import SYSTEM
from actions.core.notify import (
    Letter,
    Notice,
    Option,
    cancel_notices,
    close_prompts,
    forget_prompts,
    notify,
    open_prompts,
    send_letter,
)
from actions.core.tables import Outgoing, Prompt
from tests.appointments.world import MEMBERS, open_hall

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.appointments.world import Hall

ME, OTHER = MEMBERS[:2]
OPTIONS = (
    Option(label="同意", command=Approve(appointment_id=7)),
    Option(label="退回", command=Refuse(appointment_id=7), asks_reason=True),
)


@pytest.fixture
async def hall() -> AsyncIterator[Hall]:
    made = await open_hall()
    yield made
    await made.database.close()


async def say(hall: Hall, who: str = ME, subject: str = "appointment:7", **more) -> None:
    async with hall.database.write() as session:
        notice = Notice(member_id=hall.people[who], wording="notices.approved", subject=subject, **more)
        await notify(hall.context(session, SYSTEM), notice)


async def waiting(hall: Hall, who: str = ME) -> list[str]:
    async with hall.database.read() as session:
        return [row.code for row in await open_prompts(hall.context(session, SYSTEM), hall.people[who])]


async def test_a_notice_waits_until_it_is_due_and_is_sealed(hall: Hall):
    due, expires = hall.now + timedelta(hours=3), hall.now + timedelta(hours=4)
    await say(hall, params={"party": 30, "at": hall.now}, due=due, expires=expires)
    (row,) = await hall.all(Outgoing)
    assert (row.state, row.due_at, row.expires_at, row.subject) == ("queued", due, expires, "appointment:7")
    assert "notices" not in row.content
    opened = hall.vault.open(row.content, about="outgoing")
    assert opened == {"parts": [["notices.approved", {"party": 30, "at": hall.now.isoformat()}]], "options": []}


async def test_without_a_time_it_is_said_at_once(hall: Hall):
    await say(hall)
    (row,) = await hall.all(Outgoing)
    assert row.due_at == hall.now


async def test_options_carry_a_code_and_the_command(hall: Hall):
    await say(hall, options=OPTIONS, expires=hall.now + timedelta(hours=1))
    (prompt,) = await hall.all(Prompt)
    assert re.fullmatch("[2-9A-HJ-NP-Z]{5}", prompt.code)
    sent_back = hall.vault.open(prompt.options, about="prompt")["退回"]
    assert (sent_back["command"], sent_back["arguments"]) == (
        "appointments.refuse",
        {"appointment_id": 7, "reason": ""},
    )
    assert sent_back["asks_reason"] is True
    (row,) = await hall.all(Outgoing)
    labels = hall.vault.open(row.content, about="outgoing")["options"]
    assert labels == [{"label": label, "value": f"{label} {prompt.code}"} for label in ("同意", "退回")]


async def test_every_question_has_a_code_of_its_own(hall: Hall):
    for _time in range(20):
        await say(hall, options=OPTIONS)
    assert len(set(await waiting(hall))) == 20


async def test_questions_are_one_s_own_and_oldest_first(hall: Hall):
    for who in (ME, OTHER, ME):
        await say(hall, who, options=OPTIONS)
    codes = [row.code for row in await hall.all(Prompt)]
    assert (await waiting(hall), await waiting(hall, OTHER)) == ([codes[0], codes[2]], [codes[1]])


async def test_a_question_lapses(hall: Hall):
    await say(hall, options=OPTIONS, expires=hall.now + timedelta(minutes=1))
    assert len(await waiting(hall)) == 1
    hall.pass_time(minutes=1)
    assert await waiting(hall) == []


async def test_what_is_decided_is_asked_nobody_any_more(hall: Hall):
    for who in (ME, OTHER):
        await say(hall, who, options=OPTIONS)
    await say(hall, subject="appointment:8", options=OPTIONS)
    async with hall.database.write() as session:
        await close_prompts(hall.context(session, SYSTEM), "appointment:7")
    assert (len(await waiting(hall)), await waiting(hall, OTHER)) == (1, [])
    assert [row.state for row in await hall.all(Outgoing)] == ["queued"] * 3


async def test_what_was_not_said_yet_is_taken_back(hall: Hall):
    await say(hall, options=OPTIONS)
    await say(hall, due=hall.now + timedelta(days=1))
    await say(hall, subject="appointment:71")
    await say(hall)
    await hall.change(Outgoing, 4, state="sent")
    async with hall.database.write() as session:
        await cancel_notices(hall.context(session, SYSTEM), "appointment:7")
    assert [row.state for row in await hall.all(Outgoing)] == ["cancelled", "cancelled", "queued", "sent"]
    assert await waiting(hall) == []


async def test_options_about_records_that_are_gone_are_deleted(hall: Hall):
    for subject in ("appointment:7", "appointment:8"):
        await say(hall, subject=subject, options=OPTIONS)
    async with hall.database.write() as session:
        await forget_prompts(hall.context(session, SYSTEM), ["appointment:7"])
    assert [row.subject for row in await hall.all(Prompt)] == ["appointment:8"]


async def test_a_letter_carries_its_own_address(hall: Hall):
    async with hall.database.write() as session:
        letter = Letter(channel="email", conversation="a@example.edu", wording="notices.approved")
        await send_letter(hall.context(session, SYSTEM), letter)
    (row,) = await hall.all(Outgoing)
    assert (row.channel, row.conversation, row.member_id, row.due_at) == ("email", "a@example.edu", None, hall.now)


async def test_a_notice_and_what_it_speaks_of_stand_or_fall_together(hall: Hall):
    async def half() -> None:
        async with hall.database.write() as session:
            notice = Notice(member_id=hall.people[ME], wording="notices.approved", options=OPTIONS)
            await notify(hall.context(session, SYSTEM), notice)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await half()
    assert (await hall.all(Outgoing), await hall.all(Prompt)) == ([], [])
