"""Membership: who an account belongs to, what its member may do, and the roster all of it rests on."""

from actions.membership.importing import import_command
from actions.membership.life import Membership
from actions.membership.own import BindingRecords
from actions.membership.passwords import verify_password
from actions.membership.preferring import PreferenceListener, load_channel_names
from actions.membership.roster import Fault, Roster, read_roster

__all__ = [
    "BindingRecords",
    "Fault",
    "Membership",
    "PreferenceListener",
    "Roster",
    "import_command",
    "load_channel_names",
    "read_roster",
    "verify_password",
]
