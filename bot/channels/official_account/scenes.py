"""Codes that bind: shown to a member who is known elsewhere, they make the account that scans them theirs, once."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete

from bot.channels.wechat.tables import WechatScene

if TYPE_CHECKING:
    from bot.channels.wechat.tokens import Shelf

LIFETIME = timedelta(minutes=10)


async def new_code(shelf: Shelf, staff_id: str) -> str:
    """A code of a member, good for ten minutes; those that are over are cleared away."""
    code, now = secrets.token_urlsafe(24), shelf.clock()
    async with shelf.database.write() as session:
        await session.execute(delete(WechatScene).where(WechatScene.expires_at <= now))
        session.add(WechatScene(code_hash=_digest(code), staff_id=staff_id, expires_at=now + LIFETIME))
    return code


async def taken(shelf: Shelf, code: str) -> str:
    """The 工号 that a code stands for, which is over with this; empty for one that is over already, or none of ours."""
    query = delete(WechatScene).where(WechatScene.code_hash == _digest(code), WechatScene.expires_at > shelf.clock())
    async with shelf.database.write() as session:
        # Deleted and read in one: of two who scan at the same moment one is first.
        found = (await session.execute(query.returning(WechatScene.staff_id))).scalar_one_or_none()
    return found or ""


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode("utf-8", "replace")).hexdigest()
