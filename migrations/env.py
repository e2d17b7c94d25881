"""Alembic's entry: runs the revisions on the connection that bot.migrations hands over."""

from alembic import context

import actions.announcements.tables
import actions.appointments.tables
import actions.blocks.consent
import actions.blocks.materials
import actions.handover.tables
import actions.membership.tables
import actions.safety
from actions.core.tables import Base, UtcDateTime

#: Imported for their tables, which alembic compares with the database.
TABLES = (
    actions.announcements.tables,
    actions.appointments.tables,
    actions.blocks.consent,
    actions.blocks.materials,
    actions.handover.tables,
    actions.membership.tables,
    actions.safety,
)


def render_item(kind, item, _autogenerate_context):
    """A migration names the database's own types: what a table's Python does later must not change the past."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True, render_item=render_item)
with context.begin_transaction():
    context.run_migrations()
