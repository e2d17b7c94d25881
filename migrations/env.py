"""Alembic's entry: runs the revisions on the connection that bot.migrations hands over."""

from alembic import context
from sqlalchemy import DateTime

import actions.activities.allotment_tables
import actions.activities.choice_tables
import actions.activities.contest_tables
import actions.activities.draw_tables
import actions.activities.jielong_tables
import actions.activities.matching_tables
import actions.activities.report_tables
import actions.activities.room_tables
import actions.activities.survey_tables
import actions.activities.tables
import actions.announcements.tables
import actions.appointments.tables
import actions.blocks.consent
import actions.blocks.materials
import actions.cases.tables
import actions.handover.tables
import actions.knowledge.tables
import actions.membership.tables
import actions.safety
import bot.api.tables
import bot.channels.wechat.tables
import bot.llm.usage
from actions.core.tables import Base, UtcDateTime

#: Imported for their tables, which alembic compares with the database.
TABLES = (
    actions.activities.choice_tables,
    actions.activities.draw_tables,
    actions.activities.jielong_tables,
    actions.activities.matching_tables,
    actions.activities.tables,
    actions.announcements.tables,
    actions.appointments.tables,
    actions.blocks.consent,
    actions.blocks.materials,
    actions.cases.tables,
    actions.handover.tables,
    actions.knowledge.tables,
    actions.membership.tables,
    actions.safety,
    bot.api.tables,
    bot.channels.wechat.tables,
    bot.llm.usage,
)


def render_item(kind, item, _autogenerate_context):
    """A migration names the database's own types: what a table's Python does later must not change the past."""
    if kind == "type" and isinstance(item, UtcDateTime | DateTime):
        return "sa.DateTime(timezone=True)"
    return False


connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True, render_item=render_item)
with context.begin_transaction():
    context.run_migrations()
