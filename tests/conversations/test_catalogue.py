"""Every declaration has a conversation that passes, and the table in docs/ tells of all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conversations.catalogue import PAGE, catalogue, dialogues, page, shown_by
from tests.conversations.checking import differences
from tests.conversations.test_conversations import SPEAKER

if TYPE_CHECKING:
    from bot.replay import Stage

SHOWN = shown_by(dialogues())


@pytest.mark.parametrize("service", sorted(service.id for service in catalogue()))
async def test_a_conversation_shows_the_service(service: str, stage: Stage) -> None:
    shown = SHOWN.get(service, [])
    assert shown, f"no conversation expects the service {service}"
    assert differences(shown[0], await stage.play(shown[0]), SPEAKER) == []


def test_the_table_is_as_the_declarations_are() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(catalogue(), SHOWN), (
        "write it anew: uv run python -m tests.conversations.catalogue"
    )
