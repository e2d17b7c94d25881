"""Files that the assistant makes for somebody, a table or a list: theirs alone, and gone when their time is over."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from typing import TYPE_CHECKING

from sqlalchemy import select

from actions.blocks import materials
from actions.blocks.materials import ABOUT, Material
from actions.blocks.materials_types import stored_name
from actions.core.tables import Account

if TYPE_CHECKING:
    from datetime import datetime

    from actions.blocks.materials import MaterialView
    from actions.blocks.materials_intake import Store
    from actions.blocks.materials_types import FileType
    from actions.core.commands import Context


class Shelf:
    """Where such files are laid out; whoever opens one has their right looked up then, as with any other file."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def put(  # noqa: PLR0913 - a file is all of this
        self,
        context: Context,
        content: bytes,
        *,
        name: str,
        kind: FileType,
        subject: str,
        member_id: int,
        until: datetime,
    ) -> MaterialView | None:
        """Lays a file out for a member until a moment; None for who has no account to fetch it with.

        `subject` is what it is of; it counts neither among the files of that record nor among the member's own that
        wait for a form. The file lies there before its row is committed: of what is rolled back the sweep finds it.
        """
        query = select(Account.id).where(Account.member_id == member_id).order_by(Account.heard_at.desc(), Account.id)
        account_id = (await context.session.execute(query.limit(1))).scalar_one_or_none()
        if account_id is None:
            return None
        key = secrets.token_hex(16)
        await asyncio.to_thread(self._write, key, content)
        row = Material(
            key=key,
            sha256=hashlib.sha256(content).hexdigest(),
            name=context.vault.seal(stored_name(name, kind), about=ABOUT),
            kind=kind.kind,
            media_type=kind.media_type,
            size=len(content),
            account_id=account_id,
            member_id=member_id,
            subject=subject,
            created_at=context.now,
            expires_at=until,
        )
        context.session.add(row)
        await context.session.flush()
        return materials.view(context, row)

    def _write(self, key: str, content: bytes) -> None:
        with self._store.incoming() as file:
            file.write_bytes(content)
            self._store.put(key, file)
