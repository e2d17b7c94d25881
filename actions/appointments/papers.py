"""Files that a member hands in with an appointment or a place on the waitlist: they go where it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actions.blocks import materials

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from actions.appointments.tables import Appointment, Waiting
    from actions.blocks.materials import MaterialView
    from actions.core.catalogue import Declaration
    from actions.core.commands import Context


async def keep(
    context: Context, service: Declaration, record: Appointment | Waiting, fields: Mapping[str, Any]
) -> None:
    """Gives the files of a form to its record. Raises DomainError: files_too_many, file_gone, file_kind."""
    for field in service.form:
        if field.type == "materials":
            await materials.attach(
                context,
                fields.get(field.key) or (),
                record.subject,
                field=field.key,
                kinds=field.kinds,
                max_count=field.max_count,
            )


async def of(context: Context, appointment: Appointment) -> Sequence[MaterialView]:
    """The files of an appointment."""
    return await materials.attached(context, appointment.subject)


async def leave(context: Context, waiting: Waiting, state: str) -> None:
    """A place on the waitlist is given up, and its files with it."""
    waiting.leave(state)
    await materials.drop(context, waiting.subject)


async def move_up(context: Context, waiting: Waiting, appointment: Appointment) -> None:
    """A place on the waitlist became an appointment, which takes over its files."""
    waiting.leave("accepted")
    await materials.hand_on(context, waiting.subject, appointment.subject)
