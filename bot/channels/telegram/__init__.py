"""Telegram by python-telegram-bot: long polling or a webhook. The library's objects stay in this package."""

from bot.channels.telegram.channel import Place, TelegramChannel, menu_of
from bot.channels.telegram.webhook import webhook_router

__all__ = ["Place", "TelegramChannel", "menu_of", "webhook_router"]
