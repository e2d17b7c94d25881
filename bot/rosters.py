"""Who is let in: the roster from Excel, with every bad row named, and whoever enters the console first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from actions.core.errors import ConfigurationError, DomainError
from actions.core.tables import Credential
from actions.core.zones import local
from actions.membership import read_roster
from bot import app as root
from bot.demo import OFFICER, is_demo
from bot.world import load_world

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bot.app import App


async def import_roster(app: App, file: Path, say: Callable[[str], None]) -> bool:
    """Imports the good rows and says what is wrong with the others; True where there were none.

    Raises ConfigurationError for a file that is no roster.
    """
    text = app.house.wording.text
    try:
        roster = read_roster(file, today=local(app.clock()).date())
        for fault in roster.faults:
            say(text(fault.wording, fault.params))
        rows = [row.model_dump(mode="json", exclude_none=True) for row in roster.rows]
        outcome = await root.execute(app, "", "membership.import_roster", {"rows": rows, "bad": roster.bad})
    except DomainError as error:
        raise ConfigurationError(text(f"errors.{error.code}", error.params)) from error
    refused = outcome.data["refused"]
    for row in refused:
        say(f"{row['staff_id']}：{text('errors.' + row['code'], {})}")
    say(text(outcome.wording, outcome.params))
    return not roster.faults and not refused


async def create_administrator(app: App, staff_id: str, name: str) -> str:
    """Makes somebody an administrator; returns the one-time password. Raises DomainError as the command does."""
    arguments = {"staff_id": staff_id, "full_name": name}
    outcome = await root.execute(app, "", "membership.create_administrator", arguments)
    return str(outcome.data["password"])


async def first_officer(app: App) -> str:
    """What the operator reads while nobody has a password for the console; nothing where somebody has.

    In the demo world its union officer gets one, elsewhere it is told how to get one.
    """
    async with app.house.database.read() as session:
        if (await session.execute(select(Credential.member_id).limit(1))).first() is not None:
            return ""
    if not await is_demo(app.house.database, load_world(app.settings.data_dir)):
        return "还没有人能进干部入口：用 bot admin create 创建第一位管理员。"
    password = await create_administrator(app, *OFFICER)
    return f"校工会干部（示例）{OFFICER[1]}，工号 {OFFICER[0]}，一次性口令：{password}"
