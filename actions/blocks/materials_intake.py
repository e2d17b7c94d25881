"""How a file comes in and goes: looked at, scanned and stored before its row is written, deleted before its row goes.

So a row always has its file. A process that dies in between leaves a file that no row knows, or a row that is gone
for everybody: the sweep finds both.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, BinaryIO, Protocol

from sqlalchemy import delete, select

from actions.blocks import materials
from actions.blocks.materials import ABOUT, Material
from actions.blocks.materials_pictures import redraw
from actions.blocks.materials_types import refuse_name, stored_name, type_of
from actions.core.errors import DomainError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from actions.blocks.materials import MaterialRules, MayRead, Opened
    from actions.blocks.materials_types import FileType
    from actions.core.commands import Context

#: A file that no row knows is an orphan once it is older than an upload can take.
ORPHAN_AFTER = timedelta(hours=1)

_CHUNK = 256 * 1024
_THUMBNAIL = "-thumbnail"


class Store(Protocol):
    """Where files lie, by name; its methods block."""

    def incoming(self) -> AbstractContextManager[Path]:
        """An empty file to write to, on the store's own disk; deleted at the end unless it was put away."""
        ...

    def put(self, name: str, file: Path) -> None:
        """Puts an incoming file away for good, all of it or nothing."""
        ...

    def path(self, name: str) -> Path:
        """Where a file lies, if it is there."""
        ...

    def delete(self, name: str) -> None:
        """Deletes a file; one that is not there is no fault."""
        ...

    def older(self, than: datetime) -> Iterable[str]:
        """Names of all files that were put away before a moment; clears old incoming ones away as it goes."""
        ...


class Scan(Protocol):
    """The virus scanner of the house."""

    async def __call__(self, file: Path, /) -> None:
        """Raises DomainError: file_infected, file_scan_failed."""
        ...


async def no_scan(file: Path) -> None:
    """Where no scanner is set."""
    del file


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """A file that was looked at and lies in the store, and has no row yet. `size` in bytes."""

    key: str
    name: str
    kind: FileType
    sha256: str
    size: int


class Materials:
    """Takes files in, gives them out, sweeps.

    By kind of record `readers` tell who may read what is attached to it, and `watchers` note who does.
    """

    def __init__(
        self,
        store: Store,
        rules: MaterialRules,
        *,
        scan: Scan = no_scan,
        readers: Mapping[str, MayRead] | None = None,
        watchers: Mapping[str, Opened] | None = None,
    ) -> None:
        self.rules = rules
        self._store = store
        self._scan = scan
        self._readers = dict(readers or {})
        self._watchers = dict(watchers or {})
        self._orphans_sought_at: datetime | None = None
        # A picture of the largest size takes a hundred megabytes while it is drawn: one at a time.
        self._drawing = asyncio.Semaphore(1)

    # --- in

    async def prepare(self, name: str, source: BinaryIO) -> Prepared:
        """Looks at a file and stores it. `source` is read to its end, or to the first byte that is too much.

        Raises DomainError: file_name, file_too_large, what `materials_types.type_of` and `redraw` refuse, and what
        the scanner does. Nothing of what is refused stays.
        """
        refuse_name(name)
        with contextlib.ExitStack() as stack:
            file, size = await asyncio.to_thread(self._write_down, stack, source)
            kind = await asyncio.to_thread(self._type_of, file, size)
            await self._scan(file)
            key = secrets.token_hex(16)
            if kind.kind == "picture":
                async with self._drawing:
                    await asyncio.to_thread(self._draw, stack, key, file, kind)
            else:
                await asyncio.to_thread(self._store.put, key, file)
            sha256, size = await asyncio.to_thread(_measure, self._store.path(key))
        return Prepared(key=key, name=stored_name(name, kind), kind=kind, sha256=sha256, size=size)

    def _write_down(self, stack: contextlib.ExitStack, source: BinaryIO) -> tuple[Path, int]:
        file = stack.enter_context(self._store.incoming())
        size = 0
        with file.open("wb") as out:
            while chunk := source.read(_CHUNK):
                size += len(chunk)
                if size > self.rules.max_bytes:
                    raise too_large(self.rules)
                out.write(chunk)
        return file, size

    def _type_of(self, file: Path, size: int) -> FileType:
        with file.open("rb") as source:
            return type_of(source, size, self.rules)

    def _draw(self, stack: contextlib.ExitStack, key: str, file: Path, kind: FileType) -> None:
        with file.open("rb") as source:
            drawn = redraw(source, kind, self.rules.max_pixels)
        # The thumbnail first: once the picture is there, both are.
        for name, content in ((key + _THUMBNAIL, drawn.thumbnail), (key, drawn.picture)):
            fresh = stack.enter_context(self._store.incoming())
            fresh.write_bytes(content)
            self._store.put(name, fresh)

    async def receive(self, context: Context, prepared: Prepared, conversation: str) -> Material:
        """Writes the row of a prepared file, the actor's own. Raises DomainError: not_bound, files_too_many."""
        await materials.room_left(context, self.rules)
        account = await materials.account_of(context)
        row = Material(
            key=prepared.key,
            sha256=prepared.sha256,
            name=context.vault.seal(prepared.name, about=ABOUT),
            kind=prepared.kind.kind,
            media_type=prepared.kind.media_type,
            size=prepared.size,
            account_id=account.id,
            member_id=context.actor.member_id,
            conversation=conversation,
            created_at=context.now,
            expires_at=context.now + timedelta(hours=self.rules.keep_hours),
        )
        context.session.add(row)
        await context.session.flush()
        return row

    async def forget(self, prepared: Prepared) -> None:
        """Takes a prepared file back whose row could not be written."""
        await asyncio.to_thread(self._delete, prepared.key)

    # --- out

    async def open(self, context: Context, key: str, *, thumbnail: bool = False) -> tuple[Material, Path]:
        """A file that the actor may read, or the thumbnail of a picture. Raises DomainError("file_gone")."""
        row = await materials.readable(context, key, self._readers)
        path = self._store.path(key + _THUMBNAIL if thumbnail else key)
        if not await asyncio.to_thread(path.is_file):
            raise DomainError("file_gone")
        return row, path

    def watched(self, context: Context, row: Material) -> bool:
        """Whether it is noted that the actor opens a file: somebody else's, of a record that is watched."""
        member = context.actor.member
        own = member is not None and member.id == row.member_id
        return not own and row.subject.partition(":")[0] in self._watchers

    async def note_opened(self, context: Context, row: Material) -> None:
        """Notes it, in the caller's unit of work."""
        await self._watchers[row.subject.partition(":")[0]](context, row.subject)

    # --- away

    async def sweep(self, context: Context) -> int:
        """Deletes what is gone, and now and then looks for files that no row knows; returns how many it deleted."""
        gone = select(Material).where(Material.expires_at <= context.now)
        if not context.database.is_sqlite:
            gone = gone.with_for_update(skip_locked=True)
        rows = (await context.session.execute(gone)).scalars().all()
        for row in rows:
            # The file first: should the row stay, the next sweep does the same again.
            await asyncio.to_thread(self._delete, row.key)
            await context.session.execute(delete(Material).where(Material.id == row.id))
        return len(rows) + await self._sweep_orphans(context)

    async def _sweep_orphans(self, context: Context) -> int:
        sought = self._orphans_sought_at
        if sought is not None and context.now - sought < ORPHAN_AFTER:
            return 0
        self._orphans_sought_at = context.now
        names = await asyncio.to_thread(lambda: list(self._store.older(context.now - ORPHAN_AFTER)))
        known = set((await context.session.execute(select(Material.key))).scalars()) if names else set()
        orphans = [name for name in names if name.removesuffix(_THUMBNAIL) not in known]
        await asyncio.to_thread(_each, self._store.delete, orphans)
        return len(orphans)

    def _delete(self, key: str) -> None:
        _each(self._store.delete, (key, key + _THUMBNAIL))


def too_large(rules: MaterialRules) -> DomainError:
    """The refusal of a file that has more bytes than are taken."""
    return DomainError("file_too_large", megabytes=max(1, rules.max_bytes // 2**20))


def _each(do: Callable[[str], None], names: Sequence[str]) -> None:
    for name in names:
        do(name)


def _measure(file: Path) -> tuple[str, int]:
    """SHA-256 as hexadecimal digits, and the size in bytes."""
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest(), file.stat().st_size
