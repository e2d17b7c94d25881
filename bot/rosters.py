"""`bot members import`: a roster from Excel, with every bad row named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actions.core.errors import ConfigurationError, DomainError
from actions.core.zones import local
from actions.membership import read_roster
from bot import app as root

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
    say(text(outcome.wording, outcome.params))
    return not roster.faults
