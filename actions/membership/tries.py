"""Counting what was tried: N within a window, for an account and for a 工号 alike.

A window begins with the first try. Rows are locked from the look to the count, so that tries made at the same time
are not counted as one.
"""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy.exc import IntegrityError

from actions.core.errors import DomainError
from actions.membership.people import fold_staff_id
from actions.membership.tables import BindingCounter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actions.core.commands import Context
    from actions.membership.rules import MembershipRules


def account_key(context: Context) -> str:
    """The actor's account."""
    actor = context.actor
    return context.vault.pseudonym(f"binding-account:{actor.channel}:{actor.account}:{actor.sender}")


def staff_key(context: Context, staff_id: str) -> str:
    """A 工号, on the roster or not."""
    return context.vault.pseudonym(f"binding-staff:{fold_staff_id(staff_id).upper()}")


def mail_key(context: Context, member_id: int) -> str:
    """A member's mailbox."""
    return context.vault.pseudonym(f"binding-mail:{member_id}")


class Tries:
    """The counters of one attempt, locked until the transaction ends."""

    def __init__(self, context: Context, rules: MembershipRules, rows: Sequence[BindingCounter]) -> None:
        self._context = context
        self._rules = rules
        self._rows = rows

    @property
    def left(self) -> int:
        """How many more may go wrong."""
        return max(0, self._rules.tries - max(row.tries for row in self._rows))

    def count(self) -> int:
        """One went wrong; returns how many are left."""
        for row in self._rows:
            row.tries += 1
        return self.left

    def locked(self) -> DomainError:
        """The refusal that says for how long nothing more may be tried."""
        full = [row.since for row in self._rows if row.tries >= self._rules.tries]
        until = max(full) + timedelta(minutes=self._rules.window_minutes)
        return DomainError("binding_locked", minutes=math.ceil((until - self._context.now).total_seconds() / 60))


async def take(context: Context, rules: MembershipRules, *keys: str) -> Tries:
    """The counters of those keys, in the order given."""
    return Tries(context, rules, [await _row(context, rules, key) for key in keys])


async def _row(context: Context, rules: MembershipRules, key: str) -> BindingCounter:
    row = await context.database.lock(context.session, BindingCounter, key)
    while row is None:
        await _insert(context, key)
        row = await context.database.lock(context.session, BindingCounter, key)
    if row.since + timedelta(minutes=rules.window_minutes) <= context.now:
        row.tries, row.since = 0, context.now
    return row


async def _insert(context: Context, key: str) -> None:
    try:
        async with context.session.begin_nested():
            context.session.add(BindingCounter(key=key, tries=0, since=context.now))
    except IntegrityError:
        # Another turn was quicker: its row is the one to lock.
        return
