"""Taking over a roster: new people, changes, and those who have left."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from actions.core.commands import Context, Outcome
from actions.core.errors import DomainError
from actions.core.tables import Member, Unit
from actions.membership.commands import ImportRoster, Leave

if TYPE_CHECKING:
    from actions.membership.roster import Roster, RosterRow

_COUNTS = ("new", "changed", "unchanged", "left", "bad")


def import_command(roster: Roster) -> ImportRoster:
    """The command that takes over what was read."""
    return ImportRoster(rows=roster.rows, bad=roster.bad)


async def import_roster(command: ImportRoster, context: Context) -> Outcome:
    """Counts rows by what they did: new, changed, unchanged, left, bad. Who is not in the file stays as they are.

    Rows that a rule refuses (the last administrator has left) are bad, and in `data["refused"]`.
    Raises DomainError("import_clash") where two imports meet.
    """
    counts: Counter[str] = Counter(bad=command.bad)
    refused: list[dict[str, str]] = []
    try:
        await _add_units(context, command)
        taking = await _Taking.begin(context)
        for row in command.rows:
            try:
                counts[await taking.take(row)] += 1
            except DomainError as error:
                counts["bad"] += 1
                refused.append({"staff_id": row.staff_id, "code": error.code})
        await context.session.flush()
    except IntegrityError as error:
        raise DomainError("import_clash") from error
    figures = {name: counts[name] for name in _COUNTS}
    data = {**figures, "refused": refused}
    return Outcome(wording="membership.imported", params=figures, subject="roster", data=data)


async def _add_units(context: Context, command: ImportRoster) -> None:
    known = set((await context.session.execute(select(Unit.name))).scalars())
    wanted = dict.fromkeys(row.unit for row in command.rows if row.unit)
    context.session.add_all(Unit(name=title) for title in wanted if title not in known)
    await context.session.flush()


class _Taking:
    """One import: the roster and the units by name, read once."""

    def __init__(self, context: Context, members: dict[str, Member], units: dict[str, Unit]) -> None:
        self._context = context
        self._members = members
        self._units = units

    @classmethod
    async def begin(cls, context: Context) -> _Taking:
        members = (await context.session.execute(select(Member))).unique().scalars()
        units = (await context.session.execute(select(Unit))).scalars()
        return cls(
            context, {member.staff_id.upper(): member for member in members}, {unit.name: unit for unit in units}
        )

    async def take(self, row: RosterRow) -> str:
        """What a row did, as it is counted."""
        member = self._members.get(row.staff_id.upper())
        if member is None:
            self._add(row)
            return "new"
        leaves = row.status == "left" and member.status != "left"
        if leaves:
            await self._context.bus.execute(Leave(staff_id=member.staff_id), self._context)
        changed = self._change(member, row)
        if leaves:
            return "left"
        return "changed" if changed else "unchanged"

    def _add(self, row: RosterRow) -> None:
        member = Member(staff_id=row.staff_id, name=row.name, sex="", phone="", email="", status="active", tags=[])
        self._change(member, row)
        self._context.session.add(member)
        self._members[row.staff_id.upper()] = member

    def _change(self, member: Member, row: RosterRow) -> bool:
        plain = {"name", "sex", "phone", "email", "birthday", "enrolled_on", "status"}
        said: dict[str, Any] = row.model_dump(include=plain)
        said = {key: value for key, value in said.items() if value is not None}
        if row.unit is not None:
            said["unit"] = self._units[row.unit] if row.unit else None
        if row.tags is not None:
            said["tags"] = list(row.tags)
        different = {key: value for key, value in said.items() if getattr(member, key) != value}
        for key, value in different.items():
            setattr(member, key, value)
        return bool(different)
