"""Forms that another dialogue engine drives (Rasa): each call is one step, and what is remembered goes back with it.

Nothing of such a conversation is kept here but what the form holds and commits. The engine carries our state as one
sealed text in a slot of its own, beside a slot for each field in words. It may fill those slots as it likes: what
differs from what it was told is taken as an answer to that field.
"""

from bot.gateway.native.calls import ASSISTANT, REQUESTED, Call, Names, Reaction, offered
from bot.gateway.native.forms import NativeForms

__all__ = ["ASSISTANT", "REQUESTED", "Call", "Names", "NativeForms", "Reaction", "offered"]
