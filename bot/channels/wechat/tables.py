"""What the processes share about 企业微信 and 微信公众号."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from actions.core.sealed import sealed
from actions.core.tables import Base


class WechatToken(Base):
    """An access token, sealed. `holder` fetches a new one until `held_until`; the others wait for it."""

    __tablename__ = "wechat_token"

    name: Mapped[str] = mapped_column(String(120), primary_key=True)
    token: Mapped[str] = sealed("wechat-token", default="")
    expires_at: Mapped[datetime | None]
    holder: Mapped[str] = mapped_column(String(40), default="")
    held_until: Mapped[datetime | None]


class WechatScene(Base):
    """A code of 公众号 that binds whoever scans it first; only its hash is kept. It counts once."""

    __tablename__ = "wechat_scene"

    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    staff_id: Mapped[str] = mapped_column(String(20))
    expires_at: Mapped[datetime]
