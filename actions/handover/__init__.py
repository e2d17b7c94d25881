"""A person takes over: whoever asks for one is put through to the duty officers, in the same chat.

What is told to an officer is what was said after the member was told so, and nothing else: no earlier dialogue, no
form. While a hand-over goes on the assistant is silent; it ends when either side says so, or after a silence.
"""

from actions.handover.commands import End, GiveBack, Leave, Reply, Request, Say, Take
from actions.handover.desk import HandoverDesk
from actions.handover.rules import HandoverRules
from actions.handover.store import armed_in, disarm, live_in
from actions.handover.tables import Handover, HandoverTaker

__all__ = [
    "End",
    "GiveBack",
    "Handover",
    "HandoverDesk",
    "HandoverRules",
    "HandoverTaker",
    "Leave",
    "Reply",
    "Request",
    "Say",
    "Take",
    "armed_in",
    "disarm",
    "live_in",
]
