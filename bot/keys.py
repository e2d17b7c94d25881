"""Keys of server-side callers: made, listed, revoked, and known again by their hash."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError

from actions.core.errors import ConfigurationError
from actions.core.tables import KEY_PER_MINUTE, KEY_SCOPES, ApiKey
from actions.core.zones import local

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from actions.core.database import Database

#: What a key may be allowed, and how an operator reads it. `vouch` and `bridge` are given by name alone.
SCOPES = {
    "chat": "对话",
    "files": "交材料、取材料",
    "events": "接收推送、看以前说过的",
    "lists": "服务、活动、我的事的列表",
    "act": "取消、改期",
    "vouch": "证明一个账号是哪位会员",
    "rasa": "Rasa 的动作服务器",
    "bridge": "微信桥",
}
_DEFAULT = tuple(KEY_SCOPES.split())
_MOST_PER_MINUTE = 1_000_000
_LONGEST = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class NewKey:
    """What a key is made with; see `ApiKey`. `expires_at` is None for one that ends when it is revoked."""

    name: str
    scopes: Sequence[str] = _DEFAULT
    senders: str = ""
    per_minute: int = KEY_PER_MINUTE
    public_key: str = ""
    expires_at: datetime | None = None


def digest(secret: str) -> str:
    """SHA-256 as 64 hexadecimal digits: enough for a random secret, which cannot be guessed."""
    return hashlib.sha256(secret.encode()).hexdigest()


async def create_key(database: Database, new: NewKey, now: datetime) -> str:
    """Makes a key and returns it; only its hash is kept. Raises ConfigurationError, for a name that is taken too."""
    _check(new, now)
    key = f"njr_{secrets.token_urlsafe(32)}"
    row = ApiKey(
        name=new.name,
        key_hash=digest(key),
        scopes=" ".join(scope for scope in SCOPES if scope in new.scopes),
        senders=new.senders,
        per_minute=new.per_minute,
        public_key=new.public_key,
        created_at=now,
        expires_at=new.expires_at,
    )
    try:
        async with database.write() as session:
            session.add(row)
    except IntegrityError as error:
        raise ConfigurationError(f"keys: there is a key named {new.name!r} already") from error
    return key


def _check(new: NewKey, now: datetime) -> None:
    """Raises ConfigurationError."""
    if not 0 < len(new.name) <= _LONGEST or len(new.senders) > _LONGEST:
        raise ConfigurationError(f"keys: a name and a prefix have at most {_LONGEST} characters, and a name has some")
    if unknown := [scope for scope in new.scopes if scope not in SCOPES]:
        raise ConfigurationError(f"keys: there is no scope {unknown[0]!r}; there are {', '.join(SCOPES)}")
    if not new.scopes:
        raise ConfigurationError("keys: a key that may do nothing is of no use; name a scope")
    if not 0 < new.per_minute <= _MOST_PER_MINUTE:
        raise ConfigurationError(f"keys: requests a minute must be from 1 to {_MOST_PER_MINUTE}")
    if new.expires_at is not None and new.expires_at <= now:
        raise ConfigurationError("keys: this day is over already")
    if ("vouch" in new.scopes) != bool(new.public_key):
        raise ConfigurationError("keys: scope vouch and a public key belong together")
    if "vouch" in new.scopes and not new.senders:
        raise ConfigurationError("keys: scope vouch asks for a prefix of senders, which are this system's own")
    if "bridge" in new.scopes and new.senders:
        raise ConfigurationError("keys: scope bridge speaks for everybody on WeChat: no prefix can be kept there")
    if new.public_key:
        _check_public(new.public_key)


def _check_public(pem: str) -> None:
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415

    try:
        key = load_pem_public_key(pem.encode())
    except ValueError as error:
        raise ConfigurationError("keys: the public key is no PEM of a public key") from error
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise ConfigurationError("keys: the public key must be of an elliptic curve, P-256 (ES256)")


async def list_keys(database: Database) -> Sequence[ApiKey]:
    """All keys, the oldest first; nothing of them opens anything."""
    async with database.read() as session:
        return (await session.execute(select(ApiKey).order_by(ApiKey.id))).scalars().all()


async def revoke_key(database: Database, name: str, now: datetime) -> None:
    """Ends a key at once. Raises ConfigurationError where there is no such key in force."""
    ended = update(ApiKey).where(ApiKey.name == name, ApiKey.revoked_at.is_(None)).values(revoked_at=now)
    async with database.write() as session:
        if (await session.execute(ended.returning(ApiKey.id))).first() is None:
            raise ConfigurationError(f"keys: there is no key named {name!r} in force")


async def find_key(database: Database, key: str, now: datetime) -> ApiKey | None:
    """The key, where it is in force; the day of its use is noted, once a day."""
    query = select(ApiKey).where(
        ApiKey.key_hash == digest(key),
        ApiKey.revoked_at.is_(None),
        or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now),
    )
    async with database.read() as session:
        row = (await session.execute(query)).scalar_one_or_none()
    today = local(now).date()
    if row is not None and (row.used_on is None or row.used_on < today):
        async with database.write() as session:
            await session.execute(update(ApiKey).where(ApiKey.id == row.id).values(used_on=today))
    return row


def told_of(row: ApiKey, now: datetime) -> dict[str, Any]:
    """What an operator is told of a key: never its hash."""
    over = "停用" if row.revoked_at is not None else "过期"
    in_force = row.revoked_at is None and (row.expires_at is None or row.expires_at > now)
    return {
        "name": row.name,
        "state": "有效" if in_force else over,
        "scopes": row.scopes,
        "senders": row.senders or "*",
        "per_minute": row.per_minute,
        "created_on": local(row.created_at).date().isoformat(),
        "expires_on": local(row.expires_at).date().isoformat() if row.expires_at else "-",
        "used_on": row.used_on.isoformat() if row.used_on else "-",
    }
