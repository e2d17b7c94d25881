"""微信公众号: answers within five seconds or as customer service, templates outside the 48 hours, codes that bind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.channels.official_account.channel import OfficialAccountChannel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import APIRouter

    from bot.channels.wechat.crypto import Query
    from bot.channels.wechat.hook import Place
    from bot.settings import OfficialAccountSettings

__all__ = ["OfficialAccountChannel", "official_account_channel", "official_account_router"]


def official_account_channel(settings: OfficialAccountSettings, place: Place) -> OfficialAccountChannel:
    """The channel of the settings. Raises ConfigurationError."""
    return OfficialAccountChannel(settings, place)


def official_account_router(channel: OfficialAccountChannel) -> APIRouter:
    """Where the platform calls."""
    from bot.channels.wechat.crypto import xml_of  # noqa: PLC0415 - for the process that serves it
    from bot.channels.wechat.hook import hook_router  # noqa: PLC0415

    def dress(query: Query, fields: Mapping[str, str], text: str) -> str:
        answer = {
            "ToUserName": fields.get("FromUserName", ""),
            "FromUserName": fields.get("ToUserName", ""),
            "CreateTime": query.timestamp,
            "MsgType": "text",
            "Content": text,
        }
        return channel.envelope.answer(xml_of(answer), query.timestamp, query.nonce)

    return hook_router("/callbacks/official-account", channel, dress)
