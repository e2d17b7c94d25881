"""Every declaration has a conversation, and the table in docs/ tells of all of them.

That each conversation passes is what `test_conversations` says.
"""

from __future__ import annotations

import pytest

from tests.conversations.catalogue import PAGE, catalogue, dialogues, page, shown_by

SHOWN = shown_by(dialogues())


@pytest.mark.parametrize("service", sorted(service.id for service in catalogue()))
def test_a_conversation_shows_the_service(service: str) -> None:
    assert SHOWN.get(service), f"no conversation expects the service {service}"


def test_the_table_is_as_the_declarations_are() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(catalogue(), SHOWN), (
        "write it anew: uv run python -m tests.conversations.catalogue"
    )
