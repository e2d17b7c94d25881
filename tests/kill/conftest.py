"""Stores and clients of the tests that kill the server."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from actions.blocks.workdays import is_working_day
from actions.core.zones import SHANGHAI
from tests.peers.server import Store, postgres_store, sqlite_store

if TYPE_CHECKING:
    from datetime import date

    import httpx


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """An empty store of each kind."""
    folder = tmp_path_factory.mktemp("store")
    if request.param == "postgres":
        return postgres_store(folder, request.getfixturevalue("postgres"))
    return sqlite_store(folder)


def message(sender: str, message_id: str, text: str) -> dict[str, Any]:
    """The body of POST /api/v1/chat."""
    return {"conversation": sender, "sender": sender, "message_id": message_id, "text": text, "chat": "private"}


def reply_of(answer: httpx.Response) -> dict[str, Any]:
    """The one reply. Fails on any status but 200."""
    assert answer.status_code == 200, answer.text
    (reply,) = answer.json()["replies"]
    told: dict[str, Any] = reply
    return told


def working_day(after: int) -> date:
    """The first working day at least so many days from today."""
    day = datetime.now(SHANGHAI).date() + timedelta(days=after)
    while not is_working_day(day):
        day += timedelta(days=1)
    return day
