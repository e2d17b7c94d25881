"""The commands of membership; their handlers are in binding, accounts, roles, invites, passwords and importing."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, SecretStr

from actions.core.commands import Command
from actions.membership.roster import RosterRow


class Bind(Command):
    """Binds the actor's account, or asks an officer to; the account has proved the 工号 in the form just before."""

    name: ClassVar[str] = "membership.bind"
    staff_id: str = Field(max_length=200)


class PreferChannel(Command):
    """Where the actor wants to be written to: a channel that they are bound on; empty is where they wrote last."""

    name: ClassVar[str] = "membership.prefer_channel"
    channel: str = Field("", max_length=20)


class ApproveBinding(Command):
    """An officer vouches that the account is the member's."""

    name: ClassVar[str] = "membership.approve_binding"
    request_id: int


class RefuseBinding(Command):
    """An officer sends the request back, with the reason."""

    name: ClassVar[str] = "membership.refuse_binding"
    request_id: int
    reason: str = Field("", max_length=200)


class Unbind(Command):
    """Without `staff_id` the account that asks. With one's own 工号 all one's other accounts; with another's all of
    theirs (an officer, for a lost account).
    """

    name: ClassVar[str] = "membership.unbind"
    staff_id: str = Field("", max_length=20)


class Leave(Command):
    """A member has left: roles, password, accounts and open records go."""

    name: ClassVar[str] = "membership.leave"
    staff_id: str = Field(max_length=20)


class GrantRole(Command):
    """Gives a role, for one service and one unit where they are named."""

    name: ClassVar[str] = "membership.grant_role"
    staff_id: str = Field(max_length=20)
    role: str
    service: str = ""
    unit: str = ""


class RevokeRole(Command):
    """Takes back the grant of exactly this role, service and unit."""

    name: ClassVar[str] = "membership.revoke_role"
    staff_id: str = Field(max_length=20)
    role: str
    service: str = ""
    unit: str = ""


class CreateUnit(Command):
    """A unit with a union of its own."""

    name: ClassVar[str] = "membership.create_unit"
    title: str = Field(min_length=1, max_length=80)


class IssueInvites(Command):
    """Makes invite codes: for the members named, else for those of a unit (or all) who have no account yet.

    An earlier unused code of a member is void. The codes are in `Outcome.data["rows"]`, this once.
    """

    name: ClassVar[str] = "membership.issue_invites"
    staff_ids: tuple[str, ...] = ()
    unit: str = ""


class ImportRoster(Command):
    """Takes over the good rows of a roster; `bad` is how many were not good, to be counted with the others."""

    name: ClassVar[str] = "membership.import_roster"
    rows: tuple[RosterRow, ...]
    bad: int = Field(0, ge=0)


class CreateAdministrator(Command):
    """The first administrator, or a new temporary password for one.

    The password is in `Outcome.data["password"]`, this once.
    """

    name: ClassVar[str] = "membership.create_administrator"
    staff_id: str = Field(max_length=20)
    full_name: str = Field(min_length=1, max_length=40)


class SetPassword(Command):
    """One's own password for the console."""

    name: ClassVar[str] = "membership.set_password"
    password: SecretStr = Field(max_length=128)
