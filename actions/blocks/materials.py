"""Materials: files that belong to a form's record (a photograph of the work, the proof of an illness).

A file comes first and waits for its record: until it is attached it is its sender's alone, and it goes when its time
is over. Attached, it goes with the record. A life keeps the ids, and calls `attach` and `drop` in its own commands:

    await materials.attach(context, values["photos"], subject=record.subject, field="photos")
    await materials.drop(context, record.subject)

What is said to be gone (`expires_at`) is nobody's at once; the sweep of `materials_intake` takes it from the disk.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ForeignKey, String, select, update
from sqlalchemy.orm import Mapped, mapped_column

from actions.core.errors import DomainError
from actions.core.sealed import sealed
from actions.core.tables import Account, Base

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from sqlalchemy import ColumnElement

    from actions.core.commands import Actor, Context

Kind = Literal["picture", "document"]
KINDS: tuple[Kind, ...] = ("picture", "document")

#: What binds a sealed name to its place.
ABOUT = "material"


class MaterialRules(BaseModel):
    """What is taken, and for how long it waits for its record.

    Attributes:
        max_bytes: of one file (示例: 10 MB).
        max_count: files of one form, and at the same time of one member's that no record has yet.
        max_pixels: width times height of a picture; a decoded one takes four bytes for each.
        keep_hours: how long a file waits for its record.

    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kinds: tuple[Kind, ...] = Field(KINDS, min_length=1)
    max_bytes: int = Field(10 * 2**20, gt=0)
    max_count: int = Field(20, gt=0)
    max_pixels: int = Field(25_000_000, gt=0)
    keep_hours: int = Field(24, gt=0)


class Material(Base):
    """One file. `key` is its public id and its name in the store, and cannot be guessed; `name` is sealed.

    `subject` ("case:12") is the record it belongs to, empty until then. `expires_at` is when it is gone for
    everybody; none while it is attached.
    """

    __tablename__ = "material"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(32), unique=True)
    sha256: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = sealed("material")
    kind: Mapped[str] = mapped_column(String(12))
    media_type: Mapped[str] = mapped_column(String(80))
    size: Mapped[int]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    conversation: Mapped[str] = mapped_column(String(160), default="")
    subject: Mapped[str] = mapped_column(String(60), default="", index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None] = mapped_column(index=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class MaterialView:
    """A file as it is listed to those who may read it; `size` in bytes."""

    id: str
    name: str
    kind: str
    media_type: str
    size: int


MayRead = Callable[["Context", str], Awaitable[bool]]


@runtime_checkable
class Readable(Protocol):
    """Records whose files others than the owner may read: an officer, a reviewer. `core.Records` may be it as well."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """What stands before the colon of a record's subject."""
        ...

    async def may_read(self, context: Context, subject: str, /) -> bool:
        """Whether the actor may read what is attached to a record; `subject` as it was given to `attach`."""
        ...


Opened = Callable[["Context", str], Awaitable[None]]


@runtime_checkable
class Watched(Protocol):
    """Records that note who opens their files: confidential ones."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """What stands before the colon of a record's subject."""
        ...

    async def opened(self, context: Context, subject: str, /) -> None:
        """The actor, who may read it, opens a file of a record."""
        ...


def watchers_of(records: Iterable[object]) -> dict[str, Opened]:
    """Who notes by kind of record."""
    return {kind: each.opened for each in records if isinstance(each, Watched) for kind in each.kinds}


def readers_of(records: Iterable[object]) -> dict[str, MayRead]:
    """Who tells by kind of record; of a kind that nobody tells of, the owner alone reads."""
    return {kind: each.may_read for each in records if isinstance(each, Readable) for kind in each.kinds}


def view(context: Context, row: Material) -> MaterialView:
    """What may be told of a file."""
    name = str(context.vault.open(row.name, about=ABOUT))
    return MaterialView(id=row.key, name=name, kind=row.kind, media_type=row.media_type, size=row.size)


async def own(context: Context, keys: Collection[str]) -> list[MaterialView]:
    """The actor's own files that no record has yet, in the order of `keys`.

    Raises DomainError("file_gone") where one of them is somebody else's, is attached already, or is gone.
    """
    wanted = list(dict.fromkeys(keys))
    query = select(Material).where(Material.key.in_(wanted), *_waiting(context))
    found = {row.key: row for row in (await context.session.execute(query)).scalars()}
    if len(found) < len(wanted):
        raise DomainError("file_gone")
    return [view(context, found[key]) for key in wanted]


async def attach(
    context: Context,
    keys: Collection[str],
    subject: str,
    *,
    field: str = "materials",
    kinds: Collection[str] = KINDS,
    max_count: int | None = None,
) -> None:
    """Gives the actor's own files to a record, in its transaction; a file belongs to one record only.

    Raises DomainError, which asks `field` anew: files_too_many, file_gone, file_kind.
    """
    wanted = set(keys)
    if not wanted:
        return
    if max_count is not None and len(wanted) > max_count:
        raise DomainError("files_too_many", field=field, most=max_count)
    kind = Material.kind.in_(list(kinds))
    change = update(Material).where(Material.key.in_(wanted), kind, *_waiting(context))
    done = await context.session.execute(
        change.values(subject=subject, expires_at=None).returning(Material.id).execution_options(**_UNCACHED)
    )
    if len(done.all()) < len(wanted):
        await _refuse_kind(context, wanted, kinds, field)
        raise DomainError("file_gone", field=field)


# Rows that the session holds already are read anew after a change made by the database.
_UNCACHED = {"synchronize_session": False}


async def _refuse_kind(context: Context, keys: Collection[str], kinds: Collection[str], field: str) -> None:
    query = select(Material.id).where(Material.key.in_(keys), Material.kind.not_in(list(kinds)), *_waiting(context))
    if (await context.session.execute(query)).first() is not None:
        raise DomainError("file_kind", field=field, kinds=sorted(kinds))


async def attached(context: Context, subject: str) -> list[MaterialView]:
    """The files of a record, oldest first. Whether the actor may read them is the caller's to know."""
    query = select(Material).where(Material.subject == subject, Material.expires_at.is_(None)).order_by(Material.id)
    return [view(context, row) for row in (await context.session.execute(query)).scalars()]


async def drop(context: Context, subject: str) -> None:
    """The record is removed, and its files with it: nobody reads them any more, the sweep deletes them."""
    await _expire(context, Material.subject == subject)


async def hand_on(context: Context, subject: str, to: str) -> None:
    """A record became another one, which takes over its files."""
    change = update(Material).where(Material.subject == subject, Material.expires_at.is_(None)).values(subject=to)
    await context.session.execute(change.execution_options(**_UNCACHED))


async def discard(context: Context, keys: Collection[str]) -> None:
    """The actor's own files that no record has are wanted no more; others are left alone."""
    if keys:
        await _expire(context, Material.key.in_(set(keys)), *_waiting(context))


async def _expire(context: Context, *which: ColumnElement[bool]) -> None:
    change = update(Material).where(*which).values(expires_at=context.now)
    await context.session.execute(change.execution_options(**_UNCACHED))


async def room_left(context: Context, rules: MaterialRules) -> None:
    """Raises DomainError: not_bound, files_too_many (so many wait for their record already)."""
    query = select(Material.id).where(Material.member_id == context.actor.member_id, *_waiting(context))
    if len((await context.session.execute(query)).all()) >= rules.max_count:
        raise DomainError("files_too_many", most=rules.max_count)


async def readable(context: Context, key: str, readers: Mapping[str, MayRead]) -> Material:
    """A file that the actor may read: its owner, or whoever has the right on the record it is attached to.

    Raises DomainError("file_gone") for all else: whether there is such a file is told to nobody.
    """
    row = (await context.session.execute(select(Material).where(Material.key == key))).scalar_one_or_none()
    if row is None or (row.expires_at is not None and row.expires_at <= context.now):
        raise DomainError("file_gone")
    if _is_owner(context.actor, row):
        return row
    may_read = readers.get(row.subject.partition(":")[0])
    if may_read is None or not await may_read(context, row.subject):
        raise DomainError("file_gone")
    return row


def _is_owner(actor: Actor, row: Material) -> bool:
    return actor.member is not None and actor.member.status != "left" and actor.member.id == row.member_id


def _waiting(context: Context) -> Sequence[ColumnElement[bool]]:
    """Conditions: the actor's own, attached to nothing, and not gone."""
    member = context.actor.member
    return (
        Material.member_id == (member.id if member else None),
        Material.subject == "",
        Material.expires_at > context.now,
    )


async def account_of(context: Context) -> Account:
    """The account that the actor speaks with. Raises DomainError("not_bound")."""
    actor = context.actor
    query = select(Account).where(
        Account.channel == actor.channel, Account.account == actor.account, Account.sender == actor.sender
    )
    account = (await context.session.execute(query)).scalar_one_or_none()
    if account is None or account.member_id != actor.member_id:
        raise DomainError("not_bound")
    return account
