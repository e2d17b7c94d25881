"""People of the demo world, by what they may do here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bot.app import execute

if TYPE_CHECKING:
    from tests.conftest import World


class Office:
    """The union's office: commands as an officer sends them."""

    def __init__(self, world: World, officer: str) -> None:
        self.world = world
        self.officer = officer

    async def do(self, command: str, **arguments: Any) -> str:
        """Runs a command as the officer; what it says."""
        outcome = await execute(self.world.app, self.officer, command, arguments)
        return self.world.app.house.wording.text(outcome.wording, outcome.params)

    async def data(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Runs a command as the officer; its data."""
        return dict((await execute(self.world.app, self.officer, command, arguments)).data)


@pytest.fixture
def office(world: World) -> Office:
    return Office(world, "20100903")
