"""Brings a database to the newest schema with Alembic; the scripts are in migrations/."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.settings import ROOT

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection

    from actions.core.database import Database


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration; `connection` is used where there is one, instead of a URL of its own."""
    from alembic.config import Config  # noqa: PLC0415 - only start-up and `bot migrate` need Alembic

    settings = Config()
    settings.set_main_option("script_location", str(ROOT / "migrations"))
    settings.set_main_option("path_separator", "os")
    settings.attributes["connection"] = connection
    return settings


async def migrate(database: Database) -> None:
    """Upgrades to the newest revision; does nothing where the database is there already."""
    async with database.engine.connect() as connection:
        await connection.run_sync(_upgrade)
        await connection.commit()


def _upgrade(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415

    command.upgrade(config(connection), "head")


async def pending(database: Database) -> bool:
    """Whether the models say something that no migration has made yet."""
    async with database.engine.connect() as connection:
        return await connection.run_sync(_differs)


def _differs(connection: Connection) -> bool:
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415
    from alembic.migration import MigrationContext  # noqa: PLC0415

    from actions.core.tables import Base  # noqa: PLC0415

    context = MigrationContext.configure(connection, opts={"compare_type": False})
    return bool(compare_metadata(context, Base.metadata))
