"""The channels that the settings ask for."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.files import FileDesk
    from bot.messages import Channel
    from bot.settings import Settings
    from bot.wording import Wording


def chosen(settings: Settings, files: FileDesk, wording: Wording) -> list[Channel]:
    """Channels that take messages in, as the settings have them; nothing is opened. Raises ConfigurationError."""
    found: list[Channel] = []
    if settings.telegram.token.get_secret_value():
        from bot.channels import telegram  # noqa: PLC0415 - a second that a house without Telegram need not wait

        place = telegram.Place(
            settings=settings.telegram,
            files=files,
            say=wording.text,
            menu=telegram.menu_of(sorted(wording.keys()), wording.text),
            public_url=settings.http.public_url,
        )
        found.append(telegram.TelegramChannel(place))
    if settings.wechaty.bridge != "off":
        from bot.channels.wechaty import desk  # noqa: PLC0415

        where = desk.Place(files=files, say=wording.text, public_url=settings.http.public_url)
        own_key = secrets.token_urlsafe(32) if settings.wechaty.bridge == "here" else ""
        found.append(desk.WechatyChannel(where, own_key=own_key))
    return found
