"""The channels that the settings ask for."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.channels.wechat.tokens import Shelf
    from bot.files import FileDesk
    from bot.messages import Channel
    from bot.settings import Settings
    from bot.wording import Wording


def chosen(settings: Settings, files: FileDesk, wording: Wording, shelf: Shelf) -> list[Channel]:
    """Channels that take messages in, as the settings have them; nothing is opened. Raises ConfigurationError.

    `shelf` is where access tokens are kept for all processes.
    """
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
    return [*found, *_sanctioned(settings, files, wording, shelf)]


def _sanctioned(settings: Settings, files: FileDesk, wording: Wording, shelf: Shelf) -> list[Channel]:
    """企业微信 and 公众号."""
    found: list[Channel] = []
    if not settings.wecom.corp_id and not settings.official_account.app_id:
        return found
    from bot.channels.wechat.hook import Place  # noqa: PLC0415 - for those who use it

    place = Place(files=files, shelf=shelf, say=wording.text, public_url=settings.http.public_url)
    if settings.wecom.corp_id:
        from bot.channels.wecom import wecom_channel  # noqa: PLC0415

        found.append(wecom_channel(settings.wecom, place))
    if settings.official_account.app_id:
        from bot.channels.official_account import official_account_channel  # noqa: PLC0415

        found.append(official_account_channel(settings.official_account, place))
    return found
