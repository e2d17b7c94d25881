"""Merging (并案): one record goes on for both; the author of the other is credited, and hears of every step."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlalchemy import update

from actions.cases import notices, store
from actions.cases.form import rules_of
from actions.cases.tables import Case
from actions.core.errors import DomainError

if TYPE_CHECKING:
    from actions.core.commands import Context

_NUMBER = re.compile(r"\d{1,9}")


async def merge(context: Context, case: Case, words: str) -> Case:
    """Merges a record into the one whose number the words name; its state is the move's to change.

    Raises DomainError: case_gone, cannot_merge (none of the same service, one that is over, itself); ForbiddenError.
    """
    named = _NUMBER.search(words)
    if named is None:
        raise DomainError("cannot_merge")
    into = await store.find(context, int(named[0]))
    await store.require_officer(context, into)
    over = rules_of(context.catalogue[into.service]).states[into.state].ends
    if into.service != case.service or into.id == case.id or over:
        raise DomainError("cannot_merge")
    case.merged_id = into.id
    await context.session.execute(update(Case).where(Case.merged_id == case.id).values(merged_id=into.id))
    names = [*into.kept.get("credited", ()), *case.kept.get("credited", ()), case.member.name]
    into.kept = {**into.kept, "credited": list(dict.fromkeys(names))}
    await store.note(context, into, "merge", case.title)
    await notices.tell(context, into, into.member_id, "cases.merged_here", other=case.title, name=case.member.name)
    return into
