"""One turn: from a message to its replies, in one transaction."""

from bot.gateway.entries import calendar_entry
from bot.gateway.house import House
from bot.gateway.turn import Answered, Gateway

__all__ = ["Answered", "Gateway", "House", "calendar_entry"]
