"""A record as a calendar keeps it: the card in the chat, and the file that a phone's calendar takes.

A life puts a `CalendarEntry` into `Outcome.data["calendar"]`, `Notice.calendar` and `Item.calendar`; nothing else is
asked of it. A phone's calendar is a locked screen: of a private service an entry holds the time alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from actions.core.vault import Vault

_ABOUT = "calendar"


class CalendarEntry(TypedDict):
    """One time of one member.

    `ref` names the record ("appointment:12"). `title`, `about` (with whom, which room) and `place` are empty where they
    would give something away. `reminders` are hours before the start.
    """

    ref: str
    member_id: int
    title: str
    about: str
    place: str
    starts_at: datetime
    ends_at: datetime
    reminders: list[float]


def card_content(vault: Vault, entry: CalendarEntry | Mapping[str, Any]) -> dict[str, Any]:
    """What an outgoing row holds of a card: the entry, and the token that its calendar file is fetched with.

    The token is sealed: it cannot be guessed or changed, and tells nothing of the record.
    """
    return {**entry, "token": vault.seal([entry["ref"], entry["member_id"]], about=_ABOUT)}


def opened_token(vault: Vault, token: str) -> tuple[str, int]:
    """Ref and member id of a token. Raises ConfigurationError or ValueError for what is no token of ours."""
    ref, member_id = vault.open(token, about=_ABOUT)
    return str(ref), int(member_id)
