"""What a row says: its own text, or the batch's, rendered for an address."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import select

from actions.core.tables import Batch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy.ext.asyncio import AsyncSession

    from actions.core.tables import Outgoing
    from actions.core.vault import Vault
    from bot.messages import Address, Outbound
    from bot.wording import Wording

log = structlog.get_logger(__name__)


class Texts:
    """Opens and renders what rows say."""

    def __init__(self, vault: Vault, wording: Wording) -> None:
        self._vault = vault
        self._wording = wording

    async def of_batches(self, session: AsyncSession, rows: Iterable[Outgoing]) -> Mapping[int, str]:
        """The sealed texts of the batches of rows that have none of their own."""
        wanted = {row.batch_id for row in rows if row.batch_id is not None and not row.content}
        if not wanted:
            return {}
        found = await session.execute(select(Batch.id, Batch.content).where(Batch.id.in_(wanted)))
        return {row.id: row.content for row in found.all()}

    def message(self, row: Outgoing, address: Address, batches: Mapping[int, str]) -> Outbound | None:
        """The message of a row; None where its text has been forgotten.

        Raises ConfigurationError for a text that does not open, and a sentence that cannot be rendered.
        """
        sealed = row.content or batches.get(row.batch_id or 0, "")
        if not sealed:
            return None
        content: dict[str, Any] = self._vault.open(sealed, about="outgoing")
        return replace(self._wording.outbound(address, content, row_id=row.id), reply=row.turn_id is not None)

    def fingerprint(self, row: Outgoing, message: Outbound) -> str:
        """The same for what says the same of the same, in a group for the same words; tells nothing of the text."""
        subject = "" if row.chat == "group" else row.subject
        return self._vault.pseudonym(f"said:{subject}:{message.text}")
