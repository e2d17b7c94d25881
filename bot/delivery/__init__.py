"""Durable delivery: every recipient is a row, and the rows are the ledger. See docs/delivery.md."""

from bot.delivery.limits import PLATFORMS, Limits, Window, limits_of
from bot.delivery.queue import Delivery
from bot.delivery.rules import Rules

__all__ = ["PLATFORMS", "Delivery", "Limits", "Rules", "Window", "limits_of"]
