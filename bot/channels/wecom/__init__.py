"""企业微信: an application of the union, and the robots of its groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.channels.wecom.channel import WecomChannel

if TYPE_CHECKING:
    from fastapi import APIRouter

    from bot.channels.wechat.hook import Place
    from bot.settings import WecomSettings

__all__ = ["WecomChannel", "wecom_channel", "wecom_router"]


def wecom_channel(settings: WecomSettings, place: Place) -> WecomChannel:
    """The channel of the settings. Raises ConfigurationError."""
    return WecomChannel(settings, place)


def wecom_router(channel: WecomChannel) -> APIRouter:
    """Where the platform calls."""
    from bot.channels.wechat.hook import hook_router  # noqa: PLC0415 - for the process that serves it

    return hook_router("/callbacks/wecom", channel, lambda _query, _fields, text: text)
