"""Where officers sign in. They work in the chat page: notifications with options, and exact keywords."""

from bot.console.pages import ConsoleParts, console_router

__all__ = ["ConsoleParts", "console_router"]
