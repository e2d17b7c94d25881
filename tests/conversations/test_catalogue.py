"""Every declaration has a conversation that passes, and the table in docs/ tells of all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conversations.catalogue import PAGE, catalogue, dialogues, page, shown_by

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bot.replay import Dialogue

SHOWN = shown_by(dialogues())


@pytest.mark.parametrize("service", sorted(service.id for service in catalogue()))
async def test_a_conversation_that_passes_shows_the_service(
    service: str, played: Callable[[Dialogue], Awaitable[Sequence[str]]]
) -> None:
    """The shortest that expects it; one that shows several services is played once."""
    shown = SHOWN.get(service, [])
    assert shown, f"no conversation expects the service {service}"
    assert await played(shown[0]) == []


def test_the_table_is_as_the_declarations_are() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(catalogue(), SHOWN), (
        "write it anew: uv run python -m tests.conversations.catalogue"
    )
