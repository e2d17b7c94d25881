"""The library's client of the Bot API, opened when it is first asked for."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

from telegram import Bot
from telegram.error import NetworkError
from telegram.request import HTTPXRequest

from bot.channels.telegram.reading import KINDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.settings import TelegramSettings

# The library warns each time the platform asks to wait, unless durations are asked for.
os.environ.setdefault("PTB_TIMEDELTA", "true")

_CONNECTIONS = 32
_SECONDS = 20.0


class _Bot(Bot):
    """The library's client, with updates as they came: one that makes no sense must not hide the others."""

    async def updates(self, after: int, seconds: int) -> Sequence[Any]:
        """What came since an update, waited for so many seconds. Raises TelegramError."""
        asked = {"offset": after, "timeout": seconds, "allowed_updates": list(KINDS)}
        # The answer is waited for longer than the platform waits.
        found: object = await self._post("getUpdates", asked, read_timeout=seconds + _SECONDS)
        if not isinstance(found, list):
            raise NetworkError("an answer that is no list of updates")
        return found


class Client:
    """One bot's client."""

    def __init__(self, settings: TelegramSettings) -> None:
        base, proxy = settings.api_url.rstrip("/"), settings.proxy or None
        self.bot = _Bot(
            settings.token.get_secret_value(),
            base_url=f"{base}/bot",
            base_file_url=f"{base}/file/bot",
            request=HTTPXRequest(
                connection_pool_size=_CONNECTIONS,
                read_timeout=_SECONDS,
                write_timeout=_SECONDS,
                connect_timeout=_SECONDS,
                pool_timeout=_SECONDS,
                proxy=proxy,
            ),
            get_updates_request=HTTPXRequest(connection_pool_size=2, connect_timeout=_SECONDS, proxy=proxy),
        )
        self._opening = asyncio.Lock()

    async def opened(self) -> Bot:
        """The bot, ready to be called. Raises TelegramError where the platform cannot be asked who it is."""
        async with self._opening:
            # Does nothing where it is open.
            await self.bot.initialize()
        return self.bot

    async def updates(self, after: int, seconds: int) -> Sequence[Any]:
        """What came since an update. Raises TelegramError."""
        await self.opened()
        return await self.bot.updates(after, seconds)

    async def close(self) -> None:
        """Closes the connections."""
        async with self._opening:
            await self.bot.shutdown()
