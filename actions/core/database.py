"""One database, two stores: SQLite in WAL mode (embedded default) or PostgreSQL.

Writes are short and explicit. On SQLite a write transaction begins IMMEDIATE, so what it reads cannot change before
it commits; on PostgreSQL the scarce row is locked first (`lock`).
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from sqlalchemy import event, make_url, select
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.pool import StaticPool

from actions.core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from sqlalchemy import Connection

    from actions.core.tables import Base

T = TypeVar("T", bound="Base")

_BUSY_MS = 10_000
_AFTERWARDS = "afterwards"

log = structlog.get_logger(__name__)


class Database:
    """The engine and its two ways in: `write()` for a unit of work, `read()` for a look."""

    def __init__(self, url: str) -> None:
        """`url` is an SQLAlchemy URL: sqlite+aiosqlite:///… or postgresql+psycopg://…

        Raises ConfigurationError for any other, and where the driver of PostgreSQL is not installed.
        """
        try:
            self.url = make_url(url)
        except ArgumentError as error:
            # The text may hold a password: it is not repeated.
            raise ConfigurationError("database.url: not a URL like postgresql+psycopg://user@host/name") from error
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if not self.is_sqlite and self.url.drivername != "postgresql+psycopg":
            message = (
                f"database.url: {self.url.drivername} is not supported; use sqlite+aiosqlite or postgresql+psycopg"
            )
            raise ConfigurationError(message)
        # An error's text goes to the log: the values of a statement are personal data.
        try:
            self.engine = create_async_engine(self.url, hide_parameters=True, **self._pool())
        except ModuleNotFoundError as error:
            raise ConfigurationError("database.url: PostgreSQL needs psycopg: uv sync --extra postgres") from error
        # One writer at a time is SQLite's rule: waiting here is fair and cheap, waiting in the file lock is neither.
        self._writer = asyncio.Lock() if self.is_sqlite else None
        if self.is_sqlite:
            event.listen(self.engine.sync_engine, "connect", _prepare_sqlite)
            event.listen(self.engine.sync_engine, "begin", _begin_sqlite)

    def _pool(self) -> dict[str, Any]:
        if self.is_sqlite and not self.url.database:
            return {"poolclass": StaticPool}
        # No overflow: a connection beyond the pool's size is opened and closed for each unit of work.
        # PostgreSQL may have been restarted meanwhile, so that a connection is tried before it is used.
        return {"pool_size": 20, "max_overflow": 0, "pool_timeout": 60, "pool_pre_ping": not self.is_sqlite}

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """A unit of work: commits once at the end, rolls back on any exception.

        Then comes what `afterwards` was told; that it fails does not undo the unit of work, and is logged.
        """
        async with self._writer or nullcontext(), self._begin(write=True) as session:
            yield session
        for job in session.info.pop(_AFTERWARDS, ()):
            try:
                await job()
            except Exception:
                log.exception("afterwards_failed")

    def afterwards(self, session: AsyncSession, job: Callable[[], Awaitable[None]]) -> None:
        """Does something that takes long once a unit of work is committed and others may write; not if it is undone.

        The job opens units of work of its own. It is lost where the process dies before it is done.
        """
        session.info.setdefault(_AFTERWARDS, []).append(job)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session for reading; what is changed in it is rolled back."""
        async with self._begin(write=False) as session:
            yield session

    @asynccontextmanager
    async def _begin(self, *, write: bool) -> AsyncIterator[AsyncSession]:
        async with self.engine.connect() as connection:
            await connection.execution_options(njr_write=write)
            async with connection.begin() as transaction:
                async with AsyncSession(bind=connection, expire_on_commit=False) as session:
                    yield session
                    await session.flush()
                if not write:
                    await transaction.rollback()

    async def lock(self, session: AsyncSession, table: type[T], key: Any) -> T | None:
        """The row, locked until the end of the transaction, freshly read."""
        query = select(table).where(table.__mapper__.primary_key[0] == key)
        if not self.is_sqlite:
            query = query.with_for_update(of=table)
        return (await session.execute(query.execution_options(populate_existing=True))).unique().scalar_one_or_none()

    async def close(self) -> None:
        """Closes all connections."""
        await self.engine.dispose()


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver must not begin transactions behind SQLAlchemy's back: _begin_sqlite says how each one begins.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
        f"busy_timeout={_BUSY_MS}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    write = connection.get_execution_options().get("njr_write", True)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
