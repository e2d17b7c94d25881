"""What is held about a member, in whichever table: shown to them, and deleted as far as law and duty allow."""

from actions.held.desk import HeldData
from actions.held.kinds import Kind, load_kinds, unclassified

__all__ = ["HeldData", "Kind", "load_kinds", "unclassified"]
