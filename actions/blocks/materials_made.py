"""Files that the assistant makes for somebody, a table or a list: theirs alone, and gone when their time is over."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from actions.blocks import materials
from actions.blocks.materials import ABOUT, Material
from actions.blocks.materials_types import stored_name
from actions.core.errors import DomainError
from actions.core.notify import notify
from actions.core.tables import Account

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from actions.blocks.materials import MaterialView
    from actions.blocks.materials_intake import Store
    from actions.blocks.materials_types import FileType
    from actions.core.commands import Context
    from actions.core.notify import Notice


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """A file that is to be made: `build` gives its content out of values that were read before."""

    name: str
    kind: FileType
    build: Callable[[], bytes]


#: How long a file lies ready where nothing else is said.
_KEPT = timedelta(days=1)


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
        key: str = "",
    ) -> MaterialView | None:
        """Lays a file out for a member until a moment; None for who has no account to fetch it with.

        `subject` is what it is of; it counts neither among the files of that record nor among the member's own that
        wait for a form. The file lies there before its row is committed: of what is rolled back the sweep finds it.
        """
        account_id = await _account(context, member_id)
        if account_id is None:
            return None
        key = key or secrets.token_hex(16)
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

    async def make(self, context: Context, drafts: Sequence[Draft], notice: Notice) -> list[dict[str, str]]:
        """Makes files and hands them over once the transaction is over: its database has one writer.

        `notice` tells whose they are, and of what, and until when; where one cannot be made, that is told instead.
        Returns id and name of each. Raises DomainError("file_no_account") for who could not fetch it.
        """
        if await _account(context, notice.member_id) is None:
            raise DomainError("file_no_account")
        keys = [secrets.token_hex(16) for _ in drafts]
        context.database.afterwards(context.session, lambda: self._make(context, drafts, keys, notice))
        return [
            {"id": key, "name": stored_name(draft.name, draft.kind)} for key, draft in zip(keys, drafts, strict=True)
        ]

    async def _make(self, before: Context, drafts: Sequence[Draft], keys: Sequence[str], notice: Notice) -> None:
        try:
            contents = [await asyncio.to_thread(draft.build) for draft in drafts]
            async with before.database.write() as session:
                context = replace(before, session=session)
                files = [
                    await self.put(
                        context,
                        content,
                        name=draft.name,
                        kind=draft.kind,
                        subject=notice.subject,
                        member_id=notice.member_id,
                        until=notice.expires or context.now + _KEPT,
                        key=key,
                    )
                    for draft, key, content in zip(drafts, keys, contents, strict=True)
                ]
                await notify(context, replace(notice, files=[file for file in files if file is not None]))
        except Exception:
            async with before.database.write() as session:
                told = replace(notice, wording="files.not_made", params={}, files=())
                await notify(replace(before, session=session), told)
            raise

    def _write(self, key: str, content: bytes) -> None:
        with self._store.incoming() as file:
            file.write_bytes(content)
            self._store.put(key, file)


async def _account(context: Context, member_id: int) -> int | None:
    """The account that a member wrote from last."""
    query = select(Account.id).where(Account.member_id == member_id).order_by(Account.heard_at.desc(), Account.id)
    return (await context.session.execute(query.limit(1))).scalar_one_or_none()
