"""Membership: who an account belongs to, what its member may do, and the roster all of it rests on."""

from actions.membership.importing import import_command
from actions.membership.life import Membership
from actions.membership.own import BindingRecords
from actions.membership.passwords import verify_password
from actions.membership.roster import Fault, Roster, read_roster

__all__ = ["BindingRecords", "Fault", "Membership", "Roster", "import_command", "read_roster", "verify_password"]
