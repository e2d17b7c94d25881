"""Exact words around an offering: what is none of them costs no look at the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event

from actions.activities.commands import Register
from actions.activities.listening import AskingListener
from actions.core.hearing import Heard
from tests.activities.world import UNIT_OFFICER

if TYPE_CHECKING:
    from actions.core.hearing import Hearing
    from tests.activities.world import Field


async def hears(field: Field, text: str) -> tuple[Hearing | None, int]:
    """What is heard in a message, and how many statements it took."""
    statements: list[str] = []
    heard = Heard(channel="web", account="", conversation="c", text=text, group=False, addressed=True)
    async with field.database.read() as session:
        context = field.context(session, await field.actor(session, UNIT_OFFICER))
        count = lambda *about: statements.append(about[2])  # noqa: E731 - what to do with a statement
        event.listen(field.database.engine.sync_engine, "before_cursor_execute", count)
        hearing = await AskingListener().hears(context, heard, alone=True)
        event.remove(field.database.engine.sync_engine, "before_cursor_execute", count)
    return hearing, len(statements)


@pytest.mark.parametrize("text", ["今天 天气不错", "帮我看看 推进会 几点", "请假"])
async def test_most_messages_are_no_answer_and_ask_the_database_nothing(field: Field, text: str) -> None:
    assert await hears(field, text) == (None, 0)


async def test_an_answer_in_one_line_is_heard(field: Field) -> None:
    hearing, statements = await hears(field, "请假 推进会 出差")
    assert hearing is not None
    assert statements == 1
    assert isinstance(hearing.command, Register)
    assert hearing.command.confidential == {"reason": "出差"}
